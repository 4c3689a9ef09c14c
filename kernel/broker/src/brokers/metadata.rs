//! Metadata and DescribeCluster: which brokers there are, which topics, who leads what.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    BrokerId, DescribeClusterRequest, DescribeClusterResponse, MetadataRequest, MetadataResponse,
    TopicName,
};
use uuid::Uuid;

use super::configs::TopicConfigs;
use super::{Brokers, Call, Partition, Topic};
use crate::wire::text;

impl Brokers {
    pub(super) fn metadata(&mut self, call: &Call, body: MetadataRequest) -> MetadataResponse {
        let auto_create = call.version < 4 || body.allow_auto_topic_creation;
        let topics = match body.topics {
            // Version 0 asks for all topics with an empty list, later ones with none at all.
            Some(asked) if !(call.version == 0 && asked.is_empty()) => asked
                .iter()
                .map(|topic| self.described_or_created(topic, auto_create))
                .collect(),
            _ => self
                .topics
                .iter()
                .map(|(name, topic)| self.described_topic(name, topic))
                .collect(),
        };
        let brokers = self.nodes.iter().map(|node| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(node.id))
                .with_host(text(node.host.as_str()))
                .with_port(i32::from(node.port))
                .with_rack(node.rack.as_deref().map(text))
        });
        MetadataResponse::default()
            .with_brokers(brokers.collect())
            .with_cluster_id(Some(text(self.cluster_id.as_str())))
            .with_controller_id(BrokerId(self.nodes[0].id))
            .with_topics(topics)
    }

    pub(super) fn describe_cluster(
        &self,
        _body: DescribeClusterRequest,
    ) -> DescribeClusterResponse {
        let brokers = self.nodes.iter().map(|node| {
            DescribeClusterBroker::default()
                .with_broker_id(BrokerId(node.id))
                .with_host(text(node.host.as_str()))
                .with_port(i32::from(node.port))
                .with_rack(node.rack.as_deref().map(text))
        });
        DescribeClusterResponse::default()
            .with_cluster_id(text(self.cluster_id.as_str()))
            .with_controller_id(BrokerId(self.nodes[0].id))
            .with_brokers(brokers.collect())
    }

    fn described_or_created(
        &mut self,
        asked: &MetadataRequestTopic,
        auto_create: bool,
    ) -> MetadataResponseTopic {
        let Some(name) = &asked.name else {
            return self.described_by_id(asked.topic_id);
        };
        if self.topics.get(name).is_none() {
            if !(auto_create && self.settings.auto_create_topics) {
                return missing(name, ResponseError::UnknownTopicOrPartition);
            }
            let replication = self.default_replication();
            let partitions = self.spread(self.settings.partitions, replication);
            if let Err(error) = self.add_topic(name, partitions, TopicConfigs::default()) {
                return missing(name, error);
            }
        }
        match self.topics.get(name) {
            Some(topic) => self.described_topic(name, topic),
            None => missing(name, ResponseError::UnknownTopicOrPartition),
        }
    }

    fn described_by_id(&self, id: Uuid) -> MetadataResponseTopic {
        let named = self.topics.name_of(id);
        match named.and_then(|name| Some((name, self.topics.get(name)?))) {
            Some((name, topic)) => self.described_topic(name, topic),
            None => MetadataResponseTopic::default()
                .with_error_code(ResponseError::UnknownTopicId.code())
                .with_name(None)
                .with_topic_id(id),
        }
    }

    fn described_topic(&self, name: &str, topic: &Topic) -> MetadataResponseTopic {
        let partitions = topic.partitions.iter().enumerate();
        MetadataResponseTopic::default()
            .with_name(Some(TopicName(text(name))))
            .with_topic_id(topic.id)
            .with_partitions(
                partitions
                    .map(|(index, partition)| self.described_partition(index, partition))
                    .collect(),
            )
    }

    fn described_partition(
        &self,
        index: usize,
        partition: &Partition,
    ) -> MetadataResponsePartition {
        let ids = |nodes: Vec<i32>| nodes.into_iter().map(BrokerId).collect();
        MetadataResponsePartition::default()
            .with_partition_index(index as i32)
            .with_leader_id(BrokerId(partition.state.leader))
            .with_leader_epoch(partition.state.leader_epoch)
            .with_replica_nodes(ids(partition.nodes()))
            .with_isr_nodes(ids(partition.state.in_sync.clone()))
    }
}

fn missing(name: &TopicName, error: ResponseError) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(name.clone()))
}
