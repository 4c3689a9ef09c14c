//! The log of a partition: batches in segments, looked up by offset and by time.
//!
//! - [`batch`]: the header of a record batch, checked and rewritten
//! - [`records`]: offset and time of the records in a batch
//! - [`segment`]: batches one after another in one piece of memory
//! - [`producers`]: sequence numbers of idempotent producers
//! - [`epochs`]: which leader wrote from which offset on
//! - [`partition`]: the log itself

pub mod batch;
pub mod epochs;
pub mod partition;
pub mod producers;
pub mod records;
pub mod segment;

pub use batch::BatchHeader;
pub use epochs::Epochs;
pub use partition::{Appending, OutOfRange, PartitionLog};
pub use producers::Verdict;
pub use records::RecordTime;
