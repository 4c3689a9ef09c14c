//! Reads all partitions of a topic up to given ends.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{Position, Topic};
use crate::cluster::client::{self, Consumer, Loan};
use crate::record::HEADER;
use crate::{Error, Result, interrupt};

/// Most records that one call reads, so that memory stays bounded.
const MOST: usize = 500_000;

/// How long the broker may send nothing although there is something.
const SILENCE: Duration = Duration::from_secs(30);

/// How long nothing may come before partitions are asked whether they have ended.
const QUIET: Duration = Duration::from_millis(100);

/// One record, borrowed from the client.
pub(crate) struct Record<'a> {
    pub partition: i32,
    pub offset: i64,
    pub time_ms: Option<i64>,
    pub key: Option<&'a [u8]>,
    pub payload: Option<&'a [u8]>,
    /// The schema header, where the record has one.
    pub schema: Option<&'a [u8]>,
}

/// A consumer and how far it has read.
pub(crate) struct Reader {
    consumer: Loan,
    /// Asks for the ends of partitions. On the connection of `consumer` every question would wait
    /// behind a fetch, which the broker holds back for 20 ms where there is nothing new.
    asker: Loan,
    topic: Topic,
    /// The next offset to hand out, per partition.
    positions: Vec<i64>,
    /// Records behind the last call's ends that the client had already handed over, by partition.
    ahead: Vec<VecDeque<OwnedMessage>>,
    /// Whether offsets between two records were missing since somebody asked.
    jumped: bool,
}

impl Reader {
    /// Starts reading at `from`.
    pub fn open(topic: &Topic, from: &Position) -> Result<Reader> {
        let consumer = topic.cluster.clients.consumer()?;
        let positions = start(&consumer, topic, from)?;
        Reader::assigned(consumer, topic, positions)
    }

    /// Starts reading at these offsets, one a partition.
    pub fn open_at(topic: &Topic, offsets: &[i64]) -> Result<Reader> {
        let consumer = topic.cluster.clients.consumer()?;
        Reader::assigned(consumer, topic, offsets.to_vec())
    }

    fn assigned(consumer: Loan, topic: &Topic, positions: Vec<i64>) -> Result<Reader> {
        let mut list = TopicPartitionList::new();
        for (partition, position) in (0..).zip(&positions) {
            list.add_partition_offset(topic.name(), partition, Offset::Offset(*position))?;
        }
        consumer.assign(&list)?;
        Ok(Reader {
            consumer,
            asker: topic.cluster.clients.consumer()?,
            topic: topic.clone(),
            ahead: positions.iter().map(|_| VecDeque::new()).collect(),
            positions,
            jumped: false,
        })
    }

    /// Returns the offset behind the last record, per partition.
    pub fn ends(&self) -> Result<Vec<i64>> {
        Ok(self.bounds()?.into_iter().map(|(_, end)| end).collect())
    }

    /// Returns the first offset of each partition and the one behind its last record.
    pub fn bounds(&self) -> Result<Vec<(i64, i64)>> {
        let bounds = |partition| client::watermarks(&self.asker, self.topic.name(), partition);
        (0..self.topic.partitions() as i32)
            .map(|partition| Ok(bounds(partition)?))
            .collect()
    }

    /// Returns the next offset of each partition.
    pub fn positions(&self) -> &[i64] {
        &self.positions
    }

    /// Returns whether offsets were missing since the last time this was asked.
    pub fn has_jumped(&mut self) -> bool {
        std::mem::take(&mut self.jumped)
    }

    /// Returns the ends of one record a partition, where there is one.
    pub fn first_of(&self, ends: &[i64]) -> Vec<i64> {
        let first = |(position, end): (&i64, &i64)| (position + 1).min(*end);
        self.positions.iter().zip(ends).map(first).collect()
    }

    /// Returns whether there is nothing to read up to `ends`.
    pub fn is_at(&self, ends: &[i64]) -> bool {
        self.positions
            .iter()
            .zip(ends)
            .all(|(position, end)| position >= end)
    }

    /// Returns whether an end lies before what was read: the topic was emptied.
    pub fn is_past(&self, ends: &[i64]) -> bool {
        self.positions
            .iter()
            .zip(ends)
            .any(|(position, end)| position > end)
    }

