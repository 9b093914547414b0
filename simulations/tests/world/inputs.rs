//! A peer alone, given anything at all.

use std::rc::Rc;

use knackmesh_protocol::{
    credential::Known,
    id::NodeId,
    limits::{
        MESSAGE_BYTES_MAX, RECONCILE_AGAIN_MS, RECONCILE_LASTING_MS, RECONCILE_SESSIONS_MAX,
        RECORD_BYTES_MAX, REQUEST_TIMEOUT_MS,
    },
    message::{Frame, Item, Leads, Replica, Request, Response},
    peer::{
        ChannelId, Contact, Failure, GossipId, Group, Input, Keeping, Lent, Memory, Output, Peer, RequestId,
    },
    time::Timestamp,
};
use knackmesh_simulations::{
    index::Store,
    population::{Person, Population},
    scenario::Scenario,
    world::START,
};
use proptest::{collection::vec, prelude::*};

/// An input as a list of bytes can describe it.
#[derive(Clone, Debug)]
enum Step {
    Connected(u8),
    Disconnected(u8),
    Gossip(Vec<u8>),
    Request(u8, Vec<u8>),
    Response(u8, Option<Vec<u8>>),
    Record(Vec<u8>, Vec<u8>),
    Publish,
    Withdraw,
    Wait(u32),
    Wake,
}

/// Bytes: random; or legal and then, perhaps, with a bit flipped.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let frame = vec(any::<u8>(), 0..80).prop_map(|mut bytes| {
        // Negentropy's version, or the frame is refused at once.
        bytes.insert(0, 0x61);
        Frame::new(bytes).unwrap()
    });
    let legal = prop_oneof![
        (frame.clone(), any::<u32>()).prop_map(|(frame, ms)| {
            let as_of = START.plus_ms(u64::from(ms));
            Request::reconcile(as_of, frame).encode()
        }),
        frame.prop_map(|frame| Response::reconciled(frame).encode()),
        vec(any::<[u8; 32]>(), 0..20).prop_map(|ids| {
            let ids = ids.into_iter().map(knackmesh_protocol::id::Id).collect();
            Request::Fetch { ids }.encode()
        }),
        Just(Response::Items(Vec::new()).encode()),
        Just(Response::Received.encode()),
        any::<u32>().prop_map(|n| {
            let leads =
                Leads { summaries: Vec::new(), matched: n, held: n, reconciled: None, ..Leads::default() };
            Response::Leads(leads).encode()
        }),
    ];
    prop_oneof![
        vec(any::<u8>(), 0..300),
        legal.clone(),
        (legal, any::<prop::sample::Index>(), 0..8u8).prop_map(|(mut bytes, at, bit)| {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            bytes
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..8u8).prop_map(Step::Connected),
        (0..8u8).prop_map(Step::Disconnected),
        message().prop_map(Step::Gossip),
        (0..8u8, message()).prop_map(|(from, bytes)| Step::Request(from, bytes)),
        (0..20u8, message()).prop_map(|(to, bytes)| Step::Response(to, Some(bytes))),
        (0..20u8).prop_map(|to| Step::Response(to, None)),
        (message(), message()).prop_map(|(key, value)| Step::Record(key, value)),
        Just(Step::Publish),
        Just(Step::Withdraw),
        (0..2_000_000u32).prop_map(Step::Wait),
        Just(Step::Wake),
    ]
}

fn node(n: u8) -> NodeId {
    NodeId::from_bytes(vec![n + 1]).unwrap()
}

fn input(n: u64, step: Step, world: &Alone) -> Option<Input> {
    use knackmesh_protocol::peer::{Command, CommandId};
    Some(match step {
        Step::Connected(n) => Input::Connected(node(n)),
        Step::Disconnected(n) => Input::Disconnected(node(n)),
        Step::Gossip(bytes) => {
            let topic = Item::decode(&bytes).map(|item| item.topic()).unwrap_or_default();
            Input::Gossip { message: GossipId(n), from: node(0).into(), topic, bytes }
        }
        Step::Request(from, bytes) => {
            Input::Request { from: node(from).into(), channel: ChannelId(n), bytes }
        }
        Step::Response(to, bytes) => {
            Input::Response { request: RequestId(u64::from(to)), result: bytes.ok_or(Failure::Timeout) }
        }
        Step::Record(key, value) => Input::RecordOffered { key, value },
        Step::Publish => {
            let (content, openings) = world.person.content.clone()?;
            let (present, lease_ms) = (world.person.present, 60_000);
            Input::Command(CommandId(n), Command::Publish { content, openings, present, lease_ms })
        }
        Step::Withdraw => Input::Command(CommandId(n), Command::Withdraw),
        Step::Wait(_) => return None,
        Step::Wake => Input::Wake,
    })
}

