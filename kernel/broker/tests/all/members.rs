//! Group membership, step by step: joins, time-outs, generations.

use bytes::Bytes;
use headwater_broker::BrokerSettings;
use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    OffsetCommitRequest, SyncGroupRequest, SyncGroupResponse, TopicName,
};

use crate::stepped::{Stepped, text};

const SESSION_MS: i32 = 10_000;
const REBALANCE_MS: i32 = 60_000;

fn group() -> GroupId {
    GroupId(text("dashboard"))
}

fn join_request(member: &str, protocols: &[&str]) -> JoinGroupRequest {
    let protocols = protocols.iter().map(|name| {
        JoinGroupRequestProtocol::default()
            .with_name(text(name))
            .with_metadata(Bytes::from_static(b"subscription"))
    });
    JoinGroupRequest::default()
        .with_group_id(group())
        .with_member_id(text(member))
        .with_session_timeout_ms(SESSION_MS)
        .with_rebalance_timeout_ms(REBALANCE_MS)
        .with_protocol_type(text("consumer"))
        .with_protocols(protocols.collect())
}

fn joined(response: Option<Response>) -> JoinGroupResponse {
    match response {
        Some(Response::JoinGroup(body)) => body,
        other => panic!("{other:?}"),
    }
}

fn error_of(code: i16) -> Option<ResponseError> {
    ResponseError::try_from_code(code)
}

/// Joins with version 3, which needs no second request for the id.
fn join(stepped: &mut Stepped, member: &str) -> headwater_broker::brokers::RequestId {
    stepped.send(3, Request::JoinGroup(join_request(member, &["range"])))
}

fn sync_request(member: &str, generation: i32, parts: &[(&str, &'static str)]) -> Request {
    let parts = parts.iter().map(|(member, part)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(member))
            .with_assignment(Bytes::from_static(part.as_bytes()))
    });
    let request = SyncGroupRequest::default()
        .with_group_id(group())
        .with_member_id(text(member))
        .with_generation_id(generation)
        .with_assignments(parts.collect());
    Request::SyncGroup(request)
}

fn synced(response: Option<Response>) -> SyncGroupResponse {
    match response {
        Some(Response::SyncGroup(body)) => body,
        other => panic!("{other:?}"),
    }
}

fn heartbeat(stepped: &mut Stepped, member: &str, generation: i32) -> Option<ResponseError> {
    let request = HeartbeatRequest::default()
        .with_group_id(group())
        .with_member_id(text(member))
        .with_generation_id(generation);
    match stepped.ask(3, Request::Heartbeat(request)) {
        Response::Heartbeat(body) => error_of(body.error_code),
        other => panic!("{other:?}"),
    }
}

/// Two members in a stable group, the leader first.
fn two_members(stepped: &mut Stepped) -> (String, String, i32) {
    let first = join(stepped, "");
    let leader = joined(stepped.reply(first)).member_id.to_string();
    let second = join(stepped, "");
    let again = join(stepped, &leader);
    let leader_joined = joined(stepped.reply(again));
    let follower = joined(stepped.reply(second)).member_id.to_string();
    let generation = leader_joined.generation_id;
    assert_eq!(leader_joined.members.len(), 2);
    let waiting = stepped.send(3, sync_request(&follower, generation, &[]));
    assert!(stepped.reply(waiting).is_none());
    let parts = [(leader.as_str(), "half"), (follower.as_str(), "other half")];
    let leading = stepped.send(3, sync_request(&leader, generation, &parts));
    assert_eq!(&synced(stepped.reply(leading)).assignment[..], b"half");
    assert_eq!(
        &synced(stepped.reply(waiting)).assignment[..],
        b"other half"
    );
    (leader, follower, generation)
}

#[test]
fn first_member_leads_and_the_others_hear_of_the_rebalance() {
    let mut stepped = Stepped::new();
    let first = join(&mut stepped, "");
    let leader = joined(stepped.reply(first));
    assert_eq!((leader.error_code, leader.generation_id), (0, 1));
    assert_eq!(leader.leader, leader.member_id);
    let second = join(&mut stepped, "");
    assert!(stepped.reply(second).is_none(), "waits for the leader");
    let told = heartbeat(&mut stepped, &leader.member_id, 1);
    assert_eq!(told, Some(ResponseError::RebalanceInProgress));
    let again = join(&mut stepped, &leader.member_id);
    let leader = joined(stepped.reply(again));
    let follower = joined(stepped.reply(second));
    assert_eq!((leader.generation_id, follower.generation_id), (2, 2));
    assert_eq!(follower.leader, leader.member_id);
    assert_eq!((leader.members.len(), follower.members.len()), (2, 0));
}

