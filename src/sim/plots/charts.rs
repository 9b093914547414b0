//! Which plots a run and a sweep have.

use std::collections::BTreeMap;

use knackmesh_simulations::plan::{File, Full};

use super::{Axis, Body, Chart, Series, Style};
use crate::sim::{
    metrics::{METRICS, answered, ended, label, loads, spreads},
    record::{Record, Sweep},
    statistics::{mean, quantile, sorted},
};

/// Searches whose recall is averaged for one point of the line.
const WINDOW: usize = 9;
/// Most points that a line of a cumulative distribution has.
const STEPS_MAX: usize = 400;

/// The plots of a run; what was not measured has none.
pub fn of_run(record: &Record) -> Vec<Chart> {
    let charts = [
        recall(record),
        latency(record),
        look_up_latency(record),
        hops(record),
        discoverability(record),
        coverage(record),
        lorenz(record),
        by_kind(record, "messages", "Messages sent, by kind", "messages", |line| line.sent as f64),
        by_kind(record, "bytes", "Bytes sent, by kind", "KiB", |line| line.sent_bytes as f64 / 1024.0),
    ];
    charts.into_iter().flatten().collect()
}

/// An axis of numbers.
fn plain() -> Axis {
    Axis { label: String::new(), range: (0.0, 1.0), is_logarithmic: false, names: Vec::new() }
}

fn time_axis(record: &Record) -> Axis {
    let end = record.manifest.reached_ms as f64 / 1000.0;
    Axis { label: "time since the run began (s)".into(), range: (0.0, end.max(1.0)), ..plain() }
}

fn share_axis(label: &str) -> Axis {
    // A little room, so that a line at 1 or 0 is not the border.
    Axis { label: label.to_owned(), range: (-0.03, 1.05), ..plain() }
}

fn line(name: &str, style: Style, points: Vec<(f64, f64)>) -> Series {
    Series { name: name.to_owned(), style, points, band: Vec::new() }
}

fn recall(record: &Record) -> Option<Chart> {
    let points: Vec<(f64, f64)> =
        record.queries.iter().filter_map(|line| Some((line.at_s, line.recall?))).collect();
    let averages = points.windows(WINDOW).map(|window| {
        let mean = |of: fn(&(f64, f64)) -> f64| window.iter().map(of).sum::<f64>() / window.len() as f64;
        (mean(|point| point.0), mean(|point| point.1))
    });
    let File::Full(Full { metrics, .. }) = &record.manifest.scenario else { return None };
    let k = metrics.recall_at;
    let averages: Vec<_> = averages.collect();
    let mut series = vec![line("one search", Style::Points, points.clone())];
    if !averages.is_empty() {
        series.push(line(&format!("mean of {WINDOW} in turn"), Style::Line, averages));
    }
    (!points.is_empty()).then(|| Chart {
        name: "recall".into(),
        title: format!("Recall@{k} over time"),
        caption: format!(
            "Of the best {k} that could be found at the moment of asking, the share that was among the first {k} of the answer."
        ),
        body: Body::Lines { x: time_axis(record), y: share_axis(&format!("recall@{k} (share)")), series },
    })
}

/// The cumulative distribution of sorted values out of `all`, which may be more: those that never came.
fn cumulative(sorted: &[f64], all: usize) -> Vec<(f64, f64)> {
    let mut points = vec![(0.0, 0.0)];
    let step = sorted.len().div_ceil(STEPS_MAX).max(1);
    for (at, value) in sorted.iter().enumerate() {
        if at % step == 0 || at + 1 == sorted.len() {
            let before = points.last().map_or(0.0, |point| point.1);
            points.push((*value, before));
            points.push((*value, (at + 1) as f64 / all.max(1) as f64));
        }
    }
    points
}

fn latency(record: &Record) -> Option<Chart> {
    let values = sorted(answered(record).filter_map(|line| line.latency_ms).map(|ms| ms as f64));
    let most = quantile(&values, 1.0)?;
    let series = vec![line("", Style::Line, cumulative(&values, values.len()))];
    Some(Chart {
        name: "latency".into(),
        title: "How long searches take".into(),
        caption: "The share of answered searches that took no longer, from command to answer.".into(),
        body: Body::Lines {
            x: Axis { label: "latency (ms)".into(), range: (0.0, most * 1.05 + 1.0), ..plain() },
            y: share_axis("share of searches"),
            series,
        },
    })
}

