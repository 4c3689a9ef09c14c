//! A table of a SQLite file: rows and batch number change in one transaction.

mod table;

use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params_from_iter};

use super::cells::{self, Cells};
use super::marker::{self, Marker};
use super::{Opening, Output, Sink, Target, Writer};
use crate::query::Query;
use crate::window::OutputMode;
use crate::{Error, Result};
use table::{add_columns, columns, connect, quoted, read_cell};

/// The table that says which job writes to which table, and how far it is.
const JOBS: &str = "headwater_jobs";

/// A table of a SQLite file as a sink: one row a window and key, replaced where it changes.
///
/// Columns: window_start and window_end (text such as `2013-02-08 10:15:00`, UTC, declared
/// DATETIME), the keys, the aggregates; lists as JSON text. A second table, `headwater_jobs`,
/// keeps the number of the last batch and changes in the same transaction.
///
/// # Example
/// ```no_run
/// use headwater_streams::prelude::*;
/// # fn doc(query: Query) -> headwater_streams::Result<()> {
/// let table = Sqlite::file("trips.db").table("per_zone");
/// query.output(Update).to(&table).checkpoint("checkpoints/trips").run_available()?;
/// let windows = table.read()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Sqlite {
    file: PathBuf,
    table: String,
}

struct Upserts {
    connection: Connection,
    sink: Sqlite,
    mode: OutputMode,
    /// window_start, window_end and the keys.
    names: Vec<String>,
}

impl Sqlite {
    /// Names the file; it is made when a job starts.
    pub fn file(path: impl AsRef<Path>) -> Sqlite {
        Sqlite {
            file: path.as_ref().to_owned(),
            table: "results".into(),
        }
    }

    /// Names the table. Default: `results`. It is made when a job starts and belongs to that job.
    pub fn table(mut self, table: &str) -> Sqlite {
        self.table = table.into();
        self
    }

    /// Returns the rows in the table, ordered by window. A frame without columns where there is
    /// no table yet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<DataFrame> {
        if !self.file.exists() {
            return Ok(DataFrame::empty());
        }
        let read = || -> rusqlite::Result<(Vec<Cells>, usize)> {
            let connection = connect(&self.file)?;
            let mut columns: Vec<Cells> = columns(&connection, &self.table)?
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
            let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
            let mut select = connection.prepare(&format!(
                "SELECT {} FROM {} ORDER BY window_start, window_end",
                names.join(", "),
                quoted(&self.table)
            ))?;
            let mut rows = select.query([])?;
            let mut count = 0;
            while let Some(row) = rows.next()? {
                for (index, column) in columns.iter_mut().enumerate() {
                    let cell = read_cell(row.get_ref(index)?, column.kind);
                    column.cells.push(cell);
                }
                count += 1;
            }
            Ok((columns, count))
        };
        let (columns, rows) = read().map_err(|cause| self.failed(cause))?;
        cells::frame(&columns, rows)
    }

    /// Shows the sink as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(crate::table::text(&self.describe()));
    }

    fn marker(&self, connection: &Connection) -> rusqlite::Result<Option<Marker>> {
        let found = connection.query_row(
            &format!("SELECT job, batch FROM {JOBS} WHERE results = ?1"),
            [&self.table],
            |row| {
                let batch: Option<i64> = row.get(1)?;
                Ok(Marker {
                    job: row.get(0)?,
                    batch: batch.map(|batch| batch as u64),
                })
            },
        );
        found.optional()
    }

    fn failed(&self, cause: rusqlite::Error) -> Error {
        Error::new(format!("{} cannot be used as a sink", self.describe()))
            .have(cause.to_string())
            .hint("Sqlite::file(\"trips.db\").table(\"per_zone\"), a file that you may write to and nobody keeps locked")
            .caused_by(cause)
    }
}

impl Target for Sqlite {
    fn describe(&self) -> String {
        format!("SQLite table {} in {}", self.table, self.file.display())
    }

    fn check(&self, _: &Query) -> Result<()> {
        Ok(())
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Writer>> {
        let failed = |cause| self.failed(cause);
        let connection = connect(&self.file).map_err(failed)?;
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {JOBS} (results TEXT PRIMARY KEY, job TEXT NOT NULL, batch INTEGER)"
        );
        connection.execute_batch(&create).map_err(failed)?;
        let found = self.marker(&connection).map_err(failed)?;
        marker::check(&self.describe(), found.as_ref(), opening)?;
        if found.is_none() {
            if !columns(&connection, &self.table)
                .map_err(failed)?
                .is_empty()
            {
                return Err(marker::not_ours(&self.describe()));
            }
            let name = quoted(&self.table);
            let index = quoted(&format!("{}_by_window", self.table));
            let create = format!(
                "BEGIN IMMEDIATE;
                CREATE TABLE {name} (window_start DATETIME NOT NULL, window_end DATETIME NOT NULL);
                CREATE INDEX {index} ON {name} (window_start, window_end);
                INSERT INTO {JOBS} VALUES ('{}', '{}', NULL);
                COMMIT;",
                self.table.replace('\'', "''"),
                opening.job
            );
            connection.execute_batch(&create).map_err(failed)?;
        }
        Ok(Box::new(Upserts {
            connection,
            sink: self.clone(),
            mode: opening.query.mode(),
            names: opening.query.names(),
        }))
    }
}

impl Writer for Upserts {
    fn write(&mut self, output: &Output<'_>) -> Result<()> {
        let columns = cells::columns(output.rows)?;
        self.upsert(output, &columns)
            .map_err(|cause| self.sink.failed(cause))
    }
}

impl Upserts {
    fn upsert(&mut self, output: &Output<'_>, columns: &[Cells]) -> rusqlite::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let batch = output.batch as i64;
        let held = self.sink.marker(&transaction)?;
        if held.and_then(|held| held.batch) == Some(output.batch) {
            return Ok(());
        }
        let table = quoted(&self.sink.table);
        if self.mode == OutputMode::Complete {
            transaction.execute(&format!("DELETE FROM {table}"), [])?;
        }
        if output.rows.height() > 0 {
            add_columns(&transaction, &self.sink.table, columns)?;
            // Keys are compared with IS: a null key is a key.
            let named: Vec<&Cells> = columns
                .iter()
                .filter(|column| self.names.contains(&column.name))
                .collect();
            let by: Vec<String> = named
                .iter()
                .map(|column| format!("{} IS ?", quoted(&column.name)))
                .collect();
            let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
            let mut delete =
                transaction.prepare(&format!("DELETE FROM {table} WHERE {}", by.join(" AND ")))?;
            let mut insert = transaction.prepare(&format!(
                "INSERT INTO {table} ({}) VALUES ({})",
                names.join(", "),
                vec!["?"; names.len()].join(", ")
            ))?;
            for row in 0..output.rows.height() {
                if self.mode != OutputMode::Complete {
                    delete.execute(params_from_iter(
                        named.iter().map(|column| &column.cells[row]),
                    ))?;
                }
                insert.execute(params_from_iter(
                    columns.iter().map(|column| &column.cells[row]),
                ))?;
            }
        }
        transaction.execute(
            &format!("UPDATE {JOBS} SET batch = ?1 WHERE results = ?2"),
            rusqlite::params![batch, self.sink.table],
        )?;
        transaction.commit()
    }
}

impl From<Sqlite> for Sink {
    fn from(sqlite: Sqlite) -> Sink {
        Sink::of(sqlite)
    }
}

impl From<&Sqlite> for Sink {
    fn from(sqlite: &Sqlite) -> Sink {
        Sink::of(sqlite.clone())
    }
}
