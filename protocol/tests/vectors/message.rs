//! Requests, responses and items: one of each kind, and what each bound refuses.

use knackmesh_protocol::{
    cell::{Cell, Descriptor, Epoch, Half, Path, Receipt},
    id::Id,
    limits::{FETCH_IDS_MAX, FIND_SKIP_MAX, LEADS_MAX, RECONCILE_FRAME_BYTES_MAX, STORE_CELLS_MAX},
    message::{Envelope, Frame, Item, Leads, Placed, Refusal, Replica, Request, Response, Scope},
    query::parse,
    signed::Signed,
    wire::WireError,
};
use serde_json::{Value, json};

use super::{Case, cbor::Cbor, fixtures::*, hex, illegal, refused, signed::acknowledgement, unhex};

pub fn outcome(case: &Value) -> Value {
    let (kind, bytes) = ["request", "response", "item"]
        .into_iter()
        .find_map(|kind| Some((kind, unhex(case.get(kind)?))))
        .unwrap();
    let decoded = match kind {
        "request" => Request::decode(&bytes).map(|m| (name_of_request(&m), m.encode())),
        "response" => Response::decode(&bytes).map(|m| (name_of_response(&m), m.encode())),
        _ => Item::decode(&bytes).map(|m| (name_of_item(&m), m.encode())),
    };
    match decoded {
        Ok((name, again)) => {
            assert_eq!(again, bytes);
            json!({"is": name})
        }
        Err(error) => refused(&error),
    }
}

fn name_of_request(request: &Request) -> &'static str {
    match request {
        Request::Find { .. } => "find",
        Request::Inquire(_) => "inquire",
        Request::Withdraw(_) => "withdraw",
        Request::Reconcile { .. } => "reconcile",
        Request::Fetch { .. } => "fetch",
        Request::Store { .. } => "store",
    }
}

fn name_of_response(response: &Response) -> &'static str {
    match response {
        Response::Leads(_) => "leads",
        Response::Disclosed(_) => "disclosed",
        Response::Received => "received",
        Response::Deleted(_) => "deleted",
        Response::Reconciled { .. } => "reconciled",
        Response::Items(_) => "items",
        Response::Stored { .. } => "stored",
        Response::Refused(_) => "refused",
    }
}

fn name_of_item(item: &Item) -> &'static str {
    match item {
        Item::Summary(_) => "summary",
        Item::Tombstone(_) => "tombstone",
    }
}

fn find(limit: usize) -> Request {
    let query = parse(&format!("<{RUST}>>=3 region:DE"), &VOCABULARY, now()).unwrap().query;
    Request::find(query, u16::try_from(limit).unwrap())
}

pub fn requests() -> Vec<(&'static str, Request)> {
    let frame = Frame::new(vec![0x61]).unwrap();
    vec![
        ("find", find(50)),
        ("find-most", find(LEADS_MAX)),
        ("inquire", Request::Inquire(inquiry())),
        ("withdraw", Request::Withdraw(tombstone())),
        ("reconcile", Request::reconcile(now(), frame)),
        ("fetch", Request::Fetch { ids: vec![summary().id(), tombstone().id()] }),
        ("fetch-nothing", Request::Fetch { ids: vec![] }),
        ("find-in-cell", find_in(cell(Path::ALL))),
        ("reconcile-cell", compare(Scope::Cell(Box::new(cell(part("DE/01")))))),
        ("reconcile-withdrawals", compare(Scope::Withdrawals)),
        ("store", Request::Store { cells: vec![cell(Path::ALL)], items: vec![Item::Summary(summary())] }),
    ]
}

fn part(path: &str) -> Path {
    path.to_owned().try_into().unwrap()
}

pub fn cell(path: Path) -> Cell {
    Cell { skill: RUST.parse().unwrap(), path, half: Half::Second, epoch: Epoch::of(now()) }
}

fn find_in(cell: Cell) -> Request {
    let Request::Find { query, limit, .. } = find(50) else { unreachable!() };
    Request::Find { query, limit, skip: 50, cell: Some(Box::new(cell)) }
}

