//! Compiles cells and runs them in a child process that keeps their variables.
//!
//! - [`cell`] takes a cell apart, [`session`] keeps what earlier ones defined
//! - [`facts`] of items tell which of them a cell can [`reach`]; [`statics`] live through the session
//! - [`source`] writes the program that a cell becomes, [`compiler`] makes a shared object of it
//! - [`diagnostics`] shows the compiler's messages in the words of the cell
//! - [`process`] is the child as the kernel sees it, [`boot`] its first steps, [`pump`] reads what
//!   it says, [`interrupt`] stops it
//! - [`stock`] is evcxr itself, for crates that the prelude does not hold
//! - [`command`] answers `:vars` and the like, [`complete`] completes and inspects names

mod boot;
mod cell;
mod command;
mod compiler;
mod complete;
mod diagnostics;
mod error;
mod facts;
mod index;
mod interrupt;
mod marked;
mod process;
mod pump;
mod reach;
mod session;
mod source;
mod statics;
mod stock;
mod toolchain;
mod uses;

#[path = "../../../streams/src/frame.rs"]
pub mod frame;
#[path = "../../../prelude/src/cell/protocol.rs"]
mod protocol;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use boot::child_main;
pub use cell::{Completeness, completeness};
pub use complete::{Completer, Completions};
pub use error::Error;
pub use index::{Entry, INDEX, Index};
pub use interrupt::Interrupter;
pub use stock::Stock;
pub use toolchain::{MANIFEST, Manifest, rustc_version, std_folder};

use cell::Cell;
use compiler::Compiler;
use diagnostics::Diagnostic;
use process::{Death, Process};
use protocol::Outcome;
use session::{Session, Variable, short_type};
use source::{Adjustments, Line, Program};
use toolchain::Toolchain;

/// A cell's error, as Jupyter shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellFailure {
    pub ename: String,
    pub evalue: String,
    /// Lines with ANSI colours.
    pub traceback: Vec<String>,
}

impl CellFailure {
    fn plain(ename: &str, evalue: impl Into<String>) -> CellFailure {
        let evalue = evalue.into();
        let mut traceback: Vec<String> = evalue.lines().map(str::to_owned).collect();
        if let Some(first) = traceback.first_mut() {
            *first = format!("\u{1b}[31m{ename}\u{1b}[0m: {first}");
        }
        CellFailure {
            ename: ename.to_owned(),
            evalue,
            traceback,
        }
    }
}

impl From<Error> for CellFailure {
    fn from(error: Error) -> CellFailure {
        CellFailure::plain("KernelError", error.to_string())
    }
}

/// What a cell says while it runs, and later.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    Stdout(String),
    Stderr(String),
    Frame(frame::Event),
}

/// Takes output, in order, with the number of the cell that caused it.
pub type Sink = Arc<dyn Fn(u64, Output) + Send + Sync>;

/// Where and with what cells run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder with the prebuilt prelude.
    pub prelude: PathBuf,
    /// Where the embedded broker answers: `HEADWATER_CONTROL` for the child.
    pub control: Option<String>,
    /// The folder that cells run in.
    pub workdir: PathBuf,
    /// The `headwater` binary; the running program where it is not set.
    pub binary: Option<PathBuf>,
}

impl Options {
    fn binary(&self) -> Result<PathBuf, Error> {
        let running = || {
            std::env::current_exe().map_err(|error| {
                Error::new(
                    "the headwater binary cannot be found",
                    error.to_string(),
                    "headwater install",
                )
            })
        };
        self.binary.clone().map_or_else(running, Ok)
    }
}

/// Where a cell's time went; `:timing` shows it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Timing {
    pub compile: Duration,
    pub compiles: u32,
    pub link: Duration,
    pub run: Duration,
}

/// A cell, compiled and linked.
struct Built {
    program: Program,
    adjust: Adjustments,
    /// The new variables and their types.
    types: Vec<(String, String)>,
    library: String,
}

