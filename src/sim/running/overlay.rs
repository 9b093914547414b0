//! The overlay: look-ups of a hash table, for up to millions of nodes.

use knackmesh_simulations::{
    overlay::{End, Messages, Record as LookUp, Run, Unfit},
    plan::Overlay,
};

use super::{Engine, hex, seconds};
use crate::sim::{
    record::{Ending, IntervalLine, LoadLine, LookUpLine, MessageLine, Record},
    statistics::{quantile, sorted},
};

/// About so many intervals are in a time series.
const INTERVALS: u64 = 120;
/// How long an interval may be, in milliseconds.
const INTERVALS_MS: [u64; 15] = [
    100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
    86_400_000,
];

/// The engine, unless its settings are unfit, which a plan's never are.
struct Running {
    run: Result<Run, Unfit>,
    /// Length of an interval of the time series, in milliseconds.
    every_ms: u64,
    /// What had been sent by the end of each interval.
    sent: Vec<Messages>,
}

pub(super) fn engine(file: &Overlay, seed: u64) -> impl Engine {
    let wanted = file.duration.0 / INTERVALS;
    let longest = INTERVALS_MS[INTERVALS_MS.len() - 1];
    let every_ms = INTERVALS_MS.into_iter().find(|ms| *ms >= wanted).unwrap_or(longest);
    Running { run: Run::new(&file.engine(), seed), every_ms, sent: Vec::new() }
}

impl Engine for Running {
    fn is_over(&self) -> bool {
        self.run.as_ref().is_ok_and(Run::is_over)
    }

    fn now_ms(&self) -> u64 {
        self.run.as_ref().map_or(0, Run::now_ms)
    }

    fn events(&self) -> u64 {
        self.run.as_ref().map_or(0, Run::events)
    }

    /// A size is in events.
    fn part(&mut self, size: u64) -> Result<(), Ending> {
        let run = match &mut self.run {
            Ok(run) => run,
            Err(unfit) => {
                let detail = unfit.to_string();
                return Err(Ending::Violation { check: "settings".into(), at_ms: 0, detail });
            }
        };
        let end = run.events().saturating_add(size);
        while run.events() < end {
            let interval_ends_ms = (self.sent.len() as u64 + 1).saturating_mul(self.every_ms);
            let left = end - run.events();
            if run.step(interval_ends_ms, left) {
                return Ok(());
            }
            if run.events() == end {
                break;
            }
            // All of the interval has happened; the next event, which must come, may be several intervals away.
            let (events, sent) = (run.events(), run.messages());
            self.sent.push(sent);
            let is_over = run.step(u64::MAX, 1);
            if !is_over && run.events() == events {
                let detail = "nothing is to come and look-ups are open".to_owned();
                return Err(Ending::Violation { check: "ends".into(), at_ms: run.now_ms(), detail });
            }
            while (self.sent.len() as u64 + 1).saturating_mul(self.every_ms) < run.now_ms() {
                self.sent.push(sent);
            }
        }
        Ok(())
    }

    fn tables(&self, record: &mut Record) {
        let Ok(run) = &self.run else { return };
        let outcome = run.outcome();
        record.manifest.nodes = outcome.nodes;
        record.manifest.attackers = run.attackers();
        record.look_ups = outcome.records.iter().map(look_up_line).collect();
        let messages = outcome.messages;
        let sent = self.sent.iter().copied().chain([messages]).collect::<Vec<_>>();
        record.intervals = intervals(&outcome.records, &sent, self.every_ms, outcome.now_ms);
        let line = |kind: &str, sent, sent_bytes| MessageLine {
            kind: kind.to_owned(),
            sent,
            sent_bytes,
            received: None,
            received_bytes: None,
        };
        record.messages = vec![
            line("request", messages.requests, messages.request_bytes()),
            line("response", messages.responses, messages.response_bytes()),
        ];
        let load = (0..).zip(outcome.handled.iter().zip(&outcome.handled_bytes));
        record.load = load
            .map(|(node, (handled, bytes))| LoadLine {
                node,
                messages: u64::from(*handled),
                bytes: Some(*bytes),
            })
            .collect();
    }

    fn trace_hash(&self) -> String {
        self.run.as_ref().map_or(String::new(), |run| hex(&run.outcome().trace_hash))
    }
}

