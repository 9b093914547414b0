//! Documents that are written plainly: so that nothing of what they say can be overlooked by whoever reads them as JSON.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    RdfError,
    active::{Active, Definition, is_blank},
    expand::{Expanded, Expander, Place},
    keyword::Keyword,
    node::Item,
};

/// How a document may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// In any way.
    Any,
    /// Plainly.
    Plain,
}

impl Expander {
    /// Requires `iri` to be called by a name of the bundled contexts, where they have one.
    pub(super) fn check_name(&self, iri: &str, key: &str) -> Result<(), RdfError> {
        match self.contexts.names(iri).filter(|_| self.writing == Writing::Plain) {
            Some(names) if !names.contains(key) => Err(not_plain(key)),
            _ => Ok(()),
        }
    }

    /// Requires a property to go by its name, and its values to stand under it as they are.
    pub(super) fn check_property(
        &self,
        iri: &str,
        key: &str,
        definition: Option<&Definition>,
    ) -> Result<(), RdfError> {
        self.check_name(iri, key)?;
        let Some(definition) = definition.filter(|_| self.writing == Writing::Plain) else { return Ok(()) };
        let container = definition.container;
        let is_map = container.index || container.id || container.kind || container.language;
        if definition.is_reverse || (is_map && self.contexts.names(iri).is_some()) {
            return Err(not_plain(key));
        }
        Ok(())
    }

    /// Requires an object to hold its own properties and no others, and its name and types to be called so.
    pub(super) fn check_keyword(
        &self,
        active: &Active,
        keyword: Keyword,
        key: &str,
        members: &Map<String, Value>,
    ) -> Result<(), RdfError> {
        let plain = match keyword {
            _ if self.writing == Writing::Any => return Ok(()),
            Keyword::Id => "id",
            Keyword::Type if key == "@type" && members.contains_key("@value") => return Ok(()),
            Keyword::Type => "type",
            Keyword::Value => "@value",
            Keyword::Graph
            | Keyword::Included
            | Keyword::List
            | Keyword::Nest
            | Keyword::Reverse
            | Keyword::Set => return Err(not_plain(key)),
            _ => return Ok(()),
        };
        let has_no_name = key.starts_with('@') && !active.terms.contains_key(plain);
        if key == plain || has_no_name { Ok(()) } else { Err(not_plain(key)) }
    }

    /// Requires a name to be written out, and to be one that others can use.
    pub(super) fn check_reference(&self, iri: &str, text: &str) -> Result<(), RdfError> {
        if self.writing == Writing::Plain && (iri != text || is_blank(text)) {
            return Err(not_plain(text));
        }
        Ok(())
    }

    /// Requires a value not to be in an object where it could stand by itself.
    pub(super) fn check_value(
        &mut self,
        around: &Arc<Active>,
        place: Place<'_>,
        members: &Map<String, Value>,
        expanded: &Expanded,
    ) -> Result<(), RdfError> {
        let value = members.get("@value").filter(|value| !(value.is_object() || value.is_array()));
        let (Writing::Plain, Expanded::One(Item::Literal(literal)), Some(value)) =
            (self.writing, expanded, value)
        else {
            return Ok(());
        };
        match self.expand(around, place, value, false, false) {
            Ok(Expanded::One(Item::Literal(same))) if same == *literal => Err(not_plain("@value")),
            _ => Ok(()),
        }
    }
}

