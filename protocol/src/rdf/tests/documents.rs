//! One document, one outcome.

use serde_json::{Value, json};

use super::{
    super::{Form, RdfError, canonical_nquads},
    object,
};
use crate::limits::{
    JSON_DEPTH_MAX, RDF_BYTES_MAX, RDF_CONTEXT_TERMS_MAX, RDF_NAMING_DEPTH_MAX, RDF_QUADS_MAX,
    RDF_TERM_CHAIN_MAX,
};

const V2: &str = "https://www.w3.org/ns/credentials/v2";
const BADGES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";

fn nquads(document: &Value) -> Result<String, RdfError> {
    canonical_nquads(document.as_object().unwrap(), Form::Any)
}

/// `entries` of an object in a context where `p`, `q` and `r` are properties and `ex:` is a prefix.
fn made_of(entries: Value) -> Value {
    let mut document = json!({"@context": {
        "ex": "http://e/", "id": "@id", "type": "@type", "p": "ex:p", "q": "ex:q", "r": {"@reverse": "ex:r"},
        "T": {"@id": "ex:T", "@context": {"own": "ex:own"}}, "U": {"@id": "ex:U"},
        "scoped": {"@id": "ex:scoped", "@context": {"inner": "ex:inner"}},
        "ref": {"@id": "ex:ref", "@type": "@id"}, "word": {"@id": "ex:word", "@type": "@vocab"},
        "date": {"@id": "ex:date", "@type": "ex:Date"}, "json": {"@id": "ex:json", "@type": "@json"},
        "double": {"@id": "ex:double", "@type": "http://www.w3.org/2001/XMLSchema#double"},
        "list": {"@id": "ex:list", "@container": "@list"}, "graph": {"@id": "ex:graph", "@container": "@graph"},
        "by_language": {"@id": "ex:l", "@container": "@language"}, "by_index": {"@id": "ex:i", "@container": "@index"},
        "by_id": {"@id": "ex:n", "@container": "@id"}, "by_type": {"@id": "ex:t", "@container": "@type"},
        "by_property": {"@id": "ex:x", "@container": "@index", "@index": "ex:key"},
        "french": {"@id": "ex:f", "@language": "fr-CA"}, "nothing": null, "nested": "@nest"
    }});
    document.as_object_mut().unwrap().extend(entries.as_object().unwrap().clone());
    document
}

/// What `entries` say, with names of this module left out.
#[track_caller]
fn says(entries: Value, expected: &[&str]) {
    let text = nquads(&made_of(entries)).unwrap();
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            line.replace("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf:")
                .replace("http://www.w3.org/2001/XMLSchema#", "xsd:")
                .replace("http://e/", "")
                .replace("_:c14n", "_:")
        })
        .collect();
    assert_eq!(lines, expected);
}

#[track_caller]
fn refused(entries: Value, code: &str) {
    assert_eq!(nquads(&made_of(entries)).map_err(|e| e.code()), Err(code));
}

