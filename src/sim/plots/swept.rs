//! The values of a swept key as places on an axis.

use std::str::FromStr;

use knackmesh_simulations::plan::{Bandwidth, Duration, Rate, Share};

use super::{Axis, axis::Scale};
use crate::sim::record::{Sweep, SweepRow};

/// From which ratio of the greatest to the least on an axis is logarithmic.
const WIDE: f64 = 20.0;

/// What a sweep varies, on an axis.
pub(super) struct Swept {
    /// Which of the sweep's keys.
    pub key: usize,
    /// What it is, in the words of a title.
    pub what: String,
    pub axis: Axis,
    /// The place of each value, in the order of the scenario.
    pub places: Vec<f64>,
    /// Whether it is the size of the network.
    pub is_size: bool,
    is_attackers: bool,
}

impl Swept {
    /// The key that plots have across: the size of the population before the attackers, these before other numbers, and what is no number
    /// last; of equals the first.
    pub fn main(sweep: &Sweep) -> Option<Self> {
        let rank = |swept: &Swept| match swept.axis.scale {
            Scale::Named(_) => 3,
            _ if swept.is_size => 0,
            _ if swept.is_attackers => 1,
            _ => 2,
        };
        (0..sweep.keys.len()).filter_map(|key| Swept::of(sweep, key)).min_by_key(rank)
    }

    /// One of the keys that vary. Sizes of the population are told in nodes, attackers in shares of all nodes, and other values
    /// in their own unit; what is no number has a place for each name.
    fn of(sweep: &Sweep, number: usize) -> Option<Self> {
        let key = sweep.keys.get(number)?;
        let names: Vec<String> = sweep.scenario.sweep().get(key)?.iter().map(ToString::to_string).collect();
        let mean = |of: fn(&SweepRow) -> f64| -> Option<Vec<f64>> {
            let mean = |name: &String| {
                let with =
                    || sweep.runs.iter().filter(|run| run.values.get(number) == Some(name) && run.nodes > 0);
                let count = with().count() as f64;
                (count > 0.0).then(|| with().map(of).sum::<f64>() / count)
            };
            let means: Option<Vec<f64>> = names.iter().map(mean).collect();
            // A key that moves it not at all is another matter.
            means.filter(|means| means.windows(2).any(|pair| pair[0] != pair[1]))
        };
        if key.starts_with("population.")
            && let Some(places) = mean(|run| f64::from(run.nodes))
        {
            let axis = fitting(&format!("nodes (by {key})"), &places, 4.0);
            let what = "the number of nodes".into();
            return Some(Swept { key: number, what, axis, places, is_size: true, is_attackers: false });
        }
        if (key.starts_with("adversaries.") || key == "attack.share")
            && let Some(places) = mean(|run| 100.0 * f64::from(run.attackers) / f64::from(run.nodes))
        {
            let most = places.iter().copied().fold(0.0, f64::max);
            let label = format!("hostile nodes, of all nodes (%; by {key})");
            let axis = Axis::linear(&label, (-0.03 * most, 1.04 * most));
            let what = "the share of hostile nodes".into();
            return Some(Swept { key: number, what, axis, places, is_size: false, is_attackers: true });
        }
        let (axis, places) = match numbers(&names) {
            Some((unit, places)) => {
                let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
                (fitting(&format!("{key}{unit}"), &places, WIDE), places)
            }
            None => {
                let places = (0..names.len()).map(|at| at as f64).collect();
                (Axis::named(key, names), places)
            }
        };
        Some(Swept { key: number, what: key.clone(), axis, places, is_size: false, is_attackers: false })
    }
}

/// An axis on which all values have a place; logarithmic where they are `wide` times apart.
fn fitting(label: &str, values: &[f64], wide: f64) -> Axis {
    let (least, most) = (
        values.iter().copied().fold(f64::INFINITY, f64::min),
        values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    );
    if least > 0.0 && most / least >= wide {
        let room = (most / least).powf(0.04);
        return Axis::logarithmic(label, (least / room, most * room));
    }
    let room = if most > least { (most - least) * 0.04 } else { most.abs().max(1.0) * 0.1 };
    Axis::linear(label, (least - room, most + room))
}

/// Values that are all numbers of one kind, and their unit.
fn numbers(names: &[String]) -> Option<(&'static str, Vec<f64>)> {
    fn all<T: FromStr>(names: &[String], of: impl Fn(T) -> f64) -> Option<Vec<f64>> {
        names.iter().map(|name| name.parse::<T>().ok().map(&of)).collect()
    }
    let day_ms = 86_400_000.0;
    None.or_else(|| all(names, |number: f64| number).map(|all| ("", all)))
        .or_else(|| all(names, |Duration(ms)| ms as f64 / 1000.0).map(|all| ("s", all)))
        .or_else(|| all(names, |Share(millionths)| f64::from(millionths) / 10_000.0).map(|all| ("%", all)))
        .or_else(|| {
            all(names, |Rate(a_day)| a_day as f64 / 1000.0 / day_ms * 60_000.0).map(|all| ("a minute", all))
        })
        .or_else(|| all(names, |Bandwidth(kilobits)| kilobits as f64 / 1000.0).map(|all| ("Mbit/s", all)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn values_of_one_kind_are_numbers_in_one_unit() {
        let of = |names: &[&str]| numbers(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["1000", "64000"]), Some(("", vec![1000.0, 64_000.0])));
        assert_eq!(of(&["0 %", "2.5 %"]), Some(("%", vec![0.0, 2.5])));
        assert_eq!(of(&["500 ms", "2 min"]), Some(("s", vec![0.5, 120.0])));
        assert_eq!(of(&["2 /s", "30 /min"]), Some(("a minute", vec![120.0, 30.0])));
        assert_eq!(of(&["500 kbit/s", "1 Gbit/s"]), Some(("Mbit/s", vec![0.5, 1000.0])));
        assert_eq!(of(&["drop", "eclipse"]), None);
        assert_eq!(of(&["1", "2 s"]), None);
    }

    #[test]
    fn wide_values_are_on_a_logarithmic_axis_and_zero_is_on_none() {
        assert_eq!(fitting("", &[1.0, 100.0], WIDE).scale, Scale::Logarithmic);
        assert_eq!(fitting("", &[0.0, 100.0], WIDE).scale, Scale::Linear);
        let single = fitting("", &[5.0], WIDE);
        assert!(single.range.0 < 5.0 && 5.0 < single.range.1);
    }
}
