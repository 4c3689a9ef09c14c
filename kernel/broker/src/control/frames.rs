//! Messages of the control channel on the wire: length, then JSON.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A description of ten thousand partitions stays well below this.
const MOST_BYTES: usize = 64 << 20;

/// Sends one message.
pub fn write(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(&json);
    to.write_all(&frame)
}

/// Receives one message of at most `most_bytes`.
pub fn read<T: DeserializeOwned>(from: &mut impl Read, most_bytes: usize) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let size = u32::from_be_bytes(length) as usize;
    if size > most_bytes {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a message of {size} bytes"),
        ));
    }
    let mut json = Vec::new();
    from.take(size as u64).read_to_end(&mut json)?;
    if json.len() < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&json)?)
}

/// Receives one reply.
pub fn read_reply(from: &mut impl Read) -> io::Result<super::Reply> {
    read(from, MOST_BYTES)
}
