//! The control channel: asks the process that holds the brokers for a cluster by name.
//!
//! Cells run in a process that may crash; brokers live in another one. The two talk over TCP on
//! 127.0.0.1, a length (u32, big endian) and JSON for each message, the token first.
//!
//! - `server`: opens clusters when they are first asked for
//! - `client`: asks
//! - `frames`: the messages on the wire

use serde::{Deserialize, Serialize};

use crate::description::ClusterDescription;
use crate::inspection::{LogInspection, LogQuery};

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
    Refused {
        why: String,
    },
}
