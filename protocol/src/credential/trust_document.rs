//! Trust lists that travel: a list of issuers, signed by whoever keeps it, for others to take over.
//!
//! It is a credential: its issuer keeps the list, its subject is the list. Whoever imports one decides to follow its keeper; until
//! then it means nothing. An entry can be limited to skills, so that a chamber of crafts is believed on crafts.
//!
//! Specification: `spec/trust.md`.

use serde_json::{Map, Value, json};

use super::{CONTEXT_V2, Credential, TrustEntry, TrustList, TrustListFull, vcdm::has_type};
use crate::{
    json::items, key::Did, limits::TRUST_NAME_BYTES_MAX, skill::SkillId, text::shown, time::Timestamp,
};

/// The type of such a credential.
/// The type of a credential that is a signed trust list.
pub const TYPE: &str = "TrustListCredential";

/// Why a credential is no trust list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustDocumentError {
    /// A credential of another type.
    #[error("it is no trust list: `type` does not name {TYPE}")]
    Type,
    /// An entry that is not as it must be.
    #[error(
        "entry {0} (from 0) of the trust list is malformed: an object with `issuer` (a DID), and perhaps `name`, `skills`, `distrusted`, and no others"
    )]
    Entry(usize),
    /// Too long.
    #[error("{0}")]
    Full(#[from] TrustListFull),
}

impl TrustDocumentError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            TrustDocumentError::Type => "trust-list-type",
            TrustDocumentError::Entry(_) => "trust-list-entry",
            TrustDocumentError::Full(_) => "trust-list-full",
        }
    }
}

/// The document of `list`, to be signed by `keeper`.
pub fn document(
    list: &TrustList,
    keeper: &Did,
    id: &str,
    valid_from: Timestamp,
    valid_until: Option<Timestamp>,
) -> Map<String, Value> {
    let entry = |(issuer, entry): (&Did, &TrustEntry)| {
        let mut value = json!({"issuer": issuer});
        if let Some(name) = &entry.name {
            value["name"] = json!(name);
        }
        if !entry.skills.is_empty() {
            value["skills"] = json!(entry.skills);
        }
        if entry.distrusted {
            value["distrusted"] = json!(true);
        }
        value
    };
    // The terms are defined in the document itself, so that no one needs to fetch anything to read it as JSON-LD.
    let terms = json!({
        "@vocab": "urn:knackmesh:trust-list#",
        "skills": {"@id": "urn:knackmesh:trust-list#skills", "@type": "@id"},
    });
    let mut document = Map::new();
    document.insert("@context".into(), json!([CONTEXT_V2, terms]));
    document.insert("id".into(), json!(id));
    document.insert("type".into(), json!(["VerifiableCredential", TYPE]));
    document.insert("issuer".into(), json!(keeper));
    document.insert("validFrom".into(), json!(valid_from.to_rfc3339_seconds()));
    if let Some(until) = valid_until {
        document.insert("validUntil".into(), json!(until.to_rfc3339_seconds()));
    }
    let entries: Vec<Value> = list.iter().map(entry).collect();
    document.insert("credentialSubject".into(), json!({"type": "TrustList", "entries": entries}));
    document
}

/// Whether a credential is meant to be a trust list, whatever it states.
pub fn is_one(credential: &Credential) -> bool {
    has_type(credential.document(), TYPE)
}

/// The list that a credential states. Whether it is to be believed is for [`Credential::verify`] and the reader.
///
/// # Errors
/// [`TrustDocumentError`] when it states none.
pub fn read(credential: &Credential) -> Result<TrustList, TrustDocumentError> {
    if !is_one(credential) {
        return Err(TrustDocumentError::Type);
    }
    let subjects = items(credential.document().get("credentialSubject"));
    let entries = subjects.iter().flat_map(|subject| items(subject.get("entries")));
    let mut list = TrustList::default();
    for (at, value) in entries.enumerate() {
        let (issuer, entry) = entry(value).ok_or(TrustDocumentError::Entry(at))?;
        list.add(issuer, entry)?;
    }
    Ok(list)
}

/// The members that an entry can have. Distrust under a name that is not read would be recognition.
const MEMBERS: [&str; 6] = ["distrusted", "id", "issuer", "name", "skills", "type"];

fn entry(value: &Value) -> Option<(Did, TrustEntry)> {
    let value = value.as_object().filter(|value| value.keys().all(|key| MEMBERS.contains(&key.as_str())))?;
    let issuer = value.get("issuer")?.as_str()?.parse().ok()?;
    let name = match value.get("name") {
        None => None,
        Some(name) => {
            Some(shown(name.as_str()?)).filter(|n| !n.is_empty() && n.len() <= TRUST_NAME_BYTES_MAX)
        }
    };
    let distrusted = match value.get("distrusted") {
        None => false,
        Some(distrusted) => distrusted.as_bool()?,
    };
    let skill = |skill: &Value| skill.as_str()?.parse::<SkillId>().ok();
    let skills = items(value.get("skills")).iter().map(skill).collect::<Option<Vec<_>>>()?;
    Some((issuer, TrustEntry { name, distrusted, skills }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{
        super::{Format, Verifier, issuing},
        *,
    };
    use crate::key::SecretKey;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

    #[test]
    fn a_list_travels_signed() {
        let mut list = TrustList::default();
        let skills = vec!["urn:s:rust".parse().unwrap()];
        let scoped = TrustEntry { name: Some("Academy".into()), skills, distrusted: false };
        list.add("did:web:a.example".parse().unwrap(), scoped).unwrap();
        let distrusted = TrustEntry { distrusted: true, ..TrustEntry::default() };
        list.add("did:web:b.example".parse().unwrap(), distrusted).unwrap();
        let keeper = SecretKey::from_seed([1; 32]);
        let unsigned = document(&list, &keeper.did(), "urn:uuid:1", NOW, None);
        let signed = issuing::sign(unsigned, Format::Jcs, &(&keeper).into(), NOW).unwrap();
        let verified = Credential::parse(signed.text()).unwrap();
        let nobody = TrustList::default();
        assert!(verified.clone().verified(&Verifier::new(NOW, &nobody)).is_ok());
        assert_eq!(read(&verified).unwrap(), list);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let keeper = SecretKey::from_seed([1; 32]);
        let with = |entries: Value, kind: &str| {
            let mut unsigned = document(&TrustList::default(), &keeper.did(), "urn:uuid:1", NOW, None);
            unsigned["credentialSubject"]["entries"] = entries;
            unsigned["type"] = json!(["VerifiableCredential", kind]);
            read(&issuing::sign(unsigned, Format::Jcs, &(&keeper).into(), NOW).unwrap()).map_err(|e| e.code())
        };
        assert_eq!(with(json!([]), TYPE), Ok(TrustList::default()));
        assert_eq!(with(json!([]), "OtherCredential"), Err("trust-list-type"));
        for entry in [
            json!("did:web:a.example"),
            json!({"issuer": "Academy"}),
            json!({"issuer": "did:web:a.example", "skills": ["no uri"]}),
            json!({"issuer": "did:web:a.example", "distrusted": "yes"}),
            json!({"issuer": "did:web:a.example", "name": 7}),
            json!({"issuer": "did:web:a.example", "urn:knackmesh:trust-list#distrusted": true}),
        ] {
            assert_eq!(with(json!([entry]), TYPE), Err("trust-list-entry"));
        }
    }
}
