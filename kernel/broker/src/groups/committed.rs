//! The offsets that a group committed, and which of them a disk has not heard of yet.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::brokers::Millis;

/// Topic and partition.
pub type Read = (String, i32);

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: String,
    /// When it was committed; written in at the end of the step.
    pub at_ms: Millis,
}

/// The time of an offset that was committed in this very step.
pub const NOT_NOTED: Millis = -1;

/// The committed offsets of one group. Read as a map; every change is noted.
#[derive(Debug, Default)]
pub struct Offsets {
    by_partition: BTreeMap<Read, Committed>,
    changed: BTreeSet<Read>,
}

impl Offsets {
    pub fn insert(&mut self, read: Read, committed: Committed) {
        self.changed.insert(read.clone());
        self.by_partition.insert(read, committed);
    }

    pub fn remove(&mut self, read: &Read) -> Option<Committed> {
        let removed = self.by_partition.remove(read)?;
        self.changed.insert(read.clone());
        Some(removed)
    }

    /// Removes all for which `keep` returns false.
    pub fn retain(&mut self, mut keep: impl FnMut(&Read, &Committed) -> bool) {
        let changed = &mut self.changed;
        self.by_partition.retain(|read, committed| {
            let kept = keep(read, committed);
            if !kept {
                changed.insert(read.clone());
            }
            kept
        });
    }

    /// Notes when the offsets of this step were committed.
    pub(super) fn note_times(&mut self, now_ms: Millis) {
        for read in &self.changed {
            let committed = self.by_partition.get_mut(read);
            if let Some(fresh) = committed.filter(|committed| committed.at_ms == NOT_NOTED) {
                fresh.at_ms = now_ms;
            }
        }
    }

    /// Returns the partitions whose offset changed since the last call.
    pub(super) fn take_changed(&mut self) -> BTreeSet<Read> {
        std::mem::take(&mut self.changed)
    }

    /// Puts an offset back that the disk knows.
    pub(super) fn restore(&mut self, read: Read, committed: Committed) {
        self.by_partition.insert(read, committed);
    }
}

impl Deref for Offsets {
    type Target = BTreeMap<Read, Committed>;

    fn deref(&self) -> &Self::Target {
        &self.by_partition
    }
}
