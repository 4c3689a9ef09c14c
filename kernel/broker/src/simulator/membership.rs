//! A simulated consumer's side of its group: joining, sharing out, heartbeats.

use bytes::{Buf, Bytes};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use kafka_protocol::protocol::StrBytes;

use super::actors::{Context, error};
use super::asks::{self, Membership};
use super::places::Tp;
use crate::wire::Request;

/// Where a consumer stands with its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not a member, or asked to join again.
    Outside,
    /// Joined; the assignment is still to come. The leader brings it.
    Joined {
        parts: Vec<(StrBytes, Bytes)>,
    },
    Member,
}

/// What a heartbeat or a commit said about the membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    None,
    /// The others share out again: give up what is owned, and join.
    Rejoin,
    /// The group went on without this member.
    Lost,
    /// Another node coordinates the group, or none for now.
    CoordinatorMoved,
}

impl News {
    pub fn of(error: Option<ResponseError>) -> News {
        match error {
            Some(ResponseError::RebalanceInProgress) => News::Rejoin,
            Some(
                ResponseError::UnknownMemberId
                | ResponseError::IllegalGeneration
                | ResponseError::FencedInstanceId,
            ) => News::Lost,
            Some(
                ResponseError::NotCoordinator
                | ResponseError::CoordinatorNotAvailable
                | ResponseError::CoordinatorLoadInProgress,
            ) => News::CoordinatorMoved,
            _ => News::None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Seat {
    pub who: Membership,
    pub standing: Standing,
    topic: usize,
}

impl Seat {
    pub fn new(group: &str, topic: usize) -> Seat {
        Seat {
            who: Membership {
                group: group.to_owned(),
                member: StrBytes::default(),
                generation: -1,
            },
            standing: Standing::Outside,
            topic,
        }
    }

    /// Returns the request that leads further in, nothing for a member.
    pub fn next_request(&self, context: &Context<'_>) -> Option<Request> {
        match &self.standing {
            Standing::Member => None,
            Standing::Outside => {
                let topic = context.places.topic_name(self.topic);
                Some(asks::join(&self.who, topic))
            }
            Standing::Joined { parts } => Some(asks::sync(&self.who, parts.clone())),
        }
    }

    /// Gives the place up; the id stays unless the group has forgotten it.
    pub fn leave(&mut self, forgotten: bool) {
        self.standing = Standing::Outside;
        self.who.generation = -1;
        if forgotten {
            self.who.member = StrBytes::default();
        }
    }

    pub fn joined(&mut self, context: &mut Context<'_>, body: JoinGroupResponse) -> News {
        match error(body.error_code) {
            None => {
                self.who.member = body.member_id.clone();
                self.who.generation = body.generation_id;
                let leads = body.leader == body.member_id;
                let parts = match leads {
                    true => self.share_out(context, &body),
                    false => Vec::new(),
                };
                let generation = body.generation_id;
                context.say(|| {
                    let role = if leads { "leader" } else { "member" };
                    format!("joins generation {generation} as {role}")
                });
                self.standing = Standing::Joined { parts };
                News::None
            }
            Some(ResponseError::MemberIdRequired) => {
                self.who.member = body.member_id;
                News::None
            }
            Some(why) => {
                if News::of(Some(why)) == News::Lost {
                    self.leave(true);
                }
                News::of(Some(why))
            }
        }
    }

    /// Deals the partitions out, one after another, to the members in the order of their ids.
    fn share_out(&self, context: &Context<'_>, body: &JoinGroupResponse) -> Vec<(StrBytes, Bytes)> {
        let mut members: Vec<&StrBytes> = body.members.iter().map(|m| &m.member_id).collect();
        members.sort();
        let topic = context.places.topic_name(self.topic);
        let count = members.len();
        let parts = members.into_iter().enumerate().map(|(place, member)| {
            let tps = context.places.of_topic(self.topic);
            let mine = tps.map(|tp| context.places.index(tp));
            let mine: Vec<i32> = mine
                .filter(|index| *index as usize % count == place)
                .collect();
            (member.clone(), asks::assignment(topic, &mine))
        });
        parts.collect()
    }

    /// Returns the partitions this member was given, or what is wrong.
    pub fn synced(
        &mut self,
        context: &mut Context<'_>,
        body: &SyncGroupResponse,
    ) -> Result<Vec<Tp>, News> {
        match error(body.error_code) {
            None => {
                self.standing = Standing::Member;
                let indexes = read_assignment(&body.assignment);
                let tps = indexes
                    .into_iter()
                    .map(|index| context.places.at(self.topic, index));
                Ok(tps.collect())
            }
            Some(why) => {
                let news = News::of(Some(why));
                if news != News::CoordinatorMoved {
                    self.leave(news == News::Lost && why == ResponseError::UnknownMemberId);
                }
                Err(news)
            }
        }
    }
}

/// Reads the partitions of an assignment that names one topic.
fn read_assignment(bytes: &Bytes) -> Vec<i32> {
    let mut rest = bytes.clone();
    if rest.len() < 6 {
        return Vec::new();
    }
    rest.advance(2);
    if rest.get_i32() == 0 {
        return Vec::new();
    }
    let name = usize::from(rest.get_u16());
    rest.advance(name);
    (0..rest.get_i32()).map(|_| rest.get_i32()).collect()
}
