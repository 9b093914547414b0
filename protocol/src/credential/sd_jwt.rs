//! Credentials as SD-JWT VC: what can be shown skill by skill.
//!
//! The claims are those of an Open Badge's subject, without the rubric that the data model wants: `achievement` with an
//! `alignment` for each skill, and `result`. Every alignment, what the achievement is called and says, its identifier and its
//! subject can be withheld; issuer, dates, status and the holder's key cannot.
//!
//! Specification: `spec/credential.md`, "SD-JWT VC".

use std::collections::BTreeSet;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value, json};

use super::{
    Credential, CredentialError, IssuanceError, Kind, Securing, Signer, alignment::Alignment,
    open_badge::Issuance, vcdm,
};
use crate::{
    claim_path::ClaimPath,
    did::{self, Documents, Relationship},
    id::Id,
    jose::{
        Header,
        sd_jwt::{Disclosure, Issuance as SdJwtIssuance, SdJwt, vc::SdJwtVc},
    },
    json::items,
    key::{Did, VerifyingKey},
    limits::CREDENTIAL_BYTES_MAX,
    skill::SkillId,
};

/// What kind of credential it is, where we issue it.
pub const VCT: &str = "urn:knackmesh:vct:achievement:1";

/// Digests of an object, and of an array, come in multiples of this, so that their number does not tell how many skills are withheld.
const DIGESTS_MULTIPLE: usize = 4;

/// Reads a credential in this form, as issued or as presented.
pub(super) fn parse(text: &str) -> Result<Credential, CredentialError> {
    if text.len() > CREDENTIAL_BYTES_MAX {
        return Err(crate::json::JsonError::TooLong { actual: text.len(), max: CREDENTIAL_BYTES_MAX }.into());
    }
    let vc = SdJwtVc::parse(text)?;
    let issuer = vc.issuer().filter(|issuer| vcdm::is_url(issuer)).ok_or(CredentialError::Issuer)?.to_owned();
    if vc.valid_from().zip(vc.valid_until()).is_some_and(|(from, until)| until < from) {
        return Err(CredentialError::ValidityReversed);
    }
    let subject = match vc.subject().map(str::parse) {
        Some(Ok(did)) => Some(did),
        // A subject that is no DID is known by the key that it is bound to.
        Some(Err(_)) | None => holder_of(vc.sd_jwt())?,
    };
    let kind = if vc.sd_jwt().claims().contains_key("achievement") { Kind::Achievement } else { Kind::Other };
    Ok(Credential {
        // Whatever is withheld, it is the same credential; and a signature by P-256 has two forms.
        id: Id::of(vc.sd_jwt().token().signing_input().as_bytes()),
        text: text.to_owned(),
        kind,
        version: vcdm::Version::V2,
        issuer_did: issuer.parse().ok(),
        issuer,
        subject,
        valid_from: vc.valid_from().or(vc.issued()),
        valid_until: vc.valid_until(),
        document: Map::new(),
        securing: Securing::SdJwt(Box::new(vc)),
    })
}

/// The DID of the key that a token is bound to; `None` when it is bound to none.
pub(super) fn holder_of(token: &SdJwt) -> Result<Option<Did>, CredentialError> {
    Ok(token.holder_key()?.and_then(|key: VerifyingKey| key.did_key()))
}

/// The key with which the holder of `credential` binds presentations: that of its subject, or of the token's `cnf`.
pub(super) fn holder_key(token: &SdJwt, subject: Option<&Did>, known: &Documents) -> Option<VerifyingKey> {
    if let Ok(Some(key)) = token.holder_key() {
        return Some(key);
    }
    let subject = subject?;
    let method = match subject.method() {
        "key" => format!("{subject}#{}", subject.as_str().trim_start_matches("did:key:")),
        "jwk" => format!("{subject}#0"),
        _ => return None,
    };
    did::verification_key(&method, Relationship::Authentication, known).ok().map(|resolved| resolved.key)
}

