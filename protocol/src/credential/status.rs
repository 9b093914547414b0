//! Status: whether an issuer has revoked or suspended what it signed (W3C Bitstring Status List 1.0).
//!
//! A credential names a list by its URL and a place in it. The list is a credential itself, signed by the issuer, so it can
//! come from anywhere: fetched from its URL, or stapled to a presentation by the holder. How old it is decides whether it is
//! *fresh*: it was true when it was signed, and, if fetched from where the issuer said, still when it was fetched.
//!
//! A stapled list counts only when it is by the issuer of the credential: anybody can sign a list for anybody's URL.
//!
//! Specification: `spec/status.md`.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    CONTEXT_V2, Check, CheckName, Checks, Credential, CredentialError,
    bitstring::{Bitstring, BitstringError},
    verifier::Verifier,
};
use crate::{
    did::Documents,
    json::items,
    key::Did,
    limits::{CLOCK_SKEW_MAX_MS, STATUS_ENTRIES_MAX, STATUS_LISTS_MAX, STATUS_URL_BYTES_MAX},
    text::shown,
    time::Timestamp,
};

/// The type of an entry and of the list it points into.
const ENTRY_TYPE: &str = "BitstringStatusListEntry";
const LIST_TYPE: &str = "BitstringStatusListCredential";

/// What a bit says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Purpose {
    /// Ended for good.
    Revocation,
    /// Ended for now.
    Suspension,
    /// Something else, which takes nothing from the credential: `message`, `refresh`, and any of an issuer's own.
    Other(String),
}

impl Purpose {
    /// The value of `statusPurpose`.
    pub fn name(&self) -> &str {
        match self {
            Purpose::Revocation => "revocation",
            Purpose::Suspension => "suspension",
            Purpose::Other(name) => name,
        }
    }

    /// The purpose of that name.
    pub fn of(name: &str) -> Self {
        match name {
            "revocation" => Purpose::Revocation,
            "suspension" => Purpose::Suspension,
            other => Purpose::Other(shown(other)),
        }
    }
}

impl From<String> for Purpose {
    fn from(name: String) -> Self {
        Purpose::of(&name)
    }
}