    /// Reads until every partition has reached its end, `stop` says so, or half a million are there.
    pub fn read_to(
        &mut self,
        ends: &[i64],
        stop: &dyn Fn() -> bool,
        mut take: impl FnMut(&Record<'_>),
    ) -> Result<()> {
        let mut taken = self.take_ahead(ends, &mut take);
        // The clock is looked at where nothing comes, not for every record.
        let (mut last, mut heard) = (Instant::now(), false);
        // Partitions that were told to read on from where they are, after `ends` were known.
        let mut asked = vec![false; ends.len()];
        while !self.is_at(ends) && taken < MOST && !stop() {
            interrupt::check()?;
            match self.consumer.poll(Duration::from_millis(50)) {
                Some(Ok(message)) => {
                    heard = true;
                    let partition = message.partition() as usize;
                    if message.offset() >= ends[partition] {
                        self.ahead[partition].push_back(message.detach());
                        self.skip_to(partition, ends[partition]);
                        continue;
                    }
                    take(&record(&message));
                    self.pass(partition, message.offset());
                    taken += 1;
                    continue;
                }
                // Said before it was asked, it may be about an end before the newest records.
                Some(Err(KafkaError::PartitionEOF(partition))) if asked[partition as usize] => {
                    self.skip_to(partition as usize, ends[partition as usize]);
                    continue;
                }
                Some(Err(KafkaError::PartitionEOF(_))) | None => {}
                Some(Err(_)) => std::thread::sleep(Duration::from_millis(10)),
            }
            if std::mem::take(&mut heard) {
                last = Instant::now();
            }
            if last.elapsed() > SILENCE {
                return Err(self.stuck(ends));
            }
            if last.elapsed() > QUIET {
                self.ask(ends, &mut asked);
            }
        }
        Ok(())
    }

    /// Lets silent partitions read once more from where they are: one that then says it has ended
    /// has nothing before its end but marks of transactions, which no reader sees.
    fn ask(&self, ends: &[i64], asked: &mut [bool]) {
        for (partition, asked) in asked.iter_mut().enumerate() {
            let position = self.positions[partition];
            if *asked || position >= ends[partition] {
                continue;
            }
            let to = Offset::Offset(position);
            let name = self.topic.name();
            // A client that cannot do it now is asked again after the next silence.
            *asked = self
                .consumer
                .seek(name, partition as i32, to, client::PATIENCE)
                .is_ok();
        }
    }

    /// Notes that the record at `offset` was taken.
    fn pass(&mut self, partition: usize, offset: i64) {
        self.jumped |= self.positions[partition] != offset;
        self.positions[partition] = offset + 1;
    }

    /// Notes that there is nothing more before `end`.
    fn skip_to(&mut self, partition: usize, end: i64) {
        if self.positions[partition] < end {
            self.positions[partition] = end;
            self.jumped = true;
        }
    }

    /// Hands out what an earlier call has put aside; returns how many records that were.
    fn take_ahead(&mut self, ends: &[i64], take: &mut impl FnMut(&Record<'_>)) -> usize {
        let mut taken = 0;
        for (partition, end) in ends.iter().enumerate() {
            while let Some(message) = self.ahead[partition].front() {
                if message.offset() >= *end {
                    self.skip_to(partition, *end);
                    break;
                }
                take(&record(message));
                let offset = message.offset();
                self.ahead[partition].pop_front();
                self.pass(partition, offset);
                taken += 1;
            }
        }
        taken
    }

    fn stuck(&self, ends: &[i64]) -> Error {
        let missing: i64 = ends
            .iter()
            .zip(&self.positions)
            .map(|(end, position)| (end - position).max(0))
            .sum();
        Error::timed_out(format!(
            "the broker stopped sending records of topic `{}`",
            self.topic.name()
        ))
        .have(format!(
            "{missing} records not yet read after {} s",
            SILENCE.as_secs()
        ))
        .hint("cluster.describe()? to see whether it is still there, then run the cell again")
    }
}

fn record<M: Message>(message: &M) -> Record<'_> {
    let schema = message.headers().and_then(|headers| {
        (0..headers.count())
            .map(|index| headers.get(index))
            .find(|header| header.key == HEADER)?
            .value
    });
    Record {
        partition: message.partition(),
        offset: message.offset(),
        time_ms: message.timestamp().to_millis(),
        key: message.key(),
        payload: message.payload(),
        schema,
    }
}

/// Finds the first offset to read in each partition.
fn start(consumer: &Consumer, topic: &Topic, from: &Position) -> Result<Vec<i64>> {
    let mut bounds = Vec::new();
    for partition in 0..topic.partitions() as i32 {
        bounds.push(client::watermarks(consumer, topic.name(), partition)?);
    }
    let Some(since) = from.since()? else {
        return Ok(bounds
            .iter()
            .map(|(low, high)| {
                if *from == Position::Latest {
                    *high
                } else {
                    *low
                }
            })
            .collect());
    };
    let mut asked = TopicPartitionList::new();
    for partition in 0..topic.partitions() as i32 {
        asked.add_partition_offset(
            topic.name(),
            partition,
            Offset::Offset(since.div_euclid(1000)),
        )?;
    }
    let found = consumer.offsets_for_times(asked, client::PATIENCE)?;
    let offset = |partition: usize| match found
        .find_partition(topic.name(), partition as i32)
        .map(|element| element.offset())
    {
        Some(Offset::Offset(offset)) => offset,
        // No record is that late: reading begins at the end.
        _ => bounds[partition].1,
    };
    Ok((0..bounds.len()).map(offset).collect())
}
