//! From the grammar to the world's own scenario.

use std::collections::BTreeSet;

use super::full::{Amount, Full, Gossip, Latency, Regions, Regular, Uniform};
use crate::{
    access::{Line, Nat},
    attacks::Attack,
    churn::{Churn, Renewal},
    latency,
    mesh::{self, Mesh},
    scenario::{Crowd, Scenario},
    streams::entry,
};

use super::units::{Duration, Share};

/// The world of a file and a seed.
pub(super) fn scenario(file: &Full, seed: u64) -> Scenario {
    let Full { population, network, .. } = file;
    let regions = match &network.latency {
        Latency::Line(line) => line.regions,
        Latency::Uniform(_) | Latency::Regions(_) => 1,
    };
    let mut scenario = Scenario {
        seed,
        employers: population.employers,
        professionals: population.professionals,
        issuers: population.issuers,
        attacks: Vec::new(),
        crowds: file
            .adversaries
            .iter()
            .map(|(attack, amount)| match amount {
                Amount::Number(number) => Crowd::Count(*attack, *number),
                Amount::Share(share) => Crowd::Permille(*attack, permille(*share)),
            })
            .collect(),
        victim: file.aims.victim,
        strike_ms: file.aims.strike.0,
        flood_per_s: file.aims.flood_per_second,
        skills: population.skills as usize,
        ask_every: population.ask_every,
        degree: network.degree as usize,
        gossip: match network.gossip {
            Gossip::Flood => mesh::Gossip::Flood,
            Gossip::Mesh => mesh::Gossip::Mesh(Mesh::default()),
        },
        dial_failing_permille: permille(network.dial_failing),
        dial_timeout_ms: network.dial_timeout.0,
        churn: churn(file),
        nat: Nat { behind_permille: permille(file.nat.behind), punched_permille: permille(file.nat.punched) },
        lines: file
            .lines
            .iter()
            .map(|line| Line {
                share_permille: permille(line.share),
                up_kbit_s: line.up.0,
                down_kbit_s: line.down.0,
            })
            .collect(),
        regions,
        latency: latency(&network.latency),
        loss_permille: permille(network.loss),
        late: BTreeSet::new(),
    };
    // Which nodes are meant is drawn as the agenda draws it.
    for (n, arrival) in file.arrivals.iter().enumerate() {
        let nodes = arrival.who.nodes(&scenario, &mut entry(seed, "arrivals", n));
        scenario.late.extend(nodes);
    }
    scenario
}

fn churn(file: &Full) -> Churn {
    let renewal = file.churn.as_ref().map(|churn| Renewal {
        session: churn.session.in_ms(),
        gap: churn.gap.in_ms(),
        churning_permille: permille(churn.share),
        crash_permille: permille(churn.crashes),
        from_ms: churn.from.0,
    });
    renewal.map_or(Churn::None, Churn::Renewal)
}

fn latency(latency: &Latency) -> latency::Latency {
    let jitter = |jitter: Duration| u32::try_from(jitter.0).unwrap_or(u32::MAX);
    match latency {
        Latency::Line(Regular { near, far, jitter: most, .. }) => {
            latency::Latency::Line { near_ms: near.0, far_ms: far.0, jitter_ms: jitter(*most) }
        }
        Latency::Uniform(Uniform { min, max }) => {
            latency::Latency::Uniform { least_ms: min.0, most_ms: max.0 }
        }
        Latency::Regions(Regions { shares, one_way, jitter: most }) => latency::Latency::Regions {
            shares_permille: shares.iter().map(|share| permille(*share)).collect(),
            one_way_ms: one_way.iter().map(|row| row.iter().map(|cell| cell.0).collect()).collect(),
            jitter_ms: jitter(*most),
        },
    }
}

fn permille(share: Share) -> u32 {
    share.0 / 1000
}

/// The name of an attack in a file.
pub(super) fn attack_name(attack: Attack) -> String {
    toml::Value::try_from(attack).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
