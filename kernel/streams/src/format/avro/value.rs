//! Avro's values as cells.

use std::borrow::Cow;

use apache_avro::types::Value;
use apache_avro::{Decimal, Schema};

use super::shape::only;
use crate::record::cell::Cell;

/// Turns a value into the cell of its column.
///
/// # Errors
/// Says in words what a cell cannot hold.
pub(super) fn cell(value: Value, schema: &Schema) -> Result<Cell<'static>, String> {
    let text = |text: String| Cell::Text(Cow::Owned(text));
    Ok(match value {
        Value::Null => Cell::Null,
        Value::Boolean(value) => Cell::Bool(value),
        Value::Int(value) | Value::Date(value) | Value::TimeMillis(value) => {
            Cell::Int(i64::from(value))
        }
        Value::Long(value)
        | Value::TimeMicros(value)
        | Value::TimestampMillis(value)
        | Value::TimestampMicros(value)
        | Value::TimestampNanos(value)
        | Value::LocalTimestampMillis(value)
        | Value::LocalTimestampMicros(value)
        | Value::LocalTimestampNanos(value) => Cell::Int(value),
        Value::Float(value) => Cell::Float(f64::from(value)),
        Value::Double(value) => Cell::Float(value),
        Value::Bytes(bytes) | Value::Fixed(_, bytes) => Cell::Bytes(Cow::Owned(bytes)),
        Value::String(value) | Value::Enum(_, value) => text(value),
        Value::Uuid(value) => text(value.to_string()),
        Value::Decimal(value) => text(decimal(&value, scale(schema))?),
        Value::Union(_, value) => match schema {
            Schema::Union(union) => match only(union.variants()) {
                Some((_, schema)) => cell(*value, schema)?,
                // The column is text, whatever the value.
                None => match *value {
                    Value::Null => Cell::Null,
                    Value::String(value) | Value::Enum(_, value) => text(value),
                    value => text(json(value)?),
                },
            },
            schema => cell(*value, schema)?,
        },
        other => text(json(other)?),
    })
}

/// Writes a value as JSON text.
fn json(value: Value) -> Result<String, String> {
    let json = serde_json::Value::try_from(value).map_err(|cause| cause.to_string())?;
    Ok(json.to_string())
}

fn scale(schema: &Schema) -> usize {
    match schema {
        Schema::Decimal(decimal) => decimal.scale,
        _ => 0,
    }
}

/// Writes a decimal with its point: the bytes are the digits as a whole number in two's complement.
fn decimal(value: &Decimal, scale: usize) -> Result<String, String> {
    let bytes = Vec::<u8>::try_from(value).map_err(|cause| cause.to_string())?;
    if bytes.len() > 16 {
        return Err(format!(
            "a decimal of {} bytes, at most 16 are read",
            bytes.len()
        ));
    }
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut whole = [if is_negative { 0xff } else { 0 }; 16];
    whole[16 - bytes.len()..].copy_from_slice(&bytes);
    let whole = i128::from_be_bytes(whole);
    let digits = format!("{:0>1$}", whole.unsigned_abs(), scale + 1);
    let (before, after) = digits.split_at(digits.len() - scale);
    let sign = if whole < 0 { "-" } else { "" };
    Ok(match after {
        "" => format!("{sign}{before}"),
        after => format!("{sign}{before}.{after}"),
    })
}
