//! The replay's clock: event time from a column, and how fast it may run.

use std::time::Duration;

use polars::prelude::*;

use crate::{Error, Result};

/// Returns a column of times as epoch microseconds.
pub(crate) fn micros_of(frame: &DataFrame, column: &str, place: &str) -> Result<Int64Chunked> {
    let series = frame
        .column(column)
        .map_err(|_| Error::unknown_column(column, place, frame.schema()))?;
    let series = series.as_materialized_series();
    let physical = || -> Result<Int64Chunked> {
        Ok(series
            .to_physical_repr()
            .cast(&DataType::Int64)?
            .i64()?
            .clone())
    };
    match series.dtype() {
        DataType::Datetime(TimeUnit::Milliseconds, _) => Ok(physical()?.apply_values(|time| time * 1000)),
        DataType::Datetime(TimeUnit::Microseconds, _) => physical(),
        DataType::Datetime(TimeUnit::Nanoseconds, _) => Ok(physical()?.apply_values(|time| time.div_euclid(1000))),
        DataType::Date => Ok(physical()?.apply_values(|day| day * crate::time::DAY)),
        DataType::Null => Ok(Int64Chunked::full_null(column.into(), series.len())),
        dtype => Err(Error::new(format!("column `{column}` of {place} holds no times"))
            .have(format!("dtype {dtype}"))
            .hint("a datetime column; numbers: col(\"ms\").cast(DataType::Datetime(TimeUnit::Milliseconds, None))")),
    }
}

/// Returns the speed at which `span` microseconds pass within `limit`, and at least `asked`.
pub(super) fn allowed_speed(asked: f64, span: i64, limit: Option<Duration>) -> f64 {
    let Some(limit) = limit else { return asked };
    asked.max(span as f64 / 1e6 / limit.as_secs_f64())
}
