//! Leaves out rows whose key has been there before, for as long as the watermark lets one tell.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::window::{Batch, Keys, SavedColumn, Typed, late_events};
use crate::{Error, Result, replay};

/// Which rows are the same, and how long that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DedupSpec {
    pub columns: Vec<String>,
    /// Whether a key is forgotten once the watermark has passed its first event by its delay.
    pub within: bool,
}

/// The keys that have been there.
#[derive(Clone)]
pub(crate) struct Dedup {
    pub spec: DedupSpec,
    time: String,
    /// Nothing where no watermark stands before it.
    delay: Option<i64>,
    keys: Keys,
    /// Until which watermark a key, by its number, is remembered; [`GONE`] where it is not.
    until: Vec<i64>,
    by_until: BTreeMap<i64, Vec<u32>>,
    remembered: usize,
}

/// What came of the rows of a batch.
pub(crate) struct Passed {
    pub rows: DataFrame,
    pub duplicates: usize,
    /// The rows that came when their key may have been forgotten, in the form of late rows.
    pub late: DataFrame,
}

const GONE: i64 = i64::MIN;
const FOR_EVER: i64 = i64::MAX;

/// So many forgotten keys may stay numbered beside those that are remembered.
const IDLE: usize = 8192;

#[derive(Serialize, Deserialize)]
struct Saved {
    keys: Vec<SavedColumn>,
    until: Vec<i64>,
}

impl DedupSpec {
    pub fn words(&self) -> String {
        let columns = self.columns.join(", ");
        match self.within {
            true => format!("drop duplicates of {columns} within the watermark"),
            false => format!("drop duplicates of {columns}"),
        }
    }

    /// Keeps the first row of every key of a frame that is all there is.
    pub fn of_batch(&self, rows: DataFrame) -> Result<DataFrame> {
        if self.within {
            return Err(Error::new(
                "how long duplicates are told by the watermark depends on the micro-batches",
            )
            .have(self.words())
            .hint(".run_batches(&frames)?, or .drop_duplicates([..]) for a run over one frame"));
        }
        let mut keys = Dedup::new(self.clone(), "", None);
        Ok(keys.unseen(&rows, |_| FOR_EVER)?.0)
    }
}

impl Dedup {
    pub fn new(spec: DedupSpec, time: &str, delay: Option<i64>) -> Dedup {
        Dedup {
            keys: Keys::new(spec.columns.len()),
            spec,
            time: time.into(),
            delay,
            until: Vec::new(),
            by_until: BTreeMap::new(),
            remembered: 0,
        }
    }

    /// Returns how many keys are remembered.
    pub fn len(&self) -> usize {
        self.remembered
    }

    pub fn bytes(&self) -> usize {
        self.keys.bytes() + self.until.len() * 8 + self.remembered * 16
    }

    /// Takes a batch in, then forgets the keys that the watermark has passed.
    pub fn push(&mut self, batch: &Batch, place: &str) -> Result<Passed> {
        let mut passed = Passed {
            rows: batch.rows.clone(),
            duplicates: 0,
            late: DataFrame::empty(),
        };
        if batch.rows.height() > 0 {
            self.take(batch, place, &mut passed)?;
        }
        while let Some(entry) = self.by_until.first_entry() {
            if *entry.key() > batch.watermark {
                break;
            }
            for key in entry.remove() {
                self.until[key as usize] = GONE;
                self.remembered -= 1;
            }
        }
        if self.until.len() > 2 * self.remembered + IDLE {
            let saved = self.saved()?;
            self.restore(saved)?;
        }
        Ok(passed)
    }

