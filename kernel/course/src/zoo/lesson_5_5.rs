//! Wrong solutions of lesson 5.5: detectors and scores.

use super::Specimen;
use crate::lesson_5_5::monitor::{RIGHT, check_for};
use crate::lesson_5_5::{Cusum, Score};

pub(super) const SPECIMENS: &[Specimen] = &[
    Specimen {
        exercise: "5.5 E5",
        name: "the tested point inside its own window",
        hint: "compare it with the past alone",
        check: |learner| check_for(learner, with_itself, RIGHT.1, RIGHT.2),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "standard deviation with a spike inside",
        hint: "Median and MAD hardly notice it",
        check: |learner| check_for(learner, textbook_z, RIGHT.1, RIGHT.2),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "median and bare MAD",
        hint: "times 1.4826",
        check: |learner| check_for(learner, bare_mad, RIGHT.1, RIGHT.2),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "no warm-up",
        hint: "nobody knows yet what is usual",
        check: |learner| check_for(learner, at_once, RIGHT.1, RIGHT.2),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "division by a spread of nought",
        hint: "The spread is at least 1",
        check: |learner| check_for(learner, divides_by_nought, RIGHT.1, RIGHT.2),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "state reset per batch",
        hint: "you begin at nought in every batch",
        check: |learner| check_for(learner, RIGHT.0, forgetful, RIGHT.2),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "only what is too high",
        hint: "forget what is too low",
        check: |learner| check_for(learner, RIGHT.0, one_sided, RIGHT.2),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "rings on and on",
        hint: "both sums begin at nought again",
        check: |learner| check_for(learner, RIGHT.0, rings_on, RIGHT.2),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "no slack",
        hint: "gives up half a deviation",
        check: |learner| check_for(learner, RIGHT.0, adds_everything, RIGHT.2),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "found counts alarms",
        hint: "counts faults, not alarms",
        check: |learner| check_for(learner, RIGHT.0, RIGHT.1, counts_alarms),
    },
    Specimen {
        exercise: "5.5 E5",
        name: "second alarms are false",
        hint: "outside of every fault",
        check: |learner| check_for(learner, RIGHT.0, RIGHT.1, strict),
    },
];

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    (values[(count - 1) / 2] + values[count / 2]) / 2.0
}

fn spread(values: &[f64], around: f64) -> f64 {
    middle(values.iter().map(|value| (value - around).abs()).collect())
}

fn with_itself(past: &[f64], value: f64) -> f64 {
    let mut all = past.to_vec();
    if all.len() < 30 {
        return 0.0;
    }
    all.push(value);
    let centre = middle(all.clone());
    (value - centre) / f64::max(1.0, 1.4826 * spread(&all, centre))
}

fn textbook_z(past: &[f64], value: f64) -> f64 {
    if past.len() < 30 {
        return 0.0;
    }
    let count = past.len() as f64;
    let mean = past.iter().sum::<f64>() / count;
    let variance = past.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (value - mean) / variance.sqrt().max(1.0)
}

fn bare_mad(past: &[f64], value: f64) -> f64 {
    if past.len() < 30 {
        return 0.0;
    }
    let centre = middle(past.to_vec());
    (value - centre) / spread(past, centre).max(1.0)
}

fn at_once(past: &[f64], value: f64) -> f64 {
    if past.is_empty() {
        return 0.0;
    }
    let centre = middle(past.to_vec());
    (value - centre) / (1.4826 * spread(past, centre)).max(1.0)
}

fn divides_by_nought(past: &[f64], value: f64) -> f64 {
    if past.len() < 30 {
        return 0.0;
    }
    let centre = middle(past.to_vec());
    (value - centre) / (1.4826 * spread(past, centre))
}

fn forgetful(_: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    let (mut high, mut low) = (0.0f64, 0.0f64);
    let mut flags = Vec::new();
    for z in batch {
        high = (high + z - 0.5).max(0.0);
        low = (low - z - 0.5).max(0.0);
        let rings = high > 8.0 || low > 8.0;
        if rings {
            (high, low) = (0.0, 0.0);
        }
        flags.push(rings);
    }
    flags
}

fn one_sided(state: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    let mut flags = Vec::new();
    for z in batch {
        state.high = (state.high + z - 0.5).max(0.0);
        flags.push(state.high > 8.0);
        if state.high > 8.0 {
            state.high = 0.0;
        }
    }
    flags
}

fn rings_on(state: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    let mut flags = Vec::new();
    for z in batch {
        state.high = (state.high + z - 0.5).max(0.0);
        state.low = (state.low - z - 0.5).max(0.0);
        flags.push(state.high > 8.0 || state.low > 8.0);
    }
    flags
}

fn adds_everything(state: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    let mut flags = Vec::new();
    for z in batch {
        state.high = (state.high + z).max(0.0);
        state.low = (state.low - z).max(0.0);
        let rings = state.high.max(state.low) > 8.0;
        if rings {
            *state = Cusum::default();
        }
        flags.push(rings);
    }
    flags
}

fn counts_alarms(alarms: &[i64], faults: &[(i64, i64)]) -> Score {
    let of = |alarm: &i64| {
        faults
            .iter()
            .find(|(from, to)| from <= alarm && alarm <= to)
    };
    let right = (RIGHT.2)(alarms, faults);
    Score {
        found: alarms.iter().filter(|alarm| of(alarm).is_some()).count(),
        ..right
    }
}

fn strict(alarms: &[i64], faults: &[(i64, i64)]) -> Score {
    let right = (RIGHT.2)(alarms, faults);
    Score {
        false_alarms: alarms.len().saturating_sub(right.found),
        ..right
    }
}
