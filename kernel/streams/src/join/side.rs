//! The rows of one side that may still find a match.

use hashbrown::HashMap;
use polars::prelude::*;

use crate::Result;
use crate::window::append;

/// Stands for a key that matches nothing: one that is null.
pub(super) const NO_KEY: u32 = u32::MAX;

/// Rows in the order in which they came.
#[derive(Default)]
pub(super) struct Side {
    pub rows: DataFrame,
    /// Epoch microseconds.
    times: Vec<i64>,
    keys: Vec<u32>,
    matched: Vec<bool>,
    by_key: HashMap<u32, Vec<u32>>,
}

impl Side {
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Adds rows with their times and keys; returns the number of the first.
    pub fn add(&mut self, rows: &DataFrame, times: Vec<i64>, keys: Vec<u32>) -> Result<u32> {
        let first = self.times.len() as u32;
        append(&mut self.rows, rows)?;
        for (row, key) in (first..).zip(&keys) {
            if *key != NO_KEY {
                self.by_key.entry(*key).or_default().push(row);
            }
        }
        self.matched.resize(self.matched.len() + times.len(), false);
        self.times.extend(times);
        self.keys.extend(keys);
        Ok(first)
    }

    /// Gives every row the new number of its key.
    pub fn number(&mut self, keys: Vec<u32>) {
        self.by_key.clear();
        for (row, key) in (0..).zip(&keys) {
            if *key != NO_KEY {
                self.by_key.entry(*key).or_default().push(row);
            }
        }
        self.keys = keys;
    }

    /// Returns the rows of a key that lie at most `within` from a time.
    pub fn near(&self, key: u32, time: i64, within: i64) -> impl Iterator<Item = u32> + '_ {
        let rows = self.by_key.get(&key).map_or(&[][..], Vec::as_slice);
        let near = move |row: &u32| (self.times[*row as usize] - time).abs() <= within;
        rows.iter().copied().filter(near)
    }

    pub fn time(&self, row: u32) -> i64 {
        self.times[row as usize]
    }

    pub fn key(&self, row: u32) -> u32 {
        self.keys[row as usize]
    }

    pub fn mark(&mut self, row: u32) {
        self.matched[row as usize] = true;
    }

    /// Removes the rows up to `time`; returns those that never found a match, and how many went.
    pub fn evict(&mut self, time: i64) -> Result<(DataFrame, usize)> {
        let gone: Vec<bool> = self.times.iter().map(|there| *there <= time).collect();
        let count = gone.iter().filter(|gone| **gone).count();
        if count == 0 {
            return Ok((self.rows.clear(), 0));
        }
        let mask = |pick: &dyn Fn(usize) -> bool| -> BooleanChunked {
            (0..gone.len()).map(|row| Some(pick(row))).collect()
        };
        let alone = self
            .rows
            .filter(&mask(&|row| gone[row] && !self.matched[row]))?;
        let rows = self.rows.filter(&mask(&|row| !gone[row]))?;
        let kept = |row: &usize| !gone[*row];
        let (times, keys, matched): (Vec<i64>, Vec<u32>, Vec<bool>) = (
            (0..gone.len())
                .filter(kept)
                .map(|row| self.times[row])
                .collect(),
            (0..gone.len())
                .filter(kept)
                .map(|row| self.keys[row])
                .collect(),
            (0..gone.len())
                .filter(kept)
                .map(|row| self.matched[row])
                .collect(),
        );
        *self = Side {
            rows: rows.clear(),
            ..Side::default()
        };
        self.add(&rows, times, keys)?;
        self.matched = matched;
        Ok((alone, count))
    }
}
