//! `notebooks/README.md` and the links at the end of each lesson, from `lessons.toml`.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::catalogue::{Catalogue, Lesson};
use crate::evaluate::Error;
use crate::run::ended;
use crate::run::notebook::{self, Notebook};
use crate::run::report::say;

/// The id of the cell with the links.
const LINKS: &str = "links";

/// Writes notebooks/README.md and the links between lessons, from lessons.toml
#[derive(Debug, clap::Args)]
pub struct OverviewArgs {}

/// Writes what is not as the index says.
pub fn overview(_: &OverviewArgs) -> ExitCode {
    ended(Catalogue::find().and_then(|catalogue| write(&catalogue)))
}

fn write(catalogue: &Catalogue) -> Result<ExitCode, Error> {
    let readme = catalogue.folder.join("README.md");
    let text = text(catalogue)?;
    if std::fs::read_to_string(&readme).ok().as_deref() != Some(&text) {
        notebook::write(&readme, text.as_bytes())?;
        say(&format!("wrote {}", readme.display()));
    }
    for lesson in &catalogue.lesson {
        let path = catalogue.folder.join(&lesson.file);
        if link(&path, &links(catalogue, lesson))? {
            say(&format!("wrote {}", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts the links at the end of a notebook; returns whether that changed it.
fn link(path: &Path, links: &str) -> Result<bool, Error> {
    let mut notebook = Notebook::read(path)?;
    let is_link = |cell: &serde_json::Value| cell["id"] == LINKS;
    let there = notebook.cells().last().filter(|cell| is_link(cell));
    if there.map(|cell| notebook::text(&cell["source"])).as_deref() == Some(links) {
        return Ok(false);
    }
    notebook.remove(is_link);
    notebook.push(json!({
        "cell_type": "markdown", "id": LINKS, "metadata": {}, "source": notebook::lines(links),
    }));
    notebook.write(path)?;
    Ok(true)
}

/// Returns the links of a lesson: to the one before, the one after and the overview.
pub fn links(catalogue: &Catalogue, lesson: &Lesson) -> String {
    let place = catalogue
        .lesson
        .iter()
        .position(|other| other.id == lesson.id);
    let place = place.unwrap_or_default();
    let to = |lesson: &Lesson| format!("[{} {}]({})", lesson.id, lesson.title, lesson.file);
    let before = place
        .checked_sub(1)
        .and_then(|place| catalogue.lesson.get(place));
    let after = catalogue.lesson.get(place + 1);
    let before = before.map(|lesson| format!("Before: {}", to(lesson)));
    let after = after.map(|lesson| format!("Next: {}", to(lesson)));
    let overview = "[Overview of the module](README.md)".to_owned();
    let parts = [before, after, Some(overview)].into_iter().flatten();
    parts.collect::<Vec<_>>().join(" · ")
}

/// Returns the overview.
///
/// # Errors
/// When a notebook cannot be read.
pub fn text(catalogue: &Catalogue) -> Result<String, Error> {
    let module = &catalogue.module;
    let mut text = format!(
        "# {}\n\n<!-- Written by `headwater course overview` from lessons.toml. -->\n\nAfter this module you can\n\n",
        module.title
    );
    let mut line = |line: &str| writeln!(text, "{line}").expect("text takes what is written");
    module
        .objectives
        .iter()
        .for_each(|goal| line(&format!("- {goal}")));
    line("\n## Calendar\n\n| week | session (90 min) | lesson |\n|---|---|---|");
    for session in &catalogue.session {
        line(&format!(
            "| {} | {} | {} |",
            session.week, session.sessions, session.lesson
        ));
    }
    line("\n## Lessons\n");
    line("| lesson | class | points | status |\n|---|---:|---:|---|");
    for (id, lesson, planned) in in_order(catalogue) {
        match (lesson, planned) {
            (Some(lesson), _) => line(&format!(
                "| [{id} {}]({}) | {} min | {} | {} |",
                lesson.title,
                lesson.file,
                lesson.minutes(),
                lesson.points,
                if lesson.to_come.is_some() {
                    "in part"
                } else {
                    "complete"
                },
            )),
            (None, Some(planned)) => line(&format!("| {id} {} | - | - | to come |", planned.title)),
            (None, None) => {}
        }
    }
    for (id, lesson, planned) in in_order(catalogue) {
        let title = lesson
            .map(|lesson| &lesson.title)
            .or(planned.map(|planned| &planned.title));
        line(&format!(
            "\n### {id} {}\n",
            title.map_or("", String::as_str)
        ));
        let goals = match (lesson, planned) {
            (Some(lesson), _) => lesson.goals(&catalogue.folder)?,
            (None, planned) => planned.map_or(Vec::new(), |planned| planned.bullets.clone()),
        };
        goals.iter().for_each(|goal| line(&format!("- {goal}")));
        if let Some(lesson) = lesson {
            let exercises: Vec<String> = (lesson.exercise.iter())
                .map(|exercise| format!("{} ({} points)", exercise.title, exercise.points))
                .collect();
            line(&format!(
                "\nNeeds: {}. Exercises: {}. [Solutions]({})",
                lesson.needs,
                exercises.join(", "),
                lesson.solution
            ));
            if let Some(to_come) = &lesson.to_come {
                line(&format!("\nStill to come: {to_come}"));
            }
        }
    }
    line("\n## Resources\n");
    for extra in &module.extra {
        let title = Notebook::read(&catalogue.folder.join(extra))?.title();
        line(&format!(
            "- [{}]({extra})",
            title.unwrap_or_else(|| extra.clone())
        ));
    }
    module
        .resources
        .iter()
        .for_each(|resource| line(&format!("- {resource}")));
    Ok(text)
}

/// Returns lessons and planned ones by their ids.
#[allow(clippy::type_complexity)]
fn in_order(
    catalogue: &Catalogue,
) -> Vec<(&str, Option<&Lesson>, Option<&super::catalogue::Planned>)> {
    let lessons = catalogue.lesson.iter();
    let planned = catalogue.planned.iter();
    let mut all: Vec<_> = lessons
        .map(|lesson| (lesson.id.as_str(), Some(lesson), None))
        .chain(planned.map(|planned| (planned.id.as_str(), None, Some(planned))))
        .collect();
    all.sort_by_key(|(id, ..)| *id);
    all
}
