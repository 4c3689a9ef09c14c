//! Exercise 5.5 E5: robust z, CUSUM, and a score for both.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::monitor_ways::{
    CUSUM, Cusum, ROBUST_Z, SCORE, Score, alarms, right_cusum, right_robust_z, right_score,
};
use super::watch::{watch, watch_trial};
use crate::attempt;
use crate::bar_picture::{BarPicture, Pair};
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::table_picture::{Row, TablePicture};
use crate::trial::{self, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.5 E5",
    title: "Detect and score",
    points: 25,
    hints: [
        "Which of your numbers changes when the tested value itself gets ten times as large: its distance from the middle, or also the \
         middle and the spread?",
        "Look again at section 2, \"Three detectors, one truth\": the past alone, its median and its MAD; two sums which live in `state` and \
         never fall below 0; and a score that counts faults for `found`, and alarms for `false_alarms`.",
        "batch.iter().map(|z| {\n    \
             state.high = (state.high + z - 0.5).max(0.0);\n    \
             // the same for what is too low\n    \
             let alarm = /* one of the sums over 8 */;\n    \
             // after an alarm both begin again\n    \
             alarm\n\
         }).collect()",
    ],
    next_question: "neither of your detectors finds the slow drift. What would the past have to be for it to stand out?",
};

/// What a learner writes for the robust z.
pub type RobustZ = fn(&[f64], f64) -> f64;
/// What a learner writes for the CUSUM.
pub type CusumStep = fn(&mut Cusum, &[f64]) -> Vec<bool>;
/// What a learner writes for the score: alarms, and start and end of each fault, in seconds.
pub type ScoreOf = fn(&[i64], &[(i64, i64)]) -> Score;

/// A value and those before it.
#[derive(Debug, Clone)]
pub(super) struct Point {
    past: Vec<i64>,
    value: i64,
}

/// Deviations in quarters, batch by batch: quarters are exact as floating-point numbers.
#[derive(Debug, Clone)]
pub(super) struct Batches(Vec<Vec<i64>>);

/// The numbers of the values at which there was an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Alarms {
    at: Vec<usize>,
    /// After so many values there was not one answer for each.
    odd: Option<usize>,
}

impl Point {
    pub fn past(&self) -> Vec<f64> {
        self.past.iter().map(|value| *value as f64).collect()
    }

    pub fn value(&self) -> f64 {
        self.value as f64
    }
}

impl Batches {
    pub fn values(&self) -> impl Iterator<Item = Vec<f64>> {
        let quarter = |batch: &Vec<i64>| batch.iter().map(|z| *z as f64 / 4.0).collect();
        self.0.iter().map(quarter)
    }
}

impl Alarms {
    pub fn at(at: Vec<usize>) -> Alarms {
        Alarms { at, odd: None }
    }

    pub fn odd(after: usize) -> Alarms {
        Alarms {
            at: vec![],
            odd: Some(after),
        }
    }
}

/// Returns a number in hundredths; what is no number is the smallest there is.
pub(super) fn hundredths(value: f64) -> i64 {
    match value.is_finite() {
        true => (value * 100.0).round() as i64,
        false => i64::MIN,
    }
}

/// Checks `robust_z(past, value)`, `cusum(state, batch)` and `score(alarms, faults)`: 25 points.
pub fn check_5_5_e5(robust_z: RobustZ, cusum: CusumStep, score: ScoreOf) -> Outcome {
    check_for(&Learner::current(), robust_z, cusum, score)
}

/// As [`check_5_5_e5`], for a learner who is not the current one.
pub fn check_for(
    learner: &Learner,
    robust_z: RobustZ,
    cusum: CusumStep,
    score: ScoreOf,
) -> Outcome {
    let functions = [
        robust_z as *const (),
        cusum as *const (),
        score as *const (),
    ];
    attempt::of(EXERCISE.id, learner, &functions, || {
        let (random, begun) = (
            &mut Random::seeded(learner.seed(EXERCISE.id)),
            Instant::now(),
        );
        let (first, second) = (robust_trial(random), cusum_trial(random));
        let (third, fourth) = (score_trial(random), watch_trial(random));
        let first = first.run(begun, |point| {
            hundredths(robust_z(&point.past(), point.value()))
        });
        let second = second.run(begun, |batches| alarms(batches, cusum));
        let third = third.run(begun, |(alarms, faults)| score(alarms, faults));
        let fourth = fourth.run(begun, |seed| watch(*seed, robust_z, cusum, score));
        let verdicts = [
            ("robust_z", first),
            ("cusum", second),
            ("score", third),
            ("all three", fourth),
        ];
        Outcome::new(&EXERCISE, trial::together(&verdicts))
    })
}

