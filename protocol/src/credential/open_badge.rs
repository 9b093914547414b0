//! Issuing: an Open Badges 3.0 achievement credential for skills at one level.
//!
//! Every term is defined by one of the two contexts that the credential names, so that verifiers who do
//! read JSON-LD find nothing undefined in it. Levels are a rubric of five criteria, of which the result
//! names the one achieved. Identifiers derive from bytes that the caller draws at random, which makes
//! issuing repeatable and leaves nothing in an identifier that says who issued or when.
//!
//! Source: 1EdTech Open Badges Specification 3.0. Specification: `spec/credential.md`, "Issuing".

use serde_json::{Map, Value, json};

use super::{
    CONTEXT_V2, Credential, Signer,
    issuing::{self, Format, IssuanceError},
    sd_jwt,
    status::StatusEntry,
};
use crate::{
    key::{Did, SecretKey},
    limits::ALIGNMENTS_MAX,
    skill::{Level, SkillId},
    time::Timestamp,
};

/// The JSON-LD context of Open Badges 3.0.3.
pub(super) const CONTEXT_OPEN_BADGES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";

/// Names of the five levels, lowest first (Dreyfus and Dreyfus, 1980).
const LEVEL_NAMES: [&str; 5] = ["Novice", "Advanced beginner", "Competent", "Proficient", "Expert"];

/// What an issuer states about one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuance {
    /// Uniformly random bytes, never used for another credential: its identifiers derive from them.
    pub nonce: [u8; 16],
    /// Who signs: the `did:key` of the signing key.
    pub issuer: Did,
    /// What the issuer calls itself.
    pub issuer_name: Option<String>,
    /// Whom the credential is about.
    pub subject: Did,
    /// The achievement's name.
    pub name: String,
    /// What was achieved.
    pub description: String,
    /// What had to be shown for it; the description when absent.
    pub criteria: Option<String>,
    /// The skills that the achievement shows, at most [`ALIGNMENTS_MAX`].
    pub skills: Vec<AlignedSkill>,
    /// How well all of them are mastered.
    pub level: Level,
    /// From when on the credential holds, in whole seconds.
    pub valid_from: Timestamp,
    /// When it ceases to hold, in whole seconds; never when `None`.
    pub valid_until: Option<Timestamp>,
    /// Where it can be found to be revoked or suspended.
    pub status: Vec<StatusEntry>,
}

/// A skill as an issuer writes it into a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlignedSkill {
    /// The skill's URI.
    pub skill: SkillId,
    /// Its name, as the framework has it.
    pub label: String,
    /// The framework's name, such as `ESCO`.
    pub framework: Option<String>,
}

/// The nonce of the one credential that the holder of `secret` issues as `name`: the same each time, and for anybody else
/// no other than a random one.
pub fn nonce_once(secret: &SecretKey, name: &str) -> [u8; 16] {
    let key = blake3::derive_key("knackmesh/1 credential issued once", &secret.seed());
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&blake3::keyed_hash(&key, name.as_bytes()).as_bytes()[..16]);
    nonce
}

impl Issuance {
    /// The credential's identifier, `urn:uuid:...`.
    pub fn id(&self) -> String {
        self.urn("credential")
    }

    /// The credential without a proof.
    pub fn document(&self) -> Map<String, Value> {
        let mut issuer = json!({"id": self.issuer, "type": ["Profile"]});
        if let Some(name) = &self.issuer_name {
            issuer["name"] = json!(name);
        }
        let mut document = Map::new();
        document.insert("@context".into(), json!([CONTEXT_V2, CONTEXT_OPEN_BADGES]));
        document.insert("id".into(), json!(self.id()));
        document.insert("type".into(), json!(["VerifiableCredential", "OpenBadgeCredential"]));
        document.insert("name".into(), json!(self.name));
        document.insert("issuer".into(), issuer);
        document.insert("validFrom".into(), json!(self.valid_from.to_rfc3339_seconds()));
        if let Some(until) = self.valid_until {
            document.insert("validUntil".into(), json!(until.to_rfc3339_seconds()));
        }
        document.insert("credentialSubject".into(), self.credential_subject());
        match self.status.as_slice() {
            [] => {}
            [entry] => drop(document.insert("credentialStatus".into(), entry.to_value())),
            entries => {
                let entries = entries.iter().map(StatusEntry::to_value).collect();
                document.insert("credentialStatus".into(), Value::Array(entries));
            }
        }
        document
    }

    /// The credential, signed by `signer` at `created`.
    ///
    /// # Errors
    /// [`IssuanceError`] when `signer` is not the issuer or a verifier would refuse the result.
    pub fn sign(
        &self,
        signer: &Signer,
        format: Format,
        created: Timestamp,
    ) -> Result<Credential, IssuanceError> {
        if self.skills.len() > ALIGNMENTS_MAX {
            return Err(IssuanceError::TooManySkills);
        }
        match format {
            Format::SdJwt if *signer.controller() != self.issuer => {
                Err(IssuanceError::NotTheIssuersKey(self.issuer.to_string()))
            }
            Format::SdJwt => sd_jwt::issue(self, signer),
            Format::Jcs | Format::Rdfc | Format::VcJwt => {
                issuing::sign(self.document(), format, signer, created)
            }
        }
    }

