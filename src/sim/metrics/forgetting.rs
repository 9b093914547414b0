//! How fast what was withdrawn is forgotten.

use crate::sim::{
    record::Record,
    statistics::{quantile, sorted},
};

/// How long after a withdrawal each observer that held the summary dropped it, sorted; infinite where it did not while the
/// withdrawal counted. In seconds.
pub fn held_for_s(record: &Record) -> Vec<f64> {
    let withdrawals = record.spreading.iter().filter(|line| line.what == "withdrawal");
    let mut held: Vec<f64> = withdrawals.map(|line| line.after_s.unwrap_or(f64::INFINITY)).collect();
    held.sort_by(f64::total_cmp);
    held
}

/// The time after which half of the observers that held a summary when it was withdrawn hold it no more; `None` where fewer
/// than half of them ever dropped it.
pub fn half_life_s(record: &Record) -> Option<f64> {
    quantile(&held_for_s(record), 0.5).filter(|half| half.is_finite())
}

/// The share still held at each moment at which it falls: steps from (`least_s`, 1) on. What was dropped earlier than `least_s` counts
/// as dropped then.
pub fn share_held(record: &Record, least_s: f64) -> Vec<(f64, f64)> {
    let held = held_for_s(record);
    let all = held.len() as f64;
    let mut points = vec![(least_s, 1.0)];
    for (dropped, after_s) in (1..).zip(sorted(held)) {
        points.push((after_s.max(least_s), 1.0 - f64::from(dropped) / all));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::metrics::made_up;

    fn withdrawn(after_s: &[Option<f64>]) -> Record {
        let mut record = made_up::record("");
        record.spreading = after_s.iter().map(|after_s| made_up::news("withdrawal", *after_s)).collect();
        record.spreading.push(made_up::news("publication", Some(90.0)));
        record
    }

    #[test]
    fn half_life_is_when_half_of_those_who_held_it_have_dropped_it() {
        assert_eq!(half_life_s(&withdrawn(&[Some(4.0), Some(1.0), Some(2.0), Some(8.0)])), Some(2.0));
        // Those who never drop it count: the median of those who did would be 1.
        assert_eq!(half_life_s(&withdrawn(&[Some(1.0), Some(3.0), Some(1.0), None, None])), Some(3.0));
        assert_eq!(half_life_s(&withdrawn(&[Some(1.0), None, None])), None);
        assert_eq!(half_life_s(&withdrawn(&[])), None);
    }

    #[test]
    fn the_share_held_falls_from_one_and_stays_above_those_who_keep_it() {
        let record = withdrawn(&[Some(0.0), Some(2.0), None, Some(4.0)]);
        assert_eq!(share_held(&record, 0.1), [(0.1, 1.0), (0.1, 0.75), (2.0, 0.5), (4.0, 0.25)]);
    }
}
