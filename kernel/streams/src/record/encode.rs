//! Turns the rows of a frame into JSON objects.

use polars::prelude::*;

use super::values::Values;
use crate::Result;
use crate::time;

/// Writes any row of one frame as a JSON object.
pub(crate) struct Encoder {
    columns: Vec<(Vec<u8>, Values)>,
    header: String,
}

impl Encoder {
    /// Prepares the columns of `frame`.
    ///
    /// # Errors
    /// When a column has a dtype that JSON cannot carry here, such as a list.
    pub fn new(frame: &DataFrame) -> Result<Encoder> {
        let frame = frame.clone();
        let header = super::write_schema(
            frame
                .schema()
                .iter()
                .map(|(name, dtype)| (name.as_str(), dtype)),
        )?;
        let mut columns = Vec::new();
        for column in frame.columns() {
            let series = column.as_materialized_series().rechunk();
            let mut key = serde_json::to_vec(series.name().as_str()).expect("text is always JSON");
            key.push(b':');
            columns.push((key, Values::of(&series)?));
        }
        Ok(Encoder { columns, header })
    }

    /// Returns the text of the [`HEADER`](super::HEADER) that goes with every row.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Appends row `row` as a JSON object.
    pub fn write(&self, row: usize, to: &mut Vec<u8>) {
        to.push(b'{');
        for (index, (key, values)) in self.columns.iter().enumerate() {
            if index > 0 {
                to.push(b',');
            }
            to.extend_from_slice(key);
            if write(values, row, to).is_none() {
                to.extend_from_slice(b"null");
            }
        }
        to.push(b'}');
    }
}

/// Writes one value; nothing where it is null.
fn write(values: &Values, row: usize, to: &mut Vec<u8>) -> Option<()> {
    match values {
        // The header has refused bytes before.
        Values::Nulls | Values::Bytes(_) => return None,
        Values::Bools(values) => {
            to.extend_from_slice(if values.get(row)? { b"true" } else { b"false" })
        }
        Values::Ints(values) => json(to, &values.get(row)?),
        Values::Unsigned(values) => json(to, &values.get(row)?),
        Values::Texts(values) => json(to, &values.get(row)?),
        Values::Floats(values) => {
            let value = values.get(row)?;
            if value.is_finite() {
                json(to, &value);
            } else {
                json(to, &value.to_string());
            }
        }
        Values::Dates(values) => {
            let (year, month, day) = time::civil_from_days(values.get(row)?);
            json(to, &format!("{year:04}-{month:02}-{day:02}"));
        }
        Values::Times(values, unit, zone) => {
            let value = values.get(row)?;
            let (micros, decimals) = match unit {
                TimeUnit::Milliseconds => (value * 1000, 3),
                TimeUnit::Microseconds => (value, 6),
                TimeUnit::Nanoseconds => (value.div_euclid(1000), 6),
            };
            to.push(b'"');
            time::write_iso(to, micros, decimals, *zone);
            to.push(b'"');
        }
    }
    Some(())
}

fn json<T: serde::Serialize + ?Sized>(to: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(to, value)
        .expect("a plain value is always JSON and memory never fails to write");
}
