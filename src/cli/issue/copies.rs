//! `knack issue --copies`: the same credential again, for keys that its holder uses once.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use knackmesh_protocol::{credential::Format, key::Did};

use super::{Written, printed};
use crate::{
    cli::{Outcome, Screen, ask, mismatch, source},
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
            Ok(did) if did.method() == "key" && did != *to && !keys.contains(&did) => keys.push(did),
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
    let mut files = Vec::new();
    for (n, text) in texts.into_iter().enumerate() {
        let file = match n {
            0 => path.to_owned(),
            n => PathBuf::from(format!("{}.{n}", path.display())),
        };
        std::fs::write(&file, text + "\n").map_err(|e| {
            let hint = "name a file that you may write";
            Refusal::new(Exit::Failed, format!("{}: {e}", file.display()), hint)
        })?;
        files.push(file.display().to_string());
    }
    let copies = files.split_off(1);
    let written = Written { file: files.concat(), copies };
    screen.show(&written, || {
        screen.say(&format!("wrote {}", written.file));
        screen.say(&format!("and {} copies beside it", written.copies.len()));
    });
    Ok(ExitCode::SUCCESS)
}
