//! What there is to say about a run, and about a sweep: what the files of a folder of results hold.

use std::collections::BTreeMap;

use knackmesh_simulations::{checks::Violation, plan::File};
use serde::{Deserialize, Serialize};

use super::machine::{Machine, Program};

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The scenario's time was over.
    Whole,
    /// Somebody interrupted it.
    Interrupted,
    /// A promise was broken.
    Violation {
        /// Which.
        check: String,
        /// Milliseconds since the run began.
        at_ms: u64,
        /// What happened.
        detail: String,
    },
}

impl From<Violation> for Ending {
    fn from(violation: Violation) -> Self {
        let Violation { at_ms, check, detail, .. } = violation;
        Ending::Violation { check: check.to_owned(), at_ms, detail }
    }
}

/// `manifest.json` of a run: what makes it that run, and what it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Names this layout of the folder.
    pub format: String,
    /// The scenario's title.
    pub title: String,
    /// The seed.
    pub seed: u64,
    /// One hash over everything that happened: equal hashes, equal histories.
    pub trace_hash: String,
    /// Whether the run was interrupted or ended by a broken promise, so that the tables stop early.
    pub partial: bool,
    /// How it ended.
    pub ending: Ending,
    /// How far it came, in milliseconds of the world's time.
    pub reached_ms: u64,
    /// How long it was to last.
    pub duration_ms: u64,
    /// Inputs handled.
    pub events: u64,
    /// Nodes, attackers included.
    pub nodes: u32,
    /// Those of them that attack.
    #[serde(default)]
    pub attackers: u32,
    /// What people ordered; null where the engine has no people.
    #[serde(default)]
    pub orders: Option<Orders>,
    /// The scenario, with every default filled in and every setting applied.
    pub scenario: File,
    /// BLAKE3 hashes of the files that it names, of which `inputs/` has copies.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// The program.
    pub program: Program,
    /// The machine.
    pub machine: Machine,
    /// Seconds on the wall clock.
    pub wall_seconds: f64,
    /// Those of them that passed before anything happened.
    #[serde(default)]
    pub setup_seconds: f64,
    /// Seconds of a processor; null where the system does not say.
    pub cpu_seconds: Option<f64>,
    /// Inputs handled for each second on the wall clock, those of setting up included.
    pub events_per_second: f64,
    /// The most memory that the process had at once, in bytes, other runs in it included.
    pub peak_memory_bytes: Option<u64>,
}

/// What people ordered in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Publications.
    pub publications: u64,
    /// Withdrawals.
    pub withdrawals: u64,
    /// What could not be ordered: the node did not run, or its person had nothing to publish.
    pub undone: u64,
}

/// Names the layout of a run's folder.
pub const RUN_FORMAT: &str = "knackmesh-run-1";
/// Names the layout of a sweep's folder.
pub const SWEEP_FORMAT: &str = "knackmesh-sweep-1";

/// A search: a line of `queries.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryLine {
    /// When it was asked.
    pub at_s: f64,
    /// By which node.
    pub node: u32,
    /// For what.
    pub query: String,
    /// `answered`, `open` at the end, `refused`, or `not_running`.
    pub outcome: String,
    /// How long the answer took.
    pub latency_ms: Option<u64>,
    /// Holders that an all-seeing index would have found at that moment.
    pub relevant: usize,
    /// Candidates in the answer.
    pub found: usize,
    /// Those of them that are relevant.
    pub hits: usize,
    /// Recall among the best `recall_at`; empty where there was no answer or nobody to be found.
    pub recall: Option<f64>,
    /// Candidates that matched as stated and not as proven.
    pub withheld: usize,
    /// Presentations that came.
    pub presented: usize,
    /// Candidates whose presentation proved nothing.
    pub refused: usize,
    /// Nodes asked for leads.
    pub asked: usize,
    /// Nodes that answered.
    pub answered: usize,
}

/// A piece of news and an observer: a line of `spreading.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpreadLine {
    /// `publication` or `withdrawal`.
    pub what: String,
    /// Whose.
    pub node: u32,
    /// The employer's node that watches.
    pub observer: u32,
    /// When it was ordered.
    pub since_s: f64,
    /// How long until the observer knew; empty when it did not while the news counted.
    pub after_s: Option<f64>,
}

/// Messages of a kind: a line of `messages.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageLine {
    /// Which kind.
    pub kind: String,
    /// How many were sent, whether they arrived or not.
    pub sent: u64,
    /// Their bytes, without what carries them.
    pub sent_bytes: u64,
    /// How many arrived; empty where the engine does not count them by kind.
    pub received: Option<u64>,
    /// Their bytes.
    pub received_bytes: Option<u64>,
}

/// A look-up of the overlay: a line of `look_ups.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookUpLine {
    /// When it began.
    pub began_s: f64,
    /// How long it took.
    pub latency_ms: u32,
    /// Who looked.
    pub from: u32,
    /// For whom.
    pub target: u32,
    /// Requests that it sent.
    pub requests: u32,
    /// Requests that nobody answered in time.
    pub timeouts: u32,
    /// Answers that led to the target.
    pub hops: u8,
    /// `found`, `missed`, `abandoned` when somebody left, or `open` at the end.
    pub outcome: String,
}

