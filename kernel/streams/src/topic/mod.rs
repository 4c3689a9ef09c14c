//! A topic: records in partitions, read as a frame and written from one.

mod formats;
pub(crate) mod identity;
pub(crate) mod letters;
pub(crate) mod range;
mod reader;
mod send;
pub(crate) mod tail;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use polars::prelude::DataFrame;
use rdkafka::admin::{AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use serde::de::DeserializeOwned;

use crate::cluster::{Inner, client};
use crate::format::Format;
use crate::query::Stream;
use crate::sink::TopicSink;
use crate::table::Table;
use crate::{Error, Result, interrupt, time};
use tail::Tail;

pub(crate) use send::{Sender, key_texts};

/// Where reading begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// At the oldest record that the topic still holds.
    Earliest,
    /// Behind the newest record: only what comes from now on.
    Latest,
    /// At the first record whose Kafka timestamp is not before this time, for instance
    /// `Since("2013-02-08 10:00".into())` (UTC).
    Since(String),
}

/// A handle to one topic; clones are cheap and share it.
#[derive(Clone)]
pub struct Topic {
    pub(crate) cluster: Arc<Inner>,
    name: Arc<str>,
    partitions: i32,
    pub(crate) state: Arc<TopicState>,
    /// What this handle reads and writes records as.
    format: Format,
}

/// What this process knows about a topic beside what the broker knows.
#[derive(Default)]
pub(crate) struct TopicState {
    /// Grows when the topic is emptied, so that readers of this process begin anew.
    generation: AtomicU64,
    /// The replays that send to this topic. Locked for a look-up.
    pub replays: Mutex<Vec<std::sync::Weak<crate::replay::Shared>>>,
}

impl TopicState {
    pub fn emptied(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Returns whether a replay of this process still sends to the topic.
    pub fn is_fed(&self) -> bool {
        let replays = self
            .replays
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        replays
            .iter()
            .filter_map(std::sync::Weak::upgrade)
            .any(|replay| !replay.progress().ended)
    }
}

/// Opens the topic or creates it.
pub(crate) fn open(cluster: &Arc<Inner>, name: &str, partitions: i32) -> Result<Topic> {
    if partitions < 1 {
        return Err(
            Error::new(format!("topic `{name}` needs at least one partition"))
                .hint("partitions(1)"),
        );
    }
    let there = match partition_count(cluster, name)? {
        Some(count) => count,
        None => create(cluster, name, partitions)?,
    };
    if there != partitions {
        return Err(Error::new(format!(
            "topic `{name}` is there with another number of partitions"
        ))
        .have(format!("{there} partitions, asked for {partitions}"))
        .hint(format!(
            "partitions({there}), or another name, or cluster.reset()? which deletes every topic"
        )));
    }
    // A new producer waits half a second for its id; it does so while the person types on.
    cluster.clients.producer()?;
    let state = cluster.state(name);
    Ok(Topic {
        cluster: cluster.clone(),
        name: name.into(),
        partitions,
        state,
        format: Format::Json,
    })
}

impl Topic {
    /// Returns the topic's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many partitions it has.
    pub fn partitions(&self) -> usize {
        self.partitions as usize
    }

    /// Returns how many records it holds.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn records(&self) -> Result<u64> {
        let consumer = self.cluster.clients.consumer()?;
        let mut records = 0;
        for partition in 0..self.partitions {
            let (low, high) = client::watermarks(&consumer, &self.name, partition)?;
            records += u64::try_from(high - low).unwrap_or(0);
        }
        Ok(records)
    }

    /// Returns every record from `from` up to the topic's present end as one frame, ordered by
    /// Kafka timestamp, then partition and offset.
    ///
    /// Columns and dtypes are those that were sent (see [`record`](crate::record)). Records that
    /// are not of the handle's format (JSON objects, if nothing else was said) are left out; how many,
    /// and the first of them, is shown.
    ///
    /// # Errors
    /// When the broker does not answer, or on interrupt.
    pub fn read(&self, from: Position) -> Result<DataFrame> {
        let (frame, tail) = self.read_all(from, false)?;
        if let Some(note) = tail.rejected_note() {
            crate::display::show(crate::table::text(&note));
        }
        Ok(frame)
    }

