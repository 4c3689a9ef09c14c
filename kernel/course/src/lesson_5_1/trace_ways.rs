//! Ways to measure a trace: the right one, and those that people often write.

use super::trace::{Measured, TraceStats, Trip};
use crate::trial::{Misconception, Property};

/// One way to measure; the wrong ones differ from the right one in one part.
pub(super) struct Way {
    latency: fn(&Trip) -> i64,
    future: Future,
    percentile: fn(&[i64], usize) -> i64,
    seconds: fn(&[Trip]) -> f64,
    staleness: fn(&[Trip]) -> i64,
}

/// What becomes of trips with a negative latency.
enum Future {
    SetAside,
    Clipped,
    Included,
}

pub(super) const RIGHT: Way = Way {
    latency: |trip| trip.output_ms - trip.event_ms,
    future: Future::SetAside,
    percentile: nearest_rank,
    seconds: |trips| {
        let first = trips.iter().map(|trip| trip.arrival_ms).min().unwrap_or(0);
        let last = trips.iter().map(|trip| trip.output_ms).max().unwrap_or(0);
        (last - first) as f64 / 1000.0
    },
    staleness: |trips| worst_age(&sorted(trips, |trip| trip.output_ms)),
};

/// Measures `trips` in one way.
pub(super) fn measure(trips: &[Trip], way: &Way) -> Measured {
    let ahead = |trip: &&Trip| trip.output_ms < trip.event_ms;
    let future = trips.iter().filter(ahead).count();
    let mut kept: Vec<Trip> = trips.to_vec();
    if matches!(way.future, Future::SetAside) {
        kept.retain(|trip| trip.output_ms >= trip.event_ms);
    }
    let from_the_future = if matches!(way.future, Future::Included) {
        0
    } else {
        future
    };
    if kept.is_empty() {
        return Measured::of(&TraceStats {
            from_the_future,
            ..TraceStats::default()
        });
    }
    let mut latencies: Vec<i64> = kept.iter().map(way.latency).collect();
    if matches!(way.future, Future::Clipped) {
        latencies
            .iter_mut()
            .for_each(|latency| *latency = (*latency).max(0));
    }
    latencies.sort_unstable();
    let seconds = (way.seconds)(&kept);
    let right_span = (RIGHT.seconds)(&kept);
    Measured::of(&TraceStats {
        p50_ms: (way.percentile)(&latencies, 50),
        p95_ms: (way.percentile)(&latencies, 95),
        p99_ms: (way.percentile)(&latencies, 99),
        throughput_per_s: if right_span == 0.0 {
            0.0
        } else {
            kept.len() as f64 / seconds
        },
        max_staleness_ms: (way.staleness)(&kept),
        from_the_future,
    })
}

fn nearest_rank(latencies: &[i64], q: usize) -> i64 {
    latencies[(latencies.len() * q).div_ceil(100) - 1]
}

fn sorted(trips: &[Trip], key: fn(&Trip) -> i64) -> Vec<Trip> {
    let mut trips = trips.to_vec();
    trips.sort_by_key(key);
    trips
}

/// The greatest age of the newest event so far just before the second and each later trip.
fn worst_age(trips: &[Trip]) -> i64 {
    let mut newest = trips[0].event_ms;
    let mut worst = 0;
    for trip in &trips[1..] {
        worst = worst.max(trip.output_ms - newest);
        newest = newest.max(trip.event_ms);
    }
    worst
}

pub(super) const PROPERTIES: &[Property<Vec<Trip>, Measured>] = &[
    Property {
        name: "p50 <= p95 <= p99",
        holds: |_, got| got.whole[0] <= got.whole[1] && got.whole[1] <= got.whole[2],
    },
    Property {
        name: "trips from the future are counted apart, and every latency that is left is 0 or more",
        holds: |trips, got| {
            let future = trips
                .iter()
                .filter(|trip| trip.output_ms < trip.event_ms)
                .count();
            got.from_the_future == future && got.whole[0] >= 0
        },
    },
    Property {
        name: "a percentile is one of the latencies",
        holds: |trips, got| {
            let is_there = |value| {
                trips
                    .iter()
                    .any(|trip| trip.output_ms - trip.event_ms == value)
            };
            trips.iter().all(|trip| trip.output_ms < trip.event_ms)
                || got.whole[..3].iter().all(|value| is_there(*value))
        },
    },
    Property {
        name: "the order of the trips changes nothing",
        holds: |trips, got| {
            let sorted = sorted(trips, |trip| trip.output_ms);
            measure(&sorted, &RIGHT) == *got
        },
    },
];

