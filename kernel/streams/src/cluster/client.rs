//! How librdkafka is set up here: quiet, quick on one machine, and with bounded queues.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{ProducerContext, ThreadedProducer};

use crate::Result;

/// How long one request to the broker may take before the call fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Keeps librdkafka's own log out of the notebook: what matters comes back as an error.
#[derive(Clone, Default)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}
    fn error(&self, _error: rdkafka::error::KafkaError, _reason: &str) {}
}

impl ConsumerContext for Quiet {}

/// A consumer without a callback type that a reader would have to name.
pub(crate) type Consumer = BaseConsumer<Quiet>;

/// A producer that tells each sender what became of its records.
pub(crate) type Producer = ThreadedProducer<Quiet>;

/// What became of the records of one sender.
#[derive(Default)]
pub(crate) struct Deliveries {
    pub sent: AtomicU64,
    pub delivered: AtomicU64,
    pub failed: AtomicU64,
    /// The first failure, in words. Locked for one assignment at a time.
    pub first: Mutex<Option<String>>,
}

impl Deliveries {
    /// Returns how many records the broker has not yet answered about.
    pub fn under_way(&self) -> u64 {
        let answered = self.delivered.load(Ordering::SeqCst) + self.failed.load(Ordering::SeqCst);
        self.sent.load(Ordering::SeqCst).saturating_sub(answered)
    }

    /// Returns the first failure, in words.
    pub fn first_failure(&self) -> Option<String> {
        self.first.lock().ok().and_then(|first| first.clone())
    }
}

impl ProducerContext for Quiet {
    type DeliveryOpaque = Arc<Deliveries>;

    fn delivery(&self, result: &DeliveryResult<'_>, deliveries: Arc<Deliveries>) {
        match result {
            Ok(_) => {
                deliveries.delivered.fetch_add(1, Ordering::SeqCst);
            }
            Err((cause, _)) => {
                if let Ok(mut first) = deliveries.first.lock() {
                    first.get_or_insert_with(|| cause.to_string());
                }
                deliveries.failed.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

/// The clients of one cluster. Making one takes milliseconds, but ending one takes librdkafka a
/// tenth of a second, and a new producer waits half a second for its id: so they are kept.
pub(crate) struct Clients {
    bootstrap: String,
    /// Consumers that nobody uses just now. Locked to take or give back one.
    idle: Mutex<Vec<Consumer>>,
    /// Locked to clone it.
    producer: Mutex<Option<Arc<Producer>>>,
    admin: OnceLock<AdminClient<DefaultClientContext>>,
}

/// A consumer on loan: it goes back when this drops.
pub(crate) struct Loan {
    consumer: Option<Consumer>,
    clients: Arc<Clients>,
}

impl Clients {
    pub fn new(bootstrap: &str) -> Clients {
        Clients {
            bootstrap: bootstrap.to_owned(),
            idle: Mutex::default(),
            producer: Mutex::default(),
            admin: OnceLock::new(),
        }
    }

    /// Returns a consumer that reads nothing yet.
    pub fn consumer(self: &Arc<Clients>) -> Result<Loan> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .pop();
        let consumer = match idle {
            Some(consumer) => consumer,
            None => consumer(&self.bootstrap, None)?,
        };
        Ok(Loan {
            consumer: Some(consumer),
            clients: self.clone(),
        })
    }

    /// Returns the one producer of this process.
    pub fn producer(&self) -> Result<Arc<Producer>> {
        let mut kept = self
            .producer
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(producer) = &*kept {
            return Ok(producer.clone());
        }
        let producer = Arc::new(producer(&self.bootstrap)?);
        *kept = Some(producer.clone());
        Ok(producer)
    }

    /// Lets go of the producer: a broker that was emptied no longer knows its id.
    pub fn forget_producer(&self) {
        *self
            .producer
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
    }

    /// Returns the client for topics.
    pub fn admin(&self) -> Result<&AdminClient<DefaultClientContext>> {
        if let Some(admin) = self.admin.get() {
            return Ok(admin);
        }
        let admin = admin(&self.bootstrap)?;
        Ok(self.admin.get_or_init(|| admin))
    }
}

impl std::ops::Deref for Loan {
    type Target = Consumer;

    fn deref(&self) -> &Consumer {
        self.consumer.as_ref().expect("it is there until the drop")
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let Some(consumer) = self.consumer.take() else {
            return;
        };
        if consumer.unassign().is_ok() {
            self.clients
                .idle
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .push(consumer);
        }
    }
}

fn base(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("client.id", "headwater")
        .set("broker.address.family", address_family(bootstrap))
        .set("socket.nagle.disable", "true")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.fast.interval.ms", "50")
        .set("topic.metadata.propagation.max.ms", "2000")
        .set("log.connection.close", "false")
        .set_log_level(RDKafkaLogLevel::Emerg);
    config
}

/// Returns the family of addresses to look for.
///
/// A name such as `localhost` may stand for two families, and trying the wrong one costs a second.
/// An address stands for one; and asked for IPv4 alone, the resolver refuses even an address as
/// long as no network but the loopback is up (`AI_ADDRCONFIG`).
fn address_family(bootstrap: &str) -> &'static str {
    let host = bootstrap
        .split(',')
        .next()
        .and_then(|first| first.rsplit_once(':'))
        .map_or(bootstrap, |(host, _)| host);
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        "any"
    } else {
        "v4"
    }
}

/// Returns a consumer that commits nothing by itself.
pub(crate) fn consumer(bootstrap: &str, group: Option<&str>) -> Result<Consumer> {
    let mut config = base(bootstrap);
    config
        // librdkafka wants a name even where no group is joined.
        .set("group.id", group.unwrap_or("headwater-reader"))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "20")
        .set("fetch.error.backoff.ms", "20")
        .set("fetch.queue.backoff.ms", "5")
        .set("queued.max.messages.kbytes", "16384");
    Ok(config.create_with_context(Quiet)?)
}

