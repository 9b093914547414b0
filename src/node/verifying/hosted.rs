//! What the issuer of a badge of Open Badges 2.0 publishes about it, fetched in the order in which it is to be trusted.

use knackmesh_protocol::{
    credential::{
        Checks, Verifier,
        import::Form,
        open_badge_2::{Assertion, AssertionError, DocumentKind, Dossier, Reference, Wanted},
    },
    id::Id,
    limits::FETCHES_PER_VERIFICATION_MAX,
    text::shown,
    time::Timestamp,
};

use super::{Asker, unread_badge};
use crate::{
    control::{Exit, Refusal},
    fetch::{FetchError, Kind},
    report::ChecksRow,
};

/// A badge, and what its issuer publishes about it.
#[derive(Clone, Debug)]
pub struct Badge {
    /// The assertion and the documents behind it.
    pub dossier: Dossier,
    /// The token of a signed one.
    token: Option<String>,
    /// What was wrong with a document.
    refusal: Option<AssertionError>,
    /// When the oldest document was fetched by which it can be taken back.
    as_of: Option<Timestamp>,
}

impl Badge {
    /// The badge that `form` is, in a file with this text.
    ///
    /// # Errors
    /// [`Refusal`] when it comes in another way than it says, is not served, or is of another standard.
    pub async fn open(form: &Form, text: &str, asker: &Asker<'_>) -> Result<Self, Refusal> {
        let (dossier, token) = match form {
            Form::Assertion(assertion) => (Dossier::hosted((**assertion).clone()), None),
            Form::SignedAssertion(signed) => (Dossier::signed(signed), Some(text.to_owned())),
            Form::HostedAt(url) => {
                let served = asker.get(&over_tls(url), Kind::Badge, 0).await.map_err(|e| {
                    Refusal::new(
                        Exit::NotVerified,
                        format!("the image names only where its badge is: {e}"),
                        e.hint(),
                    )
                })?;
                let served = String::from_utf8(served.bytes).unwrap_or_default();
                (Assertion::parse(&served).and_then(Dossier::hosted), None)
            }
            _ => (Err(AssertionError::Context), None),
        };
        let dossier = dossier.map_err(|e| unread_badge(&e))?;
        Ok(Badge { dossier, token, refusal: None, as_of: None })
    }

    /// Fetches what is wanted, until nothing is or something cannot be had.
    pub async fn gather(&mut self, max_age_ms: u64, asker: &Asker<'_>) {
        for _ in 0..FETCHES_PER_VERIFICATION_MAX {
            let wanted = match self.dossier.wanted() {
                Ok(wanted) => wanted,
                Err(e) => return self.refusal = Some(e),
            };
            if wanted.is_empty() {
                return;
            }
            for document in wanted {
                if !self.fetch(&document, max_age_ms, asker).await {
                    return;
                }
            }
        }
    }

    /// Whether to go on.
    async fn fetch(&mut self, document: &Wanted, max_age_ms: u64, asker: &Asker<'_>) -> bool {
        let fetched = match asker.get(&over_tls(&document.url), Kind::Badge, max_age_ms).await {
            Ok(fetched) => fetched,
            Err(FetchError::Status { status: 410, .. }) if document.kind == DocumentKind::Assertion => {
                self.refusal = Some(AssertionError::Revoked("it is served no more".to_owned()));
                return false;
            }
            Err(_) => return false,
        };
        if matches!(document.kind, DocumentKind::Assertion | DocumentKind::RevocationList) {
            self.as_of = Some(self.as_of.map_or(fetched.fetched, |earlier| earlier.min(fetched.fetched)));
        }
        let text = String::from_utf8(fetched.bytes).unwrap_or_default();
        match self.dossier.take(document, &text) {
            Ok(()) => true,
            Err(e) => {
                self.refusal = Some(e);
                false
            }
        }
    }

    /// Its checks.
    pub fn verify(&self, verifier: &Verifier<'_>) -> Checks {
        self.dossier.verify(self.token.as_deref(), self.refusal.clone(), self.as_of, verifier)
    }

    /// Its checks as they are reported. The text identifies it.
    pub fn row(&self, text: &str, checks: &Checks) -> ChecksRow {
        let embedded = match &self.dossier.assertion().badge {
            Reference::Embedded(badge) => Some(&**badge),
            Reference::Id(_) => None,
        };
        // What an assertion embeds is its author's word: it names the badge as long as nothing better is known.
        let badge = self.dossier.badge().or(embedded);
        let issuer = match badge.map(|badge| &badge.issuer) {
            Some(Reference::Id(id)) => id.clone(),
            Some(Reference::Embedded(profile)) => profile.id.clone(),
            None => "not known".to_owned(),
        };
        let assertion = self.dossier.assertion();
        let name = badge.map_or_else(|| shown(&assertion.id), |badge| badge.name.clone());
        let format = if self.token.is_some() { "open-badges-2-signed" } else { "open-badges-2-hosted" };
        ChecksRow::of_badge(name, Id::of(text.as_bytes()).to_string(), shown(&issuer), format, checks)
    }
}

/// The same address, over TLS: what comes without could come from anybody on the way.
fn over_tls(url: &str) -> String {
    match url.strip_prefix("http://") {
        Some(rest) => format!("https://{rest}"),
        None => url.to_owned(),
    }
}