#[test]
fn silent_member_is_evicted_when_its_session_ends() {
    let mut stepped = Stepped::new();
    let (leader, follower, generation) = two_members(&mut stepped);
    for _ in 0..3 {
        stepped.pass(3000);
        assert_eq!(heartbeat(&mut stepped, &leader, generation), None);
    }
    stepped.pass(1000);
    let told = heartbeat(&mut stepped, &leader, generation);
    assert_eq!(told, Some(ResponseError::RebalanceInProgress));
    let gone = heartbeat(&mut stepped, &follower, generation);
    assert_eq!(gone, Some(ResponseError::UnknownMemberId));
    let again = join(&mut stepped, &leader);
    let alone = joined(stepped.reply(again));
    assert_eq!(
        (alone.generation_id, alone.members.len()),
        (generation + 1, 1)
    );
}

#[test]
fn rebalance_goes_on_without_who_does_not_join_again() {
    let mut stepped = Stepped::new();
    let (leader, follower, generation) = two_members(&mut stepped);
    let again = join(&mut stepped, &leader);
    // The follower lives, but never answers the call.
    for _ in 0..REBALANCE_MS / 3000 {
        let told = heartbeat(&mut stepped, &follower, generation);
        assert_eq!(told, Some(ResponseError::RebalanceInProgress));
        assert!(stepped.reply(again).is_none());
        stepped.pass(3000);
    }
    let alone = joined(stepped.reply(again));
    assert_eq!((alone.error_code, alone.members.len()), (0, 1));
}

#[test]
fn leader_that_never_brings_the_assignment_is_replaced() {
    let mut stepped = Stepped::new();
    let first = join(&mut stepped, "");
    let leader = joined(stepped.reply(first)).member_id.to_string();
    let second = join(&mut stepped, "");
    join(&mut stepped, &leader);
    let follower = joined(stepped.reply(second));
    let waiting = stepped.send(3, sync_request(&follower.member_id, 2, &[]));
    stepped.pass(i64::from(SESSION_MS));
    let error = error_of(synced(stepped.reply(waiting)).error_code);
    assert_eq!(error, Some(ResponseError::RebalanceInProgress));
    let again = join(&mut stepped, &follower.member_id);
    let alone = joined(stepped.reply(again));
    assert_eq!(alone.leader, alone.member_id);
}

