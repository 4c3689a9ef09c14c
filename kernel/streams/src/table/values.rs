//! Single values of a table, as text.

use polars::prelude::*;

/// Returns on which side of its column a value stands: numbers to the right.
pub(super) fn side(dtype: &DataType) -> &'static str {
    if dtype.is_integer() || dtype.is_float() {
        "right"
    } else {
        "left"
    }
}

/// Returns a value as a table shows it: datetimes in UTC, long texts cut.
pub(super) fn value(column: &Column, row: usize) -> String {
    match column.get(row) {
        Ok(AnyValue::Null) => "null".into(),
        Ok(AnyValue::Float64(value)) => float(value),
        Ok(AnyValue::Float32(value)) => float(f64::from(value)),
        Ok(AnyValue::String(text)) => cut(text),
        Ok(AnyValue::StringOwned(text)) => cut(&text),
        Ok(value) => temporal(column.dtype(), &value).unwrap_or_else(|| cut(&value.to_string())),
        Err(cause) => cause.to_string(),
    }
}

fn temporal(dtype: &DataType, value: &AnyValue<'_>) -> Option<String> {
    let DataType::Datetime(unit, _) = dtype else {
        return None;
    };
    let number = value.extract::<i64>()?;
    Some(crate::time::show(match unit {
        TimeUnit::Milliseconds => number * 1000,
        TimeUnit::Microseconds => number,
        TimeUnit::Nanoseconds => number.div_euclid(1000),
    }))
}

fn float(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e12) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0');
    if text.ends_with('.') {
        format!("{text}0")
    } else {
        text.to_owned()
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.to_owned()
    } else {
        text.chars().take(59).chain(['…']).collect()
    }
}