struct Alone {
    population: Population,
    person: Person,
}

/// What a person's peer sees, who knows nothing from elsewhere.
fn lent<'a>(person: &'a Person, population: &'a Population, store: &'a Store) -> Lent<'a> {
    static NOTHING: Known = Known::new();
    Lent {
        index: store,
        wallet: &person.purse,
        trust: &person.trust,
        known: &NOTHING,
        vocabulary: &population.vocabulary,
    }
}

impl Alone {
    fn new() -> Self {
        let scenario = Scenario { employers: 0, professionals: 1, ..Scenario::default() };
        let population = Population::new(&scenario);
        let person = population.person(&scenario, 0, START);
        Alone { population, person }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_a_peer_is_given_makes_it_panic_or_talk_without_end(steps in vec(step(), 1..60)) {
        thread_local!(static ALONE: Alone = Alone::new());
        ALONE.with(|alone| {
            let mut now = START;
            let mut peer = Peer::new(alone.person.identity.clone(), [7; 32], Memory::default(), now);
            let vocabulary = Rc::clone(&alone.population.vocabulary);
            let mut store = Store::new(vocabulary, now);
            for (n, step) in (0..).zip(steps) {
                if let Step::Wait(ms) = step {
                    now = now.plus_ms(u64::from(ms));
                }
                let Some(input) = input(n, step, alone) else { continue };
                let lent = lent(&alone.person, &alone.population, &store);
                let outputs = peer.handle(now, input, &lent);
                check(now, &peer, &outputs)?;
                for output in outputs {
                    if let Output::Persist(change) = output {
                        store.apply(change);
                    }
                }
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}

fn check(now: Timestamp, peer: &Peer, outputs: &[Output]) -> Result<(), TestCaseError> {
    // At most eight neighbours, to each of whom one input can cause one request, and a session for each place.
    prop_assert!(outputs.len() <= 8 + RECONCILE_SESSIONS_MAX + 8, "{outputs:?}");
    prop_assert!(peer.wake_at().is_none_or(|at| at > now));
    for output in outputs {
        match output {
            Output::Send { bytes, .. } => {
                prop_assert!(bytes.len() <= MESSAGE_BYTES_MAX && Request::decode(bytes).is_ok());
            }
            Output::Respond { bytes, .. } => {
                prop_assert!(bytes.len() <= MESSAGE_BYTES_MAX && Response::decode(bytes).is_ok());
            }
            Output::PutRecord { value, .. } | Output::KeepRecord { value, .. } => {
                prop_assert!(value.len() <= RECORD_BYTES_MAX && Item::decode(value).is_ok());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Four neighbours never let a session end; the fifth has its turn all the same.
#[test]
fn sessions_that_never_end_make_room() {
    let alone = Alone::new();
    let mut peer = Peer::new(alone.person.identity.clone(), [7; 32], Memory::default(), START);
    let store = Store::new(Rc::clone(&alone.population.vocabulary), START);
    let lent = lent(&alone.person, &alone.population, &store);
    let endless = RECONCILE_SESSIONS_MAX as u8;
    let mut waiting = Vec::new();
    for n in 0..=endless {
        waiting.extend(peer.handle(START, Input::Connected(node(n)), &lent));
    }
    // One range over everything whose fingerprint differs: there is always more to compare.
    let mut frame = vec![0x61, 0, 0, 1];
    frame.extend([7; 16]);
    let response = Response::reconciled(Frame::new(frame).unwrap()).encode();
    for step in 0..14 {
        let now = START.plus_ms(step * (REQUEST_TIMEOUT_MS - 1000));
        let asked = std::mem::take(&mut waiting);
        for output in asked {
            let Output::Send { request, to, .. } = output else { continue };
            if to == node(endless) {
                return;
            }
            waiting.extend(peer.handle(
                now,
                Input::Response { request, result: Ok(response.clone()) },
                &lent,
            ));
        }
        waiting.extend(peer.handle(now, Input::Wake, &lent));
    }
    panic!("the last neighbour is never asked");
}

/// Who keeps only cells and has compared tombstones lately compares them with a newcomer once the connection has lasted.
#[test]
fn comparing_tombstones_again_waits_for_a_connection_that_lasts() {
    let alone = Alone::new();
    let in_cells = Keeping { replica: Some(Replica::Cells), ..Keeping::default() };
    let start = |seed: u8| {
        let fresh = Peer::new(alone.person.identity.clone(), [seed; 32], Memory::default(), START);
        fresh.keeping(in_cells)
    };
    let (mut peer, mut other) = (start(7), start(8));
    let store = Store::new(Rc::clone(&alone.population.vocabulary), START);
    let lent = lent(&alone.person, &alone.population, &store);
    let from = Contact { node: node(9), group: Group::UNGROUPED };
    // Whom the peer asks to compare, each of whom answers at once.
    let mut compared = |peer: &mut Peer, now: Timestamp, input: Input| {
        let mut asked = Vec::new();
        let mut outputs = peer.handle(now, input, &lent);
        while let Some(output) = outputs.pop() {
            let Output::Send { request, to, bytes } = output else { continue };
            assert!(matches!(Request::decode(&bytes), Ok(Request::Reconcile { .. })));
            asked.push(to);
            let received = Input::Request { from: from.clone(), channel: ChannelId(0), bytes };
            let answers = other.handle(now, received, &lent).into_iter();
            for answer in answers {
                let Output::Respond { bytes, .. } = answer else { continue };
                outputs.extend(peer.handle(now, Input::Response { request, result: Ok(bytes) }, &lent));
            }
        }
        asked
    };
    assert_eq!(compared(&mut peer, START, Input::Connected(node(0))), [node(0)], "a newcomer itself");
    let again = START.plus_ms(RECONCILE_AGAIN_MS);
    assert_eq!(compared(&mut peer, again, Input::Wake), [node(0)]);
    assert_eq!(compared(&mut peer, again, Input::Connected(node(1))), []);
    assert_eq!(compared(&mut peer, again, Input::Connected(node(2))), []);
    assert_eq!(compared(&mut peer, again.plus_ms(10_000), Input::Disconnected(node(2))), []);
    let lasting = again.plus_ms(RECONCILE_LASTING_MS);
    assert_eq!(compared(&mut peer, lasting.minus_ms(1), Input::Wake), []);
    assert_eq!(compared(&mut peer, lasting, Input::Wake), [node(1)]);
}

/// The item that the person of `number` would publish.
fn item(population: &Population, scenario: &Scenario, number: u32) -> Item {
    use knackmesh_protocol::peer::{Change, Command, CommandId};
    let person = population.person(scenario, number, START);
    let mut peer = Peer::new(person.identity.clone(), [7; 32], Memory::default(), START);
    let store = Store::new(Rc::clone(&population.vocabulary), START);
    let lent = lent(&person, population, &store);
    let (content, openings) = person.content.clone().unwrap();
    let publish = Command::Publish { content, openings, present: person.present, lease_ms: 60_000 };
    let outputs = peer.handle(START, Input::Command(CommandId(0), publish), &lent);
    let mut kept = outputs.into_iter().filter_map(|output| match output {
        Output::Persist(Change::Keep(item)) => Some(item),
        _ => None,
    });
    kept.next().unwrap()
}

/// An answer that had no room for every item asked for is followed by a request for the rest.
#[test]
fn what_did_not_fit_into_an_answer_is_fetched_again() {
    let scenario = Scenario { employers: 0, professionals: 3, ..Scenario::default() };
    let population = Population::new(&scenario);
    let mut items: Vec<Item> = (0..3).map(|number| item(&population, &scenario, number)).collect();
    items.sort_by_key(Item::id);
    let person = population.person(&Scenario { professionals: 4, ..scenario }, 3, START);
    let mut peer = Peer::new(person.identity.clone(), [7; 32], Memory::default(), START);
    let store = Store::new(Rc::clone(&population.vocabulary), START);
    let lent = lent(&person, &population, &store);
    let mut sent = |input| -> Option<(RequestId, Request)> {
        let outputs = peer.handle(START, input, &lent);
        outputs.into_iter().find_map(|output| match output {
            Output::Send { request, bytes, .. } => Some((request, Request::decode(&bytes).unwrap())),
            _ => None,
        })
    };
    let (request, _) = sent(Input::Connected(node(0))).unwrap();
    // One range over everything, which holds these three.
    let mut frame = vec![0x61, 0, 0, 2, 3];
    items.iter().for_each(|item| frame.extend(item.id().0));
    let compared = Response::reconciled(Frame::new(frame).unwrap()).encode();
    let (request, fetch) = sent(Input::Response { request, result: Ok(compared) }).unwrap();
    assert_eq!(fetch, Request::Fetch { ids: items.iter().map(Item::id).collect() });
    let first = Response::Items(vec![items[0].clone()]).encode();
    let (request, fetch) = sent(Input::Response { request, result: Ok(first) }).unwrap();
    assert_eq!(fetch, Request::Fetch { ids: items[1..].iter().map(Item::id).collect() });
    let rest = Response::Items(items[1..].to_vec()).encode();
    assert_eq!(sent(Input::Response { request, result: Ok(rest) }), None);
    assert_eq!(peer.summaries(), 3);
    assert_eq!(peer.reconciled(), Some(START));
}
