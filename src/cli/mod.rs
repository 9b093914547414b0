//! The command line: one file a command. Data goes to stdout, talk to stderr.

/// Prints a line of data on stdout; see [`screen::write_line`].
macro_rules! data {
    ($($line:tt)*) => { $crate::cli::screen::write_line(format_args!($($line)*)) };
}

mod bench;
mod completions;
mod credentials;
mod demo;
mod did;
mod disclosures;
mod doctor;
mod forget;
mod import;
mod index;
mod init;
mod issue;
mod issued;
mod keys;
mod lookup;
mod peers;
mod present;
mod preview;
mod profile;
mod publish;
mod query;
mod reinstate;
mod reissue;
mod revoke;
mod screen;
mod serve;
mod sim;
mod source;
mod status;
mod status_list;
mod suspend;
mod template;
mod trust;
mod up;
mod verify;
mod why;
mod withdraw;
mod writing;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use knackmesh_protocol::key::{Did, NotADid};

use self::screen::Screen;
use crate::{
    control::{self, Exit, Refusal, Reply, Request},
    descriptors,
    home::Home,
    node::{Node, NodeError, ShelfError},
    store::StoreError,
};

/// Find people by skills that can be checked, with no operator in the middle.
#[derive(Debug, Parser)]
#[command(
    name = "knack",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  knack demo                                       the whole job, on this machine alone
  knack init && knack up                           run a node
  knack import badge.json && knack publish --for 24h
  knack query 'rust>=3 AND (kubernetes OR nomad) region:DE'

Exit codes: 0 ok, 1 failed, 2 usage, 3 not verified or stale, 4 no consent, 5 refused by policy, \
6 network not reached"
)]
pub struct Cli {
    // The variable is read where a home is looked for: clap would refuse an empty one, and show the flag as required.
    /// The home folder, with keys and store [env: KNACK_HOME] [default: ~/.knackmesh]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,

    /// Print one JSON object (or array) on stdout
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Up(up::Args),
    Status(status::Args),
    Peers(peers::Args),
    Doctor(doctor::Args),
    Index(index::Args),
    Issue(issue::Args),
    Reissue(reissue::Args),
    Template(template::Args),
    Issued(issued::Args),
    Revoke(revoke::Args),
    Suspend(suspend::Args),
    Reinstate(reinstate::Args),
    #[command(name = "status-list")]
    StatusList(status_list::Args),
    Did(did::Args),
    Keys(keys::Args),
    Import(import::Args),
    Credentials(credentials::Args),
    Forget(forget::Args),
    Verify(verify::Args),
    Profile(profile::Args),
    Present(present::Args),
    Disclosures(disclosures::Args),
    Preview(preview::Args),
    Publish(publish::Args),
    Withdraw(withdraw::Args),
    Query(query::Args),
    Why(why::Args),
    Trust(trust::Args),
    Lookup(lookup::Args),
    Serve(serve::Args),
    Sim(sim::Args),
    Bench(bench::Args),
    Completions(completions::Args),
}

/// What a command came to: its exit code, when it did what was asked.
type Outcome = Result<ExitCode, Refusal>;

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return misunderstood(&e),
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Before anything is opened; what it comes to matters to a node alone, which asks again.
    descriptors::raise();
    let screen = Screen { json: cli.json };
    match run(cli, &screen) {
        Ok(code) => code,
        Err(refusal) => {
            screen.refuse(&refusal);
            ExitCode::from(refusal.exit as u8)
        }
    }
}

/// Help, the version, or a usage error, in the form that was asked for as far as that can be told.
fn misunderstood(e: &clap::Error) -> ExitCode {
    if !e.use_stderr() {
        data!("{}", e.render().ansi().to_string().trim_end());
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|arg| arg == "--json") {
        Screen { json: true }.refuse(&usage(&e.render().to_string()));
    } else {
        let _ = e.print();
    }
    ExitCode::from(Exit::Usage as u8)
}

/// A usage error in words, from the text that a terminal gets: what is wrong, with what is named below it; tips; the usage.
fn usage(text: &str) -> Refusal {
    let line = |line: &str| line.trim().to_owned();
    let text = text.split("\nFor more information").next().unwrap_or_default();
    let (said, rest) = text.split_once("\nUsage: ").unwrap_or((text, ""));
    let (tips, said): (Vec<String>, Vec<String>) =
        said.lines().map(line).filter(|line| !line.is_empty()).partition(|line| line.starts_with("tip: "));
    let said = said.join(" ");
    let message = said.trim_start_matches("error: ").trim_end_matches(':');
    let usage = rest.lines().next().unwrap_or_default();
    let tips = tips.iter().map(|tip| tip.trim_start_matches("tip: ").to_owned());
    let usage = (!usage.is_empty()).then(|| format!("usage: {usage}"));
    let hints: Vec<String> = tips.chain(usage).collect();
    let hint = if hints.is_empty() { "see `knack --help`".to_owned() } else { hints.join("; ") };
    Refusal::new(Exit::Usage, message, hint)
}

