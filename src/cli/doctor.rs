//! `knack doctor`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, SystemTime},
};

use super::{Outcome, Screen, Session, screen};
use crate::{
    control::{Refusal, Reply, Request},
    home::Home,
    report::{CheckRow, ConditionReport, DoctorReport, NetworkReport, State},
};

/// Free space below which nothing more should be written.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// Free space below which it is time to make room.
const FREE_BYTES_LOW: u64 = 1024 * 1024 * 1024;
/// How far ahead of the clock a file of the home may be: what a file system rounds.
const AHEAD_MAX: Duration = Duration::from_secs(120);
/// One datagram in so many may be lost for want of room where it arrives.
const DATAGRAMS_PER_LOSS_MIN: u64 = 1000;
/// Summaries that wait for the index's next commit, above which it is behind: it commits every 512.
const UNCOMMITTED_MAX: usize = 1024;

/// Say what is wrong with this home and its node, and what to do
///
/// Looks at the home, the store and its index, the disk, the clock, and at how the running node stands in the network. Without a
/// running node that last part is skipped. Exits with 1 when something does not work.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  knack doctor\n  knack doctor --json")]
pub struct Args {}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let mut checks = vec![keys(home), settings(home), disk(home.dir()), clock(home)];
        if checks[0].state != State::Wrong {
            checks.extend(self::condition(home).await);
        }
        let healthy = checks.iter().all(|check| check.state != State::Wrong);
        let report = DoctorReport { healthy, checks };
        screen.show(&report, || {
            for check in &report.checks {
                let (style, word) = match check.state {
                    State::Good => (screen::GOOD, "good   "),
                    State::Weak => (screen::STRONG, "weak   "),
                    State::Wrong => (screen::BAD, "wrong  "),
                    State::Skipped => (screen::WEAK, "skipped"),
                };
                data!("{style}{word}{style:#}  {:<13} {}", check.check, check.found);
                if !check.hint.is_empty() {
                    data!("         {:<13} try: {}", "", check.hint);
                }
            }
        });
        Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn row(check: &str, state: State, found: impl Into<String>, hint: impl Into<String>) -> CheckRow {
    CheckRow { check: check.to_owned(), state, found: found.into(), hint: hint.into() }
}

fn good(check: &str, found: impl Into<String>) -> CheckRow {
    row(check, State::Good, found, "")
}

fn refused(check: &str, refusal: &Refusal) -> CheckRow {
    row(check, State::Wrong, refusal.message.clone(), refusal.hint.clone())
}

fn keys(home: &Home) -> CheckRow {
    if let Err(e) = home.keys() {
        return refused("home", &e.into());
    }
    let open = ["root", "view", "node"].map(|name| home.dir().join("keys").join(name));
    let open = open
        .iter()
        .find(|path| fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0));
    match open {
        Some(path) => {
            let (path, hint) = (path.display(), format!("chmod 600 {}", path.display()));
            row("home", State::Wrong, format!("others can read {path}"), hint)
        }
        None => good("home", format!("{} has its keys", home.dir().display())),
    }
}

fn settings(home: &Home) -> CheckRow {
    match home.config() {
        Ok(_) => good("settings", "config.toml is read"),
        Err(e) => refused("settings", &e.into()),
    }
}

fn disk(dir: &Path) -> CheckRow {
    let hint = format!("free space on the disk of {}", dir.display());
    match free_bytes(dir) {
        Some(free) if free < FREE_BYTES_MIN => {
            row("disk", State::Wrong, format!("{} MiB free", free / 1024 / 1024), hint)
        }
        Some(free) if free < FREE_BYTES_LOW => {
            row("disk", State::Weak, format!("{} MiB free", free / 1024 / 1024), hint)
        }
        Some(free) => good("disk", format!("{} MiB free", free / 1024 / 1024)),
        None => row("disk", State::Skipped, "the system does not say how much is free", ""),
    }
}

/// By the system's own `df`, which knows about quotas and mounts.
fn free_bytes(dir: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(dir).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let free: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(free.saturating_mul(1024))
}

