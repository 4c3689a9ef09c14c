//! The bytes of one client, with or without TLS.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};

/// Most requests come whole with the first read, so that length and body cost one; larger ones
/// are read straight to where they belong.
const AHEAD_BYTES: usize = 1024;

/// A socket, or TLS on one.
pub trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

/// One client's connection.
pub type Stream = BufReader<Box<dyn Bytes>>;

/// Returns a connection over a socket or over TLS.
pub fn over(bytes: impl Bytes + 'static) -> Stream {
    BufReader::with_capacity(AHEAD_BYTES, Box::new(bytes))
}

/// Returns once the client has closed the connection.
pub async fn hung_up(stream: &mut Stream) -> io::Error {
    match stream.fill_buf().await {
        Ok([]) => io::ErrorKind::UnexpectedEof.into(),
        // The next request is there already; it keeps us from seeing an end behind it.
        Ok(_) => std::future::pending().await,
        Err(error) => error,
    }
}
