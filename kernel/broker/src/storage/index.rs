//! The indexes of a segment, in Kafka's own format.
//!
//! `.index`: offset of a batch's last record, relative to the segment (4 bytes), and where the
//! batch begins (4). `.timeindex`: the highest timestamp so far (8), and the last offset, relative
//! (4), of the batch that brought it. One entry at most every `index.interval.bytes`, big endian.

use crate::log::BatchHeader;

/// Kafka's default for `index.interval.bytes`.
pub const INTERVAL_BYTES: usize = 4096;

/// Builds both indexes of one segment while batches come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexBuilder {
    base_offset: i64,
    interval_bytes: usize,
    since_entry: usize,
    offsets: Vec<u8>,
    times: Vec<u8>,
    last_time_ms: i64,
    highest_time_ms: i64,
    offset_of_highest: i64,
}

impl IndexBuilder {
    pub fn new(base_offset: i64, interval_bytes: usize) -> IndexBuilder {
        IndexBuilder {
            base_offset,
            interval_bytes,
            since_entry: 0,
            offsets: Vec::new(),
            times: Vec::new(),
            last_time_ms: -1,
            highest_time_ms: -1,
            offset_of_highest: base_offset,
        }
    }

    /// Notes a batch that begins at `position`; its header tells its place in the log.
    pub fn note(&mut self, header: &BatchHeader, position: u64) {
        if header.max_timestamp > self.highest_time_ms {
            self.highest_time_ms = header.max_timestamp;
            self.offset_of_highest = header.last_offset();
        }
        if self.since_entry > self.interval_bytes {
            let offset = self.relative(header.last_offset());
            self.offsets.extend_from_slice(&offset.to_be_bytes());
            let position = position as u32;
            self.offsets.extend_from_slice(&position.to_be_bytes());
            self.note_time();
            self.since_entry = 0;
        }
        self.since_entry += header.size;
    }

    /// Returns the content of `.index` and `.timeindex`, should the segment end here.
    pub fn files(&self) -> (Vec<u8>, Vec<u8>) {
        let mut last = self.clone();
        last.note_time();
        (last.offsets, last.times)
    }

    fn note_time(&mut self) {
        if self.highest_time_ms <= self.last_time_ms {
            return;
        }
        self.last_time_ms = self.highest_time_ms;
        let offset = self.relative(self.offset_of_highest);
        self.times
            .extend_from_slice(&self.highest_time_ms.to_be_bytes());
        self.times.extend_from_slice(&offset.to_be_bytes());
    }

    fn relative(&self, offset: i64) -> i32 {
        (offset - self.base_offset) as i32
    }
}