fn look_up_latency(record: &Record) -> Option<Chart> {
    let values = sorted(ended(record).map(|line| f64::from(line.latency_ms)));
    let most = quantile(&values, 1.0)?;
    Some(Chart {
        name: "look-up-latency".into(),
        title: "How long look-ups take".into(),
        caption: "The share of look-ups that took no longer, of those that ended by themselves.".into(),
        body: Body::Lines {
            x: Axis { label: "latency (ms)".into(), range: (0.0, most * 1.05 + 1.0), ..plain() },
            y: share_axis("share of look-ups"),
            series: vec![line("", Style::Line, cumulative(&values, values.len()))],
        },
    })
}

fn hops(record: &Record) -> Option<Chart> {
    let mut counts: BTreeMap<u8, u32> = BTreeMap::new();
    ended(record)
        .filter(|line| line.outcome == "found")
        .for_each(|line| *counts.entry(line.hops).or_default() += 1);
    let bar = |(hops, count): (u8, u32)| (format!("{hops} hops"), f64::from(count));
    let bars: Vec<_> = counts.into_iter().map(bar).collect();
    (!bars.is_empty()).then(|| Chart {
        name: "hops".into(),
        title: "How far targets are".into(),
        caption: "Answers that led to the target, its own included.".into(),
        body: Body::Bars { label: "look-ups that found their target".into(), bars },
    })
}

fn discoverability(record: &Record) -> Option<Chart> {
    let File::Full(Full { metrics, .. }) = &record.manifest.scenario else { return None };
    let names = [("publication", "publication to found"), ("withdrawal", "withdrawal to forgotten")];
    let mut series = Vec::new();
    let mut most: f64 = 0.0;
    for (what, name) in names {
        let all = record.spreading.iter().filter(|line| line.what == what).count();
        let values = spreads(record, what);
        if all > 0 {
            most = most.max(quantile(&values, 1.0).unwrap_or(0.0));
            series.push(line(name, Style::Line, cumulative(&values, all)));
        }
    }
    // From fractions of a second to minutes: what is below the first look counts as the first look.
    let least = (metrics.resolution.0 as f64 / 1000.0).max(0.001);
    let end = most.max(10.0 * least).log10().ceil();
    for series in &mut series {
        series.points.iter_mut().for_each(|point| point.0 = point.0.max(least).log10());
        // All lines end at the same place.
        let last = series.points.last().map_or(0.0, |point| point.1);
        series.points.push((end, last));
    }
    (!series.is_empty()).then(|| Chart {
        name: "discoverability".into(),
        title: "How fast news spreads".into(),
        caption: "The share of pairs of news and observer for which no more time passed until the observer's own index knew. A \
                  line that ends below 1 leaves those who did not learn of it while it counted."
            .into(),
        body: Body::Lines {
            x: Axis {
                label: "time since the order (s)".into(),
                range: (least.log10(), end),
                is_logarithmic: true,
                ..plain()
            },
            y: share_axis("share of news and observers"),
            series,
        },
    })
}

fn coverage(record: &Record) -> Option<Chart> {
    let points: Vec<(f64, f64)> =
        record.timeseries.iter().filter_map(|line| Some((line.at_s, line.coverage?))).collect();
    let nodes = f64::from(record.manifest.nodes.max(1));
    let running = record.timeseries.iter().map(|line| (line.at_s, line.running as f64 / nodes)).collect();
    (!points.is_empty()).then(|| Chart {
        name: "coverage".into(),
        title: "What observers know of what is published".into(),
        caption: "The share of published holders that an employer's node holds, on average, and the share of nodes that run."
            .into(),
        body: Body::Lines {
            x: time_axis(record),
            y: share_axis("share"),
            series: vec![
                line("published holders known", Style::Line, points),
                line("nodes that run", Style::Reference, running),
            ],
        },
    })
}

