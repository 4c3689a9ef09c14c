//! An open producer, and the delivery reports that come back to it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headwater_streams::{Error, Result, interrupt};
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

/// What the broker said about one record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    pub number: usize,
    pub key: Option<String>,
    /// Partition and offset, or why it was not taken.
    pub place: std::result::Result<(i32, i64), String>,
    pub latency: Duration,
}

/// What the client carries along with a record.
pub(super) struct Note {
    number: usize,
    sent: Instant,
}

/// Reports as they come in; locked to add one or to copy all.
type Shared = Arc<Mutex<Vec<Report>>>;

/// Where the client's thread leaves the reports.
pub(super) struct Notes(Shared);

impl ClientContext for Notes {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}
    fn error(&self, _error: KafkaError, _reason: &str) {}
}

impl ProducerContext for Notes {
    type DeliveryOpaque = Box<Note>;

    fn delivery(&self, result: &DeliveryResult<'_>, note: Box<Note>) {
        let (place, message) = match result {
            Ok(message) => (Ok((message.partition(), message.offset())), message),
            Err((cause, message)) => (Err(reason(cause)), message),
        };
        let key = message
            .key()
            .map(|key| String::from_utf8_lossy(key).into_owned());
        let report = Report {
            number: note.number,
            key,
            place,
            latency: note.sent.elapsed(),
        };
        if let Ok(mut reports) = self.0.lock() {
            reports.push(report);
        }
    }
}

/// Names the error as Kafka does.
fn reason(cause: &KafkaError) -> String {
    match cause.rdkafka_error_code() {
        Some(RDKafkaErrorCode::NotEnoughReplicas) => "NOT_ENOUGH_REPLICAS".into(),
        Some(RDKafkaErrorCode::NotEnoughReplicasAfterAppend) => {
            "NOT_ENOUGH_REPLICAS_AFTER_APPEND".into()
        }
        Some(RDKafkaErrorCode::MessageTimedOut) => "no answer within delivery.timeout.ms".into(),
        Some(code) => code.to_string(),
        None => cause.to_string(),
    }
}

/// An open producer.
pub(super) struct Client {
    producer: ThreadedProducer<Notes>,
    /// How many records were handed over. Locked to count one.
    sent: Mutex<usize>,
    shared: Shared,
}

impl Client {
    /// Opens a producer with these settings.
    pub fn open(config: &ClientConfig) -> KafkaResult<Client> {
        let shared = Shared::default();
        Ok(Client {
            producer: config.create_with_context(Notes(shared.clone()))?,
            sent: Mutex::new(0),
            shared,
        })
    }

    /// Hands over one record; waits where the client's queue is full, which is its back-pressure.
    pub fn send(
        &self,
        topic: &str,
        key: Option<&str>,
        value: &[u8],
        time_ms: Option<i64>,
    ) -> Result<()> {
        let mut sent = self
            .sent
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let begun = Instant::now();
        loop {
            let note = Box::new(Note {
                number: *sent,
                sent: begun,
            });
            let mut record = BaseRecord::<str, [u8], _>::with_opaque_to(topic, note).payload(value);
            record.key = key;
            record.timestamp = time_ms;
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    wait(Duration::from_millis(1))?;
                }
                Err((cause, _)) => return Err(cause.into()),
            }
        }
        *sent += 1;
        Ok(())
    }

    /// Waits until there is a report for every record.
    pub fn settle(&self, limit: Duration) -> Result<()> {
        let sent = *self
            .sent
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let limit = Instant::now() + limit;
        while self.count() < sent && Instant::now() < limit {
            interrupt::check()?;
            // Returns as soon as the queue is empty; an error only says that it is not yet.
            let _ = self.producer.flush(Duration::from_millis(50));
        }
        if self.count() < sent {
            return Err(Error::new("the broker gave no report in time")
                .have(format!("{} of {sent} reports", self.count()))
                .hint("cluster.describe()? to see whether it is still there"));
        }
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.shared.lock().map_or(0, |reports| reports.len())
    }

    /// Returns the reports so far, in the order of sending.
    pub fn reports(&self) -> Vec<Report> {
        let mut reports = self
            .shared
            .lock()
            .map_or_else(|_| vec![], |reports| reports.clone());
        reports.sort_by_key(|report| report.number);
        reports
    }
}

/// Waits for so long, or until the person interrupts.
pub(super) fn wait(span: Duration) -> Result<()> {
    let end = Instant::now() + span;
    loop {
        interrupt::check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(20)));
    }
}