fn robust_trial(random: &mut Random) -> Trial<Point, i64> {
    let calm = |count: i64| (0..count).map(|n| 100 + n * 7 % 11).collect::<Vec<_>>();
    let mut spiky = calm(40);
    spiky[30] = 900;
    let point = |past: Vec<i64>, value| Point { past, value };
    let shown = vec![
        point(calm(10), 140),
        point(calm(40), 140),
        point(spiky, 140),
        point(vec![100; 40], 103),
    ];
    let hidden = (0..60).map(|round| {
        let count = random.between(20, 62) as usize;
        let wide = random.choose(&[2, 12, 40]);
        let mut past: Vec<i64> = (0..count)
            .map(|_| 100 + random.between(-wide, wide + 1))
            .collect();
        if round % 3 == 0 {
            past[count / 2] = random.between(400, 4_000);
        }
        point(past, random.between(20, 400))
    });
    Trial {
        name: "robust_z",
        call: |point| {
            format!(
                "robust_z(past of {} values, {})",
                point.past.len(),
                point.value
            )
        },
        reference: |point| hundredths(right_robust_z(&point.past(), point.value())),
        picture: |_, expected, got| {
            let pair = Pair {
                name: "robust z".into(),
                expected: *expected as f64 / 100.0,
                got: *got as f64 / 100.0,
            };
            BarPicture {
                title: "How unusual the value is".into(),
                axis: "robust deviations from the median".into(),
                pairs: vec![pair],
            }
            .svg()
        },
        properties: &[Property {
            name: "the answer is a number, whatever the past is",
            holds: |_, got| *got != i64::MIN,
        }],
        misconceptions: ROBUST_Z,
        hidden: hidden.collect(),
        shown,
    }
}

fn cusum_trial(random: &mut Random) -> Trial<Batches, Alarms> {
    let shift = |from: i64| [0, 2, -2, 1, from, from, from, from, from, from, from].to_vec();
    let shown = vec![
        Batches(vec![shift(10)]),
        Batches(vec![
            shift(10)[..6].to_vec(),
            shift(10)[6..].to_vec(),
            vec![1, -1],
        ]),
        Batches(vec![shift(-10)]),
        Batches(vec![[-6; 12].to_vec(), [3; 10].to_vec(), [16; 4].to_vec()]),
    ];
    let hidden = (0..40).map(|_| {
        let level = random.choose(&[-8, -5, 0, 0, 4, 9]);
        let count = random.between(3, 12);
        let batch = |random: &mut Random| {
            let size = random.between(0, 9);
            (0..size).map(|_| level + random.between(-5, 6)).collect()
        };
        Batches((0..count).map(|_| batch(random)).collect())
    });
    Trial {
        name: "cusum",
        call: |batches| {
            let sizes: Vec<usize> = batches.0.iter().map(Vec::len).collect();
            format!("cusum(state, batch), for batches of {sizes:?} values")
        },
        reference: |batches| alarms(batches, right_cusum),
        picture: |_, expected, got| {
            let row = |name, of: fn(&Alarms) -> String| Row::of(name, [expected, got], of);
            TablePicture {
                title: "Alarms".into(),
                rows: vec![
                    row("how many", |it| it.at.len().to_string()),
                    row("at the values", |it| format!("{:?}", it.at)),
                    row("an answer for each", |it| {
                        it.odd
                            .map_or("yes".into(), |after| format!("not after {after}"))
                    }),
                ],
            }
            .svg()
        },
        properties: &[
            Property {
                name: "there is one answer for each value",
                holds: |_, got| got.odd.is_none(),
            },
            Property {
                name: "the alarms do not depend on how the values are cut into batches",
                holds: |batches, got| {
                    let whole = Batches(vec![batches.0.concat()]);
                    *got == alarms(&whole, right_cusum)
                },
            },
        ],
        misconceptions: CUSUM,
        hidden: hidden.collect(),
        shown,
    }
}

/// Times of alarms, and the faults that there were with their beginning and end.
type Watched = (Vec<i64>, Vec<(i64, i64)>);

fn score_trial(random: &mut Random) -> Trial<Watched, Score> {
    let shown = vec![
        (vec![130], vec![(100, 200)]),
        (vec![120, 150, 190, 500], vec![(100, 200), (300, 400)]),
        (vec![90, 200, 350], vec![(100, 200), (300, 400)]),
        (vec![], vec![(10, 20)]),
    ];
    let hidden = (0..40).map(|_| {
        let mut faults = Vec::new();
        let mut at = random.between(0, 200);
        for _ in 0..random.between(1, 5) {
            let end = at + random.between(10, 120);
            faults.push((at, end));
            at = end + random.between(20, 300);
        }
        let alarms = (0..random.between(0, 12)).map(|_| random.between(0, at));
        let mut alarms: Vec<i64> = alarms.collect();
        alarms.sort_unstable();
        (alarms, faults)
    });
    Trial {
        name: "score",
        call: |(alarms, faults)| format!("score(&{alarms:?}, &{faults:?})"),
        reference: |(alarms, faults)| right_score(alarms, faults),
        picture: |_, expected, got| score_picture("Score", expected, got),
        properties: &[Property {
            name: "no more is found than there is",
            holds: |(_, faults), got| got.found <= faults.len(),
        }],
        misconceptions: SCORE,
        hidden: hidden.collect(),
        shown,
    }
}

pub(super) fn score_picture(title: &str, expected: &Score, got: &Score) -> String {
    let row = |name, of: fn(&Score) -> String| Row::of(name, [expected, got], of);
    TablePicture {
        title: title.into(),
        rows: vec![
            row("faults found", |it| it.found.to_string()),
            row("longest delay", |it| format!("{} s", it.worst_delay_s)),
            row("false alarms", |it| it.false_alarms.to_string()),
        ],
    }
    .svg()
}

/// The right answers, for tests.
pub const RIGHT: (RobustZ, CusumStep, ScoreOf) = (right_robust_z, right_cusum, right_score);
