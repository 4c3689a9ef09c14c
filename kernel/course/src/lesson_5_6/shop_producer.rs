//! A producer that sends one record at a time and knows what the broker said to it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use headwater_streams::{Cluster, Error, Result, interrupt};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use crate::client;

/// How long the broker may take to confirm an event.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keeps what the broker said to the newest record. Locked to write it or to take it.
#[derive(Default)]
struct Said(Mutex<Option<std::result::Result<(), String>>>);

impl ClientContext for Said {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}
    fn error(&self, _error: KafkaError, _reason: &str) {}
}

impl ProducerContext for Said {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let said = match result {
            Ok(_) => Ok(()),
            Err((cause, _)) => Err(cause.to_string()),
        };
        if let Ok(mut newest) = self.0.lock() {
            *newest = Some(said);
        }
    }
}

/// The producer of one shop.
pub(super) struct ShopProducer(BaseProducer<Said>);

impl ShopProducer {
    /// Opens a producer that does not wait for company of its records.
    pub fn open(cluster: &Cluster) -> Result<ShopProducer> {
        let mut config = client::settings(cluster, "headwater-shop");
        config.set("linger.ms", "0");
        Ok(ShopProducer(config.create_with_context(Said::default())?))
    }

    /// Sends a record and waits until the broker has it.
    ///
    /// # Errors
    /// When the broker does not take it, or says nothing in time.
    pub fn send(&self, topic: &str, key: &str, value: &str) -> Result<()> {
        let record = BaseRecord::to(topic).key(key).payload(value);
        self.0.send(record).map_err(|(cause, _)| cause)?;
        let limit = Instant::now() + PATIENCE;
        let mut said = None;
        // `poll` and `flush` of this client return at the end of their time, not at the answer.
        while said.is_none() && Instant::now() < limit {
            interrupt::check()?;
            self.0.poll(Duration::from_millis(1));
            said = self.take();
        }
        let why = match said {
            Some(Ok(())) => return Ok(()),
            Some(Err(why)) => why,
            None => "no answer".to_owned(),
        };
        Err(Error::new(format!("topic `{topic}` did not take an event"))
            .have(why)
            .hint("cluster.describe()? to see whether the broker is still there"))
    }

    fn take(&self) -> Option<std::result::Result<(), String>> {
        self.0.context().0.lock().ok()?.take()
    }
}
