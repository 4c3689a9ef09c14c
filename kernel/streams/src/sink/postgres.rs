//! A table of a PostgreSQL database: rows and batch number change in one transaction.

use std::error::Error as _;

use ::postgres::binary_copy::BinaryCopyInWriter;
use ::postgres::config::Host;
use ::postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use ::postgres::{Client, Config, GenericClient, NoTls, Transaction};
use bytes::BytesMut;
use polars::prelude::DataFrame;

use super::cells::{self, Cell, Cells, Kind};
use super::marker::{self, Marker};
use super::{Opening, Output, Sink, Target, Writer};
use crate::query::Query;
use crate::window::OutputMode;
use crate::{Error, Result};

/// The table that says which job writes to which table, and how far it is.
const JOBS: &str = "headwater_jobs";

/// The temporary table in which a batch arrives.
const STAGE: &str = "headwater_stage";

/// Microseconds, and days, from 1970 to 2000, where PostgreSQL begins to count.
const EPOCH_US: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;

/// A table of a PostgreSQL database as a sink: one row a window and key, replaced where it changes.
///
/// Columns: window_start and window_end (timestamptz), the keys, the aggregates (bigint, double
/// precision, text, boolean, date, timestamptz; lists as json). A second table, `headwater_jobs`,
/// keeps the number of the last batch and changes in the same transaction. Connections are not
/// encrypted: for a server on this machine or on a network that you trust.
///
/// # Example
/// ```no_run
/// use headwater_streams::prelude::*;
/// # fn doc(query: Query) -> headwater_streams::Result<()> {
/// let table = Postgres::at("postgres://me@localhost/trips").table("per_zone");
/// query.output(Update).to(&table).checkpoint("checkpoints/trips").run_available()?;
/// let windows = table.read()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Postgres {
    url: String,
    table: String,
}

struct Upserts {
    client: Client,
    sink: Postgres,
    mode: OutputMode,
    /// window_start, window_end and the keys.
    names: Vec<String>,
    /// The columns of the temporary table, once it is there.
    staged: Vec<(String, Kind)>,
}

/// What goes wrong in a transaction: in the database, or in what was to be written.
enum Failure {
    Database(::postgres::Error),
    Rows(Error),
}

impl Postgres {
    /// Names the database, for instance `postgres://me@localhost:5432/trips` or
    /// `host=localhost user=me dbname=trips`. Nothing is connected before a job starts.
    pub fn at(url: &str) -> Postgres {
        Postgres {
            url: url.into(),
            table: "results".into(),
        }
    }

    /// Names the table. Default: `results`. It is made when a job starts and belongs to that job.
    pub fn table(mut self, table: &str) -> Postgres {
        self.table = table.into();
        self
    }

