//! Frames off a socket and onto it: length first, with limits on size and patience.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::connection::Limits;

/// How much of a frame is reserved before any of it has come.
const FIRST_BYTES: usize = 64 * 1024;
/// Frames below this are not counted against the common limit.
const SMALL_BYTES: usize = 16 * 1024;
const KIB: usize = 1024;

/// Returns the next frame, or nothing at the end of the connection.
///
/// # Errors
/// A frame that is too large, one that stops in the middle, and whatever the socket says.
pub async fn read(socket: &mut TcpStream, limits: &Limits) -> io::Result<Option<Bytes>> {
    let mut length = [0; 4];
    let first = timeout(limits.max_idle, socket.read(&mut length)).await??;
    if first == 0 {
        return Ok(None);
    }
    patiently(limits.max_stall, socket.read_exact(&mut length[first..])).await?;
    let size = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if size > limits.max_frame_bytes {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let budget = reserve(&limits.receiving, size).await?;
    let mut frame = BytesMut::with_capacity(size.min(FIRST_BYTES));
    while frame.len() < size {
        let wanted = size - frame.len();
        if frame.capacity() == frame.len() {
            // As much again as has come: a length alone costs nothing.
            frame.reserve(wanted.min(frame.len().max(FIRST_BYTES)));
        }
        let mut limited = (&mut *socket).take(wanted as u64);
        let read = patiently(limits.max_stall, limited.read_buf(&mut frame)).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    drop(budget);
    Ok(Some(frame.freeze()))
}

/// Sends a frame that already has its length in front.
pub async fn write(socket: &mut TcpStream, frame: &[u8], limits: &Limits) -> io::Result<()> {
    let mut rest = frame;
    while !rest.is_empty() {
        let sent = patiently(limits.max_stall, socket.write(rest)).await?;
        if sent == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        rest = &rest[sent..];
    }
    Ok(())
}

/// Waits until a frame of this size may be received along with all the others.
async fn reserve(
    receiving: &Semaphore,
    size: usize,
) -> io::Result<Option<tokio::sync::SemaphorePermit<'_>>> {
    if size <= SMALL_BYTES {
        return Ok(None);
    }
    let kib = u32::try_from(size / KIB).unwrap_or(u32::MAX);
    let permit = receiving.acquire_many(kib).await;
    permit
        .map(Some)
        .map_err(|_| io::ErrorKind::BrokenPipe.into())
}

async fn patiently<T>(
    patience: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(patience, work).await?
}
