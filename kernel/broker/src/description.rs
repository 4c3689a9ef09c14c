//! What a cluster holds, for people to look at. These shapes also cross the control channel.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A whole cluster at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterDescription {
    /// `host:port`, separated by commas where there are several brokers.
    pub bootstrap: String,
    pub nodes: Vec<NodeDescription>,
    pub topics: Vec<TopicDescription>,
    pub groups: Vec<GroupDescription>,
    /// Every transactional id that is known, open or not.
    #[serde(default)]
    pub transactions: Vec<TransactionDescription>,
    /// Bytes of all batches.
    pub bytes_held: u64,
    /// Where produce requests begin to be refused.
    pub bytes_limit: u64,
    /// Where and how the cluster is stored; nothing where it lives in memory.
    #[serde(default)]
    pub storage: Option<Box<StorageDescription>>,
}

/// The data directory of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageDescription {
    pub dir: String,
    /// `none`, `interval` or `batch`.
    pub flush: String,
    /// How the start went.
    pub recovery: Recovery,
    /// Why writes are refused, where they are: the disk is full, or failed.
    pub failure: Option<String>,
}

/// What was found in a data directory when it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The directory was made just now.
    pub fresh: bool,
    /// The broker before this one was stopped, not killed.
    pub clean: bool,
    pub segments: u64,
    pub batches: u64,
    pub records: u64,
    pub bytes: u64,
    /// Topics, groups, committed offsets and what else is not a record.
    pub facts: u64,
    /// Bytes that a crash had left half written, and where.
    pub truncated_bytes: u64,
    pub truncated: Vec<Truncated>,
    /// Indexes that were missing or wrong, and were written again.
    pub rebuilt_indexes: u64,
    /// What else was put right.
    pub notes: Vec<String>,
    pub took_us: u64,
}

/// A torn tail that was cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truncated {
    pub file: String,
    /// Where the log goes on.
    pub offset: i64,
    pub bytes: u64,
    pub why: String,
    /// Whole batches that lay behind the fault and went with it: none after the end of a process,
    /// perhaps some after a loss of power.
    pub batches_behind: u64,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fresh {
            return f.write_str("nothing, this is a new directory");
        }
        let how = match self.clean {
            true => "stopped cleanly",
            false => "not stopped cleanly",
        };
        write!(
            f,
            "{} records in {} segments and {} facts read in {} ms; the last broker was {how}",
            self.records,
            self.segments,
            self.facts,
            self.took_us / 1000
        )?;
        for cut in &self.truncated {
            write!(
                f,
                "\n  cut {} bytes off {} at offset {}: {}",
                cut.bytes, cut.file, cut.offset, cut.why
            )?;
            if cut.batches_behind > 0 {
                write!(f, ", with {} whole batches behind it", cut.batches_behind)?;
            }
        }
        if self.rebuilt_indexes > 0 {
            write!(
                f,
                "\n  wrote the indexes of {} segments again",
                self.rebuilt_indexes
            )?;
        }
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        Ok(())
    }
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDescription {
    pub node: i32,
    /// `host:port`.
    pub address: String,
    pub rack: Option<String>,
    /// The node runs.
    pub up: bool,
    /// The controller takes it for alive. For some seconds after a kill it does, wrongly.
    pub registered: bool,
}

/// A topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicDescription {
    pub name: String,
    pub id: String,
    pub partitions: Vec<PartitionDescription>,
    /// Settings that differ from their defaults.
    pub configs: BTreeMap<String, String>,
    pub bytes: u64,
}

/// A partition. Records can be read from `earliest` to just before `latest`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionDescription {
    pub partition: i32,
    /// -1 while no node can lead.
    pub leader: i32,
    /// Counts the leaders.
    pub leader_epoch: i32,
    /// The nodes that hold every acknowledged record.
    pub in_sync: Vec<i32>,
    /// One row for each node that holds a copy, the preferred leader first.
    pub replicas: Vec<ReplicaDescription>,
    pub earliest: i64,
    pub latest: i64,
    /// Readers see the records before it.
    pub high_watermark: i64,
    pub bytes: u64,
    pub batches: u64,
    pub segments: u64,
    /// A read_committed reader sees records before this offset.
    #[serde(default)]
    pub last_stable_offset: i64,
    /// Producers with an id that wrote here, idempotent or transactional.
    #[serde(default)]
    pub producers: Vec<ProducerDescription>,
    /// Transactions that were aborted here and whose records are still in the log.
    #[serde(default)]
    pub aborted_transactions: u64,
    /// The last cleanings of a compacted topic, oldest first.
    #[serde(default)]
    pub cleanings: Vec<CleaningDescription>,
}

