//! A rebalance: from the moment somebody comes or goes until all have joined again.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::JoinGroupResponse;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;

use super::group::{Group, Member, State};
use super::{join, sync};
use crate::brokers::{Millis, Reply};
use crate::wire::text;

impl Group {
    /// Asks all members to join again, and goes on at once if they have.
    pub(super) fn prepare_rebalance(
        &mut self,
        now_ms: Millis,
        delay_ms: i64,
        replies: &mut Vec<Reply>,
    ) {
        if self.state == State::CompletingRebalance {
            self.refuse_syncs(now_ms, ResponseError::RebalanceInProgress, replies);
        }
        let first = self.state == State::Empty;
        if self.state != State::PreparingRebalance {
            self.state = State::PreparingRebalance;
            let longest = self
                .members
                .values()
                .map(|member| member.rebalance_timeout_ms);
            let longest = longest.max().unwrap_or(0);
            // The first members of a group may be few of many: give the others a moment.
            self.gathering = first && delay_ms > 0;
            let wait = if self.gathering { delay_ms } else { longest };
            self.rebalance_ends_ms = Some(now_ms.saturating_add(wait));
        }
        self.complete_if_all_joined(now_ms, replies);
    }

    /// Ends the rebalance where nobody is missing.
    pub(super) fn complete_if_all_joined(&mut self, now_ms: Millis, replies: &mut Vec<Reply>) {
        let all = self.members.values().all(|member| member.joining.is_some());
        let nobody_due = self.promised.is_empty() && !self.gathering;
        if self.state == State::PreparingRebalance && all && nobody_due {
            self.complete_rebalance(now_ms, replies);
        }
    }

    /// Removes who ran out of time, then ends the rebalance if that is due.
    pub(super) fn expire(&mut self, now_ms: Millis, replies: &mut Vec<Reply>) {
        if let Some(consumer) = &mut self.consumer {
            consumer.expire(now_ms);
        }
        self.promised.retain(|_, lapses| *lapses > now_ms);
        let dead: Vec<String> = self
            .members
            .values()
            .filter(|member| member.joining.is_none() && member.syncing.is_none())
            .filter(|member| member.expires_ms <= now_ms)
            .map(|member| member.id.clone())
            .collect();
        for id in dead {
            self.remove_member(now_ms, &id, replies);
        }
        if self.rebalance_ends_ms.is_some_and(|ends| ends <= now_ms) {
            self.end_waiting(now_ms, replies);
        } else {
            self.complete_if_all_joined(now_ms, replies);
        }
    }

    /// Goes on without the members that have not joined; static ones keep their place.
    fn end_waiting(&mut self, now_ms: Millis, replies: &mut Vec<Reply>) {
        self.rebalance_ends_ms = None;
        self.gathering = false;
        match self.state {
            State::PreparingRebalance => {
                self.members
                    .retain(|_, member| member.joining.is_some() || member.instance.is_some());
                let nobody = self.members.values().all(|member| member.joining.is_none());
                if nobody && !self.members.is_empty() {
                    // Only static members, and all are away: wait until their sessions end.
                    let longest = self.members.values().map(|m| m.rebalance_timeout_ms).max();
                    let wait = longest.unwrap_or(0).max(1000);
                    self.rebalance_ends_ms = Some(now_ms.saturating_add(wait));
                } else {
                    self.complete_rebalance(now_ms, replies);
                }
            }
            State::CompletingRebalance => {
                // The leader, or somebody else, never came for the assignment.
                let silent: Vec<String> = self
                    .members
                    .values()
                    .filter(|member| member.syncing.is_none())
                    .map(|member| member.id.clone())
                    .collect();
                for id in silent {
                    self.remove_member(now_ms, &id, replies);
                }
            }
            State::Empty | State::Stable => {}
        }
    }

    fn complete_rebalance(&mut self, now_ms: Millis, replies: &mut Vec<Reply>) {
        self.generation += 1;
        self.rebalance_ends_ms = None;
        if self.members.is_empty() {
            self.state = State::Empty;
            self.protocol = None;
            self.leader = None;
            return;
        }
        self.state = State::CompletingRebalance;
        self.protocol = self.choose_protocol();
        self.choose_leader();
        let longest = self
            .members
            .values()
            .map(|member| member.rebalance_timeout_ms)
            .max();
        self.rebalance_ends_ms = Some(now_ms.saturating_add(longest.unwrap_or(0).max(1000)));
        let joined: Vec<String> = self.members.keys().cloned().collect();
        for id in joined {
            let member = self.members.get_mut(&id).expect("listed a moment ago");
            member.assignment = bytes::Bytes::new();
            let Some(pending) = member.joining.take() else {
                continue;
            };
            member.touch(now_ms);
            replies.push(Reply {
                to: pending.id,
                response: Some(join_response(self, &id, pending.version).into()),
            });
        }
    }

