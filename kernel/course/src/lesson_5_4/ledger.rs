//! What each micro-batch does with its rows, by Spark's rule: watermark, dropped, updated, final.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, PolarsResult};
use serde::{Deserialize, Serialize};

use super::ledger_picture;
use super::script::event_seconds;
use crate::drawing::Drawing;

/// What one micro-batch did; times in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchReport {
    /// The watermark in force during the batch.
    pub watermark: i64,
    /// Rows whose window had been closed before the batch began.
    pub dropped: usize,
    /// Starts of the windows that the batch added rows to, ascending.
    pub updated: Vec<i64>,
    /// Starts of the windows that became final in it, ascending.
    pub finalised: Vec<i64>,
}

/// A way to keep the ledger: Spark's, or one that people often write.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Way {
    /// The rows of a batch already move the watermark that it runs with.
    pub same_batch: bool,
    /// The watermark follows the last batch, also back.
    pub backwards: bool,
    /// A row older than the watermark is dropped, whatever its window.
    pub drop_by_event: bool,
    /// The oldest row of the batch decides, not the newest.
    pub oldest: bool,
    /// Late is what is behind this batch's watermark, not the one before.
    pub filter_now: bool,
    /// A window that ends exactly at the watermark stays open.
    pub strict: bool,
    /// Windows are closed before the rows of the batch are added.
    pub evict_first: bool,
}

/// A run of tumbling windows over batches of event times, kept by Spark's rule.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(super) batches: Vec<Vec<i64>>,
    pub(super) reports: Vec<BatchReport>,
    pub(super) size: i64,
    pub(super) delay: i64,
}

impl Ledger {
    /// Keeps the ledger of tumbling windows of `size_s` seconds with a watermark `delay_s` behind,
    /// and adds the batch without rows that Spark runs when the last one moved the watermark.
    ///
    /// # Errors
    /// When a frame with rows has no such column, or its dtype is no time.
    pub fn of(
        frames: &[DataFrame],
        column: &str,
        delay_s: i64,
        size_s: i64,
    ) -> PolarsResult<Ledger> {
        let mut batches = event_seconds(frames, column)?;
        batches.push(vec![]);
        let mut reports = keep(&batches, delay_s, size_s, Way::default());
        let moved = reports.windows(2).last();
        if moved.is_none_or(|pair| pair[0].watermark == pair[1].watermark) {
            batches.pop();
            reports.pop();
        }
        Ok(Ledger {
            batches,
            reports,
            size: size_s,
            delay: delay_s,
        })
    }

    /// Returns one report a batch.
    pub fn reports(&self) -> Vec<BatchReport> {
        self.reports.clone()
    }

    /// Draws event time over the order of arrival, with the watermark as a staircase and dropped
    /// rows crossed out.
    pub fn walk(&self) -> Drawing {
        ledger_picture::walk(self)
    }

    /// Draws windows against batches: open, updated, final, and where a row was dropped.
    pub fn map(&self) -> Drawing {
        ledger_picture::map(self)
    }

    /// Shows the staircase as the value of a cell.
    pub fn evcxr_display(&self) {
        self.walk().evcxr_display();
    }
}

/// Keeps the ledger in one way.
pub(crate) fn keep(batches: &[Vec<i64>], delay: i64, size: i64, way: Way) -> Vec<BatchReport> {
    let (mut watermark, mut before) = (0, 0);
    let mut open: BTreeMap<i64, usize> = BTreeMap::new();
    let mut reports = Vec::new();
    for batch in batches {
        let pick = if way.oldest {
            batch.iter().min()
        } else {
            batch.iter().max()
        };
        let coming = |watermark: i64| match pick {
            Some(newest) if way.backwards => newest - delay,
            Some(newest) => watermark.max(newest - delay),
            None => watermark,
        };
        if way.same_batch {
            watermark = coming(watermark);
        }
        let closes = |start: i64, watermark: i64| {
            if way.strict {
                start + size < watermark
            } else {
                start + size <= watermark
            }
        };
        let mut finalised = Vec::new();
        let mut close = |open: &mut BTreeMap<i64, usize>| {
            open.retain(|start, _| {
                let closed = closes(*start, watermark);
                if closed {
                    finalised.push(*start);
                }
                !closed
            });
        };
        if way.evict_first {
            close(&mut open);
        }
        let filter = if way.filter_now || way.same_batch {
            watermark
        } else {
            before
        };
        let (mut dropped, mut updated) = (0, Vec::new());
        for at in batch {
            let start = at.div_euclid(size) * size;
            let late = if way.drop_by_event {
                *at < watermark
            } else {
                closes(start, filter)
            };
            if late {
                dropped += 1;
            } else {
                *open.entry(start).or_default() += 1;
                updated.push(start);
            }
        }
        updated.sort_unstable();
        updated.dedup();
        if !way.evict_first {
            close(&mut open);
        }
        reports.push(BatchReport {
            watermark,
            dropped,
            updated,
            finalised,
        });
        before = watermark;
        if !way.same_batch {
            watermark = coming(watermark);
        }
    }
    reports
}
