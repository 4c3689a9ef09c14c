//! A topic as a sink: each batch is one Kafka transaction.
//!
//! The transaction holds the rows, the offsets of the input up to which they were computed, and in
//! the metadata of those offsets the job and the number of the batch. So the broker itself knows
//! which batches are there: a job that was killed after its transaction and before its checkpoint
//! finds the number at its next start and sends nothing twice. A producer of the same name that
//! still lives somewhere is shut out first
//! ([KIP-98](https://cwiki.apache.org/confluence/display/KAFKA/KIP-98+-+Exactly+Once+Delivery+and+Transactional+Messaging)).

use std::sync::Arc;
use std::time::{Duration, Instant};

use polars::prelude::*;
use rdkafka::consumer::{Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::marker::{self, Marker};
use super::{Opening, Output, Sink, Target, Writer};
use crate::cluster::client::{self, Consumer, PATIENCE, Producer};
use crate::query::Query;
use crate::topic::{Sender, Topic};
use crate::{Error, Result, interrupt, time};

/// How long a step of a transaction may take before the job gives up.
const LIMIT: Duration = Duration::from_secs(30);

/// A topic as a sink, made by [`Topic::exactly_once`].
///
/// A record is a row in the topic's format; its key is the window's start and the keys of the query, such as
/// `2013-02-08 10:00:00|G07`, so that in a compacted topic the newest row of each window stays.
///
/// # Example
/// ```no_run
/// use headwater_streams::prelude::*;
/// # fn doc(query: Query, cluster: Cluster) -> headwater_streams::Result<()> {
/// let results = cluster.topic("trips-per-zone", partitions(3))?;
/// query.to(results.exactly_once("trips-job")).checkpoint("checkpoints/trips").run_available()?;
/// results.read(Earliest)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TopicSink {
    topic: Topic,
    name: String,
}

struct Transactions {
    sink: TopicSink,
    producer: Arc<Producer>,
    group: ConsumerGroupMetadata,
    /// The topic whose offsets are kept.
    input: String,
    names: Vec<String>,
    marker: Marker,
}

impl TopicSink {
    pub(crate) fn new(topic: &Topic, name: &str) -> TopicSink {
        TopicSink {
            topic: topic.clone(),
            name: name.into(),
        }
    }

    /// Shows the sink as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(crate::table::text(&self.describe()));
    }

    fn failed(&self, cause: KafkaError) -> Error {
        let what = format!("a transaction of job `{}` did not succeed", self.name);
        let error = match fatal(&cause) {
            true => Error::new(what).hint(format!(
                "a name that no other running job has: topic.exactly_once(\"{}-2\")",
                self.name
            )),
            false => Error::new(what).hint(
                "cluster.describe()? to see whether the broker is there, then start the job again: it goes on where it was",
            ),
        };
        error.have(cause.to_string()).caused_by(cause)
    }
}

impl Target for TopicSink {
    fn describe(&self) -> String {
        format!("topic {} as job {}", self.topic.name(), self.name)
    }

    fn check(&self, query: &Query) -> Result<()> {
        let (from, to) = (&query.topic, &self.topic);
        if self.name.trim().is_empty() {
            return Err(
                Error::new("a job that writes to a topic needs a name of its own")
                    .have("an empty one")
                    .hint(format!("topic.exactly_once(\"{}-job\")", to.name())),
            );
        }
        if from.cluster.bootstrap != to.cluster.bootstrap {
            return Err(Error::new("one transaction cannot reach two clusters")
                .have(format!(
                    "topic {} at {}, topic {} at {}",
                    from.name(),
                    from.cluster.bootstrap,
                    to.name(),
                    to.cluster.bootstrap
                ))
                .hint("a topic of the cluster that the query reads from"));
        }
        if from.name() == to.name() {
            return Err(Error::new("a job cannot write to the topic that it reads")
                .have(format!("topic {} on both sides", to.name()))
                .hint("cluster.topic(\"results\", partitions(3))?.exactly_once(\"job\")"));
        }
        Ok(())
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Writer>> {
        let bootstrap = &self.topic.cluster.bootstrap;
        let producer = client::transactional(bootstrap, &self.name)?;
        // From here on an earlier producer of this name can commit nothing more, and what it had
        // begun is settled, so that the number read next is the last word.
        retried(|| producer.init_transactions(PATIENCE)).map_err(|cause| self.failed(cause))?;
        let consumer = client::consumer(bootstrap, Some(&self.name))?;
        let input = opening.query.topic.name();
        let found = committed(&consumer, input, opening.offsets.len())?;
        let batch = marker::check(&self.describe(), found.as_ref(), opening)?;
        let group = consumer.group_metadata().ok_or_else(|| {
            Error::new("the Kafka client has no group to keep offsets in").have(self.name.clone())
        })?;
        let mut transactions = Transactions {
            sink: self.clone(),
            producer: Arc::new(producer),
            group,
            input: input.into(),
            names: opening.query.names(),
            marker: Marker {
                job: opening.job.into(),
                batch,
            },
        };
        if found.is_none() {
            transactions.run(None, opening.offsets, None)?;
        }
        Ok(Box::new(transactions))
    }
}

impl Writer for Transactions {
    fn write(&mut self, output: &Output<'_>) -> Result<()> {
        if self.marker.batch == Some(output.batch) {
            return Ok(());
        }
        self.run(Some(output.rows), output.offsets, Some(output.batch))
    }
}

impl Transactions {
    /// Runs one transaction; after an error nothing of it is there.
    fn run(&mut self, rows: Option<&DataFrame>, offsets: &[i64], batch: Option<u64>) -> Result<()> {
        let marker = Marker {
            batch,
            ..self.marker.clone()
        };
        let failed = |cause| self.sink.failed(cause);
        self.producer.begin_transaction().map_err(failed)?;
        let filled = self.fill(rows, offsets, &marker);
        let done = filled
            .and_then(|()| retried(|| self.producer.commit_transaction(PATIENCE)).map_err(failed));
        if done.is_err() {
            // Best effort: what is not aborted here is aborted when the job starts again.
            let _ = self.producer.abort_transaction(PATIENCE);
        }
        done?;
        self.marker = marker;
        Ok(())
    }

