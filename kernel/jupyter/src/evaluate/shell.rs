//! `!command` in a cell: the shell, with its output in the cell.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::marked::Marked;
use super::{CellFailure, Error, Evaluator, Output, Sink};

impl Evaluator {
    /// Runs `command` in the shell, in the folder of the notebook.
    pub(super) fn shell(&mut self, cell: u64, command: &str) -> Result<(), CellFailure> {
        let broken = |error: std::io::Error| {
            Error::new(
                "the shell does not run",
                error.to_string(),
                "a PATH with `sh` in it",
            )
        };
        self.interrupter.compiling();
        let mut child = Command::new("sh")
            .args(["-c", command])
            .current_dir(&self.options.workdir)
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(broken)?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let running = self.compiler.running();
        running.watch(child);
        let sink = self.sink.clone();
        let errors = std::thread::spawn(move || pass_on(stderr, cell, &sink, Output::Stderr));
        pass_on(stdout, cell, &self.sink, Output::Stdout);
        errors.join().expect("passing text on does not panic");
        let status = running.wait().map_err(broken)?;
        match status.code() {
            Some(0) => Ok(()),
            Some(code) => Err(CellFailure::plain(
                "ShellError",
                format!("`{command}` ended with exit code {code}"),
            )),
            None => Err(CellFailure::plain(
                "Interrupted",
                format!("`{command}` was stopped"),
            )),
        }
    }
}

/// Passes text on as it comes, whole characters only.
fn pass_on(mut from: impl Read, cell: u64, sink: &Sink, wrap: fn(String) -> Output) {
    let mut text = Marked::new("");
    while text.is_open() {
        text.read(&mut from, |_, part| sink(cell, wrap(part)));
    }
}
