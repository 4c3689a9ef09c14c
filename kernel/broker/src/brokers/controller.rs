//! The controller: elects leaders, keeps the in-sync sets, and knows which nodes live.
//!
//! It decides on `Partition::state` and tells the nodes; what a node does about it is in
//! `follower` and `leader`. A node that it does not hear of for `broker.session.timeout.ms` is
//! fenced: it leads nothing and is in no in-sync set, unless it is the last one there.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::events::{Election, What};
use super::network::{Message, Peer};
use super::{Brokers, Flaw, Key, Millis, NO_LEADER, Partition, PartitionState, Place};

/// What is known of one node beyond its address.
#[derive(Debug, Clone)]
pub(crate) struct NodeState {
    pub id: i32,
    /// The node runs.
    pub up: bool,
    /// The controller takes it for alive.
    pub lives: bool,
    /// When the controller takes it for dead, unless it is heard of before.
    pub lapses_ms: Option<Millis>,
    /// It started again while the controller could not hear of it.
    pub started_unheard: bool,
    /// The nodes that this one takes for alive.
    pub sees: BTreeSet<i32>,
}

/// Who may be elected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// The first of the in-sync set that lives; anybody that lives where the topic allows it.
    Any,
    /// The preferred leader, and only if it is in sync.
    Preferred,
    /// Anybody that lives, where no member of the in-sync set does.
    Unclean,
}

/// Why no other leader was elected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoElection {
    NotNeeded,
    NotAvailable,
}

impl NodeState {
    /// Returns the nodes of a cluster that begins: all run, and know it.
    pub fn all_up(ids: &[i32]) -> Vec<NodeState> {
        let state = |&id: &i32| NodeState {
            id,
            up: true,
            lives: true,
            lapses_ms: None,
            started_unheard: false,
            sees: ids.iter().copied().collect(),
        };
        ids.iter().map(state).collect()
    }
}

impl Brokers {
    pub(crate) fn node_state(&self, node: i32) -> Option<&NodeState> {
        self.node_states.iter().find(|state| state.id == node)
    }

    fn node_state_mut(&mut self, node: i32) -> Option<&mut NodeState> {
        self.node_states.iter_mut().find(|state| state.id == node)
    }

    /// Returns true for a node that the controller takes for alive.
    pub(crate) fn lives(&self, node: i32) -> bool {
        self.node_state(node).is_some_and(|state| state.lives)
    }

    /// Returns true for a node that runs.
    pub(crate) fn is_up(&self, node: i32) -> bool {
        self.node_state(node).is_some_and(|state| state.up)
    }

    /// Returns how many members the in-sync set of a partition must have, as Kafka works it out: no
    /// more than there are replicas.
    pub(super) fn min_in_sync(&self, place: Place) -> Option<usize> {
        let (_, topic) = self.topics.by_id(place.topic)?;
        let partition = self.topics.partition_at(place)?;
        Some(topic.configs.min_in_sync().min(partition.replicas.len()))
    }

    /// Returns the nodes that this one takes for alive.
    pub(crate) fn seen_by(&self, node: i32) -> BTreeSet<i32> {
        let state = self.node_state(node);
        state.map(|state| state.sees.clone()).unwrap_or_default()
    }

    /// A leader proposes another in-sync set.
    pub(super) fn proposed(
        &mut self,
        now_ms: Millis,
        place: Place,
        leader_epoch: i32,
        partition_epoch: i32,
        in_sync: Vec<i32>,
    ) {
        let live = in_sync.iter().all(|id| self.lives(*id));
        let Some(partition) = self.topics.partition_at_mut(place) else {
            return;
        };
        let state = &partition.state;
        let current = state.leader == place.node
            && state.leader_epoch == leader_epoch
            && state.partition_epoch == partition_epoch;
        let replicas = in_sync.iter().all(|id| partition.replica(*id).is_some());
        if current && live && replicas && in_sync.contains(&place.node) {
            self.change_state(now_ms, place, |state| state.in_sync = in_sync, None);
        } else {
            // The newest state is the answer to a proposal that came too late.
            let state = state.clone();
            let (from, to) = (Peer::Controller, Peer::Node(place.node));
            self.network
                .send(now_ms, from, to, Message::Told { place, state });
        }
    }

    /// Changes the state of a partition, notes it and tells its nodes.
    fn change_state(
        &mut self,
        now_ms: Millis,
        place: Place,
        change: impl FnOnce(&mut PartitionState),
        election: Option<Election>,
    ) {
        let Some((name, topic)) = self.topics.by_id_mut(place.topic) else {
            return;
        };
        let name = name.to_owned();
        let Some(partition) = topic.partitions.get_mut(place.partition as usize) else {
            return;
        };
        let before = partition.state.clone();
        change(&mut partition.state);
        if partition.state == before && election.is_none() {
            return;
        }
        partition.state.partition_epoch += 1;
        if partition.state.leader != before.leader || election.is_some() {
            partition.state.leader_epoch += 1;
        }
        let state = partition.state.clone();
        self.report_partition(place.topic, place.partition);
        self.note_decision(now_ms, name, place.partition, before, state, election);
        self.tell_nodes(now_ms, place.topic, place.partition);
    }

