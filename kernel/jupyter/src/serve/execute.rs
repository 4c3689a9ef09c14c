//! Runs cells, one after the other, on a thread of their own.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;

use super::cells::{Handles, Ways, Work, variables};
use super::output::Left;
use super::page;
use super::wire::{Answer, Bundle, Execute, Executed, Parent, Post};
use crate::evaluate::{CellFailure, Completer, Error, Evaluator, Options};

/// The thread's own side.
pub(super) struct Runner {
    pub queue: Receiver<Work>,
    pub ways: Ways,
    pub options: Options,
    pub evaluator: Option<Evaluator>,
    pub handles: Arc<OnceLock<Handles>>,
    /// The number of the last cell; it marks its output.
    pub cell: u64,
    /// The count that the person saw last.
    pub stored: Arc<AtomicU32>,
}

impl Runner {
    /// Runs what is queued until the kernel stops.
    pub fn run(mut self) {
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
        let count = self.stored.load(Ordering::Relaxed) + 1;
        if execute.store_history {
            self.stored.store(count, Ordering::Relaxed);
        }
        self.ways.output.enter(self.cell, parent, count, execute);
        if !execute.silent {
            let code = execute.code.clone();
            self.ways.output.post(parent, Post::Input { code, count });
        }
        // Before it runs: a cell that ends the kernel is the one to look up afterwards.
        if execute.store_history {
            self.ways.history.cell(count, &execute.code);
        }
        let result = self.evaluate(count, &execute.code);
        let left = self.ways.output.left();
        let stops = result.is_err() && execute.stop_on_error;
        // Taken before anyone hears of the error: what is sent after that is meant to run.
        let behind = if stops {
            self.queue.try_iter().collect()
        } else {
            Vec::new()
        };
        let answer = match result {
            Ok(()) => Answer::Executed(self.executed(count, execute, left)),
            Err(failure) => {
                if !execute.silent {
                    self.ways.output.post(parent, Post::Error(failure.clone()));
                }
                Answer::Failed { count, failure }
            }
        };
        for post in self.ways.comms.after_cell(|| variables(&self.handles)) {
            self.ways.output.post(parent, post);
        }
        self.ways.replies.reply(parent, answer);
        self.ways.output.leave();
        behind.into_iter().for_each(|work| self.abort(work));
    }

    /// Finishes a cell that has succeeded: keeps its value, evaluates what the front end wants.
    fn executed(&mut self, count: u32, execute: &Execute, left: Left) -> Executed {
        if let Some(value) = left.value.filter(|_| execute.store_history) {
            self.ways.history.value(count, value);
        }
        Executed {
            count,
            pages: left.pages,
            expressions: self.expressions(&execute.expressions),
        }
    }

    fn expressions(
        &mut self,
        wanted: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Result<Bundle, CellFailure>> {
        let mut results = BTreeMap::new();
        for (name, code) in wanted {
            self.cell += 1;
            self.ways.output.alias(self.cell);
            let cell = self.cell;
            let result = self.guarded(|evaluator| evaluator.expression(cell, code));
            results.insert(name.clone(), result);
        }
        results
    }

    fn evaluate(&mut self, count: u32, code: &str) -> Result<(), CellFailure> {
        let cell = self.cell;
        let handles = Arc::clone(&self.handles);
        let completer = || handles.get().map(|handles| &handles.completer);
        let has_operator = |name: &str| completer().is_some_and(|known| is_fallible(known, name));
        match page::asked_about(code, has_operator) {
            Some(name) => {
                self.evaluator()?;
                let found = completer()
                    .and_then(|known| known.inspect(name, name.chars().count(), true))
                    .ok_or_else(|| CellFailure::from(unknown_name(name)))?;
                self.ways.output.page(Bundle::from([
                    ("text/plain".to_owned(), found.plain),
                    ("text/markdown".to_owned(), found.markdown),
                ]));
                Ok(())
            }
            None => self.guarded(|evaluator| evaluator.execute(cell, count, code)),
        }
    }

    /// Lets the evaluator work. A cell must not take the kernel with it, not even by a fault of the
    /// kernel's own.
    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut Evaluator) -> Result<T, CellFailure>,
    ) -> Result<T, CellFailure> {
        let evaluator = self.evaluator()?;
        let ended = catch_unwind(AssertUnwindSafe(|| work(evaluator)));
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
                let output = self.ways.output.clone();
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
                let count = self.stored.load(Ordering::Relaxed);
                self.ways.output.busy(&parent);
                self.ways.replies.reply(&parent, Answer::Aborted { count });
                self.ways.output.idle(&parent);
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

/// Returns whether `name` is a variable that the operator `?` applies to.
fn is_fallible(completer: &Completer, name: &str) -> bool {
    let variables = completer.variables();
    let mut named = variables.iter().filter(|variable| variable.name == name);
    named.any(|variable| {
        ["Result<", "Option<"]
            .iter()
            .any(|sign| variable.type_name.starts_with(sign))
    })
}

fn unknown_name(name: &str) -> Error {
    Error::new(
        format!("nothing is known about `{name}`"),
        "the library, the crates that cells use, and this session's items and variables",
        "?Topic, or :vars",
    )
}
