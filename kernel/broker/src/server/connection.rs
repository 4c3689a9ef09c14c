//! One client: its requests one after the other, until it goes or sends what is no request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::host::{Host, Outcome};
use super::login::Door;
use super::stream::{Stream, hung_up, over};
use super::{ServerConfig, frames};
use crate::brokers::{RequestId, api_versions};
use crate::wire::frame::{self, Decoded};
use crate::wire::{Incoming, Response};

/// What a client may cost, and what is asked of it.
pub struct Limits {
    pub max_frame_bytes: usize,
    pub max_idle: Duration,
    pub max_stall: Duration,
    /// KiB of frames that are being received, over all connections.
    pub receiving: Semaphore,
    /// KiB of replies that are being sent, over all connections.
    pub sending: Semaphore,
    most_sending_bytes: usize,
    tls: Option<TlsAcceptor>,
    door: Option<Door>,
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
            sending: Semaphore::new(config.max_sending_bytes / 1024),
            most_sending_bytes: config.max_sending_bytes,
            tls: config.security.tls.as_ref().map(|tls| tls.acceptor()),
            door: Door::of(&config.security, config.failed_login_delay),
        }
    }
}

/// The node that a client talks to, and where it comes from.
struct Asked {
    node: i32,
    client_host: String,
}

/// A request that waits for its reply; it is forgotten with the connection, whatever ends that.
struct Waiting<'a> {
    host: &'a Host,
    id: Option<RequestId>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.host.abandon(id);
        }
    }
}

/// Serves one client to its end.
pub async fn run(
    node: i32,
    socket: TcpStream,
    peer: SocketAddr,
    host: Arc<Host>,
    limits: Arc<Limits>,
) {
    // Replies are whole frames: waiting for more to send only delays them.
    let _ = socket.set_nodelay(true);
    let asked = Asked {
        node,
        client_host: format!("/{}", peer.ip()),
    };
    // Whatever ends a connection, the client knows as much as we do: it is closed.
    let _ = welcome_and_serve(socket, &asked, &host, &limits).await;
}

async fn welcome_and_serve(
    socket: TcpStream,
    asked: &Asked,
    host: &Host,
    limits: &Limits,
) -> io::Result<()> {
    let mut stream = timeout(limits.max_stall, welcome(socket, limits)).await??;
    serve(&mut stream, asked, host, limits).await
}

/// Returns the connection once it is encrypted and the client has logged in, where that is asked.
async fn welcome(socket: TcpStream, limits: &Limits) -> io::Result<Stream> {
    let mut stream = match &limits.tls {
        Some(tls) => over(tls.accept(socket).await?),
        None => over(socket),
    };
    if let Some(door) = &limits.door {
        door.pass(&mut stream, limits).await?;
    }
    Ok(stream)
}

async fn serve(stream: &mut Stream, asked: &Asked, host: &Host, limits: &Limits) -> io::Result<()> {
    while let Some(bytes) = frames::read(stream, limits, limits.max_frame_bytes).await? {
        let decoded = frame::decode(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let incoming = match decoded {
            Decoded::UnknownApiVersions { correlation } => {
                let table = api_versions::table();
                let reply = frame::encode_unknown_api_versions(correlation, table);
                frames::write(stream, &reply, limits).await?;
                continue;
            }
            Decoded::Request(incoming) => incoming,
        };
        let (version, correlation) = (incoming.version, incoming.correlation);
        let answered = answer(stream, incoming, asked, host, limits).await?;
        if let Some(response) = answered {
            reply(stream, &response, version, correlation, limits).await?;
        }
    }
    Ok(())
}

/// Returns the reply to a request, however long it takes.
async fn answer(
    stream: &mut Stream,
    incoming: Incoming,
    asked: &Asked,
    host: &Host,
    limits: &Limits,
) -> io::Result<Option<Response>> {
    match host.request(asked.node, incoming, &asked.client_host) {
        Outcome::NoReply => Ok(None),
        Outcome::Reply(response) => Ok(Some(response)),
        Outcome::Failed => Err(io::ErrorKind::Other.into()),
        Outcome::Waiting(id, mut receiver) => {
            let mut waiting = Waiting { host, id: Some(id) };
            let waited = tokio::select! {
                response = &mut receiver => response.map_err(|_| io::ErrorKind::BrokenPipe.into()),
                error = hung_up(stream) => Err(error),
                // As Kafka does: waiting is no activity, and an end may hide behind a request.
                () = tokio::time::sleep(limits.max_idle) => Err(io::ErrorKind::TimedOut.into()),
            };
            if waited.is_ok() {
                waiting.id = None;
            }
            waited
        }
    }
}

/// Sends a reply, once there is room for it among those that other clients are taking.
async fn reply(
    stream: &mut Stream,
    response: &Response,
    version: i16,
    correlation: i32,
    limits: &Limits,
) -> io::Result<()> {
    let size = frame::size(response, version).map_err(|why| unsendable(response, version, &why))?;
    // One that is larger than all the room there is goes alone.
    let counted = size.min(limits.most_sending_bytes);
    let budget = frames::reserve(&limits.sending, counted).await?;
    let bytes = encoded(response, version, correlation)?;
    frames::write(stream, &bytes, limits).await?;
    drop(budget);
    Ok(())
}

pub(super) fn encoded(response: &Response, version: i16, correlation: i32) -> io::Result<BytesMut> {
    frame::encode(response, version, correlation).map_err(|why| unsendable(response, version, &why))
}

/// Says why there is no reply; the connection is closed.
fn unsendable(response: &Response, version: i16, why: &str) -> io::Error {
    let key = response.key();
    eprintln!("broker: no reply to request {key} version {version}: {why}");
    io::ErrorKind::InvalidData.into()
}
