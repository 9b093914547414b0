//! What scrapers learn, and how fast.

use crate::sim::record::{Record, TimeLine};

/// What scrapers know at the end, as a share.
pub fn at_the_end(record: &Record, of: fn(&TimeLine) -> Option<f64>) -> Option<f64> {
    record.timeseries.last().and_then(of)
}

/// What scrapers know at each moment, in seconds, as a share of all that was ever published in the run: by how much of what was
/// published by then (`ever`) they know (`of`).
pub fn of_everything(
    record: &Record,
    ever: fn(&TimeLine) -> Option<u32>,
    of: fn(&TimeLine) -> Option<f64>,
) -> Vec<(f64, f64)> {
    let all = record.timeseries.last().and_then(ever).map_or(0.0, f64::from);
    let share = |line: &TimeLine| {
        let ever = f64::from(ever(line)?);
        // Nobody has published yet, and nothing of it is known.
        let known = if ever > 0.0 { ever * of(line)? } else { 0.0 };
        (all > 0.0).then(|| (line.at_s, known / all))
    };
    record.timeseries.iter().filter_map(share).collect()
}

/// The time from the first publication until scrapers know half of all people who are ever published in the run, in seconds; to
/// the resolution of the time series.
pub fn half_known_s(record: &Record) -> Option<f64> {
    let first = record.timeseries.iter().find(|line| line.people_ever.is_some_and(|people| people > 0))?;
    let known = of_everything(record, |line| line.people_ever, |line| line.scraped_people);
    let half = known.into_iter().find(|(_, share)| *share >= 0.5)?;
    Some(half.0 - first.at_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::metrics::made_up;

    /// People who have ever published, and the share of them that scrapers know, every ten seconds.
    fn scraped(people: &[(u32, Option<f64>)]) -> Record {
        let mut record = made_up::record("");
        let moment = |(n, (people_ever, scraped_people)): (u32, &(u32, Option<f64>))| TimeLine {
            people_ever: Some(*people_ever),
            scraped_people: *scraped_people,
            ..made_up::moment(10.0 * f64::from(n), 1.0)
        };
        record.timeseries = (0..).zip(people).map(moment).collect();
        record
    }

    #[test]
    fn half_is_known_when_half_of_all_who_are_ever_published_is() {
        // All of the first four are known at 20 s, and they are not half of the ten that there will be.
        let record = scraped(&[(0, None), (4, Some(0.25)), (4, Some(1.0)), (10, Some(0.6)), (10, Some(0.9))]);
        assert_eq!(half_known_s(&record), Some(20.0));
        assert_eq!(at_the_end(&record, |line| line.scraped_people), Some(0.9));
        let known = of_everything(&record, |line| line.people_ever, |line| line.scraped_people);
        assert_eq!(known, [(0.0, 0.0), (10.0, 0.1), (20.0, 0.4), (30.0, 0.6), (40.0, 0.9)]);
    }

    #[test]
    fn what_is_never_half_known_has_no_time() {
        assert_eq!(half_known_s(&scraped(&[(0, None), (4, Some(0.25)), (4, Some(0.25))])), None);
        assert_eq!(half_known_s(&scraped(&[(0, None)])), None);
        assert_eq!(half_known_s(&made_up::record("")), None);
    }
}
