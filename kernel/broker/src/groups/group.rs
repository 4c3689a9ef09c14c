//! One consumer group: its state, its members, its committed offsets.
//!
//! States and their changes follow Kafka's group coordinator (KIP-62, static members KIP-345).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::assignment;
use super::committed::Offsets;
use super::consumer::ConsumerGroup;
use crate::brokers::{Millis, RequestId, Topics};
use crate::description::{CommittedOffset, GroupDescription, MemberDescription};

/// Where a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// No members; committed offsets may be left.
    Empty,
    /// Members are asked to join again.
    PreparingRebalance,
    /// All have joined; the leader works out who gets what.
    CompletingRebalance,
    /// Everybody knows what is theirs.
    Stable,
}

impl State {
    /// Returns the name that Kafka's tools show.
    pub fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

/// A request that waits for the others in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    pub id: RequestId,
    pub version: i16,
}

/// One member of a group.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: String,
    /// `group.instance.id`: a member with one may restart without a rebalance.
    pub instance: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub session_timeout_ms: i64,
    pub rebalance_timeout_ms: i64,
    /// The assignors it knows, best first, with what each needs to know of the member.
    pub protocols: Vec<(String, Bytes)>,
    pub assignment: Bytes,
    /// When it counts as dead, unless it is heard of before.
    pub expires_ms: Millis,
    pub joining: Option<Pending>,
    pub syncing: Option<Pending>,
    /// Members in the order in which they came: the first of them leads.
    pub number: u64,
}

impl Member {
    /// Returns what the member told about one assignor.
    pub fn metadata(&self, protocol: &str) -> Bytes {
        let known = self.protocols.iter().find(|(name, _)| name == protocol);
        known
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }

    /// Notes that the member was heard of.
    pub fn touch(&mut self, now_ms: Millis) {
        self.expires_ms = now_ms + self.session_timeout_ms;
    }
}

/// One group.
#[derive(Debug)]
pub struct Group {
    pub name: String,
    pub state: State,
    pub generation: i32,
    /// `consumer`, or what else its members agreed to be.
    pub protocol_type: Option<String>,
    /// The assignor in force.
    pub protocol: Option<String>,
    pub leader: Option<String>,
    pub members: BTreeMap<String, Member>,
    /// Member ids handed out, not used yet, and when they lapse.
    pub promised: BTreeMap<String, Millis>,
    /// When a rebalance goes on without those who have not joined.
    pub rebalance_ends_ms: Option<Millis>,
    pub offsets: Offsets,
    /// What a group of the consumer protocol has in place of the members above.
    pub consumer: Option<ConsumerGroup>,
    /// Since when nobody has been a member.
    pub empty_since_ms: Option<Millis>,
    /// The first rebalance of a group waits its whole time for more members.
    pub(super) gathering: bool,
    pub(super) next_number: u64,
}

impl Group {
    pub fn new(name: &str) -> Group {
        Group {
            name: name.to_owned(),
            state: State::Empty,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            promised: BTreeMap::new(),
            rebalance_ends_ms: None,
            offsets: Offsets::default(),
            consumer: None,
            empty_since_ms: None,
            gathering: false,
            next_number: 0,
        }
    }

    /// Returns when the group needs to be looked at, if nobody calls before.
    pub fn deadline(&self) -> Option<Millis> {
        let members = self.members.values();
        // Who waits for the others is not dead, however long it takes.
        let sessions = members
            .filter(|member| member.joining.is_none() && member.syncing.is_none())
            .map(|member| member.expires_ms);
        let promises = self.promised.values().copied();
        let consumer = self.consumer.as_ref().and_then(ConsumerGroup::deadline);
        let all = sessions.chain(promises).chain(self.rebalance_ends_ms);
        all.chain(consumer).min()
    }

    /// Returns when the next committed offset is forgotten: `retention_ms` after its commit, and
    /// after the last member went. Offsets of a group with members stay.
    pub fn offsets_end(&self, retention_ms: i64) -> Option<Millis> {
        let since = self.empty_since_ms.filter(|_| self.is_empty())?;
        let ends = self
            .offsets
            .values()
            .map(|committed| committed.at_ms.max(since).saturating_add(retention_ms));
        ends.min()
    }

