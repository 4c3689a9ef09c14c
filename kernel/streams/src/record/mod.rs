//! What a record holds: one row as a JSON object, and its dtypes in a header.
//!
//! JSON knows numbers, text and truth values only, so a frame that went through a topic would
//! come back with other dtypes. [`HEADER`] repairs that: every record that this library sends
//! carries the names and dtypes of its columns, for instance
//! `sched_dep=datetime[ms, UTC];origin=str;dep_delay=i32`, and reading gives back exactly those.
//! In the value a datetime is ISO 8601 text, a date `2013-02-08`, a duration a number in its
//! unit; a float that JSON cannot write is the text `NaN`, `inf` or `-inf`.
//! Records of other producers have no such header: their dtypes are inferred column by column
//! (i64, f64, bool, datetime in microseconds where every text is an ISO time, else str).

pub(crate) mod cell;
pub(crate) mod column;
pub(crate) mod decode;
pub(crate) mod encode;
mod number;
pub(crate) mod scan;
pub(crate) mod values;

use polars::prelude::{DataType, PlSmallStr, TimeUnit, TimeZone};

use crate::{Error, Result};

/// Names the Kafka record header that holds column names and dtypes.
pub const HEADER: &str = "headwater-schema";

/// Writes names and dtypes as the header's text.
pub(crate) fn write_schema<'a>(
    columns: impl Iterator<Item = (&'a str, &'a DataType)>,
) -> Result<String> {
    let mut text = String::new();
    for (name, dtype) in columns {
        if name.contains([';', '=']) {
            return Err(Error::new(format!(
                "column name `{name}` cannot travel in a record header"
            ))
            .have("a name with `;` or `=`")
            .hint("rename the column first"));
        }
        if *dtype == DataType::Binary {
            return Err(
                Error::new(format!("column `{name}` cannot be sent as JSON"))
                    .have("bytes, which JSON cannot carry")
                    .hint("topic.raw(), topic.avro(&registry) or topic.protobuf(..)? carry bytes"),
            );
        }
        if read_dtype(&dtype.to_string()).as_ref() != Some(dtype) {
            return Err(
                Error::new(format!("column `{name}` cannot be sent as JSON"))
                    .have(format!("dtype {dtype}"))
                    .hint(format!(
                        "cast it first, for instance col(\"{name}\").cast(DataType::String)"
                    )),
            );
        }
        if !text.is_empty() {
            text.push(';');
        }
        text.push_str(&format!("{name}={dtype}"));
    }
    Ok(text)
}

/// Reads the header's text; parts that make no sense are left out, so those columns are inferred.
pub(crate) fn read_schema(text: &[u8]) -> Vec<(PlSmallStr, DataType)> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.split(';')
        .filter_map(|part| part.split_once('='))
        .filter_map(|(name, dtype)| Some((PlSmallStr::from(name), read_dtype(dtype)?)))
        .collect()
}

pub(crate) fn read_dtype(text: &str) -> Option<DataType> {
    Some(match text {
        "bool" => DataType::Boolean,
        "i8" => DataType::Int8,
        "i16" => DataType::Int16,
        "i32" => DataType::Int32,
        "i64" => DataType::Int64,
        "u32" => DataType::UInt32,
        "u64" => DataType::UInt64,
        "f32" => DataType::Float32,
        "f64" => DataType::Float64,
        "str" => DataType::String,
        "date" => DataType::Date,
        "binary" => DataType::Binary,
        "null" => DataType::Null,
        _ => return read_unit_dtype(text),
    })
}

fn read_unit_dtype(text: &str) -> Option<DataType> {
    let (kind, inner) = text.strip_suffix(']')?.split_once('[')?;
    let (unit, zone) = inner
        .split_once(", ")
        .map_or((inner, None), |(unit, zone)| (unit, Some(zone)));
    let unit = match unit {
        "ms" => TimeUnit::Milliseconds,
        "μs" | "us" => TimeUnit::Microseconds,
        "ns" => TimeUnit::Nanoseconds,
        _ => return None,
    };
    match kind {
        "datetime" => Some(DataType::Datetime(unit, TimeZone::opt_try_new(zone).ok()?)),
        "duration" => Some(DataType::Duration(unit)),
        _ => None,
    }
}
