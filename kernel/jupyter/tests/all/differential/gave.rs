//! What a cell gave, in a form in which two evaluators can be compared.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use headwater_kernel::evaluate::frame::Event;
use headwater_kernel::evaluate::{CellFailure, Output, Sink};

/// How long evcxr's threads may take to pass on the last line of a cell.
const LATE: Duration = Duration::from_secs(1);

/// A part of what a cell gives, under its name in the session files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Result,
    Stdout,
    Stderr,
    Failure,
}

impl Part {
    pub const ALL: [Part; 4] = [Part::Result, Part::Stdout, Part::Stderr, Part::Failure];

    pub fn named(name: &str) -> Part {
        Part::ALL
            .into_iter()
            .find(|part| format!("{part:?}").to_lowercase() == name)
            .unwrap_or_else(|| panic!("no part is called `{name}`"))
    }
}

/// What one cell gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gave {
    result: String,
    stdout: String,
    stderr: String,
    failure: String,
}

impl Gave {
    /// Puts together what the evaluator said and how the cell ended.
    pub fn ours(outputs: &[Output], ended: Result<(), CellFailure>) -> Gave {
        Gave::new(outputs, &ended)
    }

    pub fn part(&self, part: Part) -> &str {
        match part {
            Part::Result => &self.result,
            Part::Stdout => &self.stdout,
            Part::Stderr => &self.stderr,
            Part::Failure => &self.failure,
        }
    }

    fn new(outputs: &[Output], ended: &Result<(), CellFailure>) -> Gave {
        let mut gave = Gave::default();
        for output in outputs {
            match output {
                Output::Stdout(text) => gave.stdout.push_str(text),
                Output::Stderr(text) => gave.stderr.push_str(text),
                Output::Frame(Event::Result { data }) => {
                    gave.result.push_str(&data["text/plain"]);
                }
                Output::Frame(_) => {}
            }
        }
        if let Err(failure) = ended {
            gave.failure = format!("{}: {}", failure.ename, without_place(&failure.evalue));
        }
        gave
    }
}

/// Takes off where the error is, which only our messages say.
fn without_place(message: &str) -> &str {
    message
        .rsplit_once(" (cell ")
        .map_or(message, |(before, _)| before)
}

/// The output of all cells of one evaluator, as it comes.
#[derive(Clone, Default)]
pub struct Collected {
    /// A std mutex, held for a push or a copy; the condition tells of each push.
    shared: Arc<(Mutex<Vec<(u64, Output)>>, Condvar)>,
}

impl Collected {
    pub fn sink(&self) -> Sink {
        let shared = self.shared.clone();
        Arc::new(move |cell, output| {
            shared.0.lock().expect("no panic here").push((cell, output));
            shared.1.notify_all();
        })
    }

    /// Returns what `cell` has said so far.
    pub fn of(&self, cell: u64) -> Vec<Output> {
        let all = self.shared.0.lock().expect("no panic here");
        of(&all, cell)
    }

    /// Returns what `cell` gave. evcxr passes lines on from threads of its own, so this waits
    /// until it is what is expected, or until nothing more can be on its way.
    pub fn wait_for(&self, cell: u64, expected: &Gave, ended: &Result<(), CellFailure>) -> Gave {
        let deadline = Instant::now() + LATE;
        let mut all = self.shared.0.lock().expect("no panic here");
        loop {
            let gave = Gave::new(&of(&all, cell), ended);
            let left = deadline.saturating_duration_since(Instant::now());
            if (gave.stdout == expected.stdout && gave.stderr == expected.stderr) || left.is_zero()
            {
                return gave;
            }
            all = self
                .shared
                .1
                .wait_timeout(all, left)
                .expect("no panic here")
                .0;
        }
    }
}

fn of(all: &[(u64, Output)], cell: u64) -> Vec<Output> {
    all.iter()
        .filter(|(number, _)| *number == cell)
        .map(|(_, output)| output.clone())
        .collect()
}
