//! `headwater course check`: the lessons as files, and as they run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::catalogue::{Catalogue, Lesson};
use super::{form, live, zoo};
use crate::evaluate::Error;
use crate::run::notebook::{self, Notebook};
use crate::run::report::{Report, say};
use crate::run::session::{self, Ending, Run, Session};
use crate::run::{block_on, ended, prelude, write_page};

/// Checks that lessons agree with lessons.toml and run, with and without their solutions
///
/// Every notebook runs in both forms. A cell that fails, that is silent for longer than the budget, a
/// picture without words, a lesson without a live window, a wrong solution that passes: each is said,
/// and all that can still be checked is.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The lessons, for example 5.1; all where none is named
    #[arg(value_name = "LESSON")]
    pub lessons: Vec<String>,
    /// Only look at the files, run nothing
    #[arg(long)]
    pub files_only: bool,
    /// How long a cell may show nothing new, and how long the first cell may take
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub budget: f64,
    /// How long one cell may take
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// Leave the wrong solutions out
    #[arg(long)]
    pub no_wrong_solutions: bool,
    /// The folder for the executed notebooks and their pages
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The file for the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// What one notebook did.
struct Ran {
    file: String,
    cells: Vec<session::CellRun>,
    pictures: usize,
    /// The cell that streamed, windowed and plotted.
    live: Option<String>,
    notebook: Notebook,
}

/// Checks the lessons; ends with 1 where something is wrong.
pub fn check(args: &CheckArgs) -> ExitCode {
    ended(block_on(check_all(args)))
}

