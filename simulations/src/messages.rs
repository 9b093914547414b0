//! Gossip messages, each once, with whom they reached when; and what their bytes say, decoded and verified once.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use knackmesh_protocol::{
    id::Id,
    message::{Item, Request, Response},
    signed::Signed,
    summary::Summary,
    time::Timestamp,
};

use crate::traffic::Kind;

/// Bytes of a topic's name, as `/knack/1/announce/63`, and of the tags and lengths of both fields in protobuf.
const ENVELOPE_BYTES: usize = 26;

/// A gossip message. Times are in milliseconds since it was published.
#[derive(Debug)]
pub struct Message {
    /// The hash of its bytes.
    pub id: Id,
    /// What it is about.
    pub kind: Kind,
    /// Who published it first.
    pub from: u32,
    /// When.
    pub published: Timestamp,
    /// Nodes that received it, and when for the first time; a node that restarts or forgets may stand here twice.
    pub receipts: Vec<(u32, u32)>,
    /// How often it reached a node that had it.
    pub duplicates: u64,
    pub(crate) topic: String,
    pub(crate) bytes: Rc<[u8]>,
}

impl Message {
    /// Its bytes as gossipsub counts them: with the topic, and how both are told apart.
    pub(crate) fn wire_bytes(&self) -> usize {
        self.bytes.len() + ENVELOPE_BYTES
    }
}

/// Every gossip message of a run, in the order of publication.
#[derive(Default)]
pub struct Messages {
    list: Vec<Message>,
    numbers: BTreeMap<(Id, String), u32>,
}

impl Messages {
    /// All of them.
    pub fn all(&self) -> &[Message] {
        &self.list
    }

    /// The number of the message that has these bytes, on a topic.
    pub(crate) fn number(
        &mut self,
        now: Timestamp,
        from: u32,
        topic: String,
        bytes: Vec<u8>,
        memo: &Memo,
    ) -> u32 {
        let id = Id::of(&bytes);
        let name = (id, topic.clone());
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let kind = Kind::of_item(memo.read(&bytes).as_ref());
        let (receipts, duplicates, bytes) = (Vec::new(), 0, bytes.into());
        self.list.push(Message { id, kind, from, published: now, receipts, duplicates, topic, bytes });
        self.numbers.insert(name, number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> &Message {
        &self.list[number as usize]
    }

    pub(crate) fn arrived(&mut self, number: u32, at: u32, now: Timestamp) {
        let message = &mut self.list[number as usize];
        let after_ms = u32::try_from(now.since_ms(message.published)).unwrap_or(u32::MAX);
        message.receipts.push((at, after_ms));
    }

    pub(crate) fn again(&mut self, number: u32) {
        self.list[number as usize].duplicates += 1;
    }
}

/// A request or a response as it was decoded where it was sent, for where it arrives.
pub enum Read {
    /// A request.
    Request(Box<Request>),
    /// A response.
    Response(Box<Response>),
}

/// An item, and the bytes that it was decoded from.
struct Known {
    bytes: Rc<[u8]>,
    item: Item,
}

/// Items by the end of their encoding, which is a signature's. Whatever is here was decoded, and so verified, from exactly the bytes
/// beside it; who meets them again need not verify them again.
#[derive(Default)]
pub struct Memo {
    items: RefCell<BTreeMap<[u8; 8], Known>>,
    /// The bytes that were met last, and their hash, which need not be computed again.
    last: RefCell<Option<(Id, Rc<[u8]>)>>,
    /// The message that arrives next, and what it says.
    arriving: RefCell<Option<(Vec<u8>, Read)>>,
}

/// How the encoding of an item that is a summary begins: a map of one entry, its name. Its envelope follows.
const SUMMARY: &[u8] = b"\xa1\x67summary";

impl Memo {
    /// The hash of bytes.
    pub fn id(&self, bytes: &[u8]) -> Id {
        match &*self.last.borrow() {
            Some((id, last)) if **last == *bytes => *id,
            _ => Id::of(bytes),
        }
    }

    /// What these bytes say, if they are legal. Verified on first sight.
    pub fn read(&self, bytes: &[u8]) -> Option<Item> {
        self.known(bytes, |known| known == bytes).or_else(|| self.learn(bytes.into()))
    }

    /// The summary in this envelope, if it is legal. Verified on first sight.
    pub fn lead(&self, envelope: &[u8]) -> Option<Signed<Summary>> {
        let known = self.known(envelope, |known| known.strip_prefix(SUMMARY) == Some(envelope));
        match known.or_else(|| self.learn([SUMMARY, envelope].concat().into()))? {
            Item::Summary(summary) => Some(summary),
            Item::Tombstone(_) => None,
        }
    }

    /// A message arrives, which was decoded from exactly these bytes when it was sent.
    pub(crate) fn arrives(&self, bytes: &[u8], read: Option<Read>) {
        *self.arriving.borrow_mut() = read.map(|read| (bytes.to_vec(), read));
    }

    /// The request that arrives, if these are its bytes. It can be had once.
    pub fn request(&self, bytes: &[u8]) -> Option<Request> {
        match self.arriving.take() {
            Some((known, Read::Request(request))) if known == bytes => Some(*request),
            _ => None,
        }
    }

    /// The response that arrives, if these are its bytes. It can be had once.
    pub fn response(&self, bytes: &[u8]) -> Option<Response> {
        match self.arriving.take() {
            Some((known, Read::Response(response))) if known == bytes => Some(*response),
            _ => None,
        }
    }

    /// Bytes that will soon be read, and their hash.
    pub(crate) fn expect(&self, id: Id, bytes: &Rc<[u8]>) {
        *self.last.borrow_mut() = Some((id, bytes.clone()));
    }

    fn known(&self, end: &[u8], is_it: impl Fn(&[u8]) -> bool) -> Option<Item> {
        let items = self.items.borrow();
        let known = items.get(end.last_chunk()?)?;
        is_it(&known.bytes).then(|| known.item.clone())
    }

    fn learn(&self, bytes: Rc<[u8]>) -> Option<Item> {
        let item = Item::decode(&bytes).ok()?;
        self.items.borrow_mut().insert(*bytes.last_chunk()?, Known { bytes, item: item.clone() });
        Some(item)
    }

    /// Drops what nobody can use any more.
    pub fn sweep(&self, now: Timestamp) {
        self.items.borrow_mut().retain(|_, known| known.item.expires() > now);
    }
}
