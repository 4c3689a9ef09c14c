//! The messages of the display channel: what a cell's process tells the kernel while it runs.
//!
//! The kernel includes this very file (`#[path]`), so both ends share the types and nothing else:
//! it depends on serde alone. On the wire a message is a big-endian `u32` length and that many
//! bytes of JSON; the first message of a connection is a [`Hello`] with the token that the kernel
//! put into the environment variable [`ENV`].

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Names the environment variable that holds `address/token`; the address is `127.0.0.1:port`.
pub const ENV: &str = "HEADWATER_DISPLAY";

/// Largest message that either side accepts, in bytes.
pub const LIMIT: u32 = 64 << 20;

/// MIME type to content. Text stays text; binary types such as `image/png` are base64.
pub type Bundle = BTreeMap<String, String>;

/// Opens a connection and proves that it comes from the kernel's own child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub token: String,
}

/// One message from the child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The cell that caused it: output lands there even after that cell has returned.
    pub cell: u64,
    /// The stdout marker written just before this frame; text printed earlier goes out first.
    pub mark: u64,
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Shows something new. With an id, later updates replace it in place.
    Display { id: Option<String>, data: Bundle },
    /// Replaces what `id` shows.
    Update { id: String, data: Bundle },
    /// The value of the cell's last expression.
    Result { data: Bundle },
    /// Erases the cell's output, at once or when the next output arrives.
    Clear { wait: bool },
    /// The cell waits for a line of input; an [`Answer`] with this number comes back on the input
    /// socket. Without a prompt, the unfinished last line of stdout is one.
    Input {
        number: u64,
        prompt: Option<String>,
        password: bool,
    },
    /// The cell has returned; stdout and stderr up to this frame's marker belong to it.
    End,
}

/// What the kernel answers to [`Event::Input`], on a socket that is the child's stdin at its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub number: u64,
    /// The line as typed, without its end; or why there is none.
    pub line: Result<String, String>,
}

/// Writes one message.
pub fn write<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len())
        .ok()
        .filter(|length| *length <= LIMIT);
    let length = length.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a message of {} bytes", body.len()),
        )
    })?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(&body)?;
    to.flush()
}

/// Reads one message, blocking until it is whole.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a message of {length} bytes, the limit is {LIMIT}"),
        ));
    }
    let mut body = vec![0; length as usize];
    from.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

/// Returns the marker that stands in stdout before frame `mark`: bytes that no text contains.
pub fn marker(token: &str, mark: u64) -> Vec<u8> {
    format!("\0\u{1}{token}:{mark}\u{1}\0").into_bytes()
}
