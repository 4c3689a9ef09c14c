//! An embedded Kafka broker: starts in milliseconds, keeps its records in memory, and is read in
//! an afternoon.
//!
//! At its heart is a state machine that does no I/O and reads no clock ([`brokers`]); round it is
//! a shell that real clients connect to ([`server`]).
//!
//! - [`server`]: sockets and time, `Server::start`
//! - [`control`]: clusters by name, for processes that must not hold the data themselves
//! - [`brokers`]: topics, produce, fetch, everything a broker decides
//! - [`groups`]: consumer groups and committed offsets
//! - [`transactions`]: what is committed together or not at all
//! - [`log`]: record batches in segments
//! - [`storage`]: segment files, recovery after a crash
//! - [`wire`]: frames, and the table of supported requests
//! - [`security`]: users, SASL and TLS, for a server that others reach
//! - [`simulator`]: the same core in virtual time, with crashes, from a seed
//! - [`description`]: what a cluster holds, for people to look at
//! - [`inspection`]: the inside of one log, for people to look at
//!
//! ```
//! use headwater_broker::{Server, ServerConfig};
//!
//! let server = Server::start(ServerConfig::default())?;
//! assert!(server.bootstrap().starts_with("127.0.0.1:"));
//! assert!(server.describe().topics.is_empty());
//! # Ok::<(), headwater_broker::Error>(())
//! ```

pub mod brokers;
pub mod control;
pub mod description;
mod error;
pub mod groups;
pub mod inspection;
pub mod log;
pub mod security;
pub mod server;
pub mod simulator;
pub mod storage;
pub mod transactions;
pub mod wire;

pub use brokers::BrokerSettings;
pub use description::{
    CleaningDescription, ClusterDescription, CommittedOffset, GroupDescription, MemberDescription,
    NodeDescription, PartitionDescription, ProducerDescription, Recovery, ReplicaDescription,
    StorageDescription, TopicDescription, TopicPartition, TransactionDescription, Truncated,
};
pub use error::{Error, Result};
pub use inspection::{BatchInspection, IndexEntry, LogInspection, LogQuery, SegmentInspection};
pub use server::{Server, ServerConfig};
pub use storage::Flush;
