//! What front ends ask for.

use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::{JupyterMessage, JupyterMessageContent as Content};
use jupyter_zmq_client::{RouterRecvConnection, RuntimeError};

use super::{Origin, Parent};

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
    History,
    CommInfo,
    CommOpen {
        comm: String,
    },
    /// A message to, or the end of, a comm: nothing is sent back.
    CommTraffic,
    Interrupt,
    Shutdown {
        restart: bool,
    },
    /// A request that this kernel does not know; it is told so.
    Unknown {
        message_type: String,
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
    pub stop_on_error: bool,
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

    /// Waits for the next request. A message that is malformed or wrongly signed is logged and
    /// passed over: it must not end the loop that reads everyone else's.
    pub async fn next(&mut self) -> Request {
        loop {
            match self.connection.read().await {
                Ok(message) => return Request::from(message),
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
}

impl From<JupyterMessage> for Request {
    fn from(message: JupyterMessage) -> Request {
        let origin = Origin {
            header: message.header,
            identities: message.zmq_identities,
        };
        Request {
            parent: Arc::new(origin),
            topic: Topic::from(message.content),
        }
    }
}

impl From<Content> for Topic {
    fn from(content: Content) -> Topic {
        match content {
            Content::KernelInfoRequest(_) => Topic::KernelInfo,
            Content::ExecuteRequest(request) => Topic::Execute(Execute {
                code: request.code,
                silent: request.silent,
                store_history: request.store_history && !request.silent,
                stop_on_error: request.stop_on_error,
            }),
            Content::CompleteRequest(request) => Topic::Complete {
                code: request.code,
                cursor: request.cursor_pos,
            },
            Content::InspectRequest(request) => Topic::Inspect {
                code: request.code,
                cursor: request.cursor_pos,
                detail: request.detail_level.is_some_and(|level| level > 0),
            },
            Content::IsCompleteRequest(request) => Topic::IsComplete { code: request.code },
            Content::HistoryRequest(_) => Topic::History,
            Content::CommInfoRequest(_) => Topic::CommInfo,
            Content::CommOpen(open) => Topic::CommOpen {
                comm: open.comm_id.into(),
            },
            Content::CommMsg(_) | Content::CommClose(_) => Topic::CommTraffic,
            Content::InterruptRequest(_) => Topic::Interrupt,
            Content::ShutdownRequest(request) => Topic::Shutdown {
                restart: request.restart,
            },
            other => {
                let message_type = other.message_type().to_owned();
                match message_type.ends_with("_request") {
                    true => Topic::Unknown { message_type },
                    false => Topic::Nothing { message_type },
                }
            }
        }
    }
}
