//! What a run shows as lines over two axes, in a form that can be averaged over runs.

mod overlay;
mod peers;

use knackmesh_simulations::plan::File;

use super::{Axis, Body, Chart, Series, Shade, Style};
use crate::sim::{metrics::loads, record::Record};

/// Most points that a line of a cumulative distribution has.
const STEPS_MAX: usize = 400;
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
    /// A straight line; the points are means of parts of the run, which are the same in every run, and some may have none.
    Parts,
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
        matches!(self, Course::Steps | Course::Straight | Course::Parts)
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
            Course::Straight | Course::Parts => (Style::Line, self.points.clone()),
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
        File::Full(file) => peers::pictures(record, file),
        File::Overlay(_) => overlay::pictures(record),
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

/// The cumulative distribution of sorted values above `least`, out of `all`, which may be more: those that never came.
pub(super) fn cumulative(sorted: &[f64], all: usize, least: f64) -> Vec<(f64, f64)> {
    let mut points = vec![(least, 0.0)];
    let step = sorted.len().div_ceil(STEPS_MAX).max(1);
    for (at, value) in sorted.iter().enumerate() {
        if at % step == 0 || at + 1 == sorted.len() {
            points.push((value.max(least), (at + 1) as f64 / all.max(1) as f64));
        }
    }
    points
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
