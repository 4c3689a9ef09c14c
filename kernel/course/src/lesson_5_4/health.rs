//! Exercise 5.4 E6: does a query keep up, and which limit makes it do so?

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::compare;
use super::keep_up::BatchEngine;
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::trial::{self, Misconception, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.4 E6",
    title: "Keep up",
    points: 15,
    hints: [
        "What grows when a query is too slow, whatever a single batch looks like?",
        "Look again at section 6, \"Keeping up\": the line `waiting_rows`. For the limit: a batch of n rows takes \
         `per_batch_ms + n / rows_per_ms`. Too many rows make it longer than five seconds; too few, and the fixed cost \
         eats the time in which the backlog should shrink.",
        "let stuck = records.iter().all(|r| r.input_rows > 0) && /* first and last watermark are equal */;\n\
         let (first, last) = (records[0].waiting_rows, records[records.len() - 1].waiting_rows);\n\
         // stuck first, then compare first and last\n\n\
         // limit: the longest batch that is still below 5,000 ms\n\
         (5_000 - 1 - per_batch_ms) * rows_per_ms",
    ],
    next_question: "the watermark is stuck and the query keeps up. Which of your alarms rings?",
};

/// What a progress record says, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgressRecord {
    pub input_rows: u64,
    pub took_ms: u64,
    /// Rows in the source that no batch has taken yet.
    pub waiting_rows: u64,
    /// In seconds.
    pub watermark_s: i64,
}

/// How a query is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    Healthy,
    FallingBehind,
    CatchingUp,
    StuckWatermark,
}

/// A query that was down and comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Rows that arrive in a second, before and after.
    pub rows_per_s: u64,
    /// Rows that wait when the query comes back.
    pub waiting_rows: u64,
    pub per_batch_ms: u64,
    pub rows_per_ms: u64,
}

/// What a limit does, by simulation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitTest {
    /// Caught up within 10 minutes, and no batch took 5 seconds.
    Meets,
    /// A batch took this many milliseconds.
    BatchTooLong(u64),
    /// So many rows still waited after 10 minutes.
    NotCaughtUp(u64),
}

/// What a learner writes, first part.
pub type DiagnoseAnswer = fn(&[ProgressRecord]) -> Health;
/// What a learner writes, second part: rows per trigger.
pub type LimitAnswer = fn(Outage) -> u64;

/// Checks `diagnose(records)` and `limit(outage)`: 15 points. A limit is tried by simulation.
pub fn check_5_4_e6(diagnose: DiagnoseAnswer, limit: LimitAnswer) -> Outcome {
    check_for(&Learner::current(), diagnose, limit)
}

/// As [`check_5_4_e6`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, diagnose: DiagnoseAnswer, limit: LimitAnswer) -> Outcome {
    let functions = [diagnose as *const (), limit as *const ()];
    attempt::of(EXERCISE.id, learner, &functions, || {
        let mut random = Random::seeded(learner.seed(EXERCISE.id));
        let begun = Instant::now();
        let (diagnosing, limiting) = (diagnosing(&mut random), limiting(&mut random));
        let first = diagnosing.run(begun, |records| diagnose(records));
        let second = limiting.run(begun, |outage| test(*outage, limit(*outage)));
        Outcome::new(
            &EXERCISE,
            trial::together(&[(diagnosing.name, first), (limiting.name, second)]),
        )
    })
}

/// Tries a limit: the query comes back with rows waiting, and ten minutes pass.
fn test(outage: Outage, limit: u64) -> LimitTest {
    let engine = BatchEngine {
        per_batch_ms: outage.per_batch_ms,
        rows_per_ms: outage.rows_per_ms,
        trigger_ms: 0,
        limit: Some(limit.max(1)),
    };
    // What waits arrived in the second before the query came back.
    let mut arrivals = vec![outage.waiting_rows];
    arrivals.extend(vec![outage.rows_per_s; 600]);
    let batches = engine.batches(&arrivals, 1);
    let longest = batches.iter().map(|batch| batch.took_ms).max().unwrap_or(0);
    if longest >= 5_000 {
        return LimitTest::BatchTooLong(longest);
    }
    // Caught up: nothing waits that one batch could not take.
    let least = batches.iter().map(|batch| batch.waiting).min().unwrap_or(0);
    if least > limit {
        return LimitTest::NotCaughtUp(least);
    }
    LimitTest::Meets
}

fn judge(records: &[ProgressRecord]) -> Health {
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        return Health::Healthy;
    };
    let fed = records.iter().all(|record| record.input_rows > 0);
    if records.len() > 1 && fed && first.watermark_s == last.watermark_s {
        Health::StuckWatermark
    } else if last.waiting_rows > first.waiting_rows {
        Health::FallingBehind
    } else if last.waiting_rows < first.waiting_rows {
        Health::CatchingUp
    } else {
        Health::Healthy
    }
}

fn records(rows: &[(u64, u64, u64, i64)]) -> Vec<ProgressRecord> {
    let record =
        |(input_rows, took_ms, waiting_rows, watermark_s): &(u64, u64, u64, i64)| ProgressRecord {
            input_rows: *input_rows,
            took_ms: *took_ms,
            waiting_rows: *waiting_rows,
            watermark_s: *watermark_s,
        };
    rows.iter().map(record).collect()
}

