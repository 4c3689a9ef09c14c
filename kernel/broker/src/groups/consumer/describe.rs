//! ConsumerGroupDescribe: a group of the consumer protocol, for tools.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::consumer_group_describe_response::{
    Assignment, DescribedGroup, Member, TopicPartitions,
};
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, TopicName,
};

use super::{ConsumerGroup, ConsumerMember, Spots};
use crate::brokers::{Brokers, Call, Topics};
use crate::description::{MemberDescription, TopicPartition};
use crate::wire::text;

impl Brokers {
    pub(crate) fn consumer_group_describe(
        &self,
        call: &Call,
        body: ConsumerGroupDescribeRequest,
    ) -> ConsumerGroupDescribeResponse {
        let groups = body.group_ids.into_iter().map(|name| {
            let described = DescribedGroup::default().with_group_id(name.clone());
            let group = self.groups.get(&name);
            match group.map(|group| group.consumer.as_ref()) {
                Some(Some(group)) => described_group(described, group, &self.topics, call.version),
                known => {
                    let why = match known {
                        Some(_) => format!("Group {} is not a consumer group.", *name),
                        None => format!("Group {} not found.", *name),
                    };
                    described
                        .with_error_code(ResponseError::GroupIdNotFound.code())
                        .with_error_message(Some(text(why)))
                }
            }
        });
        ConsumerGroupDescribeResponse::default().with_groups(groups.collect())
    }
}

impl ConsumerGroup {
    /// Returns the members, for people to look at.
    pub(in crate::groups) fn describe_members(&self, topics: &Topics) -> Vec<MemberDescription> {
        let members = self.members.iter().map(|(id, member)| MemberDescription {
            id: id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            assigned: named(&member.assigned, topics),
            epoch: member.epoch,
            revoking: named(&member.revoking, topics),
            target: named(&member.target, topics),
        });
        members.collect()
    }
}

fn named(spots: &Spots, topics: &Topics) -> Vec<TopicPartition> {
    let named = spots.iter().filter_map(|spot| {
        let topic = topics.name_of(spot.topic)?.to_owned();
        Some(TopicPartition {
            topic,
            partition: spot.partition,
        })
    });
    let mut named: Vec<TopicPartition> = named.collect();
    named.sort();
    named
}

fn described_group(
    described: DescribedGroup,
    group: &ConsumerGroup,
    topics: &Topics,
    version: i16,
) -> DescribedGroup {
    let members = group.members.iter();
    // From version 1 on it is told that nobody here speaks the classic protocol.
    let member_type = if version >= 1 { 1 } else { -1 };
    described
        .with_group_state(text(group.state()))
        .with_group_epoch(group.epoch)
        .with_assignment_epoch(group.assignment_epoch)
        .with_assignor_name(text(group.assignor.name()))
        .with_members(
            members
                .map(|(id, member)| {
                    described_member(id, member, topics).with_member_type(member_type)
                })
                .collect(),
        )
}

fn described_member(id: &str, member: &ConsumerMember, topics: &Topics) -> Member {
    let names = member.topics.iter();
    Member::default()
        .with_member_id(text(id))
        .with_instance_id(member.instance.as_deref().map(text))
        .with_rack_id(member.rack.as_deref().map(text))
        .with_member_epoch(member.epoch)
        .with_client_id(text(member.client_id.as_str()))
        .with_client_host(text(member.client_host.as_str()))
        .with_subscribed_topic_names(names.map(|name| TopicName(text(name.as_str()))).collect())
        .with_subscribed_topic_regex(member.pattern.as_deref().map(text))
        .with_assignment(assignment(&member.assigned, topics))
        .with_target_assignment(assignment(&member.target, topics))
}

fn assignment(spots: &Spots, topics: &Topics) -> Assignment {
    let mut parts: Vec<TopicPartitions> = Vec::new();
    for spot in spots {
        let Some(name) = topics.name_of(spot.topic) else {
            continue;
        };
        match parts.last_mut().filter(|last| last.topic_id == spot.topic) {
            Some(last) => last.partitions.push(spot.partition),
            None => parts.push(
                TopicPartitions::default()
                    .with_topic_id(spot.topic)
                    .with_topic_name(TopicName(text(name)))
                    .with_partitions(vec![spot.partition]),
            ),
        }
    }
    Assignment::default().with_topic_partitions(parts)
}
