//! Groups of both protocols side by side: listed, described, turned into one another, forgotten.

use headwater_broker::BrokerSettings;
use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, DescribeGroupsRequest, GroupId, JoinGroupRequest,
    ListGroupsRequest, OffsetCommitRequest, OffsetFetchRequest, TopicName,
};

use crate::consumers::{GROUP, Member, group, heartbeat, rounds, with_partitions};
use crate::stepped::{Stepped, text};

/// Joins a classic group; returns the error and the member's id.
fn join_classic(stepped: &mut Stepped, name: &str) -> (Option<ResponseError>, String) {
    let protocol = JoinGroupRequestProtocol::default().with_name(text("range"));
    let request = JoinGroupRequest::default()
        .with_group_id(GroupId(text(name)))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    match stepped.ask(3, Request::JoinGroup(request)) {
        Response::JoinGroup(body) => (
            ResponseError::try_from_code(body.error_code),
            body.member_id.to_string(),
        ),
        other => panic!("{other:?}"),
    }
}

fn commit(stepped: &mut Stepped, version: i16, member: &str, epoch: i32) -> Option<ResponseError> {
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(5);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(GROUP)))
        .with_member_id(text(member))
        .with_generation_id_or_member_epoch(epoch)
        .with_topics(vec![topic]);
    match stepped.ask(version, Request::OffsetCommit(request)) {
        Response::OffsetCommit(body) => {
            ResponseError::try_from_code(body.topics[0].partitions[0].error_code)
        }
        other => panic!("{other:?}"),
    }
}

