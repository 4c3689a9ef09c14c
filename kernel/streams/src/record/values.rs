//! A column of a frame, read one value at a time.

use std::borrow::Cow;

use polars::prelude::*;

use super::cell::Cell;
use crate::{Error, Result};

/// A column in the form that is quickest to read one value at a time.
pub(crate) enum Values {
    Bools(BooleanChunked),
    Ints(Int64Chunked),
    Unsigned(UInt64Chunked),
    Floats(Float64Chunked),
    Texts(StringChunked),
    Bytes(BinaryChunked),
    Dates(Int64Chunked),
    /// Times, with the microseconds in one unit (or the units in one microsecond, negative).
    Times(Int64Chunked, TimeUnit, bool),
    Nulls,
}

impl Values {
    /// Prepares the column.
    ///
    /// # Errors
    /// When its dtype cannot stand in a record, such as a list.
    pub fn of(series: &Series) -> Result<Values> {
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
            DataType::Binary => Values::Bytes(series.binary()?.clone()),
            DataType::UInt64 => Values::Unsigned(series.u64()?.clone()),
            DataType::Float32 | DataType::Float64 => {
                Values::Floats(series.cast(&DataType::Float64)?.f64()?.clone())
            }
            DataType::Date => Values::Dates(physical()?),
            DataType::Datetime(unit, zone) => Values::Times(physical()?, *unit, zone.is_some()),
            dtype if dtype.is_integer() || dtype.is_duration() => Values::Ints(physical()?),
            dtype => {
                return Err(
                    Error::new(format!("column `{}` cannot be sent", series.name()))
                        .have(format!("dtype {dtype}")),
                );
            }
        })
    }

    /// Returns the value of a row; dates and times as numbers in their unit.
    ///
    /// # Errors
    /// Says in words which number does not fit into 64 bits with a sign.
    pub fn cell(&self, row: usize) -> Result<Cell<'_>, String> {
        let cell = match self {
            Values::Nulls => None,
            Values::Bools(values) => values.get(row).map(Cell::Bool),
            Values::Ints(values) | Values::Dates(values) | Values::Times(values, ..) => {
                values.get(row).map(Cell::Int)
            }
            Values::Floats(values) => values.get(row).map(Cell::Float),
            Values::Texts(values) => values.get(row).map(|text| Cell::Text(Cow::Borrowed(text))),
            Values::Bytes(values) => {
                (values.get(row)).map(|bytes| Cell::Bytes(Cow::Borrowed(bytes)))
            }
            Values::Unsigned(values) => match values.get(row) {
                Some(value) => {
                    Some(Cell::Int(i64::try_from(value).map_err(|_| {
                        format!("{value} is more than 9223372036854775807")
                    })?))
                }
                None => None,
            },
        };
        Ok(cell.unwrap_or(Cell::Null))
    }
}
