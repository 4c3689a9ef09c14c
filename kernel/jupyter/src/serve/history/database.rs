//! The SQLite file with the history of cells.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Result, Row, ToSql, params};

use super::{Line, Question, Wanted};

/// How long one kernel waits for another that is writing.
const BUSY: Duration = Duration::from_secs(5);

/// The newest so many cells are kept.
const KEPT_CELLS: i64 = 100_000;

/// Old cells are deleted once in so many new ones.
const TIDY_EVERY: i64 = 500;

/// Of a longer value only the start is kept, in bytes.
const VALUE_LIMIT: usize = 64 * 1024;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS sessions (
        session INTEGER PRIMARY KEY AUTOINCREMENT,
        started TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
    );
    CREATE TABLE IF NOT EXISTS cells (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        source TEXT NOT NULL,
        output TEXT,
        UNIQUE (session, number)
    );";

/// The history, in a file or in memory.
pub struct Database {
    connection: Connection,
    /// This kernel's session; it gets its number with its first cell.
    session: Option<i64>,
}

impl Database {
    /// Opens the file, and makes it where there is none.
    pub fn open(path: &Path) -> Result<Database> {
        if let Some(folder) = path.parent() {
            // Where this fails, opening says why.
            let _ = std::fs::create_dir_all(folder);
        }
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        write_ahead(&connection)?;
        connection.pragma_update(None, "synchronous", "normal")?;
        Database::on(connection)
    }

    pub fn in_memory() -> Database {
        let opened = Connection::open_in_memory().and_then(Database::on);
        opened.expect("a database in memory needs nothing but memory")
    }

    fn on(connection: Connection) -> Result<Database> {
        connection.execute_batch(SCHEMA)?;
        Ok(Database {
            connection,
            session: None,
        })
    }

    /// Adds a cell to this session.
    pub fn add(&mut self, number: u32, source: &str) -> Result<()> {
        let session = self.session()?;
        self.connection.execute(
            "INSERT OR REPLACE INTO cells (session, number, source) VALUES (?, ?, ?)",
            params![session, number, source],
        )?;
        let newest = self.connection.last_insert_rowid();
        if newest % TIDY_EVERY == 0 {
            self.keep(newest, KEPT_CELLS)?;
        }
        Ok(())
    }

    fn keep(&self, newest: i64, count: i64) -> Result<()> {
        self.connection
            .execute("DELETE FROM cells WHERE id <= ?", [newest - count])?;
        Ok(())
    }

    /// Adds the value to a cell of this session.
    pub fn add_value(&mut self, number: u32, text: &str) -> Result<()> {
        let session = self.session()?;
        let mut text = text.to_owned();
        if text.len() > VALUE_LIMIT {
            let cut = text.floor_char_boundary(VALUE_LIMIT);
            let more = text.len() - cut;
            text.truncate(cut);
            text.push_str(&format!("... {more} bytes more"));
        }
        self.connection.execute(
            "UPDATE cells SET output = ? WHERE session = ? AND number = ?",
            params![text, session, number],
        )?;
        Ok(())
    }

    fn session(&mut self) -> Result<i64> {
        if let Some(session) = self.session {
            return Ok(session);
        }
        self.connection
            .execute("INSERT INTO sessions DEFAULT VALUES", [])?;
        let session = self.connection.last_insert_rowid();
        self.session = Some(session);
        Ok(session)
    }

    /// Returns the cells in question, the oldest first.
    pub fn find(&self, question: &Question) -> Result<Vec<Line>> {
        let mut lines = match &question.wanted {
            Wanted::Range {
                session,
                start,
                stop,
            } => {
                let Some(session) = self.meant(*session)? else {
                    return Ok(Vec::new());
                };
                let stop = stop.unwrap_or(i64::MAX);
                return self.select(
                    "WHERE session = ? AND number >= ? AND number < ? ORDER BY number",
                    params![session, start, stop],
                    question.output,
                );
            }
            Wanted::Tail { count } => {
                self.select("ORDER BY id DESC LIMIT ?", [count], question.output)?
            }
            Wanted::Search {
                pattern,
                unique,
                count,
            } => {
                let filter = if *unique {
                    "WHERE id IN (SELECT max(id) FROM cells WHERE source GLOB ? GROUP BY source) ORDER BY id DESC LIMIT ?"
                } else {
                    "WHERE source GLOB ? ORDER BY id DESC LIMIT ?"
                };
                let count = count.map_or(-1, i64::from);
                self.select(filter, params![glob(pattern), count], question.output)?
            }
        };
        lines.reverse();
        Ok(lines)
    }