/// What `issuance` says, signed in this form.
pub(super) fn issue(issuance: &Issuance, signer: &Signer) -> Result<Credential, IssuanceError> {
    let mut claims = Map::new();
    claims.insert("iss".into(), json!(issuance.issuer));
    claims.insert("vct".into(), json!(VCT));
    claims.insert("iat".into(), json!(issuance.valid_from.unix_ms() / 1000));
    claims.insert("nbf".into(), json!(issuance.valid_from.unix_ms() / 1000));
    if let Some(until) = issuance.valid_until {
        claims.insert("exp".into(), json!(until.unix_ms() / 1000));
    }
    if let Some(name) = &issuance.issuer_name {
        claims.insert("issuer_name".into(), json!(name));
    }
    claims.insert("id".into(), json!(issuance.id()));
    claims.insert("sub".into(), json!(issuance.subject));
    let alignment: Vec<Value> = issuance.skills.iter().map(|skill| skill.alignment()).collect();
    let mut achievement = json!({
        "name": issuance.name, "description": issuance.description, "alignment": alignment,
    });
    if let Some(criteria) = &issuance.criteria {
        achievement["criteria"] = json!({"narrative": criteria});
    }
    claims.insert("achievement".into(), achievement);
    claims.insert("result".into(), json!([{"value": issuance.level.get().to_string()}]));
    if let [entry] = issuance.status.as_slice() {
        claims.insert("credentialStatus".into(), entry.to_value());
    } else if !issuance.status.is_empty() {
        let entries = issuance.status.iter().map(|entry| entry.to_value()).collect();
        claims.insert("credentialStatus".into(), Value::Array(entries));
    }

    let root = ClaimPath::default;
    let of_achievement = |name: &str| root().member("achievement").member(name);
    let mut disclosable = BTreeSet::from([root().member("id"), root().member("sub")]);
    disclosable.extend(["name", "description"].map(of_achievement));
    if issuance.criteria.is_some() {
        disclosable.insert(of_achievement("criteria"));
    }
    disclosable.extend((0..issuance.skills.len()).map(|n| of_achievement("alignment").element(n)));
    let unsigned = SdJwtIssuance {
        claims,
        disclosable,
        holder: subject_key(&issuance.subject),
        digests_multiple: DIGESTS_MULTIPLE,
        ..SdJwtIssuance::default()
    };
    // The nonce is secret and used once, so what derives from it can salt.
    let seed = blake3::derive_key("knackmesh/1 sd-jwt salts", &issuance.nonce);
    let header = Header { kid: Some(signer.method().to_owned()), ..Header::default() };
    let signed = SdJwtVc::issue(unsigned, header, signer.key(), &mut ChaCha20Rng::from_seed(seed));
    let signed = signed.map_err(CredentialError::from)?;
    Ok(parse(signed.sd_jwt().text())?)
}

/// The key that a subject's DID states itself.
fn subject_key(subject: &Did) -> Option<VerifyingKey> {
    let fragment = match subject.method() {
        "key" => subject.as_str().trim_start_matches("did:key:").to_owned(),
        "jwk" => "0".to_owned(),
        _ => return None,
    };
    let method = format!("{subject}#{fragment}");
    let resolved = did::verification_key(&method, Relationship::Authentication, &Documents::new());
    resolved.ok().map(|resolved| resolved.key)
}

/// The credential with what it takes to show `skills` and no more; `None` when it is not of this form.
pub(super) fn disclosing(credential: &Credential, skills: &[SkillId]) -> Option<Credential> {
    let Securing::SdJwt(vc) = credential.securing() else { return None };
    let achievement = credential.document().get("achievement");
    let alignments = items(achievement.and_then(|achievement| achievement.get("alignment")));
    let path = |n: usize| ClaimPath::default().member("achievement").member("alignment").element(n);
    let wanted: Vec<ClaimPath> = (0..)
        .zip(alignments)
        .filter(|(_, alignment)| {
            let target = Alignment::read(alignment).and_then(|alignment| alignment.skill());
            target.is_some_and(|target| skills.contains(&target))
        })
        .map(|(n, _)| path(n))
        .collect();
    let is_wanted = |disclosure: &Disclosure| wanted.iter().any(|path| disclosure.path().starts_with(path));
    parse(vc.sd_jwt().select(is_wanted).text()).ok()
}
