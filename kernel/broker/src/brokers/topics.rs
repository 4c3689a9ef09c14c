//! Topics and their partitions, found by name or by id.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::configs::TopicConfigs;
use super::partition::{Partition, Replica};
use super::{Brokers, Millis, Place};
use crate::log::PartitionLog;

/// One topic.
#[derive(Debug)]
pub struct Topic {
    pub id: Uuid,
    pub partitions: Vec<Partition>,
    pub configs: TopicConfigs,
}

/// All topics of a cluster.
#[derive(Debug, Default)]
pub struct Topics {
    by_name: BTreeMap<String, Topic>,
    names: HashMap<Uuid, String>,
}

impl Topics {
    pub fn get(&self, name: &str) -> Option<&Topic> {
        self.by_name.get(name)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Topic> {
        self.by_name.get_mut(name)
    }

    /// Returns the name of the topic with this id.
    pub fn name_of(&self, id: Uuid) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    pub fn partition(&self, topic: &str, index: i32) -> Option<&Partition> {
        let index = usize::try_from(index).ok()?;
        self.get(topic)?.partitions.get(index)
    }

    pub fn partition_mut(&mut self, topic: &str, index: i32) -> Option<&mut Partition> {
        let index = usize::try_from(index).ok()?;
        self.get_mut(topic)?.partitions.get_mut(index)
    }

    /// Returns the copy of a partition that a node holds.
    pub fn replica(&self, topic: &str, index: i32, node: i32) -> Option<&Replica> {
        self.partition(topic, index)?.replica(node)
    }

    pub fn replica_mut(&mut self, topic: &str, index: i32, node: i32) -> Option<&mut Replica> {
        self.partition_mut(topic, index)?.replica_mut(node)
    }

    /// Returns the copy of a partition at a node that leads it, or believes so.
    ///
    /// # Errors
    /// `UnknownTopicOrPartition`, and `NotLeaderOrFollower` where another node leads.
    pub fn leading(&self, topic: &str, index: i32, node: i32) -> Result<&Replica, ResponseError> {
        let partition = self.partition(topic, index);
        let partition = partition.ok_or(ResponseError::UnknownTopicOrPartition)?;
        partition.leading(node)
    }

    /// Returns the topic with this id, and its name.
    pub(crate) fn by_id(&self, id: Uuid) -> Option<(&str, &Topic)> {
        let name = self.names.get(&id)?;
        Some((name, self.by_name.get(name)?))
    }

    pub(crate) fn by_id_mut(&mut self, id: Uuid) -> Option<(&str, &mut Topic)> {
        let name = self.names.get(&id)?;
        Some((name, self.by_name.get_mut(name)?))
    }

    /// Returns the partition that a place lies in.
    pub(crate) fn partition_at(&self, place: Place) -> Option<&Partition> {
        let index = usize::try_from(place.partition).ok()?;
        self.by_id(place.topic)?.1.partitions.get(index)
    }

    pub(crate) fn partition_at_mut(&mut self, place: Place) -> Option<&mut Partition> {
        let index = usize::try_from(place.partition).ok()?;
        self.by_id_mut(place.topic)?.1.partitions.get_mut(index)
    }

    pub(crate) fn replica_at(&self, place: Place) -> Option<&Replica> {
        self.partition_at(place)?.replica(place.node)
    }

    pub(crate) fn replica_at_mut(&mut self, place: Place) -> Option<&mut Replica> {
        self.partition_at_mut(place)?.replica_mut(place.node)
    }

    /// Returns all replicas, and where they lie.
    pub(crate) fn replicas(&self) -> impl Iterator<Item = (Place, &Replica)> {
        let partitions = self.by_name.values().flat_map(|topic| {
            let partitions = (0..).zip(&topic.partitions);
            partitions.map(move |(index, partition)| (topic.id, index, partition))
        });
        partitions.flat_map(|(topic, index, partition)| {
            partition.replicas.iter().map(move |replica| {
                let place = Place {
                    node: replica.node,
                    topic,
                    partition: index,
                };
                (place, replica)
            })
        })
    }

    /// Returns the replicas that lead and have followers.
    pub(crate) fn leaders(&self) -> impl Iterator<Item = (Place, &Replica)> {
        self.replicas()
            .filter(|(_, replica)| replica.leads() && !replica.followers.is_empty())
    }

    /// Returns where the replicas of a node lie.
    pub(crate) fn places_of(&self, node: i32) -> Vec<Place> {
        let places = self.replicas().map(|(place, _)| place);
        places.filter(|place| place.node == node).collect()
    }

    /// Returns all topics, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Topic)> {
        self.by_name
            .iter()
            .map(|(name, topic)| (name.as_str(), topic))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Topic)> {
        self.by_name
            .iter_mut()
            .map(|(name, topic)| (name.as_str(), topic))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Returns how many partitions all topics have together.
    pub fn partitions(&self) -> usize {
        self.by_name
            .values()
            .map(|topic| topic.partitions.len())
            .sum()
    }

    pub(super) fn insert(&mut self, name: String, topic: Topic) {
        self.names.insert(topic.id, name.clone());
        self.by_name.insert(name, topic);
    }

    fn remove(&mut self, name: &str) -> Option<Topic> {
        let topic = self.by_name.remove(name)?;
        self.names.remove(&topic.id);
        Some(topic)
    }
}

impl Brokers {
    /// Makes a topic whose partitions have these replicas, the preferred leader first, and
    /// returns its id.
    ///
    /// # Errors
    /// `InvalidTopicException`, `TopicAlreadyExists`, `InvalidPartitions`.
    pub(crate) fn add_topic(
        &mut self,
        now_ms: Millis,
        name: &str,
        replicas: Vec<Vec<i32>>,
        configs: TopicConfigs,
    ) -> Result<Uuid, ResponseError> {
        check_new_topic(&self.topics, name)?;
        self.check_partitions(i32::try_from(replicas.len()).unwrap_or(i32::MAX))?;
        let id = self.ids.uuid();
        let topic = Topic {
            id,
            partitions: (0..)
                .zip(&replicas)
                .map(|(index, nodes)| self.new_partition(name, id, index, nodes))
                .collect(),
            configs,
        };
        let count = topic.partitions.len() as i32;
        self.topics.insert(name.to_owned(), topic);
        self.report_topic(name);
        self.announce(now_ms, id, 0..count);
        Ok(id)
    }

