//! What a learner has done so far, in a file on this machine: one line a check that a cell showed.
//!
//! Nothing leaves the machine by itself. `progress()?` shows it, `progress()?.export("ada.jsonl")?`
//! makes a file to hand in, and `headwater course progress FOLDER` merges many of those.
//!
//! - `entry`: one line; `file`: where it is, and how a line is added

mod entry;
mod file;

use std::io;
use std::path::{Path, PathBuf};

use headwater_streams::frame;
use polars::prelude::*;

use crate::card::Card;
use crate::exercise::{self, Exercise};
use crate::learner::Learner;
use crate::outcome::Outcome;

pub use entry::Entry;
pub use file::ENV;

/// What the current learner has done so far.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnerProgress {
    learner: String,
    path: Option<PathBuf>,
    entries: Vec<Entry>,
    unreadable: usize,
}

/// Where a learner is with one exercise.
struct Standing {
    exercise: &'static Exercise,
    /// The best attempt.
    best: Option<Entry>,
    tries: usize,
    hints: usize,
}

/// Returns what the current learner has done so far.
///
/// It is kept in `headwater/progress.jsonl` among this person's data, or in the file that
/// `HEADWATER_PROGRESS` names.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn progress() -> io::Result<LearnerProgress> {
    let learner = Learner::current();
    match file::path() {
        Some(path) => LearnerProgress::read(&path, learner.code()),
        None => Ok(LearnerProgress {
            learner: learner.code().to_owned(),
            path: None,
            entries: Vec::new(),
            unreadable: 0,
        }),
    }
}

/// Writes down what a cell shows; elsewhere, as in a test, there is nobody whose progress it is.
pub(crate) fn note(outcome: &Outcome) -> io::Result<()> {
    if std::env::var_os(frame::ENV).is_none() {
        return Ok(());
    }
    let entry = Entry::of(outcome, &Learner::current());
    match (file::path(), entry) {
        (Some(path), Some(entry)) => {
            file::append(&path, &entry).map_err(|error| about(&path, &error))
        }
        _ => Ok(()),
    }
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    let what = format!(
        "the file of your progress: {error}\n  have: {}\n  try:  export {ENV}=/another/file before \
         the session starts",
        path.display()
    );
    io::Error::new(error.kind(), what)
}

impl LearnerProgress {
    /// Reads a file of progress for one learner.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(path: &Path, learner: &str) -> io::Result<LearnerProgress> {
        let (mut entries, unreadable) = file::read(path).map_err(|error| about(path, &error))?;
        entries.retain(|entry| entry.learner == learner);
        Ok(LearnerProgress {
            learner: learner.to_owned(),
            path: Some(path.to_owned()),
            entries,
            unreadable,
        })
    }

    /// Returns the points so far: the best attempt at each exercise counts.
    pub fn points(&self) -> f64 {
        let best = self.standings().into_iter().filter_map(|it| it.best);
        best.map(|entry| entry.points).sum()
    }

    /// Returns one row an exercise, in the order of the course.
    ///
    /// Columns: `exercise` (str), `title` (str), `outcome` (str, null before the first attempt),
    /// `points` and `of` (f64), `tries` and `hints` (u32).
    ///
    /// # Errors
    /// None that is known of; Polars asks for it.
    pub fn frame(&self) -> PolarsResult<DataFrame> {
        let all = self.standings();
        let best = |it: &Standing| it.best.as_ref().map(|entry| entry.outcome.clone());
        let points = |it: &Standing| it.best.as_ref().map_or(0.0, |entry| entry.points);
        let counted = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        df!(
            "exercise" => all.iter().map(|it| it.exercise.id).collect::<Vec<_>>(),
            "title" => all.iter().map(|it| it.exercise.title).collect::<Vec<_>>(),
            "outcome" => all.iter().map(best).collect::<Vec<_>>(),
            "points" => all.iter().map(points).collect::<Vec<_>>(),
            "of" => all.iter().map(|it| f64::from(it.exercise.points)).collect::<Vec<_>>(),
            "tries" => all.iter().map(|it| counted(it.tries)).collect::<Vec<_>>(),
            "hints" => all.iter().map(|it| counted(it.hints)).collect::<Vec<_>>(),
        )
    }

    /// Writes this learner's lines into a file to hand in, and returns how many they are.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn export(&self, path: impl AsRef<Path>) -> io::Result<usize> {
        let lines = self.entries.iter().map(serde_json::to_string);
        let lines: Vec<String> = lines.collect::<Result<_, _>>().map_err(io::Error::other)?;
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        std::fs::write(path.as_ref(), text).map_err(|error| {
            let what = format!("{} cannot be written: {error}", path.as_ref().display());
            io::Error::new(error.kind(), what)
        })?;
        Ok(lines.len())
    }

    /// Returns it as text: a line an exercise, the points last.
    pub fn text(&self) -> String {
        let mut lines = vec![self.title()];
        let rows = self.standings();
        lines.extend(
            rows.iter()
                .map(|it| format!("  {}: {}", it.name(), it.says())),
        );
        lines.extend(self.notes());
        lines.push(self.sum());
        lines.join("\n")
    }

    /// Shows it as the value of a cell.
    pub fn evcxr_display(&self) {
        let rows = self.standings();
        let said: Vec<[String; 2]> = rows.iter().map(|it| [it.name(), it.says()]).collect();
        let facts: Vec<(&str, &str)> = (said.iter())
            .map(|[name, says]| (name.as_str(), says.as_str()))
            .collect();
        let mut card = Card::new(&self.title()).line(&self.sum()).facts(&facts);
        for note in self.notes() {
            card = card.line(&note);
        }
        card.show(&self.text());
    }

    fn title(&self) -> String {
        format!("Progress of learner `{}`", self.learner)
    }

    fn sum(&self) -> String {
        let all = self.standings();
        let of: u32 = all.iter().map(|it| it.exercise.points).sum();
        let best = all.iter().filter_map(|it| it.best.as_ref());
        let correct = best.filter(|entry| entry.outcome == "correct").count();
        format!(
            "{correct} of {} exercises correct; points: {} of {of}",
            all.len(),
            self.points()
        )
    }

    fn notes(&self) -> Vec<String> {
        let place = match &self.path {
            Some(path) => format!("Kept on this machine only, in `{}`.", path.display()),
            None => format!("Nothing is kept: {ENV} is empty."),
        };
        let lost = (self.unreadable > 0).then(|| {
            format!(
                "{} lines of that file cannot be read and do not count.",
                self.unreadable
            )
        });
        std::iter::once(place).chain(lost).collect()
    }

    fn standings(&self) -> Vec<Standing> {
        let standing = |exercise: &'static Exercise| {
            let mine = (self.entries.iter()).filter(|entry| entry.exercise == exercise.id);
            Standing {
                exercise,
                best: mine.clone().max_by(|one, other| one.order(other)).cloned(),
                tries: mine.clone().count(),
                hints: mine.map(|entry| entry.hints).max().unwrap_or_default(),
            }
        };
        exercise::ALL.into_iter().map(standing).collect()
    }
}

