//! ConsumerGroupHeartbeat: a member joins, stays, says what it owns, leaves.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::consumer_group_heartbeat_response::{Assignment, TopicPartitions};
use kafka_protocol::messages::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};

use super::{Assignor, ConsumerGroup, ConsumerMember, Spot, Spots, subscription};
use crate::brokers::{Brokers, Call, Millis};
use crate::wire::text;

/// Member epochs that say something else than how far a member has come.
const JOIN: i32 = 0;
const LEAVE: i32 = -1;
/// A static member goes away for a moment and keeps its place.
const LEAVE_FOR_NOW: i32 = -2;

type Failure = (ResponseError, String);

impl Brokers {
    pub(crate) fn consumer_group_heartbeat(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: ConsumerGroupHeartbeatRequest,
    ) -> ConsumerGroupHeartbeatResponse {
        let done = check_request(call.version, &body).and_then(|()| match body.member_epoch {
            LEAVE | LEAVE_FOR_NOW => self.leave_consumer_group(now_ms, &body),
            _ => self.stay_in_consumer_group(now_ms, call, &body),
        });
        done.unwrap_or_else(|(error, message)| {
            ConsumerGroupHeartbeatResponse::default()
                .with_error_code(error.code())
                .with_error_message(Some(text(message)))
        })
    }

    fn leave_consumer_group(
        &mut self,
        now_ms: Millis,
        body: &ConsumerGroupHeartbeatRequest,
    ) -> Result<ConsumerGroupHeartbeatResponse, Failure> {
        let session_ms = self.settings.consumer_session_timeout_ms;
        let group = self.groups.get_mut(&body.group_id);
        let group = group.and_then(|group| group.consumer.as_mut());
        let group = group.ok_or_else(|| not_a_consumer_group(&body.group_id))?;
        let id = group.known_member(&body.member_id, body.instance_id.as_deref())?;
        match body.member_epoch {
            LEAVE_FOR_NOW => {
                let member = group.members.get_mut(&id).expect("known a moment ago");
                member.epoch = LEAVE_FOR_NOW;
                member.revoking.clear();
                member.revoke_by_ms = None;
                member.expires_ms = now_ms + session_ms;
            }
            _ => group.remove(&id),
        }
        Ok(ConsumerGroupHeartbeatResponse::default()
            .with_member_id(Some(text(id)))
            .with_member_epoch(body.member_epoch))
    }

    fn stay_in_consumer_group(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: &ConsumerGroupHeartbeatRequest,
    ) -> Result<ConsumerGroupHeartbeatResponse, Failure> {
        let fresh_id = match body.member_id.is_empty() {
            true => self.ids.uuid().to_string(),
            false => body.member_id.to_string(),
        };
        if body.member_epoch > JOIN && self.groups.get(&body.group_id).is_none() {
            // Its group is gone, with all others, in a broker made anew: it may join again.
            return Err(unknown_member(&body.member_id));
        }
        let named = body.server_assignor.as_deref();
        let assignor = named.map(named_assignor).transpose()?;
        let group = self.groups.entry(&body.group_id);
        let group = group
            .join_consumers()
            .ok_or_else(|| not_a_consumer_group(&body.group_id))?;
        let most = self.settings.consumer_max_size;
        let (id, is_new) = group.find_or_admit(&fresh_id, body, most)?;
        let owned = body.topic_partitions.as_ref().map(|topics| {
            let spots = topics.iter().flat_map(|topic| {
                let id = topic.topic_id;
                topic.partitions.iter().map(move |&partition| Spot {
                    topic: id,
                    partition,
                })
            });
            spots.collect::<Spots>()
        });
        let member = group.members.get_mut(&id).expect("found or admitted");
        check_epoch(member, body.member_epoch, owned.as_ref())?;
        let before = member.assigned.clone();
        let changed = member.update(call, body, assignor) || is_new;
        member.expires_ms = now_ms + self.settings.consumer_session_timeout_ms;
        group.refresh(&self.topics, changed);
        group.reconcile(now_ms, &id, owned.as_ref());
        let member = &group.members[&id];
        let told_all = body.member_epoch == JOIN || is_full(body);
        let assignment =
            (told_all || member.assigned != before).then(|| assignment(&member.assigned));
        Ok(ConsumerGroupHeartbeatResponse::default()
            .with_member_id(Some(text(id.as_str())))
            .with_member_epoch(member.epoch)
            .with_heartbeat_interval_ms(self.settings.consumer_heartbeat_ms)
            .with_assignment(assignment))
    }
}

