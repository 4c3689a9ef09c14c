//! The log of a partition: batches in segments, looked up by offset and by time.
//!
//! - [`batch`]: the header of a record batch, checked and rewritten
//! - [`codec`]: gzip, snappy, lz4, zstd
//! - [`records`]: the records in a batch
//! - [`segment`]: batches one after another in one piece of memory
//! - [`producers`]: sequence numbers of idempotent producers, and their open transactions
//! - [`control`]: the markers that end transactions
//! - [`stability`]: the last stable offset, and which transactions were aborted
//! - `copies`: what a follower does to its log
//! - [`epochs`]: which leader wrote from which offset on
//! - [`partition`]: the log itself
//! - [`compaction`], [`sweep`]: a log cleaned of what newer records replaced

pub mod batch;
pub mod codec;
pub mod compaction;
pub mod control;
mod copies;
pub mod epochs;
mod inspect;
pub mod partition;
pub mod producers;
pub mod records;
mod restore;
pub mod segment;
pub mod stability;
pub mod sweep;

pub use batch::BatchHeader;
pub use compaction::CompactionRules;
pub use control::Marker;
pub use epochs::Epochs;
pub use partition::{Appending, OutOfRange, PartitionLog};
pub use producers::Verdict;
pub use records::{Record, RecordTime, Records, Unreadable};
pub use stability::{Aborted, Stability};
