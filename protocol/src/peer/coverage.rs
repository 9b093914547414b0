//! What a search reached: said in every result, so that nobody is left out in silence.

use crate::{cell::Path, message::Replica, skill::SkillId};

/// What a search reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Nodes asked for leads.
    pub asked: usize,
    /// Those that answered.
    pub answered: usize,
    /// Those that could not be reached, or not in time.
    pub unreachable: usize,
    /// Those that refused.
    pub refused: usize,
    /// Summaries in the own index.
    pub held: usize,
    /// Leads that matched as stated, from wherever they came.
    pub matched: usize,
    /// Holders asked for a presentation.
    pub inquired: usize,
    /// Presentations that came.
    pub presented: usize,
    /// How long ago the own index was last compared with another node's; `None` when never.
    pub index_age_ms: Option<u64>,
    /// The largest index among the nodes that answered.
    pub largest_index: usize,
    /// How many of those that answered keep everything they learn of.
    pub full_replicas: usize,
    /// How much the own node keeps.
    pub replica: Replica,
    /// What was reached of the cells that the query needs; `None` when it needed none: the own index is a full one, or the
    /// query has no skill by which to choose cells.
    pub cells: Option<CellCoverage>,
}

/// What a search reached of the cells that it needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellCoverage {
    /// Cells asked.
    pub asked: usize,
    /// Those of which at least one half answered.
    pub answered: usize,
    /// Those of which both halves answered, so that the answers could be compared.
    pub compared: usize,
    /// Those of them whose halves named different people.
    pub differing: usize,
    /// Those around which more nodes crowd than chance explains: somebody may want to hide who is there. Others were asked as well.
    pub crowded: usize,
    /// Cells that nobody answered for.
    pub unreached: Vec<(SkillId, Path)>,
    /// Cells that were not asked, since there were more than a search asks.
    pub cut: usize,
    /// Requests that it took.
    pub requests: usize,
    /// An estimate of how many people neither half of a cell named, from how far the two differ; `None` when a cell could not be
    /// compared.
    pub missing: Option<usize>,
}
