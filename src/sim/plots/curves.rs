//! What a run shows as lines over two axes, in a form that can be averaged over runs.

use knackmesh_simulations::plan::{File, Full};

use super::{Axis, Body, Chart, Series, Shade, Style};
use crate::sim::{
    metrics::{answered, ended, forgetting, loads, partitions, spreads},
    record::{IntervalLine, Record, TimeLine},
    statistics::{quantile, sorted},
};

/// Most points that a line of a cumulative distribution has.
const STEPS_MAX: usize = 400;
/// Parts of a run over which recall is averaged, at most and at least.
const PARTS: (usize, usize) = (5, 40);
/// Searches that a part should have.
const SEARCHES_OF_A_PART: usize = 4;

/// Lines over two axes, of one run.
pub(super) struct Picture {
    pub name: &'static str,
    pub title: String,
    pub caption: String,
    /// What is to be said of this run beside it.
    pub told: String,
    pub x: Axis,
    pub y: Axis,
    pub curves: Vec<Curve>,
    pub shades: Vec<Shade>,
}

/// A line.
pub(super) struct Curve {
    pub name: &'static str,
    pub points: Vec<(f64, f64)>,
    pub course: Course,
}

/// What is between two points of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// The value of the earlier.
    Steps,
    /// A straight line.
    Straight,
    /// A straight line to compare with, the same for every run.
    Measure,
    /// A straight line to compare with, in a run's own plot alone.
    Beside,
    /// Nothing, in a run's own plot alone.
    Scattered,
}

impl Course {
    /// Whether such lines are averaged over runs.
    pub fn is_averaged(self) -> bool {
        matches!(self, Course::Steps | Course::Straight)
    }

    /// Whether such lines are the same for every run.
    pub fn is_beside_any_run(self) -> bool {
        self == Course::Measure
    }
}

impl Curve {
    fn new(name: &'static str, course: Course, points: Vec<(f64, f64)>) -> Self {
        Curve { name, points, course }
    }

    /// Its value at a place; `None` where it is not.
    pub fn at(&self, x: f64) -> Option<f64> {
        let after = self.points.partition_point(|point| point.0 <= x);
        let before = *self.points.get(after.checked_sub(1)?)?;
        match (self.course, self.points.get(after)) {
            (Course::Steps, _) => Some(before.1),
            (_, Some(after)) => Some(before.1 + (after.1 - before.1) * (x - before.0) / (after.0 - before.0)),
            (_, None) => (x <= before.0).then_some(before.1),
        }
    }

    /// As it is drawn, up to the end of an axis.
    pub fn series(&self, end: f64) -> Series {
        let (style, points) = match self.course {
            Course::Steps => (Style::Line, steps(&self.points, end)),
            Course::Straight => (Style::Line, self.points.clone()),
            Course::Beside | Course::Measure => (Style::Reference, self.points.clone()),
            Course::Scattered => (Style::Points, self.points.clone()),
        };
        Series { name: self.name.to_owned(), style, points, band: Vec::new() }
    }
}

fn steps(points: &[(f64, f64)], end: f64) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::with_capacity(2 * points.len() + 1);
    for point in points {
        corners.extend(corners.last().map(|before| (point.0, before.1)));
        corners.push(*point);
    }
    corners.extend(corners.last().map(|last| (end.max(last.0), last.1)));
    corners
}

impl Picture {
    /// The plot of the run.
    pub fn chart(&self) -> Chart {
        Chart {
            name: self.name.to_owned(),
            title: self.title.clone(),
            caption: format!("{} {}", self.caption, self.told).trim_end().to_owned(),
            body: Body::Lines {
                x: self.x.clone(),
                y: self.y.clone(),
                series: self.curves.iter().map(|curve| curve.series(self.x.range.1)).collect(),
                shades: self.shades.clone(),
            },
        }
    }
}

/// Everything that a run shows as lines; what was not measured is left out.
pub(super) fn pictures(record: &Record) -> Vec<Picture> {
    let pictures = match &record.manifest.scenario {
        File::Full(file) => vec![
            recall(record, file),
            coverage(record),
            recovery(record, file),
            stale(record),
            latency(record),
            discoverability(record, file),
            withdrawal(record, file),
            scraping(record),
            lorenz(record),
            traffic(record),
        ],
        File::Overlay(_) => vec![
            look_up_latency(record),
            over_intervals(record),
            found_over_time(record),
            latency_over_time(record),
            lorenz(record),
            sent_over_time(record),
        ],
    };
    let drawn = |picture: &Picture| picture.curves.iter().any(|curve| !curve.points.is_empty());
    pictures.into_iter().flatten().filter(drawn).collect()
}

