//! Replication, step by step: three nodes, time set by the test, links cut on purpose.

use headwater_broker::BrokerSettings;
use headwater_broker::brokers::{Event, Fault, Input, Peer, RequestId, What};
use headwater_broker::wire::{Request, Response};
use headwater_broker::{PartitionDescription, ReplicaDescription};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{CreateTopicsRequest, FetchRequest, ProduceRequest, TopicName};

use crate::stepped::{Batch, Stepped, produce_request, text};

pub const THREE: &[Option<&str>] = &[None, None, None];

/// Three nodes and the topic `flights`: one partition on all of them, led by node 1.
pub fn three() -> Stepped {
    three_with(&[])
}

pub fn three_with(configs: &[(&str, &str)]) -> Stepped {
    let mut stepped = Stepped::with_nodes(BrokerSettings::default(), THREE);
    create(&mut stepped, "flights", 1, 3, configs);
    stepped
}

pub fn create(
    stepped: &mut Stepped,
    name: &str,
    partitions: i32,
    replication: i16,
    configs: &[(&str, &str)],
) {
    use kafka_protocol::messages::create_topics_request::CreatableTopicConfig as Config;
    let configs = configs.iter().map(|(key, value)| {
        Config::default()
            .with_name(text(key))
            .with_value(Some(text(value)))
    });
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(name)))
        .with_num_partitions(partitions)
        .with_replication_factor(replication)
        .with_configs(configs.collect());
    let request = CreateTopicsRequest::default().with_topics(vec![topic]);
    match stepped.ask(7, Request::CreateTopics(request)) {
        Response::CreateTopics(body) => assert_eq!(body.topics[0].error_code, 0),
        other => panic!("{other:?}"),
    }
}

pub fn fault(stepped: &mut Stepped, fault: Fault) {
    stepped.step(Input::Fault(fault));
}

pub fn kill(stepped: &mut Stepped, node: i32) {
    fault(stepped, Fault::Kill { node });
}

pub fn start(stepped: &mut Stepped, node: i32) {
    fault(stepped, Fault::Start { node });
}

fn cut(stepped: &mut Stepped, a: Peer, b: Peer) {
    fault(stepped, Fault::Cut { a, b });
}

fn heal(stepped: &mut Stepped, a: Peer, b: Peer) {
    fault(stepped, Fault::Heal { a, b });
}

/// Cuts a node off from all others and from the controller; clients still reach it.
fn isolate(stepped: &mut Stepped, node: i32) {
    for other in (1..=3).filter(|other| *other != node) {
        cut(stepped, Peer::Node(node), Peer::Node(other));
    }
    cut(stepped, Peer::Node(node), Peer::Controller);
}

fn rejoin(stepped: &mut Stepped, node: i32) {
    for other in (1..=3).filter(|other| *other != node) {
        heal(stepped, Peer::Node(node), Peer::Node(other));
    }
    heal(stepped, Peer::Node(node), Peer::Controller);
}

