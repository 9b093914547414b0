//! Means with their uncertainty, quantiles, and how unevenly something is shared out.

/// A mean over runs, and how far it may be off.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Half the width of its 95 % interval; `None` for a single run, which says nothing about others.
    pub half_width: Option<f64>,
    /// How many runs.
    pub runs: usize,
}

/// The mean of independent runs with its 95 % interval by Student's t distribution.
pub fn mean(values: &[f64]) -> Option<Mean> {
    let runs = values.len();
    if runs == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / runs as f64;
    let half_width = (runs > 1).then(|| {
        let variance = variance(values, mean);
        student(runs as f64 - 1.0) * (variance / runs as f64).sqrt()
    });
    Some(Mean { mean, half_width, runs })
}

/// The difference of two means, b less a, with its 95 % interval by Welch's test, which does not ask for equal variances.
pub fn difference(a: &[f64], b: &[f64]) -> Option<Mean> {
    let (mean_a, mean_b) = (mean(a)?.mean, mean(b)?.mean);
    let runs = a.len().min(b.len());
    let half_width = (runs > 1).then(|| {
        let (n_a, n_b) = (a.len() as f64, b.len() as f64);
        let (v_a, v_b) = (variance(a, mean_a) / n_a, variance(b, mean_b) / n_b);
        let error = v_a + v_b;
        let freedom = error * error / (v_a * v_a / (n_a - 1.0) + v_b * v_b / (n_b - 1.0));
        if error > 0.0 { student(freedom) * error.sqrt() } else { 0.0 }
    });
    Some(Mean { mean: mean_b - mean_a, half_width, runs })
}

fn variance(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// Two-sided 95 % quantile of Student's t distribution; between the table's lines the one with fewer degrees counts.
fn student(freedom: f64) -> f64 {
    const TABLE: [(f64, f64); 21] = [
        (1.0, 12.706),
        (2.0, 4.303),
        (3.0, 3.182),
        (4.0, 2.776),
        (5.0, 2.571),
        (6.0, 2.447),
        (7.0, 2.365),
        (8.0, 2.306),
        (9.0, 2.262),
        (10.0, 2.228),
        (12.0, 2.179),
        (14.0, 2.145),
        (16.0, 2.120),
        (18.0, 2.101),
        (20.0, 2.086),
        (25.0, 2.060),
        (30.0, 2.042),
        (40.0, 2.021),
        (60.0, 2.000),
        (120.0, 1.980),
        (1000.0, 1.962),
    ];
    let line = TABLE.iter().rev().find(|(least, _)| *least <= freedom);
    line.map_or(TABLE[0].1, |(_, quantile)| *quantile)
}

/// The value that so great a share of sorted values does not exceed.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1).min(last)).copied()
}

/// Sorted, without what is no number.
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Gini's coefficient of sorted values: 0 when all are equal, near 1 when one has everything.
pub fn gini(sorted: &[f64]) -> Option<f64> {
    let (n, sum) = (sorted.len() as f64, sorted.iter().sum::<f64>());
    let ranked: f64 = sorted.iter().enumerate().map(|(at, value)| (at as f64 + 1.0) * value).sum();
    (sum > 0.0).then(|| 2.0 * ranked / (n * sum) - (n + 1.0) / n)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-3
    }

    #[test]
    fn a_mean_has_the_interval_of_the_textbook() {
        let of = mean(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        // s = 1.5811, t(4) = 2.776.
        assert!(near(of.mean, 3.0) && near(of.half_width.unwrap(), 1.963), "{of:?}");
        assert_eq!(mean(&[7.0]).unwrap().half_width, None);
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn a_difference_has_the_interval_of_welch() {
        let of = difference(&[1.0, 2.0, 3.0], &[11.0, 12.0, 13.0]).unwrap();
        // Standard error 0.8165, 4 degrees of freedom.
        assert!(near(of.mean, 10.0) && near(of.half_width.unwrap(), 2.267), "{of:?}");
        assert_eq!(difference(&[1.0, 1.0], &[1.0, 1.0]).unwrap().half_width, Some(0.0));
        assert_eq!(difference(&[1.0], &[2.0, 3.0]).unwrap().half_width, None);
    }

    #[test]
    fn quantiles_are_values_that_occur() {
        let values = sorted([5.0, 1.0, f64::NAN, 3.0, 2.0, 4.0]);
        assert_eq!(
            [0.0, 0.5, 0.95, 1.0].map(|share| quantile(&values, share).unwrap()),
            [1.0, 3.0, 5.0, 5.0]
        );
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn gini_is_zero_for_equals_and_near_one_for_a_monopoly() {
        assert!(near(gini(&[2.0, 2.0, 2.0]).unwrap(), 0.0));
        assert!(near(gini(&[0.0, 0.0, 0.0, 8.0]).unwrap(), 0.75));
        assert_eq!(gini(&[0.0, 0.0]), None);
    }
}