fn time_axis(record: &Record) -> Axis {
    let end_s = record.manifest.reached_ms as f64 / 1000.0;
    Axis::time("time since the run began", (0.0, end_s.max(1.0)))
}

/// An axis from nothing to a little more than the most of some values.
fn from_zero(label: &str, values: impl Iterator<Item = f64>) -> Axis {
    let most = values.fold(0.0, f64::max);
    Axis::linear(label, (0.0, if most > 0.0 { most * 1.06 } else { 1.0 }))
}

fn shades(record: &Record) -> Vec<Shade> {
    let shade = |parted: partitions::Parted| Shade {
        name: "the network is parted".to_owned(),
        range: (parted.begin_s, parted.heal_s),
    };
    partitions::partitions(record).into_iter().map(shade).collect()
}

fn over_time(record: &Record, of: fn(&TimeLine) -> Option<f64>) -> Vec<(f64, f64)> {
    record.timeseries.iter().filter_map(|line| Some((line.at_s, of(line)?))).collect()
}

/// Recall of each search.
fn recalls(record: &Record) -> Vec<(f64, f64)> {
    record.queries.iter().filter_map(|line| Some((line.at_s, line.recall?))).collect()
}

/// Its mean over the searches within equal parts of the run.
fn mean_recalls(record: &Record) -> Vec<(f64, f64)> {
    let searches = recalls(record);
    let parts = (searches.len() / SEARCHES_OF_A_PART).clamp(PARTS.0, PARTS.1);
    let part_s = (record.manifest.reached_ms as f64 / 1000.0 / parts as f64).max(1e-3);
    let mut sums = vec![(0.0, 0.0); parts];
    for (at_s, recall) in &searches {
        let part = &mut sums[((at_s / part_s) as usize).min(parts - 1)];
        *part = (part.0 + recall, part.1 + 1.0);
    }
    let means = (0..).zip(sums).filter(|(_, (_, count))| *count > 0.0);
    let means = means.map(|(part, (sum, count))| ((f64::from(part) + 0.5) * part_s, sum / count));
    means.collect()
}

fn recall(record: &Record, file: &Full) -> Option<Picture> {
    let k = file.metrics.recall_at;
    Some(Picture {
        name: "recall",
        title: format!("Recall@{k} over time"),
        caption: format!(
            "Of the best {k} that could be found at the moment of asking, the share that was among the first {k} of the answer. The line \
             is the mean of the searches within equal parts of the run."
        ),
        told: String::new(),
        x: time_axis(record),
        y: Axis::share(&format!("recall@{k} (share)")),
        curves: vec![
            Curve::new("mean", Course::Straight, mean_recalls(record)),
            Curve::new("one search", Course::Scattered, recalls(record)),
        ],
        shades: shades(record),
    })
}

fn coverage(record: &Record) -> Option<Picture> {
    let nodes = f64::from(record.manifest.nodes.max(1));
    let running = record.timeseries.iter().map(|line| (line.at_s, line.running as f64 / nodes)).collect();
    let known = over_time(record, |line| line.coverage);
    (!known.is_empty()).then(|| Picture {
        name: "coverage",
        title: "What observers know of what is published".into(),
        caption: "The share of published holders that an employer's node holds, on average over those that run, and the share of \
                  nodes that run."
            .into(),
        told: String::new(),
        x: time_axis(record),
        y: Axis::share("share"),
        curves: vec![
            Curve::new("published holders known", Course::Straight, known),
            Curve::new("nodes that run", Course::Beside, running),
        ],
        shades: shades(record),
    })
}

/// From as long before the first partition as it lasted until twice as long after it, or until coverage is back and half as long again.
fn recovery_window(record: &Record) -> Option<(f64, f64)> {
    let parted = *partitions::partitions(record).first()?;
    let lasted_s = parted.heal_s - parted.begin_s;
    let after_s = (2.0 * lasted_s).max(1.5 * partitions::recovery_s(record).unwrap_or(0.0));
    let end_s = record.manifest.reached_ms as f64 / 1000.0;
    Some(((parted.begin_s - lasted_s).max(0.0), (parted.heal_s + after_s).min(end_s)))
}

