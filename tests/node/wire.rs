//! Hostile bytes on every message of the wire: refused with a reason or answered with a refusal, never a panic.

use knackmesh_protocol::{
    id::Id,
    inquiry::Inquiry,
    limits::MESSAGE_BYTES_MAX,
    message::{Acknowledgement, Envelope, Frame, Item, Leads, Refusal, Request, Response},
    peer::{ChannelId, Command, CommandId, GossipId, Input, Output, RequestId, Specification, Verdict},
    query,
    signed::Signed,
    summary::{Summary, Tombstone},
    vocabulary::Vocabulary,
};
use proptest::prelude::*;

use crate::people::{Holder, NOW, World, identity, inquiry};

/// Reads bytes, and says why not.
type Decode = fn(&[u8]) -> Result<(), String>;

/// A legal example of every kind of message: its name, its bytes, and its decoder.
fn messages() -> Vec<(&'static str, Vec<u8>, Decode)> {
    let holder = Holder::new(1, 2);
    let seeker = identity(3);
    let asked = inquiry(&seeker, &holder.summary, "recruitment", 1);
    let disclosure = holder.answer(&asked);
    let tombstone = Tombstone::new(holder.summary.body(), holder.summary.body().expires(), NOW);
    let tombstone = Signed::sign(tombstone, &holder.identity.view);
    let word = Acknowledgement { node: seeker.node.public(), tombstone: tombstone.id(), at: NOW };
    let rust =
        query::parse("rust>=3 AND (kubernetes OR nomad)", &Vocabulary::embedded(), NOW).expect("a query");
    let frame = Frame::new(vec![0x61, 0, 0]).expect("a frame");
    let leads = Leads {
        summaries: vec![Envelope(holder.summary.encode())],
        matched: 1,
        held: 1,
        reconciled: Some(NOW),
        ..Leads::default()
    };
    let request = |r: Request| r.encode();
    let response = |r: Response| r.encode();
    let item: Decode = |b| Item::decode(b).map(drop).map_err(|e| e.to_string());
    let asks: Decode = |b| Request::decode(b).map(drop).map_err(|e| e.to_string());
    let says: Decode = |b| Response::decode(b).map(drop).map_err(|e| e.to_string());
    vec![
        ("summary", Item::Summary(holder.summary.clone()).encode(), item),
        ("tombstone", Item::Tombstone(tombstone.clone()).encode(), item),
        ("summary envelope", holder.summary.encode(), |b| {
            Signed::<Summary>::decode(b).map(drop).map_err(|e| e.to_string())
        }),
        ("inquiry envelope", asked.encode(), |b| {
            Signed::<Inquiry>::decode(b).map(drop).map_err(|e| e.to_string())
        }),
        ("find", request(Request::find(rust.query, 50)), asks),
        ("inquire", request(Request::Inquire(asked)), asks),
        ("withdraw", request(Request::Withdraw(tombstone)), asks),
        ("reconcile", request(Request::reconcile(NOW, frame.clone())), asks),
        ("fetch", request(Request::Fetch { ids: vec![Id([7; 32]), Id([8; 32])] }), asks),
        ("leads", response(Response::Leads(leads)), says),
        ("disclosed", response(Response::Disclosed(disclosure)), says),
        ("received", response(Response::Received), says),
        ("deleted", response(Response::Deleted(Signed::sign(word, &seeker.node))), says),
        ("reconciled", response(Response::reconciled(frame)), says),
        ("items", response(Response::Items(vec![Item::Summary(holder.summary.clone())])), says),
        ("refused", response(Response::Refused(Refusal::Busy)), says),
    ]
}

/// Bytes that are not what they were.
fn mutated(mut bytes: Vec<u8>, how: u8, at: usize, with: u8) -> Vec<u8> {
    if bytes.is_empty() {
        return vec![with];
    }
    let at = at % bytes.len();
    match how % 6 {
        0 => bytes[at] ^= with.max(1),
        1 => bytes.truncate(at),
        2 => bytes.insert(at, with),
        3 => drop(bytes.remove(at)),
        4 => bytes.extend(std::iter::repeat_n(with, at + 1)),
        _ => {
            let copy = bytes[at..].to_vec();
            bytes.splice(at..at, copy);
        }
    }
    bytes
}

