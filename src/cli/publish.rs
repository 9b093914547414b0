//! `knack publish`.

use std::process::ExitCode;

use knackmesh_protocol::consent::Present;
use serde::Serialize;

use super::{Outcome, Screen, ask, duration_ms, mismatch, screen::instant};
use crate::{
    control::{Reply, Request},
    home::Home,
};

/// Publish what `knack preview` shows, for a limited time
///
/// This is your consent, recorded with purpose, audience and end. `knack withdraw` ends it at any time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack publish --for 24h
  knack publish --for 7d --present anyone")]
pub struct Args {
    /// For how long, 7 days at most
    #[arg(long = "for", value_name = "DURATION", default_value = "24h", value_parser = duration_ms)]
    lease: u64,

    /// Who gets a presentation at once: ask (nobody), verified_org or anyone
    #[arg(long, value_name = "POLICY", default_value_t = Present::Ask)]
    present: Present,
}

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
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let request = Request::Publish { lease_ms: self.lease, present: self.present };
        let Reply::Published { view, until, peers, claims, bytes, announced } = ask(home, request).await?
        else {
            return Err(mismatch());
        };
        let present = self.present;
        let report = Report { view, published_until: until, present, claims, bytes, peers, announced };
        screen.show(&report, || {
            data!(
                "published {} claims ({} bytes) as {} until {}",
                report.claims,
                report.bytes,
                report.view,
                instant(report.published_until)
            );
            if !report.announced {
                screen.say("no node runs for this home: it is announced when you start one with `knack up`");
            } else if report.peers == 0 {
                screen.say("no other node is connected yet: those that connect will learn of it");
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}
