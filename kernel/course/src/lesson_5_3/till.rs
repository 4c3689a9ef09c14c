//! Demo D5: producers with one transactional id, and what readers of both isolation levels see.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_streams::{Cluster, Error, Result, Topic, interrupt};
use polars::prelude::{DataFrame, df};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client;

/// How long one call may wait for the broker.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client that says nothing on its own: its calls return what is wrong.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}
    fn error(&self, _error: KafkaError, _reason: &str) {}
}

impl ConsumerContext for Quiet {}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    fn delivery(&self, _result: &DeliveryResult<'_>, (): ()) {}
}

/// A till: a process that writes its sales in transactions (librdkafka's), under a name of its own,
/// the transactional id.
#[derive(Clone)]
pub struct Till {
    producer: Arc<ThreadedProducer<Quiet>>,
}

impl Till {
    /// Starts the process: the broker ends what an earlier one with this id left open, and fences it.
    ///
    /// # Errors
    /// When the broker does not answer.
    ///
    /// # Example
    /// ```
    /// use headwater_course::lesson_5_3::{Till, both_readers};
    /// use headwater_streams::prelude::*;
    ///
    /// let cluster = Cluster::embedded()?;
    /// let sales = cluster.topic("doc-sales", partitions(1))?;
    /// let till = Till::start(&cluster, "till-1")?;
    /// till.begin()?;
    /// till.sell(&sales, "tea")?;
    /// till.commit()?;
    /// assert_eq!(both_readers(&cluster, &sales)?.height(), 2); // the sale, and a marker
    /// # Ok::<(), headwater_streams::Error>(())
    /// ```
    pub fn start(cluster: &Cluster, transactional_id: &str) -> Result<Till> {
        let mut config = client::settings(cluster, "headwater-till");
        config
            .set("transactional.id", transactional_id)
            .set("linger.ms", "0");
        let producer: ThreadedProducer<Quiet> = config.create_with_context(Quiet)?;
        producer.init_transactions(PATIENCE)?;
        Ok(Till {
            producer: Arc::new(producer),
        })
    }

    /// Begins a transaction. The broker hears of it with the first record.
    ///
    /// # Errors
    /// When one is open, or the till is fenced.
    pub fn begin(&self) -> Result<()> {
        self.told(self.producer.begin_transaction())
    }

    /// Sends a record to the topic's first partition and waits until the broker has it.
    ///
    /// # Errors
    /// Outside of a transaction, or when the till is fenced.
    pub fn sell(&self, topic: &Topic, what: &str) -> Result<()> {
        let record = BaseRecord::<(), str>::to(topic.name()).partition(0);
        let sent = self.producer.send(record.payload(what));
        self.told(sent.map_err(|(cause, _)| cause))?;
        self.told(self.producer.flush(PATIENCE))
    }

    /// Commits: all records of the transaction are to be seen from now on.
    ///
    /// # Errors
    /// When the till is fenced: then nothing of the transaction is ever seen.
    pub fn commit(&self) -> Result<()> {
        self.told(self.producer.commit_transaction(PATIENCE))
    }

    /// Aborts: nothing of the transaction is ever seen.
    ///
    /// # Errors
    /// When the till is fenced.
    pub fn abort(&self) -> Result<()> {
        self.told(self.producer.abort_transaction(PATIENCE))
    }

    /// Returns what a call came to. What ends a producer for good is in the client's state, whatever the
    /// call itself answered: `flush` knows nothing of what the broker said to a record.
    fn told(&self, answer: KafkaResult<()>) -> Result<()> {
        match self.producer.client().fatal_error() {
            Some((code, why)) => Err(ended(code, &why)),
            None => Ok(answer?),
        }
    }
}

fn ended(code: RDKafkaErrorCode, why: &str) -> Error {
    let what = match code {
        RDKafkaErrorCode::Fenced => "this till is fenced: a newer process has its transactional id",
        _ => "the broker takes nothing more from this till",
    };
    Error::new(what)
        .have(format!("{code}: {why}"))
        .hint("go on with the newer one; Till::start(&cluster, \"till-1\")? fences that in turn")
}

/// Returns the first partition of a topic, offset by offset, as both kinds of readers see it: offset,
/// value (str; of a marker none), read_uncommitted, read_committed (bool; whether it hands the record out).
///
/// # Errors
/// When the broker does not answer in time, or on interrupt.
pub fn both_readers(cluster: &Cluster, topic: &Topic) -> Result<DataFrame> {
    let all = read(cluster, topic, "read_uncommitted")?;
    let committed = read(cluster, topic, "read_committed")?;
    let end = all.end.max(committed.end);
    let start = all.start;
    let offsets: Vec<i64> = (start..end).collect();
    let value = |offset: &i64| {
        all.records
            .iter()
            .find(|it| it.0 == *offset)
            .map(|it| it.1.clone())
    };
    let seen = |of: &Read| -> Vec<bool> {
        let is_seen = |offset: &i64| of.records.iter().any(|it| it.0 == *offset);
        offsets.iter().map(is_seen).collect()
    };
    Ok(df!(
        "offset" => offsets.clone(),
        "value" => offsets.iter().map(|it| value(it).unwrap_or_else(|| "(marker)".into())).collect::<Vec<_>>(),
        "read_uncommitted" => seen(&all),
        "read_committed" => seen(&committed),
    )?)
}

struct Read {
    start: i64,
    end: i64,
    records: Vec<(i64, String)>,
}

/// Reads the partition from its start to where this isolation level ends.
fn read(cluster: &Cluster, topic: &Topic, isolation: &str) -> Result<Read> {
    let mut config = client::settings(cluster, "headwater-reader");
    config
        .set("group.id", "headwater-reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "20")
        .set("isolation.level", isolation);
    let consumer: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
    let (start, end) = consumer.fetch_watermarks(topic.name(), 0, PATIENCE)?;
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(topic.name(), 0, Offset::Offset(start))?;
    consumer.assign(&from)?;
    let (limit, mut records) = (Instant::now() + PATIENCE, Vec::new());
    while Instant::now() < limit {
        interrupt::check()?;
        match consumer.poll(Duration::from_millis(50)) {
            Some(Ok(record)) => {
                let value = record.payload().unwrap_or_default();
                records.push((record.offset(), String::from_utf8_lossy(value).into_owned()));
            }
            Some(Err(KafkaError::PartitionEOF(_))) => {
                return Ok(Read {
                    start,
                    end,
                    records,
                });
            }
            Some(Err(cause)) => return Err(cause.into()),
            None => {}
        }
    }
    Err(
        Error::new(format!("topic `{}` has no end in sight", topic.name()))
            .have(format!(
                "{} records in {} s",
                records.len(),
                PATIENCE.as_secs()
            ))
            .hint("cluster.describe()? to see whether the broker is still there"),
    )
}
