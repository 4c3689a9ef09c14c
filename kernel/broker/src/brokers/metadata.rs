//! Metadata and DescribeCluster: which brokers there are, which topics, who leads what.

use std::collections::BTreeSet;

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
use super::{Brokers, Call, Flaw, Millis, NO_LEADER, Node, Partition, Topic};
use crate::wire::text;

impl Brokers {
    pub(super) fn metadata(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: MetadataRequest,
    ) -> MetadataResponse {
        let auto_create = call.version < 4 || body.allow_auto_topic_creation;
        let topics = match body.topics {
            // Version 0 asks for all topics with an empty list, later ones with none at all.
            Some(asked) if !(call.version == 0 && asked.is_empty()) => asked
                .iter()
                .map(|topic| self.described_or_created(now_ms, call.node, topic, auto_create))
                .collect(),
            _ => self
                .topics
                .iter()
                .map(|(name, topic)| self.described_topic(call.node, name, topic))
                .collect(),
        };
        let brokers = self.known_nodes(call.node).map(|node| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(node.id))
                .with_host(text(node.host.as_str()))
                .with_port(i32::from(node.port))
                .with_rack(node.rack.as_deref().map(text))
        });
        MetadataResponse::default()
            .with_brokers(brokers.collect())
            .with_cluster_id(Some(text(self.cluster_id.as_str())))
            .with_controller_id(BrokerId(self.known_controller(call.node)))
            .with_topics(topics)
    }

    pub(super) fn describe_cluster(
        &self,
        call: &Call,
        body: DescribeClusterRequest,
    ) -> DescribeClusterResponse {
        assert!(!self.has(Flaw::StepPanics), "a planted panic");
        let sees = self.seen_by(call.node);
        let wanted = |node: &&Node| sees.contains(&node.id) || body.include_fenced_brokers;
        let brokers = self.nodes.iter().filter(wanted).map(|node| {
            DescribeClusterBroker::default()
                .with_is_fenced(call.version >= 2 && !sees.contains(&node.id))
                .with_broker_id(BrokerId(node.id))
                .with_host(text(node.host.as_str()))
                .with_port(i32::from(node.port))
                .with_rack(node.rack.as_deref().map(text))
        });
        DescribeClusterResponse::default()
            .with_cluster_id(text(self.cluster_id.as_str()))
            .with_controller_id(BrokerId(self.known_controller(call.node)))
            .with_brokers(brokers.collect())
    }

    fn described_or_created(
        &mut self,
        now_ms: Millis,
        node: i32,
        asked: &MetadataRequestTopic,
        auto_create: bool,
    ) -> MetadataResponseTopic {
        let Some(name) = &asked.name else {
            return self.described_by_id(node, asked.topic_id);
        };
        if self.topics.get(name).is_none() {
            let stored = self.storage_failure.is_none();
            if !(auto_create && self.settings.auto_create_topics && stored) {
                return missing(name, ResponseError::UnknownTopicOrPartition);
            }
            let replication = self.default_replication();
            let partitions = self.spread(self.settings.partitions, replication);
            if let Err(error) = self.add_topic(now_ms, name, partitions, TopicConfigs::default()) {
                return missing(name, error);
            }
        }
        match self.topics.get(name) {
            Some(topic) => self.described_topic(node, name, topic),
            None => missing(name, ResponseError::UnknownTopicOrPartition),
        }
    }

    fn described_by_id(&self, node: i32, id: Uuid) -> MetadataResponseTopic {
        let named = self.topics.name_of(id);
        match named.and_then(|name| Some((name, self.topics.get(name)?))) {
            Some((name, topic)) => self.described_topic(node, name, topic),
            None => MetadataResponseTopic::default()
                .with_error_code(ResponseError::UnknownTopicId.code())
                .with_name(None)
                .with_topic_id(id),
        }
    }

    fn described_topic(&self, node: i32, name: &str, topic: &Topic) -> MetadataResponseTopic {
        let sees = self.seen_by(node);
        let partitions = topic.partitions.iter().enumerate();
        MetadataResponseTopic::default()
            .with_name(Some(TopicName(text(name))))
            .with_topic_id(topic.id)
            .with_partitions(
                partitions
                    .map(|(index, partition)| described_partition(node, &sees, index, partition))
                    .collect(),
            )
    }

    /// Returns the nodes that `node` takes for alive.
    fn known_nodes(&self, node: i32) -> impl Iterator<Item = &Node> {
        let sees = self.seen_by(node);
        self.nodes
            .iter()
            .filter(move |known| sees.contains(&known.id))
    }

    /// Returns the node to which requests for the controller go; any passes them on.
    fn known_controller(&self, node: i32) -> i32 {
        let first = self.known_nodes(node).next();
        first.map_or(node, |first| first.id)
    }
}

/// Describes a partition as `node` knows it: what it heard last of its own, what the controller
/// knows of the others.
pub(super) fn described_partition(
    node: i32,
    sees: &BTreeSet<i32>,
    index: usize,
    partition: &Partition,
) -> MetadataResponsePartition {
    let ids = |nodes: &[i32]| nodes.iter().copied().map(BrokerId).collect();
    let own = partition.replica(node).map(|replica| &replica.known);
    let known = own.unwrap_or(&partition.state);
    let nodes = partition.nodes();
    let offline: Vec<i32> = nodes
        .iter()
        .copied()
        .filter(|id| !sees.contains(id))
        .collect();
    let (leader, error) = match sees.contains(&known.leader) {
        true => (known.leader, 0),
        false => (NO_LEADER, ResponseError::LeaderNotAvailable.code()),
    };
    MetadataResponsePartition::default()
        .with_error_code(error)
        .with_partition_index(index as i32)
        .with_leader_id(BrokerId(leader))
        .with_leader_epoch(known.leader_epoch)
        .with_replica_nodes(ids(&nodes))
        .with_isr_nodes(ids(&known.in_sync))
        .with_offline_replicas(ids(&offline))
}

fn missing(name: &TopicName, error: ResponseError) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(name.clone()))
}