#[test]
fn values() {
    says(
        json!({"id": "ex:s", "p": ["b", "a", "a", true, null]}),
        &["<s> <p> \"a\" .", "<s> <p> \"b\" .", "<s> <p> \"true\"^^<xsd:boolean> ."],
    );
    says(
        json!({"id": "ex:s", "p": [1, 1.0, -0.0, 5.5, 1e20, 1e21, 0.1, -3e-10]}),
        &[
            "<s> <p> \"-3.0E-10\"^^<xsd:double> .",
            "<s> <p> \"0\"^^<xsd:integer> .",
            "<s> <p> \"1\"^^<xsd:integer> .",
            "<s> <p> \"1.0E-1\"^^<xsd:double> .",
            "<s> <p> \"1.0E21\"^^<xsd:double> .",
            "<s> <p> \"100000000000000000000\"^^<xsd:integer> .",
            "<s> <p> \"5.5E0\"^^<xsd:double> .",
        ],
    );
    says(
        json!({"id": "ex:s", "double": [1, 2.5], "date": ["today", 7]}),
        &[
            "<s> <date> \"7\"^^<Date> .",
            "<s> <date> \"today\"^^<Date> .",
            "<s> <double> \"1.0E0\"^^<xsd:double> .",
            "<s> <double> \"2.5E0\"^^<xsd:double> .",
        ],
    );
    says(
        json!({"id": "ex:s", "json": {"b": [1.0, null], "a": "\u{e9}\n"}}),
        &["<s> <json> \"{\\\"a\\\":\\\"\u{e9}\\\\n\\\",\\\"b\\\":[1,null]}\"^^<rdf:JSON> ."],
    );
    says(json!({"id": "ex:s", "json": null, "p": null}), &["<s> <json> \"null\"^^<rdf:JSON> ."]);
    says(
        json!({"id": "ex:s", "p": "tab\t quote\" \\ \u{7} \u{7f}\r\n"}),
        &["<s> <p> \"tab\\t quote\\\" \\\\ \\u0007 \\u007F\\r\\n\" ."],
    );
    says(
        json!({"id": "ex:s", "ref": "ex:o", "word": ["U", "ex:o", "http://o/"]}),
        &["<s> <ref> <o> .", "<s> <word> <U> .", "<s> <word> <o> .", "<s> <word> <http://o/> ."],
    );
    says(
        json!({"id": "ex:s", "french": ["oui", 1], "p": {"@value": "ja", "@language": "DE"}}),
        &["<s> <f> \"1\"^^<xsd:integer> .", "<s> <f> \"oui\"@fr-ca .", "<s> <p> \"ja\"@de ."],
    );
    says(
        json!({"id": "ex:s", "p": {"@value": "x", "@language": "AR-eg", "@direction": "rtl"}}),
        &["<s> <p> \"x\"^^<https://www.w3.org/ns/i18n#ar-eg_rtl> ."],
    );
    refused(json!({"p": {"@value": null}}), "rdf-dropped");
    refused(json!({"p": {"@value": ["x"]}}), "rdf-invalid");
    refused(json!({"p": {"@value": "x", "@language": "not a tag"}}), "rdf-invalid");
    refused(json!({"p": {"@value": 1, "@language": "en"}}), "rdf-invalid");
    refused(json!({"p": {"@value": "x", "@language": "en", "@type": "ex:T"}}), "rdf-invalid");
    refused(json!({"p": {"@value": "x", "@type": "_:b"}}), "rdf-invalid");
    refused(json!({"p": {"@value": "x", "q": "y"}}), "rdf-invalid");
    refused(json!({"p": {"@language": "en"}}), "rdf-dropped");
    refused(json!({"p": 9_007_199_254_740_993_u64}), "rdf-invalid");
    refused(json!({"double": "5"}), "rdf-unsupported");
    says(json!({"id": "ex:s", "double": "5.0E0"}), &["<s> <double> \"5.0E0\"^^<xsd:double> ."]);
}

