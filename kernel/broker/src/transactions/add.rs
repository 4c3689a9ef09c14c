//! AddPartitionsToTxn and AddOffsetsToTxn: what belongs to a transaction is known to the
//! coordinator before the first record of it is stored.
//!
//! From version 12 of Produce and version 5 of TxnOffsetCommit on, the broker that stores does
//! this for the client (KIP-890); before, it makes sure that the client did.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse,
};

use super::transaction::{ProducerKey, State};
use crate::brokers::{Brokers, Call, Millis};

/// How the coordinator is asked on behalf of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// What is written to must have been added.
    Verify,
    /// As `Verify`, for clients that know `TransactionAbortable`.
    VerifyAbortable,
    /// What is written to is added.
    Add,
}

impl Brokers {
    pub(crate) fn add_partitions_to_txn(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: AddPartitionsToTxnRequest,
    ) -> AddPartitionsToTxnResponse {
        if call.version < 4 {
            let producer = ProducerKey {
                id: body.v3_and_below_producer_id.0,
                epoch: body.v3_and_below_producer_epoch,
            };
            let id = body.v3_and_below_transactional_id.as_str();
            let topics = &body.v3_and_below_topics;
            let results = self.add_topics(now_ms, call, id, producer, topics, false);
            return AddPartitionsToTxnResponse::default()
                .with_results_by_topic_v3_and_below(results);
        }
        // From version 4 on brokers ask on behalf of several producers.
        let results = body.transactions.iter().map(|asked| {
            let producer = ProducerKey {
                id: asked.producer_id.0,
                epoch: asked.producer_epoch,
            };
            let id = asked.transactional_id.as_str();
            let verify = asked.verify_only;
            let results = self.add_topics(now_ms, call, id, producer, &asked.topics, verify);
            AddPartitionsToTxnResult::default()
                .with_transactional_id(asked.transactional_id.clone())
                .with_topic_results(results)
        });
        let results = results.collect();
        AddPartitionsToTxnResponse::default().with_results_by_transaction(results)
    }

