//! Keys by which others sign, in the two forms in which DID documents and JOSE headers state them: Multikey and JWK.
//!
//! Ed25519 signs whatever we sign by default. P-256 is for wallets and SD-JWT (ES256); RSA is read only, for badges that
//! platforms sign with RS256. A key determines its algorithm, so no header can choose another ("alg confusion").
//!
//! Sources: W3C Controlled Identifiers 1.0, section 2.2 (Multikey, JsonWebKey); RFC 7517 and 7518 (JWK); RFC 7638
//! (thumbprint); RFC 8037 (OKP). Specification: `spec/did.md`, "Keys".

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::{
    ecdsa::{self, signature::hazmat::PrehashSigner, signature::hazmat::PrehashVerifier},
    elliptic_curve::sec1::FromSec1Point,
};
use rsa::{BoxedUint, Pkcs1v15Sign};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{BadSignature, Did, PublicKey, SecretKey, Signature};
use crate::{
    base58,
    limits::{JWK_MEMBER_BYTES_MAX, MULTIKEY_BYTES_MAX, RSA_BITS_MAX, RSA_BITS_MIN},
};

/// The multicodec prefix of a compressed P-256 public key (`p256-pub`, 0x1200), as an unsigned varint.
const P256_PUB: [u8; 2] = [0x80, 0x24];

/// A signature algorithm, by its JOSE name (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256 with SHA-256; the signature is r and s, 32 bytes each.
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256. Read, never written.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Algorithm {
    /// The value of `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::EdDsa => "EdDSA",
            Algorithm::Es256 => "ES256",
            Algorithm::Rs256 => "RS256",
        }
    }

    /// The algorithm that a header's `alg` names. `Ed25519` is the fully-specified name of RFC 9864.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "EdDSA" | "Ed25519" => Some(Algorithm::EdDsa),
            "ES256" => Some(Algorithm::Es256),
            "RS256" => Some(Algorithm::Rs256),
            _ => None,
        }
    }
}

/// A public key of a kind that we verify with.
#[derive(Clone, PartialEq, Eq)]
pub enum VerifyingKey {
    /// Ed25519.
    Ed25519(PublicKey),
    /// A point of P-256.
    P256(Box<ecdsa::VerifyingKey>),
    /// An RSA key of [`RSA_BITS_MIN`] to [`RSA_BITS_MAX`] bits.
    Rsa(Box<rsa::PublicKey>),
}

/// Why a JWK is no key that we verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// A kind of key, or a curve, that is not supported.
    #[error("the JWK is of a kind that is not supported (Ed25519, P-256 and RSA are)")]
    Unsupported,
    /// A member is missing, too long, or not base64url.
    #[error("the JWK's `{0}` is missing or malformed")]
    Member(&'static str),
    /// The numbers are no key: not on the curve, or a modulus of another size.
    #[error("the JWK is no valid key")]
    Invalid,
    /// It states a secret, which must never be shown.
    #[error("the JWK holds a private key; remove `d` and treat that key as lost")]
    Private,
}

