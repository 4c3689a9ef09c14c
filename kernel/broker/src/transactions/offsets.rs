//! TxnOffsetCommit: offsets that a group has reached once a transaction commits, and not before.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestPartition;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use serde::{Deserialize, Serialize};

use super::Transactions;
use super::add::Admission;
use super::transaction::ProducerKey;
use crate::brokers::{Brokers, Call, Millis};
use crate::groups::{Committed, MOST_METADATA_BYTES, NOT_NOTED};

/// An offset that waits for the end of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedOffset {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: String,
    /// Place among the staged offsets of all transactions.
    pub order: u64,
    /// Another commit came after it: at the end the later one stays.
    pub superseded: bool,
}

impl StagedOffset {
    pub fn is_for(&self, topic: &str, partition: i32) -> bool {
        self.topic == topic && self.partition == partition
    }
}

impl Transactions {
    /// Returns the partitions of which a group may soon have another offset.
    pub(crate) fn unstable(&self, group: &str) -> BTreeSet<(&str, i32)> {
        let staged = self.by_id.values().filter_map(|t| t.groups.get(group));
        staged
            .flatten()
            .map(|staged| (staged.topic.as_str(), staged.partition))
            .collect()
    }

    /// Notes that an offset was committed after all that are staged up to `order`.
    fn supersede(&mut self, group: &str, topic: &str, partition: i32, order: u64) -> Vec<String> {
        let mut changed = Vec::new();
        for (id, transaction) in &mut self.by_id {
            let staged = transaction.groups.get_mut(group).into_iter().flatten();
            let mut earlier =
                staged.filter(|s| s.is_for(topic, partition) && s.order < order && !s.superseded);
            if let Some(staged) = earlier.next() {
                staged.superseded = true;
                changed.push(id.clone());
            }
        }
        changed
    }

    /// Forgets what is staged for a topic that was deleted.
    pub(crate) fn forget_topic(&mut self, topic: &str) -> Vec<String> {
        self.forget(|_, staged| staged.topic == topic)
    }

    /// Forgets what is staged for a group, for one partition or for all of them.
    pub(crate) fn forget_staged(&mut self, group: &str, only: Option<(&str, i32)>) -> Vec<String> {
        self.forget(|name, staged| {
            name == group && only.is_none_or(|(topic, partition)| staged.is_for(topic, partition))
        })
    }

    /// Forgets staged offsets and returns the transactions that had them.
    fn forget(&mut self, which: impl Fn(&str, &StagedOffset) -> bool) -> Vec<String> {
        let mut changed = Vec::new();
        for (id, transaction) in &mut self.by_id {
            for (group, staged) in &mut transaction.groups {
                let before = staged.len();
                staged.retain(|staged| !which(group, staged));
                if staged.len() < before && changed.last() != Some(id) {
                    changed.push(id.clone());
                }
            }
        }
        changed
    }
}

impl Brokers {
    pub(crate) fn txn_offset_commit(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: TxnOffsetCommitRequest,
    ) -> TxnOffsetCommitResponse {
        let allowed = self.check_txn_commit(now_ms, call, &body);
        let mut topics = Vec::with_capacity(body.topics.len());
        for topic in &body.topics {
            let partitions = topic.partitions.iter().map(|asked| {
                let result = allowed.and_then(|()| self.stage(&body, &topic.name, asked));
                TxnOffsetCommitResponsePartition::default()
                    .with_partition_index(asked.partition_index)
                    .with_error_code(result.err().map_or(0, |error| error.code()))
            });
            topics.push(
                TxnOffsetCommitResponseTopic::default()
                    .with_partitions(partitions.collect())
                    .with_name(topic.name.clone()),
            );
        }
        if allowed.is_ok() {
            self.report_transaction(&body.transactional_id);
        }
        TxnOffsetCommitResponse::default().with_topics(topics)
    }

    fn check_txn_commit(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: &TxnOffsetCommitRequest,
    ) -> Result<(), ResponseError> {
        if body.group_id.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        self.check_transactional_id(call, &body.transactional_id)?;
        self.check_txn_member(call, body)?;
        let admission = match call.version {
            5.. => Admission::Add,
            4 => Admission::VerifyAbortable,
            _ => Admission::Verify,
        };
        let producer = ProducerKey {
            id: body.producer_id.0,
            epoch: body.producer_epoch,
        };
        let (id, group) = (body.transactional_id.as_str(), body.group_id.as_str());
        self.admit_offsets(now_ms, id, producer, group, admission)
    }

    /// Returns an error where the caller lost its place in the group: what it has read may be
    /// read by another member again (KIP-447).
    fn check_txn_member(
        &mut self,
        call: &Call,
        body: &TxnOffsetCommitRequest,
    ) -> Result<(), ResponseError> {
        // Before version 3 a producer could not say which member it reads for.
        let generation = match call.version {
            ..3 => -1,
            _ => body.generation_id,
        };
        let instance = body.group_instance_id.as_deref();
        match self.groups.get(&body.group_id) {
            None if generation < 0 => Ok(()),
            None => Err(ResponseError::IllegalGeneration),
            Some(group) => group.check_txn_member(&body.member_id, instance, generation),
        }
    }

    fn stage(
        &mut self,
        body: &TxnOffsetCommitRequest,
        topic: &str,
        asked: &TxnOffsetCommitRequestPartition,
    ) -> Result<(), ResponseError> {
        let partition = asked.partition_index;
        if self.topics.partition(topic, partition).is_none() {
            return Err(ResponseError::UnknownTopicOrPartition);
        }
        let metadata = asked.committed_metadata.as_deref().unwrap_or_default();
        if metadata.len() > MOST_METADATA_BYTES {
            return Err(ResponseError::OffsetMetadataTooLarge);
        }
        let order = self.transactions.next_order;
        self.transactions.next_order += 1;
        let transaction = self.transactions.get_mut(&body.transactional_id);
        let staged = transaction.and_then(|t| t.groups.get_mut(body.group_id.as_str()));
        let staged = staged.ok_or(ResponseError::InvalidTxnState)?;
        staged.retain(|staged| !staged.is_for(topic, partition));
        staged.push(StagedOffset {
            topic: topic.to_owned(),
            partition,
            offset: asked.committed_offset,
            leader_epoch: asked.committed_leader_epoch,
            metadata: metadata.to_owned(),
            order,
            superseded: false,
        });
        Ok(())
    }

    /// Lets the groups of a transaction have its offsets, where it commits.
    pub(super) fn commit_staged(&mut self, id: &str, commit: bool) {
        let transaction = self.transactions.get_mut(id);
        let groups = transaction.map(|t| std::mem::take(&mut t.groups));
        if !commit {
            return;
        }
        for (group, staged) in groups.unwrap_or_default() {
            for staged in staged {
                // A topic that was deleted in between takes its offsets with it.
                let there = self.topics.partition(&staged.topic, staged.partition);
                if staged.superseded || there.is_none() {
                    continue;
                }
                let (topic, partition) = (staged.topic.as_str(), staged.partition);
                self.supersede_staged(&group, topic, partition, staged.order);
                let committed = Committed {
                    offset: staged.offset,
                    leader_epoch: staged.leader_epoch,
                    metadata: staged.metadata,
                    at_ms: NOT_NOTED,
                };
                self.store_offset(&group, topic, partition, committed);
            }
        }
    }

    /// Notes that a group has a newer offset than all that is staged up to `order`.
    pub(crate) fn supersede_staged(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
        order: u64,
    ) {
        for id in self.transactions.supersede(group, topic, partition, order) {
            self.report_transaction(&id);
        }
    }
}
