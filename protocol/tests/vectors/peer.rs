//! The peer as others see it: what it makes of items in sequence, and what it answers, byte for byte.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    credential::{Credential, Known, TrustList},
    id::{Id, NodeId},
    key::PublicKey,
    limits::{CLOCK_SKEW_MAX_MS, LEASE_MAX_MS, RECONCILE_FRAME_TARGET_BYTES},
    message::{Frame, Item, Request, record_key},
    peer::{
        Change, ChannelId, GossipId, Identity, Index, Input, Lent, Memory, Nominated, Output, Peer, Verdict,
        Wallet,
    },
    query::{Query, parse},
    signed::Signed,
    summary::{Summary, Tombstone},
    time::Timestamp,
};
use negentropy::{Negentropy, NegentropyStorageVector};
use serde_json::{Value, json};

use super::{Case, cbor::Cbor, fixtures::*, hex, proofs, unhex};

/// What a node keeps, by view.
#[derive(Default)]
struct Shelf(BTreeMap<PublicKey, Signed<Summary>>);

impl Index for Shelf {
    fn nominate(&self, query: &Query, limit: usize, _now: Timestamp) -> Nominated {
        let matching: Vec<_> = self
            .0
            .values()
            .filter(|s| {
                let stated = knackmesh_protocol::ranking::stated(s.body(), &TrustList::default());
                knackmesh_protocol::ranking::matches(query, s.body(), &stated, &VOCABULARY)
            })
            .cloned()
            .collect();
        Nominated { matched: matching.len(), summaries: matching.into_iter().take(limit).collect() }
    }

    fn summary(&self, view: &PublicKey) -> Option<Signed<Summary>> {
        self.0.get(view).cloned()
    }
}

impl Wallet for Shelf {
    fn credential(&self, _: &Id) -> Option<Credential> {
        None
    }
}

struct World {
    peer: Peer,
    shelf: Shelf,
    now: Timestamp,
}

impl World {
    fn new() -> World {
        let identity = Identity {
            root: Who::Root.key(),
            view: Who::SecondView.key(),
            node: Who::Node.key(),
            node_id: node_id(&Who::Node.key()),
        };
        World {
            peer: Peer::new(identity, [0; 32], Memory::default(), now()),
            shelf: Shelf::default(),
            now: now(),
        }
    }

    /// Everything that the input causes.
    fn handle(&mut self, input: Input) -> Vec<Output> {
        let trust = TrustList::default();
        let shelf = std::mem::take(&mut self.shelf);
        let lent = Lent {
            index: &shelf,
            wallet: &shelf,
            trust: &trust,
            known: &Known::new(),
            vocabulary: &VOCABULARY,
        };
        let outputs = self.peer.handle(self.now, input, &lent);
        self.shelf = shelf;
        for output in &outputs {
            match output {
                Output::Persist(Change::Keep(Item::Summary(summary))) => {
                    self.shelf.0.insert(summary.body().view(), summary.clone());
                }
                Output::Persist(Change::Keep(Item::Tombstone(tombstone))) => {
                    self.shelf.0.remove(&tombstone.body().view());
                }
                Output::Persist(Change::Forget(view)) => {
                    self.shelf.0.remove(view);
                }
                _ => {}
            }
        }
        outputs
    }

