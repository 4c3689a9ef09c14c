//! The Kafka wire protocol: which requests there are, and how their frames are read and written.
//!
//! - [`apis`]: one line for every supported request
//! - [`shapes`]: walks over a frame before anything is reserved for it
//! - [`frame`]: one request in, one reply out

use kafka_protocol::protocol::StrBytes;

pub mod apis;
pub mod frame;
pub mod shapes;

pub use apis::{APIS, ApiSpec, Request, Response};
pub use frame::{Decoded, Incoming, Malformed};

/// Returns a protocol string.
pub(crate) fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}
