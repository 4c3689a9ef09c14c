//! Exercise 5.1 E1: what does a trace say about latency, throughput and staleness?

use std::fmt;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::trace_ways::{self as ways, MISCONCEPTIONS, PROPERTIES};
use crate::attempt;
use crate::bar_picture::{BarPicture, Pair, number};
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::trial::{self, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.1 E1",
    title: "Measure a trace",
    points: 15,
    hints: [
        "Of four latencies in rising order, which one is the 50th percentile by nearest rank: the second, the third, \
         or something between the two?",
        "Look again at the four definitions in section 5, \"How fresh is the answer?\". Set the trips from the future aside \
         first. Sort the latencies for the percentiles, and sort the trips by `output_ms` for the staleness: only in \
         the order of the outputs can you say which event was the newest so far.",
        "fn trace_stats(trips: &[Trip]) -> TraceStats {\n    \
             let mut seen: Vec<Trip> = trips.iter().filter(/* not from the future */).copied().collect();\n    \
             let from_the_future = trips.len() - seen.len();\n    \
             if seen.is_empty() {\n        \
                 return TraceStats { from_the_future, ..TraceStats::default() };\n    \
             }\n    \
             seen.sort_by_key(|trip| trip.output_ms);\n    \
             let mut latencies: Vec<i64> = /* output - event */;\n    \
             latencies.sort();\n    \
             let rank = |q: usize| latencies[(latencies.len() * q).div_ceil(100) - 1];\n    \
             // the newest event so far, and how old it is just before each next output\n    \
             ...\n\
         }",
    ],
    next_question: "your p99 over a minute is fine, and your p99 over a day is not. Can both be true, and which of \
                    them would you promise to somebody?",
};

/// The way of one event through a pipeline: three times in milliseconds, all on one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// When it happened, as its source says.
    pub event_ms: i64,
    /// When it reached the pipeline.
    pub arrival_ms: i64,
    /// When an answer came out that includes it. No two trips share this time.
    pub output_ms: i64,
}

/// What a trace says; all zeros for a trace without trips.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TraceStats {
    /// The middle latency by nearest rank, in milliseconds.
    pub p50_ms: i64,
    /// The latency that 95 of 100 do not exceed.
    pub p95_ms: i64,
    /// The latency that 99 of 100 do not exceed.
    pub p99_ms: i64,
    /// Trips per second, from the first arrival to the last output.
    pub throughput_per_s: f64,
    /// The age of the newest included event, just before an output renews it, at its worst.
    pub max_staleness_ms: i64,
    /// Trips whose output came before their event, which are in none of the other numbers.
    pub from_the_future: usize,
}

/// The five trips that the lesson shows.
pub fn example_trips() -> Vec<Trip> {
    let times = [
        (0, 100, 150),
        (1000, 1900, 1950),
        (2000, 2050, 2100),
        (3000, 3100, 3130),
        (4000, 4400, 4500),
    ];
    times.map(Trip::of).to_vec()
}

impl Trip {
    fn of((event_ms, arrival_ms, output_ms): (i64, i64, i64)) -> Trip {
        Trip {
            event_ms,
            arrival_ms,
            output_ms,
        }
    }
}

/// Statistics as they travel back from the attempt: throughput in its bits, as JSON knows no infinity.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Measured {
    pub whole: [i64; 4],
    pub throughput: u64,
    pub from_the_future: usize,
}

impl Measured {
    pub fn of(stats: &TraceStats) -> Measured {
        Measured {
            whole: [
                stats.p50_ms,
                stats.p95_ms,
                stats.p99_ms,
                stats.max_staleness_ms,
            ],
            throughput: stats.throughput_per_s.to_bits(),
            from_the_future: stats.from_the_future,
        }
    }

    fn per_second(&self) -> f64 {
        f64::from_bits(self.throughput)
    }
}

/// Throughput agrees within 1 %, all else exactly.
impl PartialEq for Measured {
    fn eq(&self, other: &Measured) -> bool {
        let (mine, theirs) = (self.per_second(), other.per_second());
        let close = mine == theirs || (mine - theirs).abs() <= theirs.abs() / 100.0;
        self.whole == other.whole && self.from_the_future == other.from_the_future && close
    }
}

