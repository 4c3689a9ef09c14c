//! The watermark: how far event time has come, less the delay that the query grants.

use polars::prelude::{ChunkAgg, DataFrame};
use serde::{Deserialize, Serialize};

use super::Batch;
use crate::{Result, replay};

/// Follows the event times of a stream. It moves between batches only, and never back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Clock {
    pub column: String,
    /// Nothing where the query has no watermark: then no row is ever late.
    delay: Option<i64>,
    /// In force during this batch, the one before, and the next.
    current: i64,
    previous: i64,
    next: i64,
    /// The greatest event time so far.
    newest: Option<i64>,
}

impl Clock {
    /// Starts at 1970-01-01, which is a real watermark: what ended before it is late.
    pub fn new(column: &str, delay: Option<i64>) -> Clock {
        let start = if delay.is_some() { 0 } else { i64::MIN };
        Clock {
            column: column.into(),
            delay,
            current: start,
            previous: start,
            next: start,
            newest: None,
        }
    }

    /// Turns rows into a batch, and notes their event times for the next one.
    pub fn batch(&mut self, rows: DataFrame, place: &str) -> Result<Batch> {
        self.previous = self.current;
        self.current = self.next;
        if rows.height() > 0 {
            let newest = replay::micros_of(&rows, &self.column, place)?.max();
            self.newest = self.newest.max(newest);
            if let (Some(newest), Some(delay)) = (newest, self.delay) {
                // Spark keeps whole milliseconds.
                self.next = self
                    .next
                    .max((newest.div_euclid(1000) * 1000).saturating_sub(delay));
            }
        }
        Ok(Batch {
            rows,
            watermark: self.current,
            late_before: self.previous,
        })
    }

    /// Returns whether one more batch, even without rows, would see a later watermark.
    pub fn has_moved(&self) -> bool {
        self.next > self.current
    }

    /// Returns the watermark of the last batch.
    pub fn watermark(&self) -> i64 {
        self.current
    }

    /// Returns the watermark that the next batch will see.
    pub fn coming(&self) -> i64 {
        self.next
    }

    pub fn newest(&self) -> Option<i64> {
        self.newest
    }

    pub fn delay(&self) -> Option<i64> {
        self.delay
    }
}
