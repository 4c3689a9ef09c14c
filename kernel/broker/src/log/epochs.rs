//! Which leader epoch wrote from which offset on (KIP-101): two logs agree up to where the last
//! epoch that both know of ends.

/// The leader epochs of one log, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epochs {
    starts: Vec<Start>,
}

/// An epoch and the offset of its first record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    pub epoch: i32,
    pub offset: i64,
}

impl Epochs {
    /// Returns the newest epoch, 0 where nothing was written yet.
    pub fn newest(&self) -> i32 {
        self.starts.last().map_or(0, |start| start.epoch)
    }

    /// Returns the epoch of the last record, where there is one.
    pub fn last(&self) -> Option<i32> {
        self.starts.last().map(|start| start.epoch)
    }

    /// Returns the epochs and where each begins.
    pub fn starts(&self) -> &[Start] {
        &self.starts
    }

    /// Notes that records of `epoch` begin at `offset`. Epochs never go down.
    pub fn begin(&mut self, epoch: i32, offset: i64) {
        if self.starts.last().is_some_and(|last| last.epoch >= epoch) {
            return;
        }
        // An epoch in which nothing was written leaves no trace.
        while self.starts.last().is_some_and(|last| last.offset >= offset) {
            self.starts.pop();
        }
        self.starts.push(Start { epoch, offset });
    }

    /// Returns the newest epoch not above `epoch`, and the offset after its last record; `latest`
    /// is the end of the log. Returns nothing for an epoch newer than all, or older than all.
    pub fn end_of(&self, epoch: i32, latest: i64) -> Option<(i32, i64)> {
        let newest = self.newest();
        if epoch < 0 {
            return None;
        }
        if epoch == newest {
            return Some((epoch, latest));
        }
        let after = self.starts.partition_point(|start| start.epoch <= epoch);
        let next = self.starts.get(after)?;
        match self.starts[..after].last() {
            Some(found) => Some((found.epoch, next.offset)),
            // Its records are gone: the two logs can only agree before the oldest that is left.
            None => Some((epoch, next.offset)),
        }
    }

    /// Forgets the epochs that begin at `latest` or later.
    pub fn truncate_to(&mut self, latest: i64) {
        self.starts.retain(|start| start.offset < latest);
    }

    /// Forgets the epochs that end before `earliest`; the one that holds it begins there now.
    pub fn drop_before(&mut self, earliest: i64) {
        let after = self
            .starts
            .partition_point(|start| start.offset <= earliest);
        if after > 1 {
            self.starts.drain(..after - 1);
        }
        if let Some(first) = self.starts.first_mut() {
            first.offset = first.offset.max(earliest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Epochs {
        let mut epochs = Epochs::default();
        epochs.begin(0, 0);
        epochs.begin(3, 10);
        epochs
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        assert_eq!(two().end_of(0, 15), Some((0, 10)));
        assert_eq!(two().end_of(3, 15), Some((3, 15)));
    }

    #[test]
    fn an_epoch_without_records_gives_the_one_before_it() {
        assert_eq!(two().end_of(2, 15), Some((0, 10)));
    }

    #[test]
    fn an_epoch_of_the_future_is_unknown() {
        assert_eq!(two().end_of(4, 15), None);
    }

    #[test]
    fn a_new_epoch_at_the_same_offset_replaces_one_that_wrote_nothing() {
        let mut epochs = two();
        epochs.begin(4, 10);
        assert_eq!(
            epochs.starts(),
            [
                Start {
                    epoch: 0,
                    offset: 0
                },
                Start {
                    epoch: 4,
                    offset: 10
                }
            ]
        );
    }

    #[test]
    fn truncation_forgets_the_epochs_cut_off() {
        let mut epochs = two();
        epochs.truncate_to(10);
        assert_eq!(epochs.newest(), 0);
    }

    #[test]
    fn what_was_deleted_moves_the_first_epoch_up() {
        let mut epochs = two();
        epochs.drop_before(5);
        assert_eq!(
            epochs.starts()[0],
            Start {
                epoch: 0,
                offset: 5
            }
        );
        epochs.drop_before(12);
        assert_eq!(
            epochs.starts(),
            [Start {
                epoch: 3,
                offset: 12
            }]
        );
    }
}
