//! Which offsets are decided: the transactions that are open, and those that were aborted.
//!
//! The *last stable offset* is where the first undecided transaction begins, or the high
//! watermark where there is none. A read_committed reader gets records before it, and with them
//! the list of aborted transactions whose records it must leave out (KIP-98).

use std::collections::BTreeMap;

/// A transaction that was aborted, as far as it lies in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aborted {
    pub producer_id: i64,
    pub first_offset: i64,
    /// The offset of its marker.
    pub last_offset: i64,
    /// Every transaction that ends later begins at this offset or after it.
    stable: i64,
}

/// The transactions of one partition.
#[derive(Debug, Clone, Default)]
pub struct Stability {
    /// First offset of every open transaction, and its producer.
    open: BTreeMap<i64, i64>,
    /// First offset and marker of transactions that ended, until the marker is replicated.
    ended: BTreeMap<i64, i64>,
    /// In the order of their markers.
    aborted: Vec<Aborted>,
}

impl Stability {
    /// Notes that a producer began a transaction.
    pub fn begin(&mut self, producer_id: i64, first_offset: i64) {
        self.open.insert(first_offset, producer_id);
    }

    /// Notes that the transaction that began at `first_offset` has its marker at `last_offset`.
    pub fn end(&mut self, producer_id: i64, first_offset: i64, last_offset: i64, aborted: bool) {
        self.open.remove(&first_offset);
        self.ended.insert(first_offset, last_offset);
        if aborted {
            let first_open = self.open.first_key_value();
            self.aborted.push(Aborted {
                producer_id,
                first_offset,
                last_offset,
                stable: first_open.map_or(last_offset + 1, |(first, _)| *first),
            });
        }
    }

    /// Returns the last stable offset of a log whose high watermark is this.
    pub fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        let open = self.open.first_key_value().map(|(first, _)| *first);
        let mut ended = self.ended.iter();
        // A marker that is not replicated may be lost again: its transaction is still undecided.
        let ended = ended.find(|(_, marker)| **marker >= high_watermark);
        let first = [open, ended.map(|(first, _)| *first)];
        first
            .into_iter()
            .flatten()
            .fold(high_watermark, |lowest, first| lowest.min(first))
    }

    /// Forgets what a high watermark beyond the markers makes settled.
    pub fn settle(&mut self, high_watermark: i64) {
        self.ended.retain(|_, marker| *marker >= high_watermark);
    }

    /// Forgets aborted transactions that lie before `offset` altogether: their records are gone.
    pub fn forget_before(&mut self, offset: i64) {
        let gone = self
            .aborted
            .partition_point(|aborted| aborted.last_offset < offset);
        self.aborted.drain(..gone);
    }

    /// Returns the aborted transactions with records from `from` to just before `to`.
    pub fn aborted_between(&self, from: i64, to: i64) -> Vec<Aborted> {
        let first = self
            .aborted
            .partition_point(|aborted| aborted.last_offset < from);
        let mut found = Vec::new();
        for aborted in &self.aborted[first..] {
            if aborted.first_offset < to {
                found.push(*aborted);
            }
            if aborted.stable >= to {
                break;
            }
        }
        found
    }

    /// Returns producer and first offset of the open transactions, oldest first.
    pub fn open(&self) -> impl Iterator<Item = (i64, i64)> {
        self.open
            .iter()
            .map(|(first, producer)| (*producer, *first))
    }

    /// Returns how many aborted transactions are remembered.
    pub fn aborted(&self) -> usize {
        self.aborted.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_open_transaction_holds_the_last_stable_offset() {
        let mut stability = Stability::default();
        assert_eq!(stability.last_stable_offset(10), 10);
        stability.begin(1, 3);
        stability.begin(2, 5);
        assert_eq!(stability.last_stable_offset(10), 3);
        stability.end(1, 3, 8, false);
        assert_eq!(stability.last_stable_offset(10), 5);
        stability.end(2, 5, 9, true);
        assert_eq!(stability.last_stable_offset(10), 10);
    }

    #[test]
    fn marker_that_is_not_replicated_decides_nothing() {
        let mut stability = Stability::default();
        stability.begin(1, 3);
        stability.end(1, 3, 8, false);
        assert_eq!(stability.last_stable_offset(8), 3);
        assert_eq!(stability.last_stable_offset(9), 9);
        stability.settle(8);
        assert_eq!(stability.last_stable_offset(8), 3);
        stability.settle(9);
        assert_eq!(stability.last_stable_offset(9), 9);
    }

    #[test]
    fn aborted_are_found_by_the_offsets_they_cover() {
        let mut stability = Stability::default();
        stability.begin(1, 0);
        stability.begin(2, 2);
        stability.end(2, 2, 4, true); // 1 is open: it begins before, and ends after.
        stability.end(1, 0, 6, true);
        stability.begin(3, 10);
        stability.end(3, 10, 12, true);
        let found = |from, to| {
            let found = stability.aborted_between(from, to);
            found.iter().map(|a| a.producer_id).collect::<Vec<_>>()
        };
        assert_eq!(found(0, 2), [1]);
        assert_eq!(found(0, 3), [2, 1]);
        assert_eq!(found(5, 10), [1]);
        assert_eq!(found(5, 11), [1, 3]);
        assert_eq!(found(7, 100), [3]);
        assert_eq!(found(13, 100), [] as [i64; 0]);
    }

    #[test]
    fn aborted_before_the_first_record_are_forgotten() {
        let mut stability = Stability::default();
        for (first, last) in [(0, 2), (3, 5)] {
            stability.begin(1, first);
            stability.end(1, first, last, true);
        }
        stability.forget_before(2);
        assert_eq!(stability.aborted(), 2);
        stability.forget_before(3);
        assert_eq!(stability.aborted(), 1);
    }
}