/// Makes a misconception whose function is the right way with some parts exchanged.
macro_rules! way {
    ($name:literal, { $($part:ident : $other:expr),+ }, $hint:literal) => {
        Misconception {
            name: $name,
            wrong: |trips| measure(trips, &Way { $($part: $other,)+ ..RIGHT }),
            hint: $hint,
        }
    };
}

pub(super) const MISCONCEPTIONS: &[Misconception<Vec<Trip>, Measured>] = &[
    way!("mean instead of median", {
        percentile: |latencies, q| if q == 50 {
            latencies.iter().sum::<i64>() / latencies.len() as i64
        } else {
            nearest_rank(latencies, q)
        }
    }, "your p50 is the mean. A few slow trips pull the mean up and leave the median where it is, so the mean says \
        neither how the usual trip fares nor how the slow ones do"),
    way!("interpolation", {
        percentile: |latencies, q| {
            let at = (latencies.len() - 1) as f64 * q as f64 / 100.0;
            let (low, high) = (latencies[at.floor() as usize], latencies[at.ceil() as usize]);
            low + ((high - low) as f64 * at.fract()).round() as i64
        }
    }, "you take a value between two latencies. Nearest rank gives a latency that one trip really had: the one at \
        rank q * n / 100, rounded up"),
    way!("rank counted from 0", {
        percentile: |latencies, q| latencies[(latencies.len() * q / 100).min(latencies.len() - 1)]
    }, "ranks count from 1 and indices from 0. Rank 2 of four is index 1: round q * n / 100 up, then take 1 off"),
    way!("latency from arrival", {
        latency: |trip| trip.output_ms - trip.arrival_ms
    }, "you measure from the arrival. End to end begins with the event: the time it was on its way counts too, and \
        whoever waits for the answer waits through both"),
    way!("throughput over the arrivals alone", {
        seconds: |trips| {
            let arrivals = || trips.iter().map(|trip| trip.arrival_ms);
            (arrivals().max().unwrap_or(0) - arrivals().min().unwrap_or(0)) as f64 / 1000.0
        }
    }, "you divide by the time between the first and the last arrival. With one trip that is a division by zero, and \
        with few it leaves out the work on the last one. Count up to the last output"),
    way!("staleness is the worst latency", {
        staleness: |trips| trips.iter().map(|trip| trip.output_ms - trip.event_ms).max().unwrap_or(0)
    }, "you give the worst latency. Staleness is about what an answer shows: it also grows while nothing comes out, \
        though every single trip be fast"),
    way!("staleness just after each output", {
        staleness: |trips| {
            let mut newest = i64::MIN;
            let ages = sorted(trips, |trip| trip.output_ms).into_iter().map(|trip| {
                newest = newest.max(trip.event_ms);
                trip.output_ms - newest
            });
            ages.max().unwrap_or(0)
        }
    }, "you look just after each output, when the answer is at its freshest. The saw-tooth is highest just before"),
    way!("trips as they come", {
        staleness: worst_age
    }, "you take the trips in the order of the list. Only in the order of `output_ms` can you say which event was the \
        newest so far"),
    way!("sorted by event time first", {
        staleness: |trips| worst_age(&sorted(trips, |trip| trip.event_ms))
    }, "you put the trips into the order of their events. Answers come out in the order of `output_ms`; sorted by \
        event, a late trip looks as if it had been known all the time"),
    way!("negative latencies clipped", {
        future: Future::Clipped
    }, "you turn negative latencies into 0 and keep them. They come from a clock that is wrong, and mixed in they \
        make every percentile look better than it is: set those trips aside and count them"),
    way!("negative latencies included", {
        future: Future::Included
    }, "an output before its event has a negative latency, and yours is among the others. Set those trips aside and \
        count them: they tell of a wrong clock, not of a fast pipeline"),
];
