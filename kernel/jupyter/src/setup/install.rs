//! The kernelspec, with the binary and the prelude beside it.

use std::fmt::Display;
use std::path::PathBuf;

use clap::Args;

use super::SetupError;
use super::copies::{self, Copied};
use super::folders::{Folders, jupyter_data_of_person, jupyter_data_of_prefix};
use super::kernelspec::{self, KernelSpec, Written};
use super::prelude;
use super::progress::Progress;
use super::python::Python;

/// Makes the kernel known to every Jupyter of this person, or of one environment.
#[derive(Debug, Clone, Default, Args)]
pub struct InstallArgs {
    /// For this person; this is the default.
    #[arg(long, conflicts_with_all = ["sys_prefix", "prefix"])]
    pub user: bool,
    /// Into the environment of the `python3` on PATH, such as an activated venv.
    #[arg(long, conflicts_with = "prefix")]
    pub sys_prefix: bool,
    /// Into the environment in this folder.
    #[arg(long, value_name = "DIR")]
    pub prefix: Option<PathBuf>,
    /// A prelude that is ready, instead of building one.
    #[arg(long, hide = true)]
    pub prelude: Option<PathBuf>,
}

/// Installs and says what it did; a second run changes only what is out of date.
///
/// # Errors
/// When the prelude cannot be built or a folder cannot be written, with what to type.
pub fn install(args: InstallArgs) -> Result<(), SetupError> {
    let (folders, jupyter_data) = targets(&args)?;
    let progress = Progress::to_stderr();

    let step = progress.step("prelude");
    let built = match args.prelude {
        Some(folder) => folder,
        None => prelude::ensure(&|what| step.say(what))?,
    };
    step.say("copying");
    let copied = copies::prelude(&built, &folders.prelude())?;
    step.done(&said(copied, folders.prelude().display()));

    let step = progress.step("binary");
    let copied = copies::binary(&folders.binary())?;
    step.done(&said(copied, folders.binary().display()));

    let step = progress.step("kernelspec");
    let spec = KernelSpec {
        binary: folders.binary(),
        prelude: folders.prelude(),
    };
    let written = spec.write(&jupyter_data)?;
    let place = kernelspec::folder(&jupyter_data);
    step.done(&match written {
        Written::New => format!("written to {}", place.display()),
        Written::Changed => format!("replaced in {}", place.display()),
        Written::AsBefore => format!("up to date in {}", place.display()),
    });
    println!("kernel `Rust (Headwater)` is ready: jupyter lab, and choose it for a notebook");
    Ok(())
}

/// The folder for our files and the one for Jupyter's.
fn targets(args: &InstallArgs) -> Result<(Folders, PathBuf), SetupError> {
    let prefix = match (&args.prefix, args.sys_prefix) {
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

/// The kernelspec holds absolute paths, whatever was typed.
fn absolute(folder: &std::path::Path) -> Result<PathBuf, SetupError> {
    std::path::absolute(folder)
        .map_err(|error| super::file_error("the prefix is not a folder", folder, &error))
}

fn said(copied: Copied, place: impl Display) -> String {
    match copied {
        Copied::Now { files: 1, bytes } => format!("copied to {place}, {}", megabytes(bytes)),
        Copied::Now { files, bytes } => {
            format!("copied to {place}, {files} files, {}", megabytes(bytes))
        }
        Copied::AsBefore => format!("up to date in {place}"),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}