fn not_plain(what: &str) -> RdfError {
    RdfError::NotPlain(RdfError::named(what))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::{
        super::{canonical_nquads, canonical_nquads_of_plain},
        *,
    };

    const V2: &str = "https://www.w3.org/ns/credentials/v2";
    const BADGES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";
    /// With a context whose terms are not protected.
    const BEFORE: [&str; 2] = [
        "https://www.w3.org/2018/credentials/v1",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
    ];
    const VALID_UNTIL: &str = "https://www.w3.org/2018/credentials#validUntil";

    /// What a document of type VerifiableCredential with these members says; in any form, and in a plain one.
    fn read(context: Value, members: Value) -> (String, Result<String, RdfError>) {
        let context = if context.is_array() { context } else { json!([V2, context]) };
        let mut document = json!({"@context": context, "type": "VerifiableCredential"});
        document.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let document = document.as_object().unwrap();
        (canonical_nquads(document).unwrap(), canonical_nquads_of_plain(document))
    }

    #[test]
    fn plain_documents_are_read_as_any() {
        for (context, members) in [
            (json!({}), json!({"validUntil": "2026-01-01T00:00:00Z"})),
            (
                json!({}),
                json!({"credentialSubject": [{"id": "urn:a", "name": {"@value": "A", "@language": "en"}}]}),
            ),
            (json!({}), json!({"issuer": {"id": "did:key:z6"}, "http://other/": 7})),
            // What no bundled context names may go by any name.
            (json!({"mine": "http://other/"}), json!({"mine": [1, 2]})),
            (json!({"ex": "http://e/"}), json!({"ex:a": "b"})),
            (json!({"by": {"@id": "http://e/l", "@container": "@language"}}), json!({"by": {"en": "A"}})),
            (
                json!({"date": {"@id": "http://e/d", "@type": "http://e/D"}}),
                json!({"http://e/d": {"@value": "x", "@type": "http://e/E"}}),
            ),
            (
                json!(BADGES),
                json!({"credentialSubject": {"type": "AchievementSubject", "achievement": {"type": "Achievement", "name": "A"}}}),
            ),
        ] {
            let (any, plain) = read(context, members.clone());
            assert_eq!(plain, Ok(any), "{members}");
        }
    }

    #[test]
    fn other_forms_of_the_same_are_refused() {
        let date = || json!({"@value": "2026-01-01T00:00:00Z", "@type": "http://www.w3.org/2001/XMLSchema#dateTime"});
        for (context, members) in [
            (json!({}), json!({VALID_UNTIL: date()})),
            (json!({}), json!({"validUntil": date()})),
            (json!({"until": VALID_UNTIL}), json!({"until": date()})),
            (
                json!({"c": {"@id": "https://www.w3.org/2018/credentials#", "@prefix": true}}),
                json!({"c:validUntil": date()}),
            ),
            (
                json!({"@vocab": "https://www.w3.org/2018/credentials#"}),
                json!({"validUntil": date(), "evidence": "urn:a"}),
            ),
            (json!({}), json!({"@id": "urn:a", "http://other/": 7})),
            (json!({"name_of_it": "@id"}), json!({"name_of_it": "urn:a", "http://other/": 7})),
            (json!({}), json!({"@type": "http://e/T", "http://other/": 7})),
            (json!({"urn_a": "urn:a:"}), json!({"issuer": "urn_a:b"})),
            (json!({}), json!({"credentialSubject": {"id": "_:b"}})),
            (json!({}), json!({"@included": [{"id": "urn:a", "http://other/": 7}]})),
            (json!({"in": "@included"}), json!({"in": [{"id": "urn:a", "http://other/": 7}]})),
            (json!({"in": "@nest"}), json!({"in": {"http://other/": 7}})),
            (json!({}), json!({"@reverse": {"http://other/": {"id": "urn:a"}}})),
            (json!({"of": {"@reverse": "http://other/"}}), json!({"of": {"id": "urn:a"}})),
            (json!({}), json!({"http://other/": {"@set": [7]}})),
            (json!({}), json!({"http://other/": {"@list": [7]}})),
            (json!({}), json!({"http://other/": {"@graph": [{"id": "urn:a", "http://e/": 7}]}})),
            (json!({}), json!({"http://other/": {"@value": 7}})),
            (
                json!([BEFORE[0], BEFORE[1], {"result": {"@id": "https://purl.imsglobal.org/spec/vc/ob/vocab.html#result", "@container": "@index"}}]),
                json!({"result": {"a": {"id": "urn:a"}}}),
            ),
        ] {
            let (_, plain) = read(context, members.clone());
            assert!(matches!(plain, Err(RdfError::NotPlain(_))), "{members}: {plain:?}");
        }
    }
}
