//! The overlay: look-ups of a hash table, for up to millions of nodes.

use knackmesh_simulations::{
    overlay::{End, Record as LookUp, Run, Unfit},
    plan::Overlay,
};

use super::{Engine, hex, seconds};
use crate::sim::record::{Ending, LoadLine, LookUpLine, MessageLine, Record};

/// The engine, unless its settings are unfit, which a plan's never are.
struct Running(Result<Run, Unfit>);

pub(super) fn engine(file: &Overlay, seed: u64) -> impl Engine {
    Running(Run::new(&file.engine(), seed))
}

impl Engine for Running {
    fn is_over(&self) -> bool {
        self.0.as_ref().is_ok_and(Run::is_over)
    }

    fn now_ms(&self) -> u64 {
        self.0.as_ref().map_or(0, Run::now_ms)
    }

    fn events(&self) -> u64 {
        self.0.as_ref().map_or(0, Run::events)
    }

    /// A size is in events.
    fn part(&mut self, size: u64) -> Result<(), Ending> {
        match &mut self.0 {
            Ok(run) => {
                let before = run.events();
                let is_over = run.step(u64::MAX, size);
                if is_over || run.events() > before {
                    return Ok(());
                }
                let (at_ms, detail) = (run.now_ms(), "nothing is to come and look-ups are open".to_owned());
                Err(Ending::Violation { check: "ends".into(), at_ms, detail })
            }
            Err(unfit) => {
                Err(Ending::Violation { check: "settings".into(), at_ms: 0, detail: unfit.to_string() })
            }
        }
    }

    fn tables(&self, record: &mut Record) {
        let Ok(run) = &self.0 else { return };
        let outcome = run.outcome();
        record.manifest.nodes = outcome.nodes;
        record.look_ups = outcome.records.iter().map(look_up_line).collect();
        let messages = outcome.messages;
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
        let load = (0..).zip(&outcome.handled);
        record.load = load
            .map(|(node, handled)| LoadLine { node, messages: u64::from(*handled), bytes: None })
            .collect();
    }

    fn trace_hash(&self) -> String {
        self.0.as_ref().map_or(String::new(), |run| hex(&run.outcome().trace_hash))
    }
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
