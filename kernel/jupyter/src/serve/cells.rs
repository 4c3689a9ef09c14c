//! The way to the thread that runs cells, and what works while it is busy.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::comms::Comms;
use super::execute::Runner;
use super::history::History;
use super::output::Output;
use super::wire::{Execute, Outbox, Parent};
use crate::evaluate::{Completer, Completions, Error, Inspection, Interrupter, Options};

/// How long a running cell has to end when the kernel stops; after it the process ends anyway.
const CLOSING: Duration = Duration::from_secs(3);

/// The way to the thread that runs cells.
#[derive(Clone)]
pub struct Cells {
    work: Sender<Work>,
    handles: Arc<OnceLock<Handles>>,
    /// The count that the person saw last.
    stored: Arc<AtomicU32>,
}

/// Where cells leave what they say.
pub struct Ways {
    pub output: Output,
    pub replies: Outbox,
    pub history: History,
    pub comms: Comms,
}

/// What works while a cell runs.
pub(super) struct Handles {
    pub interrupter: Interrupter,
    pub completer: Completer,
}

pub(super) enum Work {
    Run(Parent, Execute),
    Stop(oneshot::Sender<()>),
}

impl Cells {
    /// Starts the thread, and on it the process that runs cells. That thread lives as long as the
    /// kernel: the process is told to end when the thread that started it does.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(options: Options, ways: Ways) -> Result<Cells, Error> {
        let (work, queue) = channel();
        let handles = Arc::new(OnceLock::new());
        let stored = Arc::new(AtomicU32::new(0));
        let runner = Runner {
            queue,
            ways,
            options,
            evaluator: None,
            handles: Arc::clone(&handles),
            cell: 0,
            stored: Arc::clone(&stored),
        };
        std::thread::Builder::new()
            .name("cells".to_owned())
            .spawn(move || runner.run())
            .map_err(|error| {
                let attempt = "end some programs, or raise `ulimit -u`";
                Error::new(
                    "no thread for cells can be started",
                    error.to_string(),
                    attempt,
                )
            })?;
        Ok(Cells {
            work,
            handles,
            stored,
        })
    }

    /// Queues a cell.
    pub fn execute(&self, parent: Parent, execute: Execute) {
        // The thread behind the channel ends only with the kernel.
        let _ = self.work.send(Work::Run(parent, execute));
    }

    /// Stops the running cell, if one runs.
    pub fn interrupt(&self) {
        if let Some(handles) = self.handles.get() {
            handles.interrupter.interrupt();
        }
    }

    /// Completes the name before `cursor`; there is nothing to offer before the evaluator is up.
    pub fn complete(&self, code: &str, cursor: usize) -> Completions {
        match self.handles.get() {
            Some(handles) => handles.completer.complete(code, cursor),
            None => Completions {
                start: cursor,
                end: cursor,
                ..Completions::default()
            },
        }
    }

    /// Describes the name at `cursor`.
    pub fn inspect(&self, code: &str, cursor: usize, detail: bool) -> Option<Inspection> {
        self.handles.get()?.completer.inspect(code, cursor, detail)
    }

    /// Returns the count that the person saw last.
    pub fn count(&self) -> u32 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Returns the session's variables, as a front end lists them.
    pub fn variables(&self) -> Value {
        variables(&self.handles)
    }

    /// Ends the running cell, drops the queued ones and ends the process that runs cells.
    pub async fn close(&self) {
        let (stopped, mut has_stopped) = oneshot::channel();
        if self.work.send(Work::Stop(stopped)).is_err() {
            return;
        }
        self.interrupt();
        if tokio::time::timeout(CLOSING, &mut has_stopped)
            .await
            .is_err()
        {
            self.interrupt();
            let _ = tokio::time::timeout(CLOSING, has_stopped).await;
        }
    }
}

/// Returns the variables as a list for front ends; it is empty before the evaluator is up.
pub(super) fn variables(handles: &OnceLock<Handles>) -> Value {
    let known = handles.get().map(|handles| handles.completer.variables());
    json!(known.unwrap_or_default())
}
