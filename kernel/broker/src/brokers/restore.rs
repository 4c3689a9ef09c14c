//! Brokers as they were: from facts and logs back to topics, groups and counters.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::configs::TopicConfigs;
use super::facts::{ClusterFact, Counters, TopicFact};
use super::{
    BrokerSettings, Brokers, Ids, Key, Millis, Node, Partition, PartitionState, Place, Stored,
    Topic,
};
use crate::log::PartitionLog;

/// Why brokers cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRestored {
    /// A fact is none that this version knows.
    Fact { key: String, why: String },
    /// The directory was written by a cluster of other nodes.
    OtherNodes { stored: Vec<i32>, given: Vec<i32> },
}

impl Brokers {
    /// Returns the brokers that were stored, or new ones where nothing was; the seed counts for
    /// new ones only. The first step reports what had to be put right.
    ///
    /// # Errors
    /// Where the facts do not fit the nodes, or are none.
    pub fn restore(
        settings: BrokerSettings,
        nodes: Vec<Node>,
        seed: u64,
        now_ms: Millis,
        stored: Stored,
    ) -> Result<Brokers, NotRestored> {
        let mut brokers = Brokers::new(settings, nodes, seed);
        brokers.restore_cluster(&stored)?;
        let mut used: BTreeSet<Place> = BTreeSet::new();
        for (key, value) in &stored.facts {
            match key {
                Key::Topic { id } => {
                    let fact: TopicFact = parsed(key, value)?;
                    let id = Uuid::parse_str(id).map_err(|error| unreadable(key, error))?;
                    brokers.restore_topic(id, fact, &stored, now_ms, &mut used)?;
                }
                Key::Counters => {
                    let counters: Counters = parsed(key, value)?;
                    brokers.ids = Ids::new(counters.ids);
                    brokers.next_producer_id = counters.next_producer_id;
                    brokers.reported.counters = counters;
                }
                Key::Transaction { id } => {
                    brokers.transactions.restore(id, parsed(key, value)?);
                }
                _ => {}
            }
        }
        for place in stored.logs.keys().filter(|place| !used.contains(place)) {
            // Left by a topic that was deleted, or had not been made yet.
            PartitionLog::recorded_by(brokers.recorder.log(*place)).deleted();
        }
        brokers.restore_groups(now_ms, &stored)?;
        brokers.bytes_held = brokers.measure_bytes();
        brokers.schedule_cleaning(now_ms);
        brokers.resume(now_ms);
        Ok(brokers)
    }

    fn restore_cluster(&mut self, stored: &Stored) -> Result<(), NotRestored> {
        let Some(value) = stored.facts.get(&Key::Cluster) else {
            return Ok(());
        };
        let fact: ClusterFact = parsed(&Key::Cluster, value)?;
        let given: Vec<i32> = self.nodes.iter().map(|node| node.id).collect();
        if !fact.nodes.iter().all(|node| given.contains(node)) {
            return Err(NotRestored::OtherNodes {
                stored: fact.nodes,
                given,
            });
        }
        self.cluster_id.clone_from(&fact.cluster_id);
        self.reported.cluster = Some(fact);
        Ok(())
    }

    fn restore_topic(
        &mut self,
        id: Uuid,
        fact: TopicFact,
        stored: &Stored,
        now_ms: Millis,
        used: &mut BTreeSet<Place>,
    ) -> Result<(), NotRestored> {
        let mut configs = TopicConfigs::default();
        let key = Key::Topic { id: id.to_string() };
        for (name, value) in &fact.configs {
            let set = configs.set(name, Some(value));
            set.map_err(|why| unreadable(&key, why))?;
        }
        let mut partitions = Vec::with_capacity(fact.replicas.len());
        for (index, nodes) in (0..).zip(&fact.replicas) {
            let place = |node| Place {
                node,
                topic: id,
                partition: index,
            };
            used.extend(nodes.iter().map(|&node| place(node)));
            let mut partition = Partition::new(
                nodes,
                |_| true,
                |node| {
                    match stored.logs.get(&place(node)) {
                        Some(log) => {
                            PartitionLog::restored(self.recorder.log(place(node)), log, now_ms)
                        }
                        // Killed before its directory was made.
                        None => {
                            let recorder = self.recorder.create_log(place(node), &fact.name);
                            PartitionLog::recorded_by(recorder)
                        }
                    }
                },
            );
            let key = Key::Partition {
                topic: id.to_string(),
                partition: index,
            };
            if let Some(value) = stored.facts.get(&key) {
                partition.restore_state(parsed(&key, value)?);
            }
            partition.restore_high_watermark();
            for replica in &partition.replicas {
                let newest = replica.log.producers.newest_id();
                self.next_producer_id = self.next_producer_id.max(newest.map_or(0, |id| id + 1));
            }
            partitions.push(partition);
        }
        let topic = Topic {
            id,
            partitions,
            configs,
        };
        self.topics.insert(fact.name, topic);
        Ok(())
    }

    fn measure_bytes(&self) -> u64 {
        let partitions = self.topics.iter().flat_map(|(_, topic)| &topic.partitions);
        partitions.map(Partition::bytes).sum()
    }
}

impl Partition {
    fn restore_state(&mut self, state: PartitionState) {
        for replica in &mut self.replicas {
            replica.known = state.clone();
        }
        self.state = state;
    }

    /// Whatever all of the in-sync set hold may be seen: it can never be taken back.
    fn restore_high_watermark(&mut self) {
        let in_sync = |node: i32| self.state.in_sync.contains(&node);
        let ends = self.replicas.iter().filter(|replica| in_sync(replica.node));
        let high_watermark = ends.map(|replica| replica.log.latest()).min().unwrap_or(0);
        for replica in &mut self.replicas {
            replica.high_watermark =
                high_watermark.clamp(replica.log.earliest(), replica.log.latest());
        }
    }
}

/// Reads the value of a fact.
pub(crate) fn parsed<T: DeserializeOwned>(key: &Key, value: &[u8]) -> Result<T, NotRestored> {
    serde_json::from_slice(value).map_err(|error| unreadable(key, error))
}

fn unreadable(key: &Key, why: impl ToString) -> NotRestored {
    NotRestored::Fact {
        key: serde_json::to_string(key).unwrap_or_default(),
        why: why.to_string(),
    }
}
