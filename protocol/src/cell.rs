//! Cells: the parts of the skill index that the network places on nodes.
//!
//! A summary is kept whole in the cell of each of its skills. A cell has two *halves*, each with a key of its own in another
//! neighbourhood of the hash table, so that whoever surrounds one of them hides nobody. Keys change every day (*epoch*), so that
//! no place beside a skill can be taken for good. A cell that holds too many splits: first by country, then by the bits of the
//! view's hash; which child a summary is in follows from the summary alone.
//!
//! Specification: `spec/cell.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    id::Id,
    key::PublicKey,
    limits::{
        CELL_CHILDREN_MAX, CELL_DEPTH_MAX, EPOCH_MS, EPOCH_OVERLAP_MS, STORE_CELLS_MAX, STORE_ITEMS_MAX,
    },
    signed::Statement,
    skill::SkillId,
    summary::Summary,
    time::Timestamp,
    wire,
};

/// One half of a cell, in one epoch: what is placed at one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Whose holders it keeps.
    pub skill: SkillId,
    /// Which of them.
    pub path: Path,
    /// In which of its two neighbourhoods.
    pub half: Half,
    /// On which day.
    pub epoch: Epoch,
}

impl Cell {
    /// Where the hash table looks for the nodes that keep it: blake3 of the canonical bytes of `["knack-cell", cell]`.
    pub fn key(&self) -> Id {
        Id::of(&wire::encode(&("knack-cell", self)))
    }

    /// Whether it is the place of a summary.
    pub fn covers(&self, summary: &Summary) -> bool {
        summary.content().claim(&self.skill).is_some() && self.path.covers(summary)
    }

    /// The same part of the index in another epoch.
    pub fn in_epoch(&self, epoch: Epoch) -> Cell {
        Cell { epoch, ..self.clone() }
    }

    /// A part of it.
    pub fn at(&self, path: Path) -> Cell {
        Cell { path, ..self.clone() }
    }
}

/// Which of the two neighbourhoods of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Half {
    /// Number 0.
    First,
    /// Number 1.
    Second,
}

impl Half {
    /// Both.
    pub const BOTH: [Half; 2] = [Half::First, Half::Second];
}

impl From<Half> for u8 {
    fn from(half: Half) -> u8 {
        match half {
            Half::First => 0,
            Half::Second => 1,
        }
    }
}

impl TryFrom<u8> for Half {
    type Error = IllegalCell;

    fn try_from(number: u8) -> Result<Self, IllegalCell> {
        match number {
            0 => Ok(Half::First),
            1 => Ok(Half::Second),
            _ => Err(IllegalCell::Half),
        }
    }
}

/// A day (UTC) since 1970-01-01, for which the places of cells hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch of an instant.
    pub fn of(at: Timestamp) -> Self {
        Epoch(u32::try_from(at.unix_ms() / EPOCH_MS).unwrap_or(u32::MAX))
    }

    /// The day before; the first has none.
    pub const fn previous(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(day) => Some(Epoch(day)),
            None => None,
        }
    }

    /// The day after.
    pub const fn next(self) -> Self {
        Epoch(self.0.saturating_add(1))
    }

    /// When it is over.
    pub fn ends(self) -> Timestamp {
        Timestamp::from_unix_ms((u64::from(self.0) + 1).saturating_mul(EPOCH_MS))
    }

    /// Whether this is its last [`EPOCH_OVERLAP_MS`], in which everything is placed for the next one, too.
    pub fn is_ending(self, now: Timestamp) -> bool {
        self == Epoch::of(now) && self.ends() <= now.plus_ms(EPOCH_OVERLAP_MS)
    }
}

/// Which of a skill's holders a cell keeps: the empty text is all of them; `DE` those in a country, `-` those who state none;
/// `DE/01` those of them whose view hashes to something that begins with these bits.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path(String);

/// Where a summary without a country goes.
const NO_COUNTRY: &str = "-";

impl Path {
    /// All holders of a skill.
    pub const ALL: Path = Path(String::new());

    /// How many splits lead to it.
    pub fn depth(&self) -> usize {
        match self.0.split_once('/') {
            _ if self.0.is_empty() => 0,
            None => 1,
            Some((_, bits)) => 1 + bits.len(),
        }
    }

    /// The path of a summary after `depth` splits.
    pub fn of(summary: &Summary, depth: usize) -> Path {
        let Some(bits) = depth.checked_sub(1) else { return Path::ALL };
        let region = summary.content().terms().region.as_ref();
        let mut text = region.map_or(NO_COUNTRY, |region| region.country()).to_owned();
        if bits > 0 {
            let hash = Id::of(summary.view().as_bytes()).0;
            let bit = |at: usize| hash.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
            text.push('/');
            text.extend((0..bits).map(|at| if bit(at) { '1' } else { '0' }));
        }
        Path(text)
    }

    /// Whether a summary belongs there.
    pub fn covers(&self, summary: &Summary) -> bool {
        Path::of(summary, self.depth()) == *self
    }

