//! Records that are text or bytes, and what holds for every format.

use headwater_streams::prelude::*;
use polars::prelude::*;
use serde::Deserialize;

use crate::job::{Place, per_gauge, readings, rows};
use crate::{assert_says, topic};

/// Returns a frame with the column `value` of bytes.
pub fn bytes(values: &[&[u8]]) -> DataFrame {
    let values: Vec<Option<&[u8]>> = values.iter().copied().map(Some).collect();
    let values = BinaryChunked::from_slice_options("value".into(), &values);
    DataFrame::new(values.len(), vec![values.into_series().into()]).unwrap()
}

/// Returns why the rejected records of a run are no rows.
pub fn reasons(rejected: &DataFrame) -> Vec<String> {
    let reasons = rejected.column("reason").unwrap().str().unwrap();
    reasons.iter().flatten().map(String::from).collect()
}

/// Runs a query over the topic to its present end, and returns why records were rejected.
pub fn rejected(query: &Query) -> Vec<String> {
    let place = Place::new();
    let sink = FrameSink::new();
    let run = query
        .to(&sink)
        .checkpoint(place.of("checkpoint"))
        .run_available()
        .unwrap();
    reasons(&run.rejected().unwrap())
}

#[test]
fn bytes_come_back_as_they_were() {
    let raw = topic("formats-raw", 1).raw();
    let sent = bytes(&[b"\x00\xff\x01", b"", b"plain"]);
    raw.produce(&sent).unwrap();
    assert!(raw.read(Earliest).unwrap().equals(&sent));
    raw.send("key", "typed").unwrap();
    assert_eq!(raw.records().unwrap(), 4);
    assert!(format!("{raw:?}").contains("1 partitions, raw"), "{raw:?}");
}

#[test]
fn text_comes_back_and_what_is_no_text_is_rejected_with_its_place() {
    let topic = topic("formats-text", 1);
    let sent = df!("value" => ["level 412 cm", "", "größer"]).unwrap();
    topic.text().produce(&sent).unwrap();
    assert!(topic.text().read(Earliest).unwrap().equals(&sent));
    topic.raw().produce(&bytes(&[b"ab\xff"])).unwrap();
    let query = topic
        .text()
        .stream()
        .with_columns([lit(1_360_314_000_000_000i64)
            .cast(DataType::Datetime(TimeUnit::Microseconds, None))
            .alias("at")])
        .watermark("at", minutes(1))
        .group_by(["value"])
        .window(Tumbling::of(minutes(10)))
        .agg([len()])
        .unwrap();
    assert_eq!(rejected(&query), ["not UTF-8 from byte 2 on"]);
}

#[test]
fn a_frame_that_is_not_one_value_is_refused() {
    let topic = topic("formats-one", 1);
    let error = topic
        .raw()
        .produce(&df!("value" => ["text"]).unwrap())
        .unwrap_err();
    assert_says(
        &error,
        &[
            "topic `formats-one` is raw here: it takes one column `value` (binary)",
            "have: value (str)",
            "try:  frame.select([\"value\"])?",
        ],
    );
    let error = topic
        .text()
        .produce(&df!("a" => ["x"], "b" => [1]).unwrap())
        .unwrap_err();
    assert_says(
        &error,
        &["one column `value` (str)", "have: a (str), b (i32)"],
    );
    let error = topic
        .text()
        .produce(&df!("value" => [None::<&str>, Some("x")]).unwrap())
        .unwrap_err();
    assert_says(
        &error,
        &["column `value` is null in row 0", "send_tombstone"],
    );
    assert_eq!(topic.records().unwrap(), 0);
}

#[test]
fn bytes_are_refused_as_json_with_the_formats_that_carry_them() {
    let error = topic("formats-json", 1)
        .produce(&bytes(&[b"x"]))
        .unwrap_err();
    assert_says(
        &error,
        &[
            "column `value` cannot be sent as JSON",
            "have: bytes, which JSON cannot carry",
            "try:  topic.raw(), topic.avro(&registry)",
        ],
    );
}

#[test]
fn a_checkpoint_of_another_format_is_refused() {
    let place = Place::new();
    let topic = topic("formats-checkpoint", 1);
    let registry = Registry::in_topic(&Cluster::embedded().unwrap()).unwrap();
    let avro = topic.avro(&registry);
    avro.produce(&readings(0, 40)).unwrap();
    let sink = Sqlite::file(place.of("levels.db")).table("levels");
    let job = |topic: &Topic| {
        per_gauge(topic)
            .to(&sink)
            .checkpoint(place.of("checkpoint"))
    };
    job(&avro).run_available().unwrap();
    let error = job(&topic).run_available().unwrap_err();
    assert_says(
        &error,
        &[
            "belongs to a job that reads another format",
            "have: format: was avro, is json",
            "try:  the query and sink as they were",
        ],
    );
    avro.produce(&readings(40, 80)).unwrap();
    job(&avro).run_available().unwrap();
    let there = sink.read().unwrap();
    let query = per_gauge(&avro);
    let local = query.run_local(&avro.read(Earliest).unwrap()).unwrap();
    // What is final at the watermark of minute 78, a minute behind the newest event.
    assert_eq!(there.height(), 14);
    let closed = local
        .lazy()
        .filter(
            col("window_end").lt_eq(lit(1_360_314_000_000_000i64 + 78 * 60_000_000).cast(
                DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            )),
        )
        .collect()
        .unwrap();
    let columns = ["gauge", "n", "level_cm"];
    assert_eq!(
        rows(&there.select(columns).unwrap()),
        rows(&closed.select(columns).unwrap())
    );
}

#[derive(Debug, Deserialize, PartialEq)]
struct Reading {
    gauge: String,
    level_cm: i64,
}

#[test]
fn rows_of_every_format_are_values_of_a_type_of_mine() {
    let registry = Registry::in_topic(&Cluster::embedded().unwrap()).unwrap();
    let json = topic("formats-typed-json", 1);
    let avro = topic("formats-typed-avro", 1).avro(&registry);
    let expected = Reading {
        gauge: "G01".into(),
        level_cm: 0,
    };
    for topic in [&json, &avro] {
        topic.produce(&readings(0, 3)).unwrap();
        let values: Vec<Reading> = topic.read_as(Earliest).unwrap();
        assert_eq!(values.len(), 3);
        assert_eq!(values[0], expected);
    }
    avro.raw().produce(&bytes(&[b"\x07"])).unwrap();
    let error = avro.read_as::<Reading>(Earliest).unwrap_err();
    assert_says(
        &error,
        &[
            "does not fit",
            "partition 0 offset 3: no schema id",
            "Option<..>",
        ],
    );
}
