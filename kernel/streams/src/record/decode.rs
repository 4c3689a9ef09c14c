//! Turns records into a frame, and counts those which are not rows.

use std::borrow::Cow;

use polars::prelude::{DataFrame, NamedFrom, PlSmallStr, Series};
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::column::Column;
use crate::Result;

/// How many rejected records are kept with their reason; all of them are counted.
const KEPT: usize = 1000;

/// A record that is no row, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// Topic, partition and offset, or file and line.
    pub place: String,
    pub why: String,
}

/// A column whose dtype is settled: what a fresh [`Decoder`] must know to go on as an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settled {
    pub name: String,
    /// As text, nothing where the column had no value yet.
    pub dtype: Option<String>,
    /// Whether values said so and no header, so that a later float may widen it.
    pub inferred: bool,
}

/// Collects records; its columns and their dtypes stay the same from one frame to the next.
#[derive(Default)]
pub(crate) struct Decoder {
    columns: Vec<Column>,
    rows: usize,
    header: Vec<u8>,
    rejected: Vec<Rejected>,
    rejected_count: u64,
}

impl Decoder {
    /// Goes on where another decoder has stopped.
    pub fn settled(columns: &[Settled]) -> Decoder {
        let column = |settled: &Settled| {
            let dtype = settled.dtype.as_deref().and_then(super::read_dtype);
            Column::settled(settled.name.as_str().into(), dtype, settled.inferred)
        };
        Decoder {
            columns: columns.iter().map(column).collect(),
            ..Decoder::default()
        }
    }

    /// Returns what another decoder needs to go on.
    pub fn settle(&self) -> Vec<Settled> {
        let settled = |column: &Column| Settled {
            name: column.name.to_string(),
            dtype: column.dtype().map(ToString::to_string),
            inferred: column.is_inferred(),
        };
        self.columns.iter().map(settled).collect()
    }

    /// Takes one record in; `place` names it, should it be rejected.
    pub fn push(&mut self, payload: &[u8], header: Option<&[u8]>, place: impl FnOnce() -> String) {
        if let Err(why) = self.try_push(payload, header) {
            self.reject(place(), why);
        }
    }

    /// Takes in one row whose cells stand in the order of `names`.
    pub fn push_cells(&mut self, names: &[PlSmallStr], cells: Vec<Cell<'_>>) -> Result<(), String> {
        let cells = names
            .iter()
            .zip(cells)
            .map(|(name, cell)| (self.index(name, 0), cell))
            .collect();
        self.push_row(cells)
    }

    /// Says beforehand what a column holds.
    pub fn declare(&mut self, name: &str, dtype: &polars::prelude::DataType) -> Result<(), String> {
        let index = self.index(name, 0);
        self.columns[index].declare(dtype)
    }

    /// Counts something that is no row.
    pub fn reject(&mut self, place: String, why: String) {
        self.rejected_count += 1;
        if self.rejected.len() < KEPT {
            self.rejected.push(Rejected { place, why });
        }
    }

    /// Returns how many rows wait to be taken.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns how many records were rejected so far.
    pub fn rejected_count(&self) -> u64 {
        self.rejected_count
    }

    /// Returns the rejected records with their reasons, the first thousand of them.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// Returns the rows so far as a frame and starts the next one.
    pub fn take(&mut self) -> Result<DataFrame> {
        let rows = std::mem::take(&mut self.rows);
        let series = self
            .columns
            .iter_mut()
            .map(|column| column.take().map(Into::into));
        Ok(DataFrame::new(
            rows,
            series.collect::<Result<Vec<_>, _>>()?,
        )?)
    }

    fn try_push(&mut self, payload: &[u8], header: Option<&[u8]>) -> Result<(), String> {
        if let Some(header) = header
            && header != self.header
        {
            for (name, dtype) in super::read_schema(header) {
                let index = self.index(&name, self.columns.len());
                self.columns[index].declare(&dtype)?;
            }
            self.header = header.to_vec();
        }
        let mut row = Vec::with_capacity(self.columns.len());
        super::scan::object(payload, |name, cell| {
            row.push((self.index(name, row.len()), cell));
            Ok(())
        })?;
        self.push_row(row)
    }

    /// Checks every cell before any is stored, so that a rejected row leaves nothing behind.
    fn push_row(&mut self, row: Vec<(usize, Cell<'_>)>) -> Result<(), String> {
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.columns.len());
        cells.resize(self.columns.len(), Cell::Null);
        for (index, cell) in row {
            cells[index] = self.columns[index].fit(cell)?;
        }
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(textual(column, cell));
        }
        self.rows += 1;
        Ok(())
    }

    /// Finds a column, most likely the one at `guess`; makes it where it is new.
    fn index(&mut self, name: &str, guess: usize) -> usize {
        if self
            .columns
            .get(guess)
            .is_some_and(|column| column.name == name)
        {
            return guess;
        }
        if let Some(index) = self.columns.iter().position(|column| column.name == name) {
            return index;
        }
        self.columns
            .push(Column::new(PlSmallStr::from(name), None, self.rows));
        self.columns.len() - 1
    }
}

/// Returns the rejected records as a frame: place, reason.
pub(crate) fn rejected_frame(rejected: &[Rejected]) -> Result<DataFrame> {
    let column = |name: &str, pick: fn(&Rejected) -> &str| {
        Series::new(name.into(), rejected.iter().map(pick).collect::<Vec<_>>()).into()
    };
    let columns = vec![
        column("record", |rejected| &rejected.place),
        column("reason", |rejected| &rejected.why),
    ];
    Ok(DataFrame::new(rejected.len(), columns)?)
}

/// An untyped column that mixes kinds becomes text; this makes the new value text too.
fn textual<'a>(column: &Column, cell: Cell<'a>) -> Cell<'a> {
    if !(column.is_text() || column.needs_text(&cell)) {
        return cell;
    }
    match cell {
        Cell::Bool(value) => Cell::Text(Cow::Owned(value.to_string())),
        Cell::Int(value) => Cell::Text(Cow::Owned(value.to_string())),
        Cell::Float(value) => Cell::Text(Cow::Owned(value.to_string())),
        other => other,
    }
}
