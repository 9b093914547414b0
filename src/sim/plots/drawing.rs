//! From a chart to a picture: the layout is ours, to the pixel, so that nothing lies over anything else; `plotters` draws.

use std::{fmt::Display, sync::Once};

use plotters::{
    backend::{BitMapBackend, DrawingBackend, SVGBackend},
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{Circle, PathElement, Polygon, Rectangle, Text},
    style::{
        Color, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle, WHITE, register_font,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{
    Axis, Body, Chart, Series, Shade, Style, number,
    strokes::{COLOURS, Pixel, REFERENCE, colour, mark, strokes},
};

/// Width and height of a picture.
const SIZE: (u32, u32) = (960, 560);
const MARGIN: i32 = 18;
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(214, 214, 214);
const FINE_GRID: RGBColor = RGBColor(236, 236, 236);
const GREY: RGBColor = RGBColor(115, 115, 115);
const SHADE: RGBColor = RGBColor(230, 230, 230);
/// Heights of letters.
const TITLE: f64 = 20.0;
const LABEL: f64 = 16.0;
const SMALL: f64 = 14.0;
/// Height of a line of the legend.
const LEGEND_LINE: i32 = 24;
/// Half the width of a mark.
const MARK: f64 = 6.0;
/// Width of what stands before a name in the legend.
const SAMPLE: i32 = 44;

/// A chart that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the plot {chart} cannot be drawn: {message}")]
pub struct PlotError {
    /// Which.
    chart: String,
    /// Why.
    message: String,
}

pub(super) fn svg(chart: &Chart) -> Result<String, PlotError> {
    let mut text = String::new();
    draw(chart, SVGBackend::with_string(&mut text, SIZE).into_drawing_area())?;
    // For those who have it read to them.
    let title = chart.title.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    Ok(text.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{title}\" "), 1))
}

pub(super) fn png(chart: &Chart) -> Result<Vec<u8>, PlotError> {
    let mut pixels = vec![255; SIZE.0 as usize * SIZE.1 as usize * 3];
    draw(chart, BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area())?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels))
        .map_err(|e| failed(chart, &e))?;
    Ok(bytes)
}

fn failed(chart: &Chart, error: &dyn Display) -> PlotError {
    PlotError { chart: chart.name.clone(), message: error.to_string() }
}

/// Text needs a font, and the machine may have none.
fn lend_font() {
    static ONCE: Once = Once::new();
    // The font is part of the program; were it damaged, drawing would say so.
    ONCE.call_once(|| {
        let _ = register_font(FONT, FontStyle::Normal, include_bytes!("font/dejavu-sans-subset.ttf"));
    });
}

fn draw<DB: DrawingBackend>(chart: &Chart, area: DrawingArea<DB, Shift>) -> Result<(), PlotError> {
    lend_font();
    let canvas = Canvas { chart, area };
    canvas.area.fill(&WHITE).map_err(|e| failed(chart, &e))?;
    match &chart.body {
        Body::Lines { x, y, series, shades } => canvas.lines(x, y, series, shades),
        Body::Bars { label, bars } => canvas.bars(label, bars),
    }?;
    canvas.area.present().map_err(|e| failed(chart, &e))
}

/// A picture of a chart in the making.
struct Canvas<'a, DB: DrawingBackend> {
    chart: &'a Chart,
    area: DrawingArea<DB, Shift>,
}

/// Where on a picture the axes are.
#[derive(Clone, Copy)]
struct Frame {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl Frame {
    fn at(self, x: &Axis, y: &Axis, (across, up): (f64, f64)) -> Pixel {
        (self.across(x, across), self.up(y, up))
    }

    fn across(self, axis: &Axis, value: f64) -> i32 {
        self.left + (axis.place(value) * f64::from(self.right - self.left)).round() as i32
    }

    fn up(self, axis: &Axis, value: f64) -> i32 {
        self.bottom - (axis.place(value) * f64::from(self.bottom - self.top)).round() as i32
    }
}

/// What stands in the legend.
struct Entry<'a> {
    name: &'a str,
    look: Look,
}

