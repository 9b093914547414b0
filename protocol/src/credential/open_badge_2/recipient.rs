//! To whom a badge was awarded.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{AssertionError, items, shown, text_of};

/// Whom an assertion is about: an address, or the hash of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// What kind of address it is.
    pub kind: RecipientKind,
    /// The address, or `ALGORITHM$HEX` of it.
    pub identity: String,
    /// Whether it is hashed.
    pub hashed: bool,
    /// What was appended before hashing; empty when nothing was.
    pub salt: String,
}

/// By what a recipient is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientKind {
    /// An e-mail address.
    Email,
    /// An address of the web.
    Url,
    /// A telephone number.
    Telephone,
    /// Anything else.
    Other,
}

impl Recipient {
    pub(super) fn read(object: &Map<String, Value>) -> Option<Self> {
        let kind = items(object.get("type")).first()?.as_str()?;
        let kind = match kind.rsplit(['/', ':', '#']).next()? {
            "email" => RecipientKind::Email,
            "url" => RecipientKind::Url,
            "telephone" => RecipientKind::Telephone,
            _ => RecipientKind::Other,
        };
        let identity = text_of(object.get("identity")?)?.to_owned();
        let stated = object.get("hashed").and_then(Value::as_bool);
        let looks_hashed = ["sha256$", "md5$"].iter().any(|algorithm| identity.starts_with(algorithm));
        let salt = object.get("salt").and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Recipient { kind, hashed: stated.unwrap_or(looks_hashed), identity, salt })
    }

    /// Whether this is who is known by `identity`, an address of the same kind. E-mail addresses are the same
    /// whatever the case of their letters.
    ///
    /// # Errors
    /// [`AssertionError::RecipientHash`] when the address is hidden by a hash other than SHA-256.
    pub fn matches(&self, identity: &str) -> Result<bool, AssertionError> {
        let identity = identity.trim();
        let lower = (self.kind == RecipientKind::Email).then(|| identity.to_lowercase());
        let mut written = std::iter::once(identity).chain(lower.as_deref());
        if !self.hashed {
            let is_email = self.kind == RecipientKind::Email;
            return Ok(written.any(|one| *one == self.identity)
                || (is_email && self.identity.to_lowercase() == identity.to_lowercase()));
        }
        match self.identity.split_once('$') {
            Some(("sha256", hash)) => Ok(written.any(|one| {
                let digest = Sha256::new().chain_update(one).chain_update(&self.salt).finalize();
                let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
                hash.eq_ignore_ascii_case(&hex)
            })),
            Some((algorithm, _)) => Err(AssertionError::RecipientHash(shown(algorithm))),
            None => Err(AssertionError::RecipientHash("an unnamed algorithm".into())),
        }
    }
}
