//! Nodes that come and go: by themselves, as the scenario's churn says, or because they are told to.

use crate::{
    checks::Violation,
    churn::{Churn, Renewal},
    network::Seen,
    queue::Event,
    streams::below,
    world::World,
};

/// More nodes than these start at shorter intervals.
const TOGETHER: u64 = 10_000;

impl World {
    /// Schedules the first start of every node that starts by itself, one after the other, and what a trace says.
    pub(crate) fn expect_everybody(&mut self, apart_ms: u64) {
        let mut by_itself: Vec<bool> =
            (0..self.scenario.nodes()).map(|number| !self.scenario.late.contains(&number)).collect();
        if let Churn::Trace { stays, crash_permille } = &self.scenario.churn {
            for stay in stays {
                if let Some(starts) = by_itself.get_mut(stay.node as usize) {
                    *starts = false;
                    self.queue.push(self.at(stay.start_ms), Event::Start(stay.node));
                    let drawn = below(&mut self.nodes[stay.node as usize].churn, 1000);
                    let stop = Event::Stop { node: stay.node, crash: drawn < *crash_permille };
                    self.queue.push(self.at(stay.stop_ms.max(stay.start_ms)), stop);
                }
            }
        }
        // However many there are, all are there after some time.
        let all = u64::from(self.scenario.nodes()).max(1);
        let together = all.min(TOGETHER);
        for (number, _) in (0_u32..).zip(by_itself).filter(|(_, starts)| *starts) {
            let at = self.at(u64::from(number) * apart_ms * together / all);
            self.queue.push(at, Event::Start(number));
            if let Some(renewal) = self.renewal() {
                let (from, node) = (self.at(renewal.from_ms), &mut self.nodes[number as usize]);
                if node.is_honest() && renewal.concerns(&mut node.churn) {
                    let begins = at.max(from);
                    let ends = begins.plus_ms(renewal.session.draw(&mut node.churn));
                    self.queue.push(ends, Event::Depart(number));
                }
            }
        }
    }

    pub(crate) fn arrive(&mut self, number: u32) -> Result<(), Violation> {
        if let Some(renewal) = self.renewal() {
            let stays = renewal.session.draw(&mut self.nodes[number as usize].churn);
            self.queue.push(self.now.plus_ms(stays), Event::Depart(number));
        }
        self.begin(number)
    }

    pub(crate) fn depart(&mut self, number: u32) -> Result<(), Violation> {
        let Some(renewal) = self.renewal() else { return Ok(()) };
        let node = &mut self.nodes[number as usize];
        let crashes = renewal.crashes(&mut node.churn);
        let away = renewal.gap.draw(&mut node.churn);
        self.queue.push(self.now.plus_ms(away), Event::Arrive(number));
        self.go(number, if crashes { Seen::Silence } else { Seen::Goodbye })
    }

    pub(crate) fn go(&mut self, number: u32, seen: Seen) -> Result<(), Violation> {
        if !self.runs(number) {
            return Ok(());
        }
        self.departures += 1;
        self.nodes[number as usize].stop();
        self.network.sightings.forget(number);
        self.leave_network(number, seen)
    }

    fn renewal(&self) -> Option<Renewal> {
        match self.scenario.churn {
            Churn::Renewal(renewal) => Some(renewal),
            Churn::None | Churn::Trace { .. } => None,
        }
    }
}
