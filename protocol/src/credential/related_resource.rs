//! Related resources: what a credential rests on, each with a digest of its bytes.
//!
//! Nothing is fetched, so a digest is compared where the bytes are at hand: those of the bundled contexts. That is what the
//! property is for: nobody can then take one meaning of a context for another.
//!
//! Source: W3C Verifiable Credentials Data Model 2.0, section 5.3; Subresource Integrity, section 3.3.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::vcdm::is_url;
use crate::{base58, json::items, rdf::BUNDLED_CONTEXTS};

/// The longest base58 text that is decoded: SHA-512 with its header. Decoding takes quadratic time.
const MULTIBASE_BYTES_MAX: usize = 96;

/// A digest algorithm.
struct Algorithm {
    /// Its name in Subresource Integrity.
    name: &'static str,
    /// Its code as a multihash.
    code: u8,
    digest: fn(&[u8]) -> Vec<u8>,
}

/// Every algorithm, the strongest first.
const ALGORITHMS: [Algorithm; 3] = [
    Algorithm { name: "sha512", code: 0x13, digest: |bytes| Sha512::digest(bytes).to_vec() },
    Algorithm { name: "sha384", code: 0x20, digest: |bytes| Sha384::digest(bytes).to_vec() },
    Algorithm { name: "sha256", code: 0x12, digest: |bytes| Sha256::digest(bytes).to_vec() },
];

/// Whether each related resource is named once, by a URL, with a digest that is not known to be another's.
pub(super) fn are_sound(document: &Map<String, Value>) -> bool {
    let Some(value) = document.get("relatedResource") else { return true };
    let resources = items(Some(value));
    let mut seen: Vec<&str> = Vec::new();
    !resources.is_empty()
        && resources.iter().all(|resource| {
            let id = resource.get("id").and_then(Value::as_str).filter(|id| is_url(id));
            id.is_some_and(|id| {
                let is_new = !seen.contains(&id);
                seen.push(id);
                is_new && digests_match(resource, id)
            })
        })
}

fn digests_match(resource: &Value, id: &str) -> bool {
    let bytes =
        BUNDLED_CONTEXTS.iter().find(|context| context.url == id).map(|context| context.text.as_bytes());
    let fits = |name: &str, fits: fn(&str, &[u8]) -> bool| match resource.get(name) {
        None => None,
        Some(Value::String(digest)) => Some(bytes.is_none_or(|bytes| fits(digest, bytes))),
        Some(_) => Some(false),
    };
    let stated = [fits("digestSRI", fits_sri), fits("digestMultibase", fits_multibase)];
    stated.iter().any(Option::is_some) && stated.into_iter().flatten().all(|fits| fits)
}

/// One or more digests in base64; of those by the strongest algorithm one must fit.
fn fits_sri(digests: &str, bytes: &[u8]) -> bool {
    let stated: Vec<(&str, &str)> =
        digests.split_ascii_whitespace().filter_map(|d| d.split_once('-')).collect();
    let strongest = ALGORITHMS.iter().find(|a| stated.iter().any(|(name, _)| *name == a.name));
    strongest.is_some_and(|algorithm| {
        let expected = STANDARD.encode((algorithm.digest)(bytes));
        let fits = |digest: &str| digest.split('?').next() == Some(&expected);
        stated.iter().any(|(name, digest)| *name == algorithm.name && fits(digest))
    })
}

/// A multihash, or SHA-256 without a header.
fn fits_multibase(digest: &str, bytes: &[u8]) -> bool {
    let stated = match digest.split_at_checked(1) {
        Some(("u", text)) => URL_SAFE_NO_PAD.decode(text).ok(),
        Some(("z", text)) if text.len() <= MULTIBASE_BYTES_MAX => base58::decode(text),
        _ => None,
    };
    stated.is_some_and(|stated| {
        stated == Sha256::digest(bytes).as_slice()
            || ALGORITHMS.iter().any(|algorithm| match stated.split_at_checked(2) {
                Some(([code, length], value)) => {
                    let is_sized = usize::from(*length) == value.len();
                    *code == algorithm.code && is_sized && value == (algorithm.digest)(bytes)
                }
                _ => false,
            })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    const V2: &str = "https://www.w3.org/ns/credentials/v2";
    /// As the data model states them (appendix B.1).
    const SHA256: &str = "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734";
    const SHA384: &str = "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU";

    fn sound(resources: Value) -> bool {
        are_sound(json!({"relatedResource": resources}).as_object().unwrap())
    }

    fn raw() -> Vec<u8> {
        (0..64).step_by(2).map(|at| u8::from_str_radix(&SHA256[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn digests_of_the_base_context_are_compared() {
        let multihash = [[0x12, 0x20].as_slice(), &raw()].concat();
        for (name, digest, fits) in [
            ("digestSRI", SHA384.to_owned(), true),
            ("digestSRI", format!("sha256-{}", STANDARD.encode(raw())), true),
            ("digestSRI", format!("md5-AAAA sha256-{}?ct=application/ld+json", STANDARD.encode(raw())), true),
            // The strongest decides.
            ("digestSRI", format!("sha256-AAAA {SHA384}"), true),
            ("digestSRI", format!("sha384-AAAA sha256-{}", STANDARD.encode(raw())), false),
            ("digestSRI", SHA384.replace('/', "_"), false),
            ("digestSRI", "md5-AAAA".to_owned(), false),
            ("digestSRI", String::new(), false),
            ("digestMultibase", format!("u{}", URL_SAFE_NO_PAD.encode(raw())), true),
            ("digestMultibase", format!("u{}", URL_SAFE_NO_PAD.encode(&multihash)), true),
            ("digestMultibase", format!("z{}", bs58::encode(&multihash).into_string()), true),
            ("digestMultibase", format!("u{}", URL_SAFE_NO_PAD.encode(&multihash[1..])), false),
            ("digestMultibase", format!("z{}", "1".repeat(1 << 16)), false),
            ("digestMultibase", "\u{e9}".to_owned(), false),
            ("digestMultibase", String::new(), false),
        ] {
            assert_eq!(sound(json!({"id": V2, name: digest})), fits, "{name} {digest}");
            // Of what is not at hand nothing can be said.
            assert!(sound(json!({"id": "https://a.example/b", name: digest})));
        }
        assert!(!sound(json!({"id": V2, "digestSRI": SHA384, "digestMultibase": "uAAAA"})));
    }

    #[test]
    fn each_is_named_once_with_a_digest() {
        let one = json!({"id": "https://a.example/b", "digestSRI": "sha256-AAAA"});
        let other = json!({"id": "https://a.example/c", "digestSRI": "sha256-AAAA"});
        assert!(sound(json!([one, other])));
        for bad in [
            json!([one, one]),
            json!([]),
            json!("https://a.example/b"),
            json!(["https://a.example/b"]),
            json!({"digestSRI": "sha256-AAAA"}),
            json!({"id": "b", "digestSRI": "sha256-AAAA"}),
            json!({"id": "https://a.example/b"}),
            json!({"id": "https://a.example/b", "digestSRI": 7}),
            json!(null),
        ] {
            assert!(!sound(bad.clone()), "{bad}");
        }
        assert!(are_sound(&Map::new()));
    }
}
