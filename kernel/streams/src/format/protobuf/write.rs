//! Writes rows as messages.

use std::sync::Arc;

use polars::prelude::DataFrame;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};

use super::{Message, dtype, is_timestamp, word};
use crate::format::avro::json_record;
use crate::format::writer::values;
use crate::record::cell::Cell;
use crate::record::values::Values;
use crate::{Error, Result, time};

/// Writes the rows of one frame.
pub(crate) struct ProtobufRows {
    message: Arc<Message>,
    /// The columns with their fields; nanoseconds in one unit of a time.
    columns: Vec<(FieldDescriptor, Values, i64)>,
}

impl ProtobufRows {
    /// Finds the fields of a frame's columns.
    ///
    /// # Errors
    /// When a column has no field, or one of another type.
    pub fn new(message: &Arc<Message>, topic: &str, frame: &DataFrame) -> Result<ProtobufRows> {
        let mut columns = Vec::new();
        for column in frame.columns() {
            let field = field(message, topic, column.name())?;
            columns.push((field, values(column)?, nanoseconds(column.dtype())));
        }
        Ok(ProtobufRows {
            message: message.clone(),
            columns,
        })
    }

    /// Appends row `row`.
    pub fn write(&self, row: usize, to: &mut Vec<u8>) -> Result<()> {
        let mut message = DynamicMessage::new(self.message.descriptor.clone());
        for (field, values, unit) in &self.columns {
            let cell = values.cell(row);
            set(&mut message, field, cell, *unit, &format!("row {row}"))?;
        }
        put(&message, to)
    }
}

/// Writes one JSON object as a message.
///
/// # Errors
/// When the object does not fit it.
pub(crate) fn record_of(message: &Arc<Message>, topic: &str, json: &str) -> Result<Vec<u8>> {
    let cells = json_record(json.as_bytes()).map_err(|why| {
        Error::new("this is not a JSON object")
            .have(why)
            .hint("topic.send(\"G07\", r#\"{\"level_cm\": 12}\"#)?")
    })?;
    let mut written = DynamicMessage::new(message.descriptor.clone());
    for (name, cell) in cells {
        let field = field(message, topic, &name)?;
        // Times are text in JSON, and are read in microseconds.
        set(&mut written, &field, Ok(cell), 1000, "the object")?;
    }
    let mut payload = Vec::new();
    put(&written, &mut payload)?;
    Ok(payload)
}

fn put(message: &DynamicMessage, to: &mut Vec<u8>) -> Result<()> {
    use prost_reflect::prost::Message as _;
    message
        .encode(to)
        .map_err(|cause| Error::new("a message cannot be written").have(cause.to_string()))
}

fn field(message: &Message, topic: &str, name: &str) -> Result<FieldDescriptor> {
    let mut fields = message.fields.iter();
    fields
        .find(|field| field.name() == name)
        .cloned()
        .ok_or_else(|| {
            let known = message.fields.iter();
            let known: Vec<String> = known
                .map(|field| format!("{} ({})", field.name(), dtype(field)))
                .collect();
            let near = message.fields.iter().map(FieldDescriptor::name);
            let near = crate::name::nearest(name, near);
            Error::new(format!(
                "no field `{name}` in message {} of topic `{topic}`",
                message.name()
            ))
            .have(known.join(", "))
            .hint(near.map_or(
                "frame.drop(..)?, or the field in the .proto text".into(),
                |near| format!("\"{near}\""),
            ))
        })
}

/// Returns how many nanoseconds one unit of a time has.
fn nanoseconds(dtype: &polars::prelude::DataType) -> i64 {
    use polars::prelude::{DataType, TimeUnit};
    match dtype {
        DataType::Datetime(TimeUnit::Milliseconds, _) => 1_000_000,
        DataType::Datetime(TimeUnit::Microseconds, _) => 1000,
        _ => 1,
    }
}

fn set(
    message: &mut DynamicMessage,
    field: &FieldDescriptor,
    cell: std::result::Result<Cell<'_>, String>,
    unit: i64,
    place: &str,
) -> Result<()> {
    let wrong = |why: String| {
        Error::new(format!(
            "column `{}` does not fit the message in {place}",
            field.name()
        ))
        .have(why)
        .hint(format!("the type in the message: {}", word(field)))
    };
    let cell = cell.map_err(wrong)?;
    if cell == Cell::Null {
        return match field.supports_presence() || field.is_list() || field.is_map() {
            true => Ok(()),
            false => Err(
                wrong("null, which would be read back as the default".into())
                    .hint(format!("optional {} in the .proto text", field.name())),
            ),
        };
    }
    let value = value(field, cell, unit).map_err(wrong)?;
    message
        .try_set_field(field, value)
        .map_err(|cause| wrong(cause.to_string()))
}

fn value(field: &FieldDescriptor, cell: Cell<'_>, unit: i64) -> std::result::Result<Value, String> {
    let refused = |cell: &Cell<'_>| format!("{cell}, not {}", word(field));
    let small = |number: i64| format!("{number} does not fit {}", word(field));
    if field.is_list() || field.is_map() {
        return Err(refused(&cell) + "; such fields are read only");
    }
    Ok(match (field.kind(), cell) {
        (Kind::Bool, Cell::Bool(value)) => Value::Bool(value),
        (Kind::Int32 | Kind::Sint32 | Kind::Sfixed32, Cell::Int(value)) => {
            Value::I32(value.try_into().map_err(|_| small(value))?)
        }
        (Kind::Int64 | Kind::Sint64 | Kind::Sfixed64, Cell::Int(value)) => Value::I64(value),
        (Kind::Uint32 | Kind::Fixed32, Cell::Int(value)) => {
            Value::U32(value.try_into().map_err(|_| small(value))?)
        }
        (Kind::Uint64 | Kind::Fixed64, Cell::Int(value)) => {
            Value::U64(value.try_into().map_err(|_| small(value))?)
        }
        (Kind::Float, Cell::Float(value)) => Value::F32(value as f32),
        (Kind::Double, Cell::Float(value)) => Value::F64(value),
        (Kind::Float, Cell::Int(value)) => Value::F32(value as f32),
        (Kind::Double, Cell::Int(value)) => Value::F64(value as f64),
        (Kind::String, Cell::Text(text)) => Value::String(text.into_owned()),
        (Kind::Bytes, Cell::Bytes(bytes)) => Value::Bytes(bytes.into_owned().into()),
        (Kind::Enum(symbols), Cell::Text(text)) => match symbols.get_value_by_name(&text) {
            Some(symbol) => Value::EnumNumber(symbol.number()),
            None => return Err(refused(&Cell::Text(text))),
        },
        (Kind::Message(kind), Cell::Int(at)) if is_timestamp(&kind) => timestamp(kind, at, unit)?,
        (Kind::Message(kind), Cell::Text(text)) if is_timestamp(&kind) => {
            let at = time::parse(&text).map(|(at, _)| at);
            timestamp(kind, at.ok_or_else(|| refused(&Cell::Text(text)))?, 1000)?
        }
        (_, cell) => return Err(refused(&cell)),
    })
}

fn timestamp(
    kind: prost_reflect::MessageDescriptor,
    at: i64,
    unit: i64,
) -> std::result::Result<Value, String> {
    let units = 1_000_000_000 / unit;
    let mut message = DynamicMessage::new(kind);
    let nanos = i32::try_from(at.rem_euclid(units) * unit).map_err(|cause| cause.to_string())?;
    message.set_field_by_name("seconds", Value::I64(at.div_euclid(units)));
    message.set_field_by_name("nanos", Value::I32(nanos));
    Ok(Value::Message(message))
}
