//! Reads the content of requests, with the defaults that the protocol gives to missing fields.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::request::{Comm, CommAct, Execute, Topic};
use crate::serve::history::{Question, Wanted};

/// Returns what a message of this type and content asks for. `answered` is the message that it
/// says it answers.
pub fn topic(
    message_type: &str,
    content: Value,
    buffers: Vec<Bytes>,
    answered: Option<String>,
) -> Topic {
    let read = match message_type {
        "kernel_info_request" => Ok(Topic::KernelInfo),
        "connect_request" => Ok(Topic::Connect),
        "interrupt_request" => Ok(Topic::Interrupt),
        "execute_request" => of(content).map(execute),
        "complete_request" => of(content).map(|place: Place| Topic::Complete {
            cursor: place.cursor(),
            code: place.code,
        }),
        "inspect_request" => of(content).map(|place: Place| Topic::Inspect {
            cursor: place.cursor(),
            detail: place.detail_level.is_some_and(|level| level > 0),
            code: place.code,
        }),
        "is_complete_request" => of(content).map(|Code { code }| Topic::IsComplete { code }),
        "history_request" => of(content).map(history),
        "comm_info_request" => of(content).map(|CommInfo { target_name }| Topic::CommInfo {
            target: target_name.filter(|name| !name.is_empty()),
        }),
        "comm_open" | "comm_msg" | "comm_close" => {
            of(content).and_then(|comm| self::comm(message_type, comm, buffers))
        }
        "shutdown_request" => of(content).map(|Shutdown { restart }| Topic::Shutdown { restart }),
        "debug_request" => of(content).map(|Debug { command, seq }| Topic::Debug {
            command,
            number: seq,
        }),
        "input_reply" => of(content).map(|Input { value }| Topic::Input {
            question: answered,
            line: value,
        }),
        other => Ok(if other.ends_with("_request") {
            Topic::Unknown {
                message_type: other.to_owned(),
            }
        } else {
            Topic::Nothing {
                message_type: other.to_owned(),
            }
        }),
    };
    read.unwrap_or_else(|error| malformed(message_type, &error))
}

/// Returns the topic of a message whose content cannot be read.
pub fn malformed(message_type: &str, error: &serde_json::Error) -> Topic {
    Topic::Malformed {
        message_type: message_type.to_owned(),
        reason: error.to_string(),
    }
}

fn of<T: DeserializeOwned>(content: Value) -> serde_json::Result<T> {
    serde_json::from_value(content)
}

fn execute(content: ExecuteContent) -> Topic {
    Topic::Execute(Execute {
        code: content.code,
        silent: content.silent,
        store_history: content.store_history && !content.silent,
        expressions: content.user_expressions.unwrap_or_default(),
        allow_stdin: content.allow_stdin,
        stop_on_error: content.stop_on_error,
    })
}

fn history(content: HistoryContent) -> Topic {
    let wanted = match content.hist_access_type {
        Access::Range => Wanted::Range {
            session: content.session.unwrap_or(0),
            start: content.start.unwrap_or(1),
            stop: content.stop,
        },
        Access::Tail => Wanted::Tail {
            count: content.n.unwrap_or(TAIL),
        },
        Access::Search => Wanted::Search {
            pattern: content.pattern.unwrap_or_else(|| "*".to_owned()),
            unique: content.unique.unwrap_or(false),
            count: content.n,
        },
    };
    Topic::History(Question {
        wanted,
        output: content.output.unwrap_or(false),
    })
}

fn comm(
    message_type: &str,
    content: CommContent,
    buffers: Vec<Bytes>,
) -> serde_json::Result<Topic> {
    let act = match (message_type, content.target_name) {
        ("comm_open", Some(target)) => CommAct::Open { target },
        ("comm_open", None) => {
            return Err(serde::de::Error::missing_field("target_name"));
        }
        ("comm_msg", _) => CommAct::Message,
        _ => CommAct::Close,
    };
    Ok(Topic::Comm(Comm {
        id: content.comm_id,
        act,
        buffers,
    }))
}

/// How many cells `tail` gives where the front end does not say; IPython's number.
const TAIL: u32 = 10;

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct ExecuteContent {
    code: String,
    #[serde(default)]
    silent: bool,
    #[serde(default = "yes")]
    store_history: bool,
    user_expressions: Option<BTreeMap<String, String>>,
    #[serde(default = "yes")]
    allow_stdin: bool,
    #[serde(default = "yes")]
    stop_on_error: bool,
}

#[derive(Deserialize)]
struct Place {
    code: String,
    cursor_pos: Option<usize>,
    detail_level: Option<u64>,
}

impl Place {
    /// The end of the code where the front end does not say.
    fn cursor(&self) -> usize {
        self.cursor_pos.unwrap_or(self.code.chars().count())
    }
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// The transformed input differs from the raw one in IPython only; `raw` is not looked at.
#[derive(Deserialize)]
struct HistoryContent {
    hist_access_type: Access,
    output: Option<bool>,
    session: Option<i64>,
    start: Option<i64>,
    stop: Option<i64>,
    n: Option<u32>,
    pattern: Option<String>,
    unique: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Access {
    Range,
    Tail,
    Search,
}

#[derive(Deserialize)]
struct CommInfo {
    target_name: Option<String>,
}

#[derive(Deserialize)]
struct CommContent {
    comm_id: String,
    target_name: Option<String>,
}

#[derive(Deserialize)]
struct Shutdown {
    #[serde(default)]
    restart: bool,
}

#[derive(Deserialize)]
struct Debug {
    #[serde(default)]
    command: String,
    #[serde(default)]
    seq: u64,
}

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    value: String,
}
