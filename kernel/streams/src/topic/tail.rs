//! Reading a topic in micro-batches, each up to the end that all partitions had at one moment.
//!
//! Reading each partition as fast as it comes would let one run ahead of the others, and its
//! later events would move the watermark past rows of the others that are only slower to arrive.
//! So a batch first asks where every partition ends and then reads all of them up to there.

use polars::prelude::*;

use super::letters::Kept;
use super::reader::{Reader, Record};
use super::{Position, Topic};
use crate::Result;
use crate::record::decode::{Decoder, Rejected};

/// One reader of all partitions that gives frames.
pub(crate) struct Tail {
    reader: Reader,
    topic: Topic,
    generation: u64,
    decoder: Decoder,
    /// The records that were no rows.
    pub letters: Kept,
}

/// A record as it stands in the topic.
pub(crate) struct Raw {
    pub partition: i32,
    pub offset: i64,
    pub payload: Vec<u8>,
}

/// A record of a changelog: a value for a key, or none any more.
pub(crate) struct Change {
    pub key: Option<String>,
    pub payload: Option<Vec<u8>>,
    pub schema: Option<Vec<u8>>,
}

/// What one look at the topic found.
pub(crate) enum Look {
    Rows(DataFrame),
    Nothing,
    /// The topic was emptied; reading began anew at its start.
    Emptied,
}

impl Tail {
    /// Starts reading at `from`.
    pub fn open(topic: &Topic, from: &Position) -> Result<Tail> {
        let generation = topic.state.generation();
        Ok(Tail {
            reader: Reader::open(topic, from)?,
            topic: topic.clone(),
            generation,
            decoder: Decoder::of(topic.format()),
            letters: Kept::default(),
        })
    }

    /// Reads what has come since the last look, up to the ends that hold now.
    ///
    /// A topic that is not there is one that somebody empties just now, or may create again.
    pub fn look(&mut self, stop: &dyn Fn() -> bool) -> Result<Look> {
        match self.try_look(stop) {
            Err(error) if error.is_unknown_topic() => Ok(Look::Nothing),
            look => look,
        }
    }

    fn try_look(&mut self, stop: &dyn Fn() -> bool) -> Result<Look> {
        let ends = self.reader.ends()?;
        if self.generation != self.topic.state.generation() || self.reader.is_past(&ends) {
            let topic = self.topic.clone();
            let mut anew = Tail::open(&topic, &Position::Earliest)?;
            // Only now: where the topic is not there again yet, the letters stay where they are.
            anew.letters = std::mem::take(&mut self.letters);
            *self = anew;
            return Ok(Look::Emptied);
        }
        if self.reader.is_at(&ends) {
            return Ok(Look::Nothing);
        }
        let (decoder, letters) = (&mut self.decoder, &mut self.letters);
        self.reader.read_to(&ends, stop, |record| {
            take_in(decoder, record, Some(letters));
        })?;
        Ok(Look::Rows(self.decoder.take()?))
    }

    /// Returns the first row of each partition, if there is any, to see what columns there are.
    pub fn peek(topic: &Topic, from: &Position) -> Result<Option<DataFrame>> {
        let mut tail = Tail::open(topic, from)?;
        let ends = tail.reader.first_of(&tail.reader.ends()?);
        let decoder = &mut tail.decoder;
        tail.reader.read_to(&ends, &|| false, |record| {
            take_in(decoder, record, None);
        })?;
        Ok(Some(tail.decoder.take()?).filter(|frame| frame.height() > 0))
    }

    /// Reads everything up to the present end, ordered by timestamp, partition and offset.
    pub fn bounded(&mut self, metadata: bool) -> Result<DataFrame> {
        let ends = self.reader.ends()?;
        let mut origin = Origin::default();
        let decoder = &mut self.decoder;
        while !self.reader.is_at(&ends) {
            self.reader.read_to(&ends, &|| false, |record| {
                if take_in(decoder, record, None) {
                    origin.push(record);
                }
            })?;
        }
        origin.sorted(self.decoder.take()?, metadata)
    }

