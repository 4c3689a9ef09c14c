//! Record batches of the simulated clients: every record carries a number by which it is known.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::log::BatchHeader;
use crate::log::batch::HEADER_BYTES;

const TRANSACTIONAL_BIT: i16 = 0x10;

/// Names one record for its whole life: who made it, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    pub producer: u16,
    pub number: u32,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}#{}", self.producer, self.number)
    }
}

/// Who sends a batch: producer id, epoch and first sequence number; -1 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub producer_id: i64,
    pub epoch: i16,
    pub sequence: i32,
    pub transactional: bool,
}

impl Stamp {
    pub const NONE: Stamp = Stamp {
        producer_id: -1,
        epoch: -1,
        sequence: -1,
        transactional: false,
    };
}

/// What one offset of a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub offset: i64,
    pub kind: EntryKind,
    pub leader_epoch: i32,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub transactional: bool,
}

/// A record, or the end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Record(RecordId),
    Commit,
    Abort,
}

/// Returns a batch as a client sends it.
pub fn encode(records: &[RecordId], timestamp_ms: i64, stamp: Stamp) -> Bytes {
    let count = records.len() as i32;
    let mut batch = BytesMut::with_capacity(HEADER_BYTES + records.len() * 24);
    batch.put_i64(0);
    batch.put_i32(0);
    batch.put_i32(-1);
    batch.put_i8(2);
    batch.put_u32(0);
    batch.put_i16(if stamp.transactional {
        TRANSACTIONAL_BIT
    } else {
        0
    });
    batch.put_i32(count - 1);
    batch.put_i64(timestamp_ms);
    batch.put_i64(timestamp_ms);
    batch.put_i64(stamp.producer_id);
    batch.put_i16(stamp.epoch);
    batch.put_i32(stamp.sequence);
    batch.put_i32(count);
    for (delta, record) in records.iter().enumerate() {
        // Attributes, time, offset, no key, six bytes of value, no headers: all of them but the
        // offset fit in one byte each.
        let offset = zigzag(delta as i64);
        let width = if offset < 0x80 { 1 } else { 2 };
        batch.put_u8(2 * (11 + width));
        batch.put_slice(&[0, 0]);
        varint(&mut batch, offset);
        batch.put_slice(&[1, 12]);
        batch.put_u16(record.producer);
        batch.put_u32(record.number);
        batch.put_u8(0);
    }
    let length = (batch.len() - 12) as i32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let sum = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&sum.to_be_bytes());
    batch.freeze()
}

/// Reads stored batches; stops quietly at what is no batch of ours.
pub fn decode(mut bytes: &[u8], mut each: impl FnMut(Entry)) {
    while let Some(header) = BatchHeader::parse(bytes) {
        let (batch, rest) = bytes.split_at(header.size);
        decode_one(&header, batch, &mut each);
        bytes = rest;
    }
}

fn decode_one(header: &BatchHeader, batch: &[u8], each: &mut impl FnMut(Entry)) {
    let epoch: [u8; 4] = [batch[12], batch[13], batch[14], batch[15]];
    let mut records = &batch[HEADER_BYTES..];
    for _ in 0..header.records {
        let Some(record) = next_record(&mut records) else {
            return;
        };
        let kind = match (header.is_control(), record.key, record.value) {
            (true, [_, _, _, 0, ..], _) => EntryKind::Abort,
            (true, _, _) => EntryKind::Commit,
            (false, _, &[a, b, c, d, e, f]) => EntryKind::Record(RecordId {
                producer: u16::from_be_bytes([a, b]),
                number: u32::from_be_bytes([c, d, e, f]),
            }),
            (false, ..) => continue,
        };
        each(Entry {
            offset: header.base_offset + record.offset_delta,
            kind,
            leader_epoch: i32::from_be_bytes(epoch),
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
            transactional: header.is_transactional(),
        });
    }
}

struct Raw<'a> {
    offset_delta: i64,
    key: &'a [u8],
    value: &'a [u8],
}

fn next_record<'a>(rest: &mut &'a [u8]) -> Option<Raw<'a>> {
    let length = usize::try_from(unzigzag(rest)?).ok()?;
    let mut record = rest.get(..length)?;
    *rest = &rest[length..];
    record = record.get(1..)?;
    unzigzag(&mut record)?;
    let offset_delta = unzigzag(&mut record)?;
    let key = field(&mut record)?;
    let value = field(&mut record)?;
    Some(Raw {
        offset_delta,
        key,
        value,
    })
}

fn field<'a>(record: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = unzigzag(record)?;
    let length = usize::try_from(length.max(0)).ok()?;
    let (field, rest) = record.split_at_checked(length)?;
    *record = rest;
    Some(field)
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn varint(into: &mut BytesMut, mut bits: u64) {
    while bits >= 0x80 {
        into.put_u8(bits as u8 | 0x80);
        bits >>= 7;
    }
    into.put_u8(bits as u8);
}

fn unzigzag(bytes: &mut &[u8]) -> Option<i64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_accepted_and_decoded() {
        let records: Vec<RecordId> = (0..100)
            .map(|number| RecordId {
                producer: 3,
                number,
            })
            .collect();
        let bytes = encode(&records, 1_000, Stamp::NONE);
        let header = BatchHeader::check(&bytes).expect("a batch that a broker stores");
        assert_eq!(header.records, 100);
        let mut read = Vec::new();
        decode(&bytes, |entry| read.push((entry.offset, entry.kind)));
        let sent = records.iter().enumerate();
        let sent: Vec<_> = sent
            .map(|(offset, id)| (offset as i64, EntryKind::Record(*id)))
            .collect();
        assert_eq!(read, sent);
    }
}