/// What a series, or something shaded, looks like.
#[derive(Clone, Copy)]
enum Look {
    Series(Style, usize),
    Shade,
}

impl Look {
    fn colour(self) -> RGBColor {
        match self {
            Look::Series(Style::Reference, _) => GREY,
            Look::Series(_, number) => colour(number),
            Look::Shade => SHADE,
        }
    }
}

impl<DB: DrawingBackend> Canvas<'_, DB> {
    fn lines(&self, x: &Axis, y: &Axis, series: &[Series], shades: &[Shade]) -> Result<(), PlotError> {
        let mut coloured = 0..;
        let looks: Vec<Look> = series
            .iter()
            .map(|Series { style, .. }| match style {
                Style::Reference => Look::Series(*style, REFERENCE),
                _ => Look::Series(*style, coloured.next().unwrap_or_default()),
            })
            .collect();
        let named = series.iter().zip(&looks).map(|(series, look)| Entry { name: &series.name, look: *look });
        let mut entries: Vec<Entry<'_>> = named.filter(|entry| !entry.name.is_empty()).collect();
        for Shade { name, .. } in shades {
            if !entries.iter().any(|entry| entry.name == name) {
                entries.push(Entry { name, look: Look::Shade });
            }
        }
        self.title()?;
        let top = self.legend(&entries)?;
        let (across, up) = (x.ticks(9), y.ticks(7));
        let labels = up.iter().filter_map(|tick| tick.label.as_deref());
        let widest = labels.map(|label| self.width(label, SMALL)).max().unwrap_or(0);
        let frame = Frame {
            left: MARGIN + 34 + widest,
            right: SIZE.0 as i32 - MARGIN - 14,
            top: top + 8,
            bottom: SIZE.1 as i32 - MARGIN - 52,
        };
        for Shade { range, .. } in shades {
            let (from, to) = (frame.across(x, range.0), frame.across(x, range.1));
            self.put(&Rectangle::new([(from, frame.top), (to, frame.bottom)], SHADE.filled()))?;
        }
        for tick in &across {
            let at = frame.across(x, tick.value);
            let line = if tick.label.is_some() { GRID } else { FINE_GRID };
            self.path(vec![(at, frame.top), (at, frame.bottom)], line.stroke_width(1))?;
        }
        for tick in &up {
            let at = frame.up(y, tick.value);
            let line = if tick.label.is_some() { GRID } else { FINE_GRID };
            self.path(vec![(frame.left, at), (frame.right, at)], line.stroke_width(1))?;
            if let Some(label) = &tick.label {
                self.text(label, (frame.left - 9, at), SMALL, HPos::Right)?;
            }
        }
        self.labels_below(x, &across, frame)?;
        self.text(
            &x.label,
            (i32::midpoint(frame.left, frame.right), SIZE.1 as i32 - MARGIN - 6),
            LABEL,
            HPos::Center,
        )?;
        self.sideways(
            &y.label,
            (MARGIN + 2, i32::midpoint(frame.top, frame.bottom)),
            frame.bottom - frame.top,
        )?;
        for (series, look) in series.iter().zip(&looks) {
            self.band(x, y, series, *look, frame)?;
        }
        // Clouds of points lie below lines.
        for is_cloud in [true, false] {
            for (series, look) in series.iter().zip(&looks) {
                if (series.style == Style::Points) == is_cloud {
                    self.series(x, y, series, *look, frame)?;
                }
            }
        }
        let Frame { left, right, top, bottom } = frame;
        self.path(vec![(left, top), (left, bottom), (right, bottom)], INK.stroke_width(1))
    }

    /// Labels below an axis, without those that would touch the one before.
    fn labels_below(&self, axis: &Axis, ticks: &[super::axis::Tick], frame: Frame) -> Result<(), PlotError> {
        let mut free = i32::MIN;
        for tick in ticks {
            let Some(label) = &tick.label else { continue };
            let (at, half) = (frame.across(axis, tick.value), self.width(label, SMALL) / 2);
            self.path(vec![(at, frame.bottom), (at, frame.bottom + 5)], INK.stroke_width(1))?;
            if at - half > free {
                self.text(label, (at, frame.bottom + 16), SMALL, HPos::Center)?;
                free = at + half + 8;
            }
        }
        Ok(())
    }

    fn band(&self, x: &Axis, y: &Axis, series: &Series, look: Look, frame: Frame) -> Result<(), PlotError> {
        if series.band.len() < 2 {
            return Ok(());
        }
        let above = series.band.iter().map(|(at, _, above)| (*at, *above));
        let below = series.band.iter().rev().map(|(at, below, _)| (*at, *below));
        let outline: Vec<Pixel> = above.chain(below).map(|at| frame.at(x, y, at)).collect();
        self.put(&Polygon::new(outline, look.colour().mix(0.18)))
    }

    fn series(&self, x: &Axis, y: &Axis, series: &Series, look: Look, frame: Frame) -> Result<(), PlotError> {
        let line: Vec<Pixel> = series.points.iter().map(|at| frame.at(x, y, *at)).collect();
        if series.style == Style::Marked {
            for (at, below, above) in &series.band {
                let (at, below, above) = (frame.across(x, *at), frame.up(y, *below), frame.up(y, *above));
                let whisker = look.colour().stroke_width(1);
                self.path(vec![(at, below), (at, above)], whisker)?;
                for end in [below, above].into_iter().filter(|_| above != below) {
                    self.path(vec![(at - 5, end), (at + 5, end)], whisker)?;
                }
            }
        }
        self.drawn(&line, look)
    }

    /// A line, its marks, or both.
    fn drawn(&self, line: &[Pixel], look: Look) -> Result<(), PlotError> {
        let Look::Series(style, number) = look else { return Ok(()) };
        let colour = look.colour();
        if style == Style::Points {
            return line.iter().try_for_each(|at| self.put(&Circle::new(*at, 4, colour.mix(0.35).filled())));
        }
        let width = if style == Style::Reference { 1 } else { 2 };
        for stroke in strokes(number, line) {
            self.path(stroke, colour.stroke_width(width))?;
        }
        if style == Style::Marked {
            line.iter().try_for_each(|at| self.put(&Polygon::new(mark(number, *at, MARK), colour)))?;
        }
        Ok(())
    }

    fn title(&self) -> Result<(), PlotError> {
        let title = &self.chart.title;
        let size = self.fitting(title, TITLE, SIZE.0 as i32 - 2 * MARGIN);
        self.text(title, (MARGIN, MARGIN + 8), size, HPos::Left)
    }

    /// The legend, in as many lines as it needs, below the title; where the rest may begin.
    fn legend(&self, entries: &[Entry<'_>]) -> Result<i32, PlotError> {
        let (mut x, mut y) = (MARGIN, MARGIN + 40);
        for Entry { name, look } in entries {
            let width = SAMPLE + self.width(name, LABEL - 1.0) + 26;
            if x > MARGIN && x + width > SIZE.0 as i32 {
                (x, y) = (MARGIN, y + LEGEND_LINE);
            }
            match look {
                Look::Shade => {
                    let sample = Rectangle::new([(x + 4, y - 7), (x + SAMPLE - 8, y + 7)], SHADE.filled());
                    self.put(&sample)?;
                }
                Look::Series(Style::Points, _) => self.drawn(&[(x + SAMPLE / 2 - 2, y)], *look)?,
                Look::Series(style, number) => {
                    let plain =
                        Look::Series(if *style == Style::Marked { Style::Line } else { *style }, *number);
                    self.drawn(&[(x, y), (x + SAMPLE - 6, y)], plain)?;
                    if *style == Style::Marked {
                        let outline = mark(*number, (x + SAMPLE / 2 - 3, y), MARK);
                        self.put(&Polygon::new(outline, look.colour()))?;
                    }
                }
            }
            self.text(name, (x + SAMPLE, y), LABEL - 1.0, HPos::Left)?;
            x += width;
        }
        Ok(if entries.is_empty() { MARGIN + 28 } else { y + LEGEND_LINE / 2 })
    }

    fn bars(&self, label: &str, bars: &[(String, f64)]) -> Result<(), PlotError> {
        self.title()?;
        let most = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max).max(1e-9);
        let widest = bars.iter().map(|(name, _)| self.width(name, SMALL)).max().unwrap_or(0);
        let frame = Frame {
            left: MARGIN + 12 + widest,
            // Room for the number behind the longest bar.
            right: SIZE.0 as i32 - MARGIN - 70,
            top: MARGIN + 36,
            bottom: SIZE.1 as i32 - MARGIN - 52,
        };
        let axis = Axis::linear(label, (0.0, most));
        let ticks = axis.ticks(8);
        for tick in &ticks {
            let at = frame.across(&axis, tick.value);
            self.path(vec![(at, frame.top), (at, frame.bottom)], GRID.stroke_width(1))?;
        }
        self.labels_below(&axis, &ticks, frame)?;
        self.text(
            label,
            (i32::midpoint(frame.left, frame.right), SIZE.1 as i32 - MARGIN - 6),
            LABEL,
            HPos::Center,
        )?;
        let height = f64::from(frame.bottom - frame.top) / bars.len().max(1) as f64;
        for (at, (name, value)) in bars.iter().enumerate() {
            let middle = frame.top + (height * (at as f64 + 0.5)).round() as i32;
            let half = (height * 0.35).min(22.0).round() as i32;
            let end = frame.across(&axis, *value);
            self.put(&Rectangle::new(
                [(frame.left, middle - half), (end, middle + half)],
                COLOURS[0].filled(),
            ))?;
            self.text(name, (frame.left - 10, middle), SMALL, HPos::Right)?;
            self.text(&number(*value, *value / 100.0), (end + 8, middle), SMALL, HPos::Left)?;
        }
        self.path(vec![(frame.left, frame.top), (frame.left, frame.bottom)], INK.stroke_width(1))
    }

    fn put<'b, E>(&self, element: &'b E) -> Result<(), PlotError>
    where
        E: plotters::element::Drawable<DB>,
        &'b E: plotters::element::PointCollection<'b, Pixel>,
    {
        self.area.draw(element).map_err(|e| failed(self.chart, &e))
    }

    fn path(&self, points: Vec<Pixel>, style: ShapeStyle) -> Result<(), PlotError> {
        self.put(&PathElement::new(points, style))
    }

    /// Text whose middle, or whose left or right end, is at a place; half of it above and half below.
    fn text(&self, text: &str, at: Pixel, size: f64, side: HPos) -> Result<(), PlotError> {
        self.put(&Text::new(text.to_owned(), at, style(size).pos(Pos::new(side, VPos::Center))))
    }

    /// Text from below to above whose middle is at a place.
    fn sideways(&self, text: &str, at: Pixel, room: i32) -> Result<(), PlotError> {
        let font = (FONT, self.fitting(text, LABEL, room)).into_font().transform(FontTransform::Rotate270);
        let style = TextStyle::from(font).color(&INK).pos(Pos::new(HPos::Center, VPos::Center));
        self.put(&Text::new(text.to_owned(), at, style))
    }

    /// The greatest height of letters, up to `size`, at which a text is no wider than there is room.
    fn fitting(&self, text: &str, size: f64, room: i32) -> f64 {
        let width = self.width(text, size);
        if width > room { size * f64::from(room) / f64::from(width) } else { size }
    }

    fn width(&self, text: &str, size: f64) -> i32 {
        let estimated = self.area.estimate_text_size(text, &style(size));
        estimated.map_or(0, |(width, _)| i32::try_from(width).unwrap_or(0))
    }
}

fn style(size: f64) -> TextStyle<'static> {
    TextStyle::from((FONT, size).into_font()).color(&INK)
}
