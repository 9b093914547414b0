//! Queries as people type them.
#![no_main]

use std::sync::OnceLock;

use knackmesh_fuzz::{NOW, texts};
use knackmesh_protocol::{limits::QUERY_BYTES_MAX, query::parse, vocabulary::Vocabulary, wire};

static VOCABULARY: OnceLock<Vocabulary> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let vocabulary = VOCABULARY.get_or_init(Vocabulary::embedded);
    match parse(text, vocabulary, NOW) {
        Err(e) => drop(e.render(text)),
        Ok(parsed) => {
            let query = parsed.query;
            let bytes = wire::encode(&query);
            assert_eq!(wire::decode(&bytes, bytes.len()).as_ref(), Ok(&query), "it travels");
            // Its canonical form means the same, where it is not too long to be typed.
            let canonical = query.to_string();
            if canonical.len() <= QUERY_BYTES_MAX {
                assert_eq!(
                    parse(&canonical, vocabulary, NOW).map(|parsed| parsed.query),
                    Ok(query),
                    "{canonical}"
                );
            }
        }
    }
});