fn compare(scope: Scope) -> Request {
    Request::Reconcile { as_of: now(), frame: Frame::new(vec![0x61]).unwrap(), scope }
}

pub fn receipt() -> Signed<Receipt> {
    let (cells, items) = (vec![cell(Path::ALL).key()], vec![summary().id()]);
    Signed::sign(Receipt::new(Who::Node.key().public(), cells, items, now()), &Who::Node.key())
}

pub fn responses() -> Vec<(&'static str, Response)> {
    let summaries = vec![Envelope(summary().encode())];
    let leads = Leads { summaries, matched: 7, held: 1000, reconciled: Some(now()), ..Leads::default() };
    let never = Leads { summaries: vec![], matched: 0, held: 0, reconciled: None, ..Leads::default() };
    let of_cell = Leads {
        replica: Replica::Cells,
        cell: Some(Descriptor { count: 20_001, parts: vec![part("-"), part("DE")] }),
        ..leads.clone()
    };
    let items = vec![Item::Summary(summary()), Item::Tombstone(tombstone())];
    vec![
        ("leads", Response::Leads(leads)),
        ("leads-none", Response::Leads(never)),
        ("disclosed", Response::Disclosed(disclosure())),
        ("received", Response::Received),
        ("deleted", Response::Deleted(acknowledgement())),
        ("reconciled", Response::reconciled(Frame::new(vec![0x61]).unwrap())),
        ("items", Response::Items(items)),
        ("leads-of-cell", Response::Leads(of_cell)),
        (
            "reconciled-cell",
            Response::Reconciled {
                frame: Frame::new(vec![0x61]).unwrap(),
                replica: Replica::Cells,
                held: Some(7),
                parts: vec![part("-"), part("DE")],
            },
        ),
        (
            "stored",
            Response::Stored {
                receipt: receipt(),
                cells: vec![
                    Placed::Kept,
                    Placed::Split(vec![part("DE")]),
                    Placed::Refused(Refusal::NotCurrent),
                ],
            },
        ),
        ("refused-not-kept", Response::Refused(Refusal::NotKept)),
        ("refused-malformed", Response::Refused(Refusal::Malformed)),
        ("refused-busy", Response::Refused(Refusal::Busy)),
        ("refused-not-current", Response::Refused(Refusal::NotCurrent)),
    ]
}

