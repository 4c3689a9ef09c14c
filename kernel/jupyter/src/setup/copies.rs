//! Copies of the binary and the prelude at a place that outlives the clone they were built in.

use std::fs;
use std::io;
use std::path::Path;

use super::{SetupError, file_error};
use crate::evaluate::Manifest;

/// What copying did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// Files and bytes written.
    Now { files: usize, bytes: u64 },
    /// The same bytes were there already.
    AsBefore,
}

/// Copies the running binary to `target`.
///
/// # Errors
/// When `target` cannot be written.
pub fn binary(target: &Path) -> Result<Copied, SetupError> {
    let fail =
        |error: io::Error| file_error("the headwater binary could not be copied", target, &error);
    let source = std::env::current_exe().map_err(fail)?;
    if same_file(&source, target) || same_stamp(&source, target) {
        return Ok(Copied::AsBefore);
    }
    create_parent(target).map_err(fail)?;
    // By rename: a kernel that runs from the old file keeps it, and "text file busy" cannot happen.
    let fresh = target.with_extension("new");
    let bytes = copy_with_time(&source, &fresh).map_err(fail)?;
    fs::rename(&fresh, target).map_err(fail)?;
    Ok(Copied::Now { files: 1, bytes })
}

/// Copies the prelude in `source` to the folder `target`, unless the same one is there.
///
/// # Errors
/// When there is no prelude in `source` or `target` cannot be written.
pub fn prelude(source: &Path, target: &Path) -> Result<Copied, SetupError> {
    if same_file(source, target) {
        return Ok(Copied::AsBefore);
    }
    let manifest = Manifest::read(source)?;
    let there = Manifest::read(target).ok();
    if there.is_some_and(|there| {
        there.fingerprint == manifest.fingerprint && there.rustc == manifest.rustc
    }) {
        return Ok(Copied::AsBefore);
    }
    let fresh = target.with_extension("new");
    let fail = |error: io::Error| file_error("the prelude could not be copied", &fresh, &error);
    remove(&fresh).map_err(fail)?;
    let (mut files, mut bytes) = (0, 0);
    copy_folder(source, &fresh, &mut |size| {
        files += 1;
        bytes += size;
    })
    .map_err(fail)?;
    // A kernel that runs keeps the old library open; its next cell wants a restart.
    remove(target).map_err(fail)?;
    fs::rename(&fresh, target).map_err(fail)?;
    Ok(Copied::Now { files, bytes })
}

fn copy_folder(source: &Path, target: &Path, copied: &mut dyn FnMut(u64)) -> io::Result<()> {
    fs::create_dir_all(target)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let target = target.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &target, copied)?,
            false => copied(copy_with_time(&entry.path(), &target)?),
        }
    }
    Ok(())
}

fn create_parent(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Copies bytes, permissions and the time of the last change.
fn copy_with_time(source: &Path, target: &Path) -> io::Result<u64> {
    let bytes = fs::copy(source, target)?;
    let changed = fs::metadata(source)?.modified()?;
    fs::File::options()
        .append(true)
        .open(target)?
        .set_modified(changed)?;
    Ok(bytes)
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn same_stamp(one: &Path, other: &Path) -> bool {
    let stamp = |path: &Path| {
        fs::metadata(path)
            .and_then(|meta| Ok((meta.len(), meta.modified()?)))
            .ok()
    };
    stamp(one).is_some() && stamp(one) == stamp(other)
}
