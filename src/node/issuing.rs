//! A home as an issuer: it signs, remembers what it signed, and says what of it holds no longer.
//!
//! A credential and its place in the status lists are durable before the credential leaves.

#[cfg(test)]
mod tests;

use knackmesh_protocol::{
    credential::{
        Credential, Format, IssuanceError, Signer, issuing,
        open_badge::{AlignedSkill, Issuance, nonce_once},
        status::{Purpose, StatusEntry},
    },
    key::{Algorithm, Did, SecretKey, SigningKey},
    limits::{ISSUE_AT_ONCE_MAX, ISSUED_ID_BYTES_MAX, STATUS_URL_BYTES_MAX},
    skill::SkillId,
    time::Timestamp,
};
use serde_json::{Map, Value, json};

use super::{
    Node,
    issued::{PURPOSES, name_of},
    now, random_id,
    service::Answer,
};
use crate::{
    control::{Exit, IssueOrder, Issued, Refusal, Reply, SignOrder},
    home::{HomeError, IssuerSettings},
    store::{IssuedRecord, Page, Place},
};

/// What a credential is issued with besides its content.
struct Terms {
    signer: Signer,
    format: Format,
    at: Timestamp,
    place: Option<(Place, Page)>,
}

impl Node {
    pub(super) fn issue(&mut self, order: &IssueOrder) -> Answer {
        let issued = self.issue_one(order, false)?;
        self.shelf.store.flush()?;
        Ok(Reply::Issued(issued.text))
    }

    pub(super) fn issue_many(&mut self, orders: &[IssueOrder], dry: bool) -> Answer {
        if orders.len() > ISSUE_AT_ONCE_MAX {
            let message = format!("more than {ISSUE_AT_ONCE_MAX} credentials at once");
            return Err(Refusal::new(Exit::Usage, message, "ask for them in several commands"));
        }
        let issued = orders.iter().map(|order| self.issue_one(order, dry)).collect();
        self.shelf.store.flush()?;
        Ok(Reply::IssuedMany(issued))
    }

    /// Signs an achievement credential and keeps its record, which the caller makes durable.
    fn issue_one(&mut self, order: &IssueOrder, dry: bool) -> Result<Issued, Refusal> {
        let settings = self.home.config()?.issuer;
        let algorithm = order.algorithm.unwrap_or(Algorithm::EdDsa);
        let terms = self.terms(&settings, algorithm, order.format, order.status)?;
        let mut issuance = self.issuance(order, &settings, &terms)?;
        if let Some(name) = &order.once {
            issuance.nonce = nonce_once(&self.identity.root, name);
            if let Some(record) = self.shelf.store.issued.get(&issuance.id())? {
                return Ok(Issued { id: record.id, text: record.text.unwrap_or_default(), before: true });
            }
        }
        let credential = issuance.sign(&terms.signer, terms.format, terms.at).map_err(refusal)?;
        let id = id_of(&credential);
        if dry {
            return Ok(Issued { id, text: String::new(), before: false });
        }
        self.keep(&credential, &terms, order.once.is_some())?;
        Ok(Issued { id, text: credential.text().to_owned(), before: false })
    }

    /// Signs any document. One that names another issuer is refused.
    pub(super) fn sign(&mut self, order: SignOrder) -> Answer {
        let mut settings = self.home.config()?.issuer;
        let SignOrder { mut document, format, algorithm, status, status_url } = order;
        settings.status_url = status_url.or(settings.status_url);
        let algorithm = match (algorithm, document.get("issuer")) {
            (Some(algorithm), _) => algorithm,
            (None, Some(issuer)) if names_p256_key(issuer) => Algorithm::Es256,
            (None, _) => Algorithm::EdDsa,
        };
        let terms = self.terms(&settings, algorithm, format, status)?;
        if !document.contains_key("issuer") {
            document.insert("issuer".into(), json!(terms.signer.controller()));
        }
        if let Some(id) = document.get("id").and_then(Value::as_str) {
            self.check_id(id)?;
        }
        add_status(&mut document, &terms.entries());
        let credential = issuing::sign(document, terms.format, &terms.signer, terms.at).map_err(refusal)?;
        self.keep(&credential, &terms, false)?;
        self.shelf.store.flush()?;
        Ok(Reply::Issued(credential.text().to_owned()))
    }

