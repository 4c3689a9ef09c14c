//! A table of a PostgreSQL database: rows and batch number change in one transaction.

mod table;
mod values;

use std::error::Error as _;

use ::postgres::config::Host;
use ::postgres::{Client, Config, NoTls, Transaction};
use polars::prelude::DataFrame;

use super::cells::{self, Cell, Cells, Kind};
use super::marker::{self, Marker};
use super::{Opening, Output, Sink, Target, Writer};
use crate::query::Query;
use crate::window::OutputMode;
use crate::{Error, Result};
use table::{STAGE, columns, compared, fit, listed, quoted, stage};

/// The table that says which job writes to which table, and how far it is.
const JOBS: &str = "headwater_jobs";

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
