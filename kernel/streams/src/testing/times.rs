//! Event times that a test gives as text.

use polars::prelude::*;

use crate::{Error, Result, time};

/// Turns the event times into datetimes where they are texts such as `2013-02-08 10:01:00`.
pub(crate) fn timed(rows: &DataFrame, column: &str) -> Result<DataFrame> {
    let is_text = rows
        .column(column)
        .is_ok_and(|times| *times.dtype() == DataType::String);
    if !is_text {
        return Ok(rows.clone());
    }
    let parse = |text: Option<&str>| -> Result<Option<i64>> {
        let Some(text) = text else { return Ok(None) };
        let parsed = time::parse(text).ok_or_else(|| {
            Error::new(format!("`{text}` in column `{column}` is no time"))
                .hint("2013-02-08 10:01:00, or 2013-02-08T10:01:00.250Z")
        })?;
        Ok(Some(parsed.0))
    };
    let times = rows
        .column(column)?
        .str()?
        .iter()
        .map(parse)
        .collect::<Result<Int64Chunked>>()?;
    let mut rows = rows.clone();
    let times = times.with_name(column.into());
    let times = times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    rows.with_column(times.into_series().into())?;
    Ok(rows)
}
