//! One client: its requests one after the other, until it goes or sends what is no request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::host::{Host, Outcome};
use super::{ServerConfig, frames};
use crate::brokers::api_versions;
use crate::wire::frame::{self, Decoded};
use crate::wire::{Incoming, Response};

/// What a client may cost.
pub struct Limits {
    pub max_frame_bytes: usize,
    pub max_idle: Duration,
    pub max_stall: Duration,
    /// KiB of frames that are being received, over all connections.
    pub receiving: Semaphore,
}

impl Limits {
    pub fn of(config: &ServerConfig) -> Limits {
        // The largest frame must always fit, or its client would wait for ever.
        let receiving = config.max_receiving_bytes.max(config.max_frame_bytes);
        Limits {
            max_frame_bytes: config.max_frame_bytes,
            max_idle: config.max_idle,
            max_stall: config.max_stall,
            receiving: Semaphore::new(receiving / 1024),
        }
    }
}

/// Serves one client to its end.
pub async fn run(mut socket: TcpStream, peer: SocketAddr, host: Arc<Host>, limits: Arc<Limits>) {
    // Replies are whole frames: waiting for more to send only delays them.
    let _ = socket.set_nodelay(true);
    let client_host = format!("/{}", peer.ip());
    // Whatever ends a connection, the client knows as much as we do: it is closed.
    let _ = serve(&mut socket, &client_host, &host, &limits).await;
}

async fn serve(
    socket: &mut TcpStream,
    client_host: &str,
    host: &Host,
    limits: &Limits,
) -> io::Result<()> {
    while let Some(bytes) = frames::read(socket, limits).await? {
        let decoded = frame::decode(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let reply = match decoded {
            Decoded::UnknownApiVersions { correlation } => Some(
                frame::encode_unknown_api_versions(correlation, api_versions::table()),
            ),
            Decoded::Request(incoming) => answer(socket, incoming, client_host, host).await?,
        };
        if let Some(reply) = reply {
            frames::write(socket, &reply, limits).await?;
        }
    }
    Ok(())
}

/// Returns the encoded reply to a request, however long it takes.
async fn answer(
    socket: &TcpStream,
    incoming: Incoming,
    client_host: &str,
    host: &Host,
) -> io::Result<Option<BytesMut>> {
    let (version, correlation) = (incoming.version, incoming.correlation);
    let response = match host.request(incoming, client_host) {
        Outcome::NoReply => return Ok(None),
        Outcome::Reply(response) => response,
        Outcome::Waiting(id, mut receiver) => {
            let waited = tokio::select! {
                response = &mut receiver => response.map_err(|_| io::ErrorKind::BrokenPipe.into()),
                error = hung_up(socket) => Err(error),
            };
            if waited.is_err() {
                host.abandon(id);
            }
            waited?
        }
    };
    encoded(&response, version, correlation).map(Some)
}

/// Returns once the client has closed the connection.
async fn hung_up(socket: &TcpStream) -> io::Error {
    let mut byte = [0];
    match socket.peek(&mut byte).await {
        Ok(0) => io::ErrorKind::UnexpectedEof.into(),
        // The next request is there already; it keeps us from seeing an end behind it.
        Ok(_) => std::future::pending().await,
        Err(error) => error,
    }
}

fn encoded(response: &Response, version: i16, correlation: i32) -> io::Result<BytesMut> {
    frame::encode(response, version, correlation).map_err(|why| {
        eprintln!(
            "broker: no reply to request {} version {version}: {why}",
            response.key()
        );
        io::ErrorKind::InvalidData.into()
    })
}
