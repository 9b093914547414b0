//! What a file holds that somebody wants verified or kept: told by its form alone.
//!
//! Files come from wallets, platforms and mailboxes, with names that say little. Here the bytes decide: an image is
//! opened, a token and JSON are told apart, and each kind of document goes to its own reader. Whether any of it is true
//! is not asked, and nothing is unpacked but what an image has baked into it.
//!
//! Specification: `spec/import.md`, "Telling forms apart".

use serde_json::{Map, Value};

use super::{
    Credential, CredentialError,
    baked::{self, BakedError},
    clr::LearnerRecord,
    cv::CvFormat,
    enveloped, is_token,
    open_badge_2::{Assertion, AssertionError, SignedAssertion},
    vcdm::has_type,
};
use crate::{
    jose::{JoseError, Jws},
    json::{self, JsonError},
    limits::IMPORT_BYTES_MAX,
};

/// A file that was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What it holds.
    pub form: Form,
    /// The text that says so, without what surrounded it: what can be kept, and opened again.
    pub text: String,
    /// The specification named by the image that the text was baked into, if it was.
    pub baked: Option<baked::Version>,
}

/// A kind of document.
#[derive(Clone, Debug)]
pub enum Form {
    /// A verifiable credential: JSON with proofs, a token, or an SD-JWT VC.
    Credential(Box<Credential>),
    /// A presentation, in any of its forms.
    Presentation,
    /// A comprehensive learner record, and itself as a credential, which it is not where it is too long for one.
    LearnerRecord(Box<Result<Credential, CredentialError>>, LearnerRecord),
    /// An assertion of Open Badges 2.0 in JSON.
    Assertion(Box<Assertion>),
    /// An assertion of Open Badges 2.0 as a token.
    SignedAssertion(Box<SignedAssertion>),
    /// The address at which an assertion of Open Badges 2.0 is served.
    HostedAt(String),
    /// A curriculum vitae.
    Curriculum(CvFormat),
}

/// Why nothing that is imported could be found in a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Nothing is in it.
    #[error("the file is empty")]
    Empty,
    /// A text of more than [`IMPORT_BYTES_MAX`] bytes.
    #[error("a text of {0} bytes, more than the {IMPORT_BYTES_MAX} allowed")]
    TooLong(usize),
    /// Tokens, one a line.
    #[error("it holds {0} tokens, one a line, each of which stands for itself")]
    Several(usize),
    /// A kind of file in which nothing is looked for.
    #[error("it is {0}, in which no credential is looked for")]
    OtherFile(&'static str),
    /// Neither text nor a kind of file that is known.
    #[error("it is no text, nor a PNG or SVG image")]
    NotText,
    /// An image.
    #[error(transparent)]
    Baked(#[from] BakedError),
    /// Not JSON, or JSON that readers could read differently.
    #[error("not a credential: {0}")]
    Json(#[from] JsonError),
    /// Begins like a token, and is none.
    #[error("not a credential: {0}")]
    Jose(#[from] JoseError),
    /// JSON, but not an object.
    #[error("not a credential: a JSON object is expected")]
    NotAnObject,
    /// A document that awards nothing to anybody.
    #[error("it is {0}, which awards nothing to anybody")]
    NoAward(&'static str),
    /// A credential that is none.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// An assertion that is none.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
}

impl ImportError {
    /// The stable name of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            ImportError::Empty => "empty",
            ImportError::TooLong(_) => "too-long",
            ImportError::Several(_) => "several",
            ImportError::OtherFile(_) => "other-file",
            ImportError::NotText => "not-text",
            ImportError::Baked(e) => e.code(),
            ImportError::Json(e) => e.code(),
            ImportError::Jose(e) => e.code(),
            ImportError::NotAnObject => "not-an-object",
            ImportError::NoAward(_) => "no-award",
            ImportError::Credential(e) => e.code(),
            ImportError::Assertion(e) => e.code(),
        }
    }
}

/// How other kinds of files begin.
const OTHER_FILES: [(&[u8], &str); 8] = [
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a compressed file"),
    (b"BZh", "a compressed file"),
    (b"\xfd7zXZ", "a compressed file"),
    (b"7z\xbc\xaf", "a compressed file"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
];

/// Documents of Open Badges that are no awards, by the last part of their type.
const NO_AWARDS: [(&str, &str); 5] = [
    ("BadgeClass", "the description of a badge"),
    ("Issuer", "the description of an issuer"),
    ("CryptographicKey", "a key"),
    ("RevocationList", "a revocation list"),
    ("Endorsement", "an endorsement of Open Badges 2.0"),
];

/// Opens a file: an image of at most [`crate::limits::BAKED_BYTES_MAX`] bytes, or a text of at most [`IMPORT_BYTES_MAX`].
///
/// # Errors
/// [`ImportError`] when nothing that is imported is in it.
pub fn open(bytes: &[u8]) -> Result<Opened, ImportError> {
    if let Some(baked) = baked::extract(bytes)? {
        let form = form(&baked.text)?;
        return Ok(Opened { form, text: baked.text, baked: Some(baked.version) });
    }
    if let Some((_, kind)) = OTHER_FILES.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err(ImportError::OtherFile(kind));
    }
    if bytes.len() > IMPORT_BYTES_MAX {
        return Err(ImportError::TooLong(bytes.len()));
    }
    let text = str::from_utf8(bytes).map_err(|_| ImportError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    // An address means something only where an issuer baked it in; as a file of its own it is no document.
    match form(text)? {
        Form::HostedAt(_) => Err(JsonError::Syntax("an address".into()).into()),
        form => Ok(Opened { form, text: text.to_owned(), baked: None }),
    }
}

/// What a text is, of at most [`IMPORT_BYTES_MAX`] bytes.
///
/// # Errors
/// [`ImportError`] when it is nothing that is imported.
pub fn form(text: &str) -> Result<Form, ImportError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ImportError::Empty);
    }
    if text.len() > IMPORT_BYTES_MAX {
        return Err(ImportError::TooLong(text.len()));
    }
    if is_token(text) {
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        if lines > 1 && text.lines().all(|line| line.trim().is_empty() || is_token(line.trim())) {
            return Err(ImportError::Several(lines));
        }
        return token(text);
    }
    if is_address(text) {
        return Ok(Form::HostedAt(text.to_owned()));
    }
    if text.starts_with('<') {
        return Err(ImportError::OtherFile("a page or a document in XML"));
    }
    match json::parse(text, IMPORT_BYTES_MAX)? {
        Value::Object(document) => object(text, &document),
        _ => Err(ImportError::NotAnObject),
    }
}