    fn issuance(
        &self,
        order: &IssueOrder,
        settings: &IssuerSettings,
        terms: &Terms,
    ) -> Result<Issuance, Refusal> {
        let skills = order.skills.iter().map(|name| self.skill(name)).collect::<Result<Vec<SkillId>, _>>()?;
        if skills.is_empty() {
            return Err(Refusal::new(Exit::Usage, "no skill is named", "name one with --skill URI|NAME"));
        }
        let label = |id: &SkillId| self.vocabulary.label(id).to_owned();
        let name = order.achievement.clone();
        let name = name.unwrap_or_else(|| skills.iter().map(label).collect::<Vec<_>>().join(", "));
        let described = order.description.clone();
        Ok(Issuance {
            nonce: random_id()?,
            issuer: terms.signer.controller().clone(),
            issuer_name: order.issuer_name.clone().or_else(|| settings.name.clone()),
            subject: order.to.clone(),
            description: described.unwrap_or_else(|| format!("{name}, level {} of 5", order.level)),
            name,
            criteria: order.criteria.clone(),
            skills: skills
                .iter()
                .map(|id| AlignedSkill {
                    skill: id.clone(),
                    label: label(id),
                    framework: self.vocabulary.get(id).map(|s| s.framework.name().to_owned()),
                })
                .collect(),
            level: order.level,
            valid_from: terms.at,
            valid_until: order.valid_for_ms.map(|ms| terms.at.plus_ms(ms)),
            status: terms.entries(),
        })
    }

    /// Who signs with what, and where the status will stand.
    fn terms(
        &mut self,
        settings: &IssuerSettings,
        algorithm: Algorithm,
        format: Format,
        status: bool,
    ) -> Result<Terms, Refusal> {
        let signer = self.signer(settings, None, algorithm)?;
        let place = if status {
            let page = Page { base: status_base(settings)?, issuer: signer.controller().clone(), algorithm };
            let place = self.shelf.store.issued.choose(&page, || random_number().map_err(Refusal::from))?;
            Some((place, page))
        } else {
            None
        };
        Ok(Terms { signer, format, at: now(), place })
    }

    fn keep(&mut self, credential: &Credential, terms: &Terms, with_text: bool) -> Result<(), Refusal> {
        let record = IssuedRecord {
            id: id_of(credential),
            name: credential.name(),
            subject: credential.subject().cloned(),
            issuer: credential.issuer().to_owned(),
            format: terms.format,
            algorithm: Some(terms.signer.key().public().algorithm()),
            issued: terms.at,
            valid_until: credential.valid_until(),
            place: terms.place.as_ref().map(|(place, _)| *place),
            text: with_text.then(|| credential.text().to_owned()),
        };
        self.shelf.store.issued.put(&record, terms.place.as_ref().map(|(_, page)| page))?;
        Ok(())
    }

