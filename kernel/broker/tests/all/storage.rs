//! A server with a data directory, as its clients see it.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use headwater_broker::storage::DiskRef;
use headwater_broker::{Flush, Server, ServerConfig};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::clients::{client, create_topic, producer, wait};
use crate::on_disk::{FailingDisk, PATIENCE};

fn start(dir: &Path, flush: Flush, disk: DiskRef) -> Server {
    let config = ServerConfig {
        data_dir: Some(dir.to_owned()),
        flush,
        disk,
        ..ServerConfig::default()
    };
    Server::start(config).expect("a server with a data directory")
}

fn plain(dir: &Path) -> Server {
    start(dir, Flush::Batch, DiskRef::default())
}

/// Produces and returns how many of the records failed.
fn produce(config: &ClientConfig, values: &[&str]) -> usize {
    let producer = producer(config);
    for value in values {
        let record = BaseRecord::<(), str>::to("flights").payload(value);
        producer
            .send(record)
            .map_err(|(error, _)| error)
            .expect("room in the queue");
    }
    producer.flush(PATIENCE).expect("an answer for all");
    let failures = producer
        .context()
        .failures
        .lock()
        .expect("no test panics here");
    failures.len()
}

fn consume(server: &Server, group: &str, count: usize) -> Vec<String> {
    let mut config = client(server);
    config
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    consumer.subscribe(&["flights"]).expect("a topic");
    let started = Instant::now();
    let mut values = Vec::new();
    while values.len() < count {
        assert!(started.elapsed() < PATIENCE, "{values:?}");
        if let Some(record) = consumer.poll(Duration::from_millis(50)) {
            let record = record.expect("a record");
            let payload = record.payload().unwrap_or_default();
            values.push(String::from_utf8_lossy(payload).into_owned());
        }
    }
    consumer
        .commit_consumer_state(CommitMode::Sync)
        .expect("committed");
    values
}

#[test]
fn records_and_committed_offsets_are_there_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = plain(dir.path());
    create_topic(&server, "flights", 1);
    assert_eq!(produce(&client(&server), &["a", "b"]), 0);
    assert_eq!(consume(&server, "readers", 2), ["a", "b"]);
    server.close().expect("a clean end");

    let server = plain(dir.path());
    let storage = server.describe().storage.expect("a data directory");
    assert!(storage.recovery.clean);
    assert_eq!(storage.recovery.truncated_bytes, 0);
    assert_eq!((storage.flush.as_str(), storage.failure), ("batch", None));
    assert_eq!(produce(&client(&server), &["c"]), 0);
    assert_eq!(consume(&server, "readers", 1), ["c"]);
    assert_eq!(consume(&server, "others", 3), ["a", "b", "c"]);
}

#[test]
fn cluster_keeps_its_id() {
    let dir = tempfile::tempdir().expect("a directory");
    let id = |server: &Server| {
        let consumer: BaseConsumer = client(server).create().expect("a consumer");
        consumer.client().fetch_cluster_id(PATIENCE).expect("an id")
    };
    let server = plain(dir.path());
    let first = id(&server);
    server.close().expect("a clean end");
    assert_eq!(id(&plain(dir.path())), first);
}

#[test]
fn second_server_on_a_directory_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let _first = plain(dir.path());
    let config = ServerConfig {
        data_dir: Some(dir.path().to_owned()),
        ..ServerConfig::default()
    };
    let error = Server::start(config)
        .err()
        .expect("the directory is in use");
    assert!(error.to_string().contains("in use"), "{error}");
}

