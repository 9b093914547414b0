//! The score of a summary by its claims as stated, read from columns: the same integers as
//! `ranking::score(query, summary, ranking::stated(summary, trust), ..)` gives to a seeker who lists every issuer.
//!
//! An index answers for seekers whose trust it does not know, so it counts every issuer as recognised: no seeker's score
//! is higher.

use std::cmp::Reverse;

use knackmesh_protocol::{
    key::{Did, PublicKey},
    limits::QUERY_NODES_MAX,
    query::{Query, SkillTerm, Words},
    ranking::{Award, Recognition, Shares, Standing, signals},
    skill::{Level, Tier},
    summary::Month,
    time::Timestamp,
    vocabulary::Vocabulary,
};
use tantivy::{
    Searcher, SegmentReader,
    query::{EnableScoring, Scorer, Weight},
};

use super::{
    plan,
    schema::{ClaimColumns, Facts, Fields, Views, months_since_epoch, prefix_of},
};

// A set of requirements is the bits of a `u64`.
const _: () = assert!(QUERY_NODES_MAX <= u64::BITS as usize);

/// Levels times tiers.
const GRADES: usize = 25;
/// Ages in months whose points are remembered: a century's.
const AGES_MAX: usize = 1200;
/// Not a number of points: not computed yet.
const UNKNOWN: u32 = u32::MAX;

/// What a query asks for, and the points that claims earn.
pub(super) struct Scoring<'q> {
    shape: Shape,
    skills: Vec<SkillShare<'q>>,
    texts: Vec<TextShare>,
    now: Month,
    /// Months from 1970-01 until now.
    months: u32,
    /// Stands in for every issuer.
    issuer: Did,
}

/// How the points of what is asked for make the score, as [`Shares`] has it, with places instead of terms.
enum Shape {
    Skill(usize),
    Text(usize),
    Sum(Vec<Shape>),
    Best(Vec<Shape>),
}

impl Shape {
    fn score(&self, skills: &[u32], texts: &[u64]) -> u64 {
        match self {
            Shape::Skill(at) => skills.get(*at).copied().unwrap_or(0).into(),
            Shape::Text(at) => texts.get(*at).copied().unwrap_or(0),
            Shape::Sum(parts) => parts.iter().map(|p| p.score(skills, texts)).sum(),
            Shape::Best(parts) => parts.iter().map(|p| p.score(skills, texts)).max().unwrap_or(0),
        }
    }
}

struct SkillShare<'q> {
    term: &'q SkillTerm,
    share: u64,
    /// Stands in for the claim whose points are asked for: no signal looks at its skill.
    standing: Standing,
    /// Points by age in months and grade. Few of the entries are ever asked for.
    points: Vec<u32>,
}

struct TextShare {
    share: u64,
    weight: Box<dyn Weight>,
}

impl<'q> Scoring<'q> {
    /// Shares the points among what `query` asks for.
    pub fn new(
        query: &'q Query,
        vocabulary: &Vocabulary,
        fields: &Fields,
        searcher: &Searcher,
        now: Timestamp,
    ) -> tantivy::Result<Self> {
        let now = Month::of(now);
        let months = months_since_epoch(now);
        let (mut skills, mut texts) = (Vec::new(), Vec::new());
        let mut shape = |shares: &Shares<'q>| Self::shape(shares, months, &mut skills, &mut texts);
        let shape = shape(&Shares::of(query, vocabulary));
        let texts = texts.into_iter().map(|(words, share)| text_share(words, share, fields, searcher));
        let texts = texts.collect::<tantivy::Result<_>>()?;
        Ok(Scoring { shape, skills, texts, now, months, issuer: PublicKey::from_bytes([0; 32]).did() })
    }

