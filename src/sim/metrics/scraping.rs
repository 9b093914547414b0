//! What scrapers learn, and how fast.

use crate::sim::record::{Record, TimeLine};

/// What scrapers know at the end, as a share.
pub fn at_the_end(record: &Record, of: fn(&TimeLine) -> Option<f64>) -> Option<f64> {
    record.timeseries.last().and_then(of)
}

/// When scrapers first knew half of all people who had been published by then, in seconds since the first of them was; to the
/// resolution of the time series.
pub fn half_known_s(record: &Record) -> Option<f64> {
    let mut shares = record.timeseries.iter().filter_map(|line| Some((line.at_s, line.scraped_people?)));
    let (first_s, first) = shares.next()?;
    if first >= 0.5 {
        return Some(0.0);
    }
    shares.find(|(_, share)| *share >= 0.5).map(|(at_s, _)| at_s - first_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::metrics::made_up;

    fn scraped(people: &[Option<f64>]) -> Record {
        let mut record = made_up::record("");
        record.timeseries = (0..)
            .zip(people)
            .map(|(n, people)| TimeLine {
                scraped_people: *people,
                ..made_up::moment(10.0 * f64::from(n), 1.0)
            })
            .collect();
        record
    }

    #[test]
    fn half_is_known_when_the_share_first_reaches_it() {
        // Nobody is published at 0 s.
        let record = scraped(&[None, Some(0.1), Some(0.4), Some(0.6), Some(0.45)]);
        assert_eq!(half_known_s(&record), Some(20.0));
        assert_eq!(at_the_end(&record, |line| line.scraped_people), Some(0.45));
        assert_eq!(half_known_s(&scraped(&[None, Some(0.5)])), Some(0.0));
        assert_eq!(half_known_s(&scraped(&[Some(0.1), Some(0.2)])), None);
        assert_eq!(half_known_s(&made_up::record("")), None);
    }
}
