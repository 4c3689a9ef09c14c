//! The answering side of the control channel: clusters by name, opened when first asked for.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Hello, Reply, Request, Shape, frames};
use crate::error::{Error, Result};
use crate::server::{Server, ServerConfig};

/// Requests are short; a longer message comes from somebody else.
const MOST_BYTES: usize = 64 * 1024;
/// One connection for each process that runs cells.
const MOST_CONNECTIONS: usize = 256;
const MOST_CLUSTERS: usize = 64;
/// Who connects and does not say hello is dropped.
const HELLO_PATIENCE: Duration = Duration::from_secs(10);

/// Hosts clusters by name. All of them end when this is dropped.
pub struct ControlServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    token: String,
    config: ServerConfig,
    stopping: AtomicBool,
    /// Locked while a cluster is opened, described or emptied: milliseconds. No `.await` here.
    clusters: Mutex<BTreeMap<String, Server>>,
    /// Locked to add or remove one connection.
    connections: Mutex<BTreeMap<u64, TcpStream>>,
}

impl ControlServer {
    /// Starts a channel on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// `Error::Listen` and `Error::Thread`.
    pub fn start() -> Result<ControlServer> {
        ControlServer::start_with(ServerConfig::default())
    }

    /// As `start`, with these settings for every cluster it opens; their `listen` should keep
    /// port 0, since each cluster has a port of its own.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_with(config: ServerConfig) -> Result<ControlServer> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listening = |source| Error::Listen {
            address: wanted.to_string(),
            source,
        };
        let listener = TcpListener::bind(wanted).map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let shared = Arc::new(Shared {
            token: uuid::Uuid::new_v4().simple().to_string(),
            config,
            stopping: AtomicBool::new(false),
            clusters: Mutex::default(),
            connections: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("headwater-control".to_owned())
            .spawn(move || accept(&listener, &serving))
            .map_err(Error::Thread)?;
        Ok(ControlServer {
            shared,
            address,
            thread: Some(thread),
        })
    }

    /// Returns the value for `HEADWATER_CONTROL`. It holds the token: do not print it.
    pub fn place(&self) -> String {
        format!("{}/{}", self.address, self.shared.token)
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for stream in locked(&self.shared.connections).values() {
            // Its thread sees the end and goes.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        // `accept` blocks until somebody comes: so we come.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        locked(&self.shared.clusters).clear();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for (number, stream) in (0u64..).zip(listener.incoming()) {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        let Ok(handle) = stream.try_clone() else {
            continue;
        };
        let mut connections = locked(&shared.connections);
        if connections.len() >= MOST_CONNECTIONS {
            continue;
        }
        connections.insert(number, handle);
        drop(connections);
        let serving = Arc::clone(shared);
        let thread = std::thread::Builder::new()
            .name("headwater-control-client".to_owned())
            .spawn(move || {
                // Whatever ends it, the client sees the connection close.
                let _ = serve(stream, &serving);
                locked(&serving.connections).remove(&number);
            });
        if thread.is_err() {
            locked(&shared.connections).remove(&number);
        }
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(HELLO_PATIENCE))?;
    let hello: Hello = frames::read(&mut stream, MOST_BYTES)?;
    if !same(hello.token.as_bytes(), shared.token.as_bytes()) {
        let why = "the token is not the one of this channel".to_owned();
        return frames::write(&mut stream, &Reply::Refused { why });
    }
    frames::write(&mut stream, &Reply::Welcome)?;
    stream.set_read_timeout(None)?;
    loop {
        let request = frames::read(&mut stream, MOST_BYTES)?;
        frames::write(&mut stream, &shared.answer(request))?;
    }
}

impl Shared {
    fn answer(&self, request: Request) -> Reply {
        let mut clusters = locked(&self.clusters);
        let unknown = |cluster: &str| Reply::Refused {
            why: format!("no cluster `{cluster}` was opened"),
        };
        match request {
            Request::Open { cluster, shape } => self.open(&mut clusters, cluster, shape),
            Request::Describe { cluster } => match clusters.get(&cluster) {
                Some(server) => Reply::Described(server.describe()),
                None => unknown(&cluster),
            },
            Request::Inspect { cluster, of } => match clusters.get(&cluster) {
                Some(server) => match server.inspect(&of) {
                    Some(inspection) => Reply::Inspected(inspection),
                    None => Reply::Refused {
                        why: format!("there is no log of {} partition {}", of.topic, of.partition),
                    },
                },
                None => unknown(&cluster),
            },
            Request::Reset { cluster } => match clusters.get(&cluster) {
                Some(server) => {
                    server.reset();
                    Reply::Reset
                }
                None => unknown(&cluster),
            },
            Request::Apply { cluster, fault } => match clusters.get(&cluster) {
                Some(server) => match server.apply(fault) {
                    Ok(()) => Reply::Applied,
                    Err(error) => refused_by(&error),
                },
                None => unknown(&cluster),
            },
            Request::Events { cluster } => match clusters.get(&cluster) {
                Some(server) => Reply::Happened(server.events()),
                None => unknown(&cluster),
            },
        }
    }

    fn open(
        &self,
        clusters: &mut BTreeMap<String, Server>,
        cluster: String,
        shape: Option<Shape>,
    ) -> Reply {
        if let Some(server) = clusters.get(&cluster) {
            let (have, want) = (server.nodes(), shape.map(|shape| shape.nodes));
            if want.is_some_and(|want| want != have) {
                let why = format!("cluster `{cluster}` is running with {have} node(s)");
                return Reply::Refused { why };
            }
            let bootstrap = server.bootstrap();
            return Reply::Opened { bootstrap };
        }
        let refused = |why: String| Reply::Refused { why };
        if cluster.is_empty() || cluster.len() > 100 {
            return refused("the name of a cluster has 1 to 100 letters".to_owned());
        }
        if clusters.len() >= MOST_CLUSTERS {
            return refused(format!(
                "{MOST_CLUSTERS} clusters are open, which is the limit"
            ));
        }
        let mut config = self.shaped(shape);
        // Each cluster has a directory of its own; its name may hold what no file's may.
        config.data_dir = config.data_dir.map(|dir| dir.join(file_name(&cluster)));
        match Server::start(config) {
            Ok(server) => {
                let bootstrap = server.bootstrap();
                clusters.insert(cluster, server);
                Reply::Opened { bootstrap }
            }
            Err(error) => refused_by(&error),
        }
    }

    fn shaped(&self, shape: Option<Shape>) -> ServerConfig {
        let mut config = self.config.clone();
        if let Some(shape) = shape {
            shape.apply_to(&mut config);
        }
        config
    }
}

fn refused_by(error: &Error) -> Reply {
    Reply::Refused {
        why: error.to_string(),
    }
}

/// Returns a name for a cluster's directory: letters, digits, `-` and `_` stay as they are.
fn file_name(cluster: &str) -> String {
    let mut name = String::new();
    for byte in cluster.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    name
}

/// Compares in a time that tells nothing about where two tokens differ.
fn same(given: &[u8], ours: &[u8]) -> bool {
    let differing = given.iter().zip(ours).fold(0, |sum, (a, b)| sum | (a ^ b));
    given.len() == ours.len() && differing == 0
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole after every statement, panic or not.
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