/// The time series: of each interval what began, ended and was sent in it, by what had been sent by its end. The last one ends
/// with the run.
fn intervals(look_ups: &[LookUp], sent: &[Messages], every_ms: u64, now_ms: u64) -> Vec<IntervalLine> {
    let mut taken: Vec<Vec<f64>> = vec![Vec::new(); sent.len()];
    let mut before = Messages::default();
    let mut lines = Vec::with_capacity(sent.len());
    for (at, sent) in (0..).zip(sent) {
        let (begin_ms, end_ms) = (at * every_ms, ((at + 1) * every_ms).min(now_ms));
        let bytes = |messages: &Messages| messages.request_bytes() + messages.response_bytes();
        lines.push(IntervalLine {
            at_s: seconds(end_ms),
            lasts_s: seconds(end_ms.saturating_sub(begin_ms)),
            begun: 0,
            found: 0,
            missed: 0,
            abandoned: 0,
            found_share: None,
            latency_mean_ms: None,
            latency_p95_ms: None,
            messages: sent.total() - before.total(),
            bytes: bytes(sent) - bytes(&before),
        });
        before = *sent;
    }
    // An event at the very end of an interval belongs to it.
    let of = |ms: u64| usize::try_from(ms.saturating_sub(1) / every_ms).unwrap_or(usize::MAX);
    for look_up in look_ups {
        if let Some(line) = lines.get_mut(of(look_up.began_ms)) {
            line.begun += 1;
        }
        let ended = of(look_up.began_ms + u64::from(look_up.latency_ms));
        let Some(line) = lines.get_mut(ended) else { continue };
        match look_up.end {
            End::Open => {}
            End::Found => line.found += 1,
            End::Missed => line.missed += 1,
            End::Abandoned => line.abandoned += 1,
        }
        if matches!(look_up.end, End::Found | End::Missed) {
            taken[ended].push(f64::from(look_up.latency_ms));
        }
    }
    for (line, taken) in lines.iter_mut().zip(taken) {
        let count = taken.len() as f64;
        if count > 0.0 {
            line.found_share = Some(line.found as f64 / count);
            line.latency_mean_ms = Some(taken.iter().sum::<f64>() / count);
            line.latency_p95_ms = quantile(&sorted(taken), 0.95);
        }
    }
    lines
}

fn look_up_line(look_up: &LookUp) -> LookUpLine {
    let outcome = match look_up.end {
        End::Open => "open",
        End::Found => "found",
        End::Missed => "missed",
        End::Abandoned => "abandoned",
    };
    LookUpLine {
        began_s: seconds(look_up.began_ms),
        latency_ms: look_up.latency_ms,
        from: look_up.from,
        target: look_up.target,
        requests: look_up.requests,
        timeouts: look_up.timeouts,
        hops: look_up.hops,
        outcome: outcome.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(began_ms: u64, latency_ms: u32, end: End) -> LookUp {
        LookUp { began_ms, latency_ms, end, ..LookUp::default() }
    }

    #[test]
    fn an_interval_has_what_happened_in_it_and_no_more() {
        let look_ups = [
            look_up(0, 300, End::Found),
            look_up(1000, 500, End::Found),
            look_up(1200, 100, End::Missed),
            look_up(1999, 1, End::Abandoned),
            look_up(2400, 0, End::Open),
        ];
        let sent = [3, 3, 10].map(|requests| Messages { requests, ..Messages::default() });
        let lines = intervals(&look_ups, &sent, 1000, 2500);
        let counts: Vec<_> =
            lines.iter().map(|line| [line.begun, line.found, line.missed, line.abandoned]).collect();
        // What begins at the end of an interval is the last of it.
        assert_eq!(counts, [[2, 1, 0, 0], [2, 1, 1, 1], [1, 0, 0, 0]]);
        assert_eq!(lines.iter().map(|line| line.messages).collect::<Vec<_>>(), [3, 0, 7]);
        assert_eq!(lines[2].bytes, 7 * 40);
        assert_eq!((lines[1].found_share, lines[1].latency_mean_ms), (Some(0.5), Some(300.0)));
        assert_eq!((lines[2].found_share, lines[2].latency_p95_ms), (None, None));
        assert_eq!((lines[2].at_s, lines[2].lasts_s), (2.5, 0.5));
    }
}