/// Returns a producer that keeps order and doubles nothing, with at most 64 MB waiting.
fn producer(bootstrap: &str) -> Result<Producer> {
    let mut config = base(bootstrap);
    config
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("message.timeout.ms", "30000")
        .set("queue.buffering.max.messages", "200000")
        .set("queue.buffering.max.kbytes", "65536");
    Ok(config.create_with_context(Quiet)?)
}

/// Returns a producer of transactions: what it sends between begin and commit is there as a whole
/// or not at all, and a later one of the same name shuts it out.
pub(crate) fn transactional(bootstrap: &str, name: &str) -> Result<Producer> {
    let mut config = base(bootstrap);
    config
        .set("transactional.id", name)
        .set("transaction.timeout.ms", "60000")
        .set("linger.ms", "5")
        .set("message.timeout.ms", "30000")
        .set("queue.buffering.max.messages", "200000")
        .set("queue.buffering.max.kbytes", "65536");
    Ok(config.create_with_context(Quiet)?)
}

fn admin(bootstrap: &str) -> Result<AdminClient<DefaultClientContext>> {
    Ok(base(bootstrap).create()?)
}

/// Returns the first offset of a partition and the one after its last record.
///
/// A consumer that reads nothing keeps the leader that it heard of first, and asks it for ever
/// once it is gone: so the first failure makes it hear of the leaders again.
pub(crate) fn watermarks(
    consumer: &Consumer,
    topic: &str,
    partition: i32,
) -> KafkaResult<(i64, i64)> {
    let quick = Duration::from_secs(1);
    consumer
        .fetch_watermarks(topic, partition, quick)
        .or_else(|_| {
            consumer.fetch_metadata(Some(topic), PATIENCE)?;
            consumer.fetch_watermarks(topic, partition, PATIENCE)
        })
}

/// Runs one admin request to its end on this thread.
pub(crate) fn wait<T>(request: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("a runtime without threads needs no resources")
        .block_on(request)
}

#[cfg(test)]
mod tests {
    use super::address_family;

    #[test]
    fn address_is_taken_as_it_is_and_a_name_is_looked_up_once() {
        assert_eq!(address_family("127.0.0.1:9092"), "any");
        assert_eq!(address_family("127.0.0.1:9092,localhost:9093"), "any");
        assert_eq!(address_family("localhost:9092"), "v4");
    }
}
