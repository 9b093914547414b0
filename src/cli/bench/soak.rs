//! `knack bench soak`.

use std::{process::ExitCode, time::Duration};

use super::{Outcome, Screen};
use crate::{
    bench::network::{
        Mode, Settings, Transport,
        soak::{Soak, run},
    },
    cli::screen::table,
    control::{Exit, Refusal},
};

/// A network that lives on: nodes stop and start, people search; in the end nobody may be lost and memory must be flat
///
/// The time begins when all have joined and published; a closing look at what every node holds comes after it. Memory is that of
/// the whole process: what it was in the second quarter of the time, against the last quarter.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack bench soak --minutes 2 --nodes 16
  knack bench soak --minutes 30 --nodes 100 --mode cells

Exit code 3: summaries were lost, people not found, or memory has grown.")]
pub struct Args {
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 24)]
    nodes: usize,

    /// For how long nodes come and go
    #[arg(long, value_name = "N", default_value_t = 30)]
    minutes: u64,

    /// How much each node keeps
    #[arg(long, value_name = "MODE", value_enum, default_value = "full")]
    mode: Mode,

    /// Decides who has which skills, who comes and goes, and what is asked
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
}

impl Args {
    pub async fn run(self, screen: &Screen) -> Outcome {
        if self.nodes < 4 || self.minutes == 0 {
            let message = "a soak has four nodes at least, and takes a minute at least";
            return Err(Refusal::new(Exit::Usage, message, "name more with --nodes and --minutes"));
        }
        let settings = Settings {
            nodes: self.nodes,
            mode: self.mode,
            transport: Transport::Tcp,
            seed: self.seed,
            queries: 0,
            crowd: 0,
            hostile: None,
            connections: None,
            idle_ms: 0,
        };
        let time = Duration::from_secs(60 * self.minutes);
        let soak = run(&settings, time, &|step| screen.say(&format!("- {step}"))).await?;
        screen.show(&soak, || print(&soak));
        let faults = soak.faults();
        if faults.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let hint = "run it again on a machine that has less to do; RUST_LOG=info shows what nodes say";
        Err(Refusal::new(Exit::NotVerified, faults.join("; "), hint))
    }
}

fn print(soak: &Soak) {
    let mut table = table(["WHAT", "SEEN"]);
    let mib =
        |bytes: Option<f64>| bytes.map_or("?".into(), |bytes| format!("{:.0}", bytes / 1024.0 / 1024.0));
    let growth = soak.growth().map_or("?".into(), |growth| format!("{:+.1}", 100.0 * growth));
    let rows = [
        ("nodes, mode, time", {
            format!("{}, {}, {:.0} s", soak.settings.nodes, soak.settings.mode.name(), soak.lived_seconds)
        }),
        ("all in", format!("{:.0} s", soak.seconds)),
        ("nodes stopped and started", format!("{} and {} times", soak.stops, soak.starts)),
        ("queries, people sought", format!("{}, {}", soak.queries, soak.sought)),
        ("of them not found", soak.unfound.to_string()),
        ("summaries lost in the end", soak.lost.to_string()),
        ("memory", {
            let (before, after) = (mib(soak.resident_bytes_before), mib(soak.resident_bytes_after));
            format!("{before} MiB, then {after} MiB: {growth} %, at most {:.0} %", 100.0 * soak.growth_max)
        }),
    ];
    for (what, seen) in rows {
        table.add_row([what.to_owned(), seen]);
    }
    data!("{table}");
}
