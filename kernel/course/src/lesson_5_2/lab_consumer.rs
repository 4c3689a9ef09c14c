//! A real consumer, poll by poll, with its position and its committed offsets in view.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headwater_streams::{Cluster, Error, Result, Topic, interrupt};
use polars::prelude::{DataFrame, df};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// How long one request to the broker may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A Kafka consumer (librdkafka) that reads every partition of a topic for one group. It begins
/// at the group's committed offsets, and commits only when told to.
#[derive(Clone)]
pub struct LabConsumer {
    topic: Topic,
    group: String,
    open: Arc<Open>,
}

struct Open {
    consumer: BaseConsumer,
    /// The next record to read of each partition. Locked for a poll, a commit or a copy.
    position: Mutex<Vec<i64>>,
}

impl LabConsumer {
    /// Opens a consumer of `group` at what it has committed, or else at the first record.
    ///
    /// # Errors
    /// When the broker does not answer.
    ///
    /// # Example
    /// ```
    /// use headwater_course::lesson_5_2::LabConsumer;
    /// use headwater_streams::prelude::*;
    ///
    /// let cluster = Cluster::embedded()?;
    /// let topic = cluster.topic("doc-lab-consumer", partitions(1))?;
    /// topic.send("G01", "{}")?;
    /// let reader = LabConsumer::open(&cluster, &topic, "doc-group")?;
    /// assert_eq!(reader.poll(10)?.height(), 1);
    /// reader.commit()?;
    /// assert_eq!(LabConsumer::open(&cluster, &topic, "doc-group")?.poll(10)?.height(), 0);
    /// # Ok::<(), headwater_streams::Error>(())
    /// ```
    pub fn open(cluster: &Cluster, topic: &Topic, group: &str) -> Result<LabConsumer> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", cluster.bootstrap())
            .set("client.id", "headwater-lab")
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "20")
            .set("fetch.error.backoff.ms", "20")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "200")
            .set_log_level(RDKafkaLogLevel::Emerg);
        let consumer: BaseConsumer = config.create()?;
        let mut asked = TopicPartitionList::new();
        let count = topic.partitions() as i32;
        (0..count).for_each(|partition| {
            asked.add_partition(topic.name(), partition);
        });
        let committed = consumer.committed_offsets(asked, PATIENCE)?;
        let (mut position, mut from) = (Vec::new(), TopicPartitionList::new());
        for element in committed.elements() {
            let first = || consumer.fetch_watermarks(topic.name(), element.partition(), PATIENCE);
            let offset = match element.offset() {
                Offset::Offset(offset) => offset,
                _ => first()?.0,
            };
            position.push(offset);
            from.add_partition_offset(topic.name(), element.partition(), Offset::Offset(offset))?;
        }
        consumer.assign(&from)?;
        Ok(LabConsumer {
            topic: topic.clone(),
            group: group.to_owned(),
            open: Arc::new(Open {
                consumer,
                position: Mutex::new(position),
            }),
        })
    }

    /// Reads up to `most` records, less where the topic ends: partition, offset, key, value. The
    /// position moves behind each of them; the committed offsets stay.
    ///
    /// # Errors
    /// When the broker does not answer, or on interrupt.
    pub fn poll(&self, most: usize) -> Result<DataFrame> {
        let ends = self.ends()?;
        let records = self.poll_until(most, PATIENCE, |position| position >= ends.as_slice())?;
        let text = |bytes: &Option<Vec<u8>>| {
            bytes
                .as_ref()
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        Ok(df!(
            "partition" => records.iter().map(|it| it.partition).collect::<Vec<_>>(),
            "offset" => records.iter().map(|it| it.offset).collect::<Vec<_>>(),
            "key" => records.iter().map(|it| text(&it.key)).collect::<Vec<_>>(),
            "value" => records.iter().map(|it| text(&it.value)).collect::<Vec<_>>(),
        )?)
    }

    /// Commits the position of every partition: the next record to read.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub fn commit(&self) -> Result<()> {
        let mut offsets = TopicPartitionList::new();
        for (partition, position) in (0..).zip(self.position()) {
            offsets.add_partition_offset(self.topic.name(), partition, Offset::Offset(position))?;
        }
        Ok(self.open.consumer.commit(&offsets, CommitMode::Sync)?)
    }

    /// Returns the next record to read of each partition.
    pub fn position(&self) -> Vec<i64> {
        let position = self.open.position.lock();
        position
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone()
    }

    /// Returns the committed offset of each partition, null where the group has none: partition,
    /// committed, position, end, lag_records (from the committed offset to the end).
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn offsets(&self) -> Result<DataFrame> {
        let (committed, ends) = (self.committed()?, self.ends()?);
        let lag = committed
            .iter()
            .zip(&ends)
            .map(|(at, end)| at.map(|at| end - at));
        Ok(df!(
            "partition" => (0..ends.len() as i64).collect::<Vec<_>>(),
            "committed" => committed.clone(),
            "position" => self.position(),
            "end" => ends.clone(),
            "lag_records" => lag.collect::<Vec<_>>(),
        )?)
    }

    /// Returns the group's name.
    pub fn group(&self) -> &str {
        &self.group
    }

    pub(super) fn committed(&self) -> Result<Vec<Option<i64>>> {
        let mut asked = TopicPartitionList::new();
        (0..self.topic.partitions() as i32).for_each(|partition| {
            asked.add_partition(self.topic.name(), partition);
        });
        let committed = self.open.consumer.committed_offsets(asked, PATIENCE)?;
        let elements = committed.elements();
        let offsets = elements.iter().map(|element| match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        });
        Ok(offsets.collect())
    }

    fn ends(&self) -> Result<Vec<i64>> {
        let ends = (0..self.topic.partitions() as i32).map(|partition| {
            let marks =
                self.open
                    .consumer
                    .fetch_watermarks(self.topic.name(), partition, PATIENCE)?;
            Ok(marks.1)
        });
        ends.collect()
    }

    /// Reads up to `most` records until the positions satisfy `done` or the time is over.
    pub(super) fn poll_until(
        &self,
        most: usize,
        limit: Duration,
        done: impl Fn(&[i64]) -> bool,
    ) -> Result<Vec<Read>> {
        let limit = Instant::now() + limit;
        let mut position = self
            .open
            .position
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut records = Vec::new();
        while records.len() < most && !done(&position) && Instant::now() < limit {
            interrupt::check()?;
            match self.open.consumer.poll(Duration::from_millis(20)) {
                None => {}
                Some(Ok(message)) => {
                    if let Some(next) = position.get_mut(message.partition() as usize) {
                        *next = message.offset() + 1;
                    }
                    records.push(Read {
                        partition: message.partition(),
                        offset: message.offset(),
                        key: message.key().map(<[u8]>::to_vec),
                        value: message.payload().map(<[u8]>::to_vec),
                    });
                }
                // The client looks for the new leader by itself; only a lasting failure counts.
                Some(Err(KafkaError::MessageConsumption(_))) => {}
                Some(Err(cause)) => return Err(Error::from(cause)),
            }
        }
        Ok(records)
    }

    /// Shows the offsets as the value of a cell.
    pub fn evcxr_display(&self) {
        match self.offsets() {
            Ok(offsets) => headwater_streams::Show::show_result(&offsets),
            Err(error) => super::show_text(&error.to_string()),
        }
    }
}

/// One record as it was read.
pub(super) struct Read {
    pub partition: i32,
    pub offset: i64,
    key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
}

impl std::fmt::Debug for LabConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "consumer of group {} at {:?}",
            self.group,
            self.position()
        )
    }
}
