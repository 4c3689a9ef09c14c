//! Frames as the values of a database table, and back.

use polars::prelude::*;

use crate::{Error, Result, time};

/// What a column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Float,
    Text,
    Bool,
    /// Microseconds since 1970, UTC.
    Time,
    /// Days since 1970.
    Date,
    /// A list, as JSON text.
    Json,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Float(f64),
    Text(String),
    Bool(bool),
    Time(i64),
    Date(i32),
}

/// A column of a frame on its way into a table, or out of one.
pub(super) struct Cells {
    pub name: String,
    pub kind: Kind,
    pub cells: Vec<Cell>,
}

/// Takes a frame apart. Columns of which nothing is known but nulls are left out.
///
/// # Errors
/// When a column has a dtype that a table cannot hold.
pub(super) fn columns(frame: &DataFrame) -> Result<Vec<Cells>> {
    let mut columns = Vec::new();
    for column in frame.columns() {
        let Some(kind) = kind(column)? else {
            continue;
        };
        let cells = (0..column.len()).map(|row| cell(column, row, kind));
        columns.push(Cells {
            name: column.name().to_string(),
            kind,
            cells: cells.collect::<Result<_>>()?,
        });
    }
    Ok(columns)
}

impl Cells {
    /// Turns the values into a column; times are datetimes in microseconds, UTC.
    pub fn column(&self) -> Result<Column> {
        let name = PlSmallStr::from(self.name.as_str());
        let cells = self.cells.iter();
        let is_float = |cell: &Cell| matches!(cell, Cell::Float(_));
        Ok(match self.kind {
            // A table without strict types may hold both.
            Kind::Int if cells.clone().any(is_float) => Column::new(name, floats(&self.cells)),
            Kind::Int => Column::new(name, ints(&self.cells)),
            Kind::Float => Column::new(name, floats(&self.cells)),
            Kind::Text | Kind::Json => {
                let texts = cells.map(|cell| match cell {
                    Cell::Text(text) => Some(text.as_str()),
                    _ => None,
                });
                Column::new(name, texts.collect::<Vec<_>>())
            }
            Kind::Bool => {
                let values = cells.map(|cell| match cell {
                    Cell::Bool(value) => Some(*value),
                    Cell::Int(value) => Some(*value != 0),
                    _ => None,
                });
                Column::new(name, values.collect::<Vec<_>>())
            }
            Kind::Time => {
                let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
                Column::new(name, ints(&self.cells)).cast(&utc)?
            }
            Kind::Date => {
                let days = cells.map(|cell| match cell {
                    Cell::Date(days) => Some(*days),
                    _ => None,
                });
                Column::new(name, days.collect::<Vec<_>>()).cast(&DataType::Date)?
            }
        })
    }
}

/// Puts columns together again.
pub(super) fn frame(columns: &[Cells], rows: usize) -> Result<DataFrame> {
    let columns = columns.iter().map(Cells::column);
    Ok(DataFrame::new(rows, columns.collect::<Result<_>>()?)?)
}

/// Writes a time as databases read it: `2013-02-08 10:15:00`, UTC.
pub(super) fn time_text(micros: i64) -> String {
    time::show(micros)
}

fn kind(column: &Column) -> Result<Option<Kind>> {
    Ok(Some(match column.dtype() {
        DataType::Null => return Ok(None),
        DataType::Boolean => Kind::Bool,
        DataType::String => Kind::Text,
        DataType::Date => Kind::Date,
        DataType::Datetime(..) => Kind::Time,
        DataType::Duration(_) => Kind::Int,
        DataType::List(_) => Kind::Json,
        dtype if dtype.is_float() => Kind::Float,
        dtype if dtype.is_integer() => Kind::Int,
        dtype => {
            return Err(Error::new(format!(
                "column `{}` cannot go into a database table",
                column.name()
            ))
            .have(format!("dtype {dtype}"))
            .hint("leave it out, or cast it before the window"));
        }
    }))
}

fn cell(column: &Column, row: usize, kind: Kind) -> Result<Cell> {
    let value = column.get(row)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let whole = || {
        value.extract::<i64>().ok_or_else(|| {
            Error::new(format!(
                "a value of column `{}` does not fit into 64 bits",
                column.name()
            ))
            .have(value.to_string())
            .hint("cast it to f64")
        })
    };
    Ok(match kind {
        Kind::Int => Cell::Int(whole()?),
        Kind::Float => Cell::Float(value.extract::<f64>().unwrap_or(f64::NAN)),
        Kind::Bool => Cell::Bool(matches!(value, AnyValue::Boolean(true))),
        Kind::Date => Cell::Date(whole()? as i32),
        Kind::Time => {
            let unit = match column.dtype() {
                DataType::Datetime(unit, _) => *unit,
                _ => TimeUnit::Microseconds,
            };
            let number = whole()?;
            Cell::Time(match unit {
                TimeUnit::Milliseconds => number.saturating_mul(1000),
                TimeUnit::Microseconds => number,
                TimeUnit::Nanoseconds => number.div_euclid(1000),
            })
        }
        Kind::Text => Cell::Text(value.get_str().unwrap_or_default().to_owned()),
        Kind::Json => Cell::Text(json(&value)?.to_string()),
    })
}

fn json(value: &AnyValue<'_>) -> Result<serde_json::Value> {
    Ok(match value {
        AnyValue::Null => serde_json::Value::Null,
        AnyValue::Boolean(value) => (*value).into(),
        AnyValue::List(series) => {
            let values = (0..series.len()).map(|index| json(&series.get(index)?));
            serde_json::Value::Array(values.collect::<Result<_>>()?)
        }
        AnyValue::Float32(_) | AnyValue::Float64(_) => value.extract::<f64>().into(),
        value => match (value.get_str(), value.extract::<i64>()) {
            (Some(text), _) => text.into(),
            (None, Some(number)) if value.is_integer() => number.into(),
            _ => value.to_string().into(),
        },
    })
}

fn ints(cells: &[Cell]) -> Vec<Option<i64>> {
    let int = |cell: &Cell| match cell {
        Cell::Int(value) | Cell::Time(value) => Some(*value),
        _ => None,
    };
    cells.iter().map(int).collect()
}

fn floats(cells: &[Cell]) -> Vec<Option<f64>> {
    let float = |cell: &Cell| match cell {
        Cell::Float(value) => Some(*value),
        Cell::Int(value) => Some(*value as f64),
        _ => None,
    };
    cells.iter().map(float).collect()
}