/// What a node received: a line of `load.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadLine {
    /// Which node.
    pub node: u32,
    /// Messages.
    pub messages: u64,
    /// Their bytes; empty where the engine does not count them by node.
    pub bytes: Option<u64>,
}

/// A moment: a line of `timeseries.csv`. Counts of events, messages and bytes are those since the begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeLine {
    /// When.
    pub at_s: f64,
    /// Nodes that run.
    pub running: usize,
    /// Holders that are published.
    pub published: usize,
    /// The share of them that an observer's node holds, on average.
    pub coverage: Option<f64>,
    /// Summaries that an observer's node holds though they are not published any more, on average.
    pub stale: Option<f64>,
    /// Inputs handled.
    pub events: u64,
    /// Messages that reached a peer.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// People who have ever published, and whose publications scrapers collect; empty without scrapers.
    #[serde(default)]
    pub people_ever: Option<u32>,
    /// What those people claim: pairs of a person and a skill.
    #[serde(default)]
    pub claims_ever: Option<u32>,
    /// Of all people who have ever published, the share that scrapers know, all together.
    #[serde(default)]
    pub scraped_people: Option<f64>,
    /// Of all that those people claim, the share.
    #[serde(default)]
    pub scraped_claims: Option<f64>,
    /// The share of people whom their queries brought.
    #[serde(default)]
    pub scraped_people_asking: Option<f64>,
    /// The share of claims that their queries brought.
    #[serde(default)]
    pub scraped_claims_asking: Option<f64>,
    /// The share of people whom gossip and reconciliation brought, as they do to every node.
    #[serde(default)]
    pub scraped_people_gossip: Option<f64>,
    /// The share of claims.
    #[serde(default)]
    pub scraped_claims_gossip: Option<f64>,
}

/// An interval of the overlay: a line of its `timeseries.csv`. Everything is of that interval alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntervalLine {
    /// Its end.
    pub at_s: f64,
    /// How long it was.
    pub lasts_s: f64,
    /// Look-ups that began in it.
    pub begun: u64,
    /// Look-ups that found their target in it.
    pub found: u64,
    /// Look-ups that ended in it without their target.
    pub missed: u64,
    /// Look-ups that were abandoned in it.
    pub abandoned: u64,
    /// Of those found or missed, the share that was found.
    pub found_share: Option<f64>,
    /// How long those found or missed had taken, on average.
    pub latency_mean_ms: Option<f64>,
    /// The longest that 95 % of them had taken.
    pub latency_p95_ms: Option<f64>,
    /// Messages sent in it.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What makes it that run.
    pub manifest: Manifest,
    /// Metrics by name, as in [`super::METRICS`].
    pub summary: BTreeMap<String, Option<f64>>,
    /// Look-ups, of the overlay.
    pub look_ups: Vec<LookUpLine>,
    /// Searches.
    pub queries: Vec<QueryLine>,
    /// How news spread.
    pub spreading: Vec<SpreadLine>,
    /// Messages by kind.
    pub messages: Vec<MessageLine>,
    /// Messages by node.
    pub load: Vec<LoadLine>,
    /// The time series.
    pub timeseries: Vec<TimeLine>,
    /// The time series of the overlay.
    pub intervals: Vec<IntervalLine>,
}

impl Record {
    /// With empty tables.
    pub fn new(manifest: Manifest) -> Self {
        Record {
            manifest,
            summary: BTreeMap::new(),
            look_ups: Vec::new(),
            queries: Vec::new(),
            spreading: Vec::new(),
            messages: Vec::new(),
            load: Vec::new(),
            timeseries: Vec::new(),
            intervals: Vec::new(),
        }
    }
}

/// `manifest.json` of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Names this layout of the folder.
    pub format: String,
    /// The scenario's title.
    pub title: String,
    /// The scenario.
    pub scenario: File,
    /// The keys that vary, in the order of the columns of `runs.csv`.
    pub keys: Vec<String>,
    /// The seeds of each combination.
    pub seeds: Vec<u64>,
    /// Whether runs are missing, because somebody interrupted it or a promise was broken.
    pub partial: bool,
    /// The program.
    pub program: Program,
    /// The machine.
    pub machine: Machine,
    /// Seconds on the wall clock.
    pub wall_seconds: f64,
    /// The runs.
    pub runs: Vec<SweepRow>,
}

/// A run of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRow {
    /// Its folder, below the sweep's.
    pub folder: String,
    /// The values of the keys.
    pub values: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// Whether it was interrupted or ended by a broken promise.
    pub partial: bool,
    /// Its history.
    pub trace_hash: String,
    /// Nodes, attackers included.
    #[serde(default)]
    pub nodes: u32,
    /// Those of them that attack.
    #[serde(default)]
    pub attackers: u32,
    /// Metrics by name.
    pub summary: BTreeMap<String, Option<f64>>,
}
