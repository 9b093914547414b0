//! What users name to be verified or taken in: files and addresses; and how commands ask others about it.

use std::{fs::File, io::Read, path::Path};

use knackmesh_protocol::{
    credential::{
        TrustList, Verifier,
        baked::BakedError,
        import::{self, Form, ImportError, Opened},
    },
    limits::{BAKED_BYTES_MAX, FETCH_STATUS_LIST_BYTES_MAX},
    text::shown,
};

use super::{Screen, ask, mismatch};
use crate::{
    control::{Exit, Refusal, Reply, Request, TrustOrder},
    fetch::{FetchConfig, FetchError, Fetcher, Kind},
    home::{Home, HomeError},
    node::{
        now,
        verifying::{Asker, Badge, Question, gather, needs_of},
    },
    report::TrustRow,
};

/// A home that is set up; `None` when there is none, and nothing that is asked of it is known.
pub(super) fn settled(home: &Home) -> Option<&Home> {
    (!matches!(home.keys(), Err(HomeError::Missing(_)))).then_some(home)
}

/// The trust list of a home; nobody is on that of none.
pub(super) async fn trust_of(home: Option<&Home>) -> Result<Vec<TrustRow>, Refusal> {
    let Some(home) = home else { return Ok(Vec::new()) };
    let Reply::Trust(report) = ask(home, Request::Trust(TrustOrder::List)).await? else {
        return Err(mismatch());
    };
    Ok(report.entries)
}

/// Fetches as a home's settings allow, and keeps copies in it; with no home, by default settings and without copies.
pub(super) fn fetcher(home: Option<&Home>, offline: bool) -> Result<Fetcher, Refusal> {
    let settings = match home {
        Some(home) => FetchConfig::from(&home.config()?.fetch),
        None => FetchConfig::default(),
    };
    let config = FetchConfig { offline, ..settings };
    Fetcher::new(&config, home.map(Home::cache)).map_err(|e| not_fetched(&e))
}

/// Says whom a command asks, before it does.
pub(super) fn announce(question: &Question<'_>, screen: &Screen) {
    let what = match question.kind {
        Kind::Credential => "a credential",
        Kind::DidDocument => "its DID document",
        Kind::Keys => "what it publishes about keys",
        Kind::DidConfiguration => "the list of its DIDs",
        Kind::StatusList => "a status list",
        Kind::Badge => "a part of a badge",
    };
    screen.say(&format!("asking {} for {what}; it learns that somebody verifies", question.host()));
}

/// What a command could not be had.
pub(super) fn not_fetched(e: &FetchError) -> Refusal {
    let exit = match e {
        FetchError::Url { .. } => Exit::Usage,
        FetchError::Authorities { .. } => Exit::Failed,
        _ => Exit::Network,
    };
    Refusal::new(exit, e.to_string(), e.hint())
}

/// Opens a file, or what is served at an address.
pub(super) async fn open(source: &str, asker: &Asker<'_>) -> Result<Opened, Refusal> {
    let bytes = if source.starts_with("https://") || source.starts_with("http://") {
        let fetched = asker.get(source, Kind::Credential, 0).await.map_err(|e| not_fetched(&e))?;
        fetched.bytes
    } else if let Some((scheme, _)) = source.split_once("://").filter(|_| !Path::new(source).exists()) {
        let message = format!("{}: {} is not fetched, https is", shown(source), shown(scheme));
        return Err(Refusal::new(Exit::Usage, message, "give an https URL, or a file"));
    } else {
        bytes_of(Path::new(source))?
    };
    import::open(&bytes).map_err(|e| refusal(source, &e))
}

/// Fetches what the verification of a credential or a badge needs, for the node to find it: status lists of at most this age.
pub(super) async fn fetch(text: &str, status_age_max_ms: u64, asker: &Asker<'_>) -> Result<(), Refusal> {
    match import::form(text) {
        Ok(Form::Credential(credential)) => {
            let nobody = TrustList::default();
            let verifier = Verifier { status_age_max_ms, ..Verifier::new(now(), &nobody) };
            gather(&needs_of(&[*credential]), &verifier, asker).await;
        }
        Ok(form @ (Form::Assertion(_) | Form::SignedAssertion(_) | Form::HostedAt(_))) => {
            Badge::open(&form, text, asker).await?.gather(status_age_max_ms, asker).await;
        }
        // The node says what is wrong with anything else.
        _ => {}
    }
    Ok(())
}

/// Opens a file.
pub(super) fn open_file(path: &Path) -> Result<Opened, Refusal> {
    let bytes = bytes_of(path)?;
    import::open(&bytes).map_err(|e| refusal(&path.display().to_string(), &e))
}

/// Reads a text file.
pub(super) fn read(path: &Path) -> Result<String, Refusal> {
    let bytes = bytes_of(path)?;
    if bytes.len() > FETCH_STATUS_LIST_BYTES_MAX {
        let message = format!("{}: too large for a document of its kind", path.display());
        return Err(Refusal::new(Exit::Failed, message, "name another file"));
    }
    String::from_utf8(bytes).map_err(|_| {
        Refusal::new(Exit::Failed, format!("{}: not a text file", path.display()), "name another file")
    })
}

/// Reads a file of at most the bound of what is read of any.
fn bytes_of(path: &Path) -> Result<Vec<u8>, Refusal> {
    let fail = |e: std::io::Error| {
        Refusal::new(Exit::Failed, format!("{}: {e}", path.display()), "name a file that you may read")
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(fail)?;
    file.take(BAKED_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() > BAKED_BYTES_MAX {
        let message =
            format!("{}: more than {} MiB, which is not read", path.display(), BAKED_BYTES_MAX >> 20);
        return Err(Refusal::new(Exit::NotVerified, message, "name a credential alone, not a bundle"));
    }
    Ok(bytes)
}

/// Why a file holds nothing that knack reads, and what to do.
pub(super) fn refusal(name: &str, e: &ImportError) -> Refusal {
    let hint = match e {
        ImportError::Empty => "fetch or export the file again",
        ImportError::TooLong(_) | ImportError::Baked(BakedError::TooLong(_)) => {
            "name a credential alone, not a bundle"
        }
        ImportError::Several(_) => "name files with one of them each",
        ImportError::OtherFile(_) | ImportError::NotText => {
            "ask its issuer for the credential as JSON, as a token, or baked into a PNG or SVG image"
        }
        ImportError::Baked(BakedError::NothingBaked) => {
            "download the badge from where it was issued: copies made by messengers and image programs lose it"
        }
        ImportError::Baked(_) => "download the image again from where it was issued",
        ImportError::NoAward(_) => "name the badge that was awarded",
        ImportError::Json(_)
        | ImportError::Jose(_)
        | ImportError::NotAnObject
        | ImportError::Credential(_)
        | ImportError::Assertion(_) => "ask its issuer for a W3C Verifiable Credential or an Open Badge 3.0",
    };
    Refusal::new(Exit::NotVerified, format!("{name}: {e}"), hint)
}