async fn check_all(args: &CheckArgs) -> Result<ExitCode, Error> {
    let catalogue = Catalogue::find()?;
    let lessons = catalogue.chosen(&args.lessons)?;
    let mut wrong = form::course(&catalogue)?;
    for lesson in &lessons {
        wrong.extend(form::lesson(&catalogue, lesson)?);
        wrong.extend(form::sums(lesson));
    }
    let (mut ran, mut caught) = (Vec::new(), Vec::new());
    if !args.files_only {
        let prelude = prelude::prelude(&|line| eprintln!("{line}"))?;
        for lesson in &lessons {
            for (file, is_lesson) in [(&lesson.file, true), (&lesson.solution, false)] {
                let path = catalogue.folder.join(file);
                let (one, found) = run(&path, file, is_lesson, &prelude, args).await?;
                wrong.extend(found);
                ran.push(one);
            }
        }
        let extra = catalogue.module.extra.iter();
        for file in extra.filter(|_| args.lessons.is_empty()) {
            let path = catalogue.folder.join(file);
            let (one, found) = run(&path, file, false, &prelude, args).await?;
            wrong.extend(found);
            ran.push(one);
        }
        if !args.no_wrong_solutions {
            let ids: Vec<&str> = lessons.iter().map(|lesson| lesson.id.as_str()).collect();
            let found = zoo::run(&catalogue.folder, &prelude, &ids).await?;
            wrong.extend(found.iter().filter_map(|one| one.escaped.clone()));
            wrong.extend(
                lessons
                    .iter()
                    .flat_map(|lesson| zoo::too_few(lesson, &found)),
            );
            caught = found;
        }
    }
    print(&lessons, &ran, &caught, &wrong);
    if let Some(path) = &args.json {
        let report = report(&lessons, &ran, &caught, &wrong);
        notebook::write(path, format!("{report:#}\n").as_bytes())?;
    }
    Ok(match wrong.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Runs one notebook and says what is wrong with what it did.
async fn run(
    path: &Path,
    file: &str,
    is_lesson: bool,
    prelude: &Path,
    args: &CheckArgs,
) -> Result<(Ran, Vec<String>), Error> {
    let notebook = Notebook::read(path)?;
    let report = Report::of(path, session::count(&notebook));
    let limit = Duration::from_secs(args.timeout);
    let session = Session::start(path, notebook, prelude, limit).await?;
    let Run {
        notebook,
        ending,
        cells,
    } = session.keep_going().run(&report).await;
    if let Some(out) = &args.out {
        let page = out.join(path.file_name().unwrap_or_default());
        notebook.write(&page)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        write_page(&page.with_extension("html"), &notebook, folder)?;
    }
    let (pictures, silent) = live::pictures(&notebook);
    let ran = Ran {
        live: live::live_cell(&notebook, &cells),
        file: file.to_owned(),
        cells,
        pictures,
        notebook,
    };
    let mut wrong = Vec::new();
    let mut say = |what: String| wrong.push(format!("{}: {what}", ran.file));
    match ending {
        Ending::Completed => {}
        Ending::Stopped => say("stopped".into()),
        Ending::Failed { number, failure } => {
            say(format!(
                "ended at cell {number}: {}",
                first(&failure.message)
            ));
        }
    }
    for cell in &ran.cells {
        let id = ran.id(cell);
        if let Some(failure) = &cell.failure {
            say(format!(
                "cell {} `{id}` fails: {}",
                cell.number,
                first(&failure.message)
            ));
        }
        let silence = cell.silence.as_secs_f64();
        if silence > args.budget {
            say(format!(
                "cell {} `{id}` shows nothing new for {silence:.1} s, at most {} s",
                cell.number, args.budget
            ));
        }
    }
    if let Some(begun) = ran.cells.first().map(|cell| cell.took.as_secs_f64())
        && is_lesson
        && begun > args.budget
    {
        say(format!(
            "its first cell takes {begun:.1} s, at most {} s",
            args.budget
        ));
    }
    for id in silent {
        say(format!("cell `{id}` shows a picture without words"));
    }
    if is_lesson && ran.live.is_none() {
        say(
            "no cell streams a topic, computes event-time windows and draws them while they change"
                .into(),
        );
    }
    Ok((ran, wrong))
}

impl Ran {
    fn id(&self, cell: &session::CellRun) -> &str {
        self.notebook.cells()[cell.index]["id"]
            .as_str()
            .unwrap_or("?")
    }

    /// Returns the cell that took longest.
    fn longest(&self) -> Option<&session::CellRun> {
        self.cells.iter().max_by_key(|cell| cell.took)
    }

    fn millis(&self) -> u128 {
        self.cells.iter().map(|cell| cell.took.as_millis()).sum()
    }
}

fn print(lessons: &[&Lesson], ran: &[Ran], caught: &[zoo::Tried], wrong: &[String]) {
    if !ran.is_empty() {
        say(&format!(
            "\n{:<52} {:>5} {:>9} {:>9} {:>9} {:>8}  live window",
            "notebook", "cells", "all, s", "most, s", "silent, s", "pictures"
        ));
    }
    for one in ran {
        let seconds = |span: Option<Duration>| span.map_or(0.0, |span| span.as_secs_f64());
        say(&format!(
            "{:<52} {:>5} {:>9.1} {:>9.1} {:>9.1} {:>8}  {}",
            one.file,
            one.cells.len(),
            one.millis() as f64 / 1000.0,
            seconds(one.longest().map(|cell| cell.took)),
            seconds(one.cells.iter().map(|cell| cell.silence).max()),
            one.pictures,
            one.live.as_deref().unwrap_or("-"),
        ));
    }
    let exercises: usize = lessons.iter().map(|lesson| lesson.exercise.len()).sum();
    let escaped = caught.iter().filter(|one| one.escaped.is_some()).count();
    say(&format!(
        "\n{} lessons, {exercises} exercises; {} of {} wrong solutions caught with their hint",
        lessons.len(),
        caught.len() - escaped,
        caught.len()
    ));
    for one in wrong {
        eprintln!("error: {one}");
    }
    if !wrong.is_empty() {
        eprintln!("{} things are wrong", wrong.len());
    }
}

fn report(lessons: &[&Lesson], ran: &[Ran], caught: &[zoo::Tried], wrong: &[String]) -> Value {
    let cell = |one: &Ran, cell: &session::CellRun| {
        json!({
            "id": one.id(cell),
            "number": cell.number,
            "ms": cell.took.as_millis() as u64,
            "silent_ms": cell.silence.as_millis() as u64,
            "updates": cell.updates,
            "failure": cell.failure.as_ref().map(|failure| first(&failure.message)),
        })
    };
    let notebook = |one: &Ran| {
        json!({
            "file": one.file,
            "ms": one.millis() as u64,
            "pictures": one.pictures,
            "live_cell": one.live,
            "cells": one.cells.iter().map(|run| cell(one, run)).collect::<Vec<_>>(),
        })
    };
    let lesson = |lesson: &&Lesson| {
        json!({
            "id": lesson.id, "minutes": lesson.minutes(), "points": lesson.points,
            "exercises": lesson.exercise.len(), "to_come": lesson.to_come,
        })
    };
    json!({
        "lessons": lessons.iter().map(lesson).collect::<Vec<_>>(),
        "notebooks": ran.iter().map(notebook).collect::<Vec<_>>(),
        "wrong_solutions": caught.iter().map(|one| json!({
            "exercise": one.exercise, "name": one.name, "caught": one.escaped.is_none(),
        })).collect::<Vec<_>>(),
        "wrong": wrong,
    })
}

fn first(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}
