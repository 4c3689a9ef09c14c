//! Records inside a batch: as much of them as a look-up by time needs.

use super::batch::{BatchHeader, HEADER_BYTES};

/// Offset and timestamp of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordTime {
    pub offset: i64,
    pub timestamp_ms: i64,
}

/// Returns offset and timestamp of every record of a stored batch, in order.
///
/// The records of a compressed batch stay closed to the broker: the whole batch counts as one
/// record, with the offset of the first and the highest timestamp. A reader that starts there
/// misses nothing, but may meet records a little earlier than asked for.
pub fn record_times(batch: &[u8]) -> Vec<RecordTime> {
    let Some(header) = BatchHeader::parse(batch) else {
        return Vec::new();
    };
    let at = |offset_delta: i64, timestamp_ms| RecordTime {
        offset: header.base_offset + offset_delta,
        timestamp_ms,
    };
    if header.has_append_time() {
        return (0..=i64::from(header.last_offset_delta))
            .map(|delta| at(delta, header.max_timestamp))
            .collect();
    }
    if header.is_compressed() {
        return vec![at(0, header.max_timestamp)];
    }
    let mut rest = &batch[HEADER_BYTES..header.size];
    let mut times = Vec::new();
    while let Some((timestamp_delta, offset_delta)) = next_record(&mut rest) {
        times.push(at(offset_delta, header.base_timestamp + timestamp_delta));
    }
    times
}

/// Takes one record off the front; its deltas of time and offset.
fn next_record(rest: &mut &[u8]) -> Option<(i64, i64)> {
    let length = usize::try_from(varint(rest)?).ok()?;
    let mut record = rest.get(..length)?;
    *rest = &rest[length..];
    record = record.get(1..)?;
    Some((varint(&mut record)?, varint(&mut record)?))
}

/// Takes a zigzag number of at most ten bytes off the front.
fn varint(bytes: &mut &[u8]) -> Option<i64> {
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
