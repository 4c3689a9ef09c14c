//! Batches for produce requests: whole ones, and ones with a field forged and a checksum that
//! fits all the same.

use bytes::Bytes;

use super::choices::Choices;
use crate::stepped::Batch;

const ATTRIBUTES: usize = 21;
/// Where the fields of the header begin.
const FIELDS: &[(usize, usize)] = &[
    (0, 8),
    (8, 4),
    (12, 4),
    (16, 1),
    (21, 2),
    (23, 4),
    (27, 8),
    (35, 8),
    (43, 8),
    (51, 2),
    (53, 4),
    (57, 4),
];
const TIMES: &[i64] = &[0, 1000, -1, 1_700_000_000_000, i64::MAX, i64::MIN];

pub fn batch(choices: &mut Choices<'_>) -> Bytes {
    if choices.rarely(16) {
        let size = choices.below(100);
        return (0..size).map(|_| choices.byte()).collect();
    }
    let values = &["a", "b", "some longer value", ""][..=usize::from(choices.byte() % 4)];
    let mut batch = Batch::of(values);
    if choices.rarely(2) {
        let sequence = *choices.one(&[0, 1, 2, 3, i32::MAX, -1]);
        batch = batch.from(
            i64::from(choices.byte() % 4) + 999,
            i16::from(choices.byte() % 3),
            sequence,
        );
    }
    let times: Vec<i64> = values.iter().map(|_| *choices.one(TIMES)).collect();
    // The deltas of a batch are 64 bits wide: only times that are not too far apart have one.
    if times
        .iter()
        .all(|time| time.checked_sub(times[0]).is_some())
    {
        batch = batch.at(&times);
    }
    let mut bytes = batch.bytes().to_vec();
    if choices.rarely(3) {
        forge(choices, &mut bytes);
    }
    Bytes::from(bytes)
}

fn forge(choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    for _ in 0..=choices.byte() % 3 {
        match choices.byte() % 4 {
            0 => {
                let &(at, size) = choices.one(FIELDS);
                let value = *choices.one(&[0, 1, -1, 2, 0x10, 0x20, 0x08, i64::MAX, i64::MIN]);
                bytes[at..at + size].copy_from_slice(&value.to_be_bytes()[8 - size..]);
            }
            1 => {
                let at = choices.below(bytes.len());
                bytes[at] = choices.byte();
            }
            2 => {
                // Counts that agree with one another and with nothing else.
                let count = *choices.one(&[1, 2, 1000, 1 << 20, i32::MAX]);
                bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
                bytes[57..61].copy_from_slice(&count.to_be_bytes());
                bytes[ATTRIBUTES + 1] = choices.byte() % 5;
            }
            _ => {
                let size = 61 + choices.below(bytes.len() - 60);
                bytes.truncate(size);
                let length = (bytes.len() as i32 - 12).to_be_bytes();
                bytes[8..12].copy_from_slice(&length);
            }
        }
    }
    if !choices.rarely(4) {
        let sum = crc32c::crc32c(&bytes[ATTRIBUTES..]).to_be_bytes();
        bytes[17..ATTRIBUTES].copy_from_slice(&sum);
    }
}
