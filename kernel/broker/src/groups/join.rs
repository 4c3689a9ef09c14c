//! JoinGroup: a member comes, or comes again.

use std::collections::HashSet;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse};

use super::group::{Group, Member, Pending, State};
use super::rebalance::join_response;
use crate::brokers::{Answer, Brokers, Call, Millis, Reply};
use crate::wire::text;

impl Brokers {
    pub(crate) fn join_group(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: JoinGroupRequest,
    ) -> Answer {
        if let Err(error) = self.check_join(&body) {
            return refused(error, &body.member_id);
        }
        let instance = body.group_instance_id.as_ref().map(|id| id.to_string());
        let is_new = body.member_id.is_empty();
        let id = match is_new {
            true => self.new_member_id(call, instance.as_deref()),
            false => body.member_id.to_string(),
        };
        if !is_new && self.groups.get(&body.group_id).is_none() {
            return refused(ResponseError::UnknownMemberId, &id);
        }
        self.groups.entry(&body.group_id);
        let delay_ms = self.settings.initial_rebalance_delay_ms;
        let joining = Joining {
            member: member(now_ms, call, &body, id, instance),
            protocol_type: body.protocol_type.to_string(),
            pending: Pending {
                id: call.id,
                version: call.version,
            },
            is_new,
            delay_ms,
        };
        let name = body.group_id.to_string();
        self.with_group(&name, |group, replies| group.join(now_ms, joining, replies))
            .unwrap_or(Answer::Never)
    }

    fn check_join(&self, body: &JoinGroupRequest) -> Result<(), ResponseError> {
        let settings = &self.settings;
        let timeouts = settings.min_session_timeout_ms..=settings.max_session_timeout_ms;
        if body.group_id.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        if !timeouts.contains(&body.session_timeout_ms) {
            return Err(ResponseError::InvalidSessionTimeout);
        }
        if body.protocols.is_empty() || body.protocol_type.is_empty() {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        Ok(())
    }
}

/// A member at the door.
pub(super) struct Joining {
    pub member: Member,
    pub protocol_type: String,
    pub pending: Pending,
    pub is_new: bool,
    pub delay_ms: i64,
}

impl Group {
    fn join(&mut self, now_ms: Millis, joining: Joining, replies: &mut Vec<Reply>) -> Answer {
        let id = joining.member.id.clone();
        if !self.join_classic() || !self.agrees_with(&joining) {
            return refused(ResponseError::InconsistentGroupProtocol, &id);
        }
        let twin = joining.member.instance.as_deref();
        let twin = twin.and_then(|instance| self.static_member(instance));
        match (joining.is_new, twin) {
            (true, Some(twin)) => self.replace(now_ms, &twin, joining, replies),
            (true, None) if joining.member.instance.is_none() && joining.pending.version >= 4 => {
                // KIP-394: the member comes again with this id, so that a lost reply leaves nobody behind.
                let lapses = now_ms + joining.member.session_timeout_ms;
                self.promised.insert(id.clone(), lapses);
                refused(ResponseError::MemberIdRequired, &id)
            }
            (true, None) => self.admit(now_ms, joining, replies),
            (false, Some(twin)) if twin != id => refused(ResponseError::FencedInstanceId, &id),
            (false, _) if self.promised.remove(&id).is_some() => {
                self.admit(now_ms, joining, replies)
            }
            (false, _) if self.members.contains_key(&id) => self.rejoin(now_ms, joining, replies),
            (false, _) => refused(ResponseError::UnknownMemberId, &id),
        }
    }

    /// A member that was not here before.
    fn admit(&mut self, now_ms: Millis, joining: Joining, replies: &mut Vec<Reply>) -> Answer {
        let mut member = joining.member;
        member.number = self.next_number;
        self.next_number += 1;
        member.joining = Some(joining.pending);
        self.protocol_type = Some(joining.protocol_type);
        self.members.insert(member.id.clone(), member);
        self.prepare_rebalance(now_ms, joining.delay_ms, replies);
        Answer::Later
    }

    /// A member that is known joins again.
    fn rejoin(&mut self, now_ms: Millis, joining: Joining, replies: &mut Vec<Reply>) -> Answer {
        let id = joining.member.id.clone();
        let known = self.members.get_mut(&id).expect("the caller found it");
        let same = known.protocols == joining.member.protocols;
        let in_step = match self.state {
            State::CompletingRebalance => same,
            // The leader joins again to have everything shared out anew.
            State::Stable => same && self.leader.as_deref() != Some(id.as_str()),
            _ => false,
        };
        known.touch(now_ms);
        if in_step {
            return join_response(self, &id, joining.pending.version).into();
        }
        let fresh = joining.member;
        known.protocols = fresh.protocols;
        known.session_timeout_ms = fresh.session_timeout_ms;
        known.rebalance_timeout_ms = fresh.rebalance_timeout_ms;
        let earlier = known.joining.replace(joining.pending);
        if let Some(earlier) = earlier {
            replies.push(reply_refused(earlier, ResponseError::UnknownMemberId, &id));
        }
        self.prepare_rebalance(now_ms, joining.delay_ms, replies);
        Answer::Later
    }

