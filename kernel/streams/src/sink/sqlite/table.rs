//! The table in the file: its columns, and single values into it and out of it.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};

use crate::sink::cells::{Cell, Cells, Kind, time_text};
use crate::time;

/// Opens the file so that others may read while a batch is written, and a batch that was written
/// is on the disk.
pub(super) fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

/// Returns names and kinds of a table's columns; none where there is no such table.
pub(super) fn columns(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<Vec<(String, Kind)>> {
    let mut list = connection.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
    let columns = list.query_map([table], |row| {
        let declared: String = row.get(1)?;
        let kind = match declared.as_str() {
            "INTEGER" => Kind::Int,
            "REAL" => Kind::Float,
            "BOOLEAN" => Kind::Bool,
            "DATETIME" => Kind::Time,
            "DATE" => Kind::Date,
            "JSON" => Kind::Json,
            _ => Kind::Text,
        };
        Ok((row.get(0)?, kind))
    })?;
    columns.collect()
}

pub(super) fn add_columns(
    connection: &Connection,
    table: &str,
    wanted: &[Cells],
) -> rusqlite::Result<()> {
    let there = columns(connection, table)?;
    for column in wanted {
        if there.iter().any(|(name, _)| *name == column.name) {
            continue;
        }
        let declared = match column.kind {
            Kind::Int => "INTEGER",
            Kind::Float => "REAL",
            Kind::Bool => "BOOLEAN",
            Kind::Time => "DATETIME",
            Kind::Date => "DATE",
            Kind::Json => "JSON",
            Kind::Text => "TEXT",
        };
        let (table, name) = (quoted(table), quoted(&column.name));
        connection.execute(
            &format!("ALTER TABLE {table} ADD COLUMN {name} {declared}"),
            [],
        )?;
    }
    Ok(())
}

pub(super) fn read_cell(value: ValueRef<'_>, kind: Kind) -> Cell {
    match (value, kind) {
        (ValueRef::Integer(value), Kind::Float) => Cell::Float(value as f64),
        (ValueRef::Integer(value), Kind::Bool) => Cell::Bool(value != 0),
        (ValueRef::Integer(value), _) => Cell::Int(value),
        (ValueRef::Real(value), _) => Cell::Float(value),
        (ValueRef::Text(text), kind) => {
            let text = String::from_utf8_lossy(text);
            match (time::parse(&text), kind) {
                (Some((at, _)), Kind::Time) => Cell::Time(at),
                (Some((at, _)), Kind::Date) => Cell::Date(at.div_euclid(time::DAY) as i32),
                _ => Cell::Text(text.into_owned()),
            }
        }
        (ValueRef::Null | ValueRef::Blob(_), _) => Cell::Null,
    }
}

/// Puts a name in quotes, as SQL has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Null => ToSqlOutput::Owned(Value::Null),
            Cell::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Cell::Float(value) => ToSqlOutput::Owned(Value::Real(*value)),
            Cell::Bool(value) => ToSqlOutput::Owned(Value::Integer(i64::from(*value))),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Time(micros) => ToSqlOutput::Owned(Value::Text(time_text(*micros))),
            Cell::Date(days) => {
                let text = time_text(i64::from(*days) * time::DAY);
                ToSqlOutput::Owned(Value::Text(text[..10].to_owned()))
            }
        })
    }
}