/// Coverage and recall around the first partition.
fn recovery(record: &Record, file: &Full) -> Option<Picture> {
    let window = recovery_window(record)?;
    let within = |points: Vec<(f64, f64)>| -> Vec<(f64, f64)> {
        points.into_iter().filter(|(at_s, _)| (window.0..=window.1).contains(at_s)).collect()
    };
    let k = file.metrics.recall_at;
    let told = match (partitions::recovery_s(record), partitions::has_recovered(record)) {
        (Some(after_s), _) => format!(
            "Coverage was what it had been before {after_s:.1} s after the network was whole again, to within {}.",
            file.metrics.every
        ),
        (None, Some(_)) => "Coverage did not come back to what it had been before.".to_owned(),
        (None, None) => String::new(),
    };
    Some(Picture {
        name: "recovery",
        title: "Around the partition".into(),
        caption: format!(
            "Coverage is the share of published holders that an employer's node holds; recall@{k} is the mean over the searches within \
             equal parts of the run."
        ),
        told,
        x: Axis::time("time since the run began", window),
        y: Axis::share("share"),
        curves: vec![
            Curve::new("coverage", Course::Straight, within(over_time(record, |line| line.coverage))),
            Curve::new("recall", Course::Straight, within(mean_recalls(record))),
        ],
        shades: shades(record),
    })
}

fn stale(record: &Record) -> Option<Picture> {
    let held = over_time(record, |line| line.stale);
    held.iter().any(|(_, stale)| *stale > 0.0).then(|| Picture {
        name: "stale",
        title: "Summaries held though nobody publishes them".into(),
        caption: "At an employer's node, on average over those that run: of people who withdrew, and of people who do not exist.".into(),
        told: String::new(),
        x: time_axis(record),
        y: from_zero("summaries at an observer", held.iter().map(|(_, stale)| *stale)),
        curves: vec![Curve::new("", Course::Straight, held)],
        shades: shades(record),
    })
}

/// The cumulative distribution of sorted values above `least`, out of `all`, which may be more: those that never came.
fn cumulative(sorted: &[f64], all: usize, least: f64) -> Vec<(f64, f64)> {
    let mut points = vec![(least, 0.0)];
    let step = sorted.len().div_ceil(STEPS_MAX).max(1);
    for (at, value) in sorted.iter().enumerate() {
        if at % step == 0 || at + 1 == sorted.len() {
            points.push((value.max(least), (at + 1) as f64 / all.max(1) as f64));
        }
    }
    points
}

