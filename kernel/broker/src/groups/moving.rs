//! Which node coordinates a group, and what happens when another one takes over.
//!
//! The state of groups lives with the controller, as if every change were stored in a topic of
//! its own that never fails. A coordinator adds only what is in the memory of one node: the
//! requests that wait there and the clocks of its members.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::consumer_group_describe_response::DescribedGroup as ConsumerDescribed;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::DescribedGroup;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use kafka_protocol::messages::{
    ConsumerGroupDescribeResponse, ConsumerGroupHeartbeatResponse, DeleteGroupsResponse,
    DescribeGroupsResponse, HeartbeatResponse, LeaveGroupResponse, OffsetCommitRequest,
    OffsetCommitResponse, OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse,
};

use super::group::Group;
use super::{join, sync};
use crate::brokers::{Brokers, Call, Millis, Peer, Reply};
use crate::wire::{Request, Response};

impl Brokers {
    /// Returns the node that coordinates a group or a transactional id, while one lives.
    pub(crate) fn coordinator_of(&self, key: &str) -> Option<i32> {
        self.coordinator_where(key, |node| self.lives(node))
    }

    /// Each key has its own order of nodes, and the first that lives is taken: so keys spread over
    /// all nodes, and only those of a dead node move.
    fn coordinator_where(&self, key: &str, lives: impl Fn(i32) -> bool) -> Option<i32> {
        let count = self.nodes.len();
        let first = (hash(key) % count as u64) as usize;
        let in_turn = (0..count).map(|step| self.nodes[(first + step) % count].id);
        let mut living = in_turn.filter(|node| lives(*node));
        living.next()
    }

    /// Returns the error for a request about `key` that reached a node which does not coordinate
    /// it, or cannot because it is cut off from where the state is kept.
    pub(crate) fn check_coordinator(&self, node: i32, key: &str) -> Result<(), ResponseError> {
        if self.nodes.len() == 1 {
            return Ok(());
        }
        if self.is_cut_off(node) {
            return Err(ResponseError::CoordinatorNotAvailable);
        }
        match self.coordinator_of(key) == Some(node) {
            true => Ok(()),
            false => Err(ResponseError::NotCoordinator),
        }
    }

    /// Returns true for a node that the controller cannot reach.
    pub(crate) fn is_cut_off(&self, node: i32) -> bool {
        self.network.is_cut(Peer::Node(node), Peer::Controller)
    }

    /// Returns the answer to a request about groups that another node coordinates.
    pub(crate) fn misdirected(&self, call: &Call, request: &Request) -> Option<Response> {
        if self.nodes.len() == 1 {
            return None;
        }
        let wrong = |key: &str| self.check_coordinator(call.node, key).err();
        let code = |key: &str| wrong(key).map(|error| error.code());
        Some(match request {
            Request::JoinGroup(body) => {
                join::refusal(wrong(&body.group_id)?, &body.member_id).into()
            }
            Request::SyncGroup(body) => sync::refusal(wrong(&body.group_id)?).into(),
            Request::Heartbeat(body) => HeartbeatResponse::default()
                .with_error_code(code(&body.group_id)?)
                .into(),
            Request::LeaveGroup(body) => LeaveGroupResponse::default()
                .with_error_code(code(&body.group_id)?)
                .into(),
            Request::OffsetCommit(body) => commit_refused(body, code(&body.group_id)?).into(),
            // The first version has no place for the error.
            Request::OffsetFetch(_) if call.version < 2 => return None,
            Request::OffsetFetch(body) if call.version < 8 => OffsetFetchResponse::default()
                .with_error_code(code(&body.group_id)?)
                .into(),
            Request::OffsetFetch(body) => {
                let code = body.groups.iter().find_map(|group| code(&group.group_id))?;
                offsets_refused(body, code).into()
            }
            Request::DescribeGroups(body) => {
                let code = body.groups.iter().find_map(|group| code(group))?;
                let groups = body.groups.iter().map(|group| {
                    DescribedGroup::default()
                        .with_group_id(group.clone())
                        .with_error_code(code)
                });
                DescribeGroupsResponse::default()
                    .with_groups(groups.collect())
                    .into()
            }
            Request::DeleteGroups(body) => {
                let code = body.groups_names.iter().find_map(|group| code(group))?;
                let results = body.groups_names.iter().map(|group| {
                    DeletableGroupResult::default()
                        .with_group_id(group.clone())
                        .with_error_code(code)
                });
                DeleteGroupsResponse::default()
                    .with_results(results.collect())
                    .into()
            }
            other => return self.misdirected_elsewhere(call, other),
        })
    }

