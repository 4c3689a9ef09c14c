//! Exercise 5.4 E4: an aggregation whose state goes from batch to batch as a frame.

use std::collections::BTreeMap;
use std::time::Instant;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::compare;
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::trial::{self, Misconception, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.4 E4",
    title: "Incremental state",
    points: 25,
    hints: [
        "From which parts can the mean of two batches together be computed, if you have only one row for each of them?",
        "Look again at section 5, \"State, checkpoint, recovery\": one row for each window and key. Count, sum and sum of \
         squares can be added, minimum and maximum compared; a mean cannot be added. First the rows of the batch, then \
         what is final leaves.",
        "let parts = /* rows, grouped by window_start and gauge, in the columns of the state */;\n\
         let merged = concat([state, parts], UnionArgs::default())?\n    \
             .group_by([col(\"window_start\"), col(\"gauge\")])\n    \
             .agg([/* n, sum, squares: add; low: min; high: max */]);\n\
         let is_final = (col(\"window_start\") + lit(size)).lt_eq(lit(watermark));\n\
         // [the rest of merged, the final part of it with mean and std]",
    ],
    next_question: "which of these could you keep for the median?",
};

/// Returns a state without rows: window_start (i64, seconds), gauge (str), n (u32), sum, squares, low,
/// high (f64).
///
/// # Errors
/// Never in practice; the signature is that of every call that makes a frame.
pub fn empty_state() -> PolarsResult<DataFrame> {
    df!(
        "window_start" => Vec::<i64>::new(),
        "gauge" => Vec::<String>::new(),
        "n" => Vec::<u32>::new(),
        "sum" => Vec::<f64>::new(),
        "squares" => Vec::<f64>::new(),
        "low" => Vec::<f64>::new(),
        "high" => Vec::<f64>::new(),
    )
}

/// One reading: second, gauge, level in eighths.
type Reading = (i64, &'static str, i64);

/// Batches of readings, each with the watermark in force; and the size of the windows.
type Case = (Vec<(Vec<Reading>, i64)>, i64);

/// What one batch left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub state_rows: usize,
    pub finals: Vec<Final>,
}

/// A window that is final; mean and deviation in thousandths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Final {
    pub window_start: i64,
    pub gauge: String,
    pub mean: i64,
    pub std: Option<i64>,
    pub low: i64,
    pub high: i64,
}

/// What a learner writes: state, rows, size and watermark (seconds); the new state and what is final.
pub type Answer = fn(LazyFrame, LazyFrame, i64, i64) -> PolarsResult<[LazyFrame; 2]>;

/// Checks `step(state, rows, size, watermark)`: 25 points.
pub fn check_5_4_e4(step: Answer) -> Outcome {
    check_for(&Learner::current(), step)
}

/// As [`check_5_4_e4`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, step: Answer) -> Outcome {
    let functions = [step as *const ()];
    attempt::of(EXERCISE.id, learner, &functions, || {
        let trial = trial(&mut Random::seeded(learner.seed(EXERCISE.id)));
        let verdict = trial.run(Instant::now(), |case| {
            walk(case, step).map_err(|error| error.to_string())
        });
        Outcome::new(&EXERCISE, trial::together(&[(trial.name, verdict)]))
    })
}

fn rows(readings: &[Reading]) -> PolarsResult<LazyFrame> {
    let second: Vec<i64> = readings.iter().map(|(at, ..)| *at).collect();
    let gauge: Vec<&str> = readings.iter().map(|(_, gauge, _)| *gauge).collect();
    let level: Vec<f64> = readings
        .iter()
        .map(|(.., level)| *level as f64 / 8.0)
        .collect();
    Ok(df!("event_s" => second, "gauge" => gauge, "level_cm" => level)?.lazy())
}

/// Runs a learner's step over every batch.
fn walk((batches, size): &Case, step: Answer) -> PolarsResult<Vec<Step>> {
    let mut state = empty_state()?;
    let mut steps = Vec::new();
    for (readings, watermark) in batches {
        let [kept, finals] = step(state.lazy(), rows(readings)?, *size, *watermark)?;
        state = kept.collect()?;
        steps.push(Step {
            state_rows: state.height(),
            finals: finals_of(&finals.collect()?)?,
        });
    }
    Ok(steps)
}

