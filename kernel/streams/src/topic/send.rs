//! Writing to a topic.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use polars::prelude::{DataFrame, DataType};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use super::Topic;
use crate::cluster::client::{Deliveries, Producer};
use crate::format::RowWriter;
use crate::record::HEADER;
use crate::{Error, Result, interrupt};

/// Sends records to one topic and counts what the broker did with them.
pub(crate) struct Sender {
    producer: Arc<Producer>,
    deliveries: Arc<Deliveries>,
    /// A handle like any other: the embedded broker must not end under a running replay.
    topic: Topic,
}

impl Sender {
    /// Starts counting: what is said about deliveries is about the records of this sender.
    pub fn new(topic: &Topic) -> Result<Sender> {
        Ok(Sender::through(topic.cluster.clients.producer()?, topic))
    }

    /// Starts counting what goes through a producer of its own.
    pub fn through(producer: Arc<Producer>, topic: &Topic) -> Sender {
        Sender {
            producer,
            deliveries: Arc::default(),
            topic: topic.clone(),
        }
    }

    /// Hands one record to the client; waits where its queue is full.
    pub fn send(
        &self,
        key: Option<&[u8]>,
        payload: &[u8],
        schema: Option<&str>,
        time_ms: Option<i64>,
    ) -> Result<()> {
        let headers = schema.map(|schema| {
            OwnedHeaders::new_with_capacity(1).insert(Header {
                key: HEADER,
                value: Some(schema),
            })
        });
        self.hand(key, Some(payload), headers, time_ms)
    }

    /// Hands one record with headers to the client.
    pub fn send_with(
        &self,
        key: Option<&[u8]>,
        payload: &[u8],
        headers: OwnedHeaders,
        time_ms: Option<i64>,
    ) -> Result<()> {
        self.hand(key, Some(payload), Some(headers), time_ms)
    }

    /// Hands one record without a value to the client.
    pub fn send_tombstone(&self, key: &[u8]) -> Result<()> {
        self.hand(Some(key), None, None, None)
    }

    fn hand(
        &self,
        key: Option<&[u8]>,
        payload: Option<&[u8]>,
        headers: Option<OwnedHeaders>,
        time_ms: Option<i64>,
    ) -> Result<()> {
        loop {
            let mut record = BaseRecord::<[u8], [u8], _>::with_opaque_to(
                self.topic.name(),
                self.deliveries.clone(),
            );
            if let Some(payload) = payload {
                record = record.payload(payload);
            }
            if let Some(key) = key {
                record = record.key(key);
            }
            if let Some(headers) = &headers {
                record = record.headers(headers.clone());
            }
            if let Some(time) = time_ms {
                record = record.timestamp(time);
            }
            match self.producer.send(record) {
                Ok(()) => {
                    self.deliveries.sent.fetch_add(1, Ordering::SeqCst);
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    interrupt::check()?;
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err((cause, _)) => return Err(cause.into()),
            }
        }
    }

    /// Waits until the broker has answered about every record.
    ///
    /// # Errors
    /// When it refused some of them, or gave no answer within 30 seconds.
    pub fn flush(&self) -> Result<()> {
        self.settle()?;
        let deliveries = self.deliveries();
        match deliveries.failed.load(Ordering::Relaxed) {
            0 => Ok(()),
            failed => {
                let first = deliveries
                    .first
                    .lock()
                    .ok()
                    .and_then(|first| first.clone())
                    .unwrap_or_default();
                Err(Error::new(format!(
                    "the broker did not take {failed} records of topic `{}`",
                    self.topic.name()
                ))
                .have(format!(
                    "{} taken; the first refusal: {first}",
                    deliveries.delivered.load(Ordering::Relaxed)
                ))
                .hint("cluster.describe()? to see whether the topic is still there"))
            }
        }
    }

    /// Waits until nothing is under way any more, whatever came of it.
    pub fn settle(&self) -> Result<()> {
        let limit = Instant::now() + Duration::from_secs(35);
        while self.deliveries.under_way() > 0 {
            interrupt::check()?;
            if Instant::now() > limit {
                return Err(Error::timed_out(format!(
                    "the broker did not answer about records of topic `{}`",
                    self.topic.name()
                ))
                .have(format!(
                    "{} records under way after 35 s",
                    self.deliveries.under_way()
                ))
                .hint("cluster.describe()? to see whether it is still there"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Prepares a frame to be sent row by row.
    ///
    /// # Errors
    /// When the topic's format cannot hold it.
    pub fn writer(&self, frame: &DataFrame) -> Result<RowWriter> {
        RowWriter::new(&self.topic, frame)
    }

    /// Returns the counts of this sender.
    pub fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }
}

/// Sends all rows of a frame.
pub(crate) fn produce(topic: &Topic, frame: &DataFrame, key: Option<&str>) -> Result<()> {
    let keys = match key {
        Some(name) => Some(key_texts(frame, name)?),
        None => None,
    };
    let sender = Sender::new(topic)?;
    let writer = sender.writer(frame)?;
    let mut payload = Vec::new();
    for row in 0..frame.height() {
        payload.clear();
        writer.write(row, &mut payload)?;
        let key = keys.as_ref().and_then(|keys| keys.get(row));
        sender.send(key.map(str::as_bytes), &payload, writer.header(), None)?;
    }
    sender.flush()
}

/// Returns a column as the text of record keys.
pub(crate) fn key_texts(frame: &DataFrame, name: &str) -> Result<polars::prelude::StringChunked> {
    let column = frame
        .column(name)
        .map_err(|_| Error::unknown_column(name, "the frame", frame.schema()))?;
    Ok(column
        .as_materialized_series()
        .cast(&DataType::String)?
        .str()?
        .clone())
}
