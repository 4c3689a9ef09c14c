//! Demo D6 and exercise E6: a query that keeps up, falls behind or catches up, simulated.

use polars::prelude::{DataFrame, PolarsResult, df};

/// A micro-batch query as far as its speed matters: each batch costs `per_batch_ms` and one
/// millisecond for every `rows_per_ms` rows, and starts when the one before is done, at the
/// earliest one trigger after it began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchEngine {
    /// What a batch costs whatever is in it, in milliseconds.
    pub per_batch_ms: u64,
    /// How many rows it computes in a millisecond.
    pub rows_per_ms: u64,
    /// The least time from the start of one batch to the next, in milliseconds.
    pub trigger_ms: u64,
    /// The most rows that a batch takes; nothing for no limit.
    pub limit: Option<u64>,
}

/// What one simulated batch did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Batch {
    pub began_ms: u64,
    pub rows: u64,
    pub took_ms: u64,
    /// Rows that had arrived and were not in any batch when it was done.
    pub waiting: u64,
}

impl BatchEngine {
    /// Runs against `arrivals`, the rows that arrive in each second, from `down_s` on (before that
    /// second the query was not there); returns one row a batch: batch, began_s, input_rows, took_s,
    /// input_per_s, processed_per_s, waiting_rows. It ends with the arrivals.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn run(&self, arrivals: &[u64], down_s: u64) -> PolarsResult<DataFrame> {
        let batches = self.batches(arrivals, down_s);
        let seconds = |ms: u64| ms as f64 / 1000.0;
        let mut before = 0;
        let input: Vec<f64> = batches
            .iter()
            .map(|batch| {
                let span = batch.began_ms - before;
                before = batch.began_ms;
                if span == 0 {
                    0.0
                } else {
                    batch.rows as f64 / seconds(span)
                }
            })
            .collect();
        df!(
            "batch" => (0..batches.len() as i64).collect::<Vec<_>>(),
            "began_s" => batches.iter().map(|batch| seconds(batch.began_ms)).collect::<Vec<_>>(),
            "input_rows" => batches.iter().map(|batch| batch.rows).collect::<Vec<_>>(),
            "took_s" => batches.iter().map(|batch| seconds(batch.took_ms)).collect::<Vec<_>>(),
            "input_per_s" => input,
            "processed_per_s" => batches.iter()
                .map(|batch| batch.rows as f64 / seconds(batch.took_ms.max(1))).collect::<Vec<_>>(),
            "waiting_rows" => batches.iter().map(|batch| batch.waiting).collect::<Vec<_>>(),
        )
    }

    pub(crate) fn batches(&self, arrivals: &[u64], down_s: u64) -> Vec<Batch> {
        let end = arrivals.len() as u64 * 1000;
        let mut sums = vec![0u64];
        for rows in arrivals {
            sums.push(sums[sums.len() - 1] + rows);
        }
        // Within a second the rows arrive evenly.
        let arrived = |ms: u64| {
            let second = (ms / 1000) as usize;
            match arrivals.get(second) {
                Some(rows) => sums[second] + rows * (ms % 1000) / 1000,
                None => sums[sums.len() - 1],
            }
        };
        let (mut now, mut taken) = (down_s * 1000, 0);
        let mut batches = Vec::new();
        while now < end {
            let there = arrived(now) - taken;
            let rows = self.limit.map_or(there, |limit| there.min(limit));
            let took = self.per_batch_ms + rows.div_ceil(self.rows_per_ms.max(1));
            taken += rows;
            batches.push(Batch {
                began_ms: now,
                rows,
                took_ms: took,
                waiting: arrived(now + took) - taken,
            });
            now += took.max(self.trigger_ms).max(1);
        }
        batches
    }
}
