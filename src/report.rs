//! What commands print: plain data with stable names, made from the protocol's types. `--json` writes these as they
//! are; the tables of the command line are made from nothing else.

mod issued;
mod network;
mod trust;
mod verification;

use knackmesh_protocol::{
    cell::Path,
    consent::Present,
    credential::{Check, Checks, Credential, Shown},
    message::Replica,
    peer::{CellCoverage, Coverage, Found, Outcome, Placement, Proof},
    ranking::Term,
    skill::{Level, SkillId, Tier},
    summary::{Content, Summary, Terms},
    time::Timestamp,
    vocabulary::Vocabulary,
    wire,
};
use serde::{Deserialize, Serialize};

pub use self::{
    issued::{IssuedRow, NotAStanding, Standing, StatusRow},
    network::{
        BootstrapRow, CheckRow, ConditionReport, ConnectionsRow, DoctorReport, IndexReport, NetworkReport,
        PeerRow, ReachabilityRow, State,
    },
    trust::{FollowedRow, TrustReport, TrustRow, VoucherRow},
    verification::{
        DocumentKind, DocumentReport, FetchedRow, Label, OrganisationRow, PresentationReport,
        PresentationRow, SourcesReport, VerificationReport, format_of, format_of_presentation,
    },
};

/// Instants as commands print them: RFC 3339, where the wire has milliseconds.
pub(crate) mod rfc3339 {
    use knackmesh_protocol::time::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(t: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(t)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Timestamp, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }

    /// The same, or null.
    pub(crate) mod optional {
        use super::{Deserialize, Deserializer, Error, Serializer, Timestamp};

        pub fn serialize<S: Serializer>(t: &Option<Timestamp>, s: S) -> Result<S::Ok, S::Error> {
            match t {
                Some(t) => s.collect_str(t),
                None => s.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Timestamp>, D::Error> {
            let text = Option::<String>::deserialize(d)?;
            text.map(|t| t.parse().map_err(D::Error::custom)).transpose()
        }
    }
}

/// The outcome of a query.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueryReport {
    /// The query as the seeker wrote it.
    pub query: String,
    /// How each of its terms was understood.
    pub understood: Vec<String>,
    /// Candidates, best first.
    pub results: Vec<ResultRow>,
    /// Candidates who matched as stated but not as proven, and why they are not among the results.
    pub withheld: Vec<WithheldRow>,
    /// What was reached.
    pub coverage: CoverageRow,
    /// From command to end, in milliseconds.
    pub elapsed_ms: u64,
    /// What verifications needed of others: what was fetched, now or earlier, and what was not had.
    #[serde(default)]
    pub fetched: Vec<FetchedRow>,
}

/// One candidate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResultRow {
    /// 1 is best.
    pub rank: usize,
    /// The holder's DID when a presentation proved it, else the view's pseudonym.
    pub holder: String,
    /// The view's pseudonym.
    pub view: String,
    /// The score, the sum of the explanation.
    pub score: i64,
    /// Every skill that earned points was proven by a verified credential.
    pub verified: bool,
    /// Verified, and every issuer is on the seeker's trust list.
    pub recognised: bool,
    /// How the request for a presentation ended.
    pub presentation: String,
    /// Claims as they count.
    pub claims: Vec<ClaimRow>,
    /// The six checks of each credential presented.
    pub checks: Vec<ChecksRow>,
    /// Terms that sum to the score.
    pub explanation: Vec<Term>,
    /// On which terms the holder can be engaged.
    pub terms: Terms,
    /// When the lease ends.
    #[serde(with = "rfc3339")]
    pub expires: Timestamp,
    /// The signed score statement, hexadecimal CBOR, for the candidate.
    pub statement: String,
}

/// A claim.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClaimRow {
    /// The skill's URI.
    pub skill: SkillId,
    /// Its label here.
    pub label: String,
    /// The level that counts.
    pub level: Level,
    /// The tier that counts: *claimed* until proven.
    pub tier: Tier,
    /// Whether a presentation or a published proof proved it.
    pub proven: bool,
    /// How far the published proof goes, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// The tier that the holder stated.
    pub stated_tier: Tier,
    /// The issuer, once proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The month of award, once proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awarded: Option<String>,
}

