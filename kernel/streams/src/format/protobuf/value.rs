//! Protobuf's values as cells, and as JSON.

use std::borrow::Cow;

use base64::Engine as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage as _, Value};
use serde_json::json;

use super::is_timestamp;
use crate::record::cell::Cell;
use crate::time;

/// Turns the value of a field into the cell of its column.
///
/// # Errors
/// Says in words what a cell cannot hold.
pub(super) fn cell(value: &Value, field: &FieldDescriptor) -> Result<Cell<'static>, String> {
    let text = |text: String| Cell::Text(Cow::Owned(text));
    Ok(match value {
        Value::Bool(value) => Cell::Bool(*value),
        Value::I32(value) => Cell::Int(i64::from(*value)),
        Value::I64(value) => Cell::Int(*value),
        Value::U32(value) => Cell::Int(i64::from(*value)),
        Value::U64(value) => {
            Cell::Int(i64::try_from(*value).map_err(|_| {
                format!("field {}: {value} is more than {}", field.name(), i64::MAX)
            })?)
        }
        Value::F32(value) => Cell::Float(f64::from(*value)),
        Value::F64(value) => Cell::Float(*value),
        Value::String(value) => text(value.clone()),
        Value::Bytes(bytes) => Cell::Bytes(Cow::Owned(bytes.to_vec())),
        Value::EnumNumber(number) => text(symbol(*number, &field.kind())),
        Value::Message(message) if is_timestamp(&message.descriptor()) => {
            Cell::Int(nanoseconds(message).map_err(|why| format!("field {}: {why}", field.name()))?)
        }
        value => text(json(value, &field.kind()).to_string()),
    })
}

/// Returns an enum's name; its number where this version of the schema has no name for it.
fn symbol(number: i32, kind: &Kind) -> String {
    let value = kind.as_enum().and_then(|symbols| symbols.get_value(number));
    value.map_or_else(|| number.to_string(), |value| value.name().to_owned())
}

/// Returns seconds and nanos of a timestamp as one number.
fn nanoseconds(timestamp: &DynamicMessage) -> Result<i64, String> {
    let (seconds, nanos) = parts(timestamp);
    (seconds.checked_mul(1_000_000_000))
        .and_then(|whole| whole.checked_add(nanos))
        .ok_or_else(|| format!("{seconds} s since 1970 is no time between 1677 and 2262"))
}

fn parts(timestamp: &DynamicMessage) -> (i64, i64) {
    let number = |name| {
        let value = timestamp.get_field_by_name(name);
        value
            .and_then(|value| value.as_i64().or(value.as_i32().map(i64::from)))
            .unwrap_or(0)
    };
    (number("seconds"), number("nanos"))
}

/// Writes a value as [Protobuf's JSON](https://protobuf.dev/programming-guides/json/) does, but 64-bit
/// numbers as numbers.
fn json(value: &Value, kind: &Kind) -> serde_json::Value {
    match value {
        Value::Bool(value) => json!(value),
        Value::I32(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::U32(value) => json!(value),
        Value::U64(value) => json!(value),
        Value::F32(value) => float(f64::from(*value)),
        Value::F64(value) => float(*value),
        Value::String(value) => json!(value),
        Value::Bytes(bytes) => json!(base64::engine::general_purpose::STANDARD.encode(bytes)),
        Value::EnumNumber(number) => json!(symbol(*number, kind)),
        Value::List(values) => values.iter().map(|value| json(value, kind)).collect(),
        Value::Map(pairs) => {
            let entry = kind.as_message();
            let of = entry.and_then(|entry| entry.get_field_by_name("value"));
            let of = of.map_or(kind.clone(), |field| field.kind());
            let mut pairs: Vec<_> = pairs.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            let pairs = pairs
                .into_iter()
                .map(|(key, value)| (name(key), json(value, &of)));
            serde_json::Value::Object(pairs.collect())
        }
        Value::Message(message) if is_timestamp(&message.descriptor()) => {
            let (seconds, nanos) = parts(message);
            let mut text = Vec::new();
            let micros = seconds
                .saturating_mul(time::SECOND)
                .saturating_add(nanos / 1000);
            time::write_iso(&mut text, micros, 6, true);
            json!(String::from_utf8_lossy(&text))
        }
        Value::Message(message) => {
            let fields = message.fields();
            let pairs =
                fields.map(|(field, value)| (field.name().to_owned(), json(value, &field.kind())));
            serde_json::Value::Object(pairs.collect())
        }
    }
}

fn float(value: f64) -> serde_json::Value {
    match value.is_finite() {
        true => json!(value),
        false => json!(value.to_string()),
    }
}

fn name(key: &MapKey) -> String {
    match key {
        MapKey::Bool(value) => value.to_string(),
        MapKey::I32(value) => value.to_string(),
        MapKey::I64(value) => value.to_string(),
        MapKey::U32(value) => value.to_string(),
        MapKey::U64(value) => value.to_string(),
        MapKey::String(value) => value.clone(),
    }
}
