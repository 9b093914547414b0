//! Whom a badge was awarded to where it is bound to no DID: by an address, mostly hashed.
//!
//! An address shows who was meant and never who shows the badge: whoever has the badge and knows the address could say
//! that it is theirs. So it makes a badge somebody's to keep, and backs no claim.
//!
//! Source: 1EdTech Open Badges 3.0, class IdentityObject. Specification: `spec/import.md`, "Holder not proven".

use serde_json::Value;

use super::{
    Credential,
    open_badge_2::{AssertionError, Recipient, RecipientKind},
};
use crate::{json::items, limits::ALIGNMENTS_MAX};

/// Of whom a badge says that it is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipience {
    /// Of nobody, so there is nothing to compare.
    Unstated,
    /// Of whoever has this address.
    Matches,
    /// Of another, or of somebody who is known by something else.
    Differs,
}

/// The addresses that a credential names as its subject's, at most [`ALIGNMENTS_MAX`].
pub fn recipients(credential: &Credential) -> Vec<Recipient> {
    let subject = items(credential.document().get("credentialSubject")).first();
    let mail = subject.and_then(|subject| subject.get("id")?.as_str()?.strip_prefix("mailto:"));
    let mail = mail.map(|address| Recipient {
        kind: RecipientKind::Email,
        identity: address.to_owned(),
        hashed: false,
        salt: String::new(),
    });
    let stated = items(subject.and_then(|subject| subject.get("identifier")));
    mail.into_iter().chain(stated.iter().filter_map(read)).take(ALIGNMENTS_MAX).collect()
}

/// Whether one of `recipients` is who is known by `address`, an e-mail address.
///
/// # Errors
/// [`AssertionError::RecipientHash`] when an address is hidden by a hash that cannot be compared, and no other matches.
pub fn compare(recipients: &[Recipient], address: &str) -> Result<Recipience, AssertionError> {
    let mut unknown = None;
    for recipient in recipients {
        match recipient.matches(address) {
            Ok(true) => return Ok(Recipience::Matches),
            Ok(false) => {}
            Err(e) => unknown = Some(e),
        }
    }
    match unknown {
        Some(e) => Err(e),
        None if recipients.is_empty() => Ok(Recipience::Unstated),
        None => Ok(Recipience::Differs),
    }
}

fn read(identity: &Value) -> Option<Recipient> {
    let text = |name: &str| identity.get(name).and_then(Value::as_str);
    let stated = text("identityHash")?;
    Some(Recipient {
        kind: match text("identityType")? {
            "emailAddress" => RecipientKind::Email,
            _ => RecipientKind::Other,
        },
        identity: stated.to_owned(),
        hashed: identity.get("hashed").and_then(Value::as_bool).unwrap_or_else(|| stated.contains('$')),
        salt: text("salt").unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;
    use sha2::{Digest, Sha256};

    use super::*;

    fn credential(subject: Value) -> Credential {
        let document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": "did:web:a.example",
            "credentialSubject": subject,
        });
        Credential::parse(&document.to_string()).unwrap()
    }

    fn hash(text: &str) -> String {
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn an_address_is_compared_with_its_hash() {
        let identity = |hash: String, salt: Value| {
            json!({
                "type": "IdentityObject", "hashed": true, "identityHash": hash, "identityType": "emailAddress",
                "salt": salt,
            })
        };
        let salted = identity(format!("sha256${}", hash("ada@a.examplesalty")), json!("salty"));
        let md5 = identity("md5$00".into(), json!(null));
        let other = json!({"identityHash": "4711", "identityType": "sourcedId"});
        let compare = |subject: Value, address: &str| {
            compare(&recipients(&credential(subject)), address).map_err(|e| e.code())
        };
        for (identifiers, expected) in [
            (json!([salted]), Ok(Recipience::Matches)),
            (json!([other, md5, salted]), Ok(Recipience::Matches)),
            (json!(other), Ok(Recipience::Differs)),
            (json!(md5), Err("recipient-hash")),
            (json!([7, {}]), Ok(Recipience::Unstated)),
        ] {
            let subject = json!({"type": "AchievementSubject", "identifier": identifiers});
            assert_eq!(compare(subject.clone(), " Ada@a.example"), expected, "{subject}");
            if expected == Ok(Recipience::Matches) {
                assert_ne!(compare(subject, "bob@a.example"), expected);
            }
        }
        let mail = json!({"id": "mailto:Ada@a.example", "type": "AchievementSubject"});
        assert_eq!(compare(mail, "ada@A.example"), Ok(Recipience::Matches));
    }
}
