//! Exercise 5.4 E3: which rows does a batch give out, and which output modes can be?

use std::collections::BTreeMap;
use std::time::Instant;

use headwater_streams::OutputMode::{self, Append, Complete, Update};

use super::compare;
use super::ledger::{Way, keep};
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::trial::{self, Misconception, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.4 E3",
    title: "Output modes",
    points: 15,
    hints: [
        "Which of the three modes may give out a row that is not final, and which may give out the same window twice?",
        "Look again at section 4, \"Watermark, late rows, output modes\": the three tables of D2. Append goes by \
         `finalised`, update by `changed`, complete by everything so far. For `allowed`: what can a file not do that a \
         table can? And which queries have rows that become final at all?",
        "let mut totals = BTreeMap::new();\n\
         for batch in batches {\n    \
             totals.extend(batch.changed.iter().copied());\n    \
             match mode {\n        \
                 Append => /* the totals of batch.finalised */,\n        \
                 Update => /* batch.changed */,\n        \
                 Complete => /* all totals */,\n    \
             }\n\
         }",
    ],
    next_question: "a dashboard reads the table every minute. Which mode would you give it, and what would it cost?",
};

/// What one micro-batch changed; times in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The newest event time so far.
    pub newest: i64,
    /// Start and new total of each window that the batch added rows to.
    pub changed: Vec<(i64, i64)>,
    /// Starts of the windows that became final in it.
    pub finalised: Vec<i64>,
}

/// A kind of streaming query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    /// Rows are kept or left out, nothing is aggregated.
    Filter,
    /// Counted in fixed windows, without a watermark.
    WindowsNoWatermark,
    /// Counted in fixed windows, with a watermark.
    Windows,
    /// Counted in sessions, with a watermark and a key.
    Sessions,
}

/// Where a query writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkTo {
    /// Files: what is written stays as it is.
    Files,
    /// A table in which a row can be replaced.
    Table,
}

type Rows = Vec<Vec<(i64, i64)>>;
type Emit = (Vec<Changes>, OutputMode);
type Triple = (QueryKind, OutputMode, SinkTo);
/// What a learner writes, first part: one list of (start, total) a batch.
pub type EmitAnswer = fn(&[Changes], OutputMode) -> Vec<Vec<(i64, i64)>>;
/// What a learner writes, second part.
pub type AllowedAnswer = fn(QueryKind, OutputMode, SinkTo) -> bool;

/// Checks `emit(batches, mode)` and `allowed(query, mode, sink)`: 15 points. Rows may come in any
/// order inside a batch.
pub fn check_5_4_e3(emit: EmitAnswer, allowed: AllowedAnswer) -> Outcome {
    check_for(&Learner::current(), emit, allowed)
}

/// As [`check_5_4_e3`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, emit: EmitAnswer, allowed: AllowedAnswer) -> Outcome {
    let functions = [emit as *const (), allowed as *const ()];
    attempt::of(EXERCISE.id, learner, &functions, || {
        let mut random = Random::seeded(learner.seed(EXERCISE.id));
        let begun = Instant::now();
        let emitting = emitting(&mut random);
        let first = emitting.run(begun, |(batches, mode)| sorted(emit(batches, *mode)));
        let allowing = allowing();
        let second = allowing.run(begun, |(query, mode, sink)| allowed(*query, *mode, *sink));
        Outcome::new(
            &EXERCISE,
            trial::together(&[(emitting.name, first), (allowing.name, second)]),
        )
    })
}

fn sorted(mut rows: Rows) -> Rows {
    rows.iter_mut().for_each(|batch| batch.sort_unstable());
    rows
}

/// Returns what the batches of demo D2 changed, and those of `seconds` after noon.
pub(crate) fn changes(batches: &[Vec<i64>], delay: i64, size: i64) -> Vec<Changes> {
    let mut totals: BTreeMap<i64, i64> = BTreeMap::new();
    let (mut newest, mut before) = (0, 0);
    let reports = keep(batches, delay, size, Way::default());
    let step = batches.iter().zip(&reports).map(|(batch, report)| {
        for at in batch {
            newest = newest.max(*at);
            let start = at.div_euclid(size) * size;
            if start + size > before {
                *totals.entry(start).or_default() += 1;
            }
        }
        before = report.watermark;
        Changes {
            newest,
            changed: report
                .updated
                .iter()
                .map(|start| (*start, totals[start]))
                .collect(),
            finalised: report.finalised.clone(),
        }
    });
    step.collect()
}

