//! What headwater-streams promises, one claim a test.

mod aggregates;
mod audit;
mod avro;
mod cells;
mod chart_kinds;
mod charts;
mod cluster;
mod datasets;
mod dead_letters;
mod dedup;
mod formats;
mod http_lines;
mod inside;
mod job;
mod joins;
mod kill;
#[path = "../kill/mod.rs"]
mod kill_nine;
mod ktable;
mod live;
mod names;
mod nodes;
mod pattern;
mod plans;
mod process;
mod protobuf;
mod records;
mod registry;
mod replay;
mod shown;
mod sinks;
mod sources;
mod testing;
mod windows;

use headwater_streams::prelude::*;
use polars::prelude::*;

/// The shortest wait in a loop that waits for a stated condition, and the most such waits.
const STEP: std::time::Duration = std::time::Duration::from_millis(10);
const STEPS: usize = 3000;

/// Returns a topic of this name on the broker that all tests share.
fn topic(name: &str, count: u32) -> Topic {
    Cluster::embedded()
        .unwrap()
        .topic(name, partitions(count))
        .unwrap()
}

/// Waits until `done` says so; fails after half a minute.
fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..STEPS {
        if done() {
            return;
        }
        std::thread::sleep(STEP);
    }
    panic!("{what} did not happen");
}

/// Parses times such as `2013-02-08 10:00:00` into a datetime column in microseconds, UTC.
fn times(name: &str, texts: &[Option<&str>]) -> Column {
    let micros = |text: &str| {
        chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .unwrap()
            .and_utc()
            .timestamp_micros()
    };
    let micros: Vec<Option<i64>> = texts.iter().map(|text| text.map(micros)).collect();
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    Series::new(name.into(), micros).cast(&utc).unwrap().into()
}

/// Fails with the three-part message in full unless it has each of these parts.
fn assert_says(error: &headwater_streams::Error, parts: &[&str]) {
    let text = error.to_string();
    assert_eq!(text, format!("{error:?}"), "Debug and Display differ");
    for part in parts {
        assert!(text.contains(part), "expected {part:?} in:\n{text}");
    }
}
