//! The schema of a frame.

use polars::prelude::{DataType, Schema, TimeUnit, TimeZone};
use serde_json::{Value, json};

use super::subject;
use crate::{Error, Result};

/// Writes the schema of a frame's columns as JSON text. Every column may be null, and null is its
/// default: so a column can be added or left out later, and both old and new records stay readable.
///
/// # Errors
/// When a name or a dtype has no place in Avro.
pub(super) fn schema(topic: &str, columns: &Schema) -> Result<String> {
    let mut fields = Vec::new();
    for (name, dtype) in columns.iter() {
        if !is_name(name) {
            return Err(
                Error::new(format!("column `{name}` has no name that Avro allows"))
                    .have("letters, digits and `_`, and no digit at the beginning")
                    .hint(format!(
                        "frame.rename(\"{name}\", \"{}\".into())?",
                        allowed(name)
                    )),
            );
        }
        let kind = kind(name, dtype)?;
        let kind = match kind.as_str() {
            Some("null") => kind,
            _ => json!(["null", kind]),
        };
        fields.push(json!({"name": name.as_str(), "type": kind, "default": null}));
    }
    let name = allowed(&subject(topic));
    Ok(json!({"type": "record", "name": name, "fields": fields}).to_string())
}

/// Whether Avro allows a name
/// ([specification](https://avro.apache.org/docs/1.12.0/specification/#names)).
fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && (name.chars()).all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Returns the nearest name that Avro allows.
fn allowed(name: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter,
        false => '_',
    };
    let name: String = name.chars().map(letter).collect();
    match is_name(&name) {
        true => name,
        false => format!("_{name}"),
    }
}

fn kind(name: &str, dtype: &DataType) -> Result<Value> {
    let logical = |kind: &str, logical: String| json!({"type": kind, "logicalType": logical});
    Ok(match dtype {
        DataType::Null => json!("null"),
        DataType::Boolean => json!("boolean"),
        DataType::Int8 | DataType::Int16 | DataType::Int32 => json!("int"),
        DataType::UInt32 | DataType::Int64 | DataType::UInt64 => json!("long"),
        DataType::Float32 => json!("float"),
        DataType::Float64 => json!("double"),
        DataType::String => json!("string"),
        DataType::Binary => json!("bytes"),
        DataType::Date => logical("int", "date".into()),
        DataType::Datetime(unit, None) => {
            logical("long", format!("local-timestamp-{}", word(*unit)))
        }
        DataType::Datetime(unit, Some(zone)) if *zone == TimeZone::UTC => {
            logical("long", format!("timestamp-{}", word(*unit)))
        }
        other => {
            return Err(
                Error::new(format!("column `{name}` cannot be sent as Avro"))
                    .have(format!("dtype {other}"))
                    .hint(match other {
                        DataType::Datetime(..) => format!(
                            "col(\"{name}\").dt().convert_time_zone(TimeZone::UTC): Avro's times are UTC"
                        ),
                        DataType::Duration(_) => {
                            format!("col(\"{name}\").cast(DataType::Int64): Avro has no such span")
                        }
                        _ => format!("cast it first, for instance col(\"{name}\").cast(DataType::String)"),
                    }),
            );
        }
    })
}

fn word(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Milliseconds => "millis",
        TimeUnit::Microseconds => "micros",
        TimeUnit::Nanoseconds => "nanos",
    }
}
