//! DIDs, DID URLs, DID documents and the lists of DIDs that origins publish.
#![no_main]

use knackmesh_fuzz::{NOW, texts};
use knackmesh_protocol::{
    did::{Document, Documents, KeyPage, Options, Relationship, linkage, page, resolve, verification_key, web},
    key::Did,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let did: Did = "did:web:academy.example".parse().expect("a DID");
    let mut documents = Documents::new();
    if let Ok(document) = Document::read(text, &did) {
        assert_eq!(document.id(), &did);
        let methods: Vec<String> = document.methods().map(|method| method.id.clone()).collect();
        let _ = document.linked_origins().count();
        documents.insert(document, NOW).expect("the first has room");
        for method in methods {
            for relationship in [Relationship::AssertionMethod, Relationship::Authentication] {
                if let Ok(resolved) = verification_key(&method, relationship, &documents) {
                    assert_eq!(resolved.controller.did(), Some(&did));
                }
            }
        }
    }
    let url = "https://academy.example/issuers/7";
    if let Ok(page) = KeyPage::read(text, url) {
        documents.insert_page(page, NOW).expect("there is room");
        for method in [url, "https://academy.example/issuers/7#key-1"] {
            let _ = verification_key(method, Relationship::AssertionMethod, &documents);
            let _ = page::is_of(method, url, &documents);
        }
    }
    let _ = (page::is_of(text, url, &documents), page::needed(text, url, &documents));
    let _ = (page::is_of(url, text, &documents), page::needed(url, text, &documents));
    let _ = linkage::read(text, &"https://academy.example".parse().expect("an origin"), NOW);
    for format in [None, Some("JsonWebKey2020")] {
        let options = Options { public_key_format: format, ..Options::default() };
        assert!((200..600).contains(&resolve(text, &options).status()));
    }
    let _ = verification_key(text, Relationship::AssertionMethod, &documents);
    if let Ok(did) = text.parse::<Did>() {
        let _ = (web::url_of(&did), web::origin_of(&did));
        let _ = verification_key(&format!("{did}#0"), Relationship::Authentication, &documents);
    }
});
