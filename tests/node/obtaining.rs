//! What a holder's credentials make a seeker fetch: no more than a holder's part, and the search ends when it is done.

use knackmesh_protocol::{
    consent::Present,
    credential::{
        Credential, Format, Need,
        open_badge::Issuance,
        status::{Purpose, StatusEntry},
    },
    inquiry::{Disclosure, Inquiry, Undertaking},
    limits::SEARCH_NEEDS_PER_HOLDER_MAX,
    message::{Item, Request, Response},
    peer::{ChannelId, Command, CommandId, Input, Memory, Output, RequestId, Specification},
    query,
    signed::Signed,
    vocabulary::Vocabulary,
};

use crate::people::{Holder, NOW, World, draft, identity, inquiry, skill};

const SEARCH: CommandId = CommandId(7);

/// A credential about the holder that has its status in eight lists.
fn demanding(holder: &Holder, number: u8) -> Credential {
    let entry = |at: u8| StatusEntry {
        purpose: Purpose::Revocation,
        index: 1,
        list: format!("https://a.example/{number}/{at}"),
        size: 1,
    };
    let issuance = Issuance {
        nonce: [number; 16],
        issuer: identity(1).root.did(),
        issuer_name: None,
        subject: holder.identity.root.did(),
        name: "Chess".to_owned(),
        description: "Plays chess".to_owned(),
        criteria: None,
        skills: Vec::new(),
        level: 1.try_into().expect("a level"),
        valid_from: NOW,
        valid_until: None,
        status: (0..8).map(entry).collect(),
    };
    issuance.sign(&(&identity(1).root).into(), Format::Jcs, NOW).expect("a credential")
}

/// A seeker whose search has got as far as its inquiry to the holder.
fn searching(holder: &Holder) -> (World, RequestId, Signed<Inquiry>) {
    let memory = Memory { items: vec![Item::Summary(holder.summary.clone())], ..Memory::default() };
    let mut seeker = World::new(identity(3), memory, Vec::new(), NOW);
    let query = query::parse("rust", &Vocabulary::embedded(), NOW).expect("a query").query;
    let undertaking =
        Undertaking { purpose: "recruitment".to_owned(), retention_days: 1, contact: String::new() };
    let search = Specification { query, top: 5, deadline_ms: 5_000, undertaking };
    let outputs = seeker.handle(NOW, Input::Command(SEARCH, Command::Search(search)));
    let sent = outputs.iter().find_map(|output| match output {
        Output::Send { request, bytes, .. } => match Request::decode(bytes) {
            Ok(Request::Inquire(inquiry)) => Some((*request, inquiry)),
            _ => None,
        },
        _ => None,
    });
    let (request, inquiry) = sent.expect("an inquiry");
    (seeker, request, inquiry)
}

fn obtained(outputs: &[Output]) -> Vec<Need> {
    let needs = outputs.iter().filter_map(|output| match output {
        Output::Obtain { search, needs } => {
            assert_eq!(*search, SEARCH);
            Some(needs.clone())
        }
        _ => None,
    });
    needs.flatten().collect()
}

fn is_over(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Reply(SEARCH, _)))
}

#[test]
fn a_holder_makes_a_seeker_fetch_no_more_than_a_holders_part() {
    let holder = Holder::new(1, 2);
    let (mut seeker, request, inquiry) = searching(&holder);
    let more: Vec<Credential> = (0..3).map(|number| demanding(&holder, number)).collect();
    let shown: Vec<&Credential> = more.iter().chain([&holder.credential]).collect();
    let (root, view) = (&holder.identity.root, &holder.identity.view);
    let answer = Disclosure::answer(&inquiry, root, view, &shown, holder.openings.clone(), NOW);
    let bytes = Response::Disclosed(answer.expect("an answer")).encode();
    let outputs = seeker.handle(NOW, Input::Response { request, result: Ok(bytes) });
    let needs = obtained(&outputs);
    assert_eq!(needs.len(), SEARCH_NEEDS_PER_HOLDER_MAX, "{needs:?}");
    assert!(!is_over(&outputs), "it waits");

    // What was obtained for another search is not waited for here.
    let other = Input::Obtained { search: CommandId(8), needs: needs.clone() };
    assert!(!is_over(&seeker.handle(NOW, other)));
    // When a part has come, the rest is waited for, and when all has, come to nothing, it is over, and nothing more is asked.
    let (first, rest) = needs.split_at(3);
    let outputs = seeker.handle(NOW, Input::Obtained { search: SEARCH, needs: first.to_vec() });
    assert_eq!((obtained(&outputs), is_over(&outputs)), (Vec::new(), false));
    let outputs = seeker.handle(NOW, Input::Obtained { search: SEARCH, needs: rest.to_vec() });
    assert_eq!((obtained(&outputs), is_over(&outputs)), (Vec::new(), true));
    assert!(seeker.peer.is_quiescent());
}

#[test]
fn what_never_comes_ends_with_the_search() {
    let holder = Holder::new(1, 2);
    let (mut seeker, request, inquiry) = searching(&holder);
    let shown = [&demanding(&holder, 1), &holder.credential];
    let (root, view) = (&holder.identity.root, &holder.identity.view);
    let answer = Disclosure::answer(&inquiry, root, view, &shown, holder.openings.clone(), NOW);
    let bytes = Response::Disclosed(answer.expect("an answer")).encode();
    let outputs = seeker.handle(NOW, Input::Response { request, result: Ok(bytes) });
    let needs = obtained(&outputs);
    assert_eq!(needs.len(), 8);
    assert!(is_over(&seeker.handle(NOW.plus_ms(5_000), Input::Wake)));
    assert!(seeker.handle(NOW.plus_ms(5_001), Input::Obtained { search: SEARCH, needs }).is_empty());
}

#[test]
fn nobody_but_the_operator_makes_a_node_fetch() {
    let holder = Holder::new(1, 2);
    let credentials = vec![holder.credential.clone()];
    let mut world = World::new(holder.identity.clone(), Memory::default(), credentials, NOW);
    let (content, openings) = draft(&holder.identity, &holder.credential);
    let publish = Command::Publish { content, openings, present: Present::Anyone, lease_ms: 3_600_000 };
    let mut outputs = world.handle(NOW, Input::Command(CommandId(1), publish));
    let published = world.peer.publication().expect("published").summary.clone();
    let (seeker, rust) = (identity(3), query::parse("rust", &Vocabulary::embedded(), NOW).expect("a query"));
    outputs.extend(world.handle(NOW, Input::Connected(seeker.node_id.clone())));
    for (n, request) in (0..).zip([
        Request::find(rust.query, 50),
        Request::Inquire(inquiry(&seeker, &published, "recruitment", 1)),
        Request::Fetch { ids: vec![published.id()] },
    ]) {
        let (from, channel) = (seeker.node_id.clone(), ChannelId(n));
        outputs.extend(
            world.handle(NOW, Input::Request { from: from.into(), channel, bytes: request.encode() }),
        );
    }
    assert!(published.body().content().claim(&skill()).is_some());
    assert_eq!(obtained(&outputs), Vec::new());
}