#[test]
fn full_disk_refuses_writes_and_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().expect("a directory");
    let (failing, disk) = FailingDisk::new();
    let server = start(dir.path(), Flush::None, disk);
    create_topic(&server, "flights", 1);
    assert_eq!(produce(&client(&server), &["a", "b"]), 0);

    failing.fill_up_after(100);
    let mut config = client(&server);
    config.set("message.timeout.ms", "3000");
    let big = "x".repeat(1000);
    assert_eq!(produce(&config, &[&big]), 1);
    let description = server.describe();
    let failure = description.storage.expect("a data directory").failure;
    let failure = failure.expect("the storage failed");
    assert!(failure.contains("no storage space"), "{failure}");
    assert!(failure.contains("flights-0"), "{failure}");
    let results = wait(crate::clients::admin(&server).create_topics(
        [&rdkafka::admin::NewTopic::new(
            "more",
            1,
            rdkafka::admin::TopicReplication::Fixed(1),
        )],
        &rdkafka::admin::AdminOptions::new(),
    ));
    let refused = results
        .expect("an answer")
        .remove(0)
        .expect_err("nothing can be stored");
    assert_eq!(refused.1, RDKafkaErrorCode::KafkaStorageError);
    assert!(server.close().is_err(), "the end is not a clean one");

    let server = plain(dir.path());
    let storage = server.describe().storage.expect("a data directory");
    assert!(!storage.recovery.clean);
    assert!(
        storage.recovery.truncated_bytes > 0,
        "half of a batch was written"
    );
    assert_eq!(produce(&client(&server), &["c"]), 0);
    assert_eq!(consume(&server, "readers", 3), ["a", "b", "c"]);
}

#[test]
fn failed_sync_acknowledges_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (failing, disk) = FailingDisk::new();
    let server = start(dir.path(), Flush::Batch, disk);
    create_topic(&server, "flights", 1);
    failing.sync_fails.store(true, Ordering::SeqCst);
    let mut config = client(&server);
    config.set("message.timeout.ms", "3000");
    assert_eq!(produce(&config, &["a"]), 1);
    let failure = server
        .describe()
        .storage
        .and_then(|storage| storage.failure);
    assert!(failure.is_some_and(|why| why.contains("the disk gave up")));
}

#[test]
fn batch_policy_syncs_before_each_acknowledgement() {
    let dir = tempfile::tempdir().expect("a directory");
    let (counting, disk) = FailingDisk::new();
    let server = start(dir.path(), Flush::Batch, disk);
    create_topic(&server, "flights", 1);
    for _ in 0..3 {
        let before = counting.syncs.load(Ordering::SeqCst);
        assert_eq!(produce(&client(&server), &["a"]), 0);
        assert!(counting.syncs.load(Ordering::SeqCst) > before);
    }
}

#[test]
fn interval_policy_syncs_after_the_interval() {
    let dir = tempfile::tempdir().expect("a directory");
    let (counting, disk) = FailingDisk::new();
    let hour = Flush::Interval(Duration::from_secs(3600));
    let server = start(dir.path(), hour, disk.clone());
    create_topic(&server, "flights", 1);
    let before = counting.syncs.load(Ordering::SeqCst);
    assert_eq!(produce(&client(&server), &["a"]), 0);
    assert_eq!(
        counting.syncs.load(Ordering::SeqCst),
        before,
        "acknowledged before the sync"
    );
    server.close().expect("a clean end");

    let server = start(dir.path(), Flush::Interval(Duration::from_millis(5)), disk);
    let before = counting.syncs.load(Ordering::SeqCst);
    assert_eq!(produce(&client(&server), &["b"]), 0);
    let started = Instant::now();
    while counting.syncs.load(Ordering::SeqCst) == before {
        assert!(started.elapsed() < PATIENCE, "no sync came");
        std::thread::yield_now();
    }
}

#[test]
fn closed_segments_are_read_from_their_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = plain(dir.path());
    crate::clients::create_topic_with(&server, "flights", 1, &[("segment.bytes", "5000")]);
    let value = "x".repeat(1000);
    for _ in 0..20 {
        assert_eq!(produce(&client(&server), &[&value]), 0);
    }
    assert!(server.describe().topics[0].partitions[0].segments >= 4);
    assert_eq!(consume(&server, "readers", 20).len(), 20);
}

#[test]
fn offset_set_by_hand_is_there_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = plain(dir.path());
    create_topic(&server, "flights", 1);
    produce(&client(&server), &["a", "b", "c"]);
    let mut config = client(&server);
    config.set("group.id", "by-hand");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut offsets = TopicPartitionList::new();
    offsets
        .add_partition_offset("flights", 0, Offset::Offset(1))
        .expect("an offset");
    consumer
        .commit(&offsets, CommitMode::Sync)
        .expect("committed");
    drop(consumer);
    server.close().expect("a clean end");

    let server = plain(dir.path());
    let groups = server.describe().groups;
    assert_eq!(groups[0].committed[0].offset, 1);
    assert_eq!(groups[0].committed[0].lag_records, 2);
}