impl From<Purpose> for String {
    fn from(purpose: Purpose) -> Self {
        purpose.name().to_owned()
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where a credential's status stands: an entry of `credentialStatus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// What it says.
    pub purpose: Purpose,
    /// The place in the list.
    pub index: u64,
    /// The list's URL.
    pub list: String,
    /// Bits of an entry.
    pub size: u8,
}

impl StatusEntry {
    /// Reads an entry; the code and the words for why it cannot be checked.
    fn parse(entry: &Value) -> Result<Self, (&'static str, String)> {
        let malformed =
            |what: &str| ("status-malformed", format!("its status entry's `{what}` is missing or malformed"));
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        if !items(entry.get("type")).iter().any(|t| t == ENTRY_TYPE) {
            let name =
                items(entry.get("type")).first().and_then(Value::as_str).map(shown).unwrap_or_default();
            return Err((
                "status-type-unsupported",
                format!("its status is a {name}, which is not supported"),
            ));
        }
        let purpose = Purpose::of(text("statusPurpose").ok_or_else(|| malformed("statusPurpose"))?);
        // The specification has a text; some issuers write a number.
        let index = match entry.get("statusListIndex") {
            Some(Value::String(digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
            Some(number) => number.as_u64(),
            None => None,
        };
        let index = index.ok_or_else(|| malformed("statusListIndex"))?;
        let list = text("statusListCredential").filter(|url| url.len() <= STATUS_URL_BYTES_MAX);
        let list = list.ok_or_else(|| malformed("statusListCredential"))?.to_owned();
        let size = match entry.get("statusSize") {
            None => 1,
            Some(size) => {
                let size = size.as_u64().and_then(|size| u8::try_from(size).ok());
                size.filter(|size| (1..=8).contains(size)).ok_or_else(|| malformed("statusSize"))?
            }
        };
        Ok(StatusEntry { purpose, index, list, size })
    }

    /// The entry as a credential states it.
    pub fn to_value(&self) -> Value {
        let mut entry = json!({
            "id": format!("{}#{}", self.list, self.index),
            "type": ENTRY_TYPE,
            "statusPurpose": self.purpose.name(),
            "statusListIndex": self.index.to_string(),
            "statusListCredential": self.list,
        });
        if self.size > 1 {
            entry["statusSize"] = json!(self.size);
        }
        entry
    }
}

/// A status list whose signature was verified. Its long texts are shared by its copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    /// Its URL: its `id`, or where it was fetched.
    url: String,
    issuer: Option<Did>,
    purposes: Vec<Purpose>,
    encoded: Arc<str>,
    /// When its issuer signed it, as far as it says.
    signed: Option<Timestamp>,
    valid_from: Option<Timestamp>,
    /// When it ends, or one of its proofs does.
    valid_until: Option<Timestamp>,
    /// When it was fetched from its URL; `None` when it was stapled.
    fetched: Option<Timestamp>,
    /// How long its issuer lets it be kept, in milliseconds.
    ttl_ms: Option<u64>,
    text: Arc<str>,
}

/// Why a text is no status list that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusListError {
    /// Not a credential.
    #[error("the status list: {0}")]
    Credential(#[from] CredentialError),
    /// Not a status list.
    #[error("the status list's `{0}` is missing or malformed")]
    Malformed(&'static str),
    /// It was not signed by the issuer that it names, or the signature could not be checked.
    #[error("the status list does not verify: {0}")]
    Unverified(String),
    /// Fetched from a URL other than it says.
    #[error("the status list at this URL says that it is another's")]
    WrongUrl,
    /// Its bits cannot be read.
    #[error("the status list: {0}")]
    Bits(#[from] BitstringError),
    /// [`STATUS_LISTS_MAX`] are known already.
    #[error("more than {STATUS_LISTS_MAX} status lists")]
    TooMany,
}

impl StatusListError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            StatusListError::Credential(e) => e.code(),
            StatusListError::Malformed(_) => "status-list-malformed",
            StatusListError::Unverified(_) => "status-list-unverified",
            StatusListError::WrongUrl => "status-list-wrong-url",
            StatusListError::Bits(e) => e.code(),
            StatusListError::TooMany => "status-lists-too-many",
        }
    }
}

impl StatusList {
    /// Reads a status list and verifies its signature with the keys that are known.
    ///
    /// # Errors
    /// [`StatusListError`] when it is none or does not verify.
    pub fn verify(
        text: &str,
        fetched: Option<(&str, Timestamp)>,
        documents: &Documents,
    ) -> Result<Self, StatusListError> {
        let credential = Credential::parse(text)?;
        let document = credential.document();
        let has = |value: Option<&Value>, name: &str| items(value).iter().any(|t| t == name);
        if !has(document.get("type"), LIST_TYPE) {
            return Err(StatusListError::Malformed("type"));
        }
        let subject = items(document.get("credentialSubject")).first().and_then(Value::as_object);
        let subject = subject.ok_or(StatusListError::Malformed("credentialSubject"))?;
        let purposes: Vec<Purpose> = items(subject.get("statusPurpose"))
            .iter()
            .filter_map(|p| Some(Purpose::of(p.as_str()?)))
            .collect();
        if purposes.is_empty() {
            return Err(StatusListError::Malformed("statusPurpose"));
        }
        let encoded = subject.get("encodedList").and_then(Value::as_str);
        let encoded = encoded.ok_or(StatusListError::Malformed("encodedList"))?;
        // Read once here, so that a damaged or oversized list is refused when it comes and not when it is asked.
        Bitstring::decode(encoded, 1)?;
        let signatures =
            credential.signatures(documents).map_err(|(_, text)| StatusListError::Unverified(text))?;
        let id = document.get("id").and_then(Value::as_str);
        let url = match (fetched, id) {
            // The list may leave its name out; it may not bear another's.
            (Some((url, _)), Some(id)) if without_fragment(id) != without_fragment(url) => {
                return Err(StatusListError::WrongUrl);
            }
            (Some((url, _)), _) => url.to_owned(),
            (None, Some(id)) => id.to_owned(),
            (None, None) => return Err(StatusListError::Malformed("id")),
        };
        // Whoever staples a list can add a proof of his own, at any date: only the issuer's says how old it is.
        let issuers = signatures.iter().filter(|s| credential.is_the_issuers(s, documents));
        let signed = issuers.filter_map(|s| s.created).max();
        let ends = signatures.iter().filter_map(|s| s.expires);
        Ok(StatusList {
            url,
            issuer: credential.issuer_did().cloned(),
            purposes,
            encoded: encoded.into(),
            signed: signed.or(credential.valid_from()),
            valid_from: credential.valid_from(),
            valid_until: ends.chain(credential.valid_until()).min(),
            fetched: fetched.map(|(_, at)| at),
            ttl_ms: subject.get("ttl").and_then(Value::as_u64),
            text: text.into(),
        })
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The text, as it was signed: what a holder staples to a presentation.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The last instant at which it was known to hold.
    pub fn as_of(&self) -> Timestamp {
        self.fetched.max(self.signed).unwrap_or(Timestamp::EPOCH)
    }

    /// How old it may get before it is worth fetching again, in milliseconds: what its issuer or the verifier says.
    pub fn age_max_ms(&self, verifier: &Verifier<'_>) -> u64 {
        self.ttl_ms.map_or(verifier.status_age_max_ms, |ttl| ttl.min(verifier.status_age_max_ms))
    }

    /// Whether it is so old that it is worth fetching again.
    pub fn is_due(&self, verifier: &Verifier<'_>) -> bool {
        verifier.now.since_ms(self.as_of()) > self.age_max_ms(verifier)
    }
}

/// A status list to be signed by its issuer.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// The list's URL, where it will be found.
    pub url: &'a str,
    /// The issuer of the credentials that name it.
    pub issuer: &'a Did,
    /// What a set bit says.
    pub purpose: &'a Purpose,
    /// The bits.
    pub bits: &'a Bitstring,
    /// When the list is signed.
    pub valid_from: Timestamp,
    /// When it ceases to hold; never when `None`.
    pub valid_until: Option<Timestamp>,
    /// How long a reader may keep it, in milliseconds.
    pub ttl_ms: Option<u64>,
}

impl Publication<'_> {
    /// The credential without a proof. Every term is defined by the one context.
    pub fn document(&self) -> Map<String, Value> {
        let mut document = Map::new();
        document.insert("@context".into(), json!([CONTEXT_V2]));
        document.insert("id".into(), json!(self.url));
        document.insert("type".into(), json!(["VerifiableCredential", LIST_TYPE]));
        document.insert("issuer".into(), json!(self.issuer));
        document.insert("validFrom".into(), json!(self.valid_from.to_rfc3339_seconds()));
        if let Some(until) = self.valid_until {
            document.insert("validUntil".into(), json!(until.to_rfc3339_seconds()));
        }
        let mut subject = json!({
            "id": format!("{}#list", self.url),
            "type": "BitstringStatusList",
            "statusPurpose": self.purpose.name(),
            "encodedList": self.bits.encode(),
        });
        if let Some(ttl) = self.ttl_ms {
            subject["ttl"] = json!(ttl);
        }
        document.insert("credentialSubject".into(), subject);
        document
    }
}

