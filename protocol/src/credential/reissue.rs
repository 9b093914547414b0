//! Reissuing: a badge that is bound to no DID becomes a credential that is, of an issuer who vouches for it anew.
//!
//! The new issuer says what the original said, the same achievement with its alignments and results, and names the original
//! as evidence with its digest. Whether the original is authentic, and whose it is, the new issuer has to know before.
//!
//! Specification: `spec/import.md`, "Reissuing".

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    CONTEXT_V2, Credential,
    alignment::Alignment,
    open_badge::{CONTEXT_OPEN_BADGES, urn},
    open_badge_2::{Assertion, BadgeClass},
    vcdm::is_url,
};
use crate::{json::items, key::Did, text::shown, time::Timestamp};

/// What a badge says that another issuer can say again.
#[derive(Clone, Debug, PartialEq)]
pub struct Original {
    id: Option<String>,
    name: String,
    issuer: String,
    achievement: Map<String, Value>,
    results: Vec<Value>,
    valid_until: Option<Timestamp>,
    digest: String,
}

/// Members of an achievement that are said again. An image is not: it may have the original baked in.
const ACHIEVEMENT: [&str; 15] = [
    "id",
    "type",
    "achievementType",
    "alignment",
    "creator",
    "creditsAvailable",
    "criteria",
    "description",
    "fieldOfStudy",
    "humanCode",
    "inLanguage",
    "name",
    "resultDescription",
    "specialization",
    "tag",
];

impl Original {
    /// What a credential of an achievement says; `None` when it is of none.
    pub fn of_credential(credential: &Credential) -> Option<Self> {
        let document = credential.document();
        let subject = items(document.get("credentialSubject")).first().and_then(Value::as_object);
        // An SD-JWT VC has its subject's claims at the top.
        let subject = subject.unwrap_or(document);
        let stated = items(subject.get("achievement")).first()?.as_object()?;
        let member = |name: &&str| Some(((*name).to_owned(), stated.get(*name)?.clone()));
        let mut achievement: Map<String, Value> = ACHIEVEMENT.iter().filter_map(member).collect();
        let name = credential.name().unwrap_or_default();
        complete(&mut achievement, &name);
        Some(Original {
            id: document.get("id").and_then(Value::as_str).map(str::to_owned),
            name,
            issuer: credential.issuer_name().unwrap_or_else(|| shown(credential.issuer())),
            achievement,
            results: items(subject.get("result")).to_vec(),
            valid_until: credential.valid_until(),
            digest: digest(credential.text()),
        })
    }

    /// What a badge of Open Badges 2.0 says, which came as `text`, of the class that its issuer `issuer` published.
    pub fn of_badge(text: &str, assertion: &Assertion, class: &BadgeClass, issuer: &str) -> Self {
        let mut achievement = Map::new();
        achievement.insert("id".into(), json!(class.id));
        achievement.insert("name".into(), json!(class.name));
        achievement.insert("description".into(), json!(class.description));
        let mut criteria = Map::new();
        if let Some(url) = &class.criteria_url {
            criteria.insert("id".into(), json!(url));
        }
        if !class.criteria.is_empty() {
            criteria.insert("narrative".into(), json!(class.criteria));
        }
        if !criteria.is_empty() {
            achievement.insert("criteria".into(), Value::Object(criteria));
        }
        if !class.alignments.is_empty() {
            achievement.insert("alignment".into(), class.alignments.iter().map(alignment).collect());
        }
        if !class.tags.is_empty() {
            achievement.insert("tag".into(), json!(class.tags));
        }
        complete(&mut achievement, &class.name);
        Original {
            id: Some(assertion.id.clone()),
            name: class.name.clone(),
            issuer: shown(issuer),
            achievement,
            results: Vec::new(),
            valid_until: assertion.expires,
            digest: digest(text),
        }
    }

    /// The credential that says it of `subject`, without issuer and proof. Its identifiers derive from `nonce`, which is
    /// uniformly random and never used for another credential.
    pub fn document(&self, subject: &Did, nonce: &[u8; 16], at: Timestamp) -> Map<String, Value> {
        let mut evidence = json!({
            "type": ["Evidence"],
            "name": "The original badge",
            "description": format!("Awarded by {}, and verified before this was issued in its place.", self.issuer),
            "digestSRI": self.digest,
        });
        if let Some(id) = self.id.as_ref().filter(|id| is_url(id)) {
            evidence["id"] = json!(id);
        }
        let mut about = json!({
            "id": subject, "type": ["AchievementSubject"], "achievement": self.achievement,
        });
        if !self.results.is_empty() {
            about["result"] = json!(self.results);
        }
        let mut document = Map::new();
        document.insert("@context".into(), json!([CONTEXT_V2, CONTEXT_OPEN_BADGES]));
        document.insert("id".into(), json!(urn(nonce, "credential")));
        document.insert("type".into(), json!(["VerifiableCredential", "OpenBadgeCredential"]));
        document.insert("name".into(), json!(self.name));
        document.insert("validFrom".into(), json!(at.to_rfc3339_seconds()));
        if let Some(until) = self.valid_until {
            document.insert("validUntil".into(), json!(until.to_rfc3339_seconds()));
        }
        document.insert("credentialSubject".into(), about);
        document.insert("evidence".into(), json!([evidence]));
        document
    }

