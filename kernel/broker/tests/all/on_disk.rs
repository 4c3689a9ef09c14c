//! Set-up for tests of the storage: a data directory written without a server, and disks that fail.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use headwater_broker::brokers::{Brokers, Change, Key, Node};
use headwater_broker::storage::disk::RealDisk;
use headwater_broker::storage::{Disk, DiskFile, DiskRef, Event, Storage, Writer};
use headwater_broker::{BrokerSettings, Flush};

use crate::stepped::Stepped;

pub const PATIENCE: Duration = Duration::from_secs(60);

/// A durable cluster, stepped by hand, and the directory its changes go to.
pub struct OnDisk {
    pub stepped: Stepped,
    writer: Writer,
    events: Receiver<Event>,
    written: u64,
    facts: BTreeMap<Key, Bytes>,
}

pub fn settings() -> BrokerSettings {
    BrokerSettings {
        durable: true,
        ..BrokerSettings::default()
    }
}

pub fn node() -> Node {
    Node {
        id: 1,
        host: "localhost".to_owned(),
        port: 9092,
        rack: None,
    }
}

impl OnDisk {
    pub fn open(dir: &Path) -> OnDisk {
        OnDisk::open_with(dir, Flush::None)
    }

    pub fn open_with(dir: &Path, flush: Flush) -> OnDisk {
        let storage = Storage::open(dir, flush, DiskRef::default());
        OnDisk::start(storage.expect("a directory that can be opened"))
    }

    pub fn start(mut storage: Storage) -> OnDisk {
        let stored = std::mem::take(&mut storage.stored);
        let facts = stored.facts.clone();
        let mut stepped = Stepped::with(settings());
        let restored = Brokers::restore(settings(), vec![node()], 7, stepped.now_ms, stored);
        stepped.brokers = restored.expect("facts that fit");
        let (tell, events) = channel();
        let writer = Writer::start(storage, move |event| {
            let _ = tell.send(event);
        });
        OnDisk {
            stepped,
            writer: writer.expect("a thread"),
            events,
            written: 0,
            facts,
        }
    }

    /// Writes what was changed since the last call, and waits until it is stored.
    pub fn write(&mut self) {
        let changes = std::mem::take(&mut self.stepped.changes);
        self.write_changes(changes);
    }

    pub fn write_changes(&mut self, changes: Vec<Change>) {
        self.written += 1;
        self.writer.write(self.written, changes);
        loop {
            match self
                .events
                .recv_timeout(PATIENCE)
                .expect("word from the writer")
            {
                Event::Durable(number) if number == self.written => return,
                Event::Durable(_) => {}
                Event::Sealed(place, base_offset, bytes) => {
                    self.stepped.brokers.map_segment(place, base_offset, bytes);
                }
                Event::Failed(why) => panic!("{why}"),
            }
        }
    }

    /// Returns the facts that were there when the directory was opened.
    pub fn stored_facts(&self) -> impl Iterator<Item = (Key, Bytes)> {
        self.facts.clone().into_iter()
    }

    pub fn close(self) -> Stepped {
        self.writer.close().expect("a clean end");
        self.stepped
    }
}

/// Copies a directory as it is now: what a process that is killed at this moment leaves behind.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &target),
            false => {
                std::fs::copy(entry.path(), target).expect("a copy");
            }
        }
    }
}

/// Returns the path of a segment of partition 0 of `flights`.
pub fn segment(dir: &Path, base_offset: i64, extension: &str) -> PathBuf {
    dir.join(format!("node-1/flights-0/{base_offset:020}.{extension}"))
}

/// A disk that fails when it is told to, and counts what it is asked for.
#[derive(Debug, Default)]
pub struct FailingDisk {
    /// Bytes that still fit where `full` is set; beyond them a write is cut short.
    pub room: AtomicI64,
    pub full: AtomicBool,
    pub sync_fails: AtomicBool,
    pub syncs: AtomicU64,
}

impl FailingDisk {
    pub fn new() -> (Arc<FailingDisk>, DiskRef) {
        let disk = Arc::new(FailingDisk::default());
        (disk.clone(), DiskRef(Arc::new(Shared(disk))))
    }

    pub fn fill_up_after(&self, bytes: i64) {
        self.room.store(bytes, Ordering::SeqCst);
        self.full.store(true, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct Shared(Arc<FailingDisk>);

struct File(Arc<FailingDisk>, Box<dyn DiskFile>);

impl Disk for Shared {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File(self.0.clone(), RealDisk.open(path)?)))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
}

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.0.full.load(Ordering::SeqCst) {
            return self.1.append(bytes);
        }
        let room = self.0.room.fetch_sub(bytes.len() as i64, Ordering::SeqCst);
        let fitting = room.clamp(0, bytes.len() as i64) as usize;
        self.1.append(&bytes[..fitting])?;
        match fitting == bytes.len() {
            true => Ok(()),
            false => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.1.truncate(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        match self.0.sync_fails.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk gave up")),
            false => self.1.sync(),
        }
    }
}
