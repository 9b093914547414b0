//! The full fidelity: whole peers.

use knackmesh_protocol::time::Timestamp;
use knackmesh_simulations::{
    plan::Full,
    run::{Learning, Observed, QueryRow, Row, Run, Scraped, Spread},
    traffic::Kind,
};

use super::{Engine, hex, seconds};
use crate::sim::record::{Ending, LoadLine, MessageLine, Orders, QueryLine, Record, SpreadLine, TimeLine};

pub(super) fn engine(file: &Full, seed: u64) -> impl Engine {
    Run::new(file, seed)
}

impl Engine for Run {
    fn is_over(&self) -> bool {
        Run::is_over(self)
    }

    fn now_ms(&self) -> u64 {
        Run::now_ms(self)
    }

    fn events(&self) -> u64 {
        self.world().events()
    }

    /// A size is in milliseconds.
    fn part(&mut self, size: u64) -> Result<(), Ending> {
        let until = Run::now_ms(self).saturating_add(size);
        self.advance(until).map_err(Ending::from)
    }

    fn tables(&self, record: &mut Record) {
        let world = self.world();
        let nodes = world.scenario.nodes();
        record.manifest.nodes = nodes;
        let attackers = (0..nodes).filter(|node| !world.node(*node).is_honest()).count();
        record.manifest.attackers = u32::try_from(attackers).unwrap_or(u32::MAX);
        let Observed { publications, withdrawals, undone, .. } = *self.observed();
        record.manifest.orders = Some(Orders { publications, withdrawals, undone });
        record.queries = self.observed().queries.iter().map(query_line).collect();
        record.spreading = self.spread().iter().map(|row| spread_line(row, world.scenario.start)).collect();
        record.timeseries = self.observed().rows.iter().map(time_line).collect();
        let total = world.traffic_total();
        let line = |kind: &Kind| {
            let (sent, received) = (total.sent(*kind), total.received(*kind));
            let line = MessageLine {
                kind: kind.name().to_owned(),
                sent: sent.messages,
                sent_bytes: sent.bytes,
                received: Some(received.messages),
                received_bytes: Some(received.bytes),
            };
            (sent.messages > 0).then_some(line)
        };
        record.messages = Kind::ALL.iter().filter_map(line).collect();
        record.load = (0..nodes)
            .map(|node| {
                let received = world.traffic(node).received_total();
                LoadLine { node, messages: received.messages, bytes: Some(received.bytes) }
            })
            .collect();
    }

    fn trace_hash(&self) -> String {
        hex(&self.world().trace_hash())
    }
}

fn query_line(row: &QueryRow) -> QueryLine {
    QueryLine {
        at_s: seconds(row.at_ms),
        node: row.node,
        query: row.text.clone(),
        outcome: row.asked.name().to_owned(),
        latency_ms: row.elapsed_ms,
        relevant: row.relevant,
        found: row.found,
        hits: row.hits,
        recall: row.recall(),
        withheld: row.withheld,
        presented: row.presented,
        refused: row.refused,
        asked: row.asked_nodes,
        answered: row.answered_nodes,
    }
}

fn spread_line(row: &Spread, start: Timestamp) -> SpreadLine {
    SpreadLine {
        what: row.what.name().to_owned(),
        node: row.node,
        observer: row.observer,
        since_s: seconds(row.since.since_ms(start)),
        after_s: row.known.map(|known| seconds(known.since_ms(row.since))),
    }
}

fn time_line(row: &Row) -> TimeLine {
    let scraped = |of: fn(&Scraped) -> Learning, what: fn(Learning) -> u32| {
        let scraped = row.scraped.as_ref()?;
        let all = what(scraped.published);
        (all > 0).then(|| f64::from(what(of(scraped))) / f64::from(all))
    };
    TimeLine {
        at_s: seconds(row.at_ms),
        running: row.running,
        published: row.published,
        coverage: row.coverage,
        stale: row.stale,
        events: row.events,
        messages: row.messages,
        bytes: row.bytes,
        people_ever: row.scraped.map(|scraped| scraped.published.people),
        claims_ever: row.scraped.map(|scraped| scraped.published.claims),
        scraped_people: scraped(|scraped| scraped.by_either, |learnt| learnt.people),
        scraped_claims: scraped(|scraped| scraped.by_either, |learnt| learnt.claims),
        scraped_people_asking: scraped(|scraped| scraped.by_queries, |learnt| learnt.people),
        scraped_claims_asking: scraped(|scraped| scraped.by_queries, |learnt| learnt.claims),
        scraped_people_gossip: scraped(|scraped| scraped.by_replication, |learnt| learnt.people),
        scraped_claims_gossip: scraped(|scraped| scraped.by_replication, |learnt| learnt.claims),
    }
}
