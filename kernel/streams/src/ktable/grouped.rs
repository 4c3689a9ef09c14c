//! Counts and sums of a table by one of its columns, kept right as its rows change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use polars::prelude::*;

use crate::table::Table;
use crate::testing::compare::texts;
use crate::{Error, Result};

/// How many rows of a table there are for each value of a column, and their sum; it follows the table.
///
/// When a row changes, the old one is subtracted from its group before the new one is added to
/// its own: that is what the subtractor of Kafka Streams' `KGroupedTable.aggregate` is for.
#[derive(Clone)]
pub struct GroupedTable {
    /// Locked for one call, or for one change of the table.
    sums: Arc<Mutex<Sums>>,
}

pub(super) struct Sums {
    by: String,
    of: Option<String>,
    groups: BTreeMap<Option<String>, (i64, f64)>,
}

impl GroupedTable {
    pub(super) fn new(sums: Arc<Mutex<Sums>>) -> GroupedTable {
        GroupedTable { sums }
    }

    /// Returns one row a group that has rows: the column (str), count (i64), and sum (f64) where one
    /// was asked for; ordered by the group.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn frame(&self) -> Result<DataFrame> {
        let sums = self
            .sums
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let groups: Vec<Option<&str>> = sums.groups.keys().map(Option::as_deref).collect();
        let counts: Vec<i64> = sums.groups.values().map(|group| group.0).collect();
        let mut frame = df!(sums.by.as_str() => groups, "count" => counts)?;
        if sums.of.is_some() {
            let values: Vec<f64> = sums.groups.values().map(|group| group.1).collect();
            frame.with_column(Column::new("sum".into(), values))?;
        }
        Ok(frame)
    }

    /// Shows the groups as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(match self.frame() {
            Ok(frame) => Table::of(&frame).bundle(),
            Err(error) => crate::table::text(&error.to_string()),
        });
    }
}

impl Sums {
    pub fn new(by: &str, of: Option<&str>) -> Sums {
        Sums {
            by: by.into(),
            of: of.map(String::from),
            groups: BTreeMap::new(),
        }
    }

    /// Takes the old row out of its group and puts the new one into its own.
    pub fn change(
        &mut self,
        rows: &DataFrame,
        was: Option<IdxSize>,
        is: Option<IdxSize>,
    ) -> Result<()> {
        if let Some(was) = was {
            let (group, value) = self.of_row(rows, was)?;
            let sums = self.groups.entry(group.clone()).or_default();
            *sums = (sums.0 - 1, sums.1 - value);
            if sums.0 == 0 {
                self.groups.remove(&group);
            }
        }
        if let Some(is) = is {
            let (group, value) = self.of_row(rows, is)?;
            let sums = self.groups.entry(group).or_default();
            *sums = (sums.0 + 1, sums.1 + value);
        }
        Ok(())
    }

    fn of_row(&self, rows: &DataFrame, row: IdxSize) -> Result<(Option<String>, f64)> {
        let row = rows.slice(i64::from(row), 1);
        let place = "the table";
        if row.column(&self.by).is_err() {
            return Err(Error::unknown_column(&self.by, place, row.schema()));
        }
        let is_null = row.column(&self.by)?.null_count() > 0;
        let group = texts(&row, std::slice::from_ref(&self.by))?
            .concat()
            .concat();
        let group = (!is_null).then_some(group);
        let Some(of) = &self.of else {
            return Ok((group, 0.0));
        };
        let Ok(column) = row.column(of) else {
            return Err(Error::unknown_column(of, place, row.schema()));
        };
        if !column.dtype().is_primitive_numeric() && *column.dtype() != DataType::Null {
            return Err(Error::new(format!("there is no sum of `{of}`"))
                .have(format!("dtype {}", column.dtype()))
                .hint(".count_by(..), or a column of numbers"));
        }
        Ok((
            group,
            column
                .cast(&DataType::Float64)?
                .f64()?
                .get(0)
                .unwrap_or(0.0),
        ))
    }
}
