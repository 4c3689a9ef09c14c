//! One consumer group: its state, its members, its committed offsets.
//!
//! States and their changes follow Kafka's group coordinator (KIP-62, static members KIP-345).

use std::collections::BTreeMap;

use bytes::Bytes;

use super::assignment;
use crate::brokers::{Millis, RequestId};
use crate::description::{CommittedOffset, GroupDescription, MemberDescription};

/// Where a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: String,
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
    pub offsets: BTreeMap<(String, i32), Committed>,
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
            offsets: BTreeMap::new(),
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
        sessions.chain(promises).chain(self.rebalance_ends_ms).min()
    }

    /// Returns true for a group that nobody has joined or committed to yet.
    pub(super) fn is_void(&self) -> bool {
        self.generation == 0
            && self.members.is_empty()
            && self.promised.is_empty()
            && self.offsets.is_empty()
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

    pub fn describe(&self) -> GroupDescription {
        let members = self.members.values().map(|member| MemberDescription {
            id: member.id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            assigned: assignment::partitions(&member.assignment).unwrap_or_default(),
        });
        let committed =
            self.offsets
                .iter()
                .map(|((topic, partition), committed)| CommittedOffset {
                    topic: topic.clone(),
                    partition: *partition,
                    offset: committed.offset,
                    lag_records: 0,
                });
        GroupDescription {
            group: self.name.clone(),
            state: self.state.name().to_owned(),
            generation: self.generation,
            protocol: self.protocol.clone().unwrap_or_default(),
            members: members.collect(),
            committed: committed.collect(),
        }
    }
}
