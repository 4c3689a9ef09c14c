//! Transactions as rdkafka sees them.

use std::time::Duration;

use headwater_broker::Server;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::clients::{
    Deliveries, PATIENCE, client, create_topic, eventually, flush, poll, producer, read_with, send,
    start_broker, texts,
};

fn transactional(server: &Server, id: &str) -> ThreadedProducer<Deliveries> {
    transactional_with(server, id, |_| {})
}

fn transactional_with(
    server: &Server,
    id: &str,
    change: impl FnOnce(&mut ClientConfig),
) -> ThreadedProducer<Deliveries> {
    let mut config = client(server);
    config.set("transactional.id", id);
    change(&mut config);
    let producer = producer(&config);
    producer.init_transactions(PATIENCE).expect("a producer id");
    producer
}

fn put(producer: &ThreadedProducer<Deliveries>, topic: &str, value: &str) {
    let record = BaseRecord::<(), str>::to(topic).partition(0).payload(value);
    producer.send(record).expect("room in the queue");
}

fn committed(server: &Server) -> ClientConfig {
    let mut config = client(server);
    config.set("isolation.level", "read_committed");
    config
}

fn code(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().expect("an error of the broker")
}

#[test]
fn client_commits_and_aborts() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let producer = transactional(&server, "copier");
    for (value, commit) in [("a", true), ("x", false), ("b", true)] {
        producer.begin_transaction().expect("begun");
        put(&producer, "flights", value);
        // Without this an aborted record may never leave the client.
        flush(&producer);
        match commit {
            true => producer.commit_transaction(PATIENCE).expect("committed"),
            false => producer.abort_transaction(PATIENCE).expect("aborted"),
        }
    }
    let seen = read_with(&committed(&server), "flights", Offset::Beginning, 2);
    assert_eq!(texts(&seen), ["a", "b"]);
    let mut all = client(&server);
    all.set("isolation.level", "read_uncommitted");
    let seen = read_with(&all, "flights", Offset::Beginning, 3);
    assert_eq!(texts(&seen), ["a", "x", "b"]);
}

#[test]
fn open_transaction_blocks_a_committed_reader() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let producer = transactional(&server, "copier");
    producer.begin_transaction().expect("begun");
    put(&producer, "flights", "open");
    flush(&producer);
    send(&server, "flights", &["after"]);
    let mut config = committed(&server);
    config
        .set("group.id", "reader")
        .set("enable.partition.eof", "true");
    let reader: BaseConsumer = config.create().expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    partitions
        .add_partition_offset("flights", 0, Offset::Beginning)
        .expect("an offset");
    reader.assign(&partitions).expect("a partition");
    // The reader reaches its end, which is where the transaction begins.
    let first = eventually("an end of the partition", || reader.poll(PATIENCE));
    assert!(
        matches!(first, Err(KafkaError::PartitionEOF(0))),
        "{first:?}"
    );
    let (low, high) = reader
        .fetch_watermarks("flights", 0, PATIENCE)
        .expect("watermarks");
    assert_eq!((low, high), (0, 0), "the end is the last stable offset");
    producer.commit_transaction(PATIENCE).expect("committed");
    drop(first);
    assert_eq!(texts(&poll_records(&reader, 2)), ["open", "after"]);
}

/// As `poll`, but an end of the partition is no record.
fn poll_records(reader: &BaseConsumer, count: usize) -> Vec<rdkafka::message::OwnedMessage> {
    let mut records = Vec::new();
    while records.len() < count {
        let next = eventually("a record", || reader.poll(Duration::from_millis(100)));
        match next {
            Ok(record) => records.push(record.detach()),
            Err(KafkaError::PartitionEOF(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    records
}

#[test]
fn zombie_is_fenced() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let old = transactional(&server, "copier");
    old.begin_transaction().expect("begun");
    put(&old, "flights", "zombie");
    flush(&old);
    let new = transactional(&server, "copier");
    new.begin_transaction().expect("begun");
    put(&new, "flights", "live");
    new.commit_transaction(PATIENCE).expect("committed");
    let fenced = old.commit_transaction(PATIENCE).expect_err("fenced");
    assert_eq!(code(&fenced), RDKafkaErrorCode::Fenced, "{fenced}");
    let seen = read_with(&committed(&server), "flights", Offset::Beginning, 1);
    assert_eq!(texts(&seen), ["live"]);
}

#[test]
fn transaction_that_stays_open_is_aborted_by_the_broker() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let producer = transactional_with(&server, "copier", |config| {
        config
            .set("transaction.timeout.ms", "1000")
            .set("message.timeout.ms", "900");
    });
    producer.begin_transaction().expect("begun");
    put(&producer, "flights", "stuck");
    flush(&producer);
    send(&server, "flights", &["after"]);
    let seen = read_with(&committed(&server), "flights", Offset::Beginning, 1);
    assert_eq!(texts(&seen), ["after"]);
    let late = producer.commit_transaction(PATIENCE);
    let late = late.expect_err("the producer is fenced");
    assert_eq!(code(&late), RDKafkaErrorCode::Fenced, "{late}");
}

/// Copies from `flights` to `copies`, three records a transaction, and fails in every second one
/// before its end: no record is missing, none is doubled.
#[test]
fn read_process_write_loop_is_exactly_once() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    create_topic(&server, "copies", 1);
    let numbers: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    let values: Vec<&str> = numbers.iter().map(String::as_str).collect();
    send(&server, "flights", &values);
    let mut config = committed(&server);
    config
        .set("group.id", "copiers")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest");
    for attempt in 0..8 {
        // Every attempt is a new process that knows nothing of the one before.
        let reader: BaseConsumer = config.create().expect("a consumer");
        reader.subscribe(&["flights"]).expect("a subscription");
        let producer = transactional(&server, "copier");
        producer.begin_transaction().expect("begun");
        let records = poll(&reader, 3);
        for value in texts(&records) {
            put(&producer, "copies", &value);
        }
        let next = rdkafka::Message::offset(records.last().expect("three")) + 1;
        let mut offsets = TopicPartitionList::new();
        offsets
            .add_partition_offset("flights", 0, Offset::Offset(next))
            .expect("an offset");
        let member = reader.group_metadata().expect("a member of a group");
        producer
            .send_offsets_to_transaction(&offsets, &member, PATIENCE)
            .expect("offsets are part of the transaction");
        match attempt % 2 {
            0 => producer.abort_transaction(PATIENCE).expect("aborted"),
            _ => producer.commit_transaction(PATIENCE).expect("committed"),
        }
    }
    let seen = read_with(&committed(&server), "copies", Offset::Beginning, 12);
    assert_eq!(texts(&seen), numbers);
    let described = server.describe();
    let offset = described.groups.iter().find(|g| g.group == "copiers");
    assert_eq!(offset.expect("the group").committed[0].offset, 12);
}
