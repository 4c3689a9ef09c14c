//! Frames off a connection and onto it: length first, with limits on size and patience.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::connection::Limits;
use super::stream::Stream;

/// How much of a frame is reserved before any of it has come.
const FIRST_BYTES: usize = 64 * 1024;
/// Frames below this are not counted against the common limit.
const SMALL_BYTES: usize = 16 * 1024;
const KIB: usize = 1024;
/// Slower clients are dropped: a byte now and then would hold a place in the common limit for
/// ever.
const SLOWEST_BYTES_PER_S: u64 = 256 * 1024;

/// Returns the next frame of at most `most_bytes`, or nothing at the end of the connection.
///
/// # Errors
/// A frame that is too large, one that stops in the middle or comes too slowly, and whatever the
/// connection says.
pub async fn read(
    stream: &mut Stream,
    limits: &Limits,
    most_bytes: usize,
) -> io::Result<Option<Bytes>> {
    let mut length = [0; 4];
    let first = timeout(limits.max_idle, stream.read(&mut length)).await??;
    if first == 0 {
        return Ok(None);
    }
    patiently(limits.max_stall, stream.read_exact(&mut length[first..])).await?;
    let size = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if size > most_bytes {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let budget = reserve(&limits.receiving, size).await?;
    let frame = patiently(limits.patience(size), rest(stream, limits, size)).await?;
    drop(budget);
    Ok(Some(frame))
}

async fn rest(stream: &mut Stream, limits: &Limits, size: usize) -> io::Result<Bytes> {
    let mut frame = BytesMut::with_capacity(size.min(FIRST_BYTES));
    while frame.len() < size {
        let wanted = size - frame.len();
        if frame.capacity() == frame.len() {
            // As much again as has come: a length alone costs nothing.
            frame.reserve(wanted.min(frame.len().max(FIRST_BYTES)));
        }
        let mut limited = (&mut *stream).take(wanted as u64);
        let read = patiently(limits.max_stall, limited.read_buf(&mut frame)).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(frame.freeze())
}

/// Sends a frame that already has its length in front.
///
/// # Errors
/// A client that does not take it, or takes it too slowly, and whatever the connection says.
pub async fn write(stream: &mut Stream, frame: &[u8], limits: &Limits) -> io::Result<()> {
    let sending = async {
        let mut rest = frame;
        while !rest.is_empty() {
            let sent = patiently(limits.max_stall, stream.write(rest)).await?;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = &rest[sent..];
        }
        patiently(limits.max_stall, stream.flush()).await
    };
    patiently(limits.patience(frame.len()), sending).await
}

/// Waits until a frame of this size may be held along with all the others.
pub async fn reserve(held: &Semaphore, size: usize) -> io::Result<Option<SemaphorePermit<'_>>> {
    if size <= SMALL_BYTES {
        return Ok(None);
    }
    let kib = u32::try_from(size / KIB).unwrap_or(u32::MAX);
    let permit = held.acquire_many(kib).await;
    permit
        .map(Some)
        .map_err(|_| io::ErrorKind::BrokenPipe.into())
}

impl Limits {
    /// Returns how long a frame of this size may take.
    fn patience(&self, size: usize) -> Duration {
        self.max_stall + Duration::from_secs(size as u64 / SLOWEST_BYTES_PER_S)
    }
}

async fn patiently<T>(
    patience: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(patience, work).await?
}
