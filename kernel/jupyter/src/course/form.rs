//! What must hold of the notebooks as they are committed: ids, links, minutes, points, order.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use super::catalogue::{Catalogue, Lesson};
use super::overview;
use crate::evaluate::Error;
use crate::run::notebook::{Notebook, text};

/// Returns what is wrong with the course as a whole.
///
/// # Errors
/// When a file cannot be read.
pub fn course(catalogue: &Catalogue) -> Result<Vec<String>, Error> {
    let mut wrong = Vec::new();
    let ids: Vec<&str> = catalogue
        .lesson
        .iter()
        .map(|lesson| lesson.id.as_str())
        .collect();
    if !ids.is_sorted() {
        wrong.push(format!(
            "lessons.toml: the lessons are not in order: {}",
            ids.join(", ")
        ));
    }
    for planned in &catalogue.planned {
        if ids.contains(&planned.id.as_str()) {
            wrong.push(format!("lessons.toml: {} is planned and there", planned.id));
        }
    }
    let listed: HashSet<&str> = (catalogue.lesson.iter())
        .map(|lesson| lesson.file.as_str())
        .chain(catalogue.module.extra.iter().map(String::as_str))
        .collect();
    for name in notebooks(&catalogue.folder) {
        if !listed.contains(name.as_str()) {
            wrong.push(format!("{name}: not in lessons.toml"));
        }
    }
    let readme = catalogue.folder.join("README.md");
    if std::fs::read_to_string(&readme).ok().as_deref() != Some(&overview::text(catalogue)?) {
        wrong.push(
            "README.md: not what lessons.toml says; headwater course overview writes it".into(),
        );
    }
    Ok(wrong)
}

/// Returns what is wrong with the files of one lesson.
///
/// # Errors
/// When a file cannot be read.
pub fn lesson(catalogue: &Catalogue, lesson: &Lesson) -> Result<Vec<String>, Error> {
    let mut wrong = Vec::new();
    let [file, solution] = lesson.forms(&catalogue.folder);
    for path in [&file, &solution] {
        let notebook = Notebook::read(path)?;
        let mut say = |what: String| wrong.push(format!("{}: {what}", name(path)));
        ids(&notebook, &mut say);
        links(&notebook, path, &mut say);
        exercises(lesson, &notebook, &mut say);
    }
    let notebook = Notebook::read(&file)?;
    let mut say = |what: String| wrong.push(format!("{}: {what}", lesson.file));
    agenda(lesson, &notebook, &mut say);
    let links = overview::links(catalogue, lesson);
    if notebook.cells().last().map(|cell| text(&cell["source"])) != Some(links) {
        say("the links at its end are not those to its neighbours; headwater course overview writes them".into());
    }
    Ok(wrong)
}

fn ids(notebook: &Notebook, say: &mut impl FnMut(String)) {
    let mut seen = HashSet::new();
    for (index, cell) in notebook.cells().iter().enumerate() {
        match cell["id"].as_str() {
            None => say(format!("cell {index} has no id")),
            Some(id) if !seen.insert(id) => say(format!("two cells have the id `{id}`")),
            Some(id) => {
                let is_code = cell["cell_type"] == "code";
                let is_empty = cell["outputs"].as_array().is_none_or(Vec::is_empty);
                if is_code && !(is_empty && cell["execution_count"].is_null()) {
                    say(format!("cell `{id}` keeps outputs: clear them"));
                }
            }
        }
    }
}

/// Says which links to files lead nowhere.
fn links(notebook: &Notebook, path: &Path, say: &mut impl FnMut(String)) {
    let folder = path.parent().unwrap_or(Path::new("."));
    for cell in texts(notebook) {
        for target in cell
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let is_elsewhere = target.contains("://") || target.starts_with(['#', '<']);
            let file = target.split('#').next().unwrap_or(target);
            if !is_elsewhere && !file.is_empty() && !folder.join(file).exists() {
                say(format!("a link leads nowhere: {target}"));
            }
        }
    }
}

fn agenda(lesson: &Lesson, notebook: &Notebook, say: &mut impl FnMut(String)) {
    let texts: Vec<String> = texts(notebook).collect();
    let opening = texts.first().map_or("", String::as_str);
    let title = format!("# {} {}\n", lesson.id, lesson.title);
    if !opening.starts_with(&title) {
        say(format!("it does not begin with `{}`", title.trim()));
    }
    if !opening.contains(&format!("**Points:** {}", lesson.points)) {
        say(format!(
            "its opening does not say **Points:** {}",
            lesson.points
        ));
    }
    let headings: Vec<&str> = (texts.iter().flat_map(|text| text.lines()))
        .filter(|line| line.starts_with("## "))
        .collect();
    let mut last = 0;
    for (number, section) in (1..).zip(&lesson.section) {
        let exercise = match section.exercise_minutes {
            0 => "-".to_owned(),
            minutes => format!("{minutes} min"),
        };
        let title = &section.title;
        let row = format!(
            "| {number} {title} | {} min | {exercise} |",
            section.minutes
        );
        if !opening.contains(&row) {
            say(format!("its agenda has no line `{row}`"));
        }
        let heading = format!("## {number} {title}");
        match headings.iter().position(|found| *found == heading) {
            None => say(format!("no heading `{heading}`")),
            Some(place) if place < last => say(format!("`{heading}` is not in its order")),
            Some(place) => last = place,
        }
    }
}

fn exercises(lesson: &Lesson, notebook: &Notebook, say: &mut impl FnMut(String)) {
    let code = notebook
        .cells()
        .iter()
        .filter(|cell| cell["cell_type"] == "code");
    let code: String = code.map(|cell| text(&cell["source"]) + "\n").collect();
    for exercise in &lesson.exercise {
        let check = format!(
            "check_{}(",
            exercise.id.to_lowercase().replace([' ', '.'], "_")
        );
        if !code.contains(&check) {
            say(format!(
                "exercise {} is not checked: no {check}..)",
                exercise.id
            ));
        }
    }
}

/// Returns what is wrong with the numbers of a lesson.
pub fn sums(lesson: &Lesson) -> Vec<String> {
    let mut wrong = Vec::new();
    let points: u32 = lesson.exercise.iter().map(|exercise| exercise.points).sum();
    if points != lesson.points {
        wrong.push(format!(
            "lessons.toml: {} has {} points, its exercises {points}",
            lesson.id, lesson.points
        ));
    }
    let minutes: u32 = lesson
        .exercise
        .iter()
        .map(|exercise| exercise.minutes)
        .sum();
    let planned: u32 = lesson
        .section
        .iter()
        .map(|section| section.exercise_minutes)
        .sum();
    // Sections have tasks too that nobody grades.
    if minutes > planned {
        wrong.push(format!(
            "lessons.toml: {} plans {planned} minutes for exercises that take {minutes}",
            lesson.id
        ));
    }
    wrong
}

fn texts(notebook: &Notebook) -> impl Iterator<Item = String> {
    let cells = notebook.cells().iter();
    cells
        .filter(|cell: &&Value| cell["cell_type"] == "markdown")
        .map(|cell| text(&cell["source"]))
}

fn notebooks(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".ipynb")).collect();
    names.sort();
    names
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match path
        .parent()
        .is_some_and(|folder| folder.ends_with("solutions"))
    {
        true => format!("solutions/{name}"),
        false => name.into_owned(),
    }
}
