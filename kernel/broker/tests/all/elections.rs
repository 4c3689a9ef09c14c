//! Where replicas go, who leads, and what a node that is cut off still believes.

use headwater_broker::BrokerSettings;
use headwater_broker::brokers::{Event, Fault, Peer, What};
use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, DescribeTopicPartitionsRequest, ElectLeadersRequest,
    FindCoordinatorRequest, MetadataRequest, TopicName,
};

use crate::replicas::{THREE, create, fault, kill, start, three, three_with};
use crate::stepped::{Stepped, text};

const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

fn leader(stepped: &Stepped, topic: &str, partition: usize) -> i32 {
    let topics = stepped.brokers.describe().topics;
    let found = topics.iter().find(|known| known.name == topic);
    found.expect("the topic was made").partitions[partition].leader
}

fn nodes(stepped: &Stepped, topic: &str) -> Vec<Vec<i32>> {
    let topics = stepped.brokers.describe().topics;
    let found = topics.iter().find(|known| known.name == topic);
    let partitions = &found.expect("the topic was made").partitions;
    let row = |replicas: &[headwater_broker::ReplicaDescription]| {
        replicas.iter().map(|replica| replica.node).collect()
    };
    partitions.iter().map(|p| row(&p.replicas)).collect()
}

/// Asks for an election and returns the error of partition 0.
fn elect(stepped: &mut Stepped, kind: i8) -> i16 {
    let topic = TopicPartitions::default()
        .with_topic(TopicName(text("flights")))
        .with_partitions(vec![0]);
    let request = ElectLeadersRequest::default()
        .with_election_type(kind)
        .with_topic_partitions(Some(vec![topic]));
    match stepped.ask(2, Request::ElectLeaders(request)) {
        Response::ElectLeaders(body) => {
            body.replica_election_results[0].partition_result[0].error_code
        }
        other => panic!("{other:?}"),
    }
}

/// Returns brokers, and error, leader and leader epoch of partition 0, as a node knows them.
fn metadata(stepped: &mut Stepped, node: i32) -> (Vec<i32>, i16, i32, i32) {
    stepped.node = node;
    let request = MetadataRequest::default().with_topics(None);
    match stepped.ask(12, Request::Metadata(request)) {
        Response::Metadata(body) => {
            let brokers = body.brokers.iter().map(|broker| broker.node_id.0).collect();
            let partition = &body.topics[0].partitions[0];
            let leader = partition.leader_id.0;
            (
                brokers,
                partition.error_code,
                leader,
                partition.leader_epoch,
            )
        }
        other => panic!("{other:?}"),
    }
}

