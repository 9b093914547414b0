//! The plots of a sweep: metrics against what it varies, and what its runs show, averaged over seeds.

use knackmesh_simulations::plan::File;

use super::{
    Axis, Body, Chart, Series, Style,
    curves::{Course, Curve, Picture, pictures},
    swept::Swept,
};
use crate::sim::{
    metrics::{METRICS, Metric},
    record::{Record, Sweep},
    statistics::mean,
};

/// Places at which lines of runs are averaged.
const PLACES: u32 = 160;
/// Most combinations of values that a plot shows side by side.
const LINES_MAX: usize = 5;
/// Metrics that are drawn together against the size of the network: what one search, one publication and one look-up cost.
const COSTS: [(&str, &str, &str); 3] = [
    ("search", "messages_per_query", "bytes_per_query"),
    ("publication", "messages_per_publication", "bytes_per_publication"),
    ("look-up", "messages_per_look_up", "bytes_per_look_up"),
];

/// The lines of a run of a sweep, without the tables that they are made of.
pub struct Drawn {
    values: Vec<String>,
    pictures: Vec<Picture>,
}

impl Drawn {
    /// Of a run with these values of the swept keys.
    pub fn of(values: &[String], record: &Record) -> Self {
        Drawn { values: values.to_vec(), pictures: pictures(record) }
    }
}

/// Plots under a heading.
pub struct Section {
    /// What they have in common.
    pub heading: String,
    /// Whether they are shown at once, or only to those who ask.
    pub is_open: bool,
    /// The plots.
    pub charts: Vec<Chart>,
}

/// The plots of a sweep. Runs that ended early are in none.
pub fn of_sweep(sweep: &Sweep, drawn: &[Drawn]) -> Vec<Section> {
    let mut sections = Vec::new();
    if let Some(swept) = Swept::main(sweep) {
        let costs: Vec<Chart> = if swept.is_size { costs(sweep, &swept) } else { Vec::new() };
        let is_cost = |metric: &&Metric| COSTS.iter().any(|cost| [cost.1, cost.2].contains(&metric.name));
        let others = METRICS.iter().filter(|metric| costs.is_empty() || !is_cost(metric));
        let (main, rest): (Vec<&Metric>, Vec<&Metric>) = others.partition(|metric| metric.is_main);
        let draw = |metrics: Vec<&Metric>| -> Vec<Chart> {
            metrics.into_iter().filter_map(|metric| against(sweep, &swept, metric)).collect()
        };
        sections.push(Section {
            heading: format!("Against {}", swept.what),
            is_open: true,
            charts: [costs, draw(main)].concat(),
        });
        sections.push(Section {
            heading: format!("Other measures against {}", swept.what),
            is_open: false,
            charts: draw(rest),
        });
    }
    let heading =
        format!("Means over {} seed{}", sweep.seeds.len(), if sweep.seeds.len() == 1 { "" } else { "s" });
    sections
        .insert(sections.len().min(1), Section { heading, is_open: true, charts: averages(sweep, drawn) });
    sections.retain(|section| !section.charts.is_empty());
    sections
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// What bands say, or why there are none.
fn bands(sweep: &Sweep) -> String {
    match sweep.seeds.len() {
        0 | 1 => {
            "One seed: what of this is chance cannot be said. Sweep over more with --seeds 1..20.".to_owned()
        }
        seeds => {
            format!("Means over {seeds} seeds, with bands of 95 % confidence by Student's t distribution.")
        }
    }
}

/// A combination's name: the values of the keys but one.
fn name(sweep: &Sweep, values: &[String], but: Option<usize>) -> String {
    let keys = sweep.keys.iter().zip(values).enumerate().filter(|(number, _)| Some(*number) != but);
    keys.map(|(_, (key, value))| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
}

/// Means of a metric over seeds, at the places of what is swept: a line for each combination of the other keys.
fn means(sweep: &Sweep, swept: &Swept, metric: &str) -> Vec<Series> {
    let Some(names) = sweep.keys.get(swept.key).and_then(|key| sweep.scenario.sweep().get(key)) else {
        return Vec::new();
    };
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut lines: Vec<(String, Vec<Vec<f64>>)> = Vec::new();
    for run in sweep.runs.iter().filter(|run| !run.partial) {
        let at = run.values.get(swept.key).and_then(|value| names.iter().position(|name| name == value));
        let (Some(at), Some(value)) = (at, run.summary.get(metric).copied().flatten()) else { continue };
        let name = name(sweep, &run.values, Some(swept.key));
        let line = match lines.iter().position(|(known, _)| *known == name) {
            Some(line) => line,
            None => {
                lines.push((name, vec![Vec::new(); names.len()]));
                lines.len() - 1
            }
        };
        lines[line].1[at].push(value);
    }
    let series = |(name, groups): (String, Vec<Vec<f64>>)| {
        let mut places: Vec<_> =
            swept.places.iter().zip(&groups).filter_map(|(x, values)| Some((*x, mean(values)?))).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0));
        let half = |of: &crate::sim::statistics::Mean| of.half_width.unwrap_or(0.0);
        Series {
            name,
            style: Style::Marked,
            points: places.iter().map(|(x, mean)| (*x, mean.mean)).collect(),
            band: places.iter().map(|(x, of)| (*x, of.mean - half(of), of.mean + half(of))).collect(),
        }
    };
    lines.into_iter().map(series).collect()
}

