//! What the checks see of the brokers: every replica's log, read as it changes, and the committed
//! log that all of them must agree on.

use super::batches::{Entry, decode};
use super::places::{Places, Tp};
use crate::brokers::{Brokers, Partition, Replica};

/// One replica.
#[derive(Debug, Clone)]
pub(super) struct Copied {
    pub node: i32,
    /// The leader this node knows, and its epoch.
    pub leader: i32,
    pub epoch: i32,
    pub high_watermark: i64,
    pub last_stable: i64,
    pub latest: i64,
    /// By offset; logs begin at 0 here, nothing is deleted or compacted.
    pub entries: Vec<Entry>,
}

/// One partition.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub leader: i32,
    pub epoch: i32,
    pub in_sync: Vec<i32>,
    pub assigned: Vec<i32>,
    pub copies: Vec<Copied>,
    /// Something changed since the last step.
    pub changed: bool,
}

impl Watched {
    pub fn copy(&self, node: i32) -> Option<&Copied> {
        self.copies.iter().find(|copy| copy.node == node)
    }
}

/// All partitions of the scenario.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub partitions: Vec<Watched>,
}

impl Watch {
    /// Looks at everything again and reads what is new.
    pub fn look(&mut self, brokers: &Brokers, places: &Places) {
        for tp in places.all() {
            let partition = brokers.topics.partition(places.name(tp), places.index(tp));
            let Some(partition) = partition else {
                continue;
            };
            match self.partitions.get_mut(usize::from(tp.0)) {
                Some(watched) => look_again(watched, partition),
                None => self.partitions.push(first_look(partition)),
            }
        }
    }

    pub fn get(&self, tp: Tp) -> Option<&Watched> {
        self.partitions.get(usize::from(tp.0))
    }
}

fn first_look(partition: &Partition) -> Watched {
    let mut watched = Watched {
        leader: -1,
        epoch: -1,
        in_sync: Vec::new(),
        assigned: Vec::new(),
        copies: Vec::new(),
        changed: true,
    };
    look_again(&mut watched, partition);
    watched.changed = true;
    watched
}

fn look_again(watched: &mut Watched, partition: &Partition) {
    let state = &partition.state;
    let mut changed = false;
    if watched.epoch != state.leader_epoch || watched.leader != state.leader {
        changed = true;
    }
    watched.leader = state.leader;
    watched.epoch = state.leader_epoch;
    if watched.in_sync != state.in_sync {
        watched.in_sync.clone_from(&state.in_sync);
        changed = true;
    }
    let assigned = partition.replicas.iter().map(|replica| replica.node);
    if !watched.assigned.iter().copied().eq(assigned.clone()) {
        watched.assigned = assigned.collect();
    }
    for replica in &partition.replicas {
        match watched
            .copies
            .iter_mut()
            .find(|copy| copy.node == replica.node)
        {
            Some(copy) => changed |= read(copy, replica),
            None => {
                let mut copy = Copied {
                    node: replica.node,
                    leader: -1,
                    epoch: -1,
                    high_watermark: 0,
                    last_stable: 0,
                    latest: 0,
                    entries: Vec::new(),
                };
                read(&mut copy, replica);
                watched.copies.push(copy);
            }
        }
    }
    watched.changed = changed;
}

/// Reads what is new of a replica. Returns true where anything is.
fn read(copy: &mut Copied, replica: &Replica) -> bool {
    let log = &replica.log;
    let latest = log.latest();
    let state = (
        replica.known.leader,
        replica.known.leader_epoch,
        replica.high_watermark,
        last_stable(replica),
    );
    let same = latest == copy.latest
        && state
            == (
                copy.leader,
                copy.epoch,
                copy.high_watermark,
                copy.last_stable,
            );
    if same {
        return false;
    }
    // A log that was cut may have filled up again: the last entry known must still be there.
    let rewritten = latest < copy.latest || !ends_alike(copy, replica);
    let from = if rewritten { 0 } else { copy.latest };
    copy.entries.truncate(from as usize);
    if latest > from
        && let Ok(bytes) = log.read(from, latest, usize::MAX, true)
    {
        let entries = &mut copy.entries;
        decode(&bytes, |entry| {
            if entry.offset >= from {
                entries.push(entry);
            }
        });
    }
    copy.latest = latest;
    (
        copy.leader,
        copy.epoch,
        copy.high_watermark,
        copy.last_stable,
    ) = state;
    true
}

/// Returns true where the log still has the last entry that was read of it.
fn ends_alike(copy: &Copied, replica: &Replica) -> bool {
    let Some(last) = copy.entries.last() else {
        return true;
    };
    let Ok(bytes) = replica.log.read(last.offset, last.offset + 1, 1, true) else {
        return false;
    };
    let mut same = false;
    decode(&bytes, |entry| same |= entry == *last);
    same
}

fn last_stable(replica: &Replica) -> i64 {
    replica.last_stable_offset()
}
