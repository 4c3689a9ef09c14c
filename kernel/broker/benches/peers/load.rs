//! The client's side: the same for every broker, librdkafka with its default settings.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::Message;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, ThreadedProducer};

pub const BYTES: usize = 100;
const PATIENCE: Duration = Duration::from_secs(300);

fn config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

/// Sends numbered records to one partition and returns the seconds until all were acknowledged.
pub fn produce(bootstrap: &str, topic: &str, count: usize) -> f64 {
    let producer: BaseProducer = config(bootstrap).create().expect("a producer");
    let mut payload = [b'.'; BYTES];
    let started = Instant::now();
    for number in 0..count as u64 {
        payload[..8].copy_from_slice(&number.to_be_bytes());
        let mut record = BaseRecord::<(), [u8]>::to(topic)
            .partition(0)
            .payload(&payload);
        while let Err((error, back)) = producer.send(record) {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            assert_eq!(error, full);
            producer.poll(Duration::from_millis(10));
            record = back;
        }
        if number % 1000 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(PATIENCE).expect("all acknowledged");
    started.elapsed().as_secs_f64()
}

/// Reads them back and returns the seconds from joining the group to the last record.
///
/// # Panics
/// Where a record is missing or comes twice.
pub fn consume(bootstrap: &str, topic: &str, count: usize) -> f64 {
    let consumer: BaseConsumer = config(bootstrap)
        .set("group.id", topic)
        .set("auto.offset.reset", "earliest")
        // With its default the client pauses for a second whenever 100,000 records lie unread.
        .set("fetch.queue.backoff.ms", "1")
        .create()
        .expect("a consumer");
    consumer.subscribe(&[topic]).expect("a topic");
    let mut seen = vec![false; count];
    let mut left = count;
    let started = Instant::now();
    while left > 0 {
        assert!(started.elapsed() < PATIENCE, "{left} records never came");
        let Some(record) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let record = record.expect("a record");
        let payload = record.payload().expect("a payload");
        let number: [u8; 8] = payload[..8].try_into().expect("eight bytes");
        let number = u64::from_be_bytes(number) as usize;
        assert!(!seen[number], "record {number} came twice");
        seen[number] = true;
        left -= 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    let ends = consumer
        .fetch_watermarks(topic, 0, PATIENCE)
        .expect("offsets");
    assert_eq!(ends.1, count as i64, "records beyond those sent");
    seconds
}

/// Takes the time from `send` to acknowledgement of each record.
struct Stopwatch {
    started: Instant,
    /// Locked to push one number.
    took_ms: Mutex<Vec<f64>>,
}

impl ClientContext for Stopwatch {}

impl ProducerContext for Stopwatch {
    type DeliveryOpaque = Box<f64>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent_ms: Box<f64>) {
        assert!(result.is_ok(), "not delivered: {result:?}");
        let now_ms = self.started.elapsed().as_secs_f64() * 1e3;
        self.took_ms
            .lock()
            .expect("nothing panics in here")
            .push(now_ms - *sent_ms);
    }
}

/// Sends 1,000 records a second for five seconds, each at once, and returns the median and the
/// 99th percentile of the time until the broker acknowledged one, in milliseconds.
pub fn latency(bootstrap: &str, topic: &str) -> (f64, f64) {
    const COUNT: u32 = 5000;
    let context = Stopwatch {
        started: Instant::now(),
        took_ms: Mutex::default(),
    };
    let producer: ThreadedProducer<Stopwatch> = config(bootstrap)
        .set("linger.ms", "0")
        .set("acks", "all")
        .create_with_context(context)
        .expect("a producer");
    let started = producer.context().started;
    let payload = [b'.'; BYTES];
    let begin = Instant::now();
    for number in 0..COUNT {
        let due = begin + Duration::from_millis(1) * number;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let sent_ms = Box::new(started.elapsed().as_secs_f64() * 1e3);
        let record = BaseRecord::<(), [u8], _>::with_opaque_to(topic, sent_ms).payload(&payload);
        producer
            .send(record.partition(0))
            .map_err(|(error, _)| error)
            .expect("queued");
    }
    producer.flush(PATIENCE).expect("all acknowledged");
    let mut took_ms = producer
        .context()
        .took_ms
        .lock()
        .expect("nothing panics in there");
    // The first half second holds the connection's and the topic's beginning.
    took_ms.drain(..500);
    took_ms.sort_by(f64::total_cmp);
    let at = |share: f64| took_ms[(took_ms.len() as f64 * share) as usize];
    (at(0.5), at(0.99))
}
