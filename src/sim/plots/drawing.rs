//! From a chart to a picture.

use std::{fmt::Display, sync::Once};

use plotters::{
    backend::{BitMapBackend, DrawingBackend, SVGBackend},
    chart::{ChartBuilder, SeriesLabelPosition},
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{Circle, PathElement, Polygon, Rectangle, Text},
    series::LineSeries,
    style::{Color, FontStyle, IntoFont, RGBColor, ShapeStyle, WHITE, register_font},
};

use super::{Axis, Body, Chart, Series, Style};

/// Width and height of a picture.
const SIZE: (u32, u32) = (960, 560);
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);
const GREY: RGBColor = RGBColor(130, 130, 130);

/// Okabe and Ito's colours, those that are dark enough for a line on white first.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

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
    Ok(text)
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
    area.fill(&WHITE).map_err(|e| failed(chart, &e))?;
    match &chart.body {
        Body::Lines { x, y, series } => lines(chart, &area, (x, y), series),
        Body::Bars { label, bars } => bars_of(chart, &area, label, bars),
    }?;
    area.present().map_err(|e| failed(chart, &e))
}

fn lines<DB: DrawingBackend>(
    chart: &Chart,
    area: &DrawingArea<DB, Shift>,
    (x, y): (&Axis, &Axis),
    series: &[Series],
) -> Result<(), PlotError> {
    let mut context = ChartBuilder::on(area)
        .caption(&chart.title, (FONT, 20).into_font().color(&INK))
        .margin(16)
        .x_label_area_size(52)
        .y_label_area_size(78)
        .build_cartesian_2d(x.range.0..x.range.1, y.range.0..y.range.1)
        .map_err(|e| failed(chart, &e))?;
    let (name_x, name_y) = (|value: &f64| name(x, *value), |value: &f64| name(y, *value));
    let mut mesh = context.configure_mesh();
    mesh.x_desc(&x.label)
        .y_desc(&y.label)
        .axis_desc_style((FONT, 16).into_font().color(&INK))
        .label_style((FONT, 14).into_font().color(&INK))
        .x_label_formatter(&name_x)
        .y_label_formatter(&name_y)
        .x_labels(labels(x))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(WHITE);
    mesh.draw().map_err(|e| failed(chart, &e))?;
    let mut colours = COLOURS.iter().cycle();
    for Series { name, style, points, band } in series {
        let colour = if *style == Style::Reference { GREY } else { *colours.next().unwrap_or(&INK) };
        if !band.is_empty() {
            let above = band.iter().map(|(x, _, above)| (*x, *above));
            let below = band.iter().rev().map(|(x, below, _)| (*x, *below));
            let outline: Vec<_> = above.chain(below).collect();
            context
                .draw_series([Polygon::new(outline, colour.mix(0.2).filled())])
                .map_err(|e| failed(chart, &e))?;
        }
        let stroke: ShapeStyle = match style {
            Style::Reference => colour.stroke_width(1),
            _ => colour.stroke_width(2),
        };
        let drawn = match style {
            Style::Points => {
                context.draw_series(points.iter().map(|at| Circle::new(*at, 3, colour.filled())))
            }
            _ => context.draw_series(LineSeries::new(points.iter().copied(), stroke)),
        };
        let drawn = drawn.map_err(|e| failed(chart, &e))?;
        if !name.is_empty() {
            drawn.label(name).legend(move |(x, y)| {
                PathElement::new(
                    [(x, y), (x + 22, y)],
                    if *style == Style::Points { colour.stroke_width(5) } else { stroke },
                )
            });
        }
        if *style == Style::Marked {
            let marks = points.iter().map(|at| Circle::new(*at, 4, colour.filled()));
            context.draw_series(marks).map_err(|e| failed(chart, &e))?;
        }
    }
    if series.iter().any(|series| !series.name.is_empty()) {
        context
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .label_font((FONT, 15).into_font().color(&INK))
            .legend_area_size(30)
            .margin(12)
            .background_style(WHITE.mix(0.9))
            .border_style(GRID)
            .draw()
            .map_err(|e| failed(chart, &e))?;
    }
    Ok(())
}

/// So many labels that each power of ten, and each name, gets one.
fn labels(axis: &Axis) -> usize {
    match axis {
        Axis { is_logarithmic: true, range: (least, most), .. } => (most - least).ceil() as usize + 1,
        Axis { names, .. } if names.is_empty() => 10,
        Axis { names, .. } => 2 * names.len() + 1,
    }
}

/// What stands at a place of an axis: a name where it has names, or a number without needless digits.
fn name(axis: &Axis, value: f64) -> String {
    if !axis.names.is_empty() {
        let nearest = value.round();
        let is_near = (value - nearest).abs() < 0.01 && nearest >= 0.0;
        let name = is_near.then(|| axis.names.get(nearest as usize)).flatten();
        return name.cloned().unwrap_or_default();
    }
    number(if axis.is_logarithmic { 10_f64.powf(value) } else { value })
}

/// A number without needless digits.
pub(super) fn number(value: f64) -> String {
    let magnitude = value.abs();
    match magnitude {
        _ if magnitude >= 1e6 => format!("{} M", trimmed(value / 1e6, 2)),
        _ if magnitude >= 1e4 => format!("{} k", trimmed(value / 1e3, 1)),
        _ if magnitude >= 100.0 => trimmed(value, 0),
        _ => trimmed(value, 3),
    }
}

fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn bars_of<DB: DrawingBackend>(
    chart: &Chart,
    area: &DrawingArea<DB, Shift>,
    label: &str,
    bars: &[(String, f64)],
) -> Result<(), PlotError> {
    let most = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max).max(1e-9);
    let count = bars.len().max(1) as f64;
    let mut context = ChartBuilder::on(area)
        .caption(&chart.title, (FONT, 20).into_font().color(&INK))
        .margin(16)
        .x_label_area_size(52)
        .y_label_area_size(190)
        // Room for the number behind the longest bar.
        .build_cartesian_2d(0.0..most * 1.15, 0.0..count)
        .map_err(|e| failed(chart, &e))?;
    context
        .configure_mesh()
        .x_desc(label)
        .axis_desc_style((FONT, 16).into_font().color(&INK))
        .label_style((FONT, 14).into_font().color(&INK))
        .x_label_formatter(&|value| number(*value))
        .y_labels(0)
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(WHITE)
        .disable_y_mesh()
        .draw()
        .map_err(|e| failed(chart, &e))?;
    let font = (FONT, 14).into_font().color(&INK);
    for (at, (_, value)) in bars.iter().enumerate() {
        let top = count - at as f64;
        let bar = Rectangle::new([(0.0, top - 0.85), (*value, top - 0.15)], COLOURS[0].filled());
        context.draw_series([bar]).map_err(|e| failed(chart, &e))?;
        let text = Text::new(number(*value), (*value + most * 0.01, top - 0.38), font.clone());
        context.draw_series([text]).map_err(|e| failed(chart, &e))?;
    }
    // The names stand left of the axis, where the context does not draw.
    let plot = context.plotting_area();
    for (at, (name, _)) in bars.iter().enumerate() {
        let (x, y) = plot.map_coordinate(&(0.0, count - at as f64 - 0.5));
        let width = area.estimate_text_size(name, &font).map_err(|e| failed(chart, &e))?.0;
        let left = x - 10 - i32::try_from(width).unwrap_or(0);
        area.draw(&Text::new(name.clone(), (left, y - 5), font.clone())).map_err(|e| failed(chart, &e))?;
    }
    Ok(())
}
