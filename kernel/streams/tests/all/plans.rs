//! A query as a plain value, what is refused before it runs, and what it says about late rows.

use headwater_streams::prelude::*;
use headwater_streams::{WindowQuery, span};
use polars::prelude::*;

use crate::{assert_says, times, topic};

fn stream(name: &str) -> Stream {
    topic(name, 1).stream().watermark("at", minutes(10))
}

fn trips(name: &str) -> Query {
    let late = (col("late").sum() / len() * lit(100.0)).alias("late_percent");
    let stream = stream(name)
        .filter(col("zone").is_not_null())
        .group_by(["zone"]);
    let window = Hopping::of(minutes(30))
        .every(minutes(7))
        .offset(minutes(2));
    stream
        .window(window)
        .agg([
            len().alias("trips"),
            late,
            col("fare").std(1).alias("spread"),
        ])
        .unwrap()
}

#[test]
fn a_plan_is_written_and_read_back() {
    let plan = trips("plan-json").plan();
    let json = plan.to_json().unwrap();
    assert!(json.contains("\"watermark_us\": 600000000"), "{json}");
    assert_eq!(WindowQuery::from_json(&json).unwrap(), plan);
    assert_says(
        &WindowQuery::from_json("{\"window\": 1}").unwrap_err(),
        &["this text is no window query", "query.plan().to_json()?"],
    );
}

#[test]
fn two_plans_tell_each_other_apart_part_by_part() {
    let one = trips("plan-changes");
    let other = stream("plan-changes")
        .filter(col("zone").is_not_null())
        .window(
            Hopping::of(minutes(30))
                .every(minutes(10))
                .offset(minutes(2)),
        )
        .agg([len().alias("trips")])
        .unwrap()
        .output(Update);
    let changes = one.plan().changes(&other.plan());
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "window: was hopping windows of 30 min every 7 min, moved by 2 min, is hopping windows of 30 min every 10 min, moved by 2 min",
            "keys: was zone, is none",
            "aggregates: was trips = len(), late_percent = ((sum(late) / len()) * 100), spread = std(fare, 1), is trips = len()",
            "output: was append, is update",
        ]
    );
    assert_eq!(one.plan().changes(&one.plan()), []);
}

#[test]
fn explain_gives_the_plan_and_the_program_for_spark() {
    let text = trips("plan-explain").explain();
    for part in [
        "source      topic plan-explain",
        "watermark   10 min behind",
        "from pyspark.sql import functions as F",
        ".withWatermark(\"at\", \"10 minutes\")",
        ".filter(F.col(\"zone\").isNotNull())",
        ".groupBy(F.window(\"at\", \"30 minutes\", \"7 minutes\", \"2 minutes\"), \"zone\")",
        ".agg(F.count(F.lit(1)).alias(\"trips\")",
        "F.stddev_samp(F.col(\"fare\")).alias(\"spread\")",
        ".writeStream.outputMode(\"append\").start())",
    ] {
        assert!(text.contains(part), "expected {part:?} in:\n{text}");
    }
}

#[test]
fn what_a_stream_cannot_do_is_refused_before_it_runs() {
    let count = || [len().alias("n")];
    let timed = topic("refused-plans", 1).stream().event_time("at");
    let append = timed.window(Tumbling::of(minutes(1))).agg(count()).unwrap();
    assert_says(
        &append.run_batches(&[]).unwrap_err(),
        &["without a watermark no window is ever final", ".watermark("],
    );
    let sessions = stream("refused-plans")
        .group_by(["zone"])
        .window(Session::gap(minutes(5)));
    let update = sessions.agg(count()).unwrap().output(Update);
    assert_says(
        &update.run_batches(&[]).unwrap_err(),
        &["cannot be given out in update mode", ".output(Append)"],
    );
    let keyless = stream("refused-plans")
        .window(Session::gap(minutes(5)))
        .agg(count())
        .unwrap();
    assert_says(
        &keyless.run_batches(&[]).unwrap_err(),
        &["needs a key beside it", ".group_by("],
    );
    let none = stream("refused-plans")
        .group_by(["zone"])
        .window(Session::gap(minutes(0)));
    assert_says(&none.agg(count()).unwrap_err(), &["a gap above zero"]);
    assert_says(
        &span("1 month").unwrap_err(),
        &["no fixed length", "days(30)"],
    );
    assert_says(
        &span("soon").unwrap_err(),
        &["no span of time", "10 seconds"],
    );
}

