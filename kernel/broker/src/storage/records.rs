//! Record batches with keys and values, version 2, as the journal of facts uses them.

use bytes::{BufMut, Bytes, BytesMut};

use crate::log::batch::HEADER_BYTES;
use crate::log::records::varint;

type Row<'a> = (&'a [u8], Option<&'a [u8]>);

/// Returns a batch of these keys and values, none compressed.
pub fn batch<'a>(base_offset: i64, now_ms: i64, rows: impl Iterator<Item = Row<'a>>) -> Bytes {
    let mut records = BytesMut::new();
    let mut count = 0;
    for (key, value) in rows {
        let mut record = BytesMut::new();
        record.put_i8(0);
        put_varint(&mut record, 0);
        put_varint(&mut record, i64::from(count));
        put_varint(&mut record, key.len() as i64);
        record.put_slice(key);
        put_varint(&mut record, value.map_or(-1, |value| value.len() as i64));
        record.put_slice(value.unwrap_or_default());
        put_varint(&mut record, 0);
        put_varint(&mut records, record.len() as i64);
        records.put_slice(&record);
        count += 1;
    }
    let mut body = BytesMut::new();
    body.put_i16(0);
    body.put_i32(count - 1);
    body.put_i64(now_ms);
    body.put_i64(now_ms);
    body.put_i64(-1);
    body.put_i16(-1);
    body.put_i32(-1);
    body.put_i32(count);
    body.put_slice(&records);
    let mut batch = BytesMut::with_capacity(HEADER_BYTES + records.len());
    batch.put_i64(base_offset);
    batch.put_i32(body.len() as i32 + 9);
    batch.put_i32(0);
    batch.put_i8(2);
    batch.put_u32(crc32c::crc32c(&body));
    batch.put_slice(&body);
    batch.freeze()
}

/// Returns the keys and values of a whole batch, or nothing where it holds something else.
pub fn rows(batch: &[u8]) -> Option<Vec<Row<'_>>> {
    let mut rest = batch.get(HEADER_BYTES..)?;
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let length = usize::try_from(varint(&mut rest)?).ok()?;
        let mut record = rest.get(..length)?;
        rest = &rest[length..];
        record = record.get(1..)?;
        varint(&mut record)?;
        varint(&mut record)?;
        let key = field(&mut record)??;
        rows.push((key, field(&mut record)?));
    }
    Some(rows)
}

/// Takes a length and so many bytes off the front; a negative length stands for none.
fn field<'a>(record: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = varint(record)?;
    let Ok(length) = usize::try_from(length) else {
        return Some(None);
    };
    let bytes = record.get(..length)?;
    *record = &record[length..];
    Some(Some(bytes))
}

fn put_varint(into: &mut BytesMut, value: i64) {
    let mut bits = ((value << 1) ^ (value >> 63)) as u64;
    while bits >= 0x80 {
        into.put_u8(bits as u8 | 0x80);
        bits >>= 7;
    }
    into.put_u8(bits as u8);
}
