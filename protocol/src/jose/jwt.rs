//! The registered claims of a JSON Web Token (RFC 7519 section 4.1) that say when it holds.

use serde_json::{Map, Value};

use super::JoseError;
use crate::time::Timestamp;

/// The instant that the claim `name` states as a NumericDate: seconds since 1970, perhaps with a fraction, of which what
/// is finer than a millisecond is cut. `None` when there is no such claim.
///
/// # Errors
/// [`JoseError::Date`] when it is no number, or no instant between 1970 and 9999.
pub fn date(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, JoseError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    instant(value).map(Some).ok_or(JoseError::Date(name))
}

fn instant(value: &Value) -> Option<Timestamp> {
    let ms = match value.as_u64() {
        Some(seconds) => seconds.checked_mul(1000)?,
        None => {
            let ms = value.as_f64()? * 1000.0;
            // Beyond 2^53 neighbouring doubles are further apart than milliseconds; the years end long before.
            if !(0.0..9.0e15).contains(&ms) {
                return None;
            }
            ms as u64
        }
    };
    Timestamp::try_from(ms).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn numeric_dates() {
        let of = |value: Value| date(json!({"exp": value}).as_object().unwrap(), "exp");
        assert_eq!(of(json!(1_300_819_380)).unwrap().unwrap().to_string(), "2011-03-22T18:43:00Z");
        assert_eq!(of(json!(1.5)).unwrap(), Some(Timestamp::from_unix_ms(1500)));
        assert_eq!(of(json!(0)).unwrap(), Some(Timestamp::EPOCH));
        for bad in [json!(-1), json!("1300819380"), json!(null), json!(1e300), json!(u64::MAX), json!([1])] {
            assert_eq!(of(bad.clone()).unwrap_err().code(), "jwt-date", "{bad}");
        }
        assert_eq!(date(&Map::new(), "exp").unwrap(), None);
    }
}
