//! Exercise 5.1 E1: what the check accepts, and how it reads.

use headwater_course::learner::Learner;
use headwater_course::lesson_5_1::trace::{TraceStats, Trip, check_for, example_trips};
use headwater_course::{Outcome, State};

fn trace_stats(trips: &[Trip]) -> TraceStats {
    let mut seen: Vec<Trip> = trips
        .iter()
        .filter(|trip| trip.output_ms >= trip.event_ms)
        .copied()
        .collect();
    let from_the_future = trips.len() - seen.len();
    if seen.is_empty() {
        return TraceStats {
            from_the_future,
            ..TraceStats::default()
        };
    }
    seen.sort_by_key(|trip| trip.output_ms);
    let mut latencies: Vec<i64> = seen
        .iter()
        .map(|trip| trip.output_ms - trip.event_ms)
        .collect();
    latencies.sort_unstable();
    let rank = |q: usize| latencies[(latencies.len() * q).div_ceil(100) - 1];
    let first = seen.iter().map(|trip| trip.arrival_ms).min().unwrap();
    let ms = seen[seen.len() - 1].output_ms - first;
    let (mut newest, mut stale) = (seen[0].event_ms, 0);
    for trip in &seen[1..] {
        stale = stale.max(trip.output_ms - newest);
        newest = newest.max(trip.event_ms);
    }
    TraceStats {
        p50_ms: rank(50),
        p95_ms: rank(95),
        p99_ms: rank(99),
        throughput_per_s: if ms == 0 {
            0.0
        } else {
            seen.len() as f64 * 1000.0 / ms as f64
        },
        max_staleness_ms: stale,
        from_the_future,
    }
}

fn check(solution: fn(&[Trip]) -> TraceStats) -> Outcome {
    check_for(&Learner::of("test"), solution)
}

#[test]
fn reference_is_correct_for_every_learner() {
    for code in ["", "guest", "ada", "学生"] {
        let outcome = check_for(&Learner::of(code), trace_stats);
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
        assert!(outcome.text().ends_with("\n15"));
    }
}

#[test]
fn example_has_the_numbers_of_the_lesson() {
    let stats = trace_stats(&example_trips());
    assert_eq!(
        (stats.p50_ms, stats.p95_ms, stats.max_staleness_ms),
        (150, 950, 1950)
    );
    assert!((stats.throughput_per_s - 5.0 / 4.4).abs() < 1e-9);
}

#[test]
#[allow(clippy::todo)]
fn stub_is_not_attempted() {
    assert!(check(|_| todo!()).is_not_attempted());
}

#[test]
fn throughput_may_be_off_by_one_percent_and_not_by_two() {
    let near = check(|trips| TraceStats {
        throughput_per_s: trace_stats(trips).throughput_per_s * 1.009,
        ..trace_stats(trips)
    });
    let far = check(|trips| TraceStats {
        throughput_per_s: trace_stats(trips).throughput_per_s * 1.02,
        ..trace_stats(trips)
    });
    assert!(near.is_correct() && far.is_not_yet());
}

#[test]
fn infinite_throughput_is_shown_and_not_taken_for_a_crash() {
    let outcome = check(|trips| TraceStats {
        throughput_per_s: f64::INFINITY,
        ..trace_stats(trips)
    });
    assert!(outcome.text().contains("inf per s"), "{}", outcome.text());
    let outcome = check(|trips| TraceStats {
        throughput_per_s: f64::NAN,
        ..trace_stats(trips)
    });
    assert!(outcome.text().contains("NaN per s"), "{}", outcome.text());
}

#[test]
fn order_of_the_trips_is_named_as_the_broken_property() {
    let outcome = check(|trips| {
        let stats = trace_stats(trips);
        let jumps = trips
            .windows(2)
            .filter(|pair| pair[0].output_ms > pair[1].output_ms)
            .count();
        TraceStats {
            max_staleness_ms: stats.max_staleness_ms + jumps as i64,
            ..stats
        }
    });
    let State::Almost { property, .. } = outcome.state() else {
        panic!("{}", outcome.text());
    };
    assert_eq!(*property, "the order of the trips changes nothing");
}

#[test]
fn picture_shows_both_numbers_of_each_measure() {
    let outcome = check(|trips| TraceStats {
        p95_ms: 7,
        ..trace_stats(trips)
    });
    let svg = outcome
        .finding()
        .and_then(|finding| finding.picture.clone())
        .expect("a picture");
    for wanted in [
        "p95: expected 950, got 7.",
        "milliseconds",
        "role=\"img\"",
        ">expected<",
        ">got<",
    ] {
        assert!(svg.contains(wanted), "no `{wanted}` in {svg}");
    }
}
