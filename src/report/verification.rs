//! What a verification came to.

use knackmesh_protocol::{
    credential::{Check, CheckName, Checks, Credential, Kind, Securing, Shown},
    id::Id,
    text::shown,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ChecksRow, ReasonRow, TrustRow, rfc3339};

/// What must be said of a credential besides its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// Not verifiable to the same standard as a credential with a proof of its own.
    Weaker,
    /// Authentic, but bound to no DID: whoever has it cannot prove that it is theirs, and it backs no claim.
    HolderNotProven,
    /// The holder's own word.
    ClaimedOnly,
    /// Shown in a presentation, of which was not checked for whom and when it was made.
    BindingNotChecked,
}

impl Label {
    /// What it means, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Label::Weaker => "a badge of Open Badges 2.0, which is not verifiable to the same standard",
            Label::HolderNotProven => {
                "bound to no DID: whoever has it cannot prove that it is theirs, and it backs no claim"
            }
            Label::ClaimedOnly => "the holder's own word",
            Label::BindingNotChecked => "for whom and when it was presented was not checked",
        }
    }
}

/// The form in which a credential is secured: the suites of its proofs, or the kind of token.
pub fn format_of(credential: &Credential) -> String {
    match credential.securing() {
        Securing::DataIntegrity => suites_of(credential.document().get("proof")),
        token => token.name().to_owned(),
    }
}

/// The names of the suites of one or more proofs.
fn suites_of(proof: Option<&Value>) -> String {
    let proofs = match proof {
        Some(Value::Array(proofs)) => proofs.as_slice(),
        Some(proof) => std::slice::from_ref(proof),
        None => &[],
    };
    let mut names: Vec<String> = Vec::new();
    for proof in proofs {
        let name = proof.get("cryptosuite").or_else(|| proof.get("type")).and_then(Value::as_str);
        let name = shown(name.unwrap_or("unknown"));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { "unsigned".to_owned() } else { names.join(", ") }
}

/// The form in which the presentation in a text is secured.
pub fn format_of_presentation(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(document) if document.get("proof").is_some() => suites_of(document.get("proof")),
        Ok(_) => "vp+jwt".to_owned(),
        Err(_) if text.contains('~') => "dc+sd-jwt+kb".to_owned(),
        Err(_) => "vp+jwt".to_owned(),
    }
}

/// What must be said of a credential, whatever its checks.
pub fn labels_of(credential: &Credential) -> Vec<Label> {
    let own_word = credential.subject().is_some() && credential.subject() == credential.issuer_did();
    let unbound = credential.subject().is_none() && credential.kind() != Kind::Other;
    [(own_word, Label::ClaimedOnly), (unbound, Label::HolderNotProven)]
        .into_iter()
        .filter_map(|(applies, label)| applies.then_some(label))
        .collect()
}

/// What kind of document was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A verifiable credential.
    Credential,
    /// A comprehensive learner record.
    LearnerRecord,
    /// A badge of Open Badges 2.0.
    #[serde(rename = "open_badge_2")]
    OpenBadge2,
    /// A presentation.
    Presentation,
}

/// What a verification came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum VerificationReport {
    /// Of a presentation.
    Presentation(Box<PresentationReport>),
    /// Of anything else.
    Document(Box<DocumentReport>),
}

/// What the verification of a document came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DocumentReport {
    /// What it is.
    pub kind: DocumentKind,
    /// Its own checks.
    #[serde(flatten)]
    pub checks: ChecksRow,
    /// The whole of it: it and all that it holds are verified, and its issuer is the organisation that was asked for.
    pub passed: bool,
    /// The checks of what a learner record holds, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<ChecksRow>,
    /// What a learner record holds that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// What else was found out, and how.
    #[serde(flatten)]
    pub sources: SourcesReport,
}

/// What the verification of a presentation came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PresentationReport {
    /// [`DocumentKind::Presentation`].
    pub kind: DocumentKind,
    /// The presentation and each credential in it.
    pub verified: bool,
    /// Verified, and each credential by an issuer on the trust list.
    pub recognised: bool,
    /// The whole of it: verified, and every issuer is the organisation that was asked for.
    pub passed: bool,
    /// The presentation itself.
    pub presentation: PresentationRow,
    /// The credentials in it, in their order.
    pub credentials: Vec<ChecksRow>,
    /// What else was found out, and how.
    #[serde(flatten)]
    pub sources: SourcesReport,
}

