//! Recorded runs of Spark Structured Streaming, to lay beside a run of this library.

use headwater_streams::Batches;
use polars::prelude::*;
use serde_json::Value;

use crate::event_time;

macro_rules! recorded {
    ($file:literal) => {
        include_str!(concat!("../../../streams/tests/data/spark-windows/", $file))
    };
}

/// What went in: one text of JSON lines a micro-batch.
const EDGES: [&str; 10] = [
    recorded!("events/edges/batch-000.json"),
    recorded!("events/edges/batch-001.json"),
    recorded!("events/edges/batch-002.json"),
    recorded!("events/edges/batch-003.json"),
    recorded!("events/edges/batch-004.json"),
    recorded!("events/edges/batch-005.json"),
    recorded!("events/edges/batch-006.json"),
    recorded!("events/edges/batch-007.json"),
    recorded!("events/edges/batch-008.json"),
    recorded!("events/edges/batch-009.json"),
];
const APPEND: &str = recorded!("expected/edges.tumbling.append.jsonl");
const UPDATE: &str = recorded!("expected/edges.tumbling.update.jsonl");

/// A run of pyspark 4.3.0 over hand-made batches, as it was recorded: tumbling windows of 10 s by
/// `key`, a watermark 10 s behind the event time `t`.
#[derive(Debug, Clone)]
pub struct SparkRecording {
    frames: Vec<DataFrame>,
    batches: Vec<Value>,
}

fn recording(lines: &str) -> PolarsResult<SparkRecording> {
    let batches = lines
        .lines()
        .map(|line| serde_json::from_str(line).map_err(broken))
        .collect::<PolarsResult<Vec<Value>>>()?;
    let frames = EDGES
        .iter()
        .map(|text| frame(text))
        .collect::<PolarsResult<_>>()?;
    Ok(SparkRecording { frames, batches })
}

impl SparkRecording {
    /// Returns the recorded run in append mode.
    ///
    /// # Errors
    /// Never in practice: the recording is part of this library.
    pub fn append() -> PolarsResult<SparkRecording> {
        recording(APPEND)
    }

    /// Returns the recorded run in update mode.
    ///
    /// # Errors
    /// Never in practice: the recording is part of this library.
    pub fn update() -> PolarsResult<SparkRecording> {
        recording(UPDATE)
    }

    /// Returns what went in, one frame a micro-batch: t (datetime in microseconds, UTC), key (str),
    /// value (i64).
    pub fn frames(&self) -> Vec<DataFrame> {
        self.frames.clone()
    }

    /// Lays `ours` beside Spark, batch for batch: batch, spark_watermark, our_watermark, spark_rows,
    /// our_rows, spark_state, our_state, same_rows (window, key and both counts are equal).
    ///
    /// Our rows need the aggregates `rows` (count of rows) and `sum` (sum of value).
    ///
    /// # Errors
    /// When our rows lack one of these columns.
    pub fn beside(&self, ours: &Batches) -> PolarsResult<DataFrame> {
        let most = self.batches.len().max(ours.len());
        let progress = ours
            .progress()
            .map_err(|error| polars_err!(ComputeError: "{error}"))?;
        let watermarks = progress.column("watermark")?.str()?.clone();
        let numbers = |of: fn(&headwater_streams::BatchRun) -> usize| {
            let mut all: Vec<Option<u64>> = ours.iter().map(|run| Some(of(run) as u64)).collect();
            all.resize(most, None);
            all
        };
        let theirs = |name: &str| {
            (0..most)
                .map(|batch| self.batches.get(batch).and_then(|line| line[name].as_u64()))
                .collect::<Vec<_>>()
        };
        let same = (0..most).map(|batch| {
            let spark = self.batches.get(batch).map(spark_rows);
            let here = ours
                .iter()
                .nth(batch)
                .map(|run| our_rows(&run.rows))
                .transpose()?;
            Ok(spark.is_some() && spark == here)
        });
        let same = same.collect::<PolarsResult<Vec<bool>>>()?;
        df!(
            "batch" => (0..most as u64).collect::<Vec<_>>(),
            "spark_watermark" => (0..most).map(|batch| {
                let line = self.batches.get(batch)?;
                line["watermark"].as_str().map(|at| at.replace('T', " ").replace(".000Z", "").replace('Z', ""))
            }).collect::<Vec<_>>(),
            "our_watermark" => (0..most).map(|batch| watermarks.iter().nth(batch).flatten().map(str::to_owned)).collect::<Vec<_>>(),
            "spark_rows" => theirs("n_rows"),
            "our_rows" => numbers(|run| run.rows.height()),
            "spark_state" => theirs("state_rows"),
            "our_state" => numbers(|run| run.state_rows),
            "same_rows" => same,
        )
    }
}

/// Start, key, count and sum of one window.
type Row = (i64, Option<String>, i64, Option<i64>);

fn spark_rows(line: &Value) -> Vec<Row> {
    let rows = line["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let mut rows: Vec<Row> = rows
        .iter()
        .map(|row| {
            (
                row[0].as_i64().unwrap_or_default(),
                row[2].as_str().map(str::to_owned),
                row[3].as_i64().unwrap_or_default(),
                row[5].as_i64(),
            )
        })
        .collect();
    rows.sort();
    rows
}

fn our_rows(frame: &DataFrame) -> PolarsResult<Vec<Row>> {
    if frame.height() == 0 {
        return Ok(vec![]);
    }
    let start = frame.column("window_start")?.cast(&DataType::Int64)?;
    let (keys, counts, sums) = (
        frame.column("key")?.str()?.clone(),
        frame.column("rows")?.cast(&DataType::Int64)?,
        frame.column("sum")?.cast(&DataType::Int64)?,
    );
    let (start, counts, sums) = (start.i64()?, counts.i64()?, sums.i64()?);
    let mut rows: Vec<Row> = (0..frame.height())
        .map(|row| {
            (
                start.get(row).unwrap_or_default(),
                keys.get(row).map(str::to_owned),
                counts.get(row).unwrap_or_default(),
                sums.get(row),
            )
        })
        .collect();
    rows.sort();
    Ok(rows)
}

fn frame(text: &str) -> PolarsResult<DataFrame> {
    let rows = text
        .lines()
        .map(|line| serde_json::from_str(line).map_err(broken))
        .collect::<PolarsResult<Vec<Value>>>()?;
    let texts = |name: &str| {
        rows.iter()
            .map(|row| row[name].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let at: Vec<Option<i64>> = rows
        .iter()
        .map(|row| row["t"].as_str().and_then(micros))
        .collect();
    let value: Vec<Option<i64>> = rows.iter().map(|row| row["value"].as_i64()).collect();
    let frame = df!("t" => at, "key" => texts("key"), "value" => value)?;
    event_time::in_utc(frame, "t")
}

/// Reads `2025-03-01T10:00:00.000000Z` as microseconds since 1970.
fn micros(text: &str) -> Option<i64> {
    let (date, time) = text.trim_end_matches('Z').split_once('T')?;
    let whole = |text: &str| text.parse::<i64>().ok();
    let mut parts = date.splitn(3, '-').map(whole);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // Days since 1970 of a civil date, by Howard Hinnant: https://howardhinnant.github.io/date_algorithms.html
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let mut clock = time.splitn(3, ':');
    let (hour, minute, second) = (whole(clock.next()?)?, whole(clock.next()?)?, clock.next()?);
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let fraction = whole(&format!("{fraction:0<6}"))?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + whole(second)?) * 1_000_000 + fraction)
}

fn broken(error: serde_json::Error) -> PolarsError {
    polars_err!(ComputeError: "the recording cannot be read: {}", error)
}
