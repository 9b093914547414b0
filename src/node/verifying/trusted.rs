//! Trust lists in files: signed ones, and those that `knack trust list --json` prints.

use knackmesh_protocol::{
    credential::{
        Credential, Shown, TrustEntry, TrustList, Verifier,
        import::{self, Form},
        trust_document,
    },
    json,
    limits::IMPORT_BYTES_MAX,
    time::Timestamp,
};

use super::{Asker, gather, needs_of};
use crate::control::{Exit, Refusal, TrustRow};

/// The list in a text. A signed one counts only when it is verified; whether to follow its keeper, who names it decides.
///
/// # Errors
/// [`Refusal`] when it is no list, or does not verify.
pub async fn trust_list(text: &str, now: Timestamp, asker: &Asker<'_>) -> Result<TrustList, Refusal> {
    if let Ok(Form::Credential(credential)) = import::form(text) {
        return signed(*credential, now, asker).await;
    }
    let rows = json::parse(text, IMPORT_BYTES_MAX).ok();
    let rows: Option<Vec<TrustRow>> = rows.and_then(|value| serde_json::from_value(value).ok());
    listed(rows.ok_or_else(|| {
        Refusal::new(
            Exit::Failed,
            "--trust: no trust list",
            "name a signed trust list, or a file with what `knack trust list --json` prints",
        )
    })?)
}

/// The list that rows state.
///
/// # Errors
/// [`Refusal`] when they are too many.
pub fn listed(rows: Vec<TrustRow>) -> Result<TrustList, Refusal> {
    let mut trust = TrustList::default();
    for TrustRow { issuer, name, distrusted, skills } in rows {
        trust.add(issuer, TrustEntry { name, distrusted, skills }).map_err(|e| {
            Refusal::new(Exit::Refused, e.to_string(), "remove issuers that you no longer need")
        })?;
    }
    Ok(trust)
}

async fn signed(credential: Credential, now: Timestamp, asker: &Asker<'_>) -> Result<TrustList, Refusal> {
    let nobody = TrustList::default();
    let verifier = Verifier::new(now, &nobody);
    let credentials = [credential];
    let known = gather(&needs_of(&credentials), &verifier, asker).await;
    let [credential] = &credentials;
    let checks = credential.verify(&verifier.knowing(&known));
    if !checks.verdict(Shown::File).verified {
        let reasons: Vec<&str> = checks.reasons.values().map(|reason| reason.text.as_str()).collect();
        return Err(Refusal::new(
            Exit::NotVerified,
            format!("--trust: the list is not verified: {}", reasons.join("; ")),
            "ask its keeper for the list as it was signed; `knack verify FILE` shows every check",
        ));
    }
    trust_document::read(credential).map_err(|e| {
        Refusal::new(Exit::Failed, format!("--trust: {e}"), "name a trust list, not another credential")
    })
}
