use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, times, topic};

/// Returns event times, keys and values that fall into two windows of ten minutes.
fn readings() -> DataFrame {
    let at = times(
        "at",
        &[
            Some("2013-02-08 10:00:00"),
            Some("2013-02-08 10:09:59.999999"),
            Some("2013-02-08 10:10:00"),
            Some("2013-02-08 10:04:00"),
            None,
        ],
    );
    let mut frame = df!("gauge" => ["G01", "G01", "G01", "G02", "G02"], "level_cm" => [Some(1i32), Some(2), Some(4), None, Some(16)]).unwrap();
    frame.with_column(at).unwrap();
    frame
}

fn ten_minutes(topic: &Topic) -> Stream {
    topic
        .stream()
        .watermark("at", minutes(10))
        .group_by(["gauge"])
        .window(Tumbling::of(minutes(10)))
}

fn ints(frame: &DataFrame, column: &str) -> Vec<Option<i64>> {
    frame
        .column(column)
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .collect()
}

#[test]
fn a_local_run_gives_every_window_sorted() {
    let topic = topic("local", 1);
    let query = ten_minutes(&topic)
        .agg([
            len().alias("n"),
            col("level_cm").sum(),
            col("level_cm").mean().alias("mean"),
        ])
        .unwrap();
    let windows = query.run_local(&readings()).unwrap();
    let names = windows.get_column_names();
    assert_eq!(
        names,
        [
            "window_start",
            "window_end",
            "gauge",
            "n",
            "level_cm",
            "mean"
        ]
    );
    assert_eq!(
        windows.column("window_start").unwrap().dtype().to_string(),
        "datetime[μs, UTC]"
    );
    assert_eq!(ints(&windows, "n"), [Some(2), Some(1), Some(1)]);
    assert_eq!(ints(&windows, "level_cm"), [Some(3), None, Some(4)]);
    let means: Vec<Option<f64>> = windows
        .column("mean")
        .unwrap()
        .f64()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(means, [Some(1.5), None, Some(4.0)]);
}

#[test]
fn flights_per_window_equal_a_plain_group_by_of_what_was_sent() {
    let topic = topic("grouped", 3);
    let replay = Replay::dataset("flights")
        .unwrap()
        .event_time("sched_dep")
        .arrival("actual_dep")
        .between("2013-02-07", "2013-02-10");
    replay
        .key("origin")
        .at_once()
        .start(&topic)
        .unwrap()
        .wait()
        .unwrap();
    let read = topic.read(Earliest).unwrap();
    let query = topic
        .stream()
        .watermark("sched_dep", minutes(10))
        .group_by(["origin"])
        .window(Tumbling::of(minutes(30)));
    let query = query
        .agg([
            len().alias("flights"),
            col("dep_delay").mean().alias("delay"),
            col("dep_delay").max().alias("most"),
        ])
        .unwrap();
    let windows = query.run_local(&read).unwrap();

    let half_hour = lit(30 * 60_000i64);
    let start = (col("sched_dep").cast(DataType::Int64)
        - col("sched_dep").cast(DataType::Int64) % half_hour)
        .alias("start");
    let expected = read
        .lazy()
        .with_column(start)
        .group_by([col("start"), col("origin")])
        .agg([
            len().cast(DataType::Int64).alias("flights"),
            col("dep_delay").mean().alias("delay"),
            col("dep_delay").max().alias("most"),
        ]);
    let expected = expected
        .sort(["start", "origin"], SortMultipleOptions::default())
        .collect()
        .unwrap();
    assert_eq!(ints(&windows, "flights"), ints(&expected, "flights"));
    let starts = windows
        .column("window_start")
        .unwrap()
        .cast(&DataType::Int64)
        .unwrap();
    let starts: Vec<i64> = starts
        .i64()
        .unwrap()
        .iter()
        .flatten()
        .map(|start| start / 1000)
        .collect();
    assert_eq!(
        starts,
        ints(&expected, "start")
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    );
    for column in ["origin", "most"] {
        assert!(
            windows
                .column(column)
                .unwrap()
                .equals_missing(expected.column(column).unwrap()),
            "{column}"
        );
    }
    let delays = |frame: &DataFrame| {
        frame
            .column("delay")
            .unwrap()
            .f64()
            .unwrap()
            .iter()
            .flatten()
            .collect::<Vec<f64>>()
    };
    for (got, expected) in delays(&windows).iter().zip(delays(&expected)) {
        assert!(
            (got - expected).abs() < 1e-9,
            "got {got}, expected {expected}"
        );
    }
}

