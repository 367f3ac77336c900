//! Chance that is the same on every machine: evenly spread numbers, and what gaps and lengths are made of.
//!
//! The standard library's logarithm and power differ between targets, so these are our own.
use super::serving::Request;
use crate::units::real;

/// Even chance, by `xorshift64*`.
pub(super) struct Chance(u64);

impl Chance {
    /// Where it begins.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// In (0, 1).
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        (real(bits) + 0.5) / 16_777_216.0
    }

    fn around(&mut self, middle: f64, spread: f64) -> f64 {
        (middle * (1.0 + spread * (2.0 * self.next() - 1.0)))
            .round()
            .max(1.0)
    }

    /// From the bell curve, by Marsaglia's polar method.
    fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.next() - 1.0, 2.0 * self.next() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 {
                return x * (-2.0 * logarithm(square) / square).sqrt();
            }
        }
    }

    /// Time to the next of events that come by chance, one in a second on average: gamma distributed as
    /// `vllm/benchmarks/serve.py: get_request` draws it, by Marsaglia and Tsang.
    pub(super) fn gap(&mut self, shape: f64) -> f64 {
        if (0.999..1.001).contains(&shape) {
            return -logarithm(self.next());
        }
        // Below 1 the gamma of a shape more by one, times a power of chance.
        let (boosted, factor) = if shape < 1.0 {
            (shape + 1.0, exponential(logarithm(self.next()) / shape))
        } else {
            (shape, 1.0)
        };
        let d = boosted - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            let v = root * root * root;
            if v > 0.0 && logarithm(self.next()) < x * x / 2.0 + d * (1.0 - v + logarithm_of_any(v)) {
                return d * v * factor / shape;
            }
        }
    }
}

/// How long requests are beside the average.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Lengths {
    /// As stated, or around it where the run says so.
    #[default]
    Stated,
    /// Evenly within that share of it.
    Even(f64),
    /// Lognormal: the deviation of the logarithm, of prompt and answer.
    Lognormal([f64; 2]),
    /// One after the other, from the beginning again at the end.
    Trace(Vec<[u32; 2]>),
}

/// The 95th percentile of the bell curve.
const AT_95: f64 = 1.644_853_626_951_472_2;

impl Lengths {
    /// The deviation of the logarithm whose 95th percentile is so many times the mean. There is none above 3.87 times:
    /// then it is that of 3.87, and below 1 it is none.
    pub fn deviation(p95_over_mean: f64) -> f64 {
        let under = AT_95 * AT_95 - 2.0 * logarithm_of_any(p95_over_mean.max(1.0));
        AT_95 - under.max(0.0).sqrt()
    }

    /// The square of the deviation over the square of the mean, of the prompts.
    pub fn variation(&self) -> f64 {
        match self {
            Self::Stated => 0.0,
            Self::Even(share) => share * share / 3.0,
            Self::Lognormal([prompt, _]) => exponential(prompt * prompt) - 1.0,
            Self::Trace(pairs) => {
                let count = real(pairs.len() as u64).max(1.0);
                let mean = pairs.iter().map(|[prompt, _]| f64::from(*prompt)).sum::<f64>() / count;
                let off = |[prompt, _]: &[u32; 2]| {
                    (f64::from(*prompt) / mean - 1.0) * (f64::from(*prompt) / mean - 1.0)
                };
                pairs.iter().map(off).sum::<f64>() / count
            }
        }
    }

    /// Prompt and answer of one request.
    pub(super) fn draw(&self, chance: &mut Chance, request: Request, at: usize, spread: f64) -> (f64, f64) {
        let spread = match self {
            Self::Even(share) => *share,
            _ => spread,
        };
        match self {
            Self::Stated | Self::Even(_) => (
                chance.around(request.prompt, spread),
                chance.around(request.generated, spread),
            ),
            Self::Lognormal(deviations) => {
                let mut of = |mean: f64, s: f64| {
                    let length = mean * exponential(s * chance.normal() - s * s / 2.0);
                    length.round().max(1.0)
                };
                (
                    of(request.prompt, deviations[0]),
                    of(request.generated, deviations[1]),
                )
            }
            Self::Trace(pairs) => pairs
                .get(at % pairs.len().max(1))
                .map_or((request.prompt, request.generated), |[prompt, answer]| {
                    (f64::from(*prompt), f64::from(*answer))
                }),
        }
    }
}

