//! The messages of the request protocol, the items that gossip and the hash table carry, and the topics.
//!
//! Specification: `spec/message.md`. Decoding refuses what [`limits`](crate::limits) does not allow before anything is
//! verified, and a signed part only decodes when its signature verifies.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    cell::{Cell, Descriptor, Path, Receipt},
    id::Id,
    inquiry::{Disclosure, Inquiry},
    key::PublicKey,
    limits::{
        ANNOUNCE_TOPICS, CELL_CHILDREN_MAX, FETCH_IDS_MAX, FIND_SKIP_MAX, GOSSIP_BYTES_MAX, LEADS_MAX,
        MESSAGE_BYTES_MAX, RECONCILE_FRAME_BYTES_MAX, STORE_CELLS_MAX, STORE_ITEMS_MAX, WITHDRAW_TOPICS,
    },
    query::Query,
    signed::{self, Kept, Signed, SignedError, Stated, Statement},
    summary::{Summary, Tombstone},
    time::Timestamp,
    wire::{self, WireError},
};

/// What is published: by gossip, in the hash table, and in reconciliation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A holder can be found.
    Summary(Signed<Summary>),
    /// A holder no longer wants to be found.
    Tombstone(Signed<Tombstone>),
}

impl Item {
    /// Decodes and verifies.
    ///
    /// # Errors
    /// When the bytes are illegal or a signature does not verify.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        wire::decode(bytes, GOSSIP_BYTES_MAX)
    }

    /// Decodes what this node verified before it kept it, without verifying again: for the own store only.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn decode_kept(bytes: &[u8]) -> Result<Self, WireError> {
        Ok(match wire::decode_kept(bytes)? {
            KeptItem::Summary(Kept(summary)) => Item::Summary(summary),
            KeptItem::Tombstone(Kept(tombstone)) => Item::Tombstone(tombstone),
        })
    }

    /// Canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// The view it is about.
    pub fn view(&self) -> PublicKey {
        match self {
            Item::Summary(s) => s.body().view(),
            Item::Tombstone(t) => t.body().view(),
        }
    }

    /// The id of the signed statement.
    pub fn id(&self) -> Id {
        match self {
            Item::Summary(s) => s.id(),
            Item::Tombstone(t) => t.id(),
        }
    }

    /// Until when it is worth keeping.
    pub fn expires(&self) -> Timestamp {
        match self {
            Item::Summary(s) => s.body().expires(),
            Item::Tombstone(t) => t.body().kept_until(),
        }
    }

    /// The gossip topic that carries it.
    pub fn topic(&self) -> String {
        let hash = Id::of(self.view().as_bytes()).0[0];
        match self {
            Item::Summary(_) => format!("{TOPIC_PREFIX}announce/{}", hash % ANNOUNCE_TOPICS),
            Item::Tombstone(_) => format!("{TOPIC_PREFIX}withdraw/{}", hash % WITHDRAW_TOPICS),
        }
    }

    /// The key under which the hash table keeps the view's newest item: `/knack/` and the view's `did:key`. A
    /// namespace and a slash is the only form of key that js-libp2p takes.
    pub fn record_key(&self) -> Vec<u8> {
        record_key(&self.view())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptItem {
    Summary(Kept<Summary>),
    Tombstone(Kept<Tombstone>),
}

/// The hash table's key for a view.
pub fn record_key(view: &PublicKey) -> Vec<u8> {
    format!("/knack/{view}").into_bytes()
}

/// Every gossip topic begins with this.
pub const TOPIC_PREFIX: &str = "/knack/1/";

/// Every topic that a full replica subscribes to.
pub fn topics() -> Vec<String> {
    let announce = (0..ANNOUNCE_TOPICS).map(|number| format!("{TOPIC_PREFIX}announce/{number}"));
    announce.chain(withdrawals()).collect()
}

/// Every topic of withdrawals.
pub fn withdrawals() -> impl Iterator<Item = String> {
    (0..WITHDRAW_TOPICS).map(|number| format!("{TOPIC_PREFIX}withdraw/{number}"))
}

/// A frame of a reconciliation session (range-based set reconciliation, negentropy protocol version 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawFrame", into = "RawFrame")]
pub struct Frame(Vec<u8>);

#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct RawFrame(#[serde(with = "wire::bytes")] Vec<u8>);

impl From<Frame> for RawFrame {
    fn from(f: Frame) -> RawFrame {
        RawFrame(f.0)
    }
}

impl TryFrom<RawFrame> for Frame {
    type Error = TooMuch;

    fn try_from(raw: RawFrame) -> Result<Self, TooMuch> {
        Frame::new(raw.0)
    }
}

impl Frame {
    /// A frame, within its bound.
    ///
    /// # Errors
    /// When it is larger than [`RECONCILE_FRAME_BYTES_MAX`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, TooMuch> {
        if bytes.len() <= RECONCILE_FRAME_BYTES_MAX {
            Ok(Frame(bytes))
        } else {
            Err(TooMuch("reconciliation frame"))
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A part of a message is larger than its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {0} is over its bound")]
pub struct TooMuch(&'static str);

/// A request to another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RequestDraft", rename_all = "snake_case")]
pub enum Request {
    /// Who of the summaries you hold matches?
    Find {
        /// The query, names resolved.
        query: Query,
        /// At most so many leads.
        limit: u16,
        /// How many of the best are had already.
        #[serde(skip_serializing_if = "is_zero")]
        skip: u16,
        /// The cell that is asked for; who does not keep it refuses.
        #[serde(skip_serializing_if = "Option::is_none")]
        cell: Option<Box<Cell>>,
    },
    /// Prove it to me.
    Inquire(Signed<Inquiry>),
    /// Delete this holder's summaries.
    Withdraw(Signed<Tombstone>),
    /// Compare what we hold, as of an instant.
    Reconcile {
        /// Both sides leave out what has expired by then.
        as_of: Timestamp,
        /// The session's next frame.
        frame: Frame,
        /// Of what.
        #[serde(skip_serializing_if = "Scope::is_all")]
        scope: Scope,
    },
    /// Send me these items.
    Fetch {
        /// Ids of signed statements.
        ids: Vec<Id>,
    },
    /// Keep these items in these cells.
    Store {
        /// At most [`STORE_CELLS_MAX`].
        cells: Vec<Cell>,
        /// At most [`STORE_ITEMS_MAX`].
        items: Vec<Item>,
    },
}

/// What a reconciliation is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All that is held.
    #[default]
    All,
    /// Tombstones.
    Withdrawals,
    /// The summaries of a cell.
    Cell(Box<Cell>),
}

impl Scope {
    fn is_all(&self) -> bool {
        *self == Scope::All
    }
}

/// How much of the network's summaries a node keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replica {
    /// All that it learns of.
    #[default]
    Full,
    /// Those of the cells that are placed on it.
    Cells,
    /// None but its own.
    None,
}

impl Replica {
    fn is_full(&self) -> bool {
        *self == Replica::Full
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RequestDraft {
    Find {
        query: Query,
        limit: u16,
        #[serde(default)]
        skip: u16,
        #[serde(default)]
        cell: Option<Box<Cell>>,
    },
    Inquire(Signed<Inquiry>),
    Withdraw(Signed<Tombstone>),
    Reconcile {
        as_of: Timestamp,
        frame: Frame,
        #[serde(default)]
        scope: Scope,
    },
    Fetch {
        ids: Vec<Id>,
    },
    Store {
        cells: Vec<Cell>,
        #[serde(deserialize_with = "items")]
        items: Vec<Item>,
    },
}

impl TryFrom<RequestDraft> for Request {
    type Error = TooMuch;

    fn try_from(draft: RequestDraft) -> Result<Self, TooMuch> {
        Ok(match draft {
            RequestDraft::Find { limit, .. } if usize::from(limit) > LEADS_MAX => {
                return Err(TooMuch("limit"));
            }
            RequestDraft::Find { skip, .. } if usize::from(skip) > FIND_SKIP_MAX => {
                return Err(TooMuch("number of leads to skip"));
            }
            RequestDraft::Fetch { ids } if ids.len() > FETCH_IDS_MAX => return Err(TooMuch("list of ids")),
            RequestDraft::Store { cells, .. } if cells.len() > STORE_CELLS_MAX => {
                return Err(TooMuch("list of cells"));
            }
            RequestDraft::Store { items, .. } if items.len() > STORE_ITEMS_MAX => {
                return Err(TooMuch("list of items"));
            }
            RequestDraft::Find { query, limit, skip, cell } => Request::Find { query, limit, skip, cell },
            RequestDraft::Inquire(inquiry) => Request::Inquire(inquiry),
            RequestDraft::Withdraw(tombstone) => Request::Withdraw(tombstone),
            RequestDraft::Reconcile { as_of, frame, scope } => Request::Reconcile { as_of, frame, scope },
            RequestDraft::Fetch { ids } => Request::Fetch { ids },
            RequestDraft::Store { cells, items } => Request::Store { cells, items },
        })
    }
}

impl Request {
    /// Asks for the best leads among all that a node holds.
    pub fn find(query: Query, limit: u16) -> Self {
        Request::Find { query, limit, skip: 0, cell: None }
    }

    /// Begins or continues a comparison of all that is held.
    pub fn reconcile(as_of: Timestamp, frame: Frame) -> Self {
        Request::Reconcile { as_of, frame, scope: Scope::All }
    }

    /// Decodes a request.
    ///
    /// # Errors
    /// When the bytes are illegal, over a bound, or a signature does not verify.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        wire::decode(bytes, MESSAGE_BYTES_MAX)
    }

    /// The same, for who has met some of the items to be stored and has `known` say which, by their bytes: those are not verified
    /// again.
    ///
    /// # Errors
    /// As for [`Request::decode`].
    pub fn decode_knowing(bytes: &[u8], known: impl Fn(&[u8]) -> Option<Item>) -> Result<Self, WireError> {
        if !bytes.starts_with(STORE) {
            return Request::decode(bytes);
        }
        let StatedRequest::Store { cells, items } = wire::decode(bytes, MESSAGE_BYTES_MAX)?;
        let illegal = |reason: String| WireError::Illegal { kind: "Request", reason };
        let items = verified(items, |item| known(&wire::encode(item))).map_err(|e| illegal(e.to_string()))?;
        Request::try_from(RequestDraft::Store { cells, items }).map_err(|e| illegal(e.to_string()))
    }

    /// Canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }
}

/// A summary as an answer carries it: the envelope's bytes, not yet verified, so that a seeker who holds the same
/// summary need not verify it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Envelope(#[serde(with = "wire::bytes")] pub Vec<u8>);

/// An answer to a search.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leads {
    /// Matching summaries, best first by their stated claims.
    pub summaries: Vec<Envelope>,
    /// How many matched, shown or not.
    pub matched: u32,
    /// How many summaries the answering node holds.
    pub held: u32,
    /// When the answering node last reconciled with a peer, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciled: Option<Timestamp>,
    /// How much the answering node keeps.
    #[serde(default, skip_serializing_if = "Replica::is_full")]
    pub replica: Replica,
    /// What it says of the cell asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<Descriptor>,
}

/// Why a request was refused. The names are stable: other implementations act on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The bytes are no legal request.
    Malformed,
    /// Too many requests; try later.
    Busy,
    /// Expired, issued in the future, or of another epoch.
    NotCurrent,
    /// The cell, or what a comparison is about, is not kept here.
    NotKept,
}

/// What became of a summary in one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placed {
    /// It is kept there; the receipt names the cell.
    Kept,
    /// The cell is split: its summaries go into these parts of it, at most [`CELL_CHILDREN_MAX`].
    Split(#[serde(deserialize_with = "parts")] Vec<Path>),
    /// It is not kept there.
    Refused(Refusal),
}

fn parts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Path>, D::Error> {
    let parts: Vec<Path> = Vec::deserialize(d)?;
    if parts.len() <= CELL_CHILDREN_MAX {
        Ok(parts)
    } else {
        Err(de::Error::custom(TooMuch("list of parts")))
    }
}

fn outcomes<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Placed>, D::Error> {
    let cells: Vec<Placed> = Vec::deserialize(d)?;
    if cells.len() <= STORE_CELLS_MAX { Ok(cells) } else { Err(de::Error::custom(TooMuch("list of cells"))) }
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// To `Find`.
    Leads(Leads),
    /// To `Inquire`, where consent says so.
    Disclosed(Disclosure),
    /// To `Inquire`, in every other case: pending, declined, hidden and unknown look the same.
    Received,
    /// To `Withdraw`.
    Deleted(Signed<Acknowledgement>),
    /// To `Reconcile`.
    Reconciled {
        /// The session's next frame; the protocol's version byte alone when nothing is left to compare.
        frame: Frame,
        /// Whether all that the answering node learns of is kept there.
        #[serde(default, skip_serializing_if = "Replica::is_full")]
        replica: Replica,
        /// How many summaries the answering node holds, which is told where not all of them are compared.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<u32>,
        /// The parts into which the cell that is compared was split there.
        #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "parts")]
        parts: Vec<Path>,
    },
    /// To `Store`.
    Stored {
        /// For what is kept.
        receipt: Signed<Receipt>,
        /// What became of it in each cell, in the order in which they were named.
        #[serde(deserialize_with = "outcomes")]
        cells: Vec<Placed>,
    },
    /// To `Fetch`: those of the items that are held, as many as fit.
    Items(#[serde(deserialize_with = "items")] Vec<Item>),
    /// To anything.
    Refused(Refusal),
}

impl Response {
    /// Continues a comparison, as a node that keeps all it learns of.
    pub fn reconciled(frame: Frame) -> Self {
        Response::Reconciled { frame, replica: Replica::Full, held: None, parts: Vec::new() }
    }

    /// Decodes a response.
    ///
    /// # Errors
    /// When the bytes are illegal or a signature does not verify.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        wire::decode(bytes, MESSAGE_BYTES_MAX)
    }

    /// The same, for who has met some of the items and has `known` say which, by their bytes: those are not verified again.
    ///
    /// # Errors
    /// As for [`Response::decode`].
    pub fn decode_knowing(bytes: &[u8], known: impl Fn(&[u8]) -> Option<Item>) -> Result<Self, WireError> {
        if !bytes.starts_with(ITEMS) {
            return Response::decode(bytes);
        }
        let StatedResponse::Items(stated) = wire::decode(bytes, MESSAGE_BYTES_MAX)?;
        match verified(stated, |item| known(&wire::encode(item))) {
            Ok(items) => Ok(Response::Items(items)),
            Err(error) => Err(WireError::Illegal { kind: "Response", reason: error.to_string() }),
        }
    }

    /// Canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }
}

/// Many items, their signatures verified.
fn items<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Item>, D::Error> {
    verified(Vec::deserialize(d)?, |_| None).map_err(de::Error::custom)
}

/// Items of which those are verified that nobody knows, the signatures of the summaries together. One that is illegal spoils the
/// answer.
fn verified(
    stated: Vec<StatedItem>,
    known: impl Fn(&StatedItem) -> Option<Item>,
) -> Result<Vec<Item>, SignedError> {
    let (mut summaries, mut tombstones, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for item in stated {
        if let Some(item) = known(&item) {
            places.push(Place::Known(item));
            continue;
        }
        match item {
            StatedItem::Summary(summary) => {
                places.push(Place::Summary);
                summaries.push(Ok(summary));
            }
            StatedItem::Tombstone(tombstone) => {
                places.push(Place::Tombstone);
                tombstones.push(Ok(tombstone));
            }
        }
    }
    let mut summaries = signed::verify_all(summaries).into_iter();
    let mut tombstones = signed::verify_all(tombstones).into_iter();
    let in_order = places.into_iter().filter_map(|place| match place {
        Place::Known(item) => Some(Ok(item)),
        Place::Summary => summaries.next().map(|summary| summary.map(Item::Summary)),
        Place::Tombstone => tombstones.next().map(|tombstone| tombstone.map(Item::Tombstone)),
    });
    in_order.collect()
}

/// Where an item of an answer comes from.
enum Place {
    Known(Item),
    Summary,
    Tombstone,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly every item is a summary")]
enum StatedItem {
    Summary(Stated<Summary>),
    Tombstone(Stated<Tombstone>),
}

/// A response to `Fetch` before anything of it is verified.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatedResponse {
    Items(Vec<StatedItem>),
}

/// A request to store before anything of it is verified.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatedRequest {
    Store { cells: Vec<Cell>, items: Vec<StatedItem> },
}

/// How a request to store begins: a map of one entry, its name.
const STORE: &[u8] = b"\xa1\x65store";

/// How a response to `Fetch` begins: a map of one entry, its name.
const ITEMS: &[u8] = b"\xa1\x65items";

/// A node's signed word that it has deleted what a tombstone names: a promise, not a proof of erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// The acknowledging node's key.
    pub node: PublicKey,
    /// The tombstone.
    pub tombstone: Id,
    /// When.
    pub at: Timestamp,
}

impl Statement for Acknowledgement {
    const DOMAIN: &'static str = "acknowledgement";
    const BYTES_MAX: usize = 256;

    fn signer(&self) -> PublicKey {
        self.node
    }
}
