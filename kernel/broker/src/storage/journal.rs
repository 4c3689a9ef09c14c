//! The journal of facts: one log of record batches with keys and values, the newest value wins.
//!
//! Kafka's own `DumpLogSegments` reads it. Once more than half of it is out of date it is written
//! anew, beside the old one, and moved into its place.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bytes::{BufMut, Bytes, BytesMut};

use super::handles::Handles;
use super::log_files::segment_path;
use super::records;
use crate::brokers::{Fact, Key};

/// The journal's directory.
pub const DIR: &str = "facts";
/// Below this the journal is not worth writing anew.
const SMALL_BYTES: u64 = 1 << 20;
/// Facts in one batch of a journal that is written anew.
const FACTS_A_BATCH: usize = 1000;

/// The journal while it is written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    live: BTreeMap<Key, Bytes>,
    next_offset: i64,
    bytes: u64,
    /// Size after it was last written anew.
    compact_bytes: u64,
}

impl Journal {
    /// Makes the journal of a new directory.
    pub fn create(handles: &mut Handles, root: &Path) -> io::Result<Journal> {
        let dir = root.join(DIR);
        handles.disk.0.create_dir(&dir)?;
        handles.changed_names(root);
        let journal = Journal::found(root, BTreeMap::new(), 0, 0);
        handles.create(&journal.path)?;
        Ok(journal)
    }

    /// Returns the journal as recovery found it.
    pub fn found(root: &Path, live: BTreeMap<Key, Bytes>, next_offset: i64, bytes: u64) -> Journal {
        Journal {
            path: path(root),
            live,
            next_offset,
            bytes,
            compact_bytes: 0,
        }
    }

    pub fn holds(&self, key: &Key) -> bool {
        self.live.contains_key(key)
    }

    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// Writes facts as one batch: after a crash all of them are there, or none.
    pub fn append(&mut self, handles: &mut Handles, now_ms: i64, facts: &[Fact]) -> io::Result<()> {
        if facts.is_empty() {
            return Ok(());
        }
        let rows = facts.iter().map(|fact| (&fact.key, fact.value.as_ref()));
        let batch = batch(self.next_offset, now_ms, rows);
        handles.append(&self.path, &batch)?;
        self.next_offset += facts.len() as i64;
        self.bytes += batch.len() as u64;
        for fact in facts {
            match &fact.value {
                Some(value) => self.live.insert(fact.key.clone(), value.clone()),
                None => self.live.remove(&fact.key),
            };
        }
        Ok(())
    }

    /// Writes the journal anew where most of it is out of date.
    pub fn tidy(&mut self, handles: &mut Handles, now_ms: i64) -> io::Result<()> {
        if self.bytes < SMALL_BYTES.max(2 * self.compact_bytes) {
            return Ok(());
        }
        let mut fresh = BytesMut::new();
        let live: Vec<(&Key, Option<&Bytes>)> = self
            .live
            .iter()
            .map(|(key, value)| (key, Some(value)))
            .collect();
        for rows in live.chunks(FACTS_A_BATCH) {
            fresh.put_slice(&batch(self.next_offset, now_ms, rows.iter().copied()));
            self.next_offset += rows.len() as i64;
        }
        handles.replace(&self.path, &fresh, true)?;
        self.bytes = fresh.len() as u64;
        self.compact_bytes = self.bytes;
        Ok(())
    }
}

/// Returns where the journal lies.
pub fn path(root: &Path) -> PathBuf {
    segment_path(&root.join(DIR), 0, "log")
}

fn batch<'a>(
    base_offset: i64,
    now_ms: i64,
    rows: impl Iterator<Item = (&'a Key, Option<&'a Bytes>)>,
) -> Bytes {
    let rows: Vec<(Vec<u8>, Option<&Bytes>)> = rows
        .map(|(key, value)| {
            let key = serde_json::to_vec(key).expect("keys are plain names and numbers");
            (key, value)
        })
        .collect();
    let rows = rows
        .iter()
        .map(|(key, value)| (&key[..], value.map(|value| &value[..])));
    records::batch(base_offset, now_ms, rows)
}

/// Adds what one batch of the journal says to `live`.
///
/// # Errors
/// Says what is wrong with it: it is whole, but none of ours.
pub fn read_batch(batch: &[u8], live: &mut BTreeMap<Key, Bytes>) -> Result<(), String> {
    let rows = records::rows(batch).ok_or("a batch holds no keys and values")?;
    for (key, value) in rows {
        let key: Key = serde_json::from_slice(key)
            .map_err(|error| format!("a key is none that this version knows: {error}"))?;
        match value {
            Some(value) => live.insert(key, Bytes::copy_from_slice(value)),
            None => live.remove(&key),
        };
    }
    Ok(())
}
