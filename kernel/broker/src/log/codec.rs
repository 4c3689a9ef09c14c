//! The codecs of record batches: gzip, snappy, lz4 and zstd, as the attributes of a batch name them.
//!
//! Produce and fetch pass batches on as they are. Only what has to look at records opens them:
//! compaction, look-ups by time, and the check that a compacted topic's records have keys.

use std::io::{self, Read, Write};

/// A batch that takes more than this when opened is left closed: a forged one of a megabyte
/// could otherwise claim all memory there is.
pub const MOST_OPENED_BYTES: usize = 256 << 20;

/// Snappy in pieces, as snappy-java and so Kafka's own clients frame it: magic word, version,
/// oldest version that can read it, then blocks with their lengths.
const SNAPPY_MAGIC: &[u8; 16] = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
const SNAPPY_BLOCK: usize = 32 * 1024;

/// How the records of a batch are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    Plain,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    /// Returns the codec that the attributes of a batch name, or nothing where there is no such.
    pub fn of(attributes: i16) -> Option<Codec> {
        match attributes & 0x07 {
            0 => Some(Codec::Plain),
            1 => Some(Codec::Gzip),
            2 => Some(Codec::Snappy),
            3 => Some(Codec::Lz4),
            4 => Some(Codec::Zstd),
            _ => None,
        }
    }

    /// Returns the name that clients give the codec.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Plain => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        }
    }

    /// Returns what `bytes` were before they were compressed.
    ///
    /// # Errors
    /// For bytes that the codec did not write, and where they grow beyond `MOST_OPENED_BYTES`.
    pub fn decompress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Codec::Plain => Ok(bytes.to_vec()),
            Codec::Gzip => read_all(flate2::read::GzDecoder::new(bytes)),
            Codec::Snappy => decompress_snappy(bytes),
            Codec::Lz4 => {
                let mut decoder = lz4::Decoder::new(bytes)?;
                let opened = read_all(&mut decoder)?;
                // A frame that was cut off after its last block is told by its missing end only.
                decoder.finish().1.map(|()| opened)
            }
            Codec::Zstd => read_all(zstd::stream::read::Decoder::with_buffer(bytes)?),
        }
    }

    /// Returns `bytes` compressed, in the framing that every client reads.
    ///
    /// # Errors
    /// Where the codec gives up.
    pub fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Codec::Plain => Ok(bytes.to_vec()),
            Codec::Gzip => {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Codec::Snappy => compress_snappy(bytes),
            Codec::Lz4 => {
                let mut encoder = lz4::EncoderBuilder::new()
                    .block_mode(lz4::BlockMode::Independent)
                    .build(Vec::new())?;
                encoder.write_all(bytes)?;
                let (compressed, result) = encoder.finish();
                result.map(|()| compressed)
            }
            Codec::Zstd => zstd::stream::encode_all(bytes, 0),
        }
    }
}

fn read_all(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut opened = Vec::new();
    reader
        .take(MOST_OPENED_BYTES as u64 + 1)
        .read_to_end(&mut opened)?;
    match opened.len() > MOST_OPENED_BYTES {
        true => Err(too_large()),
        false => Ok(opened),
    }
}

fn decompress_snappy(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut opened = Vec::new();
    let Some(mut rest) = bytes.strip_prefix(SNAPPY_MAGIC) else {
        // librdkafka writes one block without the frame.
        snappy_block(bytes, &mut opened)?;
        return Ok(opened);
    };
    while !rest.is_empty() {
        let (length, after) = rest.split_at_checked(4).ok_or_else(cut_off)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let (block, after) = after.split_at_checked(length).ok_or_else(cut_off)?;
        snappy_block(block, &mut opened)?;
        rest = after;
    }
    Ok(opened)
}

fn snappy_block(block: &[u8], into: &mut Vec<u8>) -> io::Result<()> {
    let start = into.len();
    let size = snap::raw::decompress_len(block)?;
    if start.saturating_add(size) > MOST_OPENED_BYTES {
        return Err(too_large());
    }
    into.resize(start + size, 0);
    snap::raw::Decoder::new().decompress(block, &mut into[start..])?;
    Ok(())
}

fn compress_snappy(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = SNAPPY_MAGIC.to_vec();
    let mut encoder = snap::raw::Encoder::new();
    for block in bytes.chunks(SNAPPY_BLOCK) {
        let block = encoder.compress_vec(block)?;
        compressed.extend_from_slice(&(block.len() as u32).to_be_bytes());
        compressed.extend_from_slice(&block);
    }
    Ok(compressed)
}

fn too_large() -> io::Error {
    let why = format!("the batch holds more than {MOST_OPENED_BYTES} bytes when opened");
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "a snappy block is cut off")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Codec; 5] = [
        Codec::Plain,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ];

    #[test]
    fn every_codec_reads_what_it_wrote() {
        let long: Vec<u8> = (0..200_000u32).map(|n| (n / 7 % 251) as u8).collect();
        for codec in ALL {
            for bytes in [&b""[..], b"x", &long] {
                let compressed = codec.compress(bytes).expect("compressed");
                let opened = codec.decompress(&compressed).expect("opened");
                assert!(opened == bytes, "{codec:?}, {} bytes", bytes.len());
            }
            let small = codec.compress(&long).expect("compressed").len() < long.len() / 10;
            assert_eq!(small, codec != Codec::Plain, "{codec:?}");
        }
    }

    #[test]
    fn snappy_without_a_frame_is_read() {
        let raw = snap::raw::Encoder::new().compress_vec(b"abcabcabc");
        let opened = Codec::Snappy.decompress(&raw.expect("compressed"));
        assert_eq!(opened.expect("opened"), b"abcabcabc");
    }

    #[test]
    fn garbage_is_an_error_and_no_panic() {
        for codec in &ALL[1..] {
            for garbage in [&b"\xff\xff\xff\xff\xff\xff\xff"[..], b"\0", SNAPPY_MAGIC] {
                let cut = codec
                    .compress(b"some bytes, and some more")
                    .expect("compressed");
                assert!(
                    codec.decompress(&cut[..cut.len() - 3]).is_err(),
                    "{codec:?}"
                );
                if *codec != Codec::Snappy {
                    assert!(codec.decompress(garbage).is_err(), "{codec:?}");
                }
            }
        }
        let forged = [0xff, 0xff, 0xff, 0xff, 0x0f];
        assert!(Codec::Snappy.decompress(&forged).is_err());
    }

    #[test]
    fn batch_that_grows_too_large_stays_closed() {
        let bomb = Codec::Zstd.compress(&vec![0; MOST_OPENED_BYTES + 1]);
        let why = Codec::Zstd.decompress(&bomb.expect("compressed"));
        assert!(
            why.expect_err("too large")
                .to_string()
                .contains("more than")
        );
    }
}