/// The least and the greatest that series and their bands reach.
fn reach(series: &[Series]) -> Option<(f64, f64)> {
    let values = series.iter().flat_map(|series| {
        series.points.iter().map(|point| point.1).chain(series.band.iter().flat_map(|band| [band.1, band.2]))
    });
    let reach = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    reach.0.is_finite().then_some(reach)
}

fn within(series: &mut [Series], (least, most): (f64, f64)) {
    for (_, below, above) in series.iter_mut().flat_map(|series| &mut series.band) {
        (*below, *above) = (below.clamp(least, most), above.clamp(least, most));
    }
}

/// An axis for what series reach, and what is to be said of it.
fn fitting(label: &str, is_share: bool, (least, most): (f64, f64)) -> (Axis, &'static str) {
    if is_share && (most - least > 0.2 || (least < 0.1 && most > 0.1) || most - least < 1e-9) {
        return (Axis::share(label), "");
    }
    if least < most / 2.0 || most - least < 1e-9 {
        // A line at 0 is not the border.
        let range = if most > 0.0 { (0.0, most * 1.08) } else { (-0.04, 1.0) };
        return (Axis::linear(label, range), "");
    }
    let room = (most - least) * 0.12;
    (Axis::linear(label, (least - room, most + room)), " The axis does not begin at 0.")
}

/// A metric against what is swept.
fn against(sweep: &Sweep, swept: &Swept, metric: &Metric) -> Option<Chart> {
    let mut series = means(sweep, swept, metric.name);
    let label = match &sweep.scenario {
        File::Full(full) => metric.label.replace("recall,", &format!("recall@{},", full.metrics.recall_at)),
        File::Overlay(_) => metric.label.to_owned(),
    };
    let is_share = label.contains("(share");
    within(&mut series, if is_share { (0.0, 1.0) } else { (0.0, f64::INFINITY) });
    let (y, told) = fitting(&label, is_share, reach(&series)?);
    Some(Chart {
        name: metric.name.to_owned(),
        title: format!("{}, against {}", capital(&label), swept.what),
        caption: format!("{}{told}", bands(sweep)),
        body: Body::Lines { x: swept.axis.clone(), y, series, shades: Vec::new() },
    })
}

