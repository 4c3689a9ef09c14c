//! Exercise 5.4 E2: what does every batch do with its rows?

use std::time::Instant;

use super::compare;
use super::ledger::{BatchReport, Way, keep};
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::trial::{self, Misconception, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.4 E2",
    title: "Watermark ledger",
    points: 20,
    hints: [
        "Two watermarks take part in a batch: which one closes windows at its end, and which one had closed them \
         before its rows came?",
        "Look again at section 4, \"Watermark, late rows, output modes\": the numbers of D2, batch 2 and batch 3. A row \
         is late when its window ended at or before the watermark of the batch before. The watermark moves when the \
         batch is done, and only forward; an empty batch leaves it where it is.",
        "let (mut watermark, mut before, mut open) = (0, 0, BTreeSet::new());\n\
         for batch in batches {\n    \
             for at in batch {\n        \
                 // late if the window's end <= before: count it; else into `open` and `updated`\n    \
             }\n    \
             // windows in `open` with end <= watermark: move them to `finalised`\n    \
             before = watermark;\n    \
             // watermark: the newest of this batch minus delay, if that is further\n\
         }",
    ],
    next_question: "in which batch would the last window come out if no event ever came again?",
};

/// Batches of event times, delay and size.
type Case = (Vec<Vec<i64>>, i64, i64);

/// What a learner writes: batches, delay and size, in whole seconds.
pub type Answer = fn(&[Vec<i64>], i64, i64) -> Vec<BatchReport>;

/// Checks `ledger(batches, delay, size)`: 20 points. Times are whole seconds, windows tumbling.
pub fn check_5_4_e2(ledger: Answer) -> Outcome {
    check_for(&Learner::current(), ledger)
}

/// As [`check_5_4_e2`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, ledger: Answer) -> Outcome {
    let functions = [ledger as *const ()];
    attempt::of(EXERCISE.id, learner, &functions, || {
        let trial = trial(&mut Random::seeded(learner.seed(EXERCISE.id)));
        let verdict = trial.run(Instant::now(), |(batches, delay, size)| {
            ledger(batches, *delay, *size)
        });
        Outcome::new(&EXERCISE, trial::together(&[(trial.name, verdict)]))
    })
}

/// The batches that the notebook shows: those of demo D2, in seconds after noon.
fn shown() -> Vec<Case> {
    let script = vec![
        vec![1, 4, 8, 12],
        vec![13, 6, 19, 22, 15],
        vec![17, 24, 9, 26, 21],
        vec![3, 11, 33, 35],
        vec![],
    ];
    vec![
        (script[..2].to_vec(), 10, 10),
        (script[..3].to_vec(), 10, 10),
        (script, 10, 10),
    ]
}

fn trial(random: &mut Random) -> Trial<Case, Vec<BatchReport>> {
    Trial {
        name: "ledger",
        call: |(batches, delay, size)| format!("ledger(&{batches:?}, {delay}, {size})"),
        reference: |(batches, delay, size)| keep(batches, *delay, *size, Way::default()),
        picture: |_, expected, got| {
            let list = |starts: &[i64]| {
                let starts: Vec<String> = starts.iter().map(ToString::to_string).collect();
                starts.join(" ")
            };
            let words = |report: &BatchReport| {
                let (updated, finals) = (list(&report.updated), list(&report.finalised));
                format!(
                    "{} | {} | {updated} | {finals}",
                    report.watermark, report.dropped
                )
            };
            let lines = compare::side_by_side("batch", expected, got, words);
            compare::picture("Each batch: watermark | dropped | updated | final", &lines)
        },
        properties: PROPERTIES,
        misconceptions: MISCONCEPTIONS,
        shown: shown(),
        hidden: (0..80).map(|round| drawn(random, round)).collect(),
    }
}

/// Batches that move on, with rows behind, rows ahead, equal times, and empty batches.
fn drawn(random: &mut Random, round: usize) -> Case {
    let size = random.choose(&[5, 10, 30]);
    let delay = random.choose(&[0, 5, 10, 25]);
    let mut now = 1000 + random.between(0, 60);
    let batches = (0..3 + round % 6).map(|number| {
        if round % 4 == 1 && number % 3 == 1 {
            return vec![];
        }
        now += random.between(0, 2 * size);
        let rows = random.between(1, 6);
        let row = |random: &mut Random| match random.between(0, 8) {
            0 => now - random.between(0, 80),
            // Exactly on a boundary.
            1 => now.div_euclid(size) * size,
            2 if round % 5 == 4 => now + 90,
            _ => now + random.between(0, size),
        };
        (0..rows).map(|_| row(random)).collect()
    });
    (batches.collect(), delay, size)
}

