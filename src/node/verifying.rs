//! Verification of whatever a file holds, with what others publish about it.
//!
//! The protocol judges by what is known ([`Verifier`]); here it is made known: by [`gather`], from what is kept and, where
//! the network may be asked, from those who publish it. Nothing here needs a home.

mod gathering;
mod hosted;
mod organisation;
mod original;
mod trusted;

use std::collections::BTreeSet;

use knackmesh_protocol::{
    credential::{
        Check, CheckName, Checks, Credential, CredentialError, Known, Shown, TrustList, Verifier,
        clr::LearnerRecord,
        data_integrity::Binding,
        import::{self, Form, Opened},
        open_badge_2::AssertionError,
        presentation::{self, PresentationError, VerifiedPresentation},
        status::StatusList,
    },
    did::Origin,
    id::Id,
    key::Did,
    text::shown,
    time::Timestamp,
};

pub use self::{
    gathering::{Asker, DOCUMENT_AGE_MAX_MS, Question, gather, lacking, needs_of, signers},
    hosted::Badge,
    organisation::organisation,
    original::Award,
    trusted::{listed, trust_list, voucher, why_unverified},
};
use crate::{
    control::{Exit, Refusal},
    report::{
        ChecksRow, DocumentKind, DocumentReport, Label, OrganisationRow, PresentationReport, PresentationRow,
        ReasonRow, SourcesReport, VerificationReport, format_of_presentation,
    },
};

/// Issuers whose domains one verification asks about.
const ISSUERS_ASKED_MAX: usize = 4;

/// What a verification is made by.
#[derive(Clone, Copy, Debug)]
pub struct Examination<'a> {
    /// When it is.
    pub now: Timestamp,
    /// Whom the verifier recognises.
    pub trust: &'a TrustList,
    /// The oldest status that counts as fresh, in milliseconds.
    pub status_age_max_ms: u64,
    /// Status lists that the verifier has, whatever their issuer publishes now: a name for each, and its text.
    pub status_lists: &'a [(String, String)],
    /// Challenge and domain that a presentation must be made for.
    pub expected: Option<(&'a str, &'a str)>,
    /// The domain that must say of every issuer that it is its own.
    pub organisation: Option<&'a Origin>,
}

