//! Exercise 5.1 E3: to which windows does an event belong?

use std::time::Instant;

use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::trial::{self, Misconception, Property, Trial};
use crate::window_picture::{WindowPicture, Windows};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.1 E3",
    title: "Assign a window",
    points: 15,
    hints: [
        "On a grid of windows that are `size` long, how far is `ts` behind the grid line before it, \
         and what would that distance be for ts = -1?",
        "Look again at section 3, \"Two clocks\": a window holds its start but not its end. \
         `rem_euclid` gives a remainder that is never negative, `%` does not. An offset moves the \
         grid: take it off before the remainder. For overlapping windows begin with the newest \
         start that is not after `ts`, and step back by `advance` while the window still holds `ts`.",
        "fn tumbling_start(ts: i64, size: i64, offset: i64) -> i64 {\n    \
             let into_window = (ts - offset).rem_euclid(/* of what? */);\n    \
             ts - into_window\n\
         }\n\n\
         fn hopping_starts(ts: i64, size: i64, advance: i64) -> Vec<i64> {\n    \
             let mut starts = vec![];\n    \
             let mut start = tumbling_start(ts, /* which grid? */, 0);\n    \
             while /* the window from start still holds ts */ {\n        \
                 starts.push(start);\n        \
                 start -= advance;\n    \
             }\n    \
             starts\n\
         }",
    ],
    next_question: "an event arrives an hour after its windows have been drawn. Which pictures would have to \
                    be drawn again, and who tells the people who have already looked at them?",
};

/// `ts`, `size` and `offset`, all in minutes.
type Tumbling = (i64, i64, i64);
/// `ts`, `size` and `advance`, all in minutes.
type Hopping = (i64, i64, i64);

/// Checks `tumbling_start(ts, size, offset)` and `hopping_starts(ts, size, advance)`: 15 points.
///
/// Both work in whole minutes. A window holds its start and not its end; `hopping_starts` may
/// give the starts in any order, each once, and `advance` is never more than `size`.
///
/// A call that panics, loops or eats memory ends the check and nothing else.
pub fn check_5_1_e3(
    tumbling_start: fn(i64, i64, i64) -> i64,
    hopping_starts: fn(i64, i64, i64) -> Vec<i64>,
) -> Outcome {
    check_for(&Learner::current(), tumbling_start, hopping_starts)
}

/// As [`check_5_1_e3`], for a learner who is not the current one.
pub fn check_for(
    learner: &Learner,
    tumbling_start: fn(i64, i64, i64) -> i64,
    hopping_starts: fn(i64, i64, i64) -> Vec<i64>,
) -> Outcome {
    attempt::of(
        EXERCISE.id,
        learner,
        &[tumbling_start as *const (), hopping_starts as *const ()],
        || {
            let mut random = Random::seeded(learner.seed(EXERCISE.id));
            let (tumbling, hopping) = (tumbling(&mut random), hopping(&mut random));
            let begun = Instant::now();
            let tumbling_verdict = tumbling.run(begun, |&(ts, size, offset)| {
                tumbling_start(ts, size, offset)
            });
            let hopping_verdict = hopping.run(begun, |&(ts, size, advance)| {
                let mut starts = hopping_starts(ts, size, advance);
                starts.sort_unstable();
                starts
            });
            let state = trial::together(&[
                (tumbling.name, tumbling_verdict),
                (hopping.name, hopping_verdict),
            ]);
            Outcome::new(&EXERCISE, state)
        },
    )
}

fn tumbling(random: &mut Random) -> Trial<Tumbling, i64> {
    let mut hidden = Vec::new();
    for round in 0..120 {
        let size = random.choose(&[7, 10, 15, 30, 45, 60, 90, 1440]);
        let offset = if round % 2 == 0 {
            0
        } else {
            random.between(1, size)
        };
        let ts = match round % 3 {
            0 => size * random.between(0, 400) + offset,
            1 => random.between(0, 30_000),
            // Before 1970 every count of minutes is negative.
            _ => random.between(-30_000, 0),
        };
        hidden.push((ts, size, offset));
    }
    Trial {
        name: "tumbling_start",
        call: |(ts, size, offset)| format!("tumbling_start({ts}, {size}, {offset})"),
        reference: |&(ts, size, offset)| ts - (ts - offset).rem_euclid(size),
        picture: |&(ts, size, offset), &expected, &got| {
            let title = format!("ts = {ts} min, size = {size} min, offset = {offset} min");
            draw(title, ts, size, &[expected], &[got])
        },
        properties: TUMBLING_PROPERTIES,
        misconceptions: TUMBLING_MISCONCEPTIONS,
        shown: vec![(617, 30, 0), (630, 30, 0), (617, 60, 15)],
        hidden,
    }
}

fn hopping(random: &mut Random) -> Trial<Hopping, Vec<i64>> {
    let mut hidden = Vec::new();
    for round in 0..120 {
        let size = random.choose(&[10, 30, 45, 60, 90]);
        let advance = match round % 2 {
            0 => random.choose(&[size, size / 5, 5]),
            // Sizes that are no multiple of the advance: some events are in one window fewer.
            _ => random.choose(&[7, 4, 8]),
        };
        let ts = match round % 3 {
            0 => advance * random.between(0, 400),
            1 => random.between(0, 30_000),
            _ => random.between(-30_000, 0),
        };
        hidden.push((ts, size, advance));
    }
    Trial {
        name: "hopping_starts",
        call: |(ts, size, advance)| format!("hopping_starts({ts}, {size}, {advance})"),
        reference: |&(ts, size, advance)| hop(ts, advance, |start| start + size > ts),
        picture: |&(ts, size, advance), expected, got| {
            let title = format!("ts = {ts} min, size = {size} min, advance = {advance} min");
            draw(title, ts, size, expected, got)
        },
        properties: HOPPING_PROPERTIES,
        misconceptions: HOPPING_MISCONCEPTIONS,
        shown: vec![(617, 30, 10), (620, 30, 10), (617, 30, 30)],
        hidden,
    }
}

