//! Everything between a clone and a running notebook: `install`, `uninstall`, `lab` and `doctor`.
//!
//! - [`checks`]: what this machine has: compiler, linker, disk, Python, prelude
//! - [`copies`]: copies of the binary and the prelude at a place that outlives the clone
//! - [`course`]: where the notebooks and the data sets are
//! - [`doctor`]: prints the checks
//! - [`folders`]: where Headwater and Jupyter keep files
//! - [`install`]: the kernelspec, with the binary and the prelude beside it
//! - [`jupyter`]: the JupyterLab on PATH, or one in an environment of our own
//! - [`kernelspec`]: the file that tells Jupyter how to start the kernel
//! - [`lab`]: all of it, and then JupyterLab with the first lesson
//! - [`packages`]: the line to type for what is missing
//! - [`place`]: whom an installation is for
//! - [`prelude`]: builds the library that cells link
//! - [`progress`]: one line a step
//! - [`python`]: the Python that makes the environment
//! - [`server`]: the JupyterLab process
//! - [`uninstall`]: takes away what `install` wrote
//! - [`warm`]: the first cell, run ahead

mod artifacts;
mod checks;
mod copies;
mod course;
mod doctor;
mod folders;
mod install;
mod jupyter;
mod kernelspec;
mod lab;
mod packages;
mod place;
pub mod prelude;
mod progress;
mod python;
mod server;
mod uninstall;
mod warm;

pub use course::{Course, DATASETS_ENV};
pub use doctor::{DoctorArgs, doctor};
pub use install::{InstallArgs, install};
pub use kernelspec::PRELUDE_ENV;
pub use lab::{LabArgs, lab};
pub use uninstall::{UninstallArgs, uninstall};

/// What setting up reports: what went wrong, what was there, what to type instead.
pub type SetupError = crate::evaluate::Error;

/// Returns the folder of the prelude for a kernel: the one that `HEADWATER_PRELUDE` names, else one
/// that is installed or built. The folder may be missing; reading it says what to type.
pub fn prelude_dir() -> std::path::PathBuf {
    let named = || {
        std::env::var_os(kernelspec::PRELUDE_ENV)
            .unwrap_or_default()
            .into()
    };
    folders::ready_prelude().unwrap_or_else(named)
}

/// Returns the file with the person's history, where a home folder is known.
pub fn history_file() -> Option<std::path::PathBuf> {
    Some(folders::Folders::of_person().ok()?.history())
}

/// Returns an error about a file or folder that could not be used.
fn file_error(what: &str, path: &std::path::Path, error: &std::io::Error) -> SetupError {
    let attempt = match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            format!("ls -ld {}, to see who may write there", path.display())
        }
        std::io::ErrorKind::StorageFull => "df -h, and make room".to_owned(),
        _ => "headwater doctor".to_owned(),
    };
    SetupError::new(what, format!("{}: {error}", path.display()), attempt)
}
