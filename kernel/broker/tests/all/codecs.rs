//! Records come back as they were sent, whatever the codec.

use rdkafka::Message;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use rdkafka::topic_partition_list::Offset;

use crate::clients::{
    client, create_topic, create_topic_with, flush, producer, read, start_broker, texts,
};

fn round_trip(codec: &str) {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let mut config = client(&server);
    config.set("compression.type", codec).set("linger.ms", "50");
    let producer = producer(&config);
    let sent: Vec<String> = (0..1000)
        .map(|n| format!("{n:06}{}", "abc".repeat(30)))
        .collect();
    for value in &sent {
        let record = BaseRecord::<(), str>::to("flights")
            .partition(0)
            .payload(value);
        producer.send(record).expect("room in the queue");
    }
    flush(&producer);
    let records = read(&server, "flights", Offset::Beginning, 1000);
    assert_eq!(texts(&records), sent);
    let offsets: Vec<i64> = records.iter().map(Message::offset).collect();
    assert_eq!(offsets, (0..1000).collect::<Vec<i64>>());
    // Compressed batches stay as they came: the broker opens none of them.
    let bytes = server.describe().bytes_held;
    let plain = sent.iter().map(String::len).sum::<usize>() as u64;
    assert_eq!(
        bytes < plain,
        codec != "none",
        "{bytes} bytes held of {plain}"
    );
}

#[test]
fn uncompressed_records_come_back() {
    round_trip("none");
}

#[test]
fn gzip_records_come_back() {
    round_trip("gzip");
}

#[test]
fn snappy_records_come_back() {
    round_trip("snappy");
}

#[test]
fn lz4_records_come_back() {
    round_trip("lz4");
}

#[test]
fn key_headers_and_timestamp_come_back() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let producer = producer(&client(&server));
    let headers = OwnedHeaders::new()
        .insert(Header {
            key: "source",
            value: Some("bts"),
        })
        .insert(Header::<&str> {
            key: "empty",
            value: None,
        });
    let record = BaseRecord::to("flights")
        .key("JFK")
        .payload("delayed")
        .timestamp(1_600_000_000_123)
        .headers(headers);
    producer.send(record).expect("room in the queue");
    let tombstone = BaseRecord::<str, str>::to("flights").key("LGA");
    producer.send(tombstone).expect("room in the queue");
    flush(&producer);
    let records = read(&server, "flights", Offset::Beginning, 2);
    assert_eq!(records[0].key(), Some(b"JFK".as_slice()));
    assert_eq!(records[0].timestamp().to_millis(), Some(1_600_000_000_123));
    let headers = records[0].headers().expect("headers");
    assert_eq!(headers.get(0).value, Some(b"bts".as_slice()));
    assert_eq!(headers.get(1).value, None);
    assert_eq!(
        (records[1].key(), records[1].payload()),
        (Some(b"LGA".as_slice()), None)
    );
}

#[test]
fn append_time_replaces_the_clients_timestamp() {
    let server = start_broker();
    create_topic_with(
        &server,
        "flights",
        1,
        &[("message.timestamp.type", "LogAppendTime")],
    );
    let producer = producer(&client(&server));
    let record = BaseRecord::<(), str>::to("flights")
        .payload("a")
        .timestamp(1000);
    producer.send(record).expect("room in the queue");
    flush(&producer);
    let records = read(&server, "flights", Offset::Beginning, 1);
    match records[0].timestamp() {
        rdkafka::Timestamp::LogAppendTime(at) => assert!(at > 1_600_000_000_000, "{at}"),
        other => panic!("expected an append time, got {other:?}"),
    }
}

#[test]
fn every_acks_setting_stores_the_record() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    for acks in ["0", "1", "all"] {
        let mut config = client(&server);
        config.set("acks", acks);
        let producer = producer(&config);
        let record = BaseRecord::<(), str>::to("flights").payload(acks);
        producer.send(record).expect("room in the queue");
        flush(&producer);
        // Without acknowledgement "delivered" means sent: reading waits until it is there.
        read(&server, "flights", Offset::Beginning, 1);
    }
    let mut values = texts(&read(&server, "flights", Offset::Beginning, 3));
    values.sort();
    assert_eq!(values, vec!["0", "1", "all"]);
}
