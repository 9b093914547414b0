//! The full fidelity: bounds of what is modelled.

mod population;

use knackmesh_protocol::limits::{CELL_SPLIT_ABOVE, SUMMARIES_MAX};

use super::{Refused, Senseless, agenda::Agenda, latency, permille, within};
use crate::plan::{
    file::Lifetime,
    full::{self, Amount, Full, Gossip, Latency, Mesh, Replica},
    lent,
    units::{Duration, Share},
    world,
};

/// Most nodes with a peer each.
const NODES_MAX: u32 = 200_000;
/// Most of them where one may keep everything: then they cost a node times a publication.
const REPLICAS_MAX: u32 = 10_000;
/// Most neighbours in a mesh.
const MESH_MAX: u32 = 1000;
/// Most heartbeats for which a message is kept.
const BEATS_MAX: u32 = 1000;
/// Shortest time between two heartbeats.
const HEARTBEAT_MIN: Duration = Duration(10);
/// Sybils a half that can stay so far apart that nobody suspects them.
const SYBILS_APART_MAX: u32 = 8;
/// Longest time between two heartbeats.
const HEARTBEAT_MAX: Duration = Duration(60_000);

pub(super) fn check(file: &Full) -> Result<(), Refused> {
    if file.duration.0 == 0 {
        return Err(Senseless::new("duration", "nothing happens in no time").into());
    }
    within("population.issuers", file.population.issuers, 1, 1000)?;
    within("population.skills", file.population.skills, 4, 100_000)?;
    within("network.degree", file.network.degree, 1, 100)?;
    within("metrics.recall_at", file.metrics.recall_at, 1, 100)?;
    within("metrics.observers", file.metrics.observers, 0, NODES_MAX)?;
    within("keeping.summaries", file.keeping.summaries, 10, largest(SUMMARIES_MAX))?;
    within("keeping.split_above", file.keeping.split_above, 2, largest(CELL_SPLIT_ABOVE))?;
    within("keeping.merge_below", file.keeping.merge_below, 0, file.keeping.split_above / 2)?;
    if let Some(subnets) = file.aims.subnets {
        within("aims.subnets", subnets, 1, NODES_MAX)?;
    }
    if let Some(count) = file.aims.sybils_a_half {
        within("aims.sybils_a_half", count, 1, NODES_MAX)?;
    }
    if let Some(count) = file.aims.sybils_beside {
        within("aims.sybils_beside", count, 1, NODES_MAX)?;
    }
    if file.aims.sybils_apart {
        within("aims.sybils_a_half", file.aims.sybils_a_half.unwrap_or(NODES_MAX), 1, SYBILS_APART_MAX)?;
    }
    within("aims.flood_per_second", file.aims.flood_per_second, 0, 1000)?;
    for (key, count) in [
        ("population.employers", file.population.employers),
        ("population.professionals", file.population.professionals),
    ] {
        within(key, count, 0, NODES_MAX)?;
    }
    if file.metrics.resolution.0 == 0 || file.metrics.every.0 == 0 {
        return Err(Senseless::new("metrics", "there is no looking all the time; the least is 1 ms").into());
    }
    population::check(file)?;
    network(file)?;
    churn(file)?;
    let mut hostile: u32 = 0;
    for (attack, amount) in &file.adversaries {
        let key = format!("adversaries.{}", world::attack_name(*attack));
        match amount {
            Amount::Number(number) => {
                within(&key, *number, 0, NODES_MAX)?;
                hostile = hostile.saturating_add(*number);
            }
            Amount::Share(share) => permille(key, *share)?,
        }
    }
    let scenario = world::scenario(file, 0);
    let is_partial = matches!(file.keeping.replica, Replica::Cells | Replica::None);
    within("population", scenario.nodes(), 2, if is_partial { NODES_MAX } else { REPLICAS_MAX })?;
    if scenario.victim >= scenario.employers.max(1) {
        let message = format!("there are {} employers, numbered from 0", scenario.employers);
        return Err(Senseless::new("aims.victim", message).into());
    }
    trace(file, scenario.nodes())?;
    Ok(Agenda { file, scenario: &scenario }.check()?)
}