/// A session: its definitions, its compiler and its child.
pub struct Evaluator {
    options: Options,
    sink: Sink,
    compiler: Compiler,
    session: Session,
    process: Process,
    interrupter: Interrupter,
    completer: Completer,
    last: Timing,
    show_timing: bool,
    /// evcxr, once a cell has asked for it.
    stock: Option<Stock>,
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
        let process = Process::start(&options, &toolchain.dylib, sink.clone())?;
        let completer = Completer::new(Index::read(&options.prelude));
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
            last: Timing::default(),
            show_timing: false,
            stock: None,
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
        if code.trim().is_empty() {
            return Ok(());
        }
        let result = if let Some(code) = stock::code_for_evcxr(code) {
            self.run_in_evcxr(cell, code)
        } else if let Some(line) = command::parse(code) {
            self.command(cell, line)
        } else {
            self.run_code(cell, count, code)
        };
        self.interrupter.finish();
        self.completer.learn(&self.session);
        result
    }

    /// Ends the child.
    pub fn shutdown(self) {}

    fn run_code(&mut self, number: u64, count: u32, code: &str) -> Result<(), CellFailure> {
        self.interrupter.compiling();
        self.last = Timing::default();
        let cell = Cell::parse(code);
        let outdated = self.session.outdated_by(&cell);
        let mut next = self.session.with(&cell, number, count);
        outdated
            .iter()
            .for_each(|name| drop(next.variables.remove(name)));
        let Built {
            program,
            adjust,
            types,
            library,
        } = self.build(&next, &cell, number)?;
        self.drop_outdated(number, &cell, &outdated);
        self.ready()?;
        let started = Instant::now();
        self.interrupter.running(self.process.id());
        let ended = self.process.run(number, library, program.entry.clone());
        self.interrupter.finish();
        self.last.run = started.elapsed();
        adjust
            .consumed
            .iter()
            .for_each(|name| drop(next.variables.remove(name)));
        let result = match ended {
            Ok(Outcome::Completed) => {
                self.keep(&mut next, number, &cell, types, &adjust);
                Ok(())
            }
            Ok(Outcome::Returned) => Ok(()),
            Ok(outcome) => Err(failed(outcome, &program, &next)),
            Err(death) => {
                let failure = self.mourn(death, &next);
                next.variables.clear();
                Err(failure)
            }
        };
        self.session = next;
        if self.show_timing {
            self.say(number, self.timing());
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

    /// Waits for the child; where it did not come up, the next cell gets a new one.
    fn ready(&mut self) -> Result<(), CellFailure> {
        let Err(error) = self.process.ready() else {
            return Ok(());
        };
        self.process = Process::start(&self.options, &self.compiler.dylib(), self.sink.clone())?;
        Err(error.into())
    }

    /// Compiles and links; writes the program anew as long as the compiler's answer says how.
    fn build(&mut self, session: &Session, cell: &Cell, number: u64) -> Result<Built, CellFailure> {
        let mut adjust = Adjustments::default();
        loop {
            let program = Program::write(session, cell, number, &adjust);
            let compiled = self.compiler.compile(&format!("{number}"), &program.text)?;
            self.last.compile += compiled.took;
            self.last.compiles += 1;
            let Some(object) = compiled.object else {
                let better = adjusted(&adjust, &compiled.diagnostics, &program);
                if better == adjust {
                    return Err(diagnostics::failure(
                        &compiled.diagnostics,
                        &program,
                        session,
                    ));
                }
                adjust = better;
                continue;
            };
            let types = diagnostics::types(&compiled.diagnostics, &program);
            if adjust.pointers.is_empty() {
                adjust.pointers = types.iter().filter_map(function_pointer).collect();
                if !adjust.pointers.is_empty() {
                    continue;
                }
            }
            let started = Instant::now();
            let homes = program.homes.iter();
            let libraries: Vec<PathBuf> = homes
                .map(|home| self.compiler.library(&home.to_string()))
                .collect();
            let library = self.compiler.link(&object, &libraries)?;
            self.last.link = started.elapsed();
            return Ok(Built {
                program,
                adjust,
                types,
                library: library.to_string_lossy().into_owned(),
            });
        }
    }

    /// Takes the new variables into the session, and says which ones cannot be kept.
    fn keep(
        &self,
        next: &mut Session,
        number: u64,
        cell: &Cell,
        types: Vec<(String, String)>,
        adjust: &Adjustments,
    ) {
        let mut unnameable = Vec::new();
        for new in &cell.variables {
            next.variables.remove(&new.name);
            let Some((_, type_name)) = types.iter().find(|(name, _)| *name == new.name) else {
                continue;
            };
            if is_nameable(type_name) {
                let variable = Variable {
                    type_name: type_name.clone(),
                    mutable: new.mutable,
                };
                next.variables.insert(new.name.clone(), variable);
            } else {
                unnameable.push(format!("{}: {}", new.name, short_type(type_name)));
            }
        }
        if !unnameable.is_empty() {
            let text = format!(
                "not kept after this cell, for no other cell can write the type: {}\n  try: a `fn`, a `Box<dyn Fn(..) -> ..>` with its type written out, or collect()\n",
                unnameable.join(", ")
            );
            self.say(number, text);
        }
        for name in adjust
            .unkept
            .iter()
            .filter_map(|name| name.strip_prefix('&'))
        {
            let text = format!(
                "not kept after this cell, for it borrows from another variable: {name}\n  try: to_owned() or clone()\n"
            );
            self.say(number, text);
        }
    }

    /// Starts a new child in place of a dead one, and says what went with it.
    fn mourn(&mut self, death: Death, next: &Session) -> CellFailure {
        let lost = match next.describe_variables() {
            names if names.is_empty() => "no variables were lost".to_owned(),
            names => format!(
                "lost variables: {}; run the cells that define them again",
                names.join(", ")
            ),
        };
        let kept = "items and imports are kept, topics and their records are untouched";
        let failure = if self.interrupter.has_killed() {
            CellFailure::plain(
                "Interrupted",
                format!("the cell did not stop, so its process was ended\n  {lost}\n  {kept}"),
            )
        } else {
            CellFailure::plain(
                "ChildDied",
                format!(
                    "the cell ended badly: {}\n  {lost}\n  {kept}",
                    death.describe()
                ),
            )
        };
        match Process::start(&self.options, &self.compiler.dylib(), self.sink.clone()) {
            Ok(process) => {
                self.process = process;
                failure
            }
            Err(error) => {
                CellFailure::plain(&failure.ename, format!("{}\n{error}", failure.evalue))
            }
        }
    }

    fn say(&self, cell: u64, text: String) {
        (self.sink)(cell, Output::Stderr(text));
    }

    fn timing(&self) -> String {
        let Timing {
            compile,
            compiles,
            link,
            run,
        } = self.last;
        let ms = |time: Duration| time.as_millis();
        format!(
            "compile {} ms ({compiles} call(s) of rustc), link {} ms, run {} ms\n",
            ms(compile),
            ms(link),
            ms(run)
        )
    }
}

fn is_nameable(type_name: &str) -> bool {
    !["{", "impl ", "_>", "/* "]
        .iter()
        .any(|sign| type_name.contains(sign))
}

/// Returns a variable that holds a function with the pointer type that can: `fn(i32) -> i32 {f}`
/// is `fn(i32) -> i32`.
fn function_pointer((name, type_name): &(String, String)) -> Option<(String, String)> {
    let (pointer, function) = type_name.rsplit_once(" {")?;
    let is_function = function.ends_with('}') && !function.contains('@');
    let signature = ["fn(", "unsafe ", "extern ", "for<"]
        .iter()
        .any(|start| pointer.starts_with(start));
    (is_function && signature && !pointer.contains('{')).then(|| (name.clone(), pointer.to_owned()))
}

fn failed(outcome: Outcome, program: &Program, session: &Session) -> CellFailure {
    let (ename, message, line) = match outcome {
        Outcome::Failed {
            name,
            message,
            line,
        } => (name, message, line),
        Outcome::Panicked { message, line } => ("Panic".to_owned(), message, line),
        Outcome::Unloadable { message } => ("KernelError".to_owned(), message, 0),
        Outcome::Completed | Outcome::Returned => {
            unreachable!("a completed cell is no failure")
        }
    };
    match program.origin_of_line(line, session) {
        Some((count, line)) => {
            let traceback = diagnostics::point_at(session, count, line, &ename, &message);
            CellFailure {
                ename,
                evalue: message,
                traceback,
            }
        }
        None => CellFailure::plain(&ename, message),
    }
}

/// Returns how to write the program so that these errors go away, or the same adjustments.
fn adjusted(before: &Adjustments, diagnostics: &[Diagnostic], program: &Program) -> Adjustments {
    let mut after = before.clone();
    for error in diagnostics.iter().filter(|message| message.is_error()) {
        let moved = error.has_code(&["E0382", "E0381"]);
        let borrowed = error.has_code(&[
            "E0597", "E0716", "E0505", "E0521", "E0506", "E0503", "E0499", "E0502",
        ]);
        for (line, label) in error.generated(program) {
            // Of the two variables in such an error, the one that borrows is not the one that
            // cannot be moved, but the one that wants the borrow to go on.
            let borrows = borrowed
                && (label.contains("argument requires that")
                    || label.contains("borrow later used"));
            match line {
                Line::PutBack(name) if moved => after.consumed.push(name.clone()),
                Line::Put(name) | Line::TypeOf(name) if moved => after.unkept.push(name.clone()),
                Line::Put(name) if borrows => {
                    after.unkept.extend([name.clone(), format!("&{name}")])
                }
                _ => {}
            }
        }
        after.statement_only |= error.has_code(&["E0282", "E0283", "E0284"]) && after == *before;
    }
    after.unkept.sort();
    after.unkept.dedup();
    if after == *before {
        return with_more_items(before, diagnostics, program);
    }
    after
}

/// Returns how to write the program where it may lack an item, or the value of a static.
fn with_more_items(
    before: &Adjustments,
    diagnostics: &[Diagnostic],
    program: &Program,
) -> Adjustments {
    let errors = || diagnostics.iter().filter(|message| message.is_error());
    let mut after = before.clone();
    let about_statics =
        |error: &Diagnostic| error.message.contains("extern static") || error.has_code(&["E0106"]);
    if !before.own_statics && !program.homes.is_empty() && errors().any(about_statics) {
        after.own_statics = true;
    } else if program.partial && errors().any(|error| !error.has_code(&ITEMS_DO_NOT_HELP)) {
        after = Adjustments {
            all_items: true,
            own_statics: before.own_statics,
            ..Adjustments::default()
        };
    }
    after
}

/// Errors that no further item makes go away: types that differ, moves, borrows, mutability.
const ITEMS_DO_NOT_HELP: [&str; 18] = [
    "E0282", "E0308", "E0373", "E0381", "E0382", "E0384", "E0499", "E0502", "E0503", "E0505",
    "E0506", "E0507", "E0515", "E0594", "E0596", "E0597", "E0716", "E0728",
];
