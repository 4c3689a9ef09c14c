//! Ticks and their labels.

use super::data::Kind;
use super::layout::LETTER_WIDTH;
use crate::time::{self, DAY, SECOND};

/// One mark on an axis. A second line names the day where it changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub at: f64,
    pub label: String,
    pub second: String,
}

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Steps between ticks of a time axis that people find round.
const STEPS: [i64; 28] = [
    1_000,
    10_000,
    100_000,
    500_000,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    90 * DAY,
    365 * DAY,
];

/// Pixels from the middle of one label to the next: `10:15:00` in 14 px and some air.
const APART: f64 = 76.0;

/// Returns the ticks of a horizontal axis `width` pixels wide.
pub(super) fn horizontal(kind: &Kind, range: (f64, f64), width: f64) -> Vec<Tick> {
    match kind {
        Kind::Time => times(range, width),
        Kind::Number => {
            let step = round_step((range.1 - range.0) / (width / APART).max(2.0));
            steps(range, step)
                .into_iter()
                .map(|at| Tick {
                    at,
                    label: number(at, step),
                    second: String::new(),
                })
                .collect()
        }
        Kind::Names(names) => {
            let longest = names
                .iter()
                .map(|name| short(name).chars().count())
                .max()
                .unwrap_or(1);
            let most = (width / (longest as f64 * LETTER_WIDTH + 14.0)).max(2.0) as usize;
            let every = names.len().div_ceil(most).max(1);
            let tick = |(index, name): (usize, &String)| Tick {
                at: index as f64,
                label: short(name),
                second: String::new(),
            };
            names.iter().enumerate().step_by(every).map(tick).collect()
        }
    }
}

/// Returns the ticks of a vertical axis `height` pixels high; `mirrored` leaves the minus out.
pub(super) fn vertical(range: (f64, f64), height: f64, mirrored: bool) -> Vec<Tick> {
    let step = round_step((range.1 - range.0) / (height / 44.0).max(2.0));
    let label = |at: f64| number(if mirrored { at.abs() } else { at }, step);
    steps(range, step)
        .into_iter()
        .map(|at| Tick {
            at,
            label: label(at),
            second: String::new(),
        })
        .collect()
}

/// Returns a tick for each row of a vertical axis `height` pixels high, or for as many as have room.
pub(super) fn lanes(names: &[String], height: f64) -> Vec<Tick> {
    let most = (height / 16.0).max(1.0) as usize;
    let every = names.len().div_ceil(most).max(1);
    let tick = |(index, name): (usize, &String)| Tick {
        at: -(index as f64),
        label: short(name),
        second: String::new(),
    };
    names.iter().enumerate().step_by(every).map(tick).collect()
}

/// Widens a range to round numbers; a range without width gets one.
pub(super) fn rounded((least, most): (f64, f64)) -> (f64, f64) {
    let span = if most > least {
        most - least
    } else {
        least.abs().max(1.0)
    };
    let step = round_step(span / 10.0);
    let (least, most) = ((least / step).floor() * step, (most / step).ceil() * step);
    if least == most {
        (least, most + step)
    } else {
        (least, most)
    }
}

fn times(range: (f64, f64), width: f64) -> Vec<Tick> {
    let most = (width / APART).max(2.0);
    let span = range.1 - range.0;
    let step = STEPS
        .into_iter()
        .find(|step| span / *step as f64 <= most)
        .unwrap_or(STEPS[STEPS.len() - 1]);
    let mut day_before = None;
    let mut ticks = Vec::new();
    let mut at = (range.0 / step as f64).ceil() as i64 * step;
    while at as f64 <= range.1 && ticks.len() < 64 {
        let day = at.div_euclid(DAY);
        let (year, month, date) = time::civil_from_days(day);
        let date = format!("{date} {}", month_name(month));
        let new_year = day_before.is_none_or(|before| time::civil_from_days(before).0 != year);
        let dated = if new_year {
            format!("{date} {year}")
        } else {
            date.clone()
        };
        let (label, second) = match (step >= DAY, day_before == Some(day)) {
            (true, _) => (
                date,
                if new_year {
                    year.to_string()
                } else {
                    String::new()
                },
            ),
            (false, true) => (clock(at, step), String::new()),
            (false, false) => (clock(at, step), dated),
        };
        day_before = Some(day);
        ticks.push(Tick {
            at: at as f64,
            label,
            second,
        });
        at += step;
    }
    ticks
}

fn clock(at: i64, step: i64) -> String {
    let clock = time::show_clock(at - at.rem_euclid(SECOND));
    match step {
        SECOND.. => clock,
        _ => format!("{}.{:03}", &clock[3..], at.rem_euclid(SECOND) / 1000),
    }
}

fn month_name(month: i64) -> &'static str {
    const NAMES: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    NAMES[(month - 1) as usize]
}

/// Returns 1, 2 or 5 times a power of ten, not smaller than `step`.
pub(super) fn round_step(step: f64) -> f64 {
    if !step.is_finite() || step <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= step * 0.999_999);
    factor.unwrap_or(10.0) * power
}

fn steps(range: (f64, f64), step: f64) -> Vec<f64> {
    let (first, last) = (
        (range.0 / step - 1e-9).ceil() as i64,
        (range.1 / step + 1e-9).floor() as i64,
    );
    (first..=last)
        .take(64)
        .map(|index| index as f64 * step)
        .collect()
}

/// Writes a number with as many decimals as the step needs, and with commas.
fn number(value: f64, step: f64) -> String {
    if value.abs() >= 1e12 || (value != 0.0 && step < 1e-6) {
        return format!("{value:.1e}");
    }
    let decimals = if step >= 1.0 {
        0
    } else {
        (-step.log10()).ceil() as usize
    };
    if decimals > 0 {
        return format!("{value:.decimals$}");
    }
    crate::table::grouped(value.round() as i64)
}

fn short(name: &str) -> String {
    if name.chars().count() <= 10 {
        name.to_owned()
    } else {
        name.chars().take(9).chain(['…']).collect()
    }
}