    /// An `id` is that of one credential, as far as it can be revoked: otherwise it could not be said which.
    fn check_id(&self, id: &str) -> Result<(), Refusal> {
        if id.len() > ISSUED_ID_BYTES_MAX {
            let message = format!("the credential's `id` is over {ISSUED_ID_BYTES_MAX} bytes");
            return Err(Refusal::new(Exit::Usage, message, "shorten it, for example to a urn:uuid:"));
        }
        match self.shelf.store.issued.get(id)? {
            Some(record) if record.place.is_some() => Err(Refusal::new(
                Exit::Refused,
                format!("a credential with the id {id} was issued already, and can be revoked by it"),
                "give the new one an id of its own",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn signer(
        &self,
        settings: &IssuerSettings,
        issuer: Option<&Did>,
        algorithm: Algorithm,
    ) -> Result<Signer, Refusal> {
        signer(&self.identity.root, settings, issuer, algorithm)
    }
}

/// A home with this root key as `issuer`, or else as its settings have it.
///
/// # Errors
/// When the DID is not the home's.
pub fn signer(
    root: &SecretKey,
    settings: &IssuerSettings,
    issuer: Option<&Did>,
    algorithm: Algorithm,
) -> Result<Signer, Refusal> {
    let (key, fragment) = match algorithm {
        Algorithm::Es256 => (SigningKey::p256_beside(root), &settings.p256_key),
        _ => (SigningKey::from(root.clone()), &settings.key),
    };
    let own = [root.did(), key.did()];
    match issuer.or(settings.did.as_ref()) {
        None => Ok(Signer::of_key(key)),
        Some(did) if own.contains(did) => Ok(Signer::of_key(key)),
        Some(did) if did.method() == "web" => {
            let fragment = fragment.clone().or_else(|| key.public().multikey()).unwrap_or_default();
            Ok(Signer::of_document(did.clone(), &fragment, key))
        }
        Some(did) => Err(Refusal::new(
            Exit::Failed,
            format!("config.toml: [issuer] did = \"{did}\" is not this home's"),
            "name a did:web whose document lists this home's keys, or leave `did` out",
        )),
    }
}

impl Terms {
    /// The entries of `credentialStatus`.
    fn entries(&self) -> Vec<StatusEntry> {
        let Some((place, page)) = &self.place else { return Vec::new() };
        let entry = |purpose: Purpose| StatusEntry {
            list: format!("{}/{}", page.base, name_of(&purpose, place.page)),
            index: place.index,
            size: 1,
            purpose,
        };
        PURPOSES.map(entry).to_vec()
    }
}

/// The `id` by which a credential is revoked: its own, or what identifies its text.
pub fn id_of(credential: &Credential) -> String {
    let own = credential.document().get("id").and_then(Value::as_str);
    own.map_or_else(|| credential.id().to_string(), str::to_owned)
}

/// Whether an issuer, as a text or an object, is a P-256 key.
fn names_p256_key(issuer: &Value) -> bool {
    issuer.as_str().or_else(|| issuer.get("id")?.as_str()).is_some_and(is_p256_key)
}

pub(super) fn is_p256_key(did: &str) -> bool {
    did.starts_with("did:key:zDn")
}

/// The URL below which lists are published, without a slash at its end.
fn status_base(settings: &IssuerSettings) -> Result<String, Refusal> {
    const HINT: &str = "set `status_url` under [issuer] in the home's config.toml to a URL below which you publish status \
                        lists, such as https://example.org/status";
    let Some(url) = &settings.status_url else {
        return Err(Refusal::new(Exit::Usage, "it is not known where status lists are published", HINT));
    };
    let base = url.trim_end_matches('/');
    let rest = ["https://", "http://localhost", "http://127.0.0.1", "http://[::1]"];
    let rest = rest.iter().find_map(|scheme| base.strip_prefix(scheme));
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~%:/[]".contains(&b);
    // The name of a list is added to it.
    let fits = base.len() + 64 <= STATUS_URL_BYTES_MAX;
    if rest.is_some_and(|rest| rest.bytes().all(legal)) && fits && base != "https:" {
        Ok(base.to_owned())
    } else {
        Err(Refusal::new(
            Exit::Usage,
            format!("config.toml: [issuer] status_url = \"{url}\" will not do"),
            HINT,
        ))
    }
}

/// Adds entries to those that a document has.
fn add_status(document: &mut Map<String, Value>, entries: &[StatusEntry]) {
    if entries.is_empty() {
        return;
    }
    let mut all = match document.shift_remove("credentialStatus") {
        None => Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(entry) => vec![entry],
    };
    all.extend(entries.iter().map(StatusEntry::to_value));
    document.insert("credentialStatus".into(), Value::Array(all));
}

fn random_number() -> Result<u64, HomeError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(HomeError::Random)?;
    Ok(u64::from_be_bytes(bytes))
}

pub(super) fn refusal(e: IssuanceError) -> Refusal {
    let hint = match e {
        IssuanceError::NotTheIssuersKey(_) => "name this home's DID as the issuer; `knack status` prints it",
        _ => "see `knack issue --help`",
    };
    Refusal::new(Exit::Usage, e.to_string(), hint)
}
