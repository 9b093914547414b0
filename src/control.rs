//! The control socket: how commands reach a running node.
//!
//! A Unix socket in the home that only its owner can open. One JSON object a line: a [`Request`] in, then an
//! [`Answer`] out. The same requests are carried out by [`Node::execute`](crate::node::Node::execute) when no node runs.

mod importing;
mod issuing;
mod showing;
mod trusting;

use std::{io, os::unix::fs::PermissionsExt, path::Path};

use knackmesh_protocol::{
    consent::Present, credential::Format, key::Did, limits::CONTROL_BYTES_MAX, skill::Level, summary::Terms,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::{mpsc, oneshot},
};

pub use self::{
    importing::{ImportOrder, ImportedRow, SuggestionRow},
    issuing::{IssueOrder, Issued, IssuedPage, PresentOrder, SignOrder, StatusListRow, StatusOrder},
    showing::{DisclosedCredential, DisclosedRow, Occasion, ShowOrder, ShownRow},
    trusting::{Change, ChangeRow, FollowOrder, FollowReport, TrustOrder},
};
use crate::{
    home::{Home, HomeError, private_dir},
    report::{
        ConditionReport, CredentialRow, IssuedRow, PeerRow, PreviewReport, QueryReport, ResultRow,
        StatusReport, TrustReport, rfc3339,
    },
};

/// What a command asks of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Request {
    /// The state of the node.
    Status,
    /// Connected nodes.
    Peers,
    /// How the home and its node are.
    Condition,
    /// What is counted, as OpenMetrics text.
    Metrics,
    /// Take in a credential or a badge.
    Import(ImportOrder),
    /// The credentials kept.
    Credentials,
    /// Their texts, and those of the badges kept.
    Texts,
    /// Sign an achievement credential.
    Issue(Box<IssueOrder>),
    /// Sign many, or with `dry` only see whether they could be.
    IssueMany {
        /// At most [`knackmesh_protocol::limits::ISSUE_AT_ONCE_MAX`].
        orders: Vec<IssueOrder>,
        /// Issue nothing.
        dry: bool,
    },
    /// Sign any document of the data model.
    Sign(SignOrder),
    /// Sign a presentation that somebody else put together.
    Present(PresentOrder),
    /// Show own credentials to a verifier.
    Show(ShowOrder),
    /// Keep credentials no longer.
    Forget {
        /// Their ids, or the beginnings of them.
        names: Vec<String>,
    },
    /// To whom credentials were shown.
    Disclosures {
        /// At most so many, the newest; never more than [`knackmesh_protocol::limits::DISCLOSED_ROWS_MAX`].
        newest: usize,
    },
    /// What this home has issued, in that order.
    Issued {
        /// From this number on; what [`IssuedPage::next`] said.
        from: u64,
    },
    /// Revoke, suspend or reinstate a credential.
    SetStatus(StatusOrder),
    /// One status list, signed now.
    StatusList {
        /// Its name: the last part of its URL.
        name: String,
        /// In which form it is signed.
        #[serde(default)]
        format: Format,
    },
    /// Every status list, signed now.
    StatusLists {
        /// In which form they are signed.
        #[serde(default)]
        format: Format,
    },
    /// What a stranger will see.
    Preview {
        /// The policy to preview.
        present: Present,
        /// Which proofs.
        #[serde(default)]
        proofs: ProofsOrder,
    },
    /// Publish it.
    Publish {
        /// For how long.
        lease_ms: u64,
        /// Who gets a presentation at once.
        present: Present,
        /// Which proofs.
        #[serde(default)]
        proofs: ProofsOrder,
    },
    /// New single-use keys.
    SingleUseKeys {
        /// How many.
        count: u32,
    },
    /// End the publication.
    Withdraw,
    /// Ask the network.
    Query(QueryOrder),
    /// Why a result of the last query stands where it stands.
    Why {
        /// Its rank.
        rank: usize,
    },
    /// The seeker's trust list.
    Trust(TrustOrder),
    /// What the holder says besides credentials.
    Profile(ProfileOrder),
    /// A view's newest record in the distributed hash table.
    Lookup {
        /// The view's pseudonym.
        view: Did,
    },
}

/// Whether proofs are attached to what is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofsOrder {
    /// Whether any are.
    pub attach: bool,
    /// Whether by such as link the pseudonym to the home's DID, or to an earlier publication.
    pub linkable: bool,
}

