//! The inside of a cluster and of a log, as frames and as cards.

use headwater_streams::prelude::*;
use polars::prelude::*;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::topic_partition_list::Offset;

use crate::{assert_says, topic};

fn of(frame: &DataFrame, column: &str, value: &str) -> DataFrame {
    let rows = frame.clone().lazy().filter(col(column).eq(lit(value)));
    rows.collect().unwrap()
}

#[test]
fn partitions_tell_leader_and_offsets() {
    let seen = topic("inside-partitions", 2);
    seen.send("k", r#"{"n": 1}"#).unwrap();
    let inside = Cluster::embedded().unwrap().describe().unwrap();
    let rows = of(&inside.partitions().unwrap(), "topic", "inside-partitions");
    assert_eq!(rows.height(), 2);
    let ends: i64 = rows.column("end").unwrap().i64().unwrap().sum().unwrap();
    assert_eq!(ends, 1);
    let marks = rows.column("high_watermark").unwrap().i64().unwrap().sum();
    assert_eq!(marks, Some(1));
    let leaders = rows.column("leader").unwrap().i32().unwrap();
    assert_eq!(leaders.null_count(), 0);
    let replicas = of(&inside.replicas().unwrap(), "topic", "inside-partitions");
    assert_eq!(replicas.height(), 2);
    let topics = of(&inside.topics().unwrap(), "topic", "inside-partitions");
    let records = topics.column("records").unwrap().i64().unwrap();
    assert_eq!(records.get(0), Some(1));
}

#[test]
fn a_group_shows_its_members_its_offsets_and_its_lag() {
    let read = topic("inside-group", 1);
    for n in 0..5 {
        read.send("k", &format!(r#"{{"n": {n}}}"#)).unwrap();
    }
    let cluster = Cluster::embedded().unwrap();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("group.id", "inside-readers")
        .set("client.id", "reader-one")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    consumer.subscribe(&["inside-group"]).unwrap();
    while consumer
        .poll(std::time::Duration::from_millis(100))
        .is_none()
    {}
    let mut offsets = rdkafka::TopicPartitionList::new();
    offsets
        .add_partition_offset("inside-group", 0, Offset::Offset(2))
        .unwrap();
    consumer.commit(&offsets, CommitMode::Sync).unwrap();

    let inside = cluster.describe().unwrap();
    let members = of(&inside.members().unwrap(), "group", "inside-readers");
    assert_eq!(members.height(), 1);
    let client = members.column("client").unwrap().str().unwrap();
    assert_eq!(client.get(0), Some("reader-one"));
    let partition = members.column("partition").unwrap().i32().unwrap();
    assert_eq!(partition.get(0), Some(0));
    let committed = of(&inside.committed().unwrap(), "group", "inside-readers");
    let number = |column: &str| committed.column(column).unwrap().i64().unwrap().get(0);
    assert_eq!(number("committed"), Some(2));
    assert_eq!(number("end"), Some(5));
    assert_eq!(number("lag_records"), Some(3));
    let seconds = committed.column("lag_seconds").unwrap().f64().unwrap();
    assert!(seconds.get(0).unwrap() >= 0.0);
    let groups = of(&inside.groups().unwrap(), "group", "inside-readers");
    let state = groups.column("state").unwrap().str().unwrap();
    assert_eq!(state.get(0), Some("Stable"));
}

#[test]
fn a_log_shows_segments_batches_and_times() {
    let written = topic("inside-log", 1);
    written.send("k", r#"{"n": 1}"#).unwrap();
    written.send("k", r#"{"n": 2}"#).unwrap();
    let log = Cluster::embedded().unwrap().log("inside-log", 0).unwrap();
    let segments = log.segments().unwrap();
    assert_eq!(segments.height(), 1);
    let ends = segments.column("end_offset").unwrap().i64().unwrap();
    assert_eq!(ends.get(0), Some(2));
    let batches = log.batches().unwrap();
    let records = batches.column("records").unwrap().i32().unwrap();
    assert_eq!(records.sum(), Some(2));
    let times = batches.column("max_timestamp").unwrap();
    assert_eq!(
        times.dtype(),
        &DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC))
    );
    assert_eq!(times.null_count(), 0);
    assert_eq!(log.index().unwrap().height(), 0);
    assert!(
        log.to_string()
            .starts_with("inside-log partition 0 on node 1: ")
    );
}

#[test]
fn a_log_that_is_not_there_is_said() {
    let cluster = Cluster::embedded().unwrap();
    let error = cluster.log("inside-nowhere", 3).unwrap_err();
    assert_says(
        &error,
        &[
            "no log of inside-nowhere partition 3",
            "describe()?.partitions()?",
        ],
    );
}

#[test]
fn a_connected_cluster_tells_what_clients_may_know() {
    let seen = topic("inside-connected", 2);
    seen.send("k", r#"{"n": 1}"#).unwrap();
    let embedded = Cluster::embedded().unwrap();
    // The same broker under another address: to this handle it belongs to somebody else.
    let port = embedded.bootstrap().rsplit(':').next().unwrap();
    let connected = Cluster::connect(&format!("localhost:{port}")).unwrap();
    let inside = connected.describe().unwrap();
    let rows = of(&inside.partitions().unwrap(), "topic", "inside-connected");
    assert_eq!(rows.height(), 2);
    assert_eq!(inside.nodes().unwrap().height(), 1);
    assert_says(
        &inside.transactions().unwrap_err(),
        &["does not tell its transactions", "Cluster::embedded()?"],
    );
    assert_says(
        &connected.log("inside-connected", 0).unwrap_err(),
        &["only an embedded cluster shows the inside of its logs"],
    );
}

#[test]
fn a_topic_keeps_records_of_any_event_time() {
    topic("inside-kept", 1);
    let inside = Cluster::embedded().unwrap().describe().unwrap();
    let rows = of(&inside.topics().unwrap(), "topic", "inside-kept");
    let configs = rows.column("configs").unwrap().str().unwrap();
    assert_eq!(configs.get(0), Some("retention.ms=-1"));
}