/// Sends a batch to a node with these acks.
fn send(stepped: &mut Stepped, node: i32, acks: i16, values: &[&'static str]) -> RequestId {
    let Request::Produce(request) = produce_request("flights", Batch::of(values).bytes()) else {
        unreachable!("it makes produce requests")
    };
    let request: ProduceRequest = request.with_acks(acks).with_timeout_ms(5000);
    stepped.node = node;
    stepped.send(9, Request::Produce(request))
}

/// Returns error and base offset, once there is an answer.
fn answer(stepped: &mut Stepped, id: RequestId) -> Option<(i16, i64)> {
    match stepped.reply(id)? {
        Response::Produce(body) => {
            let partition = &body.responses[0].partition_responses[0];
            Some((partition.error_code, partition.base_offset))
        }
        other => panic!("{other:?}"),
    }
}

fn produce(stepped: &mut Stepped, node: i32, acks: i16, values: &[&'static str]) -> (i16, i64) {
    let id = send(stepped, node, acks, values);
    answer(stepped, id).expect("an answer at once")
}

fn partition(stepped: &Stepped) -> PartitionDescription {
    stepped.brokers.describe().topics[0].partitions[0].clone()
}

fn replica(stepped: &Stepped, node: i32) -> ReplicaDescription {
    let replicas = partition(stepped).replicas;
    let found = replicas.into_iter().find(|replica| replica.node == node);
    found.expect("every node has a replica")
}

fn ends(stepped: &Stepped) -> Vec<i64> {
    (1..=3)
        .map(|node| replica(stepped, node).end_offset)
        .collect()
}

fn marks(stepped: &Stepped) -> Vec<i64> {
    (1..=3)
        .map(|node| replica(stepped, node).high_watermark)
        .collect()
}

fn fetch(stepped: &mut Stepped, node: i32, offset: i64) -> PartitionData {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default()
        .with_topic(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic]);
    stepped.node = node;
    match stepped.ask(12, Request::Fetch(request)) {
        Response::Fetch(mut body) => body.responses.remove(0).partitions.remove(0),
        other => panic!("{other:?}"),
    }
}

fn happened(stepped: &Stepped, what: impl Fn(&What) -> bool) -> Vec<Event> {
    let events = stepped.brokers.events().into_iter();
    events.filter(|event| what(&event.what)).collect()
}

fn code(error: ResponseError) -> i16 {
    error.code()
}

#[test]
fn records_reach_all_replicas_within_the_step() {
    let mut stepped = three();
    assert_eq!(produce(&mut stepped, 1, -1, &["a", "b"]), (0, 0));
    assert_eq!(ends(&stepped), [2, 2, 2]);
    assert_eq!(marks(&stepped), [2, 2, 2]);
    assert_eq!(partition(&stepped).in_sync, [1, 2, 3]);
}

#[test]
fn only_the_leader_takes_records_and_gives_them() {
    let mut stepped = three();
    let refused = code(ResponseError::NotLeaderOrFollower);
    assert_eq!(produce(&mut stepped, 2, -1, &["a"]).0, refused);
    assert_eq!(fetch(&mut stepped, 2, 0).error_code, refused);
    assert_eq!(fetch(&mut stepped, 1, 0).error_code, 0);
}

#[test]
fn acks_all_waits_for_a_slow_follower_and_acks_1_does_not() {
    let mut stepped = three();
    fault(
        &mut stepped,
        Fault::Slow {
            node: 3,
            delay_ms: 100,
        },
    );
    stepped.pass(1000);
    assert_eq!(produce(&mut stepped, 1, 1, &["a"]), (0, 0));
    let all = send(&mut stepped, 1, -1, &["b"]);
    assert_eq!(answer(&mut stepped, all), None);
    stepped.pass(99);
    assert_eq!(ends(&stepped), [2, 2, 0]);
    stepped.pass(500);
    assert_eq!(answer(&mut stepped, all), Some((0, 1)));
}

#[test]
fn readers_see_only_what_the_in_sync_set_has() {
    let mut stepped = three();
    fault(
        &mut stepped,
        Fault::Slow {
            node: 3,
            delay_ms: 100,
        },
    );
    stepped.pass(1000);
    produce(&mut stepped, 1, 1, &["a"]);
    let data = fetch(&mut stepped, 1, 0);
    assert_eq!((data.high_watermark, data.error_code), (0, 0));
    assert_eq!(data.records.map(|records| records.len()), Some(0));
    stepped.pass(1000);
    let data = fetch(&mut stepped, 1, 0);
    assert_eq!(data.high_watermark, 1);
    assert!(data.records.is_some_and(|records| !records.is_empty()));
}

#[test]
fn high_watermark_reaches_a_follower_one_round_trip_later() {
    let mut stepped = three();
    for node in [2, 3] {
        fault(&mut stepped, Fault::Slow { node, delay_ms: 10 });
    }
    stepped.pass(1000);
    produce(&mut stepped, 1, 1, &["a"]);
    // Ten milliseconds for the records, ten for the next fetch, ten for its answer.
    stepped.pass(10);
    assert_eq!(
        (ends(&stepped), marks(&stepped)),
        (vec![1, 1, 1], vec![0, 0, 0])
    );
    stepped.pass(10);
    assert_eq!(marks(&stepped), [1, 0, 0]);
    stepped.pass(10);
    assert_eq!(marks(&stepped), [1, 1, 1]);
}

#[test]
fn follower_that_lags_leaves_the_in_sync_set_and_comes_back() {
    let mut stepped = three();
    cut(&mut stepped, Peer::Node(1), Peer::Node(3));
    let waiting = send(&mut stepped, 1, -1, &["a"]);
    stepped.pass(4000);
    assert_eq!(partition(&stepped).in_sync, [1, 2, 3]);
    assert_eq!(answer(&mut stepped, waiting), None);
    stepped.pass(1000);
    let timed_out = code(ResponseError::RequestTimedOut);
    assert_eq!(answer(&mut stepped, waiting), Some((timed_out, 0)));
    stepped.pass(26_000);
    assert_eq!(partition(&stepped).in_sync, [1, 2]);
    assert_eq!(marks(&stepped), [1, 1, 0]);
    assert_eq!(produce(&mut stepped, 1, -1, &["b"]), (0, 1));
    heal(&mut stepped, Peer::Node(1), Peer::Node(3));
    assert_eq!(partition(&stepped).in_sync, [1, 2, 3]);
    assert_eq!(ends(&stepped), [2, 2, 2]);
    let changes = happened(&stepped, |what| matches!(what, What::InSync { .. }));
    assert_eq!(changes.len(), 2);
    assert_eq!(
        changes[0].to_string(),
        "flights-0: in sync [1, 2], before [1, 2, 3]"
    );
}

#[test]
fn idle_partition_keeps_its_in_sync_set_for_ever() {
    let mut stepped = three();
    produce(&mut stepped, 1, -1, &["a"]);
    stepped.pass(3_600_000);
    produce(&mut stepped, 1, -1, &["b"]);
    stepped.pass(100_000);
    assert_eq!(partition(&stepped).in_sync, [1, 2, 3]);
    assert_eq!(happened(&stepped, |_| true), []);
}

#[test]
fn too_small_an_in_sync_set_refuses_acks_all() {
    let mut stepped = three_with(&[("min.insync.replicas", "2")]);
    produce(&mut stepped, 1, -1, &["a"]);
    kill(&mut stepped, 2);
    kill(&mut stepped, 3);
    stepped.pass(9000);
    assert_eq!(partition(&stepped).in_sync, [1]);
    let refused = code(ResponseError::NotEnoughReplicas);
    assert_eq!(produce(&mut stepped, 1, -1, &["b"]).0, refused);
    // With acks=1 it is stored, and stays unseen until the set is large enough again.
    assert_eq!(produce(&mut stepped, 1, 1, &["c"]), (0, 1));
    assert_eq!(marks(&stepped)[0], 1);
    start(&mut stepped, 2);
    assert_eq!(partition(&stepped).in_sync, [1, 2]);
    assert_eq!(marks(&stepped)[0], 2);
}

#[test]
fn killed_leader_is_missed_after_its_session_and_nothing_acknowledged_is_lost() {
    let mut stepped = three();
    produce(&mut stepped, 1, -1, &["a", "b"]);
    kill(&mut stepped, 1);
    stepped.pass(8999);
    assert_eq!(partition(&stepped).leader, 1);
    stepped.pass(1);
    let after = partition(&stepped);
    assert_eq!((after.leader, after.leader_epoch), (2, 1));
    assert_eq!(after.in_sync, [2, 3]);
    assert_eq!(produce(&mut stepped, 2, -1, &["c"]), (0, 2));
    start(&mut stepped, 1);
    let back = partition(&stepped);
    assert_eq!((back.leader, back.in_sync), (2, vec![1, 2, 3]));
    assert_eq!(ends(&stepped), [3, 3, 3]);
}

#[test]
fn stopped_leader_hands_over_at_once() {
    let mut stepped = three();
    fault(
        &mut stepped,
        Fault::Slow {
            node: 3,
            delay_ms: 50,
        },
    );
    stepped.pass(1000);
    let waiting = send(&mut stepped, 1, -1, &["a"]);
    fault(&mut stepped, Fault::Stop { node: 1 });
    assert_eq!(partition(&stepped).leader, 2);
    let (error, _) = answer(&mut stepped, waiting).expect("told before the node went");
    assert_eq!(error, code(ResponseError::NotLeaderOrFollower));
}

#[test]
fn node_that_is_down_answers_nothing() {
    let mut stepped = three();
    kill(&mut stepped, 1);
    let id = send(&mut stepped, 1, -1, &["a"]);
    stepped.pass(100_000);
    assert_eq!(answer(&mut stepped, id), None);
}

#[test]
fn isolated_leader_loses_what_only_it_had_when_it_comes_back() {
    let mut stepped = three();
    produce(&mut stepped, 1, -1, &["a"]);
    isolate(&mut stepped, 1);
    // It believes that it leads, and says yes.
    assert_eq!(produce(&mut stepped, 1, 1, &["lost", "lost too"]), (0, 1));
    let unsure = send(&mut stepped, 1, -1, &["never acknowledged"]);
    stepped.pass(9000);
    assert_eq!(
        answer(&mut stepped, unsure).map(|(error, _)| error),
        Some(code(ResponseError::RequestTimedOut))
    );
    assert_eq!(partition(&stepped).leader, 2);
    assert!(replica(&stepped, 1).leader, "it still believes so");
    assert_eq!(produce(&mut stepped, 1, 1, &["lost as well"]), (0, 4));
    assert_eq!(produce(&mut stepped, 2, -1, &["kept"]), (0, 1));
    rejoin(&mut stepped, 1);
    assert_eq!(ends(&stepped), [2, 2, 2]);
    assert_eq!(partition(&stepped).in_sync, [1, 2, 3]);
    assert_eq!(marks(&stepped), [2, 2, 2]);
    let cuts = happened(&stepped, |what| matches!(what, What::Truncated { .. }));
    let lines: Vec<String> = cuts.iter().map(Event::to_string).collect();
    assert_eq!(
        lines,
        ["flights-0: node 1 cut its log from 5 to 1, 4 records lost there"]
    );
    let bytes: Vec<u64> = (1..=3).map(|node| replica(&stepped, node).bytes).collect();
    assert_eq!((bytes[0], bytes[0]), (bytes[1], bytes[2]));
}

#[test]
fn truncated_records_of_an_idempotent_producer_may_come_again() {
    let mut stepped = three();
    let batch = |sequence| Batch::of(&["x"]).from(5, 0, sequence).bytes();
    let send_to = |stepped: &mut Stepped, node, acks, sequence| {
        let Request::Produce(request) = produce_request("flights", batch(sequence)) else {
            unreachable!("it makes produce requests")
        };
        stepped.node = node;
        let id = stepped.send(9, Request::Produce(request.with_acks(acks)));
        answer(stepped, id).expect("an answer at once")
    };
    assert_eq!(send_to(&mut stepped, 1, -1, 0), (0, 0));
    isolate(&mut stepped, 1);
    assert_eq!(send_to(&mut stepped, 1, 1, 1), (0, 1));
    stepped.pass(9000);
    rejoin(&mut stepped, 1);
    fault(&mut stepped, Fault::Stop { node: 2 });
    fault(&mut stepped, Fault::Stop { node: 3 });
    assert_eq!(partition(&stepped).leader, 1);
    assert_eq!(send_to(&mut stepped, 1, -1, 0), (0, 0), "stored before");
    assert_eq!(send_to(&mut stepped, 1, -1, 1), (0, 1), "new again");
}

#[test]
fn partition_is_offline_until_a_member_of_the_in_sync_set_is_back() {
    let mut stepped = three();
    produce(&mut stepped, 1, -1, &["a"]);
    kill(&mut stepped, 3);
    stepped.pass(9000);
    produce(&mut stepped, 1, -1, &["b"]);
    kill(&mut stepped, 2);
    stepped.pass(9000);
    produce(&mut stepped, 1, -1, &["c"]);
    kill(&mut stepped, 1);
    stepped.pass(9000);
    start(&mut stepped, 3);
    let offline = partition(&stepped);
    assert_eq!((offline.leader, offline.in_sync), (-1, vec![1]));
    stepped.node = 3;
    let refused = fetch(&mut stepped, 3, 0).error_code;
    assert_eq!(refused, code(ResponseError::NotLeaderOrFollower));
    start(&mut stepped, 1);
    let back = partition(&stepped);
    assert_eq!((back.leader, back.in_sync), (1, vec![1, 3]));
    assert_eq!(replica(&stepped, 3).end_offset, 3);
}

#[test]
fn unclean_election_leads_at_once_and_loses_acknowledged_records() {
    let mut stepped = three_with(&[("unclean.leader.election.enable", "true")]);
    produce(&mut stepped, 1, -1, &["a"]);
    kill(&mut stepped, 3);
    stepped.pass(9000);
    kill(&mut stepped, 2);
    stepped.pass(9000);
    assert_eq!(produce(&mut stepped, 1, -1, &["acknowledged"]), (0, 1));
    kill(&mut stepped, 1);
    stepped.pass(9000);
    start(&mut stepped, 3);
    let unclean = partition(&stepped);
    assert_eq!((unclean.leader, unclean.in_sync), (3, vec![3]));
    assert_eq!(produce(&mut stepped, 3, -1, &["other"]), (0, 1));
    start(&mut stepped, 1);
    assert_eq!(replica(&stepped, 1).end_offset, 2);
    let cuts = happened(&stepped, |what| {
        matches!(
            what,
            What::Truncated {
                records: 1,
                node: 1,
                ..
            }
        )
    });
    assert_eq!(cuts.len(), 1);
    let elections = happened(&stepped, |what| matches!(what, What::Elected { .. }));
    assert_eq!(
        elections.last().map(Event::to_string).as_deref(),
        Some("flights-0: node 3 leads, from outside the in-sync set, epoch 2")
    );
}

#[test]
fn proposal_counts_both_ways_until_the_controller_answers() {
    let mut stepped = three();
    kill(&mut stepped, 3);
    stepped.pass(9000);
    produce(&mut stepped, 1, -1, &["a"]);
    start(&mut stepped, 3);
    assert_eq!(partition(&stepped).in_sync, [1, 2, 3]);
    // The leader cannot reach the controller: its wish to drop node 3 stays a wish.
    cut(&mut stepped, Peer::Node(1), Peer::Node(3));
    fault(
        &mut stepped,
        Fault::Delay {
            a: Peer::Node(1),
            b: Peer::Controller,
            delay_ms: 5000,
        },
    );
    let waiting = send(&mut stepped, 1, 1, &["b"]);
    assert_eq!(answer(&mut stepped, waiting), Some((0, 1)));
    stepped.pass(30_001);
    assert_eq!(marks(&stepped)[0], 1, "node 3 still counts");
    stepped.pass(5000);
    assert_eq!(partition(&stepped).in_sync, [1, 2]);
    assert_eq!(marks(&stepped)[0], 1, "the leader has not heard yet");
    stepped.pass(5000);
    assert_eq!(marks(&stepped)[0], 2);
}

#[test]
fn follower_left_behind_by_deletion_begins_anew() {
    let mut stepped = three();
    produce(&mut stepped, 1, -1, &["a", "b"]);
    kill(&mut stepped, 3);
    stepped.pass(9000);
    produce(&mut stepped, 1, -1, &["c", "d"]);
    use kafka_protocol::messages::DeleteRecordsRequest;
    use kafka_protocol::messages::delete_records_request::{
        DeleteRecordsPartition, DeleteRecordsTopic,
    };
    let partition = DeleteRecordsPartition::default().with_offset(3);
    let topic = DeleteRecordsTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]);
    stepped.ask(2, Request::DeleteRecords(request));
    let starts = |stepped: &Stepped| {
        (1..=3)
            .map(|node| replica(stepped, node).earliest)
            .collect::<Vec<_>>()
    };
    assert_eq!(starts(&stepped), [3, 3, 0]);
    start(&mut stepped, 3);
    assert_eq!(starts(&stepped), [3, 3, 3]);
    assert_eq!(ends(&stepped), [4, 4, 4]);
}

