//! Where the notebooks and the data sets are.

use std::fs;
use std::path::{Path, PathBuf};

use super::{SetupError, file_error, prelude};

/// What the name of the first lesson's notebook starts with.
const FIRST_LESSON: &str = "05-1-";

/// The variable that tells a cell where the data sets are.
pub const DATASETS_ENV: &str = "HEADWATER_DATASETS";

/// The folder with `notebooks/` and `datasets/`, and the notebook to open first.
#[derive(Debug, Clone)]
pub struct Course {
    pub root: PathBuf,
    /// Absolute; below `root`.
    pub notebook: PathBuf,
}

impl Course {
    /// Finds the course: around `notebook` if it is named, else in the current folder or one above
    /// it, else in the clone that this binary was built from.
    ///
    /// # Errors
    /// When there is no such notebook, or no course anywhere.
    pub fn find(notebook: Option<&Path>) -> Result<Course, SetupError> {
        match notebook {
            Some(path) => Course::around(path),
            None => Course::of_lessons(),
        }
    }

    /// The data sets' folder, if the course has one.
    pub fn datasets(&self) -> Option<PathBuf> {
        Some(self.root.join("datasets")).filter(|folder| folder.is_dir())
    }

    /// The notebook's path below the root, as it stands in an address.
    pub fn notebook_in_address(&self) -> String {
        let relative = self
            .notebook
            .strip_prefix(&self.root)
            .unwrap_or(&self.notebook);
        relative
            .components()
            .map(|part| percent_encoded(&part.as_os_str().to_string_lossy()))
            .collect::<Vec<_>>()
            .join("/")
    }

    fn around(path: &Path) -> Result<Course, SetupError> {
        let notebook =
            fs::canonicalize(path).map_err(|error| file_error("no such notebook", path, &error))?;
        let course = notebook
            .ancestors()
            .skip(1)
            .find(|folder| first_lesson(folder).is_some());
        let folder = notebook.parent().unwrap_or(Path::new("/"));
        Ok(Course {
            root: course.unwrap_or(folder).to_owned(),
            notebook,
        })
    }

    fn of_lessons() -> Result<Course, SetupError> {
        let here = std::env::current_dir().unwrap_or_default();
        let built_from = prelude::workspace();
        let candidates = here.ancestors().chain(built_from.as_deref());
        for folder in candidates {
            if let Some(notebook) = first_lesson(folder) {
                return Ok(Course {
                    root: folder.to_owned(),
                    notebook,
                });
            }
        }
        Err(SetupError::new(
            "no lesson to open",
            format!(
                "no notebooks/{FIRST_LESSON}*.ipynb in {} or above",
                here.display()
            ),
            "cd into a clone of the repository, or headwater lab NOTEBOOK",
        ))
    }
}

fn first_lesson(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder.join("notebooks")).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.starts_with(FIRST_LESSON) && name.ends_with(".ipynb")
    })
}

fn percent_encoded(part: &str) -> String {
    part.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
