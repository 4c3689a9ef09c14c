//! The three engines as they should be, and as people often write them.

use std::collections::BTreeMap;

use super::engines::{Case, Output, Reading, say, sums};
use crate::trial::{Misconception, Property};

type Outputs = Vec<Output>;

/// What one engine is checked against.
pub(super) struct Rules {
    pub call: fn(&Case) -> String,
    pub reference: fn(&Case) -> Outputs,
    pub properties: &'static [Property<Case, Outputs>],
    pub misconceptions: &'static [Misconception<Case, Outputs>],
}

const SAME_TOTALS: Property<Case, Outputs> = Property {
    name: "the totals per gauge are those of the readings",
    holds: |case, got| {
        let mut totals = BTreeMap::new();
        for (gauge, litres) in got.iter().flat_map(|output| &output.litres) {
            *totals.entry(*gauge).or_default() += litres;
        }
        totals == sums(0, &case.readings).litres
    },
};
const NONE_EMPTY: Property<Case, Outputs> = Property {
    name: "no output is empty",
    holds: |_, got| got.iter().all(|output| !output.litres.is_empty()),
};
const IN_ORDER: Property<Case, Outputs> = Property {
    name: "outputs come in the order of their times",
    holds: |_, got| got.is_sorted_by_key(|output| output.at_ms),
};

pub(super) const PER_RECORD: Rules = Rules {
    call: |case| format!("per_record of {}", say(&case.readings)),
    reference: |case| each(&case.readings, |reading| reading.arrival_ms),
    properties: &[
        Property {
            name: "there are as many outputs as readings",
            holds: |case, got| case.readings.len() == got.len(),
        },
        SAME_TOTALS,
    ],
    misconceptions: &[
        Misconception {
            name: "running totals",
            wrong: |case| {
                let upto = 1..=case.readings.len();
                upto.map(|count| sums(case.readings[count - 1].arrival_ms, &case.readings[..count]))
                    .collect()
            },
            hint: "each of your outputs holds everything so far. Added up, the first reading then counts as often as \
                   there are outputs; an output holds its own reading only",
        },
        Misconception {
            name: "given out at event time",
            wrong: |case| each(&case.readings, |reading| reading.event_ms),
            hint: "you give a reading out at the time it was measured. Nobody can: it comes out when it arrives",
        },
    ],
};

pub(super) const MICRO_BATCH: Rules = Rules {
    call: |case| {
        format!(
            "micro_batch with max_n {}, max_wait_ms {}, of {}",
            case.max_n,
            case.ms,
            say(&case.readings)
        )
    },
    reference: |case| batches(case, &RIGHT),
    properties: &[
        SAME_TOTALS,
        NONE_EMPTY,
        IN_ORDER,
        Property {
            name: "there are as many outputs as flushes",
            holds: |case, got| got.len() == batches(case, &RIGHT).len(),
        },
    ],
    misconceptions: &[
        Misconception {
            name: "last batch lost",
            wrong: |case| {
                batches(
                    case,
                    &Flaws {
                        loses_last: true,
                        ..RIGHT
                    },
                )
            },
            hint: "what is still in the buffer when the stream ends never comes out. Give it out, at its deadline",
        },
        Misconception {
            name: "wait since the previous flush",
            wrong: |case| {
                batches(
                    case,
                    &Flaws {
                        since_flush: true,
                        ..RIGHT
                    },
                )
            },
            hint: "you measure the wait from the previous flush, although nothing was waiting then: after a quiet time \
                   the next reading is given out alone, at once. The clock starts when the first reading comes into \
                   the empty buffer",
        },
        Misconception {
            name: "wait ignored",
            wrong: |case| {
                batches(
                    case,
                    &Flaws {
                        no_wait: true,
                        ..RIGHT
                    },
                )
            },
            hint: "only a full buffer makes you give anything out. In a quiet hour the readings wait for ever: after \
                   `max_wait_ms` a batch goes out as it is",
        },
        Misconception {
            name: "flushed by the reading that comes too late",
            wrong: |case| {
                batches(
                    case,
                    &Flaws {
                        by_next: true,
                        ..RIGHT
                    },
                )
            },
            hint: "the reading that comes after the deadline goes into the batch that should have left before it. Look \
                   at the deadline first, then take the reading in",
        },
        Misconception {
            name: "deadline noticed late",
            wrong: |case| {
                batches(
                    case,
                    &Flaws {
                        at_next: true,
                        ..RIGHT
                    },
                )
            },
            hint: "the batch is right and its time is not: it leaves at its deadline, not when the next reading \
                   happens to come",
        },
        Misconception {
            name: "one too many",
            wrong: |case| {
                batches(
                    &Case {
                        max_n: case.max_n + 1,
                        ..case.clone()
                    },
                    &RIGHT,
                )
            },
            hint: "your batches hold max_n + 1 readings. The buffer is full with `max_n`",
        },
        Misconception {
            name: "empty batch at the end",
            wrong: |case| {
                let mut outputs = batches(case, &RIGHT);
                let full = outputs.last().is_none_or(|last| {
                    case.readings
                        .last()
                        .is_some_and(|it| it.arrival_ms == last.at_ms)
                });
                if full {
                    outputs.push(sums(
                        case.readings
                            .last()
                            .map_or(0, |last| last.arrival_ms + case.ms),
                        &[],
                    ));
                }
                outputs
            },
            hint: "you give out a batch without readings. Nothing waited, so nothing comes out",
        },
    ],
};

