//! `lessons.toml`: what there is, in which order, for how many minutes and points.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::evaluate::Error;
use crate::run::notebook::Notebook;
use crate::setup::Course;

/// The course as its index has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub module: Module,
    /// Lessons that are still to be written.
    #[serde(default)]
    pub planned: Vec<Planned>,
    #[serde(default)]
    pub session: Vec<ClassSession>,
    pub lesson: Vec<Lesson>,
    /// The folder of the notebooks.
    #[serde(skip)]
    pub folder: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    pub title: String,
    pub objectives: Vec<String>,
    /// Lines of Markdown.
    pub resources: Vec<String>,
    /// Notebooks in the folder that are no lessons.
    #[serde(default)]
    pub extra: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    pub id: String,
    pub title: String,
    pub bullets: Vec<String>,
}

/// A meeting of the class, or several.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassSession {
    pub week: u32,
    pub sessions: String,
    pub lesson: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    pub id: String,
    pub title: String,
    pub file: String,
    pub solution: String,
    pub needs: String,
    pub points: u32,
    /// What of the syllabus is not in yet.
    #[serde(default)]
    pub to_come: Option<String>,
    pub section: Vec<Section>,
    #[serde(default)]
    pub exercise: Vec<Exercise>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    pub title: String,
    pub minutes: u32,
    pub exercise_minutes: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    pub id: String,
    pub title: String,
    pub points: u32,
    pub minutes: u32,
}

impl Catalogue {
    /// Finds the course around the current folder and reads its index.
    ///
    /// # Errors
    /// When there is none, or it is not of this form.
    pub fn find() -> Result<Catalogue, Error> {
        Catalogue::read(&Course::find(None)?.root.join("notebooks"))
    }

    /// Reads the index of a folder of notebooks.
    ///
    /// # Errors
    /// When there is none, or it is not of this form.
    pub fn read(folder: &Path) -> Result<Catalogue, Error> {
        let path = folder.join("lessons.toml");
        let shown = path.display();
        let text = fs::read_to_string(&path).map_err(|error| {
            let what = format!("no index of the lessons at `{shown}`");
            Error::new(what, error.to_string(), "cd into a clone of the repository")
        })?;
        let catalogue: Catalogue = toml::from_str(&text).map_err(|error| {
            let what = format!("`{shown}` is not an index of lessons");
            let have = error.to_string().replace('\n', " ");
            Error::new(what, have, "one [[lesson]] as the others there")
        })?;
        Ok(Catalogue {
            folder: folder.to_owned(),
            ..catalogue
        })
    }

    /// Returns the lessons with these ids, all of them where none is named.
    ///
    /// # Errors
    /// When there is no such lesson.
    pub fn chosen(&self, ids: &[String]) -> Result<Vec<&Lesson>, Error> {
        if ids.is_empty() {
            return Ok(self.lesson.iter().collect());
        }
        let find = |id: &String| {
            let found = self.lesson.iter().find(|lesson| lesson.id == *id);
            found.ok_or_else(|| {
                let known = self.lesson.iter().map(|lesson| lesson.id.as_str());
                let known: Vec<&str> = known.collect();
                Error::new(
                    format!("no lesson `{id}`"),
                    known.join(", "),
                    format!("headwater course check {}", known[0]),
                )
            })
        };
        ids.iter().map(find).collect()
    }
}

impl Lesson {
    /// Returns the paths of the lesson and of its solutions.
    pub fn forms(&self, folder: &Path) -> [PathBuf; 2] {
        [folder.join(&self.file), folder.join(&self.solution)]
    }

    /// Returns how many minutes a class takes, exercises too.
    pub fn minutes(&self) -> u32 {
        let section = |section: &Section| section.minutes + section.exercise_minutes;
        self.section.iter().map(section).sum()
    }

    /// Returns what a learner can do after it, as the notebook's opening says.
    ///
    /// # Errors
    /// When there is no such notebook.
    pub fn goals(&self, folder: &Path) -> Result<Vec<String>, Error> {
        let notebook = Notebook::read(&folder.join(&self.file))?;
        let opening = notebook.cells().first().map(|cell| &cell["source"]);
        let opening = opening.map_or(String::new(), crate::run::notebook::text);
        let goals = opening.lines().filter_map(|line| line.strip_prefix("- "));
        Ok(goals.map(str::to_owned).collect())
    }
}
