use std::net::TcpListener;

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, topic};

#[test]
fn opening_a_topic_twice_gives_the_same_topic() {
    let first = topic("twice", 2);
    first.send("k", r#"{"n": 1}"#).unwrap();
    let second = topic("twice", 2);
    assert_eq!(second.records().unwrap(), 1);
}

#[test]
fn another_partition_count_is_refused_with_both_numbers() {
    let cluster = Cluster::embedded().unwrap();
    cluster.topic("counted", partitions(3)).unwrap();
    let error = cluster.topic("counted", partitions(4)).unwrap_err();
    assert_says(
        &error,
        &[
            "another number of partitions",
            "have: 3 partitions, asked for 4",
            "try:  partitions(3)",
        ],
    );
}

#[test]
fn topics_lists_name_partitions_and_records() {
    let listed = topic("listed", 3);
    listed.send("k", "{}").unwrap();
    let topics = Cluster::embedded().unwrap().topics().unwrap();
    let row = topics
        .lazy()
        .filter(col("topic").eq(lit("listed")))
        .collect()
        .unwrap();
    assert_eq!(
        row.column("partitions").unwrap().i64().unwrap().get(0),
        Some(3)
    );
    assert_eq!(
        row.column("records").unwrap().i64().unwrap().get(0),
        Some(1)
    );
}

#[test]
fn nobody_at_the_address_is_said_within_seconds() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let error = Cluster::connect(&address).unwrap_err();
    assert!(error.is_unreachable());
    assert_says(
        &error,
        &[
            "no broker answers at",
            "have: nothing listens at",
            "try:  start it or check host and port",
        ],
    );
}

#[test]
fn a_listener_that_does_not_speak_kafka_is_said() {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Cluster::connect(&deaf.local_addr().unwrap().to_string()).unwrap_err();
    assert_says(&error, &["no broker answers", "does not speak Kafka"]);
}

#[test]
fn an_address_without_a_port_is_refused_at_once() {
    let error = Cluster::connect("localhost").unwrap_err();
    assert_says(
        &error,
        &[
            "`localhost` is not the address of a broker",
            "localhost:9092",
        ],
    );
}

#[test]
fn a_connected_cluster_is_not_ours_to_empty() {
    let embedded = Cluster::embedded().unwrap();
    // Another name for the same broker: handles are shared by address.
    let address = embedded.bootstrap().replace("127.0.0.1", "localhost");
    let connected = Cluster::connect(&address).unwrap();
    assert_says(
        &connected.reset().unwrap_err(),
        &["only an embedded cluster can be emptied", "topic.clear()?"],
    );
    drop(embedded);
}

#[test]
fn lag_counts_the_records_behind_the_commit() {
    use rdkafka::config::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
    use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

    let topic = topic("lagging", 1);
    let frame = df!("n" => (0..10).collect::<Vec<i64>>()).unwrap();
    topic.produce(&frame).unwrap();
    let cluster = Cluster::embedded().unwrap();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("group.id", "readers")
        .create()
        .unwrap();
    let mut commit = TopicPartitionList::new();
    commit
        .add_partition_offset("lagging", 0, Offset::Offset(4))
        .unwrap();
    consumer.commit(&commit, CommitMode::Sync).unwrap();
    let lag = cluster.lag("readers").unwrap();
    assert_eq!(
        lag.column("lag_records").unwrap().i64().unwrap().get(0),
        Some(6)
    );
    assert_eq!(cluster.lag("strangers").unwrap().height(), 0);
}
