//! The storage shell: what the brokers changed goes to files, and comes back after a crash.
//!
//! ```text
//! DIR/meta.properties                          format of the directory
//! DIR/facts/00000000000000000000.log           topics, groups, offsets …: the newest value counts
//! DIR/node-1/orders-0/00000000000000000000.log batches as they came, in segments
//!                     00000000000000000000.index, .timeindex
//! ```
//!
//! - [`gate`]: holds replies until what they tell of is stored
//! - `writer`: one thread that writes, and lets several steps share a sync
//! - `store`, `log_files`, `journal`, `index`, `records`: from changes to files
//! - `recover`, `recover_log`, [`scan()`]: from files to what the brokers are restored from
//! - `directory`, `checkpoint`: lock, format, good points, the mark of a clean end
//! - `handles`, `mapped`, [`disk`]: open files, files read in place, the file system itself

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use crate::error::Error;

mod checkpoint;
mod directory;
pub mod disk;
pub mod gate;
mod handles;
mod index;
mod journal;
mod log_files;
mod mapped;
mod records;
mod recover;
mod recover_log;
mod scan;
mod store;
mod writer;

pub use crate::description::Truncated;
pub use directory::Storage;
pub use disk::{Disk, DiskFile, DiskRef};
pub use gate::{Gate, Passed};
pub use scan::{Fault, Gaps, Scan, scan};
pub use writer::{Event, Writer};

/// When what was written is forced to the disk. The end of the process alone never loses what was
/// acknowledged: files are written before a reply goes. This is about a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// When the system sees fit.
    None,
    /// Every so often; records of the last moment may be lost. Default: 1 s.
    Interval(Duration),
    /// Before each acknowledgement. Requests that come together share one sync.
    Batch,
}

impl Default for Flush {
    fn default() -> Self {
        Flush::Interval(Duration::from_secs(1))
    }
}

impl FromStr for Flush {
    type Err = String;

    fn from_str(text: &str) -> Result<Flush, String> {
        match text {
            "none" => Ok(Flush::None),
            "interval" => Ok(Flush::default()),
            "batch" => Ok(Flush::Batch),
            other => Err(format!("`{other}` is none of: none, interval, batch")),
        }
    }
}

impl fmt::Display for Flush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flush::None => "none",
            Flush::Interval(_) => "interval",
            Flush::Batch => "batch",
        })
    }
}

fn failing(path: &Path, source: std::io::Error) -> Error {
    Error::Storage {
        path: path.display().to_string(),
        source,
    }
}

fn damaged(path: &Path, offset: i64, position: usize, why: &str) -> Error {
    Error::Damaged {
        file: path.display().to_string(),
        offset,
        position: position as u64,
        why: why.to_owned(),
    }
}
