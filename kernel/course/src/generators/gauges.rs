//! `gauges`: the levels of 24 rivers over an hour.

use polars::prelude::*;

use super::arithmetic::{sine_of_turns, tenth};
use super::truth::{Fault, Truth, with_times};
use crate::random::Random;

const GAUGES: i64 = 24;
const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
/// One reading of each gauge in so many milliseconds.
const EVERY: i64 = 5_000;
/// The gauge that is silent and then sends all it kept, and the one whose clock is ahead.
const SILENT: i64 = 7;
const AHEAD: i64 = 13;
const AHEAD_BY: i64 = 90_000;
/// The lateness of readings: share of a hundred, shortest, longest.
const LATENESS: [(i64, i64, i64, &str); 4] = [
    (80, 0, 2_000, "under 2 s"),
    (15, 2_000, 10_000, "2 to 10 s"),
    (4, 10_000, 60_000, "10 to 60 s"),
    (1, 60_000, 600_000, "1 to 10 min"),
];

/// One reading; times are milliseconds since midnight.
#[derive(Clone)]
struct Reading {
    id: i64,
    gauge: i64,
    seq: i64,
    event: i64,
    arrival: i64,
    level: f64,
    battery: f64,
}

/// A flood: which gauge, from when to when, how high.
struct Surge {
    gauge: i64,
    start: i64,
    end: i64,
    height: f64,
}

/// Returns the readings in the order of their arrival, and what was done to them.
pub(super) fn make(seed: u64) -> PolarsResult<(DataFrame, DataFrame)> {
    let mut random = Random::seeded(seed);
    let mut truth = Truth::default();
    let silence = random.between(15, 31) * MINUTE;
    let silence = (silence, silence + 15 * MINUTE);
    let surges = surges(&mut random);
    let (mut readings, mut late) = (Vec::new(), [0; LATENESS.len()]);
    let mut held = 0;
    for seq in 0..HOUR / EVERY {
        for gauge in 1..=GAUGES {
            // Every gauge has its own phase within the five seconds.
            let at = seq * EVERY + gauge * 190;
            let part = random.between(0, 100);
            let class = class_of(part);
            let (_, shortest, longest, _) = LATENESS[class];
            let mut arrival = at + random.between(shortest, longest);
            if gauge == SILENT && (silence.0..silence.1).contains(&at) {
                held += 1;
                arrival = silence.1 + held * 20;
            } else {
                late[class] += 1;
            }
            let skew = if gauge == AHEAD { AHEAD_BY } else { 0 };
            readings.push(Reading {
                id: readings.len() as i64,
                gauge,
                seq,
                event: at + skew,
                arrival,
                level: level(gauge, at, &surges, &mut random),
                battery: tenth(38.0 - at as f64 / HOUR as f64 * 2.0 - gauge as f64 * 0.1) / 10.0,
            });
        }
    }
    let whole = |kind, subject: &str, rows, size| Fault {
        kind,
        subject: subject.to_owned(),
        start: 0,
        end: HOUR,
        rows,
        size,
    };
    for ((percent, _, _, name), rows) in LATENESS.into_iter().zip(late) {
        truth.add(whole("lateness", name, rows, percent as f64 / 100.0));
    }
    truth.add(whole(
        "clock ahead",
        "G13",
        HOUR / EVERY,
        AHEAD_BY as f64 / 1000.0,
    ));
    truth.add(Fault {
        kind: "silence",
        subject: "G07".to_owned(),
        start: silence.0,
        end: silence.1,
        rows: held,
        size: 15.0,
    });
    for surge in &surges {
        truth.add(Fault {
            kind: "surge",
            subject: name(surge.gauge),
            start: surge.start,
            end: surge.end,
            rows: (surge.end - surge.start) / EVERY,
            size: surge.height,
        });
    }
    double(&mut readings, &mut truth, &mut random);
    readings.sort_by_key(|reading| (reading.arrival, reading.id));
    Ok((frame(&readings)?, truth.frame()?))
}

/// Sends one reading of two hundred again, a little later.
fn double(readings: &mut Vec<Reading>, truth: &mut Truth, random: &mut Random) {
    for _ in 0..readings.len() / 200 {
        let mut again = readings[random.between(0, HOUR / EVERY * GAUGES) as usize].clone();
        again.arrival += random.between(50, 4_000);
        truth.add(Fault {
            kind: "duplicate",
            subject: event(again.id),
            start: again.event,
            end: again.event,
            rows: 1,
            size: 1.0,
        });
        readings.push(again);
    }
}

fn class_of(part: i64) -> usize {
    let mut below = 0;
    let found = LATENESS.iter().position(|(percent, ..)| {
        below += percent;
        part < below
    });
    found.unwrap_or(0)
}

fn surges(random: &mut Random) -> Vec<Surge> {
    // Never of the silent gauge: who looks for the flood should not have to guess in a gap.
    [2, 10, 18]
        .map(|from: i64| {
            let start = random.between(5, 40) * MINUTE;
            Surge {
                gauge: from + random.between(0, 3),
                start,
                end: start + random.between(6, 15) * MINUTE,
                height: random.between(60, 140) as f64,
            }
        })
        .into()
}

/// Returns the level in centimetres: a slow wave of each gauge, a little noise, and its surge.
fn level(gauge: i64, at: i64, surges: &[Surge], random: &mut Random) -> f64 {
    let wave = sine_of_turns(at as f64 / (40 * MINUTE) as f64 + gauge as f64 / 9.0);
    let calm = 120.0 + 10.0 * gauge as f64 + 8.0 * wave + 0.8 * random.normal();
    let surge = surges
        .iter()
        .filter(|surge| surge.gauge == gauge && (surge.start..surge.end).contains(&at));
    let high = surge.map(|surge| {
        let part = (at - surge.start) as f64 / (surge.end - surge.start) as f64;
        surge.height * sine_of_turns(part / 2.0)
    });
    tenth(calm + high.sum::<f64>())
}

fn name(gauge: i64) -> String {
    format!("G{gauge:02}")
}

fn event(id: i64) -> String {
    format!("E{id:06}")
}

fn frame(all: &[Reading]) -> PolarsResult<DataFrame> {
    let frame = df!(
        "event_id" => all.iter().map(|one| event(one.id)).collect::<Vec<_>>(),
        "gauge" => all.iter().map(|one| name(one.gauge)).collect::<Vec<_>>(),
        "seq" => all.iter().map(|one| one.seq).collect::<Vec<_>>(),
        "event_time" => all.iter().map(|one| one.event).collect::<Vec<_>>(),
        "arrival_time" => all.iter().map(|one| one.arrival).collect::<Vec<_>>(),
        "level_cm" => all.iter().map(|one| one.level).collect::<Vec<_>>(),
        "battery_v" => all.iter().map(|one| one.battery).collect::<Vec<_>>(),
    )?;
    with_times(frame, &["event_time", "arrival_time"])
}
