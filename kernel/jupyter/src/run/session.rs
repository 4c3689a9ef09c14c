//! Runs the cells of one notebook, one after the other, in one kernel.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, interval, sleep_until};

use super::ansi::without_colours;
use super::client::{Channel, Heard, Kernel, Start};
use super::notebook::{self, Notebook};
use super::outputs::Outputs;
use super::report::Report;
use crate::evaluate::Error;
use crate::setup::PRELUDE_ENV;

/// How long a cell may go on after it was interrupted for taking too long.
const AFTER_INTERRUPT: Duration = Duration::from_secs(10);
/// How often the display of a running cell moves.
const TICK: Duration = Duration::from_millis(125);

/// How the run of a notebook, or of one cell, ended.
#[derive(Debug)]
pub enum Ending {
    Completed,
    /// The number of the code cell, and what it said.
    Failed {
        number: usize,
        failure: Failure,
    },
    /// Ctrl-C.
    Stopped,
}

/// What a failed cell said.
#[derive(Debug, Clone)]
pub struct Failure {
    pub message: String,
    pub traceback: Vec<String>,
}

/// One notebook and the kernel that runs it.
pub struct Session {
    kernel: Kernel,
    outputs: Outputs,
    /// Requests and the cells that they came from: output lands there even when it is late.
    asked: HashMap<String, usize>,
    limit: Duration,
    /// Whether a cell that fails is only noted.
    keeps_going: bool,
    /// The cells that were run so far.
    cells: Vec<CellRun>,
}

/// What one code cell did.
#[derive(Debug, Clone)]
pub struct CellRun {
    /// Its place among the cells of the notebook.
    pub index: usize,
    /// Its number among the code cells, from 1 on.
    pub number: usize,
    pub took: Duration,
    /// The longest time in which nothing on the page changed.
    pub silence: Duration,
    /// How often a picture that it shows was drawn anew.
    pub updates: usize,
    /// What it said when it failed; nothing for a cell that is meant to.
    pub failure: Option<Failure>,
}

/// A notebook that was run.
pub struct Run {
    pub notebook: Notebook,
    pub ending: Ending,
    pub cells: Vec<CellRun>,
}

/// When a cell last said or showed something.
struct Watch {
    heard: Instant,
    silence: Duration,
    updates: usize,
}

/// A code cell to be run.
struct CodeCell {
    index: usize,
    code: String,
    may_fail: bool,
}

impl Session {
    /// Starts a kernel for `notebook`, in the folder of its file as Jupyter does.
    ///
    /// # Errors
    /// When no kernel starts.
    pub async fn start(
        path: &Path,
        notebook: Notebook,
        prelude: &Path,
        limit: Duration,
    ) -> Result<Session, Error> {
        let binary = std::env::current_exe().map_err(|error| {
            Error::new(
                "the headwater binary cannot be found",
                error.to_string(),
                "headwater install",
            )
        })?;
        let workdir = std::path::absolute(path)
            .ok()
            .and_then(|path| Some(path.parent()?.to_owned()));
        let workdir = workdir.unwrap_or_else(|| ".".into());
        let variables = vec![(PRELUDE_ENV.to_owned(), prelude.display().to_string())];
        let kernel = Kernel::start(&Start {
            binary,
            workdir,
            variables,
        })
        .await?;
        let outputs = Outputs::of(notebook);
        Ok(Session {
            kernel,
            outputs,
            asked: HashMap::new(),
            limit,
            keeps_going: false,
            cells: Vec::new(),
        })
    }

    /// Runs what stands behind a cell that fails too.
    pub fn keep_going(mut self) -> Session {
        self.keeps_going = true;
        self
    }

    /// Runs every code cell, up to the first that fails unless it keeps going, and ends the kernel.
    /// Returns the notebook with the outputs so far.
    pub async fn run(mut self, report: &Report) -> Run {
        let ending = tokio::select! {
            ending = self.run_cells(report) => ending,
            _ = tokio::signal::ctrl_c() => Ending::Stopped,
        };
        report.ended();
        let Session {
            kernel,
            mut outputs,
            asked,
            cells,
            ..
        } = self;
        kernel
            .stop(|heard| apply(&mut outputs, &asked, &heard))
            .await;
        Run {
            notebook: outputs.notebook().clone(),
            ending,
            cells,
        }
    }

    async fn run_cells(&mut self, report: &Report) -> Ending {
        if let Err(error) = self.note_language().await {
            return Ending::Failed {
                number: 0,
                failure: Failure::of(&error),
            };
        }
        let cells = code_cells(self.outputs.notebook());
        for (number, cell) in (1..).zip(&cells) {
            report.begin(number, &cell.code);
            let begun = Instant::now();
            let mut watch = Watch::begin(begun);
            let outcome = self.run_cell(cell, report, &mut watch).await;
            watch.note(Instant::now());
            let failure = match &outcome {
                Ok(_) if cell.may_fail => None,
                Ok(failure) => failure.clone(),
                Err(error) => Some(Failure::of(error)),
            };
            self.cells.push(CellRun {
                index: cell.index,
                number,
                took: begun.elapsed(),
                silence: watch.silence,
                updates: watch.updates,
                failure,
            });
            match outcome {
                Ok(None) => report.done(begun.elapsed(), None),
                Ok(Some(failure)) if cell.may_fail => {
                    report.done(begun.elapsed(), Some(&failure.message));
                }
                Ok(Some(_)) if self.keeps_going => report.failed(begun.elapsed()),
                Ok(Some(failure)) => {
                    report.failed(begun.elapsed());
                    return Ending::Failed { number, failure };
                }
                Err(error) => {
                    report.failed(begun.elapsed());
                    return Ending::Failed {
                        number,
                        failure: Failure::of(&error),
                    };
                }
            }
        }
        Ending::Completed
    }

