//! Detectors of anomalies, one value at a time: each keeps a little and never looks ahead.

use std::collections::VecDeque;

use super::monitor_ways::{Cusum, right_cusum, right_robust_z};

/// How many values a detector remembers.
pub const MEMORY: usize = 60;
/// How many it wants to have seen before it says anything.
pub const WARM_UP: usize = 30;
/// How many values, the tested one among them, the published version looks at.
const PUBLISHED: usize = 10;

/// A way to tell unusual values from usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detector {
    /// More than 3 standard deviations from the mean of ten values, one of which is the tested one.
    Published,
    /// More than 4 standard deviations from the mean of the 60 values before.
    ZScore,
    /// More than 4.5 robust deviations (1.4826 MAD) from the median of the 60 values before.
    RobustZ,
    /// A sum of robust deviations beyond half a deviation each, over 8.
    Cusum,
    /// Never says anything: what accuracy has to beat.
    Silent,
}

impl Detector {
    /// All of them, in the order of tables and pictures.
    pub const ALL: [Detector; 5] = [
        Detector::Published,
        Detector::ZScore,
        Detector::RobustZ,
        Detector::Cusum,
        Detector::Silent,
    ];

    /// Returns its name in tables and pictures.
    pub fn name(self) -> &'static str {
        match self {
            Detector::Published => "z, point inside",
            Detector::ZScore => "z-score",
            Detector::RobustZ => "robust z",
            Detector::Cusum => "CUSUM",
            Detector::Silent => "says nothing",
        }
    }
}

/// What a detector keeps of one series.
pub(super) struct Watcher {
    detector: Detector,
    recent: VecDeque<f64>,
    sums: Cusum,
}

impl Watcher {
    pub fn new(detector: Detector) -> Watcher {
        Watcher {
            detector,
            recent: VecDeque::new(),
            sums: Cusum::default(),
        }
    }

    /// Takes the next value, and returns whether it is unusual.
    pub fn flags(&mut self, value: f64) -> bool {
        let flagged = match self.detector {
            Detector::Silent => false,
            Detector::Published => {
                let before = self.recent.len().saturating_sub(PUBLISHED - 1);
                let with: Vec<f64> = self
                    .recent
                    .iter()
                    .skip(before)
                    .copied()
                    .chain([value])
                    .collect();
                with.len() == PUBLISHED && deviations(&with, value).abs() > 3.0
            }
            Detector::ZScore => {
                let past: Vec<f64> = self.recent.iter().copied().collect();
                past.len() >= WARM_UP && deviations(&past, value).abs() > 4.0
            }
            Detector::RobustZ => right_robust_z(self.recent.make_contiguous(), value).abs() > 4.5,
            Detector::Cusum => {
                let z = right_robust_z(self.recent.make_contiguous(), value);
                right_cusum(&mut self.sums, &[z])[0]
            }
        };
        if self.recent.len() == MEMORY {
            self.recent.pop_front();
        }
        self.recent.push_back(value);
        flagged
    }
}

/// Returns how many standard deviations `value` is from the mean of `values`.
fn deviations(values: &[f64], value: f64) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values
        .iter()
        .map(|one| (one - mean) * (one - mean))
        .sum::<f64>();
    (value - mean) / (square / (count - 1.0)).sqrt().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_values_with_the_tested_one_inside_never_reach_three_deviations() {
        let mut watcher = Watcher::new(Detector::Published);
        let calm = (0..200).map(|n| 100.0 + f64::from(n % 3));
        let flags: Vec<bool> = calm
            .chain([1e9, 1e9])
            .map(|value| watcher.flags(value))
            .collect();
        assert!(!flags.contains(&true));
    }

    #[test]
    fn spike_inside_the_memory_blinds_the_z_score_and_not_the_robust_one() {
        let values = || {
            let calm = (0..50).map(|n| 100.0 + f64::from(n % 5));
            calm.chain([900.0, 900.0])
                .chain((0..5).map(|n| 100.0 + f64::from(n)))
                .chain([130.0])
        };
        let last = |detector| {
            let mut watcher = Watcher::new(detector);
            values().map(|value| watcher.flags(value)).last()
        };
        assert_eq!(last(Detector::ZScore), Some(false));
        assert_eq!(last(Detector::RobustZ), Some(true));
    }
}
