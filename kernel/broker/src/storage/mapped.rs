//! Segments that are read from their files, as if they lay in memory.

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;
use memmap2::Mmap;

use super::handles::at;

/// Maps a file that nobody writes to any more.
///
/// # Errors
/// Whatever the system says.
pub fn map(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path).map_err(|error| at(path, error))?;
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the mapping must not change while it is read. The directory is locked against other
    // brokers, and this one never writes to a closed segment or shortens it: it makes a new file
    // and moves that over the old, which stays whole for as long as it is mapped.
    let map = unsafe { Mmap::map(&file) }.map_err(|error| at(path, error))?;
    Ok(Bytes::from_owner(map))
}