fn finals_of(frame: &DataFrame) -> PolarsResult<Vec<Final>> {
    let thousandths = |name: &str| -> PolarsResult<Vec<Option<i64>>> {
        let column = frame.column(name)?.cast(&DataType::Float64)?;
        let values = column.f64()?.iter();
        // A deviation of one value is none: 0 / 0.
        Ok(values
            .map(|value| {
                value
                    .filter(|value| value.is_finite())
                    .map(|value| (value * 1e3).round() as i64)
            })
            .collect())
    };
    let start = frame.column("window_start")?.cast(&DataType::Int64)?;
    let gauge = frame.column("gauge")?.str()?.clone();
    let (mean, std) = (thousandths("mean")?, thousandths("std")?);
    let (low, high) = (thousandths("low")?, thousandths("high")?);
    let mut finals: Vec<Final> = (0..frame.height())
        .map(|row| Final {
            window_start: start
                .i64()
                .ok()
                .and_then(|start| start.get(row))
                .unwrap_or_default(),
            gauge: gauge.get(row).unwrap_or_default().to_owned(),
            mean: mean[row].unwrap_or_default(),
            std: std[row],
            low: low[row].unwrap_or_default(),
            high: high[row].unwrap_or_default(),
        })
        .collect();
    finals.sort();
    Ok(finals)
}

/// Which parts of a step are wrong.
#[derive(Clone, Copy, Default)]
struct Way {
    average_of_averages: bool,
    evict_first: bool,
    window_only: bool,
    newest_replaces: bool,
    population: bool,
    keeps_final: bool,
}

#[derive(Clone, Copy)]
struct Part {
    n: f64,
    sum: f64,
    squares: f64,
    low: f64,
    high: f64,
    /// Sum and number of the means of batches.
    means: (f64, f64),
}

/// The right run, or one that goes wrong in some part.
fn kept((batches, size): &Case, way: Way) -> Vec<Step> {
    let mut state: BTreeMap<(i64, &str), Part> = BTreeMap::new();
    let mut steps = Vec::new();
    for (readings, watermark) in batches {
        let mut finals = Vec::new();
        let mut evict = |state: &mut BTreeMap<(i64, &str), Part>| {
            for ((start, gauge), part) in state
                .iter()
                .filter(|((start, _), _)| start + size <= *watermark)
            {
                finals.push(of(*start, gauge, part, way));
            }
            if !way.keeps_final {
                state.retain(|(start, _), _| *start + size > *watermark);
            }
        };
        if way.evict_first {
            evict(&mut state);
        }
        let mut parts: BTreeMap<(i64, &str), Part> = BTreeMap::new();
        for (at, gauge, level) in readings {
            let level = *level as f64 / 8.0;
            let key = (
                at.div_euclid(*size) * size,
                if way.window_only { "" } else { gauge },
            );
            let one = Part {
                n: 1.0,
                sum: level,
                squares: level * level,
                low: level,
                high: level,
                means: (0.0, 0.0),
            };
            parts
                .entry(key)
                .and_modify(|part| *part = add(*part, one))
                .or_insert(one);
        }
        for (key, mut part) in parts {
            part.means = (part.sum / part.n, 1.0);
            match state.get_mut(&key) {
                Some(there) if !way.newest_replaces => *there = add(*there, part),
                _ => drop(state.insert(key, part)),
            }
        }
        if !way.evict_first {
            evict(&mut state);
        }
        finals.sort();
        steps.push(Step {
            state_rows: state.len(),
            finals,
        });
    }
    steps
}

fn add(one: Part, other: Part) -> Part {
    Part {
        n: one.n + other.n,
        sum: one.sum + other.sum,
        squares: one.squares + other.squares,
        low: one.low.min(other.low),
        high: one.high.max(other.high),
        means: (one.means.0 + other.means.0, one.means.1 + other.means.1),
    }
}

fn of(start: i64, gauge: &str, part: &Part, way: Way) -> Final {
    let thousandths = |value: f64| (value * 1e3).round() as i64;
    let free = if way.population { part.n } else { part.n - 1.0 };
    let variance = (part.squares - part.sum * part.sum / part.n) / free;
    let mean = match way.average_of_averages {
        true => part.means.0 / part.means.1,
        false => part.sum / part.n,
    };
    Final {
        window_start: start,
        gauge: gauge.to_owned(),
        mean: thousandths(mean),
        std: (free > 0.0).then(|| thousandths(variance.max(0.0).sqrt())),
        low: thousandths(part.low),
        high: thousandths(part.high),
    }
}

type Steps = Result<Vec<Step>, String>;

