//! Where a shop keeps its databases, and what earlier sessions left there.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io, process};

use headwater_streams::{Error, Result};

const PREFIX: &str = "headwater-5-6-";

/// A folder that goes when the shop goes.
pub(super) struct ShopFolder(PathBuf);

impl Drop for ShopFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl ShopFolder {
    /// Makes an empty folder among the temporary files. A session that was ended from outside could
    /// not remove its own, so what processes that are gone have left goes now.
    pub fn new() -> Result<ShopFolder> {
        /// Tells the shops of this process apart.
        static SHOPS: AtomicUsize = AtomicUsize::new(0);
        let place = std::env::temp_dir();
        sweep(&place);
        let number = SHOPS.fetch_add(1, Ordering::Relaxed);
        let folder = place.join(format!("{PREFIX}{}-{number}", process::id()));
        fs::create_dir_all(&folder).map_err(|cause| {
            Error::new("no folder for the shop's database")
                .have(format!("{}: {cause}", folder.display()))
                .hint("export TMPDIR=FOLDER, one that you may write to, and start the kernel again")
        })?;
        Ok(ShopFolder(folder))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let owner = owner.and_then(|rest| rest.split('-').next()?.parse().ok());
        if owner.is_some_and(is_gone) {
            // It may be another person's; then it is theirs to remove.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_gone(process: i32) -> bool {
    // SAFETY: signal 0 only asks whether there is such a process.
    let answer = unsafe { libc::kill(process, 0) };
    answer != 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}
