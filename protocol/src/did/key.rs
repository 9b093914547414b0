//! `did:key`: the identifier is the key, in multibase.
//!
//! Source: W3C CCG, The did:key Method 0.9, with its test vectors (`vectors/did/did-key`).

use serde_json::{Map, Value, json};

use super::{DidMethod, Document, KeylessDid, Options, ResolutionError, ResolveError, Source, jwk::okp};
use crate::{
    base58,
    key::{Algorithm, Did, VerifyingKey},
};

/// The method, for the list of methods.
pub(super) const METHOD: DidMethod =
    DidMethod { name: "key", source: Source::Computed { document, expand, check } };

/// A kind of key that a multicodec number names, and the bytes of one (did:key, section 3.1.2).
const KINDS: &[(u64, usize)] = &[
    (0xed, 32),   // Ed25519
    (0x1200, 33), // P-256
    (0xe7, 33),   // secp256k1
    (0xec, 32),   // X25519
    (0x1201, 49), // P-384
    (0x1202, 67), // P-521
];

/// Kinds of keys that are not decoded here and that a DID may state all the same, with the fewest and the most bytes of one.
const OTHER_KINDS: &[(u64, usize, usize)] = &[
    (0x1205, 200, 1100), // RSA, in DER
    (0xea, 48, 48),      // BLS12-381, in G1
    (0xeb, 96, 96),      // BLS12-381, in G2
    (0xee, 144, 144),    // BLS12-381, in both
];

/// The multicodec prefix of an X25519 public key (0xec), as an unsigned varint.
const X25519_PUB: [u8; 2] = [0xec, 0x01];

/// A type of verification method that a document can be written with.
struct Format {
    name: &'static str,
    /// The type of the method of an X25519 key beside it.
    agreement: &'static str,
    /// The contexts that define both.
    contexts: &'static [&'static str],
    /// Whether the key is stated as a JWK.
    is_jwk: bool,
    /// The one kind of key that it is for; `None` for any.
    algorithm: Option<Algorithm>,
    /// Whether the method of the X25519 key stands where it is used, as it did when this format was usual, and not among the
    /// others.
    embeds_agreement: bool,
}

/// The formats; the first is the default.
const FORMATS: &[Format] = &[
    Format {
        name: "Multikey",
        agreement: "Multikey",
        contexts: &["https://w3id.org/security/multikey/v1"],
        is_jwk: false,
        algorithm: None,
        embeds_agreement: false,
    },
    Format {
        name: "JsonWebKey",
        agreement: "JsonWebKey",
        contexts: &["https://w3id.org/security/jwk/v1"],
        is_jwk: true,
        algorithm: None,
        embeds_agreement: false,
    },
    Format {
        name: "JsonWebKey2020",
        agreement: "JsonWebKey2020",
        contexts: &["https://w3id.org/security/suites/jws-2020/v1"],
        is_jwk: true,
        algorithm: None,
        embeds_agreement: false,
    },
    Format {
        name: "Ed25519VerificationKey2020",
        agreement: "X25519KeyAgreementKey2020",
        contexts: &[
            "https://w3id.org/security/suites/ed25519-2020/v1",
            "https://w3id.org/security/suites/x25519-2020/v1",
        ],
        is_jwk: false,
        algorithm: Some(Algorithm::EdDsa),
        embeds_agreement: true,
    },
];

/// The format of the documents that were usual when the answer was asked for by another media type than now.
const EARLIER_FORMAT: &str = "Ed25519VerificationKey2020";

/// Types that exist and that no document is written with: too old, or not for signatures.
const OTHER_FORMATS: &[&str] = &[
    "Ed25519VerificationKey2018",
    "EcdsaSecp256r1VerificationKey2019",
    "X25519KeyAgreementKey2019",
    "X25519KeyAgreementKey2020",
];

/// What verification reads of the document: one key for every use.
fn document(did: &Did) -> Result<Document, ResolveError> {
    let (text, key) = decode(did).map_err(|e| match e {
        ResolutionError::UnsupportedPublicKeyType => ResolveError::UnsupportedKey,
        _ => ResolveError::Malformed("it is no did:key of a key in base58"),
    })?;
    Ok(Document::of_key(did.clone(), text, key))
}

/// Whether the identifier is a key, of a kind that is known by name.
fn check(did: &Did) -> Result<(), KeylessDid> {
    let why = match decode(did) {
        Ok((_, key)) if is_sound(&key) => return Ok(()),
        Err(ResolutionError::UnsupportedPublicKeyType) if is_of_known_kind(did) => return Ok(()),
        Ok(_) | Err(ResolutionError::InvalidPublicKey) => "its bytes are no point of its curve",
        Err(ResolutionError::InvalidPublicKeyLength) => "keys of its kind have another length; was it cut?",
        Err(_) => "it is no key of a known kind in base58; was it mistyped?",
    };
    Err(KeylessDid(why))
}

