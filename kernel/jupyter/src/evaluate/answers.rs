//! What the commands answer and set.

use std::process::Command;

use super::command::{unknown, wrong_argument};
use super::protocol::{Format, Request};
use super::session::Session;
use super::{CellFailure, Evaluator};

impl Evaluator {
    pub(super) fn type_of(&self, name: &str) -> Result<String, CellFailure> {
        let variable = self.session.variables.get(name).ok_or_else(|| {
            let have: Vec<&str> = self.session.variables.keys().map(String::as_str).collect();
            let text = format!(
                "no variable `{name}`\n  have: {}\n  try:  :vars",
                have.join(", ")
            );
            CellFailure::plain("UnknownVariable", text)
        })?;
        Ok(variable.type_name.clone())
    }

    pub(super) fn documentation(&self, name: &str) -> Result<String, CellFailure> {
        let found = self.completer.inspect(name, name.chars().count(), true);
        found.map(|found| found.plain).ok_or_else(|| {
            let text = format!(
                "nothing is known of `{name}`\n  try:  a type such as DataFrame, or a variable"
            );
            CellFailure::plain("UnknownName", text)
        })
    }

    /// Returns the compiler's long explanation of `code`, or of the last error.
    pub(super) fn explain(&self, code: &str) -> Result<String, CellFailure> {
        let last = || {
            let codes = self.errors.iter().filter_map(|error| error.code.as_ref());
            codes.map(|code| code.code.clone()).next()
        };
        let code = Some(code.to_owned())
            .filter(|code| !code.is_empty())
            .or_else(last);
        let Some(code) = code else {
            return Ok("no error to explain; `:explain E0382` explains that one".to_owned());
        };
        let output = Command::new(self.compiler.rustc())
            .args(["--explain", &code])
            .output();
        match output {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
            }
            _ => Err(wrong_argument(":explain", &code)),
        }
    }

    pub(super) fn versions(&self) -> String {
        let rustc = self
            .compiler
            .manifest()
            .rustc
            .lines()
            .next()
            .unwrap_or("rustc unknown");
        format!("headwater {}\n{rustc}", env!("CARGO_PKG_VERSION"))
    }

    pub(super) fn clear(&mut self) -> String {
        let names: Vec<String> = self.session.variables.keys().cloned().collect();
        self.process.forget(&names);
        self.session = Session::default();
        self.recipes.clear();
        self.dependencies = super::dependency::Dependencies::default();
        self.compiler.drop_dependencies();
        format!(
            "forgotten: {} variables, all items, imports and crates of :dep",
            names.len()
        )
    }

    pub(super) fn restart_child(&mut self) -> Result<String, CellFailure> {
        self.restart()?;
        let names = self.session.describe_variables();
        self.session.variables.clear();
        let cells = self.recipes.lose_all();
        Ok(if names.is_empty() {
            "a new process; no variables were lost".to_owned()
        } else {
            let cells: Vec<String> = cells.iter().map(u32::to_string).collect();
            format!(
                "a new process; forgotten: {}\n:replay runs the cells again that made them: {}",
                names.join(", "),
                cells.join(", ")
            )
        })
    }

    pub(super) fn shown_dependencies(&self) -> String {
        match self.dependencies.shown.as_slice() {
            [] => "no crates added; `:dep rand` adds one".to_owned(),
            shown => shown.join("\n"),
        }
    }

    pub(super) fn last_errors(&self) -> String {
        serde_json::to_string_pretty(&self.errors).unwrap_or_default()
    }

    /// Carries out a command that sets something.
    pub(super) fn set(&mut self, name: &str, argument: &str) -> Result<String, CellFailure> {
        let wrong = || wrong_argument(name, argument);
        match name {
            ":timing" => {
                self.show_timing = !self.show_timing;
                let state = if self.show_timing { "on" } else { "off" };
                Ok(format!(
                    "timing after each cell: {state}\nlast cell: {}",
                    self.last
                ))
            }
            ":opt" => {
                let level = match argument {
                    "" => u8::from(self.compiler.opt_level == 0) * 2,
                    digit => digit
                        .parse()
                        .ok()
                        .filter(|level| *level <= 3)
                        .ok_or_else(wrong)?,
                };
                self.compiler.opt_level = level;
                Ok(format!("optimisation level of cells: {level}"))
            }
            ":fmt" | ":efmt" => {
                let format = match argument {
                    "{}" if name == ":efmt" => Format::Display,
                    "{:?}" => Format::Debug,
                    "{:#?}" => Format::Pretty,
                    _ => return Err(wrong()),
                };
                if name == ":fmt" {
                    self.settings.result = format;
                } else {
                    self.settings.error = format;
                }
                self.tell_settings()?;
                Ok(format!("{name} {argument}"))
            }
            ":types" => {
                self.settings.types = !self.settings.types;
                self.tell_settings()?;
                let state = if self.settings.types { "on" } else { "off" };
                Ok(format!("types of results: {state}"))
            }
            ":env" | ":build_env" => {
                let (variable, value) = argument
                    .split_once('=')
                    .filter(|(variable, _)| !variable.is_empty() && !argument.contains('\0'))
                    .ok_or_else(wrong)?;
                let (variable, value) = (variable.to_owned(), value.to_owned());
                if name == ":build_env" {
                    self.dependencies.environment.insert(variable, value);
                } else {
                    self.ready()?;
                    self.environment.insert(variable.clone(), value.clone());
                    let name = variable;
                    self.process.tell(&Request::Environment { name, value });
                }
                Ok(format!("{name} {argument}"))
            }
            ":offline" => {
                self.dependencies.offline = match argument {
                    "0" => false,
                    "1" => true,
                    _ => return Err(wrong()),
                };
                Ok(format!(
                    ":dep may use the network: {}",
                    !self.dependencies.offline
                ))
            }
            other => Err(unknown(other)),
        }
    }

    fn tell_settings(&mut self) -> Result<(), CellFailure> {
        self.ready()?;
        self.process.tell(&Request::Set(self.settings));
        Ok(())
    }
}
