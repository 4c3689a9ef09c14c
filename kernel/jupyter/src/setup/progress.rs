//! One line a step: a spinner on a terminal, plain lines elsewhere. All of it goes to stderr.

use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a step says what it is doing where there is no terminal to draw a spinner on.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Tells the person which step runs and how long each took.
pub struct Progress {
    terminal: bool,
}

/// One running step; ends with [`Step::done`].
pub struct Step {
    name: &'static str,
    started: Instant,
    spinner: Option<ProgressBar>,
    said: Cell<Option<Instant>>,
}

impl Progress {
    /// Looks at stderr to see whether somebody is watching.
    pub fn to_stderr() -> Progress {
        Progress {
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Starts a step.
    pub fn step(&self, name: &'static str) -> Step {
        let spinner = self.terminal.then(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix:<12} {wide_msg} {elapsed}")
                .expect("the template is a constant");
            let bar = ProgressBar::new_spinner()
                .with_style(style)
                .with_prefix(name);
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Step {
            name,
            started: Instant::now(),
            spinner,
            said: Cell::new(None),
        }
    }
}

impl Step {
    /// Shows what the step is doing now.
    pub fn say(&self, what: &str) {
        if let Some(spinner) = &self.spinner {
            spinner.set_message(what.to_owned());
            return;
        }
        let quiet = self
            .said
            .get()
            .is_some_and(|last| last.elapsed() < PLAIN_EVERY);
        if !quiet {
            self.said.set(Some(Instant::now()));
            eprintln!("  {:<12} {what} ...", self.name);
        }
    }

    /// Ends the step with what it found or made.
    pub fn done(self, result: &str) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let took = match seconds >= 0.1 {
            true => format!(" ({seconds:.1} s)"),
            false => String::new(),
        };
        eprintln!("✓ {:<12} {result}{took}", self.name);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
