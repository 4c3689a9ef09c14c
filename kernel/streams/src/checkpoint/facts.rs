//! The parts of a checkpoint.

use serde::{Deserialize, Serialize};

use crate::record::decode::Settled;
use crate::window::Clock;

/// Which job a checkpoint belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Drawn when the checkpoint began; the sink keeps it too.
    pub job: String,
    /// The query, as JSON.
    pub query: String,
    /// The sink, in words.
    pub sink: String,
    /// What the records are read as.
    pub format: String,
    /// The id that the cluster gave the topic, where it gives any.
    pub topic_id: Option<String>,
}

/// What the last whole batch has left behind, beside the state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Committed {
    /// How many batches are done; the number of the next one.
    pub batches: u64,
    /// The next offset to read in each partition.
    pub offsets: Vec<i64>,
    pub clock: Clock,
    /// The dtypes that the records so far have settled.
    pub columns: Vec<Settled>,
    pub counts: Counts,
}

/// What all batches so far have done with their records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub input_rows: u64,
    pub output_rows: u64,
    pub late_rows: u64,
    pub without_time: u64,
    pub duplicates: u64,
    pub rejected: u64,
}

/// What a batch reads: everything from the committed offsets up to these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Planned {
    /// Its number.
    pub batch: u64,
    /// The offset behind the last record to read, per partition.
    pub ends: Vec<i64>,
}