/// The batches of demo D2 with the one without rows, as an exercise needs them.
pub fn script_changes() -> Vec<Changes> {
    let script = [
        vec![1, 4, 8, 12],
        vec![13, 6, 19, 22, 15],
        vec![17, 24, 9, 26, 21],
        vec![3, 11, 33, 35],
        vec![],
    ];
    changes(&script, 10, 10)
}

/// The right way, with the parts that people exchange.
fn emitted(
    (batches, mode): &Emit,
    rows: impl Fn(&Changes, &BTreeMap<i64, i64>, OutputMode) -> Vec<(i64, i64)>,
) -> Rows {
    let mut totals = BTreeMap::new();
    let each = batches.iter().map(|batch| {
        totals.extend(batch.changed.iter().copied());
        rows(batch, &totals, *mode)
    });
    sorted(each.collect())
}

fn right(batch: &Changes, totals: &BTreeMap<i64, i64>, mode: OutputMode) -> Vec<(i64, i64)> {
    match mode {
        Append => batch
            .finalised
            .iter()
            .map(|start| (*start, totals[start]))
            .collect(),
        Update => batch.changed.clone(),
        Complete => totals
            .iter()
            .map(|(start, total)| (*start, *total))
            .collect(),
    }
}

fn emitting(random: &mut Random) -> Trial<Emit, Rows> {
    let mut hidden = Vec::new();
    for round in 0..60 {
        let mut now = 1000;
        let batches: Vec<Vec<i64>> = (0..4 + round % 4)
            .map(|_| {
                now += random.between(0, 15);
                let rows = random.between(0, 6);
                (0..rows)
                    .map(|_| now - random.between(0, 12) + random.between(0, 12))
                    .collect()
            })
            .collect();
        let mode = [Append, Update, Complete][round % 3];
        hidden.push((changes(&batches, 5, 10), mode));
    }
    let script = script_changes();
    Trial {
        name: "emit",
        call: |(batches, mode)| format!("emit(&batches, {mode:?}) of {} batches", batches.len()),
        reference: |case| emitted(case, right),
        picture: |(_, mode), expected, got| {
            let lines = compare::side_by_side("batch", expected, got, |rows| format!("{rows:?}"));
            compare::picture(
                &format!("Rows given out in {mode:?} mode: (start, total)"),
                &lines,
            )
        },
        properties: EMIT_PROPERTIES,
        misconceptions: EMIT_MISCONCEPTIONS,
        shown: [Append, Update, Complete]
            .map(|mode| (script.clone(), mode))
            .to_vec(),
        hidden,
    }
}

const EMIT_PROPERTIES: &[Property<Emit, Rows>] = &[
    Property {
        name: "append gives out no window twice",
        holds: |(_, mode), got| {
            let mut starts: Vec<i64> = got.iter().flatten().map(|(start, _)| *start).collect();
            let all = starts.len();
            starts.sort_unstable();
            starts.dedup();
            *mode != Append || starts.len() == all
        },
    },
    Property {
        name: "complete gives out no fewer rows than the batch before",
        holds: |(_, mode), got| {
            *mode != Complete || got.windows(2).all(|pair| pair[0].len() <= pair[1].len())
        },
    },
];

