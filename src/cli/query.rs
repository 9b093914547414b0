//! `knack query`.

use std::process::ExitCode;

use super::{Outcome, Screen, ask, duration_ms, mismatch, screen::print_query};
use crate::{
    control::{Exit, QueryOrder, Reply, Request},
    home::Home,
};

/// Ask the network for people
///
/// Answers come from your own index and from connected nodes; the best candidates are asked for presentations where their
/// consent allows, and only what verifies counts as proven. What a verification needs of others (status lists, the keys of a
/// did:web) is taken from what candidates send along and from what was fetched earlier; nobody is asked for it, unless you say
/// --fetch. Exits 6 when no other node was reached.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack query 'rust>=3 AND (kubernetes OR nomad) \"distributed systems\" region:DE tier:issuer -java'
  knack query '\"machine learning\">=2 lang:de mode:remote' --top 20 --json
  knack query 'rust tier:issuer' --fetch --deadline 15s

A query: skills by name, \"quoted name\" or <URI>, with >= > = <= < and a level from 1 to 5; ~skill takes in narrower \
skills; AND (or nothing), OR, NOT (or -), parentheses; region:DE lang:de mode:remote available:2026-12-01 tier:issuer \
issuer:DID; any other word is looked for in the text.")]
pub struct Args {
    /// What is asked; quote it for the shell
    #[arg(value_name = "QUERY")]
    query: String,

    /// At most so many results
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,

    /// The longest the query may take
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration_ms)]
    deadline: u64,

    /// For what you ask, as the holders will read it
    #[arg(long, value_name = "TEXT", default_value = "recruitment")]
    purpose: String,

    /// For how many days you keep what is presented
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    retention: u32,

    /// Ask for status lists and keys that are lacking; the candidates' credentials name the servers, which learn that somebody
    /// verifies
    #[arg(long)]
    fetch: bool,

    /// Where holders reach you about their data
    #[arg(long, value_name = "TEXT", default_value = "")]
    contact: String,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let order = QueryOrder {
            query: self.query,
            top: self.top,
            deadline_ms: self.deadline,
            purpose: self.purpose,
            retention_days: self.retention,
            contact: self.contact,
            fetch: self.fetch,
        };
        let bar = screen.progress("asking the network");
        let answer = ask(home, Request::Query(order)).await;
        bar.finish_and_clear();
        let Reply::Found(report) = answer? else { return Err(mismatch()) };
        for note in &report.understood {
            screen.say(note);
        }
        screen.show(&report, || print_query(&report));
        if report.coverage.answered > 0 {
            return Ok(ExitCode::SUCCESS);
        }
        screen.say("no other node was reached: this is what your own index holds");
        screen.say("try: `knack up --bootstrap MULTIADDR` with the address of a node of the network");
        Ok(ExitCode::from(Exit::Network as u8))
    }
}
