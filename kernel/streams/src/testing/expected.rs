//! What was given out, and how much of it a test has looked at.

use polars::prelude::*;

use super::diff::diff;
use crate::window::append;
use crate::{Error, Result};

#[derive(Default)]
pub(crate) struct Expected {
    rows: DataFrame,
    /// How many rows an earlier look has seen.
    seen: usize,
}

impl Expected {
    pub fn add(&mut self, rows: &DataFrame) -> Result<()> {
        append(&mut self.rows, rows)
    }

    pub fn all(&self) -> DataFrame {
        self.rows.clone()
    }

    /// Compares what has come since the last look with these rows.
    pub fn expect(&mut self, rows: &DataFrame) -> Result<()> {
        let got = self.rows.slice(self.seen as i64, usize::MAX);
        // No row expected, and no columns named: all columns of what came are shown.
        let none = got.clear();
        let rows = if rows.width() == 0 { &none } else { rows };
        let difference = diff(rows, &got)?;
        self.seen = self.rows.height();
        match difference {
            None => Ok(()),
            Some(difference) => {
                Err(Error::new("other rows were given out than expected").have(difference))
            }
        }
    }
}