    fn select(&self, rest: &str, values: impl rusqlite::Params, output: bool) -> Result<Vec<Line>> {
        let text = format!("SELECT session, number, source, output FROM cells {rest}");
        let mut statement = self.connection.prepare(&text)?;
        let read = |row: &Row<'_>| {
            Ok(Line {
                session: row.get(0)?,
                number: row.get(1)?,
                source: row.get(2)?,
                output: if output { Some(row.get(3)?) } else { None },
            })
        };
        statement.query_map(values, read)?.collect()
    }

    /// Returns the session that a front end's number means: 0 is this one, -1 the one before.
    fn meant(&self, number: i64) -> Result<Option<i64>> {
        if number > 0 {
            return Ok(Some(number));
        }
        if number == 0 {
            return Ok(self.session);
        }
        let this = self.session.unwrap_or(i64::MAX);
        let back = number.unsigned_abs() - 1;
        let back = i64::try_from(back).unwrap_or(i64::MAX);
        self.connection
            .query_row(
                "SELECT session FROM sessions WHERE session < ? ORDER BY session DESC LIMIT 1 OFFSET ?",
                [&this as &dyn ToSql, &back],
                |row| row.get(0),
            )
            .optional()
    }
}

/// Lets readers and one writer work at a time, without waiting for the disk at each cell. Some network
/// folders cannot do that; SQLite then says which mode it stays in.
fn write_ahead(connection: &Connection) -> Result<()> {
    let limit = Instant::now() + BUSY;
    loop {
        let turned = connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()));
        match turned {
            // Of two kernels that turn a new file at once SQLite sends one away, whatever its timeout.
            Err(error) if is_busy(&error) && Instant::now() < limit => {
                std::thread::sleep(Duration::from_millis(5));
            }
            turned => return turned,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// SQLite's GLOB knows a third sign, the bracket; the protocol's pattern does not.
fn glob(pattern: &str) -> String {
    pattern.replace('[', "[[]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(database: &Database, wanted: Wanted) -> Vec<String> {
        let question = Question {
            wanted,
            output: false,
        };
        let lines = database.find(&question).unwrap();
        lines.into_iter().map(|line| line.source).collect()
    }

    fn search(pattern: &str, unique: bool, count: Option<u32>) -> Wanted {
        Wanted::Search {
            pattern: pattern.to_owned(),
            unique,
            count,
        }
    }

    #[test]
    fn search_matches_whole_cells_newest_last() {
        let mut database = Database::in_memory();
        for (number, source) in (1..).zip(["let a = 1;", "a + 1", "let b = [2];", "a + 1"]) {
            database.add(number, source).unwrap();
        }
        assert_eq!(
            sources(&database, search("let*", false, None)),
            ["let a = 1;", "let b = [2];"]
        );
        assert!(sources(&database, search("a", false, None)).is_empty());
        assert_eq!(sources(&database, search("a + ?", true, None)), ["a + 1"]);
        assert_eq!(
            sources(&database, search("*", false, Some(2))),
            ["let b = [2];", "a + 1"]
        );
        assert_eq!(
            sources(&database, search("*[2]*", false, None)),
            ["let b = [2];"]
        );
    }

    #[test]
    fn sessions_are_counted_back_from_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        for source in ["first", "second"] {
            let mut database = Database::open(&path).unwrap();
            database.add(1, source).unwrap();
        }
        let mut database = Database::open(&path).unwrap();
        let range = |session| Wanted::Range {
            session,
            start: 1,
            stop: None,
        };
        assert_eq!(sources(&database, range(-1)), ["second"]);
        assert!(sources(&database, range(0)).is_empty());
        database.add(1, "third").unwrap();
        assert_eq!(sources(&database, range(0)), ["third"]);
        assert_eq!(sources(&database, range(-1)), ["second"]);
        assert_eq!(sources(&database, range(-2)), ["first"]);
        assert_eq!(sources(&database, range(1)), ["first"]);
        assert!(sources(&database, range(-3)).is_empty());
    }

    #[test]
    fn two_kernels_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut database = Database::open(&path).unwrap();
                    for number in 1..=50 {
                        database.add(number, "1").unwrap();
                    }
                });
            }
        });
        let database = Database::open(&path).unwrap();
        assert_eq!(sources(&database, Wanted::Tail { count: 500 }).len(), 200);
    }

    #[test]
    fn kernels_that_start_together_make_the_file_together() {
        for _ in 0..40 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("history.sqlite");
            let start = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        start.wait();
                        Database::open(&path).unwrap().add(1, "1").unwrap();
                    });
                }
            });
            let database = Database::open(&path).unwrap();
            assert_eq!(sources(&database, Wanted::Tail { count: 9 }).len(), 4);
        }
    }

    #[test]
    fn only_the_newest_cells_are_kept() {
        let mut database = Database::in_memory();
        for number in 1..=20 {
            database.add(number, &number.to_string()).unwrap();
        }
        database.keep(20, 3).unwrap();
        assert_eq!(
            sources(&database, Wanted::Tail { count: 100 }),
            ["18", "19", "20"]
        );
    }

    #[test]
    fn long_value_says_how_much_is_missing() {
        let mut database = Database::in_memory();
        database.add(1, "x").unwrap();
        database.add_value(1, &"é".repeat(VALUE_LIMIT)).unwrap();
        let question = Question {
            wanted: Wanted::Tail { count: 1 },
            output: true,
        };
        let line = database.find(&question).unwrap().remove(0);
        let text = line.output.unwrap().unwrap();
        assert!(
            text.ends_with(&format!("... {VALUE_LIMIT} bytes more")),
            "{}",
            text.len()
        );
    }
}