impl VerifyingKey {
    /// The algorithm that this key verifies.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            VerifyingKey::Ed25519(_) => Algorithm::EdDsa,
            VerifyingKey::P256(_) => Algorithm::Es256,
            VerifyingKey::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// Verifies `signature`, in the form that JOSE and Data Integrity give it, over `message`.
    ///
    /// # Errors
    /// [`BadSignature`], also when it is of another length.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match self {
            VerifyingKey::Ed25519(key) => {
                key.verify(message, &Signature(signature.try_into().map_err(|_| BadSignature)?))
            }
            VerifyingKey::P256(key) => {
                let signature = ecdsa::Signature::from_slice(signature).map_err(|_| BadSignature)?;
                key.verify_prehash(&Sha256::digest(message), &signature).map_err(|_| BadSignature)
            }
            VerifyingKey::Rsa(key) => {
                let scheme = Pkcs1v15Sign::new::<Sha256>();
                key.verify(scheme, &Sha256::digest(message), signature).map_err(|_| BadSignature)
            }
        }
    }

    /// The key in Multikey form (`z6Mk...`, `zDn...`); `None` for RSA, of which we read none in this form.
    pub fn multikey(&self) -> Option<String> {
        match self {
            VerifyingKey::Ed25519(key) => Some(key.multibase()),
            VerifyingKey::P256(key) => {
                let bytes = [&P256_PUB, key.to_sec1_point(true).as_bytes()].concat();
                Some(format!("z{}", base58::encode(&bytes)))
            }
            VerifyingKey::Rsa(_) => None,
        }
    }

    /// The key that a Multikey states; `None` when it is of another kind or no key.
    pub fn from_multikey(text: &str) -> Option<Self> {
        if text.len() > MULTIKEY_BYTES_MAX {
            return None;
        }
        if let Some(key) = PublicKey::from_multibase(text) {
            return Some(VerifyingKey::Ed25519(key));
        }
        let bytes = base58::decode(text.strip_prefix('z')?)?;
        let point = bytes.strip_prefix(&P256_PUB).filter(|point| point.len() == 33)?;
        Some(VerifyingKey::P256(Box::new(ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?)))
    }

    /// The key that a JWK states.
    ///
    /// # Errors
    /// [`JwkError`] when it is none that we verify with.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, JwkError> {
        if jwk.contains_key("d") {
            return Err(JwkError::Private);
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => {
                Ok(VerifyingKey::Ed25519(PublicKey::from_bytes(coordinate(jwk, "x")?)))
            }
            (Some("EC"), Some("P-256")) => {
                let (x, y) = (coordinate(jwk, "x")?, coordinate(jwk, "y")?);
                let point = p256::Sec1Point::from_affine_coordinates(&x.into(), &y.into(), false);
                let key = Option::from(p256::PublicKey::from_sec1_point(&point));
                let key: p256::PublicKey = key.ok_or(JwkError::Invalid)?;
                Ok(VerifyingKey::P256(Box::new(key.into())))
            }
            (Some("RSA"), _) => Self::from_rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?),
            _ => Err(JwkError::Unsupported),
        }
    }

    /// The RSA key with this modulus and exponent, big-endian.
    ///
    /// # Errors
    /// [`JwkError::Invalid`] when it is too small to be safe, or too large to be verified at a bounded cost.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, JwkError> {
        let (n, e) = (BoxedUint::from_be_slice_vartime(modulus), BoxedUint::from_be_slice_vartime(exponent));
        let bits = RSA_BITS_MIN..=RSA_BITS_MAX;
        let key = rsa::PublicKey::new_with_size_limits(n, e, bits).map_err(|_| JwkError::Invalid)?;
        Ok(VerifyingKey::Rsa(Box::new(key)))
    }

    /// The key as a JWK, with the members of its thumbprint and no others.
    pub fn to_jwk(&self) -> Map<String, Value> {
        let base64 = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
        let members: Vec<(&str, Value)> = match self {
            VerifyingKey::Ed25519(key) => {
                vec![("crv", json!("Ed25519")), ("kty", json!("OKP")), ("x", base64(key.as_bytes()))]
            }
            VerifyingKey::P256(key) => {
                let point = key.to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(32);
                vec![("crv", json!("P-256")), ("kty", json!("EC")), ("x", base64(x)), ("y", base64(y))]
            }
            VerifyingKey::Rsa(key) => {
                use rsa::traits::PublicKeyParts;
                let (n, e) = (key.n_bytes(), key.e_bytes());
                vec![("e", base64(&e)), ("kty", json!("RSA")), ("n", base64(&n))]
            }
        };
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The JWK's SHA-256 thumbprint, in base64url (RFC 7638).
    pub fn thumbprint(&self) -> String {
        // The members come in lexicographic order and hold nothing that needs escaping.
        let text = Value::Object(self.to_jwk()).to_string();
        URL_SAFE_NO_PAD.encode(Sha256::digest(text))
    }

    /// The `did:key` of the key; `None` for RSA.
    pub fn did_key(&self) -> Option<Did> {
        self.multikey().map(|multikey| Did(format!("did:key:{multikey}")))
    }
}

