//! Writes changes to files, one step after the other.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::Deserialize;

use super::handles::Handles;
use super::index::INTERVAL_BYTES;
use super::journal::Journal;
use super::log_files::{LogFiles, SealedFile};
use super::{Flush, checkpoint, mapped};
use crate::brokers::{Change, Fact, Key, LogChange, Place};

/// The files of one cluster while they are written.
pub struct Store {
    pub root: PathBuf,
    pub flush: Flush,
    pub handles: Handles,
    pub journal: Journal,
    pub logs: BTreeMap<Place, LogFiles>,
    /// `index.interval.bytes` of topics that set it, by their ids.
    pub intervals: HashMap<String, usize>,
    /// Segments that will not grow any more, and can be read from their files from now on.
    pub sealed: Vec<(Place, i64, Bytes)>,
}

impl Store {
    /// Writes what one step changed.
    ///
    /// # Errors
    /// Names the file. Nothing may be written after an error: what arrived is not known.
    pub fn write(&mut self, changes: &[Change]) -> io::Result<()> {
        let mut facts = Vec::new();
        for change in changes {
            match change {
                Change::Fact(fact) => facts.push(fact.clone()),
                Change::Barrier => {
                    self.note(&mut facts)?;
                    self.sync_unless_none()?;
                }
                Change::Log(place, LogChange::Delete) => {
                    // First the word that the topic is gone: else a crash brings it back empty.
                    self.note(&mut facts)?;
                    self.sync_unless_none()?;
                    if let Some(log) = self.logs.remove(place) {
                        log.delete(&mut self.handles)?;
                    }
                    self.forget_log_facts(place, &mut facts);
                }
                Change::Log(place, change) => self.write_log(*place, change)?,
            }
        }
        self.note(&mut facts)
    }

    /// Returns once all that was written outlives a loss of power.
    pub fn sync(&mut self) -> io::Result<()> {
        self.handles.sync()
    }

    /// Does what need not be done with every step.
    pub fn tidy(&mut self) -> io::Result<()> {
        self.journal.tidy(&mut self.handles, now_ms())?;
        match self.flush {
            Flush::None => Ok(()),
            _ if self.handles.is_dirty() => Ok(()),
            _ => self.note_good_points(false),
        }
    }

    /// Ends the writing: everything on the disk, and a mark that says so.
    pub fn close(&mut self) -> io::Result<()> {
        for log in self.logs.values() {
            log.write_indexes(&mut self.handles)?;
        }
        self.handles.sync()?;
        self.note_good_points(true)?;
        checkpoint::mark_clean(&mut self.handles, &self.root)
    }

    fn note_good_points(&mut self, sync: bool) -> io::Result<()> {
        let logs = self
            .logs
            .iter()
            .map(|(place, log)| (*place, log.next_offset()));
        let points = checkpoint::GoodPoints::new(self.journal.next_offset(), logs);
        points.write(&mut self.handles, &self.root, sync)
    }

    fn write_log(&mut self, place: Place, change: &LogChange) -> io::Result<()> {
        if let LogChange::Create { topic } = change {
            let dir = directory(&self.root, place, topic);
            let log = LogFiles::create(&mut self.handles, dir, place.topic)?;
            self.logs.insert(place, log);
            return Ok(());
        }
        if let LogChange::DropBefore(offset) | LogChange::RestartAt(offset) = change {
            // Before the files go: a log that has none left still knows where it goes on.
            self.note(&mut vec![Fact::new(log_start(place), offset)])?;
            self.sync_unless_none()?;
        }
        if let LogChange::Replace { .. } = change {
            self.note_compacted(place)?;
        }
        let interval = self.intervals.get(&place.topic.to_string());
        let interval = interval.copied().unwrap_or(INTERVAL_BYTES);
        let handles = &mut self.handles;
        let log = self.logs.get_mut(&place);
        let log = log.ok_or_else(|| io::Error::other("a log changed that was never made"))?;
        match change {
            LogChange::Append(bytes) => log.append(handles, bytes),
            LogChange::Roll { base_offset, .. } => {
                let sealed = log.roll(handles, *base_offset, interval)?;
                sealed.map_or(Ok(()), |sealed| self.map(place, sealed))
            }
            LogChange::TruncateTo(offset) => {
                log.truncate_to(handles, *offset)?;
                self.take_back_good_point()
            }
            LogChange::DropBefore(offset) => log.drop_before(handles, *offset),
            LogChange::RestartAt(offset) => {
                log.restart_at(handles, *offset)?;
                self.take_back_good_point()
            }
            LogChange::Replace { from, to, bytes } => {
                let sealed = log.replace(handles, *from, *to, bytes)?;
                self.map(place, sealed)
            }
            LogChange::Create { .. } | LogChange::Delete => Ok(()),
        }
    }