    /// Gives every skill and text of the shares a place.
    fn shape(
        shares: &Shares<'q>,
        months: u32,
        skills: &mut Vec<SkillShare<'q>>,
        texts: &mut Vec<(&'q Words, u64)>,
    ) -> Shape {
        match shares {
            Shares::Skill(term, share) => {
                // A term without a skill is met by nobody.
                let Some(skill) = term.any_of.first().cloned() else { return Shape::Sum(Vec::new()) };
                let standing = Standing { skill, level: term.min, tier: Tier::Claimed, award: None };
                let points = vec![UNKNOWN; (AGES_MAX.min(months as usize) + 2) * GRADES];
                skills.push(SkillShare { term, share: *share, standing, points });
                Shape::Skill(skills.len() - 1)
            }
            Shares::Text(words, share) => {
                texts.push((words, *share));
                Shape::Text(texts.len() - 1)
            }
            Shares::Sum(parts) => {
                Shape::Sum(parts.iter().map(|p| Self::shape(p, months, skills, texts)).collect())
            }
            Shares::Best(parts) => {
                Shape::Best(parts.iter().map(|p| Self::shape(p, months, skills, texts)).collect())
            }
        }
    }

    /// Prepares to score a segment's documents.
    pub fn of_segment<'s>(&'s mut self, segment: &SegmentReader) -> tantivy::Result<SegmentScoring<'s, 'q>> {
        let columns = ClaimColumns::open(segment)?;
        let mut asked: Vec<(u64, u64)> = Vec::new();
        for (i, skill) in self.skills.iter().enumerate() {
            for id in &skill.term.any_of {
                if let Some(number) = columns.as_ref().map(|c| c.number_of_skill(id)).transpose()?.flatten() {
                    asked.push((number, 1 << i));
                }
            }
        }
        let last = asked.iter().map(|(number, _)| *number).max();
        let mut sets = vec![0];
        let mut set_of = vec![0; last.map_or(0, |last| last as usize + 1)];
        for (number, bit) in asked {
            let at: &mut u16 = &mut set_of[number as usize];
            if *at == 0 {
                // At most `QUERY_NODES_MAX` times `QUERY_EXPANSION_MAX` skills are asked for.
                *at = sets.len() as u16;
                sets.push(0);
            }
            sets[usize::from(*at)] |= bit;
        }
        let texts = self.texts.iter().map(|t| Ok((t.weight.scorer(segment, 1.0)?, t.share)));
        let texts = texts.collect::<tantivy::Result<_>>()?;
        let best = vec![0; self.skills.len()];
        Ok(SegmentScoring {
            columns,
            set_of,
            sets,
            texts,
            best,
            found: Vec::new(),
            buffer: Vec::new(),
            scoring: self,
        })
    }

    fn points(&mut self, skill: usize, facts: Facts) -> u32 {
        let (now, months) = (self.now, self.months);
        let Some(SkillShare { term, share, standing, points }) = self.skills.get_mut(skill) else { return 0 };
        if !(term.min.get()..=term.max.get()).contains(&facts.level) {
            return 0;
        }
        // An award of the future is as fresh as one of today.
        let age = facts.awarded.map(|month| months.saturating_sub(month));
        let slot = age.map_or(0, |age| age as usize + 1) * GRADES;
        let at = slot + usize::from(facts.tier) * 5 + usize::from(facts.level.saturating_sub(1));
        let known = points.get_mut(at);
        if let Some(known) = &known
            && **known != UNKNOWN
        {
            return **known;
        }
        let awarded = age.map(|age| month(months - age).unwrap_or(now));
        let award =
            |awarded| Award { issuer: self.issuer.clone(), recognition: Recognition::Listed, awarded };
        standing.level = Level::try_from(facts.level).unwrap_or(Level::MIN);
        standing.tier = Tier::ALL.get(usize::from(facts.tier)).copied().unwrap_or(Tier::Claimed);
        standing.award = awarded.map(award);
        let context = signals::Context { standing, asked: term.min, now };
        let computed = u32::try_from(signals::apply(*share, &context)).unwrap_or(UNKNOWN - 1);
        if let Some(unknown) = known {
            *unknown = computed;
        }
        computed
    }
}

fn text_share(words: &Words, share: u64, fields: &Fields, searcher: &Searcher) -> tantivy::Result<TextShare> {
    let weight = plan::text(words, fields).weight(EnableScoring::disabled_from_searcher(searcher))?;
    Ok(TextShare { share, weight })
}

