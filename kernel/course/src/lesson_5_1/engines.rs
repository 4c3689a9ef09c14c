//! Exercise 5.1 E2: one sum, three engines.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::engine_ways as ways;
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::table_picture::{Row, TablePicture};
use crate::trial::{self, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.1 E2",
    title: "Three engines, one answer",
    points: 20,
    hints: [
        "A reading comes into an empty buffer at 1,000 ms and nothing follows for a minute. With a longest wait of \
         500 ms, at which time does it come out, and which clock started at 1,000?",
        "Look again at section 6, \"Three processing models\". A micro-batch ends by whichever comes first: the buffer \
         is full, or its *oldest* reading has waited long enough. So look at the deadline before you take the next \
         reading in, and once more when the stream ends. Windows look at `event_ms` and at nothing else.",
        "fn micro_batch(readings: &[Reading], max_n: usize, max_wait_ms: i64) -> Vec<Output> {\n    \
             let (mut outputs, mut buffer) = (vec![], Vec::<Reading>::new());\n    \
             for reading in readings {\n        \
                 if let Some(oldest) = buffer.first() {\n            \
                     let deadline = /* ... */;\n            \
                     if reading.arrival_ms >= deadline { outputs.push(sums(deadline, &buffer)); buffer.clear(); }\n        \
                 }\n        \
                 buffer.push(*reading);\n        \
                 if buffer.len() == max_n { /* flush now: at which time? */ }\n    \
             }\n    \
             // what is left in the buffer?\n    \
             outputs\n\
         }\n\n\
         // tumbling: let mut windows: BTreeMap<i64, Vec<Reading>>, keyed by the start of the window",
    ],
    next_question: "all three agree on the totals. Which of them could still say at 10:00 what the total at 09:59 \
                    was, and what would it have to keep for that?",
};

/// What one water meter says; readings of many meters come in one stream, in order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    pub gauge: u32,
    /// When it was measured.
    pub event_ms: i64,
    /// When it reached us.
    pub arrival_ms: i64,
    /// Water since the reading before.
    pub litres: i64,
}

/// What an engine gives out at one time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Per record and per batch: when it comes out. Per window: the start of the window.
    pub at_ms: i64,
    /// The sum of each gauge that has a reading in it.
    pub litres: BTreeMap<u32, i64>,
}

/// Sums readings per gauge into one output.
pub fn sums(at_ms: i64, readings: &[Reading]) -> Output {
    let mut litres = BTreeMap::new();
    for reading in readings {
        *litres.entry(reading.gauge).or_default() += reading.litres;
    }
    Output { at_ms, litres }
}

/// Reads `1000 ms {1: 5, 2: 3}`.
impl fmt::Debug for Output {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ms {:?}", self.at_ms, self.litres)
    }
}

/// The six readings that the lesson shows: two gauges, and the fourth reading is late.
pub fn example_readings() -> Vec<Reading> {
    let all = [
        (1, 100, 150, 5),
        (2, 300, 320, 3),
        (1, 1100, 1120, 4),
        (2, 900, 1500, 2),
        (1, 2600, 2650, 6),
        (2, 2700, 2700, 1),
    ];
    all.map(|(gauge, event_ms, arrival_ms, litres)| Reading {
        gauge,
        event_ms,
        arrival_ms,
        litres,
    })
    .to_vec()
}

/// Checks `per_record(readings)`, `micro_batch(readings, max_n, max_wait_ms)` and
/// `tumbling(readings, size_ms)`: 20 points.
pub fn check_5_1_e2(
    per_record: fn(&[Reading]) -> Vec<Output>,
    micro_batch: fn(&[Reading], usize, i64) -> Vec<Output>,
    tumbling: fn(&[Reading], i64) -> Vec<Output>,
) -> Outcome {
    check_for(&Learner::current(), per_record, micro_batch, tumbling)
}