/// What searches, publications and look-ups cost against the size of the network, on logarithmic axes.
fn costs(sweep: &Sweep, swept: &Swept) -> Vec<Chart> {
    let cost = |unit: &str, of: fn(&(&str, &'static str, &'static str)) -> &'static str| {
        let mut all = Vec::new();
        for cost in &COSTS {
            for mut series in means(sweep, swept, of(cost)) {
                series.name = if series.name.is_empty() {
                    format!("a {}", cost.0)
                } else {
                    format!("a {}, {}", cost.0, series.name)
                };
                all.push(series);
            }
        }
        let means = all.iter().flat_map(|series| series.points.iter().map(|point| point.1));
        let least = means.clone().filter(|mean| *mean > 0.0).fold(f64::INFINITY, f64::min);
        if !least.is_finite() {
            return None;
        }
        // A logarithmic axis has no place for nothing, nor for a band that reaches there.
        all.iter_mut().for_each(|series| series.points.retain(|point| point.1 > 0.0));
        all.retain(|series| !series.points.is_empty());
        within(&mut all, (least / 2.0, f64::INFINITY));
        let (below, above) = reach(&all)?;
        let label = format!("{unit} sent, mean");
        let names: Vec<&str> = COSTS.iter().map(|cost| cost.0).collect();
        let shown = names.into_iter().filter(|name| all.iter().any(|series| series.name.contains(name)));
        Some(Chart {
            name: format!("{unit}-against-size"),
            title: format!(
                "{} for a {} against the number of nodes",
                capital(unit),
                shown.collect::<Vec<_>>().join(" and a ")
            ),
            caption: format!(
                "Both axes are logarithmic: a straight line is a power of the number of nodes. What is sent for a search is the search, its \
                 leads, inquiries and their answers; for a publication, its gossip and its records. {}",
                bands(sweep)
            ),
            body: Body::Lines {
                x: swept.axis.clone(),
                y: Axis::logarithmic(&label, (below / 1.3, above * 1.3)),
                series: all,
                shades: Vec::new(),
            },
        })
    };
    [cost("messages", |cost| cost.1), cost("bytes", |cost| cost.2)].into_iter().flatten().collect()
}

/// What the runs show as lines, averaged over seeds.
fn averages(sweep: &Sweep, drawn: &[Drawn]) -> Vec<Chart> {
    let mut combinations: Vec<&[String]> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for run in drawn {
        if !combinations.contains(&run.values.as_slice()) {
            combinations.push(&run.values);
        }
        names.extend(
            run.pictures
                .iter()
                .map(|picture| picture.name)
                .filter(|name| !names.contains(name))
                .collect::<Vec<_>>(),
        );
    }
    let all = combinations.len();
    // The first, the last, and some between them.
    let shown: Vec<&[String]> = if all <= LINES_MAX {
        combinations
    } else {
        (0..LINES_MAX).map(|at| combinations[at * (all - 1) / (LINES_MAX - 1)]).collect()
    };
    let told = if all > shown.len() {
        format!(" {} of {all} combinations are shown.", shown.len())
    } else {
        String::new()
    };
    names.iter().flat_map(|name| average(sweep, drawn, &shown, name, &told)).collect()
}

/// A picture, averaged: one plot with all its lines, or, where there are several combinations of values, a plot for each line.
fn average(sweep: &Sweep, drawn: &[Drawn], shown: &[&[String]], picture: &str, told: &str) -> Vec<Chart> {
    let of = |run: &'_ Drawn| run.pictures.iter().position(|own| own.name == picture);
    let runs: Vec<(&[String], &Picture)> =
        drawn.iter().filter_map(|run| Some((run.values.as_slice(), &run.pictures[of(run)?]))).collect();
    let Some((_, first)) = runs.first() else { return Vec::new() };
    let (mut x, mut y) = (first.x.clone(), first.y.clone());
    runs.iter().for_each(|(_, picture)| (x.join(&picture.x), y.join(&picture.y)).1);
    let is_same = runs.iter().all(|(_, picture)| picture.shades == first.shades);
    let mut curves: Vec<&'static str> = Vec::new();
    for curve in runs.iter().flat_map(|(_, picture)| &picture.curves) {
        if curve.course.is_averaged() && !curves.contains(&curve.name) {
            curves.push(curve.name);
        }
    }
    let beside = first.curves.iter().filter(|curve| curve.course.is_beside_any_run());
    let beside: Vec<Series> = beside.map(|curve| curve.series(x.range.1)).collect();
    let averaged = |values: &[String], curve: &str, name: String| {
        let of_values = runs.iter().filter(|(own, _)| *own == values);
        let curves: Vec<&Curve> = of_values
            .flat_map(|(_, picture)| {
                picture.curves.iter().filter(|own| own.name == curve && own.course.is_averaged())
            })
            .collect();
        mean_line(&curves, &x, y.limits, name)
    };
    let chart = |name: String, title: String, series: Vec<Series>| Chart {
        name,
        title,
        caption: format!("{} {}{told}", first.caption, bands(sweep)),
        body: Body::Lines {
            x: x.clone(),
            y: fitted(&y, &series),
            series: series.into_iter().chain(beside.iter().cloned()).collect(),
            shades: if is_same { first.shades.clone() } else { Vec::new() },
        },
    };
    if let [values] = shown {
        let series = curves.iter().map(|curve| averaged(values, curve, (*curve).to_owned())).collect();
        return vec![chart(format!("mean-{picture}"), first.title.clone(), series)];
    }
    let of_curve = |curve: &&str| {
        let series = shown.iter().map(|values| averaged(values, curve, name(sweep, values, None))).collect();
        if curves.len() == 1 {
            return chart(format!("mean-{picture}"), first.title.clone(), series);
        }
        let file: String = curve.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        chart(format!("mean-{picture}-{file}"), format!("{}: {curve}", first.title), series)
    };
    curves.iter().map(of_curve).collect()
}

