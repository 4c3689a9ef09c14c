//! Records in Avro's binary encoding
//! ([specification](https://avro.apache.org/docs/1.12.0/specification/)) behind the id of their schema.
//!
//! The wire format is that of Confluent's schema registry: a byte 0, the id as four bytes with the
//! highest first, then the datum
//! ([wire format](https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format)).
//! Columns: boolean is bool, int i32, long i64, float f32, double f64, bytes and fixed binary, string,
//! enum and uuid str, decimal its digits as str, date date, timestamp datetime\[unit, UTC\], local
//! timestamp datetime\[unit\], time of day duration; arrays, maps, records and unions of several types
//! are their JSON text.

mod derive;
mod read;
mod shape;
mod value;
mod write;

pub(crate) use read::{Parser, json_record};
pub(crate) use shape::{Known, word};
pub(crate) use write::{AvroRows, record_of};

/// The first byte of every record.
const MAGIC: u8 = 0;

/// How many bytes stand before the datum.
const PREFIX: usize = 5;

/// Returns under which name the registry keeps the schemas of a topic's values.
pub(crate) fn subject(topic: &str) -> String {
    format!("{topic}-value")
}
