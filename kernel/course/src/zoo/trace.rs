//! Wrong solutions of 5.1 E1.

use super::Specimen;
use crate::lesson_5_1::trace::{TraceStats, Trip, check_for};

macro_rules! wrong {
    ($name:literal, $hint:literal, $solution:expr) => {
        Specimen {
            exercise: "5.1 E1",
            name: $name,
            hint: $hint,
            check: |learner| check_for(learner, $solution),
        }
    };
}

pub(super) const SPECIMENS: &[Specimen] = &[
    wrong!("mean instead of median", "your p50 is the mean", |trips| {
        let all = latencies(trips);
        let mean = all.iter().sum::<i64>() / all.len().max(1) as i64;
        TraceStats {
            p50_ms: mean,
            ..right(trips)
        }
    }),
    wrong!("interpolation", "between two latencies", |trips| {
        let all = latencies(trips);
        let between = |q: f64| {
            let place = q * (all.len() as f64 - 1.0);
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            (all[below] as f64 + (all[above] - all[below]) as f64 * (place - below as f64)).round()
                as i64
        };
        if all.is_empty() {
            return right(trips);
        }
        TraceStats {
            p50_ms: between(0.5),
            p95_ms: between(0.95),
            p99_ms: between(0.99),
            ..right(trips)
        }
    }),
    wrong!(
        "index without taking 1 off",
        "ranks count from 1",
        |trips| {
            let all = latencies(trips);
            let at = |q: f64| {
                all.get((all.len() as f64 * q) as usize)
                    .copied()
                    .unwrap_or(0)
            };
            TraceStats {
                p50_ms: at(0.5),
                p95_ms: at(0.95),
                p99_ms: at(0.99),
                ..right(trips)
            }
        }
    ),
    wrong!(
        "latency from arrival",
        "you measure from the arrival",
        |trips| {
            let from_arrival: Vec<Trip> = past(trips)
                .into_iter()
                .map(|trip| Trip {
                    event_ms: trip.arrival_ms,
                    ..trip
                })
                .collect();
            let TraceStats {
                p50_ms,
                p95_ms,
                p99_ms,
                ..
            } = right(&from_arrival);
            TraceStats {
                p50_ms,
                p95_ms,
                p99_ms,
                ..right(trips)
            }
        }
    ),
    wrong!(
        "throughput over the arrivals",
        "the first and the last arrival",
        |trips| {
            let past = past(trips);
            let arrivals = || past.iter().map(|trip| trip.arrival_ms);
            let ms = arrivals().max().unwrap_or(0) - arrivals().min().unwrap_or(0);
            TraceStats {
                throughput_per_s: past.len() as f64 * 1000.0 / ms as f64,
                ..right(trips)
            }
        }
    ),
    wrong!(
        "worst latency as staleness",
        "you give the worst latency",
        |trips| {
            TraceStats {
                max_staleness_ms: latencies(trips).pop().unwrap_or(0),
                ..right(trips)
            }
        }
    ),
    wrong!(
        "staleness just after",
        "you look just after each output",
        |trips| {
            let mut past = past(trips);
            past.sort_by_key(|trip| trip.output_ms);
            let (mut newest, mut worst) = (i64::MIN, 0);
            for trip in past {
                newest = newest.max(trip.event_ms);
                worst = worst.max(trip.output_ms - newest);
            }
            TraceStats {
                max_staleness_ms: worst,
                ..right(trips)
            }
        }
    ),
    wrong!("trips as they come", "in the order of the list", |trips| {
        TraceStats {
            max_staleness_ms: worst_age(&past(trips)),
            ..right(trips)
        }
    }),
    wrong!(
        "sorted by event time first",
        "into the order of their events",
        |trips| {
            let mut past = past(trips);
            past.sort_by_key(|trip| trip.event_ms);
            TraceStats {
                max_staleness_ms: worst_age(&past),
                ..right(trips)
            }
        }
    ),
    wrong!(
        "clipped at zero",
        "you turn negative latencies into 0",
        |trips| {
            let clipped: Vec<Trip> = trips
                .iter()
                .map(|trip| Trip {
                    event_ms: trip.event_ms.min(trip.output_ms),
                    ..*trip
                })
                .collect();
            let mut stats = right(&clipped);
            stats.from_the_future = trips.len() - past(trips).len();
            TraceStats {
                max_staleness_ms: worst_age_in_order(trips),
                ..stats
            }
        }
    ),
    wrong!("nothing set aside", "yours is among the others", |trips| {
        let mut all: Vec<i64> = trips
            .iter()
            .map(|trip| trip.output_ms - trip.event_ms)
            .collect();
        all.sort_unstable();
        measured(trips, &all, worst_age_in_order(trips), 0)
    }),
];

fn right(trips: &[Trip]) -> TraceStats {
    let past = past(trips);
    measured(
        &past,
        &latencies(trips),
        worst_age_in_order(&past),
        trips.len() - past.len(),
    )
}

fn past(trips: &[Trip]) -> Vec<Trip> {
    trips
        .iter()
        .copied()
        .filter(|trip| trip.event_ms <= trip.output_ms)
        .collect()
}

fn latencies(trips: &[Trip]) -> Vec<i64> {
    let mut all: Vec<i64> = past(trips)
        .iter()
        .map(|trip| trip.output_ms - trip.event_ms)
        .collect();
    all.sort_unstable();
    all
}

fn measured(
    trips: &[Trip],
    latencies: &[i64],
    max_staleness_ms: i64,
    from_the_future: usize,
) -> TraceStats {
    if trips.is_empty() {
        return TraceStats {
            from_the_future,
            ..TraceStats::default()
        };
    }
    let rank = |q: usize| latencies[(latencies.len() * q).div_ceil(100) - 1];
    let first = trips.iter().map(|trip| trip.arrival_ms).min().unwrap_or(0);
    let last = trips.iter().map(|trip| trip.output_ms).max().unwrap_or(0);
    let throughput_per_s = if last == first {
        0.0
    } else {
        trips.len() as f64 / ((last - first) as f64 / 1000.0)
    };
    TraceStats {
        p50_ms: rank(50),
        p95_ms: rank(95),
        p99_ms: rank(99),
        throughput_per_s,
        max_staleness_ms,
        from_the_future,
    }
}

fn worst_age_in_order(trips: &[Trip]) -> i64 {
    let mut trips = trips.to_vec();
    trips.sort_by_key(|trip| trip.output_ms);
    worst_age(&trips)
}

fn worst_age(trips: &[Trip]) -> i64 {
    let mut newest = i64::MIN;
    let mut worst = 0;
    for trip in trips {
        if newest > i64::MIN {
            worst = worst.max(trip.output_ms - newest);
        }
        newest = newest.max(trip.event_ms);
    }
    worst
}
