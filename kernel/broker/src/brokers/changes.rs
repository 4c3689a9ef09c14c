//! What a disk must know: the changes that a step made, in their order.
//!
//! A log reports its changes itself, through the [`LogRecorder`] it was made with, so no handler
//! can forget to. Everything else that must survive is a [`Fact`]: a key and its newest value, as
//! in a compacted topic. A cluster that lives in memory has a recorder that is off, and pays
//! nothing.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a log lies: each replica of a partition has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub node: i32,
    pub topic: Uuid,
    pub partition: i32,
}

/// One thing that a disk must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Log(Place, LogChange),
    Fact(Fact),
    /// What follows may reach the disk only after all that came before: a transaction's decision,
    /// for instance, before its markers. Facts between two barriers are stored as one: all or none.
    Barrier,
}

/// What happened to one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogChange {
    /// An empty log of this topic begins.
    Create { topic: String },
    /// A batch was stored at the end, with its offsets written in.
    Append(Bytes),
    /// The last segment was closed; the next batch begins a new one.
    Roll { base_offset: i64, opened_ms: i64 },
    /// Records from this offset on are gone: they were never committed. Always a batch's beginning.
    TruncateTo(i64),
    /// Records before this offset are gone, by retention or on request.
    DropBefore(i64),
    /// All records are gone; the log goes on at this offset, for a follower that was left behind.
    RestartAt(i64),
    /// Compaction: all closed segments that begin in `from..to` became one that begins at `from`.
    Replace { from: i64, to: i64, bytes: Bytes },
    /// The log is gone with its topic.
    Delete,
}

/// Something that must survive; the newest value of a key counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub key: Key,
    /// JSON; nothing where the key is gone.
    pub value: Option<Bytes>,
}

/// What a fact is about. Written as JSON too, so that a person can read the journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The cluster's id, and its nodes.
    Cluster,
    /// Where ids of topics, members and producers go on.
    Counters,
    /// Name, settings and assignment of a topic, by its id.
    Topic { id: String },
    /// Leader, leader epoch and in-sync set of a partition, by the topic's id.
    Partition { topic: String, partition: i32 },
    /// Members and generation of a group.
    Group { group: String },
    /// How far a group has read.
    Offset {
        group: String,
        topic: String,
        partition: i32,
    },
    /// State of a transactional id.
    Transaction { id: String },
    /// Where a log begins; noted by the storage.
    LogStart {
        node: i32,
        topic: String,
        partition: i32,
    },
    /// A log that was compacted, so that gaps between its offsets are no damage; noted by the storage.
    Compacted {
        node: i32,
        topic: String,
        partition: i32,
    },
}

impl Fact {
    /// Returns the fact that `key` now has this value.
    pub fn new(key: Key, value: &impl Serialize) -> Fact {
        let json = serde_json::to_vec(value).expect("facts have names for keys");
        Fact {
            key,
            value: Some(Bytes::from(json)),
        }
    }

    /// Returns the fact that there is nothing under `key` any more.
    pub fn gone(key: Key) -> Fact {
        Fact { key, value: None }
    }
}

/// Collects the changes of a step, or nothing where it is off.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    /// Shared by all logs of one cluster and locked to push one change; a cluster is stepped by
    /// one thread at a time, so nobody ever waits for it.
    changes: Option<Arc<Mutex<Vec<Change>>>>,
}

impl Recorder {
    /// Returns a recorder that collects where `durable` says so.
    pub fn new(durable: bool) -> Recorder {
        Recorder {
            changes: durable.then(Arc::default),
        }
    }

    /// Returns true where changes are wanted.
    pub fn is_on(&self) -> bool {
        self.changes.is_some()
    }

    /// Notes that a log begins and returns what it reports its changes to.
    pub fn create_log(&self, place: Place, topic: &str) -> LogRecorder {
        let log = self.log(place);
        log.note(|| LogChange::Create {
            topic: topic.to_owned(),
        });
        log
    }

    /// Returns what a log that is there already reports its changes to.
    pub fn log(&self, place: Place) -> LogRecorder {
        LogRecorder {
            on: self.is_on().then(|| (self.clone(), place)),
        }
    }

    /// Notes the newest value of a key.
    pub fn fact(&self, key: impl FnOnce() -> Key, value: &impl Serialize) {
        self.push(|| Change::Fact(Fact::new(key(), value)));
    }

    /// Notes the newest value of a key, which is JSON already.
    pub fn fact_json(&self, key: impl FnOnce() -> Key, json: Bytes) {
        self.push(|| {
            Change::Fact(Fact {
                key: key(),
                value: Some(json),
            })
        });
    }

    /// Notes that there is nothing under a key any more.
    pub fn gone(&self, key: impl FnOnce() -> Key) {
        self.push(|| Change::Fact(Fact::gone(key())));
    }

    /// Keeps what comes from here on from reaching the disk before what came so far.
    pub fn barrier(&self) {
        self.push(|| Change::Barrier);
    }

    pub(super) fn take(&self) -> Vec<Change> {
        match &self.changes {
            Some(changes) => std::mem::take(&mut locked(changes)),
            None => Vec::new(),
        }
    }

    fn push(&self, change: impl FnOnce() -> Change) {
        if let Some(changes) = &self.changes {
            let change = change();
            locked(changes).push(change);
        }
    }
}

/// Collects the changes of one log.
#[derive(Debug, Clone, Default)]
pub struct LogRecorder {
    on: Option<(Recorder, Place)>,
}

impl LogRecorder {
    /// Notes a change, which is worked out only where somebody wants it.
    pub fn note(&self, change: impl FnOnce() -> LogChange) {
        if let Some((recorder, place)) = &self.on {
            recorder.push(|| Change::Log(*place, change()));
        }
    }
}

fn locked(changes: &Mutex<Vec<Change>>) -> MutexGuard<'_, Vec<Change>> {
    // A list is whole after every push, panic or not.
    changes
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
