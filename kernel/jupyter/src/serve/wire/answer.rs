//! What the kernel replies on the shell and control sockets, and asks on stdin.

use std::collections::BTreeMap;

use jupyter_protocol::{
    CommInfo, CommInfoReply, CompleteReply, InputRequest, InspectReply, InterruptReply,
    IsCompleteReply, JupyterMessageContent as Content, KernelInfoReply, Media, MediaType,
    ReplyStatus, ShutdownReply,
};
use serde_json::{Value, json};

use super::of_type;
use super::post::{Bundle, json_bundle};
use super::sockets::Ports;
use crate::evaluate::{CellFailure, Completeness, Completions, Inspection};
use crate::serve::history::Line;

/// The content of a reply.
#[derive(Debug)]
pub enum Answer {
    KernelInfo(Box<KernelInfoReply>),
    Ports(Ports),
    Executed(Executed),
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
    Completeness(Option<Completeness>),
    History(Vec<Line>),
    /// Open comms: id and target.
    Comms(Vec<(String, String)>),
    Interrupted,
    Shutdown {
        restart: bool,
    },
    /// No debugger is here to answer `command`.
    NotDebugged {
        command: String,
        number: u64,
    },
    NotKnown {
        message_type: String,
    },
    Malformed {
        message_type: String,
        reason: String,
        count: u32,
    },
    /// A question to the person, on the stdin socket.
    InputWanted {
        prompt: String,
        password: bool,
    },
}

/// What a cell that succeeded gives back beside its output.
#[derive(Debug)]
pub struct Executed {
    pub count: u32,
    /// Texts for the front end's pager.
    pub pages: Vec<Bundle>,
    pub expressions: BTreeMap<String, Result<Bundle, CellFailure>>,
}

impl From<Answer> for Content {
    fn from(answer: Answer) -> Content {
        match answer {
            Answer::KernelInfo(info) => kernel_info(*info),
            Answer::Ports(ports) => {
                let mut content = json!(ports);
                content["status"] = json!("ok");
                of_type("connect_reply", content)
            }
            Answer::Executed(executed) => execute_reply(executed),
            Answer::Failed { count, failure } => {
                let mut content = error(&failure);
                content["execution_count"] = json!(count);
                of_type("execute_reply", content)
            }
            Answer::Aborted { count } => of_type(
                "execute_reply",
                json!({"status": "aborted", "execution_count": count}),
            ),
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
            Answer::Completeness(completeness) => is_complete(completeness),
            Answer::History(lines) => history(&lines),
            Answer::Comms(open) => comms(open),
            Answer::Interrupted => InterruptReply::new().into(),
            Answer::Shutdown { restart } => ShutdownReply {
                restart,
                ..ShutdownReply::default()
            }
            .into(),
            Answer::NotDebugged { command, number } => not_debugged(&command, number),
            Answer::NotKnown { message_type } => {
                let text = format!("this kernel does not answer `{message_type}`");
                refused(&message_type, "NotImplemented", text)
            }
            Answer::Malformed {
                message_type,
                reason,
                count,
            } => malformed(&message_type, reason, count),
            Answer::InputWanted { prompt, password } => InputRequest { prompt, password }.into(),
        }
    }
}

fn kernel_info(info: KernelInfoReply) -> Content {
    let mut content = json!(info);
    // Not in the crate's type. Neither subshells nor a debugger: an empty list says so.
    content["supported_features"] = json!([]);
    of_type("kernel_info_reply", content)
}

fn execute_reply(executed: Executed) -> Content {
    let expressions = executed
        .expressions
        .into_iter()
        .map(|(name, result)| {
            let content = match result {
                Ok(data) => json!({"status": "ok", "data": json_bundle(data), "metadata": {}}),
                Err(failure) => error(&failure),
            };
            (name, content)
        })
        .collect::<serde_json::Map<_, _>>();
    let pages = executed
        .pages
        .into_iter()
        .map(|data| json!({"source": "page", "data": json_bundle(data), "start": 0}));
    let content = json!({
        "status": "ok",
        "execution_count": executed.count,
        "payload": pages.collect::<Vec<_>>(),
        "user_expressions": expressions,
    });
    of_type("execute_reply", content)
}

fn error(failure: &CellFailure) -> Value {
    json!({
        "status": "error",
        "ename": failure.ename,
        "evalue": failure.evalue,
        "traceback": failure.traceback,
    })
}

fn is_complete(completeness: Option<Completeness>) -> Content {
    match completeness {
        Some(Completeness::Complete) => IsCompleteReply::complete().into(),
        Some(Completeness::Incomplete { indent }) => IsCompleteReply::incomplete(indent).into(),
        Some(Completeness::Invalid) => IsCompleteReply::invalid().into(),
        None => of_type("is_complete_reply", json!({"status": "unknown"})),
    }
}

fn history(lines: &[Line]) -> Content {
    let entries = lines.iter().map(|line| match &line.output {
        Some(output) => json!([line.session, line.number, [line.source, output]]),
        None => json!([line.session, line.number, line.source]),
    });
    let content = json!({"status": "ok", "history": entries.collect::<Vec<_>>()});
    of_type("history_reply", content)
}

fn comms(open: Vec<(String, String)>) -> Content {
    let comms = open
        .into_iter()
        .map(|(id, target_name)| (id.into(), CommInfo { target_name }));
    CommInfoReply {
        status: ReplyStatus::Ok,
        comms: comms.collect(),
        error: None,
    }
    .into()
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

/// The debug adapter protocol has words of its own for "no"; both are said.
/// <https://microsoft.github.io/debug-adapter-protocol/specification#Base_Protocol_Response>
fn not_debugged(command: &str, number: u64) -> Content {
    let text = "this kernel has no debugger";
    let content = json!({
        "type": "response", "request_seq": number, "seq": number, "success": false,
        "command": command, "message": text, "body": {},
        "status": "error", "ename": "NotImplemented", "evalue": text, "traceback": [],
    });
    of_type("debug_reply", content)
}

fn malformed(message_type: &str, reason: String, count: u32) -> Content {
    let text = format!("the content of this `{message_type}` cannot be read: {reason}");
    let content = refused(message_type, "MalformedRequest", text);
    match content {
        Content::UnknownMessage(mut reply) if message_type == "execute_request" => {
            reply.content["execution_count"] = json!(count);
            Content::UnknownMessage(reply)
        }
        content => content,
    }
}

fn refused(message_type: &str, name: &str, text: String) -> Content {
    let reply = message_type.replace("_request", "_reply");
    let content = json!({"status": "error", "ename": name, "evalue": text, "traceback": []});
    of_type(&reply, content)
}