#[test]
fn cutting_the_rows_into_batches_changes_no_total() {
    let topic = topic("cut", 1);
    let query = ten_minutes(&topic)
        .agg([len().alias("n"), col("level_cm").min().alias("least")])
        .unwrap()
        .output(Complete);
    let rows = readings();
    let whole = query.run_local(&rows).unwrap();
    let single: Vec<DataFrame> = (0..rows.height())
        .map(|row| rows.slice(row as i64, 1))
        .collect();
    let batches = query.run_batches(&single).unwrap();
    assert!(batches[batches.len() - 1].rows.equals_missing(&whole));
}

#[test]
fn a_late_row_is_listed_with_the_window_it_missed() {
    let topic = topic("late-batches", 1);
    let query = ten_minutes(&topic).agg([len().alias("n")]).unwrap();
    let rows = |at: &[Option<&str>]| {
        let mut frame = df!("gauge" => vec!["G01"; at.len()]).unwrap();
        frame.with_column(times("at", at)).unwrap();
        frame
    };
    // The second batch moves the watermark past the first window, the third still may use it,
    // the fourth is late: the late filter runs one batch behind.
    let batches = query
        .run_batches(&[
            rows(&[Some("2013-02-08 10:00:00")]),
            rows(&[Some("2013-02-08 11:00:00")]),
            rows(&[Some("2013-02-08 10:01:00")]),
            rows(&[Some("2013-02-08 10:02:00")]),
        ])
        .unwrap();
    let late: Vec<usize> = batches.iter().map(|batch| batch.late.height()).collect();
    assert_eq!(late, [0, 0, 0, 1]);
    let missed = &batches[3].late;
    assert_eq!(
        missed.get_column_names(),
        ["window_start", "window_end", "late_by", "gauge", "at"]
    );
    assert_eq!(
        missed
            .column("window_end")
            .unwrap()
            .get(0)
            .unwrap()
            .to_string(),
        "2013-02-08 10:10:00 UTC"
    );
    assert_eq!(
        batches[2].rows.height(),
        1,
        "the window came out with its late but accepted row"
    );
    assert_eq!(
        ints(&batches.progress().unwrap(), "late_rows"),
        [Some(0), Some(0), Some(0), Some(1)]
    );
}

#[test]
fn rows_are_filtered_and_given_columns_before_the_window() {
    let topic = topic("steps", 1);
    let stream = topic
        .stream()
        .filter(col("gauge").eq(lit("G01")))
        .watermark("at", minutes(1));
    let query = stream
        .with_columns([(col("level_cm") * lit(10)).alias("level_mm")])
        .window(Hopping::of(minutes(10)).every(minutes(5)));
    let query = query
        .agg([(col("level_mm").sum() / len()).alias("mean_mm")])
        .unwrap();
    let windows = query.run_local(&readings()).unwrap();
    assert_eq!(
        ints(&windows, "mean_mm"),
        [Some(10), Some(15), Some(30), Some(40)]
    );
    let error = topic
        .stream()
        .filter(col("guage").is_null())
        .watermark("at", minutes(1))
        .window(Tumbling::of(minutes(1)));
    let error = error
        .agg([len()])
        .unwrap()
        .run_local(&readings())
        .unwrap_err();
    assert_says(
        &error,
        &[
            "no column `guage` in the frame",
            "gauge (str)",
            "try:  \"gauge\"",
        ],
    );
}