fn largest(bound: usize) -> u32 {
    u32::try_from(bound).unwrap_or(u32::MAX)
}

fn network(file: &Full) -> Result<(), Senseless> {
    let network = &file.network;
    permille("network.loss", network.loss)?;
    permille("network.dial_failing", network.dial_failing)?;
    permille("nat.behind", file.nat.behind)?;
    permille("nat.punched", file.nat.punched)?;
    latency::short("dial_timeout", network.dial_timeout)?;
    mesh(&network.mesh, network.gossip)?;
    match &network.latency {
        Latency::Line(line) => latency::line(line)?,
        Latency::Uniform(uniform) => latency::uniform(uniform)?,
        Latency::Regions(regions) => latency::regions(regions)?,
        Latency::Matrix(matrix) => latency::matrix(matrix)?,
        Latency::Gml(graph) => latency::gml(graph)?,
    }
    for (n, line) in file.lines.iter().enumerate() {
        permille(format!("lines.{n}.share"), line.share)?;
        if line.up.0 == 0 || line.down.0 == 0 {
            return Err(Senseless::new(format!("lines.{n}"), "nothing goes through a line of 0 kbit/s"));
        }
    }
    Ok(())
}

fn churn(file: &Full) -> Result<(), Senseless> {
    let Some(churn) = &file.churn else { return Ok(()) };
    let full::Churn { trace, session, gap, share, crashes, from } = churn;
    permille("churn.share", share.unwrap_or(Share::WHOLE))?;
    permille("churn.crashes", *crashes)?;
    for (key, lifetime) in [("churn.session", session), ("churn.gap", gap)] {
        if let Some(fault) = lifetime.and_then(Lifetime::fault) {
            return Err(Senseless::new(key, fault));
        }
    }
    let by_chance = [
        ("session", session.is_some()),
        ("gap", gap.is_some()),
        ("share", share.is_some()),
        ("from", from.is_some()),
    ];
    if trace.is_some()
        && let Some((key, _)) = by_chance.into_iter().find(|(_, said)| *said)
    {
        let message = "a trace says who comes and goes when: leave one of the two out";
        return Err(Senseless::new(format!("churn.{key}"), message));
    }
    Ok(())
}

/// The nodes that a trace speaks of are there.
fn trace(file: &Full, nodes: u32) -> Result<(), Refused> {
    let Some(trace) = file.churn.as_ref().and_then(|churn| churn.trace.as_ref()) else { return Ok(()) };
    let Some((line, stay)) = trace.content().0.iter().find(|(_, stay)| stay.node >= nodes) else {
        return Ok(());
    };
    Err(Refused::Lent(lent::Fault {
        key: "churn.trace".to_owned(),
        name: trace.name().to_owned(),
        line: Some(*line),
        message: format!("there is no node {}: there are {nodes}, numbered from 0", stay.node),
        absent: false,
    }))
}

/// What gossipsub asks of its parameters.
fn mesh(mesh: &Mesh, gossip: Gossip) -> Result<(), Senseless> {
    let Mesh { degree, low, high, outbound, lazy, lazy_share, heartbeat, told, kept, .. } = mesh;
    if gossip == Gossip::Flood && *mesh != Mesh::default() {
        return Err(Senseless::new("network.mesh", "gossip that floods has no mesh"));
    }
    within("network.mesh.degree", *degree, 1, MESH_MAX)?;
    within("network.mesh.low", *low, 1, *degree)?;
    within("network.mesh.high", *high, *degree, MESH_MAX)?;
    within("network.mesh.outbound", *outbound, 0, (degree / 2).min(low - 1))?;
    within("network.mesh.lazy", *lazy, 0, MESH_MAX)?;
    permille("network.mesh.lazy_share", *lazy_share)?;
    within("network.mesh.kept", *kept, 1, BEATS_MAX)?;
    within("network.mesh.told", *told, 1, *kept)?;
    if !(HEARTBEAT_MIN..=HEARTBEAT_MAX).contains(heartbeat) {
        let message = format!("{heartbeat} is not from {HEARTBEAT_MIN} to {HEARTBEAT_MAX}");
        return Err(Senseless::new("network.mesh.heartbeat", message));
    }
    Ok(())
}