impl Standing {
    fn name(&self) -> String {
        format!("{} {}", self.exercise.id, self.exercise.title)
    }

    fn says(&self) -> String {
        let Some(best) = &self.best else {
            return "○ not attempted".into();
        };
        let mark = match best.outcome.as_str() {
            "correct" => "✓",
            "almost" => "◐",
            _ => "✗",
        };
        let counted = |count: usize, one: &str, more: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {more}"),
        };
        format!(
            "{mark} {}, {} of {} points, {}, {}",
            best.outcome,
            best.points,
            self.exercise.points,
            counted(self.tries, "try", "tries"),
            counted(self.hints, "hint", "hints")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(outcome: &str, points: f64) -> Entry {
        Entry {
            at_us: 1,
            learner: "ada".into(),
            exercise: "5.1 E3".into(),
            outcome: outcome.into(),
            points,
            hints: 1,
            perhaps: Some("the size".into()),
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("progress-{}-{name}", std::process::id()));
        folder.join("deep/progress.jsonl")
    }

    #[test]
    fn the_best_attempt_counts_and_all_are_kept() {
        let path = scratch("best");
        for (outcome, points) in [("not yet", 0.0), ("correct", 15.0), ("almost", 0.0)] {
            file::append(&path, &entry(outcome, points)).unwrap();
        }
        let other = Entry {
            learner: "bob".into(),
            ..entry("correct", 15.0)
        };
        file::append(&path, &other).unwrap();
        let ada = LearnerProgress::read(&path, "ada").unwrap();
        assert_eq!(ada.points(), 15.0);
        let text = ada.text();
        assert!(
            text.contains("✓ correct, 15 of 15 points, 3 tries, 1 hint"),
            "{text}"
        );
        assert!(text.contains("\n1 of "), "{text}");
        let out = path.with_file_name("out.jsonl");
        assert_eq!(ada.export(&out).unwrap(), 3);
        let again = LearnerProgress::read(&out, "ada").unwrap();
        assert_eq!(again.entries, ada.entries);
        assert_eq!(LearnerProgress::read(&out, "bob").unwrap().points(), 0.0);
        assert_eq!(ada.frame().unwrap().height(), exercise::ALL.len());
        std::fs::remove_dir_all(path.ancestors().nth(2).unwrap()).unwrap();
    }

    #[test]
    fn a_line_cut_short_is_counted_and_harms_no_other() {
        let path = scratch("cut");
        file::append(&path, &entry("almost", 0.0)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.clone() + &text[..20]).unwrap();
        file::append(&path, &entry("correct", 15.0)).unwrap();
        let read = LearnerProgress::read(&path, "ada").unwrap();
        assert_eq!((read.entries.len(), read.unreadable), (2, 1));
        assert!(read.text().contains("1 lines of that file cannot be read"));
        std::fs::remove_dir_all(path.ancestors().nth(2).unwrap()).unwrap();
    }

    #[test]
    fn no_file_is_no_progress_and_a_folder_in_its_place_is_an_error() {
        let path = scratch("none");
        assert_eq!(LearnerProgress::read(&path, "ada").unwrap().points(), 0.0);
        std::fs::create_dir_all(&path).unwrap();
        let error = LearnerProgress::read(&path, "ada").unwrap_err().to_string();
        assert!(
            error.contains("try:  export HEADWATER_PROGRESS="),
            "{error}"
        );
        std::fs::remove_dir_all(path.ancestors().nth(2).unwrap()).unwrap();
    }
}