#[test]
fn new_leader_knows_its_end_once_a_follower_has_asked() {
    use kafka_protocol::messages::ListOffsetsRequest;
    use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
    let mut stepped = three();
    for node in [2, 3] {
        fault(&mut stepped, Fault::Slow { node, delay_ms: 10 });
    }
    stepped.pass(1000);
    produce(&mut stepped, 1, 1, &["a"]);
    // The followers have the record, and do not know yet that all have it.
    stepped.pass(10);
    fault(&mut stepped, Fault::Stop { node: 1 });
    stepped.pass(10);
    assert_eq!(partition(&stepped).leader, 2);
    let latest = |stepped: &mut Stepped| {
        let partition = ListOffsetsPartition::default()
            .with_current_leader_epoch(-1)
            .with_timestamp(-1);
        let topic = ListOffsetsTopic::default()
            .with_name(TopicName(text("flights")))
            .with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default().with_topics(vec![topic]);
        stepped.node = 2;
        match stepped.ask(6, Request::ListOffsets(request)) {
            Response::ListOffsets(body) => {
                let partition = &body.topics[0].partitions[0];
                (partition.error_code, partition.offset)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        latest(&mut stepped),
        (code(ResponseError::OffsetNotAvailable), -1)
    );
    stepped.pass(100);
    assert_eq!(latest(&mut stepped), (0, 1));
}

#[test]
fn closed_segments_are_held_once_for_all_replicas() {
    let mut stepped = three();
    let value: &'static str = Box::leak("x".repeat(100_000).into_boxed_str());
    for _ in 0..30 {
        assert_eq!(produce(&mut stepped, 1, -1, &[value]).0, 0);
    }
    let closed = |node| stepped.brokers.closed_segments("flights", 0, node);
    assert_eq!(closed(1).len(), 2);
    let at = |node: i32| {
        closed(node)
            .iter()
            .map(|bytes| bytes.as_ptr())
            .collect::<Vec<_>>()
    };
    assert_eq!(at(1), at(2));
    assert_eq!(at(1), at(3));
}