/// The six checks of a credential.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChecksRow {
    /// The credential's name.
    pub credential: String,
    /// The credential's id.
    pub id: String,
    /// Who issued it.
    pub issuer: String,
    /// How it is secured: the suites of its proofs, such as `eddsa-jcs-2022`, or the kind of token, such as `vc+jwt`.
    #[serde(default)]
    pub format: String,
    /// What must be said of it besides.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// No byte was changed since the issuer signed.
    pub untampered: Check,
    /// The issuer is on the trust list.
    pub trusted_issuer: Check,
    /// The holder is the subject, shown now.
    pub trusted_holder: Check,
    /// Not revoked.
    pub unrevoked: Check,
    /// Within its period of validity.
    pub unexpired: Check,
    /// The status is recent enough.
    pub fresh: Check,
    /// The verdict.
    pub verified: bool,
    /// Verified, by an issuer on the trust list.
    pub recognised: bool,
    /// Why, for each check that is not PASS.
    pub reasons: Vec<ReasonRow>,
}

/// Why a check is not PASS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonRow {
    /// The check.
    pub check: String,
    /// The reason's stable name.
    #[serde(default)]
    pub code: String,
    /// Why.
    pub reason: String,
}

/// A candidate who is not among the results.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WithheldRow {
    /// The view's pseudonym.
    pub view: String,
    /// Why.
    pub reason: String,
}

/// What a query reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CoverageRow {
    /// Nodes asked for leads.
    pub asked: usize,
    /// Those that answered.
    pub answered: usize,
    /// Those that could not be reached in time.
    pub unreachable: usize,
    /// Those that refused.
    pub refused: usize,
    /// Seconds since the own index was last compared with another node's to the end; null when never.
    pub index_age_seconds: Option<u64>,
    /// Summaries in the own index.
    pub index_summaries: usize,
    /// The largest index among those that answered.
    pub largest_index: usize,
    /// Leads that matched as stated.
    pub matched: usize,
    /// Holders asked for a presentation.
    pub inquired: usize,
    /// Presentations that came.
    pub presented: usize,
    /// How much of the network this node keeps: `full`, `cells` or `none`.
    pub replica: Replica,
    /// How many of the nodes that answered keep everything they learn of.
    pub full_replicas: usize,
    /// What was reached of the cells that the query needs; null when it needed none.
    pub cells: Option<CellsRow>,
}

/// What a query reached of the cells that it needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CellsRow {
    /// Cells asked.
    pub asked: usize,
    /// Those for which somebody answered.
    pub answered: usize,
    /// Those for which both halves answered, so that they could be compared.
    pub compared: usize,
    /// Those of them whose halves named different people.
    pub differing: usize,
    /// Those around which more nodes crowd than chance explains, so that others were asked as well: somebody may want to hide who is
    /// there.
    pub crowded: usize,
    /// Skills, with the part of their cell where it is split, for which nobody answered.
    pub unreached: Vec<String>,
    /// Cells that were not asked, since there were too many.
    pub cut: usize,
    /// Requests that it took.
    pub requests: usize,
    /// An estimate of how many people neither half of a cell named; null where that cannot be told.
    pub missing_estimate: Option<usize>,
}

/// What a stranger will see.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreviewReport {
    /// The pseudonym.
    pub view: String,
    /// The node by which the holder is reached.
    pub node: String,
    /// Every published field.
    pub content: Content,
    /// Who would get a presentation at once, if published so.
    pub present: Present,
    /// The encoded size in bytes, without the signature.
    pub bytes: usize,
    /// Whether the proofs link the pseudonym to the DID, or to an earlier publication.
    #[serde(default)]
    pub linked: bool,
    /// Credentials that are kept and not published, and proofs that could not be attached, and why.
    pub left_out: Vec<String>,
}

/// A credential in the home.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialRow {
    /// The checks, as of now.
    #[serde(flatten)]
    pub checks: ChecksRow,
    /// The skills it states.
    pub skills: Vec<SkillRow>,
    /// For a copy bound to a single-use key: `unused` or `used`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    /// From when it is valid.
    #[serde(with = "rfc3339::optional")]
    pub valid_from: Option<Timestamp>,
    /// Until when.
    #[serde(with = "rfc3339::optional")]
    pub valid_until: Option<Timestamp>,
}

/// A skill that a credential states.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SkillRow {
    /// The skill's URI.
    pub skill: SkillId,
    /// Its label.
    pub label: String,
    /// The level.
    pub level: Level,
}