/// Whether a key of a kind that is not supported is one that others may support.
fn is_of_known_kind(did: &Did) -> bool {
    let digits = did.as_str().strip_prefix("did:key:z").unwrap_or_default();
    let bytes = base58::decode(digits).unwrap_or_default();
    varint(&bytes).is_some_and(|(codec, raw)| {
        let other =
            |(kind, min, max): &(u64, usize, usize)| *kind == codec && (*min..=*max).contains(&raw.len());
        // The length of these was looked at.
        KINDS.iter().any(|(kind, _)| *kind == codec) || OTHER_KINDS.iter().any(other)
    })
}

/// The whole document (did:key, section 3.1.1).
fn expand(did: &Did, options: &Options<'_>) -> Result<Value, ResolutionError> {
    let (text, key) = decode(did)?;
    if !is_sound(&key) {
        return Err(ResolutionError::InvalidPublicKey);
    }
    let format = format(options, key.algorithm())?;
    let id = format!("{did}#{text}");
    let mut methods = vec![method(format, format.name, did, &id, text, key.to_jwk())];
    let mut document = Map::new();
    let contexts: Vec<_> = ["https://www.w3.org/ns/did/v1"].iter().chain(format.contexts).collect();
    document.insert("@context".into(), json!(contexts));
    document.insert("id".into(), json!(did));
    let agreement = options.encryption_key.then(|| x25519(&key)).flatten().map(|point| {
        let text = format!("z{}", base58::encode(&[X25519_PUB.as_slice(), &point].concat()));
        let id = format!("{did}#{text}");
        let method = method(format, format.agreement, did, &id, &text, okp("X25519", &point));
        if format.embeds_agreement {
            return method;
        }
        methods.push(method);
        json!(id)
    });
    document.insert("verificationMethod".into(), json!(methods));
    for relationship in ["authentication", "assertionMethod", "capabilityDelegation", "capabilityInvocation"]
    {
        document.insert(relationship.into(), json!([id]));
    }
    if let Some(agreement) = agreement {
        document.insert("keyAgreement".into(), json!([agreement]));
    }
    Ok(Value::Object(document))
}

/// The key in the identifier, and the identifier.
///
/// The version that older drafts allow before it is refused: a key would have two names, and whoever lists or distrusts
/// one of them would not know the other.
fn decode(did: &Did) -> Result<(&str, VerifyingKey), ResolutionError> {
    let text = did.as_str().strip_prefix("did:key:").ok_or(ResolutionError::InvalidDid)?;
    let digits = text.strip_prefix('z').ok_or(ResolutionError::InvalidDid)?;
    let bytes = base58::decode(digits).ok_or(ResolutionError::InvalidDid)?;
    let (codec, raw) = varint(&bytes).ok_or(ResolutionError::InvalidDid)?;
    let kind = KINDS.iter().find(|(known, _)| *known == codec);
    let (_, length) = kind.ok_or(ResolutionError::UnsupportedPublicKeyType)?;
    if raw.len() != *length {
        return Err(ResolutionError::InvalidPublicKeyLength);
    }
    match VerifyingKey::from_multikey(text) {
        // The bytes of a point that is written in another way than ours would be a second name, too.
        Some(key) if key.multikey().as_deref() == Some(text) => Ok((text, key)),
        Some(_) => Err(ResolutionError::InvalidPublicKey),
        None if codec == 0x1200 => Err(ResolutionError::InvalidPublicKey),
        None => Err(ResolutionError::UnsupportedPublicKeyType),
    }
}

/// Whether the bytes of an Ed25519 key are a point that something can be verified with. Verification itself finds out, too.
fn is_sound(key: &VerifyingKey) -> bool {
    match key {
        VerifyingKey::Ed25519(key) => {
            ed25519_dalek::VerifyingKey::from_bytes(key.as_bytes()).is_ok_and(|point| !point.is_weak())
        }
        _ => true,
    }
}

/// The X25519 key of whoever holds the Ed25519 key (did:key, section 3.1.6).
fn x25519(key: &VerifyingKey) -> Option<[u8; 32]> {
    match key {
        VerifyingKey::Ed25519(key) => {
            Some(ed25519_dalek::VerifyingKey::from_bytes(key.as_bytes()).ok()?.to_montgomery().to_bytes())
        }
        _ => None,
    }
}

