//! Leaders go back to where they belong: elections on request (ElectLeaders), and by themselves
//! some minutes after a preferred leader is in sync again.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};

use super::controller::{Choice, NoElection};
use super::{Brokers, Millis, Place};
use crate::wire::text;

const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

impl Brokers {
    pub(super) fn elect_leaders(
        &mut self,
        now_ms: Millis,
        body: ElectLeadersRequest,
    ) -> ElectLeadersResponse {
        let choice = match body.election_type {
            PREFERRED => Choice::Preferred,
            UNCLEAN => Choice::Unclean,
            _ => {
                return ElectLeadersResponse::default()
                    .with_error_code(ResponseError::InvalidRequest.code());
            }
        };
        let all = body.topic_partitions.is_none();
        let asked: Vec<(String, Vec<i32>)> = match body.topic_partitions {
            Some(topics) => {
                let pair = |t: kafka_protocol::messages::elect_leaders_request::TopicPartitions| {
                    (t.topic.to_string(), t.partitions)
                };
                topics.into_iter().map(pair).collect()
            }
            None => self.all_partitions(),
        };
        let results = asked.into_iter().filter_map(|(topic, partitions)| {
            let results = partitions.into_iter().filter_map(|index| {
                let result = self.elect_one(now_ms, &topic, index, choice);
                // Who asks for all wants to hear of those that changed, or should have.
                if all && matches!(result, Err((ResponseError::ElectionNotNeeded, _))) {
                    return None;
                }
                let (code, message) = match result {
                    Ok(()) => (0, None),
                    Err((error, why)) => (error.code(), Some(text(why))),
                };
                let result = PartitionResult::default().with_partition_id(index);
                Some(result.with_error_code(code).with_error_message(message))
            });
            let results: Vec<_> = results.collect();
            let topic = kafka_protocol::messages::TopicName(text(topic));
            (!results.is_empty()).then(|| {
                ReplicaElectionResult::default()
                    .with_topic(topic)
                    .with_partition_result(results)
            })
        });
        let results = results.collect();
        ElectLeadersResponse::default().with_replica_election_results(results)
    }

    fn elect_one(
        &mut self,
        now_ms: Millis,
        topic: &str,
        index: i32,
        choice: Choice,
    ) -> Result<(), (ResponseError, String)> {
        let unknown = || {
            (
                ResponseError::UnknownTopicOrPartition,
                format!("there is no partition {topic}-{index}"),
            )
        };
        self.topics.partition(topic, index).ok_or_else(unknown)?;
        let id = self.topics.get(topic).ok_or_else(unknown)?.id;
        let place = Place {
            node: 0,
            topic: id,
            partition: index,
        };
        self.elect(now_ms, place, choice).map_err(|why| match why {
            NoElection::NotNeeded => (
                ResponseError::ElectionNotNeeded,
                "the partition has the leader that was asked for".to_owned(),
            ),
            NoElection::NotAvailable if choice == Choice::Preferred => (
                ResponseError::PreferredLeaderNotAvailable,
                "the preferred leader does not live or is not in sync".to_owned(),
            ),
            NoElection::NotAvailable => (
                ResponseError::EligibleLeadersNotAvailable,
                "none of the partition's nodes lives".to_owned(),
            ),
        })
    }

    /// Looks for leaders of a topic's partitions that have none: its settings may allow more now.
    pub(super) fn elect_offline(&mut self, now_ms: Millis, topic: &str) {
        let Some(known) = self.topics.get(topic) else {
            return;
        };
        let (id, count) = (known.id, known.partitions.len() as i32);
        for partition in 0..count {
            let place = Place {
                node: 0,
                topic: id,
                partition,
            };
            self.elect_if_offline(now_ms, place);
        }
    }

    fn all_partitions(&self) -> Vec<(String, Vec<i32>)> {
        let topics = self.topics.iter();
        topics
            .map(|(name, topic)| {
                let indexes = (0..topic.partitions.len() as i32).collect();
                (name.to_owned(), indexes)
            })
            .collect()
    }

    /// Sees to a look at the leaders where one is not the preferred one.
    pub(super) fn note_imbalance(&mut self, now_ms: Millis) {
        let interval = self.settings.leader_rebalance_ms;
        if interval > 0 && self.nodes.len() > 1 && self.next_balance.is_none() {
            self.next_balance = Some(now_ms.saturating_add(interval));
        }
    }

    /// Gives leadership back to preferred leaders, if a look is due.
    pub(super) fn balance_leaders(&mut self, now_ms: Millis) {
        if self.next_balance.is_none_or(|due| due > now_ms) {
            return;
        }
        self.next_balance = None;
        let mut elsewhere = false;
        for (topic, indexes) in self.all_partitions() {
            for index in indexes {
                let result = self.elect_one(now_ms, &topic, index, Choice::Preferred);
                elsewhere |=
                    matches!(result, Err((error, _)) if error != ResponseError::ElectionNotNeeded);
            }
        }
        // One that was given back needs no second look.
        self.next_balance = None;
        if elsewhere {
            self.note_imbalance(now_ms);
        }
    }
}
