//! Several nodes as unmodified clients see them: three ports, leaders that die, groups that move.

use std::time::{Duration, Instant};

use headwater_broker::brokers::{Fault, Peer, What};
use headwater_broker::control::{ControlClient, ControlServer, Shape};
use headwater_broker::{Error, Server};
use rdkafka::Message;
use rdkafka::admin::{AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::clients::{
    PATIENCE, admin, client, eventually, flush, poll, producer, read, send, start_broker_with,
    texts, wait,
};

/// Three nodes that miss a dead one after half a second.
fn three() -> Server {
    start_broker_with(|config| {
        config.nodes = 3;
        config.brokers.session_timeout_ms = 500;
        config.brokers.replica_lag_ms = 2000;
    })
}

fn create(server: &Server, name: &str, partitions: i32, configs: &[(&str, &str)]) {
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(3));
    for (key, value) in configs {
        topic = topic.set(key, value);
    }
    let results = wait(admin(server).create_topics([&topic], &AdminOptions::new()));
    let results = results.expect("an answer to CreateTopics");
    assert_eq!(results, vec![Ok(name.to_owned())]);
}

fn leader(server: &Server, topic: &str) -> i32 {
    let description = server.describe();
    let topic = description.topics.iter().find(|known| known.name == topic);
    topic.expect("the topic was made").partitions[0].leader
}

fn in_sync(server: &Server, topic: &str) -> Vec<i32> {
    let description = server.describe();
    let topic = description.topics.iter().find(|known| known.name == topic);
    topic.expect("the topic was made").partitions[0]
        .in_sync
        .clone()
}

/// Polls until `count` records have come; that a node is gone is no news here.
fn poll_on(consumer: &BaseConsumer, count: usize) -> Vec<String> {
    let mut records = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while records.len() < count {
        assert!(
            Instant::now() < deadline,
            "{} of {count} records",
            records.len()
        );
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(record)) => records.push(record.detach()),
            Some(Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown,
            ))) => {}
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    texts(&records)
}

/// Returns the first `count` records of partition 0.
fn read_on(server: &Server, topic: &str, count: usize) -> Vec<String> {
    let mut config = client(server);
    config.set("group.id", "reader");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    let first = partitions.add_partition_offset(topic, 0, Offset::Beginning);
    first.expect("an offset");
    consumer.assign(&partitions).expect("a partition");
    poll_on(&consumer, count)
}

#[test]
fn clients_learn_of_all_nodes_from_one() {
    let server = three();
    create(&server, "flights", 3, &[]);
    let bootstrap = server.bootstrap();
    let addresses: Vec<&str> = bootstrap.split(',').collect();
    assert_eq!(addresses.len(), 3);
    let mut config = client(&server);
    config.set("bootstrap.servers", addresses[2]);
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let metadata = consumer.fetch_metadata(None, PATIENCE).expect("metadata");
    let nodes: Vec<String> = metadata
        .brokers()
        .iter()
        .map(|node| format!("{}:{}", node.host(), node.port()))
        .collect();
    assert_eq!(nodes, addresses);
    let leaders = metadata.topics()[0].partitions().iter().map(|p| p.leader());
    assert_eq!(leaders.collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(metadata.topics()[0].partitions()[0].isr(), [1, 2, 3]);
}

#[test]
fn no_acknowledged_record_is_lost_when_the_leader_is_killed() {
    let server = three();
    create(&server, "flights", 1, &[("min.insync.replicas", "2")]);
    let mut config = client(&server);
    config
        .set("enable.idempotence", "true")
        .set("linger.ms", "1")
        .set("batch.num.messages", "50");
    let producer = producer(&config);
    let first = leader(&server, "flights");
    for number in 0..2000 {
        if number == 700 {
            server.kill_node(first).expect("a node");
        }
        let value = number.to_string();
        let record = BaseRecord::<(), str>::to("flights").payload(&value);
        producer.send(record).expect("room in the queue");
        producer.poll(Duration::ZERO);
    }
    flush(&producer);
    assert_ne!(leader(&server, "flights"), first);
    let expected: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
    assert_eq!(read_on(&server, "flights", 2000), expected);
    server.start_node(first).expect("its port is free");
    eventually("the node is in sync again", || {
        in_sync(&server, "flights").contains(&first).then_some(())
    });
    let replicas = server.describe().topics[0].partitions[0].replicas.clone();
    assert!(
        replicas.iter().all(|replica| replica.end_offset == 2000),
        "{replicas:?}"
    );
}

#[test]
fn too_few_in_sync_is_what_the_producer_is_told() {
    let server = three();
    create(&server, "flights", 1, &[("min.insync.replicas", "2")]);
    server.stop_node(2).expect("a node");
    server.stop_node(3).expect("a node");
    let mut config = client(&server);
    config.set("retries", "0").set("acks", "all");
    let producer = producer(&config);
    let record = BaseRecord::<(), str>::to("flights").payload("refused");
    producer.send(record).expect("room in the queue");
    producer.flush(PATIENCE).expect("answered in time");
    let failures = producer
        .context()
        .failures
        .lock()
        .expect("no test panics here");
    let refused = KafkaError::MessageProduction(RDKafkaErrorCode::NotEnoughReplicas);
    assert_eq!(*failures, [refused]);
}

#[test]
fn stopped_node_comes_back_on_its_port() {
    let server = three();
    create(&server, "flights", 1, &[]);
    let address = server
        .bootstrap()
        .split(',')
        .next()
        .expect("three")
        .to_owned();
    server.stop_node(1).expect("a node");
    std::net::TcpStream::connect(&address).expect_err("nobody listens");
    assert_eq!(leader(&server, "flights"), 2);
    server.start_node(1).expect("its port is free");
    std::net::TcpStream::connect(&address).expect("it listens again");
    eventually("in sync again", || {
        (in_sync(&server, "flights") == [1, 2, 3]).then_some(())
    });
    send(&server, "flights", &["a"]);
}

#[test]
fn group_survives_the_death_of_its_coordinator() {
    let server = three();
    create(&server, "flights", 1, &[]);
    send(&server, "flights", &["a", "b"]);
    let mut config = client(&server);
    config
        .set("group.id", "board")
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "6000");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    consumer.subscribe(&["flights"]).expect("a subscription");
    assert_eq!(texts(&poll(&consumer, 2)), ["a", "b"]);
    let generation = server.describe().groups[0].generation;
    consumer
        .commit_consumer_state(rdkafka::consumer::CommitMode::Sync)
        .expect("committed");
    let coordinator = server.coordinator_of("board").expect("all live");
    server.kill_node(coordinator).expect("a node");
    eventually("another node takes over", || {
        server
            .coordinator_of("board")
            .filter(|now| *now != coordinator)
    });
    send(&server, "flights", &["c"]);
    assert_eq!(poll_on(&consumer, 1), ["c"]);
    let commit = || {
        consumer
            .commit_consumer_state(rdkafka::consumer::CommitMode::Sync)
            .ok()
    };
    eventually("a commit reaches the new coordinator", || {
        consumer.poll(Duration::from_millis(10));
        commit()
    });
    let groups = server.describe().groups;
    assert_eq!(groups[0].committed[0].offset, 3);
    assert_eq!(groups[0].members.len(), 1);
    assert!(groups[0].generation <= generation + 1, "{groups:?}");
}

