//! What a log looks like inside.

use super::batch::{self, BatchHeader};
use super::codec::Codec;
use super::partition::PartitionLog;
use super::segment::Segment;
use crate::inspection::{BatchInspection, IndexEntry, LogInspection, SegmentInspection};

/// Kafka's default for `index.interval.bytes`.
const INDEX_INTERVAL_BYTES: usize = 4096;

impl PartitionLog {
    /// Returns all segments and the newest `most` batches. Topic, partition and node are left for
    /// the caller to fill in.
    pub fn inspect(&self, most: usize) -> LogInspection {
        let all = self.all_segments();
        let segments = all.iter().enumerate().map(|(at, segment)| {
            let next = all.get(at + 1).map(|next| next.base_offset());
            described(segment, next.unwrap_or(self.latest()), next.is_none())
        });
        let mut batches: Vec<BatchInspection> = Vec::new();
        'newest_first: for segment in all.iter().rev() {
            for number in (0..segment.batches()).rev() {
                if batches.len() == most {
                    break 'newest_first;
                }
                batches.extend(batch(segment, number));
            }
        }
        batches.reverse();
        LogInspection {
            segments: segments.collect(),
            batches_left_out: (self.batches() - batches.len()) as u64,
            batches,
            ..LogInspection::default()
        }
    }
}

fn described(segment: &Segment, end_offset: i64, active: bool) -> SegmentInspection {
    SegmentInspection {
        base_offset: segment.base_offset(),
        end_offset,
        batches: segment.batches() as u64,
        bytes: segment.size() as u64,
        max_timestamp_ms: segment.max_timestamp(),
        opened_ms: segment.opened_ms(),
        active,
        index: index(segment),
    }
}

/// Walks over the batches as Kafka does when it appends them: an entry is due once more than the
/// interval was written since the last one, and names the batch that comes next.
fn index(segment: &Segment) -> Vec<IndexEntry> {
    let mut entries = Vec::new();
    let (mut since, mut max_timestamp_ms) = (0, -1);
    for number in 0..segment.batches() {
        let Some(header) = BatchHeader::parse(segment.batch(number)) else {
            continue;
        };
        max_timestamp_ms = max_timestamp_ms.max(header.max_timestamp);
        if since > INDEX_INTERVAL_BYTES {
            entries.push(IndexEntry {
                offset: header.last_offset(),
                position: segment.position(number) as u32,
                max_timestamp_ms,
            });
            since = 0;
        }
        since += header.size;
    }
    entries
}

fn batch(segment: &Segment, number: usize) -> Option<BatchInspection> {
    let bytes = segment.batch(number);
    let header = BatchHeader::parse(bytes)?;
    Some(BatchInspection {
        base_offset: header.base_offset,
        last_offset: header.last_offset(),
        records: header.records,
        bytes: header.size as u64,
        segment: segment.base_offset(),
        position: segment.position(number) as u32,
        codec: Codec::of(header.attributes)
            .map_or("unknown", Codec::name)
            .to_owned(),
        leader_epoch: batch::leader_epoch(bytes),
        base_timestamp_ms: header.base_timestamp,
        max_timestamp_ms: header.max_timestamp,
        producer_id: header.producer_id,
        producer_epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
        transactional: header.is_transactional(),
        control: header.is_control(),
    })
}