    /// Takes a member out; the others share out again.
    pub(super) fn remove_member(&mut self, now_ms: Millis, id: &str, replies: &mut Vec<Reply>) {
        let Some(member) = self.members.remove(id) else {
            return;
        };
        let unknown = ResponseError::UnknownMemberId;
        if let Some(pending) = member.joining {
            replies.push(join::reply_refused(pending, unknown, id));
        }
        if let Some(pending) = member.syncing {
            replies.push(sync::reply_refused(pending, unknown));
        }
        if self.is_leader(id) {
            self.leader = None;
        }
        match self.state {
            State::Stable | State::CompletingRebalance => {
                self.prepare_rebalance(now_ms, 0, replies)
            }
            State::PreparingRebalance => self.complete_if_all_joined(now_ms, replies),
            State::Empty => {}
        }
    }

    /// Sends everybody who waits away: the group is deleted.
    pub(super) fn dismiss(&mut self, replies: &mut Vec<Reply>) {
        let unknown = ResponseError::UnknownMemberId;
        for member in std::mem::take(&mut self.members).into_values() {
            if let Some(pending) = member.joining {
                replies.push(join::reply_refused(pending, unknown, &member.id));
            }
            if let Some(pending) = member.syncing {
                replies.push(sync::reply_refused(pending, unknown));
            }
        }
    }

    fn refuse_syncs(&mut self, now_ms: Millis, error: ResponseError, replies: &mut Vec<Reply>) {
        for member in self.members.values_mut() {
            if let Some(pending) = member.syncing.take() {
                // While it waited its session stood still; it begins anew with this answer.
                member.touch(now_ms);
                replies.push(sync::reply_refused(pending, error));
            }
        }
    }

    /// Returns the assignor that all members know and most of them like best.
    fn choose_protocol(&self) -> Option<String> {
        let known_by_all = |name: &str| {
            let knows = |member: &Member| member.protocols.iter().any(|(theirs, _)| theirs == name);
            self.members.values().all(knows)
        };
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let names = member.protocols.iter().map(|(name, _)| name.as_str());
            if let Some(best) = names.into_iter().find(|name| known_by_all(name)) {
                *votes.entry(best).or_default() += 1;
            }
        }
        let winner = votes.into_iter().max_by_key(|(_, count)| *count);
        winner.map(|(name, _)| name.to_owned())
    }

    /// The leader stays, or the oldest of those who joined leads.
    fn choose_leader(&mut self) {
        let stays = self.leader.as_ref().and_then(|id| self.members.get(id));
        if stays.is_some_and(|leader| leader.joining.is_some()) {
            return;
        }
        let joined = self
            .members
            .values()
            .filter(|member| member.joining.is_some());
        let oldest = joined.min_by_key(|member| member.number);
        self.leader = oldest.map(|member| member.id.clone());
    }
}

/// Returns what a member is told once all have joined. Only the leader hears of the others.
pub(super) fn join_response(group: &Group, id: &str, version: i16) -> JoinGroupResponse {
    let protocol = group.protocol.clone().unwrap_or_default();
    let others = match group.is_leader(id) {
        true => group
            .members
            .values()
            .map(|member| told(member, &protocol, version))
            .collect(),
        false => Vec::new(),
    };
    JoinGroupResponse::default()
        .with_generation_id(group.generation)
        .with_protocol_type(
            group
                .protocol_type
                .as_deref()
                .map(text)
                .filter(|_| version >= 7),
        )
        .with_protocol_name(Some(text(protocol)))
        .with_leader(text(group.leader.clone().unwrap_or_default()))
        .with_member_id(text(id))
        .with_members(others)
}

fn told(member: &Member, protocol: &str, version: i16) -> JoinGroupResponseMember {
    let instance = member
        .instance
        .as_deref()
        .map(text)
        .filter(|_| version >= 5);
    JoinGroupResponseMember::default()
        .with_member_id(text(member.id.as_str()))
        .with_group_instance_id(instance)
        .with_metadata(member.metadata(protocol))
}
