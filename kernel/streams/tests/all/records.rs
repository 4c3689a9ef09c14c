use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, times, topic};

fn every_dtype() -> DataFrame {
    let mut frame = df!(
        "bool" => [Some(true), None, Some(false)],
        "i64" => [Some(i64::MAX), None, Some(-1)],
        "f64" => [Some(0.1), None, Some(-1e300)],
        "text" => [Some("plain"), None, Some("quote \" and \\ and\nline, 東京")],
        "like_a_time" => ["2013-02-08T10:00:00Z", "2013-02-08T10:00:00Z", "2013-02-08T10:00:00Z"],
        "empty" => [None::<f64>, None, None],
    )
    .unwrap();
    let at = times(
        "us",
        &[
            Some("2013-02-08 10:15:00.000001"),
            None,
            Some("1969-12-31 23:59:59.999999"),
        ],
    );
    let ms = at
        .cast(&DataType::Datetime(TimeUnit::Milliseconds, None))
        .unwrap()
        .with_name("ms".into());
    let date = at.cast(&DataType::Date).unwrap().with_name("date".into());
    let small = Series::new("i32".into(), [Some(-7), None, Some(7)]);
    let single = Series::new("f32".into(), [Some(0.1f32), None, Some(f32::MIN)]);
    let span = Series::new("span".into(), [Some(5i64), None, Some(-5)])
        .cast(&DataType::Duration(TimeUnit::Milliseconds))
        .unwrap();
    for column in [at, ms, date, small.into(), single.into(), span.into()] {
        frame.with_column(column).unwrap();
    }
    frame
}

#[test]
fn reading_gives_back_the_dtypes_and_values_that_were_sent() {
    let topic = topic("dtypes", 1);
    let frame = every_dtype();
    topic.produce(&frame).unwrap();
    let read = topic.read(Earliest).unwrap();
    assert_eq!(read.schema(), frame.schema());
    assert!(read.equals_missing(&frame), "expected {frame}\ngot {read}");
}

#[test]
fn floats_that_json_cannot_write_come_back() {
    let topic = topic("specials", 1);
    topic
        .produce(&df!("x" => [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0]).unwrap())
        .unwrap();
    let read = topic.read(Earliest).unwrap();
    let x: Vec<f64> = read
        .column("x")
        .unwrap()
        .f64()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    assert!(x[0].is_nan());
    assert_eq!(&x[1..], [f64::INFINITY, f64::NEG_INFINITY, 1.0]);
}