/// The state of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusReport {
    /// Whether a node runs for this home.
    pub running: bool,
    /// The DID to which credentials are issued, and with which this home issues.
    pub did: String,
    /// The pseudonym under which this home publishes.
    pub view: String,
    /// The node's peer id.
    pub peer_id: String,
    /// Addresses it listens on.
    pub listen: Vec<String>,
    /// Connected nodes that speak our protocol.
    pub peers: usize,
    /// The own index.
    pub index: IndexRow,
    /// Until when this home is published; null when it is not.
    #[serde(with = "rfc3339::optional")]
    pub published_until: Option<Timestamp>,
    /// How well what is published is placed; null when nothing is published.
    pub placement: Option<PlacementRow>,
    /// Credentials kept.
    pub credentials: usize,
    /// The protocol names in use.
    pub protocols: ProtocolsRow,
}

/// How well a summary is placed in the cells of its skills.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlacementRow {
    /// Whether nodes are being looked for right now.
    pub in_progress: bool,
    /// Skills in whose cells enough nodes keep it.
    pub replicated: usize,
    /// Skills in whose cells too few do: who asks only those may not find it.
    pub under_replicated: Vec<String>,
    /// Skills around whose cells more nodes crowd than chance explains: somebody may want to hide who is there. The summary is kept
    /// beside them, too.
    pub crowded: Vec<String>,
}

impl PlacementRow {
    /// What a peer says of its own summary.
    pub fn new(placement: &Placement, in_progress: bool) -> Self {
        let short: Vec<String> = placement.under_replicated().map(|(skill, _)| skill.to_string()).collect();
        let replicated = placement.receipts.len() - short.len();
        let crowded = placement.crowded.iter().map(SkillId::to_string).collect();
        PlacementRow { in_progress, replicated, under_replicated: short, crowded }
    }
}

/// The own index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexRow {
    /// Summaries of other and own views.
    pub summaries: usize,
    /// How much of the network this node keeps: `full`, `cells` or `none`.
    pub replica: Replica,
    /// Cells that others placed on it.
    pub cells: usize,
}

/// Protocol names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProtocolsRow {
    /// The distributed hash table.
    pub kad: String,
    /// Requests and responses.
    pub rpc: String,
    /// Identification.
    pub identify: String,
    /// Gossip topics begin with this.
    pub gossip: String,
}

impl QueryReport {
    /// Reports an outcome.
    pub fn new(query: &str, understood: Vec<String>, outcome: &Outcome, vocabulary: &Vocabulary) -> Self {
        let results = outcome.results.iter().enumerate();
        QueryReport {
            query: query.to_owned(),
            understood,
            results: results.map(|(at, found)| ResultRow::new(at + 1, found, vocabulary)).collect(),
            withheld: outcome
                .withheld
                .iter()
                .map(|w| WithheldRow { view: w.view.to_string(), reason: w.reason.clone() })
                .collect(),
            coverage: CoverageRow::new(&outcome.coverage),
            elapsed_ms: outcome.elapsed_ms,
            fetched: Vec::new(),
        }
    }
}

impl ResultRow {
    fn new(rank: usize, found: &Found, vocabulary: &Vocabulary) -> Self {
        let summary = found.summary.body();
        let view = summary.view().to_string();
        let (presentation, checks) = match &found.proof {
            Proof::Presented(proven) => {
                let rows = proven.credentials.iter();
                let rows = rows.map(|(c, checks)| ChecksRow::new(c, checks, Shown::Presentation)).collect();
                let mismatches = if proven.mismatches.is_empty() {
                    String::new()
                } else {
                    format!("; {}", proven.mismatches.join("; "))
                };
                (format!("presented{mismatches}"), rows)
            }
            Proof::NotAsked(reason) | Proof::Awaited(reason) => ((*reason).to_owned(), Vec::new()),
            Proof::Refused(reason) => (format!("refused: {reason}"), Vec::new()),
        };
        ResultRow {
            rank,
            holder: found.holder.as_ref().map_or_else(|| view.clone(), ToString::to_string),
            view,
            score: found.score.points,
            verified: found.verified,
            recognised: found.recognised,
            presentation,
            claims: claims(found, summary, vocabulary),
            checks,
            explanation: found.score.terms.clone(),
            terms: summary.content().terms().clone(),
            expires: summary.expires(),
            statement: wire::hex(&found.statement.encode()),
        }
    }
}

