//! Writes rows behind the id of their schema.

use std::sync::Arc;

use apache_avro::Schema;
use apache_avro::schema::NamesRef;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use polars::prelude::DataFrame;

use super::shape::{Known, named, word};
use super::{MAGIC, derive, subject};
use crate::format::writer::values;
use crate::record::cell::Cell;
use crate::record::values::Values;
use crate::registry::Registry;
use crate::{Error, Result, time};

/// Writes the rows of one frame.
pub(crate) struct AvroRows {
    record: Record,
    /// In the order of the schema.
    columns: Vec<Values>,
}

/// Writes records of one schema.
struct Record {
    known: Arc<Known>,
    fields: Vec<(&'static str, &'static Schema)>,
    writer: GenericDatumWriter<'static>,
}

impl AvroRows {
    /// Finds the schema for a frame, and registers one where the topic's newest is another.
    ///
    /// # Errors
    /// When Avro has no place for a column, or old readers could not read the new schema.
    pub fn new(registry: &Registry, topic: &str, frame: &DataFrame) -> Result<AvroRows> {
        let newest = registry.newest(&subject(topic))?;
        let known = match newest.filter(|newest| newest.shape.fits(frame.schema())) {
            Some(newest) => newest,
            None => {
                let derived = derive::schema(topic, frame.schema())?;
                let id = registry.register(&subject(topic), &derived)?;
                registry.must_know(id)?
            }
        };
        Ok(AvroRows {
            record: Record::new(known)?,
            columns: (frame.columns().iter())
                .map(values)
                .collect::<Result<_>>()?,
        })
    }

    /// Appends row `row`.
    pub fn write(&self, row: usize, to: &mut Vec<u8>) -> Result<()> {
        let cells = self.columns.iter().map(|values| values.cell(row));
        let place = format!("row {row}");
        self.record.write(cells, &place, to)
    }
}

/// Writes one JSON object as a record of the topic's newest schema.
///
/// # Errors
/// When there is none yet, or the object does not fit it.
pub(crate) fn record_of(registry: &Registry, topic: &str, json: &str) -> Result<Vec<u8>> {
    let known = registry.newest(&subject(topic))?.ok_or_else(|| {
        Error::new(format!("topic `{topic}` has no schema yet"))
            .have(format!("nothing under {}", subject(topic)))
            .hint("topic.produce(&frame)? registers one from the frame's columns")
    })?;
    let not_json = |why: String| {
        Error::new("this is not a JSON object")
            .have(why)
            .hint("topic.send(\"G07\", r#\"{\"level_cm\": 12}\"#)?")
    };
    let mut given = super::json_record(json.as_bytes()).map_err(not_json)?;
    let record = Record::new(known)?;
    let mut cells = Vec::new();
    for (name, _) in &record.fields {
        let place = given.iter().position(|(key, _)| key == name);
        cells.push(Ok(
            place.map_or(Cell::Null, |index| given.swap_remove(index).1)
        ));
    }
    if let Some((name, _)) = given.first() {
        let names: Vec<&str> = record.fields.iter().map(|(name, _)| *name).collect();
        return Err(Error::new(format!(
            "no field `{name}` in the schema of topic `{topic}`"
        ))
        .have(names.join(", "))
        .hint("one of these names, or topic.produce(&frame)? with the new column"));
    }
    let mut payload = Vec::new();
    record.write(cells.into_iter(), "the object", &mut payload)?;
    Ok(payload)
}

impl Record {
    fn new(known: Arc<Known>) -> Result<Record> {
        let writer = GenericDatumWriter::builder(known.schema)
            .build()
            .map_err(|cause| unusable(&known, &cause.to_string()))?;
        Ok(Record {
            fields: known.fields(),
            known,
            writer,
        })
    }

    fn write<'a>(
        &self,
        cells: impl Iterator<Item = Result<Cell<'a>, String>>,
        place: &str,
        to: &mut Vec<u8>,
    ) -> Result<()> {
        let mut fields = Vec::with_capacity(self.fields.len());
        for ((name, schema), cell) in self.fields.iter().zip(cells) {
            let value = cell.and_then(|cell| value(schema, cell, &self.known.names));
            let value = value.map_err(|why| {
                Error::new(format!(
                    "column `{name}` does not fit the schema in {place}"
                ))
                .have(why)
                .hint(format!("the type in the schema: {}", word(schema)))
            })?;
            fields.push(((*name).to_owned(), value));
        }
        let datum = match (self.known.schema, fields.len()) {
            (Schema::Record(_), _) => Value::Record(fields),
            (_, _) => fields.pop().map_or(Value::Null, |(_, value)| value),
        };
        to.push(MAGIC);
        to.extend_from_slice(&self.known.id.to_be_bytes());
        (self.writer.write_value_ref(to, &datum))
            .map_err(|cause| unusable(&self.known, &cause.to_string()))?;
        Ok(())
    }
}

fn unusable(known: &Known, why: &str) -> Error {
    Error::new(format!("schema {} cannot be written with", known.id))
        .have(why)
        .hint("another topic, so that a schema is made from the frame's columns")
}

