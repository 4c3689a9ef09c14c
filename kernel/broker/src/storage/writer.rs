//! The thread that writes: changes come in with their numbers, and word goes out once they are as
//! durable as the policy says. Steps that came while it was busy share the next sync.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::directory::Storage;
use super::store::Store;
use super::{Flush, failing};
use crate::brokers::{Change, Place};
use crate::error::{Error, Result};

/// How often good points are noted and the journal is looked at, while something is written.
const TIDY: Duration = Duration::from_secs(1);

/// What the thread has to say.
#[derive(Debug)]
pub enum Event {
    /// All changes up to this number are stored.
    Durable(u64),
    /// A closed segment can be read from its file: place, base offset, bytes.
    Sealed(Place, i64, Bytes),
    /// Nothing more will be stored, and why.
    Failed(String),
}

enum Message {
    Step(u64, Vec<Change>),
    Stop,
}

/// Hands changes to the thread that writes them.
pub struct Writer {
    sender: Sender<Message>,
    thread: Option<JoinHandle<io::Result<()>>>,
    root: std::path::PathBuf,
}

impl Writer {
    /// Starts the thread; `tell` is called from it, in the order of the changes.
    ///
    /// # Errors
    /// `Error::Thread` where no thread is to be had.
    pub fn start(storage: Storage, tell: impl FnMut(Event) + Send + 'static) -> Result<Writer> {
        let (sender, receiver) = channel();
        let root = storage.root();
        let Storage { store, lock, .. } = storage;
        let thread = std::thread::Builder::new()
            .name("headwater-storage".to_owned())
            .spawn(move || write_all(store, lock, &receiver, tell))
            .map_err(Error::Thread)?;
        Ok(Writer {
            sender,
            thread: Some(thread),
            root,
        })
    }

    /// Sends the changes of a step, in the order of their numbers.
    pub fn write(&self, number: u64, changes: Vec<Change>) {
        // A thread that is gone has said that it failed.
        let _ = self.sender.send(Message::Step(number, changes));
    }

    /// Writes what is left, marks the directory as cleanly closed and gives it back.
    ///
    /// # Errors
    /// `Error::Storage`, also where writing had failed before.
    pub fn close(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let _ = self.sender.send(Message::Stop);
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        let result = thread.join();
        let result = result.unwrap_or_else(|_| Err(io::Error::other("the writer panicked")));
        result.map_err(|source| failing(&self.root, source))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Who wants to know calls `close`; the directory is recovered at the next start.
        let _ = self.end();
    }
}

fn write_all(
    mut store: Store,
    lock: File,
    receiver: &Receiver<Message>,
    mut tell: impl FnMut(Event),
) -> io::Result<()> {
    let run = AssertUnwindSafe(|| run(&mut store, receiver, &mut tell));
    let result = catch_unwind(run).unwrap_or_else(|_| Err(io::Error::other("the writer panicked")));
    let result = result.and_then(|()| store.close());
    if let Err(error) = &result {
        tell(Event::Failed(error.to_string()));
    }
    drop(lock);
    result
}

/// Writes until it is told to stop.
fn run(
    store: &mut Store,
    receiver: &Receiver<Message>,
    tell: &mut impl FnMut(Event),
) -> io::Result<()> {
    let mut timers = Timers::new(store.flush);
    loop {
        let mut next = match timers.wait(receiver) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        let mut written = None;
        while let Some(message) = next {
            let Message::Step(number, changes) = message else {
                return Ok(());
            };
            store.write(&changes)?;
            written = Some(number);
            next = receiver.try_recv().ok();
        }
        if let Some(number) = written {
            timers.wrote();
            if store.flush == Flush::Batch {
                store.sync()?;
            }
            tell(Event::Durable(number));
        }
        for (place, base_offset, bytes) in store.sealed.drain(..) {
            tell(Event::Sealed(place, base_offset, bytes));
        }
        if timers.sync_is_due() {
            store.sync()?;
        }
        if timers.tidy_is_due() {
            store.tidy()?;
        }
    }
}

/// When to sync and to tidy; while nothing is written nothing is due.
struct Timers {
    interval: Option<Duration>,
    sync: Option<Instant>,
    tidy: Option<Instant>,
}

impl Timers {
    fn new(flush: Flush) -> Timers {
        let interval = match flush {
            Flush::Interval(interval) => Some(interval),
            Flush::None | Flush::Batch => None,
        };
        Timers {
            interval,
            sync: None,
            tidy: None,
        }
    }

    fn wait(&self, receiver: &Receiver<Message>) -> std::result::Result<Message, RecvTimeoutError> {
        match self.sync.into_iter().chain(self.tidy).min() {
            Some(due) => receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn wrote(&mut self) {
        let now = Instant::now();
        if let Some(interval) = self.interval {
            self.sync.get_or_insert(now + interval);
        }
        self.tidy.get_or_insert(now + TIDY);
    }

    fn sync_is_due(&mut self) -> bool {
        due(&mut self.sync)
    }

    fn tidy_is_due(&mut self) -> bool {
        due(&mut self.tidy)
    }
}

fn due(at: &mut Option<Instant>) -> bool {
    let due = at.is_some_and(|at| at <= Instant::now());
    if due {
        *at = None;
    }
    due
}