#[test]
fn aggregates_over_an_expression_of_one_row_and_arithmetic_on_them_work() {
    let topic = topic("arithmetic", 1);
    let high = col("level_cm").gt(lit(1));
    let query = topic
        .stream()
        .watermark("at", minutes(1))
        .window(Tumbling::of(hours(1)));
    let query = query
        .agg([
            high.clone().sum().alias("high"),
            (high.sum().cast(DataType::Float64) / len() * lit(100.0)).alias("high_percent"),
            col("level_cm")
                .filter(col("gauge").eq(lit("G01")))
                .count()
                .alias("of_g01"),
            col("gauge").max().alias("last_gauge"),
        ])
        .unwrap();
    let windows = query.run_local(&readings()).unwrap();
    assert_eq!(ints(&windows, "high"), [Some(2)]);
    assert_eq!(ints(&windows, "of_g01"), [Some(3)]);
    assert_eq!(
        windows
            .column("high_percent")
            .unwrap()
            .f64()
            .unwrap()
            .get(0),
        Some(50.0)
    );
    assert_eq!(
        windows.column("last_gauge").unwrap().str().unwrap().get(0),
        Some("G02")
    );
}

#[test]
fn a_column_that_is_null_in_the_first_batch_takes_its_dtype_from_the_next() {
    let topic = topic("nullfirst", 1);
    let query = topic
        .stream()
        .watermark("at", minutes(1))
        .window(Tumbling::of(hours(1)));
    let query = query
        .agg([col("x").sum(), col("x").max().alias("most")])
        .unwrap()
        .output(Complete);
    let frame = |x: Series| {
        DataFrame::new(
            1,
            vec![times("at", &[Some("2013-02-08 10:00:00")]), x.into()],
        )
        .unwrap()
    };
    let nulls = Series::full_null("x".into(), 1, &DataType::Null);
    let batches = query
        .run_batches(&[frame(nulls), frame(Series::new("x".into(), [1.5]))])
        .unwrap();
    assert_eq!(
        batches[1]
            .rows
            .column("most")
            .unwrap()
            .f64()
            .unwrap()
            .get(0),
        Some(1.5)
    );
}

#[test]
fn what_cannot_be_continued_is_refused_with_what_can() {
    let topic = topic("refusals", 1);
    for (aggregate, parts) in [
        (
            col("level_cm").median(),
            [
                "an exact median needs every value",
                "approx_quantile(\"x\", 0.5)",
            ],
        ),
        (
            col("level_cm").mean().sum(),
            ["this aggregate cannot be continued", "len()"],
        ),
        (
            col("level_cm").shift(lit(1)).sum(),
            ["this aggregate cannot be continued", "shift"],
        ),
        (
            col("level_cm"),
            [
                "`level_cm` has many values in a window",
                "try:  col(\"level_cm\").mean()",
            ],
        ),
        (
            len().alias("gauge"),
            [
                "two columns of the result would be called `gauge`",
                ".alias(",
            ],
        ),
    ] {
        assert_says(&ten_minutes(&topic).agg([aggregate]).unwrap_err(), &parts);
    }
    assert_says(
        &ten_minutes(&topic).agg([]).unwrap_err(),
        &["nothing to compute"],
    );
    let query = ten_minutes(&topic)
        .agg([col("gauge").mean().alias("m")])
        .unwrap();
    assert_says(
        &query.run_local(&readings()).unwrap_err(),
        &["there is no mean of", "dtype str"],
    );
}

#[test]
fn a_query_without_watermark_or_window_says_what_is_missing() {
    let topic = topic("incomplete", 1);
    let error = topic
        .stream()
        .window(Tumbling::of(minutes(1)))
        .agg([len()])
        .unwrap_err();
    assert_says(
        &error,
        &["a window needs to know the event time", ".watermark("],
    );
    let error = topic
        .stream()
        .watermark("at", minutes(1))
        .agg([len()])
        .unwrap_err();
    assert_says(
        &error,
        &["needs a window", ".window(Tumbling::of(minutes(30)))"],
    );
    let gaps = topic
        .stream()
        .watermark("at", minutes(1))
        .window(Hopping::of(minutes(1)).every(minutes(2)));
    assert_says(
        &gaps.agg([len()]).unwrap_err(),
        &["leave gaps", "size 1 min, every 2 min"],
    );
    let none = topic
        .stream()
        .watermark("at", minutes(1))
        .window(Tumbling::of(minutes(0)));
    assert_says(&none.agg([len()]).unwrap_err(), &["a size above zero"]);
}

