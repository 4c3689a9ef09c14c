//! What front ends ask for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::Header;
use jupyter_zmq_client::{RawMessage, RouterRecvConnection, RuntimeError};
use serde_json::Value;
use zeromq::SocketRecv;

use super::{Origin, Parent, content};
use crate::serve::history::Question;

/// One request, with the place to answer to.
#[derive(Debug)]
pub struct Request {
    pub parent: Parent,
    pub topic: Topic,
}

/// The content of a request. Cursors count Unicode scalar values, as the protocol does.
#[derive(Debug)]
pub enum Topic {
    KernelInfo,
    Connect,
    Execute(Execute),
    Complete {
        code: String,
        cursor: usize,
    },
    Inspect {
        code: String,
        cursor: usize,
        detail: bool,
    },
    IsComplete {
        code: String,
    },
    History(Question),
    CommInfo {
        target: Option<String>,
    },
    Comm(Comm),
    Interrupt,
    Shutdown {
        restart: bool,
    },
    Debug {
        command: String,
        number: u64,
    },
    /// What a person has typed, in answer to a question of the kernel.
    Input {
        /// The question that it answers, where the front end says so.
        question: Option<String>,
        line: String,
    },
    /// A request that this kernel does not know; it is told so.
    Unknown {
        message_type: String,
    },
    /// A known request whose content is not what the protocol asks for; it is told so.
    Malformed {
        message_type: String,
        reason: String,
    },
    /// A message that asks for nothing, such as a stray reply.
    Nothing {
        message_type: String,
    },
}

/// Code to run.
#[derive(Debug)]
pub struct Execute {
    pub code: String,
    pub silent: bool,
    pub store_history: bool,
    /// Names, and expressions to evaluate after the code.
    pub expressions: BTreeMap<String, String>,
    pub allow_stdin: bool,
    pub stop_on_error: bool,
}

/// A message of a comm: <https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages>.
#[derive(Debug)]
pub struct Comm {
    pub id: String,
    pub act: CommAct,
    pub buffers: Vec<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommAct {
    Open { target: String },
    Message,
    Close,
}

/// The receiving half of the shell, control or stdin socket.
pub struct Inbox {
    name: &'static str,
    connection: RouterRecvConnection,
}

impl Inbox {
    pub(super) fn new(name: &'static str, connection: RouterRecvConnection) -> Inbox {
        Inbox { name, connection }
    }

    /// Waits for the next request. A message that is garbled or wrongly signed is logged and
    /// passed over: it must not end the loop that reads everyone else's.
    pub async fn next(&mut self) -> Request {
        loop {
            match self.read().await {
                Ok(request) => return request,
                Err(error) => {
                    eprintln!("headwater: ignored a message on {}: {error}", self.name);
                    if matches!(error, RuntimeError::ZmqError(_) | RuntimeError::IoError(_)) {
                        // The socket itself complains; do not let it fill the log.
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        }
    }

    /// The parts are taken apart here, not by the crate that reads them: of a request whose content
    /// is wrong it keeps nothing, and then nobody could be told.
    async fn read(&mut self) -> Result<Request, RuntimeError> {
        let parts = self.connection.socket.recv().await?;
        let mut raw = RawMessage::from_multipart(parts, &self.connection.mac)?;
        let header: Header = serde_json::from_slice(&raw.jparts[0])?;
        let answered = serde_json::from_slice::<Value>(&raw.jparts[1]).unwrap_or_default();
        let answered = answered["msg_id"].as_str().map(str::to_owned);
        let buffers = raw.jparts.split_off(4);
        let topic = match serde_json::from_slice(&raw.jparts[3]) {
            Ok(content) => content::topic(&header.msg_type, content, buffers, answered),
            Err(error) => content::malformed(&header.msg_type, &error),
        };
        let origin = Origin {
            header,
            identities: raw.zmq_identities,
        };
        Ok(Request {
            parent: Arc::new(origin),
            topic,
        })
    }
}