    /// Returns the rows in the table, ordered by window. A frame without columns where there is
    /// no table yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn read(&self) -> Result<DataFrame> {
        let mut client = self.client()?;
        let (columns, rows) = self
            .rows(&mut client)
            .map_err(|cause| self.failed(&cause))?;
        cells::frame(&columns, rows)
    }

    /// Shows the sink as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(crate::table::text(&self.describe()));
    }

    fn rows(&self, client: &mut Client) -> Result<(Vec<Cells>, usize), ::postgres::Error> {
        let mut columns: Vec<Cells> = columns(client, &self.table)?
            .into_iter()
            .map(|(name, kind)| Cells {
                name,
                kind,
                cells: Vec::new(),
            })
            .collect();
        if columns.is_empty() {
            return Ok((columns, 0));
        }
        let select = format!(
            "SELECT {} FROM {} ORDER BY window_start, window_end",
            listed(columns.iter().map(|column| &column.name)),
            quoted(&self.table)
        );
        let rows = client.query(&select, &[])?;
        for row in &rows {
            for (index, column) in columns.iter_mut().enumerate() {
                let cell: Option<Cell> = row.try_get(index)?;
                column.cells.push(cell.unwrap_or(Cell::Null));
            }
        }
        Ok((columns, rows.len()))
    }

    fn client(&self) -> Result<Client> {
        let config: Config = self.url.parse().map_err(|cause: ::postgres::Error| {
            Error::new("this is not the address of a PostgreSQL database")
                .have(words(&cause))
                .hint("Postgres::at(\"postgres://me@localhost:5432/trips\")")
        })?;
        config.connect(NoTls).map_err(|cause| {
            Error::unreachable(format!("{} cannot be reached", self.describe()))
                .have(words(&cause))
                .hint("start the server, or check host, port, user and database in Postgres::at(\"..\")")
                .caused_by(cause)
        })
    }

    fn failed(&self, cause: &::postgres::Error) -> Error {
        Error::new(format!("{} did not take the results", self.describe()))
            .have(words(cause))
            .hint("repair it there, then start the job again: it goes on where it was")
    }

    /// Reads the note on the table and keeps others from changing it until the transaction ends.
    /// So a transaction that an earlier, killed process has left running is waited for.
    fn marker(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Option<Marker>, ::postgres::Error> {
        let select = format!("SELECT job, batch FROM {JOBS} WHERE results = $1 FOR UPDATE");
        let found = transaction.query_opt(&select, &[&self.table])?;
        found
            .map(|row| {
                let batch: Option<i64> = row.try_get(1)?;
                Ok(Marker {
                    job: row.try_get(0)?,
                    batch: batch.map(|batch| batch as u64),
                })
            })
            .transpose()
    }

    fn prepare(&self, opening: &Opening<'_>, client: &mut Client) -> Result<(), Failure> {
        // Two sessions that create one table at once would fail; the second one waits here.
        let mut transaction = client.transaction()?;
        transaction.batch_execute(&format!(
            "SELECT pg_advisory_xact_lock(hashtext('{JOBS}'));
            CREATE TABLE IF NOT EXISTS {JOBS} (results TEXT PRIMARY KEY, job TEXT NOT NULL, batch BIGINT)"
        ))?;
        let found = self.marker(&mut transaction)?;
        marker::check(&self.describe(), found.as_ref(), opening)?;
        if found.is_none() {
            if !columns(&mut transaction, &self.table)?.is_empty() {
                return Err(Failure::Rows(marker::not_ours(&self.describe())));
            }
            let name = quoted(&self.table);
            transaction.batch_execute(&format!(
                "CREATE TABLE {name} (window_start TIMESTAMPTZ NOT NULL, window_end TIMESTAMPTZ NOT NULL);
                CREATE INDEX ON {name} (window_start, window_end)"
            ))?;
            transaction.execute(
                &format!("INSERT INTO {JOBS} VALUES ($1, $2, NULL)"),
                &[&self.table, &opening.job],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn said(&self, failure: Failure) -> Error {
        match failure {
            Failure::Database(cause) => self.failed(&cause),
            Failure::Rows(error) => error,
        }
    }
}

impl Target for Postgres {
    fn describe(&self) -> String {
        let config: Config = self.url.parse().unwrap_or_default();
        let host = config.get_hosts().first().map(|host| match host {
            Host::Tcp(host) => host.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let host = host.unwrap_or_else(|| "localhost".into());
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let database = config.get_dbname().or(config.get_user()).unwrap_or("?");
        format!(
            "PostgreSQL table {} in database {database} at {host}:{port}",
            self.table
        )
    }

    fn check(&self, _: &Query) -> Result<()> {
        Ok(())
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Writer>> {
        let mut client = self.client()?;
        self.prepare(opening, &mut client)
            .map_err(|failure| self.said(failure))?;
        Ok(Box::new(Upserts {
            client,
            sink: self.clone(),
            mode: opening.query.mode(),
            names: opening.query.names(),
            staged: Vec::new(),
        }))
    }
}

impl Writer for Upserts {
    fn write(&mut self, output: &Output<'_>) -> Result<()> {
        let columns = cells::columns(output.rows)?;
        self.upsert(output, &columns)
            .map_err(|failure| self.sink.said(failure))
    }
}

impl Upserts {
    fn upsert(&mut self, output: &Output<'_>, columns: &[Cells]) -> Result<(), Failure> {
        let mut transaction = self.client.transaction()?;
        let held = self.sink.marker(&mut transaction)?;
        if held.and_then(|held| held.batch) == Some(output.batch) {
            return Ok(());
        }
        let table = quoted(&self.sink.table);
        if self.mode == OutputMode::Complete {
            transaction.execute(&format!("DELETE FROM {table}"), &[])?;
        }
        if output.rows.height() > 0 {
            let kinds = fit(&mut transaction, &self.sink, columns)?;
            stage(&mut transaction, &mut self.staged, &kinds, columns)?;
            if self.mode != OutputMode::Complete {
                // A null key is a key.
                let by: Vec<String> = self
                    .names
                    .iter()
                    .filter(|name| columns.iter().any(|column| column.name == **name))
                    .map(|name| compared(name))
                    .collect();
                transaction.execute(
                    &format!(
                        "DELETE FROM {table} t USING {STAGE} s WHERE {}",
                        by.join(" AND ")
                    ),
                    &[],
                )?;
            }
            let names = listed(columns.iter().map(|column| &column.name));
            transaction.execute(
                &format!("INSERT INTO {table} ({names}) SELECT {names} FROM {STAGE}"),
                &[],
            )?;
        }
        transaction.execute(
            &format!("UPDATE {JOBS} SET batch = $1 WHERE results = $2"),
            &[&(output.batch as i64), &self.sink.table],
        )?;
        transaction.commit()?;
        Ok(())
    }
}

/// Brings a batch into the temporary table, in one go.
fn stage(
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
fn fit(
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
fn columns(
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

impl From<::postgres::Error> for Failure {
    fn from(cause: ::postgres::Error) -> Failure {
        Failure::Database(cause)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Rows(error)
    }
}

impl From<Postgres> for Sink {
    fn from(postgres: Postgres) -> Sink {
        Sink::of(postgres)
    }
}

impl From<&Postgres> for Sink {
    fn from(postgres: &Postgres) -> Sink {
        Sink::of(postgres.clone())
    }
}

impl std::fmt::Debug for Postgres {
    /// Without the password that the address may hold.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Returns what the server said, or else what happened to the connection.
fn words(cause: &::postgres::Error) -> String {
    match (cause.as_db_error(), cause.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(source)) => format!("{cause}: {source}"),
        (None, None) => cause.to_string(),
    }
}

fn compared(name: &str) -> String {
    let quoted = quoted(name);
    // The index serves `=` alone, and both bounds are never null.
    match name {
        "window_start" | "window_end" => format!("t.{quoted} = s.{quoted}"),
        _ => format!("t.{quoted} IS NOT DISTINCT FROM s.{quoted}"),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names
        .map(|name| quoted(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Puts a name in quotes, as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