fn latency(record: &Record) -> Option<Picture> {
    let values = sorted(answered(record).filter_map(|line| line.latency_ms).map(|ms| ms as f64));
    quantile(&values, 1.0)?;
    Some(Picture {
        name: "latency",
        title: "How long searches take".into(),
        caption: "The share of answered searches that took no longer, from command to answer.".into(),
        told: String::new(),
        x: from_zero("latency (ms)", values.iter().copied()),
        y: Axis::share("share of searches"),
        curves: vec![Curve::new("", Course::Steps, cumulative(&values, values.len(), 0.0))],
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

/// A logarithmic axis of time since an order, from the first look on, long enough for these values.
fn since_order(file: &Full, label: &str, most_s: f64) -> Axis {
    let least_s = (file.metrics.resolution.0 as f64 / 1000.0).max(0.001);
    Axis::logarithmic(label, (least_s, (most_s * 1.2).max(10.0 * least_s)))
}

fn discoverability(record: &Record, file: &Full) -> Option<Picture> {
    let names = [("publication", "publication to found"), ("withdrawal", "withdrawal to forgotten")];
    let most_s =
        names.iter().filter_map(|(what, _)| quantile(&spreads(record, what), 1.0)).fold(0.0, f64::max);
    let x = since_order(file, "time since the order (s)", most_s);
    let curve = |(what, name): (&str, &'static str)| {
        let all = record.spreading.iter().filter(|line| line.what == what).count();
        let points = cumulative(&spreads(record, what), all, x.range.0);
        (all > 0).then(|| Curve::new(name, Course::Steps, points))
    };
    let curves: Vec<Curve> = names.into_iter().filter_map(curve).collect();
    Some(Picture {
        name: "discoverability",
        title: "How fast news spreads".into(),
        caption: format!(
            "The share of pairs of news and observer for which no more time passed until the observer's own index knew, looked at every \
             {}. A line that ends below 1 leaves those who did not learn of it while it counted.",
            file.metrics.resolution
        ),
        told: String::new(),
        x,
        y: Axis::share("share of news and observers"),
        curves,
        shades: Vec::new(),
    })
}

fn withdrawal(record: &Record, file: &Full) -> Option<Picture> {
    let most_s = quantile(&spreads(record, "withdrawal"), 1.0)?;
    let x = since_order(file, "time since the withdrawal (s)", most_s);
    let mut curves = vec![Curve::new("still held", Course::Steps, forgetting::share_held(record, x.range.0))];
    let half = forgetting::half_life_s(record);
    let lines = half.map(|half_s| vec![(half_s, 0.0), (half_s, 0.5), (x.range.0, 0.5)]);
    curves.extend(lines.map(|line| Curve::new("half-life", Course::Beside, line)));
    let told = half
        .map_or("It never falls to half.".to_owned(), |half_s| format!("It is half after {half_s:.1} s."));
    Some(Picture {
        name: "withdrawal",
        title: "How fast what was withdrawn is forgotten".into(),
        caption: format!(
            "Of the observers that held a summary when it was withdrawn, the share that still holds it, looked at every {}.",
            file.metrics.resolution
        ),
        told,
        x,
        y: Axis::share("share still held"),
        curves,
        shades: Vec::new(),
    })
}

fn scraping(record: &Record) -> Option<Picture> {
    let curve = |name: &'static str, of: fn(&TimeLine) -> Option<f64>| {
        Curve::new(name, Course::Straight, over_time(record, of))
    };
    Some(Picture {
        name: "scraping",
        title: "What scrapers have learnt".into(),
        caption: "Of all people who had ever been published by then, and of what they claim, the share that hostile nodes know which \
                  collect it: by asking every neighbour for every skill, and by gossip and reconciliation, as every node does."
            .into(),
        told: String::new(),
        x: time_axis(record),
        y: Axis::share("share of what was published"),
        curves: vec![
            curve("people, by asking", |line| line.scraped_people_asking),
            curve("claims, by asking", |line| line.scraped_claims_asking),
            curve("people, by gossip", |line| line.scraped_people_gossip),
            curve("claims, by gossip", |line| line.scraped_claims_gossip),
        ],
        shades: shades(record),
    })
}

fn lorenz(record: &Record) -> Option<Picture> {
    let loads = loads(record);
    let sum: f64 = loads.iter().sum();
    let mut points = vec![(0.0, 0.0)];
    let mut part = 0.0;
    let step = loads.len().div_ceil(STEPS_MAX).max(1);
    for (at, load) in loads.iter().enumerate() {
        part += load;
        if at % step == 0 || at + 1 == loads.len() {
            points.push(((at + 1) as f64 / loads.len() as f64, part / sum));
        }
    }
    (sum > 0.0).then(|| Picture {
        name: "load",
        title: "How evenly the work is shared out (Lorenz curve)".into(),
        caption: "Nodes in the order of the messages they received: the share of all messages that the least busy ones got.".into(),
        told: String::new(),
        x: Axis::share("share of nodes, least busy first"),
        y: Axis::share("share of messages received"),
        curves: vec![
            Curve::new("nodes", Course::Straight, points),
            Curve::new("all equal", Course::Measure, vec![(0.0, 0.0), (1.0, 1.0)]),
        ],
        shades: Vec::new(),
    })
}

/// How fast a count grew between the moments of a time series.
fn traffic(record: &Record) -> Option<Picture> {
    let rates = record.timeseries.windows(2).map(|pair| {
        let (seconds, messages) = (pair[1].at_s - pair[0].at_s, pair[1].messages - pair[0].messages);
        (pair[1].at_s, messages as f64 / seconds.max(1e-3))
    });
    let rates: Vec<(f64, f64)> = rates.collect();
    Some(Picture {
        name: "traffic",
        title: "Messages received over time".into(),
        caption: "By all nodes together, of every kind, since the moment before.".into(),
        told: String::new(),
        x: time_axis(record),
        y: from_zero("messages a second", rates.iter().map(|(_, rate)| *rate)),
        curves: vec![Curve::new("", Course::Straight, rates)],
        shades: shades(record),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_a_value_where_it_is() {
        let points = vec![(1.0, 0.0), (3.0, 4.0)];
        let straight = Curve::new("", Course::Straight, points.clone());
        assert_eq!(
            [0.5, 1.0, 2.0, 3.0, 3.5].map(|x| straight.at(x)),
            [None, Some(0.0), Some(2.0), Some(4.0), None]
        );
        let steps = Curve::new("", Course::Steps, points.clone());
        assert_eq!(
            [0.5, 1.0, 2.9, 3.0, 9.0].map(|x| steps.at(x)),
            [None, Some(0.0), Some(0.0), Some(4.0), Some(4.0)]
        );
        assert_eq!(super::steps(&points, 5.0), [(1.0, 0.0), (3.0, 0.0), (3.0, 4.0), (5.0, 4.0)]);
    }

    #[test]
    fn a_distribution_rises_to_the_share_that_came() {
        assert_eq!(cumulative(&[0.5, 2.0], 4, 1.0), [(1.0, 0.0), (1.0, 0.25), (2.0, 0.5)]);
        assert!(cumulative(&vec![1.0; 100_000], 100_000, 0.0).len() <= STEPS_MAX + 2);
    }
}
