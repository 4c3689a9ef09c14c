//! What the kernel replies on the shell and control sockets.

use std::collections::HashMap;

use jupyter_protocol::{
    CommInfoReply, CompleteReply, ExecuteReply, ExecutionCount, HistoryReply, InspectReply,
    InterruptReply, IsCompleteReply, JupyterMessage, JupyterMessageContent as Content, Media,
    MediaType, ReplyError, ReplyStatus, ShutdownReply, UnknownMessage,
};
use jupyter_zmq_client::RouterSendConnection;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{Parent, message};
use crate::evaluate::{CellFailure, Completeness, Completions, Inspection};
use crate::serve::info;

/// The content of a reply.
#[derive(Debug)]
pub enum Answer {
    KernelInfo,
    Executed {
        count: u32,
    },
    Failed {
        count: u32,
        failure: CellFailure,
    },
    /// The cell was queued behind one that failed.
    Aborted {
        count: u32,
    },
    Completions(Completions),
    Inspection(Option<Inspection>),
    Completeness(Completeness),
    /// No history is kept.
    History,
    /// No comm is open.
    Comms,
    Interrupted,
    Shutdown {
        restart: bool,
    },
    NotKnown {
        message_type: String,
    },
}

/// The sending half of the shell or control socket. Replies leave in the order they came in.
#[derive(Debug, Clone)]
pub struct Outbox {
    sender: mpsc::UnboundedSender<Outgoing>,
}

#[derive(Debug)]
enum Outgoing {
    Reply(Box<JupyterMessage>),
    Flush(oneshot::Sender<()>),
}

impl Outbox {
    pub(super) fn new(name: &'static str, mut connection: RouterSendConnection) -> Outbox {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(outgoing) = receiver.recv().await {
                match outgoing {
                    Outgoing::Reply(reply) => {
                        if let Err(error) = connection.send(*reply).await {
                            eprintln!("headwater: a reply on {name} was not sent: {error}");
                        }
                    }
                    Outgoing::Flush(done) => drop(done.send(())),
                }
            }
        });
        Outbox { sender }
    }

    /// Sends `answer` to whoever asked.
    pub fn reply(&self, parent: &Parent, answer: Answer) {
        let mut reply = message(answer.into(), Some(parent));
        reply.zmq_identities.clone_from(&parent.identities);
        // The task behind the channel ends only with the kernel.
        let _ = self.sender.send(Outgoing::Reply(Box::new(reply)));
    }

    /// Waits until everything replied so far has been handed to the network.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.sender.send(Outgoing::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }
}

impl From<Answer> for Content {
    fn from(answer: Answer) -> Content {
        match answer {
            Answer::KernelInfo => info::kernel_info().into(),
            Answer::Executed { count } => execute_reply(ReplyStatus::Ok, count, None),
            Answer::Failed { count, failure } => {
                execute_reply(ReplyStatus::Error, count, Some(failure))
            }
            Answer::Aborted { count } => execute_reply(ReplyStatus::Aborted, count, None),
            Answer::Completions(found) => CompleteReply {
                metadata: kinds(&found),
                matches: found.matches.into_iter().map(|found| found.text).collect(),
                cursor_start: found.start,
                cursor_end: found.end,
                ..CompleteReply::default()
            }
            .into(),
            Answer::Inspection(found) => InspectReply {
                found: found.is_some(),
                data: Media::new(found.map(explained).unwrap_or_default()),
                ..InspectReply::default()
            }
            .into(),
            Answer::Completeness(Completeness::Complete) => IsCompleteReply::complete().into(),
            Answer::Completeness(Completeness::Incomplete { indent }) => {
                IsCompleteReply::incomplete(indent).into()
            }
            Answer::Completeness(Completeness::Invalid) => IsCompleteReply::invalid().into(),
            Answer::History => HistoryReply::default().into(),
            Answer::Comms => CommInfoReply::default().into(),
            Answer::Interrupted => InterruptReply::new().into(),
            Answer::Shutdown { restart } => ShutdownReply {
                restart,
                ..ShutdownReply::default()
            }
            .into(),
            Answer::NotKnown { message_type } => not_known(message_type),
        }
    }
}

/// What JupyterLab shows beside each match: its kind and its signature.
fn kinds(found: &Completions) -> serde_json::Map<String, serde_json::Value> {
    let matches = found.matches.iter().map(|candidate| {
        json!({
            "start": found.start, "end": found.end, "text": candidate.text,
            "type": candidate.kind, "signature": candidate.signature,
        })
    });
    let matches: Vec<_> = matches.collect();
    [("_jupyter_types_experimental".to_owned(), json!(matches))]
        .into_iter()
        .collect()
}

fn explained(found: Inspection) -> Vec<MediaType> {
    vec![
        MediaType::Plain(found.plain),
        MediaType::Markdown(found.markdown),
    ]
}

fn execute_reply(status: ReplyStatus, count: u32, failure: Option<CellFailure>) -> Content {
    ExecuteReply {
        status,
        execution_count: ExecutionCount::new(count as usize),
        payload: Vec::new(),
        user_expressions: Some(HashMap::new()),
        error: failure.map(|failure| {
            Box::new(ReplyError {
                ename: failure.ename,
                evalue: failure.evalue,
                traceback: failure.traceback,
            })
        }),
    }
    .into()
}

fn not_known(message_type: String) -> Content {
    let evalue = format!("this kernel does not answer `{message_type}`");
    UnknownMessage {
        msg_type: message_type,
        content: json!(null),
    }
    .reply(json!({
        "status": "error",
        "ename": "NotImplemented",
        "evalue": evalue,
        "traceback": [],
    }))
}