    fn misdirected_elsewhere(&self, call: &Call, request: &Request) -> Option<Response> {
        let code = |key: &str| {
            let wrong = self.check_coordinator(call.node, key).err();
            wrong.map(|error| error.code())
        };
        Some(match request {
            Request::ConsumerGroupHeartbeat(body) => ConsumerGroupHeartbeatResponse::default()
                .with_error_code(code(&body.group_id)?)
                .into(),
            Request::ConsumerGroupDescribe(body) => {
                let code = body.group_ids.iter().find_map(|group| code(group))?;
                let groups = body.group_ids.iter().map(|group| {
                    ConsumerDescribed::default()
                        .with_group_id(group.clone())
                        .with_error_code(code)
                });
                ConsumerGroupDescribeResponse::default()
                    .with_groups(groups.collect())
                    .into()
            }
            Request::OffsetDelete(body) => OffsetDeleteResponse::default()
                .with_error_code(code(&body.group_id)?)
                .into(),
            other => return self.misdirected_transaction(call, other),
        })
    }

    /// Groups get another coordinator: `node` was taken for dead, or for alive again.
    pub(crate) fn move_coordinators(&mut self, now_ms: Millis, node: i32) {
        let session_ms = self.settings.consumer_session_timeout_ms;
        let error = Some(ResponseError::NotCoordinator);
        for name in self.groups_of(node) {
            self.with_group(&name, |group, replies| {
                group.change_coordinator(now_ms, session_ms, error, replies);
            });
        }
    }

    /// A node died with the requests that waited there. Until another one takes over, which is
    /// when its session has lapsed, no member can be heard.
    pub(crate) fn forget_pending_joins(&mut self, node: i32, now_ms: Millis) {
        let until_ms = now_ms.saturating_add(self.settings.session_timeout_ms);
        let session_ms = self.settings.consumer_session_timeout_ms;
        for name in self.groups_of(node) {
            self.with_group(&name, |group, replies| {
                group.change_coordinator(until_ms, session_ms, None, replies);
            });
        }
    }

    /// Returns the groups that a node coordinates whenever it lives.
    fn groups_of(&self, node: i32) -> Vec<String> {
        let its = |name: &&String| {
            let coordinator = self.coordinator_where(name, |id| id == node || self.lives(id));
            coordinator == Some(node)
        };
        self.groups.by_name.keys().filter(its).cloned().collect()
    }
}

impl Group {
    /// Ends what waits at the old coordinator; the members' clocks begin anew.
    fn change_coordinator(
        &mut self,
        from_ms: Millis,
        consumer_session_ms: i64,
        error: Option<ResponseError>,
        replies: &mut Vec<Reply>,
    ) {
        for member in self.members.values_mut() {
            let (joining, syncing) = (member.joining.take(), member.syncing.take());
            member.touch(from_ms);
            let Some(error) = error else { continue };
            replies.extend(joining.map(|pending| join::reply_refused(pending, error, &member.id)));
            replies.extend(syncing.map(|pending| sync::reply_refused(pending, error)));
        }
        if let Some(consumers) = &mut self.consumer {
            let session = from_ms.saturating_add(consumer_session_ms);
            for member in consumers.members.values_mut() {
                member.expires_ms = member.expires_ms.max(session);
            }
        }
        let session = |member: &super::Member| member.session_timeout_ms;
        let longest = self.members.values().map(session).max().unwrap_or(0);
        for lapses_ms in self.promised.values_mut() {
            *lapses_ms = (*lapses_ms).max(from_ms + longest);
        }
        let rebalance = self
            .members
            .values()
            .map(|member| member.rebalance_timeout_ms);
        let rebalance = rebalance.max().unwrap_or(0);
        if let Some(ends_ms) = &mut self.rebalance_ends_ms {
            *ends_ms = (*ends_ms).max(from_ms + rebalance);
        }
    }
}

fn commit_refused(body: &OffsetCommitRequest, code: i16) -> OffsetCommitResponse {
    let topics = body.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(asked.partition_index)
                .with_error_code(code)
        });
        OffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn offsets_refused(body: &OffsetFetchRequest, code: i16) -> OffsetFetchResponse {
    let groups = body.groups.iter().map(|group| {
        OffsetFetchResponseGroup::default()
            .with_group_id(group.group_id.clone())
            .with_error_code(code)
    });
    OffsetFetchResponse::default().with_groups(groups.collect())
}

/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>), which is the same on every machine.
fn hash(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
