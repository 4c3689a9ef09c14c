//! A query run over frames, batch by batch: what each batch gave out and what it did.

use polars::prelude::*;

use super::Running;
use crate::table::Table;
use crate::window::Emission;
use crate::{Result, time};

/// What one micro-batch did.
#[derive(Debug, Clone)]
pub struct BatchRun {
    /// Rows given out, by output mode: window_start, window_end, keys, aggregates.
    pub rows: DataFrame,
    /// Rows that came too late, with the window each missed in window_start and window_end.
    pub late: DataFrame,
    /// Rows taken in.
    pub input_rows: usize,
    /// Rows whose event time is null: they are in no window.
    pub without_time: usize,
    /// The watermark in force during the batch (epoch microseconds).
    pub watermark: i64,
    /// (window, key) groups that came too late, counted after the batch's own aggregation.
    pub dropped_groups: usize,
    /// Groups in the state afterwards, changed, and removed.
    pub state_rows: usize,
    pub updated: usize,
    pub removed: usize,
}

/// The micro-batches of one run, in order.
#[derive(Debug, Clone)]
pub struct Batches {
    runs: Vec<BatchRun>,
}

impl Batches {
    pub(super) fn run(mut query: Running, frames: &[DataFrame]) -> Result<Batches> {
        let mut runs = Vec::new();
        for frame in frames {
            runs.push(BatchRun::new(
                frame.height(),
                query.push(frame.clone())?,
                &query,
            ));
        }
        // The windows that the last rows have closed come out in a batch without input.
        if query.owes_a_batch() {
            runs.push(BatchRun::new(0, query.push(DataFrame::empty())?, &query));
        }
        Ok(Batches { runs })
    }

    /// Returns the batches in order.
    pub fn iter(&self) -> std::slice::Iter<'_, BatchRun> {
        self.runs.iter()
    }

    /// Returns how many there were, the trailing one without input included.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Returns whether there was none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns one row a batch: batch, input_rows, watermark, output_rows, late_rows,
    /// dropped_groups, state_rows, updated, removed.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn progress(&self) -> Result<DataFrame> {
        let column = |pick: fn(&BatchRun) -> usize| {
            self.runs
                .iter()
                .map(|run| pick(run) as i64)
                .collect::<Vec<_>>()
        };
        let frame = polars::df!(
            "batch" => (0..self.runs.len() as i64).collect::<Vec<_>>(),
            "input_rows" => column(|run| run.input_rows),
            "watermark" => self.runs.iter().map(|run| time::show(run.watermark)).collect::<Vec<_>>(),
            "output_rows" => column(|run| run.rows.height()),
            "late_rows" => column(|run| run.late.height()),
            "dropped_groups" => column(|run| run.dropped_groups),
            "state_rows" => column(|run| run.state_rows),
            "updated" => column(|run| run.updated),
            "removed" => column(|run| run.removed),
        );
        Ok(frame?)
    }

    /// Shows the progress table as the value of a cell.
    pub fn evcxr_display(&self) {
        match self.progress() {
            Ok(frame) => crate::display::result(
                Table::of(&frame)
                    .rows(100)
                    .caption(format!("{} micro-batches", self.runs.len()))
                    .bundle(),
            ),
            Err(error) => crate::display::result(crate::table::text(&error.to_string())),
        }
    }
}

impl std::ops::Index<usize> for Batches {
    type Output = BatchRun;

    fn index(&self, batch: usize) -> &BatchRun {
        &self.runs[batch]
    }
}

impl BatchRun {
    fn new(input_rows: usize, emission: Emission, query: &Running) -> BatchRun {
        BatchRun {
            rows: emission.rows,
            late: emission.late,
            input_rows,
            without_time: emission.without_time,
            watermark: query.clock.watermark(),
            dropped_groups: emission.dropped_groups,
            state_rows: emission.state_rows,
            updated: emission.updated,
            removed: emission.removed,
        }
    }
}
