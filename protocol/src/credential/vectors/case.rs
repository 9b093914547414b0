//! How a case is stated, and what must come of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fixtures::{CHALLENGE, NOW, stranger};

/// The check that most cases are about.
pub(super) const UNTAMPERED: &str = "untampered";

/// The cases of one folder, by the names of their files.
pub(super) struct Cases {
    kind: &'static str,
    cases: BTreeMap<String, Case>,
}

/// Something shown, what its verifier brings, and what must come out.
pub(super) struct Case {
    kind: &'static str,
    description: String,
    now: String,
    trust: Value,
    documents: Vec<Value>,
    key_pages: Vec<Value>,
    status_lists: Vec<Value>,
    status_age_max_ms: Option<u64>,
    shown: Value,
    expect: Value,
}

impl Cases {
    /// No cases; those to come show credentials.
    pub(super) fn of_credentials() -> Self {
        Cases { kind: "credential", cases: BTreeMap::new() }
    }

    /// Those to come show something of another kind.
    pub(super) fn show(&mut self, kind: &'static str) {
        self.kind = kind;
    }

    /// Adds what is shown and what it comes out as, or the code of its refusal. The verifier trusts and knows nobody until
    /// the case says otherwise.
    pub(super) fn add(
        &mut self,
        name: &str,
        description: &str,
        shown: impl Into<Value>,
        expect: Value,
    ) -> &mut Case {
        assert!(!self.cases.contains_key(name), "{name} twice");
        self.cases.entry(name.to_owned()).or_insert(Case {
            kind: self.kind,
            description: description.to_owned(),
            now: NOW.to_owned(),
            trust: json!([]),
            documents: Vec::new(),
            key_pages: Vec::new(),
            status_lists: Vec::new(),
            status_age_max_ms: None,
            shown: shown.into(),
            expect,
        })
    }

    /// The files, by name.
    pub(super) fn written(self) -> impl Iterator<Item = (String, String)> {
        self.cases.into_iter().map(|(name, case)| (name, format!("{:#}\n", case.into_value())))
    }
}

impl Case {
    /// Checked then.
    pub(super) fn at(&mut self, now: impl ToString) -> &mut Self {
        self.now = now.to_string();
        self
    }

    /// By a verifier with this trust list.
    pub(super) fn trusting(&mut self, trust: Value) -> &mut Self {
        self.trust = trust;
        self
    }

    /// By a verifier who fetched the DID document then.
    pub(super) fn knowing_document(&mut self, document: Value, fetched: &str) -> &mut Self {
        self.documents.push(json!({"did": document["id"], "fetched": fetched, "document": document}));
        self
    }

    /// By a verifier who fetched what is published about keys at a URL then.
    pub(super) fn knowing_page(&mut self, url: &str, page: Value, fetched: &str) -> &mut Self {
        self.key_pages.push(json!({"url": url, "fetched": fetched, "page": page}));
        self
    }

    /// By a verifier who was handed the status list.
    pub(super) fn stapled(&mut self, list: impl Into<Value>) -> &mut Self {
        self.status_lists.push(json!({"list": list.into()}));
        self
    }

    /// By a verifier who fetched the status list then.
    pub(super) fn fetched(&mut self, list: impl Into<Value>, url: &str, at: &str) -> &mut Self {
        self.status_lists.push(json!({"list": list.into(), "url": url, "fetched": at}));
        self
    }

    /// The status list that was named last is refused, with this code, and not known.
    pub(super) fn refused(&mut self, code: &str) -> &mut Self {
        self.status_lists.last_mut().unwrap()["refused"] = json!(code);
        self
    }

    /// By a verifier who accepts statuses of that age.
    pub(super) fn accepting_age(&mut self, ms: u64) -> &mut Self {
        self.status_age_max_ms = Some(ms);
        self
    }

    fn into_value(self) -> Value {
        let mut case = Map::new();
        case.insert("description".into(), json!(self.description));
        case.insert("now".into(), json!(self.now));
        if self.kind == "presentation" {
            case.insert("challenge".into(), json!(CHALLENGE));
            case.insert("domain".into(), json!(stranger().did()));
        }
        case.insert("trust".into(), self.trust);
        let mut known = Map::new();
        for (name, entries) in [
            ("documents", self.documents),
            ("key_pages", self.key_pages),
            ("status_lists", self.status_lists),
        ] {
            if !entries.is_empty() {
                known.insert(name.into(), Value::Array(entries));
            }
        }
        if !known.is_empty() {
            case.insert("known".into(), Value::Object(known));
        }
        if let Some(ms) = self.status_age_max_ms {
            case.insert("status_age_max_ms".into(), json!(ms));
        }
        case.insert(self.kind.into(), self.shown);
        let key = if self.expect.is_string() { "expect_error" } else { "expect" };
        case.insert(key.into(), self.expect);
        Value::Object(case)
    }
}

/// What a verified credential of an unlisted issuer comes out as when it is shown as a file.
fn file_checks() -> BTreeMap<&'static str, (&'static str, Option<&'static str>)> {
    BTreeMap::from([
        ("untampered", ("PASS", None)),
        ("trusted_issuer", ("NOT_CHECKED", Some("issuer-unlisted"))),
        ("trusted_holder", ("NOT_APPLICABLE", Some("bare-file"))),
        ("unrevoked", ("NOT_APPLICABLE", Some("no-status"))),
        ("unexpired", ("PASS", None)),
        ("fresh", ("NOT_APPLICABLE", Some("no-status"))),
    ])
}

/// What a credential comes out as: `verified` or not, and each check that differs from [`file_checks`]: its name, outcome and
/// the code of its reason, if there is one.
pub(super) fn expect(verified: bool, differing: &[(&'static str, &'static str, &'static str)]) -> Value {
    let mut checks = file_checks();
    for (name, outcome, code) in differing {
        checks.insert(name, (outcome, Some(*code).filter(|code| !code.is_empty())));
    }
    let outcomes: BTreeMap<_, _> = checks.iter().map(|(name, (outcome, _))| (*name, *outcome)).collect();
    let reasons: BTreeMap<_, _> =
        checks.iter().filter_map(|(name, (_, code))| Some((*name, (*code)?))).collect();
    let recognised = verified && outcomes["trusted_issuer"] == "PASS";
    json!({"checks": outcomes, "reasons": reasons, "verified": verified, "recognised": recognised})
}

/// What a credential comes out as whose signature is invalid.
pub(super) fn fails(code: &'static str) -> Value {
    expect(false, &[(UNTAMPERED, "FAIL", code)])
}

/// What a credential comes out as whose signature could not be checked.
pub(super) fn unchecked(code: &'static str) -> Value {
    expect(false, &[(UNTAMPERED, "NOT_CHECKED", code)])
}

/// The same, with one thing more that must come out.
pub(super) fn and(mut expectation: Value, key: &str, value: impl Into<Value>) -> Value {
    expectation[key] = value.into();
    expectation
}
