//! What nodes and the controller say to each other, over links that can be slow or cut.
//!
//! A link keeps the order of its messages, as a connection does. A message without delay arrives
//! within the step that sent it. When a link is cut, what was on its way is lost, and both ends
//! know: the connection broke.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Millis, PartitionState, Place};

/// Somebody who sends and receives messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// Keeps topics, leaders and in-sync sets. It is one and never fails: the quorum behind it
    /// (KRaft) is not simulated.
    Controller,
    Node(i32),
}

impl From<i32> for Peer {
    fn from(node: i32) -> Peer {
        Peer::Node(node)
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Controller => write!(f, "the controller"),
            Peer::Node(id) => write!(f, "node {id}"),
        }
    }
}

/// A message. `place` names the replica that it is about.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// A follower asks its leader for what comes after `offset`.
    Fetch {
        place: Place,
        leader_epoch: i32,
        offset: i64,
        /// The leader epoch of the follower's last record, where it has one (KIP-595).
        last_epoch: Option<i32>,
    },
    /// The leader's answer.
    Fetched {
        place: Place,
        leader_epoch: i32,
        answer: FetchAnswer,
    },
    /// A leader proposes another in-sync set.
    Propose {
        place: Place,
        leader_epoch: i32,
        partition_epoch: i32,
        in_sync: Vec<i32>,
    },
    /// The controller tells a node how things stand.
    Told { place: Place, state: PartitionState },
    /// The controller tells a node which nodes live.
    Living(BTreeSet<i32>),
    /// A follower reminds itself to ask again.
    Again { place: Place, leader_epoch: i32 },
}

/// What a leader answers to a follower.
#[derive(Debug, Clone)]
pub(crate) enum FetchAnswer {
    Records {
        offset: i64,
        records: Bytes,
        /// Where the leader's segment begins that holds the records: the follower's begins there too.
        segment: i64,
        high_watermark: i64,
        earliest: i64,
    },
    /// The logs part: the leader's records of `epoch` end at `end`.
    Diverging { epoch: i32, end: i64 },
    /// What the follower asked for is deleted; the leader's log begins here.
    BeginAt(i64),
    /// The node does not lead, or lives in another leader epoch.
    NotLeader,
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub from: Peer,
    pub to: Peer,
    pub message: Message,
}

/// The links between all peers.
#[derive(Debug, Default)]
pub(crate) struct Network {
    cuts: BTreeSet<(Peer, Peer)>,
    /// Milliseconds that a node takes longer to send and to receive.
    slow: BTreeMap<i32, Millis>,
    /// Milliseconds that a single link takes.
    delays: BTreeMap<(Peer, Peer), Millis>,
    arriving: VecDeque<Envelope>,
    /// Later arrivals, in the order in which they were sent.
    later: BTreeMap<(Millis, u64), Envelope>,
    /// The last arrival on each link that has some on their way.
    last: BTreeMap<(Peer, Peer), Millis>,
    next_number: u64,
}

impl Network {
    /// Sends a message; over a cut link it is lost.
    pub fn send(&mut self, now_ms: Millis, from: Peer, to: Peer, message: Message) {
        if self.is_cut(from, to) {
            return;
        }
        let due = now_ms + self.delay(from, to);
        // A message never overtakes an earlier one on its link.
        let last = self.last.get(&(from, to)).copied().unwrap_or(due);
        self.deliver_at(now_ms, due.max(last), Envelope { from, to, message });
    }

    /// Reminds a node of something later.
    pub fn remind(&mut self, due: Millis, node: i32, message: Message) {
        let (from, to) = (Peer::Node(node), Peer::Node(node));
        self.deliver_at(i64::MIN, due, Envelope { from, to, message });
    }

    /// Returns the next message that has arrived.
    pub fn receive(&mut self, now_ms: Millis) -> Option<Envelope> {
        if let Some(envelope) = self.arriving.pop_front() {
            return Some(envelope);
        }
        let entry = self.later.first_entry()?;
        if entry.key().0 > now_ms {
            return None;
        }
        let ((due, _), envelope) = entry.remove_entry();
        let link = (envelope.from, envelope.to);
        if self.last.get(&link) == Some(&due) && !self.later.iter().any(|(_, e)| on(e, link)) {
            self.last.remove(&link);
        }
        Some(envelope)
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.later.first_key_value().map(|((due, _), _)| *due)
    }

    pub fn cut(&mut self, a: Peer, b: Peer) {
        self.cuts.insert(link(a, b));
        self.lose(|envelope| link(envelope.from, envelope.to) == link(a, b));
    }

    /// Returns false where the link was whole.
    pub fn heal(&mut self, a: Peer, b: Peer) -> bool {
        self.cuts.remove(&link(a, b))
    }

    pub fn is_cut(&self, a: Peer, b: Peer) -> bool {
        !self.cuts.is_empty() && self.cuts.contains(&link(a, b))
    }

    /// Makes a node slow to send and to receive, or quick again with 0.
    pub fn slow(&mut self, node: i32, delay_ms: Millis) {
        match delay_ms {
            0 => self.slow.remove(&node),
            _ => self.slow.insert(node, delay_ms),
        };
    }

    /// Makes one link slow, or quick again with 0.
    pub fn delay_link(&mut self, a: Peer, b: Peer, delay_ms: Millis) {
        match delay_ms {
            0 => self.delays.remove(&link(a, b)),
            _ => self.delays.insert(link(a, b), delay_ms),
        };
    }

    /// Loses all that is on its way to or from a node that died.
    pub fn lose_all_of(&mut self, node: i32) {
        let peer = Peer::Node(node);
        self.lose(|envelope| envelope.from == peer || envelope.to == peer);
    }

    fn lose(&mut self, lost: impl Fn(&Envelope) -> bool) {
        self.arriving.retain(|envelope| !lost(envelope));
        self.later.retain(|_, envelope| !lost(envelope));
        let later = &self.later;
        self.last
            .retain(|link, _| later.values().any(|envelope| on(envelope, *link)));
    }

    fn delay(&self, from: Peer, to: Peer) -> Millis {
        if self.slow.is_empty() && self.delays.is_empty() {
            return 0;
        }
        let of = |peer| match peer {
            Peer::Node(id) => self.slow.get(&id).copied().unwrap_or(0),
            Peer::Controller => 0,
        };
        let between = self.delays.get(&link(from, to)).copied().unwrap_or(0);
        of(from) + of(to) + between
    }

    fn deliver_at(&mut self, now_ms: Millis, due: Millis, envelope: Envelope) {
        if due <= now_ms {
            self.arriving.push_back(envelope);
            return;
        }
        if envelope.from != envelope.to {
            self.last.insert((envelope.from, envelope.to), due);
        }
        self.later.insert((due, self.next_number), envelope);
        self.next_number += 1;
    }
}

/// A link is the same in both directions.
fn link(a: Peer, b: Peer) -> (Peer, Peer) {
    (a.min(b), a.max(b))
}

fn on(envelope: &Envelope, (from, to): (Peer, Peer)) -> bool {
    envelope.from == from && envelope.to == to
}
