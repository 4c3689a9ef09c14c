//! The models behind lesson 5.4.

use headwater_course::lesson_5_4::{
    BatchEngine, CommitTime, DStream, Ledger, MicroBatch, SinkKind, SparkRecording, gauge_script,
    watermark_rules, window_strip,
};
use headwater_streams::prelude::*;
use polars::prelude::*;

fn query(name: &str) -> Query {
    let cluster = Cluster::embedded().expect("a broker");
    let topic = cluster.topic(name, partitions(1)).expect("a topic");
    topic
        .stream()
        .watermark("event_time", seconds(10))
        .window(Tumbling::of(seconds(10)))
        .agg([len().alias("count"), col("level_cm").max().alias("top_cm")])
        .expect("a query")
}

fn column(frame: &DataFrame, name: &str) -> Vec<u64> {
    let column = frame
        .column(name)
        .expect("the column")
        .cast(&DataType::UInt64)
        .expect("numbers");
    column.u64().expect("u64").iter().flatten().collect()
}

#[test]
fn ledger_agrees_with_the_window_engine_batch_for_batch() {
    let frames = gauge_script().expect("the script");
    assert_eq!(frames.iter().map(DataFrame::height).sum::<usize>(), 18);
    let ledger = Ledger::of(&frames, "event_time", 10, 10).expect("a ledger");
    let batches = query("ledger").run_batches(&frames).expect("a run");
    let reports = ledger.reports();
    assert_eq!(reports.len(), batches.len());
    for (report, run) in reports.iter().zip(batches.iter()) {
        assert_eq!(report.watermark * 1_000_000, run.watermark);
        assert_eq!(report.finalised.len(), run.rows.height());
        assert_eq!(report.updated.len(), run.updated);
        assert_eq!(report.dropped, run.late.height());
    }
    let finals: Vec<usize> = reports
        .iter()
        .map(|report| report.finalised.len())
        .collect();
    assert_eq!(finals, [0, 0, 1, 0, 1]);
    assert_eq!(
        reports.iter().map(|report| report.dropped).sum::<usize>(),
        1
    );
}

#[test]
fn pictures_of_the_ledger_say_their_numbers() {
    let ledger =
        Ledger::of(&gauge_script().expect("the script"), "event_time", 10, 10).expect("a ledger");
    let walk = ledger.walk();
    assert!(
        walk.text().contains("1 rows dropped; 2 windows final"),
        "{}",
        walk.text()
    );
    assert!(walk.svg().contains("role=\"img\"") && walk.svg().contains("<desc>"));
    let map = ledger.map();
    assert!(
        map.text().contains("4 windows in 5 batches"),
        "{}",
        map.text()
    );
}

#[test]
fn kill_loses_nothing_with_numbered_sink_and_doubles_without() {
    let lost = |frame: &DataFrame| column(frame, "lost").iter().sum::<u64>();
    let doubled = |frame: &DataFrame| column(frame, "doubled").iter().sum::<u64>();
    let appends = MicroBatch::over(12, 3).kill_everywhere().expect("a table");
    assert_eq!((lost(&appends), doubled(&appends)), (0, 3), "{appends}");
    let numbered = MicroBatch::over(12, 3).sink(SinkKind::ByNumber);
    let numbered = numbered.kill_everywhere().expect("a table");
    assert_eq!((lost(&numbered), doubled(&numbered)), (0, 0), "{numbered}");
    let early = MicroBatch::over(12, 3).commit(CommitTime::BeforeSink);
    let early = early.kill_everywhere().expect("a table");
    assert_eq!((lost(&early), doubled(&early)), (3, 0), "{early}");
}

#[test]
fn kill_says_what_a_new_process_finds() {
    let engine = MicroBatch::over(12, 3).kill_after(1, 4);
    let text = engine.strip().text().to_owned();
    assert!(text.contains("killed after `write sink`"), "{text}");
    assert!(
        text.contains("last committed batch 0; to be replayed: records 3 to 5"),
        "{text}"
    );
    let engine = MicroBatch::over(12, 3).kill_after(1, 5);
    assert!(
        engine.strip().text().contains("it plans batch 2"),
        "{:?}",
        engine
    );
}