impl ConsumerGroup {
    /// Returns the id of the member that a request names.
    fn known_member(&self, id: &str, instance: Option<&str>) -> Result<String, Failure> {
        let Some(instance) = instance else {
            let known = self.members.contains_key(id);
            return known
                .then(|| id.to_owned())
                .ok_or_else(|| unknown_member(id));
        };
        match self.static_member(instance) {
            None => Err(unknown_member(id)),
            Some(holder) if holder == id => Ok(id.to_owned()),
            Some(_) => Err((
                ResponseError::FencedInstanceId,
                format!("Another member, not {id}, is instance {instance} of this group."),
            )),
        }
    }

    /// Returns the member that the request names, which is new where it joins.
    fn find_or_admit(
        &mut self,
        id: &str,
        body: &ConsumerGroupHeartbeatRequest,
        most: usize,
    ) -> Result<(String, bool), Failure> {
        let instance = body.instance_id.as_deref();
        if body.member_epoch != JOIN {
            return Ok((self.known_member(id, instance)?, false));
        }
        let holder = instance.and_then(|instance| self.static_member(instance));
        let holder = holder.map(str::to_owned);
        match holder {
            Some(holder) if holder != id => {
                if self.members[&holder].epoch != LEAVE_FOR_NOW {
                    let why = format!("Member {holder} still uses this instance id.");
                    return Err((ResponseError::UnreleasedInstanceId, why));
                }
                // The instance comes back under a new id and takes its old place.
                let mut member = self.members.remove(&holder).expect("it holds the instance");
                (member.epoch, member.previous_epoch) = (JOIN, JOIN);
                self.members.insert(id.to_owned(), member);
                Ok((id.to_owned(), false))
            }
            _ if self.members.contains_key(id) => Ok((id.to_owned(), false)),
            _ if self.members.len() >= most => {
                let why = format!("The consumer group has reached its maximum of {most} members.");
                Err((ResponseError::GroupMaxSizeReached, why))
            }
            _ => {
                let instance = instance.map(str::to_owned);
                let member = ConsumerMember {
                    instance,
                    ..ConsumerMember::default()
                };
                self.members.insert(id.to_owned(), member);
                Ok((id.to_owned(), true))
            }
        }
    }
}

impl ConsumerMember {
    /// Takes over what the request tells of the member; returns true where it wants other topics.
    fn update(
        &mut self,
        call: &Call,
        body: &ConsumerGroupHeartbeatRequest,
        assignor: Option<Assignor>,
    ) -> bool {
        let (topics, pattern) = (self.topics.clone(), self.pattern.clone());
        if let Some(names) = &body.subscribed_topic_names {
            self.topics = names
                .iter()
                .map(|name| name.to_string())
                .collect::<BTreeSet<_>>();
        }
        if let Some(pattern) = &body.subscribed_topic_regex {
            self.pattern = Some(pattern.to_string()).filter(|pattern| !pattern.is_empty());
        }
        if body.rebalance_timeout_ms >= 0 {
            self.rebalance_timeout_ms = i64::from(body.rebalance_timeout_ms);
        }
        self.assignor = assignor.or(self.assignor);
        self.rack = body
            .rack_id
            .as_ref()
            .map(|rack| rack.to_string())
            .or(self.rack.take());
        self.client_id.clone_from(&call.client_id);
        self.client_host.clone_from(&call.client_host);
        self.topics != topics || self.pattern != pattern
    }
}

