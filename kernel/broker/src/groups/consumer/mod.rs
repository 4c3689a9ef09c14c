//! Groups of the consumer protocol (KIP-848): the broker works out who reads what, and each member
//! is led there by its heartbeats.
//!
//! - `heartbeat`: the one request of the protocol: join, stay, give up partitions, leave
//! - `subscription`: which topics the members want, by name and by pattern
//! - `assignors`: from subscriptions to the target assignment, `uniform` and `range`
//! - `reconcile`: from what a member owns to its target, never two owners of a partition
//! - `describe`: ConsumerGroupDescribe
//!
//! Three numbers keep everybody in step. The *group epoch* counts changes of what members want;
//! the *assignment epoch* is the group epoch that the target was worked out for; the *member
//! epoch* says which target a member has come to. A member that names another epoch than its own
//! is fenced.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::brokers::Millis;

mod assignors;
mod describe;
mod heartbeat;
mod reconcile;
mod subscription;

pub use assignors::Assignor;

/// One partition of one topic, by the topic's id: a topic made anew is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Spot {
    #[serde(with = "as_text")]
    pub topic: Uuid,
    pub partition: i32,
}

/// Partitions of several topics.
pub type Spots = BTreeSet<Spot>;

/// How many partitions a topic of the group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownTopic {
    #[serde(with = "as_text")]
    pub id: Uuid,
    pub partitions: i32,
}

/// How far a member is on its way to the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// It owns its target, as far as it has been told.
    #[default]
    Stable,
    /// It has been told to give up partitions and has not said that it did.
    Unrevoked,
    /// It waits for partitions that others have not given up yet.
    Unreleased,
}

/// A member of a consumer group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerMember {
    pub instance: Option<String>,
    pub rack: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub rebalance_timeout_ms: i64,
    pub topics: BTreeSet<String>,
    /// A pattern of topic names, in addition to `topics`.
    pub pattern: Option<String>,
    /// The assignor it would like.
    pub assignor: Option<Assignor>,
    pub epoch: i32,
    pub previous_epoch: i32,
    pub progress: Progress,
    /// What it may read.
    pub assigned: Spots,
    /// What it has to give up; nobody else gets it before it says that it did.
    pub revoking: Spots,
    pub target: Spots,
    /// When it counts as dead, unless it is heard of before.
    #[serde(skip)]
    pub expires_ms: Millis,
    /// When it must have given up what it was told to.
    #[serde(skip)]
    pub revoke_by_ms: Option<Millis>,
}

/// A group of the consumer protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerGroup {
    pub epoch: i32,
    pub assignment_epoch: i32,
    pub assignor: Assignor,
    pub members: BTreeMap<String, ConsumerMember>,
    /// The topics that members want and that there are, as of this epoch.
    pub topics: BTreeMap<String, KnownTopic>,
}

impl ConsumerGroup {
    /// Returns the name of the group's state that Kafka's tools show.
    pub fn state(&self) -> &'static str {
        let there = |member: &ConsumerMember| {
            member.progress == Progress::Stable && member.epoch == self.assignment_epoch
        };
        if self.members.is_empty() {
            "Empty"
        } else if self.epoch > self.assignment_epoch {
            "Assigning"
        } else if self.members.values().all(there) {
            "Stable"
        } else {
            "Reconciling"
        }
    }

    /// Returns the id of the member with this `group.instance.id`.
    pub fn static_member(&self, instance: &str) -> Option<&str> {
        let named = |member: &ConsumerMember| member.instance.as_deref() == Some(instance);
        let mut members = self.members.iter();
        members
            .find(|(_, member)| named(member))
            .map(|(id, _)| id.as_str())
    }

    /// Returns when a member runs out of time next.
    pub fn deadline(&self) -> Option<Millis> {
        let members = self.members.values();
        members
            .flat_map(|member| [Some(member.expires_ms), member.revoke_by_ms])
            .flatten()
            .min()
    }

    /// Removes members that were not heard of in time, or did not give up partitions in time.
    pub(super) fn expire(&mut self, now_ms: Millis) {
        let late = |member: &ConsumerMember| {
            member.expires_ms <= now_ms || member.revoke_by_ms.is_some_and(|due| due <= now_ms)
        };
        let members = self.members.iter().filter(|(_, member)| late(member));
        let dead: Vec<String> = members.map(|(id, _)| id.clone()).collect();
        for id in dead {
            self.remove(&id);
        }
    }

    /// Takes a member out; what it owned is shared out at the next heartbeat of another one.
    pub(super) fn remove(&mut self, id: &str) {
        if self.members.remove(id).is_some() {
            self.epoch += 1;
        }
    }
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use uuid::Uuid;

    pub fn serialize<S: Serializer>(id: &Uuid, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Uuid, D::Error> {
        let text = String::deserialize(from)?;
        Uuid::parse_str(&text).map_err(serde::de::Error::custom)
    }
}
