//! What a partition did to what observers know, and how long it took until that was made good.

use knackmesh_simulations::plan::{Duration, File};

use crate::sim::record::{Record, TimeLine};

/// A partition, in seconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parted {
    /// When the network fell apart.
    pub begin_s: f64,
    /// When it was whole again; the run's end if it never was.
    pub heal_s: f64,
}

/// The partitions of a run that began before it ended.
pub fn partitions(record: &Record) -> Vec<Parted> {
    let File::Full(file) = &record.manifest.scenario else { return Vec::new() };
    let seconds = |duration: Duration| duration.0 as f64 / 1000.0;
    let reached_s = record.manifest.reached_ms as f64 / 1000.0;
    let parted = file.partitions.iter().map(|partition| Parted {
        begin_s: seconds(partition.begin),
        heal_s: partition.heal.map_or(reached_s, seconds).min(reached_s),
    });
    parted.filter(|parted| parted.begin_s < reached_s).collect()
}

/// The time from healing until coverage is what it was before the partition, in seconds, of the partition that took longest. To
/// the resolution of the time series, and never less than what is true: the moment counts at which it was seen.
pub fn recovery_s(record: &Record) -> Option<f64> {
    let parted = partitions(record);
    let recovered: Option<Vec<f64>> =
        parted.iter().map(|parted| recovered_after_s(&record.timeseries, *parted)).collect();
    recovered?.into_iter().max_by(f64::total_cmp)
}

/// Whether coverage came back to what it was, after every partition; `None` where there was none to measure.
pub fn has_recovered(record: &Record) -> Option<bool> {
    let measured: Vec<Parted> = partitions(record)
        .into_iter()
        .filter(|parted| coverage_before(&record.timeseries, *parted).is_some())
        .collect();
    let recovers = |parted: &Parted| recovered_after_s(&record.timeseries, *parted).is_some();
    (!measured.is_empty()).then(|| measured.iter().all(recovers))
}

/// The lowest coverage from the begin of a partition until it was made good, or until the end.
pub fn lowest_coverage(record: &Record) -> Option<f64> {
    let during = partitions(record).into_iter().flat_map(|parted| {
        let after_s = recovered_after_s(&record.timeseries, parted).unwrap_or(f64::INFINITY);
        let until_s = parted.heal_s + after_s;
        let within = move |line: &&TimeLine| parted.begin_s <= line.at_s && line.at_s <= until_s;
        record.timeseries.iter().filter(within).filter_map(|line| line.coverage)
    });
    during.min_by(f64::total_cmp)
}

/// The last coverage that was seen before a partition.
fn coverage_before(lines: &[TimeLine], parted: Parted) -> Option<f64> {
    let before = lines.iter().filter(|line| line.at_s <= parted.begin_s);
    before.filter_map(|line| line.coverage).next_back()
}

fn recovered_after_s(lines: &[TimeLine], parted: Parted) -> Option<f64> {
    let before = coverage_before(lines, parted)?;
    let since = |line: &TimeLine| Some((line.at_s - parted.heal_s, line.coverage?));
    let after = lines.iter().filter(|line| line.at_s >= parted.heal_s).filter_map(since);
    // Sums of shares are not exact.
    let mut whole = after.filter(|(_, coverage)| *coverage >= before - 1e-9);
    whole.next().map(|(after_s, _)| after_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::metrics::made_up;

    fn parted(coverage: &[f64]) -> Record {
        let mut record = made_up::record("[[partitions]]\nbegin = \"20 s\"\nheal = \"40 s\"\nsides = 2");
        record.timeseries =
            (0..).zip(coverage).map(|(n, of)| made_up::moment(10.0 * f64::from(n), *of)).collect();
        record
    }

    #[test]
    fn recovery_lasts_from_healing_until_coverage_is_what_it_was() {
        // At 0, 10, 20 (parted), 30, 40 (healed), 50, 60, 70 s.
        let record = parted(&[0.0, 0.9, 0.9, 0.4, 0.5, 0.8, 0.9, 1.0]);
        assert_eq!(partitions(&record), [Parted { begin_s: 20.0, heal_s: 40.0 }]);
        assert_eq!(recovery_s(&record), Some(20.0));
        assert_eq!(has_recovered(&record), Some(true));
        assert_eq!(lowest_coverage(&record), Some(0.4));
    }

    #[test]
    fn what_never_comes_back_has_no_time_and_what_never_fell_took_none() {
        let record = parted(&[0.0, 0.9, 0.9, 0.4, 0.5, 0.8, 0.8, 0.3]);
        assert_eq!((recovery_s(&record), has_recovered(&record)), (None, Some(false)));
        assert_eq!(lowest_coverage(&record), Some(0.3));
        let record = parted(&[0.0, 0.9, 0.9, 0.9, 0.9, 0.9]);
        assert_eq!((recovery_s(&record), lowest_coverage(&record)), (Some(0.0), Some(0.9)));
    }

    #[test]
    fn a_run_without_partitions_or_coverage_has_nothing_to_recover_from() {
        let record = made_up::record("");
        assert_eq!(
            (recovery_s(&record), has_recovered(&record), lowest_coverage(&record)),
            (None, None, None)
        );
        assert_eq!(has_recovered(&parted(&[])), None);
    }
}
