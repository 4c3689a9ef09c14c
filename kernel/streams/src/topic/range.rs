//! Reading exactly what was planned: for each partition from one offset up to another.
//!
//! The same plan gives the same rows in the same order, whenever and by whomever it is read: the
//! records wait until all are there and are decoded in the order of their timestamps, then
//! partitions and offsets. So a micro-batch that is replayed after a crash is the batch it was.

use polars::prelude::DataFrame;

use super::letters::Kept;
use super::reader::{Reader, Record};
use super::{Position, Topic};
use crate::record::decode::{Decoder, Rejected, Settled};
use crate::{Error, Result};

/// A reader of planned ranges.
pub(crate) struct Ranges {
    reader: Reader,
    topic: Topic,
    decoder: Decoder,
    /// The records that were no rows.
    pub letters: Kept,
}

/// The records of one micro-batch, as bytes one behind the other.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    /// The schema headers of the batch; there are few.
    schemas: Vec<Vec<u8>>,
    records: Vec<Place>,
    /// Whether a record's key stands behind its value.
    with_keys: bool,
}

/// Where one record stands in [`Held`].
#[derive(Clone, Copy)]
struct Place {
    time_ms: i64,
    partition: i32,
    offset: i64,
    from: usize,
    to: usize,
    /// Where the key ends that begins at `to`.
    key: Option<usize>,
    schema: Option<usize>,
}

/// Returns where a first run of a job begins in each partition.
pub(crate) fn beginning(topic: &Topic, from: &Position) -> Result<Vec<i64>> {
    Ok(Reader::open(topic, from)?.positions().to_vec())
}

impl Ranges {
    /// Starts reading at these offsets, with the dtypes that earlier batches have settled.
    ///
    /// # Errors
    /// When the topic no longer holds them, or holds less than was read already.
    pub fn open(topic: &Topic, offsets: &[i64], settled: &[Settled]) -> Result<Ranges> {
        let ranges = Ranges {
            reader: Reader::open_at(topic, offsets)?,
            topic: topic.clone(),
            decoder: Decoder::settled(topic.format(), settled),
            letters: Kept::default(),
        };
        ranges.check(offsets)?;
        Ok(ranges)
    }

    /// Returns the offset behind the last record, per partition.
    ///
    /// # Errors
    /// When the topic has lost records that are not yet read.
    pub fn ends(&self) -> Result<Vec<i64>> {
        let bounds = self.reader.bounds()?;
        self.check_bounds(self.reader.positions(), &bounds)?;
        Ok(bounds.into_iter().map(|(_, end)| end).collect())
    }

    /// Returns the rows up to `ends`.
    ///
    /// # Errors
    /// When records of the range are gone, the broker stays silent, or on interrupt.
    pub fn read(&mut self, ends: &[i64], stop: &dyn Fn() -> bool) -> Result<Option<DataFrame>> {
        let starts = self.reader.positions().to_vec();
        let mut held = Held {
            with_keys: self.letters.is_wanted(),
            ..Held::default()
        };
        while !self.reader.is_at(ends) {
            if stop() {
                return Ok(None);
            }
            let read = self.reader.read_to(ends, stop, |record| held.push(record));
            if read.is_err() || self.reader.has_jumped() {
                // Offsets may be missing by right (compaction, marks of transactions), or because
                // the topic no longer keeps them.
                self.check(&starts)?;
            }
            read?;
        }
        held.sort();
        let decoder = &mut self.decoder;
        for place in &held.records {
            let schema = place.schema.map(|index| held.schemas[index].as_slice());
            let payload = &held.bytes[place.from..place.to];
            let why = decoder.push(payload, schema, || {
                format!("partition {} offset {}", place.partition, place.offset)
            });
            if let Some(why) = why {
                self.letters.add(&held.record(place), why);
            }
        }
        Ok(Some(decoder.take()?))
    }

    /// Returns names and dtypes of the columns so far.
    pub fn settled(&self) -> Vec<Settled> {
        self.decoder.settle()
    }

    /// Returns how many records were no rows since this was opened.
    pub fn rejected_count(&self) -> u64 {
        self.decoder.rejected_count()
    }

    /// Returns the first thousand of them with their reasons.
    pub fn rejected(&self) -> &[Rejected] {
        self.decoder.rejected()
    }

    fn check(&self, offsets: &[i64]) -> Result<()> {
        self.check_bounds(offsets, &self.reader.bounds()?)
    }

    fn check_bounds(&self, offsets: &[i64], bounds: &[(i64, i64)]) -> Result<()> {
        for (partition, (offset, (low, high))) in offsets.iter().zip(bounds).enumerate() {
            let name = self.topic.name();
            if offset < low {
                return Err(Error::new(format!(
                    "topic `{name}` no longer holds records that the job has not read"
                ))
                .have(format!(
                    "partition {partition} begins at offset {low}, the job has read up to {offset}: {} records are lost",
                    low - offset
                ))
                .hint("a new checkpoint folder begins anew with what is there; a longer retention.ms keeps it from happening"));
            }
            if offset > high {
                return Err(emptied(name).have(format!(
                    "partition {partition} ends at offset {high}, the job has read up to {offset}"
                )));
            }
        }
        Ok(())
    }
}

/// The error of a topic that is not the one the checkpoint knows.
pub(crate) fn emptied(name: &str) -> Error {
    Error::new(format!(
        "topic `{name}` was emptied or made anew since the job last ran"
    ))
    .hint("a new checkpoint folder and a new sink, to begin anew")
}

impl Held {
    fn push(&mut self, record: &Record<'_>) {
        // A record without a value deletes its key in a compacted topic; it is no row.
        let Some(payload) = record.payload else {
            return;
        };
        let schema = record.schema.map(|schema| {
            let known = self.schemas.iter().rposition(|known| known == schema);
            known.unwrap_or_else(|| {
                self.schemas.push(schema.to_vec());
                self.schemas.len() - 1
            })
        });
        let from = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        let to = self.bytes.len();
        let key = record.key.filter(|_| self.with_keys).map(|key| {
            self.bytes.extend_from_slice(key);
            self.bytes.len()
        });
        self.records.push(Place {
            time_ms: record.time_ms.unwrap_or(0),
            partition: record.partition,
            offset: record.offset,
            from,
            to,
            key,
            schema,
        });
    }

    /// Returns a record as it was read.
    fn record(&self, place: &Place) -> Record<'_> {
        Record {
            partition: place.partition,
            offset: place.offset,
            time_ms: Some(place.time_ms),
            key: place.key.map(|end| &self.bytes[place.to..end]),
            payload: Some(&self.bytes[place.from..place.to]),
            schema: None,
        }
    }

    fn sort(&mut self) {
        let key = |place: &Place| (place.time_ms, place.partition, place.offset);
        if !self.records.is_sorted_by_key(key) {
            self.records.sort_unstable_by_key(key);
        }
    }
}
