//! Nodes of a running server, stopped, killed, started, slowed and cut off: from code, while
//! clients look on.

use std::sync::mpsc;
use std::time::Duration;

use super::Server;
use super::listeners::{Command, bind};
use crate::brokers::{Event, Fault, Peer};
use crate::error::{Error, Result};

impl Server {
    /// Stops a node: it hands its partitions over, then its clients are disconnected.
    ///
    /// # Errors
    /// `Error::UnknownNode`, here and below.
    pub fn stop_node(&self, node: i32) -> Result<()> {
        self.apply(Fault::Stop { node })
    }

    /// Kills a node: its clients are disconnected, and the controller notices when its session
    /// has lapsed. Its logs stay.
    ///
    /// # Errors
    /// As `stop_node`.
    pub fn kill_node(&self, node: i32) -> Result<()> {
        self.apply(Fault::Kill { node })
    }

    /// Starts a node again, on the port it had.
    ///
    /// # Errors
    /// As `stop_node`, and `Error::Listen` where somebody else took the port.
    pub fn start_node(&self, node: i32) -> Result<()> {
        self.apply(Fault::Start { node })
    }

    /// Lets every message to and from a node take so much longer; zero for none.
    ///
    /// # Errors
    /// As `stop_node`.
    pub fn slow_node(&self, node: i32, delay: Duration) -> Result<()> {
        let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        self.apply(Fault::Slow { node, delay_ms })
    }

    /// Cuts the link between two nodes, or between a node and the controller
    /// (`cut(1, Peer::Controller)`). Clients still reach both.
    ///
    /// # Errors
    /// As `stop_node`.
    pub fn cut(&self, a: impl Into<Peer>, b: impl Into<Peer>) -> Result<()> {
        let (a, b) = (a.into(), b.into());
        self.apply(Fault::Cut { a, b })
    }

    /// Makes a link whole again.
    ///
    /// # Errors
    /// As `stop_node`.
    pub fn heal(&self, a: impl Into<Peer>, b: impl Into<Peer>) -> Result<()> {
        let (a, b) = (a.into(), b.into());
        self.apply(Fault::Heal { a, b })
    }

    /// Returns how many nodes the cluster has.
    pub fn nodes(&self) -> usize {
        self.addresses.len()
    }

    /// Returns the node that coordinates a group or a transactional id, while one lives.
    pub fn coordinator_of(&self, key: &str) -> Option<i32> {
        self.host.coordinator_of(key)
    }

    /// Returns what happened to nodes and replicas, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.host.events()
    }

    /// Does what `fault` says.
    ///
    /// # Errors
    /// As `start_node`.
    pub fn apply(&self, fault: Fault) -> Result<()> {
        for node in fault.nodes() {
            self.check_node(node)?;
        }
        // One at a time: a node's port and the node itself change together.
        let _changing = self
            .changing
            .lock()
            .unwrap_or_else(|lock| lock.into_inner());
        match fault {
            Fault::Start { node } => {
                if self.host.is_up(node) {
                    return Ok(());
                }
                let listener = bind(self.address_of(node)?)?;
                self.host.fault(fault);
                self.command(|done| Command::Open {
                    node,
                    listener,
                    done,
                });
            }
            Fault::Kill { node } => {
                self.command(|done| Command::Close { node, done });
                self.host.fault(fault);
            }
            Fault::Stop { node } => {
                self.host.fault(fault);
                self.command(|done| Command::Close { node, done });
            }
            fault => self.host.fault(fault),
        }
        Ok(())
    }

    /// Has the server's thread do something, and waits until it is done.
    pub(super) fn command(&self, command: impl FnOnce(mpsc::Sender<()>) -> Command) {
        let (done, finished) = mpsc::channel();
        // A thread that is gone serves nobody: there is nothing left to do.
        if self.commands.send(command(done)).is_ok() {
            let _ = finished.recv();
        }
    }

    fn check_node(&self, node: i32) -> Result<()> {
        self.address_of(node).map(|_| ())
    }

    fn address_of(&self, node: i32) -> Result<std::net::SocketAddr> {
        let known = self.addresses.iter().find(|(id, _)| *id == node);
        let unknown = || Error::UnknownNode {
            node,
            nodes: self.addresses.len(),
        };
        known.map(|(_, address)| *address).ok_or_else(unknown)
    }
}