#[test]
fn foreign_json_gets_the_dtypes_of_its_values() {
    let topic = topic("foreign", 1);
    for json in [
        r#"{"at":"2025-03-01T09:59:39.344Z","n":1,"x":1,"name":"a","ok":true}"#,
        r#"{"at":null,"n":2,"x":1.5,"name":"b","ok":false,"tags":["p","q"]}"#,
    ] {
        topic.send("k", json).unwrap();
    }
    let read = topic.read(Earliest).unwrap();
    let dtypes: Vec<String> = read.dtypes().iter().map(ToString::to_string).collect();
    assert_eq!(
        dtypes,
        ["datetime[μs, UTC]", "i64", "f64", "str", "bool", "str"]
    );
    assert_eq!(
        read.column("tags").unwrap().str().unwrap().get(1),
        Some(r#"["p","q"]"#)
    );
}

#[test]
fn a_record_that_is_no_object_is_left_out_and_counted() {
    let topic = topic("broken", 1);
    topic.send("k", r#"{"n":1}"#).unwrap();
    topic.send("k", "[1,2]").unwrap();
    topic.send("k", r#"{"n":2}"#).unwrap();
    let read = topic.read_with_metadata(Earliest).unwrap();
    let offsets: Vec<i64> = read
        .column("_offset")
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    assert_eq!(offsets, [0, 2]);
}

#[test]
fn typed_reading_gives_structs_and_names_the_record_that_does_not_fit() {
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Reading {
        level_cm: i64,
    }
    let topic = topic("typed", 1);
    topic.send("G01", r#"{"level_cm": 12}"#).unwrap();
    assert_eq!(
        topic.read_as::<Reading>(Earliest).unwrap(),
        [Reading { level_cm: 12 }]
    );
    topic.send("G01", r#"{"level": 12}"#).unwrap();
    let error = topic.read_as::<Reading>(Earliest).unwrap_err();
    assert_says(
        &error,
        &[
            "does not fit",
            "Reading",
            "partition 0 offset 1",
            "level_cm",
        ],
    );
}

#[test]
fn latest_reads_nothing_and_since_reads_from_a_time() {
    let topic = topic("positions", 2);
    let frame = DataFrame::new(
        3,
        vec![times(
            "at",
            &[
                Some("2013-02-08 10:00:00"),
                Some("2013-02-08 11:00:00"),
                Some("2013-02-08 12:00:00"),
            ],
        )],
    )
    .unwrap();
    Replay::frame(&frame)
        .event_time("at")
        .at_once()
        .start(&topic)
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(topic.read(Latest).unwrap().height(), 0);
    assert_eq!(
        topic
            .read(Since("2013-02-08 11:00".into()))
            .unwrap()
            .height(),
        2
    );
    assert_says(
        &topic.read(Since("yesterday".into())).unwrap_err(),
        &["`yesterday` is not a time", "2013-02-08"],
    );
}

#[test]
fn rows_come_in_arrival_order_across_partitions() {
    let topic = topic("ordered", 3);
    let rows = Replay::dataset("flights")
        .unwrap()
        .event_time("sched_dep")
        .arrival("actual_dep")
        .between("2013-02-08", "2013-02-09");
    rows.key("dest")
        .at_once()
        .start(&topic)
        .unwrap()
        .wait()
        .unwrap();
    let read = topic.read(Earliest).unwrap();
    let arrivals = read
        .column("actual_dep")
        .unwrap()
        .as_materialized_series()
        .to_physical_repr()
        .i64()
        .unwrap()
        .clone();
    let arrivals: Vec<i64> = arrivals.iter().flatten().collect();
    assert_eq!(arrivals.len(), read.height());
    assert!(arrivals.is_sorted());
}

#[test]
fn what_is_not_json_is_not_sent() {
    let topic = topic("refused", 1);
    assert_says(
        &topic.send("k", "{n: 1}").unwrap_err(),
        &["this is not JSON", "{n: 1}"],
    );
    let list = df!("n" => [1i64, 2])
        .unwrap()
        .lazy()
        .select([col("n").implode(true)])
        .collect()
        .unwrap();
    assert_says(
        &topic.produce(&list).unwrap_err(),
        &["column `n` cannot be sent as JSON", "list[i64]", "cast"],
    );
    assert_eq!(topic.records().unwrap(), 0);
}

#[test]
fn keyed_rows_of_one_key_share_a_partition() {
    let topic = topic("keyed", 3);
    let frame =
        df!("origin" => ["JFK", "EWR", "JFK", "LGA", "EWR", "JFK"], "n" => [0i64, 1, 2, 3, 4, 5])
            .unwrap();
    topic.produce_keyed(&frame, "origin").unwrap();
    let read = topic.read_with_metadata(Earliest).unwrap();
    let groups = read
        .lazy()
        .group_by([col("origin")])
        .agg([col("_partition").n_unique().alias("partitions")])
        .collect()
        .unwrap();
    assert!(
        groups
            .column("partitions")
            .unwrap()
            .u32()
            .unwrap()
            .iter()
            .flatten()
            .all(|count| count == 1)
    );
    assert_says(
        &topic.produce_keyed(&frame, "orign").unwrap_err(),
        &["no column `orign`", "origin (str)", "try:  \"origin\""],
    );
}

#[test]
fn clear_empties_the_topic_and_keeps_it() {
    let topic = topic("cleared", 2);
    topic.send("k", "{}").unwrap();
    topic.clear().unwrap();
    assert_eq!(topic.records().unwrap(), 0);
    topic.send("k", "{}").unwrap();
    assert_eq!(topic.read(Earliest).unwrap().height(), 1);
}
