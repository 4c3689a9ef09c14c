//! The sockets and messages of the Jupyter protocol.
//!
//! Only this module (and `run/client.rs`, the other end) knows the crates that speak it; the rest
//! of the kernel sees [`Request`], [`Answer`] and [`Post`].
//! Protocol: <https://jupyter-client.readthedocs.io/en/stable/messaging.html>

mod answer;
mod content;
mod outbox;
mod post;
mod request;
mod sockets;

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DurationRound, TimeDelta};
use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent, UnknownMessage};
use serde_json::Value;

pub use answer::{Answer, Executed};
pub use outbox::Outbox;
pub use post::{Bundle, Post, Publisher, StreamName};
pub use request::{Comm, CommAct, Execute, Inbox, Request, Topic};
pub use sockets::{Heartbeat, Ports, bind};

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
    // To the microsecond: Python front ends read no finer date.
    let date = message.header.date;
    message.header.date = date
        .duration_trunc(TimeDelta::microseconds(1))
        .unwrap_or(date);
    message.parent_header = parent.map(|parent| parent.header.clone());
    message
}

/// A message that the crate's types do not describe, or not in full.
fn of_type(message_type: &str, content: Value) -> JupyterMessageContent {
    JupyterMessageContent::UnknownMessage(UnknownMessage {
        msg_type: message_type.to_owned(),
        content,
    })
}
