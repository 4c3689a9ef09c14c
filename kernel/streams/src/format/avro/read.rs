//! Reads records behind the id of their schema.

use std::collections::HashMap;
use std::sync::Arc;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;

use super::shape::{Known, named};
use super::value::cell;
use super::{MAGIC, PREFIX};
use crate::format::{Parse, Parsed, Refused};
use crate::record::cell::Cell;
use crate::record::scan::{Key, Scan};
use crate::registry::Registry;

/// Reads Avro; each record by the schema that it was written with.
pub(crate) struct Parser {
    registry: Registry,
    readers: HashMap<i32, Result<Reader, String>>,
}

/// Reads the records of one schema.
struct Reader {
    known: Arc<Known>,
    datum: GenericDatumReader<'static>,
    /// The schemas of the columns.
    columns: Vec<&'static Schema>,
}

impl Parser {
    pub fn new(registry: &Registry) -> Parser {
        Parser {
            registry: registry.clone(),
            readers: HashMap::new(),
        }
    }

    fn reader(&mut self, id: i32) -> Result<&Reader, Refused> {
        if !self.readers.contains_key(&id) {
            let found = self.registry.known(id).map_err(Refused::Fault)?;
            self.readers.insert(id, found.and_then(Reader::new));
        }
        match &self.readers[&id] {
            Ok(reader) => Ok(reader),
            Err(why) => Err(Refused::Record(why.clone())),
        }
    }
}

impl Parse for Parser {
    fn parse<'a>(&mut self, payload: &'a [u8]) -> Result<Parsed<'a>, Refused> {
        let id = id(payload).map_err(Refused::Record)?;
        let reader = self.reader(id)?;
        let cells = reader.cells(&payload[PREFIX..]);
        Ok(Parsed {
            shape: reader.known.shape.clone(),
            cells: cells.map_err(Refused::Record)?,
        })
    }
}

impl Reader {
    fn new(known: Arc<Known>) -> Result<Reader, String> {
        let datum = GenericDatumReader::builder(known.schema)
            .build()
            .map_err(|cause| cause.to_string())?;
        let columns = known.fields().into_iter();
        Ok(Reader {
            columns: (columns.map(|(_, schema)| named(schema, &known.names))).collect(),
            known,
            datum,
        })
    }

    fn cells(&self, mut datum: &[u8]) -> Result<Vec<Cell<'static>>, String> {
        let of = |why: String| format!("not Avro of schema {}: {why}", self.known.id);
        let value = (self.datum.read_value(&mut datum)).map_err(|cause| of(cause.to_string()))?;
        if !datum.is_empty() {
            return Err(of(format!("{} bytes follow the datum", datum.len())));
        }
        let values: Vec<Value> = match (value, self.known.schema) {
            (Value::Record(fields), Schema::Record(_)) => {
                fields.into_iter().map(|(_, value)| value).collect()
            }
            (value, _) => vec![value],
        };
        (values.into_iter().zip(&self.columns))
            .map(|(value, schema)| cell(value, schema).map_err(of))
            .collect()
    }
}

/// Returns the id of the schema that a record was written with.
fn id(payload: &[u8]) -> Result<i32, String> {
    match payload {
        [MAGIC, a, b, c, d, ..] => Ok(i32::from_be_bytes([*a, *b, *c, *d])),
        [first, ..] if *first != MAGIC => Err(format!(
            "no schema id: the first byte is {first}, in Avro behind a registry's id it is 0"
        )),
        _ => Err(format!(
            "no schema id: {} bytes, it takes {PREFIX}",
            payload.len()
        )),
    }
}

/// Takes a JSON object apart into names and cells.
///
/// # Errors
/// Says in words why it is none.
pub(crate) fn json_record(json: &[u8]) -> Result<Vec<(String, Cell<'_>)>, String> {
    let mut scan = Scan::object(json)?;
    let mut cells = Vec::new();
    while let Some(key) = scan.key(None)? {
        if let Key::Other(name) = key {
            cells.push((name.into_owned(), scan.value()?));
        }
    }
    Ok(cells)
}