const EMIT_MISCONCEPTIONS: &[Misconception<Emit, Rows>] = &[
    Misconception {
        name: "append at the end of the window",
        wrong: |case| {
            let mut given: Vec<i64> = Vec::new();
            let mut totals = BTreeMap::new();
            let each = case.0.iter().map(|batch| {
                totals.extend(batch.changed.iter().copied());
                if case.1 != Append {
                    return right(batch, &totals, case.1);
                }
                let due = totals
                    .iter()
                    .filter(|(start, _)| **start + 10 <= batch.newest);
                let due: Vec<(i64, i64)> = due.map(|(start, total)| (*start, *total)).collect();
                let new: Vec<(i64, i64)> = due
                    .into_iter()
                    .filter(|(start, _)| !given.contains(start))
                    .collect();
                given.extend(new.iter().map(|(start, _)| *start));
                new
            });
            sorted(each.collect())
        },
        hint: "in append mode you give a window out as soon as an event behind its end has come. It is final only when \
               the watermark has passed its end, and that is what `finalised` says",
    },
    Misconception {
        name: "append gives out every change",
        wrong: |case| {
            emitted(case, |batch, totals, mode| {
                right(batch, totals, if mode == Append { Update } else { mode })
            })
        },
        hint: "in append mode you give out every window that changed. Append gives each window once, when it is final; \
               that makes it the slowest of the three, not the fastest",
    },
    Misconception {
        name: "complete gives out changes",
        wrong: |case| {
            emitted(case, |batch, totals, mode| {
                right(batch, totals, if mode == Complete { Update } else { mode })
            })
        },
        hint: "in complete mode you give out the windows that changed. It gives the whole table each time, also what \
               stayed as it was",
    },
    Misconception {
        name: "complete forgets what is final",
        wrong: |case| {
            let mut gone: Vec<i64> = Vec::new();
            let mut totals = BTreeMap::new();
            let each = case.0.iter().map(|batch| {
                totals.extend(batch.changed.iter().copied());
                let mut rows = right(batch, &totals, case.1);
                if case.1 == Complete {
                    rows.retain(|(start, _)| !gone.contains(start));
                    gone.extend(&batch.finalised);
                }
                rows
            });
            sorted(each.collect())
        },
        hint: "in complete mode you leave out windows that are final. Complete keeps all of them for ever: the watermark \
               frees nothing there",
    },
    Misconception {
        name: "update repeats all",
        wrong: |case| {
            emitted(case, |batch, totals, mode| {
                right(batch, totals, if mode == Update { Complete } else { mode })
            })
        },
        hint: "in update mode you repeat windows that this batch did not change. Update gives only what changed",
    },
    Misconception {
        name: "update gives final windows again",
        wrong: |case| {
            emitted(case, |batch, totals, mode| {
                let mut rows = right(batch, totals, mode);
                if mode == Update {
                    let again = batch.finalised.iter().map(|start| (*start, totals[start]));
                    rows.extend(again);
                    rows.sort_unstable();
                    rows.dedup();
                }
                rows
            })
        },
        hint: "in update mode you give a window out again when it becomes final. Nothing about it has changed then, so \
               nothing comes out: who reads updates never hears that a window is final",
    },
];

/// By Spark's rules.
fn may(query: QueryKind, mode: OutputMode, sink: SinkTo) -> bool {
    let cannot_be = matches!(
        (query, mode),
        (QueryKind::Filter, Complete)
            | (QueryKind::WindowsNoWatermark, Append)
            | (QueryKind::Sessions, Update)
    );
    !cannot_be && (sink == SinkTo::Table || mode == Append)
}

fn allowing() -> Trial<Triple, bool> {
    let mut triples = Vec::new();
    for query in [
        QueryKind::Windows,
        QueryKind::Filter,
        QueryKind::WindowsNoWatermark,
        QueryKind::Sessions,
    ] {
        for mode in [Append, Update, Complete] {
            for sink in [SinkTo::Table, SinkTo::Files] {
                triples.push((query, mode, sink));
            }
        }
    }
    let hidden = triples.split_off(12);
    Trial {
        name: "allowed",
        call: |(query, mode, sink)| format!("allowed({query:?}, {mode:?}, {sink:?})"),
        reference: |(query, mode, sink)| may(*query, *mode, *sink),
        picture: |(query, mode, sink), expected, got| {
            let line = (format!("{mode:?}"), expected.to_string(), got.to_string());
            compare::picture(&format!("{query:?} to {sink:?}"), &[line])
        },
        properties: &[],
        misconceptions: ALLOWED_MISCONCEPTIONS,
        shown: triples,
        hidden,
    }
}

const ALLOWED_MISCONCEPTIONS: &[Misconception<Triple, bool>] = &[
    Misconception {
        name: "files can be updated",
        wrong: |(query, mode, _)| may(*query, *mode, SinkTo::Table),
        hint: "a row in a file cannot be taken back, so a file sink takes append only",
    },
    Misconception {
        name: "append needs no watermark",
        wrong: |(query, mode, sink)| {
            may(*query, *mode, *sink) || (*query, *mode) == (QueryKind::WindowsNoWatermark, Append)
        },
        hint: "without a watermark no window is ever final, and append would wait for ever",
    },
    Misconception {
        name: "complete is always possible",
        wrong: |(query, mode, sink)| {
            may(*query, *mode, *sink)
                || (*query, *mode, *sink) == (QueryKind::Filter, Complete, SinkTo::Table)
        },
        hint: "a query that only filters has no result table: complete would have to keep every row that ever came",
    },
    Misconception {
        name: "sessions can be updated",
        wrong: |(query, mode, sink)| {
            may(*query, *mode, *sink)
                || (*query, *mode, *sink) == (QueryKind::Sessions, Update, SinkTo::Table)
        },
        hint: "two sessions can merge into one with another start: an update would have to take a row back, and update \
               mode only adds and replaces. Spark refuses it",
    },
];

