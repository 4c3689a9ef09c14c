//! Room for groups: they live in memory beside the records, and may not crowd them out.
//!
//! Kafka has `group.max.size` alone, without a limit by default.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{JoinGroupRequest, OffsetCommitRequest, OffsetCommitResponse};

use super::join::refused;
use crate::brokers::{Answer, Brokers};
use crate::wire::Request;

/// Bytes in the name of a group.
const MOST_NAME_BYTES: usize = 1_000;

impl Brokers {
    /// Returns the refusal of a request that asks for more room than there is.
    pub(crate) fn no_room(&self, request: &Request) -> Option<Answer> {
        match request {
            Request::JoinGroup(body) => {
                let error = self.refuses_member(body)?;
                Some(refused(error, &body.member_id))
            }
            Request::OffsetCommit(body) => {
                let error = self.refuses_group(&body.group_id)?;
                Some(uncommitted(body, error).into())
            }
            _ => None,
        }
    }

    /// Returns why there can be no group of this name, if it would be a new one.
    fn refuses_group(&self, name: &str) -> Option<ResponseError> {
        if name.len() > MOST_NAME_BYTES {
            return Some(ResponseError::InvalidGroupId);
        }
        let full = self.groups.by_name.len() >= self.settings.max_groups;
        let new = self.groups.get(name).is_none();
        (new && full).then_some(ResponseError::PolicyViolation)
    }

    fn refuses_member(&self, body: &JoinGroupRequest) -> Option<ResponseError> {
        let error = self.refuses_group(&body.group_id);
        if error.is_some() || !body.member_id.is_empty() {
            return error;
        }
        let groups = self.groups.by_name.values();
        // Those who were promised an id take a place as well, until they come or do not.
        let taken: usize = groups
            .map(|group| group.members.len() + group.promised.len())
            .sum();
        (taken >= self.settings.max_members).then_some(ResponseError::GroupMaxSizeReached)
    }
}

fn uncommitted(body: &OffsetCommitRequest, error: ResponseError) -> OffsetCommitResponse {
    let topics = body.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(asked.partition_index)
                .with_error_code(error.code())
        });
        OffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}
