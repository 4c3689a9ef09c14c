//! Whom an installation is for: this person, or one environment.

use std::path::{Path, PathBuf};

use clap::Args;

use super::folders::{Folders, jupyter_data_of_person, jupyter_data_of_prefix};
use super::python::Python;
use super::{SetupError, file_error};

/// The options of `install` and `uninstall` that name the place.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// For this person, whatever environment is active; this is the default.
    #[arg(long, conflicts_with_all = ["sys_prefix", "prefix"])]
    pub user: bool,
    /// For the environment of the `python3` on PATH, such as an activated venv or conda's.
    #[arg(long, conflicts_with = "prefix")]
    pub sys_prefix: bool,
    /// For the environment in this folder.
    #[arg(long, value_name = "DIR")]
    pub prefix: Option<PathBuf>,
}

impl Place {
    /// Returns our own folder there, and the one below which Jupyter looks for `kernels/`.
    ///
    /// # Errors
    /// When there is no home folder or no Python to ask, with what to type.
    pub fn folders(&self) -> Result<(Folders, PathBuf), SetupError> {
        let prefix = match (&self.prefix, self.sys_prefix) {
            (Some(folder), _) => Some(absolute(folder)?),
            (None, true) => Some(Python::find()?.prefix),
            (None, false) => None,
        };
        Ok(match prefix {
            Some(prefix) => (
                Folders::below_prefix(&prefix),
                jupyter_data_of_prefix(&prefix),
            ),
            None => (Folders::of_person()?, jupyter_data_of_person()?),
        })
    }
}

/// The kernelspec holds absolute paths, whatever was typed.
fn absolute(folder: &Path) -> Result<PathBuf, SetupError> {
    std::path::absolute(folder)
        .map_err(|error| file_error("the prefix is not a folder", folder, &error))
}
