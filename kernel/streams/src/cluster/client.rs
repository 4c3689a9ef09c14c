//! How librdkafka is set up here: quiet, quick on one machine, and with bounded queues.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
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

/// A producer that counts what the broker did not take.
pub(crate) type Producer = ThreadedProducer<Deliveries>;

/// Counts deliveries; every clone counts into the same numbers.
#[derive(Clone, Default)]
pub(crate) struct Deliveries {
    pub delivered: Arc<AtomicU64>,
    pub failed: Arc<AtomicU64>,
    /// The first failure, in words. Locked for one assignment at a time.
    pub first: Arc<Mutex<Option<String>>>,
}

impl ClientContext for Deliveries {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}
    fn error(&self, _error: rdkafka::error::KafkaError, _reason: &str) {}
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        match result {
            Ok(_) => drop(self.delivered.fetch_add(1, Ordering::Relaxed)),
            Err((cause, _)) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                if let Ok(mut first) = self.first.lock() {
                    first.get_or_insert_with(|| cause.to_string());
                }
            }
        }
    }
}

fn base(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("client.id", "headwater")
        // A broker on this machine has one address family; trying the other costs a second.
        .set("broker.address.family", "v4")
        .set("socket.nagle.disable", "true")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.fast.interval.ms", "50")
        .set("topic.metadata.propagation.max.ms", "2000")
        .set("log.connection.close", "false")
        .set_log_level(RDKafkaLogLevel::Emerg);
    config
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
pub(crate) fn producer(bootstrap: &str) -> Result<Producer> {
    let mut config = base(bootstrap);
    config
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("message.timeout.ms", "30000")
        .set("queue.buffering.max.messages", "200000")
        .set("queue.buffering.max.kbytes", "65536");
    Ok(config.create_with_context(Deliveries::default())?)
}

/// Returns a client for topics and groups.
pub(crate) fn admin(bootstrap: &str) -> Result<AdminClient<DefaultClientContext>> {
    Ok(base(bootstrap).create()?)
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