    async fn note_language(&mut self) -> Result<(), Error> {
        let id = self
            .kernel
            .ask(Channel::Shell, "kernel_info_request", json!({}))
            .await?;
        loop {
            let heard = self.kernel.next().await?;
            if heard.is_reply(&id, "kernel_info_reply") {
                self.outputs
                    .notebook_mut()
                    .set_language(heard.content["language_info"].clone());
                return Ok(());
            }
        }
    }

    /// Runs one cell until its reply and its `idle` have come. Returns why it failed, if it did.
    async fn run_cell(
        &mut self,
        cell: &CodeCell,
        report: &Report,
        watch: &mut Watch,
    ) -> Result<Option<Failure>, Error> {
        let id = self.kernel.execute(&cell.code).await?;
        self.asked.insert(id.clone(), cell.index);
        let mut ticks = interval(TICK);
        let mut deadline = Instant::now() + self.limit;
        let (mut reply, mut is_idle, mut is_late) = (None, false, false);
        while reply.is_none() || !is_idle {
            tokio::select! {
                heard = self.kernel.next() => {
                    let heard = heard?;
                    apply(&mut self.outputs, &self.asked, &heard);
                    watch.hear(&heard, &id);
                    is_idle |= heard.is_idle(&id);
                    if heard.is_reply(&id, "execute_reply") {
                        reply = Some(heard.content);
                    }
                }
                _ = ticks.tick() => report.tick(),
                () = sleep_until(deadline) => {
                    if is_late {
                        return Err(self.too_long("and it did not stop when it was interrupted"));
                    }
                    is_late = true;
                    deadline = Instant::now() + AFTER_INTERRUPT;
                    self.kernel.ask(Channel::Control, "interrupt_request", json!({})).await?;
                }
            }
        }
        if is_late {
            return Err(self.too_long("it was interrupted"));
        }
        Ok(reply
            .filter(|reply| reply["status"] != "ok")
            .map(|reply| Failure::in_reply(&reply)))
    }

    fn too_long(&self, have: &str) -> Error {
        let seconds = self.limit.as_secs();
        let what = format!("the cell took longer than {seconds} s");
        Error::new(what, have, format!("--timeout {}", seconds * 2))
    }
}

impl Watch {
    fn begin(now: Instant) -> Watch {
        Watch {
            heard: now,
            silence: Duration::ZERO,
            updates: 0,
        }
    }

    /// Takes in what came from the kernel, if a person sees it: a card of an earlier cell that moves
    /// while this one waits for it is a sign of life too.
    fn hear(&mut self, heard: &Heard, id: &str) {
        if heard.channel != Channel::Iopub {
            return;
        }
        match heard.message_type.as_str() {
            "stream" | "display_data" | "execute_result" | "error" => {}
            "update_display_data" => self.updates += usize::from(heard.is_under(id)),
            _ => return,
        }
        self.note(Instant::now());
    }

    fn note(&mut self, now: Instant) {
        let silence = now.saturating_duration_since(self.heard);
        self.silence = self.silence.max(silence);
        self.heard = now;
    }
}

impl Failure {
    fn of(error: &Error) -> Failure {
        let message = error.to_string();
        Failure {
            message,
            traceback: Vec::new(),
        }
    }

    /// Prints where it was and what was said, in colour only where a terminal shows it.
    pub fn print(&self, place: &str) {
        let first = self.message.lines().next().unwrap_or_default();
        eprintln!("error: {place}: {first}");
        if self.traceback.is_empty() {
            self.message
                .lines()
                .skip(1)
                .for_each(|line| eprintln!("{line}"));
        }
        let has_colours = std::io::stderr().is_terminal();
        for line in &self.traceback {
            eprintln!(
                "{}",
                if has_colours {
                    line.clone()
                } else {
                    without_colours(line)
                }
            );
        }
    }

    fn in_reply(reply: &Value) -> Failure {
        let part = |name: &str| reply[name].as_str().unwrap_or("no word").to_owned();
        let lines = reply["traceback"].as_array().into_iter().flatten();
        Failure {
            message: format!("{}: {}", part("ename"), part("evalue")),
            traceback: lines
                .filter_map(|line| Some(line.as_str()?.to_owned()))
                .collect(),
        }
    }
}

/// Applies an output to the cell that caused it.
fn apply(outputs: &mut Outputs, asked: &HashMap<String, usize>, heard: &Heard) {
    let index = heard.parent.as_ref().and_then(|parent| asked.get(parent));
    if let (Channel::Iopub, Some(index)) = (heard.channel, index) {
        outputs.apply(*index, &heard.message_type, &heard.content);
    }
}

/// Returns the code cells to run: not the empty ones, and not those tagged `skip-execution`.
fn code_cells(notebook: &Notebook) -> Vec<CodeCell> {
    let cells = notebook.cells().iter().enumerate();
    cells
        .filter(|(_, cell)| cell["cell_type"] == "code" && !has_tag(cell, "skip-execution"))
        .map(|(index, cell)| CodeCell {
            index,
            code: notebook::text(&cell["source"]),
            may_fail: has_tag(cell, "raises-exception"),
        })
        .filter(|cell| !cell.code.trim().is_empty())
        .collect()
}

/// Returns how many cells [`Session::run`] will run.
pub fn count(notebook: &Notebook) -> usize {
    code_cells(notebook).len()
}

fn has_tag(cell: &Value, tag: &str) -> bool {
    cell["metadata"]["tags"]
        .as_array()
        .is_some_and(|tags| tags.iter().any(|found| found == tag))
}
