//! The loop that one writes by hand over Polars: partial aggregates of a batch, merged with those
//! kept, those of ended windows split off. It counts no late group, orders nothing, and knows
//! tumbling windows only.

use polars::prelude::*;

const WINDOW: i64 = 10_000_000;
const DELAY: i64 = 10_000_000;

/// Returns the number of final rows, and the sum of their counts.
pub fn run(batches: &[DataFrame]) -> PolarsResult<(usize, i64)> {
    // Spark's rule: late by the watermark of the batch before, ended by that of this batch.
    let (mut state, mut late_before, mut watermark) = (None::<DataFrame>, 0, 0);
    let (mut rows, mut counted) = (0, 0);
    for batch in batches {
        let at = || col("at").cast(DataType::Int64);
        let start = (at() - at() % lit(WINDOW)).alias("window_start");
        let partial = batch
            .clone()
            .lazy()
            .with_columns([start])
            .filter((col("window_start") + lit(WINDOW)).gt(lit(late_before)))
            .group_by([col("window_start"), col("key")])
            .agg([
                len().cast(DataType::Int64).alias("n"),
                col("x").sum().alias("sum"),
                col("x").max().alias("most"),
            ]);
        let merged = match state.take() {
            None => partial,
            Some(state) => concat([state.lazy(), partial], UnionArgs::default())?
                .group_by([col("window_start"), col("key")])
                .agg([col("n").sum(), col("sum").sum(), col("most").max()]),
        }
        .collect()?;
        let ended = (col("window_start") + lit(WINDOW)).lt_eq(lit(watermark));
        let closed = merged
            .clone()
            .lazy()
            .filter(ended.clone())
            .with_columns([(col("sum") / col("n")).alias("mean")])
            .collect()?;
        rows += closed.height();
        counted += closed.column("n")?.i64()?.sum().unwrap_or(0);
        state = Some(merged.lazy().filter(ended.not()).collect()?);
        let latest = batch.column("at")?.cast(&DataType::Int64)?;
        let latest = latest.i64()?.max().unwrap_or(i64::MIN);
        late_before = watermark;
        watermark = watermark.max(latest.saturating_sub(DELAY));
    }
    Ok((rows, counted))
}