fn lorenz(record: &Record) -> Option<Chart> {
    let loads = loads(record);
    let sum: f64 = loads.iter().sum();
    let mut points = vec![(0.0, 0.0)];
    let mut part = 0.0;
    let step = loads.len().div_ceil(STEPS_MAX).max(1);
    for (at, load) in loads.iter().enumerate() {
        part += load;
        if at % step != 0 && at + 1 != loads.len() {
            continue;
        }
        points.push(((at + 1) as f64 / loads.len() as f64, part / sum));
    }
    (sum > 0.0).then(|| Chart {
        name: "load".into(),
        title: "How evenly the work is shared out".into(),
        caption: "Nodes in the order of the messages they received: the share of all messages that the least busy ones got."
            .into(),
        body: Body::Lines {
            x: share_axis("share of nodes, least busy first"),
            y: share_axis("share of messages received"),
            series: vec![
                line("nodes of this run", Style::Line, points),
                line("all equal", Style::Reference, vec![(0.0, 0.0), (1.0, 1.0)]),
            ],
        },
    })
}

fn by_kind(
    record: &Record,
    name: &str,
    title: &str,
    unit: &str,
    of: fn(&crate::sim::record::MessageLine) -> f64,
) -> Option<Chart> {
    let mut bars: Vec<(String, f64)> =
        record.messages.iter().map(|line| (line.kind.clone(), of(line))).collect();
    bars.sort_by(|a, b| b.1.total_cmp(&a.1));
    (!bars.is_empty()).then(|| Chart {
        name: name.to_owned(),
        title: title.to_owned(),
        caption: "By all nodes together, whether it arrived or not, without what carries messages (framing, encryption, \
                  acknowledgements)."
            .into(),
        body: Body::Bars { label: format!("{unit} sent by all nodes"), bars },
    })
}

/// A plot of each metric over the first swept key, or over nothing but chance when none is.
pub fn of_sweep(sweep: &Sweep) -> Vec<Chart> {
    METRICS.iter().filter_map(|metric| over_key(sweep, metric.name)).collect()
}

fn over_key(sweep: &Sweep, metric: &str) -> Option<Chart> {
    let key = sweep.keys.first()?;
    // Values of the first key, in the order of the scenario; one line for each combination of the others.
    let names: Vec<String> = sweep.scenario.sweep().get(key)?.iter().map(ToString::to_string).collect();
    let mut lines: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for run in &sweep.runs {
        let Some(at) = run.values.first().and_then(|value| names.iter().position(|name| name == value))
        else {
            continue;
        };
        let others = sweep.keys.iter().zip(&run.values).skip(1);
        let name = others.map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ");
        let groups = lines.entry(name).or_insert_with(|| vec![Vec::new(); names.len()]);
        groups[at].extend(run.summary.get(metric).copied().flatten());
    }
    let mut series = Vec::new();
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for (name, groups) in lines {
        let means: Vec<_> =
            groups.iter().enumerate().filter_map(|(at, values)| Some((at as f64, mean(values)?))).collect();
        let mut drawn = line(&name, Style::Marked, means.iter().map(|(at, mean)| (*at, mean.mean)).collect());
        drawn.band = means
            .iter()
            .map(|(at, mean)| {
                let half = mean.half_width.unwrap_or(0.0);
                (*at, mean.mean - half, mean.mean + half)
            })
            .collect();
        for (_, below, above) in &drawn.band {
            (least, most) = (least.min(*below), most.max(*above));
        }
        series.push(drawn);
    }
    if !least.is_finite() {
        return None;
    }
    let margin = ((most - least) * 0.1).max(most.abs() * 0.02).max(0.01);
    let seeds = sweep.seeds.len();
    let band = if seeds > 1 {
        format!("Means over {seeds} seeds, with bands of 95 % confidence by Student's t distribution.")
    } else {
        "One seed: what of this is chance cannot be said. Sweep over more with --seeds 1..20.".to_owned()
    };
    Some(Chart {
        name: metric.to_owned(),
        title: format!("{} over {key}", capital(label(metric))),
        caption: band,
        body: Body::Lines {
            x: Axis { label: key.clone(), range: (-0.2, names.len() as f64 - 0.8), names, ..plain() },
            y: Axis { label: label(metric).to_owned(), range: (least - margin, most + margin), ..plain() },
            series,
        },
    })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