    /// Returns the same frame with four columns more: `_partition`, `_offset`, `_timestamp`, `_key`.
    ///
    /// # Errors
    /// Those of [`Topic::read`].
    pub fn read_with_metadata(&self, from: Position) -> Result<DataFrame> {
        Ok(self.read_all(from, true)?.0)
    }

    /// Returns every record from `from` up to the present end as a value of your own type.
    ///
    /// # Errors
    /// When a record does not fit the type; the message names partition, offset and field.
    pub fn read_as<T: DeserializeOwned>(&self, from: Position) -> Result<Vec<T>> {
        if !matches!(self.format, Format::Json) {
            return self.rows_as(from);
        }
        let mut values = Vec::new();
        for record in Tail::open(self, &from)?.raw()? {
            let value = serde_json::from_slice(&record.payload).map_err(|cause| {
                Error::new(format!(
                    "a record of topic `{}` does not fit {}",
                    self.name,
                    std::any::type_name::<T>()
                ))
                .have(format!(
                    "partition {} offset {}: {cause}",
                    record.partition, record.offset
                ))
                .hint("a field of type Option<..> where a value may be missing")
            })?;
            values.push(value);
        }
        Ok(values)
    }

    /// Sends one JSON value under `key` and waits until the broker has it. Through a handle of another
    /// format: text and raw send what is given, Avro and Protobuf the fields of the object.
    ///
    /// # Errors
    /// When the text is not JSON, does not fit the schema, or the broker does not take it.
    pub fn send(&self, key: &str, json: &str) -> Result<()> {
        let payload = self.payload_of(json)?;
        let sender = Sender::new(self)?;
        sender.send(Some(key.as_bytes()), &payload, None, None)?;
        sender.flush()
    }

    /// Sends a record without a value, a tombstone: in a changelog it says that the key has no row any
    /// more, and compaction then forgets the key.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub fn send_tombstone(&self, key: &str) -> Result<()> {
        let sender = Sender::new(self)?;
        sender.send_tombstone(key.as_bytes())?;
        sender.flush()
    }

    /// Sends every row of `frame` as a record without a key, and waits until the broker has them.
    ///
    /// # Errors
    /// When a column has a dtype that the format cannot carry, or the broker does not take a record.
    pub fn produce(&self, frame: &DataFrame) -> Result<()> {
        send::produce(self, frame, None)
    }

    /// Sends every row of `frame` under the text in its column `key`: equal keys go to one
    /// partition, in order.
    ///
    /// # Errors
    /// Those of [`Topic::produce`], and an unknown column.
    pub fn produce_keyed(&self, frame: &DataFrame, key: &str) -> Result<()> {
        send::produce(self, frame, Some(key))
    }

    /// Returns the topic as a sink that takes each batch in one transaction, under this name: the
    /// name of one job and no other. Rows, offsets and batch number are there together or not at
    /// all, and readers see whole batches only.
    pub fn exactly_once(&self, job: &str) -> TopicSink {
        TopicSink::new(self, job)
    }

    /// Returns the topic as an unbounded stream, to filter, window and draw.
    pub fn stream(&self) -> Stream {
        Stream::new(self.clone())
    }

    /// Returns the offset behind the last record of each partition.
    pub(crate) fn ends(&self) -> Result<Vec<i64>> {
        let consumer = self.cluster.clients.consumer()?;
        (0..self.partitions)
            .map(|partition| Ok(client::watermarks(&consumer, &self.name, partition)?.1))
            .collect()
    }

    /// Deletes every record; the topic stays, and live queries of this process begin anew.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn clear(&self) -> Result<()> {
        if self.records()? > 0 {
            let admin = self.cluster.clients.admin()?;
            client::wait(admin.delete_topics(&[&self.name], &options()))?;
            self.await_partitions(None)?;
            create(&self.cluster, &self.name, self.partitions)?;
        }
        self.state.emptied();
        Ok(())
    }

    /// Shows the topic as the value of a cell: one row a partition.
    pub fn evcxr_display(&self) {
        match self.table() {
            Ok(table) => crate::display::result(table.bundle()),
            Err(error) => crate::display::result(crate::table::text(&error.to_string())),
        }
    }

    fn read_all(&self, from: Position, metadata: bool) -> Result<(DataFrame, Tail)> {
        let mut tail = Tail::open(self, &from)?;
        let frame = tail.bounded(metadata)?;
        Ok((frame, tail))
    }

    fn table(&self) -> Result<Table> {
        let consumer = self.cluster.clients.consumer()?;
        let mut offsets = Vec::new();
        for partition in 0..self.partitions {
            offsets.push(client::watermarks(&consumer, &self.name, partition)?);
        }
        let frame = polars::df!(
            "partition" => (0..self.partitions).collect::<Vec<_>>(),
            "first_offset" => offsets.iter().map(|offsets| offsets.0).collect::<Vec<_>>(),
            "end_offset" => offsets.iter().map(|offsets| offsets.1).collect::<Vec<_>>(),
            "records" => offsets.iter().map(|offsets| offsets.1 - offsets.0).collect::<Vec<_>>(),
        )?;
        let records: i64 = offsets.iter().map(|offsets| offsets.1 - offsets.0).sum();
        Ok(Table::of(&frame).caption(format!(
            "topic {}: {records} records at {}",
            self.name, self.cluster.bootstrap
        )))
    }

    /// Waits until the broker's metadata shows this number of partitions.
    fn await_partitions(&self, wanted: Option<i32>) -> Result<()> {
        await_partitions(&self.cluster, &self.name, wanted)
    }
}