    /// Who awarded it, fit to be shown.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What it is called, fit to be shown.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Adds what an achievement must have.
fn complete(achievement: &mut Map<String, Value>, name: &str) {
    achievement.insert("type".into(), json!(["Achievement"]));
    achievement.entry("name").or_insert_with(|| json!(name));
    let named = achievement.get("description").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if !named {
        achievement.insert("description".into(), json!(name));
    }
    let described = achievement.get("description").cloned().unwrap_or_default();
    achievement.entry("criteria").or_insert_with(|| json!({"narrative": described}));
}

fn alignment(alignment: &Alignment) -> Value {
    let name = if alignment.name.is_empty() { &alignment.url } else { &alignment.name };
    let mut value = json!({"type": ["Alignment"], "targetUrl": alignment.url, "targetName": name});
    for (property, stated) in [
        ("targetType", &alignment.kind),
        ("targetCode", &alignment.code),
        ("targetFramework", &alignment.framework),
    ] {
        if let Some(stated) = stated {
            value[property] = json!(stated);
        }
    }
    value
}

/// The digest of a text, as Subresource Integrity writes it.
fn digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        credential::{Format, TrustList, Verifier, issuing, meaning},
        key::SecretKey,
    };

    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

    fn reissued(original: &Original) -> Credential {
        let (issuer, holder) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
        let mut document = original.document(&holder.did(), &[7; 16], NOW);
        document.insert("issuer".into(), json!(issuer.did()));
        meaning::check(&document).unwrap();
        let signed = issuing::sign(document, Format::Jcs, &(&issuer).into(), NOW).unwrap();
        let signed = Credential::parse(signed.text()).unwrap();
        assert!(signed.clone().verified(&Verifier::new(NOW, &TrustList::default())).is_ok());
        assert_eq!(signed.subject(), Some(&holder.did()));
        signed
    }

    #[test]
    fn a_credential_is_said_again_of_a_did() {
        let document = json!({
            "@context": [CONTEXT_V2, CONTEXT_OPEN_BADGES],
            "id": "https://a.example/awards/1",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": {"id": "did:web:a.example", "type": ["Profile"], "name": "Academy"},
            "validFrom": "2026-01-01T00:00:00Z",
            "validUntil": "2046-01-01T00:00:00Z",
            "credentialSubject": {
                "type": ["AchievementSubject"],
                "identifier": [{"type": "IdentityObject", "hashed": true, "identityHash": "sha256$00", "identityType": "emailAddress"}],
                "achievement": {
                    "id": "https://a.example/badges/rust", "type": ["Achievement"], "name": "Rust",
                    "description": "", "image": {"id": "https://a.example/rust.png", "type": "Image"},
                    "alignment": [{"type": ["Alignment"], "targetUrl": "urn:s:rust", "targetName": "Rust"}],
                },
                "result": [{"type": ["Result"], "value": "4"}],
            },
        });
        let original = Credential::parse(&document.to_string()).unwrap();
        let original = Original::of_credential(&original).unwrap();
        let credential = reissued(&original);
        let skills = credential.skills();
        let stated: Vec<_> = skills.iter().map(|s| (s.skill.as_str(), s.level.get())).collect();
        assert_eq!(stated, [("urn:s:rust", 4)]);
        assert_eq!(
            credential.valid_until().map(|t| t.to_rfc3339_seconds()).as_deref(),
            Some("2046-01-01T00:00:00Z")
        );
        let evidence = &credential.document()["evidence"][0];
        assert_eq!(evidence["id"], "https://a.example/awards/1");
        assert!(evidence["digestSRI"].as_str().unwrap().starts_with("sha256-"));
        assert!(evidence["description"].as_str().unwrap().contains("Academy"));
        let text = credential.text();
        assert!(!text.contains("IdentityObject") && !text.contains("rust.png"), "{text}");
    }

    #[test]
    fn a_badge_of_open_badges_2_is_said_again_of_a_did() {
        let assertion = include_str!("../../vectors/credential/ob2/basic-assertion.json");
        let mut class: Value =
            serde_json::from_str(include_str!("../../vectors/credential/ob2/assets/robotics-badge.json"))
                .unwrap();
        class["alignment"] = json!([{"targetUrl": "urn:s:robots", "targetName": ""}]);
        let class = BadgeClass::parse(&class.to_string()).unwrap();
        let parsed = Assertion::parse(assertion).unwrap();
        let original =
            Original::of_badge(assertion, &parsed, &class, "https://example.org/organization.json");
        let credential = reissued(&original);
        assert_eq!(credential.name().as_deref(), Some("Awesome Robotics Badge"));
        assert_eq!(credential.skills()[0].skill.as_str(), "urn:s:robots");
        assert_eq!(credential.document()["evidence"][0]["id"], parsed.id);
    }

    #[test]
    fn what_achieves_nothing_is_not_said_again() {
        let document = json!({
            "@context": [CONTEXT_V2], "type": ["VerifiableCredential"], "issuer": "did:web:a.example",
            "credentialSubject": {"id": "urn:x", "member": true},
        });
        assert_eq!(Original::of_credential(&Credential::parse(&document.to_string()).unwrap()), None);
    }
}
