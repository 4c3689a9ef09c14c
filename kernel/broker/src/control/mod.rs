//! The control channel: asks the process that holds the brokers for a cluster by name.
//!
//! Cells run in a process that may crash; brokers live in another one. The two talk over TCP on
//! 127.0.0.1, a length (u32, big endian) and JSON for each message, the token first.
//!
//! - `server`: opens clusters when they are first asked for
//! - `client`: asks
//! - `frames`: the messages on the wire

use serde::{Deserialize, Serialize};

use crate::brokers::{Event, Fault};
use crate::description::ClusterDescription;
use crate::inspection::{LogInspection, LogQuery};
use crate::server::ServerConfig;

mod client;
mod frames;
mod server;

pub use client::ControlClient;
pub use server::ControlServer;

/// The environment variable that names the channel: `127.0.0.1:port/token`.
pub const ENV: &str = "HEADWATER_CONTROL";

/// The first message on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub token: String,
}

/// What can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Starts the cluster if it is not running.
    Open {
        cluster: String,
        /// Nothing for a cluster as the server starts them, or as it is.
        #[serde(default)]
        shape: Option<Shape>,
    },
    Describe {
        cluster: String,
    },
    /// Asks for the inside of one log.
    Inspect {
        cluster: String,
        of: LogQuery,
    },
    /// Deletes all topics and groups of the cluster.
    Reset {
        cluster: String,
    },
    /// Does something to a node or a link of the cluster.
    Apply {
        cluster: String,
        fault: Fault,
    },
    /// Asks what happened to nodes and replicas.
    Events {
        cluster: String,
    },
}

/// What a cluster is to be made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// 1 to 16.
    pub nodes: usize,
    /// The rack of each node; empty for none.
    #[serde(default)]
    pub racks: Vec<String>,
    /// `replica.lag.time.max.ms`, where it is not to be the default.
    #[serde(default)]
    pub replica_lag_ms: Option<i64>,
    /// `broker.session.timeout.ms`, where it is not to be the default.
    #[serde(default)]
    pub session_timeout_ms: Option<i64>,
}

impl Shape {
    /// Sets what a server of this shape needs.
    pub fn apply_to(self, config: &mut ServerConfig) {
        config.nodes = self.nodes;
        config.racks = self.racks;
        let brokers = &mut config.brokers;
        brokers.replica_lag_ms = self.replica_lag_ms.unwrap_or(brokers.replica_lag_ms);
        let session_timeout_ms = self.session_timeout_ms;
        brokers.session_timeout_ms = session_timeout_ms.unwrap_or(brokers.session_timeout_ms);
    }
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The token was right.
    Welcome,
    Opened {
        bootstrap: String,
    },
    Described(ClusterDescription),
    Inspected(LogInspection),
    Reset,
    Applied,
    Happened(Vec<Event>),
    Refused {
        why: String,
    },
}