#[test]
fn member_of_an_older_generation_is_told() {
    let mut stepped = Stepped::with_topic();
    let (leader, _, generation) = two_members(&mut stepped);
    let old = heartbeat(&mut stepped, &leader, generation - 1);
    assert_eq!(old, Some(ResponseError::IllegalGeneration));
    let mut commit = |member: &str, generation| {
        let partition = OffsetCommitRequestPartition::default().with_committed_offset(5);
        let topic = OffsetCommitRequestTopic::default()
            .with_name(TopicName(text("flights")))
            .with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(group())
            .with_member_id(text(member))
            .with_generation_id_or_member_epoch(generation)
            .with_topics(vec![topic]);
        match stepped.ask(7, Request::OffsetCommit(request)) {
            Response::OffsetCommit(body) => error_of(body.topics[0].partitions[0].error_code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        commit(&leader, generation - 1),
        Some(ResponseError::IllegalGeneration)
    );
    assert_eq!(
        commit("somebody", generation),
        Some(ResponseError::UnknownMemberId)
    );
    // A tool may set the offsets of a group only while nobody reads for it.
    assert_eq!(commit("", -1), Some(ResponseError::UnknownMemberId));
    assert_eq!(commit(&leader, generation), None);
}

#[test]
fn newer_clients_get_their_id_first() {
    let mut stepped = Stepped::new();
    let request = join_request("", &["range"]);
    let asked = joined(Some(stepped.ask(4, Request::JoinGroup(request))));
    assert_eq!(
        error_of(asked.error_code),
        Some(ResponseError::MemberIdRequired)
    );
    let request = join_request(&asked.member_id, &["range"]);
    let joined_group = joined(Some(stepped.ask(4, Request::JoinGroup(request))));
    assert_eq!(joined_group.error_code, 0);
    assert_eq!(joined_group.member_id, asked.member_id);
}

#[test]
fn id_that_is_never_used_lapses_and_leaves_no_group() {
    let mut stepped = Stepped::new();
    stepped.ask(4, Request::JoinGroup(join_request("", &["range"])));
    assert_eq!(stepped.brokers.describe().groups.len(), 1);
    stepped.pass(i64::from(SESSION_MS));
    assert_eq!(stepped.brokers.describe().groups, vec![]);
}

#[test]
fn joins_that_cannot_be_are_refused() {
    let mut stepped = Stepped::new();
    two_members(&mut stepped);
    let mut error =
        |request| error_of(joined(Some(stepped.ask(3, Request::JoinGroup(request)))).error_code);
    let other = join_request("", &["roundrobin"]);
    assert_eq!(error(other), Some(ResponseError::InconsistentGroupProtocol));
    let stranger = join_request("nobody", &["range"]);
    assert_eq!(error(stranger), Some(ResponseError::UnknownMemberId));
    let hasty = join_request("", &["range"]).with_session_timeout_ms(10);
    assert_eq!(error(hasty), Some(ResponseError::InvalidSessionTimeout));
    let nameless = join_request("", &["range"]).with_group_id(GroupId(text("")));
    assert_eq!(error(nameless), Some(ResponseError::InvalidGroupId));
}

#[test]
fn assignor_that_all_know_is_chosen() {
    let mut stepped = Stepped::new();
    let first = stepped.send(
        3,
        Request::JoinGroup(join_request("", &["sticky", "range"])),
    );
    let leader = joined(stepped.reply(first));
    assert_eq!(leader.protocol_name, Some(text("sticky")));
    let second = stepped.send(3, Request::JoinGroup(join_request("", &["range"])));
    let again = join_request(&leader.member_id, &["sticky", "range"]);
    stepped.send(3, Request::JoinGroup(again));
    assert_eq!(
        joined(stepped.reply(second)).protocol_name,
        Some(text("range"))
    );
}

#[test]
fn last_member_to_leave_empties_the_group() {
    let mut stepped = Stepped::new();
    let (leader, follower, _) = two_members(&mut stepped);
    for member in [&leader, &follower] {
        let who = MemberIdentity::default().with_member_id(text(member));
        let request = LeaveGroupRequest::default()
            .with_group_id(group())
            .with_members(vec![who]);
        match stepped.ask(4, Request::LeaveGroup(request)) {
            Response::LeaveGroup(body) => assert_eq!(body.members[0].error_code, 0),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stepped.brokers.describe().groups[0].state, "Empty");
    assert_eq!(
        heartbeat(&mut stepped, &leader, 2),
        Some(ResponseError::UnknownMemberId)
    );
}

#[test]
fn first_rebalance_gathers_members_for_as_long_as_it_is_told() {
    let settings = BrokerSettings {
        initial_rebalance_delay_ms: 3000,
        ..BrokerSettings::default()
    };
    let mut stepped = Stepped::with(settings);
    let first = join(&mut stepped, "");
    stepped.pass(1000);
    let second = join(&mut stepped, "");
    stepped.pass(1999);
    assert!(stepped.reply(first).is_none());
    stepped.pass(1);
    assert_eq!(joined(stepped.reply(first)).members.len(), 2);
    assert_eq!(joined(stepped.reply(second)).generation_id, 1);
}

#[test]
fn reset_sends_waiting_members_away() {
    let mut stepped = Stepped::new();
    two_members(&mut stepped);
    let waiting = join(&mut stepped, "");
    assert!(stepped.reply(waiting).is_none());
    let outputs = stepped.brokers.reset(stepped.now_ms);
    let reply = outputs
        .replies
        .into_iter()
        .find(|reply| reply.to == waiting);
    let error = error_of(joined(reply.expect("a reply").response).error_code);
    assert_eq!(error, Some(ResponseError::UnknownMemberId));
    assert_eq!(stepped.brokers.describe().groups, vec![]);
}
