//! Answering a verifier's query (DCQL) from what a holder has: which credentials, and of them which claims and no more.
//!
//! Each part of the query gets presentations of its own: an SD-JWT VC with the claims asked for and a key binding, or a W3C
//! presentation with the one credential, all for this verifier and this nonce.
//!
//! Source: OpenID for Verifiable Presentations 1.0, sections 6 and 8.1. Specification: `spec/dcql.md`.

use super::{
    Credential, Format, Securing, Signer,
    data_integrity::Binding,
    presentation::{self, PresentationError},
};
use crate::{
    claim_path::ClaimPath,
    dcql::{self, Candidate, Query},
    jose::sd_jwt::{KeyBinding, KeyBindingError},
    json::items,
    time::Timestamp,
};

/// What is presented for one part of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The part, by its identifier.
    pub id: String,
    /// One, or several where the part wants several.
    pub presentations: Vec<Presented>,
}

/// A presentation, and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The text for the verifier.
    pub text: String,
    /// The credential, by its place among those that could be shown.
    pub credential: usize,
    /// What of it was chosen to be disclosed; empty where its form shows all or the query asks for no claim.
    pub disclosed: Vec<ClaimPath>,
}

/// Why a query is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Something that the verifier insists on is missing; for each part, why.
    #[error("the query cannot be answered: {}", .0.join("; "))]
    Missing(Vec<String>),
    /// A presentation cannot be made.
    #[error("{0}")]
    Presentation(#[from] PresentationError),
    /// A credential is not bound to the key that presents.
    #[error("{0}")]
    KeyBinding(#[from] KeyBindingError),
}

/// Answers `query` from `credentials`, for the verifier called `domain` who gave `nonce`. Of several credentials that would do
/// the first is shown, unless the part wants several.
///
/// # Errors
/// [`AnswerError`] when something that is required is missing, or a presentation cannot be made.
pub fn answer(
    query: &Query,
    credentials: &[&Credential],
    holder: &Signer,
    domain: &str,
    nonce: &str,
    now: Timestamp,
) -> Result<Vec<Answer>, AnswerError> {
    let types: Vec<Vec<String>> = credentials.iter().map(|credential| types(credential)).collect();
    let candidates: Vec<Candidate<'_>> = credentials
        .iter()
        .zip(&types)
        .map(|(credential, types)| Candidate {
            format: format(credential),
            claims: credential.document(),
            types,
            bound: credential.subject() == Some(holder.controller()),
        })
        .collect();
    let selection = query.evaluate(&candidates);
    if !selection.is_satisfied() {
        let misses = selection.misses.iter().map(|miss| format!("{}: {}", miss.id, miss.why));
        return Err(AnswerError::Missing(misses.collect()));
    }
    let answers = selection.answers.iter().map(|part| {
        let count = if part.query.multiple() { part.matches.len() } else { 1 };
        let presentations = part.matches.iter().take(count).map(|chosen| {
            let credential = credentials[chosen.candidate];
            let text = present(
                credential,
                &chosen.disclose,
                part.query.holder_binding(),
                holder,
                domain,
                nonce,
                now,
            )?;
            Ok(Presented { text, credential: chosen.candidate, disclosed: chosen.disclose.clone() })
        });
        let presentations = presentations.collect::<Result<_, AnswerError>>()?;
        Ok(Answer { id: part.query.id().to_owned(), presentations })
    });
    answers.collect()
}

fn present(
    credential: &Credential,
    disclose: &[ClaimPath],
    bound: bool,
    holder: &Signer,
    domain: &str,
    nonce: &str,
    now: Timestamp,
) -> Result<String, AnswerError> {
    let binding = Binding::presentation(nonce, domain);
    match credential.securing() {
        Securing::SdJwt(vc) => {
            let shown = vc.sd_jwt().select_paths(disclose);
            if !bound {
                return Ok(shown.text().to_owned());
            }
            let key_binding = KeyBinding { audience: domain, nonce, issued: now };
            Ok(shown.bind(&key_binding, holder.key())?)
        }
        Securing::Jwt(_) => Ok(presentation::sign(holder, &[credential], &binding, Format::VcJwt, now)?),
        Securing::DataIntegrity => Ok(presentation::sign(holder, &[credential], &binding, Format::Jcs, now)?),
    }
}

fn format(credential: &Credential) -> dcql::Format {
    dcql::Format::from_name(match credential.securing() {
        Securing::SdJwt(_) => "dc+sd-jwt",
        Securing::Jwt(_) => "jwt_vc_json",
        Securing::DataIntegrity => "ldp_vc",
    })
}

/// What kind of credential it is: `vct`, or its types as its contexts spell them out.
fn types(credential: &Credential) -> Vec<String> {
    if let Securing::SdJwt(vc) = credential.securing() {
        return vec![vc.vct().to_owned()];
    }
    const IS_A: &str = " <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <";
    let mut unsecured = credential.document().clone();
    unsecured.shift_remove("proof");
    // Of a document in contexts that are not known here, no type can be told.
    let quads = crate::rdf::canonical_nquads(&unsecured, crate::rdf::Form::Any).unwrap_or_default();
    let iris = quads.lines().filter_map(|quad| Some(quad.split_once(IS_A)?.1.split_once('>')?.0));
    let named = |iri: &&str| {
        let name = iri.rsplit(['#', '/']).next().unwrap_or_default();
        items(credential.document().get("type")).iter().any(|t| t == name || t.as_str() == Some(*iri))
    };
    let mut types: Vec<String> = iris.filter(named).map(str::to_owned).collect();
    types.sort();
    types.dedup();
    types
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::{
        super::{
            Shown, TrustList, Verifier,
            open_badge::{AlignedSkill, Issuance},
        },
        *,
    };
    use crate::{key::SecretKey, skill::Level};

    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

    fn holder() -> SecretKey {
        SecretKey::from_seed([2; 32])
    }

    fn credential(format: Format) -> Credential {
        let issuer = SecretKey::from_seed([1; 32]);
        let skill = |name: &str| AlignedSkill {
            skill: format!("urn:skill:{name}").parse().unwrap(),
            label: name.into(),
            framework: None,
        };
        let issuance = Issuance {
            nonce: [3; 16],
            issuer: issuer.did(),
            issuer_name: None,
            subject: holder().did(),
            name: "Systems".into(),
            description: "Systems".into(),
            criteria: None,
            skills: vec![skill("rust"), skill("java")],
            level: Level::MAX,
            valid_from: NOW,
            valid_until: None,
            status: Vec::new(),
        };
        issuance.sign(&(&issuer).into(), format, NOW).unwrap()
    }

    fn ask(query: serde_json::Value, credentials: &[&Credential]) -> Result<Vec<Answer>, AnswerError> {
        let query = Query::parse(&query.to_string()).unwrap();
        answer(&query, credentials, &(&holder()).into(), "https://verifier.example", "n-1", NOW)
    }

    #[test]
    fn of_an_sd_jwt_only_what_is_asked_for_is_shown() {
        let credential = credential(Format::SdJwt);
        let query = json!({"credentials": [{
            "id": "skill", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:knackmesh:vct:achievement:1"]},
            "claims": [{"path": ["achievement", "alignment", 0, "targetName"], "values": ["rust"]}],
        }]});
        let answers = ask(query, &[&credential]).unwrap();
        let text = &answers[0].presentations[0].text;
        let trust = TrustList::default();
        let binding = Binding::presentation("n-1", "https://verifier.example");
        let shown = presentation::verify(text, &binding, &Verifier::new(NOW, &trust)).unwrap();
        let (credential, checks) = &shown.credentials()[0];
        assert!(checks.verdict(Shown::Presentation).verified, "{checks:?}");
        let skills: Vec<String> = credential.skills().into_iter().map(|skill| skill.name).collect();
        assert_eq!(skills, ["rust"]);
        assert_eq!(credential.name(), None, "the name was not asked for");
        let other = Binding::presentation("n-2", "https://verifier.example");
        assert!(presentation::verify(text, &other, &Verifier::new(NOW, &trust)).is_err());
    }

    #[test]
    fn other_forms_are_shown_whole_in_a_presentation() {
        for (format, name) in [(Format::Jcs, "ldp_vc"), (Format::VcJwt, "jwt_vc_json")] {
            let credential = credential(format);
            let badge = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential";
            let query =
                json!({"credentials": [{"id": "b", "format": name, "meta": {"type_values": [[badge]]}}]});
            let answers = ask(query, &[&credential]).unwrap();
            let trust = TrustList::default();
            let binding = Binding::presentation("n-1", "https://verifier.example");
            let text = &answers[0].presentations[0].text;
            let shown = presentation::verify(text, &binding, &Verifier::new(NOW, &trust)).unwrap();
            assert!(shown.credentials()[0].1.verdict(Shown::Presentation).verified, "{name}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let query = json!({"credentials": [{"id": "d", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:other"]}}]});
        let refusal = ask(query, &[&credential(Format::SdJwt)]).unwrap_err();
        assert!(matches!(&refusal, AnswerError::Missing(why) if why.len() == 1), "{refusal}");
    }
}