/// The status lists that a verifier knows, by URL. Of one URL there can be one that was fetched and some that were stapled.
#[derive(Clone, Debug, Default)]
pub struct StatusLists(BTreeMap<String, Vec<StatusList>>);

impl StatusLists {
    /// None.
    pub const fn new() -> Self {
        StatusLists(BTreeMap::new())
    }

    /// Adds a list, in place of an older one of the same issuer.
    ///
    /// # Errors
    /// [`StatusListError::TooMany`] when there is no room.
    pub fn insert(&mut self, list: StatusList) -> Result<(), StatusListError> {
        let count: usize = self.0.values().map(Vec::len).sum();
        let of_url = self.0.entry(list.url.clone()).or_default();
        let same = |l: &StatusList| l.issuer == list.issuer && l.fetched.is_some() == list.fetched.is_some();
        if let Some(at) = of_url.iter().position(same) {
            if of_url[at].as_of() <= list.as_of() {
                of_url[at] = list;
            }
            return Ok(());
        }
        if count >= STATUS_LISTS_MAX {
            return Err(StatusListError::TooMany);
        }
        of_url.push(list);
        Ok(())
    }

    /// Adds `others`, as far as there is room, each in place of an older one of the same issuer.
    pub fn learn(&mut self, others: StatusLists) {
        for list in others.0.into_values().flatten() {
            // Without room, the check that needs it says that it is not known.
            let _ = self.insert(list);
        }
    }

    /// The newest list at `url` that may speak for `issuer`.
    pub fn get(&self, url: &str, issuer: Option<&Did>) -> Option<&StatusList> {
        let of_url = self.0.get(url)?.iter();
        let speaks =
            |l: &&StatusList| l.fetched.is_some() || (issuer.is_some() && l.issuer.as_ref() == issuer);
        of_url.filter(speaks).max_by_key(|l| l.as_of())
    }
}

