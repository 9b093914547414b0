//! What a holder has of what is asked for (section 6.4).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{ClaimQuery, CredentialQuery, Format, Pointed, Query};
use crate::{claim_path::ClaimPath, limits::DCQL_SELECTED_MAX};

/// A credential that a holder has, as far as a query looks at it.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// Its format.
    pub format: Format,
    /// Its claims, all that could be disclosed among them. Of W3C credentials, the credential itself.
    pub claims: &'a Map<String, Value>,
    /// What kind of credential it is: `vct`, with what it extends; or of W3C credentials the types as full IRIs, where their
    /// contexts give them any.
    pub types: &'a [String],
    /// Whether its holder can prove that it holds it: whether it is bound to a key or a DID that the holder controls.
    pub bound: bool,
}

/// What answers a query. Empty where something that is required is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection<'q> {
    /// What can be presented, in the order of the query's credentials.
    pub answers: Vec<Answer<'q>>,
    /// The credentials asked for that nothing answers, and why.
    pub misses: Vec<Miss<'q>>,
    /// The required sets of credentials, by their index in the query, of which no option is complete.
    pub unmet_sets: Vec<usize>,
    satisfied: bool,
}

/// What answers one part of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<'q> {
    /// The part.
    pub query: &'q CredentialQuery,
    /// Whether the verifier insists on it.
    pub required: bool,
    /// What will do, in the order of the candidates: one of them is to be presented, or several where
    /// [`CredentialQuery::multiple`] says so.
    pub matches: Vec<Match>,
}

/// A candidate that answers, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The candidate's index.
    pub candidate: usize,
    /// The claims to disclose, each with all that is inside it. A format that cannot withhold claims discloses all anyway.
    pub disclose: Vec<ClaimPath>,
}

/// A part of a query that nothing answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss<'q> {
    /// The part, by its identifier.
    pub id: &'q str,
    /// Why the best of the candidates does not answer.
    pub why: Missing,
}

/// What is missing. The later, the more of the conditions the best candidate meets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No credential has this format.
    #[error("there is no credential in the format that is asked for")]
    Format,
    /// None in this format is of these types.
    #[error("there is no credential of the type that is asked for")]
    Type,
    /// None of these types can be shown to be held.
    #[error("no credential of this type is bound to a key of its holder")]
    HolderBinding,
    /// None of these has all claims that are wanted; these it lacks, or their values are others.
    #[error("no credential has the claims that are asked for; missing or of another value: {}", .0.join(", "))]
    Claims(Vec<String>),
}

impl Missing {
    /// The stable name of this reason, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            Missing::Format => "no-format",
            Missing::Type => "no-type",
            Missing::HolderBinding => "no-holder-binding",
            Missing::Claims(_) => "no-claims",
        }
    }

    /// How close a candidate is that lacks this: conditions met, then claims not lacking.
    fn closeness(&self) -> (u8, usize) {
        match self {
            Missing::Format => (0, 0),
            Missing::Type => (1, 0),
            Missing::HolderBinding => (2, 0),
            Missing::Claims(lacking) => (3, usize::MAX - lacking.len()),
        }
    }
}

impl Selection<'_> {
    /// Whether everything that is required can be presented.
    pub fn is_satisfied(&self) -> bool {
        self.satisfied
    }
}