impl Examination<'_> {
    /// Verifies what was opened.
    ///
    /// # Errors
    /// [`Refusal`] when there is nothing to verify.
    pub async fn examine(&self, opened: &Opened, asker: &Asker<'_>) -> Result<VerificationReport, Refusal> {
        if self.expected.is_some() && !matches!(opened.form, Form::Presentation) {
            return Err(Refusal::new(
                Exit::NotVerified,
                "a presentation was expected, and this is none",
                "ask the holder for a presentation made for your challenge and domain",
            ));
        }
        let (known, unused) = self.stapled(asker).await;
        let verifier = self.verifier(&known);
        let mut report = match &opened.form {
            Form::Credential(credential) => {
                let credential = (**credential).clone();
                self.credential(DocumentKind::Credential, credential, &verifier, asker).await
            }
            Form::Presentation => self.presentation(&opened.text, &verifier, asker).await,
            Form::LearnerRecord(own, record) => {
                self.record(own, record, &opened.text, &verifier, asker).await
            }
            Form::Assertion(_) | Form::SignedAssertion(_) | Form::HostedAt(_) => {
                self.badge(opened, &verifier, asker).await?
            }
            Form::Curriculum(_) => {
                return Err(Refusal::new(
                    Exit::NotVerified,
                    "a curriculum vitae is its author's word; there is nothing to verify",
                    "its author can take the skills that it claims into a profile: `knack import FILE`",
                ));
            }
        };
        let sources = report.sources_mut();
        sources.fetched = asker.fetched();
        sources.unused = unused;
        report.conclude(self.organisation.is_some());
        Ok(report)
    }

    fn verifier<'b>(&'b self, known: &'b Known) -> Verifier<'b> {
        let verifier = Verifier::new(self.now, self.trust).knowing(known);
        Verifier { status_age_max_ms: self.status_age_max_ms, ..verifier }
    }

    /// What is known by the status lists that the verifier has, and why others of them are of no use. What needs one of those
    /// says that its status was not checked.
    async fn stapled(&self, asker: &Asker<'_>) -> (Known, Vec<ReasonRow>) {
        let nothing = Known::new();
        let texts: Vec<String> = self.status_lists.iter().map(|(_, text)| text.clone()).collect();
        let documents = signers(&texts, &self.verifier(&nothing), asker).await;
        let (mut known, mut unused) = (Known { documents, ..Known::new() }, Vec::new());
        for (name, text) in self.status_lists {
            let list = StatusList::verify(text, None, &known.documents);
            if let Err(e) = list.and_then(|list| known.status_lists.insert(list)) {
                unused.push(ReasonRow::new("status-list", e.code(), format!("{}: {e}", shown(name))));
            }
        }
        (known, unused)
    }

    async fn credential(
        &self,
        kind: DocumentKind,
        credential: Credential,
        verifier: &Verifier<'_>,
        asker: &Asker<'_>,
    ) -> VerificationReport {
        let credentials = [credential];
        let known = gather(&needs_of(&credentials), verifier, asker).await;
        let [credential] = &credentials;
        let checks = credential.verify(&self.verifier(&known));
        VerificationReport::Document(Box::new(DocumentReport {
            kind,
            checks: ChecksRow::new(credential, &checks, Shown::File),
            passed: false,
            credentials: Vec::new(),
            unread: Vec::new(),
            sources: self.sources(&credentials, &known, asker).await,
        }))
    }

    async fn record(
        &self,
        own: &Result<Credential, CredentialError>,
        record: &LearnerRecord,
        text: &str,
        verifier: &Verifier<'_>,
        asker: &Asker<'_>,
    ) -> VerificationReport {
        let (mut credentials, mut unread) = (Vec::new(), Vec::new());
        for (held, number) in record.credentials.iter().zip(1..) {
            match import::form(held.text()) {
                Ok(Form::Credential(credential)) => credentials.push(*credential),
                Ok(Form::LearnerRecord(own, _)) => match *own {
                    Ok(credential) => credentials.push(credential),
                    Err(e) => unread.push(format!("its credential {number}: {e}")),
                },
                Ok(_) => unread.push(format!("its credential {number}: it is no verifiable credential")),
                Err(e) => unread.push(format!("its credential {number}: {e}")),
            }
        }
        if record.unread > 0 {
            unread.push(format!("{} more that are too long, or no credentials", record.unread));
        }
        let all: Vec<Credential> = own.iter().chain(&credentials).cloned().collect();
        let known = gather(&needs_of(&all), verifier, asker).await;
        let verifier = self.verifier(&known);
        let row = |c: &Credential| ChecksRow::new(c, &c.verify(&verifier), Shown::File);
        let checks = match own {
            Ok(credential) => row(credential),
            Err(e) => ChecksRow::unread(&Id::of(text.as_bytes()), e.code(), &e.to_string()),
        };
        VerificationReport::Document(Box::new(DocumentReport {
            kind: DocumentKind::LearnerRecord,
            checks,
            passed: false,
            credentials: credentials.iter().map(row).collect(),
            unread,
            sources: self.sources(&all, &known, asker).await,
        }))
    }

    async fn badge(
        &self,
        opened: &Opened,
        verifier: &Verifier<'_>,
        asker: &Asker<'_>,
    ) -> Result<VerificationReport, Refusal> {
        let mut badge = Badge::open(&opened.form, &opened.text, asker).await?;
        badge.gather(self.status_age_max_ms, asker).await;
        Ok(VerificationReport::Document(Box::new(DocumentReport {
            kind: DocumentKind::OpenBadge2,
            checks: badge.row(&opened.text, &badge.verify(verifier)),
            passed: false,
            credentials: Vec::new(),
            unread: Vec::new(),
            sources: SourcesReport::default(),
        })))
    }

    async fn presentation(
        &self,
        text: &str,
        verifier: &Verifier<'_>,
        asker: &Asker<'_>,
    ) -> VerificationReport {
        let known = gather(&|verifier| presentation::needs(text, verifier), verifier, asker).await;
        let verifier = self.verifier(&known);
        let expected = self.expected.map_or(Binding::ANY_PRESENTATION, |(challenge, domain)| {
            Binding::presentation(challenge, domain)
        });
        let verified = presentation::verify(text, &expected, &verifier);
        let row = presentation_row(text, &verified, self.expected.is_some());
        let presented = verified.map(VerifiedPresentation::into_credentials).unwrap_or_default();
        let rows = presented.iter().map(|(credential, checks)| self.shown_row(credential, checks));
        let credentials: Vec<ChecksRow> = rows.collect();
        let all: Vec<Credential> = presented.iter().map(|(credential, _)| credential.clone()).collect();
        let is_good = row.signature == Check::Pass && row.binding != Check::Fail;
        VerificationReport::Presentation(Box::new(PresentationReport {
            kind: DocumentKind::Presentation,
            verified: is_good && credentials.iter().all(|checks| checks.verified),
            recognised: is_good
                && !credentials.is_empty()
                && credentials.iter().all(|checks| checks.recognised),
            presentation: row,
            passed: false,
            credentials,
            sources: self.sources(&all, &known, asker).await,
        }))
    }

    /// The checks of a credential that was presented. When it was not checked for whom and when, that its subject signed
    /// shows nothing of who shows it now.
    fn shown_row(&self, credential: &Credential, checks: &Checks) -> ChecksRow {
        if self.expected.is_some() || checks.trusted_holder != Check::Pass {
            return ChecksRow::new(credential, checks, Shown::Presentation);
        }
        let checks = Checks { trusted_holder: Check::NotApplicable, ..checks.clone() };
        let mut row = ChecksRow::new(credential, &checks, Shown::File);
        let name = CheckName::TrustedHolder.to_string();
        let text = "its subject presented it, but for whom and when was not checked";
        row.reasons.push(ReasonRow::new(&name, "binding-not-checked", text));
        row.labels.push(Label::BindingNotChecked);
        row
    }

    /// Whether the domains of the issuers say that the issuers are theirs.
    async fn sources(&self, credentials: &[Credential], known: &Known, asker: &Asker<'_>) -> SourcesReport {
        let issuers: BTreeSet<&Did> = credentials.iter().filter_map(Credential::issuer_did).collect();
        let mut organisations: Vec<OrganisationRow> = Vec::new();
        for did in issuers.into_iter().take(ISSUERS_ASKED_MAX) {
            let origins = match self.organisation {
                Some(origin) => vec![origin.clone()],
                None => organisation::origins_of(did, &known.documents),
            };
            for origin in origins {
                organisations.push(organisation(did, &origin, &known.documents, self.now, asker).await);
            }
        }
        SourcesReport { organisations, ..SourcesReport::default() }
    }
}

