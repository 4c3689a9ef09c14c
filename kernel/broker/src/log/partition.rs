//! The log of one partition: segments in order, and what is known of its producers.

use std::collections::VecDeque;

use bytes::Bytes;

use super::batch::{self, BatchHeader};
use super::compaction;
use super::control::Marker;
use super::epochs::Epochs;
use super::producers::Producers;
use super::records::{RecordTime, record_times};
use super::segment::Segment;
use super::stability::{Aborted, Stability};
use crate::brokers::{LogChange, LogRecorder};
use crate::description::CleaningDescription;

/// A segment is closed once it holds this much, or less where the topic says so.
pub const SEGMENT_BYTES: usize = 1 << 20;

/// The records of one partition, from `earliest()` to just before `latest()`.
#[derive(Debug)]
pub struct PartitionLog {
    pub(super) earliest: i64,
    pub(super) latest: i64,
    pub(super) epochs: Epochs,
    pub(super) segments: VecDeque<Segment>,
    pub(super) bytes: u64,
    /// Everything before this offset has been through a cleaning.
    pub(super) cleaned_to: i64,
    pub(super) cleanings: VecDeque<CleaningDescription>,
    pub producers: Producers,
    pub stability: Stability,
    /// Told of every change, where the log must outlive the process.
    pub(super) recorder: LogRecorder,
}

/// An offset that is not between earliest and latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

/// How a batch is to be stored.
#[derive(Debug, Clone, Copy)]
pub struct Appending {
    pub now_ms: i64,
    pub segment_bytes: usize,
    pub segment_ms: i64,
    /// `message.timestamp.type=LogAppendTime`.
    pub append_time: bool,
}

impl PartitionLog {
    /// Returns an empty log.
    pub fn new() -> PartitionLog {
        PartitionLog {
            earliest: 0,
            latest: 0,
            epochs: Epochs::default(),
            segments: VecDeque::new(),
            bytes: 0,
            cleaned_to: 0,
            cleanings: VecDeque::new(),
            producers: Producers::default(),
            stability: Stability::default(),
            recorder: LogRecorder::default(),
        }
    }

    /// Returns an empty log that reports its changes.
    pub fn recorded_by(recorder: LogRecorder) -> PartitionLog {
        PartitionLog {
            recorder,
            ..PartitionLog::new()
        }
    }

    /// Returns the offset of the first record that can be read.
    pub fn earliest(&self) -> i64 {
        self.earliest
    }

    /// Returns the offset that the next record will get; also called the log end offset.
    pub fn latest(&self) -> i64 {
        self.latest
    }

    /// Returns which leader wrote from which offset on.
    pub fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// Lets the batches appended from now on carry this leader epoch.
    pub fn begin_epoch(&mut self, leader_epoch: i32) {
        self.epochs.begin(leader_epoch, self.latest);
    }

    /// Returns the bytes of all batches held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns how many batches are held.
    pub fn batches(&self) -> usize {
        self.segments.iter().map(Segment::batches).sum()
    }

    /// Returns the segments, oldest first.
    pub(super) fn all_segments(&self) -> Vec<&Segment> {
        self.segments.iter().collect()
    }

    /// Returns the timestamp of the record at `offset`, or of the first one after it.
    pub fn time_at(&self, offset: i64) -> Option<i64> {
        let holding = self.segments.iter().flat_map(|segment| {
            (segment.find(offset)..segment.batches()).map(|number| segment.batch(number))
        });
        holding
            .flat_map(record_times)
            .find(|time| time.offset >= offset)
            .map(|time| time.timestamp_ms)
    }

