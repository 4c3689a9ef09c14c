//! What the kernel publishes on iopub, to everyone.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::{
    ClearOutput, CommClose, CommId, CommMsg, ErrorOutput, ExecuteInput, ExecutionCount,
    IoPubWelcome, JupyterMessageContent as Content, Status, Stdio, StreamContent,
};
use jupyter_zmq_client::{KernelIoPubXPubConnection, SubscriptionEvent};
use serde_json::{Map, Value, json};

use super::{Origin, message, of_type};
use crate::evaluate::CellFailure;

/// How long a subscriber may hold up everyone's output.
const SEND_LIMIT: Duration = Duration::from_secs(2);
/// The same while it is known to be stalled.
const STALLED_LIMIT: Duration = Duration::from_millis(20);

/// MIME type to content: text as it is, binary types in base64.
pub type Bundle = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamName {
    Stdout,
    Stderr,
}

/// The content of a published message.
#[derive(Debug)]
pub enum Post {
    Starting,
    Busy,
    Idle,
    Input {
        code: String,
        count: u32,
    },
    Stream {
        name: StreamName,
        text: String,
    },
    Display {
        id: Option<String>,
        data: Bundle,
    },
    Update {
        id: String,
        data: Bundle,
    },
    Result {
        count: u32,
        data: Bundle,
    },
    Error(CellFailure),
    Clear {
        wait: bool,
    },
    CommMsg {
        comm: String,
        data: Map<String, Value>,
        buffers: Vec<Bytes>,
    },
    CommClose {
        comm: String,
    },
}

/// The iopub socket: an XPUB, so that sending waits for slow subscribers instead of dropping.
pub struct Publisher {
    connection: KernelIoPubXPubConnection,
    stalled: bool,
}

impl Publisher {
    pub(super) fn new(connection: KernelIoPubXPubConnection) -> Publisher {
        Publisher {
            connection,
            stalled: false,
        }
    }

    /// Sends `post` to every subscriber, waiting a bounded time for one that does not read.
    pub async fn publish(&mut self, parent: Option<&Origin>, post: Post) {
        let buffers = match &post {
            Post::CommMsg { buffers, .. } => buffers.clone(),
            _ => Vec::new(),
        };
        let mut outgoing = message(post.into(), parent).with_buffers(buffers);
        // The first frame is what subscriptions are compared with.
        outgoing.zmq_identities = vec![format!("kernel.{}", outgoing.header.msg_type).into()];
        let limit = if self.stalled {
            STALLED_LIMIT
        } else {
            SEND_LIMIT
        };
        match tokio::time::timeout(limit, self.connection.send(outgoing)).await {
            Ok(Ok(())) => self.stalled = false,
            Ok(Err(error)) => eprintln!("headwater: an output was not sent: {error}"),
            Err(_) if self.stalled => {}
            Err(_) => {
                self.stalled = true;
                eprintln!("headwater: a front end does not read its output; going on without it");
            }
        }
    }

    /// Waits for a subscriber and welcomes it, so that it knows when nothing can be missed. Returns
    /// whether one came.
    /// <https://jupyter.org/enhancement-proposals/65-jupyter-xpub/jupyter-xpub.html>
    pub async fn welcome(&mut self) -> bool {
        match self.connection.recv_subscription().await {
            Ok(SubscriptionEvent::Subscribe(topic)) => {
                let mut welcome = message(IoPubWelcome::new(topic.clone()).into(), None);
                welcome.zmq_identities = vec![topic.into()];
                let _ = tokio::time::timeout(SEND_LIMIT, self.connection.send(welcome)).await;
                true
            }
            Ok(SubscriptionEvent::Unsubscribe(_)) => false,
            // A subscriber that went away, or one that does not speak the protocol.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                false
            }
        }
    }
}

impl From<Post> for Content {
    fn from(post: Post) -> Content {
        match post {
            Post::Starting => Status::starting().into(),
            Post::Busy => Status::busy().into(),
            Post::Idle => Status::idle().into(),
            Post::Input { code, count } => ExecuteInput {
                code,
                execution_count: execution_count(count),
            }
            .into(),
            Post::Stream { name, text } => StreamContent {
                name: name.into(),
                text,
            }
            .into(),
            Post::Display { id, data } => of_type("display_data", shown(data, id.as_deref())),
            Post::Update { id, data } => of_type("update_display_data", shown(data, Some(&id))),
            Post::Result { count, data } => {
                let mut content = shown(data, None);
                content["execution_count"] = json!(count);
                of_type("execute_result", content)
            }
            Post::Error(failure) => ErrorOutput {
                ename: failure.ename,
                evalue: failure.evalue,
                traceback: failure.traceback,
            }
            .into(),
            Post::Clear { wait } => ClearOutput { wait }.into(),
            Post::CommMsg { comm, data, .. } => CommMsg {
                comm_id: CommId::from(comm),
                data,
            }
            .into(),
            Post::CommClose { comm } => CommClose {
                comm_id: CommId::from(comm),
                data: Map::new(),
            }
            .into(),
        }
    }
}

impl From<StreamName> for Stdio {
    fn from(name: StreamName) -> Stdio {
        match name {
            StreamName::Stdout => Stdio::Stdout,
            StreamName::Stderr => Stdio::Stderr,
        }
    }
}

fn execution_count(count: u32) -> ExecutionCount {
    ExecutionCount::new(count as usize)
}

/// JSON types travel as JSON, not as a string that holds JSON.
pub(super) fn json_bundle(data: Bundle) -> Value {
    let typed = data.into_iter().map(|(mime, text)| typed(mime, text));
    Value::Object(typed.collect())
}

/// The content that displays and results have in common. Front ends are promised all three
/// objects, and the crate's own type for the data drops what it does not expect.
fn shown(data: Bundle, id: Option<&str>) -> Value {
    let transient = id.map_or_else(|| json!({}), |id| json!({"display_id": id}));
    json!({"data": json_bundle(data), "metadata": {}, "transient": transient})
}

fn typed(mime: String, text: String) -> (String, Value) {
    let is_json = mime == "application/json" || mime.ends_with("+json");
    match is_json.then(|| serde_json::from_str(&text)) {
        Some(Ok(value)) => (mime, value),
        _ => (mime, Value::String(text)),
    }
}