/// The natural logarithm of a number in (0, 1).
pub(super) fn logarithm(value: f64) -> f64 {
    let (mut mantissa, mut halvings) = (value, 0.0);
    while mantissa < 0.75 {
        mantissa *= 2.0;
        halvings += 1.0;
    }
    // 2 artanh((m - 1) / (m + 1)), whose argument is at most a fifth here.
    let x = (mantissa - 1.0) / (mantissa + 1.0);
    let square = x * x;
    let mut sum = 0.0;
    for odd in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum * square + 1.0 / odd;
    }
    2.0 * x * sum - halvings * std::f64::consts::LN_2
}

/// Of a number above 0.
fn logarithm_of_any(value: f64) -> f64 {
    if value < 1.0 {
        logarithm(value)
    } else {
        -logarithm(1.0 / value)
    }
}

/// e to that power, which is at most some hundred.
fn exponential(power: f64) -> f64 {
    let halvings = (power.abs() / std::f64::consts::LN_2).ceil().min(1000.0);
    let x = power / (halvings + 1.0);
    let mut sum = 1.0;
    for n in [12.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0] {
        sum = 1.0 + x / n * sum;
    }
    let (mut result, mut left) = (1.0, halvings + 1.0);
    while left > 0.5 {
        result *= sum;
        left -= 1.0;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the standard library's is what they are held against"
    )]
    fn logarithm_and_exponential_are_the_standard_librarys() {
        for value in [1e-7_f64, 0.001, 0.1, 0.5, 0.749, 0.75, 0.9, 0.999_999] {
            assert!((logarithm(value) - value.ln()).abs() < 1e-9, "{value}");
            assert!(
                (logarithm_of_any(1.0 / value) + value.ln()).abs() < 1e-9,
                "{value}"
            );
        }
        for power in [-90.0_f64, -7.5, -1.0, -0.01, 0.0, 0.3, 1.0, 4.2, 30.0] {
            assert!((exponential(power) / power.exp() - 1.0).abs() < 1e-9, "{power}");
        }
    }

    fn mean_and_variance(values: &[f64]) -> (f64, f64) {
        let count = real(values.len() as u64);
        let mean = values.iter().sum::<f64>() / count;
        let square = |value: &f64| (value - mean) * (value - mean);
        (mean, values.iter().map(square).sum::<f64>() / count)
    }

    #[test]
    fn gaps_have_the_mean_and_spread_of_their_shape() {
        for shape in [0.25, 0.5, 1.0, 2.0, 16.0] {
            let mut chance = Chance::new(5);
            let gaps: Vec<f64> = (0..40_000).map(|_| chance.gap(shape)).collect();
            let (mean, variance) = mean_and_variance(&gaps);
            assert!((mean - 1.0).abs() < 0.03, "{shape}: {mean}");
            assert!((variance * shape - 1.0).abs() < 0.1, "{shape}: {variance}");
            assert!(gaps.iter().all(|gap| *gap >= 0.0));
        }
    }

    #[test]
    fn lognormal_lengths_have_their_mean_and_95th_percentile() {
        let request = Request {
            prompt: 1000.0,
            generated: 200.0,
            found: 0.0,
            variation: 0.0,
        };
        for ratio in [1.5, 2.0, 3.0, 3.8] {
            let lengths = Lengths::Lognormal([Lengths::deviation(ratio); 2]);
            let mut chance = Chance::new(9);
            let mut prompts: Vec<f64> = (0..40_000)
                .map(|at| lengths.draw(&mut chance, request, at, 0.0).0)
                .collect();
            prompts.sort_by(f64::total_cmp);
            let (mean, variance) = mean_and_variance(&prompts);
            assert!((mean / 1000.0 - 1.0).abs() < 0.04, "{ratio}: {mean}");
            assert!(
                (prompts[38_000] / (1000.0 * ratio) - 1.0).abs() < 0.06,
                "{ratio}: {}",
                prompts[38_000]
            );
            if ratio < 3.0 {
                assert!(
                    (variance / 1e6 / lengths.variation() - 1.0).abs() < 0.2,
                    "{ratio}: {variance}"
                );
            }
        }
        assert!(Lengths::deviation(1.0).abs() < 1e-9 && Lengths::deviation(0.5).abs() < 1e-9);
        assert!((Lengths::deviation(100.0) - AT_95).abs() < 1e-9);
    }
}