/// A presentation without what it shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PresentationRow {
    /// Whether its holder signed it, for whoever it was made for.
    pub signature: Check,
    /// Whether it was made for the challenge and the domain that were expected.
    pub binding: Check,
    /// How it is secured: the suites of its proofs, or the kind of token.
    pub format: String,
    /// Who signed; null when that is not known.
    pub holder: Option<String>,
    /// Why it does not verify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonRow>,
}

/// What a verification learnt from others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SourcesReport {
    /// What the verifier's trust list says of the issuers, and by whose word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust: Vec<TrustRow>,
    /// Status lists that were given and could not be used, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<ReasonRow>,
    /// Whether the domains of issuers say that the issuers are theirs.
    pub organisations: Vec<OrganisationRow>,
    /// What was fetched, or would have been.
    pub fetched: Vec<FetchedRow>,
}

/// Whether a domain says that a DID is its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationRow {
    /// The DID.
    pub did: String,
    /// The domain, with its port if it has one.
    pub domain: String,
    /// Each says that the other is in the same hands, signed by a key of the DID.
    pub linked: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonRow>,
}

/// Something that was needed from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedRow {
    /// What it is: `did-document`, `keys`, `status-list`, `badge`, `did-configuration`, `credential`.
    pub kind: String,
    /// Where it is published.
    pub url: String,
    /// When it was fetched; null when there is no copy.
    #[serde(with = "rfc3339::optional")]
    pub fetched: Option<Timestamp>,
    /// How old that is, in seconds.
    pub age_seconds: Option<u64>,
    /// Whether it is a copy that was kept from an earlier time.
    pub from_cache: bool,
    /// Why there is none, or nothing newer, or why it was not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ReasonRow>,
}

impl ReasonRow {
    /// Why `check` is as it is.
    pub fn new(check: &str, code: &str, reason: impl Into<String>) -> Self {
        ReasonRow { check: check.to_owned(), code: code.to_owned(), reason: reason.into() }
    }
}

impl VerificationReport {
    /// Whether everything in it is verified.
    pub fn verified(&self) -> bool {
        match self {
            VerificationReport::Presentation(report) => report.verified,
            VerificationReport::Document(report) => {
                let inner = report.credentials.iter().all(|checks| checks.verified);
                report.checks.verified && inner && report.unread.is_empty()
            }
        }
    }

    /// Says whether it passed, when all is in it: where `by_organisation`, all its issuers must be those of a domain.
    pub fn conclude(&mut self, by_organisation: bool) {
        let organisations = &self.sources().organisations;
        let linked = !organisations.is_empty() && organisations.iter().all(|o| o.linked);
        let whole = self.verified() && (linked || !by_organisation);
        match self {
            VerificationReport::Presentation(report) => report.passed = whole,
            VerificationReport::Document(report) => report.passed = whole,
        }
    }

    /// Whether it passed as a whole, which the exit code says.
    pub fn passed(&self) -> bool {
        match self {
            VerificationReport::Presentation(report) => report.passed,
            VerificationReport::Document(report) => report.passed,
        }
    }

    /// Every credential in it, itself included.
    pub fn rows(&self) -> impl Iterator<Item = &ChecksRow> {
        let (own, inner) = match self {
            VerificationReport::Presentation(report) => (None, &report.credentials),
            VerificationReport::Document(report) => (Some(&report.checks), &report.credentials),
        };
        own.into_iter().chain(inner)
    }

    /// What it learnt from others.
    pub fn sources(&self) -> &SourcesReport {
        match self {
            VerificationReport::Presentation(report) => &report.sources,
            VerificationReport::Document(report) => &report.sources,
        }
    }

    /// Where to add to it.
    pub fn sources_mut(&mut self) -> &mut SourcesReport {
        match self {
            VerificationReport::Presentation(report) => &mut report.sources,
            VerificationReport::Document(report) => &mut report.sources,
        }
    }
}

impl ChecksRow {
    /// Reports that none of the checks was made.
    pub fn unread(id: &Id, code: &str, reason: &str) -> Self {
        let mut row = ChecksRow::of(&Checks::none(), Shown::File);
        row.id = id.to_string();
        row.reasons.push(ReasonRow::new(&CheckName::Untampered.to_string(), code, reason));
        row
    }

    /// Reports the checks of something that is no credential of ours.
    pub fn of_badge(name: String, id: String, issuer: String, format: &str, checks: &Checks) -> Self {
        let mut row = ChecksRow::of(checks, Shown::File);
        row.credential = name;
        row.id = id;
        row.issuer = issuer;
        row.format = format.to_owned();
        row.labels = vec![Label::Weaker, Label::HolderNotProven];
        row
    }
}
