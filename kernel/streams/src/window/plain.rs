//! The same windows and aggregates in plain Polars: the oracle that the operator is held against.

use std::collections::HashMap;

use polars::prelude::*;

use super::WindowSpec;
use super::aggregate::{APPROX, DISTINCT, QUANTILE, marked};
use crate::{Result, replay};

/// Returns the rows once for every window that each is in, with its window_start and window_end;
/// rows without an event time are in none. Rows stand in the order of their event times.
pub(crate) fn plain_windows(
    rows: &DataFrame,
    at: &str,
    keys: &[String],
    windows: WindowSpec,
) -> Result<DataFrame> {
    let times = replay::micros_of(rows, at, "the log")?;
    let mut rows = rows.clone();
    rows.with_column(times.with_name("__t".into()).into_series().into())?;
    let order = SortMultipleOptions::default().with_maintain_order(true);
    let rows = rows
        .lazy()
        .filter(col("__t").is_not_null())
        .sort(["__t"], order);
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let bounds = |start: Expr, end: Expr| {
        [
            start.cast(utc.clone()).alias("window_start"),
            end.cast(utc.clone()).alias("window_end"),
        ]
    };
    let frame = match windows {
        WindowSpec::Fixed {
            size_us,
            slide_us,
            offset_us,
        } => {
            let since = col("__t") - lit(offset_us);
            let floor = ((since % lit(slide_us)) + lit(slide_us)) % lit(slide_us);
            let latest = col("__t") - floor;
            let hops = (size_us + slide_us - 1) / slide_us;
            let hop = |hop: i64| {
                let start = latest.clone() - lit(hop * slide_us);
                rows.clone()
                    .filter(start.clone().gt(col("__t") - lit(size_us)))
                    .with_columns(bounds(start.clone(), start + lit(size_us)))
            };
            concat((0..hops).map(hop).collect::<Vec<_>>(), UnionArgs::default())?
        }
        WindowSpec::Session { gap_us } => {
            let frame = rows.collect()?;
            let (starts, ends) = sessions(&frame, keys, gap_us)?;
            let column = |name: &str, times| Column::new(name.into(), times);
            let bounds_of = [column("__start", starts), column("__end", ends)];
            let mut frame = frame;
            for column in bounds_of {
                frame.with_column(column)?;
            }
            frame
                .lazy()
                .with_columns(bounds(col("__start"), col("__end")))
        }
    };
    Ok(frame.collect()?)
}

/// Returns start and end of each row's session; the rows are in the order of `__t`.
fn sessions(rows: &DataFrame, keys: &[String], gap: i64) -> Result<(Vec<i64>, Vec<i64>)> {
    let keys = keys.iter().map(|key| Ok(rows.column(key)?.clone()));
    let keys = keys.collect::<Result<Vec<Column>>>()?;
    let times = rows.column("__t")?.i64()?.clone();
    // Every session's bounds, and the last session of each key.
    let (mut bounds, mut last) = (Vec::<(i64, i64)>::new(), HashMap::new());
    let mut session_of = Vec::with_capacity(rows.height());
    for (row, time) in times.iter().enumerate() {
        let time = time.unwrap_or_default();
        let key = keys.iter().map(|key| Ok(key.get(row)?.to_string()));
        let key = key.collect::<Result<Vec<String>>>()?;
        let session = last.get(&key).copied();
        let session = session.filter(|session: &usize| time <= bounds[*session].1);
        let session = session.unwrap_or_else(|| {
            bounds.push((time, time));
            bounds.len() - 1
        });
        bounds[session].1 = time + gap;
        last.insert(key, session);
        session_of.push(session);
    }
    Ok(session_of
        .into_iter()
        .map(|session| bounds[session])
        .unzip())
}

/// Returns what an aggregate of a query is in plain Polars, where nulls are left out as Spark does.
pub(crate) fn plain_aggregate(expr: &Expr) -> Expr {
    expr.clone().map_expr(|expr| match &expr {
        Expr::Agg(AggExpr::NUnique(input)) => {
            let column = marked(input, APPROX).map_or(input.clone(), |(column, _)| column);
            column
                .as_ref()
                .clone()
                .drop_nulls()
                .n_unique()
                .cast(DataType::Int64)
        }
        Expr::Agg(AggExpr::Sum(input)) => {
            let input = input.as_ref().clone();
            when(input.clone().count().gt(lit(0)))
                .then(input.sum())
                .otherwise(lit(NULL))
        }
        Expr::Agg(AggExpr::Median(input)) => match marked(input, QUANTILE) {
            Some((column, q)) => {
                let q: f64 = q.parse().unwrap_or(0.5);
                column
                    .as_ref()
                    .clone()
                    .quantile(lit(q), QuantileMethod::Linear)
            }
            None => expr,
        },
        Expr::Agg(AggExpr::Implode { input, .. }) => match marked(input, DISTINCT) {
            Some((column, _)) => {
                let values = column.as_ref().clone().drop_nulls().unique();
                values.sort(SortOptions::default()).implode(true)
            }
            None => expr,
        },
        _ => expr,
    })
}
