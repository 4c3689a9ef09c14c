//! The Python that makes the environment with JupyterLab.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::SetupError;
use super::packages::{Need, install_line, on_path};

/// The oldest Python that the pinned JupyterLab runs on.
pub const OLDEST: (u32, u32) = (3, 10);

/// A Python 3 on PATH.
#[derive(Debug, Clone)]
pub struct Python {
    pub path: PathBuf,
    pub version: (u32, u32),
    /// Whether it has `venv` and `ensurepip`; Debian keeps them in a package of their own.
    pub makes_environments: bool,
    /// The prefix of the environment that it belongs to.
    pub prefix: PathBuf,
}

const QUESTION: &str = "\
import sys, importlib.util
print(sys.version_info[0], sys.version_info[1])
print(all(importlib.util.find_spec(name) for name in ('venv', 'ensurepip')))
print(sys.prefix)";

impl Python {
    /// Returns the first of `python3` and `python` that answers and is new enough.
    ///
    /// # Errors
    /// When there is none, with the line that installs it.
    pub fn find() -> Result<Python, SetupError> {
        let mut seen = Vec::new();
        for path in ["python3", "python"].into_iter().filter_map(on_path) {
            match Python::ask(&path) {
                Some(python) if python.version >= OLDEST => return Ok(python),
                Some(python) => {
                    let (major, minor) = python.version;
                    seen.push(format!("{} is {major}.{minor}", path.display()));
                }
                None => seen.push(format!("{} does not answer", path.display())),
            }
        }
        if seen.is_empty() {
            seen.push("neither python3 nor python is on PATH".to_owned());
        }
        let (major, minor) = OLDEST;
        Err(SetupError::new(
            format!("Python {major}.{minor} or newer is missing"),
            seen.join("; "),
            install_line(Need::Python),
        ))
    }

    fn ask(path: &Path) -> Option<Python> {
        let output = Command::new(path).args(["-c", QUESTION]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let mut lines = text.lines();
        let (major, minor) = lines.next()?.split_once(' ')?;
        Some(Python {
            path: path.to_owned(),
            version: (major.parse().ok()?, minor.parse().ok()?),
            makes_environments: lines.next()? == "True",
            prefix: lines.next()?.into(),
        })
    }
}
