//! Whether a domain says that a DID is its own: domain linkage.
//!
//! The domain's list is fetched from the domain, which shows that the domain's owner says so; the entry's signature by a
//! key of the DID shows that the DID's does. Then both are in the same hands, and the DID stands for the organisation.

use knackmesh_protocol::{
    credential::data_integrity::{self, Binding},
    did::{
        self, Documents, Origin, Relationship,
        linkage::{self, Entry, Linkage},
        web,
    },
    jose::Jws,
    key::Did,
    limits::STATUS_AGE_DEFAULT_MS,
    time::Timestamp,
};

use super::Asker;
use crate::{
    fetch::Kind,
    report::{OrganisationRow, ReasonRow},
};

/// The domains that `did` says are its own: those that its document links, else the one at which a `did:web` lies.
pub fn origins_of(did: &Did, documents: &Documents) -> Vec<Origin> {
    let linked = documents.get(did).into_iter().flat_map(|known| known.document.linked_origins());
    let linked: Vec<Origin> = linked.take(ORIGINS_MAX).collect();
    if linked.is_empty() { web::origin_of(did).into_iter().collect() } else { linked }
}

/// Domains of one DID that are asked.
const ORIGINS_MAX: usize = 2;

/// Asks `origin` whether `did` is its own.
pub async fn organisation(
    did: &Did,
    origin: &Origin,
    documents: &Documents,
    now: Timestamp,
    asker: &Asker<'_>,
) -> OrganisationRow {
    let reason = linked(did, origin, documents, now, asker).await.err();
    let reason = reason.map(|(code, text)| ReasonRow::new("organisation", code, text));
    OrganisationRow {
        did: did.to_string(),
        domain: origin.as_str().trim_start_matches("https://").to_owned(),
        linked: reason.is_none(),
        reason,
    }
}

/// Whether both say so; otherwise why they are not known to be in the same hands: a code, and words.
async fn linked(
    did: &Did,
    origin: &Origin,
    documents: &Documents,
    now: Timestamp,
    asker: &Asker<'_>,
) -> Result<(), (&'static str, String)> {
    let url = origin.configuration_url();
    let fetched = asker.get(&url, Kind::DidConfiguration, STATUS_AGE_DEFAULT_MS).await;
    let fetched = fetched.map_err(|e| ("linkage-not-fetched", e.to_string()))?;
    if fetched.age_ms(now) > STATUS_AGE_DEFAULT_MS {
        return Err(("linkage-stale", format!("what the domain says is as of {}", fetched.fetched)));
    }
    let text = String::from_utf8(fetched.bytes)
        .map_err(|_| ("configuration-malformed", "what the domain says is not UTF-8".to_owned()))?;
    let entries = linkage::read(&text, origin, now).map_err(|e| (e.code(), e.to_string()))?;
    let mut reason = ("linkage-absent", format!("the domain does not name {did} among its own"));
    for entry in entries {
        match entry {
            Ok(linkage) if linkage.did == *did => match verify(&linkage, documents) {
                Ok(()) => return Ok(()),
                Err(text) => reason = ("linkage-signature", text),
            },
            // What is refused could be the one that is looked for.
            Err(e) if reason.0 == "linkage-absent" => reason = (e.code(), e.to_string()),
            Ok(_) | Err(_) => {}
        }
    }
    Err(reason)
}

/// Verifies that a key of the DID signed the entry.
fn verify(linkage: &Linkage, documents: &Documents) -> Result<(), String> {
    match &linkage.entry {
        Entry::Jwt(token) => {
            let jws = Jws::parse(token).map_err(|e| e.to_string())?;
            let method = jws.kid().ok_or("the token names no key")?;
            let key = did::verification_key(method, Relationship::AssertionMethod, documents)
                .map_err(|e| e.to_string())?;
            if key.controller.did() != Some(&linkage.did) {
                return Err("the key is another DID's".to_owned());
            }
            jws.verify(&key.key).map_err(|e| e.to_string())
        }
        Entry::Credential(credential) => {
            let proofs = data_integrity::verify(credential, &Binding::ASSERTION, documents)
                .map_err(|e| e.to_string())?;
            match proofs.verified.iter().any(|proof| proof.controller.did() == Some(&linkage.did)) {
                true => Ok(()),
                false => Err("no proof is by the DID".to_owned()),
            }
        }
    }
}
