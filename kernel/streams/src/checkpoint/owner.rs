//! Who has a checkpoint open: the store's lock decides, a note beside it tells the others.

use std::path::Path;
use std::time::SystemTime;

use crate::{Error, time};

/// The file with the note.
const NOTE: &str = "owner";

/// Leaves a note for those who come later and find the checkpoint locked.
pub(super) fn sign(folder: &Path) -> std::io::Result<()> {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64 * time::SECOND);
    let program = std::env::current_exe().ok();
    let program = program
        .as_deref()
        .and_then(Path::file_name)
        .map_or_else(|| "a program".into(), |name| name.to_string_lossy());
    let note = format!(
        "{}\n{program}\n{} UTC\n",
        std::process::id(),
        time::show(since)
    );
    std::fs::write(folder.join(NOTE), note)
}

/// The error for whoever finds the checkpoint locked.
pub(super) fn refused(folder: &Path) -> Error {
    let error = Error::new(format!(
        "the checkpoint in {} is in use by another job",
        folder.display()
    ));
    let note = std::fs::read_to_string(folder.join(NOTE)).unwrap_or_default();
    let mut lines = note.lines();
    let (Some(process), Some(program), Some(since)) = (lines.next(), lines.next(), lines.next())
    else {
        return error
            .have("a lock on its file")
            .hint("stop that job, or .checkpoint(\"another folder\")");
    };
    if process == std::process::id().to_string() {
        return error
            .have(format!("a job of this process since {since}"))
            .hint("job.stop()? on its handle first, or .checkpoint(\"another folder\")");
    }
    error
        .have(format!("process {process} ({program}) since {since}"))
        .hint(format!(
            "stop it there (job.stop()?, or `kill {process}` in a terminal), or .checkpoint(\"another folder\")"
        ))
}