/// A query to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueryOrder {
    /// The query's text.
    pub query: String,
    /// At most so many results.
    pub top: usize,
    /// The deadline.
    pub deadline_ms: u64,
    /// For what presentations are asked.
    pub purpose: String,
    /// For how many days they are kept.
    pub retention_days: u32,
    /// Where holders exercise their rights.
    pub contact: String,
    /// Whether servers that holders' credentials name may be asked for what verifications lack.
    #[serde(default)]
    pub fetch: bool,
}

/// What to do with the profile. What is not set stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProfileOrder {
    /// Replace the terms.
    pub terms: Option<Terms>,
    /// Add or replace claimed skills, by URI or name.
    pub claim: Vec<(String, Level)>,
    /// Drop claimed skills, by URI or name.
    pub drop: Vec<String>,
}

/// What the holder says besides credentials.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProfileReport {
    /// Terms of engagement.
    pub terms: Terms,
    /// Skills claimed with nothing behind them: URI, label, level.
    pub claims: Vec<crate::report::SkillRow>,
}

/// A record of the distributed hash table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordReport {
    /// The view.
    pub view: String,
    /// `summary`, `tombstone`, or null when there is none.
    pub record: Option<String>,
    /// Its sequence or ceiling.
    pub sequence: Option<u64>,
    /// When it ends.
    #[serde(with = "rfc3339::optional")]
    pub expires: Option<Timestamp>,
    /// The summary's content.
    pub content: Option<knackmesh_protocol::summary::Content>,
}

/// What a request came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To `Status`.
    Status(Box<StatusReport>),
    /// To `Peers`.
    Peers(Vec<PeerRow>),
    /// To `Condition`.
    Condition(Box<ConditionReport>),
    /// To `Metrics`.
    Metrics(String),
    /// To `Import`: what is kept.
    Imported(Box<ImportedRow>),
    /// To `Credentials`.
    Credentials(Vec<CredentialRow>),
    /// To `Texts`.
    Texts(Vec<String>),
    /// To `Issue` and `Sign`: the credential's text.
    Issued(String),
    /// To `Present`: the presentation's text.
    Presented(String),
    /// To `Show`.
    Shown {
        /// The presentations.
        rows: Vec<ShownRow>,
        /// What would have been shown, and is known not to hold, each with why.
        left_out: Vec<String>,
    },
    /// To `Forget`: what is kept no longer.
    Forgotten(Vec<DisclosedCredential>),
    /// To `Disclosures`, newest first.
    Disclosures(Vec<DisclosedRow>),
    /// To `IssueMany`: for each order what it came to.
    IssuedMany(Vec<Result<Issued, Refusal>>),
    /// To `Issued`.
    IssuedList(IssuedPage),
    /// To `SetStatus`: what it changed, and the credential as it stands now.
    StatusSet {
        /// Whether anything changed.
        changed: bool,
        /// The credential.
        row: Box<IssuedRow>,
        /// The URL of the list that must be published for others to see it.
        list: String,
    },
    /// To `StatusList`: the list's text.
    StatusList(String),
    /// To `StatusLists`.
    StatusLists(Vec<StatusListRow>),
    /// To `Preview`.
    Preview(Box<PreviewReport>),
    /// To `Publish`.
    Published {
        /// The pseudonym.
        view: String,
        /// Its end.
        until: Timestamp,
        /// Nodes connected at that moment.
        peers: usize,
        /// Claims published.
        claims: usize,
        /// Encoded size, signed.
        bytes: usize,
        /// Whether a node runs; without one it is announced at the next `knack up`.
        announced: bool,
        /// Proofs published.
        #[serde(default)]
        proofs: usize,
        /// Whether they link the pseudonym to the DID, or to an earlier publication.
        #[serde(default)]
        linked: bool,
        /// Proofs that could not be attached, and why.
        #[serde(default)]
        left_out: Vec<String>,
    },
    /// To `SingleUseKeys`: their DIDs.
    SingleUseKeys(Vec<Did>),
    /// To `Withdraw`.
    Withdrawn {
        /// Whether anything was published.
        was_published: bool,
        /// Nodes asked to delete at once.
        asked: usize,
        /// Those that signed that they did: promises, not proofs.
        acknowledged: usize,
        /// Whether a node runs; without one it is announced at the next `knack up`.
        announced: bool,
    },
    /// To `Query`.
    Found(Box<QueryReport>),
    /// To `Why`.
    Why {
        /// The query.
        query: String,
        /// The result.
        result: Box<ResultRow>,
    },
    /// To `Trust`, unless it exports, which issues, or follows a list.
    Trust(TrustReport),
    /// To `Trust` that follows a list.
    TrustFollowed(Box<FollowReport>),
    /// To `Profile`.
    Profile(ProfileReport),
    /// To `Lookup`.
    Record(Box<RecordReport>),
}