fn claims(found: &Found, summary: &Summary, vocabulary: &Vocabulary) -> Vec<ClaimRow> {
    let stated = |skill: &SkillId| summary.content().claim(skill).map_or(Tier::Claimed, |c| c.tier());
    let published = |skill: &SkillId| {
        let claim = found.published.claims().iter().find(|claim| claim.skill == *skill)?;
        Some(claim.state.text().to_owned())
    };
    let row = |s: &knackmesh_protocol::ranking::Standing| ClaimRow {
        skill: s.skill.clone(),
        label: vocabulary.label(&s.skill).to_owned(),
        level: s.level,
        tier: s.tier,
        proven: s.award.is_some(),
        published: published(&s.skill),
        stated_tier: stated(&s.skill),
        issuer: s.award.as_ref().map(|a| a.issuer.to_string()),
        awarded: s.award.as_ref().map(|a| a.awarded.to_string()),
    };
    found.standing.iter().map(row).collect()
}

impl ChecksRow {
    /// Reports the checks of a credential.
    pub fn new(credential: &Credential, checks: &Checks, shown: Shown) -> Self {
        ChecksRow {
            credential: credential.title(),
            id: credential.id().to_string(),
            issuer: credential.issuer().to_string(),
            format: format_of(credential),
            labels: verification::labels_of(credential),
            ..ChecksRow::of(checks, shown)
        }
    }

    /// Checks of nothing in particular.
    fn of(checks: &Checks, shown: Shown) -> Self {
        let verdict = checks.verdict(shown);
        ChecksRow {
            credential: String::new(),
            id: String::new(),
            issuer: String::new(),
            format: String::new(),
            labels: Vec::new(),
            untampered: checks.untampered,
            trusted_issuer: checks.trusted_issuer,
            trusted_holder: checks.trusted_holder,
            unrevoked: checks.unrevoked,
            unexpired: checks.unexpired,
            fresh: checks.fresh,
            verified: verdict.verified,
            recognised: verdict.recognised,
            reasons: checks
                .reasons
                .iter()
                .map(|(check, reason)| ReasonRow::new(&check.to_string(), &reason.code, &reason.text))
                .collect(),
        }
    }
}

impl CredentialRow {
    /// The same of a credential that is perhaps a copy.
    #[must_use]
    pub fn of_copy(self, copy: Option<&crate::store::KeptCopy>) -> Self {
        let state = |copy: &crate::store::KeptCopy| if copy.used.is_some() { "used" } else { "unused" };
        CredentialRow { copy: copy.map(|copy| state(copy).to_owned()), ..self }
    }

    /// Reports a credential and its checks.
    pub fn new(credential: &Credential, checks: &Checks) -> Self {
        let skill = |a: knackmesh_protocol::credential::Achieved| SkillRow {
            skill: a.skill,
            label: a.name,
            level: a.level,
        };
        CredentialRow {
            checks: ChecksRow::new(credential, checks, Shown::File),
            skills: credential.skills().into_iter().map(skill).collect(),
            copy: None,
            valid_from: credential.valid_from(),
            valid_until: credential.valid_until(),
        }
    }
}

impl CoverageRow {
    fn new(c: &Coverage) -> Self {
        CoverageRow {
            asked: c.asked,
            answered: c.answered,
            unreachable: c.unreachable,
            refused: c.refused,
            index_age_seconds: c.index_age_ms.map(|ms| ms / 1000),
            index_summaries: c.held,
            largest_index: c.largest_index,
            matched: c.matched,
            inquired: c.inquired,
            presented: c.presented,
            replica: c.replica,
            full_replicas: c.full_replicas,
            cells: c.cells.as_ref().map(CellsRow::new),
        }
    }
}

impl CellsRow {
    fn new(c: &CellCoverage) -> Self {
        let named = |(skill, path): &(SkillId, Path)| match path.depth() {
            0 => skill.to_string(),
            _ => format!("{skill} in {path}"),
        };
        CellsRow {
            asked: c.asked,
            answered: c.answered,
            compared: c.compared,
            differing: c.differing,
            crowded: c.crowded,
            unreached: c.unreached.iter().map(named).collect(),
            cut: c.cut,
            requests: c.requests,
            missing_estimate: c.missing,
        }
    }
}
