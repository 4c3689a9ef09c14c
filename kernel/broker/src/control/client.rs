//! The asking side of the control channel.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use super::{Hello, Reply, Request, Shape, frames};
use crate::brokers::{Event, Fault};
use crate::description::ClusterDescription;
use crate::error::{Error, Result};
use crate::inspection::{LogInspection, LogQuery};

/// Opening a cluster takes milliseconds; this long without an answer means there is nobody.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to the process that holds the brokers.
pub struct ControlClient {
    place: String,
    stream: TcpStream,
}

impl ControlClient {
    /// Connects to the channel at `place`, the value of `HEADWATER_CONTROL`.
    ///
    /// # Errors
    /// `Error::Place` for a value of another form, `Error::Control` where nobody answers,
    /// `Error::Refused` for a wrong token.
    pub fn connect(place: &str) -> Result<ControlClient> {
        let malformed = || Error::Place {
            place: place.to_owned(),
        };
        let (address, token) = place.split_once('/').ok_or_else(malformed)?;
        let address = address.parse().map_err(|_| malformed())?;
        // The token is a password: messages name the address only.
        let silent = |source| Error::Control {
            place: format!("{address}"),
            source,
        };
        let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(silent)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(silent)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(silent)?;
        stream.set_nodelay(true).map_err(silent)?;
        let mut client = ControlClient {
            place: address.to_string(),
            stream,
        };
        let hello = Hello {
            token: token.to_owned(),
        };
        match client.exchange(&hello)? {
            Reply::Welcome => Ok(client),
            other => Err(client.unexpected(other)),
        }
    }

    /// Returns the bootstrap servers of a cluster, which is started if need be.
    ///
    /// # Errors
    /// `Error::Refused` for a name that is none, `Error::Control` where the answer fails.
    pub fn open(&mut self, cluster: &str) -> Result<String> {
        self.open_shaped(cluster, None)
    }

    /// As `open`, with so many nodes and these settings.
    ///
    /// # Errors
    /// As `open`; also where the cluster runs already, with another number of nodes.
    pub fn open_with(&mut self, cluster: &str, shape: Shape) -> Result<String> {
        self.open_shaped(cluster, Some(shape))
    }

    fn open_shaped(&mut self, cluster: &str, shape: Option<Shape>) -> Result<String> {
        let cluster = cluster.to_owned();
        match self.exchange(&Request::Open { cluster, shape })? {
            Reply::Opened { bootstrap } => Ok(bootstrap),
            other => Err(self.unexpected(other)),
        }
    }

    /// Does something to a node or a link of a cluster.
    ///
    /// # Errors
    /// As `describe`, and where the cluster has no such node.
    pub fn apply(&mut self, cluster: &str, fault: Fault) -> Result<()> {
        let cluster = cluster.to_owned();
        match self.exchange(&Request::Apply { cluster, fault })? {
            Reply::Applied => Ok(()),
            other => Err(self.unexpected(other)),
        }
    }

    /// Returns what happened to the nodes and replicas of a cluster, oldest first.
    ///
    /// # Errors
    /// As `describe`.
    pub fn events(&mut self, cluster: &str) -> Result<Vec<Event>> {
        let cluster = cluster.to_owned();
        match self.exchange(&Request::Events { cluster })? {
            Reply::Happened(events) => Ok(events),
            other => Err(self.unexpected(other)),
        }
    }

    /// Returns what a cluster holds.
    ///
    /// # Errors
    /// `Error::Refused` for a cluster that was never opened, `Error::Control` as above.
    pub fn describe(&mut self, cluster: &str) -> Result<ClusterDescription> {
        let cluster = cluster.to_owned();
        match self.exchange(&Request::Describe { cluster })? {
            Reply::Described(description) => Ok(description),
            other => Err(self.unexpected(other)),
        }
    }

    /// Returns the inside of one log.
    ///
    /// # Errors
    /// As `describe`, and `Error::Refused` where there is no such log.
    pub fn inspect(&mut self, cluster: &str, of: &LogQuery) -> Result<LogInspection> {
        let (cluster, of) = (cluster.to_owned(), of.clone());
        match self.exchange(&Request::Inspect { cluster, of })? {
            Reply::Inspected(inspection) => Ok(inspection),
            other => Err(self.unexpected(other)),
        }
    }

    /// Deletes all topics and groups of a cluster.
    ///
    /// # Errors
    /// As `describe`.
    pub fn reset(&mut self, cluster: &str) -> Result<()> {
        let cluster = cluster.to_owned();
        match self.exchange(&Request::Reset { cluster })? {
            Reply::Reset => Ok(()),
            other => Err(self.unexpected(other)),
        }
    }

    fn exchange(&mut self, message: &impl serde::Serialize) -> Result<Reply> {
        let sent = frames::write(&mut self.stream, message);
        let reply = sent.and_then(|()| frames::read_reply(&mut self.stream));
        reply.map_err(|source| self.broken(source))
    }

    fn broken(&self, source: io::Error) -> Error {
        Error::Control {
            place: self.place.clone(),
            source,
        }
    }

    fn unexpected(&self, reply: Reply) -> Error {
        match reply {
            Reply::Refused { why } => Error::Refused { why },
            other => self.broken(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("an answer to another question: {other:?}"),
            )),
        }
    }
}