fn format(options: &Options<'_>, algorithm: Algorithm) -> Result<&'static Format, ResolutionError> {
    let name = match options.public_key_format {
        Some(name) => name,
        None if options.asks_as_earlier() && algorithm == Algorithm::EdDsa => EARLIER_FORMAT,
        None => FORMATS[0].name,
    };
    match FORMATS.iter().find(|format| format.name == name) {
        Some(format) if format.algorithm.is_none_or(|only| only == algorithm) => Ok(format),
        Some(_) => Err(ResolutionError::InvalidPublicKeyType),
        None if OTHER_FORMATS.contains(&name) && !options.experimental_key_types => {
            Err(ResolutionError::InvalidPublicKeyType)
        }
        None => Err(ResolutionError::UnsupportedPublicKeyType),
    }
}

fn method(
    format: &Format,
    kind: &str,
    did: &Did,
    id: &str,
    multibase: &str,
    jwk: Map<String, Value>,
) -> Value {
    let (name, key) =
        if format.is_jwk { ("publicKeyJwk", json!(jwk)) } else { ("publicKeyMultibase", json!(multibase)) };
    json!({"id": id, "type": kind, "controller": did, name: key})
}

/// An unsigned varint of at most nine bytes, in its shortest form, and what follows it (multiformats, unsigned-varint).
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = 1 + bytes.iter().take(9).position(|byte| byte & 0x80 == 0)?;
    let (varint, rest) = bytes.split_at(length);
    if length > 1 && varint.last() == Some(&0) {
        return None;
    }
    let value = varint.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use p256::ecdsa;

    use super::*;
    use crate::{did::resolve, key::PublicKey};

    macro_rules! published {
        ($file:literal) => {
            serde_json::from_str::<Map<String, Value>>(include_str!(concat!(
                "../../vectors/did/w3c-did-key/",
                $file
            )))
            .unwrap()
        };
    }

    /// The fragments of what a document lists for a relationship, whether named or embedded.
    fn listed(document: &Value, relationship: &str) -> Vec<String> {
        let entries = document[relationship].as_array().unwrap().iter();
        let ids = entries.map(|entry| entry.as_str().or_else(|| entry["id"].as_str()).unwrap());
        ids.map(|id| id.rsplit('#').next().unwrap().to_owned()).collect()
    }

    fn stated(pair: &Value) -> VerifyingKey {
        match pair.get("publicKeyJwk") {
            Some(jwk) => VerifyingKey::from_jwk(jwk.as_object().unwrap()).unwrap(),
            None => {
                let bytes: Vec<u8> =
                    bs58::decode(pair["publicKeyBase58"].as_str().unwrap()).into_vec().unwrap();
                match bytes.try_into() {
                    Ok(bytes) => PublicKey::from_bytes(bytes).into(),
                    Err(point) => {
                        VerifyingKey::P256(Box::new(ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap()))
                    }
                }
            }
        }
    }

    #[test]
    fn the_published_vectors() {
        let (ed25519, nist) = (published!("ed25519-x25519.json"), published!("nist-curves.json"));
        let mut compared = 0;
        for (did, vector) in
            ed25519.iter().chain(nist.iter().filter(|(did, _)| did.starts_with("did:key:zDn")))
        {
            let document = resolve(did, &Options::default()).document.unwrap();
            let published = &vector["didDocument"];
            assert_eq!(document["id"], *did);
            let uses = ["authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation"];
            for relationship in uses {
                assert_eq!(listed(&document, relationship), listed(published, relationship), "{did}");
            }
            let method = &document["verificationMethod"][0];
            let key = VerifyingKey::from_multikey(method["publicKeyMultibase"].as_str().unwrap()).unwrap();
            if let Some(pair) = vector.get("verificationKeyPair") {
                assert_eq!(key, stated(pair));
                assert_eq!(listed(&document, "keyAgreement"), listed(published, "keyAgreement"), "{did}");
                let agreement = document["verificationMethod"][1]["publicKeyMultibase"].as_str().unwrap();
                let agreement = bs58::decode(&agreement[1..]).into_vec().unwrap();
                let point: [u8; 32] = agreement.strip_prefix(&X25519_PUB).unwrap().try_into().unwrap();
                let pair = &vector["keyAgreementKeyPair"];
                match pair.get("publicKeyJwk") {
                    Some(jwk) => assert_eq!(jwk["x"], okp("X25519", &point)["x"]),
                    None => assert_eq!(pair["publicKeyBase58"], bs58::encode(point).into_string()),
                }
            } else {
                assert_eq!(key, stated(&vector["verificationMethod"]));
                assert_eq!(document.get("keyAgreement"), None);
            }
            compared += 1;
        }
        assert_eq!(compared, 8);
    }

    #[test]
    fn published_keys_of_other_kinds_are_not_supported() {
        let (secp256k1, nist) = (published!("secp256k1.json"), published!("nist-curves.json"));
        let x25519 = published!("x25519.json")["didDocument"].as_object().unwrap().clone();
        let others = nist.keys().filter(|did| !did.starts_with("did:key:zDn"));
        for did in secp256k1.keys().chain(x25519.keys()).chain(others) {
            let refused = resolve(did, &Options::default()).document;
            assert_eq!(refused, Err(ResolutionError::UnsupportedPublicKeyType), "{did}");
            assert_eq!(document(&did.parse().unwrap()), Err(ResolveError::UnsupportedKey));
        }
    }

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(varint(&[0xed, 0x01, 7]), Some((0xed, [7].as_slice())));
        assert_eq!(varint(&[0x7f]), Some((0x7f, [].as_slice())));
        for bytes in [&[][..], &[0x80], &[0xed, 0x80], &[0xed, 0x81, 0x00], &[0xff; 10]] {
            assert_eq!(varint(bytes), None, "{bytes:?}");
        }
    }
}
