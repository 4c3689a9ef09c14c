//! Functions of numbers that give the same bits on every machine.
//!
//! The system's own `exp` and `sin` may differ in the last bit from one machine to the next, and
//! the data sets are compared byte by byte. These use additions and multiplications only, which
//! IEEE 754 defines to the last bit.

use std::f64::consts::{LN_2, TAU};

use crate::random::Random;

/// Returns e to the power of `x`, for `x` between -500 and 500.
pub(super) fn exp(x: f64) -> f64 {
    let whole = (x / LN_2).round();
    let rest = x - whole * LN_2;
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..=20 {
        term *= rest / f64::from(n);
        sum += term;
    }
    let step = if whole < 0.0 { 0.5 } else { 2.0 };
    (0..whole.abs() as i64).fold(sum, |power, _| power * step)
}

/// Returns the sine of `turns` full turns.
pub(super) fn sine_of_turns(turns: f64) -> f64 {
    // Into half a turn around nought, where the series converges fast.
    let x = (turns - turns.round()) * TAU;
    let (mut sum, mut term) = (x, x);
    for n in 1..=14 {
        let n = f64::from(2 * n);
        term *= -x * x / (n * (n + 1.0));
        sum += term;
    }
    sum
}

/// Returns `value` with one decimal.
pub(super) fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Random {
    /// Returns a number in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        const STEPS: i64 = 1 << 53;
        self.between(0, STEPS) as f64 / STEPS as f64
    }

    /// Returns a normal number with mean 0 and standard deviation 1: twelve uniform ones, added.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Returns one of `count` ranks from 0 on, by Zipf's law: `sums` are the running totals.
    pub fn rank(&mut self, sums: &[f64]) -> usize {
        let most = sums.last().copied().unwrap_or(0.0);
        let at = self.unit() * most;
        sums.partition_point(|sum| *sum <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_sine_are_those_of_the_system_to_twelve_digits() {
        for n in -400..400 {
            let x = f64::from(n) / 20.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-12, "exp {x}");
            let sine = (x * TAU).sin();
            assert!((sine_of_turns(x) - sine).abs() < 1e-12, "sine {x}");
        }
    }
}