/// The month that begins so many months after 1970-01.
fn month(since_epoch: u32) -> Option<Month> {
    format!("{:04}-{:02}", 1970 + since_epoch / 12, 1 + since_epoch % 12).parse().ok()
}

/// Scores documents of one segment, in ascending order.
pub(super) struct SegmentScoring<'s, 'q> {
    scoring: &'s mut Scoring<'q>,
    columns: Option<ClaimColumns>,
    /// For each skill's number, a place in `sets`; skills above those asked for are left out.
    set_of: Vec<u16>,
    /// Requirements that a skill meets.
    sets: Vec<u64>,
    texts: Vec<(Box<dyn Scorer>, u64)>,
    /// Points of each skill, and of each text, of the document at hand.
    best: Vec<u32>,
    found: Vec<u64>,
    buffer: Vec<u64>,
}

impl SegmentScoring<'_, '_> {
    /// The score of `document`.
    pub fn score(&mut self, document: u32) -> u64 {
        self.found.clear();
        for (found, share) in &mut self.texts {
            self.found.push(if plan::holds(found, document) { *share } else { 0 });
        }
        self.best.fill(0);
        if let Some(columns) = self.columns.as_ref().filter(|_| !self.set_of.is_empty()) {
            let rows = columns.rows(document);
            columns.skills(rows.clone(), &mut self.buffer);
            for (row, number) in rows.zip(&self.buffer) {
                let set = self.set_of.get(*number as usize).copied().unwrap_or_default();
                if set == 0 {
                    continue;
                }
                let facts = columns.facts(row);
                let mut left = self.sets[usize::from(set)];
                while left != 0 {
                    let skill = left.trailing_zeros() as usize;
                    let points = self.scoring.points(skill, facts);
                    self.best[skill] = self.best[skill].max(points);
                    left &= left - 1;
                }
            }
        }
        self.scoring.shape.score(&self.best, &self.found)
    }
}

/// An order of equals, by a keyed hash of the view, so that no one is always last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shuffle(pub(super) u64);

impl Shuffle {
    /// Where a view stands among its equals: before those with more.
    pub fn place(self, view: &PublicKey) -> u64 {
        self.of(prefix_of(view))
    }

    fn of(self, prefix: u64) -> u64 {
        mixed(prefix ^ self.0)
    }
}

/// The best documents so far.
pub(super) struct Best {
    limit: usize,
    shuffle: Shuffle,
    entries: Vec<Entry>,
    /// What is not below this cannot be among the best.
    floor: Option<Rank>,
}

type Rank = (Reverse<u64>, u64);

/// By rank, then by segment and document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    rank: Rank,
    segment: u32,
    document: u32,
}

impl Best {
    /// Keeps at most `limit` of them.
    pub fn new(limit: usize, shuffle: Shuffle) -> Self {
        Best { limit, shuffle, entries: Vec::with_capacity(2 * limit), floor: None }
    }

    /// Takes a document into account.
    pub fn offer(&mut self, score: u64, segment: u32, document: u32, views: &Views) {
        if self.limit == 0 || self.floor.is_some_and(|(floor, _)| Reverse(score) > floor) {
            return;
        }
        let rank = (Reverse(score), self.shuffle.of(views.prefix(document)));
        if self.floor.is_some_and(|floor| rank >= floor) {
            return;
        }
        self.entries.push(Entry { rank, segment, document });
        if self.entries.len() == 2 * self.limit {
            let (_, last, _) = self.entries.select_nth_unstable(self.limit - 1);
            self.floor = Some(last.rank);
            self.entries.truncate(self.limit);
        }
    }

    /// Their keys, best first.
    pub fn into_views(mut self, views: &[Option<Views>]) -> Vec<PublicKey> {
        self.entries.sort_unstable();
        self.entries.truncate(self.limit);
        let key = |e: &Entry| Some(views.get(e.segment as usize)?.as_ref()?.key(e.document));
        self.entries.iter().filter_map(key).collect()
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input changes half of the output.
fn mixed(n: u64) -> u64 {
    let n = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ n >> 31
}
