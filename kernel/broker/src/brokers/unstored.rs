//! What is answered once nothing can be stored any more: the disk is full, or failed.
//!
//! What the brokers hold in memory may by then be more than the disk has, so nothing of it is
//! shown as if it would last, and nothing is added. Starting again reads back what the disk has.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse as AlterResult;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse as IncrementalResult;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
};
use kafka_protocol::messages::*;

use super::{Answer, Brokers};
use crate::wire::{Request, Response, text};

/// Kafka's word for it: the log directory is offline.
const STORAGE: i16 = ResponseError::KafkaStorageError.code();
/// What the coordinator of a group answers whose log it cannot write.
const COORDINATOR: i16 = ResponseError::CoordinatorNotAvailable.code();

impl Brokers {
    /// Notes that nothing can be stored any more, and why.
    pub fn storage_failed(&mut self, why: &str) {
        self.storage_failure.get_or_insert_with(|| why.to_owned());
    }

    /// Refuses what would change something, or show what may not last, after the storage failed.
    pub(super) fn refuse_unstored(&self, request: &Request) -> Option<Answer> {
        let why = self.storage_failure.as_deref()?;
        let why = format!("the broker cannot store anything any more: {why}");
        let answer = match request {
            Request::Produce(body) if body.acks == 0 => return Some(Answer::Never),
            Request::Produce(body) => produce(body, &why).into(),
            Request::Fetch(body) => fetch(body).into(),
            other => group(other)
                .or_else(|| transaction(other))
                .or_else(|| admin(other, &why))?
                .into(),
        };
        Some(answer)
    }
}

fn produce(body: &ProduceRequest, why: &str) -> ProduceResponse {
    let topics = body.topic_data.iter().map(|topic| {
        let partitions = topic.partition_data.iter().map(|data| {
            PartitionProduceResponse::default()
                .with_index(data.index)
                .with_error_code(STORAGE)
                .with_error_message(Some(text(why)))
                .with_base_offset(-1)
                .with_log_append_time_ms(-1)
                .with_log_start_offset(-1)
        });
        TopicProduceResponse::default()
            .with_name(topic.name.clone())
            .with_topic_id(topic.topic_id)
            .with_partition_responses(partitions.collect())
    });
    ProduceResponse::default().with_responses(topics.collect())
}

fn fetch(body: &FetchRequest) -> FetchResponse {
    let topics = body.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            PartitionData::default()
                .with_partition_index(asked.partition)
                .with_error_code(STORAGE)
                .with_high_watermark(-1)
                .with_records(Some(bytes::Bytes::new()))
        });
        FetchableTopicResponse::default()
            .with_topic(topic.topic.clone())
            .with_topic_id(topic.topic_id)
            .with_partitions(partitions.collect())
    });
    FetchResponse::default().with_responses(topics.collect())
}

fn group(request: &Request) -> Option<Response> {
    let response = match request {
        Request::InitProducerId(_) => InitProducerIdResponse::default()
            .with_error_code(COORDINATOR)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
            .into(),
        Request::JoinGroup(body) => JoinGroupResponse::default()
            .with_error_code(COORDINATOR)
            .with_generation_id(-1)
            .with_protocol_name(Some(text("")))
            .with_member_id(body.member_id.clone())
            .into(),
        Request::SyncGroup(_) => SyncGroupResponse::default()
            .with_error_code(COORDINATOR)
            .into(),
        Request::ConsumerGroupHeartbeat(_) => ConsumerGroupHeartbeatResponse::default()
            .with_error_code(COORDINATOR)
            .into(),
        Request::LeaveGroup(_) => LeaveGroupResponse::default()
            .with_error_code(COORDINATOR)
            .into(),
        Request::OffsetCommit(body) => offset_commit(body).into(),
        Request::DeleteGroups(body) => {
            let results = body.groups_names.iter().map(|name| {
                DeletableGroupResult::default()
                    .with_group_id(name.clone())
                    .with_error_code(COORDINATOR)
            });
            DeleteGroupsResponse::default()
                .with_results(results.collect())
                .into()
        }
        _ => return None,
    };
    Some(response)
}

fn offset_commit(body: &OffsetCommitRequest) -> OffsetCommitResponse {
    let topics = body.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(asked.partition_index)
                .with_error_code(COORDINATOR)
        });
        OffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn transaction(request: &Request) -> Option<Response> {
    let response = match request {
        Request::AddPartitionsToTxn(body) => add_partitions(body).into(),
        Request::AddOffsetsToTxn(_) => AddOffsetsToTxnResponse::default()
            .with_error_code(COORDINATOR)
            .into(),
        Request::EndTxn(_) => EndTxnResponse::default()
            .with_error_code(COORDINATOR)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
            .into(),
        Request::TxnOffsetCommit(body) => {
            let topics = body.topics.iter().map(|topic| {
                let partitions = topic.partitions.iter().map(|asked| {
                    TxnOffsetCommitResponsePartition::default()
                        .with_partition_index(asked.partition_index)
                        .with_error_code(COORDINATOR)
                });
                TxnOffsetCommitResponseTopic::default()
                    .with_name(topic.name.clone())
                    .with_partitions(partitions.collect())
            });
            TxnOffsetCommitResponse::default()
                .with_topics(topics.collect())
                .into()
        }
        Request::OffsetDelete(_) => OffsetDeleteResponse::default()
            .with_error_code(COORDINATOR)
            .into(),
        Request::WriteTxnMarkers(body) => write_markers(body).into(),
        _ => return None,
    };
    Some(response)
}

