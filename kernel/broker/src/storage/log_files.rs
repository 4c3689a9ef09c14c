//! The files of one log: `node-1/orders-0/00000000000000000000.log` and its indexes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::handles::Handles;
use super::index::{INTERVAL_BYTES, IndexBuilder};
use crate::log::BatchHeader;

/// The files of one log while it is written.
#[derive(Debug)]
pub struct LogFiles {
    pub dir: PathBuf,
    /// Size of each segment by its base offset; the last one grows.
    segments: BTreeMap<i64, u64>,
    /// The offset after the last record.
    next_offset: i64,
    index: IndexBuilder,
}

/// A segment that will not grow any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedFile {
    pub base_offset: i64,
    pub path: PathBuf,
}

/// Returns the path of a segment's file, named by its first offset as Kafka names it.
pub fn segment_path(dir: &Path, base_offset: i64, extension: &str) -> PathBuf {
    dir.join(format!("{base_offset:020}.{extension}"))
}

impl LogFiles {
    /// Makes the directory of a new log.
    pub fn create(handles: &mut Handles, dir: PathBuf, topic: Uuid) -> io::Result<LogFiles> {
        handles.disk.0.create_dir(&dir)?;
        let path = dir.join(METADATA);
        handles.append(&path, partition_metadata(topic).as_bytes())?;
        handles.close(&path);
        for made in [
            Some(dir.as_path()),
            dir.parent(),
            dir.parent().and_then(Path::parent),
        ] {
            handles.changed_names(made.unwrap_or(&dir));
        }
        Ok(LogFiles::found(
            dir,
            BTreeMap::new(),
            0,
            IndexBuilder::new(0, INTERVAL_BYTES),
        ))
    }

    /// Returns the files of a log as recovery found them.
    pub fn found(
        dir: PathBuf,
        segments: BTreeMap<i64, u64>,
        next_offset: i64,
        index: IndexBuilder,
    ) -> LogFiles {
        LogFiles {
            dir,
            segments,
            next_offset,
            index,
        }
    }

    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// Writes batches at the end.
    pub fn append(&mut self, handles: &mut Handles, bytes: &[u8]) -> io::Result<()> {
        let Some((&base_offset, size)) = self.segments.iter_mut().next_back() else {
            return Err(io::Error::other("a batch came before its segment"));
        };
        let header = BatchHeader::parse(bytes);
        let header = header.ok_or_else(|| io::Error::other("a batch came that is none"))?;
        handles.append(&segment_path(&self.dir, base_offset, "log"), bytes)?;
        self.index.note(&header, *size);
        *size += bytes.len() as u64;
        self.next_offset = header.last_offset() + 1;
        Ok(())
    }

    /// Closes the last segment and begins the next one.
    pub fn roll(
        &mut self,
        handles: &mut Handles,
        base_offset: i64,
        interval_bytes: usize,
    ) -> io::Result<Option<SealedFile>> {
        self.write_indexes(handles)?;
        let sealed = self.segments.iter().next_back();
        let sealed = sealed.map(|(&base, &size)| (base, size));
        self.begin(handles, base_offset, interval_bytes)?;
        let Some((old, size)) = sealed.filter(|(old, _)| *old != base_offset) else {
            return Ok(None);
        };
        let path = segment_path(&self.dir, old, "log");
        handles.close(&path);
        Ok((size > 0).then_some(SealedFile {
            base_offset: old,
            path,
        }))
    }

    /// Writes the indexes of the last segment, for whoever looks at the files.
    pub fn write_indexes(&self, handles: &mut Handles) -> io::Result<()> {
        let Some((&base_offset, _)) = self.segments.iter().next_back() else {
            return Ok(());
        };
        write_indexes(handles, &self.dir, base_offset, &self.index)
    }

    /// Takes away the records from `offset` on; a batch begins there.
    pub fn truncate_to(&mut self, handles: &mut Handles, offset: i64) -> io::Result<()> {
        while let Some((&base, _)) = self.segments.iter().next_back() {
            if base < offset || self.segments.len() == 1 {
                break;
            }
            self.remove_segment(handles, base)?;
        }
        let Some((&base, &size)) = self.segments.iter().next_back() else {
            return Ok(());
        };
        let path = segment_path(&self.dir, base, "log");
        let bytes = std::fs::read(&path)?;
        let mut kept = 0;
        self.index = IndexBuilder::new(base, INTERVAL_BYTES);
        while let Some(header) = BatchHeader::parse(&bytes[kept..]) {
            if header.base_offset >= offset {
                break;
            }
            self.index.note(&header, kept as u64);
            kept += header.size;
        }
        if (kept as u64) < size {
            // Beside the old file, never inside it: a sealed segment is mapped into memory, and
            // readers may still hold pieces of it.
            handles.replace(&path, &bytes[..kept], true)?;
        }
        self.remove_indexes(handles, base)?;
        self.segments.insert(base, kept as u64);
        self.next_offset = offset;
        Ok(())
    }

    /// Takes away whole segments that hold nothing from `offset` on.
    pub fn drop_before(&mut self, handles: &mut Handles, offset: i64) -> io::Result<()> {
        while let Some((&base, _)) = self.segments.iter().next() {
            let next = self.segments.keys().nth(1).copied();
            if next.unwrap_or(self.next_offset) > offset {
                break;
            }
            self.remove_segment(handles, base)?;
        }
        Ok(())
    }

