//! JOSE: signed tokens in compact form, as OpenID, Open Badges 3.0 and wallets exchange them.
//!
//! A [`Jws`] is some bytes and who signed them. A [`jwt`] is one whose bytes are claims. An [`sd_jwt`] is a JWT whose
//! holder decides, claim by claim, what a verifier sees.
//!
//! Invariants: a key determines its algorithm, and a header that names another is refused; what no algorithm protects
//! (`none`), what is not understood (`crit`) and what could be read in two ways (repeated keys, base64url with spare bits)
//! is refused by name; nothing is fetched, and a key that a header carries proves nothing by itself.
//!
//! Sources: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (best practices), RFC 9901 (SD-JWT). Specification: `spec/jose.md`,
//! `spec/sd_jwt.md`.

pub mod jwt;
pub mod sd_jwt;

mod jws;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub use self::jws::{Header, JoseError, Jws};

/// Base64url as RFC 7515 section 2 has it: no padding, no white space, no spare bits set.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
