//! What a run of the overlay shows.

use super::{Course, Curve, Picture, cumulative, from_zero, lorenz, time_axis};
use crate::sim::{
    metrics::ended,
    plots::Axis,
    record::{IntervalLine, Record},
    statistics::{quantile, sorted},
};

pub(super) fn pictures(record: &Record) -> Vec<Option<Picture>> {
    vec![
        look_up_latency(record),
        over_intervals(record),
        found_over_time(record),
        latency_over_time(record),
        lorenz(record),
        sent_over_time(record),
    ]
}

/// Without the last interval where it ended early, whose few events say little.
fn of_intervals(record: &Record, of: impl Fn(&IntervalLine) -> Option<f64>) -> Vec<(f64, f64)> {
    let whole_s = record.intervals.first().map_or(0.0, |line| line.lasts_s);
    let whole = record.intervals.iter().filter(|line| line.lasts_s >= whole_s / 2.0);
    whole.filter_map(|line| Some((line.at_s, of(line)?))).collect()
}

/// A count of the interval, for each second of it.
fn a_second(line: &IntervalLine, count: u64) -> Option<f64> {
    (line.lasts_s > 0.0).then(|| count as f64 / line.lasts_s)
}

fn over_intervals(record: &Record) -> Option<Picture> {
    let begun = of_intervals(record, |line| a_second(line, line.begun));
    let ended = of_intervals(record, |line| a_second(line, line.found + line.missed));
    let values = begun.iter().chain(&ended).map(|(_, rate)| *rate);
    Some(Picture {
        name: "look-ups",
        title: "Look-ups over time".into(),
        caption: "How many began, and how many ended by themselves, in each interval of the run.".into(),
        told: String::new(),
        x: time_axis(record),
        y: from_zero("look-ups a second", values),
        curves: vec![
            Curve::new("begun", Course::Straight, begun),
            Curve::new("ended", Course::Straight, ended),
        ],
        shades: Vec::new(),
    })
}

fn found_over_time(record: &Record) -> Option<Picture> {
    let curve = Curve::new("", Course::Straight, of_intervals(record, |line| line.found_share));
    Some(Picture {
        name: "found",
        title: "Targets found over time".into(),
        caption:
            "Of the look-ups that ended by themselves in each interval, the share that found its target."
                .into(),
        told: String::new(),
        x: time_axis(record),
        y: Axis::share("found (share of look-ups)"),
        curves: vec![curve],
        shades: Vec::new(),
    })
}

fn latency_over_time(record: &Record) -> Option<Picture> {
    let mean = of_intervals(record, |line| line.latency_mean_ms);
    let tail = of_intervals(record, |line| line.latency_p95_ms);
    let values = mean.iter().chain(&tail).map(|(_, ms)| *ms);
    Some(Picture {
        name: "latency-over-time",
        title: "Latency of look-ups over time".into(),
        caption: "Of those that ended by themselves in each interval of the run.".into(),
        told: String::new(),
        x: time_axis(record),
        y: from_zero("latency (ms)", values),
        curves: vec![
            Curve::new("mean", Course::Straight, mean),
            Curve::new("95th percentile", Course::Straight, tail),
        ],
        shades: Vec::new(),
    })
}

fn sent_over_time(record: &Record) -> Option<Picture> {
    let rates = of_intervals(record, |line| a_second(line, line.messages));
    Some(Picture {
        name: "traffic",
        title: "Messages sent over time".into(),
        caption: "Requests and responses of all nodes together, in each interval of the run.".into(),
        told: String::new(),
        x: time_axis(record),
        y: from_zero("messages a second", rates.iter().map(|(_, rate)| *rate)),
        curves: vec![Curve::new("", Course::Straight, rates)],
        shades: Vec::new(),
    })
}

fn look_up_latency(record: &Record) -> Option<Picture> {
    let values = sorted(ended(record).map(|line| f64::from(line.latency_ms)));
    quantile(&values, 1.0)?;
    Some(Picture {
        name: "look-up-latency",
        title: "How long look-ups take".into(),
        caption: "The share of look-ups that took no longer, of those that ended by themselves.".into(),
        told: String::new(),
        x: from_zero("latency (ms)", values.iter().copied()),
        y: Axis::share("share of look-ups"),
        curves: vec![Curve::new("", Course::Steps, cumulative(&values, values.len(), 0.0))],
        shades: Vec::new(),
    })
}
