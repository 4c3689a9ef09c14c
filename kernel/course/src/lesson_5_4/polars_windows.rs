//! Exercise 5.4 E1: tumbling, hopping and session windows in Polars.

use std::collections::BTreeMap;
use std::time::Instant;

use polars::prelude::*;

use super::compare;
use super::script::{NOON, event_seconds};
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::trial::{self, Misconception, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.4 E1",
    title: "Windows in Polars",
    points: 20,
    hints: [
        "Which end of a window does an event exactly on the boundary belong to, and what must be true of the order of \
         the rows before `group_by_dynamic` sees them?",
        "Look again at section 3, \"Windows in event time, with Polars\": the table of dials. Two of them make the \
         windows overlap. A session has no dial: sort, look at the event before of the same gauge (`shift`), \
         and let every event know the start of its session (`fill_null_with_strategy`).",
        "rows.sort([\"gauge\", \"event_time\"], Default::default())\n    \
             .with_columns([when(/* another gauge, or more than a gap behind */)\n        \
                 .then(col(\"event_time\")).otherwise(lit(NULL)).alias(\"window_start\")])\n    \
             .with_columns([col(\"window_start\").fill_null_with_strategy(FillNullStrategy::Forward(None))])\n    \
             .group_by([col(\"gauge\"), col(\"window_start\")])\n    \
             .agg([/* window_end */, len().alias(\"count\")])",
    ],
    next_question: "your `session` needs all rows of a gauge at once. What would it have to keep to do without?",
};

const SIZE: i64 = 10;
const HOP_SIZE: i64 = 20;
const SLIDE: i64 = 5;