#[test]
fn nodes_and_names() {
    says(json!({"p": {"q": {}}}), &["_:1 <p> _:2 .", "_:2 <q> _:0 ."]);
    says(json!({"id": "_:x", "p": {"id": "_:y", "q": {"id": "_:x"}}}), &["_:0 <p> _:1 .", "_:1 <q> _:0 ."]);
    says(
        json!({"id": "ex:s", "type": ["T", "U", "ex:V"], "own": 1}),
        &[
            "<s> <own> \"1\"^^<xsd:integer> .",
            "<s> <rdf:type> <T> .",
            "<s> <rdf:type> <U> .",
            "<s> <rdf:type> <V> .",
        ],
    );
    says(
        json!({"id": "ex:s", "http://full/iri": "x", "ex:compact": "y", "urn:z": []}),
        &["<s> <compact> \"y\" .", "<s> <http://full/iri> \"x\" ."],
    );
    says(json!({"id": "ex:s", "p": [], "q": {"@set": []}}), &[]);
    says(
        json!({"id": "ex:s", "r": {"id": "ex:o"}, "@reverse": {"q": [{"id": "ex:o"}], "r": {"id": "ex:z"}}}),
        &["<o> <q> <s> .", "<o> <r> <s> .", "<s> <r> <z> ."],
    );
    says(
        json!({"id": "ex:s", "@included": [{"id": "ex:o", "p": 1}], "nested": {"p": 2, "nested": {"q": 3}}}),
        &[
            "<o> <p> \"1\"^^<xsd:integer> .",
            "<s> <p> \"2\"^^<xsd:integer> .",
            "<s> <q> \"3\"^^<xsd:integer> .",
        ],
    );
    refused(json!({"id": "ex:s", "undefined": 1}), "rdf-undefined-term");
    refused(json!({"id": "ex:s", "nothing": 1}), "rdf-undefined-term");
    refused(json!({"id": "ex:s", "@unknown": 1}), "rdf-undefined-term");
    refused(json!({"id": "ex:s", "p": {"@container": 1}}), "rdf-dropped");
    refused(json!({"id": "ex:s", "_:b": 1}), "rdf-dropped");
    for name in ["relative", "", "/a", "#a", "ex:with space", "ex:<angle>", "@id", "@foo", "1x:y"] {
        refused(json!({"id": name, "p": 1}), "rdf-not-an-iri");
        refused(json!({"id": "ex:s", "type": name}), "rdf-not-an-iri");
        refused(json!({"id": "ex:s", "ref": name}), "rdf-not-an-iri");
        refused(json!({"id": "ex:s", "word": name}), "rdf-not-an-iri");
    }
    refused(json!({"id": ["ex:s"], "p": 1}), "rdf-invalid");
    refused(json!({"id": "ex:s", "@id": "ex:s", "p": 1}), "rdf-invalid");
    refused(json!({"type": [1], "p": 1}), "rdf-invalid");
    refused(json!({"p": {"type": "@json", "q": 1}}), "rdf-invalid");
    refused(json!({"id": "ex:s", "r": "a text"}), "rdf-invalid");
    refused(json!({"@reverse": {"id": "ex:s"}}), "rdf-invalid");
    refused(json!({"p": {"q": 1, "@language": "en"}}), "rdf-dropped");
    refused(json!({}), "rdf-dropped");
    refused(json!({"id": "ex:s"}), "rdf-dropped");
    refused(json!({"id": "ex:s", "p": null}), "rdf-dropped");
    refused(json!({"@value": "x"}), "rdf-dropped");
    refused(json!({"@list": []}), "rdf-dropped");
}

#[test]
fn graphs() {
    says(
        json!({"@graph": [{"id": "ex:s", "p": 1}, {"id": "ex:t", "p": 2}]}),
        &["<s> <p> \"1\"^^<xsd:integer> .", "<t> <p> \"2\"^^<xsd:integer> ."],
    );
    says(
        json!({"q": 2, "@graph": [{"id": "ex:s", "p": 1}]}),
        &["<s> <p> \"1\"^^<xsd:integer> _:0 .", "_:0 <q> \"2\"^^<xsd:integer> ."],
    );
    says(json!({"id": "ex:g", "@graph": [{"id": "ex:s", "p": 1}]}), &["<s> <p> \"1\"^^<xsd:integer> <g> ."]);
    says(
        json!({"id": "ex:s", "graph": [{"id": "ex:a", "p": 1}, {"id": "ex:b", "p": 2}]}),
        &[
            "<a> <p> \"1\"^^<xsd:integer> _:0 .",
            "<b> <p> \"2\"^^<xsd:integer> _:1 .",
            "<s> <graph> _:0 .",
            "<s> <graph> _:1 .",
        ],
    );
    refused(json!({"@graph": ["text"]}), "rdf-dropped");
    refused(json!({"@graph": [{"id": "ex:s"}]}), "rdf-dropped");
    refused(json!({"id": "ex:s", "graph": "text"}), "rdf-dropped");
    refused(json!({"id": "ex:s", "graph": {"id": "ex:o"}}), "rdf-dropped");
}

