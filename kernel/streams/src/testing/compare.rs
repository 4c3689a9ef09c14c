//! Values as text that can be compared: floats to twelve digits, times as people write them.

use polars::prelude::*;

use crate::{Result, time};

/// Returns these columns as text, row by row.
pub(crate) fn texts(frame: &DataFrame, names: &[String]) -> Result<Vec<Vec<String>>> {
    if frame.height() == 0 {
        return Ok(Vec::new());
    }
    let columns = names.iter().map(|name| Ok(frame.column(name)?.clone()));
    let columns = columns.collect::<Result<Vec<Column>>>()?;
    let row = |row| {
        columns
            .iter()
            .map(|column| Ok(cell(&column.get(row)?)))
            .collect()
    };
    (0..frame.height()).map(row).collect()
}

/// Compares two values: texts as they are, floats to nine digits.
pub(crate) fn is_close(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) if a.contains('e') || b.contains('e') => {
            (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1.0)
        }
        _ => false,
    }
}

fn cell(value: &AnyValue) -> String {
    let micros = |number: i64, unit: TimeUnit| match unit {
        TimeUnit::Milliseconds => number.saturating_mul(1000),
        TimeUnit::Microseconds => number,
        TimeUnit::Nanoseconds => number.div_euclid(1000),
    };
    match value {
        AnyValue::Null => "null".into(),
        AnyValue::Float64(value) if *value == 0.0 => "0e0".into(),
        AnyValue::Float64(value) => format!("{value:.11e}"),
        AnyValue::Float32(value) => format!("{value:.5e}"),
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Datetime(number, unit, _) => time::show(micros(*number, *unit)),
        AnyValue::DatetimeOwned(number, unit, _) => time::show(micros(*number, *unit)),
        value => value.to_string(),
    }
}
