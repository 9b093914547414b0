//! The schema accepts every legal encoding of the vectors, and refuses what differs in shape.

use cddl::validate_cbor_from_slice;
use knackmesh_protocol::{query::Query, wire};

use super::{cbor::Cbor, fixtures::*, message, proofs, signed};

const SCHEMA: &str = include_str!("../../schema.cddl");

/// The schema with `root` as the rule that a document must satisfy, which is the first.
fn rooted(root: &str) -> String {
    format!("document = {root}\n{SCHEMA}")
}

fn accepts(root: &str, bytes: &[u8]) {
    validate_cbor_from_slice(&rooted(root), bytes, None).unwrap_or_else(|e| panic!("{root}: {e}"));
}

fn refuses(root: &str, item: Cbor) {
    assert!(validate_cbor_from_slice(&rooted(root), &item.write(), None).is_err(), "{root} accepts {item:?}");
}

#[test]
fn every_wire_type_is_as_the_schema_says() {
    for (envelope, body, root) in [
        (consent().encode(), consent().bytes().to_vec(), "consent"),
        (summary().encode(), summary().bytes().to_vec(), "summary"),
        (tombstone().encode(), tombstone().bytes().to_vec(), "tombstone"),
        (inquiry().encode(), inquiry().bytes().to_vec(), "inquiry"),
        (disclosure().link.encode(), disclosure().link.bytes().to_vec(), "link"),
        (signed::statement().encode(), signed::statement().bytes().to_vec(), "score-statement"),
        (signed::acknowledgement().encode(), signed::acknowledgement().bytes().to_vec(), "acknowledgement"),
        (message::receipt().encode(), message::receipt().bytes().to_vec(), "receipt"),
    ] {
        accepts("envelope", &envelope);
        accepts(root, &body);
    }
    accepts("summary", proofs::proving(proofs::proof()).bytes());
    accepts("summary", small_summary(Who::View, 1, now(), 1000).bytes());
    message::requests().iter().for_each(|(_, request)| accepts("request", &request.encode()));
    message::responses().iter().for_each(|(_, response)| accepts("response", &response.encode()));
    message::items().iter().for_each(|(_, item)| accepts("item", &item.encode()));
}

#[test]
fn every_kind_of_term_is_as_the_schema_says() {
    for text in [
        "<urn:a>",
        "<urn:a|urn:b>=2..4 AND NOT <urn:c>",
        "(<urn:a> OR text:\"b c\") region:DE-BE lang:de mode:remote available:2026-12-01",
        "<urn:a> tier:issuer issuer:did:web:example.org",
    ] {
        let query: Query = knackmesh_protocol::query::parse(text, &VOCABULARY, now()).unwrap().query;
        accepts("query", &wire::encode(&query));
    }
}

#[test]
fn what_differs_in_shape_is_refused() {
    let body = Cbor::read(summary().bytes());
    refuses("summary", body.clone().and("content", "name", Cbor::text("A. Person")));
    refuses("summary", body.clone().without("", "consent"));
    refuses("summary", body.clone().with("content.claims.0.level", Cbor::Unsigned(6)));
    refuses("summary", body.clone().with("content.claims.0.tier", Cbor::text("certified")));
    refuses("summary", body.with("view", Cbor::Bytes(vec![0; 31])));
    refuses("envelope", Cbor::read(&summary().encode()).with("signature", Cbor::Bytes(vec![0; 63])));
    refuses("request", Cbor::variant("delete", Cbor::NULL));
    refuses("response", Cbor::text("sent"));
}
