//! `key:value` terms, and what no key may be.

use super::{
    Expr,
    error::{QueryError, QueryErrorKind},
    lexer::Span,
};
use crate::{
    key::Did,
    terms::{Availability, Language, Region, WorkMode},
    time::Timestamp,
};

/// The filters, as an error lists them.
const FILTERS: [&str; 7] = [
    "region:DE or region:DE-BE",
    "lang:de",
    "tier:issuer",
    "issuer:did:key:...",
    "mode:remote",
    "available:now or available:2026-12-01",
    "text:\"distributed systems\"",
];

/// Names of attributes by which nobody may be selected, in lower case without `-` and `_`. No field of any
/// summary holds one, so a filter could not work; refusing it says why.
const PROTECTED: [&str; 74] = [
    "address",
    "age",
    "ancestry",
    "appearance",
    "baby",
    "belief",
    "birth",
    "birthdate",
    "birthday",
    "birthplace",
    "birthyear",
    "born",
    "caste",
    "child",
    "children",
    "citizen",
    "citizenship",
    "color",
    "colour",
    "creed",
    "dateofbirth",
    "disabilities",
    "disability",
    "disabled",
    "dob",
    "email",
    "ethnic",
    "ethnicity",
    "faith",
    "family",
    "familystatus",
    "female",
    "firstname",
    "gender",
    "genetics",
    "handicap",
    "health",
    "height",
    "image",
    "lastname",
    "male",
    "marital",
    "maritalstatus",
    "marriage",
    "married",
    "mothertongue",
    "name",
    "nationality",
    "nativelanguage",
    "origin",
    "orientation",
    "parent",
    "party",
    "person",
    "phone",
    "photo",
    "picture",
    "political",
    "politics",
    "pregnancy",
    "pregnant",
    "pronouns",
    "race",
    "religion",
    "religious",
    "sex",
    "sexuality",
    "sexualorientation",
    "skin",
    "surname",
    "union",
    "veteran",
    "weight",
    "yearofbirth",
];

/// Whether `name` names a protected attribute.
pub(super) fn is_protected(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| !"-_ ".contains(*c)).flat_map(char::to_lowercase).collect();
    PROTECTED.contains(&plain.as_str())
}

/// Whether `name` is a filter's key.
pub(super) fn is_key(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "region" | "lang" | "language" | "tier" | "issuer" | "mode" | "available" | "text"
    )
}

/// The refusal of a protected attribute.
pub(super) fn refuse_protected(name: &str, span: Span) -> QueryError {
    QueryError {
        kind: QueryErrorKind::Protected,
        at: span.at,
        length: span.length,
        found: format!("`{}` cannot be expressed here, by design", shown(name)),
        expected: Vec::new(),
        hint: "ask for skills, levels and terms of work; nobody is selected by who they are".into(),
    }
}

/// The filter and what it was understood as.
pub(super) fn read(
    key: &str,
    value: &str,
    span: Span,
    value_span: Span,
    now: Timestamp,
) -> Result<(Expr, String), QueryError> {
    let refuse = |expected: String, hint: &str| QueryError {
        kind: QueryErrorKind::Value,
        at: value_span.at,
        length: value_span.length,
        found: if value.is_empty() {
            format!("nothing after `{key}:`")
        } else {
            format!("`{}`", shown(value))
        },
        expected: vec![expected],
        hint: hint.into(),
    };
    match key.to_ascii_lowercase().as_str() {
        "region" => {
            let region: Region = value.parse().map_err(|e| refuse(format!("{e}"), "region:DE"))?;
            let note = format!("lives in {region}");
            Ok((Expr::Region(region), note))
        }
        "lang" | "language" => {
            let hint =
                value.split('-').next().filter(|primary| primary.parse::<Language>().is_ok()).unwrap_or("de");
            let language: Language =
                value.parse().map_err(|e| refuse(format!("{e}"), &format!("lang:{hint}")))?;
            let note = format!("speaks {language}");
            Ok((Expr::Language(language), note))
        }
        "tier" => {
            let tier = value.parse().map_err(|e| refuse(format!("{e}"), "tier:issuer"))?;
            Ok((Expr::Tier(tier), format!("only claims of tier {tier} or above count")))
        }
        "issuer" => {
            let issuers: Vec<Did> =
                value.split('|').map(str::parse).collect::<Result<_, _>>().map_err(|_| {
                    refuse("a DID, or several with | between them".into(), "issuer:did:web:example.org")
                })?;
            Ok((Expr::Issuer(issuers), format!("only claims by {value} count")))
        }
        "mode" => {
            let mode: WorkMode = value.parse().map_err(|e| refuse(format!("{e}"), "mode:remote"))?;
            Ok((Expr::Mode(mode), format!("works {mode}")))
        }
        "available" => {
            let day = if value.eq_ignore_ascii_case("now") {
                Availability::from_now(now)
            } else {
                value.parse().map_err(|e| refuse(format!("{e}, or `now`"), "available:now"))?
            };
            Ok((Expr::Available(day), format!("can start on {day} or earlier")))
        }
        "text" => {
            let words = value.parse().map_err(|e| refuse("letters or digits".into(), &format!("{e}")))?;
            let note = format!("\"{words}\" in the headline or a skill's label");
            Ok((Expr::Text(words), note))
        }
        _ if is_protected(key) => Err(refuse_protected(key, span)),
        other => Err(QueryError {
            kind: QueryErrorKind::UnknownFilter,
            at: span.at,
            length: span.length - value_span.length,
            found: format!("no filter is called `{}`", shown(key)),
            expected: FILTERS.iter().map(|f| (*f).to_owned()).collect(),
            hint: match other {
                "http" | "https" | "urn" => {
                    "a skill's URI in angle brackets, as in <urn:example:skill>".into()
                }
                "did" => "issuer:did:key:...".into(),
                _ => String::new(),
            },
        }),
    }
}

/// At most 40 characters of what a person typed, without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(40).is_some() {
        out.push('…');
    }
    out
}
