//! The kernelspec, with the binary and the prelude beside it.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::Args;

use super::SetupError;
use super::copies::{self, Copied};
use super::folders::{environment_of_this_binary, jupyter_data_of_prefix};
use super::kernelspec::{self, KernelSpec, Written};
use super::place::Place;
use super::prelude;
use super::progress::Progress;

/// Makes the kernel known to every Jupyter of this person, or of one environment.
#[derive(Debug, Clone, Default, Args)]
pub struct InstallArgs {
    #[command(flatten)]
    pub place: Place,
    /// A prelude that is ready, instead of building one.
    #[arg(long, hide = true)]
    pub prelude: Option<PathBuf>,
}

/// Installs and says what it did; a second run changes only what is out of date.
///
/// # Errors
/// When the prelude cannot be built or a folder cannot be written, with what to type.
pub fn install(args: InstallArgs) -> Result<(), SetupError> {
    let (folders, jupyter_data) = args.place.folders()?;
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
    let binary = match of_wheel(jupyter_data.as_path()) {
        Some(binary) => {
            step.done(&format!("stays in {}, where pip put it", binary.display()));
            binary
        }
        None => {
            let copied = copies::binary(&folders.binary())?;
            step.done(&said(copied, folders.binary().display()));
            folders.binary()
        }
    };

    let step = progress.step("kernelspec");
    let spec = KernelSpec {
        binary,
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

/// The running binary, if a wheel put it into the environment that is installed into: pip replaces
/// and removes it there, so that a copy of ours would stay behind.
fn of_wheel(jupyter_data: &Path) -> Option<PathBuf> {
    let environment = environment_of_this_binary()?;
    let same = same_folder(&jupyter_data_of_prefix(&environment), jupyter_data);
    same.then(|| environment.join("bin").join("headwater"))
}

fn same_folder(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
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
