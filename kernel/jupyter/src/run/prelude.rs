//! Which prelude the notebooks are run with.

use std::path::{Path, PathBuf};

use crate::evaluate::{Error, MANIFEST};
use crate::setup::{self, PRELUDE_ENV};

/// Returns the folder of the prelude: the one that `HEADWATER_PRELUDE` names, else the one installed
/// beside this binary, else the clone's own, built now if need be.
///
/// # Errors
/// When there is none and none can be built.
pub fn prelude(progress: &dyn Fn(&str)) -> Result<PathBuf, Error> {
    if let Some(folder) = std::env::var_os(PRELUDE_ENV) {
        return Ok(folder.into());
    }
    match std::env::current_exe().ok().as_deref().and_then(beside) {
        Some(folder) => Ok(folder),
        None => setup::prelude::ensure(progress),
    }
}

/// `install` puts the binary into `bin/` and the prelude into `prelude/` of one folder.
fn beside(binary: &Path) -> Option<PathBuf> {
    let folder = binary.parent()?.parent()?.join("prelude");
    folder.join(MANIFEST).exists().then_some(folder)
}