    /// One step of a case, and what comes of it.
    fn step(&mut self, step: &Value) -> Value {
        self.now = now().plus_ms(step["at_ms"].as_u64().unwrap());
        let mut came = json!({});
        if let Some(bytes) = step.get("gossip") {
            let bytes = unhex(bytes);
            // Without a word on it, the topic is the item's own.
            let own = || Item::decode(&bytes).map(|item| item.topic()).unwrap_or_default();
            let topic = step.get("topic").map_or_else(own, |topic| topic.as_str().unwrap().to_owned());
            let outputs =
                self.handle(Input::Gossip { message: GossipId(0), from: stranger().into(), topic, bytes });
            came["verdict"] = outputs
                .iter()
                .find_map(|output| match output {
                    Output::Verdict(_, Verdict::Accept) => Some(json!("accept")),
                    Output::Verdict(_, Verdict::Ignore) => Some(json!("ignore")),
                    Output::Verdict(_, Verdict::Reject) => Some(json!("reject")),
                    _ => None,
                })
                .unwrap();
        } else if let Some(bytes) = step.get("request") {
            let bytes = unhex(bytes);
            let outputs =
                self.handle(Input::Request { from: stranger().into(), channel: ChannelId(0), bytes });
            came["response"] = outputs
                .iter()
                .find_map(|output| match output {
                    Output::Respond { bytes, .. } => Some(json!(hex(bytes))),
                    _ => None,
                })
                .unwrap();
        } else if let Some(value) = step.get("record") {
            let (key, value) = (step["key"].as_str().unwrap().as_bytes().to_vec(), unhex(value));
            let outputs = self.handle(Input::RecordOffered { key, value });
            came["kept_until"] = outputs
                .iter()
                .find_map(|output| match output {
                    Output::KeepRecord { expires, .. } => Some(json!(expires.to_string())),
                    _ => None,
                })
                .unwrap_or(Value::Null);
        } else {
            self.handle(Input::Wake);
        }
        came["held"] = self.peer.held().map(|(view, sequence, _)| json!([view.did(), sequence])).collect();
        came
    }
}

fn stranger() -> NodeId {
    node_id(&Who::Stranger.key())
}

pub fn outcome(case: &Value) -> Value {
    let mut world = World::new();
    let steps = case["steps"].as_array().unwrap();
    steps.iter().map(|step| world.step(step)).collect::<Vec<_>>().into()
}

fn gossip(at_ms: u64, note: &str, item: &Item) -> Value {
    json!({"at_ms": at_ms, "note": note, "gossip": hex(item.encode())})
}

fn request(at_ms: u64, note: &str, request: &Request) -> Value {
    json!({"at_ms": at_ms, "note": note, "request": hex(request.encode())})
}

fn case(name: &'static str, description: &str, steps: Vec<Value>) -> Case {
    (name, json!({"description": description, "steps": steps}))
}

/// A frame that opens a session of a node that holds `items`.
fn opening(items: &[Item]) -> Frame {
    let mut storage = NegentropyStorageVector::new();
    for item in items {
        storage.insert(item.expires().unix_ms(), negentropy::Id::from_byte_array(item.id().0)).unwrap();
    }
    storage.seal().unwrap();
    let mut side = Negentropy::owned(storage, RECONCILE_FRAME_TARGET_BYTES).unwrap();
    Frame::new(side.initiate().unwrap()).unwrap()
}

