//! `knack serve`.

use std::{
    net::{IpAddr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use clap::Subcommand;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{Outcome, Screen};
use crate::{
    control::{self, Exit, Refusal, Request},
    fetch::{FetchConfig, Fetcher},
    home::Home,
    node::{Node, NodeError, Running, ShelfError},
    store::StoreError,
    vc_api::{self, Keeper, ServeError},
};

/// Serve other programs
///
/// What is served signs with this home's key for whoever reaches it: programs on this machine, unless you say otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack serve vc-api
  knack serve vc-api --listen 127.0.0.1:8443 --tls-self-signed")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    VcApi(VcApi),
}

/// Issue and verify over HTTP: the VC-API
///
/// POST to /credentials/issue, /credentials/verify, /presentations/issue and /presentations/verify, each also below /jcs, /rdfc
/// and /jwt, which choose the form of the signature, and /status, which adds a status that can be revoked. GET /status-lists/NAME
/// and /identifiers/DID. A node that runs for this home is asked to sign; without one, this command keeps the home
/// until it ends. Ctrl-C or SIGTERM ends it.
///
/// An `issuer` that is not this home is replaced by it: what is signed is yours, and a DID of its own stands in its place. For
/// /presentations/verify, `verified` says that the presentation's proof and every credential in it verify, as the W3C's test suites
/// expect; whether its holder is whom a credential is about is `trusted_holder` in each result, which `knack verify` counts.
/// Without --public-url, and without status_url in config.toml, the address itself goes into the status of credentials.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack serve vc-api
  knack serve vc-api --listen 127.0.0.1:0 --json
  knack serve vc-api --listen 127.0.0.1:8443 --tls-self-signed
  knack serve vc-api --public-url https://issuer.example")]
struct VcApi {
    /// Where to listen. Whoever can reach it can have anything signed
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Speak TLS, with a certificate that is made now and that nobody has vouched for
    #[arg(long)]
    tls_self_signed: bool,

    /// The URL by which others reach it, for the status of credentials [default: its address]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// Fetch DID documents and status lists of others from the web
    #[arg(long)]
    fetch: bool,
}

#[derive(Serialize)]
struct Ready {
    url: String,
    did: String,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        match self.what {
            What::VcApi(args) => args.run(home, screen).await,
        }
    }
}

impl VcApi {
    async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let settings = home.config()?;
        let did = settings.issuer.did.unwrap_or(home.keys()?.root.did());
        let fetcher = match self.fetch {
            true => Some(Fetcher::new(&FetchConfig::from(&settings.fetch), Some(home.cache()))),
            false => None,
        };
        let fetcher = fetcher.transpose().map_err(|e| {
            Refusal::new(Exit::Failed, e.to_string(), "mend `ca` under [fetch] in the home's config.toml")
        })?;
        let signals = |kind| {
            signal(kind)
                .map_err(|e| Refusal::new(Exit::Failed, format!("no signals: {e}"), "check the system"))
        };
        let (mut terminate, mut interrupt) =
            (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
        let (keeper, node) = keeper(home).await?;
        let config = vc_api::Config {
            listen: self.listen,
            tls_self_signed: self.tls_self_signed,
            public_url: self.public_url,
            status_url: settings.issuer.status_url,
            did: did.clone(),
            fetcher,
        };
        let started = vc_api::start(config, keeper);
        let server = match started {
            Ok(server) => server,
            Err(e) => {
                stop(node).await?;
                return Err(refusal(&e));
            }
        };
        if !self.listen.ip().is_loopback() {
            screen.say("warning: whoever can reach this address can have anything signed with your DID");
        }
        if of_this_machine(&server.status_url) {
            screen.say(&format!(
                "warning: a credential with a status names {} for it, which others cannot reach; name a URL with --public-url, or \
                 status_url in config.toml",
                server.status_url
            ));
        }
        screen.say(&format!("listening on {}, as {}", server.address, server.url));
        if screen.json {
            let ready = Ready { url: server.url.clone(), did: did.to_string() };
            match serde_json::to_string(&ready) {
                Ok(line) => data!("{line}"),
                Err(e) => screen.say(&format!("the address has no JSON form: {e}")),
            }
        }
        let signal = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let served = server.run_until(signal).await;
        stop(node).await?;
        served.map_err(|e| Refusal::new(Exit::Failed, format!("the server: {e}"), "start it again"))?;
        screen.say("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

/// Whether a URL leads to the machine that reads it, or to no machine in particular.
fn of_this_machine(url: &str) -> bool {
    let authority = url.split('/').nth(2).unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let address = host.parse::<IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

/// The node that runs for this home, or one that is started here, which has to be stopped.
async fn keeper(home: &Home) -> Result<(Keeper, Option<Running>), Refusal> {
    for _ in 0..20 {
        if control::ask(&home.socket(), &Request::Status).await.is_some() {
            return Ok((Keeper::Socket(home.socket()), None));
        }
        match Node::open(home) {
            Ok(node) => {
                let running = node.start_alone()?;
                return Ok((Keeper::Here(running.handle.clone()), Some(running)));
            }
            // A node is starting or another command is at work: its socket will be there, or its lock gone.
            Err(NodeError::Shelf(ShelfError::Store(StoreError::Locked(_)))) => {
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
            Err(e) => return Err(e.into()),
        }
    }
    Err(Refusal::new(Exit::Failed, "the home is in use", "wait for the other command to end"))
}

async fn stop(node: Option<Running>) -> Result<(), Refusal> {
    match node {
        Some(node) => Ok(node.stop().await?),
        None => Ok(()),
    }
}

fn refusal(e: &ServeError) -> Refusal {
    let (exit, hint) = match e {
        ServeError::Listen(..) => (Exit::Failed, "name another address and port with --listen"),
        ServeError::PublicUrl(_) => (Exit::Usage, "write --public-url https://issuer.example"),
        ServeError::Certificate(_) => (Exit::Failed, "leave --tls-self-signed out"),
    };
    Refusal::new(exit, e.to_string(), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_leads_nowhere_for_others_is_known() {
        for url in [
            "http://127.0.0.1:8080/status-lists",
            "https://[::1]:8443/status-lists",
            "http://0.0.0.0:80",
            "http://localhost:8080",
            "https://knack.localhost/x",
        ] {
            assert!(of_this_machine(url), "{url}");
        }
        for url in
            ["https://school.example/status", "https://10.1.2.3:8443/status-lists", "https://[fd00::1]/x"]
        {
            assert!(!of_this_machine(url), "{url}");
        }
    }
}