#[test]
fn containers() {
    says(
        json!({"id": "ex:s", "list": [1, {"id": "ex:o"}]}),
        &[
            "<s> <list> _:1 .",
            "_:0 <rdf:first> <o> .",
            "_:0 <rdf:rest> <rdf:nil> .",
            "_:1 <rdf:first> \"1\"^^<xsd:integer> .",
            "_:1 <rdf:rest> _:0 .",
        ],
    );
    says(
        json!({"id": "ex:s", "list": [], "p": {"@list": []}}),
        &["<s> <list> <rdf:nil> .", "<s> <p> <rdf:nil> ."],
    );
    says(
        json!({"id": "ex:s", "list": [["x"], []]}),
        &[
            "<s> <list> _:2 .",
            "_:0 <rdf:first> \"x\" .",
            "_:0 <rdf:rest> <rdf:nil> .",
            "_:1 <rdf:first> <rdf:nil> .",
            "_:1 <rdf:rest> <rdf:nil> .",
            "_:2 <rdf:first> _:0 .",
            "_:2 <rdf:rest> _:1 .",
        ],
    );
    says(
        json!({"id": "ex:s", "by_language": {"EN": ["a", null], "@none": "b"}}),
        &["<s> <l> \"a\"@en .", "<s> <l> \"b\" ."],
    );
    says(
        json!({"id": "ex:s", "by_index": {"x": {"id": "ex:a"}, "y": ["b"]}}),
        &["<s> <i> \"b\" .", "<s> <i> <a> ."],
    );
    says(
        json!({"id": "ex:s", "by_id": {"ex:a": {"p": 1}, "@none": {"id": "ex:b", "p": 2}}}),
        &[
            "<a> <p> \"1\"^^<xsd:integer> .",
            "<b> <p> \"2\"^^<xsd:integer> .",
            "<s> <n> <a> .",
            "<s> <n> <b> .",
        ],
    );
    says(
        json!({"id": "ex:s", "by_type": {"T": {"id": "ex:a", "own": 1}}}),
        &["<a> <own> \"1\"^^<xsd:integer> .", "<a> <rdf:type> <T> .", "<s> <t> <a> ."],
    );
    says(
        json!({"id": "ex:s", "by_property": {"x": {"id": "ex:a"}}}),
        &["<a> <key> \"x\" .", "<s> <x> <a> ."],
    );
    refused(json!({"id": "ex:s", "by_language": {"not a tag": "x"}}), "rdf-invalid");
    refused(json!({"id": "ex:s", "by_language": {"en": 1}}), "rdf-invalid");
    refused(json!({"id": "ex:s", "by_id": {"ex:a": "text"}}), "rdf-invalid");
    refused(json!({"id": "ex:s", "p": {"@list": [1], "q": 1}}), "rdf-invalid");
    refused(json!({"id": "ex:s", "p": {"@set": [1], "id": "ex:o"}}), "rdf-invalid");
}

