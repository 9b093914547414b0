//! `knack up`.

use std::{net::SocketAddr, process::ExitCode};

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{Outcome, Screen};
use crate::{
    control::{Exit, Refusal},
    descriptors,
    home::Home,
    metrics,
    node::{Node, NodeError, ShelfError},
    store::StoreError,
};

/// Run a node until it is told to stop
///
/// Prints the addresses it listens on, one a line, then `ready`. SIGTERM or Ctrl-C ends it cleanly. Joining shows other nodes
/// an IP address and a peer id, nothing else.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack up
  knack up --listen /ip4/127.0.0.1/tcp/4001
  knack up --lan
  knack up --metrics 127.0.0.1:9464
  knack up --bootstrap /ip4/192.0.2.7/udp/4001/quic-v1/p2p/12D3KooW...")]
pub struct Args {
    /// Address to listen on, instead of those in config.toml; may be repeated
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<String>,

    /// Address of a node to join the network by, besides those in config.toml; may be repeated
    #[arg(long, value_name = "MULTIADDR")]
    bootstrap: Vec<String>,

    /// Look for nodes in the local network (mDNS), and count its addresses as reachable
    #[arg(long)]
    lan: bool,

    /// Serve what is counted over HTTP, for a collector on this machine (OpenMetrics, at /metrics)
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,

    /// Serve it at an address that others can reach, too
    #[arg(long, requires = "metrics")]
    metrics_public: bool,
}

#[derive(Serialize)]
struct Ready {
    listen: Vec<String>,
    did: String,
    /// Where metrics are served.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<String>,
    ready: bool,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let mut config = home.config()?;
        if !self.listen.is_empty() {
            config.listen = self.listen;
        }
        config.bootstrap.extend(self.bootstrap);
        config.network.lan |= self.lan;
        config.network.metrics = self.metrics.is_some();
        if let Some(at) = self.metrics.filter(|at| !at.ip().is_loopback() && !self.metrics_public) {
            return Err(Refusal::new(
                Exit::Usage,
                format!("{at} can be reached by others"),
                "name 127.0.0.1 with --metrics, or add --metrics-public",
            ));
        }
        let signals = |kind| {
            signal(kind)
                .map_err(|e| Refusal::new(Exit::Failed, format!("no signals: {e}"), "check the system"))
        };
        let (mut terminate, mut interrupt) =
            (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
        let node = Node::open(home).map_err(|e| match e {
            NodeError::Shelf(ShelfError::Store(StoreError::Locked(_))) => Refusal::new(
                Exit::Failed,
                "a node already runs for this home, or a command is at work in it",
                "see `knack status`; another home is named with --home DIR",
            ),
            e => e.into(),
        })?;
        if let Some(few) = descriptors::raise().filter(|allowed| *allowed < descriptors::NEEDED) {
            let needed = descriptors::NEEDED;
            screen.say(&format!(
                "the system allows {few} open files and connections, and a busy node needs {needed}: it may have to stop (`ulimit -n {needed}` before it starts)"
            ));
        }
        let running = node.start(&config).await?;
        let metrics = match self.metrics {
            Some(at) => match metrics::serve(at, running.handle.clone()).await {
                Ok(serving) => Some(serving),
                Err(e) => {
                    running.stop().await?;
                    let message = format!("metrics cannot be served at {at}: {e}");
                    return Err(Refusal::new(
                        Exit::Failed,
                        message,
                        "name another port with --metrics, 0 for any",
                    ));
                }
            },
            None => None,
        };
        let ready = Ready {
            listen: running.listen.clone(),
            did: home.keys()?.root.did().to_string(),
            metrics: metrics.as_ref().map(|(at, _)| format!("http://{at}/metrics")),
            ready: true,
        };
        if let Some(url) = &ready.metrics {
            screen.say(&format!("metrics at {url}"));
        }
        screen.show(&ready, || {
            for address in &ready.listen {
                data!("{address}");
            }
            data!("ready");
        });
        let signal = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        running.run_until(signal).await?;
        if let Some((_, serving)) = metrics {
            serving.abort();
        }
        screen.say("stopped");
        Ok(ExitCode::SUCCESS)
    }
}
