//! The table in the database: its columns, and the way of a batch into it.

use ::postgres::binary_copy::BinaryCopyInWriter;
use ::postgres::types::{ToSql, Type};
use ::postgres::{GenericClient, Transaction};

use super::{Failure, Postgres, Target};
use crate::Error;
use crate::sink::cells::{Cells, Kind};

/// The temporary table in which a batch arrives.
pub(super) const STAGE: &str = "headwater_stage";

/// Brings a batch into the temporary table, in one go.
pub(super) fn stage(
    transaction: &mut Transaction<'_>,
    staged: &mut Vec<(String, Kind)>,
    kinds: &[(String, Kind)],
    columns: &[Cells],
) -> Result<(), Failure> {
    if staged != kinds {
        let declared: Vec<String> = kinds
            .iter()
            .map(|(name, kind)| format!("{} {}", quoted(name), sql_type(*kind)))
            .collect();
        transaction.batch_execute(&format!(
            "DROP TABLE IF EXISTS {STAGE};
            CREATE TEMPORARY TABLE {STAGE} ({}) ON COMMIT DELETE ROWS",
            declared.join(", ")
        ))?;
        *staged = kinds.to_vec();
    }
    let names = listed(kinds.iter().map(|(name, _)| name));
    let copy = transaction.copy_in(&format!("COPY {STAGE} ({names}) FROM STDIN BINARY"))?;
    let types: Vec<Type> = kinds.iter().map(|(_, kind)| wire_type(*kind)).collect();
    let mut copy = BinaryCopyInWriter::new(copy, &types);
    let rows = columns.first().map_or(0, |column| column.cells.len());
    for row in 0..rows {
        let cells: Vec<&(dyn ToSql + Sync)> = columns
            .iter()
            .map(|column| &column.cells[row] as &(dyn ToSql + Sync))
            .collect();
        copy.write(&cells)?;
    }
    copy.finish()?;
    Ok(())
}

/// Gives the table the columns that it lacks; returns the kind of each column of the batch there.
pub(super) fn fit(
    transaction: &mut Transaction<'_>,
    sink: &Postgres,
    wanted: &[Cells],
) -> Result<Vec<(String, Kind)>, Failure> {
    let there = columns(transaction, &sink.table)?;
    let table = quoted(&sink.table);
    let mut kinds = Vec::new();
    for column in wanted {
        let (name, found) = (
            quoted(&column.name),
            there.iter().find(|(name, _)| *name == column.name),
        );
        let kind = match found.map(|(_, kind)| *kind) {
            None => {
                let declared = sql_type(column.kind);
                transaction
                    .batch_execute(&format!("ALTER TABLE {table} ADD COLUMN {name} {declared}"))?;
                column.kind
            }
            Some(Kind::Int) if column.kind == Kind::Float => {
                transaction.batch_execute(&format!(
                    "ALTER TABLE {table} ALTER COLUMN {name} TYPE double precision"
                ))?;
                Kind::Float
            }
            Some(Kind::Float) if column.kind == Kind::Int => Kind::Float,
            Some(kind) if kind == column.kind => kind,
            Some(kind) => {
                return Err(Failure::Rows(
                    Error::new(format!(
                        "column `{}` of {} is of another type",
                        column.name,
                        sink.describe()
                    ))
                    .have(format!(
                        "{} there, {} here",
                        sql_type(kind),
                        sql_type(column.kind)
                    ))
                    .hint("ALTER TABLE .. ALTER COLUMN .. TYPE there, then start the job again"),
                ));
            }
        };
        kinds.push((column.name.clone(), kind));
    }
    Ok(kinds)
}

/// Returns names and kinds of a table's columns; none where there is no such table.
pub(super) fn columns(
    client: &mut impl GenericClient,
    table: &str,
) -> Result<Vec<(String, Kind)>, ::postgres::Error> {
    let rows = client.query(
        "SELECT attname::text, format_type(atttypid, -1) FROM pg_attribute
        WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        &[&quoted(table)],
    )?;
    rows.iter()
        .map(|row| {
            let declared: String = row.try_get(1)?;
            let kind = match declared.as_str() {
                "bigint" => Kind::Int,
                "double precision" => Kind::Float,
                "boolean" => Kind::Bool,
                "timestamp with time zone" => Kind::Time,
                "date" => Kind::Date,
                "json" => Kind::Json,
                _ => Kind::Text,
            };
            Ok((row.try_get(0)?, kind))
        })
        .collect()
}

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "bigint",
        Kind::Float => "double precision",
        Kind::Bool => "boolean",
        Kind::Time => "timestamptz",
        Kind::Date => "date",
        Kind::Json => "json",
        Kind::Text => "text",
    }
}

fn wire_type(kind: Kind) -> Type {
    match kind {
        Kind::Int => Type::INT8,
        Kind::Float => Type::FLOAT8,
        Kind::Bool => Type::BOOL,
        Kind::Time => Type::TIMESTAMPTZ,
        Kind::Date => Type::DATE,
        Kind::Json => Type::JSON,
        Kind::Text => Type::TEXT,
    }
}

pub(super) fn compared(name: &str) -> String {
    let quoted = quoted(name);
    // The index serves `=` alone, and both bounds are never null.
    match name {
        "window_start" | "window_end" => format!("t.{quoted} = s.{quoted}"),
        _ => format!("t.{quoted} IS NOT DISTINCT FROM s.{quoted}"),
    }
}

pub(super) fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names
        .map(|name| quoted(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Puts a name in quotes, as SQL has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
