//! A segment: batches one after another in one piece of memory, with their positions.

use bytes::Bytes;

use super::batch::{self, BatchHeader};

/// A run of batches. The last segment of a log grows; the ones before it are sealed.
#[derive(Debug)]
pub struct Segment {
    base_offset: i64,
    store: Store,
    /// Where each batch begins. Offsets and times are read from the batch itself, so that a log
    /// of small batches stays close to the size of its bytes.
    positions: Vec<u32>,
    max_timestamp: i64,
    opened_ms: i64,
}

#[derive(Debug)]
enum Store {
    Open(Vec<u8>),
    Sealed(Bytes),
}

impl Segment {
    /// Returns an empty segment whose first record will have `base_offset`.
    pub fn open(base_offset: i64, now_ms: i64) -> Segment {
        Segment {
            base_offset,
            store: Store::Open(Vec::new()),
            positions: Vec::new(),
            max_timestamp: -1,
            opened_ms: now_ms,
        }
    }

    /// Returns a segment with these batches, as it was stored; only the last of a log grows again.
    pub fn restored(base_offset: i64, pieces: &[Bytes], last: bool, now_ms: i64) -> Segment {
        let mut segment = Segment::open(base_offset, now_ms);
        let store = match pieces {
            [whole] if !last => Store::Sealed(whole.clone()),
            pieces => Store::Open(pieces.concat()),
        };
        segment.store = store;
        let mut position = 0;
        while let Some(header) = BatchHeader::parse(&segment.bytes()[position..]) {
            segment.positions.push(position as u32);
            segment.saw_timestamp(header.max_timestamp);
            position += header.size;
        }
        if !last {
            segment.seal();
        }
        segment
    }

    /// Reads from a file from now on, where it holds the same bytes. Returns false where it does
    /// not: the segment has changed since, or still grows.
    pub fn map(&mut self, file: Bytes) -> bool {
        match &mut self.store {
            Store::Sealed(bytes) if *bytes == file => {
                *bytes = file;
                true
            }
            _ => false,
        }
    }

    /// Copies a batch to the end and returns it for its offset to be written in.
    ///
    /// # Panics
    /// Where the segment is sealed.
    pub fn push(&mut self, bytes: &[u8]) -> &mut [u8] {
        let Store::Open(store) = &mut self.store else {
            panic!("a sealed segment does not grow");
        };
        // A quarter more, not twice as much: memory held stays near the bytes stored.
        let spare = store.capacity() - store.len();
        if spare < bytes.len() {
            store.reserve_exact(bytes.len().max(store.len() / 4).max(1024));
        }
        let position = store.len();
        self.positions.push(position as u32);
        store.extend_from_slice(bytes);
        &mut store[position..]
    }

    /// Copies a batch to the end that has its offset already.
    ///
    /// # Panics
    /// Where the segment is sealed.
    pub fn push_stored(&mut self, bytes: &[u8]) {
        self.push(bytes);
        self.saw_timestamp(batch::BatchHeader::parse(bytes).map_or(-1, |h| h.max_timestamp));
    }

    /// Notes the highest timestamp of the batch pushed last.
    pub fn saw_timestamp(&mut self, timestamp_ms: i64) {
        self.max_timestamp = self.max_timestamp.max(timestamp_ms);
    }

    /// Closes the segment; reading from it copies nothing from now on.
    pub fn seal(&mut self) {
        if let Store::Open(store) = &mut self.store {
            let mut store = std::mem::take(store);
            store.shrink_to_fit();
            self.positions.shrink_to_fit();
            self.store = Store::Sealed(Bytes::from(store));
        }
    }

    /// Returns true while batches can be added.
    pub fn is_open(&self) -> bool {
        matches!(self.store, Store::Open(_))
    }

    /// Returns the bytes of a closed segment.
    pub fn closed(&self) -> Option<Bytes> {
        match &self.store {
            Store::Sealed(bytes) => Some(bytes.clone()),
            Store::Open(_) => None,
        }
    }

    /// Keeps a closed segment in `bytes` from now on, if they are the same as its own.
    pub fn share(&mut self, bytes: Bytes) -> bool {
        match &mut self.store {
            Store::Sealed(own) if *own == bytes => {
                *own = bytes;
                true
            }
            _ => false,
        }
    }

