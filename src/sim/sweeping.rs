//! Many runs: every combination of swept values, for every seed, side by side on threads.

use std::{
    collections::BTreeMap,
    str::FromStr,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use knackmesh_simulations::plan::{Assignment, Input, Plan};

use super::{
    folder::{Folder, FolderError},
    machine::{Machine, Program},
    record::{Record, SWEEP_FORMAT, Sweep, SweepRow},
    running::run,
    scenarios::{Named, ScenarioError},
};

/// Most seeds at once.
const SEEDS_MAX: usize = 10_000;

/// Which seeds: `1..20`, both included, or `3,5,8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` names no seeds: write 1..20 (both included) or 3,5,8");
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once("..").unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if last < first || last - first >= SEEDS_MAX as u64 {
                return Err(wrong());
            }
            seeds.extend(first..=last);
        }
        seeds.sort_unstable();
        seeds.dedup();
        if seeds.len() > SEEDS_MAX {
            return Err(format!("{} seeds; {SEEDS_MAX} at most", seeds.len()));
        }
        Ok(Seeds(seeds))
    }
}

/// One run to be done.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its folder, below the sweep's.
    pub folder: String,
    /// Values of the swept keys.
    pub values: Vec<String>,
    /// The plan with these values.
    pub plan: Plan,
    /// The seed.
    pub seed: u64,
}

/// Every run of a sweep, in the order of the swept keys, then of the seeds.
///
/// # Errors
/// When a combination of values is refused.
pub fn jobs(
    named: &Named,
    plan: &Plan,
    settings: &[Assignment],
    seeds: &Seeds,
) -> Result<Vec<Job>, ScenarioError> {
    let mut combinations: Vec<Vec<Assignment>> = vec![Vec::new()];
    for (key, values) in plan.file.sweep() {
        let more = |combination: &Vec<Assignment>| {
            let with = |value| Assignment { key: key.clone(), value };
            values
                .iter()
                .map(|value| combination.iter().cloned().chain([with(value.clone())]).collect())
                .collect::<Vec<_>>()
        };
        combinations = combinations.iter().flat_map(more).collect();
    }
    // Each file that the scenario names is read once for all of them.
    let lending = named.lending();
    let mut jobs = Vec::new();
    for combination in combinations {
        let all: Vec<Assignment> = settings.iter().chain(&combination).cloned().collect();
        let plan = Plan::read_lent(&named.text, &all, &lending)
            .map_err(|error| ScenarioError::Refused { name: named.name.clone(), error: error.into() })?;
        for seed in &seeds.0 {
            let folder = format!("runs/{:04}", jobs.len());
            let values = combination.iter().map(|assignment| assignment.value.to_string()).collect();
            jobs.push(Job { folder, values, plan: plan.clone(), seed: *seed });
        }
    }
    Ok(jobs)
}

/// How far a sweep is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swept {
    /// Runs that are done.
    pub runs: usize,
    /// The same, with the parts of those that are on their way.
    pub parts: f64,
    /// Inputs that those on their way handle each second, together.
    pub events_per_second: f64,
}