impl std::fmt::Debug for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "topic {} ({} partitions{}) at {}",
            self.name,
            self.partitions,
            match &self.format {
                Format::Json => String::new(),
                format => format!(", {}", format.describe()),
            },
            self.cluster.bootstrap
        )
    }
}

impl Position {
    /// Returns the time that [`Position::Since`] names, in epoch microseconds.
    pub(crate) fn since(&self) -> Result<Option<i64>> {
        match self {
            Position::Since(text) => time::parse_argument(text).map(Some),
            _ => Ok(None),
        }
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(client::PATIENCE))
        .request_timeout(Some(client::PATIENCE))
}

fn create(cluster: &Arc<Inner>, name: &str, partitions: i32) -> Result<i32> {
    let admin = cluster.clients.admin()?;
    // -1: as many replicas as the cluster's default says. Records of a data set carry event times
    // that are years old, and a topic's usual seven days of retention would delete them.
    let topic =
        NewTopic::new(name, partitions, TopicReplication::Fixed(-1)).set("retention.ms", "-1");
    let answers = client::wait(admin.create_topics(&[topic], &options()))?;
    match answers.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) | Some(Ok(_)) | None => {}
        Some(Err((_, code))) => {
            return Err(
                Error::new(format!("the broker does not create topic `{name}`"))
                    .have(code.to_string())
                    .hint("a name of letters, digits, `.`, `_` and `-`"),
            );
        }
    }
    await_partitions(cluster, name, Some(partitions))?;
    partition_count(cluster, name)?.ok_or_else(|| no_topic(cluster, name))
}

fn await_partitions(cluster: &Arc<Inner>, name: &str, wanted: Option<i32>) -> Result<()> {
    let limit = Instant::now() + client::PATIENCE;
    loop {
        let count = partition_count(cluster, name)?;
        // Another program may have made it with another number: the caller compares.
        if count == wanted || (wanted.is_some() && count.is_some()) {
            return Ok(());
        }
        if Instant::now() > limit {
            return Err(
                Error::timed_out(format!("topic `{name}` did not get ready"))
                    .have(format!("{count:?} partitions after 5 s")),
            );
        }
        interrupt::check()?;
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns how many partitions the broker says the topic has, if it knows it.
fn partition_count(cluster: &Arc<Inner>, name: &str) -> Result<Option<i32>> {
    let consumer = cluster.clients.consumer()?;
    let metadata = consumer.fetch_metadata(None, client::PATIENCE)?;
    let topic = metadata
        .topics()
        .iter()
        .find(|topic| topic.name() == name && topic.error().is_none());
    Ok(topic
        .map(|topic| topic.partitions().len() as i32)
        .filter(|count| *count > 0))
}

fn no_topic(cluster: &Arc<Inner>, name: &str) -> Error {
    Error::unknown_topic(format!("no topic `{name}`"))
        .have(format!("the cluster at {}", cluster.bootstrap))
        .hint(format!("cluster.topic(\"{name}\", partitions(3))?"))
}
