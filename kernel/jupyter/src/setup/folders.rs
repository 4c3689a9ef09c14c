//! Where Headwater and Jupyter keep files.

use std::env;
use std::path::{Path, PathBuf};

use super::SetupError;
use super::kernelspec::PRELUDE_ENV;
use crate::evaluate::Manifest;

/// The folder of this person's Headwater files: `$XDG_DATA_HOME/headwater`, by default
/// `~/.local/share/headwater`.
#[derive(Debug, Clone)]
pub struct Folders {
    root: PathBuf,
}

impl Folders {
    /// Finds the person's folder. It need not exist yet.
    ///
    /// # Errors
    /// When neither `XDG_DATA_HOME` nor a home folder is known.
    pub fn of_person() -> Result<Folders, SetupError> {
        Ok(Folders {
            root: data_home()?.join("headwater"),
        })
    }

    /// The folder below an installation prefix such as a virtual environment.
    pub fn below_prefix(prefix: &Path) -> Folders {
        Folders {
            root: prefix.join("share").join("headwater"),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The installed binary.
    pub fn binary(&self) -> PathBuf {
        self.root.join("bin").join("headwater")
    }

    /// The installed prelude.
    pub fn prelude(&self) -> PathBuf {
        self.root.join("prelude")
    }

    /// The environment with JupyterLab, where none was found on PATH.
    pub fn venv(&self) -> PathBuf {
        self.root.join("venv")
    }

    /// The cells that the person has run, for all kernels.
    pub fn history(&self) -> PathBuf {
        self.root.join("history.sqlite")
    }

    /// Settings, workspaces and log of the JupyterLab that `lab` starts.
    pub fn lab(&self) -> PathBuf {
        self.root.join("lab")
    }
}

/// The folder below which Jupyter looks for `kernels/`, for one person.
///
/// # Errors
/// When no home folder is known.
pub fn jupyter_data_of_person() -> Result<PathBuf, SetupError> {
    if let Some(folder) = absolute("JUPYTER_DATA_DIR") {
        return Ok(folder);
    }
    if cfg!(target_os = "macos") {
        return Ok(home()?.join("Library").join("Jupyter"));
    }
    Ok(data_home()?.join("jupyter"))
}

/// The folder below which Jupyter looks for `kernels/`, in an installation prefix.
pub fn jupyter_data_of_prefix(prefix: &Path) -> PathBuf {
    prefix.join("share").join("jupyter")
}

/// The prelude that a kernel uses: the one that `HEADWATER_PRELUDE` names, else the one of the
/// environment that a wheel put this binary into, else this person's, else the newest that was
/// built in the clone.
pub fn ready_prelude() -> Option<PathBuf> {
    let named = env::var_os(PRELUDE_ENV).map(PathBuf::from);
    let environment = environment_of_this_binary().map(|it| Folders::below_prefix(&it).prelude());
    let installed = Folders::of_person().ok().map(|folders| folders.prelude());
    let mut places = named
        .into_iter()
        .chain(environment)
        .chain(installed)
        .chain(built_beside_this_binary());
    places.find(|folder| Manifest::read(folder).is_ok())
}

/// The environment whose `bin` folder holds this binary, as after `pip install` of a wheel.
pub fn environment_of_this_binary() -> Option<PathBuf> {
    let binary = env::current_exe().ok()?;
    let folder = binary.parent().filter(|folder| folder.ends_with("bin"))?;
    let prefix = folder.parent()?;
    // Our own `share/headwater/bin` has a parent as well, but no kernels of Jupyter's below it.
    super::kernelspec::folder(&jupyter_data_of_prefix(prefix))
        .exists()
        .then(|| prefix.to_owned())
}

/// Preludes that `cargo lab` built: they are in the target folder, as this binary is.
fn built_beside_this_binary() -> Vec<PathBuf> {
    let binary = env::current_exe().unwrap_or_default();
    let entries = std::fs::read_dir(binary.with_file_name("headwater-prelude"));
    let mut folders: Vec<_> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    folders.sort_by_key(|folder| folder.metadata().and_then(|meta| meta.modified()).ok());
    folders.reverse();
    folders
}

fn data_home() -> Result<PathBuf, SetupError> {
    match absolute("XDG_DATA_HOME") {
        Some(folder) => Ok(folder),
        None => Ok(home()?.join(".local").join("share")),
    }
}

fn home() -> Result<PathBuf, SetupError> {
    let home = env::home_dir().filter(|path| path.is_absolute());
    home.ok_or_else(|| {
        SetupError::new(
            "no home folder",
            "HOME is not set",
            "export HOME=/home/you, or XDG_DATA_HOME=/a/folder",
        )
    })
}

/// A variable that holds an absolute path; a relative one is ignored, as the XDG base directory
/// specification asks.
fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
