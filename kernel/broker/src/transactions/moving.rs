//! Requests about a transactional id that reach a node which does not coordinate it.

use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnResponse, DescribeTransactionsResponse, EndTxnResponse, InitProducerIdResponse,
    ProducerId, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
};
use kafka_protocol::messages::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};

use crate::brokers::{Brokers, Call};
use crate::wire::{Request, Response};

impl Brokers {
    /// Returns the answer to a request about transactions that another node coordinates.
    pub(crate) fn misdirected_transaction(
        &self,
        call: &Call,
        request: &Request,
    ) -> Option<Response> {
        let code = |key: &str| {
            let wrong = self.check_coordinator(call.node, key).err();
            wrong.map(|error| error.code())
        };
        Some(match request {
            Request::InitProducerId(body) => InitProducerIdResponse::default()
                .with_error_code(code(body.transactional_id.as_ref()?)?)
                .with_producer_id(ProducerId(-1))
                .with_producer_epoch(-1)
                .into(),
            // From version 4 on brokers ask, not clients.
            Request::AddPartitionsToTxn(body) if call.version < 4 => {
                let code = code(&body.v3_and_below_transactional_id)?;
                partitions_refused(body, code).into()
            }
            Request::AddOffsetsToTxn(body) => AddOffsetsToTxnResponse::default()
                .with_error_code(code(&body.transactional_id)?)
                .into(),
            Request::EndTxn(body) => EndTxnResponse::default()
                .with_error_code(code(&body.transactional_id)?)
                .into(),
            Request::TxnOffsetCommit(body) => offsets_refused(body, code(&body.group_id)?).into(),
            Request::DescribeTransactions(body) => {
                let code = body.transactional_ids.iter().find_map(|id| code(id))?;
                let states = body.transactional_ids.iter().map(|id| {
                    TransactionState::default()
                        .with_transactional_id(id.clone())
                        .with_error_code(code)
                });
                DescribeTransactionsResponse::default()
                    .with_transaction_states(states.collect())
                    .into()
            }
            _ => return None,
        })
    }
}

fn partitions_refused(body: &AddPartitionsToTxnRequest, code: i16) -> AddPartitionsToTxnResponse {
    let topics = body.v3_and_below_topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|&index| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(index)
                .with_partition_error_code(code)
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(partitions.collect())
    });
    AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(topics.collect())
}

fn offsets_refused(body: &TxnOffsetCommitRequest, code: i16) -> TxnOffsetCommitResponse {
    let topics = body.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            TxnOffsetCommitResponsePartition::default()
                .with_partition_index(asked.partition_index)
                .with_error_code(code)
        });
        TxnOffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    TxnOffsetCommitResponse::default().with_topics(topics.collect())
}
