//! That all which is read of a thing stands in one place.
//!
//! In RDF a thing has what several objects with its `id` say of it. Who reads JSON looks into one of them. So no two objects may
//! share among them what is read, and nothing that is read of the document itself, or of its subjects, may stand elsewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::json::items;

/// What is read of a credential itself.
const OF_CREDENTIALS: [&str; 7] = [
    "credentialStatus",
    "credentialSubject",
    "expirationDate",
    "issuanceDate",
    "issuer",
    "validFrom",
    "validUntil",
];

/// What is read of subjects, and of what they refer to.
const OF_SUBJECTS: [&str; 20] = [
    "achievedLevel",
    "achievement",
    "alignment",
    "distrusted",
    "encodedList",
    "entries",
    "level",
    "result",
    "resultDescription",
    "rubricCriterionLevel",
    "skills",
    "statusListCredential",
    "statusListIndex",
    "statusPurpose",
    "statusSize",
    "targetUrl",
    "ttl",
    "value",
    "valueMax",
    "valueMin",
];

/// Graphs of their own, whose statements are not those of the document.
const OTHER_GRAPHS: [&str; 2] = ["proof", "verifiableCredential"];

/// An object of the document that has a name.
struct Named<'a> {
    object: &'a Map<String, Value>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Document,
    Subject,
    Elsewhere,
}

/// The `id` of something of which `document` says what is read in two places, or in another than where it is read.
pub(super) fn scattered(document: &Map<String, Value>) -> Option<&str> {
    let mut named = BTreeMap::new();
    collect(document, Place::Document, &mut named);
    let is_scattered = |objects: &Vec<Named<'_>>| {
        says_elsewhere(objects, &OF_CREDENTIALS, Place::Document)
            || says_elsewhere(objects, &OF_SUBJECTS, Place::Subject)
    };
    named.into_iter().find(|(_, objects)| is_scattered(objects)).map(|(id, _)| id)
}

/// Whether, of the objects of one name, two say something different that is read, or one does that is not at the place where it
/// is read while another is; or two are at that place.
fn says_elsewhere(objects: &[Named<'_>], read: &[&str], place: Place) -> bool {
    let at_place = objects.iter().filter(|named| named.place == place).count();
    if at_place > 1 {
        return true;
    }
    let mut speakers = objects.iter().filter(|named| read.iter().any(|key| named.object.contains_key(*key)));
    let Some(first) = speakers.next() else { return false };
    (at_place > 0 && first.place != place)
        || speakers.any(|other| other.object != first.object || other.place != first.place)
}

fn collect<'a>(object: &'a Map<String, Value>, place: Place, named: &mut BTreeMap<&'a str, Vec<Named<'a>>>) {
    if let Some(id) = object.get("id").and_then(Value::as_str) {
        named.entry(id).or_default().push(Named { object, place });
    }
    for (key, value) in object.iter().filter(|(key, _)| !OTHER_GRAPHS.contains(&key.as_str())) {
        let is_subject = place == Place::Document && key == "credentialSubject";
        let below = if is_subject { Place::Subject } else { Place::Elsewhere };
        for item in flat(value) {
            collect(item, below, named);
        }
    }
}

/// The objects that a value is, or that stand in it, however deep its lists.
fn flat(value: &Value) -> Vec<&Map<String, Value>> {
    match value {
        Value::Object(object) => vec![object],
        Value::Array(_) => items(Some(value)).iter().flat_map(flat).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[track_caller]
    fn is(document: Value, expected: Option<&str>) {
        assert_eq!(scattered(document.as_object().unwrap()), expected, "{document}");
    }

    #[test]
    fn a_thing_may_be_named_anywhere_and_described_where_it_is_read() {
        is(json!({"id": "urn:c", "validUntil": "2026", "evidence": {"id": "urn:c"}}), None);
        is(json!({"id": "urn:c", "validUntil": "2026", "evidence": {"id": "urn:c", "name": "C"}}), None);
        // Issued to oneself.
        let me = json!({"id": "urn:a", "name": "A"});
        is(json!({"issuer": me, "credentialSubject": {"id": "urn:a", "achievement": {}}}), None);
        // The same twice.
        let scale = json!({"id": "urn:s", "valueMax": "5"});
        is(
            json!({"credentialSubject": {"achievement": [{"resultDescription": scale}, {"resultDescription": scale}]}}),
            None,
        );
        // In a graph of its own.
        is(json!({"id": "urn:c", "issuer": "urn:a", "proof": {"id": "urn:c", "issuer": "urn:b"}}), None);
        // What others say of it.
        let endorsement = json!({"id": "urn:e", "issuer": "urn:b", "credentialSubject": {"id": "urn:c", "endorsementComment": "Yes"}});
        is(json!({"id": "urn:c", "issuer": "urn:a", "endorsement": [endorsement]}), None);
    }

    #[test]
    fn what_is_read_stands_in_one_place() {
        is(json!({"id": "urn:c", "evidence": {"id": "urn:c", "validUntil": "2026"}}), Some("urn:c"));
        is(
            json!({"id": "urn:c", "issuer": "urn:a", "evidence": [[{"id": "urn:c", "credentialStatus": {}}]]}),
            Some("urn:c"),
        );
        let subject = json!({"id": "urn:a", "achievement": {}});
        is(json!({"issuer": {"id": "urn:a", "result": {}}, "credentialSubject": subject}), Some("urn:a"));
        is(
            json!({"issuer": {"id": "urn:a", "result": {}}, "credentialSubject": {"id": "urn:a"}}),
            Some("urn:a"),
        );
        let halves =
            json!([{"id": "urn:r", "resultDescription": "urn:s"}, {"id": "urn:r", "achievedLevel": "urn:l"}]);
        is(json!({"credentialSubject": {"result": halves}}), Some("urn:r"));
        is(json!({"credentialSubject": [{"id": "urn:a", "result": []}, {"id": "urn:a"}]}), Some("urn:a"));
        is(
            json!({"credentialSubject": [{"id": "urn:a", "result": []}, {"id": "urn:a", "achievement": {}}]}),
            Some("urn:a"),
        );
    }
}