#[test]
fn contexts_and_their_scopes() {
    // A type's context holds for its node alone; a property's for everything below.
    refused(json!({"type": "T", "p": {"own": 1}}), "rdf-undefined-term");
    says(
        json!({"scoped": {"p": {"inner": 1}}}),
        &["_:0 <scoped> _:2 .", "_:1 <inner> \"1\"^^<xsd:integer> .", "_:2 <p> _:1 ."],
    );
    refused(json!({"scoped": {"p": 1}, "inner": 1}), "rdf-undefined-term");
    says(
        json!({"id": "ex:s", "p": {"@context": {"p": "ex:other"}, "p": 1}}),
        &["<s> <p> _:0 .", "_:0 <other> \"1\"^^<xsd:integer> ."],
    );
    refused(json!({"p": {"@context": null, "p": 1}}), "rdf-undefined-term");
    for (context, code) in [
        (json!("https://example.org/unknown"), "rdf-unknown-context"),
        (json!("credentials/v2"), "rdf-unknown-context"),
        (json!([[V2]]), "rdf-invalid-context"),
        (json!(1), "rdf-invalid-context"),
        (json!({"@version": 1.0}), "rdf-invalid-context"),
        (json!({"@import": V2}), "rdf-unsupported"),
        (json!({"@base": "http://base/"}), "rdf-unsupported"),
        (json!({"@vocab": "relative"}), "rdf-not-an-iri"),
        (json!({"@language": "not a tag"}), "rdf-invalid-context"),
        (json!({"a": "relative"}), "rdf-invalid-context"),
        (json!({"a": "_:blank"}), "rdf-invalid-context"),
        (json!({"a": "@context"}), "rdf-invalid-context"),
        (json!({"a": {"@id": "http://a/", "@foo": 1}}), "rdf-invalid-context"),
        (json!({"a": {"@id": "b:x"}, "b": {"@id": "a:x"}, "@vocab": "http://v/"}), "rdf-invalid-context"),
        (json!({"@type": "http://a/"}), "rdf-invalid-context"),
        (json!({"@id": "http://a/"}), "rdf-invalid-context"),
        (json!({"@foo": "http://a/"}), "rdf-invalid-context"),
        (json!({"": "http://a/"}), "rdf-invalid-context"),
        (json!({"a:b": "http://other/", "a": "http://a/"}), "rdf-invalid-context"),
        (json!([V2, {"name": "http://other/name"}]), "rdf-protected-term"),
        (json!([V2, null]), "rdf-protected-term"),
        (json!([V2, {"VerifiableCredential": "http://other/"}]), "rdf-protected-term"),
        (json!([V2, "https://w3id.org/security/data-integrity/v1"]), "rdf-protected-term"),
    ] {
        let document = json!({"@context": context, "http://p/": 1});
        assert_eq!(nquads(&document).map_err(|e| e.code()), Err(code), "{document}");
    }
    for context in [
        json!(null),
        json!([]),
        json!([V2, BADGES]),
        json!([V2, "https://w3id.org/security/data-integrity/v2"]),
        json!([V2, BADGES, {"name": {"@id": "https://schema.org/name"}, "@protected": true}]),
        json!({"@version": 1.1, "@base": null, "@vocab": "http://v/", "@language": "EN", "@propagate": true}),
        json!([{"a": {"@id": "http://a/", "@protected": true}}, {"a": {"@id": "http://a/"}}]),
        json!({"@type": {"@container": "@set", "@protected": true}}),
    ] {
        nquads(&json!({"@context": context, "http://p/": 1})).unwrap();
    }
    // A property's context may change what is protected, and forget it.
    says(
        json!({"@context": [{"ex": "http://e/", "@protected": true, "id": "@id"}, {
        "a": {"@id": "ex:a", "@context": null}, "b": {"@id": "ex:b", "@context": {"id": "ex:id"}}
    }], "@id": "ex:s", "a": {"http://e/p": 1}, "b": {"id": 2}}),
        &[
            "<s> <a> _:0 .",
            "<s> <b> _:1 .",
            "_:0 <p> \"1\"^^<xsd:integer> .",
            "_:1 <id> \"2\"^^<xsd:integer> .",
        ],
    );
}

