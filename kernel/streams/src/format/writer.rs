//! Turns the rows of a frame into records of a topic's format.

use polars::prelude::{Column, DataFrame, DataType};

use super::avro::AvroRows;
use super::protobuf::ProtobufRows;
use super::{Format, VALUE};
use crate::record::cell::Cell;
use crate::record::encode::Encoder;
use crate::record::values::Values;
use crate::topic::Topic;
use crate::{Error, Result};

/// Writes any row of one frame as a record.
pub(crate) struct RowWriter(Rows);

enum Rows {
    Json(Encoder),
    /// The column `value`.
    One(Values),
    Avro(AvroRows),
    Protobuf(ProtobufRows),
}

impl RowWriter {
    /// Prepares the columns of `frame` for `topic`.
    ///
    /// # Errors
    /// When the topic's format cannot hold a column, or the registry does not take the schema.
    pub fn new(topic: &Topic, frame: &DataFrame) -> Result<RowWriter> {
        Ok(RowWriter(match topic.format() {
            Format::Json => Rows::Json(Encoder::new(frame)?),
            Format::Text => Rows::One(one(topic, frame, &DataType::String)?),
            Format::Raw => Rows::One(one(topic, frame, &DataType::Binary)?),
            Format::Avro(registry) => Rows::Avro(AvroRows::new(registry, topic.name(), frame)?),
            Format::Protobuf(message) => {
                Rows::Protobuf(ProtobufRows::new(message, topic.name(), frame)?)
            }
        }))
    }

    /// Returns the text of the schema header that goes with every record, where there is one.
    pub fn header(&self) -> Option<&str> {
        match &self.0 {
            Rows::Json(encoder) => Some(encoder.header()),
            _ => None,
        }
    }

    /// Appends row `row` as a record.
    ///
    /// # Errors
    /// When a value does not fit the schema; column and row are named.
    pub fn write(&self, row: usize, to: &mut Vec<u8>) -> Result<()> {
        match &self.0 {
            Rows::Json(encoder) => encoder.write(row, to),
            Rows::One(values) => match values.cell(row) {
                Ok(Cell::Text(text)) => to.extend_from_slice(text.as_bytes()),
                Ok(Cell::Bytes(bytes)) => to.extend_from_slice(&bytes),
                _ => {
                    return Err(Error::new(format!("column `{VALUE}` is null in row {row}"))
                        .have("a record without a value deletes its key")
                        .hint("topic.send_tombstone(\"key\")? if that is meant"));
                }
            },
            Rows::Avro(rows) => rows.write(row, to)?,
            Rows::Protobuf(rows) => rows.write(row, to)?,
        }
        Ok(())
    }
}

/// Returns the only column of a frame for a topic that is text or bytes.
fn one(topic: &Topic, frame: &DataFrame, dtype: &DataType) -> Result<Values> {
    let wrong = |have: String| {
        Error::new(format!(
            "topic `{}` is {} here: it takes one column `{VALUE}` ({dtype})",
            topic.name(),
            topic.format().describe()
        ))
        .have(have)
        .hint("frame.select([\"value\"])?, or the topic without .raw() or .text() for rows as JSON")
    };
    match frame.columns() {
        [column] if column.name() == VALUE && column.dtype() == dtype => values(column),
        columns => {
            let columns = columns
                .iter()
                .map(|column| format!("{} ({})", column.name(), column.dtype()));
            Err(wrong(columns.collect::<Vec<_>>().join(", ")))
        }
    }
}

/// Prepares a column to be read row by row.
pub(super) fn values(column: &Column) -> Result<Values> {
    Values::of(&column.as_materialized_series().rechunk())
}