    /// Where a summary goes when the cell is split; `None` when it cannot be split further.
    pub fn child(&self, summary: &Summary) -> Option<Path> {
        (self.depth() < CELL_DEPTH_MAX).then(|| Path::of(summary, self.depth() + 1))
    }

    /// Whether it comes of `parent` by one split.
    pub fn is_child_of(&self, parent: &Path) -> bool {
        let is_below = match (parent.depth(), self.depth()) {
            (0, 1) => true,
            (1, 2) => self.country() == parent.country(),
            _ => self.0.starts_with(&parent.0),
        };
        is_below && self.depth() == parent.depth() + 1
    }

    /// The country whose people it keeps, if those of one: empty for those who state none.
    pub fn country(&self) -> Option<&str> {
        let country = self.0.split('/').next().filter(|country| !country.is_empty())?;
        Some(if country == NO_COUNTRY { "" } else { country })
    }
}

impl TryFrom<String> for Path {
    type Error = IllegalCell;

    fn try_from(text: String) -> Result<Self, IllegalCell> {
        let (country, bits) = match text.split_once('/') {
            Some((country, bits)) if !bits.is_empty() => (country, bits),
            Some(_) => return Err(IllegalCell::Path),
            None => (text.as_str(), ""),
        };
        let is_country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        let is_placed = is_country || country == NO_COUNTRY || text.is_empty();
        let are_bits = bits.bytes().all(|b| matches!(b, b'0' | b'1')) && bits.len() < CELL_DEPTH_MAX;
        if is_placed && are_bits { Ok(Path(text)) } else { Err(IllegalCell::Path) }
    }
}

impl From<Path> for String {
    fn from(path: Path) -> String {
        path.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why something is no cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalCell {
    /// A cell has two halves.
    #[error("a half is 0 or 1")]
    Half,
    /// A path names a country or none, then bits.
    #[error("a path is empty, or a country or -, then / and bits")]
    Path,
    /// Parts of a cell are listed once each, in order, and within their bound.
    #[error("a list of parts that repeats, is out of order or over its bound")]
    Children,
    /// A receipt names what it is for once each, in order, and within their bounds.
    #[error("a receipt that is out of order or over its bound")]
    Receipt,
}

/// What a node says of a cell that it keeps: a hint, and no authority. Keys of parts are computed, not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DescriptorDraft", deny_unknown_fields)]
pub struct Descriptor {
    /// Summaries that it keeps there.
    pub count: u32,
    /// The parts into which the cell was split and in which somebody is, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Path>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DescriptorDraft {
    count: u32,
    #[serde(default)]
    parts: Vec<Path>,
}

impl TryFrom<DescriptorDraft> for Descriptor {
    type Error = IllegalCell;

    fn try_from(draft: DescriptorDraft) -> Result<Self, IllegalCell> {
        let DescriptorDraft { count, parts } = draft;
        let is_legal = parts.len() <= CELL_CHILDREN_MAX && parts.is_sorted_by(|a, b| a < b);
        if is_legal { Ok(Descriptor { count, parts }) } else { Err(IllegalCell::Children) }
    }
}

/// A node's signed word that it keeps items in cells: a promise, and no proof that it still does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ReceiptDraft", deny_unknown_fields)]
pub struct Receipt {
    node: PublicKey,
    cells: Vec<Id>,
    items: Vec<Id>,
    at: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptDraft {
    node: PublicKey,
    cells: Vec<Id>,
    items: Vec<Id>,
    at: Timestamp,
}

impl TryFrom<ReceiptDraft> for Receipt {
    type Error = IllegalCell;

    fn try_from(draft: ReceiptDraft) -> Result<Self, IllegalCell> {
        let ReceiptDraft { node, cells, items, at } = draft;
        let ordered = |ids: &[Id]| ids.is_sorted_by(|a, b| a < b);
        let is_legal = cells.len() <= STORE_CELLS_MAX && items.len() <= STORE_ITEMS_MAX;
        if is_legal && ordered(&cells) && ordered(&items) {
            Ok(Receipt { node, cells, items, at })
        } else {
            Err(IllegalCell::Receipt)
        }
    }
}

impl Receipt {
    /// The word of `node` on what it keeps, both lists within the bounds of one request to store.
    pub fn new(node: PublicKey, mut cells: Vec<Id>, mut items: Vec<Id>, at: Timestamp) -> Self {
        for ids in [&mut cells, &mut items] {
            ids.sort();
            ids.dedup();
        }
        Receipt { node, cells, items, at }
    }

    /// The key of the node that keeps them.
    pub fn node(&self) -> &PublicKey {
        &self.node
    }

    /// The keys of the cells in which it keeps all that belongs there.
    pub fn cells(&self) -> &[Id] {
        &self.cells
    }

    /// The items that it keeps.
    pub fn items(&self) -> &[Id] {
        &self.items
    }

    /// When it said so.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl Statement for Receipt {
    const DOMAIN: &'static str = "receipt";
    const BYTES_MAX: usize = 8 * 1024;

    fn signer(&self) -> PublicKey {
        self.node
    }
}
