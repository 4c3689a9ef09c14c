//! Set-up for tests through real clients: a server, and rdkafka pointed at it.

use std::time::{Duration, Instant};

use headwater_broker::{Server, ServerConfig};
use rdkafka::Message;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::OwnedMessage;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// Nothing takes this long; a test that waits for it fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn start_broker() -> Server {
    start_broker_with(|_| {})
}

pub fn start_broker_with(change: impl FnOnce(&mut ServerConfig)) -> Server {
    let mut config = ServerConfig::default();
    change(&mut config);
    Server::start(config).expect("a free port of 127.0.0.1")
}

pub fn client(server: &Server) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", server.bootstrap());
    config
}

pub fn admin(server: &Server) -> AdminClient<DefaultClientContext> {
    client(server).create().expect("an admin client")
}

/// Runs one admin call to its end.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

pub fn create_topic(server: &Server, name: &str, partitions: i32) {
    create_topic_with(server, name, partitions, &[]);
}

pub fn create_topic_with(server: &Server, name: &str, partitions: i32, configs: &[(&str, &str)]) {
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    for (key, value) in configs {
        topic = topic.set(key, value);
    }
    let results = wait(admin(server).create_topics([&topic], &AdminOptions::new()));
    let results = results.expect("an answer to CreateTopics");
    assert_eq!(results, vec![Ok(name.to_owned())]);
}

/// Keeps what became of each record.
#[derive(Default)]
pub struct Deliveries {
    pub failures: std::sync::Mutex<Vec<rdkafka::error::KafkaError>>,
}

impl rdkafka::ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let mut failures = self.failures.lock().expect("no test panics here");
            failures.push(error.clone());
        }
    }
}

pub fn producer(config: &ClientConfig) -> ThreadedProducer<Deliveries> {
    config
        .create_with_context(Deliveries::default())
        .expect("a producer")
}

/// Sends values to partition 0 and waits until all are acknowledged.
pub fn send(server: &Server, topic: &str, values: &[&str]) {
    let producer = producer(&client(server));
    for value in values {
        let record = BaseRecord::<(), str>::to(topic).partition(0).payload(value);
        producer.send(record).expect("room in the queue");
    }
    flush(&producer);
}

/// Waits until everything is delivered, and fails on what was not.
pub fn flush(producer: &ThreadedProducer<Deliveries>) {
    producer.flush(PATIENCE).expect("all delivered in time");
    let failures = producer
        .context()
        .failures
        .lock()
        .expect("no test panics here");
    assert_eq!(*failures, vec![]);
}

/// Returns the first `count` records of partition 0 from `offset` on.
pub fn read(server: &Server, topic: &str, offset: Offset, count: usize) -> Vec<OwnedMessage> {
    read_with(&client(server), topic, offset, count)
}

pub fn read_with(
    config: &ClientConfig,
    topic: &str,
    offset: Offset,
    count: usize,
) -> Vec<OwnedMessage> {
    let mut config = config.clone();
    config
        .set("group.id", "reader")
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    partitions
        .add_partition_offset(topic, 0, offset)
        .expect("an offset");
    consumer.assign(&partitions).expect("a partition");
    poll(&consumer, count)
}

/// Polls until `count` records have come.
pub fn poll(consumer: &BaseConsumer, count: usize) -> Vec<OwnedMessage> {
    let mut records = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while records.len() < count {
        assert!(
            Instant::now() < deadline,
            "{} of {count} records",
            records.len()
        );
        if let Some(record) = consumer.poll(Duration::from_millis(100)) {
            records.push(record.expect("a record").detach());
        }
    }
    records
}

pub fn texts(records: &[OwnedMessage]) -> Vec<String> {
    let text = |record: &OwnedMessage| {
        String::from_utf8_lossy(record.payload().unwrap_or_default()).into_owned()
    };
    records.iter().map(text).collect()
}

/// Calls `done` until it returns something.
pub fn eventually<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