    /// Forgets the offsets whose time is up.
    pub(super) fn expire_offsets(&mut self, now_ms: Millis, retention_ms: i64) {
        if let Some(since) = self.empty_since_ms.filter(|_| self.is_empty()) {
            self.offsets.retain(|_, committed| {
                committed.at_ms.max(since).saturating_add(retention_ms) > now_ms
            });
        }
    }

    /// Notes since when nobody has been a member, and when offsets were committed.
    pub(super) fn note_times(&mut self, now_ms: Millis) {
        self.offsets.note_times(now_ms);
        match self.is_empty() {
            true => self.empty_since_ms = self.empty_since_ms.or(Some(now_ms)),
            false => self.empty_since_ms = None,
        }
    }

    /// Returns true where nobody is a member, of whichever protocol.
    pub fn is_empty(&self) -> bool {
        let consumers = self
            .consumer
            .as_ref()
            .map_or(0, |group| group.members.len());
        self.members.is_empty() && self.promised.is_empty() && consumers == 0
    }

    /// Returns the name of the group's state that Kafka's tools show.
    pub fn state_name(&self) -> &'static str {
        match &self.consumer {
            Some(group) => group.state(),
            None => self.state.name(),
        }
    }

    /// Returns the name of the protocol that its members speak.
    pub fn kind(&self) -> &'static str {
        match self.consumer {
            Some(_) => "consumer",
            None => "classic",
        }
    }

    /// Returns the group as one of the consumer protocol, which an empty one turns into; nothing
    /// where it has members of the classic protocol.
    pub(super) fn join_consumers(&mut self) -> Option<&mut ConsumerGroup> {
        if self.consumer.is_none() && self.is_empty() {
            let epoch = self.generation;
            self.protocol_type = Some("consumer".to_owned());
            self.state = State::Empty;
            self.consumer = Some(ConsumerGroup {
                epoch,
                assignment_epoch: epoch,
                ..ConsumerGroup::default()
            });
        }
        self.consumer.as_mut()
    }

    /// Makes an empty group of the consumer protocol a classic one; returns false where it has
    /// members.
    pub(super) fn join_classic(&mut self) -> bool {
        if let Some(consumer) = &self.consumer {
            if !consumer.members.is_empty() {
                return false;
            }
            self.generation = consumer.epoch;
            self.consumer = None;
        }
        true
    }

    /// Returns true for a group that nobody has joined or committed to yet.
    pub(super) fn is_void(&self) -> bool {
        let epoch = self
            .consumer
            .as_ref()
            .map_or(self.generation, |group| group.epoch);
        epoch == 0 && self.is_empty() && self.offsets.is_empty()
    }

    /// Returns the id of the member with this `group.instance.id`.
    pub fn static_member(&self, instance: &str) -> Option<String> {
        let named = |member: &&Member| member.instance.as_deref() == Some(instance);
        self.members
            .values()
            .find(named)
            .map(|member| member.id.clone())
    }

    /// Returns true for the member that works out the assignment.
    pub fn is_leader(&self, member: &str) -> bool {
        self.leader.as_deref() == Some(member)
    }

    pub fn describe(&self, topics: &Topics) -> GroupDescription {
        let members = self.members.values().map(|member| MemberDescription {
            id: member.id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            assigned: assignment::partitions(&member.assignment).unwrap_or_default(),
            ..MemberDescription::default()
        });
        let committed =
            self.offsets
                .iter()
                .map(|((topic, partition), committed)| CommittedOffset {
                    topic: topic.clone(),
                    partition: *partition,
                    offset: committed.offset,
                    lag_records: 0,
                    lag_ms: 0,
                });
        GroupDescription {
            group: self.name.clone(),
            kind: self.kind().to_owned(),
            state: self.state_name().to_owned(),
            generation: match &self.consumer {
                Some(group) => group.epoch,
                None => self.generation,
            },
            protocol: match &self.consumer {
                Some(group) => group.assignor.name().to_owned(),
                None => self.protocol.clone().unwrap_or_default(),
            },
            members: match &self.consumer {
                Some(group) => group.describe_members(topics),
                None => members.collect(),
            },
            committed: committed.collect(),
        }
    }
}
