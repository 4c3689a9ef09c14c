//! The right answers of exercise E5, and the wrong ones that people often write.

use serde::{Deserialize, Serialize};

use super::detector::WARM_UP;
use super::monitor::{Alarms, Batches, Point};
use crate::trial::Misconception;

/// What a CUSUM keeps from one batch to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cusum {
    /// How far the values have been too high, in deviations.
    pub high: f64,
    /// How far they have been too low.
    pub low: f64,
}

/// How well alarms fit the truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Faults with an alarm between their start and their end, both included.
    pub found: usize,
    /// The longest time from a found fault's start to its first alarm, in seconds; 0 if none is found.
    pub worst_delay_s: i64,
    /// Alarms that are in no fault.
    pub false_alarms: usize,
}

const SLACK: f64 = 0.5;
const LIMIT: f64 = 8.0;

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[half],
        _ => (sorted[half - 1] + sorted[half]) / 2.0,
    }
}

fn mad(values: &[f64], middle: f64) -> f64 {
    median(
        &values
            .iter()
            .map(|value| (value - middle).abs())
            .collect::<Vec<_>>(),
    )
}

pub(super) fn right_robust_z(past: &[f64], value: f64) -> f64 {
    if past.len() < WARM_UP {
        return 0.0;
    }
    let middle = median(past);
    (value - middle) / (1.4826 * mad(past, middle)).max(1.0)
}

fn point_inside(past: &[f64], value: f64) -> f64 {
    if past.len() < WARM_UP {
        return 0.0;
    }
    let with = [past, &[value]].concat();
    let middle = median(&with);
    (value - middle) / (1.4826 * mad(&with, middle)).max(1.0)
}

fn mean_and_deviation(past: &[f64], value: f64, divisor: f64) -> f64 {
    if past.len() < WARM_UP {
        return 0.0;
    }
    let mean = past.iter().sum::<f64>() / past.len() as f64;
    let square = past
        .iter()
        .map(|one| (one - mean) * (one - mean))
        .sum::<f64>();
    (value - mean) / (square / (past.len() as f64 - divisor)).sqrt().max(1.0)
}

fn unscaled(past: &[f64], value: f64) -> f64 {
    if past.len() < WARM_UP {
        return 0.0;
    }
    let middle = median(past);
    (value - middle) / mad(past, middle).max(1.0)
}

fn no_warm_up(past: &[f64], value: f64) -> f64 {
    if past.is_empty() {
        return 0.0;
    }
    let middle = median(past);
    (value - middle) / (1.4826 * mad(past, middle)).max(1.0)
}

fn no_floor(past: &[f64], value: f64) -> f64 {
    if past.len() < WARM_UP {
        return 0.0;
    }
    let middle = median(past);
    (value - middle) / (1.4826 * mad(past, middle))
}

fn on(point: &Point, function: impl Fn(&[f64], f64) -> f64) -> i64 {
    super::monitor::hundredths(function(&point.past(), point.value()))
}

pub(super) const ROBUST_Z: &[Misconception<Point, i64>] = &[
    Misconception {
        name: "the tested point in its own window",
        wrong: |point| on(point, point_inside),
        hint: "the tested value is among the values that it is compared with. It moves the middle and widens the spread, the more \
               the stranger it is: compare it with the past alone",
    },
    Misconception {
        name: "standard deviation with a spike inside",
        wrong: |point| on(point, |past, value| mean_and_deviation(past, value, 1.0)),
        hint: "mean and standard deviation: one spike in the past makes the deviation so large that the next one hides behind \
               it. Median and MAD hardly notice it",
    },
    Misconception {
        name: "standard deviation with a spike inside, by n",
        wrong: |point| on(point, |past, value| mean_and_deviation(past, value, 0.0)),
        hint: "mean and standard deviation: one spike in the past makes the deviation so large that the next one hides behind \
               it. Median and MAD hardly notice it",
    },
    Misconception {
        name: "MAD without its factor",
        wrong: |point| on(point, unscaled),
        hint: "the MAD of normal values is not their standard deviation: times 1.4826 it is. Without the factor a threshold of 4.5 \
               stands at 3",
    },
    Misconception {
        name: "no warm-up",
        wrong: |point| on(point, no_warm_up),
        hint: "with fewer than 30 values in the past nobody knows yet what is usual: the answer is 0 until then",
    },
    Misconception {
        name: "a spread of nought",
        wrong: |point| on(point, no_floor),
        hint: "when most values of the past are equal, the MAD is 0, and you divide by it. The spread is at least 1",
    },
];

pub(super) fn right_cusum(state: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    let step = |z: &f64| {
        state.high = (state.high + z - SLACK).max(0.0);
        state.low = (state.low - z - SLACK).max(0.0);
        let alarm = state.high > LIMIT || state.low > LIMIT;
        if alarm {
            *state = Cusum::default();
        }
        alarm
    };
    batch.iter().map(step).collect()
}

fn afresh(_: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    right_cusum(&mut Cusum::default(), batch)
}

fn upward(state: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    let step = |z: &f64| {
        state.high = (state.high + z - SLACK).max(0.0);
        let alarm = state.high > LIMIT;
        if alarm {
            state.high = 0.0;
        }
        alarm
    };
    batch.iter().map(step).collect()
}

fn never_reset(state: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    let step = |z: &f64| {
        state.high = (state.high + z - SLACK).max(0.0);
        state.low = (state.low - z - SLACK).max(0.0);
        state.high > LIMIT || state.low > LIMIT
    };
    batch.iter().map(step).collect()
}

