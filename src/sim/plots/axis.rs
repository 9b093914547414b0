//! Axes: from a value to its place, and where ticks are.

use super::number;

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What it measures, with its unit.
    pub label: String,
    /// From which value to which; on a logarithmic axis both are above zero.
    pub range: (f64, f64),
    /// How values become places.
    pub scale: Scale,
    /// How much of a value is one unit of the label: 60 where values are seconds and the label says minutes.
    pub unit: f64,
    /// The least and the greatest that can be measured, which bands of confidence do not exceed.
    pub limits: (f64, f64),
}

/// How values become places.
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By their logarithm.
    Logarithmic,
    /// Names at 0, 1, 2 and so on.
    Named(Vec<String>),
}

/// A line of the grid, with what stands at its end; most lines of a logarithmic grid have nothing there.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Its value.
    pub value: f64,
    /// What stands there.
    pub label: Option<String>,
}

impl Axis {
    /// An even axis.
    pub fn linear(label: &str, range: (f64, f64)) -> Self {
        Axis { label: label.to_owned(), range, scale: Scale::Linear, unit: 1.0, limits: (0.0, f64::INFINITY) }
    }

    /// A logarithmic axis, from one value above zero to another.
    pub fn logarithmic(label: &str, range: (f64, f64)) -> Self {
        Axis { scale: Scale::Logarithmic, ..Axis::linear(label, range) }
    }

    /// An axis of names.
    pub fn named(label: &str, names: Vec<String>) -> Self {
        let range = (-0.3, names.len() as f64 - 0.7);
        Axis { scale: Scale::Named(names), ..Axis::linear(label, range) }
    }

    /// An axis of shares, with a little room, so that a line at 1 or 0 is not the border.
    pub fn share(label: &str) -> Self {
        Axis { limits: (0.0, 1.0), ..Axis::linear(label, (-0.03, 1.04)) }
    }

    /// An axis of time, from and to seconds, in the unit that makes short numbers of them.
    pub fn time(label: &str, range: (f64, f64)) -> Self {
        let (name, unit) = match range.1 - range.0 {
            span if span > 10.0 * 3600.0 => ("h", 3600.0),
            span if span > 20.0 * 60.0 => ("min", 60.0),
            _ => ("s", 1.0),
        };
        Axis { unit, ..Axis::linear(&format!("{label} ({name})"), range) }
    }

    /// The place of a value, from 0 at the beginning to 1 at the end; what is beyond is at the border.
    pub fn place(&self, value: f64) -> f64 {
        let of = |value: f64| match self.scale {
            Scale::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
            _ => value,
        };
        let (begin, end) = (of(self.range.0), of(self.range.1));
        if end > begin { ((of(value) - begin) / (end - begin)).clamp(0.0, 1.0) } else { 0.5 }
    }

    /// The value so far along the axis: the inverse of [`Axis::place`].
    pub fn value(&self, place: f64) -> f64 {
        let (begin, end) = self.range;
        match self.scale {
            Scale::Logarithmic => begin * (end / begin).powf(place),
            _ => begin + (end - begin) * place,
        }
    }

    /// Reaches as far as both.
    pub fn join(&mut self, other: &Axis) {
        self.range = (self.range.0.min(other.range.0), self.range.1.max(other.range.1));
    }

    /// The grid, with about `wanted` labels.
    pub fn ticks(&self, wanted: usize) -> Vec<Tick> {
        match &self.scale {
            Scale::Linear => self.even(wanted),
            Scale::Logarithmic => self.decades(wanted),
            Scale::Named(names) => names
                .iter()
                .enumerate()
                .map(|(at, name)| Tick { value: at as f64, label: Some(name.clone()) })
                .collect(),
        }
    }