fn trial(random: &mut Random) -> Trial<Case, Steps> {
    let shown: Case = (
        vec![
            (vec![(1, "G03", 80), (4, "G03", 88), (3, "G07", 40)], 0),
            (vec![(8, "G03", 96), (12, "G03", 100), (11, "G07", 44)], 2),
            (vec![(9, "G07", 48), (17, "G03", 104), (26, "G03", 120)], 12),
            (vec![], 20),
        ],
        10,
    );
    let hidden = (0..20).map(|_| {
        let size = random.choose(&[5, 10, 20]);
        let (mut now, mut newest, mut watermark) = (100, 0, 0);
        let batches = (0..random.between(3, 7)).map(|_| {
            now += random.between(0, 2 * size);
            let readings: Vec<Reading> = (0..random.between(0, 7))
                .map(|_| {
                    // No row behind a window that is final: lateness is not asked for here.
                    let at = (now - random.between(0, 8)).max(watermark);
                    newest = newest.max(at);
                    (at, random.choose(&["G03", "G07"]), random.between(80, 400))
                })
                .collect();
            let in_force = watermark;
            watermark = watermark.max(newest - 5);
            (readings, in_force)
        });
        (batches.collect(), size)
    });
    Trial {
        name: "step",
        call: |(batches, size)| {
            let batches: Vec<String> = batches
                .iter()
                .map(|(readings, watermark)| {
                    let readings: Vec<String> = readings
                        .iter()
                        .map(|(at, gauge, level)| {
                            format!("{gauge} {} at {at}", *level as f64 / 8.0)
                        })
                        .collect();
                    format!("[{}; watermark {watermark}]", readings.join(", "))
                })
                .collect();
            format!("step over {} with size {size}", batches.join(" "))
        },
        reference: |case| Ok(kept(case, Way::default())),
        picture: |_, expected, got| {
            let empty = Vec::new();
            let words = |step: &Step| {
                let finals: Vec<String> = step
                    .finals
                    .iter()
                    .map(|last| {
                        format!(
                            "{} {}: {}",
                            last.window_start,
                            last.gauge,
                            last.mean as f64 / 1e3
                        )
                    })
                    .collect();
                format!("{} in state; {}", step.state_rows, finals.join(", "))
            };
            let (expected, got) = (
                expected.as_ref().unwrap_or(&empty),
                got.as_ref().unwrap_or(&empty),
            );
            compare::picture(
                "After each batch: rows in the state; final means",
                &compare::side_by_side("batch", expected, got, words),
            )
        },
        properties: PROPERTIES,
        misconceptions: MISCONCEPTIONS,
        shown: vec![shown],
        hidden: hidden.collect(),
    }
}

const PROPERTIES: &[Property<Case, Steps>] = &[
    Property {
        name: "it runs, also over a batch without rows",
        holds: |_, got| got.is_ok(),
    },
    Property {
        name: "the state holds no more rows than there are open windows and gauges",
        holds: |case, got| {
            let right = kept(case, Way::default());
            got.as_ref().is_ok_and(|got| {
                got.iter()
                    .zip(&right)
                    .all(|(got, right)| got.state_rows <= right.state_rows)
            })
        },
    },
    Property {
        name: "no window is final twice",
        holds: |_, got| {
            let Ok(got) = got else { return false };
            let mut names: Vec<(i64, &str)> = got
                .iter()
                .flat_map(|step| {
                    step.finals
                        .iter()
                        .map(|last| (last.window_start, last.gauge.as_str()))
                })
                .collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            names.len() == all
        },
    },
];

/// Makes a misconception: the right way with one part exchanged.
macro_rules! way {
    ($name:literal, $part:ident, $hint:literal) => {
        Misconception {
            name: $name,
            wrong: |case| {
                Ok(kept(
                    case,
                    Way {
                        $part: true,
                        ..Way::default()
                    },
                ))
            },
            hint: $hint,
        }
    };
}

const MISCONCEPTIONS: &[Misconception<Case, Steps>] = &[
    way!(
        "averaging averages",
        average_of_averages,
        "you average the means of the batches, as if each had as many rows. Keep sum and count, and divide at the end"
    ),
    way!(
        "evict before merge",
        evict_first,
        "you take out what is final before the rows of the batch are added. They may belong to a window that becomes final \
         in this very batch: add first"
    ),
    way!(
        "state by window only",
        window_only,
        "your state has one row a window, so the gauges run together. The key of the state is the window and the gauge"
    ),
    way!(
        "the newest part replaces",
        newest_replaces,
        "the part of the newest batch takes the place of what was there. Merge the two: add counts and sums, compare \
         minimum and maximum"
    ),
    way!(
        "n instead of n - 1",
        population,
        "your deviation divides by n. That of a sample divides by n - 1, and a single value has none"
    ),
    way!(
        "final rows stay",
        keeps_final,
        "what is final stays in your state, comes out again in every batch, and the state grows for ever"
    ),
];