#[test]
fn a_plan_with_a_schema_is_checked_against_it() {
    let mut plan = stream("schema-plans")
        .group_by(["zone"])
        .window(Tumbling::of(minutes(1)))
        .agg([col("fare").mean()])
        .unwrap()
        .plan();
    let schema = |columns: &[(&str, &str)]| {
        columns
            .iter()
            .map(|(name, dtype)| (name.to_string(), dtype.to_string()))
            .collect()
    };
    plan.schema = schema(&[
        ("at", "datetime[us, UTC]"),
        ("zone", "str"),
        ("fare", "f64"),
    ]);
    plan.check().unwrap();
    plan.schema = schema(&[
        ("at", "datetime[us, UTC]"),
        ("zone", "str"),
        ("fair", "f64"),
    ]);
    assert_says(&plan.check().unwrap_err(), &["no column `fare`", "fair"]);
    plan.schema = schema(&[
        ("at", "datetime[us, UTC]"),
        ("zone", "str"),
        ("fare", "str"),
    ]);
    assert_says(
        &plan.check().unwrap_err(),
        &["there is no mean of", "dtype str"],
    );
    plan.schema = schema(&[("at", "bool"), ("zone", "str"), ("fare", "f64")]);
    assert_says(
        &plan.check().unwrap_err(),
        &["`at` cannot be an event time", "dtype bool"],
    );
    plan.schema = schema(&[("at", "moment"), ("zone", "str"), ("fare", "f64")]);
    assert_says(
        &plan.check().unwrap_err(),
        &["column `at` has a dtype that there is not", "moment"],
    );
}

#[test]
fn a_late_row_says_which_window_it_missed_and_what_would_have_counted_it() {
    let query = stream("why-late")
        .window(Tumbling::of(minutes(10)))
        .agg([len().alias("n")])
        .unwrap();
    let frame = |texts: &[&str]| {
        let texts: Vec<Option<&str>> = texts.iter().map(|text| Some(*text)).collect();
        let late_by = Column::new("late_by".into(), vec![1i64; texts.len()]);
        DataFrame::new(texts.len(), vec![times("at", &texts), late_by]).unwrap()
    };
    let batches = query
        .run_batches(&[
            frame(&["2013-02-08 10:05:00", "2013-02-08 10:22:30"]),
            frame(&["2013-02-08 10:23:00"]),
            frame(&["2013-02-08 10:04:00", "2013-02-08 10:24:00"]),
        ])
        .unwrap();
    let late = batches.late().unwrap();
    assert_eq!(
        late.get_column_names(),
        [
            "window_start",
            "window_end",
            "late_by",
            "at",
            "late_by_of_row"
        ]
    );
    assert_eq!(late.height(), 1);
    assert_eq!(
        batches.why_late(0).unwrap(),
        "the event of 2013-02-08 10:04:00 belongs to the window from 2013-02-08 10:00:00 to 2013-02-08 10:10:00; \
         the watermark stood at 2013-02-08 10:12:30 when it came, so that window had been final for 2.5 min. \
         A watermark more than 12.5 min behind would have counted it"
    );
    assert_says(
        &batches.why_late(1).unwrap_err(),
        &["there is no late row 1", "1 late rows", "a row from 0 to 0"],
    );
    assert_eq!(
        batches.why_silent(),
        "window 2013-02-08 10:20:00 open, watermark 10:14:00, needs an event from 10:40:00 on"
    );
}

#[test]
fn the_delay_that_why_late_names_is_the_least_that_counts_the_row() {
    let texts = [
        ["2013-02-08 10:05:00", "2013-02-08 10:22:30"],
        ["2013-02-08 10:23:00", "2013-02-08 10:23:00"],
        ["2013-02-08 10:04:00", "2013-02-08 10:24:00"],
    ];
    let frames: Vec<DataFrame> = texts
        .iter()
        .map(|texts| DataFrame::new(2, vec![times("at", &texts.map(Some))]).unwrap())
        .collect();
    let late = |delay| {
        let stream = topic("least-delay", 1).stream().watermark("at", delay);
        let query = stream
            .window(Tumbling::of(minutes(10)))
            .agg([len().alias("n")])
            .unwrap();
        query.run_batches(&frames).unwrap().late().unwrap().height()
    };
    assert_eq!(late(seconds(750)), 1);
    assert_eq!(late(seconds(751)), 0);
}