fn add_partitions(body: &AddPartitionsToTxnRequest) -> AddPartitionsToTxnResponse {
    let refused = |topics: &[AddPartitionsToTxnTopic]| -> Vec<AddPartitionsToTxnTopicResult> {
        let topics = topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|&index| {
                AddPartitionsToTxnPartitionResult::default()
                    .with_partition_index(index)
                    .with_partition_error_code(COORDINATOR)
            });
            AddPartitionsToTxnTopicResult::default()
                .with_name(topic.name.clone())
                .with_results_by_partition(partitions.collect())
        });
        topics.collect()
    };
    // Brokers ask for several transactions at once, clients of older versions for one.
    let each = body.transactions.iter().map(|transaction| {
        AddPartitionsToTxnResult::default()
            .with_transactional_id(transaction.transactional_id.clone())
            .with_topic_results(refused(&transaction.topics))
    });
    AddPartitionsToTxnResponse::default()
        .with_results_by_transaction(each.collect())
        .with_results_by_topic_v3_and_below(refused(&body.v3_and_below_topics))
}

fn write_markers(body: &WriteTxnMarkersRequest) -> WriteTxnMarkersResponse {
    let markers = body.markers.iter().map(|marker| {
        let topics = marker.topics.iter().map(|topic| {
            let partitions = topic.partition_indexes.iter().map(|&index| {
                WritableTxnMarkerPartitionResult::default()
                    .with_partition_index(index)
                    .with_error_code(STORAGE)
            });
            WritableTxnMarkerTopicResult::default()
                .with_name(topic.name.clone())
                .with_partitions(partitions.collect())
        });
        WritableTxnMarkerResult::default()
            .with_producer_id(marker.producer_id)
            .with_topics(topics.collect())
    });
    WriteTxnMarkersResponse::default().with_markers(markers.collect())
}

fn admin(request: &Request, why: &str) -> Option<Response> {
    let message = || Some(text(why));
    let response = match request {
        Request::CreateTopics(body) => {
            let topics = body.topics.iter().map(|topic| {
                CreatableTopicResult::default()
                    .with_name(topic.name.clone())
                    .with_error_code(STORAGE)
                    .with_error_message(message())
                    .with_configs(Some(Vec::new()))
            });
            CreateTopicsResponse::default()
                .with_topics(topics.collect())
                .into()
        }
        Request::DeleteTopics(body) => {
            let by_name = body.topic_names.iter().cloned().map(Some);
            let by_name = by_name.map(|name| (name, uuid::Uuid::nil()));
            let asked = body.topics.iter().map(|t| (t.name.clone(), t.topic_id));
            let results = asked.chain(by_name).map(|(name, id)| {
                DeletableTopicResult::default()
                    .with_name(name)
                    .with_topic_id(id)
                    .with_error_code(STORAGE)
            });
            DeleteTopicsResponse::default()
                .with_responses(results.collect())
                .into()
        }
        Request::CreatePartitions(body) => {
            let results = body.topics.iter().map(|topic| {
                CreatePartitionsTopicResult::default()
                    .with_name(topic.name.clone())
                    .with_error_code(STORAGE)
                    .with_error_message(message())
            });
            CreatePartitionsResponse::default()
                .with_results(results.collect())
                .into()
        }
        Request::DeleteRecords(body) => delete_records(body).into(),
        Request::AlterConfigs(body) => {
            let results = body.resources.iter().map(|resource| {
                AlterResult::default()
                    .with_resource_type(resource.resource_type)
                    .with_resource_name(resource.resource_name.clone())
                    .with_error_code(STORAGE)
                    .with_error_message(message())
            });
            AlterConfigsResponse::default()
                .with_responses(results.collect())
                .into()
        }
        Request::IncrementalAlterConfigs(body) => {
            let results = body.resources.iter().map(|resource| {
                IncrementalResult::default()
                    .with_resource_type(resource.resource_type)
                    .with_resource_name(resource.resource_name.clone())
                    .with_error_code(STORAGE)
                    .with_error_message(message())
            });
            IncrementalAlterConfigsResponse::default()
                .with_responses(results.collect())
                .into()
        }
        _ => return None,
    };
    Some(response)
}

fn delete_records(body: &DeleteRecordsRequest) -> DeleteRecordsResponse {
    let topics = body.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            DeleteRecordsPartitionResult::default()
                .with_partition_index(asked.partition_index)
                .with_low_watermark(-1)
                .with_error_code(STORAGE)
        });
        DeleteRecordsTopicResult::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    DeleteRecordsResponse::default().with_topics(topics.collect())
}
