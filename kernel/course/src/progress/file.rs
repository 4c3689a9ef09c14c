//! Where the file of progress is, and how a line is added to it.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::Entry;

/// Names the environment variable with the path of the file; where it is empty, nothing is kept.
pub const ENV: &str = "HEADWATER_PROGRESS";

/// Returns the file: the one that the variable names, else `headwater/progress.jsonl` among this
/// person's data.
pub(super) fn path() -> Option<PathBuf> {
    match env::var_os(ENV) {
        Some(path) => (!path.is_empty()).then(|| path.into()),
        None => Some(data_home()?.join("headwater/progress.jsonl")),
    }
}

/// The folder of a person's data, as the XDG base directory specification has it: a relative path
/// in the variable is ignored.
fn data_home() -> Option<PathBuf> {
    let folder = |name| {
        let path = env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")))
}

/// Adds a line. It is written at once, so that two sessions do not mix theirs.
pub(super) fn append(path: &Path, entry: &Entry) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options.append(true).read(true).create(true).open(path)?;
    let mut line = serde_json::to_string(entry).map_err(io::Error::other)? + "\n";
    if !ends_with_a_line(&mut file)? {
        // A session was ended in the middle of its line: that one is lost, this one is not.
        line.insert(0, '\n');
    }
    file.write_all(line.as_bytes())
}

fn ends_with_a_line(file: &mut fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Reads the file; returns its lines, and how many could not be read. No file is no lines.
pub(super) fn read(path: &Path) -> io::Result<(Vec<Entry>, usize)> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(error),
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let entries: Vec<Entry> = (lines.iter())
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let unreadable = lines.len() - entries.len();
    Ok((entries, unreadable))
}