    fn credential_subject(&self) -> Value {
        let level_id = |level: u8| self.urn(&format!("level {level}"));
        let rubric: Vec<Value> = (1..).zip(LEVEL_NAMES).map(|(level, name)| {
            json!({"id": level_id(level), "type": ["RubricCriterionLevel"], "name": name, "level": level.to_string()})
        }).collect();
        let scale = json!({
            "id": self.urn("scale"),
            "type": ["ResultDescription"],
            "name": "Level",
            "resultType": "RubricCriterionLevel",
            "rubricCriterionLevel": rubric,
        });
        let criteria = self.criteria.as_ref().unwrap_or(&self.description);
        json!({
            "id": self.subject,
            "type": ["AchievementSubject"],
            "achievement": {
                "id": self.urn("achievement"),
                "type": ["Achievement"],
                "name": self.name,
                "description": self.description,
                "criteria": {"narrative": criteria},
                "alignment": self.skills.iter().map(AlignedSkill::alignment).collect::<Vec<_>>(),
                "resultDescription": [scale],
            },
            "result": [{
                "type": ["Result"],
                "resultDescription": self.urn("scale"),
                "achievedLevel": level_id(self.level.get()),
            }],
        })
    }

    fn urn(&self, part: &str) -> String {
        urn(&self.nonce, part)
    }
}

/// A UUID of version 8 (RFC 9562 section 5.8) for the part called `part` of the credential with this nonce.
pub(super) fn urn(nonce: &[u8; 16], part: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("knackmesh/1 credential identifiers");
    hasher.update(nonce).update(part.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    uuid(8, bytes)
}

/// The URN of a UUID of this version, below 16, made of `bytes` (RFC 9562 section 4).
pub fn uuid(version: u8, mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl AlignedSkill {
    pub(super) fn alignment(&self) -> Value {
        let mut alignment = json!({
            "type": ["Alignment"],
            "targetUrl": self.skill,
            "targetName": self.label,
            "targetType": "ext:Skill",
        });
        if let Some(framework) = &self.framework {
            alignment["targetFramework"] = json!(framework);
        }
        alignment
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::{
        super::{TrustList, Verifier},
        *,
    };
    fn issuance(key: &SecretKey) -> Issuance {
        let skill = |id: &str, label: &str| AlignedSkill {
            skill: id.parse().unwrap(),
            label: label.into(),
            framework: Some("ESCO".into()),
        };
        Issuance {
            nonce: [9; 16],
            issuer: key.did(),
            issuer_name: Some("Example Academy".into()),
            subject: SecretKey::from_seed([2; 32]).did(),
            name: "Systems programming".into(),
            description: "Wrote and defended a concurrent store.".into(),
            criteria: None,
            skills: vec![skill("urn:skill:rust", "Rust"), skill("urn:skill:c", "C")],
            level: Level::try_from(4).unwrap(),
            valid_from: Timestamp::from_unix_ms(1_790_000_000_123),
            valid_until: Some(Timestamp::from_unix_ms(1_890_000_000_000)),
            status: Vec::new(),
        }
    }

    #[test]
    fn what_is_issued_reads_back() {
        let key = SecretKey::from_seed([1; 32]);
        let issuance = issuance(&key);
        let credential = issuance.sign(&(&key).into(), Format::Jcs, issuance.valid_from).unwrap();
        assert_eq!(credential.document()["id"], issuance.id());
        assert_eq!(credential.issuer_name().as_deref(), Some("Example Academy"));
        assert_eq!(credential.name().as_deref(), Some("Systems programming"));
        assert_eq!(credential.valid_from().map(Timestamp::unix_ms), Some(1_790_000_000_000));
        let skills = credential.skills();
        assert_eq!(skills.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Rust", "C"]);
        assert!(skills.iter().all(|s| s.level == issuance.level));
        assert!(credential.verified(&Verifier::new(issuance.valid_from, &TrustList::default())).is_ok());
    }

    #[test]
    fn what_no_verifier_would_accept_is_not_issued() {
        let key = SecretKey::from_seed([1; 32]);
        let good = issuance(&key);
        let now = good.valid_from;
        let other = SecretKey::from_seed([3; 32]);
        assert!(matches!(
            good.sign(&(&other).into(), Format::Jcs, now),
            Err(IssuanceError::NotTheIssuersKey(_))
        ));
        let many = Issuance { skills: vec![good.skills[0].clone(); ALIGNMENTS_MAX + 1], ..good.clone() };
        assert!(matches!(many.sign(&(&key).into(), Format::Jcs, now), Err(IssuanceError::TooManySkills)));
        let reversed = Issuance { valid_until: Some(Timestamp::EPOCH), ..good.clone() };
        let long = Issuance { description: "x".repeat(1 << 20), ..good };
        for (bad, code) in [(reversed, "validity-reversed"), (long, "too-long")] {
            match bad.sign(&(&key).into(), Format::Jcs, now) {
                Err(IssuanceError::Credential(e)) => assert_eq!(e.code(), code),
                other => panic!("{code}: {other:?}"),
            }
        }
    }

    #[test]
    fn every_term_is_defined_by_its_contexts() {
        let mut defined = BTreeSet::new();
        for context in [
            include_str!("../../vectors/credential/contexts/open-badges-3.0.3.json"),
            include_str!("../../vectors/credential/contexts/credentials-v2.json"),
        ] {
            terms(&serde_json::from_str(context).unwrap(), &mut defined);
        }
        let key = SecretKey::from_seed([1; 32]);
        let mut used = BTreeSet::new();
        terms(&Value::Object(issuance(&key).document()), &mut used);
        let types =
            ["OpenBadgeCredential", "AchievementSubject", "Alignment", "RubricCriterionLevel", "Result"];
        used.extend(types.map(String::from));
        used.remove("@context");
        assert_eq!(used.difference(&defined).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    /// Every key at any depth.
    fn terms(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                found.insert(key.clone());
                terms(value, found);
            }),
            Value::Array(items) => items.iter().for_each(|item| terms(item, found)),
            _ => {}
        }
    }
}