pub fn items() -> Vec<(&'static str, Item)> {
    vec![("item-summary", Item::Summary(summary())), ("item-tombstone", Item::Tombstone(tombstone()))]
}

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (name, request) in requests() {
        cases.push((name, json!({"description": "A request.", "request": hex(request.encode())})));
    }
    for (name, response) in responses() {
        cases.push((name, json!({"description": "A response.", "response": hex(response.encode())})));
    }
    for (name, item) in items() {
        cases.push((name, json!({"description": "An item.", "item": hex(item.encode())})));
    }
    let request =
        |name, description: &str, item: Cbor| bad(name, description, "request", json!(hex(item.write())));
    let response =
        |name, description: &str, item: Cbor| bad(name, description, "response", json!(hex(item.write())));
    let found = Cbor::read(&find(50).encode());
    let inquire = Cbor::read(&Request::Inquire(inquiry()).encode());
    let leads = Cbor::read(&responses()[0].1.encode());
    let over = RECONCILE_FRAME_BYTES_MAX + 1;
    let frame = json!(["a1697265636f6e63696c65a26561735f6f6600656672616d65", "5a00010001", {"repeat": "00", "times": over}]);
    let ids = FETCH_IDS_MAX + 1;
    let fetch = json!(["a1656665746368a163696473", "990101", {"repeat": format!("5820{}", hex([0; 32])), "times": ids}]);
    cases.extend([
        request(
            "bad-find-too-many",
            "more leads than LEADS_MAX",
            found.clone().with("find.limit", Cbor::Unsigned(LEADS_MAX as u64 + 1)),
        ),
        request(
            "bad-find-negative-query",
            "a query that only excludes",
            found.clone().with("find.query", Cbor::variant("not", Cbor::variant("region", Cbor::text("DE")))),
        ),
        request(
            "bad-find-with-more",
            "a field that this version does not know",
            found.clone().and("find", "offset", Cbor::Unsigned(0)),
        ),
        request(
            "bad-find-skip-nothing",
            "a default that is written out",
            found.clone().and("find", "skip", Cbor::Unsigned(0)),
        ),
        request(
            "bad-find-skip-too-many",
            "skips more than FIND_SKIP_MAX",
            found.clone().and("find", "skip", Cbor::Unsigned(FIND_SKIP_MAX as u64 + 1)),
        ),
        request(
            "bad-cell-path",
            "bits before a country",
            Cbor::read(&find_in(cell(Path::ALL)).encode()).with("find.cell.path", Cbor::text("01")),
        ),
        request(
            "bad-cell-half",
            "a third half",
            Cbor::read(&find_in(cell(Path::ALL)).encode()).with("find.cell.half", Cbor::Unsigned(2)),
        ),
        request(
            "bad-store-too-many",
            "more cells than STORE_CELLS_MAX",
            Cbor::read(
                &Request::Store { cells: vec![cell(Path::ALL); STORE_CELLS_MAX + 1], items: vec![] }.encode(),
            ),
        ),
        request("bad-find-without-limit", "no limit", found.without("find", "limit")),
        request("bad-request-unknown", "no request of this version", Cbor::variant("delete", Cbor::NULL)),
        request(
            "bad-request-two",
            "two requests in one",
            Cbor::read(&find(1).encode()).and("", "received", Cbor::NULL),
        ),
        request(
            "bad-inquire-forged",
            "a signature that does not verify",
            inquire.with("inquire.signature", Cbor::Bytes(vec![0; 64])),
        ),
        bad("bad-frame-too-long", "a frame longer than RECONCILE_FRAME_BYTES_MAX", "request", frame),
        bad("bad-fetch-too-many", "more ids than FETCH_IDS_MAX", "request", fetch),
        response(
            "bad-leads-null",
            "null in place of an absent field",
            Cbor::read(&responses()[1].1.encode()).and("leads", "reconciled", Cbor::NULL),
        ),
        response(
            "bad-leads-decoded",
            "summaries as maps instead of bytes",
            leads.with("leads.summaries.0", Cbor::read(&summary().encode())),
        ),
        response(
            "bad-received-with-content",
            "a map in place of the word",
            Cbor::variant("received", Cbor::NULL),
        ),
        response(
            "bad-refusal-unknown",
            "no reason of this version",
            Cbor::variant("refused", Cbor::text("forbidden")),
        ),
        bad(
            "bad-item-bare",
            "an envelope that does not say what it holds",
            "item",
            json!(hex(summary().encode())),
        ),
        bad(
            "bad-item-mislabelled",
            "a tombstone called a summary",
            "item",
            json!(hex(Cbor::variant("summary", Cbor::read(&tombstone().encode())).write())),
        ),
    ]);
    let long = json!([{"repeat": "00", "times": 1024 * 1024 + 1}]);
    let (name, mut case) = bad("bad-too-long", "longer than MESSAGE_BYTES_MAX", "request", long);
    case["expect"] = json!({"error": "too-long"});
    cases.push((name, case));
    cases
}

fn bad(name: &'static str, description: &str, kind: &str, bytes: Value) -> Case {
    (name, json!({"description": description, kind: bytes, "expect": illegal()}))
}

#[test]
fn a_signature_inside_a_message_is_verified_when_it_is_decoded() {
    let forged = Cbor::read(&Request::Inquire(inquiry()).encode());
    let forged = forged.with("inquire.signature", Cbor::Bytes(vec![0; 64])).write();
    let Err(WireError::Illegal { reason, .. }) = Request::decode(&forged) else { panic!("decoded") };
    assert!(reason.contains("the signature does not verify"), "{reason}");
    assert_eq!(Id::of(b"").to_string().len(), 64);
}
