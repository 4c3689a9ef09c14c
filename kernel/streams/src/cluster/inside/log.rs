//! The inside of one log: segments, batches and index entries of one partition on one node.

use headwater_broker::{LogInspection, LogQuery};
use polars::df;
use polars::prelude::DataFrame;

use super::super::Inner;
use super::with_times;
use crate::Result;
use crate::frame::Bundle;
use crate::table::{Table, plural};

/// So many batches are looked at; a card and a picture show fewer.
const MOST_BATCHES: usize = 1000;

/// One partition's log as it lies on a node; as the value of a cell it shows itself as a card.
#[derive(Debug, Clone)]
pub struct LogInside {
    log: LogInspection,
}

/// Looks into the log of the leader, or of the node that is named.
pub(crate) fn look_into(
    cluster: &Inner,
    topic: &str,
    partition: i32,
    node: Option<i32>,
) -> Result<LogInside> {
    let of = LogQuery {
        topic: topic.to_owned(),
        partition,
        node,
        most_batches: MOST_BATCHES,
    };
    let log = cluster.home.inspect(&cluster.bootstrap, &of)?;
    Ok(LogInside { log })
}

impl LogInside {
    /// Returns one row a segment: base_offset, end_offset, batches, bytes, index_entries,
    /// max_timestamp, opened, active.
    ///
    /// # Errors
    /// None that a person could cause.
    pub fn segments(&self) -> Result<DataFrame> {
        let rows = &self.log.segments;
        let frame = df!(
            "base_offset" => rows.iter().map(|s| s.base_offset).collect::<Vec<_>>(),
            "end_offset" => rows.iter().map(|s| s.end_offset).collect::<Vec<_>>(),
            "batches" => rows.iter().map(|s| s.batches as i64).collect::<Vec<_>>(),
            "bytes" => rows.iter().map(|s| s.bytes as i64).collect::<Vec<_>>(),
            "index_entries" => rows.iter().map(|s| s.index.len() as i64).collect::<Vec<_>>(),
            "max_timestamp" => rows.iter().map(|s| s.max_timestamp_ms).collect::<Vec<_>>(),
            "opened" => rows.iter().map(|s| s.opened_ms).collect::<Vec<_>>(),
            "active" => rows.iter().map(|s| s.active).collect::<Vec<_>>(),
        )?;
        Ok(with_times(frame, &["max_timestamp", "opened"])?)
    }

    /// Returns one row a batch, the newest 1,000 of them: base_offset, last_offset, records,
    /// bytes, segment, position, codec, leader_epoch, base_timestamp, max_timestamp, producer_id,
    /// producer_epoch, base_sequence, transactional, control.
    ///
    /// # Errors
    /// None that a person could cause.
    pub fn batches(&self) -> Result<DataFrame> {
        let rows = &self.log.batches;
        let frame = df!(
            "base_offset" => rows.iter().map(|b| b.base_offset).collect::<Vec<_>>(),
            "last_offset" => rows.iter().map(|b| b.last_offset).collect::<Vec<_>>(),
            "records" => rows.iter().map(|b| b.records).collect::<Vec<_>>(),
            "bytes" => rows.iter().map(|b| b.bytes as i64).collect::<Vec<_>>(),
            "segment" => rows.iter().map(|b| b.segment).collect::<Vec<_>>(),
            "position" => rows.iter().map(|b| i64::from(b.position)).collect::<Vec<_>>(),
            "codec" => rows.iter().map(|b| b.codec.clone()).collect::<Vec<_>>(),
            "leader_epoch" => rows.iter().map(|b| b.leader_epoch).collect::<Vec<_>>(),
            "base_timestamp" => rows.iter().map(|b| b.base_timestamp_ms).collect::<Vec<_>>(),
            "max_timestamp" => rows.iter().map(|b| b.max_timestamp_ms).collect::<Vec<_>>(),
            "producer_id" => rows.iter().map(|b| (b.producer_id >= 0).then_some(b.producer_id)).collect::<Vec<_>>(),
            "producer_epoch" => rows.iter().map(|b| (b.producer_id >= 0).then_some(i32::from(b.producer_epoch))).collect::<Vec<_>>(),
            "base_sequence" => rows.iter().map(|b| (b.producer_id >= 0 && !b.control).then_some(b.base_sequence)).collect::<Vec<_>>(),
            "transactional" => rows.iter().map(|b| b.transactional).collect::<Vec<_>>(),
            "control" => rows.iter().map(|b| b.control).collect::<Vec<_>>(),
        )?;
        Ok(with_times(frame, &["base_timestamp", "max_timestamp"])?)
    }

    /// Returns the entries of the sparse indexes: segment, offset, position, max_timestamp.
    ///
    /// # Errors
    /// None that a person could cause.
    pub fn index(&self) -> Result<DataFrame> {
        let segments = self.log.segments.iter();
        let rows: Vec<_> = segments
            .flat_map(|segment| {
                segment
                    .index
                    .iter()
                    .map(|entry| (segment.base_offset, entry))
            })
            .collect();
        let frame = df!(
            "segment" => rows.iter().map(|(segment, _)| *segment).collect::<Vec<_>>(),
            "offset" => rows.iter().map(|(_, e)| e.offset).collect::<Vec<_>>(),
            "position" => rows.iter().map(|(_, e)| i64::from(e.position)).collect::<Vec<_>>(),
            "max_timestamp" => rows.iter().map(|(_, e)| e.max_timestamp_ms).collect::<Vec<_>>(),
        )?;
        Ok(with_times(frame, &["max_timestamp"])?)
    }

    /// Shows the log as the value of a cell.
    pub fn evcxr_display(&self) {
        let shown = self.bundle();
        crate::display::result(
            shown.unwrap_or_else(|cause| crate::table::text(&cause.to_string())),
        );
    }

    fn bundle(&self) -> Result<Bundle> {
        let segments = Table::of(&self.segments()?).caption(self.to_string());
        let batches = Table::of(&self.batches()?).caption("batches");
        Ok(Bundle::from([
            (
                "text/html".into(),
                format!("{}<br>{}", segments.html(), batches.html()),
            ),
            (
                "text/plain".into(),
                format!("{}\n\n{}", segments.text(), batches.text()),
            ),
        ]))
    }
}

/// One line on what the log holds.
impl std::fmt::Display for LogInside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let LogInspection {
            topic,
            partition,
            node,
            segments,
            batches,
            batches_left_out,
        } = &self.log;
        let bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
        write!(
            f,
            "{topic} partition {partition} on node {node}: {} in {}, {bytes} bytes",
            match batches.len() + *batches_left_out as usize {
                1 => "1 batch".to_owned(),
                count => format!("{count} batches"),
            },
            plural(segments.len(), "segment"),
        )
    }
}
