//! Reads a directory back after a clean end or a crash, and makes it fit to be written to again.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use uuid::Uuid;

use super::checkpoint::{self, GoodPoints};
use super::handles::Handles;
use super::index::INTERVAL_BYTES;
use super::journal::{self, Journal};
use super::log_files::{self, LogFiles};
use super::recover_log::{Log, recover_log};
use super::scan::{Gaps, scan};
use super::store::{self, Store};
use super::{Flush, Truncated, damaged, failing};
use crate::brokers::{Key, Place, Stored};
use crate::description::Recovery;
use crate::error::Result;

/// What is known while a directory is read.
pub struct Recovering {
    pub handles: Handles,
    pub root: PathBuf,
    /// The broker before this one was stopped cleanly: nothing can be torn.
    pub clean: bool,
    pub points: GoodPoints,
    pub intervals: HashMap<String, usize>,
    pub report: Recovery,
}

/// Reads all that is in a directory.
///
/// # Errors
/// Names the file and the offset of what is damaged, and what to do about it.
pub fn recover(root: &Path, flush: Flush, handles: Handles) -> Result<(Store, Stored, Recovery)> {
    let mut recovering = Recovering {
        handles,
        root: root.to_owned(),
        clean: checkpoint::is_clean(root),
        points: GoodPoints::read(root),
        intervals: HashMap::new(),
        report: Recovery::default(),
    };
    let dirs = log_dirs(root)?;
    let (journal, facts) = recovering.journal(!dirs.is_empty())?;
    let mut stored = Stored {
        facts,
        logs: BTreeMap::new(),
    };
    let mut logs = BTreeMap::new();
    for found in dirs {
        if let Some((place, log, files)) = recovering.log_dir(&found, &stored.facts)? {
            stored.logs.insert(place, log);
            logs.insert(place, files);
        }
    }
    let Recovering {
        mut handles,
        clean,
        intervals,
        mut report,
        ..
    } = recovering;
    report.clean = clean;
    checkpoint::unmark_clean(&mut handles, root).map_err(|source| failing(root, source))?;
    if flush != Flush::None {
        // What a crash left may never have been synced, and readers are about to see it.
        handles.sync().map_err(|source| failing(root, source))?;
    }
    let store = Store {
        root: root.to_owned(),
        flush,
        handles,
        journal,
        logs,
        intervals,
        sealed: Vec::new(),
    };
    Ok((store, stored, report))
}

/// A directory that holds a log.
struct LogDir {
    node: i32,
    topic: String,
    partition: i32,
    path: PathBuf,
}

impl Recovering {
    fn journal(&mut self, has_logs: bool) -> Result<(Journal, BTreeMap<Key, Bytes>)> {
        let path = journal::path(&self.root);
        if !path.exists() {
            if has_logs || self.points != GoodPoints::default() {
                return Err(damaged(&path, 0, 0, "the journal of facts is not there"));
            }
            self.report.fresh = true;
            let made = Journal::create(&mut self.handles, &self.root);
            let made = made.map_err(|source| failing(&path, source))?;
            return Ok((made, BTreeMap::new()));
        }
        let bytes = std::fs::read(&path).map_err(|source| failing(&path, source))?;
        // A journal that was written anew begins where the old one ended.
        let first = bytes.get(..8).map_or(0, |first| {
            i64::from_be_bytes(first.try_into().expect("eight bytes"))
        });
        let scanned = scan(&bytes, first.max(0), Gaps::Damage);
        self.cut(&path, &bytes, &scanned, self.points.facts(), true)?;
        let mut live = BTreeMap::new();
        for (header, position) in &scanned.batches {
            let batch = &bytes[*position as usize..*position as usize + header.size];
            journal::read_batch(batch, &mut live).map_err(|why| {
                let position = *position as usize;
                damaged(&path, header.base_offset, position, &why)
            })?;
        }
        for (key, value) in &live {
            store::note_interval(&mut self.intervals, key, Some(value));
        }
        self.report.facts = live.len() as u64;
        let size = scanned.valid_bytes as u64;
        let found = Journal::found(&self.root, live.clone(), scanned.next_offset, size);
        Ok((found, live))
    }

