//! Public keys in PEM (RFC 7468), as Open Badges 2.0 publishes them.

use base64::{Engine, engine::general_purpose::STANDARD};
use rsa::{pkcs1::DecodeRsaPublicKey, pkcs8::DecodePublicKey, traits::PublicKeyParts};

use super::{JwkError, VerifyingKey};
use crate::limits::PEM_BYTES_MAX;

/// The labels of a key in any algorithm (RFC 5280, section 4.1), and of an RSA key alone (RFC 8017, appendix A.1.1).
const LABELS: [&str; 2] = ["PUBLIC KEY", "RSA PUBLIC KEY"];

impl VerifyingKey {
    /// The RSA key that `text`, of at most [`PEM_BYTES_MAX`] bytes, holds; others are not published so.
    ///
    /// # Errors
    /// [`JwkError::Unsupported`] when it is no PEM of an RSA key, [`JwkError::Invalid`] when its size is not allowed.
    pub fn from_pem(text: &str) -> Result<Self, JwkError> {
        let text = Some(text.trim()).filter(|text| text.len() <= PEM_BYTES_MAX);
        let text = text.ok_or(JwkError::Unsupported)?;
        let body = |label: &str| {
            let rest = text.strip_prefix(&format!("-----BEGIN {label}-----"))?;
            rest.strip_suffix(&format!("-----END {label}-----"))
        };
        let (label, body) =
            LABELS.into_iter().find_map(|label| Some((label, body(label)?))).ok_or(JwkError::Unsupported)?;
        let digits: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(digits).map_err(|_| JwkError::Unsupported)?;
        let key = match label {
            "PUBLIC KEY" => rsa::PublicKey::from_public_key_der(&der).map_err(|_| JwkError::Unsupported)?,
            _ => rsa::PublicKey::from_pkcs1_der(&der).map_err(|_| JwkError::Unsupported)?,
        };
        // Again, for the bounds on its size.
        Self::from_rsa(&key.n_bytes(), &key.e_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::key::Algorithm;

    fn published() -> String {
        let key = include_str!("../../vectors/credential/ob2/assets/key1.json");
        let key: serde_json::Value = serde_json::from_str(key).unwrap();
        key["publicKeyPem"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_published_key_is_read() {
        let key = VerifyingKey::from_pem(&published()).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Rs256);
        assert_eq!(VerifyingKey::from_jwk(&key.to_jwk()).unwrap(), key);
        let windows = published().replace('\n', "\r\n") + "\r\n";
        assert_eq!(VerifyingKey::from_pem(&windows).unwrap(), key);
    }

    #[test]
    fn other_texts_are_no_key() {
        let pem = published();
        for text in [
            String::new(),
            pem.replace("PUBLIC KEY", "PRIVATE KEY"),
            pem.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
            pem.replace("MIIB", "MIIC"),
            pem.replace("-----END PUBLIC KEY-----", ""),
            format!("{pem}{}", "\n".repeat(PEM_BYTES_MAX)).replace('\n', "=\n"),
        ] {
            assert_eq!(VerifyingKey::from_pem(&text), Err(JwkError::Unsupported), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(body in "[A-Za-z0-9+/=\n]{0,300}", text in ".{0,80}") {
            let _ = VerifyingKey::from_pem(&text);
            for label in LABELS {
                let _ = VerifyingKey::from_pem(&format!("-----BEGIN {label}-----{body}-----END {label}-----"));
            }
        }
    }
}
