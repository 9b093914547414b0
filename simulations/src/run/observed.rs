//! What was observed: whole numbers, from which reports compute shares.

/// What became of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// There is no answer yet, or the run ended before it came.
    Open,
    /// Answered.
    Answered,
    /// Not begun: too many were running at once.
    Refused,
    /// The person's node did not run.
    NotRunning,
}

impl Asked {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Asked::Open => "open",
            Asked::Answered => "answered",
            Asked::Refused => "refused",
            Asked::NotRunning => "not_running",
        }
    }
}

/// One search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryRow {
    /// When it was asked, in milliseconds since the run began.
    pub at_ms: u64,
    /// By whom.
    pub node: u32,
    /// For what.
    pub text: String,
    /// What became of it.
    pub asked: Asked,
    /// How long the answer took.
    pub elapsed_ms: Option<u64>,
    /// Holders that were published and matched as stated at the moment of asking.
    pub relevant: usize,
    /// Candidates in the answer.
    pub found: usize,
    /// Those of them that are relevant.
    pub hits: usize,
    /// Relevant ones among the best `recall_at`.
    pub best_hits: usize,
    /// As many as could be relevant among the best `recall_at`.
    pub best_possible: usize,
    /// Candidates who matched as stated and not as proven.
    pub withheld: usize,
    /// Presentations that came.
    pub presented: usize,
    /// Candidates whose presentation proved nothing.
    pub refused: usize,
    /// Nodes asked for leads.
    pub asked_nodes: usize,
    /// Those that answered.
    pub answered_nodes: usize,
}

impl QueryRow {
    pub(super) fn new(at_ms: u64, node: u32, text: String, relevant: usize) -> Self {
        QueryRow {
            at_ms,
            node,
            text,
            asked: Asked::Open,
            elapsed_ms: None,
            relevant,
            found: 0,
            hits: 0,
            best_hits: 0,
            best_possible: 0,
            withheld: 0,
            presented: 0,
            refused: 0,
            asked_nodes: 0,
            answered_nodes: 0,
        }
    }

    /// Recall among the best `recall_at`; `None` where there was no answer or nobody to be found.
    pub fn recall(&self) -> Option<f64> {
        let counts = self.asked == Asked::Answered && self.best_possible > 0;
        counts.then(|| self.best_hits as f64 / self.best_possible as f64)
    }
}

/// A row of the time series.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Milliseconds since the run began.
    pub at_ms: u64,
    /// Nodes that run.
    pub running: usize,
    /// Holders that are published.
    pub published: usize,
    /// Of those, the share that an observer holds, on average; `None` where there are none or no observer runs.
    pub coverage: Option<f64>,
    /// Summaries that an observer holds though they are not published any more, on average.
    pub stale: Option<f64>,
    /// Inputs handled so far.
    pub events: u64,
    /// Messages that reached a peer so far.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What scrapers have learnt; `None` without any.
    pub scraped: Option<Scraped>,
}

/// What scrapers have learnt, all together, of what was ever published by anybody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scraped {
    /// All that there was to learn.
    pub published: Learning,
    /// What queries brought.
    pub by_queries: Learning,
    /// What gossip and reconciliation brought, as they do to every node.
    pub by_replication: Learning,
    /// What either brought.
    pub by_either: Learning,
}

/// So many people, and so many of their claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learning {
    /// People.
    pub people: u32,
    /// What they claim: pairs of a person and a skill.
    pub claims: u32,
}

/// Everything that was observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Searches, in the order in which they were asked.
    pub queries: Vec<QueryRow>,
    /// The time series.
    pub rows: Vec<Row>,
    /// Publications ordered.
    pub publications: u64,
    /// Withdrawals ordered.
    pub withdrawals: u64,
    /// Orders that could not be given, because the node did not run or its person had nothing to publish.
    pub undone: u64,
}
