//! `knack publish`.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use knackmesh_protocol::consent::Present;
use serde::Serialize;

use super::{
    Outcome, Screen, ask, duration_ms, mismatch,
    screen::{self, counted, instant},
};
use crate::{
    control::{ProofsOrder, Refusal, Reply, Request},
    home::Home,
    report::PlacementRow,
};

/// Publish what `knack preview` shows, for a limited time
///
/// This is your consent, recorded with purpose, audience and end. `knack withdraw` ends it at any time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack publish --for 24h
  knack publish --for 7d --present anyone
  knack publish --proofs")]
pub struct Args {
    /// For how long, 7 days at most
    #[arg(long = "for", value_name = "DURATION", default_value = "24h", value_parser = duration_ms)]
    lease: u64,

    /// Who gets a presentation at once: ask (nobody), verified_org or anyone
    #[arg(long, value_name = "POLICY", default_value_t = Present::Ask)]
    present: Present,

    /// With proofs: copies of credentials that show the skills claimed, to everybody
    ///
    /// Each copy is bound to a key that is used once (see `knack keys`), and published once.
    #[arg(long)]
    proofs: bool,

    /// Also with proofs that link your pseudonym to your DID, or to an earlier publication
    #[arg(long, requires = "proofs")]
    linkable: bool,
}

/// How long nodes that keep the summary are waited for. It is published all the same, and placed while the node runs.
const PLACING: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Report {
    view: String,
    #[serde(with = "crate::report::rfc3339")]
    published_until: knackmesh_protocol::time::Timestamp,
    present: Present,
    claims: usize,
    bytes: usize,
    peers: usize,
    announced: bool,
    proofs: usize,
    linked: bool,
    left_out: Vec<String>,
    /// How well it is placed so far; null where no node runs or nobody is connected.
    placement: Option<PlacementRow>,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let order = ProofsOrder { attach: self.proofs, linkable: self.linkable };
        let request = Request::Publish { lease_ms: self.lease, present: self.present, proofs: order };
        let reply = ask(home, request).await?;
        let Reply::Published { view, until, peers, claims, bytes, announced, proofs, linked, left_out } =
            reply
        else {
            return Err(mismatch());
        };
        let present = self.present;
        if linked {
            screen.say("these proofs link your pseudonym to your DID, or to an earlier publication");
        }
        let placement = if announced && peers > 0 { placed(home, screen).await? } else { None };
        let report = Report {
            view,
            published_until: until,
            present,
            claims,
            bytes,
            peers,
            announced,
            proofs,
            linked,
            left_out,
            placement,
        };
        screen.show(&report, || {
            data!(
                "published {} ({} bytes) as {} until {}",
                counted(report.claims, "claim"),
                report.bytes,
                report.view,
                instant(report.published_until)
            );
            if order.attach {
                data!("with {}", counted(report.proofs, "proof"));
            }
            if let Some(placement) = &report.placement {
                data!("placed {}", screen::placed(placement));
            }
            report.left_out.iter().for_each(|line| screen.say(line));
            if !report.announced {
                screen.say("no node runs for this home: it is announced when you start one with `knack up`");
            } else if report.peers == 0 {
                screen.say("no other node is connected yet: those that connect will learn of it");
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}

/// How well the summary is placed when that is done, or has taken long enough.
async fn placed(home: &Home, screen: &Screen) -> Result<Option<PlacementRow>, Refusal> {
    let bar = screen.progress("asking nodes to keep it");
    let until = Instant::now() + PLACING;
    let placement = loop {
        let Reply::Status(status) = ask(home, Request::Status).await? else { return Err(mismatch()) };
        let is_open =
            |row: &PlacementRow| row.in_progress || row.replicated + row.under_replicated.len() == 0;
        if !status.placement.as_ref().is_some_and(is_open) || Instant::now() >= until {
            break status.placement;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    bar.finish_and_clear();
    Ok(placement)
}
