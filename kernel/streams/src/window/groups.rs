//! The groups of a query in columns: bounds, key, count of rows, and one column per aggregate.

use polars::prelude::*;

use super::Aggregates;
use super::accumulator::{NOWHERE, Rows};
use super::measure::{Columns, Kept};
use super::typed::{Typed, common_dtype};
use crate::Result;

/// Groups, each at a place that it keeps until it is removed; a removed group's place is used again.
#[derive(Clone)]
pub(super) struct Groups {
    /// Epoch microseconds.
    pub starts: Vec<i64>,
    pub ends: Vec<i64>,
    pub keys: Vec<u32>,
    /// How often a place was given to a group, so that a reference to an earlier one is found out.
    pub lives: Vec<u32>,
    pub rows: Vec<i64>,
    pub columns: Columns,
    pub kept: Vec<Kept>,
    /// The dtypes of the inputs so far.
    pub dtypes: Vec<DataType>,
    free: Vec<u32>,
    /// The batch that last touched a place.
    stamps: Vec<u64>,
    batch: u64,
    pub touched: Vec<u32>,
}

impl Groups {
    pub fn new(aggregates: &Aggregates) -> Groups {
        let (columns, kept) = aggregates.state();
        Groups {
            starts: Vec::new(),
            ends: Vec::new(),
            keys: Vec::new(),
            lives: Vec::new(),
            rows: Vec::new(),
            columns,
            kept,
            dtypes: vec![DataType::Null; aggregates.inputs.len()],
            free: Vec::new(),
            stamps: Vec::new(),
            batch: 0,
            touched: Vec::new(),
        }
    }

    /// Returns how many groups there are.
    pub fn len(&self) -> usize {
        self.starts.len() - self.free.len()
    }

    /// Forgets which groups the last batch touched.
    pub fn begin(&mut self) {
        self.batch += 1;
        self.touched.clear();
    }

    /// Returns an empty place for a new group.
    pub fn add(&mut self, start: i64, end: i64, key: u32) -> u32 {
        if let Some(place) = self.free.pop() {
            let at = place as usize;
            (self.starts[at], self.ends[at], self.keys[at], self.rows[at]) = (start, end, key, 0);
            for (column, _) in &mut self.columns.accumulators {
                column.reset(place);
            }
            return place;
        }
        self.starts.push(start);
        self.ends.push(end);
        self.keys.push(key);
        self.rows.push(0);
        self.lives.push(0);
        self.stamps.push(0);
        for (column, _) in &mut self.columns.accumulators {
            column.grow();
        }
        let place = u32::try_from(self.starts.len() - 1).unwrap_or(NOWHERE);
        assert!(
            place != NOWHERE,
            "fewer than four thousand million groups are in the state"
        );
        place
    }

    /// Gives a group's place back. What is in it stays readable until the next [`Groups::add`].
    pub fn remove(&mut self, place: u32) {
        self.lives[place as usize] += 1;
        self.free.push(place);
    }

    /// Notes that the batch changes a group.
    #[inline]
    pub fn touch(&mut self, place: u32) {
        let stamp = &mut self.stamps[place as usize];
        if *stamp != self.batch {
            *stamp = self.batch;
            self.touched.push(place);
        }
    }

    /// Takes the rows of a batch into their groups.
    pub fn take(
        &mut self,
        places: &[u32],
        times: &Int64Chunked,
        arrived: u64,
        inputs: &[Typed],
    ) -> Result<()> {
        for place in places {
            if *place != NOWHERE {
                self.rows[*place as usize] += 1;
            }
        }
        let rows = Rows {
            places,
            times,
            arrived,
            counts: &self.rows,
        };
        for (column, input) in &mut self.columns.accumulators {
            column.take(&rows, &inputs[*input])?;
        }
        Ok(())
    }

    /// Adds the dtypes of a batch to those seen so far.
    pub fn widen(&mut self, inputs: &[Typed]) -> Result<()> {
        for (index, input) in inputs.iter().enumerate() {
            let dtype = common_dtype(&self.dtypes[index], &input.dtype)?;
            if self.dtypes[index] == DataType::Null && dtype.is_float() {
                self.columns.unify(index);
            }
            self.dtypes[index] = dtype;
        }
        Ok(())
    }

    /// Adds one group to another.
    pub fn merge(&mut self, from: u32, to: u32) -> Result<()> {
        self.rows[to as usize] += self.rows[from as usize];
        for (column, _) in &mut self.columns.accumulators {
            column.merge(from, to)?;
        }
        Ok(())
    }

    /// Returns the places of all groups.
    pub fn places(&self) -> Vec<u32> {
        let mut is_free = vec![false; self.starts.len()];
        for place in &self.free {
            is_free[*place as usize] = true;
        }
        let all = 0..self.starts.len() as u32;
        all.filter(|place| !is_free[*place as usize]).collect()
    }

    /// Returns about how many bytes the groups take.
    pub fn bytes(&self) -> usize {
        let columns = self.columns.accumulators.iter();
        let columns: usize = columns.map(|(column, _)| column.bytes()).sum();
        // Bounds, key, lives, rows, stamp, and the place in an index.
        self.starts.len() * 52 + columns
    }
}
