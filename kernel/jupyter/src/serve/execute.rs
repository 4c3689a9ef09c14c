//! Runs cells, one after the other, on a thread of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::oneshot;

use super::output::Output;
use super::wire::{Answer, Execute, Outbox, Parent, Post};
use crate::evaluate::{
    CellFailure, Completer, Completions, Error, Evaluator, Inspection, Interrupter, Options,
};

/// How long a running cell has to end when the kernel stops; after it the process ends anyway.
const CLOSING: Duration = Duration::from_secs(3);

/// The way to the thread that runs cells.
#[derive(Clone)]
pub struct Cells {
    work: Sender<Work>,
    handles: Arc<OnceLock<Handles>>,
}

/// What works while a cell runs.
struct Handles {
    interrupter: Interrupter,
    completer: Completer,
}

enum Work {
    Run(Parent, Execute),
    Stop(oneshot::Sender<()>),
}

impl Cells {
    /// Starts the thread, and on it the process that runs cells. That thread lives as long as the
    /// kernel: the process is told to end when the thread that started it does.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(options: Options, output: Output, replies: Outbox) -> Result<Cells, Error> {
        let (work, queue) = channel();
        let handles = Arc::new(OnceLock::new());
        let runner = Runner {
            queue,
            output,
            replies,
            options,
            evaluator: None,
            handles: Arc::clone(&handles),
            cell: 0,
            stored: 0,
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
        Ok(Cells { work, handles })
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

/// The thread's own side.
struct Runner {
    queue: Receiver<Work>,
    output: Output,
    replies: Outbox,
    options: Options,
    evaluator: Option<Evaluator>,
    handles: Arc<OnceLock<Handles>>,
    /// The number of the last cell; it marks its output.
    cell: u64,
    /// The count that the person saw last.
    stored: u32,
}

impl Runner {
    fn run(mut self) {
        if let Err(error) = self.evaluator() {
            // Every cell will say so too; here for whoever starts a kernel by hand.
            eprintln!("headwater: {error}");
        }
        while let Ok(work) = self.queue.recv() {
            match work {
                Work::Run(parent, execute) => self.cell(&parent, &execute),
                Work::Stop(stopped) => self.stop(stopped),
            }
        }
    }

    fn cell(&mut self, parent: &Parent, execute: &Execute) {
        self.cell += 1;
        let count = self.stored + 1;
        if execute.store_history {
            self.stored = count;
        }
        self.output.enter(self.cell, parent, count, execute.silent);
        if !execute.silent {
            self.output.post(
                parent,
                Post::Input {
                    code: execute.code.clone(),
                    count,
                },
            );
        }
        let result = self.evaluate(count, &execute.code);
        let stops = result.is_err() && execute.stop_on_error;
        // Taken before anyone hears of the error: what is sent after that is meant to run.
        let behind = if stops {
            self.queue.try_iter().collect()
        } else {
            Vec::new()
        };
        let answer = match result {
            Ok(()) => Answer::Executed { count },
            Err(failure) => {
                if !execute.silent {
                    self.output.post(parent, Post::Error(failure.clone()));
                }
                Answer::Failed { count, failure }
            }
        };
        self.replies.reply(parent, answer);
        self.output.leave();
        behind.into_iter().for_each(|work| self.abort(work));
    }

    fn evaluate(&mut self, count: u32, code: &str) -> Result<(), CellFailure> {
        let cell = self.cell;
        let evaluator = self.evaluator()?;
        // A cell must not take the kernel with it, not even by a fault of the kernel's own.
        let ended = catch_unwind(AssertUnwindSafe(|| evaluator.execute(cell, count, code)));
        ended.unwrap_or_else(|_| {
            let what = "the kernel itself failed at this cell";
            Err(Error::new(
                what,
                "its log says where",
                "restart the kernel, and report it",
            )
            .into())
        })
    }

    /// Returns the evaluator, started now if it could not be before.
    fn evaluator(&mut self) -> Result<&mut Evaluator, Error> {
        let evaluator = match self.evaluator.take() {
            Some(evaluator) => evaluator,
            None => {
                let output = self.output.clone();
                let sink = Arc::new(move |cell, said| output.receive(cell, said));
                let evaluator = Evaluator::start(self.options.clone(), sink)?;
                // Set once only: an evaluator that has started is kept to the end.
                let _ = self.handles.set(Handles {
                    interrupter: evaluator.interrupter(),
                    completer: evaluator.completer(),
                });
                evaluator
            }
        };
        Ok(self.evaluator.insert(evaluator))
    }

    /// Answers a cell queued behind a failed one: it would run on what that one did not do.
    fn abort(&mut self, work: Work) {
        match work {
            Work::Run(parent, _) => {
                self.output.busy(&parent);
                self.replies
                    .reply(&parent, Answer::Aborted { count: self.stored });
                self.output.idle(&parent);
            }
            Work::Stop(stopped) => self.stop(stopped),
        }
    }

    fn stop(&mut self, stopped: oneshot::Sender<()>) {
        if let Some(evaluator) = self.evaluator.take() {
            evaluator.shutdown();
        }
        let _ = stopped.send(());
    }
}
