//! The model's distributions over those of real nodes.

use super::{
    Axis, Body, Chart,
    curves::{Course, Curve, cumulative},
};
use crate::sim::statistics::{quantile, sorted};

/// Both cumulative distributions of one thing; `None` where neither world has values.
pub fn overlaid(name: &str, what: &str, label: &str, model: &[f64], real: &[f64]) -> Option<Chart> {
    let (model, real) = (sorted(model.iter().copied()), sorted(real.iter().copied()));
    // A handful that waited for something rare would leave no room for the others.
    let most = [&model, &real].into_iter().filter_map(|values| quantile(values, 0.995)).reduce(f64::max)?;
    let end = if most > 0.0 { most * 1.06 } else { 1.0 };
    let series = [("model", &model), ("real nodes", &real)].map(|(name, values)| {
        let mut points = cumulative(values, values.len(), 0.0);
        points.retain(|point| point.0 <= end);
        Curve { name, points, course: Course::Steps }.series(end)
    });
    Some(Chart {
        name: name.to_owned(),
        title: what.to_owned(),
        caption: format!(
            "Cumulative distributions over all seeds: {} values of the model, {} of real nodes.",
            model.len(),
            real.len()
        ),
        body: Body::Lines {
            x: Axis::linear(label, (0.0, end)),
            y: Axis::share("share"),
            series: series.into(),
            shades: Vec::new(),
        },
    })
}
