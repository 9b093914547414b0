//! Without consent not one byte of a summary leaves: not over the wire, not into anybody's home.

use std::{fs, path::Path};

use knackmesh_protocol::{
    consent::Present,
    id::Id,
    key::Did,
    message::{Frame, Item, Request, Response},
    peer::{ChannelId, Command, CommandId, GossipId, Input, Output},
    query,
    vocabulary::Vocabulary,
    wire::WireError,
};

use crate::{
    harness::Knack,
    people::{Holder, NOW, World, identity, inquiry},
};

/// Asserts that no home among `others` holds a trace of `who`; `published` shows that a trace would be seen. Their `issuer` knows
/// the DID to which it issued, from the issuing, and must know nothing else.
pub fn nobody_holds(who: &Knack, others: &[&Knack], published: &Knack, issuer: &Knack) {
    for other in others {
        let of_view = traces_of(&who.view());
        for trace in if other.name == issuer.name { of_view } else { traces(who) } {
            let found = holding(other.home(), &trace);
            assert!(found.is_empty(), "{} holds a trace of {}: {found:?}", other.name, who.name);
        }
    }
    let seen = others.iter().filter(|o| o.name != published.name);
    let seen = seen.filter(|o| traces(published).iter().any(|trace| !holding(o.home(), trace).is_empty()));
    assert!(seen.count() > 0, "a published view leaves a trace");
}

/// The view as text and as key, and the DID as text and as key.
fn traces(who: &Knack) -> Vec<Vec<u8>> {
    [traces_of(&who.view()), traces_of(&who.did())].concat()
}

fn traces_of(did: &str) -> Vec<Vec<u8>> {
    let parsed: Did = did.parse().expect("a DID");
    let key = parsed.public_key().expect("a did:key").as_bytes().to_vec();
    vec![key, did.as_bytes().to_vec()]
}

/// Files below `dir` that contain `trace`.
fn holding(dir: &Path, trace: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(holding(&path, trace)),
            Ok(kind) if kind.is_file() => {
                let bytes = fs::read(&path).unwrap_or_default();
                if contains(&bytes, trace) {
                    found.push(path.display().to_string());
                }
            }
            _ => {}
        }
    }
    found
}

fn contains(bytes: &[u8], trace: &[u8]) -> bool {
    bytes.windows(trace.len()).any(|window| window == trace)
}

/// Everything that a peer would hand to the network, as bytes.
fn leaving(outputs: &[Output]) -> Vec<Vec<u8>> {
    let bytes = outputs.iter().filter_map(|output| match output {
        Output::Gossip { bytes, .. } | Output::Send { bytes, .. } | Output::Respond { bytes, .. } => {
            Some(vec![bytes.clone()])
        }
        Output::PutRecord { key, value, .. } | Output::KeepRecord { key, value, .. } => {
            Some(vec![key.clone(), value.clone()])
        }
        // Whoever is asked for those nearest to a key learns which skill a cell is of that was looked for.
        Output::Closest { key, .. } => Some(vec![key.clone()]),
        Output::Persist(_)
        | Output::Reply(..)
        | Output::Verdict(..)
        | Output::Subscribe { .. }
        | Output::Obtain { .. } => None,
    });
    bytes.flatten().collect()
}

fn responses(outputs: &[Output]) -> Vec<Result<Response, WireError>> {
    let responses = outputs.iter().filter_map(|output| match output {
        Output::Respond { bytes, .. } => Some(Response::decode(bytes)),
        _ => None,
    });
    responses.collect()
}

