//! An exponent: a number without a unit, which need not be whole.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An exponent from 0 to 4, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exponent(pub u32);

/// The largest, in thousandths.
const MAX: u32 = 4000;

impl Default for Exponent {
    fn default() -> Self {
        Exponent(1000)
    }
}

impl Exponent {
    fn read(number: f64) -> Option<Self> {
        let thousandths = (number * 1000.0).round();
        let is_exact = (number * 1000.0 - thousandths).abs() < 1e-6;
        ((0.0..=f64::from(MAX)).contains(&thousandths) && is_exact).then_some(Exponent(thousandths as u32))
    }
}

impl fmt::Display for Exponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / 1000.0)
    }
}

impl Serialize for Exponent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Exponent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Exponent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0 to 4 in steps of 0.001, such as 1.1")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Exponent, E> {
                Exponent::read(number)
                    .ok_or_else(|| E::custom(format!("{number} is not from 0 to 4 in steps of 0.001")))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Exponent, E> {
                self.visit_f64(number as f64)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Exponent, E> {
                self.visit_f64(number as f64)
            }

            /// Settings and sweeps give what is no whole number as text.
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Exponent, E> {
                let number =
                    text.trim().parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))?;
                self.visit_f64(number)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Exponent {
    fn schema_name() -> Cow<'static, str> {
        "Exponent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "string"],
            "description": "A number from 0 to 4 in steps of 0.001; in quotes in a sweep",
            "minimum": 0,
            "maximum": MAX / 1000,
            "pattern": r"^[0-4](\.[0-9]{1,3})?$",
        })
    }
}