fn diagnosing(random: &mut Random) -> Trial<Vec<ProgressRecord>, Health> {
    let hidden = (0..80).map(|round: usize| {
        let mut waiting = random.choose(&[0, 4_000, 90_000]);
        let mut watermark = 1_000;
        let (drift, moves, quiet) = (round % 4, round % 7 != 3, round % 5 == 2);
        let rows = (0..random.between(2, 9)).map(|_| {
            let step = random.between(1, 900) as u64;
            waiting = match drift {
                0 => waiting,
                1 => waiting + step,
                2 => waiting.saturating_sub(step),
                _ if random.between(0, 2) == 0 => waiting + step,
                _ => waiting.saturating_sub(step),
            };
            watermark += if moves && !quiet {
                random.between(1, 9)
            } else {
                0
            };
            let input = if quiet { 0 } else { 1_000 + step };
            (
                input,
                random.choose(&[300, 900, 1_400, 6_000]),
                waiting,
                watermark,
            )
        });
        records(&rows.collect::<Vec<_>>())
    });
    Trial {
        name: "diagnose",
        call: |records| {
            let rows = records.iter().map(|record| {
                format!(
                    "({}, {}, {}, {})",
                    record.input_rows, record.took_ms, record.waiting_rows, record.watermark_s
                )
            });
            format!(
                "diagnose of (input_rows, took_ms, waiting_rows, watermark_s): {}",
                rows.collect::<Vec<_>>().join(", ")
            )
        },
        reference: |records| judge(records),
        picture: |records, expected, got| {
            let mut lines = vec![(
                "verdict".to_owned(),
                format!("{expected:?}"),
                format!("{got:?}"),
            )];
            let waiting: Vec<String> = records
                .iter()
                .map(|record| record.waiting_rows.to_string())
                .collect();
            lines.push(("waiting".into(), waiting.join(" "), waiting.join(" ")));
            compare::picture("Progress records and the verdict", &lines)
        },
        properties: &[],
        misconceptions: DIAGNOSE_MISCONCEPTIONS,
        shown: vec![
            records(&[
                (1_000, 400, 0, 10),
                (1_000, 420, 0, 20),
                (1_000, 410, 0, 30),
            ]),
            records(&[
                (1_000, 1_400, 500, 10),
                (1_400, 1_900, 1_200, 20),
                (1_900, 2_600, 2_300, 30),
            ]),
            records(&[
                (9_000, 4_000, 80_000, 10),
                (9_000, 4_000, 60_000, 20),
                (9_000, 4_000, 41_000, 30),
            ]),
            records(&[
                (1_000, 400, 0, 10),
                (1_000, 400, 0, 10),
                (1_000, 400, 0, 10),
            ]),
            records(&[(0, 20, 0, 10), (0, 20, 0, 10)]),
        ],
        hidden: hidden.collect(),
    }
}

const DIAGNOSE_MISCONCEPTIONS: &[Misconception<Vec<ProgressRecord>, Health>] = &[
    Misconception {
        name: "a long batch is a slow query",
        wrong: |records| match judge(records) {
            Health::StuckWatermark => Health::StuckWatermark,
            _ if records.iter().any(|record| record.took_ms > 1_000) => Health::FallingBehind,
            _ => Health::Healthy,
        },
        hint: "you judge by how long a batch took. A long batch can take many rows: what matters is whether the rows \
               that wait become more",
    },
    Misconception {
        name: "many waiting is falling behind",
        wrong: |records| match judge(records) {
            Health::CatchingUp => Health::FallingBehind,
            other => other,
        },
        hint: "many rows wait, but they become fewer: that query is catching up. Compare the first record with the last",
    },
    Misconception {
        name: "silence is a stuck watermark",
        wrong: |records| {
            let (first, last) = (records.first(), records.last());
            match (first, last) {
                (Some(first), Some(last))
                    if records.len() > 1 && first.watermark_s == last.watermark_s =>
                {
                    Health::StuckWatermark
                }
                _ => judge(records),
            }
        },
        hint: "where no rows come the watermark has nothing to move it: no data, no progress. It is stuck only if rows \
               come and it stays",
    },
    Misconception {
        name: "the watermark is not looked at",
        wrong: |records| {
            let mut moved = records.to_vec();
            if let Some(last) = moved.last_mut() {
                last.watermark_s += 1;
            }
            judge(&moved)
        },
        hint: "rows come, and the watermark stays where it is: nothing will ever be final, although the query keeps up. \
               Look at the watermark first",
    },
    Misconception {
        name: "any waiting row is falling behind",
        wrong: |records| match judge(records) {
            Health::Healthy if records.iter().any(|record| record.waiting_rows > 0) => {
                Health::FallingBehind
            }
            other => other,
        },
        hint: "the rows that wait are as many as before: the query takes what comes. Only their growth says that it \
               falls behind",
    },
];

