//! `headwater course progress`: the files of many learners as one table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;

use super::catalogue::Catalogue;
use crate::evaluate::Error;
use crate::run::ended;
use crate::run::html::escape;
use crate::run::notebook;
use crate::run::report::say;

/// Merges the progress files of many learners into one table: learner by exercise
///
/// A learner makes such a file in a cell: progress()?.export("ada.jsonl")?
#[derive(Debug, clap::Args)]
pub struct ProgressArgs {
    /// The folder with the files (*.jsonl)
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The file for the table as an HTML page
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// One line of a file; `headwater_course::progress` writes them.
#[derive(Deserialize)]
struct Entry {
    learner: String,
    exercise: String,
    outcome: String,
    points: f64,
    #[serde(default)]
    perhaps: Option<String>,
}

/// What a learner reached in an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Untouched,
    NotYet,
    Almost,
    Correct,
}

/// An exercise, and what it is worth.
struct Column {
    id: String,
    title: String,
    points: u32,
}

#[derive(Default)]
struct Learner {
    marks: BTreeMap<String, Mark>,
    points: BTreeMap<String, f64>,
    tries: usize,
}

struct Class {
    columns: Vec<Column>,
    learners: BTreeMap<String, Learner>,
    /// How often a check named a misconception, by exercise.
    beliefs: BTreeMap<String, BTreeMap<String, usize>>,
    files: usize,
    unreadable: usize,
}

/// Runs the command.
pub fn progress(args: &ProgressArgs) -> ExitCode {
    ended(show(args))
}

