//! Who may connect, and how what they say is kept from others: users with salted hashes, SASL,
//! TLS.
//!
//! - [`users`]: names and credentials, in memory and in a file
//! - [`scram`]: the server's side of SCRAM (RFC 5802, RFC 7677)
//! - `plain`: the one message of PLAIN (RFC 4616)
//! - [`tls`]: certificate and key
//!
//! Nothing in here knows sockets or requests; the order of messages on a connection is the
//! server's (`server/login.rs`).

use std::fmt;

pub mod hash;
pub(crate) mod plain;
pub mod scram;
pub mod tls;
pub mod users;

pub use tls::Tls;
pub use users::Users;

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// The password itself: readable on the network unless there is TLS.
    Plain,
    ScramSha256,
    ScramSha512,
}

impl Mechanism {
    pub const ALL: [Mechanism; 3] = [
        Mechanism::Plain,
        Mechanism::ScramSha256,
        Mechanism::ScramSha512,
    ];

    /// Returns the name by which clients ask for it.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a server asks of its clients; `Security::default()` asks nothing.
#[derive(Debug, Clone)]
pub struct Security {
    /// With users, a client must log in before anything else is answered. Default: none.
    pub users: Option<Users>,
    /// With TLS, nothing else is spoken on the port. Default: none.
    pub tls: Option<Tls>,
    /// The ways to log in that are offered. Default: all three.
    pub mechanisms: Vec<Mechanism>,
}

impl Default for Security {
    fn default() -> Self {
        Security {
            users: None,
            tls: None,
            mechanisms: Mechanism::ALL.to_vec(),
        }
    }
}

/// A login that failed, in words for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub &'static str);

impl Refused {
    /// The same for an unknown name and a wrong password: who guesses learns nothing.
    pub const CREDENTIALS: Refused =
        Refused("Authentication failed: the user name or the password is wrong");
    pub const MALFORMED: Refused =
        Refused("Authentication failed: the message is none of this mechanism");
    pub const OTHER_IDENTITY: Refused =
        Refused("Authentication failed: nobody may act under the name of another user");
}