fn assigned(stepped: &mut Stepped, name: &str, nodes: &[&[i32]]) -> i16 {
    let assignments = (0..).zip(nodes).map(|(index, nodes)| {
        CreatableReplicaAssignment::default()
            .with_partition_index(index)
            .with_broker_ids(nodes.iter().copied().map(BrokerId).collect())
    });
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(name)))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_assignments(assignments.collect());
    let request = CreateTopicsRequest::default().with_topics(vec![topic]);
    match stepped.ask(7, Request::CreateTopics(request)) {
        Response::CreateTopics(body) => body.topics[0].error_code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn leaders_are_spread_in_turn() {
    let mut stepped = Stepped::with_nodes(BrokerSettings::default(), THREE);
    create(&mut stepped, "flights", 4, 2, &[]);
    let expected = [vec![1, 2], vec![2, 3], vec![3, 1], vec![1, 2]];
    assert_eq!(nodes(&stepped, "flights"), expected);
    create(&mut stepped, "gates", 1, 1, &[]);
    assert_eq!(nodes(&stepped, "gates"), [vec![2]]);
}

#[test]
fn replicas_stand_in_different_racks() {
    let racks = &[
        Some("a"),
        Some("a"),
        Some("b"),
        Some("b"),
        Some("c"),
        Some("c"),
    ];
    let mut stepped = Stepped::with_nodes(BrokerSettings::default(), racks);
    create(&mut stepped, "flights", 6, 3, &[]);
    for replicas in nodes(&stepped, "flights") {
        let mut kept: Vec<_> = replicas.iter().map(|id| racks[*id as usize - 1]).collect();
        kept.sort();
        assert_eq!(kept, [Some("a"), Some("b"), Some("c")], "{replicas:?}");
    }
    // A whole zone goes, and every partition still has a leader.
    kill(&mut stepped, 1);
    kill(&mut stepped, 2);
    stepped.pass(9000);
    let leaders: Vec<i32> = (0..6)
        .map(|index| leader(&stepped, "flights", index))
        .collect();
    assert!(leaders.iter().all(|leader| *leader > 2), "{leaders:?}");
}

#[test]
fn assignment_by_hand_is_taken_or_refused() {
    let mut stepped = Stepped::with_nodes(BrokerSettings::default(), THREE);
    assert_eq!(assigned(&mut stepped, "flights", &[&[3, 1], &[2, 3]]), 0);
    assert_eq!(nodes(&stepped, "flights"), [vec![3, 1], vec![2, 3]]);
    assert_eq!(leader(&stepped, "flights", 0), 3);
    let refused = ResponseError::InvalidReplicaAssignment.code();
    for wrong in [&[&[1, 1][..]], &[&[7][..]], &[&[][..]]] {
        assert_eq!(assigned(&mut stepped, "wrong", wrong), refused, "{wrong:?}");
    }
    assert_eq!(assigned(&mut stepped, "wrong", &[&[1], &[1, 2]]), refused);
}

#[test]
fn leadership_goes_back_on_request_and_by_itself() {
    let mut stepped = three();
    let not_needed = ResponseError::ElectionNotNeeded.code();
    assert_eq!(elect(&mut stepped, PREFERRED), not_needed);
    kill(&mut stepped, 1);
    stepped.pass(9000);
    stepped.node = 2;
    let not_there = ResponseError::PreferredLeaderNotAvailable.code();
    assert_eq!(elect(&mut stepped, PREFERRED), not_there);
    start(&mut stepped, 1);
    assert_eq!(leader(&stepped, "flights", 0), 2);
    assert_eq!(elect(&mut stepped, PREFERRED), 0);
    assert_eq!(leader(&stepped, "flights", 0), 1);
    fault(&mut stepped, Fault::Stop { node: 1 });
    start(&mut stepped, 1);
    assert_eq!(leader(&stepped, "flights", 0), 2);
    stepped.pass(600_000);
    assert_eq!(leader(&stepped, "flights", 0), 1);
}

/// Three nodes, of which only one that was not in sync lives.
fn offline() -> Stepped {
    let mut stepped = three();
    kill(&mut stepped, 3);
    stepped.pass(9000);
    kill(&mut stepped, 2);
    stepped.pass(9000);
    kill(&mut stepped, 1);
    stepped.pass(9000);
    start(&mut stepped, 3);
    stepped.node = 3;
    assert_eq!(leader(&stepped, "flights", 0), -1);
    stepped
}

#[test]
fn offline_partition_has_no_leader_for_clients() {
    let mut stepped = offline();
    let offline = ResponseError::LeaderNotAvailable.code();
    let (brokers, error, leader, _) = metadata(&mut stepped, 3);
    assert_eq!((brokers, error, leader), (vec![3], offline, -1));
}

#[test]
fn unclean_election_on_request() {
    let mut stepped = offline();
    assert_eq!(elect(&mut stepped, UNCLEAN), 0);
    assert_eq!(leader(&stepped, "flights", 0), 3);
    let not_needed = ResponseError::ElectionNotNeeded.code();
    assert_eq!(elect(&mut stepped, UNCLEAN), not_needed);
}

#[test]
fn setting_that_allows_unclean_elections_holds_one_at_once() {
    use kafka_protocol::messages::IncrementalAlterConfigsRequest;
    use kafka_protocol::messages::incremental_alter_configs_request::{
        AlterConfigsResource, AlterableConfig,
    };
    let mut stepped = offline();
    let config = AlterableConfig::default()
        .with_name(text("unclean.leader.election.enable"))
        .with_value(Some(text("true")));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("flights"))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    stepped.ask(1, Request::IncrementalAlterConfigs(request));
    assert_eq!(leader(&stepped, "flights", 0), 3);
}