/// Seconds after noon and gauge of each reading, in the order in which they came; and the gap.
type Case = (Vec<(i64, &'static str)>, i64);
/// Gauge, start, end and count of a window; where there is no gauge or end, an empty text and 0.
type Row = (String, i64, i64, i64);
/// The windows, or what Polars said.
type Windows = Result<Vec<Row>, String>;

/// What a learner writes for tumbling and hopping windows.
pub type FixedAnswer = fn(LazyFrame) -> LazyFrame;
/// What a learner writes for sessions: rows, and the gap in seconds.
pub type SessionAnswer = fn(LazyFrame, i64) -> LazyFrame;

/// Checks `tumbling(rows)`, `hopping(rows)` and `session(rows, gap_s)`: 20 points.
///
/// Rows have event_time (datetime in microseconds, UTC) and gauge (str), in any order. Tumbling
/// windows of 10 s and hopping ones of 20 s every 5 s have columns window_start and count; sessions
/// have gauge, window_start, window_end and count. The order of the windows does not matter.
pub fn check_5_4_e1(
    tumbling: FixedAnswer,
    hopping: FixedAnswer,
    session: SessionAnswer,
) -> Outcome {
    check_for(&Learner::current(), tumbling, hopping, session)
}

/// As [`check_5_4_e1`], for a learner who is not the current one.
pub fn check_for(
    learner: &Learner,
    tumbling: FixedAnswer,
    hopping: FixedAnswer,
    session: SessionAnswer,
) -> Outcome {
    let functions = [
        tumbling as *const (),
        hopping as *const (),
        session as *const (),
    ];
    attempt::of(EXERCISE.id, learner, &functions, || {
        let mut random = Random::seeded(learner.seed(EXERCISE.id));
        let begun = Instant::now();
        let cases = Cases::drawn(&mut random);
        let tumble = trial(
            "tumbling",
            &cases,
            |case| Ok(fixed(case, SIZE, SIZE)),
            TUMBLING,
        );
        let hop = trial(
            "hopping",
            &cases,
            |case| Ok(fixed(case, HOP_SIZE, SLIDE)),
            HOPPING,
        );
        let join = trial(
            "session",
            &cases,
            |case| Ok(sessions(case, |_| 0, true)),
            SESSION,
        );
        let first = tumble.run(begun, |case| collect(tumbling(frame(case)), false));
        let second = hop.run(begun, |case| collect(hopping(frame(case)), false));
        let third = join.run(begun, |case| collect(session(frame(case), case.1), true));
        Outcome::new(
            &EXERCISE,
            trial::together(&[("tumbling", first), ("hopping", second), ("session", third)]),
        )
    })
}

struct Cases {
    shown: Vec<Case>,
    hidden: Vec<Case>,
}

impl Cases {
    fn drawn(random: &mut Random) -> Cases {
        let at = |seconds: &[i64]| {
            seconds
                .iter()
                .map(|second| (*second, "G03"))
                .collect::<Vec<_>>()
        };
        let shown = vec![
            (at(&[2, 5, 9, 11, 14, 33, 36]), 10),
            (at(&[10, 20, 30]), 5),
            (vec![(1, "G03"), (2, "G07"), (12, "G03"), (30, "G07")], 15),
        ];
        let mut hidden = vec![(at(&[7]), 5)];
        for round in 0..24 {
            let gap = random.choose(&[5, 10, 15]);
            let mut now = random.between(0, 40);
            let mut rows: Vec<(i64, &'static str)> = (0..random.between(2, 14))
                .map(|_| {
                    // Steps of exactly one gap are among them, and ends of windows.
                    now += random.choose(&[0, 1, 3, gap, gap + 1, 25]);
                    (now, random.choose(&["G03", "G07", "G13"][..1 + round % 3]))
                })
                .collect();
            if round % 2 == 1 {
                for last in (1..rows.len()).rev() {
                    rows.swap(last, random.between(0, last as i64 + 1) as usize);
                }
            }
            hidden.push((rows, gap));
        }
        Cases { shown, hidden }
    }
}

fn trial(
    name: &'static str,
    cases: &Cases,
    reference: fn(&Case) -> Windows,
    misconceptions: &'static [Misconception<Case, Windows>],
) -> Trial<Case, Windows> {
    Trial {
        name,
        call: |(rows, gap)| {
            let rows: Vec<String> = rows
                .iter()
                .map(|(second, gauge)| format!("{gauge} at {second}"))
                .collect();
            format!("{} s after noon; gap {gap} s", rows.join(", "))
        },
        reference,
        picture: |_, expected, got| {
            let words = |row: &Row| match row {
                (gauge, start, 0, count) if gauge.is_empty() => format!("from {start}: {count}"),
                (gauge, start, end, count) => format!("{gauge} [{start}, {end}): {count}"),
            };
            let empty = Vec::new();
            let lines = compare::side_by_side(
                "window",
                expected.as_ref().unwrap_or(&empty),
                got.as_ref().unwrap_or(&empty),
                words,
            );
            compare::picture("Windows in seconds after noon, and their counts", &lines)
        },
        properties: PROPERTIES,
        misconceptions,
        shown: cases.shown.clone(),
        hidden: cases.hidden.clone(),
    }
}

fn frame((rows, _): &Case) -> LazyFrame {
    let at: Vec<i64> = rows
        .iter()
        .map(|(second, _)| (NOON + second) * 1_000_000)
        .collect();
    let gauges: Vec<&str> = rows.iter().map(|(_, gauge)| *gauge).collect();
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    df!("event_time" => at, "gauge" => gauges)
        .unwrap_or_default()
        .lazy()
        .with_columns([col("event_time").cast(utc)])
}

/// Runs what the learner made, and reads the windows from it.
fn collect(made: LazyFrame, of_sessions: bool) -> Windows {
    let read = |made: LazyFrame| -> PolarsResult<Vec<Row>> {
        let frame = made.collect()?;
        let seconds =
            |name: &str| event_seconds(std::slice::from_ref(&frame), name).map(|all| all.concat());
        let start = seconds("window_start")?;
        let count = frame.column("count")?.cast(&DataType::Int64)?;
        let count: Vec<i64> = count.i64()?.iter().flatten().collect();
        let (mut end, mut gauge) = (vec![NOON; start.len()], vec![String::new(); start.len()]);
        if of_sessions {
            end = seconds("window_end")?;
            let names = frame.column("gauge")?.str()?.clone();
            gauge = names
                .iter()
                .map(|name| name.unwrap_or_default().to_owned())
                .collect();
        }
        let rows = gauge.into_iter().zip(start).zip(end).zip(count);
        let mut rows: Vec<Row> = rows
            .map(|(((gauge, start), end), count)| (gauge, start - NOON, end - NOON, count))
            .collect();
        rows.sort();
        Ok(rows)
    };
    read(made).map_err(|error| {
        let text = error.to_string();
        if text.contains("sorted") {
            UNSORTED.to_owned()
        } else {
            text
        }
    })
}

const UNSORTED: &str = "Polars says that the rows are not sorted by event time";

/// The right windows of one size, starting every `slide`.
fn fixed(case: &Case, size: i64, slide: i64) -> Vec<Row> {
    by(case, |at| {
        let newest = at.div_euclid(slide) * slide;
        (0..)
            .map(|step| newest - step * slide)
            .take_while(|start| start + size > at)
            .collect()
    })
}

/// Counts each event in the windows that `starts` names.
fn by((rows, _): &Case, starts: impl Fn(i64) -> Vec<i64>) -> Vec<Row> {
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for start in rows.iter().flat_map(|(at, _)| starts(*at)) {
        *counts.entry(start).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(start, count)| (String::new(), start, 0, count))
        .collect()
}

/// Sessions by gauge; `shorter` is taken from the gap where two events are compared, and `gap_at_end`
/// says whether a session lasts one gap longer than its last event.
fn sessions((rows, gap): &Case, shorter: fn(i64) -> i64, gap_at_end: bool) -> Vec<Row> {
    let mut sorted: Vec<(&str, i64)> = rows.iter().map(|(at, gauge)| (*gauge, *at)).collect();
    sorted.sort_unstable();
    join(&sorted, *gap, gap - shorter(*gap), gap_at_end)
}

/// Joins events in the order in which they are given.
fn join(events: &[(&str, i64)], gap: i64, most: i64, gap_at_end: bool) -> Vec<Row> {
    let mut open: Vec<Row> = Vec::new();
    for (gauge, at) in events {
        match open.last_mut() {
            Some(last) if last.0 == *gauge && at - last.2 <= most => {
                last.2 = *at;
                last.3 += 1;
            }
            _ => open.push(((*gauge).to_owned(), *at, *at, 1)),
        }
    }
    for row in &mut open {
        row.2 += if gap_at_end { gap } else { 0 };
    }
    open.sort();
    open
}

fn is_sorted((rows, _): &Case) -> bool {
    rows.windows(2).all(|pair| pair[0].0 <= pair[1].0)
}

const PROPERTIES: &[Property<Case, Windows>] = &[
    Property {
        name: "it runs, also if the rows are in no order",
        holds: |_, got| got.is_ok(),
    },
    Property {
        name: "no window without events",
        holds: |_, got| {
            got.as_ref()
                .is_ok_and(|rows| rows.iter().all(|row| row.3 > 0))
        },
    },
];

const SORT: Misconception<Case, Windows> = Misconception {
    name: "forgotten sort",
    wrong: |case| {
        if is_sorted(case) {
            Ok(fixed(case, SIZE, SIZE))
        } else {
            Err(UNSORTED.to_owned())
        }
    },
    hint: "`group_by_dynamic` wants its rows in the order of the event time and does not sort them. A stream comes in the \
           order of its arrivals",
};

const TUMBLING: &[Misconception<Case, Windows>] = &[
    SORT,
    Misconception {
        name: "right end closed",
        wrong: |case| Ok(by(case, |at| vec![(at - 1).div_euclid(SIZE) * SIZE])),
        hint: "an event exactly on a boundary is in your earlier window. A window holds its start and not its end: close \
               the left side",
    },
    Misconception {
        name: "aligned to the first event",
        wrong: |case| {
            let first = case.0.iter().map(|(at, _)| *at).min().unwrap_or(0);
            Ok(by(case, |at| {
                vec![first + (at - first).div_euclid(SIZE) * SIZE]
            }))
        },
        hint: "your windows start at the first event. Then two runs over parts of the same stream have different windows. \
               Start at whole multiples of the size",
    },
    Misconception {
        name: "named by the end",
        wrong: |case| Ok(by(case, |at| vec![at.div_euclid(SIZE) * SIZE + SIZE])),
        hint: "`window_start` holds the end of the window. The counts are right, and joined to another table each is one \
               window off: label the left side",
    },
];

const HOPPING: &[Misconception<Case, Windows>] = &[
    Misconception {
        name: "windows before the first event are missing",
        wrong: |case| {
            let first = case
                .0
                .iter()
                .map(|(at, _)| at.div_euclid(SLIDE) * SLIDE)
                .min()
                .unwrap_or(0);
            let mut rows = fixed(case, HOP_SIZE, SLIDE);
            rows.retain(|row| row.1 >= first);
            Ok(rows)
        },
        hint: "the windows that start before the first event and still hold it are missing. `group_by_dynamic` begins with the \
               window at the first event; give each event its starts yourself",
    },
    Misconception {
        name: "one window too many",
        wrong: |case| {
            Ok(by(case, |at| {
                let newest = at.div_euclid(SLIDE) * SLIDE;
                (0..=HOP_SIZE / SLIDE)
                    .map(|step| newest - step * SLIDE)
                    .collect()
            }))
        },
        hint: "each event is in one window too many: the one that ends at or before it. There are size / slide of them",
    },
    Misconception {
        name: "one window only",
        wrong: |case| Ok(fixed(case, SLIDE, SLIDE)),
        hint: "your windows are as long as the slide, so they do not overlap. `every` is how often one starts, `period` how \
               long it is",
    },
    Misconception {
        name: "tumbling windows",
        wrong: |case| Ok(fixed(case, HOP_SIZE, HOP_SIZE)),
        hint: "your windows start every 20 seconds. Hopping ones start more often than they are long: every 5 seconds",
    },
    Misconception {
        name: "right end closed",
        wrong: |case| {
            let shifted: Vec<(i64, &'static str)> =
                case.0.iter().map(|(at, gauge)| (at - 1, *gauge)).collect();
            let mut rows = fixed(&(shifted, case.1), HOP_SIZE, SLIDE);
            rows.retain(|row| row.3 > 0);
            Ok(rows)
        },
        hint: "an event exactly on a boundary is in the window that ends there and not in the one that starts. Close the \
               left side",
    },
];

const SESSION: &[Misconception<Case, Windows>] = &[
    Misconception {
        name: "a gap exactly is too long",
        wrong: |case| Ok(sessions(case, |_| 1, true)),
        hint: "an event exactly one gap after the last one still joins by Spark's rule. You begin a new session there: \
               compare with \"more than\", not with \"at least\"",
    },
    Misconception {
        name: "ends at the last event",
        wrong: |case| Ok(sessions(case, |_| 0, false)),
        hint: "your session ends at its last event. It ends one gap later: until then another event might have joined",
    },
    Misconception {
        name: "forgotten sort",
        wrong: |case| {
            let mut events: Vec<(&str, i64)> =
                case.0.iter().map(|(at, gauge)| (*gauge, *at)).collect();
            events.sort_by_key(|(gauge, _)| *gauge);
            Ok(join(&events, case.1, case.1, true))
        },
        hint: "you compare each event with the one that came before it, not with the one that happened before it. Sort by \
               gauge and event time first",
    },
    Misconception {
        name: "fixed length",
        wrong: |case| {
            let mut sorted: Vec<(&str, i64)> =
                case.0.iter().map(|(at, gauge)| (*gauge, *at)).collect();
            sorted.sort_unstable();
            let mut open: Vec<Row> = Vec::new();
            for (gauge, at) in sorted {
                match open.last_mut() {
                    Some(last) if last.0 == gauge && at - last.1 <= case.1 => last.3 += 1,
                    _ => open.push((gauge.to_owned(), at, at + case.1, 1)),
                }
            }
            open.sort();
            Ok(open)
        },
        hint: "your session is one gap long, from its first event. Each event makes it longer: compare with the event \
               before, not with the first",
    },
];

/// Right answers, for tests and for the parts of a wrong solution that are right.
pub fn right_answers() -> (FixedAnswer, FixedAnswer, SessionAnswer) {
    (
        |rows| dynamic(rows, true, SIZE, SIZE, Dials::default()),
        |rows| by_starts(rows, HOP_SIZE / SLIDE),
        |rows, gap| by_gap(rows, gap, true, false, true),
    )
}

/// The dials that wrong solutions turn.
#[derive(Default)]
struct Dials {
    right: bool,
    label_right: bool,
    from_first: bool,
}

fn dynamic(rows: LazyFrame, sort: bool, size: i64, slide: i64, dials: Dials) -> LazyFrame {
    let rows = if sort {
        rows.sort(["event_time"], Default::default())
    } else {
        rows
    };
    let options = DynamicGroupOptions {
        every: Duration::parse(&format!("{slide}s")),
        period: Duration::parse(&format!("{size}s")),
        offset: Duration::parse("0s"),
        closed_window: if dials.right {
            ClosedWindow::Right
        } else {
            ClosedWindow::Left
        },
        label: if dials.label_right {
            Label::Right
        } else {
            Label::Left
        },
        start_by: if dials.from_first {
            StartBy::DataPoint
        } else {
            StartBy::WindowBound
        },
        ..Default::default()
    };
    rows.group_by_dynamic(col("event_time"), [], options)
        .agg([len().alias("count")])
        .select([col("event_time").alias("window_start"), col("count")])
}

/// Gives each event the `windows` newest starts, and counts.
fn by_starts(rows: LazyFrame, windows: i64) -> LazyFrame {
    let newest = || col("event_time").dt().truncate(lit(format!("{SLIDE}s")));
    let one = |step: i64| {
        let start = newest() - lit(chrono_seconds(step * SLIDE));
        rows.clone().select([start.alias("window_start")])
    };
    let all: Vec<LazyFrame> = (0..windows).map(one).collect();
    concat(all, UnionArgs::default())
        .unwrap_or_else(|error| panic!("{error}"))
        .group_by([col("window_start")])
        .agg([len().alias("count")])
}

fn by_gap(rows: LazyFrame, gap_s: i64, sort: bool, at_least: bool, gap_at_end: bool) -> LazyFrame {
    let gap = lit(chrono_seconds(gap_s));
    let time = || col("event_time");
    let apart = time() - time().shift(lit(1));
    let other = col("gauge").neq_missing(col("gauge").shift(lit(1)));
    let far = if at_least {
        apart.gt_eq(gap.clone())
    } else {
        apart.gt(gap.clone())
    };
    let order = if sort {
        vec!["gauge", "event_time"]
    } else {
        vec!["gauge"]
    };
    let keep_order = SortMultipleOptions::default().with_maintain_order(true);
    let end = if gap_at_end {
        time().max() + gap
    } else {
        time().max()
    };
    rows.sort(order, keep_order)
        .with_columns([when(other.or(far))
            .then(time())
            .otherwise(lit(NULL))
            .alias("window_start")])
        .with_columns(
            [col("window_start").fill_null_with_strategy(FillNullStrategy::Forward(None))],
        )
        .group_by([col("gauge"), col("window_start")])
        .agg([end.alias("window_end"), len().alias("count")])
}

/// Seconds as what Polars subtracts from a datetime.
fn chrono_seconds(seconds: i64) -> Duration {
    Duration::parse(&format!("{seconds}s"))
}

/// Wrong tumbling windows: name, part of the hint, what is handed in.
pub const WRONG_TUMBLING: &[(&str, &str, FixedAnswer)] = &[
    ("right closed", "close the left side", |rows| {
        dynamic(
            rows,
            true,
            SIZE,
            SIZE,
            Dials {
                right: true,
                ..Dials::default()
            },
        )
    }),
    ("from the first", "Start at whole multiples", |rows| {
        dynamic(
            rows,
            true,
            SIZE,
            SIZE,
            Dials {
                from_first: true,
                ..Dials::default()
            },
        )
    }),
    ("label right", "label the left side", |rows| {
        dynamic(
            rows,
            true,
            SIZE,
            SIZE,
            Dials {
                label_right: true,
                ..Dials::default()
            },
        )
    }),
    ("no sort", "does not sort them", |rows| {
        dynamic(rows, false, SIZE, SIZE, Dials::default())
    }),
];

/// Wrong hopping windows.
pub const WRONG_HOPPING: &[(&str, &str, FixedAnswer)] = &[
    ("as long as the slide", "they do not overlap", |rows| {
        dynamic(rows, true, SLIDE, SLIDE, Dials::default())
    }),
    ("tumbling", "start every 20 seconds", |rows| {
        dynamic(rows, true, HOP_SIZE, HOP_SIZE, Dials::default())
    }),
    ("dials", "give each event its starts yourself", |rows| {
        dynamic(rows, true, HOP_SIZE, SLIDE, Dials::default())
    }),
    ("one too many", "size / slide of them", |rows| {
        by_starts(rows, HOP_SIZE / SLIDE + 1)
    }),
];

/// Wrong sessions.
pub const WRONG_SESSION: &[(&str, &str, SessionAnswer)] = &[
    ("at least", "compare with \"more than\"", |rows, gap| {
        by_gap(rows, gap, true, true, true)
    }),
    (
        "ends at the last event",
        "It ends one gap later",
        |rows, gap| by_gap(rows, gap, true, false, false),
    ),
];
