//! A folder that grows: each new file is sent once, in order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::feed::{Feed, Shared};
use crate::dataset;
use crate::record::decode::Rejected;
use crate::topic::{Sender, Topic, key_texts};

use crate::{Error, Result};

/// The least time between two looks at the folder.
const LOOK: Duration = Duration::from_millis(200);

/// A folder of CSV, JSON lines and Parquet files as a source.
///
/// Files are read whole, in the order of their modification times and then their names, each once. So a
/// file must be whole when it gets its name: write it under a name that begins with `.` or `_`, which is left
/// alone, and rename it. What the rows become in the topic is what `topic.produce` makes of them.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let folder = folder.path();
/// std::fs::write(folder.join("day-1.jsonl"), "{\"id\":1}\n{\"id\":2}\n").expect("a file");
/// let topic = Cluster::embedded()?.topic("doc-folder", partitions(1))?;
/// let feed = Folder::watch(folder).key("id").start(&topic)?;
/// feed.wait_for_records(2)?;
/// std::fs::write(folder.join("day-2.csv"), "id\n3\n").expect("a file");
/// feed.wait_for_records(3)?;
/// feed.stop()?;
/// assert_eq!(topic.records()?, 3);
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    key: Option<String>,
    follows: bool,
}

impl Folder {
    /// Returns a source of the files that are in a folder and of those that come.
    pub fn watch(path: impl AsRef<Path>) -> Folder {
        Folder {
            path: path.as_ref().to_owned(),
            key: None,
            follows: true,
        }
    }

    /// Returns a source of the files that are in a folder now.
    pub fn once(path: impl AsRef<Path>) -> Folder {
        Folder {
            follows: false,
            ..Folder::watch(path)
        }
    }

    /// Takes this column as the key of the records. Default: none.
    pub fn key(mut self, column: &str) -> Folder {
        self.key = Some(column.into());
        self
    }

    /// Starts to send.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn start(&self, topic: &Topic) -> Result<Feed> {
        files(&self.path)?;
        let (folder, target) = (self.clone(), topic.clone());
        let label = format!("folder {}", self.path.display());
        Feed::start(label, topic, move |shared| folder.run(&target, shared))
    }

    /// Shows the source as the value of a cell.
    pub fn evcxr_display(&self) {
        let text = format!(
            "folder {}\n.start(&topic)? sends its files",
            self.path.display()
        );
        crate::display::result(crate::table::text(&text));
    }

    fn run(&self, topic: &Topic, shared: &Shared) -> Result<()> {
        let (sender, mut done) = (Sender::new(topic)?, BTreeSet::new());
        while !shared.is_stopped() {
            for file in files(&self.path)? {
                if shared.is_stopped() {
                    break;
                }
                if done.insert(file.clone()) {
                    self.send(&file, &sender, shared)?;
                }
            }
            if !self.follows {
                break;
            }
            shared.pause(LOOK);
        }
        sender.flush()
    }

    /// Sends the rows of a file; a file that cannot be read is rejected as a whole.
    fn send(&self, file: &Path, sender: &Sender, shared: &Shared) -> Result<()> {
        let kind = file
            .extension()
            .and_then(|end| end.to_str())
            .unwrap_or_default();
        let loaded =
            match kind.to_lowercase().as_str() {
                "csv" => dataset::csv(file),
                "json" | "jsonl" | "ndjson" => dataset::json_lines(file),
                "parquet" => dataset::parquet(file),
                _ => Err(Error::new("a file of another kind")
                    .hint("csv, jsonl, ndjson, json or parquet")),
            };
        let prepared = loaded.and_then(|loaded| {
            let keys = self
                .key
                .as_ref()
                .map(|key| key_texts(&loaded.frame, key))
                .transpose()?;
            Ok((sender.writer(&loaded.frame)?, keys, loaded))
        });
        let (writer, keys, loaded) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                let why = error.to_string().replace('\n', "; ");
                let place = file.display().to_string();
                shared.note_rejected(
                    1,
                    &[Rejected {
                        place,
                        why,
                        bytes: Vec::new(),
                    }],
                );
                return Ok(());
            }
        };
        shared.note_rejected(loaded.rejected_count, &loaded.rejected);
        let mut payload = Vec::new();
        for row in 0..loaded.frame.height() {
            if shared.is_stopped() {
                return Ok(());
            }
            payload.clear();
            writer.write(row, &mut payload)?;
            let key = keys.as_ref().and_then(|keys| keys.get(row));
            sender.send(key.map(str::as_bytes), &payload, writer.header(), None)?;
            shared.note_sent(1);
        }
        shared.note_file();
        Ok(())
    }
}

/// Returns the files of a folder that are whole, oldest first.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |cause: std::io::Error| {
        Error::missing_data(format!("no folder {} that can be read", folder.display()))
            .have(cause.to_string())
            .hint("Folder::watch(\"path/to/folder\")")
    };
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.starts_with(['.', '_']) || !path.is_file() {
            continue;
        }
        // A file that is gone by now is no file of this look.
        if let Ok(modified) = path.metadata().and_then(|facts| facts.modified()) {
            files.push((modified, path));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}
