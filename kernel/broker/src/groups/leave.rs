//! LeaveGroup: members go without waiting for their session to end.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use super::group::Group;
use crate::brokers::{Brokers, Call, Millis, Reply};

impl Brokers {
    pub(crate) fn leave_group(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: LeaveGroupRequest,
    ) -> LeaveGroupResponse {
        let name = body.group_id.to_string();
        let response = LeaveGroupResponse::default();
        let mut leave = |who: &MemberIdentity| {
            self.with_group(&name, |group, replies| group.leave(now_ms, who, replies))
                .unwrap_or(Err(ResponseError::UnknownMemberId))
        };
        if call.version < 3 {
            let who = MemberIdentity::default().with_member_id(body.member_id);
            let code = leave(&who).err().map_or(0, |error| error.code());
            return response.with_error_code(code);
        }
        let members = body.members.into_iter().map(|who| {
            let code = leave(&who).err().map_or(0, |error| error.code());
            MemberResponse::default()
                .with_member_id(who.member_id)
                .with_group_instance_id(who.group_instance_id)
                .with_error_code(code)
        });
        response.with_members(members.collect())
    }
}

impl Group {
    fn leave(
        &mut self,
        now_ms: Millis,
        who: &MemberIdentity,
        replies: &mut Vec<Reply>,
    ) -> Result<(), ResponseError> {
        if self.promised.remove(who.member_id.as_str()).is_some() {
            self.complete_if_all_joined(now_ms, replies);
            return Ok(());
        }
        let id = match &who.group_instance_id {
            None => who.member_id.to_string(),
            Some(instance) => {
                let holder = self.static_member(instance);
                let holder = holder.ok_or(ResponseError::UnknownMemberId)?;
                if !who.member_id.is_empty() && *who.member_id != *holder {
                    return Err(ResponseError::FencedInstanceId);
                }
                holder
            }
        };
        if !self.members.contains_key(&id) {
            return Err(ResponseError::UnknownMemberId);
        }
        self.remove_member(now_ms, &id, replies);
        Ok(())
    }
}
