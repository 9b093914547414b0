//! From the grammar to the world's own scenario.

use std::collections::BTreeSet;

use knackmesh_protocol::{
    limits::CELL_NODES_MAX,
    message,
    peer::Keeping,
    vocabulary::{Resolution, Vocabulary},
};

use super::{
    file::Lifetime,
    full::{self, Amount, Full, Gossip, Graph, Latency, Matrix, Regions, Regular, Replica, Uniform},
};
use crate::{
    access::{Line, Nat},
    attacks::Attack,
    churn::{Churn, Renewal},
    latency,
    mesh::{self, Mesh},
    scenario::{Crowd, Occupation, START, Scenario},
    streams::entry,
};

use super::units::{Duration, Share};

/// The world of a file and a seed.
pub(super) fn scenario(file: &Full, seed: u64) -> Scenario {
    let Full { population, network, .. } = file;
    let regions = match &network.latency {
        Latency::Line(line) => line.regions,
        Latency::Uniform(_) | Latency::Regions(_) | Latency::Matrix(_) | Latency::Gml(_) => 1,
    };
    let mut scenario = Scenario {
        seed,
        start: START,
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
        hostile_groups: file.aims.subnets,
        sybils_a_half: file.aims.sybils_a_half.map_or(CELL_NODES_MAX, |count| count as usize),
        sybils_apart: file.aims.sybils_apart,
        sybils_beside: file.aims.sybils_beside.map_or(0, |count| count as usize),
        skills: population.skills as usize,
        zipf_thousandths: population.zipf.0,
        levels_permille: population.levels.map(|levels| levels.map(permille)),
        occupations: occupations(&population.occupations),
        ask_every: population.ask_every,
        degree: network.degree as usize,
        gossip: match network.gossip {
            Gossip::Flood => mesh::Gossip::Flood,
            Gossip::Mesh => mesh::Gossip::Mesh(mesh(&network.mesh)),
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
        keeping: keeping(&file.keeping),
        late: BTreeSet::new(),
    };
    // Which nodes are meant is drawn as the agenda draws it.
    for (n, arrival) in file.arrivals.iter().enumerate() {
        let nodes = arrival.who.nodes(&scenario, &mut entry(seed, "arrivals", n));
        scenario.late.extend(nodes);
    }
    scenario
}

/// Names that mean no skill were refused before.
fn occupations(occupations: &[full::Occupation]) -> Vec<Occupation> {
    if occupations.is_empty() {
        return Vec::new();
    }
    let vocabulary = Vocabulary::embedded();
    let skill = |word: &String| match vocabulary.exact(word) {
        Some(Resolution::Unique(skill)) => Some(skill),
        _ => None,
    };
    let occupation = |occupation: &full::Occupation| Occupation {
        share_permille: permille(occupation.share),
        skills: occupation.skills.iter().filter_map(skill).collect(),
    };
    occupations.iter().map(occupation).collect()
}

fn mesh(mesh: &full::Mesh) -> Mesh {
    Mesh {
        degree: mesh.degree as usize,
        low: mesh.low as usize,
        high: mesh.high as usize,
        outbound: mesh.outbound as usize,
        lazy: mesh.lazy as usize,
        lazy_permille: permille(mesh.lazy_share) as usize,
        heartbeat_ms: mesh.heartbeat.0,
        told: mesh.told.into(),
        kept: mesh.kept.into(),
        backoff_ms: mesh.backoff.0,
        flood_publish: mesh.flood_publish,
        unwanted_above: mesh.unwanted_above as usize,
    }
}

fn churn(file: &Full) -> Churn {
    let Some(churn) = &file.churn else { return Churn::None };
    let crash_permille = permille(churn.crashes);
    if let Some(trace) = &churn.trace {
        let stays = trace.content().0.iter().map(|(_, stay)| *stay).collect();
        return Churn::Trace { stays, crash_permille };
    }
    let usual = Renewal::default();
    Churn::Renewal(Renewal {
        session: churn.session.map_or(usual.session, Lifetime::in_ms),
        gap: churn.gap.map_or(usual.gap, Lifetime::in_ms),
        churning_permille: churn.share.map_or(usual.churning_permille, permille),
        crash_permille,
        from_ms: churn.from.map_or(usual.from_ms, |from| from.0),
    })
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
        Latency::Matrix(Matrix { file, jitter: most, .. }) | Latency::Gml(Graph { file, jitter: most }) => {
            latency::Latency::Matrix { distances: file.content().clone(), jitter_ms: jitter(*most) }
        }
    }
}

fn permille(share: Share) -> u32 {
    share.0 / 1000
}

/// The name of an attack in a file.
pub(super) fn attack_name(attack: Attack) -> String {
    toml::Value::try_from(attack).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn keeping(file: &full::Keeping) -> Keeping {
    Keeping {
        replica: match file.replica {
            Replica::Auto => None,
            Replica::Full => Some(message::Replica::Full),
            Replica::Cells => Some(message::Replica::Cells),
            Replica::None => Some(message::Replica::None),
        },
        summaries_max: file.summaries as usize,
        split_above: file.split_above as usize,
        merge_below: file.merge_below as usize,
    }
}