/// Whatever other nodes ask, in whatever order: connections, searches, inquiries, comparisons, fetches, time.
fn curiosity(holder: &Holder) -> Vec<Input> {
    let seeker = identity(3);
    let rust = query::parse("rust", &Vocabulary::embedded(), NOW).expect("a query").query;
    let requests = [
        Request::find(rust, 50),
        Request::Inquire(inquiry(&seeker, &holder.summary, "recruitment", 1)),
        Request::Fetch { ids: vec![holder.summary.id(), holder.credential.id(), Id([0; 32])] },
        Request::reconcile(NOW, Frame::new(vec![0x61]).expect("a frame")),
    ];
    let ask = |(channel, request): (u64, &Request)| Input::Request {
        from: seeker.node_id.clone().into(),
        channel: ChannelId(channel),
        bytes: request.encode(),
    };
    let mut inputs = vec![Input::Wake, Input::Connected(seeker.node_id.clone())];
    inputs.extend((0..).zip(&requests).map(ask));
    inputs.push(Input::Gossip {
        message: GossipId(1),
        from: seeker.node_id.clone().into(),
        topic: String::new(),
        bytes: vec![1, 2, 3],
    });
    inputs.push(Input::Disconnected(seeker.node_id.clone()));
    inputs.push(Input::Wake);
    inputs
}

#[test]
fn a_peer_that_never_published_sends_nothing_that_names_it() {
    let holder = Holder::new(1, 2);
    let mut world =
        World::new(holder.identity.clone(), Default::default(), vec![holder.credential.clone()], NOW);
    let traces = [
        holder.identity.view.public().as_bytes().to_vec(),
        holder.identity.root.public().as_bytes().to_vec(),
        holder.identity.view.did().to_string().into_bytes(),
        holder.identity.root.did().to_string().into_bytes(),
        holder.credential.id().0.to_vec(),
    ];
    for (at, input) in curiosity(&holder).into_iter().enumerate() {
        let inquired = matches!(&input, Input::Request { channel: ChannelId(1), .. });
        let outputs = world.handle(NOW.plus_ms(at as u64 * 200_000), input);
        for bytes in leaving(&outputs) {
            assert!(traces.iter().all(|trace| !contains(&bytes, trace)), "input {at} lets a trace leave");
        }
        if inquired {
            // Hidden and unknown look alike.
            assert_eq!(responses(&outputs), [Ok(Response::Received)]);
        }
    }

    // The same questions after consent do let the view leave, so they would have shown a leak.
    let (content, openings) = crate::people::draft(&holder.identity, &holder.credential);
    let command = Command::Publish { content, openings, present: Present::Anyone, lease_ms: 3_600_000 };
    let outputs = world.handle(NOW, Input::Command(CommandId(1), command));
    assert!(leaving(&outputs).iter().any(|bytes| contains(bytes, &traces[0])));
    let published = outputs.iter().find_map(|o| match o {
        Output::Gossip { bytes, .. } => Item::decode(bytes).ok(),
        _ => None,
    });
    assert_eq!(published.expect("an item").view(), holder.identity.view.public());
}

#[test]
fn asking_first_is_the_default_and_shows_nobody_anything() {
    let holder = Holder::new(1, 2);
    let mut world =
        World::new(holder.identity.clone(), Default::default(), vec![holder.credential.clone()], NOW);
    let (content, openings) = crate::people::draft(&holder.identity, &holder.credential);
    let command = Command::Publish { content, openings, present: Present::default(), lease_ms: 3_600_000 };
    let outputs = world.handle(NOW, Input::Command(CommandId(1), command));
    let summary = outputs.iter().find_map(|o| match o {
        Output::Gossip { bytes, .. } => match Item::decode(bytes) {
            Ok(Item::Summary(summary)) => Some(summary),
            _ => None,
        },
        _ => None,
    });
    let seeker = identity(3);
    let asked = inquiry(&seeker, &summary.expect("published"), "recruitment", 1);
    let request = Request::Inquire(asked).encode();
    let input = Input::Request { from: seeker.node_id.clone().into(), channel: ChannelId(1), bytes: request };
    let outputs = world.handle(NOW.plus_ms(1), input);
    assert_eq!(responses(&outputs), [Ok(Response::Received)]);
}
