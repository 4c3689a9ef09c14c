//! Cells that start with a colon: questions to the kernel instead of code.

use super::session::Session;
use super::variables::variables_table;
use super::{CellFailure, Evaluator, Output, frame::Event};

pub(super) const HELP: &str = "\
:vars     the variables of this session, with their types
:type X   the type of variable X
:timing   say after each cell where its time went; again to stop
:clear    forget all variables, items and imports
:dep X    add a crate: this cell and those that start with :evcxr run in evcxr, with variables of its own
:help     this list";

/// Returns the command line of a cell that holds one.
pub fn parse(code: &str) -> Option<&str> {
    Some(code.trim()).filter(|line| line.starts_with(':') && !line.starts_with("::"))
}

impl Evaluator {
    /// Answers a command.
    pub(super) fn command(&mut self, cell: u64, line: &str) -> Result<(), CellFailure> {
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let answer = match name {
            ":help" => HELP.to_owned(),
            ":vars" => {
                let data = variables_table(&self.completer.variables());
                (self.sink)(cell, Output::Frame(Event::Result { data }));
                return Ok(());
            }
            ":type" => self.type_of(argument.trim())?,
            ":timing" => {
                self.show_timing = !self.show_timing;
                format!(
                    "timing after each cell: {}\nlast cell: {}",
                    if self.show_timing { "on" } else { "off" },
                    self.timing().trim_end()
                )
            }
            ":clear" => {
                let names: Vec<String> = self.session.variables.keys().cloned().collect();
                self.process.forget(&names);
                self.session = Session::default();
                format!(
                    "forgotten: {} variables, all items and imports",
                    names.len()
                )
            }
            other => {
                let text = format!(
                    "no command `{other}`\n  have: {}\n  try:  :help",
                    ":vars :type :timing :clear :dep :evcxr :help"
                );
                return Err(CellFailure::plain("UnknownCommand", text));
            }
        };
        let data = [("text/plain".to_owned(), answer)].into();
        (self.sink)(cell, Output::Frame(Event::Result { data }));
        Ok(())
    }

    fn type_of(&self, name: &str) -> Result<String, CellFailure> {
        let variable = self.session.variables.get(name).ok_or_else(|| {
            let have = self
                .session
                .variables
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            CellFailure::plain(
                "UnknownVariable",
                format!("no variable `{name}`\n  have: {have}\n  try:  :vars"),
            )
        })?;
        Ok(variable.type_name.clone())
    }
}
