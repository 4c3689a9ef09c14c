//! Markers: the end of a transaction, written to each of its partitions.
//!
//! The decision comes first and stands; the markers follow. A partition that has no leader gets
//! its marker when it has one, and a marker that was lost with its leader is written again. Only
//! once all are replicated is the transaction complete, and the next one may begin.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
};
use kafka_protocol::messages::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};

use super::transaction::{ProducerKey, State};
use crate::brokers::{Brokers, Call, Flaw, Millis, Place};
use crate::log::{Appending, BatchHeader, Marker};

/// The epoch of the coordinator. Its state is kept reliably, so there is never another one.
const COORDINATOR: i32 = 0;

/// The markers of one transaction that are written, and not yet replicated.
pub(super) type Markers = BTreeMap<(String, i32), Written>;

/// Where a marker was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    leader_epoch: i32,
    offset: i64,
}

/// What became of a marker.
enum Progress {
    /// It is where it belongs, or its partition is gone.
    Done,
    /// It is not yet on all nodes of the in-sync set.
    Written(Written),
    /// The partition has no leader.
    Blocked,
}

impl Brokers {
    /// Carries out a decision: offsets at once, markers as far as that can be.
    pub(super) fn finish_transaction(&mut self, now_ms: Millis, id: &str) {
        self.report_transaction(id);
        // A marker on the disk without the decision would be a transaction that is half undone.
        self.recorder.barrier();
        let unfinished = &mut self.transactions.unfinished;
        unfinished.insert(id.to_owned(), Markers::new());
        self.write_markers(now_ms, id);
    }

    /// Goes on with the transactions that wait for a leader, or for followers.
    pub(crate) fn settle_transactions(&mut self, now_ms: Millis) {
        if self.transactions.unfinished.is_empty() {
            return;
        }
        let ids: Vec<String> = self.transactions.unfinished.keys().cloned().collect();
        for id in ids {
            self.write_markers(now_ms, &id);
        }
    }

    fn write_markers(&mut self, now_ms: Millis, id: &str) {
        let Some(transaction) = self.transactions.get(id) else {
            return;
        };
        let commit = transaction.state == State::PrepareCommit || self.has(Flaw::AbortCommits);
        if !transaction.groups.is_empty() {
            self.commit_staged(id, commit);
        }
        let Some(transaction) = self.transactions.get(id) else {
            return;
        };
        let marker = Marker::of(commit);
        let producer = transaction.producer();
        let mut done = Vec::new();
        for key in transaction.partitions.clone() {
            let written = self.transactions.unfinished.get(id);
            let written = written.and_then(|markers| markers.get(&key)).copied();
            match self.write_marker(now_ms, &key, producer, marker, written) {
                Progress::Done => done.push(key),
                Progress::Written(written) => {
                    let markers = self.transactions.unfinished.entry(id.to_owned());
                    markers.or_default().insert(key, written);
                }
                Progress::Blocked => {}
            }
        }
        let Some(transaction) = self.transactions.get_mut(id) else {
            return;
        };
        for key in &done {
            transaction.partitions.remove(key);
        }
        if transaction.partitions.is_empty() {
            transaction.complete(now_ms);
            self.transactions.unfinished.remove(id);
        }
        if !done.is_empty() || !self.transactions.unfinished.contains_key(id) {
            // Without its markers on the disk a transaction that counts as complete stays open.
            self.recorder.barrier();
            self.report_transaction(id);
        }
    }

