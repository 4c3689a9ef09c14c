//! The facts that the brokers report, and their shapes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Brokers, Key, Partition};

/// Where ids go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    /// State of the source that ids of topics and members come from.
    pub ids: u64,
    pub next_producer_id: i64,
}

/// The cluster as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClusterFact {
    pub cluster_id: String,
    pub nodes: Vec<i32>,
}

/// What the disk was told last, of facts that are compared at the end of each step.
#[derive(Debug, Default)]
pub(super) struct Reported {
    pub cluster: Option<ClusterFact>,
    pub counters: Counters,
}

/// A topic as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TopicFact {
    pub name: String,
    /// The nodes that hold each partition, the preferred leader first.
    pub replicas: Vec<Vec<i32>>,
    /// Settings that differ from their defaults.
    pub configs: BTreeMap<String, String>,
}

impl Brokers {
    /// Reports a topic that was made or changed.
    pub(crate) fn report_topic(&self, name: &str) {
        let Some(topic) = self.topics.get(name).filter(|_| self.recorder.is_on()) else {
            return;
        };
        let fact = TopicFact {
            name: name.to_owned(),
            replicas: topic.partitions.iter().map(Partition::nodes).collect(),
            configs: topic.configs.overrides().clone(),
        };
        self.recorder.fact(|| topic_key(topic.id), &fact);
    }

    pub(crate) fn report_topic_gone(&self, id: Uuid, partitions: i32) {
        self.recorder.gone(|| topic_key(id));
        for partition in 0..partitions {
            self.recorder.gone(|| Key::Partition {
                topic: id.to_string(),
                partition,
            });
        }
    }

    /// Reports a transactional id as it is now.
    pub(crate) fn report_transaction(&self, id: &str) {
        if let Some(transaction) = self.transactions.get(id) {
            let key = || Key::Transaction { id: id.to_owned() };
            self.recorder.fact(key, transaction);
        }
    }

    pub(crate) fn report_transaction_gone(&self, id: &str) {
        self.recorder
            .gone(|| Key::Transaction { id: id.to_owned() });
    }

    /// Reports what this step changed and no handler reported itself.
    pub(super) fn report_facts(&mut self) {
        self.report_groups();
        if !self.recorder.is_on() {
            return;
        }
        self.report_cluster();
        let counters = Counters {
            ids: self.ids.state(),
            next_producer_id: self.next_producer_id,
        };
        if self.reported.counters != counters {
            self.reported.counters = counters;
            self.recorder.fact(|| Key::Counters, &counters);
        }
    }

    fn report_cluster(&mut self) {
        let known = self.reported.cluster.as_ref();
        if known.is_some_and(|known| known.nodes.len() == self.nodes.len()) {
            return;
        }
        let fact = ClusterFact {
            cluster_id: self.cluster_id.clone(),
            nodes: self.nodes.iter().map(|node| node.id).collect(),
        };
        self.recorder.fact(|| Key::Cluster, &fact);
        self.reported.cluster = Some(fact);
    }
}

fn topic_key(id: Uuid) -> Key {
    Key::Topic { id: id.to_string() }
}