#[test]
fn every_legal_message_is_read_and_every_cut_of_it_is_refused() {
    for (name, bytes, decode) in messages() {
        assert_eq!(decode(&bytes), Ok(()), "{name}");
        for length in 0..bytes.len() {
            let refusal = decode(&bytes[..length]).expect_err(name);
            assert!(!refusal.is_empty(), "{name}: a reason");
        }
        let trailing = [bytes.as_slice(), &[0]].concat();
        assert!(decode(&trailing).is_err(), "{name}: a byte too many");
    }
}

#[test]
fn what_states_an_absurd_size_or_nests_without_end_is_refused_at_once() {
    let mut hostile: Vec<Vec<u8>> = Vec::new();
    // Headers that promise 2^64 - 1 and 2^32 - 1 bytes, text, items and pairs; then no content.
    for major in 2..6_u8 {
        hostile.push([&[major << 5 | 27][..], &[0xff; 8]].concat());
        hostile.push([&[major << 5 | 26][..], &[0xff; 4]].concat());
        hostile.push(vec![major << 5 | 31]);
    }
    for opener in [0x81, 0xa1, 0xc1, 0x9f, 0xbf] {
        hostile.push(vec![opener; 100_000]);
    }
    hostile.push(vec![0; MESSAGE_BYTES_MAX + 1]);
    hostile.push(Vec::new());
    for (name, _, decode) in messages() {
        for bytes in &hostile {
            assert!(decode(bytes).is_err(), "{name}: {:02x?}...", &bytes[..bytes.len().min(9)]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_message_is_refused_or_another_legal_one(
        changes in prop::collection::vec((any::<u8>(), any::<usize>(), any::<u8>()), 1..4)
    ) {
        for (_, bytes, decode) in messages() {
            let changed = changes.iter().fold(bytes, |b, (how, at, with)| mutated(b, *how, *at, *with));
            let _ = decode(&changed);
        }
    }

    #[test]
    fn a_signed_message_is_refused_after_any_change_of_one_bit(at in any::<usize>(), bit in 0_u8..8) {
        for (name, mut bytes, decode) in messages().into_iter().filter(|(name, ..)| name.contains("envelope")) {
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(&bytes).is_err(), "{name}: byte {at}, bit {bit}");
        }
    }

    #[test]
    fn a_peer_given_hostile_bytes_everywhere_refuses_and_goes_on(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        how in any::<u8>(), at in any::<usize>(), with in any::<u8>()
    ) {
        let holder = Holder::new(1, 2);
        let other = identity(9).node_id;
        let mut world = World::new(holder.identity.clone(), Default::default(), Vec::new(), NOW);
        world.handle(NOW, Input::Connected(other.clone()));
        let rust = query::parse("rust", &Vocabulary::embedded(), NOW).expect("a query").query;
        let undertaking = knackmesh_protocol::inquiry::Undertaking {
            purpose: "recruitment".to_owned(), retention_days: 1, contact: String::new(),
        };
        let search = Specification { query: rust, top: 5, deadline_ms: 1_000, undertaking };
        world.handle(NOW, Input::Command(CommandId(1), Command::Search(search)));
        let changed = messages().into_iter().map(|(_, bytes, _)| mutated(bytes, how, at, with));
        for (n, bytes) in (0..).zip(changed.chain([noise])) {
            let request = Input::Request { from: other.clone().into(), channel: ChannelId(n), bytes: bytes.clone() };
            let answered = world.handle(NOW, request);
            let answers = answered.iter().filter(|o| matches!(o, Output::Respond { .. })).count();
            prop_assert_eq!(answers, 1, "each request has one answer");
            let topic = Item::decode(&bytes).map(|item| item.topic()).unwrap_or_default();
            let gossip = Input::Gossip { message: GossipId(n), from: other.clone().into(), topic, bytes: bytes.clone() };
            let judged = world.handle(NOW, gossip);
            let is_judged = judged.iter().any(|o| matches!(o, Output::Verdict(_, Verdict::Accept | Verdict::Ignore | Verdict::Reject)));
            prop_assert!(is_judged);
            // Also as the answer to whatever the peer has asked.
            world.handle(NOW, Input::Response { request: RequestId(n % 4), result: Ok(bytes.clone()) });
            world.handle(NOW, Input::RecordOffered { key: bytes.clone(), value: bytes });
        }
        let outputs = world.handle(NOW.plus_ms(1_001), Input::Wake);
        let _ = outputs;
        prop_assert!(world.peer.is_quiescent() || world.peer.wake_at().is_some());
        prop_assert!(world.peer.summaries() <= 1, "nothing but the one legal summary was admitted");
    }
}
