//! A session: executes cells one after the other.

use std::collections::BTreeMap;
use std::time::Instant;

use super::build::Built;
use super::cell::Cell;
use super::command::Lines;
use super::compiler::Compiler;
use super::dependency::Dependencies;
use super::diagnostics::Diagnostic;
use super::expressions::{self, Captured};
use super::outcome::failed;
use super::process::Process;
use super::protocol::{Outcome, Request, Settings};
use super::recipes::Recipes;
use super::session::Session;
use super::timing::Timing;
use super::toolchain::Toolchain;
use super::{CellFailure, Completer, Error, Interrupter, Options, Output, Sink, Stock, command};

/// A session: its definitions, its compiler and its child.
pub struct Evaluator {
    pub(super) options: Options,
    pub(super) sink: Sink,
    pub(super) compiler: Compiler,
    pub(super) session: Session,
    pub(super) process: Process,
    pub(super) interrupter: Interrupter,
    pub(super) completer: Completer,
    pub(super) dependencies: Dependencies,
    pub(super) recipes: Recipes,
    pub(super) last: Timing,
    pub(super) show_timing: bool,
    pub(super) captured: Captured,
    /// The compiler's last errors, for `:explain` and `:last_error_json`.
    pub(super) errors: Vec<Diagnostic>,
    pub(super) settings: Settings,
    /// What `:env` has set; a new child gets it again.
    pub(super) environment: BTreeMap<String, String>,
    /// evcxr, once a cell has asked for it.
    pub(super) stock: Option<Stock>,
    /// Counts programs: a loaded library cannot be replaced under its name.
    programs: u64,
    /// Sources, objects and libraries of this session's cells; deleted at its end.
    _folder: tempfile::TempDir,
}

impl Evaluator {
    /// Starts the child and prepares the compiler.
    ///
    /// # Errors
    /// When compiler, prelude or child are not in order, with what to type.
    pub fn start(options: Options, sink: Sink) -> Result<Evaluator, Error> {
        let folder = tempfile::Builder::new()
            .prefix("headwater-cells-")
            .tempdir()
            .map_err(|error| {
                Error::new(
                    "no folder for compiled cells",
                    error.to_string(),
                    "set TMPDIR to a folder with space",
                )
            })?;
        let toolchain = Toolchain::find(&options.prelude)?;
        let (sink, captured) = expressions::capturing(sink);
        let process = Process::start(&options, &toolchain.dylib, sink.clone())?;
        let completer = Completer::new(
            options.prelude.clone(),
            toolchain.clone(),
            folder.path().join("types"),
        );
        let compiler = Compiler::new(toolchain, folder.path())?;
        let interrupter = Interrupter::new(compiler.running());
        Ok(Evaluator {
            options,
            sink,
            compiler,
            session: Session::default(),
            process,
            interrupter,
            completer,
            dependencies: Dependencies::default(),
            recipes: Recipes::default(),
            last: Timing::default(),
            show_timing: false,
            captured,
            errors: Vec::new(),
            settings: Settings::default(),
            environment: BTreeMap::new(),
            stock: None,
            programs: 0,
            _folder: folder,
        })
    }

    /// Returns the handle that stops a running cell from another thread.
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// Returns the handle that completes and inspects names from another thread.
    pub fn completer(&self) -> Completer {
        self.completer.clone()
    }

    /// Runs one cell: `cell` marks its output, `count` is the number that the person sees.
    ///
    /// # Errors
    /// A compile error, a panic, a failing `?`, an interrupt or the death of the child.
    pub fn execute(&mut self, cell: u64, count: u32, code: &str) -> Result<(), CellFailure> {
        let result = self.execute_lines(cell, count, code);
        self.interrupter.finish();
        let described = self.process.take_described();
        self.completer
            .learn(&self.session, described, self.compiler.dependencies());
        result
    }

    /// Ends the child.
    pub fn shutdown(self) {}

    /// Runs the commands at the start of a cell, then its code.
    fn execute_lines(&mut self, cell: u64, count: u32, code: &str) -> Result<(), CellFailure> {
        if let Some(code) = command::code_for_evcxr(code) {
            return self.run_in_evcxr(cell, code);
        }
        let Lines { commands, rest } = Lines::parse(code);
        self.commands(cell, &commands)?;
        if rest.trim().is_empty() {
            return Ok(());
        }
        self.run_code(cell, count, &rest)
    }

    pub(super) fn run_code(
        &mut self,
        number: u64,
        count: u32,
        code: &str,
    ) -> Result<(), CellFailure> {
        self.interrupter.compiling();
        self.last = Timing::default();
        let started = Instant::now();
        self.programs += 1;
        let program_number = self.programs;
        let cell = Cell::parse(code);
        let outdated = self.session.outdated_by(&cell);
        let mut next = self.session.with(&cell, program_number, count);
        outdated
            .iter()
            .for_each(|name| drop(next.variables.remove(name)));
        self.last.prepare = started.elapsed();
        let Built {
            program,
            adjust,
            types,
            library,
        } = self.build(&next, &cell, program_number)?;
        self.drop_outdated(number, &cell, &outdated);
        self.ready()?;
        let started = Instant::now();
        if self.interrupter.running(self.process.id()) {
            return Err(CellFailure::plain(
                "Interrupted",
                "the cell was interrupted before it ran",
            ));
        }
        let ended = self.process.run(number, library, program.entry.clone());
        self.interrupter.finish();
        self.last.run = started.elapsed();
        adjust
            .consumed
            .iter()
            .for_each(|name| drop(next.variables.remove(name)));
        let result = match ended {
            Ok(Outcome::Completed) => {
                let taken = self.session.taken_by(&cell);
                self.keep(&mut next, number, &cell, types, &adjust);
                self.recipes
                    .completed(program_number, count, &cell, &taken, &next);
                Ok(())
            }
            Ok(Outcome::Returned) => Ok(()),
            Ok(outcome) => Err(failed(outcome, &program, &next)),
            Err(death) => Err(self.mourn(death, &mut next)),
        };
        self.session = next;
        if self.show_timing {
            self.say(number, format!("{}\n", self.last));
        }
        result
    }

    /// Drops the variables whose type the cell defines anew; those that it defines as well are
    /// simply replaced.
    fn drop_outdated(&mut self, number: u64, cell: &Cell, outdated: &[String]) {
        let replaced = |name: &&String| cell.variables.iter().any(|new| new.name == **name);
        let lost: Vec<&str> = outdated
            .iter()
            .filter(|name| !replaced(name))
            .map(String::as_str)
            .collect();
        if !lost.is_empty() {
            let text = format!(
                "dropped, for their type is defined anew: {}\n",
                lost.join(", ")
            );
            self.say(number, text);
        }
        self.process.forget(outdated);
    }

    /// Waits for the child, and tells a new one what holds for all; where it did not come up, the
    /// next cell gets another.
    pub(super) fn ready(&mut self) -> Result<(), CellFailure> {
        match self.process.ready() {
            Ok(false) => {}
            Ok(true) => {
                if self.settings != Settings::default() {
                    self.process.tell(&Request::Set(self.settings));
                }
                for (name, value) in self.environment.clone() {
                    self.process.tell(&Request::Environment { name, value });
                }
            }
            Err(error) => {
                self.restart()?;
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Starts a new child in place of the one that is there or was.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        self.process = Process::start(&self.options, &self.compiler.dylib(), self.sink.clone())?;
        Ok(())
    }

    pub(super) fn say(&self, cell: u64, text: String) {
        (self.sink)(cell, Output::Stderr(text));
    }
}
