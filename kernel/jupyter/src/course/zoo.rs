//! The wrong solutions, tried in a kernel as a learner would hand them in.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::catalogue::Lesson;
use crate::evaluate::Error;
use crate::run::notebook::{Notebook, text};
use crate::run::report::Report;
use crate::run::session::{Ending, Run, Session};

/// How long all of them may take.
const LIMIT: Duration = Duration::from_secs(600);

/// A wrong solution that was handed in.
pub struct Tried {
    pub exercise: String,
    /// The misconception behind it.
    pub name: String,
    /// What is wrong with the check, if it was not caught with the right hint.
    pub escaped: Option<String>,
}

/// Every exercise has at least so many.
const LEAST: usize = 4;

/// Says which exercises of a lesson were handed in too few wrong solutions: a check that nothing was tried
/// on proves nothing.
pub fn too_few(lesson: &Lesson, tried: &[Tried]) -> Vec<String> {
    let count = |id: &str| tried.iter().filter(|one| one.exercise == id).count();
    let exercises = lesson.exercise.iter().map(|exercise| exercise.id.as_str());
    let few = exercises.filter(|id| count(id) < LEAST);
    few.map(|id| {
        format!(
            "{id}: {} wrong solutions were tried, at least {LEAST}",
            count(id)
        )
    })
    .collect()
}

/// The cell: the checks are in the library that cells link, not in this binary.
const CELL: &str = r#"for specimen in headwater::course::zoo::all() {
    let caught = specimen.is_caught(&headwater::course::learner::Learner::of("guest"));
    let escaped = caught.err().map(|why| why.replace('\n', " "));
    println!("{}\t{}\t{}", specimen.exercise, specimen.name, escaped.unwrap_or_default());
}"#;

/// Hands in the wrong solutions of these lessons.
///
/// # Errors
/// When no kernel starts, or the cell does not come to its end.
pub async fn run(folder: &Path, prelude: &Path, lessons: &[&str]) -> Result<Vec<Tried>, Error> {
    let cell = json!({
        "cell_type": "code", "id": "wrong", "metadata": {}, "outputs": [], "execution_count": null,
        "source": CELL,
    });
    let notebook = Notebook::of(json!({
        "cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    }));
    // It runs where the lessons do; no such file is written.
    let path = folder.join("wrong-solutions");
    let report = Report::of(&path, 1);
    let session = Session::start(&path, notebook, prelude, LIMIT).await?;
    let Run {
        notebook, ending, ..
    } = session.run(&report).await;
    if let Ending::Failed { failure, .. } = ending {
        let attempt = "cargo test --test course, which tries them too";
        return Err(Error::new(
            "the wrong solutions could not be tried",
            failure.message,
            attempt,
        ));
    }
    let outputs = notebook.cells()[0]["outputs"]
        .as_array()
        .into_iter()
        .flatten();
    let said: String = outputs.map(|output| text(&output["text"])).collect();
    let tried = said.lines().filter_map(|line| {
        let mut parts = line.splitn(3, '\t');
        let (exercise, name) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let escaped = parts.next().filter(|why| !why.is_empty());
        Some(Tried {
            escaped: escaped.map(|why| format!("a wrong solution is not caught: {why}")),
            exercise,
            name,
        })
    });
    let of_lesson = |one: &Tried| {
        let lesson = one.exercise.split(' ').next().unwrap_or_default();
        lessons.contains(&lesson)
    };
    Ok(tried.filter(of_lesson).collect())
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Exercise;
    use super::*;

    fn tried(exercise: &str) -> Tried {
        Tried {
            exercise: exercise.into(),
            name: String::new(),
            escaped: None,
        }
    }

    #[test]
    fn an_exercise_without_wrong_solutions_is_not_checked() {
        let exercise = |id: &str| Exercise {
            id: id.into(),
            title: String::new(),
            points: 1,
            minutes: 1,
        };
        let lesson = Lesson {
            id: "5.1".into(),
            title: String::new(),
            file: String::new(),
            solution: String::new(),
            needs: String::new(),
            points: 2,
            to_come: None,
            section: Vec::new(),
            exercise: vec![exercise("5.1 E1"), exercise("5.1 E2")],
        };
        let found: Vec<Tried> = (0..5).map(|_| tried("5.1 E1")).collect();
        let few = too_few(&lesson, &found);
        assert_eq!(few, ["5.1 E2: 0 wrong solutions were tried, at least 4"]);
    }
}