#[test]
fn node_restarted_within_its_session_has_to_catch_up_first() {
    let mut stepped = three();
    kill(&mut stepped, 1);
    stepped.pass(1000);
    fault(
        &mut stepped,
        Fault::Slow {
            node: 1,
            delay_ms: 100,
        },
    );
    start(&mut stepped, 1);
    let partition = stepped.brokers.describe().topics[0].partitions[0].clone();
    assert_eq!((partition.leader, partition.in_sync), (2, vec![2, 3]));
    stepped.pass(1000);
    let partition = stepped.brokers.describe().topics[0].partitions[0].clone();
    assert_eq!(partition.in_sync, [1, 2, 3]);
}

#[test]
fn cut_off_node_tells_clients_what_it_believes() {
    let mut stepped = three();
    for b in [Peer::Node(2), Peer::Node(3), Peer::Controller] {
        let a = Peer::Node(1);
        fault(&mut stepped, Fault::Cut { a, b });
    }
    stepped.pass(9000);
    assert_eq!(metadata(&mut stepped, 1), (vec![1, 2, 3], 0, 1, 0));
    assert_eq!(metadata(&mut stepped, 2), (vec![2, 3], 0, 2, 1));
    stepped.node = 1;
    let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("board")]);
    match stepped.ask(4, Request::FindCoordinator(request)) {
        Response::FindCoordinator(body) => assert_eq!(
            body.coordinators[0].error_code,
            ResponseError::CoordinatorNotAvailable.code()
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn request_for_the_controller_waits_at_a_node_that_is_cut_off() {
    let mut stepped = three();
    let (a, b) = (Peer::Node(1), Peer::Controller);
    fault(&mut stepped, Fault::Cut { a, b });
    let topic = CreatableTopic::default()
        .with_name(TopicName(text("late")))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]);
    let id = stepped.send(7, Request::CreateTopics(request));
    stepped.pass(1000);
    assert!(stepped.reply(id).is_none());
    fault(&mut stepped, Fault::Heal { a, b });
    assert!(matches!(stepped.reply(id), Some(Response::CreateTopics(_))));
    assert_eq!(nodes(&stepped, "late").len(), 1);
}

#[test]
fn partitions_are_described_a_page_at_a_time() {
    let mut stepped = three_with(&[]);
    create(&mut stepped, "gates", 3, 2, &[]);
    let page = |stepped: &mut Stepped, cursor: Option<Cursor>| {
        let names = ["gates", "flights"]
            .map(|name| TopicRequest::default().with_name(TopicName(text(name))));
        let request = DescribeTopicPartitionsRequest::default()
            .with_topics(names.to_vec())
            .with_response_partition_limit(3)
            .with_cursor(cursor);
        match stepped.ask(0, Request::DescribeTopicPartitions(request)) {
            Response::DescribeTopicPartitions(body) => body,
            other => panic!("{other:?}"),
        }
    };
    let first = page(&mut stepped, None);
    let rows = |topic: usize| first.topics[topic].partitions.len();
    assert_eq!((rows(0), rows(1)), (1, 2));
    assert_eq!(first.topics[0].partitions[0].isr_nodes.len(), 3);
    let next = first.next_cursor.expect("one partition is left");
    assert_eq!(
        (next.topic_name.as_str(), next.partition_index),
        ("gates", 2)
    );
    let cursor = Cursor::default()
        .with_topic_name(next.topic_name)
        .with_partition_index(next.partition_index);
    let second = page(&mut stepped, Some(cursor));
    assert_eq!(second.topics.len(), 1);
    assert_eq!(second.topics[0].partitions[0].partition_index, 2);
    assert!(second.next_cursor.is_none());
}

#[test]
fn events_read_as_sentences() {
    let mut stepped = three();
    kill(&mut stepped, 1);
    stepped.pass(9000);
    start(&mut stepped, 1);
    let events = stepped.brokers.events();
    let lines: Vec<String> = events.iter().map(Event::to_string).collect();
    assert_eq!(
        lines,
        [
            "node 1 was killed",
            "the controller takes node 1 for dead",
            "flights-0: node 2 leads, from the in-sync set, epoch 1",
            "flights-0: in sync [2, 3], before [1, 2, 3]",
            "node 1 started",
            "the controller takes node 1 for alive",
            "flights-0: in sync [1, 2, 3], before [2, 3]",
        ]
    );
    assert!(matches!(events[0].what, What::Killed { node: 1 }));
    assert_eq!(events[1].at_ms - events[0].at_ms, 9000);
}
