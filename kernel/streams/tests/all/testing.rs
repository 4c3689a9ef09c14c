//! Queries under test without a broker: what they give out, what differs, and the smallest input.

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, topic};

fn frame(rows: &[(&str, &str, i64)]) -> DataFrame {
    df!(
        "at" => rows.iter().map(|row| format!("2013-02-08 {}", row.0)).collect::<Vec<_>>(),
        "zone" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
        "fare" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
    )
    .unwrap()
}

fn query(name: &str) -> Query {
    let stream = topic(name, 1)
        .stream()
        .watermark("at", minutes(5))
        .group_by(["zone"]);
    let window = stream.window(Tumbling::of(minutes(10)));
    window
        .agg([len().alias("trips"), col("fare").mean().alias("mean_fare")])
        .unwrap()
}

#[test]
fn rows_come_out_when_the_watermark_says_so() {
    let test = TestRun::new(&query("test-run")).unwrap();
    let none = DataFrame::empty();
    test.push(&frame(&[
        ("10:01:00", "A", 4),
        ("10:02:00", "A", 8),
        ("10:03:00", "B", 1),
    ]))
    .unwrap();
    test.expect(&none).unwrap();
    assert_eq!(test.state().unwrap().height(), 2);
    assert_eq!(test.watermark(), "2013-02-08 09:58:00");
    assert!(
        test.why_silent()
            .contains("needs an event from 10:15:00 on"),
        "{}",
        test.why_silent()
    );
    test.push(&frame(&[("10:16:00", "B", 3)])).unwrap();
    test.expect(&none).unwrap();
    test.drain().unwrap();
    test.expect(
        &df!("window_start" => ["2013-02-08 10:00:00"; 2], "zone" => ["B", "A"], "trips" => [1i64, 2], "mean_fare" => [1.0, 6.0]).unwrap(),
    )
    .unwrap();
    assert_eq!(test.drain().unwrap().height(), 0);
    test.push(&frame(&[("10:09:59", "A", 4)])).unwrap();
    assert_eq!(test.late().height(), 1);
    assert!(
        test.why_late(0)
            .unwrap()
            .contains("had been final for 1 min"),
        "{}",
        test.why_late(0).unwrap()
    );
    assert_eq!(test.emitted().height(), 2);
}

#[test]
fn a_restart_in_the_middle_changes_nothing() {
    let (straight, broken) = (
        TestRun::new(&query("test-restart")).unwrap(),
        TestRun::new(&query("test-restart")).unwrap(),
    );
    for rows in [
        frame(&[("10:01:00", "A", 4), ("10:12:00", "B", 1)]),
        frame(&[("10:03:00", "A", 6), ("10:26:00", "C", 2)]),
        frame(&[("10:04:00", "A", 6), ("10:41:00", "C", 2)]),
    ] {
        let expected = straight.push(&rows).unwrap();
        assert!(broken.push(&rows).unwrap().equals_missing(&expected));
        broken.restart().unwrap();
    }
    assert!(
        straight
            .state()
            .unwrap()
            .equals_missing(&broken.state().unwrap())
    );
}

#[test]
fn rows_that_differ_are_shown_side_by_side() {
    let test = TestRun::new(&query("test-differs")).unwrap();
    test.push(&frame(&[
        ("10:01:00", "A", 4),
        ("10:01:00", "B", 5),
        ("10:16:00", "B", 3),
    ]))
    .unwrap();
    test.drain().unwrap();
    let expected =
        df!("zone" => ["A", "C"], "trips" => [2i64, 9], "mean_fare" => [4.0, 7.5]).unwrap();
    assert_says(
        &test.expect(&expected).unwrap_err(),
        &[
            "other rows were given out than expected",
            "2 rows expected, 2 given out; zone | trips | mean_fare",
            "~ A | [2 expected, got 1] | 4.00000000000e0",
            "- C | 9 | 7.50000000000e0",
            "+ B | 1 | 5.00000000000e0",
        ],
    );
    // What was looked at once is not looked at again.
    test.expect(&DataFrame::empty()).unwrap();
    test.push(&frame(&[("10:31:00", "A", 4)])).unwrap();
    test.drain().unwrap();
    assert_says(
        &test.expect(&DataFrame::empty()).unwrap_err(),
        &["0 rows expected, 1 given out", "+ 2013-02-08 10:10:00 |"],
    );
    test.push(&frame(&[("10:51:00", "A", 4)])).unwrap();
    test.drain().unwrap();
    let error = test.expect(&df!("zoen" => ["A"]).unwrap()).unwrap_err();
    assert!(error.is_unknown_column(), "{error}");
}

#[test]
fn a_time_that_is_none_is_said() {
    let test = TestRun::new(&query("test-times")).unwrap();
    let rows = df!("at" => ["noon"], "zone" => ["A"], "fare" => [1i64]).unwrap();
    assert_says(
        &test.push(&rows).unwrap_err(),
        &["`noon` in column `at` is no time", "2013-02-08 10:01:00"],
    );
}

#[test]
fn a_failing_input_shrinks_to_the_rows_that_matter() {
    let query = query("test-shrinks").output(Complete);
    let batch = |from: i64| {
        let rows: Vec<(String, i64)> = (from..from + 30)
            .map(|row| (format!("10:{:02}:00", row % 60), row))
            .collect();
        let rows: Vec<(&str, &str, i64)> = rows
            .iter()
            .map(|(at, row)| (at.as_str(), "A", *row))
            .collect();
        frame(&rows)
    };
    let batches: Vec<DataFrame> = (0..4).map(|number| batch(number * 30)).collect();
    // It fails as soon as two fares of the same ten minutes are 11 and 71.
    let holds = |runs: &Batches| {
        let rows = &runs[runs.len() - 1].rows;
        let means = rows.column("mean_fare").unwrap().f64().unwrap();
        let counts = rows.column("trips").unwrap().i64().unwrap();
        !means.iter().zip(counts.iter()).any(|(mean, count)| {
            count.unwrap() >= 2 && (mean.unwrap() * count.unwrap() as f64) >= 82.0
        })
    };
    let shrunk = shrink(&query, &batches, holds).unwrap().expect("it fails");
    let rows: usize = shrunk.batches.iter().map(DataFrame::height).sum();
    assert_eq!(rows, 2, "{}", shrunk.text());
    assert!(
        shrunk.text().starts_with("2 rows still fail"),
        "{}",
        shrunk.text()
    );
    assert!(shrink(&query, &batches[..1], |_| true).unwrap().is_none());
}
