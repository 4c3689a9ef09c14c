//! The log of a partition: batches in segments, looked up by offset and by time.
//!
//! - [`batch`]: the header of a record batch, checked and rewritten
//! - [`records`]: offset and time of the records in a batch
//! - [`segment`]: batches one after another in one piece of memory
//! - [`producers`]: sequence numbers of idempotent producers, and their open transactions
//! - [`control`]: the markers that end transactions
//! - [`stability`]: the last stable offset, and which transactions were aborted
//! - [`epochs`]: which leader wrote from which offset on
//! - [`partition`]: the log itself

pub mod batch;
pub mod control;
pub mod epochs;
pub mod partition;
pub mod producers;
pub mod records;
pub mod segment;
pub mod stability;

pub use batch::BatchHeader;
pub use control::Marker;
pub use epochs::Epochs;
pub use partition::{Appending, OutOfRange, PartitionLog};
pub use producers::Verdict;
pub use records::RecordTime;
pub use stability::{Aborted, Stability};