    /// Returns an empty partition, whose logs report their changes where that is wanted.
    pub(crate) fn new_partition(
        &self,
        name: &str,
        topic: Uuid,
        partition: i32,
        nodes: &[i32],
    ) -> Partition {
        let lives = |node: i32| self.lives(node);
        Partition::new(nodes, lives, |node| {
            let place = Place {
                node,
                topic,
                partition,
            };
            PartitionLog::recorded_by(self.recorder.create_log(place, name))
        })
    }

    /// Tells the nodes of new partitions what they hold.
    pub(crate) fn announce(&mut self, now_ms: Millis, topic: Uuid, partitions: Range<i32>) {
        for partition in partitions {
            self.report_partition(topic, partition);
            self.tell_nodes(now_ms, topic, partition);
        }
        self.pump(now_ms);
    }

    /// Returns an error where so many more partitions cannot be had.
    pub(crate) fn check_partitions(&self, more: i32) -> Result<(), ResponseError> {
        let more = usize::try_from(more).unwrap_or(0);
        if more == 0 || self.topics.partitions() + more > self.settings.max_partitions {
            return Err(ResponseError::InvalidPartitions);
        }
        Ok(())
    }

    /// Deletes a topic with its records and its committed offsets; who waits for it is told.
    /// Returns false where there is none.
    pub(crate) fn remove_topic(&mut self, now_ms: Millis, name: &str) -> bool {
        let Some(topic) = self.topics.remove(name) else {
            return false;
        };
        self.report_topic_gone(topic.id, topic.partitions.len() as i32);
        for replica in topic.partitions.iter().flat_map(|p| &p.replicas) {
            replica.log.deleted();
        }
        let held: u64 = topic.partitions.iter().map(Partition::bytes).sum();
        self.bytes_held -= held;
        self.groups.forget_topic(name);
        for id in self.transactions.forget_topic(name) {
            self.report_transaction(&id);
        }
        let replicas = topic.partitions.into_iter().flat_map(|p| p.replicas);
        let (mut waiters, mut acks) = (Vec::new(), Vec::new());
        for mut replica in replicas {
            waiters.append(&mut replica.waiters);
            acks.append(&mut replica.acks);
        }
        for ack in acks {
            self.settle(ack, Some(ResponseError::UnknownTopicOrPartition));
        }
        self.wake(now_ms, waiters);
        true
    }
}

/// Returns an error where no topic of this name can be made.
pub(crate) fn check_new_topic(topics: &Topics, name: &str) -> Result<(), ResponseError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let named = !name.is_empty() && name.len() <= 249 && name != "." && name != "..";
    if !named || !name.chars().all(legal) {
        return Err(ResponseError::InvalidTopicException);
    }
    if topics.get(name).is_some() {
        return Err(ResponseError::TopicAlreadyExists);
    }
    Ok(())
}
