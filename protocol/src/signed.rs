//! Signed statements: canonical bytes, an Ed25519 signature over a domain-separated prefix, and the
//! signer named inside the bytes.
//!
//! On the wire a statement is `{"body": bytes, "signature": bytes}`. The body travels as the exact bytes
//! that were signed. What is signed is `"knackmesh/1 " + DOMAIN + 0x00 + body`, so that no statement can
//! be passed off as one of another kind. The id is blake3 of the body.
//!
//! Specification: `spec/signed.md`.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};

use crate::{
    id::Id,
    key::{
        PublicKey, SecretKey, Signature,
        batch::{self, Unverified},
    },
    wire::{self, WireError},
};

/// What every signing input begins with.
const PREFIX: &[u8] = b"knackmesh/1 ";

/// A kind of statement that can be signed.
pub trait Statement: Serialize + DeserializeOwned {
    /// Separates this kind of statement from every other, for ever.
    const DOMAIN: &'static str;
    /// The longest canonical encoding of a body.
    const BYTES_MAX: usize;

    /// The key that must have signed.
    fn signer(&self) -> PublicKey;
}

/// A statement and the signature over its canonical bytes, which was verified when this value was made:
/// no bytes of a stranger become a `Signed` whose signature does not verify. It never changes, and copies share it.
#[derive(Debug, PartialEq, Eq)]
pub struct Signed<T>(Arc<Inner<T>>);

#[derive(Debug, PartialEq, Eq)]
struct Inner<T> {
    body: T,
    bytes: Vec<u8>,
    id: Id,
    signature: Signature,
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Signed(self.0.clone())
    }
}

/// Why a signed statement was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// The bytes are not a legal statement.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The signature is not the named signer's over these bytes.
    #[error("the signature does not verify")]
    Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(with = "wire::bytes")]
    body: Vec<u8>,
    signature: Signature,
}

/// An envelope that is only written.
#[derive(Serialize)]
#[serde(rename = "Envelope")]
struct EnvelopeOf<'a> {
    #[serde(with = "wire::bytes")]
    body: &'a [u8],
    signature: &'a Signature,
}

impl<T: Statement> Signed<T> {
    /// Signs `body`.
    ///
    /// # Panics
    /// When `key` is not the signer that `body` names, or the body is over its bound: our own mistake.
    pub fn sign(body: T, key: &SecretKey) -> Self {
        assert_eq!(body.signer(), key.public(), "signing {} with another's key", T::DOMAIN);
        let bytes = wire::encode(&body);
        assert!(bytes.len() <= T::BYTES_MAX, "a {} of {} bytes", T::DOMAIN, bytes.len());
        let signature = key.sign(&signing_input::<T>(&bytes));
        Signed::over(body, bytes, signature)
    }

    /// Decodes and verifies an envelope.
    ///
    /// # Errors
    /// [`SignedError`] when the bytes are illegal or the signature is not the signer's.
    pub fn decode(envelope: &[u8]) -> Result<Self, SignedError> {
        let envelope: Envelope = wire::decode(envelope, T::BYTES_MAX + 128)?;
        Stated::read(envelope)?.verify()
    }

    /// The envelope's canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }
}

impl<T> Signed<T> {
    /// Only for a signature that was made or verified.
    fn over(body: T, bytes: Vec<u8>, signature: Signature) -> Self {
        Signed(Arc::new(Inner { body, id: Id::of(&bytes), bytes, signature }))
    }

    /// The statement.
    pub fn body(&self) -> &T {
        &self.0.body
    }

    /// blake3 of the canonical body.
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// The canonical body.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// Decodes and verifies many envelopes, their signatures together. What [`Signed::decode`] accepts is accepted.
///
/// # Errors
/// As for [`Signed::decode`], each for itself.
pub fn decode_all<T: Statement>(envelopes: &[&[u8]]) -> Vec<Result<Signed<T>, SignedError>> {
    let read = |envelope: &&[u8]| Stated::read(wire::decode(envelope, T::BYTES_MAX + 128)?);
    verify_all(envelopes.iter().map(read).collect())
}

/// Verifies the signatures of those that were read.
pub(crate) fn verify_all<T: Statement>(
    read: Vec<Result<Stated<T>, SignedError>>,
) -> Vec<Result<Signed<T>, SignedError>> {
    let signatures: Vec<Unverified<'_>> =
        read.iter().filter_map(|stated| stated.as_ref().ok()).map(Stated::unverified).collect();
    let mut outcomes = batch::verify_all(&signatures).into_iter();
    let verified = read.into_iter().map(|stated| {
        let stated = stated?;
        // There is an outcome for each that was read.
        match outcomes.next() {
            Some(Ok(())) => Ok(stated.into_signed()),
            Some(Err(_)) | None => Err(SignedError::Signature),
        }
    });
    verified.collect()
}

/// A legal statement whose signature was not verified yet, and which is nothing until it is.
pub(crate) struct Stated<T> {
    body: T,
    input: Vec<u8>,
    signature: Signature,
}

impl<T: Statement> Stated<T> {
    fn read(envelope: Envelope) -> Result<Self, SignedError> {
        let body = wire::decode(&envelope.body, T::BYTES_MAX)?;
        Ok(Stated { body, input: signing_input::<T>(&envelope.body), signature: envelope.signature })
    }

