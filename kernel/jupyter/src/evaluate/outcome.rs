//! What the end of a cell means to the person: an error that points into the cell, or a new child
//! in place of a dead one.

use super::process::Death;
use super::protocol::Outcome;
use super::session::Session;
use super::source::Program;
use super::{CellFailure, Evaluator, diagnostics};

impl Evaluator {
    /// Starts a new child in place of a dead one, and says what went with it and how to get it
    /// back.
    pub(super) fn mourn(&mut self, death: Death, next: &mut Session) -> CellFailure {
        let names = next.describe_variables();
        next.variables.clear();
        let cells = self.recipes.lose_all();
        let lost = if names.is_empty() {
            "no variables were lost".to_owned()
        } else {
            let cells: Vec<String> = cells.iter().map(u32::to_string).collect();
            format!(
                "lost variables: {}\n  try:  :replay, which runs the cells again that made them: {}",
                names.join(", "),
                cells.join(", ")
            )
        };
        let kept = "items and imports are kept, statics start anew, topics and their records are untouched";
        let (ename, what) = if self.interrupter.has_killed() {
            let what = "the cell did not stop, so its process was ended".to_owned();
            ("Interrupted", what)
        } else {
            let what = format!("the cell ended badly: {}", death.describe());
            ("ChildDied", what)
        };
        let failure = CellFailure::plain(ename, format!("{what}\n  {kept}\n  {lost}"));
        match self.restart() {
            Ok(()) => failure,
            Err(error) => CellFailure::plain(ename, format!("{}\n{error}", failure.evalue)),
        }
    }
}

/// Returns the error of a cell that did not complete, in a child that lives on.
pub fn failed(outcome: Outcome, program: &Program, session: &Session) -> CellFailure {
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