/// A producer as a partition knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducerDescription {
    pub producer_id: i64,
    pub epoch: i16,
    /// -1 where it wrote nothing in this epoch.
    pub last_sequence: i32,
    /// The highest timestamp of its last batch, milliseconds since 1970, UTC.
    pub last_timestamp_ms: i64,
    /// Where its open transaction begins here, if it has one.
    pub open_since: Option<i64>,
}

/// A transactional id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionDescription {
    pub transactional_id: String,
    /// `Empty`, `Ongoing`, `PrepareCommit`, `PrepareAbort`, `CompleteCommit` or `CompleteAbort`.
    pub state: String,
    pub producer_id: i64,
    pub epoch: i16,
    /// The partitions written to; while the end is being written, those that lack a marker.
    pub partitions: Vec<TopicPartition>,
    /// The groups whose offsets are part of it.
    pub groups: Vec<String>,
    /// When it began, milliseconds since 1970, UTC; -1 before the first.
    pub started_ms: i64,
    /// It is aborted once it has been open for so long.
    pub timeout_ms: i32,
}

/// What one cleaning of a compacted partition did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleaningDescription {
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// From here on no cleaning had read before: keys were gathered from here to `end`.
    pub first_dirty: i64,
    /// The first offset not cleaned.
    pub end: i64,
    pub records_before: u64,
    pub records_after: u64,
    /// Records without a value that stay for now, so that readers hear of the deletion.
    pub tombstones: u64,
    /// Tombstones that stayed for `delete.retention.ms`.
    pub tombstones_removed: u64,
    /// Records of aborted transactions.
    pub aborted_removed: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub segments_before: u64,
    pub segments_after: u64,
}

impl CleaningDescription {
    /// Returns how many records went, for whichever reason.
    pub fn records_removed(&self) -> u64 {
        self.records_before - self.records_after
    }
}

/// The copy of a partition that one node holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaDescription {
    pub node: i32,
    /// The node leads, or believes so while it is cut off.
    pub leader: bool,
    pub in_sync: bool,
    pub earliest: i64,
    pub end_offset: i64,
    pub high_watermark: i64,
    /// The leader epoch the node lives in.
    pub leader_epoch: i32,
    pub bytes: u64,
}

/// A consumer group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDescription {
    pub group: String,
    /// `classic` or `consumer`: the protocol of its members.
    #[serde(default)]
    pub kind: String,
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance` or `Stable`; of the consumer protocol
    /// `Empty`, `Assigning`, `Reconciling` or `Stable`.
    pub state: String,
    /// Counts the rebalances: the generation, or the group epoch.
    pub generation: i32,
    /// The assignor the members agreed on.
    pub protocol: String,
    pub members: Vec<MemberDescription>,
    pub committed: Vec<CommittedOffset>,
}

/// A member of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberDescription {
    pub id: String,
    pub instance: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub assigned: Vec<TopicPartition>,
    /// Of the consumer protocol: the assignment that the member has come to.
    #[serde(default)]
    pub epoch: i32,
    /// Of the consumer protocol: what it was told to give up and has not yet.
    #[serde(default)]
    pub revoking: Vec<TopicPartition>,
    /// Of the consumer protocol: what it is to own in the end.
    #[serde(default)]
    pub target: Vec<TopicPartition>,
}

/// One partition of one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TopicPartition {
    pub topic: String,
    pub partition: i32,
}

/// How far a group has read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedOffset {
    pub topic: String,
    pub partition: i32,
    /// The next record to read.
    pub offset: i64,
    /// Records between it and the end.
    pub lag_records: i64,
    /// From the timestamp of the next record to read to the newest one; 0 where all is read.
    pub lag_ms: i64,
}