fn presentation_row(
    text: &str,
    verified: &Result<VerifiedPresentation, PresentationError>,
    is_bound: bool,
) -> PresentationRow {
    let format = format_of_presentation(text);
    match verified {
        Ok(presentation) => PresentationRow {
            signature: Check::Pass,
            binding: if is_bound { Check::Pass } else { Check::NotChecked },
            format,
            holder: Some(presentation.holder().to_string()),
            reason: (!is_bound).then(|| {
                let text = "for whom and when it was made was not checked: it could be a copy";
                ReasonRow::new("binding", "binding-not-checked", text)
            }),
        },
        // Whose signature it is was not looked at any further.
        Err(e) if e.is_of_binding() => PresentationRow {
            signature: Check::NotChecked,
            binding: Check::Fail,
            format,
            holder: None,
            reason: Some(ReasonRow::new("binding", e.code(), e.to_string())),
        },
        Err(e) => PresentationRow {
            signature: if is_unchecked(e) { Check::NotChecked } else { Check::Fail },
            binding: if is_bound && !is_unchecked(e) { Check::Fail } else { Check::NotChecked },
            format,
            holder: None,
            reason: Some(ReasonRow::new("signature", e.code(), e.to_string())),
        },
    }
}

/// Whether the presentation could not be checked, as opposed to being invalid.
fn is_unchecked(e: &PresentationError) -> bool {
    match e {
        PresentationError::Proof(e) => e.is_unsupported(),
        PresentationError::Signature(e) => e.is_unsupported(),
        _ => false,
    }
}

/// Why a badge of Open Badges 2.0 cannot be looked at further.
fn unread_badge(e: &AssertionError) -> Refusal {
    Refusal::new(
        Exit::NotVerified,
        format!("the badge cannot be verified: {e}"),
        "ask its issuer for the badge as it was awarded, or for an Open Badge 3.0",
    )
}
