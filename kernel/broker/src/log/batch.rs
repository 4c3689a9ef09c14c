//! The header of a record batch, version 2: the only part of a batch that the broker reads.
//!
//! Layout: <https://kafka.apache.org/documentation/#recordbatch>. The checksum covers everything
//! from the attributes on, so base offset and leader epoch can be rewritten without touching it.

use kafka_protocol::ResponseError;

/// Bytes before the first record.
pub const HEADER_BYTES: usize = 61;
/// Bytes of base offset and length, which the length field does not count.
pub const PREFIX_BYTES: usize = 12;

const LEADER_EPOCH: usize = 12;
const MAGIC: usize = 16;
const CHECKSUM: usize = 17;
const ATTRIBUTES: usize = 21;
const MAX_TIMESTAMP: usize = 35;

const APPEND_TIME_BIT: i16 = 0x08;
const TRANSACTIONAL_BIT: i16 = 0x10;
const CONTROL_BIT: i16 = 0x20;
/// The base timestamp is the time until which tombstones stay (KIP-534).
const DELETE_HORIZON_BIT: i16 = 0x40;
const CODEC_BITS: i16 = 0x07;
const BASE_TIMESTAMP: usize = 27;
const RECORDS: usize = 57;

/// The fields of one batch header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: i64,
    /// Size of the whole batch, prefix included.
    pub size: usize,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub records: i32,
}

impl BatchHeader {
    /// Returns the header of the batch that `bytes` begins with, or nothing where there is no
    /// whole one. Checks lengths only.
    pub fn parse(bytes: &[u8]) -> Option<BatchHeader> {
        if bytes.len() < HEADER_BYTES {
            return None;
        }
        let length = usize::try_from(int32(bytes, 8)).ok()?;
        let size = length.checked_add(PREFIX_BYTES)?;
        if size < HEADER_BYTES || size > bytes.len() {
            return None;
        }
        Some(BatchHeader {
            base_offset: int64(bytes, 0),
            size,
            attributes: int16(bytes, ATTRIBUTES),
            last_offset_delta: int32(bytes, 23),
            base_timestamp: int64(bytes, BASE_TIMESTAMP),
            max_timestamp: int64(bytes, MAX_TIMESTAMP),
            producer_id: int64(bytes, 43),
            producer_epoch: int16(bytes, 51),
            base_sequence: int32(bytes, 53),
            records: int32(bytes, RECORDS),
        })
    }

    /// Returns the header of a batch that a client sent, if it may be stored as it is.
    ///
    /// # Errors
    /// `CorruptMessage` for a wrong checksum or length, `InvalidRecord` for what no client may
    /// send (control batches, several batches, record counts that do not fit),
    /// `UnsupportedForMessageFormat` for the formats before Kafka 0.11.
    pub fn check(bytes: &[u8]) -> Result<BatchHeader, ResponseError> {
        if bytes.len() > MAGIC && bytes[MAGIC] < 2 {
            return Err(ResponseError::UnsupportedForMessageFormat);
        }
        let header = BatchHeader::parse(bytes).ok_or(ResponseError::CorruptMessage)?;
        // From version 3 of Produce on a partition carries exactly one batch.
        if header.size != bytes.len() || bytes[MAGIC] != 2 {
            return Err(ResponseError::InvalidRecord);
        }
        if checksum(bytes) != uint32(bytes, CHECKSUM) {
            return Err(ResponseError::CorruptMessage);
        }
        let counted = header.records > 0 && header.records - 1 == header.last_offset_delta;
        if !counted || header.is_control() {
            return Err(ResponseError::InvalidRecord);
        }
        Ok(header)
    }

    /// Returns the offset of the last record.
    pub fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    /// Returns the sequence number of the last record; numbers wrap after `i32::MAX`.
    pub fn last_sequence(&self) -> i32 {
        ((i64::from(self.base_sequence) + i64::from(self.last_offset_delta)) & 0x7fff_ffff) as i32
    }

    /// Returns true where the batch comes from an idempotent producer.
    pub fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }

    /// Returns true for the markers that end a transaction.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }

    /// Returns true for a batch inside a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// Returns true where all records carry the time of their arrival, `max_timestamp`.
    pub fn has_append_time(&self) -> bool {
        self.attributes & APPEND_TIME_BIT != 0
    }

    /// Returns true where the records are compressed, with whichever codec.
    pub fn is_compressed(&self) -> bool {
        self.attributes & CODEC_BITS != 0
    }

    /// Returns when the tombstones of this batch, or the marker it is, may go; nothing before
    /// a first cleaning has seen them.
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON_BIT != 0).then_some(self.base_timestamp)
    }
}

