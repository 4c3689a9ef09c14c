//! Nodes that stop, die and start again, and links that are cut, slow and whole: put in from
//! outside, in a lesson or a test.

use serde::{Deserialize, Serialize};

use super::events::What;
use super::network::{Envelope, Message, Peer};
use super::{Brokers, Call, Millis, Place};
use crate::wire::Request;

/// More requests than this do not wait for a link to be healed; their clients give up by
/// themselves, as they do with Kafka.
const MOST_HELD: usize = 1000;

/// What can be done to nodes and links. A node that does not exist is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A node hands its partitions over and goes: a controlled stop.
    Stop {
        node: i32,
    },
    /// A node goes without a word. The controller notices after `broker.session.timeout.ms`. Its
    /// logs stay, as on a disk.
    Kill {
        node: i32,
    },
    Start {
        node: i32,
    },
    /// Nothing gets through between the two; clients still reach both.
    Cut {
        a: Peer,
        b: Peer,
    },
    Heal {
        a: Peer,
        b: Peer,
    },
    /// Every message of a node takes this much longer, 0 for none.
    Slow {
        node: i32,
        delay_ms: Millis,
    },
    /// Every message on one link takes this much longer, 0 for none.
    Delay {
        a: Peer,
        b: Peer,
        delay_ms: Millis,
    },
}

impl Fault {
    /// Returns the nodes that it is about.
    pub fn nodes(&self) -> Vec<i32> {
        let of = |peers: [&Peer; 2]| {
            let ids = peers.into_iter().filter_map(|peer| match peer {
                Peer::Node(id) => Some(*id),
                Peer::Controller => None,
            });
            ids.collect()
        };
        match self {
            Fault::Stop { node } | Fault::Kill { node } | Fault::Start { node } => vec![*node],
            Fault::Slow { node, .. } => vec![*node],
            Fault::Cut { a, b } | Fault::Heal { a, b } | Fault::Delay { a, b, .. } => of([a, b]),
        }
    }
}

impl Brokers {
    /// Does to the nodes what `fault` says.
    pub(super) fn apply(&mut self, now_ms: Millis, fault: Fault) {
        match fault {
            Fault::Stop { node } if self.is_up(node) => self.stop_node(now_ms, node),
            Fault::Kill { node } if self.is_up(node) => self.kill_node(now_ms, node),
            Fault::Start { node } if !self.is_up(node) => self.start_node(now_ms, node),
            Fault::Cut { a, b } if !self.network.is_cut(a, b) && a != b => self.cut(now_ms, a, b),
            Fault::Heal { a, b } => self.heal(now_ms, a, b),
            Fault::Slow { node, delay_ms } => {
                self.network.slow(node, delay_ms.max(0));
                self.events.note(now_ms, What::Slowed { node, delay_ms });
            }
            Fault::Delay { a, b, delay_ms } => self.network.delay_link(a, b, delay_ms.max(0)),
            _ => {}
        }
    }

    fn stop_node(&mut self, now_ms: Millis, node: i32) {
        self.events.note(now_ms, What::Stopped { node });
        self.fence(now_ms, node);
        // It hears that it leads no more before it goes: those who wait there are told.
        self.pump(now_ms);
        self.take_down(now_ms, node);
    }

    fn kill_node(&mut self, now_ms: Millis, node: i32) {
        self.events.note(now_ms, What::Killed { node });
        self.take_down(now_ms, node);
        self.miss(now_ms, node);
    }

    /// The controller hears nothing of a node from now on.
    fn miss(&mut self, now_ms: Millis, node: i32) {
        let lapses = now_ms.saturating_add(self.settings.session_timeout_ms);
        let state = self.node_states.iter_mut().find(|state| state.id == node);
        if let Some(state) = state.filter(|state| state.lives) {
            state.lapses_ms = Some(lapses);
        }
    }

    /// Forgets what a node had in memory, and whoever talked to it.
    fn take_down(&mut self, now_ms: Millis, node: i32) {
        if let Some(state) = self.node_states.iter_mut().find(|state| state.id == node) {
            state.up = false;
        }
        self.network.lose_all_of(node);
        for (_, topic) in self.topics.iter_mut() {
            for replica in topic.partitions.iter_mut().flat_map(|p| &mut p.replicas) {
                if replica.node == node {
                    replica.forget_clients();
                    continue;
                }
                let its = replica.followers.iter_mut().filter(|f| f.node == node);
                its.for_each(|follower| follower.hang_up(now_ms));
            }
        }
        self.held.retain(|(call, _)| call.node != node);
        self.waiting.forget_node(node, &mut self.topics);
        self.acks.forget_node(node);
        self.forget_pending_joins(node, now_ms);
    }

    fn start_node(&mut self, now_ms: Millis, node: i32) {
        let Some(state) = self.node_states.iter_mut().find(|state| state.id == node) else {
            return;
        };
        state.up = true;
        self.events.note(now_ms, What::Started { node });
        if self.network.is_cut(Peer::Node(node), Peer::Controller) {
            return self.note_unheard(node, true);
        }
        // Were it taken for alive still, nobody would know that it has to catch up.
        self.fence(now_ms, node);
        self.unfence(now_ms, node);
    }

