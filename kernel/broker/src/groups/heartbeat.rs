//! Heartbeat: a member says that it lives, and hears of a rebalance.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use super::group::{Group, State};
use super::offsets::check_member_epoch;
use crate::brokers::{Brokers, Millis};

impl Brokers {
    pub(crate) fn heartbeat(
        &mut self,
        now_ms: Millis,
        body: HeartbeatRequest,
    ) -> HeartbeatResponse {
        let result = match self.groups.get_mut(&body.group_id) {
            Some(group) => group.heartbeat(now_ms, &body),
            None => Err(ResponseError::UnknownMemberId),
        };
        let code = result.err().map_or(0, |error| error.code());
        HeartbeatResponse::default().with_error_code(code)
    }
}

impl Group {
    fn heartbeat(&mut self, now_ms: Millis, body: &HeartbeatRequest) -> Result<(), ResponseError> {
        let instance = body.group_instance_id.as_deref();
        self.check_member(&body.member_id, instance, body.generation_id)?;
        self.touch(&body.member_id, now_ms);
        match self.state {
            State::PreparingRebalance => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// Notes that a member was heard of.
    pub(super) fn touch(&mut self, id: &str, now_ms: Millis) {
        if let Some(member) = self.members.get_mut(id) {
            member.touch(now_ms);
        }
    }

    /// Returns an error where a producer may not commit offsets in the name of this member.
    pub(crate) fn check_txn_member(
        &self,
        id: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(), ResponseError> {
        // Older producers do not say for whom they read, and are believed.
        let nobody = generation < 0 && id.is_empty() && instance.is_none();
        if nobody || (generation < 0 && self.is_empty()) {
            return Ok(());
        }
        if let Some(consumers) = &self.consumer {
            return check_member_epoch(consumers, id, generation).map_err(|error| match error {
                // Producers know no member epochs.
                ResponseError::StaleMemberEpoch => ResponseError::IllegalGeneration,
                other => other,
            });
        }
        self.check_member(id, instance, generation)
    }

    /// Returns an error where the caller is not the member it says, or lives in the past.
    pub(super) fn check_member(
        &self,
        id: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(), ResponseError> {
        if let Some(instance) = instance {
            match self.static_member(instance) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(holder) if holder != id => return Err(ResponseError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if !self.members.contains_key(id) {
            return Err(ResponseError::UnknownMemberId);
        }
        if generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        Ok(())
    }
}