    /// Returns how many segments are held.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Stores a checked batch and returns the offset of its first record.
    pub fn append(&mut self, bytes: &[u8], header: &BatchHeader, how: Appending) -> i64 {
        self.roll(bytes.len(), how);
        let base_offset = self.latest;
        let segment = self.segments.back_mut().expect("roll leaves one open");
        let stored = segment.push(bytes);
        batch::place(stored, base_offset, self.epochs.newest());
        let mut timestamp_ms = header.max_timestamp;
        if how.append_time {
            batch::stamp(stored, how.now_ms);
            timestamp_ms = how.now_ms;
        }
        self.recorder
            .note(|| LogChange::Append(Bytes::copy_from_slice(stored)));
        segment.saw_timestamp(timestamp_ms);
        self.bytes += bytes.len() as u64;
        self.latest += i64::from(header.last_offset_delta) + 1;
        self.learn(header, bytes, base_offset, how.now_ms);
        base_offset
    }

    /// Notes what a batch at `base_offset` says of its producer and its transaction.
    pub(super) fn learn(
        &mut self,
        header: &BatchHeader,
        bytes: &[u8],
        base_offset: i64,
        now_ms: i64,
    ) {
        let producer = header.producer_id;
        if !header.is_control() {
            if self.producers.appended(header, base_offset, now_ms) {
                self.stability.begin(producer, base_offset);
            }
        } else if let Some((marker, coordinator_epoch)) = Marker::read(header, bytes) {
            let began = self.producers.ended(header, coordinator_epoch, now_ms);
            if let Some(first) = began {
                let aborted = marker == Marker::Abort;
                self.stability.end(producer, first, base_offset, aborted);
            }
        }
    }

    /// Works out anew, from the batches alone, what is known of producers and transactions: after
    /// the log was read from a disk, or batches at its end were taken back.
    pub fn relearn(&mut self, now_ms: i64) {
        self.producers = Producers::default();
        self.stability = Stability::default();
        let segments = std::mem::take(&mut self.segments);
        for bytes in segments
            .iter()
            .flat_map(|s| (0..s.batches()).map(|index| s.batch(index)))
        {
            if let Some(header) = BatchHeader::parse(bytes) {
                self.learn(&header, bytes, header.base_offset, now_ms);
            }
        }
        self.segments = segments;
        self.stability.forget_before(self.earliest);
    }