#[test]
fn an_unknown_or_timeless_event_time_is_said() {
    let topic = topic("eventless", 1);
    let query = |column| {
        topic
            .stream()
            .watermark(column, minutes(1))
            .window(Tumbling::of(minutes(1)))
            .agg([len()])
            .unwrap()
    };
    let error = query("att").run_local(&readings()).unwrap_err();
    assert!(error.is_unknown_column());
    assert_says(
        &error,
        &[
            "no column `att` in the frame",
            "at (datetime[μs, UTC])",
            "try:  \"at\"",
        ],
    );
    assert_says(
        &query("level_cm").run_local(&readings()).unwrap_err(),
        &["`level_cm` of the frame holds no times", "dtype i32"],
    );
}

#[test]
fn an_empty_frame_gives_no_window() {
    let topic = topic("nothing", 1);
    let query = ten_minutes(&topic).agg([len().alias("n")]).unwrap();
    assert_eq!(
        query.run_local(&DataFrame::empty()).unwrap().shape(),
        (0, 4)
    );
    assert_eq!(query.run_batches(&[]).unwrap().len(), 0);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Whatever the order of the events and wherever the batches are cut, the last complete
    /// result is that of one run over all of them, hopping windows included.
    #[test]
    fn any_cut_of_any_order_gives_the_totals_of_one_run(
        events in proptest::collection::vec((-60_000i64..60_000, 0u8..3, proptest::option::of(-5i64..5)), 1..60),
        cuts in proptest::collection::vec(0usize..60, 0..5),
    ) {
        // Nothing is read from it; ending a broker for every case would take most of the time.
        static TOPIC: std::sync::LazyLock<Topic> = std::sync::LazyLock::new(|| topic("any-cut", 1));
        let stream = TOPIC.stream().watermark("at", seconds(5)).group_by(["key"]);
        let query = stream.window(Hopping::of(seconds(7)).every(seconds(3))).agg([
            len().alias("n"),
            col("x").sum(),
            col("x").mean().alias("mean"),
            col("x").min().alias("least"),
        ]);
        let query = query.unwrap().output(Complete);
        let at: Vec<i64> = events.iter().map(|event| event.0).collect();
        let at = Series::new("at".into(), at).cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
        let mut frame = df!(
            "key" => events.iter().map(|event| format!("k{}", event.1)).collect::<Vec<_>>(),
            "x" => events.iter().map(|event| event.2).collect::<Vec<_>>(),
        )
        .unwrap();
        frame.with_column(at.into()).unwrap();
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < events.len()).chain([0, events.len()]).collect();
        cuts.sort();
        let parts: Vec<DataFrame> = cuts.windows(2).map(|cut| frame.slice(cut[0] as i64, cut[1] - cut[0])).collect();
        let batches = query.run_batches(&parts).unwrap();
        let whole = query.run_local(&frame).unwrap();
        proptest::prop_assert!(batches[batches.len() - 1].rows.equals_missing(&whole));
    }
}

#[test]
fn a_state_that_outgrows_its_limit_ends_the_query() {
    let stream = topic("state-limit", 1)
        .stream()
        .watermark("at", minutes(10))
        .group_by(["key"]);
    let query = stream
        .window(Tumbling::of(minutes(10)))
        .agg([len().alias("n")])
        .unwrap();
    let frame = |keys: u32| {
        let at = vec![Some("2013-02-08 10:00:00"); keys as usize];
        let keys: Vec<String> = (0..keys).map(|key| format!("key {key}")).collect();
        DataFrame::new(
            keys.len(),
            vec![times("at", &at), Column::new("key".into(), keys)],
        )
        .unwrap()
    };
    let limited = query.clone().state_at_most(1);
    assert_eq!(
        limited.run_batches(&[frame(100)]).unwrap()[0].state_rows,
        100
    );
    assert_says(
        &limited
            .run_batches(&[frame(100), frame(20_000)])
            .unwrap_err(),
        &[
            "the state of the query has outgrown its limit",
            "20000 groups and 0 keys in",
            "limit 1.0 MB",
            ".state_at_most(",
        ],
    );
    assert_eq!(
        query.run_batches(&[frame(20_000)]).unwrap()[0].state_rows,
        20_000
    );
}