    /// Ticks at multiples of 1, 2 or 5 times a power of ten.
    fn even(&self, wanted: usize) -> Vec<Tick> {
        let (begin, end) = (self.range.0 / self.unit, self.range.1 / self.unit);
        let raw = (end - begin) / wanted.max(1) as f64;
        if raw <= 0.0 || !raw.is_finite() {
            return Vec::new();
        }
        let power = 10_f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= raw);
        let step = step.unwrap_or(10.0 * power);
        let first = (begin / step).ceil();
        let count = ((end / step).floor() - first) as usize + 1;
        (0..count)
            .map(|at| {
                let value = (first + at as f64) * step;
                Tick { value: value * self.unit, label: Some(number(value, step)) }
            })
            .collect()
    }

    /// A line at each of 1 to 9 times each power of ten; labels at powers, and between them where there are few.
    fn decades(&self, wanted: usize) -> Vec<Tick> {
        let (begin, end) = (self.range.0 / self.unit, self.range.1 / self.unit);
        let (least, most) = (begin.log10().floor() as i32, end.log10().ceil() as i32);
        let within = |value: f64| (begin * 0.999..=end * 1.001).contains(&value);
        let lines = |times: &'static [u8]| {
            (least..=most)
                .flat_map(move |power| times.iter().map(move |times| f64::from(*times) * 10_f64.powi(power)))
                .filter(move |value| within(*value))
        };
        // The emptiest choice that says enough.
        const ALL: [u8; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        let choices: [&[u8]; 4] = [&[1], &[1, 2, 5], &[1, 2, 3, 5], &ALL];
        let labelled = choices.into_iter().find(|choice| lines(choice).count() > 3);
        let labelled: Vec<f64> = match labelled {
            Some(choice) => {
                let every = lines(choice).count().div_ceil(wanted.max(1));
                lines(choice).step_by(every).collect()
            }
            None => Vec::new(),
        };
        if labelled.len() < 2 {
            return self.even(wanted);
        }
        let tick = |value: f64| {
            let has_label = labelled.iter().any(|labelled| (labelled - value).abs() < value * 1e-6);
            Tick { value: value * self.unit, label: has_label.then(|| number(value, value)) }
        };
        lines(&ALL).map(tick).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, wanted: usize) -> Vec<String> {
        axis.ticks(wanted).into_iter().filter_map(|tick| tick.label).collect()
    }

    #[test]
    fn an_even_axis_has_round_numbers_with_as_many_digits_as_their_steps_need() {
        assert_eq!(labels(&Axis::linear("", (0.0, 120.0)), 6), ["0", "20", "40", "60", "80", "100", "120"]);
        assert_eq!(labels(&Axis::linear("", (0.0021, 0.0029)), 4), ["0.0022", "0.0024", "0.0026", "0.0028"]);
        assert_eq!(labels(&Axis::linear("", (0.0, 20_000.0)), 4), ["0", "5000", "10 k", "15 k", "20 k"]);
        assert_eq!(labels(&Axis::time("t", (0.0, 7200.0)), 4), ["0", "50", "100"], "minutes");
        assert_eq!(labels(&Axis::share(""), 6), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    }

    #[test]
    fn a_logarithmic_axis_has_a_line_at_each_of_one_to_nine_and_labels_where_there_is_room() {
        let wide = Axis::logarithmic("", (1.0, 10_000.0));
        assert_eq!(wide.ticks(8).len(), 4 * 9 + 1);
        assert_eq!(labels(&wide, 8), ["1", "10", "100", "1000", "10 k"]);
        assert_eq!(labels(&Axis::logarithmic("", (8.0, 250.0)), 8), ["10", "20", "50", "100", "200"]);
        assert_eq!(labels(&Axis::logarithmic("", (0.1, 1.0)), 5), ["0.1", "0.2", "0.5", "1"]);
        assert_eq!(labels(&Axis::logarithmic("", (110.0, 190.0)), 4), ["120", "140", "160", "180"]);
        assert_eq!(labels(&Axis::logarithmic("", (1.0, 1e9)), 5), ["1", "100", "10 k", "1 M", "100 M"]);
    }

    #[test]
    fn places_are_between_the_borders() {
        let axis = Axis::logarithmic("", (1.0, 100.0));
        assert!((axis.place(10.0) - 0.5).abs() < 1e-9 && (axis.value(0.5) - 10.0).abs() < 1e-9);
        assert_eq!((axis.place(0.0), axis.place(1e9)), (0.0, 1.0));
        assert_eq!(Axis::linear("", (3.0, 3.0)).place(3.0), 0.5);
    }
}