fn no_slack(state: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    let step = |z: &f64| {
        state.high = (state.high + z).max(0.0);
        state.low = (state.low - z).max(0.0);
        let alarm = state.high > LIMIT || state.low > LIMIT;
        if alarm {
            *state = Cusum::default();
        }
        alarm
    };
    batch.iter().map(step).collect()
}

fn debts(state: &mut Cusum, batch: &[f64]) -> Vec<bool> {
    let step = |z: &f64| {
        state.high += z - SLACK;
        state.low += -z - SLACK;
        let alarm = state.high > LIMIT || state.low > LIMIT;
        if alarm {
            *state = Cusum::default();
        }
        alarm
    };
    batch.iter().map(step).collect()
}

/// Calls a CUSUM batch by batch, and returns the numbers of the values that raise an alarm.
pub(super) fn alarms(batches: &Batches, call: impl Fn(&mut Cusum, &[f64]) -> Vec<bool>) -> Alarms {
    let (mut state, mut flags) = (Cusum::default(), Vec::new());
    for batch in batches.values() {
        let mut answer = call(&mut state, &batch);
        // One answer a value: what lacks or is too many is made visible at the end.
        let odd = answer.len() != batch.len();
        answer.resize(batch.len(), false);
        flags.extend(answer);
        if odd {
            return Alarms::odd(flags.len());
        }
    }
    let raised = flags.iter().enumerate().filter(|(_, raised)| **raised);
    Alarms::at(raised.map(|(number, _)| number).collect())
}

pub(super) const CUSUM: &[Misconception<Batches, Alarms>] = &[
    Misconception {
        name: "state reset in every batch",
        wrong: |batches| alarms(batches, afresh),
        hint: "you begin at nought in every batch, so that a small shift never adds up when batches are short. What the last batch \
               left is in `state`, and the next one finds there what you put into it",
    },
    Misconception {
        name: "one side only",
        wrong: |batches| alarms(batches, upward),
        hint: "you add up what is too high and forget what is too low: a service that answers at once because it refuses everything is \
               an anomaly too",
    },
    Misconception {
        name: "no reset after an alarm",
        wrong: |batches| alarms(batches, never_reset),
        hint: "after an alarm both sums begin at nought again; as it is, one shift rings at every value until somebody takes the \
               battery out",
    },
    Misconception {
        name: "no slack",
        wrong: |batches| alarms(batches, no_slack),
        hint: "each value gives up half a deviation before it is added (z - 0.5). Without that slack the sum of mere noise wanders off \
               and rings",
    },
    Misconception {
        name: "sums below nought",
        wrong: |batches| alarms(batches, debts),
        hint: "a sum never falls below 0. As it is, every quiet hour gives the series credit that a shift has to use up first",
    },
];

pub(super) fn right_score(alarms: &[i64], faults: &[(i64, i64)]) -> Score {
    let inside = |alarm: i64, fault: &(i64, i64)| (fault.0..=fault.1).contains(&alarm);
    let mut score = Score::default();
    for fault in faults {
        let first = alarms.iter().filter(|alarm| inside(**alarm, fault)).min();
        if let Some(first) = first {
            score.found += 1;
            score.worst_delay_s = score.worst_delay_s.max(first - fault.0);
        }
    }
    let is_false = |alarm: &&i64| !faults.iter().any(|fault| inside(**alarm, fault));
    score.false_alarms = alarms.iter().filter(is_false).count();
    score
}

type Truth = (Vec<i64>, Vec<(i64, i64)>);

fn inside(alarm: i64, fault: &(i64, i64)) -> bool {
    (fault.0..=fault.1).contains(&alarm)
}

fn each_alarm_found((alarms, faults): &Truth) -> Score {
    let found = alarms
        .iter()
        .filter(|alarm| faults.iter().any(|fault| inside(**alarm, fault)));
    Score {
        found: found.count(),
        ..right_score(alarms, faults)
    }
}

fn last_alarm((alarms, faults): &Truth) -> Score {
    let delay = |fault: &(i64, i64)| {
        let last = alarms.iter().filter(|alarm| inside(**alarm, fault)).max();
        last.map(|last| last - fault.0)
    };
    Score {
        worst_delay_s: faults.iter().filter_map(delay).max().unwrap_or(0),
        ..right_score(alarms, faults)
    }
}

fn repeats_are_false((alarms, faults): &Truth) -> Score {
    let score = right_score(alarms, faults);
    Score {
        false_alarms: alarms.len() - score.found.min(alarms.len()),
        ..score
    }
}

fn before_the_start((alarms, faults): &Truth) -> Score {
    let early: Vec<(i64, i64)> = faults.iter().map(|fault| (i64::MIN, fault.1)).collect();
    let found = faults
        .iter()
        .filter(|fault| alarms.iter().any(|alarm| *alarm <= fault.1));
    Score {
        found: found.count(),
        false_alarms: right_score(alarms, &early).false_alarms,
        ..right_score(alarms, faults)
    }
}

pub(super) const SCORE: &[Misconception<Truth, Score>] = &[
    Misconception {
        name: "every alarm finds a fault",
        wrong: each_alarm_found,
        hint: "`found` counts faults, not alarms: three alarms in one fault have found one",
    },
    Misconception {
        name: "delay to the last alarm",
        wrong: last_alarm,
        hint: "the delay ends at the first alarm in the fault: from then on somebody knows",
    },
    Misconception {
        name: "repeated alarms are false",
        wrong: repeats_are_false,
        hint: "a second alarm within a fault is a nuisance, but not false: false alarms are those outside of every fault",
    },
    Misconception {
        name: "an alarm before the fault finds it",
        wrong: before_the_start,
        hint: "an alarm before the start of a fault does not find it: it was chance, and false",
    },
];
