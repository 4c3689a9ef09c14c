//! What a follower does to its log: it copies its leader's batches as they are, and cuts off what
//! its leader does not have.

use bytes::Bytes;

use super::batch::{self, BatchHeader};
use super::partition::{Appending, PartitionLog};
use super::segment::Segment;
use crate::brokers::LogChange;

impl PartitionLog {
    /// Stores whole batches that a leader sent, with the offsets and leader epochs they carry.
    /// `segment` is where the leader's segment begins that holds them; ours begins there too, so
    /// that the two are equal once they are closed. Returns the beginning of a segment that was
    /// closed for that.
    pub fn append_copies(&mut self, records: &[u8], segment: i64, how: Appending) -> Option<i64> {
        let mut rest = records;
        let mut closed = None;
        while let Some(header) = BatchHeader::parse(rest) {
            let (bytes, others) = rest.split_at(header.size);
            rest = others;
            // Compaction leaves gaps; there is never anything twice. A log that begins anew may
            // begin in the middle of a batch.
            if header.last_offset() < self.latest {
                continue;
            }
            closed = self.follow_segment(&header, segment, how).or(closed);
            self.append_copy(bytes, &header, how);
        }
        closed
    }

    fn append_copy(&mut self, bytes: &[u8], header: &BatchHeader, how: Appending) {
        let epoch = batch::leader_epoch(bytes);
        self.epochs.begin(epoch, header.base_offset);
        let last = self.segments.back_mut();
        let last = last.expect("follow_segment leaves one open");
        last.push(bytes);
        last.saw_timestamp(header.max_timestamp);
        self.bytes += bytes.len() as u64;
        self.latest = header.last_offset() + 1;
        self.recorder
            .note(|| LogChange::Append(Bytes::copy_from_slice(bytes)));
        self.learn(header, bytes, header.base_offset, how.now_ms);
    }

    /// Begins a segment where the leader began one.
    fn follow_segment(
        &mut self,
        header: &BatchHeader,
        segment: i64,
        how: Appending,
    ) -> Option<i64> {
        let mut closed = None;
        if let Some(last) = self.segments.back_mut() {
            if last.base_offset() >= segment && last.is_open() {
                return None;
            }
            last.seal();
            closed = Some(last.base_offset());
        }
        // The first batch that is left of a leader's segment may lie behind its beginning.
        let base_offset = match self.latest <= segment {
            true => segment,
            false => header.base_offset,
        };
        self.segments
            .push_back(Segment::open(base_offset, how.now_ms));
        self.recorder.note(|| LogChange::Roll {
            base_offset,
            opened_ms: how.now_ms,
        });
        closed
    }

    /// Returns where the segment begins that holds `offset`, or the one that will.
    pub fn segment_of(&self, offset: i64) -> i64 {
        let after = self
            .segments
            .partition_point(|segment| segment.base_offset() <= offset);
        let holding = after.checked_sub(1).and_then(|at| self.segments.get(at));
        match holding {
            Some(segment) if segment.holds_after(offset) => segment.base_offset(),
            _ => self
                .segments
                .get(after)
                .or(holding)
                .map_or(self.latest, Segment::base_offset),
        }
    }

    /// Returns where two logs part, as their leader sees it: the follower's log ends at `offset`
    /// with records of `epoch`; ours of that epoch, or of the one before it, end earlier (KIP-595).
    pub fn diverging(&self, epoch: i32, offset: i64) -> Option<(i32, i64)> {
        let (ours, end) = self
            .epochs
            .end_of(epoch, self.latest)
            .unwrap_or((self.epochs.newest(), self.latest));
        (ours < epoch || end < offset).then_some((ours, end))
    }

    /// Cuts off the batches with records at `offset` or after it. Returns how many records went.
    pub fn truncate_to(&mut self, offset: i64, now_ms: i64) -> u64 {
        if offset >= self.latest {
            // A leader that wrote nothing leaves nothing but its epoch.
            self.epochs.truncate_to(self.latest);
            return 0;
        }
        let mut records = 0;
        let mut latest = offset.max(self.earliest);
        while let Some(last) = self.segments.back_mut() {
            let keep = last.find(offset);
            for index in keep..last.batches() {
                let header = BatchHeader::parse(last.batch(index));
                records += header.map_or(0, |header| u64::try_from(header.records).unwrap_or(0));
                latest = latest.min(batch::base_offset(last.batch(index)));
            }
            let before = last.size();
            last.truncate(keep);
            self.bytes -= (before - last.size()) as u64;
            if keep > 0 {
                break;
            }
            self.segments.pop_back();
        }
        self.latest = latest;
        self.earliest = self.earliest.min(latest);
        self.epochs.truncate_to(latest);
        self.cleaned_to = self.cleaned_to.min(latest);
        self.recorder.note(|| LogChange::TruncateTo(latest));
        self.relearn(now_ms);
        records
    }

    /// Throws everything away; the next record gets `offset`.
    pub fn restart_at(&mut self, offset: i64, now_ms: i64) {
        self.segments.clear();
        self.bytes = 0;
        self.earliest = offset;
        self.latest = offset;
        self.epochs.truncate_to(i64::MIN);
        self.cleaned_to = offset;
        self.recorder.note(|| LogChange::RestartAt(offset));
        self.relearn(now_ms);
    }

    /// Returns the bytes of the closed segment that begins at `base_offset`.
    pub fn closed_segment(&self, base_offset: i64) -> Option<Bytes> {
        let found = self
            .segments
            .iter()
            .find(|s| s.base_offset() == base_offset);
        found.and_then(Segment::closed)
    }

    /// Returns the bytes of all closed segments, oldest first.
    pub fn closed_segments(&self) -> Vec<Bytes> {
        self.segments.iter().filter_map(Segment::closed).collect()
    }

    /// Keeps a closed segment in `bytes`, which another log holds already, if they are the same.
    /// Returns true where they are.
    pub fn share_segment(&mut self, base_offset: i64, bytes: Bytes) -> bool {
        let mut segments = self.segments.iter_mut();
        let found = segments.find(|segment| segment.base_offset() == base_offset);
        found.is_some_and(|segment| segment.share(bytes))
    }
}
