//! Two results side by side: the difference of each metric, and whether chance explains it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    folder::{Folder, FolderError},
    metrics::METRICS,
    statistics::{Mean, difference, mean},
};

/// See the module.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The first folder.
    pub a: String,
    /// The second.
    pub b: String,
    /// Whether the runs of both have equal histories.
    pub same_history: bool,
    /// Whether either has a single run for a combination, so that nothing can be said of chance.
    pub one_seed: bool,
    /// Metric by metric, for each combination of swept values that both have.
    pub differences: Vec<Difference>,
}

/// A metric in both.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// Values of the swept keys.
    pub values: Vec<String>,
    /// The metric.
    pub metric: &'static str,
    /// In the first.
    pub a: Mean,
    /// In the second.
    pub b: Mean,
    /// The second less the first.
    pub change: Mean,
    /// Whether the 95 % interval of the change leaves out zero; unknown with one run.
    pub differs: Option<bool>,
}

/// Runs of one combination of swept values.
type Group = Vec<BTreeMap<String, Option<f64>>>;

struct Side {
    groups: BTreeMap<Vec<String>, Group>,
    hashes: Vec<String>,
}

/// Compares two folders.
///
/// # Errors
/// When one holds no results.
pub fn compare(a: &Folder, b: &Folder) -> Result<Comparison, FolderError> {
    let (left, right) = (side(a)?, side(b)?);
    let mut differences = Vec::new();
    for (values, of_a) in &left.groups {
        let Some(of_b) = right.groups.get(values) else { continue };
        differences.extend(METRICS.iter().filter_map(|metric| {
            let all = |group: &Group| -> Vec<f64> {
                group.iter().filter_map(|run| run.get(metric.name).copied().flatten()).collect()
            };
            let (of_a, of_b) = (all(of_a), all(of_b));
            let change = difference(&of_a, &of_b)?;
            let differs = change.half_width.map(|half| change.mean.abs() > half);
            let (a, b) = (mean(&of_a)?, mean(&of_b)?);
            Some(Difference { values: values.clone(), metric: metric.name, a, b, change, differs })
        }));
    }
    let single = |side: &Side| side.groups.values().any(|group| group.len() < 2);
    Ok(Comparison {
        a: a.path().display().to_string(),
        b: b.path().display().to_string(),
        same_history: left.hashes == right.hashes,
        one_seed: single(&left) || single(&right),
        differences,
    })
}

fn side(folder: &Folder) -> Result<Side, FolderError> {
    let mut side = Side { groups: BTreeMap::new(), hashes: Vec::new() };
    if folder.is_sweep()? {
        for run in folder.sweep()?.runs {
            side.hashes.push(run.trace_hash);
            // What ended early would drag the mean.
            if !run.partial {
                side.groups.entry(run.values).or_default().push(run.summary);
            }
        }
    } else {
        let record = folder.record()?;
        side.groups.insert(Vec::new(), vec![record.summary]);
        side.hashes.push(record.manifest.trace_hash);
    }
    Ok(side)
}