    fn add_topics(
        &mut self,
        now_ms: Millis,
        call: &Call,
        id: &str,
        producer: ProducerKey,
        topics: &[AddPartitionsToTxnTopic],
        verify_only: bool,
    ) -> Vec<AddPartitionsToTxnTopicResult> {
        let named = topics.iter().flat_map(|topic| {
            let name = topic.name.to_string();
            topic.partitions.iter().map(move |&p| (name.clone(), p))
        });
        let named: Vec<(String, i32)> = named.collect();
        let unknown =
            |(topic, index): &&(String, i32)| self.topics.partition(topic, *index).is_none();
        let unknown: BTreeSet<(String, i32)> = named.iter().filter(unknown).cloned().collect();
        // All or nothing: where one partition is unknown none is added.
        let result = match (unknown.is_empty(), verify_only) {
            (false, _) => Err(ResponseError::OperationNotAttempted),
            (true, false) => self.add_to_transaction(now_ms, call, id, producer, named),
            (true, true) => self.check_transactional_id(call, id).and_then(|()| {
                let transaction = self.transactions.get(id);
                let transaction = transaction.ok_or(ResponseError::InvalidProducerIdMapping)?;
                transaction.check_producer(producer)
            }),
        };
        let answer = |topic: &AddPartitionsToTxnTopic, index: i32| {
            let partition = (topic.name.to_string(), index);
            if unknown.contains(&partition) {
                return Err(ResponseError::UnknownTopicOrPartition);
            }
            result?;
            let added = self.transactions.get(id).map(|t| &t.partitions);
            match added.is_some_and(|added| added.contains(&partition)) {
                true => Ok(()),
                false => Err(ResponseError::TransactionAbortable),
            }
        };
        let results = topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|&index| {
                let error = answer(topic, index).err();
                let code = error.map_or(0, |error| super::told(error, call.version, 2).code());
                AddPartitionsToTxnPartitionResult::default()
                    .with_partition_index(index)
                    .with_partition_error_code(code)
            });
            AddPartitionsToTxnTopicResult::default()
                .with_name(topic.name.clone())
                .with_results_by_partition(partitions.collect())
        });
        results.collect()
    }

    fn add_to_transaction(
        &mut self,
        now_ms: Millis,
        call: &Call,
        id: &str,
        producer: ProducerKey,
        partitions: Vec<(String, i32)>,
    ) -> Result<(), ResponseError> {
        self.check_transactional_id(call, id)?;
        let transaction = self.transactions.get_mut(id);
        let transaction = transaction.ok_or(ResponseError::InvalidProducerIdMapping)?;
        transaction.add(producer, partitions, now_ms)?;
        self.report_transaction(id);
        Ok(())
    }

    pub(crate) fn add_offsets_to_txn(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: AddOffsetsToTxnRequest,
    ) -> AddOffsetsToTxnResponse {
        let producer = ProducerKey {
            id: body.producer_id.0,
            epoch: body.producer_epoch,
        };
        let id = body.transactional_id.as_str();
        let result = self.add_group(now_ms, call, id, producer, &body.group_id);
        let code = result
            .err()
            .map_or(0, |error| super::told(error, call.version, 2).code());
        AddOffsetsToTxnResponse::default().with_error_code(code)
    }

    fn add_group(
        &mut self,
        now_ms: Millis,
        call: &Call,
        id: &str,
        producer: ProducerKey,
        group: &str,
    ) -> Result<(), ResponseError> {
        self.check_transactional_id(call, id)?;
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        let transaction = self.transactions.get_mut(id);
        let transaction = transaction.ok_or(ResponseError::InvalidProducerIdMapping)?;
        transaction.add_group(producer, group, now_ms)?;
        self.report_transaction(id);
        Ok(())
    }

    /// Makes sure that a transactional batch belongs to the open transaction of its producer.
    ///
    /// # Errors
    /// As Produce of the version that `admission` stands for answers.
    pub(crate) fn admit_batch(
        &mut self,
        now_ms: Millis,
        id: &str,
        producer: ProducerKey,
        partition: (&str, i32),
        admission: Admission,
    ) -> Result<(), ResponseError> {
        let key = (partition.0.to_owned(), partition.1);
        let result = self.transaction_for_write(id).and_then(|transaction| {
            if admission == Admission::Add {
                transaction.add(producer, [key], now_ms)?;
                return Ok(true);
            }
            transaction.check_producer(producer)?;
            let open = transaction.state == State::Ongoing;
            Ok(open && transaction.partitions.contains(&key))
        });
        self.admitted(id, result, admission)
            .map_err(|error| match error {
                // Producers before KIP-890 do not retry this one, but they do retry that one.
                ResponseError::ConcurrentTransactions if admission != Admission::Add => {
                    ResponseError::NotEnoughReplicas
                }
                other => other,
            })
    }

    /// Makes sure that offsets of a group belong to the open transaction of their producer.
    ///
    /// # Errors
    /// As TxnOffsetCommit of the version that `admission` stands for answers.
    pub(super) fn admit_offsets(
        &mut self,
        now_ms: Millis,
        id: &str,
        producer: ProducerKey,
        group: &str,
        admission: Admission,
    ) -> Result<(), ResponseError> {
        let result = self.transaction_for_write(id).and_then(|transaction| {
            if admission == Admission::Add {
                transaction.add_group(producer, group, now_ms)?;
                return Ok(true);
            }
            transaction.check_producer(producer)?;
            let open = transaction.state == State::Ongoing;
            Ok(open && transaction.groups.contains_key(group))
        });
        self.admitted(id, result, admission)
            .map_err(|error| match error {
                ResponseError::ConcurrentTransactions if admission != Admission::Add => {
                    ResponseError::CoordinatorNotAvailable
                }
                other => other,
            })
    }

    fn transaction_for_write(
        &mut self,
        id: &str,
    ) -> Result<&mut super::Transaction, ResponseError> {
        let transaction = self.transactions.get_mut(id);
        transaction.ok_or(ResponseError::InvalidProducerIdMapping)
    }

    fn admitted(
        &mut self,
        id: &str,
        result: Result<bool, ResponseError>,
        admission: Admission,
    ) -> Result<(), ResponseError> {
        match (result, admission) {
            (Ok(true), Admission::Add) => {
                self.report_transaction(id);
                Ok(())
            }
            (Ok(true), _) => Ok(()),
            (Ok(false), Admission::Verify) => Err(ResponseError::InvalidTxnState),
            (Ok(false), _) => Err(ResponseError::TransactionAbortable),
            // Only requests to the coordinator know the other error.
            (Err(ResponseError::ProducerFenced), _) => Err(ResponseError::InvalidProducerEpoch),
            (Err(error), _) => Err(error),
        }
    }
}
