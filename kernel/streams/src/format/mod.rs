//! What the records of a topic are written in: JSON, text, bytes, Avro or Protobuf.
//!
//! A handle says it, not the topic: `topic.avro(&registry)` is another handle to the same topic, and
//! whatever reads or writes through it (frames, replays, live queries, jobs, sinks) uses Avro.

pub(crate) mod avro;
mod plain;
pub(crate) mod protobuf;
mod writer;

use std::sync::Arc;

use polars::prelude::{DataType, PlSmallStr};

use crate::Error;
use crate::record::cell::Cell;
use crate::registry::Registry;

pub(crate) use protobuf::Message;
pub(crate) use writer::RowWriter;

/// The one column of a topic that is text or bytes.
pub(crate) const VALUE: &str = "value";

/// A format, and what is needed to read and write it.
#[derive(Clone, Default)]
pub(crate) enum Format {
    #[default]
    Json,
    /// One column `value` (str).
    Text,
    /// One column `value` (binary).
    Raw,
    /// Avro behind the id of its schema in a registry.
    Avro(Registry),
    Protobuf(Arc<Message>),
}

/// The columns of a record.
pub(crate) struct Shape {
    pub columns: Vec<(PlSmallStr, DataType)>,
}

/// One record as the cells of its shape.
pub(crate) struct Parsed<'a> {
    pub shape: Arc<Shape>,
    pub cells: Vec<Cell<'a>>,
}

/// Why there are no cells.
pub(crate) enum Refused {
    /// The record is no row of this format, said in words.
    Record(String),
    /// The record may be right: what is needed to read it was not to be had.
    Fault(Error),
}

/// Reads records of one format.
pub(crate) trait Parse: Send {
    /// Takes one record apart; the same shape is the same `Arc`.
    fn parse<'a>(&mut self, payload: &'a [u8]) -> Result<Parsed<'a>, Refused>;
}

impl Format {
    /// Returns what reads records of this format; nothing for JSON, which the decoder reads itself.
    pub fn parser(&self) -> Option<Box<dyn Parse>> {
        Some(match self {
            Format::Json => return None,
            Format::Text => Box::new(plain::Texts::new()),
            Format::Raw => Box::new(plain::Bytes::new()),
            Format::Avro(registry) => Box::new(avro::Parser::new(registry)),
            Format::Protobuf(message) => Box::new(protobuf::Parser::new(message.clone())),
        })
    }

    /// Names the format, for instance `protobuf trips.Trip`.
    pub fn describe(&self) -> String {
        match self {
            Format::Json => "json".into(),
            Format::Text => "text".into(),
            Format::Raw => "raw".into(),
            Format::Avro(_) => "avro".into(),
            Format::Protobuf(message) => format!("protobuf {}", message.name()),
        }
    }
}

impl Shape {
    /// Returns whether a frame has these columns, in this order.
    pub fn fits(&self, schema: &polars::prelude::Schema) -> bool {
        self.columns.len() == schema.len()
            && (self.columns.iter())
                .zip(schema.iter())
                .all(|((name, dtype), (other, found))| name == other && dtype == found)
    }
}