    /// A static member comes back under a new id and takes its old place.
    fn replace(
        &mut self,
        now_ms: Millis,
        old_id: &str,
        joining: Joining,
        replies: &mut Vec<Reply>,
    ) -> Answer {
        let mut member = self.members.remove(old_id).expect("the caller found it");
        let new_id = joining.member.id.clone();
        let fenced = ResponseError::FencedInstanceId;
        if let Some(waiting) = member.joining.take() {
            replies.push(reply_refused(waiting, fenced, old_id));
        }
        if let Some(waiting) = member.syncing.take() {
            replies.push(super::sync::reply_refused(waiting, fenced));
        }
        let led = self.is_leader(old_id);
        let same = member.protocols == joining.member.protocols;
        member.id = new_id.clone();
        member.protocols = joining.member.protocols;
        member.session_timeout_ms = joining.member.session_timeout_ms;
        member.rebalance_timeout_ms = joining.member.rebalance_timeout_ms;
        member.client_id = joining.member.client_id;
        member.client_host = joining.member.client_host;
        member.touch(now_ms);
        self.members.insert(new_id.clone(), member);
        if led {
            self.leader = Some(new_id.clone());
        }
        if self.state == State::Stable && same {
            let version = joining.pending.version;
            let mut response = join_response(self, &new_id, version);
            // Older clients that hear they lead would share out again; they are told somebody else does.
            response.skip_assignment = led && version >= 9;
            if led && version < 9 {
                response.leader = text(old_id);
                response.members.clear();
            }
            return response.into();
        }
        let member = self.members.get_mut(&new_id).expect("inserted above");
        member.joining = Some(joining.pending);
        self.prepare_rebalance(now_ms, joining.delay_ms, replies);
        Answer::Later
    }

    /// Returns true where the member has an assignor in common with all others.
    fn agrees_with(&self, joining: &Joining) -> bool {
        let others: Vec<&Member> = self
            .members
            .values()
            .filter(|member| member.id != joining.member.id)
            .filter(|member| {
                member.instance.is_none() || member.instance != joining.member.instance
            })
            .collect();
        if others.is_empty() {
            return true;
        }
        let mut common: HashSet<&str> = names(&joining.member).collect();
        for other in others {
            let theirs: HashSet<&str> = names(other).collect();
            common.retain(|name| theirs.contains(name));
        }
        !common.is_empty() && self.protocol_type.as_deref() == Some(&joining.protocol_type)
    }
}

fn names(member: &Member) -> impl Iterator<Item = &str> {
    member.protocols.iter().map(|(name, _)| name.as_str())
}

fn member(
    now_ms: Millis,
    call: &Call,
    body: &JoinGroupRequest,
    id: String,
    instance: Option<String>,
) -> Member {
    let session_timeout_ms = i64::from(body.session_timeout_ms);
    let rebalance_timeout_ms = match call.version {
        // The first version had one time-out for both.
        0 => session_timeout_ms,
        _ => i64::from(body.rebalance_timeout_ms).max(0),
    };
    Member {
        id,
        instance,
        client_id: call.client_id.clone(),
        client_host: call.client_host.clone(),
        session_timeout_ms,
        rebalance_timeout_ms,
        protocols: body
            .protocols
            .iter()
            .map(|protocol| (protocol.name.to_string(), compact(&protocol.metadata)))
            .collect(),
        assignment: bytes::Bytes::new(),
        expires_ms: now_ms + session_timeout_ms,
        joining: None,
        syncing: None,
        number: 0,
    }
}

/// Copies bytes out of their frame, so that a member does not keep the whole of it.
fn compact(bytes: &bytes::Bytes) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(bytes)
}

pub(super) fn refused(error: ResponseError, member_id: &str) -> Answer {
    refusal(error, member_id).into()
}

pub(super) fn reply_refused(pending: Pending, error: ResponseError, member_id: &str) -> Reply {
    Reply {
        to: pending.id,
        response: Some(refusal(error, member_id).into()),
    }
}

pub(super) fn refusal(error: ResponseError, member_id: &str) -> JoinGroupResponse {
    JoinGroupResponse::default()
        .with_error_code(error.code())
        .with_generation_id(-1)
        .with_protocol_name(Some(text("")))
        .with_member_id(text(member_id))
}
