//! `knack bench network`.

use std::{fs, path::PathBuf, process::ExitCode};

use super::{Outcome, Screen};
use crate::{
    bench::network::{Asked, Attacked, Hostile, Mode, PerDeed, Report, Settings, Spread, Transport, run},
    cli::screen::table,
    control::{Exit, Refusal},
    sim::Folder,
};

const MIB: f64 = 1024.0 * 1024.0;

/// A network of many nodes in one process: what publishing and searching take, and whether everybody is found
///
/// Each node has a home, a store, an index and sockets of its own on loopback, and is asked through its control socket. Everybody
/// publishes; then queries of every kind are asked, and the answers compared with a list of all that is published. With --crowd,
/// so many more people have one and the same skill, and some nodes ask for all of them. With --hostile, some nodes then attack, everybody
/// publishes again, and the queries are asked again. A hundred nodes take some minutes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack bench network
  knack bench network --nodes 200 --mode cells --crowd 5000 --out cells-200
  knack bench network --nodes 400 --connections 10
  knack bench network --nodes 50 --mode cells --hostile withhold

Exit code 3: somebody was not found who should have been.")]
pub struct Args {
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 24)]
    nodes: usize,

    /// How much each node keeps
    #[arg(long, value_name = "MODE", value_enum, default_value = "full")]
    mode: Mode,

    /// Over what they talk
    #[arg(long, value_name = "TRANSPORT", value_enum, default_value = "tcp")]
    transport: Transport,

    /// Queries of each kind
    #[arg(long, value_name = "N", default_value_t = 20)]
    queries: usize,

    /// People with one and the same skill, whom a few nodes publish
    #[arg(long, value_name = "N", default_value_t = 0)]
    crowd: usize,

    /// Who is hostile; recall and cost are measured before they begin, and after
    ///
    /// Over QUIC each node then has a subnet of loopback of its own (of 127.0.0.0/8, which Linux has), so that limits by address count.
    #[arg(long, value_name = "WHO", value_enum, conflicts_with = "crowd")]
    hostile: Option<Hostile>,

    /// Connections of its own that each node keeps at most, to fit more nodes in
    #[arg(long, value_name = "N")]
    connections: Option<usize>,

    /// For how long the network is left alone, to see what it takes then
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = crate::cli::duration_ms)]
    idle: u64,

    /// Decides who has which skills, and what is asked
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,

    /// A folder for the report, which must be new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Args {
    pub async fn run(self, screen: &Screen) -> Outcome {
        let folder = self.out.map(Folder::new).transpose()?;
        let settings = Settings {
            nodes: self.nodes,
            mode: self.mode,
            transport: self.transport,
            seed: self.seed,
            queries: self.queries,
            crowd: self.crowd,
            hostile: self.hostile,
            connections: self.connections,
            idle_ms: self.idle,
        };
        let report = run(&settings, &|step| screen.say(&format!("- {step}"))).await?;
        if let Some(folder) = &folder {
            let path = folder.path().join("report.json");
            let json = serde_json::to_string_pretty(&report).unwrap_or_default();
            fs::write(&path, json + "\n").map_err(|e| {
                let message = format!("{}: {e}", path.display());
                Refusal::new(Exit::Failed, message, "free some space, and run it again")
            })?;
        }
        screen.show(&report, || print(&report));
        let faults = report.faults();
        if faults.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        Err(Refusal::new(
            Exit::NotVerified,
            faults.join("; "),
            "fewer nodes with --nodes, or a machine that has less to do",
        ))
    }
}

fn print(report: &Report) {
    let mut table = table(["WHAT", "MEASURED"]);
    for [what, value] in rows(report) {
        table.add_row([what, value]);
    }
    data!("{table}");
    data!("{}", conditions(report));
}

/// On what machine, so that nobody takes the figures for those of another.
fn conditions(report: &Report) -> String {
    let memory = report.memory.total_bytes.map_or("?".into(), |b| format!("{:.0}", b as f64 / MIB / 1024.0));
    let load = report.memory.load.map_or("?".into(), |load| format!("{load:.1}"));
    let cores = report.machine.cores.map_or("?".into(), |cores| cores.to_string());
    let build = if report.program.debug_build { "a build without optimisation" } else { "a release build" };
    let hour = match report.days_overlap {
        true => " It was the last hour of a day (UTC), in which everything is placed twice.",
        false => "",
    };
    format!(
        "All nodes shared one process ({build}) on one machine: {} {}, {cores} cores, {memory} GiB, a load of {load} before the \
         first node. Its loopback has no length, so times show work and waiting, not distance. The clocks are one.{hour}",
        report.machine.os, report.machine.arch,
    )
}

