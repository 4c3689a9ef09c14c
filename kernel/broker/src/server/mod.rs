//! The server shell: real clients, real time, one thread.
//!
//! - [`host`]: the brokers behind a lock, and who waits for which reply
//! - `listeners`: one port a node, opened and closed with it
//! - `nodes`: nodes stopped, killed, started, slowed and cut off
//! - `connection`: one client, one request after the other
//! - `login`: SASL, before the first request, where the server has users
//! - `frames`, `stream`: bytes off a connection and onto it, with limits, with or without TLS
//!
//! A connection has one request in work at a time, as in Kafka: replies come in the order of the
//! requests, and what a client sends ahead waits in its socket.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use crate::brokers::{BrokerSettings, Node};
use crate::description::ClusterDescription;
use crate::error::{Error, Result};
use crate::inspection::{LogInspection, LogQuery};
use crate::security::Security;
use crate::storage::{DiskRef, Flush};

mod connection;
mod frames;
mod host;
mod listeners;
mod login;
mod nodes;
mod stream;

use host::Host;
use listeners::Command;

/// A cluster on one machine needs no more nodes than this to show everything.
const MOST_NODES: usize = 16;

/// Settings of a server; `ServerConfig::default()` is right for a notebook.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Default: a free port of 127.0.0.1. With several nodes each has a port of its own: a free
    /// one, or this one and those after it.
    pub listen: SocketAddr,
    /// Nodes of the cluster, 1 to 16; their ids begin at 1. Default: 1.
    pub nodes: usize,
    /// The rack of each node, in the order of their ids. Default: none.
    pub racks: Vec<String>,
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
    /// Where topics, groups and records are stored; they are read back at the next start. One
    /// broker at a time may use it. Default: nowhere, the cluster lives in memory.
    pub data_dir: Option<PathBuf>,
    /// When stored data are forced to the disk. Default: every second.
    pub flush: Flush,
    /// The file system to write to: tests put one in its place that fails.
    #[doc(hidden)]
    pub disk: DiskRef,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let brokers = BrokerSettings::default();
        ServerConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            nodes: 1,
            racks: Vec::new(),
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
            data_dir: None,
            flush: Flush::default(),
            disk: DiskRef::default(),
        }
    }
}

/// A running cluster of one node or more. It stops when this is dropped, and forgets everything that
/// it does not store.
pub struct Server {
    host: Arc<Host>,
    bootstrap: String,
    /// Where each node listens.
    addresses: Vec<(i32, SocketAddr)>,
    /// Locked while a node and its port change together: milliseconds.
    changing: Mutex<()>,
    /// The thread ends when this is gone.
    commands: mpsc::UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a cluster; clients may connect as soon as this returns.
    ///
    /// # Errors
    /// `Error::Listen` where the address is taken, `Error::Thread` where no thread is to be had,
    /// `Error::Nodes` for a number of nodes that cannot be, and where a data directory is given,
    /// all that can be wrong with one (`Storage::open`).
    pub fn start(config: ServerConfig) -> Result<Server> {
        if !(1..=MOST_NODES).contains(&config.nodes) {
            return Err(Error::Nodes {
                nodes: config.nodes,
                most: MOST_NODES,
            });
        }
        let (mut nodes, mut ports, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for (id, rack) in (1..=config.nodes as i32).zip(0..) {
            let listener = listeners::bind(nth_address(config.listen, rack))?;
            let address = listener.local_addr().map_err(|source| Error::Listen {
                address: config.listen.to_string(),
                source,
            })?;
            nodes.push(Node {
                id,
                host: advertised(&config, address.ip()),
                port: address.port(),
                rack: config.racks.get(usize::from(rack)).cloned(),
            });
            addresses.push((id, address));
            ports.push((id, listener));
        }
        let bootstrap: Vec<String> = nodes.iter().map(reached_at).collect();
        let seed = config
            .seed
            .unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
        let settings = BrokerSettings {
            max_bytes: config.max_bytes,
            ..config.brokers.clone()
        };
        let host = match &config.data_dir {
            None => Arc::new(Host::new(settings, nodes, seed)),
            Some(path) => {
                let dir = host::DataDir {
                    path,
                    flush: config.flush,
                    disk: config.disk.clone(),
                };
                Host::stored_in(&dir, settings, nodes, seed)?
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let (commands, orders) = mpsc::unbounded_channel();
        let limits = Arc::new(connection::Limits::of(&config));
        let places = Arc::new(Semaphore::new(config.max_connections));
        let serving = listeners::serve(orders, Arc::clone(&host), limits, places);
        let thread = std::thread::Builder::new()
            .name("headwater-broker".to_owned())
            .spawn(move || runtime.block_on(serving))
            .map_err(Error::Thread)?;
        let server = Server {
            host,
            bootstrap: bootstrap.join(","),
            addresses,
            changing: Mutex::default(),
            commands,
            thread: Some(thread),
        };
        for (node, listener) in ports {
            server.command(|done| Command::Open {
                node,
                listener,
                done,
            });
        }
        Ok(server)
    }

    /// Returns `host:port` of all nodes, separated by commas, for `bootstrap.servers`.
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

impl Server {
    /// Stops the broker and returns once all is stored. Dropping it does the same, but cannot tell
    /// whether it went well.
    ///
    /// # Errors
    /// `Error::Storage` where something could not be written, now or before.
    pub fn close(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        // The thread ends once nobody can command it.
        self.commands = mpsc::unbounded_channel().0;
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was reported when it happened; there is nothing to add.
            let _ = thread.join();
        }
        self.host.close()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Why nothing can be stored was reported when it happened.
        let _ = self.end();
    }
}

/// Returns the address of the node after so many others.
fn nth_address(first: SocketAddr, others: u16) -> SocketAddr {
    let mut address = first;
    if first.port() != 0 {
        address.set_port(first.port().saturating_add(others));
    }
    address
}

fn reached_at(node: &Node) -> String {
    match node.host.contains(':') {
        true => format!("[{}]:{}", node.host, node.port),
        false => format!("{}:{}", node.host, node.port),
    }
}

fn advertised(config: &ServerConfig, ip: IpAddr) -> String {
    match &config.advertised_host {
        Some(host) => host.clone(),
        None if ip.is_unspecified() => "localhost".to_owned(),
        None => ip.to_string(),
    }
}