impl From<PublicKey> for VerifyingKey {
    fn from(key: PublicKey) -> Self {
        VerifyingKey::Ed25519(key)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({} {})", self.algorithm().name(), self.thumbprint())
    }
}

/// A secret key that credentials and presentations are signed with.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly every key is Ed25519")]
pub enum SigningKey {
    /// Ed25519.
    Ed25519(SecretKey),
    /// P-256, for ES256. Signatures are deterministic (RFC 6979).
    P256(Box<ecdsa::SigningKey>),
}

impl SigningKey {
    /// The P-256 key whose secret scalar is `bytes`, which must be secret and uniform.
    ///
    /// # Errors
    /// [`JwkError::Invalid`] when it is zero or not below the curve's order, as one in 2^32 of all are.
    pub fn p256(bytes: [u8; 32]) -> Result<Self, JwkError> {
        let key = ecdsa::SigningKey::from_slice(&bytes).map_err(|_| JwkError::Invalid)?;
        Ok(SigningKey::P256(Box::new(key)))
    }

    /// The P-256 key that belongs to an Ed25519 key and is as secret: one backup keeps both.
    pub fn p256_beside(key: &SecretKey) -> Self {
        let mut material = blake3::derive_key("knackmesh/1 p-256 issuing key", &key.seed());
        loop {
            match Self::p256(material) {
                Ok(key) => return key,
                // No scalar: the next one that derives from it.
                Err(_) => material = *blake3::hash(&material).as_bytes(),
            }
        }
    }

    /// The public half.
    pub fn public(&self) -> VerifyingKey {
        match self {
            SigningKey::Ed25519(key) => VerifyingKey::Ed25519(key.public()),
            SigningKey::P256(key) => VerifyingKey::P256(Box::new(*key.verifying_key())),
        }
    }

    /// The `did:key` of the public half.
    pub fn did(&self) -> Did {
        match self {
            SigningKey::Ed25519(key) => key.did(),
            SigningKey::P256(_) => match self.public().did_key() {
                Some(did) => did,
                None => unreachable!("P-256 keys have a Multikey form"),
            },
        }
    }

    /// Signs `message`, in the form that JOSE and Data Integrity give signatures.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            SigningKey::Ed25519(key) => key.sign(message).0.to_vec(),
            SigningKey::P256(key) => {
                let signature: Result<ecdsa::Signature, _> = key.sign_prehash(&Sha256::digest(message));
                match signature {
                    Ok(signature) => signature.to_bytes().to_vec(),
                    Err(e) => unreachable!("a digest of 32 bytes can be signed: {e}"),
                }
            }
        }
    }
}

impl From<SecretKey> for SigningKey {
    fn from(key: SecretKey) -> Self {
        SigningKey::Ed25519(key)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {:?})", self.public())
    }
}