pub fn cases() -> Vec<Case> {
    const HOUR: u64 = 3_600_000;
    let ahead =
        |sequence, lease, ms| Item::Summary(small_summary(Who::View, sequence, now().plus_ms(ms), lease));
    let summary = |sequence, lease| ahead(sequence, lease, 0);
    let withdrawn = |sequence, lease, at: u64| {
        let summary = small_summary(Who::View, sequence, now(), lease);
        let tombstone = Tombstone::new(summary.body(), summary.body().expires(), now().plus_ms(at));
        Signed::sign(tombstone, &Who::View.key())
    };
    let tombstone = |sequence, lease, at| Item::Tombstone(withdrawn(sequence, lease, at));
    let other = Item::Summary(small_summary(Who::Stranger, 1, now(), HOUR));
    let forged = {
        let bytes = Cbor::read(&summary(1, HOUR).encode())
            .with("summary.signature", Cbor::Bytes(vec![0; 64]))
            .write();
        json!({"at_ms": 0, "note": "a signature that does not verify", "gossip": hex(bytes)})
    };
    let key = String::from_utf8(record_key(&Who::View.key().public())).unwrap();
    let record = |note: &str, key: &str, item: &Item| json!({"at_ms": 0, "note": note, "key": key, "record": hex(item.encode())});
    let query = parse(&format!("<{RUST}>"), &VOCABULARY, now()).unwrap().query;
    let held = [summary(5, DAY_MS), other.clone()];
    vec![
        case(
            "admission-sequence",
            "The highest sequence of a view wins, whatever the order of arrival.",
            vec![
                gossip(0, "the first", &summary(5, DAY_MS)),
                gossip(0, "the very same", &summary(5, DAY_MS)),
                gossip(1, "newer", &summary(6, DAY_MS)),
                gossip(2, "the first again: outdated", &summary(5, DAY_MS)),
                gossip(
                    3,
                    "the same sequence with other content: the first that came stays",
                    &summary(6, HOUR),
                ),
                gossip(4, "of another view", &other),
            ],
        ),
        case(
            "admission-time",
            "What is not current is ignored.",
            vec![
                gossip(0, "issued as far ahead as clocks may differ", &ahead(1, HOUR, CLOCK_SKEW_MAX_MS)),
                gossip(0, "issued further ahead", &ahead(2, HOUR, CLOCK_SKEW_MAX_MS + 1)),
                gossip(HOUR, "expired when it came", &summary(3, HOUR)),
                json!({"at_ms": HOUR + CLOCK_SKEW_MAX_MS - 1, "note": "the last millisecond of what is held"}),
                json!({"at_ms": HOUR + CLOCK_SKEW_MAX_MS, "note": "it ends"}),
            ],
        ),
        case(
            "admission-illegal",
            "What no honest node forwards is rejected.",
            vec![
                forged,
                json!({"at_ms": 0, "note": "no CBOR", "gossip": "ff"}),
                json!({"at_ms": 0, "note": "on the topic of withdrawals", "topic": "/knack/1/withdraw/0",
                "gossip": hex(summary(5, DAY_MS).encode())}),
                json!({"at_ms": 0, "note": "an envelope that does not say what it holds",
                "gossip": hex(small_summary(Who::View, 1, now(), HOUR).encode())}),
            ],
        ),
        case(
            "admission-proofs",
            "A summary with a proof that does not hold is illegal, whoever signed the summary.",
            vec![
                gossip(0, "a proof that another view published", &Item::Summary(proofs::stolen())),
                gossip(0, "its own", &Item::Summary(proofs::proving(proofs::proof()))),
            ],
        ),
        case(
            "admission-withdrawal",
            "A tombstone beats every summary up to its ceiling, and no later one.",
            vec![
                gossip(0, "published", &summary(5, DAY_MS)),
                gossip(HOUR, "a tombstone below it is kept beneath it", &tombstone(4, DAY_MS, HOUR)),
                gossip(HOUR, "withdrawn", &tombstone(5, DAY_MS, HOUR)),
                gossip(HOUR, "the very same", &tombstone(5, DAY_MS, HOUR)),
                gossip(HOUR, "the summary returns: withdrawn", &summary(5, DAY_MS)),
                gossip(HOUR, "an earlier one: withdrawn", &summary(4, DAY_MS)),
                gossip(HOUR, "published anew", &summary(6, DAY_MS)),
                gossip(HOUR, "the tombstone again: held beneath it", &tombstone(5, DAY_MS, HOUR)),
                gossip(HOUR, "a tombstone for a summary never seen", &tombstone(9, DAY_MS, HOUR)),
                gossip(HOUR, "the same ceiling, kept longer", &tombstone(9, LEASE_MAX_MS, HOUR)),
                gossip(HOUR, "the same ceiling, kept shorter: outdated", &tombstone(9, DAY_MS, HOUR)),
            ],
        ),
        case(
            "admission-withdrawn-for-good",
            "What was withdrawn does not come back when the summary after it ends first.",
            vec![
                gossip(0, "published for a day", &summary(5, DAY_MS)),
                gossip(0, "withdrawn", &tombstone(5, DAY_MS, 0)),
                gossip(0, "published for an hour", &summary(6, HOUR)),
                json!({"at_ms": HOUR, "note": "the hour is over"}),
                gossip(HOUR, "the first returns: withdrawn", &summary(5, DAY_MS)),
            ],
        ),
        case(
            "admission-tombstone-late",
            "The same, when the withdrawal comes after the summary that followed it.",
            vec![
                gossip(0, "published for an hour", &summary(6, HOUR)),
                gossip(0, "the withdrawal of the one before", &tombstone(5, DAY_MS, 0)),
                json!({"at_ms": HOUR, "note": "the hour is over"}),
                gossip(HOUR, "the one before returns: withdrawn", &summary(5, DAY_MS)),
            ],
        ),
        case(
            "withdraw-request",
            "Deleted what was held, held newer or held nothing: each is acknowledged.",
            vec![
                request(
                    0,
                    "nothing of the view is held: the tombstone is kept",
                    &Request::Withdraw(withdrawn(5, DAY_MS, 0)),
                ),
                request(
                    0,
                    "again: its id is the same, and so is the answer",
                    &Request::Withdraw(withdrawn(5, DAY_MS, 0)),
                ),
                request(
                    0,
                    "outdated: what it names is not held either",
                    &Request::Withdraw(withdrawn(4, DAY_MS, 0)),
                ),
                request(2 * DAY_MS, "after it has ended", &Request::Withdraw(withdrawn(5, DAY_MS, 0))),
            ],
        ),
        case(
            "records",
            "A record is kept under its own view's key, if it is admitted or known.",
            vec![
                record("under another key", &key[..key.len() - 1], &summary(5, DAY_MS)),
                record("under its own", &key, &summary(5, DAY_MS)),
                record("the same again", &key, &summary(5, DAY_MS)),
                record("an older one", &key, &summary(4, DAY_MS)),
                record("a tombstone, until ten minutes after the expiry", &key, &tombstone(5, DAY_MS, 0)),
                record("another's", &key, &other),
            ],
        ),
        case(
            "reconcile",
            "The answering side compares what it holds as of the instant that the other names.",
            vec![
                gossip(0, "", &held[0]),
                gossip(0, "", &held[1]),
                request(1, "the other holds the same", &Request::reconcile(now(), opening(&held))),
                request(1, "the other holds nothing", &Request::reconcile(now(), opening(&[]))),
                request(
                    1,
                    "as of an instant further ahead than clocks may differ",
                    &Request::reconcile(now().plus_ms(CLOCK_SKEW_MAX_MS + 2), opening(&held)),
                ),
                request(
                    1,
                    "no frame of negentropy",
                    &Request::reconcile(now(), Frame::new(vec![0x00]).unwrap()),
                ),
                request(
                    HOUR - 60_000,
                    "as of an instant by which one has expired",
                    &Request::reconcile(now().plus_ms(HOUR), opening(&held)),
                ),
            ],
        ),
        case(
            "fetch",
            "Items by their ids, tombstones too; what is not held is left out.",
            vec![
                gossip(0, "", &summary(5, DAY_MS)),
                gossip(0, "", &other),
                request(1, "one held, one not", &Request::Fetch { ids: vec![other.id(), Id([0; 32])] }),
                gossip(1, "withdrawn", &tombstone(5, DAY_MS, 1)),
                request(
                    1,
                    "the summary and the tombstone",
                    &Request::Fetch { ids: vec![summary(5, DAY_MS).id(), tombstone(5, DAY_MS, 1).id()] },
                ),
            ],
        ),
        case(
            "find",
            "Matching summaries, and how many match and are held.",
            vec![
                request(0, "nothing is held", &Request::find(query.clone(), 10)),
                gossip(0, "", &summary(5, DAY_MS)),
                gossip(0, "", &other),
                request(1, "both", &Request::find(query.clone(), 10)),
                request(1, "no more than asked for", &Request::find(query, 1)),
            ],
        ),
        case(
            "inquire-received",
            "An inquiry for a view that is not published here: the word that says nothing.",
            vec![request(0, "", &Request::Inquire(inquiry()))],
        ),
        case(
            "malformed",
            "What is no request is refused by name.",
            vec![
                json!({"at_ms": 0, "note": "no CBOR", "request": "ff"}),
                json!({"at_ms": 0, "note": "empty", "request": ""}),
            ],
        ),
    ]
}
