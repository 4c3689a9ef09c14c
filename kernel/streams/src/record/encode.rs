//! Turns the rows of a frame into JSON objects.

use polars::prelude::*;

use crate::time;
use crate::{Error, Result};

/// Writes any row of one frame as a JSON object.
pub(crate) struct Encoder {
    columns: Vec<(Vec<u8>, Values)>,
    header: String,
}

/// A column in the form that is quickest to read one value at a time.
enum Values {
    Bools(BooleanChunked),
    Ints(Int64Chunked),
    Unsigned(UInt64Chunked),
    Floats(Float64Chunked),
    Texts(StringChunked),
    Dates(Int64Chunked),
    /// Times, with the microseconds in one unit (or the units in one microsecond, negative).
    Times(Int64Chunked, TimeUnit, bool),
    Nulls,
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
            columns.push((key, values(&series)?));
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
            if values.write(row, to).is_none() {
                to.extend_from_slice(b"null");
            }
        }
        to.push(b'}');
    }
}

impl Values {
    fn write(&self, row: usize, to: &mut Vec<u8>) -> Option<()> {
        match self {
            Values::Nulls => return None,
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
}

fn json<T: serde::Serialize + ?Sized>(to: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(to, value)
        .expect("a plain value is always JSON and memory never fails to write");
}

fn values(series: &Series) -> Result<Values> {
    let physical = || -> Result<Int64Chunked> {
        Ok(series
            .to_physical_repr()
            .cast(&DataType::Int64)?
            .i64()?
            .clone())
    };
    Ok(match series.dtype() {
        DataType::Null => Values::Nulls,
        DataType::Boolean => Values::Bools(series.bool()?.clone()),
        DataType::String => Values::Texts(series.str()?.clone()),
        DataType::UInt64 => Values::Unsigned(series.u64()?.clone()),
        DataType::Float32 | DataType::Float64 => {
            Values::Floats(series.cast(&DataType::Float64)?.f64()?.clone())
        }
        DataType::Date => Values::Dates(physical()?),
        DataType::Datetime(unit, zone) => Values::Times(physical()?, *unit, zone.is_some()),
        dtype if dtype.is_integer() || dtype.is_duration() => Values::Ints(physical()?),
        dtype => {
            return Err(
                Error::new(format!("column `{}` cannot be sent as JSON", series.name()))
                    .have(format!("dtype {dtype}")),
            );
        }
    })
}
