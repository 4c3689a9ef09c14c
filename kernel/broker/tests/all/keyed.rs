//! Batches with keys, of any codec and in any transaction, and what is in them.

use bytes::{BufMut, Bytes, BytesMut};
use headwater_broker::log::codec::Codec;
use headwater_broker::log::{BatchHeader, Record, Records};

/// Key and value of a record.
pub type Pair<'a> = (Option<&'a str>, Option<&'a str>);

/// A batch with keys, to be built.
pub struct Keyed<'a> {
    pub pairs: Vec<Pair<'a>>,
    pub codec: Codec,
    /// Id, epoch, first sequence number.
    pub producer: (i64, i16, i32),
    pub transactional: bool,
    /// A marker that ends a transaction, and whether it commits.
    pub marker: Option<bool>,
    /// Timestamp of the first record; each of the others is a millisecond later.
    pub time_ms: i64,
}

impl<'a> Keyed<'a> {
    pub fn of(pairs: &[Pair<'a>]) -> Keyed<'a> {
        Keyed {
            pairs: pairs.to_vec(),
            codec: Codec::Plain,
            producer: (-1, -1, -1),
            transactional: false,
            marker: None,
            time_ms: 1000,
        }
    }

    /// A batch with values for keys.
    pub fn values(pairs: &[(&'a str, &'a str)]) -> Keyed<'a> {
        let pairs: Vec<Pair<'a>> = pairs.iter().map(|(k, v)| (Some(*k), Some(*v))).collect();
        Keyed::of(&pairs)
    }

    pub fn tombstone(key: &'a str) -> Keyed<'a> {
        Keyed::of(&[(Some(key), None)])
    }

    pub fn marker(producer: i64, commits: bool) -> Keyed<'a> {
        let mut marker = Keyed::of(&[]).from(producer, -1);
        marker.marker = Some(commits);
        marker.transactional = true;
        marker
    }

    pub fn codec(mut self, codec: Codec) -> Keyed<'a> {
        self.codec = codec;
        self
    }

    pub fn from(mut self, id: i64, sequence: i32) -> Keyed<'a> {
        self.producer = (id, 0, sequence);
        self
    }

    pub fn in_transaction(mut self) -> Keyed<'a> {
        self.transactional = true;
        self
    }

    pub fn at(mut self, time_ms: i64) -> Keyed<'a> {
        self.time_ms = time_ms;
        self
    }

    /// Returns the batch as bytes, with its checksum.
    pub fn bytes(&self) -> Bytes {
        let control = self.marker.map(|commits| [0, 0, 0, u8::from(commits)]);
        let mut pairs: Vec<[Option<&[u8]>; 2]> = Vec::new();
        for (key, value) in &self.pairs {
            pairs.push([key.map(str::as_bytes), value.map(str::as_bytes)]);
        }
        if let Some(key) = &control {
            pairs.push([Some(key), Some(&[0, 0, 0, 0, 0, 0])]);
        }
        let mut plain = Vec::new();
        for (index, [key, value]) in (0..).zip(&pairs) {
            let record = Record {
                offset: index,
                timestamp_ms: self.time_ms + index,
                key: *key,
                value: *value,
                raw_headers: &[0],
            };
            record.write(&mut plain, 0, self.time_ms);
        }
        let codec = match self.codec {
            Codec::Plain => 0,
            Codec::Gzip => 1,
            Codec::Snappy => 2,
            Codec::Lz4 => 3,
            Codec::Zstd => 4,
        };
        let control_bit = if control.is_some() { 0x20 } else { 0 };
        let transactional_bit = if self.transactional { 0x10 } else { 0 };
        let mut body = BytesMut::new();
        body.put_i16(codec | control_bit | transactional_bit);
        body.put_i32(pairs.len() as i32 - 1);
        body.put_i64(self.time_ms);
        body.put_i64(self.time_ms + pairs.len() as i64 - 1);
        body.put_i64(self.producer.0);
        body.put_i16(self.producer.1);
        body.put_i32(self.producer.2);
        body.put_i32(pairs.len() as i32);
        body.put_slice(&self.codec.compress(&plain).expect("compressed"));
        let mut batch = BytesMut::new();
        batch.put_i64(0);
        batch.put_i32(body.len() as i32 + 9);
        batch.put_i32(-1);
        batch.put_i8(2);
        batch.put_u32(crc32c::crc32c(&body));
        batch.put_slice(&body);
        batch.freeze()
    }
}

/// Returns the headers of stored batches.
pub fn headers(mut stored: &[u8]) -> Vec<BatchHeader> {
    let mut headers = Vec::new();
    while let Some(header) = BatchHeader::parse(stored) {
        assert_eq!(
            crc32c::crc32c(&stored[21..header.size]).to_be_bytes(),
            stored[17..21],
            "the checksum of the batch at {}",
            header.base_offset
        );
        stored = &stored[header.size..];
        headers.push(header);
    }
    headers
}

/// Returns offset, key and value of all records in stored batches, but for control records.
pub fn records(mut stored: &[u8]) -> Vec<(i64, String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let mut found = Vec::new();
    while let Some(header) = BatchHeader::parse(stored) {
        let (batch, rest) = stored.split_at(header.size);
        stored = rest;
        if header.is_control() {
            continue;
        }
        for record in Records::open(batch).expect("opens").all().expect("records") {
            let key = text(record.key.expect("a key"));
            found.push((record.offset, key, record.value.map(text)));
        }
    }
    found
}
