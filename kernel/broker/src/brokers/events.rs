//! What happened to nodes and replicas, for people to read: elections, changes of in-sync sets,
//! records cut off.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Millis, Peer};

/// Events beyond this number push the oldest out.
const MOST_EVENTS: usize = 10_000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since 1970, UTC.
    pub at_ms: Millis,
    pub what: What,
}

/// How a leader came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Election {
    /// From the in-sync set: it has every acknowledged record.
    Clean,
    /// The first node of the assignment took its place back.
    Preferred,
    /// Out of those that live: acknowledged records may be lost.
    Unclean,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A node said goodbye and went.
    Stopped {
        node: i32,
    },
    /// A node died without a word.
    Killed {
        node: i32,
    },
    Started {
        node: i32,
    },
    /// The controller takes a node for dead.
    Fenced {
        node: i32,
    },
    /// The controller takes a node for alive again.
    Unfenced {
        node: i32,
    },
    Cut {
        a: Peer,
        b: Peer,
    },
    Healed {
        a: Peer,
        b: Peer,
    },
    Slowed {
        node: i32,
        delay_ms: Millis,
    },
    Elected {
        topic: String,
        partition: i32,
        leader: i32,
        leader_epoch: i32,
        election: Election,
    },
    /// No node that could lead lives.
    Offline {
        topic: String,
        partition: i32,
        leader_epoch: i32,
    },
    /// The in-sync set is another one.
    InSync {
        topic: String,
        partition: i32,
        from: Vec<i32>,
        to: Vec<i32>,
    },
    /// A follower cut off what its leader does not have. `records` of them are gone.
    Truncated {
        node: i32,
        topic: String,
        partition: i32,
        from: i64,
        to: i64,
        records: u64,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Stopped { node } => write!(f, "node {node} stopped"),
            What::Killed { node } => write!(f, "node {node} was killed"),
            What::Started { node } => write!(f, "node {node} started"),
            What::Fenced { node } => write!(f, "the controller takes node {node} for dead"),
            What::Unfenced { node } => write!(f, "the controller takes node {node} for alive"),
            What::Cut { a, b } => write!(f, "the link between {a} and {b} was cut"),
            What::Healed { a, b } => write!(f, "the link between {a} and {b} is whole again"),
            What::Slowed { node, delay_ms } => {
                write!(f, "messages of node {node} take {delay_ms} ms longer")
            }
            What::Elected {
                topic,
                partition,
                leader,
                leader_epoch,
                election,
            } => {
                let how = match election {
                    Election::Clean => "from the in-sync set",
                    Election::Preferred => "as the preferred leader",
                    Election::Unclean => "from outside the in-sync set",
                };
                write!(
                    f,
                    "{topic}-{partition}: node {leader} leads, {how}, epoch {leader_epoch}"
                )
            }
            What::Offline {
                topic, partition, ..
            } => write!(f, "{topic}-{partition}: offline, no node can lead"),
            What::InSync {
                topic,
                partition,
                from,
                to,
            } => write!(f, "{topic}-{partition}: in sync {to:?}, before {from:?}"),
            What::Truncated {
                node,
                topic,
                partition,
                from,
                to,
                records,
            } => write!(
                f,
                "{topic}-{partition}: node {node} cut its log from {from} to {to}, {records} records lost there"
            ),
        }
    }
}

/// The newest events.
#[derive(Debug, Default)]
pub(crate) struct Events {
    kept: VecDeque<Event>,
}

impl Events {
    pub fn note(&mut self, at_ms: Millis, what: What) {
        if self.kept.len() == MOST_EVENTS {
            self.kept.pop_front();
        }
        self.kept.push_back(Event { at_ms, what });
    }

    /// Returns the events, oldest first.
    pub fn all(&self) -> Vec<Event> {
        self.kept.iter().cloned().collect()
    }
}