/// As [`check_5_1_e2`], for a learner who is not the current one.
pub fn check_for(
    learner: &Learner,
    per_record: fn(&[Reading]) -> Vec<Output>,
    micro_batch: fn(&[Reading], usize, i64) -> Vec<Output>,
    tumbling: fn(&[Reading], i64) -> Vec<Output>,
) -> Outcome {
    attempt::of(
        EXERCISE.id,
        learner,
        &[
            per_record as *const (),
            micro_batch as *const (),
            tumbling as *const (),
        ],
        || {
            let cases = Cases::drawn(&mut Random::seeded(learner.seed(EXERCISE.id)));
            let begun = Instant::now();
            let record = cases.trial("per_record", ways::PER_RECORD);
            let micro = cases.trial("micro_batch", ways::MICRO_BATCH);
            let windowed = cases.trial("tumbling", ways::TUMBLING);
            let verdicts = [
                (
                    record.name,
                    record.run(begun, |case| per_record(&case.readings)),
                ),
                (
                    micro.name,
                    micro.run(begun, |case| {
                        micro_batch(&case.readings, case.max_n, case.ms)
                    }),
                ),
                (
                    windowed.name,
                    windowed.run(begun, |case| tumbling(&case.readings, case.ms)),
                ),
            ];
            Outcome::new(&EXERCISE, trial::together(&verdicts))
        },
    )
}

/// One case: `ms` is the longest wait of a micro-batch, or the size of a window.
#[derive(Clone)]
pub(super) struct Case {
    pub readings: Vec<Reading>,
    pub max_n: usize,
    pub ms: i64,
}

struct Cases {
    shown: Vec<Case>,
    hidden: Vec<Case>,
}

impl Cases {
    fn drawn(random: &mut Random) -> Cases {
        let case = |readings: &[Reading], max_n, ms| Case {
            readings: readings.to_vec(),
            max_n,
            ms,
        };
        let example = example_readings();
        let shown = vec![
            case(&example[..4], 2, 1000),
            case(&example, 4, 500),
            case(&example, 3, 1000),
        ];
        let mut hidden = vec![case(&[], 3, 1000)];
        for round in 0..40 {
            let mut now = random.between(0, 5000);
            let readings: Vec<Reading> = (0..1 + round)
                .map(|_| {
                    now += random.choose(&[0, 10, 90, 400, 2500]);
                    let late = random.choose(&[0, 0, 20, 300, 4000]);
                    Reading {
                        gauge: random.between(1, 5) as u32,
                        event_ms: now - late,
                        arrival_ms: now,
                        litres: random.between(1, 9),
                    }
                })
                .collect();
            hidden.push(case(
                &readings,
                random.choose(&[1, 2, 3, 7]),
                random.choose(&[100, 500, 1000]),
            ));
        }
        Cases { shown, hidden }
    }

    fn trial(&self, name: &'static str, rules: ways::Rules) -> Trial<Case, Vec<Output>> {
        Trial {
            name,
            call: rules.call,
            reference: rules.reference,
            picture: draw,
            properties: rules.properties,
            misconceptions: rules.misconceptions,
            shown: self.shown.clone(),
            hidden: self.hidden.clone(),
        }
    }
}

/// Writes readings as one would say them: gauge, event, arrival, litres.
pub(super) fn say(readings: &[Reading]) -> String {
    let some = readings.iter().take(6).map(|reading| {
        let Reading {
            gauge,
            event_ms,
            arrival_ms,
            litres,
        } = reading;
        format!("({gauge}, {event_ms}, {arrival_ms}, {litres})")
    });
    let more = if readings.len() > 6 { ", ..." } else { "" };
    format!(
        "{} readings (gauge, event, arrival, litres): {}{more}",
        readings.len(),
        some.collect::<Vec<_>>().join(", ")
    )
}

#[expect(
    clippy::ptr_arg,
    reason = "a check hands over what the function took and gave"
)]
fn draw(case: &Case, expected: &Vec<Output>, got: &Vec<Output>) -> String {
    let text = |outputs: &[Output], index: usize| {
        outputs
            .get(index)
            .map_or("no output".into(), |output| format!("{output:?}"))
    };
    let most = expected.len().max(got.len());
    let first = (0..most)
        .find(|index| expected.get(*index) != got.get(*index))
        .unwrap_or(0);
    let from = first.saturating_sub(2);
    TablePicture {
        title: format!(
            "{} outputs expected, {} given, from {} readings",
            expected.len(),
            got.len(),
            case.readings.len()
        ),
        rows: (from..most.min(from + 8))
            .map(|index| Row {
                name: format!("output {}", index + 1),
                expected: text(expected, index),
                got: text(got, index),
                agrees: expected.get(index) == got.get(index),
            })
            .collect(),
    }
    .svg()
}