/// A step in Polars, right or wrong in one part.
fn made(
    way: Way,
    state: LazyFrame,
    rows: LazyFrame,
    size: i64,
    watermark: i64,
) -> PolarsResult<[LazyFrame; 2]> {
    let start = col("event_s") - col("event_s") % lit(size);
    let rows = if way.window_only {
        rows.with_columns([lit("").alias("gauge")])
    } else {
        rows
    };
    let level = || col("level_cm");
    let sum = if way.average_of_averages {
        level().mean()
    } else {
        level().sum()
    };
    let n = if way.average_of_averages {
        lit(1u32).first()
    } else {
        len()
    };
    let parts = rows
        .with_columns([start.alias("window_start")])
        .group_by([col("window_start"), col("gauge")])
        .agg([
            n.alias("n"),
            sum.alias("sum"),
            (level() * level()).sum().alias("squares"),
            level().min().alias("low"),
            level().max().alias("high"),
        ]);
    let is_final = (col("window_start") + lit(size)).lt_eq(lit(watermark));
    let (mut finals, mut state) = (None, state);
    if way.evict_first {
        finals = Some(state.clone().filter(is_final.clone()));
        state = state.filter(is_final.clone().not());
    }
    let add = |name: &str| {
        if way.newest_replaces {
            col(name).last()
        } else {
            col(name).sum()
        }
    };
    let edge = |name: &str| {
        if way.newest_replaces {
            col(name).last()
        } else if name == "low" {
            col(name).min()
        } else {
            col(name).max()
        }
    };
    let merged = concat([state, parts], UnionArgs::default())?
        .group_by_stable([col("window_start"), col("gauge")])
        .agg([
            add("n"),
            add("sum"),
            add("squares"),
            edge("low"),
            edge("high"),
        ]);
    let free = col("n").cast(DataType::Float64) - lit(if way.population { 0.0 } else { 1.0 });
    let variance = (col("squares") - col("sum") * col("sum") / col("n")) / free.clone();
    let closed = finals
        .unwrap_or_else(|| merged.clone().filter(is_final.clone()))
        .with_columns([
            (col("sum") / col("n")).alias("mean"),
            when(free.gt(lit(0.0)))
                .then(variance.pow(lit(0.5)))
                .otherwise(lit(NULL))
                .alias("std"),
        ]);
    let open = if way.keeps_final || way.evict_first {
        merged
    } else {
        merged.filter(is_final.not())
    };
    Ok([open, closed])
}

/// The right answer, for tests.
pub fn right_answer(
    state: LazyFrame,
    rows: LazyFrame,
    size: i64,
    watermark: i64,
) -> PolarsResult<[LazyFrame; 2]> {
    made(Way::default(), state, rows, size, watermark)
}

/// The wrong solutions of this exercise: name, part of the hint, what is handed in.
pub const WRONG: &[(&str, &str, Answer)] = &[
    (
        "evict first",
        "add first",
        |state, rows, size, watermark| {
            made(
                Way {
                    evict_first: true,
                    ..Way::default()
                },
                state,
                rows,
                size,
                watermark,
            )
        },
    ),
    (
        "window only",
        "the window and the gauge",
        |state, rows, size, watermark| {
            made(
                Way {
                    window_only: true,
                    ..Way::default()
                },
                state,
                rows,
                size,
                watermark,
            )
        },
    ),
    (
        "newest replaces",
        "Merge the two",
        |state, rows, size, watermark| {
            made(
                Way {
                    newest_replaces: true,
                    ..Way::default()
                },
                state,
                rows,
                size,
                watermark,
            )
        },
    ),
    (
        "population",
        "divides by n - 1",
        |state, rows, size, watermark| {
            made(
                Way {
                    population: true,
                    ..Way::default()
                },
                state,
                rows,
                size,
                watermark,
            )
        },
    ),
    (
        "final rows stay",
        "grows for ever",
        |state, rows, size, watermark| {
            made(
                Way {
                    keeps_final: true,
                    ..Way::default()
                },
                state,
                rows,
                size,
                watermark,
            )
        },
    ),
];
