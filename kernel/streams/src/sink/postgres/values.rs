//! Single values on the wire of PostgreSQL, in its binary form.

use ::postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use bytes::BytesMut;

use crate::sink::cells::Cell;

/// Microseconds, and days, from 1970 to 2000, where PostgreSQL begins to count.
const EPOCH_US: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;

/// What a value can be read or written as.
type Unfit = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Cell {
    fn to_sql(&self, to: &Type, out: &mut BytesMut) -> Result<IsNull, Unfit> {
        match self {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Int(value) if *to == Type::FLOAT8 => (*value as f64).to_sql(to, out),
            Cell::Int(value) => value.to_sql(to, out),
            Cell::Float(value) => value.to_sql(to, out),
            Cell::Bool(value) => value.to_sql(to, out),
            // On the wire these are integers, counted from 2000, and JSON is text.
            Cell::Time(micros) => (micros - EPOCH_US).to_sql(&Type::INT8, out),
            Cell::Date(days) => (days - EPOCH_DAYS).to_sql(&Type::INT4, out),
            Cell::Text(text) => text.to_sql(&Type::TEXT, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Cell, Unfit> {
        Ok(match *of {
            Type::INT8 => Cell::Int(i64::from_sql(of, raw)?),
            Type::FLOAT8 => Cell::Float(f64::from_sql(of, raw)?),
            Type::BOOL => Cell::Bool(bool::from_sql(of, raw)?),
            Type::TIMESTAMPTZ => Cell::Time(i64::from_sql(&Type::INT8, raw)? + EPOCH_US),
            Type::DATE => Cell::Date(i32::from_sql(&Type::INT4, raw)? + EPOCH_DAYS),
            _ => Cell::Text(String::from_utf8_lossy(raw).into_owned()),
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