/// A clock that is behind what was written is wrong; one that is ahead cannot be told from here.
fn clock(home: &Home) -> CheckRow {
    let files = [home.dir().join("keys").join("root"), home.dir().join("config.toml"), home.store()];
    let times = files.iter().filter_map(|path| fs::metadata(path).ok()?.modified().ok());
    let now = SystemTime::now();
    match times.max() {
        Some(newest) if newest > now + AHEAD_MAX => row(
            "clock",
            State::Wrong,
            "the clock is behind the time at which this home was last written",
            "set the clock, and have it kept right (NTP)",
        ),
        _ => good("clock", "not behind what was written"),
    }
}

/// Store, index and network, as the node says, or as the opened home does.
async fn condition(home: &Home) -> Vec<CheckRow> {
    let report = match Session::new(home).ask(&Request::Condition).await {
        Ok(Reply::Condition(report)) => report,
        Ok(_) => return vec![refused("store", &super::mismatch())],
        Err(refusal) => return vec![refused("store", &refusal)],
    };
    let mut checks = vec![
        good(
            "store",
            format!("opens; {} credentials, {} KiB", report.credentials, report.store_bytes / 1024),
        ),
        index(&report),
    ];
    match &report.network {
        Some(network) => checks.extend(in_the_network(network)),
        None => checks.push(row("network", State::Skipped, "no node runs for this home", "knack up")),
    }
    checks
}

fn index(report: &ConditionReport) -> CheckRow {
    match report.uncommitted > UNCOMMITTED_MAX {
        true => row(
            "index",
            State::Wrong,
            format!("behind the store by {} summaries", report.uncommitted),
            "restart the node; should that not help, stop it, then `knack index rebuild`",
        ),
        false => good("index", format!("{} summaries, as in the store", report.summaries)),
    }
}

fn in_the_network(network: &NetworkReport) -> Vec<CheckRow> {
    vec![
        listening(network),
        datagrams(fs::read_to_string("/proc/net/snmp").ok().as_deref()),
        bootstrap(network),
        peers(network),
        versions(network),
        mesh(network),
        reachability(network),
    ]
}

fn listening(network: &NetworkReport) -> CheckRow {
    match network.listen.len() {
        0 => row(
            "listening",
            State::Weak,
            "the node listens nowhere, so that nobody can connect to it",
            "name addresses with `listen` in config.toml, or --listen",
        ),
        count => good("listening", format!("{count} addresses")),
    }
}

/// Whether what QUIC carries is lost on this machine, as the system counts (Linux): a lost packet of a handshake is sent again after
/// a second. The count is of the whole machine since it started.
fn datagrams(counters: Option<&str>) -> CheckRow {
    let Some((received, lost)) = counters.and_then(udp) else {
        return row("datagrams", State::Skipped, "the system does not say how many it lost", "");
    };
    match lost > received / DATAGRAMS_PER_LOSS_MIN {
        true => row(
            "datagrams",
            State::Weak,
            format!(
                "{lost} of {received} since the machine started were lost for want of room to receive them, which slows QUIC"
            ),
            "sudo sysctl -w net.core.rmem_default=4194304, and start the node again",
        ),
        false => good("datagrams", format!("{lost} of {received} found no room")),
    }
}