    /// Returns where the first undecided transaction begins, or the high watermark: before it
    /// lies what a read_committed reader may have.
    pub fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        let stable = self.stability.last_stable_offset(high_watermark);
        // The beginning of an open transaction may have been deleted.
        stable.max(self.earliest.min(high_watermark))
    }

    /// Returns the aborted transactions that have a part in `batches`, read from `offset` on.
    pub fn aborted_in(&self, offset: i64, batches: &[u8]) -> Vec<Aborted> {
        if self.stability.aborted() == 0 || batches.is_empty() {
            return Vec::new();
        }
        let mut rest = batches;
        let mut end = offset;
        while let Some(header) = BatchHeader::parse(rest) {
            end = header.last_offset() + 1;
            rest = &rest[header.size..];
        }
        self.stability.aborted_between(offset, end)
    }

    /// Returns whole batches from the one that holds `offset` on, at most `max_bytes`, and none
    /// with records at `below` or after it (the high watermark, for a reader).
    ///
    /// # Errors
    /// `OutOfRange`. At `latest()` there is nothing to read, which is no error.
    pub fn read(
        &self,
        offset: i64,
        below: i64,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Bytes, OutOfRange> {
        if offset < self.earliest || offset > self.latest {
            return Err(OutOfRange);
        }
        let first = self
            .segments
            .partition_point(|segment| segment.base_offset() <= offset)
            .saturating_sub(1);
        for segment in self.segments.range(first..) {
            let index = segment.find(offset);
            if index < segment.batches() {
                let below = if below < self.latest { below } else { i64::MAX };
                return Ok(segment.read(index, below, max_bytes, at_least_one));
            }
        }
        Ok(Bytes::new())
    }

    /// Returns the first record with a timestamp of at least `timestamp_ms`.
    pub fn find_time(&self, timestamp_ms: i64) -> Option<RecordTime> {
        let late_enough = |segment: &&Segment| segment.max_timestamp() >= timestamp_ms;
        self.segments
            .iter()
            .filter(late_enough)
            .find_map(|segment| {
                (0..segment.batches())
                    .map(|index| segment.batch(index))
                    .filter(|bytes| max_timestamp(bytes) >= timestamp_ms)
                    .flat_map(|bytes| self.readable_times(bytes))
                    .find(|time| time.timestamp_ms >= timestamp_ms)
            })
    }

    /// Returns the first of the records that carry the highest timestamp.
    pub fn find_max_timestamp(&self) -> Option<RecordTime> {
        let readable = |bytes: &&[u8]| batch::last_offset(bytes) >= self.earliest;
        let batches = self.segments.iter().flat_map(compaction::batches);
        let highest = batches
            .filter(readable)
            .map(|bytes| match batch::base_offset(bytes) >= self.earliest {
                true => max_timestamp(bytes),
                // Some of its records are deleted: one of those may have carried it.
                false => self
                    .readable_times(bytes)
                    .map(|time| time.timestamp_ms)
                    .max()
                    .unwrap_or(-1),
            })
            .max()?;
        self.find_time(highest)
    }

    fn readable_times(&self, batch: &[u8]) -> impl Iterator<Item = RecordTime> {
        let earliest = self.earliest;
        let times = record_times(batch).into_iter();
        times.filter(move |time| time.offset >= earliest)
    }

    /// Forgets the records before `offset`; memory is freed a segment at a time.
    ///
    /// # Errors
    /// `OutOfRange` for an offset beyond `latest()`.
    pub fn delete_before(&mut self, offset: i64) -> Result<(), OutOfRange> {
        if offset < 0 || offset > self.latest {
            return Err(OutOfRange);
        }
        if offset > self.earliest {
            self.earliest = offset;
            self.epochs.drop_before(offset);
            self.recorder.note(|| LogChange::DropBefore(offset));
        }
        while let Some(first) = self.segments.front() {
            let end = self
                .segments
                .get(1)
                .map_or(self.latest, Segment::base_offset);
            if end > self.earliest {
                break;
            }
            self.bytes -= first.size() as u64;
            self.segments.pop_front();
        }
        self.stability.forget_before(self.earliest);
        Ok(())
    }

    /// Drops whole segments from the front while `expired` says so of them: their highest
    /// timestamp, and the bytes that would remain without them. Returns true if any went.
    pub fn retain(&mut self, expired: impl Fn(i64, u64) -> bool) -> bool {
        let before = self.bytes;
        while let Some(first) = self.segments.front() {
            let size = first.size() as u64;
            if !expired(first.max_timestamp(), self.bytes - size) {
                break;
            }
            self.bytes -= size;
            self.segments.pop_front();
            let next = self
                .segments
                .front()
                .map_or(self.latest, Segment::base_offset);
            self.earliest = self.earliest.max(next);
        }
        self.stability.forget_before(self.earliest);
        let dropped = self.bytes < before;
        if dropped {
            let earliest = self.earliest;
            self.epochs.drop_before(earliest);
            self.recorder.note(|| LogChange::DropBefore(earliest));
        }
        dropped
    }

    /// Reports that the log is gone with its topic.
    pub(crate) fn deleted(&self) {
        self.recorder.note(|| LogChange::Delete);
    }

    /// Sees to an open segment with room for a batch of `size`.
    fn roll(&mut self, size: usize, how: Appending) {
        let limit = how.segment_bytes.min(SEGMENT_BYTES);
        if let Some(last) = self.segments.back_mut() {
            let old = how.now_ms - last.opened_ms() >= how.segment_ms;
            if last.is_open() && last.size() + size <= limit && !old {
                return;
            }
            last.seal();
        }
        self.segments
            .push_back(Segment::open(self.latest, how.now_ms));
        self.recorder.note(|| LogChange::Roll {
            base_offset: self.latest,
            opened_ms: how.now_ms,
        });
    }
}

impl Default for PartitionLog {
    fn default() -> Self {
        PartitionLog::new()
    }
}

fn max_timestamp(bytes: &[u8]) -> i64 {
    BatchHeader::parse(bytes).map_or(-1, |header| header.max_timestamp)
}
