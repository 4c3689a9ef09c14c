//! Open files, as many as a process may well have, and which of them are still to be synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{DiskFile, DiskRef};

/// Partitions may be ten thousand, file descriptors often only a thousand.
const MOST_OPEN: usize = 128;

/// The files that are being written.
pub struct Handles {
    pub disk: DiskRef,
    open: BTreeMap<PathBuf, Handle>,
    /// Files written since they were last synced. One that was closed for room is opened again:
    /// a sync concerns the file, not the handle.
    dirty: BTreeSet<PathBuf>,
    dirty_dirs: BTreeSet<PathBuf>,
    uses: u64,
}

struct Handle {
    file: Box<dyn DiskFile>,
    used: u64,
}

impl Handles {
    pub fn new(disk: DiskRef) -> Handles {
        Handles {
            disk,
            open: BTreeMap::new(),
            dirty: BTreeSet::new(),
            dirty_dirs: BTreeSet::new(),
            uses: 0,
        }
    }

    /// Makes an empty file, whose name is to be synced with its directory.
    pub fn create(&mut self, path: &Path) -> io::Result<()> {
        self.append(path, &[])?;
        self.changed_names(path.parent().unwrap_or(path));
        Ok(())
    }

    pub fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.handle(path)?
            .append(bytes)
            .map_err(|error| at(path, error))?;
        if !self.dirty.contains(path) {
            self.dirty.insert(path.to_owned());
        }
        Ok(())
    }

    pub fn truncate(&mut self, path: &Path, length: u64) -> io::Result<()> {
        self.handle(path)?
            .truncate(length)
            .map_err(|error| at(path, error))?;
        self.dirty.insert(path.to_owned());
        Ok(())
    }

    /// Writes a whole file beside its place, syncs it, and moves it there: readers and crashes see
    /// the old one or the new one.
    pub fn replace(&mut self, path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
        let mut fresh = path.to_owned().into_os_string();
        fresh.push(".cleaned");
        let fresh = PathBuf::from(fresh);
        self.write_whole(&fresh, bytes, sync)
            .map_err(|error| at(&fresh, error))?;
        self.rename(&fresh, path)
    }

    /// Moves a file to its place, over what is there.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.forget(from);
        self.forget(to);
        let renamed = self.disk.0.rename(from, to);
        renamed.map_err(|error| at(to, error))?;
        self.changed_names(to.parent().unwrap_or(to));
        Ok(())
    }

    /// Writes a file of which at most leftovers are there.
    pub fn write_whole(&mut self, path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
        self.remove(path)?;
        let mut file = self.disk.0.open(path)?;
        file.append(bytes)?;
        match sync {
            true => file.sync(),
            false => Ok(()),
        }
    }

    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.forget(path);
        match self.disk.0.remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.map_err(|error| at(path, error)),
        }
    }

    /// Closes a file that will not be written again; it still counts as unsynced, if it is.
    pub fn close(&mut self, path: &Path) {
        self.open.remove(path);
    }

    /// Forgets a file that is gone, or about to be.
    pub fn forget(&mut self, path: &Path) {
        self.open.remove(path);
        self.dirty.remove(path);
    }

    /// Forgets all files below a directory that is gone.
    pub fn forget_dir(&mut self, dir: &Path) {
        self.open.retain(|path, _| !path.starts_with(dir));
        self.dirty.retain(|path| !path.starts_with(dir));
        self.dirty_dirs.retain(|path| !path.starts_with(dir));
    }

    /// Notes that files in a directory were made, renamed or removed.
    pub fn changed_names(&mut self, dir: &Path) {
        if !self.dirty_dirs.contains(dir) {
            self.dirty_dirs.insert(dir.to_owned());
        }
    }

    pub fn is_dirty(&self) -> bool {
        !(self.dirty.is_empty() && self.dirty_dirs.is_empty())
    }

    /// Returns once all that was written outlives a loss of power.
    pub fn sync(&mut self) -> io::Result<()> {
        for path in std::mem::take(&mut self.dirty) {
            self.handle(&path)?
                .sync()
                .map_err(|error| at(&path, error))?;
        }
        for dir in std::mem::take(&mut self.dirty_dirs) {
            let synced = self.disk.0.sync_dir(&dir);
            synced.map_err(|error| at(&dir, error))?;
        }
        Ok(())
    }

    fn handle(&mut self, path: &Path) -> io::Result<&mut dyn DiskFile> {
        self.uses += 1;
        if !self.open.contains_key(path) {
            self.make_room();
            let file = self.disk.0.open(path).map_err(|error| at(path, error))?;
            self.open.insert(path.to_owned(), Handle { file, used: 0 });
        }
        let handle = self.open.get_mut(path).expect("opened above");
        handle.used = self.uses;
        Ok(handle.file.as_mut())
    }

    fn make_room(&mut self) {
        if self.open.len() < MOST_OPEN {
            return;
        }
        let oldest = self.open.iter().min_by_key(|(_, handle)| handle.used);
        if let Some(path) = oldest.map(|(path, _)| path.clone()) {
            self.open.remove(&path);
        }
    }
}

/// Says which file an error is about.
pub fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
