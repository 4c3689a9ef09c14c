//! Wrong solutions of 5.1 E2.

use std::collections::BTreeMap;

use super::Specimen;
use crate::lesson_5_1::engines::{Output, Reading, check_for, sums};

macro_rules! wrong {
    ($name:literal, $hint:literal, $record:expr, $batch:expr, $window:expr) => {
        Specimen {
            exercise: "5.1 E2",
            name: $name,
            hint: $hint,
            check: |learner| check_for(learner, $record, $batch, $window),
        }
    };
}

pub(super) const SPECIMENS: &[Specimen] = &[
    wrong!(
        "running totals",
        "everything so far",
        |all| {
            let mut so_far = vec![];
            let step = |reading: &Reading| {
                so_far.push(*reading);
                sums(reading.arrival_ms, &so_far)
            };
            all.iter().map(step).collect()
        },
        batch,
        window
    ),
    wrong!(
        "given out at event time",
        "at the time it was measured",
        |all| {
            all.iter()
                .map(|reading| sums(reading.event_ms, &[*reading]))
                .collect()
        },
        batch,
        window
    ),
    wrong!(
        "last batch lost",
        "when the stream ends never comes out",
        record,
        |all, max_n, wait| {
            let (mut out, mut held) = (vec![], Held::default());
            for reading in all {
                held.overdue(reading.arrival_ms, wait, &mut out);
                held.take(*reading, max_n, &mut out);
            }
            out
        },
        window
    ),
    wrong!(
        "wait since the previous flush",
        "from the previous flush",
        record,
        |all, max_n, wait| {
            let (mut out, mut held, mut last) = (vec![], vec![], 0);
            for reading in all {
                held.push(*reading);
                if held.len() >= max_n || reading.arrival_ms - last >= wait {
                    out.push(sums(reading.arrival_ms, &held));
                    held.clear();
                    last = reading.arrival_ms;
                }
            }
            if !held.is_empty() {
                out.push(sums(held[0].arrival_ms + wait, &held));
            }
            out
        },
        window
    ),
    wrong!(
        "wait ignored",
        "only a full buffer",
        record,
        |all, max_n, wait| {
            let time = |part: &[Reading]| {
                if part.len() == max_n {
                    part[max_n - 1].arrival_ms
                } else {
                    part[0].arrival_ms + wait
                }
            };
            all.chunks(max_n)
                .map(|part| sums(time(part), part))
                .collect()
        },
        window
    ),
    wrong!(
        "taken in before the deadline is looked at",
        "Look at the deadline first",
        record,
        |all, max_n, wait| {
            let (mut out, mut held) = (vec![], Vec::<Reading>::new());
            for reading in all {
                held.push(*reading);
                if held.len() == max_n || reading.arrival_ms - held[0].arrival_ms >= wait {
                    out.push(sums(reading.arrival_ms, &held));
                    held.clear();
                }
            }
            if !held.is_empty() {
                out.push(sums(held[0].arrival_ms + wait, &held));
            }
            out
        },
        window
    ),
    wrong!(
        "full one too late",
        "max_n + 1 readings",
        record,
        |all, max_n, wait| batch(all, max_n + 1, wait),
        window
    ),
    wrong!(
        "window by arrival",
        "the window of its arrival",
        record,
        batch,
        |all, size| { by_start(all, |reading| reading.arrival_ms / size * size) }
    ),
    wrong!(
        "window closed by the next reading",
        "the same window comes out twice",
        record,
        batch,
        |all, size| {
            let (mut out, mut open) = (vec![], Vec::<Reading>::new());
            let start = |reading: &Reading| reading.event_ms.div_euclid(size) * size;
            for reading in all {
                if open
                    .last()
                    .is_some_and(|last| start(last) != start(reading))
                {
                    out.push(sums(start(&open[0]), &open));
                    open.clear();
                }
                open.push(*reading);
            }
            if !open.is_empty() {
                out.push(sums(start(&open[0]), &open));
            }
            out
        }
    ),
    wrong!(
        "empty windows",
        "windows without readings",
        record,
        batch,
        |all, size| {
            let start = |reading: &Reading| reading.event_ms.div_euclid(size) * size;
            let (Some(from), Some(to)) = (all.iter().map(start).min(), all.iter().map(start).max())
            else {
                return vec![];
            };
            let inside = |at| {
                all.iter()
                    .filter(|reading| start(reading) == at)
                    .copied()
                    .collect::<Vec<_>>()
            };
            (0..=(to - from) / size)
                .map(|step| from + step * size)
                .map(|at| sums(at, &inside(at)))
                .collect()
        }
    ),
    wrong!(
        "window named by its end",
        "by its end",
        record,
        batch,
        |all, size| {
            by_start(all, |reading| {
                reading.event_ms.div_euclid(size) * size + size
            })
        }
    ),
];

fn record(all: &[Reading]) -> Vec<Output> {
    all.iter()
        .map(|reading| sums(reading.arrival_ms, &[*reading]))
        .collect()
}

#[derive(Default)]
struct Held(Vec<Reading>);

impl Held {
    fn overdue(&mut self, now: i64, wait: i64, out: &mut Vec<Output>) {
        if let Some(oldest) = self
            .0
            .first()
            .filter(|oldest| oldest.arrival_ms + wait <= now)
        {
            out.push(sums(oldest.arrival_ms + wait, &self.0));
            self.0.clear();
        }
    }

    fn take(&mut self, reading: Reading, max_n: usize, out: &mut Vec<Output>) {
        self.0.push(reading);
        if self.0.len() == max_n {
            out.push(sums(reading.arrival_ms, &self.0));
            self.0.clear();
        }
    }
}

fn batch(all: &[Reading], max_n: usize, wait: i64) -> Vec<Output> {
    let (mut out, mut held) = (vec![], Held::default());
    for reading in all {
        held.overdue(reading.arrival_ms, wait, &mut out);
        held.take(*reading, max_n, &mut out);
    }
    held.overdue(i64::MAX, wait, &mut out);
    out
}

fn window(all: &[Reading], size: i64) -> Vec<Output> {
    by_start(all, |reading| reading.event_ms.div_euclid(size) * size)
}

fn by_start(all: &[Reading], start: impl Fn(&Reading) -> i64) -> Vec<Output> {
    let mut windows: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
    for reading in all {
        windows.entry(start(reading)).or_default().push(*reading);
    }
    windows
        .into_iter()
        .map(|(at, inside)| sums(at, &inside))
        .collect()
}