    fn fill(&self, rows: Option<&DataFrame>, offsets: &[i64], marker: &Marker) -> Result<()> {
        if let Some(rows) = rows.filter(|rows| rows.height() > 0) {
            self.send(rows)?;
        }
        let note = serde_json::to_string(marker)
            .map_err(|cause| Error::new("no note of the batch").have(cause.to_string()))?;
        let mut list = TopicPartitionList::new();
        for (partition, offset) in (0..).zip(offsets) {
            let mut element = list.add_partition(&self.input, partition);
            element.set_offset(Offset::Offset(*offset))?;
            element.set_metadata(&note);
        }
        retried(|| {
            self.producer
                .send_offsets_to_transaction(&list, &self.group, PATIENCE)
        })
        .map_err(|cause| self.sink.failed(cause))
    }

    fn send(&self, rows: &DataFrame) -> Result<()> {
        let keys = keys(rows, &self.names)?;
        let sender = Sender::through(self.producer.clone(), &self.sink.topic);
        let writer = sender.writer(rows)?;
        let mut payload = Vec::new();
        for (row, key) in keys.iter().enumerate() {
            payload.clear();
            writer.write(row, &mut payload)?;
            sender.send(Some(key.as_bytes()), &payload, writer.header(), None)?;
        }
        sender.flush()
    }
}

impl From<TopicSink> for Sink {
    fn from(sink: TopicSink) -> Sink {
        Sink::of(sink)
    }
}

impl From<&TopicSink> for Sink {
    fn from(sink: &TopicSink) -> Sink {
        Sink::of(sink.clone())
    }
}

impl std::fmt::Debug for TopicSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Reads which batch the last whole transaction held.
fn committed(consumer: &Consumer, input: &str, partitions: usize) -> Result<Option<Marker>> {
    let mut asked = TopicPartitionList::new();
    for partition in 0..partitions as i32 {
        asked.add_partition(input, partition);
    }
    let found = consumer.committed_offsets(asked, PATIENCE)?;
    let markers = found.elements().into_iter().filter_map(|element| {
        let note = element.metadata();
        match element.offset() {
            Offset::Offset(_) => Some(note.to_owned()),
            _ => None,
        }
    });
    // Partitions that were added since have none yet; the others say the same.
    let Some(note) = markers.max() else {
        return Ok(None);
    };
    let unknown = || Marker {
        job: "that keeps its own offsets under this name".into(),
        batch: None,
    };
    Ok(Some(
        serde_json::from_str(&note).unwrap_or_else(|_| unknown()),
    ))
}

/// Returns the key of each record: the window's start and the keys of the query.
fn keys(rows: &DataFrame, names: &[String]) -> Result<Vec<String>> {
    let mut keys = vec![String::new(); rows.height()];
    for name in names.iter().filter(|name| *name != "window_end") {
        let column = rows.column(name)?;
        let times = match name == "window_start" {
            true => Some(column.cast(&DataType::Int64)?),
            false => None,
        };
        for (row, key) in keys.iter_mut().enumerate() {
            let text = match &times {
                Some(times) => times.i64()?.get(row).map(time::show).unwrap_or_default(),
                None => match column.get(row)? {
                    AnyValue::Null => "null".into(),
                    value => value
                        .get_str()
                        .map_or_else(|| value.to_string(), String::from),
                },
            };
            if !key.is_empty() {
                key.push('|');
            }
            key.push_str(&text);
        }
    }
    Ok(keys)
}

/// Calls again for as long as the client says that another try may help.
fn retried(mut call: impl FnMut() -> KafkaResult<()>) -> KafkaResult<()> {
    let limit = Instant::now() + LIMIT;
    loop {
        match call() {
            Err(KafkaError::Transaction(cause))
                if cause.is_retriable() && Instant::now() < limit && !interrupt::is_raised() =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// Returns whether another producer of the same name has shut this one out.
fn fatal(cause: &KafkaError) -> bool {
    matches!(cause, KafkaError::Transaction(cause) if cause.is_fatal())
}