impl fmt::Debug for Measured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95, p99, staleness] = self.whole;
        write!(
            out,
            "p50 {p50} ms, p95 {p95} ms, p99 {p99} ms, {} per s, staleness {staleness} ms, {} from the future",
            number(self.per_second()),
            self.from_the_future
        )
    }
}

/// Checks `trace_stats(trips)`: 15 points.
///
/// The order of the trips must not matter. Throughput may be off by 1 %, all else is exact.
pub fn check_5_1_e1(trace_stats: fn(&[Trip]) -> TraceStats) -> Outcome {
    check_for(&Learner::current(), trace_stats)
}

/// As [`check_5_1_e1`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, trace_stats: fn(&[Trip]) -> TraceStats) -> Outcome {
    attempt::of(EXERCISE.id, learner, &[trace_stats as *const ()], || {
        let trial = measuring(&mut Random::seeded(learner.seed(EXERCISE.id)));
        let verdict = trial.run(Instant::now(), |trips| Measured::of(&trace_stats(trips)));
        Outcome::new(&EXERCISE, trial::together(&[(trial.name, verdict)]))
    })
}

fn measuring(random: &mut Random) -> Trial<Vec<Trip>, Measured> {
    // Small cases first: the first one that fails is the one to be looked at.
    let mut hidden = vec![
        vec![],
        vec![Trip::of((500, 500, 500))],
        vec![Trip::of((500, 900, 900))],
    ];
    hidden.extend(
        (0..60).map(|round| drawn(random, 1 + round % 9 * (1 + round / 9), round % 3 == 2)),
    );
    Trial {
        name: "trace_stats",
        call: |trips| {
            let times = trips.iter().take(6).map(|trip| {
                format!(
                    "({}, {}, {})",
                    trip.event_ms, trip.arrival_ms, trip.output_ms
                )
            });
            let more = if trips.len() > 6 { ", ..." } else { "" };
            format!(
                "trace_stats of {} trips (event, arrival, output): {}{more}",
                trips.len(),
                times.collect::<Vec<_>>().join(", ")
            )
        },
        reference: |trips| ways::measure(trips, &ways::RIGHT),
        picture: draw,
        properties: PROPERTIES,
        misconceptions: MISCONCEPTIONS,
        shown: vec![
            example_trips(),
            example_trips()[..4].to_vec(),
            example_trips()[..1].to_vec(),
        ],
        hidden,
    }
}

/// Trips in no order; latencies repeat, and with `ahead` some sources have a clock ahead of time.
fn drawn(random: &mut Random, count: usize, ahead: bool) -> Vec<Trip> {
    let mut now = 0;
    let mut trips: Vec<Trip> = (0..count)
        .map(|index| {
            now += random.between(1, 900);
            let travel = if random.between(0, 10) == 0 {
                random.between(0, 9000)
            } else {
                random.choose(&[20, 40, 250])
            };
            let work = random.choose(&[0, 5, 30]);
            let fast = if ahead && index % 4 == 1 { 90_000 } else { 0 };
            Trip::of((now - work - travel + fast, now - work, now))
        })
        .collect();
    for last in (1..trips.len()).rev() {
        trips.swap(last, random.between(0, last as i64 + 1) as usize);
    }
    trips
}

#[expect(
    clippy::ptr_arg,
    reason = "a check hands over what the function took and gave"
)]
fn draw(trips: &Vec<Trip>, expected: &Measured, got: &Measured) -> String {
    let names = ["p50", "p95", "p99", "worst staleness"];
    let pairs = names
        .into_iter()
        .zip(expected.whole.into_iter().zip(got.whole));
    BarPicture {
        title: format!("A trace of {} trips", trips.len()),
        axis: "milliseconds".into(),
        pairs: pairs
            .map(|(name, (expected, got))| Pair {
                name: name.into(),
                expected: expected as f64,
                got: got as f64,
            })
            .collect(),
    }
    .svg()
}
