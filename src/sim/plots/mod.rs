//! Plots, as SVG and PNG. [`Chart`] says what is to be seen; `drawing` and `strokes` are the only places that know `plotters`.
//!
//! Colours are those of Okabe and Ito, which people with any form of colour blindness can tell apart; lines differ by their
//! dashes and marks, too, so that a print in grey can be read, and axes carry their units.

mod axis;
mod curves;
mod drawing;
mod of_run;
mod of_sweep;
mod of_validation;
mod strokes;
mod swept;

pub use self::{
    axis::Axis,
    drawing::PlotError,
    of_run::of_run,
    of_sweep::{Drawn, Section, of_sweep},
    of_validation::overlaid,
};

/// A plot.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Its file's name without the ending.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub caption: String,
    /// What is to be drawn.
    pub body: Body,
}

/// What a chart draws.
#[derive(Clone, Debug)]
pub enum Body {
    /// Lines over two axes.
    Lines {
        /// Across.
        x: Axis,
        /// Up.
        y: Axis,
        /// What is drawn, first things first.
        series: Vec<Series>,
        /// Parts of the first axis that are shaded.
        shades: Vec<Shade>,
    },
    /// A bar for each name.
    Bars {
        /// What the length of a bar is, with its unit.
        label: String,
        /// The bars, from above.
        bars: Vec<(String, f64)>,
    },
}

/// A part of the first axis during which something held.
#[derive(Clone, Debug, PartialEq)]
pub struct Shade {
    /// What held.
    pub name: String,
    /// From where to where.
    pub range: (f64, f64),
}

/// Something drawn over two axes.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in the legend; empty for none.
    pub name: String,
    /// What it looks like.
    pub style: Style,
    /// Its points.
    pub points: Vec<(f64, f64)>,
    /// A band around it: below and above at each point.
    pub band: Vec<(f64, f64, f64)>,
}

/// What a series looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Straight from point to point.
    Line,
    /// The same with a mark at each point, and the band's ends as whiskers.
    Marked,
    /// Marks alone.
    Points,
    /// Thin and grey, to compare with.
    Reference,
}

impl Chart {
    /// As SVG.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn svg(&self) -> Result<String, PlotError> {
        drawing::svg(self)
    }

    /// As PNG.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        drawing::png(self)
    }
}

/// A number with the digits that tell it from the next, which is a step away.
fn number(value: f64, step: f64) -> String {
    let (divisor, unit) = match value.abs() {
        magnitude if magnitude >= 1e9 => (1e9, " G"),
        magnitude if magnitude >= 1e6 => (1e6, " M"),
        magnitude if magnitude >= 1e4 => (1e3, " k"),
        _ => (1.0, ""),
    };
    let digits = -(step.abs() / divisor).max(1e-9).log10().floor();
    let digits = digits.clamp(0.0, 9.0) as usize;
    let text = format!("{:.digits$}", value / divisor);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    let text = if text == "-0" { "0" } else { text };
    format!("{text}{unit}")
}
