//! One partition: what the controller decided about it, and the copy that each node holds.

use kafka_protocol::ResponseError;
use serde::{Deserialize, Serialize};

use super::acks::Ack;
use super::leader::Follower;
use crate::log::PartitionLog;

/// Stands for "no node" where a leader is named.
pub const NO_LEADER: i32 = -1;

/// What the controller decides about a partition, and what nodes hear from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionState {
    /// The node that takes writes, `NO_LEADER` while the partition is offline.
    pub leader: i32,
    /// Counts the leaders.
    pub leader_epoch: i32,
    /// Counts all changes, also those of the in-sync set alone.
    pub partition_epoch: i32,
    /// The in-sync set: nodes that hold every acknowledged record.
    pub in_sync: Vec<i32>,
}

/// One partition. A node works on its own replica; `state` is the controller's.
#[derive(Debug)]
pub struct Partition {
    pub state: PartitionState,
    /// In the order of the assignment: the first is the preferred leader.
    pub replicas: Vec<Replica>,
}

/// The copy of a partition that one node holds, and what that node knows.
#[derive(Debug)]
pub struct Replica {
    pub node: i32,
    pub log: PartitionLog,
    /// What the node heard last from the controller; a node that is cut off hears nothing new.
    pub known: PartitionState,
    /// Records before this offset are on every node of the in-sync set: readers see no others.
    pub high_watermark: i64,
    /// The fetches that wait here for more to read.
    pub(crate) waiters: Vec<u64>,
    /// The batches that wait here for the high watermark.
    pub(crate) acks: Vec<Ack>,
    /// What a leader knows of the others; empty where the node does not lead.
    pub(crate) followers: Vec<Follower>,
    /// The in-sync set that this leader proposed, until the controller answers.
    pub(crate) proposed: Option<Vec<i32>>,
    /// Where the records of this leader's epoch begin.
    pub(crate) epoch_start: i64,
}

impl PartitionState {
    /// What a node knows that was told nothing yet.
    fn unknown() -> PartitionState {
        PartitionState {
            leader: NO_LEADER,
            leader_epoch: -1,
            partition_epoch: -1,
            in_sync: Vec::new(),
        }
    }
}

impl Partition {
    /// Returns a partition with a log on each of `nodes`. The first that `lives` is to lead it;
    /// no node knows of it yet.
    pub fn new(
        nodes: &[i32],
        lives: impl Fn(i32) -> bool,
        log: impl Fn(i32) -> PartitionLog,
    ) -> Partition {
        let living: Vec<i32> = nodes.iter().copied().filter(|id| lives(*id)).collect();
        let state = PartitionState {
            leader: living.first().copied().unwrap_or(NO_LEADER),
            leader_epoch: 0,
            partition_epoch: 0,
            in_sync: if living.is_empty() {
                nodes.to_vec()
            } else {
                living
            },
        };
        let replica = |&node: &i32| Replica {
            node,
            log: log(node),
            known: PartitionState::unknown(),
            high_watermark: 0,
            waiters: Vec::new(),
            acks: Vec::new(),
            followers: Vec::new(),
            proposed: None,
            epoch_start: 0,
        };
        Partition {
            replicas: nodes.iter().map(replica).collect(),
            state,
        }
    }

    pub fn replica(&self, node: i32) -> Option<&Replica> {
        self.replicas.iter().find(|replica| replica.node == node)
    }

    pub fn replica_mut(&mut self, node: i32) -> Option<&mut Replica> {
        self.replicas
            .iter_mut()
            .find(|replica| replica.node == node)
    }

    /// Returns the copy at a node that leads, or believes so.
    ///
    /// # Errors
    /// `NotLeaderOrFollower` where another node leads.
    pub fn leading(&self, node: i32) -> Result<&Replica, ResponseError> {
        let replica = self.replica(node).filter(|replica| replica.leads());
        replica.ok_or(ResponseError::NotLeaderOrFollower)
    }

    /// As `leading`.
    ///
    /// # Errors
    /// As `leading`.
    pub fn leading_mut(&mut self, node: i32) -> Result<&mut Replica, ResponseError> {
        let replica = self.replica_mut(node).filter(|replica| replica.leads());
        replica.ok_or(ResponseError::NotLeaderOrFollower)
    }

    /// Returns the replica to show to people: the leader's, or the one that holds most.
    pub fn shown(&self) -> &Replica {
        let longest = || self.replicas.iter().max_by_key(|r| r.log.latest());
        let shown = self.replica(self.state.leader).or_else(longest);
        shown.expect("a partition has at least one replica")
    }

    /// Returns the bytes of the largest copy. Sealed segments are shared between the nodes, so
    /// that this is what the partition costs, but for the open segments of the others.
    pub fn bytes(&self) -> u64 {
        let held = self.replicas.iter().map(|replica| replica.log.bytes());
        held.max().unwrap_or(0)
    }

    /// Keeps a segment that `node` has closed in the memory of `other`, which closed the same one.
    pub(crate) fn share_segment(&mut self, base_offset: i64, other: i32, node: i32) {
        let theirs = self.replica(other);
        let bytes = theirs.and_then(|replica| replica.log.closed_segment(base_offset));
        if let (Some(bytes), Some(replica)) = (bytes, self.replica_mut(node)) {
            replica.log.share_segment(base_offset, bytes);
        }
    }

    /// Returns the nodes of the assignment, the preferred leader first.
    pub fn nodes(&self) -> Vec<i32> {
        self.replicas.iter().map(|replica| replica.node).collect()
    }
}

impl Replica {
    /// Returns true where this node leads the partition, as far as it knows.
    pub fn leads(&self) -> bool {
        self.known.leader == self.node
    }

    /// Returns the leader epoch this node lives in.
    pub fn leader_epoch(&self) -> i32 {
        self.known.leader_epoch
    }

    /// Returns the offset before which a read_committed reader sees records.
    pub fn last_stable_offset(&self) -> i64 {
        self.log.last_stable_offset(self.high_watermark)
    }

    /// Moves the high watermark, and what depends on it.
    pub(crate) fn set_high_watermark(&mut self, high_watermark: i64) {
        self.high_watermark = high_watermark;
        self.log.stability.settle(high_watermark);
    }

    /// Forgets whoever waited here: the node died, and their connections with it.
    pub(crate) fn forget_clients(&mut self) {
        self.waiters.clear();
        self.acks.clear();
        self.followers.clear();
        self.proposed = None;
        // It leads nothing, and has to hear from the controller before it does anything.
        self.known = PartitionState::unknown();
    }
}
