//! How long nodes stay and how long they are away, from the first draw or met half-way.

use crate::{lifetime::Lifetime, streams::Draws};

impl Lifetime {
    /// Its mean, in milliseconds.
    pub fn mean_ms(self) -> f64 {
        let (shape, scale_ms) = self.weibull();
        scale_ms * libm::tgamma(1.0 + 1.0 / shape)
    }

    /// One of them, from its beginning; a millisecond at least.
    pub(super) fn draw_ms(self, draws: &mut Draws) -> u64 {
        whole_ms(self.exceeded_by(draws.unit()))
    }

    /// What is left of one that is met at a random instant; a millisecond at least.
    ///
    /// A long one is met more often than a short one, as often as it is longer. Such a Weibull lifetime is the scale
    /// times a power of a Gamma variable; the instant is anywhere in it.
    pub(super) fn draw_rest_ms(self, draws: &mut Draws) -> u64 {
        let (shape, scale_ms) = self.weibull();
        let whole = libm::pow(gamma(1.0 + 1.0 / shape, draws), 1.0 / shape);
        whole_ms(scale_ms * whole * draws.unit())
    }
}

fn whole_ms(ms: f64) -> u64 {
    (ms as u64).max(1)
}

/// A Gamma variable of a shape of 1 or more and of scale 1, as Marsaglia and Tsang (2000) draw it.
fn gamma(shape: f64, draws: &mut Draws) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = normal(draws);
        let v = 1.0 + c * x;
        let v = v * v * v;
        if v > 0.0 && libm::log(draws.unit()) < x * x / 2.0 + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// A normal variable, as Box and Muller draw it.
fn normal(draws: &mut Draws) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(draws.unit()));
    radius * libm::cos(2.0 * std::f64::consts::PI * draws.unit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Purpose;

    fn mean(lifetime: Lifetime, draw: impl Fn(Lifetime, &mut Draws) -> u64) -> f64 {
        let draws = &mut Purpose::new(1, "lifetimes").of(0);
        (0..20_000).map(|_| draw(lifetime, draws) as f64).sum::<f64>() / 20_000.0
    }

    #[test]
    fn means_are_those_of_theory() {
        for lifetime in [Lifetime::IPFS, Lifetime::Exponential { mean_ms: 3_600_000 }] {
            let relative = mean(lifetime, Lifetime::draw_ms) / lifetime.mean_ms();
            assert!((relative - 1.0).abs() < 0.05, "{lifetime:?} {relative}");
        }
        // Γ(1 + 1/0.61) x 3.7 h.
        assert!((Lifetime::IPFS.mean_ms() / 3.6e6 - 5.45).abs() < 0.01, "{}", Lifetime::IPFS.mean_ms());
        // What is left is as long as the whole without memory; E[x²] / 2 E[x] with.
        let rest = mean(Lifetime::Exponential { mean_ms: 3_600_000 }, Lifetime::draw_rest_ms);
        assert!((rest / 3.6e6 - 1.0).abs() < 0.05, "{rest}");
        let square = 3.7 * 3.7 * libm::tgamma(1.0 + 2.0 / 0.61);
        let expected = square / (2.0 * Lifetime::IPFS.mean_ms() / 3.6e6);
        let rest = mean(Lifetime::IPFS, Lifetime::draw_rest_ms) / 3.6e6;
        assert!((rest / expected - 1.0).abs() < 0.05, "{rest} {expected}");
    }
}