fn bytes(jwk: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, JwkError> {
    let text = jwk.get(member).and_then(Value::as_str).filter(|text| text.len() <= JWK_MEMBER_BYTES_MAX);
    text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(JwkError::Member(member))
}

fn coordinate(jwk: &Map<String, Value>, member: &'static str) -> Result<[u8; 32], JwkError> {
    bytes(jwk, member)?.try_into().map_err(|_| JwkError::Member(member))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn jwk(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn keys_of_each_kind_round_trip() {
        for key in [SigningKey::from(SecretKey::from_seed([7; 32])), SigningKey::p256([7; 32]).unwrap()] {
            let public = key.public();
            assert_eq!(VerifyingKey::from_multikey(&public.multikey().unwrap()), Some(public.clone()));
            assert_eq!(VerifyingKey::from_jwk(&public.to_jwk()).unwrap(), public);
            let signature = key.sign(b"message");
            assert!(public.verify(b"message", &signature).is_ok());
            assert!(public.verify(b"massage", &signature).is_err());
            assert!(public.verify(b"message", &signature[1..]).is_err());
            assert_eq!(key.sign(b"message"), signature, "signatures are deterministic");
        }
    }

    #[test]
    fn the_key_beside_another_is_always_the_same() {
        let beside = |seed: u8| SigningKey::p256_beside(&SecretKey::from_seed([seed; 32])).did();
        assert_eq!(beside(1), beside(1));
        assert_ne!(beside(1), beside(2));
        assert!(beside(1).as_str().starts_with("did:key:zDn"));
    }

    #[test]
    fn the_published_example_of_rfc_7638() {
        let key = jwk(
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
        );
        let key = VerifyingKey::from_jwk(&key).unwrap();
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_published_signature_of_rfc_7515_appendix_a3() {
        let key = jwk(
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        );
        let input = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature =
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(VerifyingKey::from_jwk(&key).unwrap().verify(input.as_bytes(), &signature).is_ok());
    }

    #[test]
    fn a_signature_that_openssl_made_with_rs256() {
        let key = jwk(
            r#"{"kty":"RSA","n":"j_0_JimstIme8Uqq-c0G-pgM15tMPLGKAmE2H5qeTblgOXnIzVF1epnIFn8_1-JtaIDqemnFtILQ_AJoU0MgpO1A59YmQHGvQOXhlZxVYHt1o9nfQkfAJOy4gttDij8ILHNSkKJ4TPClXGhztvf2wgxqaLcG8-AGt2chs5zPIJUkPQW6xbny7Iqs-uDFPPqZuYAtzycQeg86866-9c_0fxDp7g_uk0zG2BNhYXj8f_WgrO3gDflkhU-lviimj2GpGI29J2OyiyJx-oJ4rmyXP9RDWNp-11YNAw_lhfvW89e31hPZzCd92qg3q8KhxL8OGHg320HalnSeCMBtzSNH6Q","e":"AQAB"}"#,
        );
        let signature = "gW_WkC0Fg3-xY66UceG2EUGgE_jAbz3e36IFbUO5FaeMmmN8etHbC08q6MXDO8t5O2VUbcYs_eDZQtnS1Y4tMkYH6fHcsouvSi0LqywOYtVdDcRzsehcXNumwzdBommdCn2fsizR-to4JW7tGO-PpR16IcoZf2ayZLWP7giLboeWKyQqP-AiLDJedMwtwGdjgjGsmyt_0aUS7fm2aynZbK-Es7xvOgmYoqVh-zpQ9dWpOSanjIITLXVexSso7dY3p1EGqqqQWHHVhRxJ2hdW6fenNs0xboZD7vAhGw-Bf6rFnaZPxuNwduCNzJjGRbh_xR6VvP25m5KcumihrxkExw";
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = VerifyingKey::from_jwk(&key).unwrap();
        assert!(key.verify(b"message", &signature).is_ok());
        assert!(key.verify(b"massage", &signature).is_err());
        assert!(key.verify(b"message", &signature[1..]).is_err());
        assert_eq!(VerifyingKey::from_jwk(&key.to_jwk()), Ok(key));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let unsupported = [r#"{"kty":"EC","crv":"secp256k1"}"#, r#"{"kty":"oct","k":"AA"}"#, "{}"];
        for text in unsupported {
            assert_eq!(VerifyingKey::from_jwk(&jwk(text)), Err(JwkError::Unsupported), "{text}");
        }
        let point = r#"{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
        assert_eq!(VerifyingKey::from_jwk(&jwk(point)), Err(JwkError::Invalid));
        let short = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQ","e":"AQAB"}"#;
        assert_eq!(VerifyingKey::from_jwk(&jwk(short)), Err(JwkError::Invalid));
        let private = r#"{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}"#;
        assert_eq!(VerifyingKey::from_jwk(&jwk(private)), Err(JwkError::Private));
        let member = r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#;
        assert_eq!(VerifyingKey::from_jwk(&jwk(member)), Err(JwkError::Member("x")));
        assert_eq!(VerifyingKey::from_multikey("zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"), None);
    }
}