    fn take(&mut self, batch: &Batch, place: &str, passed: &mut Passed) -> Result<()> {
        let schema = batch.rows.schema();
        if let Some(missing) = self
            .spec
            .columns
            .iter()
            .find(|column| !schema.contains(column))
        {
            return Err(Error::unknown_column(missing, place, schema));
        }
        let Some(delay) = self.delay else {
            (passed.rows, passed.duplicates) = self.unseen(&batch.rows, |_| FOR_EVER)?;
            return Ok(());
        };
        let times = replay::micros_of(&batch.rows, &self.time, place)?;
        let is_late = |time: Option<i64>| time.is_some_and(|time| time <= batch.late_before);
        let late: Vec<IdxSize> = (0..)
            .zip(times.iter())
            .filter_map(|(row, time)| is_late(time).then_some(row))
            .collect();
        let (rows, times) = match late.is_empty() {
            true => (batch.rows.clone(), times),
            false => {
                passed.late = late_events(&batch.rows, &late, &times, batch.late_before)?;
                let kept: BooleanChunked = times.iter().map(|time| Some(!is_late(time))).collect();
                (batch.rows.filter(&kept)?, times.filter(&kept)?)
            }
        };
        let times: Vec<Option<i64>> = times.iter().collect();
        let is_timed = self.spec.columns.contains(&self.time);
        let within = self.spec.within;
        (passed.rows, passed.duplicates) = self.unseen(&rows, |row| match times[row] {
            Some(time) if within => time.saturating_add(delay),
            Some(time) if is_timed => time,
            _ => FOR_EVER,
        })?;
        Ok(())
    }

    /// Returns the rows whose keys are not remembered, and how many others there were; remembers
    /// each new key until what `until` says of its row.
    fn unseen(
        &mut self,
        rows: &DataFrame,
        until: impl Fn(usize) -> i64,
    ) -> Result<(DataFrame, usize)> {
        if rows.height() == 0 {
            return Ok((rows.clone(), 0));
        }
        let columns = self
            .spec
            .columns
            .iter()
            .map(|column| Typed::of(rows.column(column)?));
        let columns = columns.collect::<Result<Vec<Typed>>>()?;
        let numbers = self.keys.numbers(&columns, rows.height())?;
        self.until
            .resize(self.keys.len().max(self.until.len()), GONE);
        let mut is_new = Vec::with_capacity(numbers.len());
        for (row, key) in numbers.iter().enumerate() {
            let new = self.until[*key as usize] == GONE;
            if new {
                self.remember(*key, until(row));
            }
            is_new.push(new);
        }
        let duplicates = is_new.iter().filter(|new| !**new).count();
        let rows = match duplicates {
            0 => rows.clone(),
            _ => rows.filter(&BooleanChunked::from_slice("new".into(), &is_new))?,
        };
        Ok((rows, duplicates))
    }

    fn remember(&mut self, key: u32, until: i64) {
        // A watermark never gets so far: nothing is forgotten at the end of time.
        self.until[key as usize] = until;
        if until != FOR_EVER {
            self.by_until.entry(until).or_default().push(key);
        }
        self.remembered += 1;
    }

    /// Returns the state as bytes.
    pub fn save(&self) -> Result<Vec<u8>> {
        postcard::to_stdvec(&self.saved()?).map_err(|cause| broken(&cause.to_string()))
    }

    /// Takes up a state that [`Dedup::save`] wrote.
    pub fn load(&mut self, bytes: &[u8]) -> Result<()> {
        let saved = postcard::from_bytes(bytes).map_err(|cause| broken(&cause.to_string()))?;
        self.restore(saved)
    }

    fn saved(&self) -> Result<Saved> {
        let known: Vec<u32> = (0..self.until.len() as u32)
            .filter(|key| self.until[*key as usize] != GONE)
            .collect();
        let columns = self.keys.columns(&self.spec.columns, &known)?;
        Ok(Saved {
            keys: columns.iter().map(SavedColumn::of).collect::<Result<_>>()?,
            until: known.iter().map(|key| self.until[*key as usize]).collect(),
        })
    }

    fn restore(&mut self, saved: Saved) -> Result<()> {
        if saved.keys.len() != self.spec.columns.len() {
            return Err(broken("other columns than the query has"));
        }
        let columns = saved.keys.into_iter().zip(&self.spec.columns);
        let columns = columns.map(|(column, name)| Typed::of(&column.column(name)?));
        let columns = columns.collect::<Result<Vec<Typed>>>()?;
        *self = Dedup::new(self.spec.clone(), &self.time, self.delay);
        let numbers = self.keys.numbers(&columns, saved.until.len())?;
        self.until.resize(self.keys.len(), GONE);
        for (key, until) in numbers.into_iter().zip(saved.until) {
            self.remember(key, until);
        }
        Ok(())
    }
}

fn broken(why: &str) -> Error {
    Error::new("the keys in the checkpoint cannot be read")
        .have(why)
        .hint("the program that wrote it, or a new checkpoint folder")
}
