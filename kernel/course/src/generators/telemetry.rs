//! `telemetry`: what four services took for each request, over a day.

use polars::prelude::*;

use super::arithmetic::{exp, sine_of_turns, tenth};
use super::truth::{Fault, Truth, with_times};
use crate::random::Random;

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

/// Each service with its median latency in milliseconds.
const SERVICES: [(&str, f64); 4] = [
    ("cart", 80.0),
    ("checkout", 120.0),
    ("login", 40.0),
    ("search", 60.0),
];
/// Of the logarithm of a latency.
const SIGMA: f64 = 0.45;
/// The share of slow requests while the tail is slow, how slow these are, and how much faster the
/// others get meanwhile: the mean stays where it was.
const TAIL: (f64, f64, f64) = (0.025, 8.0, 0.82);

/// What happens to one service for a while.
struct Change {
    kind: &'static str,
    service: usize,
    start: i64,
    end: i64,
    size: f64,
}

/// Returns the requests in the order of their arrival, and what was done to them.
pub(super) fn make(seed: u64) -> PolarsResult<(DataFrame, DataFrame)> {
    let mut random = Random::seeded(seed);
    let changes = changes(&mut random);
    let mut rows = Vec::with_capacity(SERVICES.len() * (DAY / 1000) as usize);
    let mut touched = vec![0; changes.len()];
    for second in 0..DAY / 1000 {
        for (service, (_, median)) in SERVICES.iter().enumerate() {
            let at = second * 1000 + random.between(0, 1000);
            // Slowest in the afternoon, fastest before dawn.
            let hour_of_day = 1.0 + 0.3 * sine_of_turns(at as f64 / DAY as f64 - 10.0 / 24.0);
            let mut latency = median * hour_of_day * exp(SIGMA * random.normal());
            let (dice, delay) = (random.unit(), random.between(5, 900));
            let active = changes.iter().zip(&mut touched);
            let active = active.filter(|(change, _)| {
                change.service == service && (change.start..change.end).contains(&at)
            });
            let mut lost = false;
            for (change, touched) in active {
                *touched += 1;
                lost |= change.kind == "gap";
                latency *= change.factor(at, dice);
            }
            if !lost {
                let latency = tenth(latency);
                rows.push((at + latency as i64 + delay, at, service, latency));
            }
        }
    }
    rows.sort_by_key(|(arrival, at, service, _)| (*arrival, *at, *service));
    let frame = df!(
        "request_id" => (0..rows.len() as i64).collect::<Vec<_>>(),
        "service" => rows.iter().map(|row| SERVICES[row.2].0).collect::<Vec<_>>(),
        "event_time" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
        "arrival_time" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
        "latency_ms" => rows.iter().map(|row| row.3).collect::<Vec<_>>(),
    )?;
    let mut truth = Truth::default();
    for (change, rows) in changes.iter().zip(touched) {
        truth.add(Fault {
            kind: change.kind,
            subject: SERVICES[change.service].0.to_owned(),
            start: change.start,
            end: change.end,
            rows,
            size: change.size,
        });
    }
    Ok((
        with_times(frame, &["event_time", "arrival_time"])?,
        truth.frame()?,
    ))
}

impl Change {
    /// Returns what the latency of a request at `at` is multiplied by; `dice` is in `[0, 1)`.
    fn factor(&self, at: i64, dice: f64) -> f64 {
        match self.kind {
            "drift" => {
                let part = (at - self.start) as f64 / (self.end - self.start) as f64;
                1.0 + (self.size - 1.0) * part
            }
            "tail" if dice < TAIL.0 => TAIL.1,
            "tail" => TAIL.2,
            "gap" => 1.0,
            _ => self.size,
        }
    }
}

/// Draws which service is hit by what, and when. No two changes overlap, so that each can be
/// told from the others.
fn changes(random: &mut Random) -> Vec<Change> {
    let first = random.between(0, 4) as usize;
    let mut change = |kind, after: usize, from: i64, to: i64, length: i64, size: f64| {
        let start = random.between(from * HOUR / MINUTE, to * HOUR / MINUTE) * MINUTE;
        Change {
            kind,
            service: (first + after) % 4,
            start,
            end: start + length,
            size,
        }
    };
    vec![
        change("step", 0, 3, 5, 90 * MINUTE, 1.8),
        change("gap", 1, 7, 8, 12 * MINUTE, 0.0),
        change("spike", 2, 9, 10, 40_000, 8.0),
        change("drift", 3, 11, 12, 3 * HOUR, 1.9),
        change("tail", 0, 16, 17, HOUR, TAIL.1),
        change("step", 1, 19, 21, 90 * MINUTE, 1.8),
    ]
}
