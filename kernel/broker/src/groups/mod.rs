//! Consumer groups: who is a member, who owns what, how far it has been read.
//!
//! - [`group`]: one group, its states and its members
//! - `join`, `sync`, `heartbeat`, `leave`: the requests that move a group from state to state
//! - `rebalance`: what happens between the first and the last join
//! - `moving`: which node coordinates a group, and what happens when another takes over
//! - `offsets`, `offset_delete`, `committed`: committed offsets
//! - `facts`: what of a group must survive
//! - [`consumer`]: groups of the consumer protocol (KIP-848)
//! - `room`: how many there may be
//! - `list`: groups listed, described, deleted
//! - `assignment`: reads which partitions a member was given, for people to look at

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::brokers::{Brokers, Call, Millis, Reply, Topics};
use crate::description::GroupDescription;

mod assignment;
mod committed;
pub mod consumer;
mod coordinator;
mod facts;
mod group;
mod heartbeat;
mod join;
mod leave;
mod list;
mod moving;
mod offset_delete;
mod offsets;
mod rebalance;
mod room;
mod sync;

pub use assignment::partitions as assigned_partitions;
pub use committed::{Committed, NOT_NOTED, Offsets};
pub use group::{Group, Member, State};
pub(crate) use offsets::MOST_METADATA_BYTES;

/// All groups of a cluster.
#[derive(Debug, Default)]
pub struct Groups {
    by_name: BTreeMap<String, Group>,
    deadline: Option<Millis>,
    /// Some group may have changed since the deadline was noted.
    touched: bool,
    /// Groups to be compared with what the disk knows of them, at the end of the step.
    changed: BTreeSet<String>,
    /// What the disk knows, where there is one.
    reported: BTreeMap<String, Bytes>,
    /// Offsets of groups that are gone.
    gone_offsets: Vec<(String, (String, i32))>,
}

impl Groups {
    pub fn get(&self, name: &str) -> Option<&Group> {
        self.by_name.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Group> {
        let group = self.by_name.get_mut(name)?;
        self.touched = true;
        self.changed.insert(name.to_owned());
        Some(group)
    }

    /// Returns when the next member, or the next rebalance, runs out of time.
    pub fn deadline(&self) -> Option<Millis> {
        self.deadline
    }

    /// Forgets the offsets committed for a topic that was deleted.
    pub(crate) fn forget_topic(&mut self, topic: &str) {
        for (name, group) in &mut self.by_name {
            group.offsets.retain(|(read, _), _| read != topic);
            self.changed.insert(name.clone());
        }
    }

    /// Deletes all groups and returns the replies to the members that waited in them.
    pub(crate) fn clear(&mut self) -> Vec<Reply> {
        let mut replies = Vec::new();
        for group in self.by_name.values_mut() {
            group.dismiss(&mut replies);
        }
        for name in self.by_name.keys().cloned().collect::<Vec<_>>() {
            self.remove(&name);
        }
        self.deadline = None;
        replies
    }

    /// Forgets a group with its offsets.
    pub(crate) fn remove(&mut self, name: &str) {
        let Some(mut group) = self.by_name.remove(name) else {
            return;
        };
        // Some may be gone already, and the disk not told of it yet.
        let mut reads = group.offsets.take_changed();
        reads.extend(group.offsets.keys().cloned());
        self.gone_offsets
            .extend(reads.into_iter().map(|read| (name.to_owned(), read)));
        self.changed.insert(name.to_owned());
    }

    pub(crate) fn describe(&self, topics: &Topics) -> Vec<GroupDescription> {
        let groups = self.by_name.values();
        groups.map(|group| group.describe(topics)).collect()
    }

    fn entry(&mut self, name: &str) -> &mut Group {
        self.touched = true;
        self.changed.insert(name.to_owned());
        self.by_name
            .entry(name.to_owned())
            .or_insert_with(|| Group::new(name))
    }

    /// Notes the next deadline, and forgets groups that never came to be.
    fn note_deadline(&mut self, now_ms: Millis, retention_ms: i64) {
        self.touched = false;
        let void = self.by_name.values().filter(|group| group.is_void());
        for name in void.map(|group| group.name.clone()).collect::<Vec<_>>() {
            self.remove(&name);
        }
        let groups = self.by_name.values_mut();
        let deadlines = groups.flat_map(|group| {
            group.note_times(now_ms);
            [group.deadline(), group.offsets_end(retention_ms)]
        });
        self.deadline = deadlines.flatten().min();
    }
}

impl Brokers {
    /// Removes members whose time is up, ends rebalances that waited long enough, and forgets
    /// offsets that nobody came back for.
    pub(crate) fn expire_groups(&mut self, now_ms: Millis) {
        let retention_ms = self
            .settings
            .offsets_retention_minutes
            .saturating_mul(60_000);
        if self.groups.touched {
            self.groups.note_deadline(now_ms, retention_ms);
        }
        while self.groups.deadline.is_some_and(|due| due <= now_ms) {
            let (mut replies, mut gone) = (Vec::new(), Vec::new());
            for (name, group) in &mut self.groups.by_name {
                if group.deadline().is_some_and(|due| due <= now_ms) {
                    group.expire(now_ms, &mut replies);
                    self.groups.changed.insert(name.clone());
                }
                if group
                    .offsets_end(retention_ms)
                    .is_some_and(|due| due <= now_ms)
                {
                    group.expire_offsets(now_ms, retention_ms);
                    self.groups.changed.insert(name.clone());
                    if group.offsets.is_empty() {
                        gone.push(name.clone());
                    }
                }
            }
            // With its last offset an empty group is gone.
            for name in gone {
                self.groups.remove(&name);
            }
            for reply in replies {
                self.reply(reply.to, reply.response);
            }
            self.groups.note_deadline(now_ms, retention_ms);
        }
    }

    /// Lets `change` work on a group and sends the replies that come of it.
    fn with_group<T>(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Group, &mut Vec<Reply>) -> T,
    ) -> Option<T> {
        let mut replies = Vec::new();
        let result = self
            .groups
            .get_mut(name)
            .map(|group| change(group, &mut replies));
        for reply in replies {
            self.reply(reply.to, reply.response);
        }
        result
    }

    /// Returns a new member id, which begins with the client's name as Kafka's do.
    fn new_member_id(&mut self, call: &Call, instance: Option<&str>) -> String {
        let prefix = instance.unwrap_or(&call.client_id);
        format!("{prefix}-{}", self.ids.uuid())
    }
}
