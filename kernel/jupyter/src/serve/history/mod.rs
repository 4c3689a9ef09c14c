//! The cells that a person has run, kept across kernels and sessions.
//!
//! They are in one SQLite file in the person's data folder, which all kernels share; a thread of
//! its own reads and writes it, so that a slow disk never holds up a cell. Where the file cannot be
//! used, that is said once, and the history lasts as long as the kernel.

mod database;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;

use crate::setup::history_file;
use database::Database;

/// Names the file, instead of the one in the person's folder; `memory` keeps none.
pub const ENV: &str = "HEADWATER_HISTORY";
pub const IN_MEMORY: &str = "memory";

/// What a front end wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub wanted: Wanted,
    /// Whether the values of the cells are wanted as well.
    pub output: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Cells of one session by number, `stop` excluded. Session 0 is this one, -1 the one before.
    Range {
        session: i64,
        start: i64,
        stop: Option<i64>,
    },
    /// The newest cells of all sessions.
    Tail { count: u32 },
    /// The newest cells that match a pattern as a whole; `*` and `?` stand for anything.
    Search {
        pattern: String,
        unique: bool,
        count: Option<u32>,
    },
}

/// One cell of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub session: i64,
    pub number: u32,
    pub source: String,
    /// The value as text, where values were wanted: a cell without one has `Some(None)`.
    pub output: Option<Option<String>>,
}

/// The way to the history's thread. Clones share it.
#[derive(Clone)]
pub struct History {
    work: Sender<Work>,
}

enum Work {
    Cell { number: u32, source: String },
    Value { number: u32, text: String },
    Find(Question, oneshot::Sender<Vec<Line>>),
    Flush(oneshot::Sender<()>),
}

impl History {
    /// Starts the thread; the file is opened with the first cell or question.
    pub fn start() -> History {
        let (work, queue) = channel();
        let started = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || serve(&queue, place()));
        if let Err(error) = started {
            eprintln!("headwater: no history is kept: {error}");
        }
        History { work }
    }

    /// Keeps a cell that is about to run under its number.
    pub fn cell(&self, number: u32, source: &str) {
        let source = source.to_owned();
        let _ = self.work.send(Work::Cell { number, source });
    }

    /// Keeps the value of a cell that has run.
    pub fn value(&self, number: u32, text: String) {
        let _ = self.work.send(Work::Value { number, text });
    }

    /// Returns the cells in question, the oldest first.
    pub async fn find(&self, question: Question) -> Vec<Line> {
        let (answer, found) = oneshot::channel();
        let _ = self.work.send(Work::Find(question, answer));
        found.await.unwrap_or_default()
    }

    /// Waits until everything so far is in the file.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.work.send(Work::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }
}

/// Returns the file to use, or none for a history in memory.
fn place() -> Option<PathBuf> {
    match std::env::var_os(ENV) {
        Some(named) if named == IN_MEMORY => None,
        Some(named) => Some(named.into()),
        None => history_file(),
    }
}

fn serve(queue: &Receiver<Work>, place: Option<PathBuf>) {
    let mut store: Option<Store> = None;
    while let Ok(work) = queue.recv() {
        let store = store.get_or_insert_with(|| Store::open(place.clone()));
        match work {
            Work::Cell { number, source } => store.write(|database| database.add(number, &source)),
            Work::Value { number, text } => {
                store.write(|database| database.add_value(number, &text));
            }
            Work::Find(question, answer) => {
                let found = store.database.find(&question);
                let found = found.unwrap_or_else(|error| {
                    store.give_up(&error.to_string());
                    Vec::new()
                });
                let _ = answer.send(found);
            }
            Work::Flush(done) => drop(done.send(())),
        }
    }
}

/// The open database, and what to do when it fails.
struct Store {
    database: Database,
    place: Option<PathBuf>,
}

impl Store {
    fn open(place: Option<PathBuf>) -> Store {
        let mut store = Store {
            database: Database::in_memory(),
            place,
        };
        if let Some(path) = &store.place {
            match Database::open(path) {
                Ok(database) => store.database = database,
                Err(error) => store.give_up(&error.to_string()),
            }
        }
        store
    }

    fn write(&mut self, write: impl Fn(&mut Database) -> rusqlite::Result<()>) {
        if let Err(error) = write(&mut self.database) {
            self.give_up(&error.to_string());
            // Memory takes it; were that full too, the kernel would not be here.
            let _ = write(&mut self.database);
        }
    }

    /// Goes on in memory, and says so once.
    fn give_up(&mut self, have: &str) {
        let Some(path) = self.place.take() else {
            return;
        };
        self.database = Database::in_memory();
        eprintln!(
            "headwater: the history of cells cannot be kept\n  have: {}: {have}\n  try:  move that file away, or {ENV}=/another/file; until then the history ends with this kernel",
            path.display()
        );
    }
}