/// Returns the newest start that is not after `ts`, and those before it while `holds`.
fn hop(ts: i64, advance: i64, holds: impl Fn(i64) -> bool) -> Vec<i64> {
    let newest = ts - ts.rem_euclid(advance);
    let steps = (0..).map(|step| newest - step * advance);
    let mut starts: Vec<i64> = steps.take_while(|start| holds(*start)).collect();
    starts.sort_unstable();
    starts
}

const BEFORE_1970: &str = "`/` and `%` round towards zero, so before 1970, where times are negative, they find the \
                           start after the event instead of the one before it. `div_euclid` and `rem_euclid` do not";
const CLOSED_END: &str = "a window holds its start but not its end: an event exactly on a boundary begins \
                          the next window. You put it into the one that ends there";

const TUMBLING_PROPERTIES: &[Property<Tumbling, i64>] = &[
    Property {
        name: "the window holds its event, start <= ts < start + size",
        holds: |&(ts, size, _), &start| start <= ts && ts < start + size,
    },
    Property {
        name: "every start is a whole number of sizes away from the offset",
        holds: |&(_, size, offset), start| (start - offset).rem_euclid(size) == 0,
    },
];

const TUMBLING_MISCONCEPTIONS: &[Misconception<Tumbling, i64>] = &[
    Misconception {
        name: "truncating division",
        wrong: |&(ts, size, offset)| ts - (ts - offset) % size,
        hint: BEFORE_1970,
    },
    Misconception {
        name: "closed right end",
        wrong: |&(ts, size, offset)| ts - 1 - (ts - 1 - offset).rem_euclid(size),
        hint: CLOSED_END,
    },
    Misconception {
        name: "offset ignored",
        wrong: |&(ts, size, _)| ts - ts.rem_euclid(size),
        hint: "the offset has no effect in your answer. With size 60 and offset 15 the windows start at a quarter \
               past every hour, not on the hour",
    },
    Misconception {
        name: "offset added afterwards",
        wrong: |&(ts, size, offset)| ts - ts.rem_euclid(size) + offset,
        hint: "you add the offset at the end only, so an event early in the hour gets a start that is after it. \
               Take the offset off before the remainder",
    },
    Misconception {
        name: "nearest start",
        wrong: |&(ts, size, offset)| (ts - offset + size / 2).div_euclid(size) * size + offset,
        hint: "you round to the nearest start. The second half of a window belongs to the same start as the first",
    },
];

const HOPPING_PROPERTIES: &[Property<Hopping, Vec<i64>>] = &[
    Property {
        name: "every window holds the event, start <= ts < start + size",
        holds: |&(ts, size, _), starts| {
            starts.iter().all(|start| *start <= ts && ts < start + size)
        },
    },
    Property {
        name: "every start is a multiple of the advance",
        holds: |&(_, _, advance), starts| starts.iter().all(|start| start.rem_euclid(advance) == 0),
    },
    Property {
        name: "no window is given twice",
        holds: |_, starts| starts.windows(2).all(|pair| pair[0] != pair[1]),
    },
    Property {
        name: "the number of windows is size / advance, rounded down or up",
        holds: |&(_, size, advance), starts| {
            let count = i64::try_from(starts.len()).unwrap_or(i64::MAX);
            count == size / advance || count == (size + advance - 1) / advance
        },
    },
];

const HOPPING_MISCONCEPTIONS: &[Misconception<Hopping, Vec<i64>>] = &[
    Misconception {
        name: "truncating division",
        wrong: |&(ts, size, advance)| {
            let newest = ts - ts % advance;
            let mut starts: Vec<i64> = (0..)
                .map(|step| newest - step * advance)
                .take_while(|start| start + size > ts)
                .collect();
            starts.sort_unstable();
            starts
        },
        hint: BEFORE_1970,
    },
    Misconception {
        name: "closed right end",
        wrong: |&(ts, size, advance)| hop(ts - 1, advance, |start| start + size >= ts),
        hint: CLOSED_END,
    },
    Misconception {
        name: "closed at both ends",
        wrong: |&(ts, size, advance)| hop(ts, advance, |start| start + size >= ts),
        hint: "you count the window that ends exactly at the event as well. A window holds its start but not its end",
    },
    Misconception {
        name: "one window only",
        wrong: |&(ts, _, advance)| vec![ts - ts.rem_euclid(advance)],
        hint: "you give one start. Windows that overlap share their events: here an event belongs to every window \
               that is open at its time",
    },
    Misconception {
        name: "tumbling windows",
        wrong: |&(ts, size, _)| vec![ts - ts.rem_euclid(size)],
        hint: "you give one start, on the grid of the size. Hopping windows start every `advance`, so they overlap, \
               and an event belongs to each that holds it",
    },
    Misconception {
        name: "always size / advance windows",
        wrong: |&(ts, size, advance)| {
            let newest = ts - ts.rem_euclid(advance);
            (0..size / advance)
                .rev()
                .map(|step| newest - step * advance)
                .collect()
        },
        hint: "you always give size / advance starts. Where the advance does not divide the size, some events are in \
               one window more",
    },
];

fn draw(title: String, ts: i64, size: i64, expected: &[i64], got: &[i64]) -> String {
    let windows = |starts: &[i64]| Windows {
        starts: starts.to_vec(),
        size,
    };
    WindowPicture {
        title,
        event: ts,
        expected: windows(expected),
        got: windows(got),
    }
    .svg()
}
