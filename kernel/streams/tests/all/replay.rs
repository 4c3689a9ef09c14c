use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, times, topic, until};

fn flights() -> Replay {
    Replay::dataset("flights")
        .unwrap()
        .event_time("sched_dep")
        .arrival("actual_dep")
        .between("2013-02-08", "2013-02-10")
}

fn three_rows() -> DataFrame {
    let at = times(
        "at",
        &[
            Some("2013-02-08 10:00:00"),
            Some("2013-02-08 10:00:01"),
            Some("2013-02-08 11:00:00"),
        ],
    );
    DataFrame::new(3, vec![at]).unwrap()
}

#[test]
fn null_arrivals_are_counted_and_never_sent() {
    let topic = topic("nulls", 3);
    let replay = flights().key("origin").at_once().start(&topic).unwrap();
    replay.wait().unwrap();
    let progress = replay.progress();
    assert_eq!(progress.sent + progress.never_sent, flights_between());
    assert!(
        progress.never_sent > 100,
        "the storm of 8 February 2013 cancelled flights: {progress:?}"
    );
    assert_eq!(topic.records().unwrap() as usize, progress.sent);
    assert_eq!(
        topic
            .read(Earliest)
            .unwrap()
            .column("actual_dep")
            .unwrap()
            .null_count(),
        0
    );
}

fn flights_between() -> usize {
    let day = |day| {
        lit(chrono::NaiveDate::from_ymd_opt(2013, 2, day).unwrap())
            .cast(DataType::Datetime(TimeUnit::Milliseconds, None))
            .cast(DataType::Int64)
    };
    let at = || col("sched_dep").cast(DataType::Int64);
    let rows = dataset("flights")
        .unwrap()
        .lazy()
        .filter(at().gt_eq(day(8)).and(at().lt(day(10))));
    rows.collect().unwrap().height()
}

#[test]
fn rows_go_out_when_the_clock_reaches_them() {
    let topic = topic("clocked", 1);
    // An hour between the second and the third row, at one second a second: the third stays out.
    let replay = Replay::frame(&three_rows())
        .event_time("at")
        .speed(1.0)
        .start(&topic)
        .unwrap();
    until("the second row", || replay.progress().sent == 2);
    assert!(!replay.has_ended());
    replay.stop().unwrap();
    assert_eq!(topic.records().unwrap(), 2);
    assert_eq!(replay.progress().to_send, 3);
}

#[test]
fn a_replay_ends_by_itself() {
    let topic = topic("ending", 1);
    let replay = Replay::frame(&three_rows())
        .event_time("at")
        .speed(36_000.0)
        .start(&topic)
        .unwrap();
    replay.wait().unwrap();
    assert!(replay.has_ended());
    assert_eq!(topic.records().unwrap(), 3);
}

#[test]
fn dropping_the_handle_stops_the_sending() {
    let topic = topic("dropped", 1);
    let replay = Replay::frame(&three_rows())
        .event_time("at")
        .speed(1.0)
        .start(&topic)
        .unwrap();
    until("the first row", || replay.progress().sent >= 1);
    drop(replay);
    let records = topic.records().unwrap();
    assert!(records < 3);
    assert_eq!(topic.records().unwrap(), records);
}

#[test]
fn the_cell_run_twice_stops_the_first_replay_and_fresh_starts_over() {
    let topic = topic("again", 1);
    let start = || {
        Replay::frame(&three_rows())
            .event_time("at")
            .speed(1.0)
            .fresh()
            .start(&topic)
            .unwrap()
    };
    let first = start();
    until("the first row", || first.progress().sent >= 1);
    let second = start();
    assert!(first.has_ended());
    until("two rows again", || second.progress().sent == 2);
    second.stop().unwrap();
    assert_eq!(topic.records().unwrap(), 2);
    drop(first);
    assert_eq!(topic.records().unwrap(), 2);
}

#[test]
fn a_replay_without_a_clock_sends_all_at_once_in_file_order() {
    let topic = topic("clockless", 1);
    let frame = df!("n" => [3i64, 1, 2]).unwrap();
    Replay::frame(&frame)
        .at_once()
        .start(&topic)
        .unwrap()
        .wait()
        .unwrap();
    assert!(topic.read(Earliest).unwrap().equals(&frame));
    let error = Replay::frame(&frame).start(&topic).unwrap_err();
    assert_says(
        &error,
        &[
            "needs to know the event time",
            "no column with times",
            ".at_once()",
        ],
    );
}

#[test]
fn an_unknown_column_is_answered_with_the_columns_and_the_nearest() {
    let topic = topic("misnamed", 1);
    let error = flights().arrival("actual_depp").start(&topic).unwrap_err();
    assert!(error.is_unknown_column());
    assert_says(
        &error,
        &[
            "no column `actual_depp` in data set flights",
            "sched_dep (datetime[ms, UTC])",
            "try:  \"actual_dep\"",
        ],
    );
    assert_says(
        &flights().key("orgin").start(&topic).unwrap_err(),
        &["no column `orgin`", "try:  \"origin\""],
    );
}

#[test]
fn a_column_without_times_is_no_clock() {
    let topic = topic("timeless", 1);
    let error = flights().arrival("carrier").start(&topic).unwrap_err();
    assert_says(
        &error,
        &[
            "column `carrier` of data set flights holds no times",
            "dtype str",
        ],
    );
}

#[test]
fn an_empty_span_says_what_span_there_is() {
    let topic = topic("spanless", 1);
    let error = flights()
        .between("2014-02-08", "2014-02-09")
        .start(&topic)
        .unwrap_err();
    assert_says(
        &error,
        &[
            "no row between 2014-02-08 and 2014-02-09",
            "runs from 2013-01-01 10:15:00 to",
        ],
    );
    assert_says(
        &flights()
            .between("soon", "later")
            .start(&topic)
            .unwrap_err(),
        &["`soon` is not a time"],
    );
    assert_says(
        &flights().speed(0.0).start(&topic).unwrap_err(),
        &["speed", ".at_once()"],
    );
}