/// An axis that is long enough for bands, too, unless it is one of shares, and ends not far above them.
fn fitted(y: &Axis, series: &[Series]) -> Axis {
    let mut y = y.clone();
    if y.limits.1.is_infinite()
        && let Some((_, most)) = reach(series).filter(|(_, most)| *most > 0.0)
    {
        y.range.1 = most * 1.06;
    }
    y
}

/// The mean of lines, at places all along an axis, with its band.
fn mean_line(curves: &[&Curve], x: &Axis, limits: (f64, f64), name: String) -> Series {
    let (mut points, mut band) = (Vec::new(), Vec::new());
    let is_of_parts = curves.iter().any(|curve| curve.course == Course::Parts);
    let places: Vec<f64> = if is_of_parts {
        let mut places: Vec<f64> =
            curves.iter().flat_map(|curve| &curve.points).map(|point| point.0).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    } else {
        (0..=PLACES).map(|at| x.value(f64::from(at) / f64::from(PLACES))).collect()
    };
    for place in places {
        let of = |curve: &&Curve| match curve.course {
            Course::Parts => curve.points.iter().find(|point| point.0 == place).map(|point| point.1),
            _ => curve.at(place),
        };
        let values: Vec<f64> = curves.iter().filter_map(of).collect();
        // A mean of fewer would jump where one of them ends; a part without a search is no end.
        if values.len() < if is_of_parts { curves.len().div_ceil(2) } else { curves.len() } {
            continue;
        }
        let Some(mean) = mean(&values) else { continue };
        points.push((place, mean.mean));
        let half = mean.half_width.unwrap_or(0.0);
        band.push((
            place,
            (mean.mean - half).clamp(limits.0, limits.1),
            (mean.mean + half).clamp(limits.0, limits.1),
        ));
    }
    Series { name, style: Style::Line, points, band: if curves.len() > 1 { band } else { Vec::new() } }
}

#[cfg(test)]
mod tests {
    use super::{super::axis::Scale, *};

    #[test]
    fn a_mean_of_lines_is_where_all_of_them_are() {
        let curve = |from: f64, level: f64| Curve {
            name: "",
            points: vec![(from, level), (10.0, level)],
            course: Course::Straight,
        };
        let (low, high) = (curve(0.0, 0.4), curve(5.0, 0.6));
        let line = mean_line(&[&low, &high], &Axis::linear("", (0.0, 10.0)), (0.0, 1.0), String::new());
        assert_eq!(line.points.first(), Some(&(5.0, 0.5)));
        // Two values with t(1) = 12.706: the band is as wide as it can be.
        assert_eq!(line.band.first(), Some(&(5.0, 0.0, 1.0)));
        let alone = mean_line(&[&low], &Axis::linear("", (0.0, 10.0)), (0.0, 1.0), String::new());
        assert!(alone.band.is_empty() && alone.points.len() == PLACES as usize + 1);
    }

    #[test]
    fn an_axis_that_does_not_begin_at_zero_says_so() {
        assert_eq!(fitting("", false, (1.0, 100.0)).0.range.0, 0.0);
        assert!(fitting("", false, (90.0, 100.0)).1.contains("not begin at 0"));
        assert_eq!(fitting("", true, (1.0, 1.0)).0, Axis::share(""));
        assert!(matches!(fitting("", true, (0.95, 1.0)).0.scale, Scale::Linear));
    }
}