/// Datagrams received, and those that found no room, by the two lines of `/proc/net/snmp` that begin with `Udp:`.
fn udp(counters: &str) -> Option<(u64, u64)> {
    let mut lines = counters.lines().filter_map(|line| line.strip_prefix("Udp:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let of = |name: &str| {
        let (_, value) = names.split_whitespace().zip(values.split_whitespace()).find(|(n, _)| *n == name)?;
        value.parse().ok()
    };
    Some((of("InDatagrams")?, of("RcvbufErrors")?))
}

fn bootstrap(network: &NetworkReport) -> CheckRow {
    let silent: Vec<&str> = network
        .bootstrap
        .iter()
        .filter(|node| node.answered == Some(false))
        .map(|node| node.address.as_str())
        .collect();
    let hint = "check their addresses and this machine's connection; they are dialled again by themselves";
    match (network.bootstrap.len(), silent.len()) {
        (0, _) if network.peers.is_empty() => row(
            "bootstrap",
            State::Weak,
            "no nodes to join by are named",
            "name one with `bootstrap` in config.toml or --bootstrap, or look around with --lan",
        ),
        (0, _) => good("bootstrap", "none is named, and none is needed"),
        (all, 0) => good("bootstrap", format!("none of {all} failed to answer")),
        (all, none) if none == all && network.peers.is_empty() => {
            row("bootstrap", State::Wrong, format!("none answers: {}", silent.join(", ")), hint)
        }
        (all, _) => row(
            "bootstrap",
            State::Weak,
            format!("{} of {all} do not answer: {}", silent.len(), silent.join(", ")),
            hint,
        ),
    }
}

fn peers(network: &NetworkReport) -> CheckRow {
    let relayed = network.peers.iter().filter(|peer| peer.relayed).count();
    match network.peers.len() {
        0 => row(
            "peers",
            State::Wrong,
            "no node is connected",
            "check `bootstrap`, and that UDP and TCP may leave this machine",
        ),
        count => good("peers", format!("{count} connected, {relayed} through relays")),
    }
}

fn versions(network: &NetworkReport) -> CheckRow {
    match network.strangers.first() {
        Some(name) => row(
            "versions",
            State::Weak,
            format!(
                "{} connected nodes speak no version that this one does, such as {name}",
                network.strangers.len()
            ),
            "compare `knack --version` with the newest release",
        ),
        None => good("versions", "understood by every connected node"),
    }
}

fn mesh(network: &NetworkReport) -> CheckRow {
    match (network.peers.len(), network.mesh) {
        (0, _) => row("gossip", State::Skipped, "no node is connected", ""),
        (_, 0) => row(
            "gossip",
            State::Weak,
            "no connected node is in a gossip mesh with this one yet",
            "wait a few seconds after joining; announcements arrive by comparing all the same",
        ),
        (_, mesh) => good("gossip", format!("{mesh} nodes in the mesh")),
    }
}

fn reachability(network: &NetworkReport) -> CheckRow {
    let reach = &network.reachability;
    let through = format!("{} relays", reach.relays.len());
    match (reach.serves, reach.relays.len(), reach.relays_known) {
        (true, _, _) => {
            good("reachability", "others can connect; this node serves the hash table and relays")
        }
        (false, 1.., _) => good("reachability", format!("others cannot connect; reached through {through}")),
        (false, 0, 0) => row(
            "reachability",
            State::Weak,
            match reach.failed.is_empty() {
                true => "nobody has confirmed an address of this node yet, and no connected node relays",
                false => "others cannot connect, and no connected node relays",
            },
            "forward the port that the node listens on and name it with `announce` under [network], or join more nodes",
        ),
        (false, 0, _) => row(
            "reachability",
            State::Weak,
            "nobody has confirmed an address of this node, and it has no place at a relay yet",
            "wait a minute; forward a port and name it with `announce` under [network] in config.toml",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_datagrams_are_told_from_none() {
        let snmp = |received: u64, lost: u64| {
            format!(
                "Ip: Forwarding\nIp: 1\nUdp: InDatagrams NoPorts RcvbufErrors\nUdp: {received} 7 {lost}\nUdpLite: InDatagrams\nUdpLite: 0\n"
            )
        };
        assert_eq!(udp(&snmp(1_952_998, 8506)), Some((1_952_998, 8506)));
        assert_eq!(datagrams(Some(&snmp(1_952_998, 8506))).state, State::Weak);
        assert_eq!(datagrams(Some(&snmp(1_952_998, 1952))).state, State::Good);
        assert_eq!(datagrams(Some(&snmp(0, 0))).state, State::Good);
        for nothing in [None, Some(""), Some("Udp: InDatagrams\nUdp: 3\n")] {
            assert_eq!(datagrams(nothing).state, State::Skipped);
        }
    }
}