fn committed(
    stepped: &mut Stepped,
    member: Option<&str>,
    epoch: i32,
) -> Result<i64, ResponseError> {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(TopicName(text("flights")))
        .with_partition_indexes(vec![0]);
    let asked = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(text(GROUP)))
        .with_member_id(member.map(text))
        .with_member_epoch(epoch)
        .with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default().with_groups(vec![asked]);
    match stepped.ask(9, Request::OffsetFetch(request)) {
        Response::OffsetFetch(body) => {
            match ResponseError::try_from_code(body.groups[0].error_code) {
                Some(error) => Err(error),
                None => Ok(body.groups[0].topics[0].partitions[0].committed_offset),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn listed(stepped: &mut Stepped, states: &[&str], types: &[&str]) -> Vec<String> {
    let texts = |names: &[&str]| names.iter().map(|name| text(name)).collect();
    let request = ListGroupsRequest::default()
        .with_states_filter(texts(states))
        .with_types_filter(texts(types));
    match stepped.ask(5, Request::ListGroups(request)) {
        Response::ListGroups(body) => body
            .groups
            .iter()
            .map(|g| format!("{} {} {}", &*g.group_id, g.group_type, g.group_state))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn groups_of_both_kinds_are_listed_by_kind_and_state() {
    let mut stepped = with_partitions(2);
    rounds(&mut stepped, &mut [&mut Member::new("a")], 1);
    join_classic(&mut stepped, "old");
    let (new, old) = (
        "dashboard consumer Stable",
        "old classic CompletingRebalance",
    );
    assert_eq!(listed(&mut stepped, &[], &[]), [new, old]);
    assert_eq!(listed(&mut stepped, &[], &["Consumer"]), [new]);
    assert_eq!(listed(&mut stepped, &[], &["classic"]), [old]);
    assert_eq!(listed(&mut stepped, &["stable"], &[]), [new]);
    assert_eq!(listed(&mut stepped, &["Empty"], &[]), Vec::<String>::new());
}

#[test]
fn each_kind_is_described_by_its_own_request() {
    let mut stepped = with_partitions(2);
    let mut member = Member::new("a");
    rounds(&mut stepped, &mut [&mut member], 1);
    join_classic(&mut stepped, "old");
    let names = || {
        ["dashboard", "old", "none"]
            .map(|name| GroupId(text(name)))
            .to_vec()
    };
    let request = ConsumerGroupDescribeRequest::default().with_group_ids(names());
    let Response::ConsumerGroupDescribe(body) =
        stepped.ask(1, Request::ConsumerGroupDescribe(request))
    else {
        panic!("another reply")
    };
    let found = &body.groups[0];
    assert_eq!((found.error_code, &*found.group_state), (0, "Stable"));
    assert_eq!((found.group_epoch, found.assignment_epoch), (1, 1));
    assert_eq!(&*found.assignor_name, "uniform");
    let told = &found.members[0];
    assert_eq!((&*told.member_id, told.member_epoch), ("a", 1));
    assert_eq!(told.assignment.topic_partitions[0].partitions, [0, 1]);
    assert_eq!(
        &**told.target_assignment.topic_partitions[0].topic_name,
        "flights"
    );
    let missing = ResponseError::GroupIdNotFound.code();
    assert_eq!(
        (body.groups[1].error_code, body.groups[2].error_code),
        (missing, missing)
    );
    let request = DescribeGroupsRequest::default().with_groups(names());
    let Response::DescribeGroups(body) = stepped.ask(6, Request::DescribeGroups(request)) else {
        panic!("another reply")
    };
    let codes: Vec<i16> = body.groups.iter().map(|group| group.error_code).collect();
    assert_eq!(codes, [missing, 0, missing]);
    assert_eq!(&*body.groups[1].group_state, "CompletingRebalance");
}

#[test]
fn group_with_members_keeps_its_protocol() {
    let mut stepped = with_partitions(2);
    let mut member = Member::new("a");
    rounds(&mut stepped, &mut [&mut member], 1);
    let (error, _) = join_classic(&mut stepped, GROUP);
    assert_eq!(error, Some(ResponseError::InconsistentGroupProtocol));
    let mut other = Stepped::with_topic();
    join_classic(&mut other, GROUP);
    let mut newcomer = Member::new("a");
    assert_eq!(
        newcomer.beat(&mut other),
        Err(ResponseError::GroupIdNotFound)
    );
    let mut leaver = Member::new("a");
    leaver.epoch = -1;
    assert_eq!(leaver.beat(&mut other), Err(ResponseError::GroupIdNotFound));
}

#[test]
fn empty_group_changes_its_protocol_and_keeps_its_offsets() {
    let mut stepped = with_partitions(2);
    assert_eq!(commit(&mut stepped, 8, "", -1), None);
    let mut member = Member::new("a");
    rounds(&mut stepped, &mut [&mut member], 1);
    assert_eq!(group(&stepped).kind, "consumer");
    assert_eq!(committed(&mut stepped, None, -1), Ok(5));
    member.epoch = -1;
    heartbeat(&mut stepped, member.request());
    let (error, _) = join_classic(&mut stepped, GROUP);
    assert_eq!(error, None);
    let classic = group(&stepped);
    assert_eq!(
        (classic.kind.as_str(), classic.committed.len()),
        ("classic", 1)
    );
    assert!(
        classic.generation > 2,
        "generations go on: {}",
        classic.generation
    );
}

#[test]
fn offsets_are_committed_and_fetched_with_the_members_own_epoch() {
    let mut stepped = with_partitions(2);
    let mut member = Member::new("a");
    rounds(&mut stepped, &mut [&mut member], 1);
    assert_eq!(commit(&mut stepped, 9, "a", 1), None);
    assert_eq!(
        commit(&mut stepped, 9, "a", 0),
        Some(ResponseError::StaleMemberEpoch)
    );
    assert_eq!(
        commit(&mut stepped, 9, "b", 1),
        Some(ResponseError::UnknownMemberId)
    );
    assert_eq!(
        commit(&mut stepped, 9, "", -1),
        Some(ResponseError::UnknownMemberId)
    );
    assert_eq!(
        commit(&mut stepped, 8, "a", 1),
        Some(ResponseError::UnsupportedVersion)
    );
    assert_eq!(committed(&mut stepped, Some("a"), 1), Ok(5));
    assert_eq!(
        committed(&mut stepped, Some("a"), 2),
        Err(ResponseError::StaleMemberEpoch)
    );
    assert_eq!(
        committed(&mut stepped, Some("b"), 1),
        Err(ResponseError::UnknownMemberId)
    );
    // Tools that are no members may look.
    assert_eq!(committed(&mut stepped, None, -1), Ok(5));
}

#[test]
fn commit_to_a_group_that_is_not_there_says_so() {
    let mut stepped = with_partitions(1);
    assert_eq!(
        commit(&mut stepped, 9, "a", 1),
        Some(ResponseError::GroupIdNotFound)
    );
    assert_eq!(
        commit(&mut stepped, 8, "a", 1),
        Some(ResponseError::IllegalGeneration)
    );
}

#[test]
fn offsets_of_a_group_without_members_are_forgotten_in_time() {
    let settings = BrokerSettings {
        offsets_retention_minutes: 10,
        ..Default::default()
    };
    let mut stepped = Stepped::with(settings);
    stepped.create("flights", &[]);
    let minute = 60_000;
    // A reader that assigns itself: ten minutes from its last commit.
    commit(&mut stepped, 9, "", -1);
    stepped.pass(9 * minute);
    commit(&mut stepped, 9, "", -1);
    stepped.pass(9 * minute);
    assert_eq!(committed(&mut stepped, None, -1), Ok(5));
    // A group with members keeps its offsets, however old.
    let mut member = Member::new("a");
    rounds(&mut stepped, &mut [&mut member], 20 * 60);
    assert_eq!(committed(&mut stepped, None, -1), Ok(5));
    member.epoch = -1;
    heartbeat(&mut stepped, member.request());
    stepped.pass(10 * minute - 1);
    assert_eq!(committed(&mut stepped, None, -1), Ok(5));
    stepped.pass(1);
    assert_eq!(committed(&mut stepped, None, -1), Ok(-1));
    assert_eq!(stepped.brokers.describe().groups, vec![]);
}

#[test]
fn settings_of_a_group_are_described() {
    use kafka_protocol::messages::DescribeConfigsRequest;
    use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
    let mut stepped = Stepped::new();
    let resource = DescribeConfigsResource::default()
        .with_resource_type(32)
        .with_resource_name(text(GROUP))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let Response::DescribeConfigs(body) = stepped.ask(4, Request::DescribeConfigs(request)) else {
        panic!("another reply")
    };
    let rows = body.results[0].configs.iter();
    let rows: Vec<_> = rows
        .map(|row| {
            (
                row.name.to_string(),
                row.value.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        ("consumer.heartbeat.interval.ms".to_owned(), "1000"),
        ("consumer.session.timeout.ms".to_owned(), "45000"),
    ];
    assert_eq!(rows, expected);
}
