//! OffsetCommit and OffsetFetch: how far a group has read.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, TopicName,
};

use super::committed::{Committed, NOT_NOTED};
use super::consumer::ConsumerGroup;
use super::group::{Group, State};
use crate::brokers::{Brokers, Call, Flaw, Millis};
use crate::wire::text;

/// Kafka's `offset.metadata.max.bytes`.
pub(crate) const MOST_METADATA_BYTES: usize = 4096;

/// The offsets of one topic, as far as they were asked for.
type Found = (String, Vec<(i32, Lookup)>);

/// What is known of one partition: nothing where the group never committed for it.
type Lookup = Result<Option<Committed>, ResponseError>;

impl Brokers {
    pub(crate) fn offset_commit(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: OffsetCommitRequest,
    ) -> OffsetCommitResponse {
        let allowed = self.check_commit(now_ms, call.version, &body);
        let mut topics = Vec::with_capacity(body.topics.len());
        for topic in &body.topics {
            let partitions = topic.partitions.iter().map(|asked| {
                let result = allowed.and_then(|()| self.commit(&body.group_id, &topic.name, asked));
                OffsetCommitResponsePartition::default()
                    .with_partition_index(asked.partition_index)
                    .with_error_code(result.err().map_or(0, |error| error.code()))
            });
            topics.push(
                OffsetCommitResponseTopic::default()
                    .with_partitions(partitions.collect())
                    .with_name(topic.name.clone()),
            );
        }
        OffsetCommitResponse::default().with_topics(topics)
    }

