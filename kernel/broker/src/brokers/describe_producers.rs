//! DescribeProducers: who writes to a partition, and whose transaction is open there (KIP-664).

use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse, ProducerId};

use super::{Brokers, Call};
use crate::log::producers::Producer;

impl Brokers {
    pub(super) fn describe_producers(
        &self,
        call: &Call,
        body: DescribeProducersRequest,
    ) -> DescribeProducersResponse {
        let topics = body.topics.iter().map(|topic| {
            let partitions = topic.partition_indexes.iter().map(|&index| {
                let response = PartitionResponse::default().with_partition_index(index);
                match self.topics.leading(&topic.name, index, call.node) {
                    Ok(replica) => {
                        let producers = replica.log.producers.iter();
                        response.with_active_producers(producers.map(described).collect())
                    }
                    Err(error) => response.with_error_code(error.code()),
                }
            });
            TopicResponse::default()
                .with_name(topic.name.clone())
                .with_partitions(partitions.collect())
        });
        DescribeProducersResponse::default().with_topics(topics.collect())
    }
}

fn described((id, producer): (i64, &Producer)) -> ProducerState {
    ProducerState::default()
        .with_producer_id(ProducerId(id))
        .with_producer_epoch(i32::from(producer.epoch))
        .with_last_sequence(producer.last_sequence())
        .with_last_timestamp(producer.last_timestamp)
        .with_coordinator_epoch(producer.coordinator_epoch)
        .with_current_txn_start_offset(producer.open_since.unwrap_or(-1))
}