fn run(cli: Cli, screen: &Screen) -> Outcome {
    let home = || Home::find(cli.home.clone()).map_err(Refusal::from);
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|e| Refusal::new(Exit::Failed, format!("no threads: {e}"), "free some memory"))?;
    runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => args.run(screen).await,
            Command::Init(args) => args.run(&home()?, screen).await,
            Command::Up(args) => args.run(&home()?, screen).await,
            Command::Status(args) => args.run(&home()?, screen).await,
            Command::Peers(args) => args.run(&home()?, screen).await,
            Command::Doctor(args) => args.run(&home()?, screen).await,
            Command::Index(args) => args.run(&home()?, screen).await,
            Command::Issue(args) => args.run(&home()?, screen).await,
            Command::Reissue(args) => args.run(&home()?, screen).await,
            Command::Template(args) => args.run(screen),
            Command::Issued(args) => args.run(&home()?, screen).await,
            Command::Revoke(args) => args.run(&home()?, screen).await,
            Command::Suspend(args) => args.run(&home()?, screen).await,
            Command::Reinstate(args) => args.run(&home()?, screen).await,
            Command::Did(args) => args.run(&home()?, screen),
            Command::StatusList(args) => args.run(&home()?, screen).await,
            Command::Keys(args) => args.run(&home()?, screen).await,
            Command::Import(args) => args.run(&home()?, screen).await,
            Command::Credentials(args) => args.run(&home()?, screen).await,
            Command::Forget(args) => args.run(&home()?, screen).await,
            Command::Verify(args) => args.run(&home()?, screen).await,
            Command::Profile(args) => args.run(&home()?, screen).await,
            Command::Present(args) => args.run(&home()?, screen).await,
            Command::Disclosures(args) => args.run(&home()?, screen).await,
            Command::Preview(args) => args.run(&home()?, screen).await,
            Command::Publish(args) => args.run(&home()?, screen).await,
            Command::Withdraw(args) => args.run(&home()?, screen).await,
            Command::Query(args) => args.run(&home()?, screen).await,
            Command::Why(args) => args.run(&home()?, screen).await,
            Command::Trust(args) => args.run(&home()?, screen).await,
            Command::Lookup(args) => args.run(&home()?, screen).await,
            Command::Serve(args) => args.run(&home()?, screen).await,
            Command::Sim(args) => args.run(screen).await,
            Command::Bench(args) => args.run(screen).await,
            Command::Completions(args) => args.run(screen),
        }
    })
}

/// Asks the home's running node, or carries the request out here when none runs.
async fn ask(home: &Home, request: Request) -> Result<Reply, Refusal> {
    Session::new(home).ask(&request).await
}

/// Several requests to one home. Where no node runs, the home is opened once and kept until the session ends.
struct Session {
    home: Home,
    own: Option<Node>,
}

impl Session {
    fn new(home: &Home) -> Self {
        Session { home: home.clone(), own: None }
    }

    async fn ask(&mut self, request: &Request) -> Result<Reply, Refusal> {
        for attempt in 0..20 {
            if let Some(node) = &mut self.own {
                return node.execute(request.clone()).await;
            }
            if let Some(answer) = control::ask(&self.home.socket(), request).await {
                return answer;
            }
            match Node::open(&self.home) {
                Ok(node) => self.own = Some(node),
                // A node is starting or another command is at work: its socket will be there, or its lock gone.
                Err(NodeError::Shelf(ShelfError::Store(StoreError::Locked(_)))) if attempt < 19 => {
                    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
                }
                Err(e) => return Err(e.into()),
            }
        }
        Err(Refusal::new(Exit::Failed, "the home is in use", "wait for the other command to end"))
    }
}

/// The node answered another kind of question: our own mistake.
fn mismatch() -> Refusal {
    Refusal::new(
        Exit::Failed,
        "the node's answer does not fit the command",
        "use the same version of knack for the node and the command",
    )
}

/// A duration such as `24h`, `7d` or `500ms`, in milliseconds.
fn duration_ms(text: &str) -> Result<u64, String> {
    let duration = humantime::parse_duration(text).map_err(|e| format!("{e}; write 90s, 24h, 7d or 2y"))?;
    u64::try_from(duration.as_millis()).map_err(|_| "too long".to_owned())
}

/// The same, of something that begins to hold now: it must not end at once.
fn lasting_ms(text: &str) -> Result<u64, String> {
    match duration_ms(text)? {
        0 => Err("what ends at once never holds; write 90s, 24h, 7d or 2y".to_owned()),
        ms => Ok(ms),
    }
}

/// A DID that a credential can be about, or that can be on a list: one that states its own key must state one.
fn sound_did(text: &str) -> Result<Did, String> {
    let did: Did = text.parse().map_err(|e: NotADid| e.to_string())?;
    knackmesh_protocol::did::check(&did).map_err(|e| e.to_string())?;
    Ok(did)
}

/// A level from 1 to 5.
fn level(text: &str) -> Result<knackmesh_protocol::skill::Level, String> {
    let number: u8 = text.parse().map_err(|_| "a level is a whole number from 1 to 5".to_owned())?;
    number.try_into().map_err(|e: knackmesh_protocol::skill::NotALevel| e.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn a_usage_error_keeps_what_it_names_and_its_tips() {
        let text = "error: the following required arguments were not provided:\n  <FILE|URL>\n\n\
                    Usage: knack verify --json <FILE|URL>\n\nFor more information, try '--help'.\n";
        let refusal = super::usage(text);
        assert_eq!(refusal.message, "the following required arguments were not provided: <FILE|URL>");
        assert_eq!(refusal.hint, "usage: knack verify --json <FILE|URL>");
        let text = "error: unrecognized subcommand 'qurey'\n\n  tip: a similar subcommand exists: 'query'\n\n\
                    Usage: knack [OPTIONS] <COMMAND>\n";
        let refusal = super::usage(text);
        assert_eq!(refusal.message, "unrecognized subcommand 'qurey'");
        let bare = "error: a value is required for '--to <DID>'\n\nFor more information, try '--help'.\n";
        assert_eq!(super::usage(bare).message, "a value is required for '--to <DID>'");
        assert!(refusal.hint.starts_with("a similar subcommand exists: 'query'; usage: "), "{refusal:?}");
    }
}