    /// Returns an error where the caller may not commit for this group.
    fn check_commit(
        &mut self,
        now_ms: Millis,
        version: i16,
        body: &OffsetCommitRequest,
    ) -> Result<(), ResponseError> {
        if body.group_id.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        let generation = body.generation_id_or_member_epoch;
        let unchecked = self.has(Flaw::GenerationUnchecked);
        let outsider = generation < 0 && body.member_id.is_empty();
        let Some(group) = self.groups.get_mut(&body.group_id) else {
            // A reader that assigns itself, or a tool that sets offsets, needs no membership.
            return match outsider {
                true => Ok(()),
                false if version >= 9 => Err(ResponseError::GroupIdNotFound),
                false => Err(ResponseError::IllegalGeneration),
            };
        };
        if outsider {
            return match group.is_empty() {
                true => Ok(()),
                false => Err(ResponseError::UnknownMemberId),
            };
        }
        let instance = body.group_instance_id.as_deref();
        if unchecked {
            return Ok(());
        }
        if let Some(consumers) = &group.consumer {
            return match version {
                // Older versions know no member epochs.
                ..9 => Err(ResponseError::UnsupportedVersion),
                _ => check_member_epoch(consumers, &body.member_id, generation),
            };
        }
        group.check_member(&body.member_id, instance, generation)?;
        group.touch(&body.member_id, now_ms);
        match group.state {
            State::CompletingRebalance => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    fn commit(
        &mut self,
        group: &str,
        topic: &str,
        asked: &OffsetCommitRequestPartition,
    ) -> Result<(), ResponseError> {
        let index = asked.partition_index;
        if self.topics.partition(topic, index).is_none() {
            return Err(ResponseError::UnknownTopicOrPartition);
        }
        let metadata = asked.committed_metadata.as_deref().unwrap_or_default();
        if metadata.len() > MOST_METADATA_BYTES {
            return Err(ResponseError::OffsetMetadataTooLarge);
        }
        let ahead = i64::from(self.has(Flaw::CommitAhead));
        let committed = Committed {
            offset: asked.committed_offset + ahead,
            leader_epoch: asked.committed_leader_epoch,
            metadata: metadata.to_owned(),
            at_ms: NOT_NOTED,
        };
        // The latest commit counts, also over one that a transaction still keeps back.
        self.supersede_staged(group, topic, index, u64::MAX);
        self.store_offset(group, topic, index, committed);
        Ok(())
    }

    /// Stores how far a group has read.
    pub(crate) fn store_offset(
        &mut self,
        group: &str,
        topic: &str,
        index: i32,
        committed: Committed,
    ) {
        let group = self.groups.entry(group);
        group.offsets.insert((topic.to_owned(), index), committed);
    }

    pub(crate) fn offset_fetch(
        &self,
        call: &Call,
        body: OffsetFetchRequest,
    ) -> OffsetFetchResponse {
        if call.version >= 8 {
            let groups = body.groups.iter().map(|asked| {
                let topics = asked.topics.as_ref().map(|topics| {
                    let pairs = topics.iter();
                    pairs
                        .map(|t| (t.name.to_string(), t.partition_indexes.clone()))
                        .collect()
                });
                let group = self.groups.get(&asked.group_id);
                let response =
                    OffsetFetchResponseGroup::default().with_group_id(asked.group_id.clone());
                let member = asked.member_id.as_deref();
                if let Err(error) = check_reader(group, member, asked.member_epoch) {
                    return response.with_error_code(error.code());
                }
                let found = self.found(&asked.group_id, topics, body.require_stable);
                response.with_topics(found.into_iter().map(topic_of_group).collect())
            });
            return OffsetFetchResponse::default().with_groups(groups.collect());
        }
        let topics = body.topics.as_ref().map(|topics| {
            let pairs = topics.iter();
            pairs
                .map(|t| (t.name.to_string(), t.partition_indexes.clone()))
                .collect()
        });
        let found = self.found(&body.group_id, topics, body.require_stable);
        OffsetFetchResponse::default().with_topics(found.into_iter().map(topic_alone).collect())
    }

    /// Returns the offsets that were asked for, or all of them.
    fn found(
        &self,
        name: &str,
        asked: Option<Vec<(String, Vec<i32>)>>,
        require_stable: bool,
    ) -> Vec<Found> {
        // Who goes on from an offset that a transaction is about to change would read twice.
        let unstable = match require_stable {
            true => self.transactions.unstable(name),
            false => BTreeSet::new(),
        };
        let stable = |topic: &str, index: i32| match unstable.contains(&(topic, index)) {
            true => Err(ResponseError::UnstableOffsetCommit),
            false => Ok(()),
        };
        lookup(self.groups.get(name), asked, stable)
    }
}

/// Returns an error where a member of a consumer group asks with an epoch that is not its own:
/// what it is told could be stale by the time it reads it.
fn check_reader(
    group: Option<&Group>,
    member: Option<&str>,
    epoch: i32,
) -> Result<(), ResponseError> {
    match (group.and_then(|group| group.consumer.as_ref()), member) {
        (Some(consumers), Some(member)) => check_member_epoch(consumers, member, epoch),
        (Some(consumers), None) if epoch >= 0 => check_member_epoch(consumers, "", epoch),
        _ => Ok(()),
    }
}

pub(super) fn check_member_epoch(
    group: &ConsumerGroup,
    member: &str,
    epoch: i32,
) -> Result<(), ResponseError> {
    match group.members.get(member) {
        None => Err(ResponseError::UnknownMemberId),
        Some(member) if member.epoch != epoch => Err(ResponseError::StaleMemberEpoch),
        Some(_) => Ok(()),
    }
}

fn lookup(
    group: Option<&Group>,
    asked: Option<Vec<(String, Vec<i32>)>>,
    stable: impl Fn(&str, i32) -> Result<(), ResponseError>,
) -> Vec<Found> {
    let committed = |topic: &str, index: i32| {
        let key = (topic.to_owned(), index);
        stable(topic, index)?;
        Ok(group.and_then(|group| group.offsets.get(&key).cloned()))
    };
    if let Some(asked) = asked {
        let topics = asked.into_iter().map(|(topic, indexes)| {
            let partitions = indexes
                .into_iter()
                .map(|index| (index, committed(&topic, index)));
            let partitions = partitions.collect();
            (topic, partitions)
        });
        return topics.collect();
    }
    let mut all: Vec<Found> = Vec::new();
    for ((topic, index), offset) in group.into_iter().flat_map(|group| group.offsets.iter()) {
        let entry = stable(topic, *index).map(|()| Some(offset.clone()));
        let entry = (*index, entry);
        match all.last_mut() {
            Some((last, partitions)) if last == topic => partitions.push(entry),
            _ => all.push((topic.clone(), vec![entry])),
        }
    }
    all
}

fn topic_alone((topic, partitions): Found) -> OffsetFetchResponseTopic {
    let partitions = partitions.into_iter().map(|(index, lookup)| {
        let (committed, error_code) = told(lookup);
        OffsetFetchResponsePartition::default()
            .with_partition_index(index)
            .with_error_code(error_code)
            .with_committed_offset(committed.offset)
            .with_committed_leader_epoch(committed.leader_epoch)
            .with_metadata(Some(text(committed.metadata)))
    });
    OffsetFetchResponseTopic::default()
        .with_partitions(partitions.collect())
        .with_name(TopicName(text(topic)))
}

fn topic_of_group((topic, partitions): Found) -> OffsetFetchResponseTopics {
    let partitions = partitions.into_iter().map(|(index, lookup)| {
        let (committed, error_code) = told(lookup);
        OffsetFetchResponsePartitions::default()
            .with_partition_index(index)
            .with_error_code(error_code)
            .with_committed_offset(committed.offset)
            .with_committed_leader_epoch(committed.leader_epoch)
            .with_metadata(Some(text(committed.metadata)))
    });
    OffsetFetchResponseTopics::default()
        .with_partitions(partitions.collect())
        .with_name(TopicName(text(topic)))
}

/// Returns what is answered: -1 where nothing was committed, or nothing may be told.
fn told(lookup: Lookup) -> (Committed, i16) {
    let nothing = || Committed {
        offset: -1,
        leader_epoch: -1,
        metadata: String::new(),
        at_ms: NOT_NOTED,
    };
    match lookup {
        Ok(committed) => (committed.unwrap_or_else(nothing), 0),
        Err(error) => (nothing(), error.code()),
    }
}
