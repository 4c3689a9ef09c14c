//! Takes away what `install` wrote, and names what it leaves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::folders::environment_of_this_binary;
use super::place::Place;
use super::{SetupError, file_error, kernelspec};

/// Takes the kernel away again: its kernelspec, the copied binary and the prelude.
#[derive(Debug, Clone, Default, Args)]
pub struct UninstallArgs {
    #[command(flatten)]
    pub place: Place,
}

/// Removes the files of one installation; running it twice is fine.
///
/// # Errors
/// When a folder cannot be removed.
pub fn uninstall(args: UninstallArgs) -> Result<(), SetupError> {
    let (folders, jupyter_data) = args.place.folders()?;
    // Asked before the kernelspec goes, by which an environment with a wheel is known.
    let wheel = of_wheel(folders.root());
    let mut removed = 0;
    for path in [
        kernelspec::folder(&jupyter_data),
        folders.prelude(),
        folders.binary(),
    ] {
        if remove(&path)? {
            println!("removed {}", path.display());
            removed += 1;
        }
    }
    if removed == 0 {
        println!("nothing is installed in {}", folders.root().display());
    }
    // Empty folders tell nothing; one that still holds something stays, and is named below.
    let bin = folders.binary().parent().map(Path::to_owned);
    for folder in bin.into_iter().chain([folders.root().to_owned()]) {
        let _ = fs::remove_dir(folder);
    }
    for (path, what) in [
        (folders.venv(), "the environment with JupyterLab"),
        (folders.lab(), "settings and open tabs of `headwater lab`"),
    ] {
        if path.exists() {
            println!("kept    {}: {what}", path.display());
        }
    }
    if let Some(environment) = wheel {
        println!(
            "a wheel put the program into {}: pip uninstall headwater",
            environment.display()
        );
    }
    Ok(())
}

/// The environment of the running binary, if `root` is our folder in it.
fn of_wheel(root: &Path) -> Option<PathBuf> {
    environment_of_this_binary().filter(|environment| root.starts_with(environment))
}

/// Returns whether there was something to remove.
fn remove(path: &Path) -> Result<bool, SetupError> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(file_error("it could not be removed", path, &error)),
    }
}
