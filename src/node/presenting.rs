//! A home as a holder for whom others put presentations together: it signs them.

use knackmesh_protocol::{
    credential::{
        Credential, Signer,
        data_integrity::{Binding, Purpose},
        presentation,
    },
    id::Id,
    text::shown,
};
use serde_json::{Value, json};

use super::{Node, now, service::Answer};
use crate::control::{Exit, PresentOrder, Refusal, Reply};

impl Node {
    /// Signs any presentation with the key that is the subject of this home's credentials. One that names another holder, or
    /// is signed already, is refused. It is recorded before it is given.
    pub(super) fn present(&mut self, order: PresentOrder) -> Answer {
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
        let shown = shown_in(&text);
        self.record_shown(domain, shown)?;
        Ok(Reply::Presented(text))
    }
}

/// The credentials in a presentation. One that cannot be read is named by its text.
fn shown_in(text: &str) -> Vec<Id> {
    if let Ok(credentials) = presentation::credentials(text) {
        return credentials.iter().map(Credential::id).collect();
    }
    let document = serde_json::from_str::<Value>(text).unwrap_or_default();
    let unread = |credential: &Value| Id::of(credential.to_string().as_bytes());
    match document.get("verifiableCredential") {
        Some(Value::Array(credentials)) => credentials.iter().map(unread).collect(),
        credential => credential.into_iter().map(unread).collect(),
    }
}