fn show(args: &ProgressArgs) -> Result<ExitCode, Error> {
    let class = Class::read(&args.folder, &Catalogue::find()?)?;
    say(&class.text());
    if let Some(path) = &args.out {
        notebook::write(path, class.html().as_bytes())?;
        say(&format!("wrote {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

impl Class {
    fn read(folder: &Path, catalogue: &Catalogue) -> Result<Class, Error> {
        let exercises = catalogue.lesson.iter().flat_map(|lesson| &lesson.exercise);
        let columns = exercises.map(|exercise| Column {
            id: exercise.id.clone(),
            title: exercise.title.clone(),
            points: exercise.points,
        });
        let mut class = Class {
            columns: columns.collect(),
            learners: BTreeMap::new(),
            beliefs: BTreeMap::new(),
            files: 0,
            unreadable: 0,
        };
        // The same attempt may have been handed in twice; it counts once.
        let mut seen = BTreeSet::new();
        for path in files(folder)? {
            class.files += 1;
            let bytes = fs::read(&path).map_err(|error| unread(&path, &error))?;
            for line in String::from_utf8_lossy(&bytes).lines() {
                match serde_json::from_str::<Entry>(line) {
                    Ok(entry) if seen.insert(line.to_owned()) => class.take(entry),
                    Ok(_) => {}
                    Err(_) if line.trim().is_empty() => {}
                    Err(_) => class.unreadable += 1,
                }
            }
        }
        match class.learners.is_empty() {
            false => Ok(class),
            true => Err(Error::new(
                format!("nobody's progress in `{}`", folder.display()),
                format!(
                    "{} files, {} unreadable lines",
                    class.files, class.unreadable
                ),
                "let learners hand in what this cell writes: progress()?.export(\"ada.jsonl\")?",
            )),
        }
    }

    fn take(&mut self, entry: Entry) {
        let mark = match entry.outcome.as_str() {
            "correct" => Mark::Correct,
            "almost" => Mark::Almost,
            "not yet" => Mark::NotYet,
            _ => return self.unreadable += 1,
        };
        if !self
            .columns
            .iter()
            .any(|column| column.id == entry.exercise)
        {
            // From another edition of the course: it is said, and not left out.
            self.columns.push(Column {
                id: entry.exercise.clone(),
                title: "not in this edition".into(),
                points: 0,
            });
        }
        let learner = self.learners.entry(entry.learner).or_default();
        learner.tries += 1;
        let best = learner.marks.entry(entry.exercise.clone()).or_insert(mark);
        *best = mark.max(*best);
        let points = learner.points.entry(entry.exercise.clone()).or_default();
        *points = points.max(entry.points);
        if let Some(belief) = entry.perhaps {
            let beliefs = self.beliefs.entry(entry.exercise).or_default();
            *beliefs.entry(belief).or_default() += 1;
        }
    }

    /// Returns how many learners have it right.
    fn right(&self, column: &Column) -> usize {
        let marks = self.learners.values().map(|learner| learner.mark(column));
        marks.filter(|mark| *mark == Mark::Correct).count()
    }

    fn most(&self) -> u32 {
        self.columns.iter().map(|column| column.points).sum()
    }

    /// Returns it as text: learners downwards, exercises across.
    fn text(&self) -> String {
        let width = self.learners.keys().map(|name| name.chars().count());
        let width = width.max().unwrap_or_default().max("learner".len());
        let mut text = String::new();
        let mut line = |line: String| {
            text.push_str(line.trim_end());
            text.push('\n');
        };
        let ids: Vec<String> = self
            .columns
            .iter()
            .map(|it| it.id.replace(' ', ""))
            .collect();
        line(format!(
            "{:width$}  {}  points of {}",
            "learner",
            ids.join(" "),
            self.most()
        ));
        for (name, learner) in &self.learners {
            let cells = self.columns.iter().zip(&ids).map(|(column, id)| {
                format!("{:<1$}", learner.mark(column).sign(), id.chars().count())
            });
            let cells: Vec<String> = cells.collect();
            line(format!(
                "{name:width$}  {}  {}",
                cells.join(" "),
                learner.sum()
            ));
        }
        let right = self.columns.iter().zip(&ids);
        let right =
            right.map(|(column, id)| format!("{:<1$}", self.right(column), id.chars().count()));
        line(format!(
            "{:width$}  {}",
            "correct",
            right.collect::<Vec<_>>().join(" ")
        ));
        line("✓ correct, ◐ almost, ✗ not yet, · not attempted".into());
        for (exercise, belief, count) in self.common_beliefs() {
            line(format!("{exercise}: {count} times: {belief}"));
        }
        line(format!(
            "{} learners, {} files, {} lines that cannot be read",
            self.learners.len(),
            self.files,
            self.unreadable
        ));
        text.trim_end().to_owned()
    }

    /// Returns the most frequent misconception of each exercise.
    fn common_beliefs(&self) -> Vec<(&str, &str, usize)> {
        let beliefs = self.beliefs.iter();
        let most = beliefs.filter_map(|(exercise, beliefs)| {
            let (belief, count) = beliefs.iter().max_by_key(|(_, count)| **count)?;
            Some((exercise.as_str(), belief.as_str(), *count))
        });
        most.collect()
    }

    /// Returns it as a page: the same table as a heat map, each cell with its sign and its words.
    fn html(&self) -> String {
        let mut html = String::from(PAGE);
        html.push_str("<table><caption>Progress: learner by exercise</caption><thead><tr><th scope=\"col\">learner</th>");
        for column in &self.columns {
            let (id, title) = (escape(&column.id), escape(&column.title));
            let _ = write!(html, "<th scope=\"col\" title=\"{title}\">{id}</th>");
        }
        let _ = write!(
            html,
            "<th scope=\"col\">points of {}</th><th scope=\"col\">tries</th></tr></thead><tbody>",
            self.most()
        );
        for (name, learner) in &self.learners {
            let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(name));
            for column in &self.columns {
                let mark = learner.mark(column);
                let (class, sign, word) = (mark.class(), mark.sign(), mark.word());
                let _ = write!(html, "<td class=\"{class}\" title=\"{word}\">{sign}</td>");
            }
            let _ = write!(
                html,
                "<td>{}</td><td>{}</td></tr>",
                learner.sum(),
                learner.tries
            );
        }
        html.push_str("</tbody><tfoot><tr><th scope=\"row\">correct</th>");
        for column in &self.columns {
            let _ = write!(
                html,
                "<td>{} of {}</td>",
                self.right(column),
                self.learners.len()
            );
        }
        html.push_str(
            "</tr></tfoot></table><p>✓ correct, ◐ almost, ✗ not yet, · not attempted</p>",
        );
        html.push_str("<h2>What checks named most often</h2><ul>");
        for (exercise, belief, count) in self.common_beliefs() {
            let (exercise, belief) = (escape(exercise), escape(belief));
            let _ = write!(html, "<li>{exercise}, {count} times: {belief}</li>");
        }
        let _ = write!(
            html,
            "</ul><p>{} lines could not be read.</p>",
            self.unreadable
        );
        html + "</body></html>\n"
    }
}

const PAGE: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>Progress</title><style>body{font:16px sans-serif;margin:2em;color:#222}\
    table{border-collapse:collapse}caption{font-weight:bold;text-align:left;padding:6px 0}\
    th,td{border:1px solid #bbb;padding:4px 8px;text-align:center}th[scope=row]{text-align:left}\
    .correct{background:#b7e4cd}.almost{background:#f7dfa8}.not-yet{background:#f6c3ae}\
    </style></head><body>";

impl Learner {
    fn mark(&self, column: &Column) -> Mark {
        self.marks
            .get(&column.id)
            .copied()
            .unwrap_or(Mark::Untouched)
    }

    fn sum(&self) -> f64 {
        self.points.values().sum()
    }
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Mark::Correct => "✓",
            Mark::Almost => "◐",
            Mark::NotYet => "✗",
            Mark::Untouched => "·",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Mark::Correct => "correct",
            Mark::Almost => "almost",
            Mark::NotYet => "not yet",
            Mark::Untouched => "not attempted",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Mark::NotYet => "not-yet",
            Mark::Untouched => "untouched",
            other => other.word(),
        }
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(|error| unread(folder, &error))?;
    let mut paths: Vec<PathBuf> = (entries.flatten())
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    paths.sort();
    Ok(paths)
}

fn unread(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        format!("`{}` cannot be read", path.display()),
        error.to_string(),
        "headwater course progress a/folder/of/jsonl-files",
    )
}
