//! One listener a node, all on the server's thread: opened and closed while the others go on.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc as channel};
use tokio::task::{JoinHandle, JoinSet};

use super::connection::{self, Limits};
use super::host::{self, Host};
use crate::error::{Error, Result};

/// What the server's thread is asked to do; each sends a word when it is done.
pub enum Command {
    /// Serves clients of a node from now on.
    Open {
        node: i32,
        listener: TcpListener,
        done: mpsc::Sender<()>,
    },
    /// Closes the listener of a node and all its connections.
    Close { node: i32, done: mpsc::Sender<()> },
}

/// Binds an address; the listener is ready for clients once this returns.
pub fn bind(address: SocketAddr) -> Result<TcpListener> {
    let listening = |source| Error::Listen {
        address: address.to_string(),
        source,
    };
    let listener = TcpListener::bind(address).map_err(listening)?;
    listener.set_nonblocking(true).map_err(listening)?;
    Ok(listener)
}

/// Serves all nodes until the other side of `commands` is gone.
pub async fn serve(
    mut commands: channel::UnboundedReceiver<Command>,
    host: Arc<Host>,
    limits: Arc<Limits>,
    places: Arc<Semaphore>,
) {
    tokio::spawn(host::run_timer(Arc::clone(&host)));
    let mut open: BTreeMap<i32, JoinHandle<()>> = BTreeMap::new();
    while let Some(command) = commands.recv().await {
        match command {
            Command::Open {
                node,
                listener,
                done,
            } => {
                let (host, limits) = (Arc::clone(&host), Arc::clone(&limits));
                let accepting = accept(node, listener, host, limits, Arc::clone(&places));
                open.insert(node, tokio::spawn(accepting));
                let _ = done.send(());
            }
            Command::Close { node, done } => {
                if let Some(accepting) = open.remove(&node) {
                    accepting.abort();
                    // Its connections go with it, and the port is free again.
                    let _ = accepting.await;
                }
                let _ = done.send(());
            }
        }
    }
}

async fn accept(
    node: i32,
    listener: TcpListener,
    host: Arc<Host>,
    limits: Arc<Limits>,
    places: Arc<Semaphore>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((socket, peer)) = accepted else {
            // Out of file descriptors, most likely: closed connections give some back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let (host, limits) = (Arc::clone(&host), Arc::clone(&limits));
        connections.spawn(async move {
            connection::run(node, socket, peer, host, limits).await;
            drop(place);
        });
    }
}
