//! The labs of lesson 5.7: the oracle strip.

use headwater_course::lesson_5_7::{OracleStrip, delayed_readings};
use headwater_streams::prelude::*;
use polars::prelude::*;

/// Runs the query over the readings in batches, and compares with the batch answer of the right query.
fn strip(query: &Query, oracle: &Query) -> OracleStrip {
    let log = delayed_readings().expect("readings");
    let batches: Vec<DataFrame> = (0..30).map(|batch| log.slice(batch * 20, 20)).collect();
    let run = query.run_batches(&batches).expect("a run");
    let mut given = DataFrame::empty();
    for batch in run.iter().filter(|batch| batch.rows.height() > 0) {
        given = match given.width() {
            0 => batch.rows.clone(),
            _ => given.vstack(&batch.rows).expect("the same columns"),
        };
    }
    let answer = oracle.oracle(&log).expect("an answer");
    let late = run.late().expect("late rows");
    assert!(late.height() > 0, "a test without a late row shows nothing");
    OracleStrip::compare(&given, &answer, &late, "readings").expect("a strip")
}

fn query(name: &str, clean: bool) -> Query {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic(name, partitions(1)).expect("a topic");
    let mut stream = topic.stream().watermark("event_time", seconds(5));
    if clean {
        stream = stream.filter(col("level_cm").gt(lit(0)));
    }
    stream
        .window(Tumbling::of(seconds(10)))
        .agg([len().alias("readings")])
        .expect("a query")
}

#[test]
fn drops_explain_the_whole_difference_of_a_right_query() {
    let query = query("test-strip-right", false);
    let strip = strip(&query, &query);
    assert_eq!(strip.unexplained(), 0, "{}", strip.drawing().text());
    let frame = strip.frame().expect("a frame");
    let sum = |name: &str| frame.column(name).unwrap().i64().unwrap().sum().unwrap();
    assert!(
        sum("difference") > 0 && sum("difference") == sum("drops"),
        "{frame}"
    );
}

#[test]
fn filter_that_throws_readings_away_is_left_unexplained() {
    let strip = strip(
        &query("test-strip-clean", true),
        &query("test-strip-clean", false),
    );
    assert!(strip.unexplained() > 0, "{}", strip.drawing().text());
    let text = strip.drawing().text().to_owned();
    assert!(text.contains("unexplained "), "{text}");
}

#[test]
fn window_that_only_one_side_has_is_a_difference() {
    let frame = |starts: &[i64], counts: &[i64]| {
        df!("window_start" => starts, "readings" => counts).expect("a frame")
    };
    let (stream, batch) = (frame(&[0, 20], &[3, 3]), frame(&[0, 10, 20], &[3, 2, 3]));
    let none = DataFrame::empty();
    let strip = OracleStrip::compare(&stream, &batch, &none, "readings").expect("a strip");
    assert_eq!(strip.unexplained(), 2);
    let strip = OracleStrip::compare(&batch, &stream, &none, "readings").expect("a strip");
    assert_eq!(strip.unexplained(), 2);
}