#[test]
fn what_stands_in_credentials() {
    let credential = json!({
        "@context": [V2, BADGES],
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "credentialSubject": {"type": ["AchievementSubject"], "achievement": {"id": "urn:uuid:2", "type": ["Achievement"], "tag": ["b", "a"]}},
        "proof": {"type": "DataIntegrityProof", "proofPurpose": "assertionMethod"}
    });
    assert_eq!(
        nquads(&credential).unwrap(),
        "<urn:uuid:1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential> .\n\
         <urn:uuid:1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/2018/credentials#VerifiableCredential> .\n\
         <urn:uuid:1> <https://w3id.org/security#proof> _:c14n0 .\n\
         <urn:uuid:1> <https://www.w3.org/2018/credentials#credentialSubject> _:c14n2 .\n\
         <urn:uuid:2> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://purl.imsglobal.org/spec/vc/ob/vocab.html#Achievement> .\n\
         <urn:uuid:2> <https://schema.org/keywords> \"a\" .\n\
         <urn:uuid:2> <https://schema.org/keywords> \"b\" .\n\
         _:c14n1 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/security#DataIntegrityProof> _:c14n0 .\n\
         _:c14n1 <https://w3id.org/security#proofPurpose> <https://w3id.org/security#assertionMethod> _:c14n0 .\n\
         _:c14n2 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://purl.imsglobal.org/spec/vc/ob/vocab.html#AchievementSubject> .\n\
         _:c14n2 <https://purl.imsglobal.org/spec/vc/ob/vocab.html#achievement> <urn:uuid:2> .\n"
    );
    let mut extended = credential.clone();
    extended["credentialSubject"]["achievement"]["rank"] = json!("general");
    assert_eq!(nquads(&extended), Err(RdfError::UndefinedTerm("rank".into())));
    // A presentation's credentials are read in no context but their own.
    let presentation =
        json!({"@context": V2, "type": "VerifiablePresentation", "verifiableCredential": [credential]});
    assert!(nquads(&presentation).unwrap().contains("/keywords> \"a\" _:c14n"));
    let mut bare = presentation;
    bare["verifiableCredential"][0].as_object_mut().unwrap().remove("@context");
    assert_eq!(nquads(&bare).map_err(|e| e.code()), Err("rdf-undefined-term"));
}

