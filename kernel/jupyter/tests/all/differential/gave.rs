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
    pub fn part(&self, part: Part) -> &str {
        match part {
            Part::Result => &self.result,
            Part::Stdout => &self.stdout,
            Part::Stderr => &self.stderr,
            Part::Failure => &self.failure,
        }
    }

    /// Puts together what an evaluator said and how the cell ended.
    pub fn new(outputs: &[Output], ended: &Result<(), CellFailure>) -> Gave {
        let mut gave = Gave::default();
        for output in outputs {
            match output {
                Output::Stdout(text) => gave.stdout.push_str(text),
                Output::Stderr(text) => gave.stderr.push_str(text),
                Output::Frame(Event::Result { data }) => {
                    gave.result.push_str(&data["text/plain"]);
                }
                Output::Frame(_) | Output::Input(_) | Output::Page(_) => {}
            }
        }
        // evcxr shows the unit value of a statement; no other kernel does, and ours neither.
        if gave.result == "()" {
            gave.result.clear();
        }
        gave.stderr = without_panics(&gave.stderr);
        if let Err(failure) = ended {
            gave.failure = format!("{}: {}", failure.ename, without_place(&failure.evalue));
        }
        gave
    }
}

/// Takes out reports of panics: their places and backtraces are never the same. What a panic is
/// to the cell shows in its failure.
fn without_panics(text: &str) -> String {
    match text.find("\nthread '") {
        Some(at) => text[..at].to_owned(),
        None => text.to_owned(),
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
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// A std mutex, held for a push or a copy.
    outputs: Mutex<Vec<(u64, Output)>>,
    pushed: Condvar,
}

impl Collected {
    pub fn sink(&self) -> Sink {
        let shared = self.shared.clone();
        Arc::new(move |cell, output| {
            shared
                .outputs
                .lock()
                .expect("no panic here")
                .push((cell, output));
            shared.pushed.notify_all();
        })
    }

    /// Returns what `cell` has said so far.
    pub fn of(&self, cell: u64) -> Vec<Output> {
        let all = self.shared.outputs.lock().expect("no panic here");
        of(&all, cell)
    }

    /// Returns what `cell` gave. evcxr passes lines on from threads of its own, so this waits
    /// until text is as `ours`, or other where a difference is listed, or for as long as anything
    /// can be on its way.
    pub fn wait_for(
        &self,
        cell: u64,
        ours: &Gave,
        listed: &[Part],
        ended: &Result<(), CellFailure>,
    ) -> Gave {
        let deadline = Instant::now() + LATE;
        let mut all = self.shared.outputs.lock().expect("no panic here");
        loop {
            let gave = Gave::new(&of(&all, cell), ended);
            let left = deadline.saturating_duration_since(Instant::now());
            let settled = [Part::Stdout, Part::Stderr]
                .iter()
                .all(|part| (gave.part(*part) == ours.part(*part)) != listed.contains(part));
            if settled || left.is_zero() {
                return gave;
            }
            all = self
                .shared
                .pushed
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
