//! Compiles cells and runs them in a child process that keeps their variables.
//!
//! - [`evaluator`] executes a cell; [`cell`] takes it apart, [`session`] keeps what earlier ones
//!   defined, [`recipes`] which cells made which variables; [`facts`] of items tell which of them
//!   a cell can [`reach`], and [`statics`] live through the session
//! - [`build`] turns it into a shared object: [`source`] writes the program that a cell becomes,
//!   [`compiler`] calls the compiler and the linker, [`toolchain`] knows where they are
//! - [`diagnostics`] shows the compiler's messages in the words of the cell, in [`ink`] that can be
//!   read on any ground, [`outcome`] how a cell ended
//! - [`process`] is the child as the kernel sees it, [`boot`] its first steps, [`threads`] tells the
//!   cells of its threads apart, [`pump`] reads what
//!   it says ([`marked`] its order, [`content`] its rich blocks), [`interrupt`] stops it, [`running`] is the tool that works for it now
//! - [`stdin`] is how a cell asks for input, [`expressions`] values for the front end alone
//! - [`command`] reads lines such as `:vars`, [`answers`] and [`shell`] carry them out,
//!   [`dependency`] those that add crates
//! - [`stock`] is evcxr itself, for cells that ask for it and as the peer of tests and benches
//! - [`complete`] completes and inspects names, from the [`index`] and the session
//! - [`variables`] is what is known of each variable, for `:vars` and for front ends

mod answers;
mod boot;
mod build;
mod cell;
mod command;
mod compiler;
mod complete;
mod content;
mod dependency;
mod diagnostics;
mod error;
mod evaluator;
mod expressions;
mod facts;
mod index;
mod ink;
mod interrupt;
mod marked;
mod outcome;
mod process;
mod pump;
mod reach;
mod recipes;
mod running;
mod session;
mod shell;
mod source;
mod statics;
pub mod stdin;
mod stock;
#[cfg(target_os = "linux")]
mod threads;
mod timing;
mod toolchain;
mod uses;
mod variables;

#[path = "../../../streams/src/frame.rs"]
pub mod frame;
#[path = "../../../prelude/src/cell/protocol.rs"]
mod protocol;

use std::path::PathBuf;
use std::sync::Arc;

pub use boot::child_main;
pub use cell::{Completeness, completeness};
pub use complete::{Candidate, Completer, Completions, Inspection};
pub use error::Error;
pub use evaluator::Evaluator;
pub use index::{FORMAT as INDEX_FORMAT, write as write_index};
pub use interrupt::Interrupter;
pub use stock::Stock;
pub use toolchain::{MANIFEST, Manifest, Provided, rustc_version, std_folder};
pub use variables::VariableInfo;

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
            *first = format!("{}{ename}{}: {first}", ink::RED, ink::RESET);
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
    /// The cell waits for a line of input.
    Input(stdin::Question),
    /// A text for the front end's pager.
    Page(frame::Bundle),
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
