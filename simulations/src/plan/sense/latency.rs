//! Latencies, of either fidelity.

use super::{Senseless, permille};
use crate::plan::{
    full::{Graph, Matrix, Regions, Regular, Uniform},
    units::{Duration, Share},
};

/// Longest latency.
const LATENCY_MAX: Duration = Duration(60_000);

/// No longer than a minute.
pub(super) fn short(key: &str, duration: Duration) -> Result<(), Senseless> {
    if duration <= LATENCY_MAX {
        return Ok(());
    }
    Err(Senseless::new(format!("network.{key}"), format!("{duration} is more than a minute")))
}

pub(super) fn line(line: &Regular) -> Result<(), Senseless> {
    super::within("network.latency.line.regions", line.regions, 1, 1000)?;
    short("latency.line.near", line.near)?;
    short("latency.line.far", line.far)?;
    short("latency.line.jitter", line.jitter)
}

pub(super) fn uniform(Uniform { min, max }: &Uniform) -> Result<(), Senseless> {
    short("latency.uniform.max", *max)?;
    if min > max {
        return Err(Senseless::new("network.latency.uniform.min", format!("{min} is more than {max}")));
    }
    Ok(())
}

pub(super) fn regions(Regions { shares, one_way, jitter }: &Regions) -> Result<(), Senseless> {
    let wrong = |message: &str| Err(Senseless::new("network.latency.regions", message));
    short("latency.regions.jitter", *jitter)?;
    one_way.iter().flatten().try_for_each(|cell| short("latency.regions.one_way", *cell))?;
    shares.iter().try_for_each(|share| permille("network.latency.regions.shares", *share))?;
    if shares.iter().map(|share| u64::from(share.0)).sum::<u64>() != u64::from(Share::WHOLE.0) {
        return wrong("the shares together are not 100 %");
    }
    if one_way.len() != shares.len() || one_way.iter().any(|row| row.len() != shares.len()) {
        return wrong("`one_way` needs a row and a column for each of the shares");
    }
    Ok(())
}

pub(super) fn matrix(Matrix { jitter, .. }: &Matrix) -> Result<(), Senseless> {
    short("latency.matrix.jitter", *jitter)
}

pub(super) fn gml(Graph { jitter, .. }: &Graph) -> Result<(), Senseless> {
    short("latency.gml.jitter", *jitter)
}
