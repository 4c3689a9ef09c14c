//! What a disk holds: the sum of all changes so far. Brokers are restored from it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Change, Fact, Key, LogChange, Place};
use crate::log::batch;

/// Everything that survives the end of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    pub facts: BTreeMap<Key, Bytes>,
    pub logs: BTreeMap<Place, StoredLog>,
}

/// One log as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredLog {
    pub topic: String,
    /// Records before this offset are gone, even where their batch is still there.
    pub start_offset: i64,
    pub segments: Vec<StoredSegment>,
}

/// One segment as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredSegment {
    pub base_offset: i64,
    /// Whole batches one after another, in as many pieces as they came in.
    pub pieces: Vec<Bytes>,
}

impl Stored {
    /// Takes in the next change; a disk in memory, for tests and for the simulator.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Fact(Fact { key, value }) => match value {
                Some(value) => {
                    self.facts.insert(key.clone(), value.clone());
                }
                None => {
                    self.facts.remove(key);
                }
            },
            Change::Log(place, LogChange::Create { topic }) => {
                let log = StoredLog {
                    topic: topic.clone(),
                    ..StoredLog::default()
                };
                self.logs.insert(*place, log);
            }
            Change::Log(place, LogChange::Delete) => {
                self.logs.remove(place);
            }
            Change::Log(place, change) => {
                if let Some(log) = self.logs.get_mut(place) {
                    log.apply(change);
                }
            }
            Change::Barrier => {}
        }
    }
}

impl StoredLog {
    /// Returns the offset after the last record.
    pub fn next_offset(&self) -> i64 {
        let end = self.segments.last().map_or(0, StoredSegment::next_offset);
        end.max(self.start_offset)
    }

    fn apply(&mut self, change: &LogChange) {
        match change {
            LogChange::Append(bytes) => {
                let last = self.segments.last_mut();
                last.expect("a segment is begun before its first batch")
                    .pieces
                    .push(bytes.clone());
            }
            LogChange::Roll { base_offset, .. } => {
                self.segments.retain(|s| s.base_offset < *base_offset);
                self.segments.push(StoredSegment {
                    base_offset: *base_offset,
                    pieces: Vec::new(),
                });
            }
            LogChange::TruncateTo(offset) => self.truncate_to(*offset),
            LogChange::DropBefore(offset) => self.drop_before(*offset),
            LogChange::RestartAt(offset) => {
                self.segments.clear();
                self.start_offset = *offset;
            }
            LogChange::Replace { from, to, bytes } => {
                let replaced =
                    |segment: &StoredSegment| (*from..*to).contains(&segment.base_offset);
                let at = self.segments.partition_point(|s| s.base_offset < *from);
                self.segments.retain(|segment| !replaced(segment));
                self.segments.insert(
                    at,
                    StoredSegment {
                        base_offset: *from,
                        pieces: vec![bytes.clone()],
                    },
                );
            }
            LogChange::Create { .. } | LogChange::Delete => {}
        }
    }

    fn truncate_to(&mut self, offset: i64) {
        while self.segments.len() > 1
            && self
                .segments
                .last()
                .is_some_and(|s| s.base_offset >= offset)
        {
            self.segments.pop();
        }
        if let Some(last) = self.segments.last_mut() {
            let kept: Vec<Bytes> = last
                .batches()
                .filter(|b| batch::base_offset(b) < offset)
                .collect();
            last.pieces = kept;
        }
    }

    fn drop_before(&mut self, offset: i64) {
        self.start_offset = self.start_offset.max(offset);
        while let Some(first) = self.segments.first() {
            let end = match self.segments.get(1) {
                Some(next) => next.base_offset,
                None => first.next_offset(),
            };
            if end > offset {
                break;
            }
            self.segments.remove(0);
        }
    }
}

impl StoredSegment {
    /// Returns the offset after the last record.
    pub fn next_offset(&self) -> i64 {
        self.batches()
            .last()
            .map_or(self.base_offset, |bytes| batch::last_offset(&bytes) + 1)
    }

    /// Returns the batches, one by one.
    pub fn batches(&self) -> impl Iterator<Item = Bytes> {
        self.pieces.iter().flat_map(|piece| Batches(piece.clone()))
    }
}

/// Whole batches in one piece of memory.
struct Batches(Bytes);

impl Iterator for Batches {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let header = batch::BatchHeader::parse(&self.0)?;
        Some(self.0.split_to(header.size))
    }
}
