//! Limits: sizes of messages, fetches and frames, connections, retention.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rdkafka::Message;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::topic_partition_list::Offset;

use crate::clients::{
    PATIENCE, client, create_topic, create_topic_with, eventually, flush, producer, read,
    read_with, send, start_broker, start_broker_with, texts,
};
use crate::stepped::{Batch, Stepped};

#[test]
fn fetch_limit_below_a_batch_still_makes_progress() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let values: Vec<String> = (0..20).map(|number| format!("{number:0>1000}")).collect();
    for value in &values {
        // One batch each, every one of them ten times the limit.
        send(&server, "flights", &[value]);
    }
    let mut config = client(&server);
    config.set("fetch.message.max.bytes", "100");
    let records = read_with(&config, "flights", Offset::Beginning, 20);
    assert_eq!(texts(&records), values);
}

#[test]
fn message_beyond_the_topics_limit_is_refused() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let mut config = client(&server);
    config.set("message.max.bytes", "8000000");
    let producer = producer(&config);
    let large = vec![7u8; 3_000_000];
    let record = BaseRecord::<(), [u8]>::to("flights").payload(&large);
    producer.send(record).expect("room in the queue");
    producer.flush(PATIENCE).expect("an answer");
    let failures = producer
        .context()
        .failures
        .lock()
        .expect("no test panics here");
    let expected = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
    assert_eq!(*failures, vec![expected]);
    assert_eq!(server.describe().bytes_held, 0);
}

#[test]
fn topic_with_a_higher_limit_takes_larger_messages() {
    let server = start_broker();
    create_topic_with(&server, "flights", 1, &[("max.message.bytes", "8000000")]);
    let mut config = client(&server);
    config.set("message.max.bytes", "8000000");
    let producer = producer(&config);
    let large = vec![7u8; 5_000_000];
    let record = BaseRecord::<(), [u8]>::to("flights").payload(&large);
    producer.send(record).expect("room in the queue");
    flush(&producer);
    let records = read(&server, "flights", Offset::Beginning, 1);
    assert_eq!(records[0].payload().map(<[u8]>::len), Some(5_000_000));
}

#[test]
fn frame_beyond_the_limit_closes_its_connection() {
    let server = start_broker_with(|config| config.max_frame_bytes = 1000);
    let mut socket = TcpStream::connect(server.bootstrap()).expect("a connection");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket.write_all(&1001i32.to_be_bytes()).expect("sent");
    assert_eq!(socket.read(&mut [0; 1]).expect("an end"), 0);
}

#[test]
fn connection_beyond_the_limit_is_closed() {
    let server = start_broker_with(|config| config.max_connections = 1);
    let first = TcpStream::connect(server.bootstrap()).expect("a connection");
    let ends = |patience: Duration| {
        let mut socket = TcpStream::connect(server.bootstrap()).expect("a connection");
        socket.set_read_timeout(Some(patience)).expect("a time-out");
        matches!(socket.read(&mut [0; 1]), Ok(0))
    };
    assert!(ends(PATIENCE), "the second connection was kept");
    drop(first);
    eventually("a free place", || {
        (!ends(Duration::from_millis(100))).then_some(())
    });
}

#[test]
fn client_that_stops_in_the_middle_is_dropped() {
    let server = start_broker_with(|config| config.max_stall = Duration::from_millis(50));
    let mut socket = TcpStream::connect(server.bootstrap()).expect("a connection");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket.write_all(&[0, 0, 0, 20, 0, 18]).expect("sent");
    assert_eq!(socket.read(&mut [0; 1]).expect("an end"), 0);
}

#[test]
fn retention_by_time_drops_old_segments_and_keeps_new_ones() {
    let mut stepped = Stepped::new();
    stepped.create(
        "flights",
        &[("retention.ms", "10000"), ("segment.bytes", "200")],
    );
    let now = stepped.now_ms;
    let old = Batch::of(&["a"; 10]).at(&[now - 20_000; 10]).bytes();
    let new = Batch::of(&["b"; 10]).at(&[now; 10]).bytes();
    stepped.produce(old.clone());
    stepped.produce(old);
    stepped.produce(new);
    stepped.pass(2000);
    let partition = &stepped.brokers.describe().topics[0].partitions[0];
    assert_eq!((partition.earliest, partition.latest), (20, 30));
    stepped.pass(20_000);
    let description = stepped.brokers.describe();
    assert_eq!(description.topics[0].partitions[0].earliest, 30);
    assert_eq!(description.bytes_held, 0);
}

#[test]
fn old_event_times_stay_for_minutes_where_no_retention_was_set() {
    let mut stepped = Stepped::with_topic();
    stepped.create("short", &[("retention.ms", "10000")]);
    // Flights of 2015: far older than Kafka's seven days.
    stepped.produce(Batch::of(&["a"; 10]).at(&[1_430_000_000_000; 10]).bytes());
    let earliest = |stepped: &Stepped| stepped.brokers.describe().topics[0].partitions[0].earliest;
    stepped.pass(290_000);
    assert_eq!(earliest(&stepped), 0);
    stepped.pass(11_000);
    assert_eq!(earliest(&stepped), 10);
}

#[test]
fn retention_by_size_keeps_the_newest() {
    let mut stepped = Stepped::new();
    stepped.create(
        "flights",
        &[("retention.bytes", "300"), ("segment.bytes", "200")],
    );
    for _ in 0..10 {
        stepped.produce(Batch::of(&["a"; 10]).at(&[1; 10]).bytes());
    }
    // Neither limit says anything of age: the seven days of Kafka's default are long gone.
    let held_before = stepped.brokers.describe().bytes_held;
    stepped.pass(2000);
    let description = stepped.brokers.describe();
    assert!(description.bytes_held < held_before, "nothing went");
    assert_eq!(description.topics[0].partitions[0].latest, 100);
}