const PROPERTIES: &[Property<Case, Vec<BatchReport>>] = &[
    Property {
        name: "one report a batch, empty batches too",
        holds: |(batches, ..), got| got.len() == batches.len(),
    },
    Property {
        name: "the watermark never moves back",
        holds: |_, got| {
            got.windows(2)
                .all(|pair| pair[0].watermark <= pair[1].watermark)
        },
    },
    Property {
        name: "the first batch runs with watermark 0",
        holds: |_, got| got.first().is_none_or(|first| first.watermark == 0),
    },
    Property {
        name: "a window is final once",
        holds: |_, got| {
            let mut finals: Vec<i64> = got
                .iter()
                .flat_map(|report| report.finalised.clone())
                .collect();
            let all = finals.len();
            finals.sort_unstable();
            finals.dedup();
            finals.len() == all
        },
    },
    Property {
        name: "a window that is final had been updated before, or in the same batch",
        holds: |_, got| {
            let mut updated = Vec::new();
            got.iter().all(|report| {
                updated.extend(report.updated.clone());
                report.finalised.iter().all(|start| updated.contains(start))
            })
        },
    },
];

/// Makes a misconception: Spark's way with one part exchanged.
macro_rules! way {
    ($name:literal, $part:ident, $hint:literal) => {
        Misconception {
            name: $name,
            wrong: |(batches, delay, size)| {
                let way = Way {
                    $part: true,
                    ..Way::default()
                };
                keep(batches, *delay, *size, way)
            },
            hint: $hint,
        }
    };
}

const MISCONCEPTIONS: &[Misconception<Case, Vec<BatchReport>>] = &[
    way!(
        "watermark applied in the same batch",
        same_batch,
        "you move the watermark with the rows of the same batch. It is taken when the batch is done and used in the \
         next one: inside a batch the order of rows means nothing"
    ),
    way!(
        "watermark moves back",
        backwards,
        "your watermark moves back when a batch has only old rows. What it has promised it keeps: it is the largest so far"
    ),
    way!(
        "late is older than the watermark",
        drop_by_event,
        "you drop every row that is older than the watermark. Late matters only for a closed window: a row whose window \
         is still open is counted"
    ),
    way!(
        "minimum of the batch",
        oldest,
        "you take the oldest event of the batch. Spark takes the newest, so one clock that is ahead can make everyone late"
    ),
    way!(
        "late filter one batch early",
        filter_now,
        "you drop by the watermark of this batch. Windows are closed at the end of a batch, so what had been closed \
         before its rows came is what the watermark of the batch before had passed"
    ),
    way!(
        "end must be passed",
        strict,
        "a window whose end is exactly the watermark is final: it holds no second that is at its end or later"
    ),
    way!(
        "closed before the rows are added",
        evict_first,
        "you close windows before you add the rows of the batch. A batch adds first and closes then, so a window can be \
         made and final in one batch"
    ),
];

/// The wrong solutions of this exercise: name, part of the hint, what is handed in.
pub const WRONG: &[(&str, &str, Answer)] = &[
    (
        "same batch",
        "with the rows of the same batch",
        |batches, delay, size| {
            let way = Way {
                same_batch: true,
                ..Way::default()
            };
            keep(batches, delay, size, way)
        },
    ),
    (
        "moves back",
        "moves back when a batch",
        |batches, delay, size| {
            keep(
                batches,
                delay,
                size,
                Way {
                    backwards: true,
                    ..Way::default()
                },
            )
        },
    ),
    (
        "older is late",
        "Late matters only for a closed window",
        |batches, delay, size| {
            keep(
                batches,
                delay,
                size,
                Way {
                    drop_by_event: true,
                    ..Way::default()
                },
            )
        },
    ),
    (
        "oldest row",
        "one clock that is ahead",
        |batches, delay, size| {
            keep(
                batches,
                delay,
                size,
                Way {
                    oldest: true,
                    ..Way::default()
                },
            )
        },
    ),
    (
        "late filter now",
        "the watermark of the batch before had passed",
        |batches, delay, size| {
            keep(
                batches,
                delay,
                size,
                Way {
                    filter_now: true,
                    ..Way::default()
                },
            )
        },
    ),
    (
        "strict end",
        "exactly the watermark is final",
        |batches, delay, size| {
            keep(
                batches,
                delay,
                size,
                Way {
                    strict: true,
                    ..Way::default()
                },
            )
        },
    ),
    (
        "evict first",
        "adds first and closes then",
        |batches, delay, size| {
            keep(
                batches,
                delay,
                size,
                Way {
                    evict_first: true,
                    ..Way::default()
                },
            )
        },
    ),
];
