//! Handles to the same topic that read and write its records as something else than JSON.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::tail::Tail;
use super::{Position, Topic};
use crate::format::{Format, Message, avro, protobuf};
use crate::record::encode::Encoder;
use crate::registry::Registry;
use crate::{Error, Result};

impl Topic {
    /// Returns a handle that reads and writes records as text: one column, `value` (str).
    pub fn text(&self) -> Topic {
        self.as_format(Format::Text)
    }

    /// Returns a handle that reads and writes records as they are: one column, `value` (binary).
    pub fn raw(&self) -> Topic {
        self.as_format(Format::Raw)
    }

    /// Returns a handle that reads and writes records as Avro, each behind the id of its schema in the
    /// registry (Confluent's wire format).
    ///
    /// A record is read by the schema that it was written with. Writing takes the newest schema of
    /// `{topic}-value` where the frame has its columns and dtypes, and registers one otherwise.
    ///
    /// Columns: boolean is bool, int i32, long i64, float f32, double f64, bytes and fixed binary,
    /// string, enum and uuid str, decimal its digits as str, date date, timestamp datetime\[unit, UTC\],
    /// local timestamp datetime\[unit\], time of day duration; arrays, maps, records and unions of several
    /// types are their JSON text.
    pub fn avro(&self, registry: &Registry) -> Topic {
        self.as_format(Format::Avro(registry.clone()))
    }

    /// Returns a handle that reads and writes records as messages of this `.proto` text.
    ///
    /// Columns: bool is bool, int32 i32, int64 i64, uint32 u32, uint64 u64, float f32, double f64, string
    /// and enum str, bytes binary, `google.protobuf.Timestamp` datetime\[ns, UTC\]; repeated fields, maps
    /// and other messages are their JSON text, and can only be read.
    ///
    /// # Errors
    /// When the text cannot be read or has no such message.
    ///
    /// # Example
    /// ```
    /// use headwater_streams::prelude::*;
    /// use polars::prelude::*;
    ///
    /// let proto = r#"
    ///     syntax = "proto3";
    ///     message Level { string gauge = 1; optional double level_cm = 2; }
    /// "#;
    /// let topic = Cluster::embedded()?.topic("doc-protobuf", partitions(1))?;
    /// let levels = topic.protobuf(proto, "Level")?;
    /// levels.produce(&df!("gauge" => ["G07", "G08"], "level_cm" => [Some(412.5), None])?)?;
    /// assert_eq!(levels.read(Earliest)?.column("level_cm")?.null_count(), 1);
    /// # Ok::<(), headwater_streams::Error>(())
    /// ```
    pub fn protobuf(&self, proto: &str, message: &str) -> Result<Topic> {
        let message = Message::compile(proto, message)?;
        Ok(self.as_format(Format::Protobuf(Arc::new(message))))
    }

    pub(crate) fn format(&self) -> &Format {
        &self.format
    }

    fn as_format(&self, format: Format) -> Topic {
        Topic {
            format,
            ..self.clone()
        }
    }

    /// Turns what a person typed into a record.
    pub(super) fn payload_of(&self, typed: &str) -> Result<Vec<u8>> {
        match &self.format {
            Format::Json => match serde_json::from_str::<serde::de::IgnoredAny>(typed) {
                Ok(_) => Ok(typed.into()),
                Err(cause) => Err(Error::new("this is not JSON")
                    .have(format!("{cause}: {typed}"))
                    .hint("topic.send(\"G07\", r#\"{\"level_cm\": 12}\"#)?")),
            },
            Format::Text | Format::Raw => Ok(typed.into()),
            Format::Avro(registry) => avro::record_of(registry, self.name(), typed),
            Format::Protobuf(message) => protobuf::record_of(message, self.name(), typed),
        }
    }

    /// Reads every row as a value of the caller's type.
    pub(super) fn rows_as<T: DeserializeOwned>(&self, from: Position) -> Result<Vec<T>> {
        let unfit = |place: String, why: String| {
            Error::new(format!(
                "a record of topic `{}` does not fit {}",
                self.name(),
                std::any::type_name::<T>()
            ))
            .have(format!("{place}: {why}"))
            .hint("a field of type Option<..> where a value may be missing")
        };
        let mut tail = Tail::open(self, &from)?;
        let rows = tail.bounded(false)?;
        if let Some(rejected) = tail.rejected().first() {
            return Err(unfit(rejected.place.clone(), rejected.why.clone()));
        }
        let encoder = Encoder::new(&rows)?;
        let mut json = Vec::new();
        (0..rows.height())
            .map(|row| {
                json.clear();
                encoder.write(row, &mut json);
                serde_json::from_slice(&json)
                    .map_err(|cause| unfit(format!("row {row}"), cause.to_string()))
            })
            .collect()
    }
}