impl Credential {
    /// The texts of the lists that this credential names, as far as they are known: what its holder staples to a
    /// presentation, so that the verifier need not ask the issuer.
    pub fn staples<'k>(&self, known: &'k StatusLists) -> Vec<&'k str> {
        let mut texts: Vec<&str> = Vec::new();
        for url in list_urls(self) {
            if let Some(list) = known.get(&url, self.issuer_did())
                && !texts.contains(&list.text())
            {
                texts.push(list.text());
            }
        }
        texts
    }
}

/// The URLs of the lists that `credential` names, at most [`STATUS_ENTRIES_MAX`].
pub(super) fn list_urls(credential: &Credential) -> impl Iterator<Item = String> {
    let entries = items(credential.status()).iter().take(STATUS_ENTRIES_MAX);
    entries.filter_map(|entry| StatusEntry::parse(entry).ok()).map(|entry| entry.list)
}

/// Makes the checks `unrevoked` and `fresh`.
pub(super) fn check(credential: &Credential, verifier: &Verifier<'_>, checks: &mut Checks) {
    let entries = items(credential.status());
    if entries.is_empty() {
        for name in [CheckName::Unrevoked, CheckName::Fresh] {
            checks.state(name, Check::NotApplicable, "no-status", "the issuer offers no status".into());
        }
        return;
    }
    checks.pass(CheckName::Unrevoked);
    checks.pass(CheckName::Fresh);
    if entries.len() > STATUS_ENTRIES_MAX {
        let text = format!("more than {STATUS_ENTRIES_MAX} statuses");
        not_checked(checks, "status-too-many", text);
        return;
    }
    for entry in entries {
        check_entry(entry, credential, verifier, checks);
        if checks.unrevoked == Check::Fail {
            return;
        }
    }
}

/// Makes both checks of one entry. What an earlier entry left worse than this one stays.
fn check_entry(entry: &Value, credential: &Credential, verifier: &Verifier<'_>, checks: &mut Checks) {
    let entry = match StatusEntry::parse(entry) {
        Ok(entry) => entry,
        Err((code, text)) => return not_checked(checks, code, text),
    };
    let Some(list) = verifier.known.status_lists.get(&entry.list, credential.issuer_did()) else {
        let text = format!("its status list {} is not known here", shown(&entry.list));
        return not_checked(checks, "status-not-checked", text);
    };
    if !list.purposes.contains(&entry.purpose) {
        let text = format!("its status list is not for {}", entry.purpose.name());
        return not_checked(checks, "status-purpose-mismatch", text);
    }
    if list.valid_from.max(list.signed).is_some_and(|from| from > verifier.now.plus_ms(CLOCK_SKEW_MAX_MS)) {
        return not_checked(checks, "status-list-not-yet-valid", "its status list holds only later".into());
    }
    let bits = match Bitstring::decode(&list.encoded, entry.size) {
        Ok(bits) => bits,
        Err(e) => return not_checked(checks, e.code(), e.to_string()),
    };
    let Some(status) = bits.get(entry.index) else {
        return not_checked(checks, "status-out-of-range", "its status list has no such place".into());
    };
    let age = verifier.now.since_ms(list.as_of());
    match entry.purpose {
        // A list that says so need not be new.
        Purpose::Revocation if status != 0 => {
            let text = format!("its issuer revoked it, as of {}", list.as_of());
            checks.state(CheckName::Unrevoked, Check::Fail, "revoked", text);
        }
        Purpose::Suspension if status != 0 => {
            let text = format!("its issuer suspended it, as of {}", list.as_of());
            checks.state(CheckName::Unrevoked, Check::Fail, "suspended", text);
        }
        _ => {}
    }
    let ended = list.valid_until.is_some_and(|until| verifier.now >= until);
    if age > verifier.status_age_max_ms || ended {
        let (code, text) = if ended {
            ("status-list-expired", "its status list has expired".to_owned())
        } else {
            ("status-stale", format!("its status is as of {}, older than accepted", list.as_of()))
        };
        if checks.fresh == Check::Pass {
            checks.state(CheckName::Fresh, Check::Stale, code, text.clone());
        }
        if checks.unrevoked == Check::Pass {
            checks.state(CheckName::Unrevoked, Check::Stale, code, text);
        }
    }
}

fn not_checked(checks: &mut Checks, code: &'static str, text: String) {
    for name in [CheckName::Unrevoked, CheckName::Fresh] {
        checks.state(name, Check::NotChecked, code, text.clone());
    }
}

fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(url, _)| url)
}
