//! What a run of whole peers shows.

use knackmesh_simulations::plan::Full;

use super::{Course, Curve, Picture, cumulative, from_zero, lorenz, time_axis};
use crate::sim::{
    metrics::{answered, forgetting, partitions, scraping, spreads},
    plots::{Axis, Shade},
    record::{Record, TimeLine},
    statistics::{quantile, sorted},
};

/// Equal parts of a run over which recall is averaged.
const PARTS: u32 = 30;

pub(super) fn pictures(record: &Record, file: &Full) -> Vec<Option<Picture>> {
    vec![
        recall(record, file),
        coverage(record),
        recovery(record, file),
        stale(record),
        latency(record),
        discoverability(record, file),
        withdrawal(record, file),
        scraped(record),
        lorenz(record),
        traffic(record),
    ]
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

/// Its mean over the searches within each of equal parts of the run.
fn mean_recalls(record: &Record) -> Vec<(f64, f64)> {
    let part_s = (record.manifest.duration_ms as f64 / 1000.0 / f64::from(PARTS)).max(1e-3);
    let mut sums = vec![(0.0, 0.0); PARTS as usize];
    for (at_s, recall) in recalls(record) {
        if let Some(part) = sums.get_mut((at_s / part_s) as usize) {
            *part = (part.0 + recall, part.1 + 1.0);
        }
    }
    let means = (0..PARTS).zip(sums).filter(|(_, (_, count))| *count > 0.0);
    means.map(|(part, (sum, count))| ((f64::from(part) + 0.5) * part_s, sum / count)).collect()
}

fn recall(record: &Record, file: &Full) -> Option<Picture> {
    let k = file.metrics.recall_at;
    Some(Picture {
        name: "recall",
        title: format!("Recall@{k} over time"),
        caption: format!(
            "Of the best {k} that could be found at the moment of asking, the share that was among the first {k} of the answer. The line \
             is the mean of the searches within each thirtieth of the run."
        ),
        told: String::new(),
        x: time_axis(record),
        y: Axis::share(&format!("recall@{k} (share)")),
        curves: vec![
            Curve::new("mean", Course::Parts, mean_recalls(record)),
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
            Curve::new("recall", Course::Parts, within(mean_recalls(record))),
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

fn scraped(record: &Record) -> Option<Picture> {
    let (people, claims): (Ever, Ever) = (|line| line.people_ever, |line| line.claims_ever);
    let curve = |name: &'static str, course: Course, ever: Ever, of: fn(&TimeLine) -> Option<f64>| {
        Curve::new(name, course, scraping::of_everything(record, ever, of))
    };
    let learnt = scraping::at_the_end(record, |line| line.scraped_people)?;
    Some(Picture {
        name: "scraping",
        title: "What scrapers have learnt".into(),
        caption: "Of all people who are ever published in the run, and of all that they claim, the share that hostile nodes know which \
                  collect them: by asking every neighbour for every skill, and by gossip and reconciliation, as every node does. More \
                  than what is published by then nobody can know."
            .into(),
        told: format!("At the end they know {:.0} % of the people.", 100.0 * learnt),
        x: time_axis(record),
        y: Axis::share("share of what is ever published"),
        curves: vec![
            curve("people, by asking", Course::Straight, people, |line| line.scraped_people_asking),
            curve("claims, by asking", Course::Straight, claims, |line| line.scraped_claims_asking),
            curve("people, by gossip", Course::Straight, people, |line| line.scraped_people_gossip),
            curve("published by then", Course::Beside, people, |_| Some(1.0)),
        ],
        shades: shades(record),
    })
}

/// How much has ever been published.
type Ever = fn(&TimeLine) -> Option<u32>;

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
