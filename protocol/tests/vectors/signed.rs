//! Envelopes: one of each kind of statement, and each way in which one is refused.

use knackmesh_protocol::{
    consent::Consent,
    credential::Verifier,
    id::Id,
    inquiry::{Inquiry, Link},
    message::Acknowledgement,
    published::Published,
    query::parse,
    ranking::{Score, ScoreStatement, WEIGHTS_VERSION, score, standing},
    signed::{Signed, SignedError, Statement},
    summary::{Summary, Tombstone},
};
use serde_json::{Value, json};

use super::{Case, cbor::Cbor, fixtures::*, hex, illegal, refused, unhex};

pub fn outcome(case: &Value) -> Value {
    let envelope = unhex(&case["envelope"]);
    match case["domain"].as_str().unwrap() {
        "consent" => decoded::<Consent>(&envelope),
        "summary" => decoded::<Summary>(&envelope),
        "tombstone" => decoded::<Tombstone>(&envelope),
        "inquiry" => decoded::<Inquiry>(&envelope),
        "link" => decoded::<Link>(&envelope),
        "score" => decoded::<ScoreStatement>(&envelope),
        "acknowledgement" => decoded::<Acknowledgement>(&envelope),
        other => panic!("no domain {other}"),
    }
}

fn decoded<T: Statement + PartialEq + std::fmt::Debug>(envelope: &[u8]) -> Value {
    match Signed::<T>::decode(envelope) {
        Ok(signed) => {
            assert_eq!(signed.encode(), envelope);
            let input = [b"knackmesh/1 ", T::DOMAIN.as_bytes(), &[0], signed.bytes()].concat();
            json!({
                "signer": signed.body().signer().did(),
                "signing_input": hex(input),
                "id": signed.id().to_string(),
            })
        }
        Err(error) => refusal(&error),
    }
}

/// What comes of an envelope that is refused.
pub fn refusal(error: &SignedError) -> Value {
    match error {
        SignedError::Wire(error) => refused(error),
        SignedError::Signature => json!({"error": "signature"}),
    }
}

pub fn acknowledgement() -> Signed<Acknowledgement> {
    let node = Who::Node.key();
    let word = Acknowledgement { node: node.public(), tombstone: tombstone().id(), at: now() };
    Signed::sign(word, &node)
}

pub fn statement() -> Signed<ScoreStatement> {
    let (summary, seeker) = (summary(), Who::Seeker.key());
    let query = parse(&format!("<{RUST}>>=3 <{KUBERNETES}>"), &VOCABULARY, now()).unwrap().query;
    let proven = disclosure().verify(&inquiry(), summary.body(), &Verifier::new(now(), &trust())).unwrap();
    let standing = standing(summary.body(), Some(&proven), &Published::default(), &trust());
    let Score { points, terms } = score(&query, summary.body(), &standing, &VOCABULARY, now());
    let statement = ScoreStatement {
        seeker: seeker.public(),
        query,
        weights: WEIGHTS_VERSION,
        idf: VOCABULARY.digest(),
        time: now(),
        seed: [10; 32],
        summary: summary.id(),
        standing,
        points: u64::try_from(points).unwrap(),
        terms,
    };
    Signed::sign(statement, &seeker)
}

