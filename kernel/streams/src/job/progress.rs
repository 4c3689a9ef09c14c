//! What one micro-batch of a job did, in the shape of Spark's progress records.

use std::time::Duration;

use polars::prelude::*;
use serde_json::{Value, json};

use crate::table::Table;
use crate::{Result, time};

/// What one micro-batch of a job did.
///
/// The fields are those of Spark's `StreamingQueryProgress`; [`BatchProgress::to_json`] writes
/// its very shape.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchProgress {
    /// The job's name.
    pub job: String,
    /// The number of the batch; it goes on after a restart.
    pub batch: u64,
    /// When the batch was done (epoch microseconds, by the clock of this machine).
    pub done_at: i64,
    /// Rows taken in. Records that were no rows are in `rejected_rows`.
    pub input_rows: usize,
    /// Records that were no rows.
    pub rejected_rows: usize,
    /// Rows taken in, by the time since the batch before was done.
    pub input_rows_per_s: f64,
    /// Rows taken in, by the time that the batch took.
    pub processed_rows_per_s: f64,
    /// The watermark in force during the batch (epoch microseconds); nothing where the query has
    /// none.
    pub watermark: Option<i64>,
    /// Groups in the state afterwards, changed and removed.
    pub state_rows: usize,
    pub updated: usize,
    pub removed: usize,
    /// (window, key) groups that came too late, counted after the batch's own aggregation.
    pub dropped_groups: usize,
    /// Rows that came too late; one row counts for each window that it missed.
    pub late_rows: usize,
    /// Rows whose event time is null: they are in no window.
    pub without_time: usize,
    /// Rows that were left out as duplicates.
    pub duplicates: usize,
    /// Keys that are remembered to tell duplicates.
    pub remembered: usize,
    /// About how many bytes the state takes in memory.
    pub state_bytes: usize,
    /// Rows that the sink got.
    pub sink_rows: usize,
    /// Offsets of the topic before and after, per partition.
    pub start_offsets: Vec<i64>,
    pub end_offsets: Vec<i64>,
    /// How long each step took.
    pub took: Took,
    pub(super) topic: String,
    pub(super) sink: String,
}

/// How long the steps of a micro-batch took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// Writing the plan down.
    pub plan: Duration,
    /// Reading and decoding.
    pub read: Duration,
    /// Filter, windows, state.
    pub process: Duration,
    /// The sink.
    pub write: Duration,
    /// State, offsets and watermark into the checkpoint.
    pub commit: Duration,
}

impl Took {
    /// Returns the sum.
    pub fn total(&self) -> Duration {
        self.plan + self.read + self.process + self.write + self.commit
    }
}

impl BatchProgress {
    /// Writes the record as JSON in the shape of Spark's `lastProgress`.
    pub fn to_json(&self) -> String {
        let offsets = |offsets: &[i64]| {
            let offsets = offsets.iter().enumerate();
            let by_partition: serde_json::Map<String, Value> = offsets
                .map(|(partition, offset)| (partition.to_string(), json!(offset)))
                .collect();
            json!({ self.topic.clone(): by_partition })
        };
        let ms = |span: Duration| span.as_millis() as u64;
        let mut state = vec![json!({
            "operatorName": "stateStoreSave",
            "numRowsTotal": self.state_rows,
            "numRowsUpdated": self.updated,
            "numRowsRemoved": self.removed,
            "numRowsDroppedByWatermark": self.dropped_groups,
            "memoryUsedBytes": self.state_bytes,
        })];
        if self.remembered > 0 || self.duplicates > 0 {
            let dropped = json!({ "numDroppedDuplicateRows": self.duplicates });
            state.push(json!({
                "operatorName": "dedupe",
                "numRowsTotal": self.remembered,
                "customMetrics": dropped,
            }));
        }
        let watermark = self.watermark.map(|at| json!({ "watermark": iso(at) }));
        let record = json!({
            "name": self.job,
            "timestamp": iso(self.done_at),
            "batchId": self.batch,
            "numInputRows": self.input_rows,
            "inputRowsPerSecond": self.input_rows_per_s,
            "processedRowsPerSecond": self.processed_rows_per_s,
            "durationMs": {
                "walCommit": ms(self.took.plan),
                "getBatch": ms(self.took.read),
                "addBatch": ms(self.took.process + self.took.write),
                "commitOffsets": ms(self.took.commit),
                "triggerExecution": ms(self.took.total()),
            },
            "eventTime": watermark.unwrap_or_else(|| json!({})),
            "stateOperators": state,
            "sources": [{
                "description": format!("topic {}", self.topic),
                "startOffset": offsets(&self.start_offsets),
                "endOffset": offsets(&self.end_offsets),
                "numInputRows": self.input_rows,
            }],
            "sink": { "description": self.sink, "numOutputRows": self.sink_rows },
        });
        format!("{record:#}")
    }

    /// Shows the record as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(crate::table::text(&self.to_json()));
    }
}

/// Returns one row a batch: batch, input_rows, rejected_rows, input_rows_per_s,
/// processed_rows_per_s, watermark, state_rows, updated, removed, dropped_groups, late_rows,
/// without_time, duplicates, remembered, state_bytes, sink_rows, took_ms.
pub(super) fn frame(records: &[BatchProgress]) -> Result<DataFrame> {
    let whole = |pick: fn(&BatchProgress) -> usize| -> Vec<i64> {
        records.iter().map(|record| pick(record) as i64).collect()
    };
    let real = |pick: fn(&BatchProgress) -> f64| -> Vec<f64> { records.iter().map(pick).collect() };
    let watermarks: Vec<Option<i64>> = records.iter().map(|record| record.watermark).collect();
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let mut frame = polars::df!(
        "batch" => whole(|record| record.batch as usize),
        "input_rows" => whole(|record| record.input_rows),
        "rejected_rows" => whole(|record| record.rejected_rows),
        "input_rows_per_s" => real(|record| record.input_rows_per_s),
        "processed_rows_per_s" => real(|record| record.processed_rows_per_s),
        "watermark" => watermarks,
        "state_rows" => whole(|record| record.state_rows),
        "updated" => whole(|record| record.updated),
        "removed" => whole(|record| record.removed),
        "dropped_groups" => whole(|record| record.dropped_groups),
        "late_rows" => whole(|record| record.late_rows),
        "without_time" => whole(|record| record.without_time),
        "duplicates" => whole(|record| record.duplicates),
        "remembered" => whole(|record| record.remembered),
        "state_bytes" => whole(|record| record.state_bytes),
        "sink_rows" => whole(|record| record.sink_rows),
        "took_ms" => real(|record| record.took.total().as_secs_f64() * 1e3),
    )?;
    let watermark = frame.column("watermark")?.cast(&utc)?;
    frame.with_column(watermark)?;
    Ok(frame)
}

/// Returns the last batches as a table under `caption`.
pub(super) fn table(records: &[BatchProgress], caption: String) -> Result<Table> {
    Ok(Table::of(&frame(records)?).caption(caption))
}

fn iso(at: i64) -> String {
    let mut text = Vec::new();
    time::write_iso(&mut text, at, 3, true);
    String::from_utf8(text).expect("digits are text")
}