    /// Writes one marker, or looks whether it is replicated.
    fn write_marker(
        &mut self,
        now_ms: Millis,
        (topic, index): &(String, i32),
        producer: ProducerKey,
        marker: Marker,
        written: Option<Written>,
    ) -> Progress {
        let Some(partition) = self.topics.partition(topic, *index) else {
            return Progress::Done;
        };
        if self.has(Flaw::MarkersForgotten) {
            return Progress::Done;
        }
        let leader_epoch = partition.state.leader_epoch;
        let written = match written {
            Some(written) if written.leader_epoch == leader_epoch => written,
            // None yet, or one that the leader of now may never have seen.
            _ => {
                let leader = partition.state.leader;
                let partition = (topic.as_str(), *index);
                match self.append_marker(now_ms, leader, partition, producer, marker, COORDINATOR) {
                    Ok(offset) => Written {
                        leader_epoch,
                        offset,
                    },
                    Err(ResponseError::NotLeaderOrFollower) => return Progress::Blocked,
                    // Somebody with a newer epoch ended it here; an older end changes nothing.
                    Err(_) => return Progress::Done,
                }
            }
        };
        let leading = self.topics.partition(topic, *index).map(|partition| {
            let leader = partition.leading(partition.state.leader);
            leader.is_ok_and(|leader| leader.high_watermark > written.offset)
        });
        match leading {
            Some(false) => Progress::Written(written),
            Some(true) | None => Progress::Done,
        }
    }

    /// Appends a marker at a node that leads the partition, and returns its offset.
    fn append_marker(
        &mut self,
        now_ms: Millis,
        node: i32,
        (topic, index): (&str, i32),
        producer: ProducerKey,
        marker: Marker,
        coordinator_epoch: i32,
    ) -> Result<i64, ResponseError> {
        let topic = self.topics.get_mut(topic);
        let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
        let number = usize::try_from(index).unwrap_or(usize::MAX);
        let partition = topic.partitions.get_mut(number);
        let partition = partition.ok_or(ResponseError::UnknownTopicOrPartition)?;
        let before = partition.bytes();
        let replica = partition.leading_mut(node)?;
        let batch = marker.batch(producer.id, producer.epoch, coordinator_epoch, now_ms);
        let header = BatchHeader::parse(&batch).expect("built a line above");
        let producers = &replica.log.producers;
        producers.check_marker(&header, coordinator_epoch)?;
        let how = Appending {
            append_time: false,
            ..topic.configs.appending(now_ms)
        };
        let offset = replica.log.append(&batch, &header, how);
        let waiters = replica.appended(now_ms);
        // However full the broker is: without its marker a transaction would stay open for ever.
        self.bytes_held = self.bytes_held + partition.bytes() - before;
        let place = Place {
            node,
            topic: topic.id,
            partition: index,
        };
        self.wake(now_ms, waiters);
        self.grown(now_ms, place);
        Ok(offset)
    }

    /// Writes markers that somebody else decided on: a tool that ends a transaction of which no
    /// coordinator knows.
    pub(crate) fn write_txn_markers(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: WriteTxnMarkersRequest,
    ) -> WriteTxnMarkersResponse {
        let mut markers = Vec::with_capacity(body.markers.len());
        for asked in &body.markers {
            let marker = Marker::of(asked.transaction_result);
            let producer = ProducerKey {
                id: asked.producer_id.0,
                epoch: asked.producer_epoch,
            };
            let mut topics = Vec::with_capacity(asked.topics.len());
            for topic in &asked.topics {
                let epoch = asked.coordinator_epoch;
                let partitions = topic.partition_indexes.iter().map(|&index| {
                    let partition = (topic.name.as_str(), index);
                    let result =
                        self.append_marker(now_ms, call.node, partition, producer, marker, epoch);
                    WritableTxnMarkerPartitionResult::default()
                        .with_partition_index(index)
                        .with_error_code(result.err().map_or(0, |error| error.code()))
                });
                topics.push(
                    WritableTxnMarkerTopicResult::default()
                        .with_partitions(partitions.collect())
                        .with_name(topic.name.clone()),
                );
            }
            markers.push(
                WritableTxnMarkerResult::default()
                    .with_producer_id(asked.producer_id)
                    .with_topics(topics),
            );
        }
        WriteTxnMarkersResponse::default().with_markers(markers)
    }
}