#[test]
fn plain_documents_say_everything_in_its_place() {
    let plain = json!({
        "@context": [V2, BADGES, "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential", "OpenBadgeCredential", "WordOfTheVocabulary"],
        "name": {"@value": "Nom", "@language": "fr", "@direction": "ltr"},
        "validUntil": "2026-01-01T00:00:00Z",
        "credentialSubject": {"type": "AchievementSubject", "wordOfTheVocabulary": 1}
    });
    let read = |document: &Value, form| canonical_nquads(document.as_object().unwrap(), form);
    let text = read(&plain, Form::Plain).unwrap();
    assert_eq!(read(&plain, Form::Any).as_ref(), Ok(&text));
    let cred = |name: &str| format!("https://www.w3.org/2018/credentials#{name}");
    // Each says the same, and hides when it ends or what it is.
    for hide in [
        &|d: &mut Value| {
            let until = take(d, "validUntil");
            d[cred("validUntil")] =
                json!({"@value": until, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"});
        },
        &|d: &mut Value| {
            let until = take(d, "validUntil");
            d["@context"].as_array_mut().unwrap().push(json!({"until": {
                "@id": cred("validUntil"), "@type": "http://www.w3.org/2001/XMLSchema#dateTime"
            }}));
            d["until"] = until;
        },
        &|d: &mut Value| {
            let until = take(d, "validUntil");
            let context = take(d, "@context");
            let end = json!({"id": "urn:uuid:1", "type": "VerifiableCredential", "validUntil": until});
            *d = json!({"@context": context, "@graph": [d.clone(), end]});
        },
        &|d: &mut Value| {
            let until = take(d, "validUntil");
            d["@included"] = json!({"id": "urn:uuid:1", "type": "VerifiableCredential", "validUntil": until});
        },
        &|d: &mut Value| {
            d["type"][1] = json!("https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential")
        },
        &|d: &mut Value| d["@type"] = take(d, "type"),
        &|d: &mut Value| d["@id"] = take(d, "id"),
        &|d: &mut Value| {
            let subject = take(d, "credentialSubject");
            d["@reverse"] = json!({"wordOfTheVocabulary": []});
            d["credentialSubject"] = subject;
        },
        &|d: &mut Value| d["name"] = json!({"@set": [d["name"]]}),
    ] as [&dyn Fn(&mut Value); 9]
    {
        let mut hidden = plain.clone();
        hide(&mut hidden);
        assert_eq!(read(&hidden, Form::Any).as_ref(), Ok(&text), "{hidden}");
        assert_eq!(read(&hidden, Form::Plain).map_err(|e| e.code()), Err("rdf-not-plain"), "{hidden}");
    }
    let mut twice = plain.clone();
    twice["credentialSubject"]["wordOfTheVocabulary"] = json!([{"id": "urn:uuid:1", "type": "Image"}]);
    assert_eq!(read(&twice, Form::Plain), Err(RdfError::NotPlain("urn:uuid:1".into())));
    twice["credentialSubject"]["wordOfTheVocabulary"] = json!([{"id": "urn:uuid:1"}]);
    assert!(read(&twice, Form::Plain).is_ok());
    let mut general = plain.clone();
    general["@context"][2] = json!("https://w3id.org/security/v2");
    assert_eq!(read(&general, Form::Plain), Err(RdfError::NotPlain("@context".into())));

    // What is nobody's word may be defined by the document, and may be an IRI.
    let mut own = plain;
    own["@context"].as_array_mut().unwrap().push(json!({
        "Diploma": "https://terms.example/#Diploma",
        "rank": {"@id": "https://terms.example/#rank", "@type": "@vocab", "@context": {"high": "https://terms.example/#high"}},
        "terms": "https://terms.example/",
    }));
    own["type"] = json!(["VerifiableCredential", "Diploma", "https://terms.example/#Other", "terms:More"]);
    own["rank"] = json!("high");
    own["https://terms.example/#note"] = json!(1);
    own["terms:other"] = json!(2);
    let text = read(&own, Form::Plain).unwrap();
    for (context, culprit) in [
        (json!({"validUntil": "https://terms.example/#end"}), "validUntil"),
        // A word of a context that the document does not name would be believed all the same.
        (json!({"EndorsementCredential": "https://terms.example/#Diploma"}), "EndorsementCredential"),
        (
            json!({"own": {"@id": "https://terms.example/#own", "@context": {"achievement": "https://terms.example/#a"}}}),
            "achievement",
        ),
        (json!({"did": "https://terms.example/"}), "did"),
        (json!({"isOf": {"@reverse": "https://terms.example/#has"}}), "isOf"),
    ] {
        let mut changed = own.clone();
        changed["@context"][3].as_object_mut().unwrap().extend(context.as_object().unwrap().clone());
        let refusals = [RdfError::NotPlain(culprit.into()), RdfError::ProtectedTerm(culprit.into())];
        assert!(refusals.contains(&read(&changed, Form::Plain).unwrap_err()), "{context}");
    }
    // The same statements, with one that readers look for under a name that they do not know, or the other way about.
    let cred = "https://www.w3.org/2018/credentials#";
    for (context, key, value, culprit) in [
        (json!({"c": cred}), "c:validFrom", json!("2026"), "c:validFrom"),
        (json!({"@vocab": format!("{cred}valid")}), "From", json!("2026"), "From"),
        (json!({"@vocab": "https://terms.example/#x-"}), "achievement", json!("2026"), "achievement"),
        (json!({"begins": format!("{cred}validFrom")}), "begins", json!("2026"), "begins"),
        (json!({"kind": "@type"}), "kind", json!("https://terms.example/#Diploma"), "kind"),
        (
            json!({"V": format!("{cred}VerifiablePresentation")}),
            "type",
            json!(["VerifiableCredential", "V"]),
            "V",
        ),
        (
            json!({"@vocab": "https://terms.example/#"}),
            "type",
            json!(["VerifiableCredential", "Profile"]),
            "Profile",
        ),
    ] {
        let mut changed = own.clone();
        changed["@context"] = json!([V2, context]);
        changed["type"] = json!("VerifiableCredential");
        for name in ["rank", "terms:other", "credentialSubject"] {
            take(&mut changed, name);
        }
        assert!(read(&changed, Form::Plain).is_ok(), "{context}");
        changed[key] = value;
        assert!(read(&changed, Form::Any).is_ok(), "{changed}");
        assert_eq!(read(&changed, Form::Plain), Err(RdfError::NotPlain(culprit.into())), "{changed}");
    }
    assert!(text.contains("<https://terms.example/#high>"));
}

fn take(document: &mut Value, key: &str) -> Value {
    document.as_object_mut().unwrap().shift_remove(key).unwrap()
}

#[test]
fn bounds() {
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, n| json!({"p": inner, "q": n}));
    assert!(nquads(&made_of(nested(JSON_DEPTH_MAX + 1))).is_ok());
    refused(nested(JSON_DEPTH_MAX + 2), "rdf-too-deep");
    let scoped = |depth: usize| {
        (0..depth).fold(json!({}), |inner, _| json!({"a": {"@id": "http://a/", "@context": inner}}))
    };
    assert!(nquads(&json!({"@context": scoped(JSON_DEPTH_MAX), "http://p/": 1})).is_ok());
    let document = json!({"@context": scoped(JSON_DEPTH_MAX + 1), "http://p/": 1});
    assert_eq!(nquads(&document), Err(RdfError::TooDeep));

    let numbers = |n: usize| (0..n).collect::<Vec<_>>();
    assert!(nquads(&made_of(json!({"p": numbers(RDF_QUADS_MAX)}))).is_ok());
    refused(json!({"p": numbers(RDF_QUADS_MAX + 1)}), "rdf-too-many-quads");

    // A short document with long names: each use of a long prefix is paid for, and so is each quad.
    let long = format!("http://{}/", "x".repeat(100_000));
    let uses: Vec<String> = (0..=RDF_BYTES_MAX / 100_000).map(|n| format!("x:{n}")).collect();
    let context = json!({"x": long, "p": {"@id": "http://p/", "@type": "@id"}});
    let code = |document: Value| nquads(&document).map(|_| "").unwrap_or_else(|e| e.code());
    assert_eq!(code(json!({"@context": context, "p": &uses})), "rdf-too-long");
    assert_eq!(code(json!({"@context": context, "p": &uses[2..]})), "");
    assert_eq!(code(json!({"@id": long, "http://p/": &uses})), "rdf-too-long");
    assert_eq!(code(json!({"@id": long, "http://p/": &uses[2..]})), "");
    let mut chained = object(&json!({"x0": long}).to_string());
    chained.extend((1..RDF_TERM_CHAIN_MAX).map(|n| (format!("x{n}"), json!(format!("x{}:/", n - 1)))));
    assert!(nquads(&json!({"@context": chained, "http://p/": 1})).is_ok());

    // Every context copies what is there.
    let terms: serde_json::Map<_, _> = (0..99).map(|n| (format!("t{n}"), json!("http://t/"))).collect();
    let contexts = |n: usize| json!({"http://p/": vec![json!({"@context": terms, "http://p/": 1}); n]});
    assert!(nquads(&contexts(RDF_CONTEXT_TERMS_MAX / 100)).is_ok());
    assert_eq!(nquads(&contexts(RDF_CONTEXT_TERMS_MAX / 100 + 1)), Err(RdfError::ContextTooLarge));
    // Terms are defined in the order of their names, so that the first leads through all the others.
    let chain = |n: usize| {
        let link =
            |n: usize| (format!("t{n:03}"), json!({"@id": format!("t{:03}:x", n + 1), "@prefix": true}));
        let mut terms: serde_json::Map<_, _> = (1..n).map(link).collect();
        terms.insert(format!("t{n:03}"), json!("http://t/"));
        nquads(&json!({"@context": terms, "http://p/": 1}))
    };
    assert!(chain(RDF_TERM_CHAIN_MAX).is_ok());
    assert_eq!(chain(RDF_TERM_CHAIN_MAX + 1), Err(RdfError::ContextTooLarge));

    // Blank nodes in a circle look alike; telling them apart leads around it.
    let circle = |n: usize| {
        let node =
            |i: usize| json!({"@id": format!("_:{i}"), "http://p/": {"@id": format!("_:{}", (i + 1) % n)}});
        nquads(&json!({"@graph": (0..n).map(node).collect::<Vec<_>>()}))
    };
    assert!(circle(RDF_NAMING_DEPTH_MAX / 2).is_ok());
    assert_eq!(circle(RDF_NAMING_DEPTH_MAX * 3), Err(RdfError::TooComplex));
}
