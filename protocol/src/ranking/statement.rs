//! The score statement: what a seeker signs so that a candidate can recompute the rank.

use serde::{Deserialize, Serialize};

use super::{Score, Standing, Term, WEIGHTS_VERSION, score};
use crate::{
    id::Id,
    key::PublicKey,
    limits::STATEMENT_BYTES_MAX,
    query::Query,
    signed::{Signed, Statement},
    summary::Summary,
    time::Timestamp,
    vocabulary::Vocabulary,
};

/// A seeker's signed word on how one candidate was scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreStatement {
    /// Who scored.
    pub seeker: PublicKey,
    /// What was asked.
    pub query: Query,
    /// The version of weights and signals.
    pub weights: u32,
    /// The digest of the vocabulary with its table of inverse document frequencies.
    pub idf: Id,
    /// When.
    pub time: Timestamp,
    /// Breaks ties among equal scores.
    #[serde(with = "crate::wire::fixed_bytes")]
    pub seed: [u8; 32],
    /// The summary scored.
    pub summary: Id,
    /// Its claims as they counted, with the recognition of each issuer that the seeker's trust list gave.
    pub standing: Vec<Standing>,
    /// The score.
    pub points: u64,
    /// What it is made of.
    pub terms: Vec<Term>,
}

impl Statement for ScoreStatement {
    const DOMAIN: &'static str = "score";
    const BYTES_MAX: usize = STATEMENT_BYTES_MAX;

    fn signer(&self) -> PublicKey {
        self.seeker
    }
}

/// Why a statement cannot be recomputed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Made with weights of another version.
    #[error("the statement was made with weights of version {0}; this program has version {WEIGHTS_VERSION}")]
    Weights(u32),
    /// Made with another vocabulary.
    #[error("the statement was made with another vocabulary")]
    Vocabulary,
    /// It is about another summary.
    #[error("the statement is about another summary")]
    Summary,
}

/// The outcome of a recomputation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recomputed {
    /// The same score, the same terms.
    Same,
    /// Not what was stated.
    Different {
        /// What the statement says.
        stated: u64,
        /// What it should have said.
        computed: i64,
    },
}

impl ScoreStatement {
    /// Recomputes the score from the signed summary.
    ///
    /// # Errors
    /// When it was made with other weights, another vocabulary or about another summary.
    pub fn recompute(
        &self,
        summary: &Signed<Summary>,
        vocabulary: &Vocabulary,
    ) -> Result<Recomputed, StatementError> {
        if self.weights != WEIGHTS_VERSION {
            return Err(StatementError::Weights(self.weights));
        }
        if self.idf != vocabulary.digest() {
            return Err(StatementError::Vocabulary);
        }
        if self.summary != summary.id() {
            return Err(StatementError::Summary);
        }
        let Score { points, terms } =
            score(&self.query, summary.body(), &self.standing, vocabulary, self.time);
        if u64::try_from(points) == Ok(self.points) && terms == self.terms {
            Ok(Recomputed::Same)
        } else {
            Ok(Recomputed::Different { stated: self.points, computed: points })
        }
    }
}