#[test]
fn isolated_leader_shows_what_was_lost() {
    let server = three();
    create(&server, "flights", 1, &[]);
    send(&server, "flights", &["kept"]);
    let only = server
        .bootstrap()
        .split(',')
        .next()
        .expect("three")
        .to_owned();
    let mut config = client(&server);
    config
        .set("bootstrap.servers", &only)
        .set("acks", "1")
        .set("topic.metadata.refresh.interval.ms", "-1");
    let producer = producer(&config);
    let record = BaseRecord::<(), str>::to("flights").payload("before the cut");
    producer.send(record).expect("room in the queue");
    flush(&producer);
    for peer in [Peer::Node(2), Peer::Node(3), Peer::Controller] {
        server.cut(1, peer).expect("a link");
    }
    let record = BaseRecord::<(), str>::to("flights").payload("lost");
    producer.send(record).expect("room in the queue");
    flush(&producer);
    eventually("another leader", || {
        (leader(&server, "flights") == 2).then_some(())
    });
    for peer in [Peer::Node(2), Peer::Node(3), Peer::Controller] {
        server.heal(1, peer).expect("a link");
    }
    let lost = eventually("the log is cut", || {
        let events = server.events();
        events.into_iter().find_map(|event| match event.what {
            What::Truncated {
                node: 1, records, ..
            } => Some(records),
            _ => None,
        })
    });
    assert_eq!(lost, 1);
    let records = read(&server, "flights", Offset::Beginning, 2);
    assert_eq!(texts(&records), ["kept", "before the cut"]);
    assert_eq!(records[0].partition(), 0);
}

#[test]
fn node_that_does_not_exist_is_an_error() {
    let server = three();
    let error = server.kill_node(7).expect_err("there are three");
    assert!(
        matches!(error, Error::UnknownNode { node: 7, nodes: 3 }),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "no node 7 in this cluster\n  have: nodes 1 to 3\n  try:  one of these"
    );
    let none = Server::start(headwater_broker::ServerConfig {
        nodes: 0,
        ..Default::default()
    });
    let Err(error) = none else {
        panic!("a cluster of no node");
    };
    assert_eq!(
        error.to_string(),
        "no cluster of 0 nodes\n  try:  1 to 16 nodes"
    );
}

#[test]
fn nodes_are_driven_over_the_control_channel() {
    let channel = ControlServer::start().expect("a free port");
    let mut control = ControlClient::connect(&channel.place()).expect("the right token");
    let shape = Shape {
        nodes: 3,
        racks: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        session_timeout_ms: Some(300),
        ..Shape::default()
    };
    let bootstrap = control
        .open_with("lesson", shape.clone())
        .expect("a cluster");
    assert_eq!(bootstrap.split(',').count(), 3);
    assert_eq!(control.open("lesson").expect("the same"), bootstrap);
    let other = Shape { nodes: 5, ..shape };
    let refused = control
        .open_with("lesson", other)
        .expect_err("it has three");
    assert!(
        refused.to_string().contains("running with 3 node(s)"),
        "{refused}"
    );
    control
        .apply("lesson", Fault::Kill { node: 2 })
        .expect("a node");
    let unknown = control
        .apply("lesson", Fault::Kill { node: 9 })
        .expect_err("no such node");
    assert!(unknown.is_refused(), "{unknown}");
    eventually("the controller misses node 2", || {
        let nodes = control.describe("lesson").expect("a description").nodes;
        assert!(!nodes[1].up);
        assert_eq!(nodes[1].rack.as_deref(), Some("b"));
        (!nodes[1].registered).then_some(())
    });
    let events = control.events("lesson").expect("events");
    let lines: Vec<String> = events.iter().map(|event| event.to_string()).collect();
    assert_eq!(
        lines,
        ["node 2 was killed", "the controller takes node 2 for dead"]
    );
}