    /// Reads everything up to the present end as it is, in the order of [`Tail::bounded`].
    pub fn raw(&mut self) -> Result<Vec<Raw>> {
        let ends = self.reader.ends()?;
        let mut records: Vec<(i64, Raw)> = Vec::new();
        while !self.reader.is_at(&ends) {
            self.reader.read_to(&ends, &|| false, |record| {
                let payload = record.payload.unwrap_or(b"null").to_vec();
                let raw = Raw {
                    partition: record.partition,
                    offset: record.offset,
                    payload,
                };
                records.push((record.time_ms.unwrap_or(0), raw));
            })?;
        }
        records.sort_by_key(|(time, raw)| (*time, raw.partition, raw.offset));
        Ok(records.into_iter().map(|(_, raw)| raw).collect())
    }

    /// Reads everything up to the present end with its keys, records without a value too, in the order
    /// of [`Tail::bounded`].
    pub fn changes(&mut self) -> Result<Vec<Change>> {
        let ends = self.reader.ends()?;
        let mut changes: Vec<((i64, i32, i64), Change)> = Vec::new();
        while !self.reader.is_at(&ends) {
            self.reader.read_to(&ends, &|| false, |record| {
                let place = (record.time_ms.unwrap_or(0), record.partition, record.offset);
                let change = Change {
                    key: record
                        .key
                        .map(|key| String::from_utf8_lossy(key).into_owned()),
                    payload: record.payload.map(<[u8]>::to_vec),
                    schema: record.schema.map(<[u8]>::to_vec),
                };
                changes.push((place, change));
            })?;
        }
        changes.sort_by_key(|(place, _)| *place);
        Ok(changes.into_iter().map(|(_, change)| change).collect())
    }

    /// Returns how many records were no rows.
    pub fn rejected_count(&self) -> u64 {
        self.decoder.rejected_count()
    }

    /// Returns those records with their reasons.
    pub fn rejected(&self) -> &[Rejected] {
        self.decoder.rejected()
    }

    /// Returns a sentence on the records that were no rows, if there are any.
    pub fn rejected_note(&self) -> Option<String> {
        let first = self.decoder.rejected().first()?;
        let (count, topic) = (self.decoder.rejected_count(), self.topic.name());
        Some(format!(
            "{count} records of topic `{topic}` were left out; the first: {}: {}",
            first.place, first.why
        ))
    }
}

/// Decodes one record; returns whether it became a row.
fn take_in(decoder: &mut Decoder, record: &Record<'_>, letters: Option<&mut Kept>) -> bool {
    // A record without a value deletes its key in a compacted topic; it is no row.
    let Some(payload) = record.payload else {
        return false;
    };
    let before = decoder.rows();
    let why = decoder.push(payload, record.schema, || {
        format!("partition {} offset {}", record.partition, record.offset)
    });
    if let (Some(why), Some(letters)) = (why, letters) {
        letters.add(record, why);
    }
    decoder.rows() > before
}

/// Where the rows of a frame come from, in their order.
#[derive(Default)]
struct Origin {
    partitions: Vec<i32>,
    offsets: Vec<i64>,
    times_ms: Vec<Option<i64>>,
    keys: Vec<Option<String>>,
}

impl Origin {
    fn push(&mut self, record: &Record<'_>) {
        self.partitions.push(record.partition);
        self.offsets.push(record.offset);
        self.times_ms.push(record.time_ms);
        self.keys.push(
            record
                .key
                .map(|key| String::from_utf8_lossy(key).into_owned()),
        );
    }

    /// Returns `rows` in the order of their timestamps, with or without the columns of this.
    fn sorted(self, rows: DataFrame, metadata: bool) -> Result<DataFrame> {
        let mut order: Vec<IdxSize> = (0..rows.height() as IdxSize).collect();
        order.sort_by_key(|row| {
            let row = *row as usize;
            (self.times_ms[row], self.partitions[row], self.offsets[row])
        });
        let rows = if metadata {
            let times = Series::new("_timestamp".into(), self.times_ms);
            rows.hstack(&[
                Series::new("_partition".into(), self.partitions).into(),
                Series::new("_offset".into(), self.offsets).into(),
                times
                    .cast(&DataType::Datetime(
                        TimeUnit::Milliseconds,
                        Some(TimeZone::UTC),
                    ))?
                    .into(),
                Series::new("_key".into(), self.keys).into(),
            ])?
        } else {
            rows
        };
        Ok(rows.take(&IdxCa::from_vec("order".into(), order))?)
    }
}
