//! The records inside a batch, of whichever codec: keys, values, headers, timestamps.
//!
//! Layout: <https://kafka.apache.org/documentation/#record>.

use std::borrow::Cow;

use super::batch::{BatchHeader, HEADER_BYTES};
use super::codec::Codec;

/// Offset and timestamp of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordTime {
    pub offset: i64,
    pub timestamp_ms: i64,
}

/// A batch whose records cannot be read: an unknown codec, or bytes that are no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// The records of one batch, decompressed.
#[derive(Debug)]
pub struct Records<'a> {
    header: BatchHeader,
    body: Cow<'a, [u8]>,
}

/// One record of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset: i64,
    pub timestamp_ms: i64,
    pub key: Option<&'a [u8]>,
    /// Nothing for a tombstone.
    pub value: Option<&'a [u8]>,
    /// Number of headers and the headers, as they stand in the batch.
    pub raw_headers: &'a [u8],
}

/// Name and value of one header of a record.
pub type Header<'a> = (&'a [u8], Option<&'a [u8]>);

impl<'a> Records<'a> {
    /// Opens the batch that `batch` begins with.
    ///
    /// # Errors
    /// `Unreadable` where it does not decompress.
    pub fn open(batch: &'a [u8]) -> Result<Records<'a>, Unreadable> {
        let header = BatchHeader::parse(batch).ok_or(Unreadable)?;
        let bytes = &batch[HEADER_BYTES..header.size];
        let body = match Codec::of(header.attributes).ok_or(Unreadable)? {
            Codec::Plain => Cow::Borrowed(bytes),
            codec => Cow::Owned(codec.decompress(bytes).map_err(|_| Unreadable)?),
        };
        Ok(Records { header, body })
    }

    /// Returns the records in the order of their offsets; after one that is none the rest is
    /// not looked at.
    pub fn iter(&self) -> impl Iterator<Item = Result<Record<'_>, Unreadable>> {
        let mut rest = &self.body[..];
        let mut left = self.header.records;
        std::iter::from_fn(move || {
            if left <= 0 {
                return None;
            }
            let record = next_record(&mut rest, &self.header);
            left = if record.is_some() { left - 1 } else { 0 };
            Some(record.ok_or(Unreadable))
        })
    }

    /// Returns all records.
    ///
    /// # Errors
    /// `Unreadable` where one of them is none.
    pub fn all(&self) -> Result<Vec<Record<'_>>, Unreadable> {
        self.iter().collect()
    }
}

impl<'a> Record<'a> {
    /// Returns the headers, or nothing where they do not fit their own lengths.
    pub fn headers(&self) -> Option<Vec<Header<'a>>> {
        let mut rest = self.raw_headers;
        let count = usize::try_from(varint(&mut rest)?).ok()?;
        let header = |_| Some((nullable(&mut rest)??, nullable(&mut rest)?));
        (0..count.min(self.raw_headers.len())).map(header).collect()
    }

    /// Appends the record as it stands in a batch with this base offset and base timestamp.
    pub fn write(&self, into: &mut Vec<u8>, base_offset: i64, base_timestamp: i64) {
        let mut record = vec![0];
        put_varint(&mut record, self.timestamp_ms - base_timestamp);
        put_varint(&mut record, self.offset - base_offset);
        for field in [self.key, self.value] {
            put_varint(&mut record, field.map_or(-1, |bytes| bytes.len() as i64));
            record.extend_from_slice(field.unwrap_or_default());
        }
        record.extend_from_slice(self.raw_headers);
        put_varint(into, record.len() as i64);
        into.extend_from_slice(&record);
    }
}

/// Returns offset and timestamp of every record of a stored batch, in order. A batch that cannot
/// be read counts as one record, with the offset of the first and the highest timestamp: a reader
/// that starts there misses nothing.
pub fn record_times(batch: &[u8]) -> Vec<RecordTime> {
    let Some(header) = BatchHeader::parse(batch) else {
        return Vec::new();
    };
    let whole = RecordTime {
        offset: header.base_offset,
        timestamp_ms: header.max_timestamp,
    };
    let time = |record: Result<Record<'_>, Unreadable>| {
        record.map(|record| RecordTime {
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
        })
    };
    let times = Records::open(batch).and_then(|records| records.iter().map(time).collect());
    times.unwrap_or_else(|Unreadable| vec![whole])
}

/// Takes one record off the front.
fn next_record<'a>(rest: &mut &'a [u8], header: &BatchHeader) -> Option<Record<'a>> {
    let length = usize::try_from(varint(rest)?).ok()?;
    let (mut record, after) = rest.split_at_checked(length)?;
    *rest = after;
    record = record.get(1..)?;
    let timestamp_ms = header.base_timestamp.checked_add(varint(&mut record)?)?;
    let offset = header.base_offset.checked_add(varint(&mut record)?)?;
    Some(Record {
        offset,
        timestamp_ms: match header.has_append_time() {
            true => header.max_timestamp,
            false => timestamp_ms,
        },
        key: nullable(&mut record)?,
        value: nullable(&mut record)?,
        raw_headers: record,
    })
}

/// Takes a length and as many bytes off the front; a negative length stands for null.
fn nullable<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let Ok(length) = usize::try_from(varint(rest)?) else {
        return Some(None);
    };
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(Some(bytes))
}

/// Takes a zigzag number of at most ten bytes off the front.
pub(crate) fn varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}

fn put_varint(into: &mut Vec<u8>, value: i64) {
    let mut bits = ((value << 1) ^ (value >> 63)) as u64;
    while bits >= 0x80 {
        into.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    into.push(bits as u8);
}
