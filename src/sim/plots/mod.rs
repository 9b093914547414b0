//! Plots, as SVG and PNG. [`Chart`] says what is to be seen; `drawing` is the only place that knows `plotters`.
//!
//! Colours are those of Okabe and Ito, which people with any form of colour blindness can tell apart; series also differ by
//! their order in the legend, and axes carry their units.

mod charts;
mod drawing;

pub use self::{
    charts::{of_run, of_sweep},
    drawing::PlotError,
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
    },
    /// A bar for each name.
    Bars {
        /// What the length of a bar is, with its unit.
        label: String,
        /// The bars, from above.
        bars: Vec<(String, f64)>,
    },
}

/// An axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it measures, with its unit.
    pub label: String,
    /// From where to where; of a logarithmic axis, the powers of ten.
    pub range: (f64, f64),
    /// Whether places are the decimal logarithms of what is measured.
    pub is_logarithmic: bool,
    /// Names of places, where the axis has names rather than numbers: at 0, 1, 2 and so on.
    pub names: Vec<String>,
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
    /// The same with a mark at each point.
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
