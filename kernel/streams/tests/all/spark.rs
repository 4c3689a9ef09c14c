//! Every micro-batch of the recorded Spark runs, row for row.

use std::fs;
use std::path::PathBuf;

use headwater_streams::WindowSpec;
use headwater_streams::prelude::*;
use polars::prelude::*;
use serde_json::Value;

use crate::topic;

/// Asserts that the run of one stream with one window in one mode equals Spark's.
fn agrees(stream: &str, window: &str, mode: OutputMode) {
    let topic = topic("spark", 1);
    let (spec, keyed) = spec(window);
    let keys: &[&str] = if keyed { &["key"] } else { &[] };
    let query = topic
        .stream()
        .watermark("t", seconds(10))
        .group_by(keys.iter().copied());
    let query = query.window(spec).agg(aggregates()).unwrap().output(mode);
    let batches = query.run_batches(&events(stream)).unwrap();
    let name = format!("{stream}.{window}.{}", format!("{mode:?}").to_lowercase());
    let expected = expected(&name);
    assert_eq!(batches.len(), expected.len(), "{name}: number of batches");
    for (index, line) in expected.iter().enumerate() {
        let batch = &batches[index];
        let at = format!("{name} batch {index}");
        assert_eq!(
            batch.input_rows as u64,
            line["in"].as_u64().unwrap(),
            "{at}: input rows"
        );
        assert_eq!(
            iso(batch.watermark),
            line["watermark"].as_str().unwrap(),
            "{at}: watermark"
        );
        assert_eq!(
            batch.dropped_groups as u64,
            line["dropped"].as_u64().unwrap(),
            "{at}: dropped"
        );
        assert_eq!(
            batch.state_rows as u64,
            line["state_rows"].as_u64().unwrap(),
            "{at}: state rows"
        );
        assert_eq!(
            batch.updated as u64,
            line["updated"].as_u64().unwrap(),
            "{at}: updated"
        );
        assert_eq!(
            batch.removed as u64,
            line["removed"].as_u64().unwrap(),
            "{at}: removed"
        );
        assert_eq!(
            batch.rows.height() as u64,
            line["n_rows"].as_u64().unwrap(),
            "{at}: rows"
        );
        let Some(rows) = line["rows"].as_array() else {
            continue;
        };
        let rows: Vec<Vec<Value>> = rows
            .iter()
            .map(|row| row.as_array().unwrap()[..13].to_vec())
            .collect();
        for (got, expected) in values(&batch.rows, keyed).iter().zip(&rows) {
            assert_eq!(got, expected, "{at}");
        }
    }
}

fn aggregates() -> Vec<Expr> {
    let of = |column: &str| {
        let name = |what: &str| format!("{what}_{column}");
        vec![
            col(column).sum().alias(name("sum")),
            col(column).mean().alias(name("avg")),
            col(column).min().alias(name("min")),
            col(column).max().alias(name("max")),
        ]
    };
    let mut aggregates = vec![len().alias("n"), col("value").count().alias("nv")];
    aggregates.extend(of("value"));
    aggregates.extend(of("x"));
    aggregates
}

fn spec(window: &str) -> (WindowSpec, bool) {
    let (name, keyed) = window
        .strip_suffix("_nokey")
        .map_or((window, true), |name| (name, false));
    let spec = match name {
        "tumbling" => Tumbling::of(seconds(10)).into(),
        "hopping" => Hopping::of(seconds(20)).every(seconds(5)).into(),
        _ => Tumbling::of(minutes(1)).offset(seconds(7)).into(),
    };
    (spec, keyed)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/spark-windows")
}

/// Reads the micro-batches of one stream; an empty file is a frame without columns.
fn events(stream: &str) -> Vec<DataFrame> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder().join("events").join(stream))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| frame(&lines(&fs::read_to_string(file).unwrap())))
        .collect()
}

fn frame(events: &[Value]) -> DataFrame {
    if events.is_empty() {
        return DataFrame::empty();
    }
    let times: Vec<Option<&str>> = events.iter().map(|event| event["t"].as_str()).collect();
    let micros = |text: &str| {
        chrono::DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_micros()
    };
    let times: Vec<Option<i64>> = times.into_iter().map(|time| time.map(micros)).collect();
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let mut frame = df!(
        "key" => events.iter().map(|event| event["key"].as_str()).collect::<Vec<_>>(),
        "value" => events.iter().map(|event| event["value"].as_i64()).collect::<Vec<_>>(),
        "x" => events.iter().map(|event| event["x"].as_f64()).collect::<Vec<_>>(),
    )
    .unwrap();
    frame
        .with_column(Series::new("t".into(), times).cast(&utc).unwrap().into())
        .unwrap();
    frame
}

fn expected(name: &str) -> Vec<Value> {
    lines(&fs::read_to_string(folder().join("expected").join(format!("{name}.jsonl"))).unwrap())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Returns a result in the form of the reference, its rows in the same order.
fn values(rows: &DataFrame, keyed: bool) -> Vec<Vec<Value>> {
    let mut columns: Vec<Vec<Value>> = rows.columns().iter().map(column).collect();
    if !keyed {
        columns.insert(2, vec![Value::Null; rows.height()]);
    }
    (0..rows.height())
        .map(|row| columns.iter().map(|column| column[row].clone()).collect())
        .collect()
}

fn column(column: &Column) -> Vec<Value> {
    let series = column
        .as_materialized_series()
        .to_physical_repr()
        .into_owned();
    match series.dtype() {
        DataType::Null => vec![Value::Null; series.len()],
        DataType::String => series.str().unwrap().iter().map(Value::from).collect(),
        // serde_json reads floats to within one digit: the same reading on both sides is exact.
        DataType::Float64 => series
            .f64()
            .unwrap()
            .iter()
            .map(|x| serde_json::from_str(&serde_json::to_string(&x).unwrap()).unwrap())
            .collect(),
        _ => series.i64().unwrap().iter().map(Value::from).collect(),
    }
}

fn iso(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros)
        .unwrap()
        .format("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

macro_rules! runs {
    ($($test:ident: $stream:literal, $window:literal, $mode:ident;)*) => {$(
        #[test]
        fn $test() {
            agrees($stream, $window, OutputMode::$mode);
        }
    )*};
}

runs! {
    main_tumbling_append: "main", "tumbling", Append;
    main_tumbling_update: "main", "tumbling", Update;
    main_tumbling_complete: "main", "tumbling", Complete;
    main_tumbling_without_key_append: "main", "tumbling_nokey", Append;
    main_tumbling_without_key_update: "main", "tumbling_nokey", Update;
    main_offset_append: "main", "offset", Append;
    main_offset_update: "main", "offset", Update;
    main_hopping_append: "main", "hopping", Append;
    main_hopping_update: "main", "hopping", Update;
    main_hopping_complete: "main", "hopping", Complete;
    micros_tumbling_append: "micros", "tumbling", Append;
    micros_tumbling_update: "micros", "tumbling", Update;
    micros_hopping_append: "micros", "hopping", Append;
    before_epoch_tumbling_append: "before_epoch", "tumbling", Append;
    before_epoch_tumbling_update: "before_epoch", "tumbling", Update;
    before_epoch_hopping_append: "before_epoch", "hopping", Append;
    empty_first_tumbling_append: "empty_first", "tumbling", Append;
    edges_tumbling_append: "edges", "tumbling", Append;
    edges_tumbling_update: "edges", "tumbling", Update;
    edges_hopping_append: "edges", "hopping", Append;
}