fn is_address(text: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme))
        && !text.contains(char::is_whitespace)
}

fn token(text: &str) -> Result<Form, ImportError> {
    if text.contains('~') {
        // With a key binding behind the last tilde, it is shown to somebody.
        return match text.ends_with('~') {
            true => Ok(Form::Credential(Box::new(Credential::parse(text)?))),
            false => Ok(Form::Presentation),
        };
    }
    let jws = Jws::parse(text)?;
    if jws.typ() == Some("vp+jwt") {
        return Ok(Form::Presentation);
    }
    if jws.claims().is_ok_and(|claims| Assertion::is_meant(&claims)) {
        return Ok(Form::SignedAssertion(Box::new(SignedAssertion::parse(text)?)));
    }
    let credential = Credential::parse(text)?;
    match LearnerRecord::of(credential.document()) {
        Ok(record) => Ok(Form::LearnerRecord(Box::new(Ok(credential)), record)),
        Err(_) => Ok(Form::Credential(Box::new(credential))),
    }
}

fn object(text: &str, document: &Map<String, Value>) -> Result<Form, ImportError> {
    let is_presentation = ["VerifiablePresentation", "EnvelopedVerifiablePresentation"];
    if is_presentation.iter().any(|name| has_type(document, name)) {
        return Ok(Form::Presentation);
    }
    if let Ok(Some(token)) = enveloped::CREDENTIAL.token(document) {
        return form(token);
    }
    if let Ok(record) = LearnerRecord::of(document) {
        return Ok(Form::LearnerRecord(Box::new(Credential::parse(text)), record));
    }
    if Assertion::is_meant(document) {
        return Ok(Form::Assertion(Box::new(Assertion::parse(text)?)));
    }
    let is_credential = has_type(document, "VerifiableCredential");
    let named = |name: &str| has_type(document, name);
    if let Some((_, what)) = NO_AWARDS.iter().find(|(name, _)| named(name) && !is_credential) {
        return Err(ImportError::NoAward(what));
    }
    match CvFormat::of(&Value::Object(document.clone())) {
        Some(format) if !is_credential => Ok(Form::Curriculum(format)),
        _ => Ok(Form::Credential(Box::new(Credential::parse(text)?))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, path::PathBuf};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn vector(name: &str) -> Vec<u8> {
        fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/credential").join(name)).unwrap()
    }

    fn kind(bytes: &[u8]) -> &'static str {
        match open(bytes) {
            Ok(opened) => match opened.form {
                Form::Credential(_) => "credential",
                Form::Presentation => "presentation",
                Form::LearnerRecord(outer, _) if outer.is_ok() => "record",
                Form::LearnerRecord(..) => "long record",
                Form::Assertion(_) => "assertion",
                Form::SignedAssertion(_) => "signed assertion",
                Form::HostedAt(_) => "address",
                Form::Curriculum(_) => "curriculum",
            },
            Err(e) => e.code(),
        }
    }

    /// The credential or presentation in a vector of this project.
    fn inner(name: &str) -> String {
        let case: Value = serde_json::from_slice(&vector(name)).unwrap();
        let found = case.get("credential").or_else(|| case.get("presentation")).unwrap();
        found.as_str().map_or_else(|| found.to_string(), str::to_owned)
    }

    #[test]
    fn published_files_are_told_apart() {
        for (name, expected) in [
            ("ob3/simple.json", "credential"),
            ("ob3/credential-status-revoked.json", "credential"),
            ("ob3/complete.json", "credential"),
            ("ob2/basic-assertion.json", "assertion"),
            ("ob2/simple.jwt", "signed assertion"),
            ("ob2/assets/robotics-badge.json", "no-award"),
            ("ob2/assets/organization.json", "no-award"),
            ("ob2/assets/key1.json", "no-award"),
            ("ob2/assets/revocation-list.json", "no-award"),
            ("ob2/basic-assertion-invalid-type.json", "context"),
            ("baked/simple-badge.png", "assertion"),
            ("baked/simple-json.png", "credential"),
            ("baked/simple-json.svg", "credential"),
            ("baked/simple-jwt.png", "credential"),
            ("baked/simple-jwt.svg", "credential"),
        ] {
            assert_eq!(kind(&vector(name)), expected, "{name}");
        }
        assert_eq!(kind(inner("good.json").as_bytes()), "credential");
        assert_eq!(kind(inner("presentation/good.json").as_bytes()), "presentation");
        let opened = open(&vector("baked/simple-badge.png")).unwrap();
        assert_eq!(opened.baked, Some(baked::Version::OpenBadges2));
        assert!(
            matches!(form(&opened.text), Ok(Form::Assertion(_))),
            "what was taken out can be opened again"
        );
    }

    #[test]
    fn a_curriculum_and_a_record_are_known_by_what_they_hold() {
        let resume = json!({"basics": {"name": "Ada"}, "skills": [{"name": "Rust"}]});
        assert_eq!(kind(resume.to_string().as_bytes()), "curriculum");
        let mut record: Value = serde_json::from_str(&inner("good.json")).unwrap();
        record["type"] = json!(["VerifiableCredential", "ClrCredential"]);
        assert_eq!(kind(record.to_string().as_bytes()), "record");
        record["description"] = json!("x".repeat(crate::limits::CREDENTIAL_BYTES_MAX));
        assert_eq!(kind(record.to_string().as_bytes()), "long record");
    }

    #[test]
    fn wrong_files_are_refused_by_what_they_are() {
        for (bytes, expected) in [
            (&b""[..], "empty"),
            (b" \n", "empty"),
            (b"\xef\xbb\xbf", "empty"),
            (b"%PDF-1.7\n", "other-file"),
            (b"PK\x03\x04\x14", "other-file"),
            (b"\x1f\x8b\x08", "other-file"),
            (b"\xff\xd8\xff\xe0", "other-file"),
            (b"<!DOCTYPE html><html></html>", "other-file"),
            (b"\x00\x01\xff", "not-text"),
            (b"[{}]", "not-an-object"),
            (b"null", "not-an-object"),
            (b"{", "json-syntax"),
            (b"https://a.example/badge.json", "json-syntax"),
            (b"eyJh.eyJh", "jws-form"),
            (b"eyJh.eyJh.", "json-syntax"),
            (b"{}", "context"),
        ] {
            assert_eq!(kind(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(kind(&vec![b' '; IMPORT_BYTES_MAX + 1]), "too-long");
    }

    fn any_document() -> impl Strategy<Value = Value> {
        let word = prop::sample::select(vec![
            "VerifiableCredential",
            "VerifiablePresentation",
            "ClrCredential",
            "Assertion",
            "BadgeClass",
            "https://w3id.org/openbadges/v2",
            "https://www.w3.org/ns/credentials/v2",
            "did:key:x",
            "x",
        ]);
        let key = prop::sample::select(vec![
            "@context",
            "type",
            "id",
            "issuer",
            "credentialSubject",
            "verifiableCredential",
            "verification",
            "badge",
            "recipient",
            "basics",
            "skills",
            "proof",
        ]);
        let leaf =
            prop_oneof![Just(Value::Null), any::<u8>().prop_map(Value::from), word.prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                    members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>().into()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_opened_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..OTHER_FILES.len()) {
            let _ = open(&bytes);
            let _ = open(&[OTHER_FILES[at].0, &bytes].concat());
            let _ = open(&[b"\x89PNG\r\n\x1a\n", bytes.as_slice()].concat());
            let _ = open(&[b"ey", bytes.as_slice()].concat());
        }

        #[test]
        fn what_is_opened_can_be_opened_again(document in any_document(), space in "[ \n]{0,3}") {
            let Ok(opened) = open(format!("{space}{document}{space}").as_bytes()) else { return Ok(()) };
            let again = form(&opened.text);
            prop_assert!(again.is_ok());
            prop_assert_eq!(
                std::mem::discriminant(&again.unwrap()),
                std::mem::discriminant(&opened.form)
            );
        }

        #[test]
        fn a_changed_image_is_opened_or_refused(at in 0usize..4000, to in any::<u8>()) {
            let mut image = vector("baked/simple-json.png");
            let at = at % image.len();
            image[at] = to;
            let _ = open(&image);
        }
    }
}