/// Right answers, for tests and for the parts of a wrong solution that are right.
pub fn right_answers() -> (EmitAnswer, AllowedAnswer) {
    (
        |batches, mode| emitted(&(batches.to_vec(), mode), right),
        may,
    )
}

/// Wrong ways to emit: name, part of the hint, what is handed in.
pub const WRONG_EMIT: &[(&str, &str, EmitAnswer)] = &[
    (
        "append at the end of the window",
        "as soon as an event behind its end",
        |batches, mode| {
            let (mut totals, mut given) = (BTreeMap::new(), Vec::new());
            let mut all = Vec::new();
            for batch in batches {
                totals.extend(batch.changed.iter().copied());
                let mut rows = right(batch, &totals, mode);
                if mode == Append {
                    rows = totals
                        .iter()
                        .map(|(start, total)| (*start, *total))
                        .collect();
                    rows.retain(|(start, _)| start + 10 <= batch.newest && !given.contains(start));
                    given.extend(rows.iter().map(|(start, _)| *start));
                }
                all.push(rows);
            }
            all
        },
    ),
    (
        "append every change",
        "slowest of the three",
        |batches, mode| match mode {
            Complete => emitted(&(batches.to_vec(), mode), right),
            _ => batches.iter().map(|batch| batch.changed.clone()).collect(),
        },
    ),
    (
        "complete only changes",
        "the whole table each time",
        |batches, mode| match mode {
            Append => emitted(&(batches.to_vec(), mode), right),
            _ => batches.iter().map(|batch| batch.changed.clone()).collect(),
        },
    ),
    (
        "complete forgets",
        "frees nothing there",
        |batches, mode| {
            let mut rows = emitted(&(batches.to_vec(), mode), right);
            if mode == Complete {
                let mut gone: Vec<i64> = vec![];
                for (rows, batch) in rows.iter_mut().zip(batches) {
                    rows.retain(|(start, _)| !gone.contains(start));
                    gone.extend(&batch.finalised);
                }
            }
            rows
        },
    ),
    (
        "update repeats all",
        "only what changed",
        |batches, mode| {
            let mode = if mode == Update { Complete } else { mode };
            emitted(&(batches.to_vec(), mode), right)
        },
    ),
    (
        "update gives final windows again",
        "never hears that a window is final",
        |batches, mode| {
            let mut rows = emitted(&(batches.to_vec(), mode), right);
            let finals = emitted(&(batches.to_vec(), Append), right);
            if mode == Update {
                for (rows, finals) in rows.iter_mut().zip(finals) {
                    let new = finals.into_iter().filter(|row| !rows.contains(row));
                    let new: Vec<(i64, i64)> = new.collect();
                    rows.extend(new);
                }
            }
            rows
        },
    ),
];

/// Wrong tables of what can be: name, part of the hint, what is handed in.
pub const WRONG_ALLOWED: &[(&str, &str, AllowedAnswer)] = &[
    (
        "files can be updated",
        "a file sink takes append only",
        |query, mode, _| may(query, mode, SinkTo::Table),
    ),
    (
        "append without watermark",
        "append would wait for ever",
        |query, mode, sink| {
            (query, mode) == (QueryKind::WindowsNoWatermark, Append) || may(query, mode, sink)
        },
    ),
    (
        "complete without aggregation",
        "no result table",
        |query, mode, sink| {
            (query, mode, sink) == (QueryKind::Filter, Complete, SinkTo::Table)
                || may(query, mode, sink)
        },
    ),
    (
        "update of sessions",
        "Spark refuses it",
        |query, mode, sink| {
            (query, mode, sink) == (QueryKind::Sessions, Update, SinkTo::Table)
                || may(query, mode, sink)
        },
    ),
];
