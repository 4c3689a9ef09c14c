//! What `headwater run` prints while it works: one line a cell.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Without a terminal, a long cell says so often that it still runs.
const REMINDER: Duration = Duration::from_secs(10);
/// So much of a cell's first line is shown.
const CODE_WIDTH: usize = 72;

/// The lines about one notebook.
pub struct Report {
    cells: usize,
    running: RefCell<Option<Running>>,
}

struct Running {
    label: String,
    code: String,
    bar: ProgressBar,
    begun: Instant,
    reminded: Instant,
}

impl Report {
    /// Begins with the name of the notebook and the number of its code cells.
    pub fn of(path: &Path, cells: usize) -> Report {
        say(&format!("{} ({cells} code cells)", path.display()));
        Report {
            cells,
            running: RefCell::new(None),
        }
    }

    /// A cell begins.
    pub fn begin(&self, number: usize, code: &str) {
        let width = self.cells.to_string().len();
        let label = format!("[{number:>width$}/{}]", self.cells);
        let code = first_line(code);
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("  {prefix} {elapsed:>8} {spinner} {msg}");
        bar.set_style(style.expect("a template without mistakes"));
        bar.set_prefix(label.clone());
        bar.set_message(code.clone());
        let now = Instant::now();
        *self.running.borrow_mut() = Some(Running {
            label,
            code,
            bar,
            begun: now,
            reminded: now,
        });
    }

    /// Time passes.
    pub fn tick(&self) {
        let mut running = self.running.borrow_mut();
        let Some(running) = running.as_mut() else {
            return;
        };
        running.bar.tick();
        if running.bar.is_hidden() && running.reminded.elapsed() >= REMINDER {
            running.reminded = Instant::now();
            let seconds = running.begun.elapsed().as_secs();
            eprintln!("  {} still runs after {seconds} s", running.label);
        }
    }

    /// The cell is done; one that may fail says how it failed.
    pub fn done(&self, took: Duration, failure: Option<&str>) {
        let failure = failure.and_then(|failure| failure.lines().next());
        let note = failure.map_or(String::new(), |failure| {
            format!("  (as expected, {failure})")
        });
        self.line(&format!("{:>7} ms", took.as_millis()), &note);
    }

    /// The cell has failed.
    pub fn failed(&self, took: Duration) {
        self.line(&format!("{:>7} ms", took.as_millis()), "  <- error");
    }

    /// Nothing runs any more.
    pub fn ended(&self) {
        if self.running.borrow().is_some() {
            self.line("stopped   ", "");
        }
    }

    fn line(&self, time: &str, note: &str) {
        if let Some(Running {
            label, code, bar, ..
        }) = self.running.take()
        {
            bar.finish_and_clear();
            say(&format!("  {label} {time}  {code}{note}"));
        }
    }
}

/// Prints a line, also where nobody reads it any more.
pub fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}

/// The first line that is not empty, cut to what fits.
fn first_line(code: &str) -> String {
    let line = code
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    if line.chars().count() <= CODE_WIDTH {
        return line.to_owned();
    }
    line.chars().take(CODE_WIDTH - 1).chain(['…']).collect()
}
