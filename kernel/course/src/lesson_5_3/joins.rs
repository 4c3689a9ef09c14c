//! Exercise 5.3 E5: two joins, row by row.

use std::fmt;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::join_record::{JoinRecord, JoinRow, Lane, join_script};
use super::join_strip::{late, strip};
use super::join_ways::{STREAM, TABLE};
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::trial::{self, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.3 E5",
    title: "Joins, row by row",
    points: 25,
    hints: [
        "Which record makes a row come out, and what does your function have to remember until then?",
        "Look again at section \"Joins, row by row\": with a table only the stream side triggers. Between two streams both \
         do, each record meets what has arrived from the other side, and the only clock is the largest event time so far.",
        "for record in records {\n    \
             if record.time_s < stream_time - grace_s { continue; }\n    \
             stream_time = stream_time.max(record.time_s);\n    \
             // a row for each kept record of the other lane with this key, at most window_s away\n    \
             // keep the record\n    \
             // null rows: left ones without a match, time_s + window_s + grace_s < stream_time; once each\n\
         }",
    ],
    next_question: "which of the two joins gives the same rows when the topics are read again from the beginning?",
};

/// What a learner writes.
pub type TableAnswer = fn(&[JoinRecord]) -> Vec<JoinRow>;
/// Records, window, grace.
pub type StreamAnswer = fn(&[JoinRecord], i64, i64) -> Vec<JoinRow>;

/// Checks `stream_table` and `stream_stream`: 25 points.
pub fn check_5_3_e5(stream_table: TableAnswer, stream_stream: StreamAnswer) -> Outcome {
    check_for(&Learner::current(), stream_table, stream_stream)
}

/// As [`check_5_3_e5`], for a learner who is not the current one.
pub fn check_for(
    learner: &Learner,
    stream_table: TableAnswer,
    stream_stream: StreamAnswer,
) -> Outcome {
    let functions = [stream_table as *const (), stream_stream as *const ()];
    attempt::of(EXERCISE.id, learner, &functions, || {
        let mut random = Random::seeded(learner.seed(EXERCISE.id));
        let cases: Vec<Script> = (0..10)
            .map(|index| drawn(&mut random, index % 3 == 2))
            .collect();
        let begun = Instant::now();
        let table = trial("stream_table", &cases, |it| came_table(it, table_right));
        let stream = trial("stream_stream", &cases, |it| came(it, stream_right));
        let verdicts = [
            (
                table.name,
                table.run(begun, |case| came_table(case, stream_table)),
            ),
            (
                stream.name,
                stream.run(begun, |case| came(case, stream_stream)),
            ),
        ];
        Outcome::new(&EXERCISE, trial::together(&verdicts))
    })
}

/// The records of one case.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub records: Vec<JoinRecord>,
    /// The same in another order of arrival, in which none is late either; else nothing.
    pub again: Vec<JoinRecord>,
    pub window_s: i64,
    pub grace_s: i64,
}

/// What came out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Came {
    /// After each record, sorted: which of them is first is not asked for.
    steps: Vec<Vec<JoinRow>>,
    /// In the end, sorted.
    all: Vec<JoinRow>,
    /// In the end, when they arrive in the other order.
    again: Vec<JoinRow>,
}

impl fmt::Debug for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = Vec::new();
        for (step, rows) in self
            .steps
            .iter()
            .enumerate()
            .filter(|(_, rows)| !rows.is_empty())
        {
            steps.push(format!("#{} {}", step + 1, words(rows)));
        }
        write!(f, "{}", steps.join("; "))?;
        if self.steps.iter().map(Vec::len).sum::<usize>() != self.all.len() {
            write!(f, "; in the end {}", words(&self.all))?;
        }
        if !self.again.is_empty() {
            write!(f, "; in another order of arrival {}", words(&self.again))?;
        }
        Ok(())
    }
}

