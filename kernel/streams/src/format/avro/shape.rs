//! What columns a schema gives.

use std::sync::Arc;

use apache_avro::Schema;
use apache_avro::schema::{InnerDecimalSchema, NamesRef, ResolvedSchema, UuidSchema};
use polars::prelude::{DataType, TimeUnit, TimeZone};

use crate::format::{Shape, VALUE};

/// A schema of a registry, ready to read and write with.
///
/// Readers and writers of the crate borrow their schema for as long as they live, so a schema is kept
/// until the process ends: there are few, and each is kept once.
pub(crate) struct Known {
    pub id: i32,
    pub schema: &'static Schema,
    pub names: NamesRef<'static>,
    pub shape: Arc<Shape>,
}

impl Known {
    /// Reads a schema's JSON text.
    ///
    /// # Errors
    /// Says in words why it is none.
    pub fn parse(id: i32, text: &str) -> Result<Known, String> {
        let schema = Schema::parse_str(text).map_err(|cause| cause.to_string())?;
        let schema: &'static Schema = Box::leak(Box::new(schema));
        let resolved = ResolvedSchema::try_from(schema).map_err(|cause| cause.to_string())?;
        let names = resolved.get_names().clone();
        let columns = match schema {
            Schema::Record(record) => (record.fields.iter())
                .map(|field| (field.name.as_str().into(), dtype(&field.schema, &names)))
                .collect(),
            other => vec![(VALUE.into(), dtype(other, &names))],
        };
        Ok(Known {
            id,
            schema,
            names,
            shape: Arc::new(Shape { columns }),
        })
    }

    /// Returns the fields of a record, or the one value of another schema.
    pub fn fields(&self) -> Vec<(&'static str, &'static Schema)> {
        match self.schema {
            Schema::Record(record) => (record.fields.iter())
                .map(|field| (field.name.as_str(), &field.schema))
                .collect(),
            other => vec![(VALUE, other)],
        }
    }
}

/// Returns the one type of a union beside null; nothing where there are several.
pub(super) fn only(variants: &[Schema]) -> Option<(u32, &Schema)> {
    let mut typed = (0..)
        .zip(variants)
        .filter(|(_, schema)| **schema != Schema::Null);
    match (typed.next(), typed.next()) {
        (Some((index, schema)), None) => Some((index, schema)),
        _ => None,
    }
}

/// Follows a reference to a named type.
pub(super) fn named<'s>(schema: &'s Schema, names: &NamesRef<'s>) -> &'s Schema {
    match schema {
        Schema::Ref { name } => names.get(name).copied().unwrap_or(schema),
        schema => schema,
    }
}

/// Returns the dtype of values of a schema.
fn dtype(schema: &'static Schema, names: &NamesRef<'static>) -> DataType {
    let at = |unit| DataType::Datetime(unit, Some(TimeZone::UTC));
    match named(schema, names) {
        Schema::Null => DataType::Null,
        Schema::Boolean => DataType::Boolean,
        Schema::Int => DataType::Int32,
        Schema::Long => DataType::Int64,
        Schema::Float => DataType::Float32,
        Schema::Double => DataType::Float64,
        Schema::Bytes | Schema::Fixed(_) => DataType::Binary,
        Schema::Date => DataType::Date,
        Schema::TimeMillis => DataType::Duration(TimeUnit::Milliseconds),
        Schema::TimeMicros => DataType::Duration(TimeUnit::Microseconds),
        Schema::TimestampMillis => at(TimeUnit::Milliseconds),
        Schema::TimestampMicros => at(TimeUnit::Microseconds),
        Schema::TimestampNanos => at(TimeUnit::Nanoseconds),
        Schema::LocalTimestampMillis => DataType::Datetime(TimeUnit::Milliseconds, None),
        Schema::LocalTimestampMicros => DataType::Datetime(TimeUnit::Microseconds, None),
        Schema::LocalTimestampNanos => DataType::Datetime(TimeUnit::Nanoseconds, None),
        Schema::Union(union) => match only(union.variants()) {
            Some((_, schema)) => dtype(schema, names),
            None => DataType::String,
        },
        _ => DataType::String,
    }
}

/// Names a schema as Avro does, for messages.
pub(crate) fn word(schema: &Schema) -> String {
    match schema {
        Schema::Union(union) => {
            let variants: Vec<String> = union.variants().iter().map(word).collect();
            format!("[{}]", variants.join(", "))
        }
        Schema::Record(record) => format!("record {}", record.name),
        Schema::Enum(symbols) => format!("enum of {}", symbols.symbols.join(", ")),
        Schema::Fixed(fixed) => format!("fixed of {} bytes", fixed.size),
        Schema::Array(_) => "array".into(),
        Schema::Map(_) => "map".into(),
        Schema::Uuid(UuidSchema::String) => "uuid".into(),
        Schema::Decimal(decimal) => match &decimal.inner {
            InnerDecimalSchema::Bytes => format!("decimal with scale {}", decimal.scale),
            InnerDecimalSchema::Fixed(_) => format!("fixed decimal with scale {}", decimal.scale),
        },
        Schema::Ref { name } => name.to_string(),
        other => format!("{other:?}").to_lowercase(),
    }
}
