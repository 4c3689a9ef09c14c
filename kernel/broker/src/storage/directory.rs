//! A data directory: who may use it, and in which format it is written.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::disk::DiskRef;
use super::handles::Handles;
use super::recover::{entries, recover};
use super::store::Store;
use super::{Flush, failing};
use crate::brokers::Stored;
use crate::description::Recovery;
use crate::error::{Error, Result};

const FORMAT: &str = "meta.properties";
const VERSION: &str = "version=1";
/// Kafka's name for the file that is locked.
const LOCK: &str = ".lock";

/// A directory that was read back and may now be written to, by this process alone.
pub struct Storage {
    pub(super) store: Store,
    /// Given back with the directory: closing the file ends the lock.
    pub(super) lock: File,
    /// What was read.
    pub stored: Stored,
    /// How the reading went.
    pub recovery: Recovery,
}

impl Storage {
    /// Opens a data directory, which is made where there is none.
    ///
    /// # Errors
    /// `Error::DirectoryInUse` while another broker has it, `Error::NotADataDirectory` for one with
    /// other things in it, `Error::Damaged` for files that no crash explains, `Error::Storage` for
    /// whatever the system says.
    pub fn open(root: &Path, flush: Flush, disk: DiskRef) -> Result<Storage> {
        let started = std::time::Instant::now();
        let failed = |source| failing(root, source);
        disk.0.create_dir(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        check_ours(&root)?;
        let lock = lock(&root)?;
        let mut handles = Handles::new(disk);
        check_format(&root, &mut handles)?;
        let (store, stored, mut recovery) = recover(&root, flush, handles)?;
        recovery.took_us = started.elapsed().as_micros() as u64;
        Ok(Storage {
            store,
            lock,
            stored,
            recovery,
        })
    }

    /// Returns where the facts are.
    pub fn journal_path(&self) -> PathBuf {
        super::journal::path(&self.store.root)
    }

    /// Returns the directory.
    pub fn root(&self) -> PathBuf {
        self.store.root.clone()
    }
}

fn lock(root: &Path) -> Result<File> {
    let path = root.join(LOCK);
    let file = File::create(&path).map_err(|source| failing(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::DirectoryInUse {
            dir: root.display().to_string(),
        }),
        Err(TryLockError::Error(source)) => Err(failing(&path, source)),
    }
}

/// Returns an error for a directory with other things in it, before anything is written there.
fn check_ours(root: &Path) -> Result<()> {
    let path = root.join(FORMAT);
    if path.exists() {
        return Ok(());
    }
    let leftover = path.with_extension("properties.cleaned");
    let other = entries(root)?
        .into_iter()
        .find(|(name, path)| name != LOCK && *path != leftover);
    match other {
        Some((name, _)) => Err(Error::NotADataDirectory {
            dir: root.display().to_string(),
            found: name,
        }),
        None => Ok(()),
    }
}

/// Writes down the format of a new directory, and checks that of an old one.
fn check_format(root: &Path, handles: &mut Handles) -> Result<()> {
    let path = root.join(FORMAT);
    let format = std::fs::read_to_string(&path);
    let missing = matches!(&format, Err(error) if error.kind() == std::io::ErrorKind::NotFound);
    if !missing {
        let format = format.map_err(|source| failing(&path, source))?;
        return match format.lines().any(|line| line == VERSION) {
            true => Ok(()),
            false => Err(Error::DirectoryFormat {
                file: path.display().to_string(),
                found: format.lines().next().unwrap_or_default().to_owned(),
            }),
        };
    }
    let text = format!("# A data directory of Headwater's broker.\n{VERSION}\n");
    let written = handles.replace(&path, text.as_bytes(), true);
    written.map_err(|source| failing(&path, source))?;
    let synced = handles.disk.0.sync_dir(root);
    synced.map_err(|source| failing(root, source))
}
