//! The inside of one log, for people to look at: segments, batches, index entries. These shapes
//! also cross the control channel.

use serde::{Deserialize, Serialize};

/// Which log to look into.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    pub topic: String,
    pub partition: i32,
    /// The node whose replica is meant; the leader's where none is named.
    pub node: Option<i32>,
    /// At most this many batches, the newest ones.
    pub most_batches: usize,
}

/// One replica's log at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogInspection {
    pub topic: String,
    pub partition: i32,
    /// The node that holds this replica.
    pub node: i32,
    pub segments: Vec<SegmentInspection>,
    /// The newest batches, oldest of them first; at most as many as were asked for.
    pub batches: Vec<BatchInspection>,
    /// Batches before those.
    pub batches_left_out: u64,
}

/// A segment: a run of batches that is dropped, or compacted, as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentInspection {
    pub base_offset: i64,
    /// The offset after its last record.
    pub end_offset: i64,
    pub batches: u64,
    pub bytes: u64,
    /// Highest timestamp of its records; -1 where it has none.
    pub max_timestamp_ms: i64,
    /// When its first batch arrived.
    pub opened_ms: i64,
    /// The last segment grows; the others are closed.
    pub active: bool,
    /// What Kafka's sparse index holds of it: an entry for about every `index.interval.bytes`.
    pub index: Vec<IndexEntry>,
}

/// One entry of an offset index and of the time index beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    pub offset: i64,
    /// Where the batch with this offset begins in the segment, in bytes.
    pub position: u32,
    /// The highest timestamp up to there.
    pub max_timestamp_ms: i64,
}

/// A batch as it lies in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchInspection {
    pub base_offset: i64,
    pub last_offset: i64,
    /// Records in it: fewer than its offsets where compaction took some.
    pub records: i32,
    pub bytes: u64,
    /// The segment that it lies in, by base offset, and where.
    pub segment: i64,
    pub position: u32,
    /// `none`, `gzip`, `snappy`, `lz4` or `zstd`.
    pub codec: String,
    pub leader_epoch: i32,
    pub base_timestamp_ms: i64,
    pub max_timestamp_ms: i64,
    /// -1 where the producer was not idempotent.
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub transactional: bool,
    /// A marker that ends a transaction, not data.
    pub control: bool,
}
