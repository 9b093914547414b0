//! A home as a holder for whom others put presentations together: it signs them.

use knackmesh_protocol::{
    credential::{
        Signer,
        data_integrity::{Binding, Purpose},
        presentation,
    },
    text::shown,
};
use serde_json::json;

use super::{Node, now, service::Answer};
use crate::control::{Exit, PresentOrder, Refusal, Reply};

impl Node {
    /// Signs any presentation with the key that is the subject of this home's credentials. One that names another holder, or
    /// is signed already, is refused.
    pub(super) fn present(&self, order: PresentOrder) -> Answer {
        let PresentOrder { mut document, format, challenge, domain } = order;
        if document.contains_key("proof") {
            let hint = "leave its `proof` out";
            return Err(Refusal::new(Exit::Usage, "the presentation is signed already", hint));
        }
        let holder = Signer::from(&self.identity.root);
        document.entry("holder").or_insert_with(|| json!(holder.controller()));
        let expected = Binding {
            challenge: challenge.as_deref(),
            domain: domain.as_deref(),
            purpose: Purpose::Authentication,
        };
        let text = presentation::sign_document(document, &holder, &expected, format, now()).map_err(|e| {
            let hint = format!("this home presents as {} alone", shown(holder.controller().as_str()));
            Refusal::new(Exit::Usage, e.to_string(), hint)
        })?;
        Ok(Reply::Presented(text))
    }
}
