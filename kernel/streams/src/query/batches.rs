//! A query run over frames, batch by batch: what each batch gave out and what it did.

use polars::prelude::*;

use super::Running;

use crate::table::Table;
use crate::window::{Emission, append, why_late};
use crate::{Result, time};

/// What one micro-batch did.
#[derive(Debug, Clone)]
pub struct BatchRun {
    /// Rows given out, by output mode: window_start, window_end, keys, aggregates.
    pub rows: DataFrame,
    /// Rows that came too late, behind the window that each missed (window_start, window_end) and
    /// by how long it had been final (late_by, a duration).
    pub late: DataFrame,
    /// Rows taken in.
    pub input_rows: usize,
    /// Rows whose event time is null: they are in no window.
    pub without_time: usize,
    /// Rows that were left out as duplicates.
    pub duplicates: usize,
    /// Keys that are remembered to tell duplicates.
    pub remembered: usize,
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
    event_time: String,
    delay: Option<i64>,
    why_silent: String,
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
        Ok(Batches {
            runs,
            event_time: query.clock.column.clone(),
            delay: query.clock.delay(),
            why_silent: query.why_silent(),
        })
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

    /// Returns the rows that came too late, of all batches, in the order in which they came: window_start,
    /// window_end (the window that the row missed), late_by (a duration: for how long the window had
    /// been final), then the columns of the row.
    ///
    /// # Errors
    /// When the batches have columns whose dtypes do not go together.
    pub fn late(&self) -> Result<DataFrame> {
        let mut late = DataFrame::empty();
        for run in &self.runs {
            append(&mut late, &run.late)?;
        }
        Ok(late)
    }

    /// Says why row `row` of [`Batches::late`] was not counted, and which watermark would have
    /// counted it.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn why_late(&self, row: usize) -> Result<String> {
        why_late(&self.late()?, row, &self.event_time, self.delay)
    }

    /// Says which window waits for which event, or why none is open.
    pub fn why_silent(&self) -> &str {
        &self.why_silent
    }

    /// Returns one row a batch: batch, input_rows, watermark, output_rows, late_rows, duplicates,
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
            "duplicates" => column(|run| run.duplicates),
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
            duplicates: emission.duplicates,
            remembered: query.remembered(),
            watermark: query.clock.watermark(),
            dropped_groups: emission.dropped_groups,
            state_rows: emission.state_rows,
            updated: emission.updated,
            removed: emission.removed,
        }
    }
}