pub(super) const TUMBLING: Rules = Rules {
    call: |case| {
        format!(
            "tumbling with size_ms {}, of {}",
            case.ms,
            say(&case.readings)
        )
    },
    reference: |case| windows(case, |reading| reading.event_ms),
    properties: &[
        SAME_TOTALS,
        NONE_EMPTY,
        Property {
            name: "no window comes twice",
            holds: |_, got| got.windows(2).all(|pair| pair[0].at_ms != pair[1].at_ms),
        },
        IN_ORDER,
    ],
    misconceptions: &[
        Misconception {
            name: "window by arrival",
            wrong: |case| windows(case, |reading| reading.arrival_ms),
            hint: "you put a reading into the window of its arrival. What was measured before midnight and arrives \
                   after it belongs to yesterday",
        },
        Misconception {
            name: "window closed by the next reading",
            wrong: |case| {
                let start = |reading: &Reading| start(reading.event_ms, case.ms);
                let runs = case
                    .readings
                    .chunk_by(|one, next| start(one) == start(next));
                runs.map(|run| sums(start(&run[0]), run)).collect()
            },
            hint: "a reading of another window ends yours, and a late one begins the old window again: the same window \
                   comes out twice. Keep all windows until the stream ends",
        },
        Misconception {
            name: "empty windows",
            wrong: |case| {
                let full = windows(case, |reading| reading.event_ms);
                let (Some(first), Some(last)) = (full.first(), full.last()) else {
                    return full;
                };
                let starts =
                    (first.at_ms..=last.at_ms).step_by(usize::try_from(case.ms).unwrap_or(1));
                starts
                    .map(|at| {
                        full.iter()
                            .find(|output| output.at_ms == at)
                            .cloned()
                            .unwrap_or_else(|| sums(at, &[]))
                    })
                    .collect()
            },
            hint: "you give out windows without readings. For each quiet second of a quiet year one empty row would \
                   come out",
        },
        Misconception {
            name: "named by its end",
            wrong: |case| {
                let mut outputs = windows(case, |reading| reading.event_ms);
                outputs
                    .iter_mut()
                    .for_each(|output| output.at_ms += case.ms);
                outputs
            },
            hint: "you name a window by its end. Here, as in exercise E3, its start is its name",
        },
    ],
};

fn each(readings: &[Reading], at: fn(&Reading) -> i64) -> Outputs {
    readings
        .iter()
        .map(|reading| sums(at(reading), std::slice::from_ref(reading)))
        .collect()
}

fn start(ms: i64, size: i64) -> i64 {
    ms - ms.rem_euclid(size)
}

fn windows(case: &Case, time: fn(&Reading) -> i64) -> Outputs {
    let mut windows: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
    for reading in &case.readings {
        windows
            .entry(start(time(reading), case.ms))
            .or_default()
            .push(*reading);
    }
    windows
        .iter()
        .map(|(start, readings)| sums(*start, readings))
        .collect()
}

/// What can be wrong with a micro-batch engine.
struct Flaws {
    loses_last: bool,
    since_flush: bool,
    no_wait: bool,
    by_next: bool,
    at_next: bool,
}

const RIGHT: Flaws = Flaws {
    loses_last: false,
    since_flush: false,
    no_wait: false,
    by_next: false,
    at_next: false,
};

fn batches(case: &Case, flaws: &Flaws) -> Outputs {
    let (mut outputs, mut buffer) = (Vec::new(), Vec::<Reading>::new());
    let mut flushed = 0;
    for reading in &case.readings {
        let now = reading.arrival_ms;
        let deadline = buffer.first().map(|oldest| oldest.arrival_ms + case.ms);
        let overdue =
            deadline.filter(|deadline| *deadline <= now && !flaws.no_wait && !flaws.since_flush);
        if let Some(deadline) = overdue.filter(|_| !flaws.by_next) {
            outputs.push(sums(if flaws.at_next { now } else { deadline }, &buffer));
            buffer.clear();
        }
        buffer.push(*reading);
        let late =
            (flaws.by_next && overdue.is_some()) || (flaws.since_flush && now - flushed >= case.ms);
        if buffer.len() == case.max_n || late {
            outputs.push(sums(now, &buffer));
            buffer.clear();
            flushed = now;
        }
    }
    if let Some(oldest) = buffer.first().filter(|_| !flaws.loses_last) {
        outputs.push(sums(oldest.arrival_ms + case.ms, &buffer));
    }
    outputs
}
