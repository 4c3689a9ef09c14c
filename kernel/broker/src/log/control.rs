//! Control batches: the markers that end a transaction, one record each.
//!
//! Key and value as Kafka writes them: key `version, type`, value `version, coordinator epoch`
//! (<https://kafka.apache.org/documentation/#controlbatch>). Readers skip them; they take an offset.

use bytes::{BufMut, Bytes, BytesMut};

use super::batch::{self, BatchHeader, HEADER_BYTES};

const ABORT: i16 = 0;
const COMMIT: i16 = 1;
/// Transactional, and a control batch.
const ATTRIBUTES: i16 = 0x30;

/// How a transaction ends in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    Commit,
    Abort,
}

impl Marker {
    /// Returns the marker for a transaction that committed, or did not.
    pub fn of(committed: bool) -> Marker {
        match committed {
            true => Marker::Commit,
            false => Marker::Abort,
        }
    }

    /// Returns the batch that says so for a producer, to be appended.
    pub fn batch(self, producer_id: i64, epoch: i16, coordinator_epoch: i32, now_ms: i64) -> Bytes {
        let kind = match self {
            Marker::Commit => COMMIT,
            Marker::Abort => ABORT,
        };
        let mut record = BytesMut::new();
        record.put_slice(&[0, 0, 0]); // Attributes, and both deltas.
        record.put_u8(4 << 1);
        record.put_i16(0);
        record.put_i16(kind);
        record.put_u8(6 << 1);
        record.put_i16(0);
        record.put_i32(coordinator_epoch);
        record.put_u8(0); // Headers.
        let mut bytes = BytesMut::with_capacity(HEADER_BYTES + 1 + record.len());
        bytes.put_i64(0);
        bytes.put_i32((HEADER_BYTES - batch::PREFIX_BYTES + 1 + record.len()) as i32);
        bytes.put_i32(-1);
        bytes.put_u8(2);
        bytes.put_u32(0);
        bytes.put_i16(ATTRIBUTES);
        bytes.put_i32(0);
        bytes.put_i64(now_ms);
        bytes.put_i64(now_ms);
        bytes.put_i64(producer_id);
        bytes.put_i16(epoch);
        bytes.put_i32(-1);
        bytes.put_i32(1);
        bytes.put_u8((record.len() << 1) as u8);
        bytes.put_slice(&record);
        batch::seal(&mut bytes);
        bytes.freeze()
    }

    /// Returns what a stored control batch says, with the epoch of its coordinator; nothing for
    /// other batches and for kinds of control records that end no transaction.
    pub fn read(header: &BatchHeader, bytes: &[u8]) -> Option<(Marker, i32)> {
        if !header.is_control() || !header.is_transactional() {
            return None;
        }
        let mut rest = bytes.get(HEADER_BYTES..header.size)?;
        skip_varint(&mut rest)?; // Length of the record.
        rest = rest.get(1..)?;
        skip_varint(&mut rest)?; // A cleaning may have changed the delta of time.
        skip_varint(&mut rest)?;
        let key = rest.get(1..5)?;
        let value = rest.get(6..12)?;
        let marker = match i16::from_be_bytes([key[2], key[3]]) {
            COMMIT => Marker::Commit,
            ABORT => Marker::Abort,
            _ => return None,
        };
        let epoch = i32::from_be_bytes([value[2], value[3], value[4], value[5]]);
        Some((marker, epoch))
    }
}

fn skip_varint(rest: &mut &[u8]) -> Option<()> {
    let last = rest.iter().position(|byte| byte & 0x80 == 0)?;
    *rest = &rest[last + 1..];
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marker_is_read_back_as_it_was_written() {
        for marker in [Marker::Commit, Marker::Abort] {
            let bytes = marker.batch(4000, 7, 3, 1_700_000_000_000);
            let header = BatchHeader::parse(&bytes).expect("a whole batch");
            assert_eq!(header.size, bytes.len());
            assert_eq!((header.producer_id, header.producer_epoch), (4000, 7));
            assert_eq!((header.records, header.base_sequence), (1, -1));
            assert!(header.is_control() && header.is_transactional());
            assert_eq!(Marker::read(&header, &bytes), Some((marker, 3)));
        }
    }

    /// Decoded by the `kafka-protocol` crate, which knows nothing of this file.
    #[test]
    fn marker_is_what_others_read() {
        use kafka_protocol::records::RecordBatchDecoder;
        let mut bytes = Marker::Commit.batch(4000, 7, 3, 1_700_000_000_000);
        let sets = RecordBatchDecoder::decode_all(&mut bytes).expect("a batch");
        let record = &sets[0].records[0];
        assert!(record.control && record.transactional);
        assert_eq!((record.producer_id, record.producer_epoch), (4000, 7));
        assert_eq!(record.timestamp, 1_700_000_000_000);
        assert_eq!(record.key.as_deref(), Some(&[0, 0, 0, 1][..]));
        assert_eq!(record.value.as_deref(), Some(&[0, 0, 0, 0, 0, 3][..]));
    }
}