    /// Keeps the first `batches` of them, and can be added to again.
    pub fn truncate(&mut self, batches: usize) {
        if batches >= self.positions.len() {
            return;
        }
        let end = self.position(batches);
        let kept = self.bytes()[..end].to_vec();
        self.store = Store::Open(kept);
        self.positions.truncate(batches);
        let header = |index| batch::BatchHeader::parse(self.batch(index));
        let times = (0..batches).filter_map(|index| Some(header(index)?.max_timestamp));
        self.max_timestamp = times.max().unwrap_or(-1);
    }

    /// Returns true where some batch holds `offset` or comes after it.
    pub fn holds_after(&self, offset: i64) -> bool {
        self.find(offset) < self.batches()
    }

    pub fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// Returns the highest timestamp in the segment, -1 where there is none.
    pub fn max_timestamp(&self) -> i64 {
        self.max_timestamp
    }

    /// Returns the highest timestamp of the first batch; the time at which it arrived where it
    /// tells none.
    pub fn first_timestamp(&self) -> i64 {
        let first = (self.batches() > 0).then(|| self.batch(0));
        let header = first.and_then(batch::BatchHeader::parse);
        let timestamp = header.map_or(-1, |header| header.max_timestamp);
        if timestamp >= 0 {
            timestamp
        } else {
            self.opened_ms
        }
    }

    /// Returns the time at which the first batch arrived.
    pub fn opened_ms(&self) -> i64 {
        self.opened_ms
    }

    pub fn size(&self) -> usize {
        self.bytes().len()
    }

    pub fn batches(&self) -> usize {
        self.positions.len()
    }

    /// Returns all batches.
    pub fn all(&self) -> Bytes {
        self.read(0, i64::MAX, usize::MAX, false)
    }

    /// Returns batch number `index`, as stored.
    pub fn batch(&self, index: usize) -> &[u8] {
        let end = self.position(index + 1);
        &self.bytes()[self.position(index)..end]
    }

    /// Returns the number of the batch that holds `offset`, or of the first one after it.
    pub fn find(&self, offset: i64) -> usize {
        let bytes = self.bytes();
        self.positions
            .partition_point(|&at| batch::last_offset(&bytes[at as usize..]) < offset)
    }

    /// Returns whole batches from number `index` on, at most `max_bytes` of them; the first one
    /// comes whatever its size where `at_least_one` says so. Batches with records at the offset
    /// `below` or after it do not.
    pub fn read(&self, index: usize, below: i64, max_bytes: usize, at_least_one: bool) -> Bytes {
        let start = self.position(index);
        let limit = start.saturating_add(max_bytes);
        if below < i64::MAX {
            let allowed = self.find(below).saturating_sub(index);
            return self.read_some(index, allowed, limit, at_least_one);
        }
        self.read_some(index, usize::MAX, limit, at_least_one)
    }

    /// Returns at most `allowed` batches from number `index` on that end before `limit`.
    fn read_some(&self, index: usize, allowed: usize, limit: usize, at_least_one: bool) -> Bytes {
        let start = self.position(index);
        let ends = &self.positions[(index + 1).min(self.positions.len())..];
        let fitting = ends.partition_point(|&end| end as usize <= limit);
        let mut stop = index + fitting;
        // The last batch has no successor whose position would be its end.
        if fitting == ends.len() && self.size() <= limit {
            stop = self.positions.len();
        }
        if stop == index && at_least_one {
            stop = index + 1;
        }
        let stop = stop.min(index.saturating_add(allowed));
        let range = start..self.position(stop);
        match &self.store {
            Store::Open(store) => Bytes::copy_from_slice(&store[range]),
            Store::Sealed(store) => store.slice(range),
        }
    }

    /// Returns where batch number `index` begins; the end of the segment for the one after the last.
    pub fn position(&self, index: usize) -> usize {
        match self.positions.get(index) {
            Some(&at) => at as usize,
            None => self.size(),
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.store {
            Store::Open(store) => store,
            Store::Sealed(store) => store,
        }
    }
}
