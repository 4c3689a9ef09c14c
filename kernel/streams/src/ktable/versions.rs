//! Which row a key has, and had.

use hashbrown::HashMap;
use polars::prelude::*;

use crate::Result;
use crate::window::append;

/// So many rows that no key has any more may stay beside the others.
const IDLE: usize = 4096;

/// The rows of a table, and which of them each key had from when on.
#[derive(Default)]
pub(super) struct Versions {
    rows: DataFrame,
    /// By time; of equal times the one that came last is last. Nothing where the key was deleted.
    of: HashMap<Vec<String>, Vec<(i64, Option<IdxSize>)>>,
    len: usize,
}

/// What one change did.
pub(super) struct Put {
    /// Whether the change says what holds now.
    pub is_latest: bool,
    pub was: Option<IdxSize>,
    pub is: Option<IdxSize>,
}

impl Versions {
    /// Adds rows that no key has yet; returns the number of the first.
    pub fn add(&mut self, rows: &DataFrame) -> Result<IdxSize> {
        let first = self.rows.height() as IdxSize;
        append(&mut self.rows, rows)?;
        Ok(first)
    }

    /// Gives a key a row from `time` on, or none. Without `all` its earlier rows are forgotten.
    pub fn put(&mut self, key: Vec<String>, time: i64, row: Option<IdxSize>, all: bool) -> Put {
        let versions = self.of.entry(key).or_default();
        let was = versions.last().and_then(|(_, row)| *row);
        let behind = versions.partition_point(|(there, _)| *there <= time);
        let is_latest = behind == versions.len();
        match all {
            true => versions.insert(behind, (time, row)),
            false => *versions = vec![(time, row)],
        }
        if is_latest {
            self.len = self.len + usize::from(row.is_some()) - usize::from(was.is_some());
        }
        Put {
            is_latest,
            was,
            is: row,
        }
    }

    /// Returns how many keys have a row now.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn latest(&self, key: &[String]) -> Option<IdxSize> {
        self.of.get(key)?.last()?.1
    }

    /// Returns the row that a key had at a time.
    pub fn at(&self, key: &[String], time: i64) -> Option<IdxSize> {
        at(self.of.get(key)?, time)
    }

    /// Returns the rows that all keys had at a time.
    pub fn all_at(&self, time: i64) -> Vec<IdxSize> {
        self.of
            .values()
            .filter_map(|versions| at(versions, time))
            .collect()
    }

    /// Returns the frame that the numbers of rows point into.
    pub fn all(&self) -> &DataFrame {
        &self.rows
    }

    pub fn rows(&self, numbers: &[IdxSize]) -> Result<DataFrame> {
        Ok(self.rows.take(&IdxCa::from_slice("row".into(), numbers))?)
    }

    /// Leaves out rows that no key has any more, once there are many.
    pub fn compact(&mut self) -> Result<()> {
        let used: usize = self.of.values().map(Vec::len).sum();
        if self.rows.height() <= 2 * used + IDLE {
            return Ok(());
        }
        let mut numbers = Vec::new();
        for (_, row) in self.of.values_mut().flatten() {
            if let Some(row) = row {
                numbers.push(*row);
                *row = numbers.len() as IdxSize - 1;
            }
        }
        self.rows = self.rows(&numbers)?;
        Ok(())
    }
}

fn at(versions: &[(i64, Option<IdxSize>)], time: i64) -> Option<IdxSize> {
    let behind = versions.partition_point(|(there, _)| *there <= time);
    versions[..behind].last()?.1
}
