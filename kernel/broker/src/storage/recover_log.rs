//! Reads one log back: its segments in order, a torn tail cut off, its indexes as they should be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::index::IndexBuilder;
use super::log_files::{self, LogFiles, parse_offset, segment_path};
use super::recover::{Recovering, entries};
use super::scan::{Gaps, Scan, scan};
use super::{damaged, failing, mapped};
use crate::brokers::{StoredLog, StoredSegment};
use crate::error::Result;

/// What is known of a log before its files are read.
pub struct Log {
    pub dir: PathBuf,
    pub topic: String,
    pub start_offset: i64,
    /// The offset up to which it is known to have reached the disk.
    pub good: i64,
    pub gaps: Gaps,
    pub interval_bytes: usize,
}

/// Files that Kafka keeps beside its segments, and that say nothing new.
const KAFKAS: [&str; 3] = [".snapshot", ".txnindex", "leader-epoch-checkpoint"];

/// Reads the segments of one log.
///
/// # Errors
/// Names the file and offset of what is missing, damaged or unknown.
pub fn recover_log(recovering: &mut Recovering, log: Log) -> Result<(StoredLog, LogFiles)> {
    finish_what_was_begun(recovering, &log.dir)?;
    let bases = segments(&log.dir)?;
    let mut sizes = BTreeMap::new();
    let mut stored = StoredLog {
        topic: log.topic.clone(),
        start_offset: log.start_offset,
        segments: Vec::new(),
    };
    let mut next_offset = bases.first().copied().unwrap_or(0);
    let mut index = IndexBuilder::new(next_offset, log.interval_bytes);
    for (number, &base) in bases.iter().enumerate() {
        let last = number + 1 == bases.len();
        let path = segment_path(&log.dir, base, "log");
        check_begin(&path, base, next_offset, log.gaps)?;
        let bytes = read(&path, last)?;
        let scanned = scan(&bytes, base, log.gaps);
        recovering.cut(&path, &bytes, &scanned, log.good, last)?;
        next_offset = scanned.next_offset;
        index = indexed(base, log.interval_bytes, &scanned);
        check_indexes(recovering, &log.dir, base, &index, last)?;
        count(recovering, &scanned);
        sizes.insert(base, scanned.valid_bytes as u64);
        stored.segments.push(StoredSegment {
            base_offset: base,
            pieces: vec![bytes.slice(..scanned.valid_bytes)],
        });
    }
    if next_offset < log.good && log.start_offset < log.good {
        let path = segment_path(&log.dir, bases.last().copied().unwrap_or(0), "log");
        return Err(damaged(
            &path,
            next_offset,
            sizes.values().last().copied().unwrap_or(0) as usize,
            "the log ends here, and is known to have been longer",
        ));
    }
    let mut files = LogFiles::found(log.dir, sizes, next_offset, index);
    if !stored.segments.is_empty() && log.start_offset > next_offset {
        // All that is left lies before the log's beginning.
        let path = files.dir.clone();
        let restarted = files.restart_at(&mut recovering.handles, log.start_offset);
        restarted.map_err(|source| failing(&path, source))?;
        stored.segments.clear();
    }
    Ok((stored, files))
}

/// Returns true where a directory holds any segment.
pub fn has_segments(dir: &Path) -> Result<bool> {
    Ok(!segments(dir)?.is_empty())
}

/// Finishes compactions that had their result ready, and forgets those that had not.
fn finish_what_was_begun(recovering: &mut Recovering, dir: &Path) -> Result<()> {
    for (name, path) in entries(dir)? {
        if name.ends_with(".cleaned") {
            let removed = recovering.handles.remove(&path);
            removed.map_err(|source| failing(&path, source))?;
        } else if let Some((from, to)) = log_files::parse_swap_name(&name) {
            let replaced = segments(dir)?;
            let replaced = replaced
                .into_iter()
                .filter(|base| (from..to).contains(base));
            log_files::finish_swap(&mut recovering.handles, dir, from, replaced, &path)
                .map_err(|source| failing(&path, source))?;
        }
    }
    Ok(())
}

/// Returns the base offsets of a directory's segments, in order.
fn segments(dir: &Path) -> Result<Vec<i64>> {
    let mut bases = Vec::new();
    for (name, path) in entries(dir)? {
        let known = name == log_files::METADATA
            || name.ends_with(".cleaned")
            || log_files::parse_swap_name(&name).is_some()
            || KAFKAS.iter().any(|kafkas| name.ends_with(kafkas));
        match name.split_once('.') {
            Some((digits, "log")) if parse_offset(digits).is_some() => {
                bases.extend(parse_offset(digits));
            }
            Some((digits, "index" | "timeindex")) if parse_offset(digits).is_some() => {}
            _ if known => {}
            _ => return Err(damaged(&path, 0, 0, "it is no file of a log")),
        }
    }
    bases.sort_unstable();
    Ok(bases)
}

/// Returns an error where a segment does not go on where the one before it ended.
fn check_begin(path: &Path, base: i64, next_offset: i64, gaps: Gaps) -> Result<()> {
    if base > next_offset && gaps == Gaps::Damage {
        let why = format!("the records from {next_offset} on are missing before it");
        return Err(damaged(path, next_offset, 0, &why));
    }
    if base < next_offset {
        return Err(damaged(
            path,
            base,
            0,
            "the segment before it reaches into it",
        ));
    }
    Ok(())
}

/// Closed segments are read where they lie; the last one goes on growing in memory.
fn read(path: &Path, last: bool) -> Result<Bytes> {
    let bytes = match last {
        true => std::fs::read(path).map(Bytes::from),
        false => mapped::map(path),
    };
    bytes.map_err(|source| failing(path, source))
}

fn indexed(base: i64, interval_bytes: usize, scanned: &Scan) -> IndexBuilder {
    let mut index = IndexBuilder::new(base, interval_bytes);
    for (header, position) in &scanned.batches {
        index.note(header, u64::from(*position));
    }
    index
}

/// Writes the indexes of a segment again where they are not what they should be.
fn check_indexes(
    recovering: &mut Recovering,
    dir: &Path,
    base: i64,
    index: &IndexBuilder,
    last: bool,
) -> Result<()> {
    let (offsets, times) = index.files();
    let same = |extension: &str, bytes: &[u8]| {
        let found = std::fs::read(segment_path(dir, base, extension));
        found.is_ok_and(|found| found == bytes)
    };
    if same("index", &offsets) && same("timeindex", &times) {
        return Ok(());
    }
    // Those of the last segment are written when it is closed: a crash leaves old ones, or none.
    if !last || recovering.clean {
        recovering.report.rebuilt_indexes += 1;
    }
    log_files::write_indexes(&mut recovering.handles, dir, base, index)
        .map_err(|source| failing(dir, source))
}

fn count(recovering: &mut Recovering, scanned: &Scan) {
    let report = &mut recovering.report;
    report.segments += 1;
    report.batches += scanned.batches.len() as u64;
    report.records += scanned.records;
    report.bytes += scanned.valid_bytes as u64;
}