/// Returns an error for a request that no member should send.
fn check_request(version: i16, body: &ConsumerGroupHeartbeatRequest) -> Result<(), Failure> {
    let invalid = |why: &str| Err((ResponseError::InvalidRequest, why.to_owned()));
    let joins = body.member_epoch == JOIN;
    if body.group_id.is_empty() {
        return invalid("GroupId can't be empty.");
    }
    // In the first version the broker chose the id of a member that joins.
    if body.member_id.is_empty() && (version >= 1 || !joins) {
        return invalid("MemberId can't be empty.");
    }
    if body.instance_id.as_ref().is_some_and(|id| id.is_empty()) {
        return invalid("InstanceId can't be empty.");
    }
    if body.member_epoch < LEAVE_FOR_NOW {
        return invalid("MemberEpoch is invalid.");
    }
    if body.member_epoch == LEAVE_FOR_NOW && body.instance_id.is_none() {
        return invalid("InstanceId can't be null.");
    }
    let pattern = body
        .subscribed_topic_regex
        .as_deref()
        .filter(|pattern| !pattern.is_empty());
    if joins {
        if body.rebalance_timeout_ms < 0 {
            return invalid("RebalanceTimeoutMs must be provided in first request.");
        }
        if body
            .topic_partitions
            .as_ref()
            .is_none_or(|owned| !owned.is_empty())
        {
            return invalid("TopicPartitions must be empty when (re-)joining.");
        }
        let names = body
            .subscribed_topic_names
            .as_ref()
            .is_some_and(|names| !names.is_empty());
        if !names && pattern.is_none() {
            return invalid(
                "Either SubscribedTopicNames or SubscribedTopicRegex must be non-empty when (re-)joining.",
            );
        }
    }
    match pattern.map(subscription::compile) {
        Some(Err(why)) => Err((ResponseError::InvalidRegularExpression, why)),
        _ => Ok(()),
    }
}

/// Returns an error where the member names an epoch that is not its own. The last one is let
/// pass where the reply with the newer one may have been lost.
fn check_epoch(member: &ConsumerMember, named: i32, owned: Option<&Spots>) -> Result<(), Failure> {
    let ours = member.epoch;
    let is_previous = named == member.previous_epoch
        && owned.is_some_and(|owned| owned.is_subset(&member.assigned));
    if named == JOIN || named == ours || (named < ours && is_previous) {
        return Ok(());
    }
    let what = if named > ours { "greater" } else { "smaller" };
    Err((
        ResponseError::FencedMemberEpoch,
        format!(
            "The consumer group member has a {what} member epoch ({named}) than the one known by the group coordinator ({ours}). The member must abandon all its partitions and rejoin."
        ),
    ))
}

/// Returns true for a request that tells all there is to tell: its sender is not sure what
/// reached the broker, or what the broker said.
fn is_full(body: &ConsumerGroupHeartbeatRequest) -> bool {
    let subscribed = body.subscribed_topic_names.is_some() || body.subscribed_topic_regex.is_some();
    body.rebalance_timeout_ms != -1 && subscribed && body.topic_partitions.is_some()
}

fn named_assignor(name: &str) -> Result<Assignor, Failure> {
    Assignor::named(name).ok_or_else(|| {
        let why =
            format!("ServerAssignor {name} is not supported. Supported assignors: uniform, range.");
        (ResponseError::UnsupportedAssignor, why)
    })
}

fn assignment(spots: &Spots) -> Assignment {
    let mut topics: Vec<TopicPartitions> = Vec::new();
    for spot in spots {
        match topics.last_mut().filter(|last| last.topic_id == spot.topic) {
            Some(last) => last.partitions.push(spot.partition),
            None => topics.push(
                TopicPartitions::default()
                    .with_topic_id(spot.topic)
                    .with_partitions(vec![spot.partition]),
            ),
        }
    }
    Assignment::default().with_topic_partitions(topics)
}

fn unknown_member(id: &str) -> Failure {
    let why = format!("Member {id} is not a member of the group.");
    (ResponseError::UnknownMemberId, why)
}

fn not_a_consumer_group(group: &str) -> Failure {
    let why = format!("Group {group} is not a consumer group.");
    (ResponseError::GroupIdNotFound, why)
}