impl Query {
    /// What of `candidates` answers this query (sections 6.4.1 and 6.4.2).
    pub fn evaluate(&self, candidates: &[Candidate<'_>]) -> Selection<'_> {
        let mut matches = BTreeMap::new();
        let mut misses = Vec::new();
        for (index, query) in self.credentials.iter().enumerate() {
            match query.matches(candidates) {
                Ok(found) => drop(matches.insert(index, found)),
                Err(why) => misses.push(Miss { id: &query.id, why }),
            }
        }
        let mut unmet_sets = Vec::new();
        let mut wanted = BTreeMap::new();
        for (index, set) in self.sets.iter().enumerate() {
            match set.options.iter().find(|option| option.iter().all(|c| matches.contains_key(c))) {
                Some(option) => {
                    option.iter().for_each(|c| *wanted.entry(*c).or_insert(false) |= set.required)
                }
                None if set.required => unmet_sets.push(index),
                None => {}
            }
        }
        let satisfied = if self.sets.is_empty() {
            wanted = (0..self.credentials.len()).map(|c| (c, true)).collect();
            misses.is_empty()
        } else {
            unmet_sets.is_empty()
        };
        let answers = wanted.into_iter().filter(|_| satisfied).filter_map(|(index, required)| {
            let query = &self.credentials[index];
            matches.remove(&index).map(|matches| Answer { query, required, matches })
        });
        Selection { answers: answers.collect(), misses, unmet_sets, satisfied }
    }
}

impl CredentialQuery {
    /// The candidates that answer; at least one, or what the closest lacks.
    fn matches(&self, candidates: &[Candidate<'_>]) -> Result<Vec<Match>, Missing> {
        let mut found = Vec::new();
        let mut closest = Missing::Format;
        for (index, candidate) in candidates.iter().enumerate() {
            match self.answer(candidate) {
                Ok(disclose) => found.push(Match { candidate: index, disclose }),
                Err(missing) if missing.closeness() > closest.closeness() => closest = missing,
                Err(_) => {}
            }
        }
        if found.is_empty() { Err(closest) } else { Ok(found) }
    }

    /// The claims that `candidate` must disclose to answer.
    fn answer(&self, candidate: &Candidate<'_>) -> Result<Vec<ClaimPath>, Missing> {
        if candidate.format != self.format {
            return Err(Missing::Format);
        }
        let has_all = |types: &Vec<String>| types.iter().all(|one| candidate.types.contains(one));
        if !self.types.is_empty() && !self.types.iter().any(has_all) {
            return Err(Missing::Type);
        }
        if self.holder_binding && !candidate.bound {
            return Err(Missing::HolderBinding);
        }
        let found: Vec<Vec<ClaimPath>> =
            self.claims.iter().map(|claim| claim.find(candidate.claims)).collect();
        let all = [(0..self.claims.len()).collect()];
        let sets = if self.claim_sets.is_empty() { &all } else { self.claim_sets.as_slice() };
        let lacking = |set: &Vec<usize>| set.iter().filter(|n| found[**n].is_empty()).count();
        match sets.iter().find(|set| lacking(set) == 0) {
            Some(set) => {
                let paths: BTreeSet<&ClaimPath> = set.iter().flat_map(|n| &found[*n]).collect();
                Ok(paths.into_iter().cloned().collect())
            }
            None => {
                let closest = sets.iter().min_by_key(|set| lacking(set)).into_iter().flatten();
                let missing = closest.filter(|n| found[**n].is_empty());
                Err(Missing::Claims(missing.map(|n| self.claims[*n].to_string()).collect()))
            }
        }
    }
}

impl ClaimQuery {
    /// The claims that this points to in `claims`, and that have one of the values, where any are stated (section 7.1.1).
    /// None, too, where it points to more than [`DCQL_SELECTED_MAX`].
    fn find(&self, claims: &Map<String, Value>) -> Vec<ClaimPath> {
        let found = self.path.0.split_first().and_then(|(first, rest)| {
            let Pointed::Member(key) = first else { return None };
            let root = (ClaimPath::default().member(key), claims.get(key)?);
            rest.iter().try_fold(vec![root], |selected, step| go(selected, step))
        });
        let fits = |value: &Value| self.values.is_empty() || self.values.contains(value);
        found.into_iter().flatten().filter(|(_, value)| fits(value)).map(|(path, _)| path).collect()
    }
}

/// One step from each of what is selected; `None` where one of them is of the wrong kind, or there are too many.
fn go<'v>(selected: Vec<(ClaimPath, &'v Value)>, step: &Pointed) -> Option<Vec<(ClaimPath, &'v Value)>> {
    let mut next = Vec::new();
    for (path, value) in selected {
        match step {
            Pointed::Member(key) => {
                next.extend(value.as_object()?.get(key).map(|inner| (path.member(key), inner)));
            }
            Pointed::Element(index) => {
                next.extend(value.as_array()?.get(*index).map(|inner| (path.element(*index), inner)));
            }
            Pointed::Every => {
                let items = value.as_array()?;
                if next.len() + items.len() > DCQL_SELECTED_MAX {
                    return None;
                }
                next.extend(items.iter().enumerate().map(|(n, inner)| (path.clone().element(n), inner)));
            }
        }
    }
    Some(next)
}