    fn note_decision(
        &mut self,
        now_ms: Millis,
        topic: String,
        partition: i32,
        before: PartitionState,
        after: PartitionState,
        election: Option<Election>,
    ) {
        if let (Some(election), true) = (election, after.leader != NO_LEADER) {
            let what = What::Elected {
                topic: topic.clone(),
                partition,
                leader: after.leader,
                leader_epoch: after.leader_epoch,
                election,
            };
            self.events.note(now_ms, what);
        } else if after.leader == NO_LEADER && before.leader != NO_LEADER {
            let what = What::Offline {
                topic: topic.clone(),
                partition,
                leader_epoch: after.leader_epoch,
            };
            self.events.note(now_ms, what);
        }
        if after.in_sync != before.in_sync {
            let what = What::InSync {
                topic,
                partition,
                from: before.in_sync,
                to: after.in_sync,
            };
            self.events.note(now_ms, what);
        }
        self.note_imbalance(now_ms);
    }

    /// Reports the state of a partition, where a disk must know.
    pub(super) fn report_partition(&self, topic: Uuid, partition: i32) {
        let place = Place {
            node: 0,
            topic,
            partition,
        };
        if let Some(known) = self.topics.partition_at(place) {
            let key = || Key::Partition {
                topic: topic.to_string(),
                partition,
            };
            self.recorder.fact(key, &known.state);
        }
    }

    /// Tells all nodes of a partition how things stand, its leader first.
    pub(super) fn tell_nodes(&mut self, now_ms: Millis, topic: Uuid, partition: i32) {
        let mut place = Place {
            node: 0,
            topic,
            partition,
        };
        let Some(known) = self.topics.partition_at(place) else {
            return;
        };
        let state = known.state.clone();
        let mut nodes = known.nodes();
        nodes.sort_by_key(|id| *id != state.leader);
        for node in nodes {
            place.node = node;
            let state = state.clone();
            let message = Message::Told { place, state };
            self.network
                .send(now_ms, Peer::Controller, Peer::Node(node), message);
        }
    }

    /// Tells one node all it should know.
    fn tell_all(&mut self, now_ms: Millis, node: i32) {
        let here = self.topics.iter().flat_map(|(_, topic)| {
            let partitions = (0..).zip(&topic.partitions);
            partitions.filter_map(move |(partition, known)| {
                known.replica(node)?;
                let place = Place {
                    node,
                    topic: topic.id,
                    partition,
                };
                Some((place, known.state.clone()))
            })
        });
        let here: Vec<_> = here.collect();
        for (place, state) in here {
            let message = Message::Told { place, state };
            self.network
                .send(now_ms, Peer::Controller, Peer::Node(node), message);
        }
    }

    fn tell_who_lives(&mut self, now_ms: Millis) {
        let living = self.node_states.iter().filter(|state| state.lives);
        let living: BTreeSet<i32> = living.map(|state| state.id).collect();
        for index in 0..self.nodes.len() {
            let to = Peer::Node(self.nodes[index].id);
            let message = Message::Living(living.clone());
            self.network.send(now_ms, Peer::Controller, to, message);
        }
    }

    /// Takes a node for dead: it leads nothing from now on.
    pub(super) fn fence(&mut self, now_ms: Millis, node: i32) {
        let Some(state) = self.node_state_mut(node).filter(|state| state.lives) else {
            return;
        };
        state.lives = false;
        state.lapses_ms = None;
        self.events.note(now_ms, What::Fenced { node });
        self.tell_who_lives(now_ms);
        for place in self.topics.places_of(node) {
            let Some(partition) = self.topics.partition_at(place) else {
                continue;
            };
            let mut in_sync = partition.state.in_sync.clone();
            // The last one stays: it alone has everything that was acknowledged.
            if in_sync.len() > 1 {
                in_sync.retain(|id| *id != node);
            }
            if partition.state.leader == node {
                let next = self.next_leader(place, &in_sync, Choice::Any);
                self.install(now_ms, place, in_sync, next);
            } else {
                self.change_state(now_ms, place, |state| state.in_sync = in_sync, None);
            }
        }
        self.move_coordinators(now_ms, node);
    }

