//! The index of admitted summaries, in memory for now: made anew from the store at each start, and searched one by one.
use knackmesh_protocol::{
    credential::TrustList, key::PublicKey, query::Query, ranking, summary::Summary, time::Timestamp,
    vocabulary::Vocabulary,
};
use std::{collections::BTreeMap, path::Path, sync::Arc};
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct IndexError;
#[derive(Default)]
pub struct Candidates {
    pub views: Vec<PublicKey>,
    pub matched: usize,
}
pub struct SummaryIndex {
    map: BTreeMap<PublicKey, Summary>,
    v: Arc<Vocabulary>,
}
impl SummaryIndex {
    pub fn open(_d: &Path, v: Arc<Vocabulary>) -> Result<Self, IndexError> {
        Ok(Self { map: BTreeMap::new(), v })
    }
    pub fn put(&mut self, s: &Summary, _n: u64) -> Result<(), IndexError> {
        self.map.insert(s.view(), s.clone());
        Ok(())
    }
    pub fn remove(&mut self, v: &PublicKey) -> Result<(), IndexError> {
        self.map.remove(v);
        Ok(())
    }
    pub fn commit(&mut self) -> Result<(), IndexError> {
        Ok(())
    }
    pub fn serial(&self) -> u64 {
        0
    }
    pub fn nominate(&self, q: &Query, limit: usize) -> Result<Candidates, IndexError> {
        let t = TrustList::default();
        let mut all: Vec<_> =
            self.map.values().filter(|s| ranking::matches(q, s, &ranking::stated(s, &t), &self.v)).collect();
        all.sort_by_cached_key(|s| {
            -ranking::score(q, s, &ranking::stated(s, &t), &self.v, Timestamp::EPOCH).points
        });
        Ok(Candidates { matched: all.len(), views: all.into_iter().take(limit).map(|s| s.view()).collect() })
    }
}