/// Turns a cell into a value of a schema.
fn value(schema: &Schema, cell: Cell<'_>, names: &NamesRef<'static>) -> Result<Value, String> {
    let refused = |cell: &Cell<'_>| Err(format!("{}, not {}", cell, word(schema)));
    let int = |number: i64| i32::try_from(number).map_err(|_| format!("{number} is no 32-bit int"));
    Ok(match (schema, cell) {
        (Schema::Ref { name }, cell) => match names.get(name) {
            Some(schema) => value(schema, cell, names)?,
            None => return Err(format!("type {name} is not in the schema")),
        },
        (Schema::Union(union), cell) => {
            let is_null = cell == Cell::Null;
            let mut first = None;
            for (index, variant) in (0..).zip(union.variants()) {
                let variant = named(variant, names);
                if is_null != (*variant == Schema::Null) {
                    continue;
                }
                match value(variant, cell.clone(), names) {
                    Ok(value) => return Ok(Value::Union(index, Box::new(value))),
                    Err(why) => first = first.or(Some(why)),
                }
            }
            return Err(first.unwrap_or_else(|| format!("{}, not {}", cell, word(schema))));
        }
        (Schema::Null, Cell::Null) => Value::Null,
        (Schema::Boolean, Cell::Bool(value)) => Value::Boolean(value),
        (Schema::Int, Cell::Int(value)) => Value::Int(int(value)?),
        (Schema::Long, Cell::Int(value)) => Value::Long(value),
        (Schema::Float, Cell::Float(value)) => Value::Float(value as f32),
        (Schema::Float, Cell::Int(value)) => Value::Float(value as f32),
        (Schema::Double, Cell::Float(value)) => Value::Double(value),
        (Schema::Double, Cell::Int(value)) => Value::Double(value as f64),
        (Schema::Bytes, Cell::Bytes(bytes)) => Value::Bytes(bytes.into_owned()),
        (Schema::Fixed(fixed), Cell::Bytes(bytes)) if bytes.len() == fixed.size => {
            Value::Fixed(bytes.len(), bytes.into_owned())
        }
        (Schema::String, Cell::Text(text)) => Value::String(text.into_owned()),
        (Schema::Enum(symbols), Cell::Text(text)) => {
            match symbols.symbols.iter().position(|symbol| *symbol == text) {
                Some(index) => Value::Enum(index as u32, text.into_owned()),
                None => return refused(&Cell::Text(text)),
            }
        }
        (Schema::Uuid(_), Cell::Text(text)) => {
            Value::Uuid(text.parse().map_err(|_| format!("{text:?} is no uuid"))?)
        }
        (Schema::Array(_) | Schema::Map(_) | Schema::Record(_), Cell::Text(text)) => {
            let json: serde_json::Value =
                serde_json::from_str(&text).map_err(|cause| format!("no JSON: {cause}"))?;
            (apache_avro::to_value(json).and_then(|value| value.resolve(schema)))
                .map_err(|cause| cause.to_string())?
        }
        (schema, Cell::Int(number)) => match temporal(schema, number, int)? {
            Some(value) => value,
            None => return refused(&Cell::Int(number)),
        },
        // A time in JSON.
        (schema, Cell::Text(text)) => match time::parse(&text).map(|(at, _)| at) {
            Some(at) => match temporal(schema, in_unit(schema, at), int)? {
                Some(value) => value,
                None => return refused(&Cell::Text(text)),
            },
            None => return refused(&Cell::Text(text)),
        },
        (_, cell) => return refused(&cell),
    })
}

/// Returns a date or time of a schema from a number in its unit; nothing for another schema.
fn temporal(
    schema: &Schema,
    number: i64,
    int: impl Fn(i64) -> Result<i32, String>,
) -> Result<Option<Value>, String> {
    Ok(Some(match schema {
        Schema::Date => Value::Date(int(number)?),
        Schema::TimeMillis => Value::TimeMillis(int(number)?),
        Schema::TimeMicros => Value::TimeMicros(number),
        Schema::TimestampMillis => Value::TimestampMillis(number),
        Schema::TimestampMicros => Value::TimestampMicros(number),
        Schema::TimestampNanos => Value::TimestampNanos(number),
        Schema::LocalTimestampMillis => Value::LocalTimestampMillis(number),
        Schema::LocalTimestampMicros => Value::LocalTimestampMicros(number),
        Schema::LocalTimestampNanos => Value::LocalTimestampNanos(number),
        _ => return Ok(None),
    }))
}

/// Returns a time in microseconds in the unit of a schema.
fn in_unit(schema: &Schema, at: i64) -> i64 {
    match schema {
        Schema::Date => at.div_euclid(time::DAY),
        Schema::TimestampMillis | Schema::LocalTimestampMillis => at.div_euclid(1000),
        Schema::TimestampNanos | Schema::LocalTimestampNanos => at.saturating_mul(1000),
        _ => at,
    }
}