fn words(rows: &[JoinRow]) -> String {
    rows.iter()
        .map(JoinRow::words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Feeds records one by one, and looks at what each brings.
pub(super) fn came(script: &Script, join: StreamAnswer) -> Came {
    let run = |records: &[JoinRecord]| {
        let mut rows = join(records, script.window_s, script.grace_s);
        rows.sort();
        rows
    };
    let mut steps = Vec::new();
    let mut before: Vec<JoinRow> = Vec::new();
    for upto in 1..=script.records.len() {
        let now = run(&script.records[..upto]);
        let mut new = now.clone();
        for row in &before {
            if let Some(at) = new.iter().position(|it| it == row) {
                new.remove(at);
            }
        }
        steps.push(new);
        before = now;
    }
    Came {
        steps,
        all: before,
        again: run(&script.again),
    }
}

/// As [`came`], for the join with a table: its rows come in the order of the stream.
pub(super) fn came_table(script: &Script, join: TableAnswer) -> Came {
    let run = |records: &[JoinRecord]| join(records);
    let mut steps = Vec::new();
    let mut before = 0;
    for upto in 1..=script.records.len() {
        let now = run(&script.records[..upto]);
        steps.push(now.get(before..).unwrap_or_default().to_vec());
        before = now.len();
    }
    let mut all = run(&script.records);
    all.sort();
    let mut again = run(&script.again);
    again.sort();
    Came { steps, all, again }
}

/// The right join with a table, also for tests.
pub fn table_right(records: &[JoinRecord]) -> Vec<JoinRow> {
    let mut rows = Vec::new();
    for (at, record) in records.iter().enumerate() {
        if record.lane == Lane::Left {
            let mut before = records[..at].iter().rev();
            let price = before.find(|it| it.lane == Lane::Right && it.key == record.key);
            rows.push(JoinRow::new(record, price));
        }
    }
    rows
}

/// The right join of two streams, also for tests.
pub fn stream_right(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
    super::join_ways::Way::RIGHT.join(records, window_s, grace_s)
}

fn trial(
    name: &'static str,
    hidden: &[Script],
    reference: fn(&Script) -> Came,
) -> Trial<Script, Came> {
    let is_table = name == "stream_table";
    Trial {
        name,
        call: if is_table {
            |_| "stream_table(&records)".into()
        } else {
            call
        },
        reference,
        picture: if is_table {
            table_picture
        } else {
            stream_picture
        },
        properties: if is_table {
            TABLE_PROPERTIES
        } else {
            STREAM_PROPERTIES
        },
        misconceptions: if is_table { TABLE } else { STREAM },
        shown: vec![Script {
            records: join_script(),
            again: Vec::new(),
            window_s: 10,
            grace_s: 5,
        }],
        hidden: hidden.to_vec(),
    }
}

fn call(script: &Script) -> String {
    format!(
        "stream_stream(&records, {}, {})",
        script.window_s, script.grace_s
    )
}

fn table_picture(script: &Script, expected: &Came, got: &Came) -> String {
    picture(script, (0, 0), [expected, got])
}

fn stream_picture(script: &Script, expected: &Came, got: &Came) -> String {
    picture(script, (script.window_s, script.grace_s), [expected, got])
}

fn picture(script: &Script, window: (i64, i64), [expected, got]: [&Came; 2]) -> String {
    let outputs = [("expected", &expected.all[..]), ("got", &got.all[..])];
    strip("Rows of the join", &script.records, window, &outputs)
        .svg()
        .to_owned()
}

/// Makes records up: within the grace, with a second order of arrival; or with late ones among them.
fn drawn(random: &mut Random, with_late: bool) -> Script {
    let window_s = random.between(5, 13);
    let grace_s = random.between(3, 9);
    let mut time_s = 0;
    let mut records: Vec<JoinRecord> = (1..=16)
        .map(|number| {
            let lane = random.choose(&[Lane::Left, Lane::Left, Lane::Right]);
            let letter = if lane == Lane::Left { 'o' } else { 'p' };
            let key = random.choose(&["tea", "rice", "salt", "oats"]);
            time_s += random.between(0, 7);
            JoinRecord::new(lane, &format!("{letter}{number}"), key, time_s, time_s)
        })
        .collect();
    // No order of arrival within the grace makes a record late: it arrives at most the grace after its time,
    // and what arrived before it has no later time than that.
    let mut shuffled = |most: i64| {
        for record in &mut records {
            record.arrived_s = record.time_s + random.between(0, most + 1);
        }
        let mut arrived = records.clone();
        arrived.sort_by_key(|record| record.arrived_s);
        arrived
    };
    if with_late {
        return Script {
            records: shuffled(4 * grace_s),
            again: Vec::new(),
            window_s,
            grace_s,
        };
    }
    Script {
        records: shuffled(grace_s),
        again: shuffled(grace_s),
        window_s,
        grace_s,
    }
}

const TABLE_PROPERTIES: &[Property<Script, Came>] = &[
    Property {
        name: "each order gives exactly one row, when it arrives",
        holds: |script, got| {
            let mut pairs = script.records.iter().zip(&got.steps);
            pairs.all(|(record, rows)| rows.len() == usize::from(record.lane == Lane::Left))
        },
    },
    Property {
        name: "an order meets the price that arrived last",
        holds: |script, got| *got == came_table(script, table_right),
    },
];

const STREAM_PROPERTIES: &[Property<Script, Came>] = &[
    Property {
        name: "the rows do not depend on the order of arrival within the grace",
        holds: |script, got| script.again.is_empty() || got.all == got.again,
    },
    Property {
        name: "late records are dropped",
        holds: |script, got| {
            let late = late(&script.records, script.grace_s);
            let mut dropped = script.records.iter().zip(&late).filter(|(_, late)| **late);
            dropped.all(|(record, _)| {
                let is = |value: &str| value == record.value;
                !got.all
                    .iter()
                    .any(|row| is(&row.left) || row.right.as_deref().is_some_and(is))
            })
        },
    },
    Property {
        name: "a row comes out with the record that completes it, one with null once it can have no match",
        holds: |script, got| *got == came(script, stream_right),
    },
];