    /// Takes away everything; the log goes on at `offset`.
    pub fn restart_at(&mut self, handles: &mut Handles, offset: i64) -> io::Result<()> {
        for base in self.segments.keys().copied().collect::<Vec<_>>() {
            self.remove_segment(handles, base)?;
        }
        self.next_offset = offset;
        Ok(())
    }

    /// Puts one segment in the place of those that begin in `from..to`.
    pub fn replace(
        &mut self,
        handles: &mut Handles,
        from: i64,
        to: i64,
        bytes: &[u8],
    ) -> io::Result<SealedFile> {
        let path = segment_path(&self.dir, from, "log");
        let swap = self.dir.join(swap_name(from, to));
        handles.replace(&swap, bytes, true)?;
        handles.disk.0.sync_dir(&self.dir)?;
        finish_swap(
            handles,
            &self.dir,
            from,
            self.segments.range(from..to).map(|(&b, _)| b),
            &swap,
        )?;
        let gone: Vec<i64> = self
            .segments
            .range(from..to)
            .map(|(&base, _)| base)
            .collect();
        for base in gone {
            self.segments.remove(&base);
        }
        self.segments.insert(from, bytes.len() as u64);
        let mut index = IndexBuilder::new(from, INTERVAL_BYTES);
        let mut position = 0;
        while let Some(header) = BatchHeader::parse(&bytes[position..]) {
            index.note(&header, position as u64);
            position += header.size;
        }
        write_indexes(handles, &self.dir, from, &index)?;
        Ok(SealedFile {
            base_offset: from,
            path,
        })
    }

    /// Takes the whole log away: first its name, so that a crash leaves nothing that looks whole.
    pub fn delete(self, handles: &mut Handles) -> io::Result<()> {
        handles.forget_dir(&self.dir);
        let gone = deleted_path(&self.dir);
        if gone.exists() {
            handles.disk.0.remove_dir(&gone)?;
        }
        handles.disk.0.rename(&self.dir, &gone)?;
        handles.disk.0.remove_dir(&gone)?;
        if let Some(parent) = self.dir.parent() {
            handles.changed_names(parent);
        }
        Ok(())
    }

    fn begin(
        &mut self,
        handles: &mut Handles,
        base_offset: i64,
        interval_bytes: usize,
    ) -> io::Result<()> {
        handles.create(&segment_path(&self.dir, base_offset, "log"))?;
        self.segments.insert(base_offset, 0);
        self.next_offset = base_offset;
        self.index = IndexBuilder::new(base_offset, interval_bytes);
        Ok(())
    }

    fn remove_segment(&mut self, handles: &mut Handles, base: i64) -> io::Result<()> {
        self.segments.remove(&base);
        handles.remove(&segment_path(&self.dir, base, "log"))?;
        self.remove_indexes(handles, base)?;
        handles.changed_names(&self.dir);
        Ok(())
    }

    fn remove_indexes(&self, handles: &mut Handles, base: i64) -> io::Result<()> {
        handles.remove(&segment_path(&self.dir, base, "index"))?;
        handles.remove(&segment_path(&self.dir, base, "timeindex"))
    }
}

/// Writes both indexes of a segment. They can be worked out again, so nothing waits for them.
pub fn write_indexes(
    handles: &mut Handles,
    dir: &Path,
    base_offset: i64,
    index: &IndexBuilder,
) -> io::Result<()> {
    let (offsets, times) = index.files();
    for (extension, bytes) in [("index", offsets), ("timeindex", times)] {
        let path = segment_path(dir, base_offset, extension);
        handles.write_whole(&path, &bytes, false)?;
    }
    Ok(())
}

/// Moves a compacted segment to its place. May be done again after a crash at any point in it.
pub fn finish_swap(
    handles: &mut Handles,
    dir: &Path,
    from: i64,
    replaced: impl Iterator<Item = i64>,
    swap: &Path,
) -> io::Result<()> {
    for base in replaced.filter(|base| *base != from) {
        for extension in ["log", "index", "timeindex"] {
            handles.remove(&segment_path(dir, base, extension))?;
        }
    }
    for extension in ["index", "timeindex"] {
        handles.remove(&segment_path(dir, from, extension))?;
    }
    handles.rename(swap, &segment_path(dir, from, "log"))
}

/// Returns the name of a compacted segment that is about to take the place of `from..to`.
fn swap_name(from: i64, to: i64) -> String {
    format!("{from:020}.{to:020}.swap")
}

/// Returns which segments a swap file stands for.
pub fn parse_swap_name(name: &str) -> Option<(i64, i64)> {
    let (from, to) = name.strip_suffix(".swap")?.split_once('.')?;
    Some((parse_offset(from)?, parse_offset(to)?))
}

/// Returns the offset that 20 digits stand for.
pub fn parse_offset(digits: &str) -> Option<i64> {
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// Kafka's name for the file that tells which topic a directory belongs to.
pub const METADATA: &str = "partition.metadata";
const DELETED: &str = "-delete";

fn deleted_path(dir: &Path) -> PathBuf {
    let mut name = dir.to_owned().into_os_string();
    name.push(DELETED);
    PathBuf::from(name)
}

/// Returns true for the directory of a log that was being deleted.
pub fn is_deleted(name: &str) -> bool {
    name.ends_with(DELETED)
}

fn partition_metadata(topic: Uuid) -> String {
    format!("version: 0\ntopic_id: {topic}\n")
}

/// Returns the topic that a directory belongs to, where its metadata is whole.
pub fn parse_partition_metadata(text: &str) -> Option<Uuid> {
    let rest = text.strip_prefix("version: 0\ntopic_id: ")?;
    rest.strip_suffix('\n')?.parse().ok()
}
