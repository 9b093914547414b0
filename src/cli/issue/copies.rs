//! `knack issue --copies`: the same credential again, for keys that its holder uses once.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use knackmesh_protocol::{
    credential::Format,
    did,
    key::{Algorithm, Did},
};

use super::{Written, printed};
use crate::{
    cli::{
        Outcome, Screen, ask, mismatch, source,
        writing::{vacant, write_new},
    },
    control::{Exit, IssueOrder, Refusal, Reply, Request},
    home::Home,
};

/// The first `copies` keys in a file, each once.
pub(super) fn keys(copies: usize, path: &Path, format: Format, to: &Did) -> Result<Vec<Did>, Refusal> {
    let refuse = |message: String, hint: &str| Err(Refusal::new(Exit::Usage, message, hint));
    if format != Format::SdJwt {
        return refuse("copies are SD-JWT VCs".into(), "add --format sd-jwt");
    }
    let text = source::read(path)?;
    let mut keys: Vec<Did> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.parse::<Did>() {
            Ok(did)
                if did.method() == "key"
                    && did::check(&did).is_ok()
                    && did != *to
                    && !keys.contains(&did) =>
            {
                keys.push(did)
            }
            _ => {
                let message = format!("{}: not a did:key, or one twice: {line}", path.display());
                return refuse(message, "the holder makes them with `knack keys --single-use N`");
            }
        }
    }
    if copies == 0 || keys.len() < copies {
        let message = format!("{copies} copies of {} keys in {}", keys.len(), path.display());
        return refuse(message, "ask the holder for more: `knack keys --single-use N`");
    }
    keys.truncate(copies);
    Ok(keys)
}

/// Issues `order` and the same to each of `keys`; files are `out`, `out.1`, and so on.
pub(super) async fn issue(
    home: &Home,
    screen: &Screen,
    order: IssueOrder,
    keys: &[Did],
    out: Option<&Path>,
) -> Outcome {
    let file = |n: usize, path: &Path| match n {
        0 => path.to_owned(),
        n => PathBuf::from(format!("{}.{n}", path.display())),
    };
    if let Some(path) = out {
        (0..=keys.len()).try_for_each(|n| vacant(&file(n, path)))?;
    }
    let (format, algorithm) = (order.format, order.algorithm.unwrap_or(Algorithm::EdDsa));
    let copy = |to: &Did| IssueOrder { to: to.clone(), ..order.clone() };
    let orders: Vec<IssueOrder> = std::iter::once(order.clone()).chain(keys.iter().map(copy)).collect();
    let Reply::IssuedMany(issued) = ask(home, Request::IssueMany { orders, dry: false }).await? else {
        return Err(mismatch());
    };
    let texts =
        issued.into_iter().map(|one| printed(&one?.text)).collect::<Result<Vec<String>, Refusal>>()?;
    let Some(path) = out else {
        screen.show(&texts, || texts.iter().for_each(|text| data!("{text}")));
        return Ok(ExitCode::SUCCESS);
    };
    let mut written = None;
    for (n, text) in texts.into_iter().enumerate() {
        let file = file(n, path);
        write_new(&file, format!("{text}\n").as_bytes())?;
        match &mut written {
            None => written = Some(Written::new(&file, &text, format, algorithm)?),
            Some(Written { copies, .. }) => copies.push(file.display().to_string()),
        }
    }
    let written = written.ok_or_else(mismatch)?;
    screen.show(&written, || {
        screen.say(&format!("wrote {}", written.file));
        screen.say(&format!("and {} copies beside it", written.copies.len()));
    });
    Ok(ExitCode::SUCCESS)
}