pub fn cases() -> Vec<Case> {
    let tombstone = tombstone();
    let word = Cbor::read(&acknowledgement().encode());
    let body = acknowledgement().bytes().to_vec();
    let signature = |bytes: Vec<u8>| word.clone().with("signature", Cbor::Bytes(bytes)).write();
    let good_signature = || match word.clone().at("signature") {
        Cbor::Bytes(bytes) => bytes.clone(),
        _ => unreachable!(),
    };
    let changed = |at: usize| {
        let mut bytes = good_signature();
        bytes[at] ^= 1;
        bytes
    };
    // S + L is a second signature that a lenient verifier takes (RFC 8032, section 5.1.7, demands S < L).
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let malleable = || {
        let mut bytes = good_signature();
        let mut carry = 0;
        for (byte, add) in bytes[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        bytes
    };
    // Under the identity point, R = identity and S = 0 satisfy the equation for every message.
    let mut identity = vec![0; 32];
    identity[0] = 1;
    let small_order = Cbor::read(&body).with("node", Cbor::Bytes(identity.clone()));
    let forged = Cbor::Map(vec![
        (Cbor::text("body"), Cbor::Bytes(small_order.write())),
        (Cbor::text("signature"), Cbor::Bytes([identity, vec![0; 32]].concat())),
    ]);
    let Cbor::Map(mut unsorted) = word.clone() else { unreachable!() };
    unsorted.reverse();
    let long = json!(["a164626f647959", "2100", {"repeat": "00", "times": 0x2100}]);
    vec![
        good("good-consent", "consent", Who::View, consent().encode()),
        good("good-summary", "summary", Who::View, summary().encode()),
        good("good-tombstone", "tombstone", Who::View, tombstone.encode()),
        good("good-inquiry", "inquiry", Who::Seeker, inquiry().encode()),
        good("good-link", "link", Who::View, disclosure().link.encode()),
        good("good-score", "score", Who::Seeker, statement().encode()),
        good("good-acknowledgement", "acknowledgement", Who::Node, acknowledgement().encode()),
        bad(
            "signature-of-another",
            "by a key that the body does not name",
            envelope(Who::Stranger, "acknowledgement", &body),
            sig(),
        ),
        bad(
            "signature-of-another-domain",
            "made for another kind of statement",
            envelope(Who::Node, "tombstone", &body),
            sig(),
        ),
        bad(
            "signature-without-domain",
            "over the body alone",
            signature(Who::Node.key().sign(&body).0.to_vec()),
            sig(),
        ),
        bad("signature-r-changed", "a bit of R differs", signature(changed(0)), sig()),
        bad("signature-s-changed", "a bit of S differs", signature(changed(32)), sig()),
        bad("signature-malleable", "S + L in place of S", signature(malleable()), sig()),
        bad("signature-small-order-key", "the signer is the identity point", forged.write(), sig()),
        bad(
            "body-changed",
            "a bit of the body differs",
            word.clone()
                .with("body", Cbor::Bytes(Cbor::read(&body).with("at", Cbor::Unsigned(0)).write()))
                .write(),
            sig(),
        ),
        bad("signature-short", "63 bytes", signature(good_signature()[..63].to_vec()), illegal()),
        bad("signature-missing", "no signature", word.clone().without("", "signature").write(), illegal()),
        bad(
            "envelope-with-more",
            "a third entry",
            word.clone().and("", "signer", Cbor::NULL).write(),
            illegal(),
        ),
        bad(
            "body-no-bytes",
            "the body as a map instead of bytes",
            word.clone().with("body", Cbor::read(&body)).write(),
            illegal(),
        ),
        bad(
            "body-of-another-kind",
            "the body of a tombstone",
            envelope(Who::View, "acknowledgement", tombstone.bytes()),
            illegal(),
        ),
        bad(
            "body-with-more",
            "a field that this version does not know",
            signed_by(Who::Node, "acknowledgement", &Cbor::read(&body).and("", "note", Cbor::text("x"))),
            illegal(),
        ),
        bad(
            "body-trailing",
            "a byte after the body's item",
            envelope(Who::Node, "acknowledgement", &[body.clone(), vec![0]].concat()),
            json!({"error": "not-canonical", "offset": body.len(), "reason": "bytes after the item"}),
        ),
        bad(
            "envelope-unsorted",
            "the signature before the body",
            Cbor::Map(unsorted).write(),
            json!({"error": "not-canonical", "offset": 77, "reason": "map keys unsorted or repeated"}),
        ),
        (
            "too-long",
            json!({
                "description": "an envelope longer than a summary's may be",
                "domain": "summary",
                "envelope": long,
                "expect": {"error": "too-long"},
            }),
        ),
        bad(
            "body-too-long",
            "a body longer than an acknowledgement's may be, in an envelope that is not",
            word.clone().with("body", Cbor::Bytes(vec![0; 260])).write(),
            json!({"error": "too-long"}),
        ),
    ]
}

fn sig() -> Value {
    json!({"error": "signature"})
}

fn good(name: &'static str, domain: &str, signer: Who, envelope: Vec<u8>) -> Case {
    let description = format!("The signer's secret key is the byte {:02x}, 32 times.", signer as u8);
    let secret = hex(signer.key().seed());
    (name, json!({"description": description, "domain": domain, "secret": secret, "envelope": hex(envelope)}))
}

fn bad(name: &'static str, description: &str, envelope: Vec<u8>, expect: Value) -> Case {
    (
        name,
        json!({
            "description": description,
            "domain": "acknowledgement",
            "envelope": hex(envelope),
            "expect": expect,
        }),
    )
}

#[test]
fn an_id_is_the_hash_of_the_body() {
    assert_eq!(tombstone().id(), Id::of(tombstone().bytes()));
}
