//! What nodes send each other: requests, responses, announcements, signed statements.
#![no_main]

use knackmesh_fuzz::NOW;
use knackmesh_protocol::{
    consent::Consent,
    credential::{TrustList, Verifier},
    limits::NEEDS_MAX,
    message::{Item, Request, Response},
    query::Query,
    signed::{Signed, peek_id},
    summary::{Summary, Tombstone},
    wire,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let is_canonical = wire::check_canonical(data).is_ok();
    // Whatever is read has this one encoding.
    if let Ok(request) = Request::decode(data) {
        assert!(is_canonical && request.encode() == data);
    }
    if let Ok(response) = Response::decode(data) {
        assert!(is_canonical && response.encode() == data);
        if let Response::Disclosed(disclosure) = &response {
            assert!(disclosure.needs(&Verifier::new(NOW, &TrustList::default())).len() <= NEEDS_MAX);
        }
    }
    if let Ok(item) = Item::decode(data) {
        assert!(is_canonical && item.encode() == data);
        let _ = (item.id(), item.topic(), item.expires(), item.record_key());
    }
    if let Ok(query) = wire::decode::<Query>(data, data.len()) {
        assert!(is_canonical && wire::encode(&query) == data);
    }
    let _ =
        (Signed::<Summary>::decode(data), Signed::<Consent>::decode(data), Signed::<Tombstone>::decode(data));
    let _ = (Item::decode_kept(data), peek_id(data));
});
