//! The server shell: real clients, real time, one thread.
//!
//! - [`host`]: the brokers behind a lock, and who waits for which reply
//! - `connection`: one client, one request after the other
//! - `login`: SASL, before the first request, where the server has users
//! - `frames`, `stream`: bytes off a connection and onto it, with limits, with or without TLS
//!
//! A connection has one request in work at a time, as in Kafka: replies come in the order of the
//! requests, and what a client sends ahead waits in its socket.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use crate::brokers::{BrokerSettings, Node};
use crate::description::ClusterDescription;
use crate::error::{Error, Result};
use crate::inspection::{LogInspection, LogQuery};
use crate::security::Security;

mod connection;
mod frames;
mod host;
mod login;
mod stream;

use host::Host;

/// Settings of a server; `ServerConfig::default()` is right for a notebook.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Default: a free port of 127.0.0.1.
    pub listen: SocketAddr,
    /// The host that clients are told to connect to. Default: the address listened on, or
    /// `localhost` where that is all of them.
    pub advertised_host: Option<String>,
    /// Batches take at most this many bytes; beyond it produce requests are refused. Default: 1 GiB.
    pub max_bytes: u64,
    /// A frame beyond this closes its connection. Default: 100 MiB, as Kafka's `socket.request.max.bytes`.
    pub max_frame_bytes: usize,
    /// Frames being received take at most this much together. Default: 256 MiB.
    pub max_receiving_bytes: usize,
    /// Replies being sent take at most this much together, beyond what the log holds anyway;
    /// further ones wait. Default: 256 MiB.
    pub max_sending_bytes: usize,
    /// Connections beyond this are closed at once. Default: 1000.
    pub max_connections: usize,
    /// A connection without a request for this long is closed. Default: 10 min, as Kafka's
    /// `connections.max.idle.ms`.
    pub max_idle: Duration,
    /// A client that stops in the middle of a frame, does not take its reply or does not log in
    /// is dropped after this long. Default: 30 s.
    pub max_stall: Duration,
    /// Who may connect. Default: everybody, unencrypted; right for 127.0.0.1 only.
    pub security: Security,
    /// The answer to a failed login waits for this long. Default: 100 ms, as Kafka's
    /// `connection.failed.authentication.delay.ms`.
    pub failed_login_delay: Duration,
    /// What topics and groups may do. Its `max_bytes` is replaced by the one above.
    pub brokers: BrokerSettings,
    /// Ids of topics, members and the cluster come from this. Default: a new one each time.
    pub seed: Option<u64>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let brokers = BrokerSettings::default();
        ServerConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            advertised_host: None,
            max_bytes: brokers.max_bytes,
            max_frame_bytes: 100 << 20,
            max_receiving_bytes: 256 << 20,
            max_sending_bytes: 256 << 20,
            max_connections: 1000,
            max_idle: Duration::from_secs(600),
            max_stall: Duration::from_secs(30),
            security: Security::default(),
            failed_login_delay: Duration::from_millis(100),
            brokers,
            seed: None,
        }
    }
}

/// A running broker. It stops, and forgets everything, when this is dropped.
pub struct Server {
    host: Arc<Host>,
    bootstrap: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a broker; clients may connect as soon as this returns.
    ///
    /// # Errors
    /// `Error::Listen` where the address is taken, `Error::Thread` where no thread is to be had.
    pub fn start(config: ServerConfig) -> Result<Server> {
        let listening = |source| Error::Listen {
            address: config.listen.to_string(),
            source,
        };
        let listener = TcpListener::bind(config.listen).map_err(listening)?;
        listener.set_nonblocking(true).map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let node = Node {
            id: 1,
            host: advertised(&config, address.ip()),
            port: address.port(),
            rack: None,
        };
        let bootstrap = match node.host.contains(':') {
            true => format!("[{}]:{}", node.host, node.port),
            false => format!("{}:{}", node.host, node.port),
        };
        let seed = config
            .seed
            .unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
        let settings = BrokerSettings {
            max_bytes: config.max_bytes,
            ..config.brokers.clone()
        };
        let host = Arc::new(Host::new(settings, vec![node], seed));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let serving = serve(listener, Arc::clone(&host), config);
        let thread = std::thread::Builder::new()
            .name("headwater-broker".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = serving => {}
                        _ = stopped => {}
                    }
                });
            })
            .map_err(Error::Thread)?;
        Ok(Server {
            host,
            bootstrap,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns `host:port` for `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        self.bootstrap.clone()
    }

    /// Returns topics, offsets, groups and bytes as they are now.
    pub fn describe(&self) -> ClusterDescription {
        self.host.describe()
    }

    /// Returns the inside of one log: segments, batches, index entries; nothing where there is no
    /// such log.
    pub fn inspect(&self, of: &LogQuery) -> Option<LogInspection> {
        self.host.inspect(of)
    }

    /// Deletes all topics and groups. Clients stay connected.
    pub fn reset(&self) {
        self.host.reset();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was reported when it happened; there is nothing to add.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, host: Arc<Host>, config: ServerConfig) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    tokio::spawn(host::run_timer(Arc::clone(&host)));
    let limits = Arc::new(connection::Limits::of(&config));
    let places = Arc::new(Semaphore::new(config.max_connections));
    loop {
        let Ok((socket, peer)) = listener.accept().await else {
            // Out of file descriptors, most likely: closed connections give some back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let (host, limits) = (Arc::clone(&host), Arc::clone(&limits));
        tokio::spawn(async move {
            connection::run(socket, peer, host, limits).await;
            drop(place);
        });
    }
}

fn advertised(config: &ServerConfig, ip: IpAddr) -> String {
    match &config.advertised_host {
        Some(host) => host.clone(),
        None if ip.is_unspecified() => "localhost".to_owned(),
        None => ip.to_string(),
    }
}