/// Exit codes of the command line. They are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Exit {
    /// Something failed.
    Failed = 1,
    /// The command was not understood.
    Usage = 2,
    /// A credential is not verified, or its status is stale.
    NotVerified = 3,
    /// There is no consent.
    NoConsent = 4,
    /// Refused by policy.
    Refused = 5,
    /// The network was not reached.
    Network = 6,
}

/// Why a command failed, and what to try.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The exit code.
    pub exit: Exit,
    /// What failed.
    pub message: String,
    /// What to try.
    pub hint: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(exit: Exit, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Refusal { exit, message: message.into(), hint: hint.into() }
    }
}

impl From<HomeError> for Refusal {
    fn from(e: HomeError) -> Self {
        Refusal::new(Exit::Failed, e.to_string(), e.hint())
    }
}

/// A line back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Done.
    Ok(Reply),
    /// Not done.
    Err(Refusal),
}

/// A request on its way to the node, and where its answer goes.
pub type Errand = (Request, oneshot::Sender<Result<Reply, Refusal>>);

/// A node in this process, or the address of one.
#[derive(Clone, Debug)]
pub struct Handle(mpsc::Sender<Errand>);

impl Handle {
    /// A handle and the errands that it sends.
    pub fn new() -> (Self, mpsc::Receiver<Errand>) {
        let (sender, receiver) = mpsc::channel(64);
        (Handle(sender), receiver)
    }

    /// Asks the node and waits.
    ///
    /// # Errors
    /// What the node refuses, or that it has stopped.
    pub async fn ask(&self, request: Request) -> Result<Reply, Refusal> {
        let (sender, receiver) = oneshot::channel();
        let stopped = || Refusal::new(Exit::Failed, "the node has stopped", "start it again with `knack up`");
        self.0.send((request, sender)).await.map_err(|_| stopped())?;
        receiver.await.map_err(|_| stopped())?
    }
}

/// Opens the home's socket. A stale one, left by a killed process, is replaced: the store's lock shows that no other
/// node runs.
///
/// # Errors
/// When the file system refuses.
pub fn listen(home: &Home) -> io::Result<UnixListener> {
    let path = home.socket();
    if let Some(dir) = path.parent() {
        private_dir(dir).map_err(|e| io::Error::other(e.to_string()))?;
        if dir != home.dir() && std::fs::metadata(dir)?.permissions().mode() & 0o077 != 0 {
            return Err(io::Error::other(format!("{} is open to others", dir.display())));
        }
    }
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves one connection until it ends.
pub async fn serve(stream: UnixStream, node: Handle) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        let bounded = (&mut lines).take(CONTROL_BYTES_MAX as u64).read_until(b'\n', &mut line).await?;
        if bounded == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            return Err(io::Error::other("a command without an end, or over the bound"));
        }
        let answer = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => node.ask(request).await.map_or_else(Answer::Err, Answer::Ok),
            Err(e) => Answer::Err(Refusal::new(
                Exit::Usage,
                format!("the node does not understand the command: {e}"),
                "use the same version of knack for the node and the command",
            )),
        };
        let mut bytes = serde_json::to_vec(&answer)?;
        bytes.push(b'\n');
        write.write_all(&bytes).await?;
    }
}

/// Asks the node that runs for this home; `None` when none does.
///
/// # Errors
/// What the node refuses, or that it hung up.
pub async fn ask(socket: &Path, request: &Request) -> Option<Result<Reply, Refusal>> {
    let stream = UnixStream::connect(socket).await.ok()?;
    Some(exchange(stream, request).await.unwrap_or_else(|e| {
        Err(Refusal::new(Exit::Failed, format!("the node hung up: {e}"), "see its log, and start it again"))
    }))
}

async fn exchange(stream: UnixStream, request: &Request) -> io::Result<Result<Reply, Refusal>> {
    let (read, mut write) = stream.into_split();
    let mut bytes = serde_json::to_vec(request)?;
    bytes.push(b'\n');
    write.write_all(&bytes).await?;
    let mut line = String::new();
    BufReader::new(read).take(CONTROL_BYTES_MAX as u64).read_line(&mut line).await?;
    match serde_json::from_str(&line)? {
        Answer::Ok(reply) => Ok(Ok(reply)),
        Answer::Err(refusal) => Ok(Err(refusal)),
    }
}