#[test]
fn dstream_cuts_by_arrival_and_keeps_empty_intervals() {
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let at = Column::new("at".into(), [1i64, 4, 35])
        .cast(&DataType::Int64)
        .expect("i64")
        * 1_000_000;
    let at = at.cast(&utc).expect("times");
    let rows =
        DataFrame::new(3, vec![at, Column::new("key".into(), ["a", "b", "a"])]).expect("rows");
    let stream = DStream::receive(&rows, "at", seconds(10)).expect("a stream");
    let heights: Vec<usize> = stream.rdds().iter().map(|rdd| rdd.rows.height()).collect();
    assert_eq!(heights, [2, 0, 0, 1]);
    let windowed = stream.window(seconds(20), seconds(10)).expect("windows");
    let heights: Vec<usize> = windowed
        .rdds()
        .iter()
        .map(|rdd| rdd.rows.height())
        .collect();
    assert_eq!(heights, [2, 2, 0, 1]);
    let error = stream
        .window(seconds(15), seconds(10))
        .expect_err("no multiple")
        .to_string();
    assert!(error.contains("multiple of its batch interval"), "{error}");
    let counts = stream.running_count("key").expect("counts");
    let last = counts.rdds().last().expect("one").rows.clone();
    assert_eq!(column(&last, "count"), [2, 1]);
}

#[test]
fn engine_falls_behind_without_room_and_catches_up_with_it() {
    let arrivals = vec![1000; 120];
    let engine = BatchEngine {
        per_batch_ms: 200,
        rows_per_ms: 2,
        trigger_ms: 1000,
        limit: None,
    };
    let waiting = |engine: BatchEngine, down| {
        column(&engine.run(&arrivals, down).expect("a run"), "waiting_rows")
    };
    let steady = waiting(engine, 0);
    assert!(steady.iter().all(|rows| *rows < 2000), "{steady:?}");
    let slow = waiting(
        BatchEngine {
            limit: Some(500),
            ..engine
        },
        0,
    );
    assert!(slow.last() > Some(&50_000), "{slow:?}");
    let behind = waiting(engine, 60);
    assert!(behind.first() > behind.last(), "{behind:?}");
}

#[test]
fn recorded_spark_agrees_in_both_modes() {
    for (recording, mode) in [
        (SparkRecording::append(), Append),
        (SparkRecording::update(), Update),
    ] {
        let recording = recording.expect("a recording");
        let topic = Cluster::embedded().and_then(|cluster| cluster.topic("edges", partitions(1)));
        let query = topic
            .expect("a topic")
            .stream()
            .watermark("t", seconds(10))
            .group_by(["key"])
            .window(Tumbling::of(seconds(10)))
            .agg([len().alias("rows"), col("value").sum().alias("sum")])
            .expect("a query")
            .output(mode);
        let batches = query.run_batches(&recording.frames()).expect("a run");
        let beside = recording.beside(&batches).expect("a table");
        let same = beside
            .column("same_rows")
            .expect("the column")
            .bool()
            .expect("bool")
            .all();
        assert!(same, "{beside:?}");
    }
}

#[test]
fn fast_clock_costs_the_others_rows_by_the_maximum_only() {
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let (mut event, mut arrival, mut key) = (vec![], vec![], vec![]);
    for second in 0..600i64 {
        for gauge in ["a", "b", "fast"] {
            let ahead = if gauge == "fast" && second > 100 {
                90
            } else {
                0
            };
            event.push((second + ahead) * 1_000_000);
            arrival.push(second * 1_000_000);
            key.push(gauge);
        }
    }
    let times = |name: &str, at: Vec<i64>| Column::new(name.into(), at).cast(&utc).expect("times");
    let rows = DataFrame::new(
        1800,
        vec![
            times("event", event),
            times("arrival", arrival),
            Column::new("key".into(), key),
        ],
    );
    let table = watermark_rules(
        &rows.expect("rows"),
        "event",
        "arrival",
        "key",
        (10, 10, 60),
    )
    .expect("a table");
    let dropped = column(&table, "dropped");
    assert!(dropped[0] > 800, "{table:?}");
    assert_eq!(dropped[1..], [0, 0], "{table:?}");
}

#[test]
fn strip_shows_every_window_with_its_count() {
    let frames = gauge_script().expect("the script");
    let windows = query("strip").run_local(&frames[0]).expect("windows");
    let strip = window_strip(&frames[0], &[("tumbling", &windows)]).expect("a strip");
    assert!(
        strip.text().contains("4 events in 2 tumbling windows"),
        "{}",
        strip.text()
    );
}