    fn log_dir(
        &mut self,
        found: &LogDir,
        facts: &BTreeMap<Key, Bytes>,
    ) -> Result<Option<(Place, crate::brokers::StoredLog, LogFiles)>> {
        let metadata = found.path.join(log_files::METADATA);
        let text = std::fs::read_to_string(&metadata).unwrap_or_default();
        let Some(topic) = log_files::parse_partition_metadata(&text) else {
            // Killed while the log was being made: it has no record yet.
            if super::recover_log::has_segments(&found.path)? || self.clean {
                return Err(damaged(&metadata, 0, 0, "it does not name its topic"));
            }
            self.remove_dir(&found.path)?;
            return Ok(None);
        };
        let place = Place {
            node: found.node,
            topic,
            partition: found.partition,
        };
        if !facts.contains_key(&topic_key(topic)) {
            // Killed between the word that the topic is gone and the removal of its files, or
            // while it was being made.
            self.report.notes.push(format!(
                "removed {}, which a deleted topic had left",
                found.path.display()
            ));
            self.remove_dir(&found.path)?;
            return Ok(None);
        }
        let start = facts.get(&store::log_start(place));
        let start_offset = start.and_then(|value| serde_json::from_slice(value).ok());
        let gaps = match facts.contains_key(&store::compacted(place)) {
            true => Gaps::Allowed,
            false => Gaps::Damage,
        };
        let interval = self.intervals.get(&topic.to_string()).copied();
        let log = Log {
            dir: found.path.clone(),
            topic: found.topic.clone(),
            start_offset: start_offset.unwrap_or(0),
            good: self.points.log(place),
            gaps,
            interval_bytes: interval.unwrap_or(INTERVAL_BYTES),
        };
        let (stored, files) = recover_log(self, log)?;
        Ok(Some((place, stored, files)))
    }

    /// Cuts off what a crash left half written; what is damaged before the good point, or cannot
    /// come from a crash, is an error.
    pub fn cut(
        &mut self,
        path: &Path,
        bytes: &[u8],
        scanned: &super::Scan,
        good: i64,
        last: bool,
    ) -> Result<()> {
        let Some(fault) = &scanned.fault else {
            return Ok(());
        };
        if self.clean || !last || fault.offset < good {
            return Err(damaged(path, fault.offset, fault.position, fault.why));
        }
        let cut = self.handles.truncate(path, scanned.valid_bytes as u64);
        cut.map_err(|source| failing(path, source))?;
        let gone = (bytes.len() - scanned.valid_bytes) as u64;
        self.report.truncated_bytes += gone;
        self.report.truncated.push(Truncated {
            file: path.display().to_string(),
            offset: fault.offset,
            bytes: gone,
            why: fault.why.to_owned(),
            batches_behind: fault.batches_behind as u64,
        });
        Ok(())
    }

    fn remove_dir(&mut self, path: &Path) -> Result<()> {
        self.handles.forget_dir(path);
        let removed = self.handles.disk.0.remove_dir(path);
        removed.map_err(|source| failing(path, source))?;
        self.handles.changed_names(path.parent().unwrap_or(path));
        Ok(())
    }
}

fn topic_key(topic: Uuid) -> Key {
    Key::Topic {
        id: topic.to_string(),
    }
}

/// Finds `node-<id>/<topic>-<partition>`; logs that were being deleted go now.
fn log_dirs(root: &Path) -> Result<Vec<LogDir>> {
    let mut found = Vec::new();
    for (name, path) in entries(root)? {
        let Some(node) = name.strip_prefix("node-") else {
            continue;
        };
        let unknown = || damaged(&path, 0, 0, "its name is not node-<id>");
        let node = node.parse().map_err(|_| unknown())?;
        for (name, path) in entries(&path)? {
            if log_files::is_deleted(&name) {
                std::fs::remove_dir_all(&path).map_err(|source| failing(&path, source))?;
                continue;
            }
            let parts = name.rsplit_once('-');
            let parts = parts
                .and_then(|(topic, partition)| Some((topic.to_owned(), partition.parse().ok()?)));
            let unknown = || damaged(&path, 0, 0, "its name is not <topic>-<partition>");
            let (topic, partition) = parts.ok_or_else(unknown)?;
            found.push(LogDir {
                node,
                topic,
                partition,
                path,
            });
        }
    }
    Ok(found)
}

/// Returns name and path of everything in a directory, by name.
pub fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let listed = std::fs::read_dir(dir).map_err(|source| failing(dir, source))?;
    let mut found = Vec::new();
    for entry in listed {
        let entry = entry.map_err(|source| failing(dir, source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.push((name, entry.path()));
    }
    found.sort();
    Ok(found)
}