fn limiting(random: &mut Random) -> Trial<Outage, LimitTest> {
    let hidden = (0..40).map(|_| {
        let rows_per_ms = random.between(2, 12) as u64;
        let per_batch_ms = random.between(2, 20) as u64 * 100;
        // At most half of what five-second batches can do, so that a limit exists.
        let best = (4_900 - per_batch_ms) * rows_per_ms * 1_000 / 4_900;
        let rows_per_s = best * random.between(10, 60) as u64 / 100;
        let spare = (best - rows_per_s) * 600;
        Outage {
            rows_per_s,
            waiting_rows: spare * random.between(20, 70) as u64 / 100,
            per_batch_ms,
            rows_per_ms,
        }
    });
    let shown = Outage {
        rows_per_s: 1_000,
        waiting_rows: 900_000,
        per_batch_ms: 500,
        rows_per_ms: 4,
    };
    Trial {
        name: "limit",
        call: |outage| format!("limit({outage:?})"),
        reference: |_| LimitTest::Meets,
        picture: |_, expected, got| {
            let line = (
                "limit".to_owned(),
                format!("{expected:?}"),
                format!("{got:?}"),
            );
            compare::picture("Ten minutes after the query came back", &[line])
        },
        properties: LIMIT_PROPERTIES,
        misconceptions: LIMIT_MISCONCEPTIONS,
        shown: vec![shown],
        hidden: hidden.collect(),
    }
}

const LIMIT_PROPERTIES: &[Property<Outage, LimitTest>] = &[
    Property {
        name: "no batch takes five seconds",
        holds: |_, got| !matches!(got, LimitTest::BatchTooLong(_)),
    },
    Property {
        name: "ten minutes are enough to catch up",
        holds: |_, got| !matches!(got, LimitTest::NotCaughtUp(_)),
    },
];

const LIMIT_MISCONCEPTIONS: &[Misconception<Outage, LimitTest>] = &[
    Misconception {
        name: "no limit",
        wrong: |outage| test(*outage, outage.waiting_rows),
        hint: "you take everything that waits in one batch. It is the fastest way to catch up and the longest batch: a \
               limit is there to bound it",
    },
    Misconception {
        name: "limit at the input rate",
        wrong: |outage| test(*outage, outage.rows_per_s),
        hint: "you take as many rows a batch as arrive in a second. With the fixed cost of each batch little or nothing \
               is left for what waits",
    },
    Misconception {
        name: "fixed cost forgotten",
        wrong: |outage| test(*outage, 5_000 * outage.rows_per_ms),
        hint: "you fill five seconds with rows and forget what a batch costs whatever is in it",
    },
    Misconception {
        name: "backlog spread over ten minutes of one-second batches",
        wrong: |outage| test(*outage, outage.waiting_rows / 600),
        hint: "you spread what waits over 600 seconds and forget what arrives meanwhile",
    },
];

/// Right answers, for tests and for the parts of a wrong solution that are right.
pub fn right_answers() -> (DiagnoseAnswer, LimitAnswer) {
    (judge, |outage| {
        (4_990 - outage.per_batch_ms) * outage.rows_per_ms
    })
}

/// Wrong diagnoses: name, part of the hint, what is handed in.
pub const WRONG_DIAGNOSE: &[(&str, &str, DiagnoseAnswer)] = &[
    (
        "long batch",
        "how long a batch took",
        |records| match judge(records) {
            Health::StuckWatermark => Health::StuckWatermark,
            _ if records.iter().any(|record| record.took_ms > 1_000) => Health::FallingBehind,
            _ => Health::Healthy,
        },
    ),
    ("many waiting", "is catching up", |records| {
        match judge(records) {
            Health::CatchingUp => Health::FallingBehind,
            other => other,
        }
    }),
    ("silence", "no data, no progress", |records| {
        match records.len() > 1 && records[0].watermark_s == records[records.len() - 1].watermark_s
        {
            true => Health::StuckWatermark,
            false => judge(records),
        }
    }),
    (
        "no look at the watermark",
        "Look at the watermark first",
        |records| match (records.first(), records.last()) {
            (Some(a), Some(b)) if b.waiting_rows > a.waiting_rows => Health::FallingBehind,
            (Some(a), Some(b)) if b.waiting_rows < a.waiting_rows => Health::CatchingUp,
            _ => Health::Healthy,
        },
    ),
    (
        "any waiting row",
        "Only their growth",
        |records| match judge(records) {
            Health::Healthy if records.iter().any(|record| record.waiting_rows > 0) => {
                Health::FallingBehind
            }
            other => other,
        },
    ),
];

/// Wrong limits: name, part of the hint, what is handed in.
pub const WRONG_LIMIT: &[(&str, &str, LimitAnswer)] = &[
    ("no limit", "a limit is there to bound it", |outage| {
        outage.waiting_rows
    }),
    ("input rate", "as many rows a batch as arrive", |outage| {
        outage.rows_per_s
    }),
    ("no fixed cost", "forget what a batch costs", |outage| {
        5_000 * outage.rows_per_ms
    }),
    ("spread", "what arrives meanwhile", |outage| {
        outage.waiting_rows / 600
    }),
];
