//! Describes the cluster for people: `Server::describe`, not a request of the protocol.

use super::{Brokers, Node, Partition, Place, Replica, Topic};
use crate::description::{
    ClusterDescription, CommittedOffset, NodeDescription, PartitionDescription,
    ProducerDescription, ReplicaDescription, TopicDescription,
};
use crate::inspection::{LogInspection, LogQuery};
use crate::log::PartitionLog;

impl Brokers {
    /// Returns all topics, partitions and groups as they are now.
    pub fn describe(&self) -> ClusterDescription {
        let addresses: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("{}:{}", node.host, node.port))
            .collect();
        let topics = self.topics.iter();
        let mut groups = self.groups.describe(&self.topics);
        for committed in groups.iter_mut().flat_map(|group| &mut group.committed) {
            self.measure_lag(committed);
        }
        ClusterDescription {
            bootstrap: addresses.join(","),
            nodes: self
                .nodes
                .iter()
                .map(|node| self.describe_node(node))
                .collect(),
            topics: topics
                .map(|(name, topic)| self.describe_topic(name, topic))
                .collect(),
            groups,
            transactions: self.transactions.describe(),
            bytes_held: self.bytes_held,
            bytes_limit: self.settings.max_bytes,
            storage: None,
        }
    }

    /// Returns the bytes of a replica's closed segments, oldest first.
    #[doc(hidden)]
    pub fn closed_segments(&self, topic: &str, partition: i32, node: i32) -> Vec<bytes::Bytes> {
        let replica = self.topics.replica(topic, partition, node);
        replica
            .map(|replica| replica.log.closed_segments())
            .unwrap_or_default()
    }

    /// Returns all logs and where they lie, in the order of the topics' names.
    pub fn logs(&self) -> impl Iterator<Item = (Place, &PartitionLog)> {
        self.topics.iter().flat_map(|(_, topic)| {
            (0..)
                .zip(&topic.partitions)
                .flat_map(move |(index, partition)| {
                    partition.replicas.iter().map(move |replica| {
                        let place = Place {
                            node: replica.node,
                            topic: topic.id,
                            partition: index,
                        };
                        (place, &replica.log)
                    })
                })
        })
    }

    fn describe_topic(&self, name: &str, topic: &Topic) -> TopicDescription {
        let partitions = topic
            .partitions
            .iter()
            .enumerate()
            .map(|(index, partition)| {
                let shown = partition.shown();
                let log = &shown.log;
                PartitionDescription {
                    partition: index as i32,
                    leader: partition.state.leader,
                    leader_epoch: partition.state.leader_epoch,
                    in_sync: partition.state.in_sync.clone(),
                    replicas: self.describe_replicas(partition),
                    high_watermark: shown.high_watermark,
                    earliest: log.earliest(),
                    latest: log.latest(),
                    bytes: log.bytes(),
                    batches: log.batches() as u64,
                    segments: log.segments() as u64,
                    last_stable_offset: shown.last_stable_offset(),
                    producers: described_producers(log),
                    aborted_transactions: log.stability.aborted() as u64,
                    cleanings: log.cleanings().cloned().collect(),
                }
            });
        TopicDescription {
            name: name.to_owned(),
            id: topic.id.to_string(),
            partitions: partitions.collect(),
            configs: topic.configs.overrides().clone(),
            bytes: topic.partitions.iter().map(super::Partition::bytes).sum(),
        }
    }

    fn describe_node(&self, node: &Node) -> NodeDescription {
        NodeDescription {
            node: node.id,
            address: format!("{}:{}", node.host, node.port),
            rack: node.rack.clone(),
            up: self.is_up(node.id),
            registered: self.lives(node.id),
        }
    }

    fn describe_replicas(&self, partition: &Partition) -> Vec<ReplicaDescription> {
        let row = |replica: &Replica| ReplicaDescription {
            node: replica.node,
            leader: replica.leads() && self.is_up(replica.node),
            in_sync: partition.state.in_sync.contains(&replica.node),
            earliest: replica.log.earliest(),
            end_offset: replica.log.latest(),
            high_watermark: replica.high_watermark,
            leader_epoch: replica.leader_epoch(),
            bytes: replica.log.bytes(),
        };
        partition.replicas.iter().map(row).collect()
    }

    fn measure_lag(&self, committed: &mut CommittedOffset) {
        let partition = self.topics.partition(&committed.topic, committed.partition);
        let Some(replica) = partition.map(super::Partition::shown) else {
            return;
        };
        committed.lag_records = (replica.high_watermark - committed.offset).max(0);
        if committed.lag_records > 0 {
            let next = replica.log.time_at(committed.offset);
            let newest = replica.log.find_max_timestamp();
            let lag = newest
                .zip(next)
                .map(|(newest, next)| newest.timestamp_ms - next);
            committed.lag_ms = lag.unwrap_or(0).max(0);
        }
    }

    /// Returns the inside of a log; nothing where there is no such log.
    pub fn inspect(&self, of: &LogQuery) -> Option<LogInspection> {
        let found = self.topics.partition(&of.topic, of.partition)?;
        let replica = match of.node {
            Some(node) => found.replica(node)?,
            None => found.shown(),
        };
        Some(LogInspection {
            topic: of.topic.clone(),
            partition: of.partition,
            node: replica.node,
            ..replica.log.inspect(of.most_batches)
        })
    }
}

fn described_producers(log: &PartitionLog) -> Vec<ProducerDescription> {
    let producers = log.producers.iter();
    let described = producers.map(|(producer_id, producer)| ProducerDescription {
        producer_id,
        epoch: producer.epoch,
        last_sequence: producer.last_sequence(),
        last_timestamp_ms: producer.last_timestamp,
        open_since: producer.open_since,
    });
    described.collect()
}
