//! The sockets and messages of the Jupyter protocol.
//!
//! Only this module (and `run/client.rs`, the other end) knows the crates that speak it; the rest
//! of the kernel sees [`Request`], [`Answer`] and [`Post`].
//! Protocol: <https://jupyter-client.readthedocs.io/en/stable/messaging.html>

mod answer;
mod post;
mod request;
mod sockets;

use std::sync::Arc;

use bytes::Bytes;
use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent};

pub use answer::{Answer, Outbox};
pub use post::{Post, Publisher, StreamName};
pub use request::{Execute, Inbox, Request, Topic};
pub use sockets::{Heartbeat, bind};

/// The version of the messaging protocol that this kernel speaks.
pub const PROTOCOL_VERSION: &str = "5.4";

/// Where a request came from. Every reply and every output caused by it is sent under it.
#[derive(Debug)]
pub struct Origin {
    header: Header,
    identities: Vec<Bytes>,
}

/// A shared [`Origin`]: a cell's origin is kept for output that comes after it has returned.
pub type Parent = Arc<Origin>;

fn message(content: JupyterMessageContent, parent: Option<&Origin>) -> JupyterMessage {
    let mut message = JupyterMessage::new(content, None);
    message.header.username = "headwater".to_owned();
    message.header.version = PROTOCOL_VERSION.to_owned();
    message.parent_header = parent.map(|parent| parent.header.clone());
    message
}