    /// Takes a node for alive: it may lead, and is told everything.
    pub(super) fn unfence(&mut self, now_ms: Millis, node: i32) {
        let Some(state) = self.node_state_mut(node) else {
            return;
        };
        state.lapses_ms = None;
        let lived = std::mem::replace(&mut state.lives, true);
        if !lived {
            self.events.note(now_ms, What::Unfenced { node });
        }
        self.tell_who_lives(now_ms);
        self.tell_all(now_ms, node);
        if lived {
            return;
        }
        for place in self.topics.places_of(node) {
            self.elect_if_offline(now_ms, place);
        }
        self.move_coordinators(now_ms, node);
    }

    /// Looks for a leader of a partition that has none.
    pub(super) fn elect_if_offline(&mut self, now_ms: Millis, place: Place) {
        let Some(partition) = self.topics.partition_at(place) else {
            return;
        };
        if partition.state.leader == NO_LEADER {
            let in_sync = partition.state.in_sync.clone();
            if let Some(next) = self.next_leader(place, &in_sync, Choice::Any) {
                self.install(now_ms, place, in_sync, Some(next));
            }
        }
    }

    /// Elects as a person asked for.
    pub(super) fn elect(
        &mut self,
        now_ms: Millis,
        place: Place,
        choice: Choice,
    ) -> Result<(), NoElection> {
        let partition = self.topics.partition_at(place);
        let Some(partition) = partition else {
            return Err(NoElection::NotAvailable);
        };
        let state = &partition.state;
        let needed = match choice {
            Choice::Preferred => state.leader != partition.preferred(),
            _ => state.leader == NO_LEADER,
        };
        if !needed {
            return Err(NoElection::NotNeeded);
        }
        let in_sync = state.in_sync.clone();
        match self.next_leader(place, &in_sync, choice) {
            Some(next) => {
                self.install(now_ms, place, in_sync, Some(next));
                Ok(())
            }
            None => Err(NoElection::NotAvailable),
        }
    }

    /// Elects the leaders of all partitions anew, each in an epoch of its own: all nodes have just
    /// been started from what their disks hold.
    pub fn resume(&mut self, now_ms: Millis) {
        let places: std::collections::BTreeSet<(Uuid, i32)> = self
            .topics
            .replicas()
            .map(|(place, _)| (place.topic, place.partition))
            .collect();
        for (topic, partition) in places {
            let place = Place {
                node: 0,
                topic,
                partition,
            };
            let Some(known) = self.topics.partition_at(place) else {
                continue;
            };
            let in_sync = known.state.in_sync.clone();
            let next = self.next_leader(place, &in_sync, Choice::Any);
            self.install(now_ms, place, in_sync, next);
        }
        self.pump(now_ms);
    }

    fn install(
        &mut self,
        now_ms: Millis,
        place: Place,
        in_sync: Vec<i32>,
        next: Option<(i32, Election)>,
    ) {
        let election = next.map_or(Election::Clean, |(_, election)| election);
        let change = |state: &mut PartitionState| match next {
            None => {
                state.leader = NO_LEADER;
                state.in_sync = in_sync;
            }
            Some((leader, Election::Unclean)) => {
                // What the others had more than this one is given up.
                state.leader = leader;
                state.in_sync = vec![leader];
            }
            Some((leader, _)) => {
                state.leader = leader;
                state.in_sync = in_sync;
            }
        };
        self.change_state(now_ms, place, change, Some(election));
    }

    fn next_leader(
        &self,
        place: Place,
        in_sync: &[i32],
        choice: Choice,
    ) -> Option<(i32, Election)> {
        let (_, topic) = self.topics.by_id(place.topic)?;
        let partition = self.topics.partition_at(place)?;
        let nodes = partition.nodes();
        if choice == Choice::Preferred {
            let preferred = partition.preferred();
            let fit = in_sync.contains(&preferred) && self.lives(preferred);
            return fit.then_some((preferred, Election::Preferred));
        }
        let living = || nodes.iter().copied().filter(|id| self.lives(*id));
        let unchecked = self.has(Flaw::InSyncUnchecked);
        if let Some(leader) = living().find(|id| in_sync.contains(id) || unchecked) {
            return Some((leader, Election::Clean));
        }
        let allowed = choice == Choice::Unclean || topic.configs.unclean_election();
        let leader = living().next().filter(|_| allowed)?;
        Some((leader, Election::Unclean))
    }

    /// Fences the nodes that were not heard of for too long.
    pub(super) fn expire_sessions(&mut self, now_ms: Millis) {
        for index in 0..self.node_states.len() {
            let state = &self.node_states[index];
            if state.lapses_ms.is_some_and(|due| due <= now_ms) {
                self.fence(now_ms, state.id);
            }
        }
    }

    pub(super) fn session_deadline(&self) -> Option<Millis> {
        self.node_states.iter().filter_map(|s| s.lapses_ms).min()
    }
}

impl Partition {
    /// Returns the node that should lead: the first of the assignment.
    pub fn preferred(&self) -> i32 {
        self.replicas.first().map_or(NO_LEADER, |first| first.node)
    }
}