    /// A log became shorter: a good point beyond its end would make damage of what comes next.
    fn take_back_good_point(&mut self) -> io::Result<()> {
        self.handles.sync()?;
        self.note_good_points(true)
    }

    /// Notes that a segment can be read from its file.
    fn map(&mut self, place: Place, sealed: SealedFile) -> io::Result<()> {
        let bytes = mapped::map(&sealed.path)?;
        self.sealed.push((place, sealed.base_offset, bytes));
        Ok(())
    }

    /// Offsets may be missing from here on, which recovery would take for damage.
    fn note_compacted(&mut self, place: Place) -> io::Result<()> {
        let key = compacted(place);
        if self.journal.holds(&key) {
            return Ok(());
        }
        self.note(&mut vec![Fact::new(key, &true)])?;
        self.sync_unless_none()
    }

    fn note(&mut self, facts: &mut Vec<Fact>) -> io::Result<()> {
        for fact in facts.iter() {
            note_interval(&mut self.intervals, &fact.key, fact.value.as_deref());
        }
        self.journal.append(&mut self.handles, now_ms(), facts)?;
        facts.clear();
        Ok(())
    }

    /// The facts that the storage itself noted about a log go with it.
    fn forget_log_facts(&self, place: &Place, facts: &mut Vec<Fact>) {
        let noted = [log_start(*place), compacted(*place)];
        let noted = noted.into_iter().filter(|key| self.journal.holds(key));
        facts.extend(noted.map(Fact::gone));
    }

    fn sync_unless_none(&mut self) -> io::Result<()> {
        match self.flush {
            Flush::None => Ok(()),
            _ => self.handles.sync(),
        }
    }
}

/// Returns the directory of a log.
pub fn directory(root: &Path, place: Place, topic: &str) -> PathBuf {
    root.join(format!("node-{}", place.node))
        .join(format!("{topic}-{}", place.partition))
}

/// Returns the key under which the storage notes where a log begins.
pub fn log_start(place: Place) -> Key {
    Key::LogStart {
        node: place.node,
        topic: place.topic.to_string(),
        partition: place.partition,
    }
}

/// Returns the key under which the storage notes that a log was compacted.
pub fn compacted(place: Place) -> Key {
    Key::Compacted {
        node: place.node,
        topic: place.topic.to_string(),
        partition: place.partition,
    }
}

/// Remembers what a topic sets as `index.interval.bytes`.
pub fn note_interval(intervals: &mut HashMap<String, usize>, key: &Key, value: Option<&[u8]>) {
    #[derive(Deserialize)]
    struct Configs {
        configs: BTreeMap<String, String>,
    }
    let Key::Topic { id } = key else { return };
    let configs = value.and_then(|value| serde_json::from_slice::<Configs>(value).ok());
    let set = configs.and_then(|fact| fact.configs.get("index.interval.bytes")?.parse().ok());
    match set {
        Some(bytes) => intervals.insert(id.clone(), bytes),
        None => intervals.remove(id),
    };
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_millis() as i64
}