fn rows(report: &Report) -> Vec<[String; 2]> {
    let mut rows = Vec::new();
    let mut row = |what: &str, value: String| rows.push([what.to_owned(), value]);
    let (settings, start, idle) = (&report.settings, &report.start, &report.idle);
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    row("nodes, mode", format!("{}, {}", settings.nodes, settings.mode.name()));
    row("converged after", format!("{:.1} s", start.converged_seconds));
    row(
        "connected nodes of each",
        format!("{:.1} ({:.0} to {:.0})", start.connected, start.connected_least, start.connected_most),
    );
    row("descriptors", or_unknown(start.descriptors.map(|count| count.to_string())));
    let each = idle.resident_bytes_each.map(|bytes| format!("{:.2} MiB", bytes / MIB));
    row("memory of a node, left alone", or_unknown(each));
    let cpu = idle.cpu_percent_each.map(|percent| format!("{percent:.2} % of a core"));
    row("processor time of a node, left alone", or_unknown(cpu));
    let publishing = &report.publishing;
    row("publication to found", spread(publishing.discoverable_ms.as_ref(), "ms"));
    row("publications missed", publishing.missed.to_string());
    row("people kept by too few nodes", publishing.under_replicated.to_string());
    row("hops of a summary by gossip", spread(publishing.hops.as_ref(), ""));
    deed(&mut row, "publication", &publishing.each);
    for asked in &report.queries {
        row(&format!("{} ({} queries)", asked.question.name(), asked.queries), found(asked));
    }
    let mean = |of: &dyn Fn(&Asked) -> f64| {
        report.queries.iter().map(of).sum::<f64>() / report.queries.len().max(1) as f64
    };
    row("nodes asked by a query", format!("{:.1}", mean(&|asked| asked.asked)));
    row("presentations of a query", format!("{:.1}", mean(&|asked| asked.presented)));
    deed(&mut row, "query", &report.per_query);
    if let Some(crowd) = &report.crowd {
        let found: Vec<String> = crowd.found.iter().map(ToString::to_string).collect();
        let seconds: Vec<String> = crowd.seconds.iter().map(|s| format!("{s:.1}")).collect();
        row(&format!("all {} with one skill", crowd.people), format!("found {}", found.join(", ")));
        row("time of such a search", format!("{} s", seconds.join(", ")));
        row("it receives", format!("{:.0} messages, {:.0} kB", crowd.messages, crowd.bytes / 1000.0));
    }
    if let Some(attacked) = &report.hostile {
        under_attack(&mut row, attacked);
    }
    let peak = report.peak_bytes.map(|bytes| format!("{:.0} MiB", bytes as f64 / MIB));
    row("memory of all, at most", or_unknown(peak));
    let cpu = report.cpu_seconds.map_or("?".into(), |cpu| format!("{cpu:.0} s of processors"));
    row("whole run", format!("{:.0} s, {cpu}", report.seconds));
    rows
}

/// What came of an attack.
fn under_attack(row: &mut impl FnMut(&str, String), attacked: &Attacked) {
    row("hostile nodes", attacked.nodes.to_string());
    if attacked.invented > 0 {
        row("people invented", format!("{} in {:.0} s", attacked.invented, attacked.flood_seconds));
        row("of them a node took in", format!("{:.1}", attacked.taken_in));
    }
    let under =
        |asked: &Asked| format!("under attack: {} ({} queries)", asked.question.name(), asked.queries);
    let before = &attacked.everybody_before;
    row(&format!("before: {} ({} queries)", before.question.name(), before.queries), found(before));
    deed(row, "query for everybody, before", &attacked.per_everybody_before);
    row("under attack: people kept by too few nodes", attacked.under_replicated.to_string());
    row(&under(&attacked.everybody), found(&attacked.everybody));
    deed(row, "query for everybody, under attack", &attacked.per_everybody);
    for asked in &attacked.queries {
        row(&under(asked), found(asked));
    }
    deed(row, "query under attack", &attacked.per_query);
}

fn found(asked: &Asked) -> String {
    let recall = asked.recall.map_or("nobody to find".into(), |recall| format!("recall {recall:.4}"));
    format!("{recall} of {:.1}; {}", asked.relevant, spread(asked.ms.as_ref(), "ms"))
}

fn deed(row: &mut impl FnMut(&str, String), name: &str, each: &PerDeed) {
    let listed = |of: &std::collections::BTreeMap<&'static str, f64>| {
        let kinds: Vec<String> = of.iter().map(|(kind, count)| format!("{kind} {count:.1}")).collect();
        kinds.join(", ")
    };
    row(&format!("messages of a {name}"), listed(&each.messages));
    row(&format!("bytes of a {name}"), listed(&each.bytes));
    row(&format!("look-up requests of a {name}"), format!("{:.1}", each.look_up_requests));
    let all = each.loopback_bytes.map_or("?".into(), |bytes| format!("{:.1} kB", bytes / 1000.0));
    row(&format!("bytes of a {name} on the wire, all in"), all);
}

fn spread(spread: Option<&Spread>, unit: &str) -> String {
    spread.map_or("-".to_owned(), |s| {
        let digits = if unit == "ms" { 0 } else { 2 };
        let text = format!("p50 {:.digits$} {unit}, p99 {:.digits$} {unit}", s.p50, s.p99);
        format!("{}, most {:.digits$} {unit}", text, s.most).replace(" ,", ",").trim_end().to_owned()
    })
}