    fn unverified(&self) -> Unverified<'_> {
        Unverified { key: self.body.signer(), message: &self.input, signature: self.signature }
    }

    fn verify(self) -> Result<Signed<T>, SignedError> {
        self.body.signer().verify(&self.input, &self.signature).map_err(|_| SignedError::Signature)?;
        Ok(self.into_signed())
    }

    /// Only for one whose signature was verified.
    fn into_signed(self) -> Signed<T> {
        let Stated { body, mut input, signature } = self;
        input.drain(..prefix_len::<T>());
        Signed::over(body, input, signature)
    }
}

impl<T: Statement> Serialize for Stated<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let body = self.input.get(prefix_len::<T>()..).unwrap_or_default();
        EnvelopeOf { body, signature: &self.signature }.serialize(s)
    }
}

impl<'de, T: Statement> Deserialize<'de> for Stated<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Stated::read(Envelope::deserialize(d)?).map_err(de::Error::custom)
    }
}

/// A statement that this node verified before it kept it: decodes without verifying, for the own store only.
pub(crate) struct Kept<T>(pub Signed<T>);

impl<'de, T: Statement> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let Envelope { body: bytes, signature } = Envelope::deserialize(d)?;
        let body = wire::decode_kept(&bytes).map_err(de::Error::custom)?;
        Ok(Kept(Signed::over(body, bytes, signature)))
    }
}

impl<T: Statement> Serialize for Signed<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        EnvelopeOf { body: &self.0.bytes, signature: &self.0.signature }.serialize(s)
    }
}

impl<'de, T: Statement> Deserialize<'de> for Signed<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Stated::deserialize(d)?.verify().map_err(de::Error::custom)
    }
}

/// The id of the statement in an envelope, before anything is verified.
pub fn peek_id(envelope: &[u8]) -> Option<Id> {
    wire::decode_kept::<Envelope>(envelope).ok().map(|e| Id::of(&e.body))
}

/// Bytes of a signing input before the body.
fn prefix_len<T: Statement>() -> usize {
    PREFIX.len() + T::DOMAIN.len() + 1
}

fn signing_input<T: Statement>(body: &[u8]) -> Vec<u8> {
    let mut input = Vec::with_capacity(body.len() + prefix_len::<T>());
    input.extend_from_slice(PREFIX);
    input.extend_from_slice(T::DOMAIN.as_bytes());
    input.push(0);
    input.extend_from_slice(body);
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Note {
        by: PublicKey,
        text: String,
    }

    impl Statement for Note {
        const DOMAIN: &'static str = "note";
        const BYTES_MAX: usize = 256;

        fn signer(&self) -> PublicKey {
            self.by
        }
    }

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Order {
        by: PublicKey,
        text: String,
    }

    impl Statement for Order {
        const DOMAIN: &'static str = "order";
        const BYTES_MAX: usize = 256;

        fn signer(&self) -> PublicKey {
            self.by
        }
    }

    #[test]
    fn every_changed_byte_is_refused_and_domains_do_not_mix() {
        let key = SecretKey::from_seed([1; 32]);
        let note = Signed::sign(Note { by: key.public(), text: "hello".into() }, &key);
        let bytes = note.encode();
        assert_eq!(Signed::<Note>::decode(&bytes).unwrap(), note);
        assert_eq!(Signed::<Order>::decode(&bytes), Err(SignedError::Signature));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(Signed::<Note>::decode(&changed).is_err(), "bit {bit} of byte {at}");
                let all = decode_all::<Note>(&[&bytes, &changed, &bytes]);
                assert_eq!(all[0].as_ref(), Ok(&note));
                assert!(all[1].is_err(), "bit {bit} of byte {at}");
                assert_eq!(all[2].as_ref(), Ok(&note));
            }
        }
    }
}
