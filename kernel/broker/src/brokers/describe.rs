//! Describes the cluster for people: `Server::describe`, not a request of the protocol.

use super::{Brokers, Topic};
use crate::description::{
    ClusterDescription, CommittedOffset, PartitionDescription, ProducerDescription,
    TopicDescription,
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
            topics: topics
                .map(|(name, topic)| self.describe_topic(name, topic))
                .collect(),
            groups,
            transactions: self.transactions.describe(),
            bytes_held: self.bytes_held,
            bytes_limit: self.settings.max_bytes,
        }
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
