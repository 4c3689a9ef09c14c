//! evcxr itself, unchanged, beside our own evaluator.
//!
//! It runs the cells that start with `:evcxr`: those that need a crate in another form than the
//! prelude holds it in. It has its own process and its own variables; evcxr's commands all work.
//! The latency bench and the differential tests drive it as the peer to compare with.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use evcxr::{CommandContext, EvalContext};

use super::frame::Event;
use super::{CellFailure, Error, Evaluator, Options, Output, Sink};

/// A session of evcxr.
pub struct Stock {
    context: CommandContext,
    cell: Arc<AtomicU64>,
    sink: Sink,
}

impl Stock {
    /// Starts evcxr; this takes it some seconds.
    ///
    /// # Errors
    /// When evcxr does not find what it needs.
    pub fn start(options: &Options, sink: Sink) -> Result<Stock, Error> {
        let broken = |error: evcxr::Error| {
            Error::new(
                "evcxr does not start",
                error.to_string(),
                "headwater doctor",
            )
        };
        let mut command = Command::new(options.binary()?);
        command.current_dir(&options.workdir);
        let (context, outputs) = EvalContext::with_subprocess_command(command).map_err(broken)?;
        let cell = Arc::new(AtomicU64::new(0));
        forward(
            outputs.stdout.into_iter(),
            Output::Stdout,
            cell.clone(),
            sink.clone(),
        );
        forward(
            outputs.stderr.into_iter(),
            Output::Stderr,
            cell.clone(),
            sink.clone(),
        );
        Ok(Stock {
            context: CommandContext::with_eval_context(context),
            cell,
            sink,
        })
    }

    /// Returns the process that runs the cells, for an interrupt to end.
    pub fn process_id(&self) -> u32 {
        self.context
            .process_handle()
            .lock()
            .map_or(0, |child| child.id())
    }

    /// Runs one cell.
    ///
    /// # Errors
    /// What evcxr says is wrong.
    pub fn execute(&mut self, cell: u64, code: &str) -> Result<(), CellFailure> {
        self.cell.store(cell, Ordering::SeqCst);
        let shown = self
            .context
            .execute(code)
            .map_err(|error| failure(&error))?;
        if !shown.content_by_mime_type.is_empty() {
            let data = shown.content_by_mime_type.into_iter().collect();
            (self.sink)(cell, Output::Frame(Event::Result { data }));
        }
        Ok(())
    }
}

impl Evaluator {
    /// Runs a cell in evcxr, which starts with the first such cell.
    pub(super) fn run_in_evcxr(&mut self, cell: u64, code: &str) -> Result<(), CellFailure> {
        if self.stock.is_none() {
            self.say(
                cell,
                "evcxr starts; it keeps its own variables, apart from those of other cells\n"
                    .to_owned(),
            );
            self.stock = Some(Stock::start(&self.options, self.sink.clone())?);
        }
        let Some(stock) = self.stock.as_mut() else {
            return Ok(());
        };
        let _ = self.interrupter.running(stock.process_id());
        stock.execute(cell, code)
    }
}

/// Passes lines on from a thread of its own, until evcxr drops the other end.
fn forward(
    lines: impl Iterator<Item = String> + Send + 'static,
    wrap: fn(String) -> Output,
    cell: Arc<AtomicU64>,
    sink: Sink,
) {
    std::thread::spawn(move || {
        for line in lines {
            sink(cell.load(Ordering::SeqCst), wrap(line + "\n"));
        }
    });
}

fn failure(error: &evcxr::Error) -> CellFailure {
    let evcxr::Error::CompilationErrors(errors) = error else {
        return CellFailure::plain("EvcxrError", error.to_string());
    };
    let traceback: Vec<String> = errors
        .iter()
        .flat_map(|error| {
            error
                .rendered()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let evalue = errors
        .first()
        .map(evcxr::CompilationError::message)
        .unwrap_or_default();
    CellFailure {
        ename: "CompileError".to_owned(),
        evalue,
        traceback,
    }
}
