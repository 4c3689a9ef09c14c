//! A log as it was stored: what it knew besides its batches is worked out from them again.

use super::BatchHeader;
use super::batch;
use super::partition::PartitionLog;
use super::segment::Segment;
use crate::brokers::{LogRecorder, StoredLog};

impl PartitionLog {
    /// Returns a log with these segments: its ends, its leader epochs and the sequence numbers of
    /// its producers are as they were.
    pub fn restored(recorder: LogRecorder, stored: &StoredLog, now_ms: i64) -> PartitionLog {
        let mut log = PartitionLog::recorded_by(recorder);
        let last = stored.segments.len().saturating_sub(1);
        for (number, segment) in stored.segments.iter().enumerate() {
            let base_offset = segment.base_offset;
            if number == 0 {
                log.earliest = base_offset;
            }
            log.latest = log.latest.max(base_offset);
            let segment = Segment::restored(base_offset, &segment.pieces, number == last, now_ms);
            for index in 0..segment.batches() {
                log.note_restored(segment.batch(index));
            }
            log.bytes += segment.size() as u64;
            log.segments.push_back(segment);
        }
        log.earliest = log.earliest.max(stored.start_offset);
        log.latest = log.latest.max(log.earliest);
        log.epochs.drop_before(log.earliest);
        log.relearn(now_ms);
        log
    }

    /// Reads a closed segment from its file from now on. Returns false where the segment has
    /// changed since.
    pub fn map_segment(&mut self, base_offset: i64, file: bytes::Bytes) -> bool {
        let at = self
            .segments
            .binary_search_by_key(&base_offset, Segment::base_offset);
        at.is_ok_and(|at| self.segments[at].map(file))
    }

    fn note_restored(&mut self, bytes: &[u8]) {
        let Some(header) = BatchHeader::parse(bytes) else {
            return;
        };
        self.epochs
            .begin(batch::leader_epoch(bytes), header.base_offset);
        self.latest = header.last_offset() + 1;
    }
}
