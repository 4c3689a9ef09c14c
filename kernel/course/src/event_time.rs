//! Columns of event times.

use polars::prelude::{DataFrame, DataType, PolarsResult, TimeUnit, TimeZone};

/// Makes a column of microseconds since 1970 (i64) one of datetimes in UTC, where it stands.
pub(crate) fn in_utc(mut frame: DataFrame, column: &str) -> PolarsResult<DataFrame> {
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let times = frame.column(column)?.cast(&utc)?;
    frame.with_column(times)?;
    Ok(frame)
}
