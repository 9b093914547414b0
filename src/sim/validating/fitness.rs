//! What real nodes on one machine can do of what a plan may say.

use knackmesh_simulations::{
    latency::Latency,
    mesh::Gossip,
    overlay::{self, Bootstrap, Manner},
    plan::{File, Full},
};

use super::measured::SETTLED_MS;

/// Nodes of which each can keep connections with all others, half of them dialled by itself; some pairs dial each other twice.
const CONNECTED_MAX: u32 = 2 * knackmesh_protocol::limits::PEERS_HIGH as u32 - 8;
/// Real nodes that two cores carry without being late.
const NODES_MAX: u32 = 100;

/// Why real nodes cannot carry a plan out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("real nodes cannot do this: {0}")]
pub struct Unfit(String);

/// Refuses what real nodes on one machine cannot do.
pub fn check(file: &File) -> Result<(), Unfit> {
    match file {
        File::Full(file) => people(file),
        File::Overlay(file) => look_ups(&file.engine()),
    }
    .map_or(Ok(()), |what| Err(Unfit(what)))
}

fn people(file: &Full) -> Option<String> {
    let scenario = file.scenario(1);
    let lines_keep_order = match &scenario.latency {
        Latency::Line { jitter_ms, .. }
        | Latency::Regions { jitter_ms, .. }
        | Latency::Matrix { jitter_ms, .. } => *jitter_ms == 0,
        Latency::Uniform { least_ms, most_ms } => least_ms == most_ms,
    };
    let first = file.publications.iter().map(|p| p.at.or(p.from).unwrap_or_default().0);
    let first = first.chain(file.withdrawals.iter().map(|w| w.at.or(w.from).unwrap_or_default().0));
    let first = first.chain(file.queries.iter().map(|q| q.at.or(q.from).unwrap_or_default().0)).min();
    let wrong = [
        (scenario.nodes() > NODES_MAX, "more than 100 nodes"),
        (!file.adversaries.is_empty(), "adversaries"),
        (file.churn.is_some() || !file.arrivals.is_empty() || !file.outages.is_empty(), "coming and going"),
        (!file.partitions.is_empty(), "partitions"),
        (scenario.nat.behind_permille > 0 || !scenario.lines.is_empty(), "NAT, and lines of a bandwidth"),
        (scenario.loss_permille > 0 || scenario.dial_failing_permille > 0, "loss, and dials that fail"),
        (scenario.gossip == Gossip::Flood, "gossip that floods"),
        (!lines_keep_order, "jitter, since a connection keeps its order"),
        (first.is_some_and(|first| first < SETTLED_MS), "deeds before the network has settled, at 15 s"),
    ];
    wrong.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, what)| what.to_owned())
}

fn look_ups(settings: &overlay::Settings) -> Option<String> {
    let of_one_length =
        matches!(settings.latency, overlay::Latency::Uniform { min_ms, max_ms } if min_ms == max_ms);
    let wrong = [
        (settings.nodes > CONNECTED_MAX, "more nodes than can all be connected with each other"),
        (
            settings.manner != Manner::Libp2p || settings.paths > 1,
            "look-ups in another manner than libp2p's, or on disjoint paths",
        ),
        (settings.bootstrap != Bootstrap::Complete, "tables that are not complete"),
        (settings.churn.is_some() || settings.offline_permille > 0, "coming and going"),
        (settings.attack.is_some(), "attackers"),
        (settings.loss_permille > 0, "loss"),
        (!of_one_length, "latencies that differ from message to message"),
    ];
    wrong.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, what)| what.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use knackmesh_simulations::plan::Shipped;

    use super::*;

    #[test]
    fn the_scenarios_for_it_can_be_validated_and_others_say_why_not() {
        let refused = |name: &str, settings: &[&str]| {
            let settings: Vec<_> = settings.iter().map(|text| text.parse().unwrap()).collect();
            check(&Shipped::named(name).unwrap().plan(&settings).unwrap().file).err().map(|unfit| unfit.0)
        };
        assert_eq!(refused("validation", &[]), None);
        assert_eq!(refused("validation-look-ups", &[]), None);
        for (name, setting, why) in [
            ("validation", "population.professionals=200", "more than 100 nodes"),
            ("validation", "network.loss=1 %", "loss"),
            ("validation", "network.latency.line.jitter=5 ms", "jitter"),
            ("validation", "publications.0.at=1 s", "settled"),
            ("validation-look-ups", "population.nodes=60", "connected"),
            ("validation-look-ups", "network.loss=1 %", "loss"),
            ("validation-look-ups", "network.latency.uniform.max=130 ms", "differ"),
        ] {
            let said = refused(name, &[setting]).unwrap_or_default();
            assert!(said.contains(why), "{name} {setting}: {said}");
        }
        assert!(refused("churn", &[]).is_some() && refused("kademlia-lookups", &[]).is_some());
    }
}