/// Does the jobs on so many threads, writes each run's tables, and says now and then how far it is. A run that breaks a
/// promise ends the sweep, as does `stop`; what is done is kept.
///
/// # Errors
/// When the folder cannot be written.
pub fn sweep(
    plan: &Plan,
    jobs: &[Job],
    seeds: &Seeds,
    threads: usize,
    folder: &Folder,
    stop: &AtomicBool,
    tell: &(dyn Fn(Swept) + Sync),
) -> Result<(Sweep, Vec<Record>), FolderError> {
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    let way: Mutex<Way> = Mutex::default();
    // Runs share them: of two jobs that name the same file, both were lent the same.
    let inputs: BTreeMap<String, Input> =
        jobs.iter().flat_map(|job| job.plan.file.inputs()).map(|input| (input.name.clone(), input)).collect();
    folder.write_inputs(&inputs.into_values().collect::<Vec<_>>())?;
    let results: Mutex<Vec<(usize, Record)>> = Mutex::default();
    let failed: Mutex<Option<FolderError>> = Mutex::default();
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { return };
            let duration_ms = job.plan.file.duration().0.max(1) as f64;
            let mut record = run(&job.plan, job.seed, stop, |progress| {
                let part = (progress.now_ms as f64 / duration_ms).min(1.0);
                if let Ok(mut way) = way.lock() {
                    way.under.insert(at, (part, progress.events_per_second));
                    tell(way.swept());
                }
            });
            let broken = matches!(record.manifest.ending, super::Ending::Violation { .. });
            let written = folder.within(&job.folder).write_record(&record);
            // The tables are on the disk; only the summary is needed from here on.
            record.queries.clear();
            record.spreading.clear();
            record.timeseries.clear();
            record.look_ups.clear();
            record.load.clear();
            record.intervals.clear();
            let failure = written.err();
            if broken || failure.is_some() {
                stop.store(true, Ordering::Relaxed);
            }
            if let (Some(error), Ok(mut failed)) = (failure, failed.lock()) {
                failed.get_or_insert(error);
            }
            if let Ok(mut results) = results.lock() {
                results.push((at, record));
            }
            if let Ok(mut way) = way.lock() {
                way.under.remove(&at);
                way.done += 1;
                tell(way.swept());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(work);
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_default() {
        return Err(error);
    }
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|(at, _)| *at);
    let row = |(at, record): &(usize, Record)| SweepRow {
        folder: jobs[*at].folder.clone(),
        values: jobs[*at].values.clone(),
        seed: record.manifest.seed,
        partial: record.manifest.partial,
        trace_hash: record.manifest.trace_hash.clone(),
        nodes: record.manifest.nodes,
        attackers: record.manifest.attackers,
        summary: record.summary.clone(),
    };
    let runs: Vec<SweepRow> = results.iter().map(row).collect();
    let sweep = Sweep {
        format: SWEEP_FORMAT.to_owned(),
        title: plan.file.title().to_owned(),
        scenario: plan.file.clone(),
        keys: plan.file.sweep().keys().cloned().collect(),
        seeds: seeds.0.clone(),
        partial: runs.len() < jobs.len() || runs.iter().any(|run| run.partial),
        program: Program::this(),
        machine: Machine::this(),
        wall_seconds: began.elapsed().as_secs_f64(),
        runs,
    };
    folder.write_sweep(&sweep)?;
    Ok((sweep, results.into_iter().map(|(_, record)| record).collect()))
}

/// Which runs are done, and how far the others are.
#[derive(Default)]
struct Way {
    done: usize,
    /// By job: the part of it that is done, and its events each second.
    under: BTreeMap<usize, (f64, f64)>,
}

impl Way {
    fn swept(&self) -> Swept {
        let sum = |of: fn(&(f64, f64)) -> f64| self.under.values().map(of).sum::<f64>();
        Swept {
            runs: self.done,
            parts: self.done as f64 + sum(|way| way.0),
            events_per_second: sum(|way| way.1),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn seeds_are_ranges_and_lists() {
        let seeds = |text: &str| text.parse::<Seeds>().map(|seeds| seeds.0);
        assert_eq!(seeds("1..4").unwrap(), [1, 2, 3, 4]);
        assert_eq!(seeds("7").unwrap(), [7]);
        assert_eq!(seeds("3, 1..2,2").unwrap(), [1, 2, 3]);
        for text in ["", "4..1", "1..", "a", "-1", "1..99999999999"] {
            assert!(seeds(text).unwrap_err().contains("1..20"), "{text}");
        }
    }

    #[test]
    fn jobs_are_each_value_with_each_seed() {
        let (named, plan, _) = super::super::scenario("loss", &[]).unwrap();
        let jobs = jobs(&named, &plan, &[], &Seeds(vec![1, 2])).unwrap();
        assert_eq!(jobs.len(), 10);
        assert_eq!((jobs[3].values.as_slice(), jobs[3].seed), (["2 %".to_owned()].as_slice(), 2));
        let text = jobs[3].plan.to_toml();
        assert!(text.contains("loss = \"2 %\""), "{text}");
    }
}