    fn note_unheard(&mut self, node: i32, unheard: bool) {
        let state = self.node_states.iter_mut().find(|state| state.id == node);
        if let Some(state) = state {
            state.started_unheard = unheard;
        }
    }

    fn cut(&mut self, now_ms: Millis, a: Peer, b: Peer) {
        self.network.cut(a, b);
        self.events.note(now_ms, What::Cut { a, b });
        match (a, b) {
            (Peer::Node(a), Peer::Node(b)) => {
                self.hang_up(now_ms, a, b);
                self.hang_up(now_ms, b, a);
            }
            (Peer::Node(node), _) | (_, Peer::Node(node)) => self.miss(now_ms, node),
            _ => {}
        }
    }

    /// The fetches of `follower` that wait at `leader` are gone.
    fn hang_up(&mut self, now_ms: Millis, leader: i32, follower: i32) {
        for place in self.topics.places_of(leader) {
            let replica = self.topics.replica_at_mut(place);
            let followers = replica.into_iter().flat_map(|r| &mut r.followers);
            for known in followers.filter(|known| known.node == follower) {
                known.hang_up(now_ms);
            }
        }
    }

    fn heal(&mut self, now_ms: Millis, a: Peer, b: Peer) {
        if !self.network.heal(a, b) {
            return;
        }
        self.events.note(now_ms, What::Healed { a, b });
        match (a, b) {
            (Peer::Node(a), Peer::Node(b)) => {
                self.fetch_again(now_ms, a, b);
                self.fetch_again(now_ms, b, a);
            }
            (Peer::Node(node), _) | (_, Peer::Node(node)) if self.is_up(node) => {
                let state = self.node_state(node);
                if state.is_some_and(|state| state.started_unheard) {
                    // Its connections are gone, and its followers are to know: as in `start_node`.
                    self.note_unheard(node, false);
                    self.fence(now_ms, node);
                }
                self.unfence(now_ms, node);
                self.forward_held(now_ms, node);
            }
            _ => {}
        }
    }

    /// `follower` asks `leader` again for everything that it follows there.
    fn fetch_again(&mut self, now_ms: Millis, follower: i32, leader: i32) {
        if !self.is_up(follower) {
            return;
        }
        for place in self.topics.places_of(follower) {
            let replica = self.topics.replica_at(place);
            if replica.is_some_and(|replica| replica.known.leader == leader) {
                self.fetch_from_leader(now_ms, place);
            }
        }
    }

    /// Requests for the controller that reached a node which is cut off from it wait there.
    pub(super) fn hold(&mut self, call: Call, request: Request) {
        if self.held.len() < MOST_HELD {
            self.held.push((call, request));
        }
    }

    fn forward_held(&mut self, now_ms: Millis, node: i32) {
        let of_node = |(call, _): &mut (Call, Request)| call.node == node;
        let held: Vec<_> = self.held.extract_if(.., of_node).collect();
        for (call, request) in held {
            self.take_request(now_ms, call, request);
        }
    }

    /// Delivers the messages that have arrived, and those that come of them.
    pub(super) fn pump(&mut self, now_ms: Millis) {
        while let Some(envelope) = self.network.receive(now_ms) {
            self.deliver(now_ms, envelope);
        }
    }

    fn deliver(&mut self, now_ms: Millis, envelope: Envelope) {
        let Envelope { from, to, message } = envelope;
        match (to, message) {
            (Peer::Node(node), message) if self.is_up(node) => {
                self.deliver_to_node(now_ms, from, node, message);
            }
            (
                Peer::Controller,
                Message::Propose {
                    place,
                    leader_epoch,
                    partition_epoch,
                    in_sync,
                },
            ) => self.proposed(now_ms, place, leader_epoch, partition_epoch, in_sync),
            // Nobody is there to take it.
            _ => {}
        }
    }

    fn deliver_to_node(&mut self, now_ms: Millis, from: Peer, node: i32, message: Message) {
        match message {
            Message::Fetch {
                place,
                leader_epoch,
                offset,
                last_epoch,
            } => self.follower_fetch(now_ms, node, place, leader_epoch, offset, last_epoch),
            Message::Fetched {
                place,
                leader_epoch,
                answer,
            } => {
                if let Peer::Node(leader) = from {
                    self.fetched(now_ms, leader, place, leader_epoch, answer);
                }
            }
            Message::Told { place, state } => self.told(now_ms, place, state),
            Message::Living(living) => {
                let state = self.node_states.iter_mut().find(|state| state.id == node);
                if let Some(state) = state {
                    state.sees = living;
                    self.admit_everywhere(now_ms, node);
                }
            }
            Message::Again {
                place,
                leader_epoch,
            } => self.ask_again(now_ms, place, leader_epoch),
            Message::Propose { .. } => {}
        }
    }

    fn ask_again(&mut self, now_ms: Millis, place: Place, leader_epoch: i32) {
        let replica = self.topics.replica_at(place);
        if replica.is_some_and(|replica| replica.leader_epoch() == leader_epoch) {
            self.fetch_from_leader(now_ms, place);
        }
    }
}
