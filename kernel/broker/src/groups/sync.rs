//! SyncGroup: the leader brings the assignment, everybody fetches their part.

use std::collections::HashMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use super::group::{Group, Pending, State};
use crate::brokers::{Answer, Brokers, Call, Flaw, Millis, Reply};
use crate::wire::text;

impl Brokers {
    pub(crate) fn sync_group(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: SyncGroupRequest,
    ) -> Answer {
        let pending = Pending {
            id: call.id,
            version: call.version,
        };
        let name = body.group_id.to_string();
        let mut body = body;
        if self.has(Flaw::AssignmentShared) && !body.assignments.is_empty() {
            let leaders = body.assignments[0].assignment.clone();
            for part in &mut body.assignments {
                part.assignment = leaders.clone();
            }
        }
        self.with_group(&name, |group, replies| {
            group.sync(now_ms, pending, body, replies)
        })
        .unwrap_or_else(|| refusal(ResponseError::UnknownMemberId).into())
    }
}

impl Group {
    fn sync(
        &mut self,
        now_ms: Millis,
        pending: Pending,
        body: SyncGroupRequest,
        replies: &mut Vec<Reply>,
    ) -> Answer {
        let instance = body.group_instance_id.as_deref();
        if let Err(error) = self.check_member(&body.member_id, instance, body.generation_id) {
            return refusal(error).into();
        }
        if !self.speaks(body.protocol_type.as_deref(), body.protocol_name.as_deref()) {
            return refusal(ResponseError::InconsistentGroupProtocol).into();
        }
        let id = body.member_id.to_string();
        match self.state {
            State::Empty => refusal(ResponseError::UnknownMemberId).into(),
            State::PreparingRebalance => refusal(ResponseError::RebalanceInProgress).into(),
            State::Stable => {
                self.touch(&id, now_ms);
                self.sync_response(&id, pending.version).into()
            }
            State::CompletingRebalance => {
                self.touch(&id, now_ms);
                let member = self.members.get_mut(&id).expect("checked above");
                if let Some(earlier) = member.syncing.replace(pending) {
                    replies.push(reply_refused(earlier, ResponseError::UnknownMemberId));
                }
                if self.is_leader(&id) {
                    self.share_out(now_ms, body, replies);
                }
                Answer::Later
            }
        }
    }

    /// Notes everybody's part and answers who waits for it.
    fn share_out(&mut self, now_ms: Millis, body: SyncGroupRequest, replies: &mut Vec<Reply>) {
        let mut parts: HashMap<String, bytes::Bytes> = body
            .assignments
            .into_iter()
            .map(|part| {
                (
                    part.member_id.to_string(),
                    bytes::Bytes::copy_from_slice(&part.assignment),
                )
            })
            .collect();
        self.state = State::Stable;
        self.rebalance_ends_ms = None;
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let member = self.members.get_mut(&id).expect("listed a moment ago");
            member.assignment = parts.remove(&id).unwrap_or_default();
            if let Some(pending) = member.syncing.take() {
                member.touch(now_ms);
                replies.push(Reply {
                    to: pending.id,
                    response: Some(self.sync_response(&id, pending.version).into()),
                });
            }
        }
    }

    fn sync_response(&self, id: &str, version: i16) -> SyncGroupResponse {
        let member = self.members.get(id);
        let known = version >= 5;
        SyncGroupResponse::default()
            .with_protocol_type(self.protocol_type.as_deref().map(text).filter(|_| known))
            .with_protocol_name(self.protocol.as_deref().map(text).filter(|_| known))
            .with_assignment(
                member
                    .map(|member| member.assignment.clone())
                    .unwrap_or_default(),
            )
    }

    /// Returns true where a client names the protocol in force, or none.
    fn speaks(&self, protocol_type: Option<&str>, protocol: Option<&str>) -> bool {
        let same = |theirs: Option<&str>, ours: &Option<String>| {
            theirs.is_none_or(|name| ours.as_deref() == Some(name))
        };
        same(protocol_type, &self.protocol_type) && same(protocol, &self.protocol)
    }
}

pub(super) fn reply_refused(pending: Pending, error: ResponseError) -> Reply {
    Reply {
        to: pending.id,
        response: Some(refusal(error).into()),
    }
}

pub(super) fn refusal(error: ResponseError) -> SyncGroupResponse {
    SyncGroupResponse::default().with_error_code(error.code())
}
