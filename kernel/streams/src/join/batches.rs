//! What each micro-batch of a join did.

use polars::prelude::*;

use crate::table::Table;
use crate::window::append;
use crate::{Result, time};

/// What one micro-batch did. Of two numbers the first is that of the left side.
#[derive(Debug, Clone, Default)]
pub struct JoinBatch {
    /// Rows given out: matches, and in an outer join those that found none in time.
    pub rows: DataFrame,
    /// How many of them are matches.
    pub matches: usize,
    /// Rows taken in.
    pub input_rows: [usize; 2],
    /// Rows that came when the watermark had passed them.
    pub late_rows: [usize; 2],
    /// Rows whose event time is null.
    pub without_time: [usize; 2],
    /// The watermark in force: the earlier of both sides' (epoch microseconds).
    pub watermark: i64,
    /// Rows kept afterwards.
    pub state_rows: [usize; 2],
    /// Rows that were removed, since no match can come any more.
    pub removed: usize,
}

/// The micro-batches of a join, in order.
#[derive(Debug, Clone)]
pub struct JoinBatches {
    batches: Vec<JoinBatch>,
}

impl JoinBatches {
    pub(super) fn new(batches: Vec<JoinBatch>) -> JoinBatches {
        JoinBatches { batches }
    }

    /// Returns the batches in order.
    pub fn iter(&self) -> std::slice::Iter<'_, JoinBatch> {
        self.batches.iter()
    }

    /// Returns the rows of all batches, in the order in which they came out.
    ///
    /// # Errors
    /// When batches have columns whose dtypes do not go together.
    pub fn frame(&self) -> Result<DataFrame> {
        let mut frame = DataFrame::empty();
        for batch in &self.batches {
            append(&mut frame, &batch.rows)?;
        }
        Ok(frame)
    }

    /// Returns one row a batch: batch, left_rows, right_rows, watermark, matches, output_rows,
    /// late_rows, left_state, right_state, removed.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn progress(&self) -> Result<DataFrame> {
        let column = |pick: fn(&JoinBatch) -> usize| -> Vec<i64> {
            self.batches
                .iter()
                .map(|batch| pick(batch) as i64)
                .collect()
        };
        Ok(df!(
            "batch" => (0..self.batches.len() as i64).collect::<Vec<_>>(),
            "left_rows" => column(|batch| batch.input_rows[0]),
            "right_rows" => column(|batch| batch.input_rows[1]),
            "watermark" => self.batches.iter().map(|batch| time::show(batch.watermark)).collect::<Vec<_>>(),
            "matches" => column(|batch| batch.matches),
            "output_rows" => column(|batch| batch.rows.height()),
            "late_rows" => column(|batch| batch.late_rows.iter().sum()),
            "left_state" => column(|batch| batch.state_rows[0]),
            "right_state" => column(|batch| batch.state_rows[1]),
            "removed" => column(|batch| batch.removed),
        )?)
    }

    /// Shows the progress table as the value of a cell.
    pub fn evcxr_display(&self) {
        let caption = format!("{} micro-batches of a join", self.batches.len());
        match self.progress() {
            Ok(frame) => {
                crate::display::result(Table::of(&frame).rows(100).caption(caption).bundle())
            }
            Err(error) => crate::display::result(crate::table::text(&error.to_string())),
        }
    }
}

impl std::ops::Index<usize> for JoinBatches {
    type Output = JoinBatch;

    fn index(&self, batch: usize) -> &JoinBatch {
        &self.batches[batch]
    }
}
