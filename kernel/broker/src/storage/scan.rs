//! Reads a segment as a crash may have left it: whole batches up to the first that is not.

use crate::log::BatchHeader;
use crate::log::batch;

/// Checksums compared behind a fault, so that no bytes can make a start slow.
const MOST_TRIES: usize = 10_000;

/// What was found in the bytes of a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Header of each whole batch and where it begins.
    pub batches: Vec<(BatchHeader, u32)>,
    /// Bytes of the whole batches: a torn tail begins here.
    pub valid_bytes: usize,
    /// The offset after the last record.
    pub next_offset: i64,
    pub records: u64,
    /// Why the scan stopped before the end.
    pub fault: Option<Fault>,
}

/// The first thing in a segment that is no whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub position: usize,
    /// The offset that a batch here would begin with.
    pub offset: i64,
    pub why: &'static str,
    /// Whole batches that can be recognised further on: they would go with the tail.
    pub batches_behind: usize,
}

/// Whether offsets may be missing between batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// As in the log of a compacted topic.
    Allowed,
    Damage,
}

/// Returns what `bytes` hold of a segment whose first record should have `next_offset`.
///
/// Every length is checked before it is believed and every checksum is compared, so that any bytes
/// may be given. The batches returned are whole, in order, and fill `valid_bytes` exactly.
pub fn scan(bytes: &[u8], next_offset: i64, gaps: Gaps) -> Scan {
    let mut found = Scan {
        next_offset,
        ..Scan::default()
    };
    while found.valid_bytes < bytes.len() {
        let rest = &bytes[found.valid_bytes..];
        match whole_batch(rest, found.next_offset, gaps) {
            Ok(header) => {
                found.batches.push((header, found.valid_bytes as u32));
                found.valid_bytes += header.size;
                found.next_offset = header.last_offset() + 1;
                found.records += u64::from(header.records.unsigned_abs());
            }
            Err(why) => {
                found.fault = Some(Fault {
                    position: found.valid_bytes,
                    offset: found.next_offset,
                    why,
                    batches_behind: batches_behind(rest, found.next_offset),
                });
                break;
            }
        }
    }
    found
}

fn whole_batch(bytes: &[u8], next_offset: i64, gaps: Gaps) -> Result<BatchHeader, &'static str> {
    let header = BatchHeader::parse(bytes).ok_or("the file ends within a batch")?;
    let bytes = &bytes[..header.size];
    if !batch::is_intact(bytes) {
        return Err("the checksum of a batch is wrong");
    }
    if header.last_offset_delta < 0 || header.base_offset < 0 || header.records < 0 {
        return Err("the header of a batch makes no sense");
    }
    let end = header
        .base_offset
        .checked_add(i64::from(header.last_offset_delta));
    if end.is_none_or(|end| end == i64::MAX) {
        return Err("the offset of a batch makes no sense");
    }
    if header.base_offset < next_offset {
        return Err("the offset of a batch comes twice");
    }
    if header.base_offset > next_offset && gaps == Gaps::Damage {
        return Err("offsets are missing before a batch");
    }
    Ok(header)
}

/// Counts whole batches behind a fault, to tell a torn tail from a hole in the middle. Looks at
/// places where the format's number stands, and believes checksums only.
fn batches_behind(bytes: &[u8], next_offset: i64) -> usize {
    let (mut at, mut count, mut tries) = (1, 0, 0);
    while at + batch::HEADER_BYTES <= bytes.len() && tries < MOST_TRIES {
        let rest = &bytes[at..];
        match BatchHeader::parse(rest) {
            Some(header) if batch::is_version_2(rest) && header.base_offset >= next_offset => {
                tries += 1;
                let whole = batch::is_intact(&rest[..header.size]);
                count += usize::from(whole);
                at += if whole { header.size } else { 1 };
            }
            _ => at += 1,
        }
    }
    count
}
