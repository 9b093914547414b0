//! The overlay: the engine says itself what it cannot run.

use super::{Senseless, latency, permille};
use crate::plan::{
    full::Uniform,
    overlay::{Latency, Overlay},
};

pub(super) fn check(file: &Overlay) -> Result<(), Senseless> {
    permille("network.loss", file.network.loss)?;
    permille("population.offline", file.population.offline)?;
    if let Some(attack) = &file.attack {
        permille("attack.share", attack.share)?;
    }
    if let Some(churn) = &file.churn {
        for (key, lifetime) in [("churn.session", churn.session), ("churn.absence", churn.absence)] {
            if let Some(fault) = lifetime.fault() {
                return Err(Senseless::new(key, fault));
            }
        }
    }
    match &file.network.latency {
        Latency::Uniform(Uniform { max, .. }) if u32::try_from(max.0).is_err() => {
            return Err(Senseless::new("network.latency.uniform.max", format!("{max} is too long")));
        }
        Latency::Uniform(_) => {}
        Latency::Regions(regions) => latency::regions(regions)?,
        Latency::Matrix(matrix) => latency::matrix(matrix)?,
        Latency::Gml(graph) => latency::gml(graph)?,
    }
    file.settings().validate().map_err(|unfit| {
        let message = format!("{} is not {}", unfit.value, unfit.allowed);
        Senseless::new(Overlay::key_of(unfit.name), message)
    })
}
