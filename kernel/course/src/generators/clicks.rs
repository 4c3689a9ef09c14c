//! `clicks`: what 500 users click in six hours, in bursts.

use polars::prelude::*;

use super::arithmetic::exp;
use super::truth::{Fault, Truth, with_times};
use crate::random::Random;

const USERS: usize = 500;
const SESSIONS: usize = 2_000;
const SPAN: i64 = 6 * 3_600_000;
/// Clicks of a user that are so far apart, in milliseconds, belong to two sessions.
pub(super) const SESSION_GAP: i64 = 30_000;
const EXPONENT: f64 = 1.1;

/// One click; times are milliseconds since midnight.
struct Click {
    user: usize,
    event: i64,
    arrival: i64,
}

/// Returns the clicks in the order of their arrival, the sessions that they make, and what was
/// done on purpose.
pub(super) fn make(seed: u64) -> PolarsResult<[DataFrame; 3]> {
    let mut random = Random::seeded(seed);
    let mut truth = Truth::default();
    let mut bursts = [0; USERS];
    let sums = zipf();
    for _ in 0..SESSIONS {
        bursts[random.rank(&sums).min(USERS - 1)] += 1;
    }
    let mut clicks = Vec::new();
    for (user, bursts) in bursts.into_iter().enumerate() {
        one_user(user, bursts, &mut clicks, &mut truth, &mut random);
    }
    let sessions = sessions(&mut clicks)?;
    clicks.sort_by_key(|click| (click.arrival, click.user, click.event));
    let frame = df!(
        "click_id" => (0..clicks.len() as i64).collect::<Vec<_>>(),
        "user" => clicks.iter().map(|click| name(click.user)).collect::<Vec<_>>(),
        "event_time" => clicks.iter().map(|click| click.event).collect::<Vec<_>>(),
        "arrival_time" => clicks.iter().map(|click| click.arrival).collect::<Vec<_>>(),
        "page" => clicks.iter().map(page).collect::<Vec<_>>(),
    )?;
    let frame = with_times(frame, &["event_time", "arrival_time"])?;
    Ok([frame, sessions, truth.frame()?])
}

/// Adds the bursts of one user, one after the other.
fn one_user(
    user: usize,
    bursts: i64,
    clicks: &mut Vec<Click>,
    truth: &mut Truth,
    random: &mut Random,
) {
    let room = (SPAN / bursts.max(1) - 25_000).max(SESSION_GAP + 20_000);
    let mut at = random.between(0, room);
    for _ in 0..bursts {
        let count = random.between(2, 9);
        for number in 0..count {
            if number > 0 {
                at += random.between(500, 8_000);
            }
            clicks.push(Click {
                user,
                event: at,
                arrival: at + random.between(20, 2_000),
            });
        }
        let (last, dice) = (at, random.unit());
        let note = |kind, start, end, size| Fault {
            kind,
            subject: name(user),
            start,
            end,
            rows: 1,
            size,
        };
        if dice < 0.02 {
            // On either side of the gap, never on it: exactly the gap is a case of its own.
            let aside = random.between(1, 1_001);
            let sign = random.choose(&[-1, 1]);
            at += SESSION_GAP + sign * aside;
            truth.add(note(
                "near the gap",
                last,
                at,
                (sign * aside) as f64 / 1000.0,
            ));
        } else if dice < 0.03 {
            at += random.between(SESSION_GAP * 6 / 5, SESSION_GAP * 9 / 5);
            let bridge = (last + at) / 2;
            let late = random.between(60_000, 300_000);
            clicks.push(Click {
                user,
                event: bridge,
                arrival: bridge + late,
            });
            truth.add(note("late bridge", last, at, late as f64 / 1000.0));
        } else {
            at += random.between(SESSION_GAP + 2_000, room + SESSION_GAP);
        }
    }
}

/// Puts the clicks in order and returns the sessions: more than [`SESSION_GAP`] without a click ends one.
fn sessions(clicks: &mut [Click]) -> PolarsResult<DataFrame> {
    clicks.sort_by_key(|click| (click.user, click.event));
    let mut all: Vec<(usize, i64, i64, i64)> = Vec::new();
    for click in clicks.iter() {
        match all.last_mut() {
            Some((user, _, last, count))
                if *user == click.user && click.event - *last <= SESSION_GAP =>
            {
                (*last, *count) = (click.event, *count + 1);
            }
            _ => all.push((click.user, click.event, click.event, 1)),
        }
    }
    let frame = df!(
        "user" => all.iter().map(|session| name(session.0)).collect::<Vec<_>>(),
        "first_click" => all.iter().map(|session| session.1).collect::<Vec<_>>(),
        "last_click" => all.iter().map(|session| session.2).collect::<Vec<_>>(),
        "clicks" => all.iter().map(|session| session.3).collect::<Vec<_>>(),
    )?;
    with_times(frame, &["first_click", "last_click"])
}

/// Returns the running totals of 1/rank^1.1.
fn zipf() -> Vec<f64> {
    let mut total = 0.0;
    let weight = |rank: usize| exp(-EXPONENT * ln(rank));
    (1..=USERS)
        .map(|rank| {
            total += weight(rank);
            total
        })
        .collect()
}

/// Returns the natural logarithm of a whole number, by Newton's steps on [`exp`].
fn ln(number: usize) -> f64 {
    let mut x = 0.0;
    for _ in 0..60 {
        let power = exp(x);
        x += 2.0 * (number as f64 - power) / (number as f64 + power);
    }
    x
}

fn page(click: &Click) -> &'static str {
    ["home", "search", "product", "cart"][(click.event / 7 % 4) as usize]
}

fn name(user: usize) -> String {
    format!("U{:03}", user + 1)
}
