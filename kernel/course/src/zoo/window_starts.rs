//! Wrong solutions of 5.1 E3.

use super::Specimen;
use crate::lesson_5_1::window_starts::check_for;

macro_rules! wrong {
    ($name:literal, $hint:literal, $tumbling:expr, $hopping:expr) => {
        Specimen {
            exercise: "5.1 E3",
            name: $name,
            hint: $hint,
            check: |learner| check_for(learner, $tumbling, $hopping),
        }
    };
}

pub(super) const SPECIMENS: &[Specimen] = &[
    wrong!(
        "truncating division",
        "before 1970",
        |ts, size, offset| (ts - offset) / size * size + offset,
        hopping
    ),
    wrong!(
        "truncating division, hopping",
        "before 1970",
        tumbling,
        |ts, size, advance| { back(ts / advance * advance, advance, |start| ts < start + size) }
    ),
    wrong!(
        "closed right end",
        "holds its start but not its end",
        |ts, size, offset| tumbling(ts - 1, size, offset),
        hopping
    ),
    wrong!(
        "closed at both ends",
        "ends exactly at the event",
        tumbling,
        |ts, size, advance| {
            back(tumbling(ts, advance, 0), advance, |start| {
                ts <= start + size
            })
        }
    ),
    wrong!(
        "offset ignored",
        "the offset has no effect",
        |ts, size, _| tumbling(ts, size, 0),
        hopping
    ),
    wrong!(
        "offset added afterwards",
        "at the end only",
        |ts, size, offset| tumbling(ts, size, 0) + offset,
        hopping
    ),
    wrong!(
        "nearest start",
        "nearest start",
        |ts, size, offset| tumbling(ts + size / 2, size, offset),
        hopping
    ),
    wrong!(
        "one start for overlapping windows",
        "Windows that overlap",
        tumbling,
        |ts, _, advance| { vec![tumbling(ts, advance, 0)] }
    ),
    wrong!(
        "tumbling windows",
        "on the grid of the size",
        tumbling,
        |ts, size, _| vec![tumbling(ts, size, 0)]
    ),
    wrong!(
        "always size / advance windows",
        "does not divide the size",
        tumbling,
        |ts, size, advance| {
            (0..size / advance)
                .map(|step| tumbling(ts, advance, 0) - step * advance)
                .collect()
        }
    ),
];

fn tumbling(ts: i64, size: i64, offset: i64) -> i64 {
    ts - (ts - offset).rem_euclid(size)
}

fn hopping(ts: i64, size: i64, advance: i64) -> Vec<i64> {
    back(tumbling(ts, advance, 0), advance, |start| ts < start + size)
}

fn back(newest: i64, advance: i64, holds: impl Fn(i64) -> bool) -> Vec<i64> {
    (0..)
        .map(|step| newest - step * advance)
        .take_while(|start| holds(*start))
        .collect()
}
