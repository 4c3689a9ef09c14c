//! Every micro-batch of recorded runs of Spark Structured Streaming, row for row.
//!
//! `cargo test --test spark_reference` replays the recordings of this repository;
//! `HEADWATER_REFERENCE=folder` replays any folder in their format, which its README describes.
//! Windows, watermark and columns come from its `meta.json`.

use std::fs;
use std::path::{Path, PathBuf};

use headwater_streams::prelude::*;
use headwater_streams::{WindowSpec, span};
use polars::prelude::*;
use serde_json::Value;

/// Where in a row of the reference the approximate number of users stands; the exact one follows.
const APPROX: usize = 13;

#[test]
fn every_recorded_run_of_spark_agrees() {
    let folder = folder();
    let meta: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("meta.json")).unwrap()).unwrap();
    let files = files(&folder.join("expected"));
    assert!(!files.is_empty(), "no recording in {}", folder.display());
    let mut faults = Vec::new();
    for file in &files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        if let Err(fault) = agrees(&folder, &meta, name) {
            faults.push(format!("{name}: {fault}"));
        }
    }
    println!(
        "{} of {} recordings agree",
        files.len() - faults.len(),
        files.len()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Compares the run of one stream with one window in one mode with Spark's.
fn agrees(folder: &Path, meta: &Value, name: &str) -> Result<(), String> {
    let [stream, window, mode] = name.split('.').collect::<Vec<_>>()[..] else {
        return Err("a recording is called stream.window.mode".into());
    };
    let (spec, keyed) = spec(meta, window);
    let mode = match mode {
        "append" => Append,
        "update" => Update,
        _ => Complete,
    };
    let topic = Cluster::embedded()
        .and_then(|cluster| cluster.topic("spark", partitions(1)))
        .unwrap();
    let delay = span(meta["watermark"].as_str().unwrap()).unwrap();
    let keys: &[&str] = if keyed { &["key"] } else { &[] };
    let query = topic
        .stream()
        .watermark("t", delay)
        .group_by(keys.iter().copied())
        .window(spec)
        .agg(aggregates(meta))
        .unwrap()
        .output(mode);
    let batches = query.run_batches(&events(folder, stream)).unwrap();
    let expected = lines(&folder.join("expected").join(format!("{name}.jsonl")));
    same("number of batches", batches.len(), expected.len())?;
    for (index, (batch, line)) in batches.iter().zip(&expected).enumerate() {
        let count = |field: &str| line[field].as_u64().unwrap() as usize;
        let at = |what: &str| format!("batch {index}, {what}");
        same(&at("input rows"), batch.input_rows, count("in"))?;
        let watermark = line["watermark"].as_str().unwrap();
        same(&at("watermark"), iso(batch.watermark).as_str(), watermark)?;
        same(&at("dropped"), batch.dropped_groups, count("dropped"))?;
        same(&at("state rows"), batch.state_rows, count("state_rows"))?;
        same(&at("updated"), batch.updated, count("updated"))?;
        same(&at("removed"), batch.removed, count("removed"))?;
        same(&at("number of rows"), batch.rows.height(), count("n_rows"))?;
        let Some(rows) = line["rows"].as_array() else {
            continue;
        };
        let mut rows: Vec<&Vec<Value>> = rows.iter().map(|row| row.as_array().unwrap()).collect();
        let mut got = values(&batch.rows, keyed);
        // The order inside a batch is not defined: both sides are put into one.
        got.sort_by_cached_key(|row| key(row));
        rows.sort_by_cached_key(|row| key(row));
        for (got, expected) in got.iter().zip(rows) {
            same_row(got, expected).map_err(|fault| format!("{}: {fault}", at("row")))?;
        }
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Result<(), String> {
    match got == expected {
        true => Ok(()),
        false => Err(format!("{what} {got:?}, Spark has {expected:?}")),
    }
}

/// Compares two rows: equal in all but the approximate number of users, which lies within 15 % (or
/// one) of the exact number. Spark's own sketch has 512 registers and does not: it says 10 of 12.
fn same_row(got: &[Value], expected: &[Value]) -> Result<(), String> {
    for (column, (got_value, expected_value)) in got.iter().zip(expected).enumerate() {
        let is_same = match (column, got_value.as_f64(), expected_value.as_f64()) {
            (APPROX, Some(got), Some(_)) => {
                let exact = expected[APPROX + 1].as_f64().unwrap();
                (got - exact).abs() <= (exact * 0.15).max(1.0)
            }
            _ => got_value == expected_value,
        };
        if !is_same {
            return Err(format!("{got:?}, Spark has {expected:?}"));
        }
    }
    same("number of columns", got.len(), expected.len())
}

fn key(row: &[Value]) -> (i64, i64, Option<String>) {
    let key = row[2].as_str().map(String::from);
    (row[0].as_i64().unwrap(), row[1].as_i64().unwrap(), key)
}

/// Returns the aggregates by the names of their columns in `meta.json`.
fn aggregates(meta: &Value) -> Vec<Expr> {
    let names = meta["columns"].as_array().unwrap()[3..].iter();
    names
        .map(|name| {
            let name = name.as_str().unwrap();
            let aggregate = match name {
                "n" => len(),
                "nv" => col("value").count(),
                "sum" => col("value").sum(),
                "avg" => col("value").mean(),
                "min" => col("value").min(),
                "max" => col("value").max(),
                "sumx" => col("x").sum(),
                "avgx" => col("x").mean(),
                "minx" => col("x").min(),
                "maxx" => col("x").max(),
                "approx_users" => approx_distinct("user"),
                "users" => col("user").n_unique(),
                other => panic!("a column `{other}` that this test does not know"),
            };
            aggregate.alias(name)
        })
        .collect()
}

/// Returns the window that `meta.json` describes under this name, and whether there is a key.
fn spec(meta: &Value, window: &str) -> (WindowSpec, bool) {
    let (name, keyed) = window
        .strip_suffix("_nokey")
        .map_or((window, true), |name| (name, false));
    let spec = match &meta["windows"][name] {
        Value::Number(gap) => {
            let gap = std::time::Duration::from_secs_f64(gap.as_f64().unwrap());
            Session::gap(gap).into()
        }
        Value::Array(spans) => {
            let span = |index: usize| spans[index].as_str().map(|text| span(text).unwrap());
            let size = span(0).expect("a window has a size");
            let hopping = Hopping::of(size).every(span(1).unwrap_or(size));
            hopping.offset(span(2).unwrap_or_default()).into()
        }
        _ => panic!("no window `{name}` in meta.json"),
    };
    (spec, keyed)
}

fn folder() -> PathBuf {
    match std::env::var_os("HEADWATER_REFERENCE") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/spark-windows"),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Reads the micro-batches of one stream; an empty file is a frame without columns.
fn events(folder: &Path, stream: &str) -> Vec<DataFrame> {
    files(&folder.join("events").join(stream))
        .iter()
        .map(|file| frame(&lines(file)))
        .collect()
}

fn frame(events: &[Value]) -> DataFrame {
    if events.is_empty() {
        return DataFrame::empty();
    }
    let micros = |event: &Value| {
        let time = chrono::DateTime::parse_from_rfc3339(event["t"].as_str()?).unwrap();
        Some(time.timestamp_micros())
    };
    let times: Vec<Option<i64>> = events.iter().map(micros).collect();
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let texts = |field: &str| -> Vec<Option<&str>> {
        events.iter().map(|event| event[field].as_str()).collect()
    };
    let mut frame = df!(
        "key" => texts("key"),
        "value" => events.iter().map(|event| event["value"].as_i64()).collect::<Vec<_>>(),
        "x" => events.iter().map(|event| event["x"].as_f64()).collect::<Vec<_>>(),
        "user" => texts("user"),
    )
    .unwrap();
    frame
        .with_column(Series::new("t".into(), times).cast(&utc).unwrap().into())
        .unwrap();
    frame
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Returns a result in the form of the reference.
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