/// Returns true where the format's number, at its place in the header, is 2.
///
/// # Panics
/// Where `bytes` is shorter than a header.
pub fn is_version_2(bytes: &[u8]) -> bool {
    bytes[MAGIC] == 2
}

/// Returns true where one whole batch of version 2 carries the right checksum.
///
/// # Panics
/// Where `bytes` is shorter than a header.
pub fn is_intact(bytes: &[u8]) -> bool {
    is_version_2(bytes) && checksum(bytes) == uint32(bytes, CHECKSUM)
}

/// Returns the offset of the last record of the batch that `bytes` begins with.
///
/// # Panics
/// Where `bytes` is no stored batch.
pub fn last_offset(bytes: &[u8]) -> i64 {
    int64(bytes, 0) + i64::from(int32(bytes, 23))
}

/// Returns the base offset of a stored batch.
///
/// # Panics
/// Where `bytes` is no stored batch.
pub fn base_offset(bytes: &[u8]) -> i64 {
    int64(bytes, 0)
}

/// Returns the leader epoch under which a stored batch was written.
///
/// # Panics
/// Where `bytes` is no stored batch.
pub fn leader_epoch(bytes: &[u8]) -> i32 {
    int32(bytes, LEADER_EPOCH)
}

/// Gives a stored batch its place in the log; the checksum does not cover these two fields.
pub fn place(batch: &mut [u8], base_offset: i64, leader_epoch: i32) {
    batch[..8].copy_from_slice(&base_offset.to_be_bytes());
    batch[LEADER_EPOCH..LEADER_EPOCH + 4].copy_from_slice(&leader_epoch.to_be_bytes());
}

/// What changes in the header of a batch that a cleaning writes anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewritten {
    pub records: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub has_delete_horizon: bool,
    pub keeps_codec: bool,
}

impl Rewritten {
    /// Nothing is left of the records; the header tells of offsets and sequence numbers.
    pub fn emptied(header: &BatchHeader) -> Rewritten {
        Rewritten {
            records: 0,
            base_timestamp: header.base_timestamp,
            max_timestamp: header.max_timestamp,
            has_delete_horizon: false,
            keeps_codec: false,
        }
    }
}

/// Returns a batch with the header of `original`, changed so, and `body` in place of its records.
pub fn rewrite(original: &[u8], change: &Rewritten, body: &[u8]) -> Vec<u8> {
    let mut batch = Vec::with_capacity(HEADER_BYTES + body.len());
    batch.extend_from_slice(&original[..HEADER_BYTES]);
    batch.extend_from_slice(body);
    let mut attributes = int16(original, ATTRIBUTES) & !DELETE_HORIZON_BIT;
    if change.has_delete_horizon {
        attributes |= DELETE_HORIZON_BIT;
    }
    if !change.keeps_codec {
        attributes &= !CODEC_BITS;
    }
    let length = (batch.len() - PREFIX_BYTES) as i32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[ATTRIBUTES..ATTRIBUTES + 2].copy_from_slice(&attributes.to_be_bytes());
    batch[BASE_TIMESTAMP..BASE_TIMESTAMP + 8].copy_from_slice(&change.base_timestamp.to_be_bytes());
    batch[MAX_TIMESTAMP..MAX_TIMESTAMP + 8].copy_from_slice(&change.max_timestamp.to_be_bytes());
    batch[RECORDS..RECORDS + 4].copy_from_slice(&change.records.to_be_bytes());
    let sum = checksum(&batch).to_be_bytes();
    batch[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum);
    batch
}

/// Stamps a batch with the time of its arrival, for topics with `LogAppendTime`.
pub fn stamp(batch: &mut [u8], append_time_ms: i64) {
    let attributes = int16(batch, ATTRIBUTES) | APPEND_TIME_BIT;
    batch[ATTRIBUTES..ATTRIBUTES + 2].copy_from_slice(&attributes.to_be_bytes());
    batch[MAX_TIMESTAMP..MAX_TIMESTAMP + 8].copy_from_slice(&append_time_ms.to_be_bytes());
    seal(batch);
}

/// Writes the checksum of a batch that was built here.
pub fn seal(batch: &mut [u8]) {
    let sum = checksum(batch).to_be_bytes();
    batch[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum);
}

fn checksum(batch: &[u8]) -> u32 {
    crc32c::crc32c(&batch[ATTRIBUTES..])
}

fn int16(bytes: &[u8], at: usize) -> i16 {
    i16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn int32(bytes: &[u8], at: usize) -> i32 {
    uint32(bytes, at) as i32
}

fn uint32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(field(bytes, at))
}

fn int64(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(field(bytes, at))
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N]
        .try_into()
        .expect("the slice has N bytes, N being the array's length")
}
