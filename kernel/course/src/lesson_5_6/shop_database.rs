//! The SQLite files of the shop: orders with their outbox, and bills with their inbox.

use std::path::Path;
use std::time::Duration;

use headwater_streams::rusqlite::types::ValueRef;
use headwater_streams::rusqlite::{self, Connection, ErrorCode, params};
use headwater_streams::{Error, Result};
use polars::prelude::{Column, DataFrame};

use super::order::Order;

const SHOP: &str = "
    CREATE TABLE IF NOT EXISTS orders (
        number INTEGER PRIMARY KEY, placed_at TEXT, amount_eur INTEGER CHECK (amount_eur > 0));
    CREATE TABLE IF NOT EXISTS outbox (
        id INTEGER PRIMARY KEY, order_number INTEGER, event TEXT, sent INTEGER DEFAULT 0);";

const BILLING: &str = "
    CREATE TABLE IF NOT EXISTS bills (event_id TEXT, order_number INTEGER, amount_eur INTEGER);
    CREATE TABLE IF NOT EXISTS inbox (event_id TEXT PRIMARY KEY);";

/// What the database said to a new order.
pub(super) enum Inserted {
    New,
    /// The order is there already.
    Known,
    Refused(String),
}

/// Opens the database of the shop.
pub(super) fn open_shop(folder: &Path) -> Result<Connection> {
    open(&folder.join("shop.db"), SHOP)
}

/// Opens the database of the billing service.
pub(super) fn open_billing(folder: &Path) -> Result<Connection> {
    open(&folder.join("billing.db"), BILLING)
}

fn open(file: &Path, tables: &str) -> Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A crash here is one of the process, which the page cache outlives; power stays on.
        connection.pragma_update(None, "synchronous", "off")?;
        connection.execute_batch(tables)?;
        Ok(connection)
    };
    open().map_err(failed)
}

/// Inserts an order, unless it is there.
pub(super) fn insert_order(shop: &Connection, order: &Order) -> Result<Inserted> {
    let insert = "INSERT INTO orders VALUES (?1, ?2, ?3) ON CONFLICT (number) DO NOTHING";
    let values = params![order.number, order.placed_at, order.amount_eur];
    match shop.execute(insert, values) {
        Ok(0) => Ok(Inserted::Known),
        Ok(_) => Ok(Inserted::New),
        Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Ok(Inserted::Refused(cause.to_string()))
        }
        Err(cause) => Err(failed(cause)),
    }
}

pub(super) fn run(connection: &Connection, statement: &str) -> Result<()> {
    connection.execute_batch(statement).map_err(failed)
}

pub(super) fn insert_outbox(shop: &Connection, number: i64, event: &str) -> Result<()> {
    let insert = "INSERT INTO outbox (order_number, event) VALUES (?1, ?2)";
    shop.execute(insert, params![number, event])
        .map_err(failed)?;
    Ok(())
}

/// Returns id, order and event of the rows that the relay has not marked, oldest first.
pub(super) fn unsent(shop: &Connection) -> Result<Vec<(i64, i64, String)>> {
    let read = || -> rusqlite::Result<Vec<(i64, i64, String)>> {
        let mut rows =
            shop.prepare("SELECT id, order_number, event FROM outbox WHERE sent = 0 ORDER BY id")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    };
    read().map_err(failed)
}

pub(super) fn mark_sent(shop: &Connection, id: i64) -> Result<()> {
    shop.execute("UPDATE outbox SET sent = 1 WHERE id = ?1", [id])
        .map_err(failed)?;
    Ok(())
}

/// Writes a bill; with an inbox only for an event that is not in it, in one transaction with its id.
pub(super) fn bill(
    billing: &mut Connection,
    event_id: &str,
    number: i64,
    amount_eur: i64,
    with_inbox: bool,
) -> Result<()> {
    let mut write = || -> rusqlite::Result<()> {
        let transaction = billing.transaction()?;
        let known = with_inbox
            && transaction.execute("INSERT OR IGNORE INTO inbox VALUES (?1)", [event_id])? == 0;
        if !known {
            let insert = "INSERT INTO bills VALUES (?1, ?2, ?3)";
            transaction.execute(insert, params![event_id, number, amount_eur])?;
        }
        transaction.commit()
    };
    write().map_err(failed)
}

/// Returns each order's number with a count of `table`'s rows.
pub(super) fn counts(connection: &Connection, query: &str) -> Result<Vec<(i64, i64)>> {
    let read = || -> rusqlite::Result<Vec<(i64, i64)>> {
        let mut rows = connection.prepare(query)?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    read().map_err(failed)
}

/// Runs a query over both files (the second one as `billing`) and returns its rows.
pub(super) fn query(folder: &Path, sql: &str) -> Result<DataFrame> {
    let refused = |cause: String| {
        Error::new("SQLite does not take this as a query")
            .have(cause)
            .hint("shop.sql(\"SELECT * FROM orders\")?, or outbox, billing.bills, billing.inbox")
    };
    let connection = open_shop(folder)?;
    let billing = folder.join("billing.db");
    connection
        .execute("ATTACH ?1 AS billing", [billing.to_string_lossy()])
        .map_err(failed)?;
    let mut statement = connection
        .prepare(sql)
        .map_err(|cause| refused(cause.to_string()))?;
    if !statement.readonly() || statement.column_count() == 0 {
        return Err(refused(
            "a statement that changes something, or returns no rows".into(),
        ));
    }
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut columns = vec![Vec::new(); names.len()];
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        for (at, column) in columns.iter_mut().enumerate() {
            column.push(text(row.get_ref(at).map_err(failed)?));
        }
    }
    let height = columns.first().map_or(0, Vec::len);
    let columns = names
        .iter()
        .zip(columns)
        .map(|(name, values)| column(name, values));
    Ok(DataFrame::new(height, columns.collect())?)
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Some(format!("{} bytes", bytes.len())),
    }
}

/// Whole numbers where every value is one, else text.
fn column(name: &str, values: Vec<Option<String>>) -> Column {
    let whole: Option<Vec<Option<i64>>> = values
        .iter()
        .map(|value| value.as_ref().map(|text| text.parse().ok()))
        .map(|parsed| match parsed {
            Some(None) => None,
            Some(number) => Some(number),
            None => Some(None),
        })
        .collect();
    match whole {
        Some(numbers) if !numbers.is_empty() => Column::new(name.into(), numbers),
        _ => Column::new(name.into(), values),
    }
}

fn failed(cause: rusqlite::Error) -> Error {
    Error::new("the shop's database failed")
        .have(cause.to_string())
        .hint("Shop::open(&cluster, &topic, WritePath::Outbox)?, which begins with an empty one")
        .caused_by(cause)
}
