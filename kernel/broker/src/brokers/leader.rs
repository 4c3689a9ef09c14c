//! A leader and its followers: who has what, how far everybody has it, who is in sync.
//!
//! Followers fetch, as readers do. The offset a follower asks for tells the leader that it has
//! everything before; from that the leader works out the high watermark, and tells it with the
//! next answer. So a follower's high watermark is always one round trip behind.

use super::network::{FetchAnswer, Message, Peer};
use super::{Brokers, Flaw, Millis, Place, Replica};

/// A follower gets at most this much at once, its first batch whatever the size
/// (`replica.fetch.max.bytes`).
const FETCH_BYTES: usize = 1 << 20;

/// What a leader knows of one follower.
#[derive(Debug, Clone)]
pub(crate) struct Follower {
    pub node: i32,
    /// Where its log ends; nothing until it has asked this leader for the first time.
    pub end: Option<i64>,
    /// When it had all there was for the last time.
    pub caught_up_ms: Millis,
    last_fetch_ms: Millis,
    /// Where the leader's log ended when the follower asked last.
    leader_end: i64,
    /// Its fetch waits here until there is something to say.
    waiting: bool,
    /// The high watermark and the first offset that it was told last.
    told: Option<(i64, i64)>,
}

impl Follower {
    /// Returns a follower that has not asked yet. Members of the in-sync set get the benefit of
    /// the doubt for `replica.lag.time.max.ms`.
    pub fn new(node: i32, caught_up_ms: Millis) -> Follower {
        Follower {
            node,
            end: None,
            caught_up_ms,
            last_fetch_ms: caught_up_ms,
            leader_end: 0,
            waiting: false,
            told: None,
        }
    }

    /// Notes that it asked for what comes after `offset`, and so has everything before.
    fn fetched(&mut self, now_ms: Millis, offset: i64, leader_end: i64) {
        if offset >= leader_end {
            self.caught_up_ms = self.caught_up_ms.max(now_ms);
        } else if offset >= self.leader_end {
            // It has what there was at its last fetch: it was level with us then.
            self.caught_up_ms = self.caught_up_ms.max(self.last_fetch_ms);
        }
        self.end = Some(offset);
        self.last_fetch_ms = now_ms;
        self.leader_end = leader_end;
        self.waiting = true;
    }

    /// Returns true while it is level with the leader, or was a short time ago.
    fn is_caught_up(&self, now_ms: Millis, leader_end: i64, lag_ms: Millis) -> bool {
        self.end == Some(leader_end) || now_ms.saturating_sub(self.caught_up_ms) <= lag_ms
    }

    /// Returns when it falls out of sync unless it catches up, if it lags.
    fn lapses_ms(&self, leader_end: i64, lag_ms: Millis) -> Option<Millis> {
        let lags = self.end != Some(leader_end);
        lags.then(|| self.caught_up_ms.saturating_add(lag_ms + 1))
    }

    /// Forgets the fetch that waits here: its connection is gone.
    pub fn hang_up(&mut self, now_ms: Millis) {
        if self.waiting {
            // Who waited for more had everything until now.
            self.caught_up_ms = now_ms;
        }
        self.waiting = false;
    }
}

impl Replica {
    /// Sees to what follows from records appended by this leader: a sole member of the in-sync
    /// set moves the high watermark at once. Returns the readers to look at again.
    pub(crate) fn appended(&mut self, now_ms: Millis) -> Vec<u64> {
        if self.followers.is_empty() {
            self.set_high_watermark(self.log.latest());
        }
        for follower in &mut self.followers {
            // Who waited for more had everything until now.
            if follower.waiting {
                follower.caught_up_ms = now_ms;
            }
        }
        std::mem::take(&mut self.waiters)
    }

    /// Returns the answer to a follower's waiting fetch, if there is something to say.
    fn answer(&mut self, index: usize) -> Option<(i32, FetchAnswer)> {
        let (high_watermark, earliest) = (self.high_watermark, self.log.earliest());
        let follower = self.followers.get_mut(index)?;
        let offset = follower.end.filter(|_| follower.waiting)?;
        let node = follower.node;
        if offset < earliest {
            follower.waiting = false;
            return Some((node, FetchAnswer::BeginAt(earliest)));
        }
        let news = Some((high_watermark, earliest));
        if offset == self.log.latest() && follower.told == news {
            return None;
        }
        follower.waiting = false;
        follower.told = news;
        let records = self.log.read(offset, i64::MAX, FETCH_BYTES, true);
        let answer = FetchAnswer::Records {
            offset,
            records: records.unwrap_or_default(),
            segment: self.log.segment_of(offset),
            high_watermark,
            earliest,
        };
        Some((node, answer))
    }

    /// Returns true for a node of the in-sync set, or of the one that was proposed: as long as
    /// the controller has not answered, the larger of the two counts (KIP-497).
    fn counts_as_in_sync(&self, node: i32) -> bool {
        let proposed = self.proposed.iter().flatten();
        self.known
            .in_sync
            .iter()
            .chain(proposed)
            .any(|id| *id == node)
    }

    /// Returns how far the in-sync set, and those about to join it, have got.
    fn reached(&self, now_ms: Millis, lag_ms: Millis, lives: impl Fn(i32) -> bool) -> i64 {
        let latest = self.log.latest();
        let awaited = self.followers.iter().filter(|follower| {
            let joins = || follower.is_caught_up(now_ms, latest, lag_ms) && lives(follower.node);
            self.counts_as_in_sync(follower.node) || joins()
        });
        let ends = awaited.map(|follower| follower.end.unwrap_or(0));
        ends.min().map_or(latest, |end| end.min(latest))
    }
}

impl Brokers {
    /// Tells the followers of a leader that appended records.
    pub(crate) fn grown(&mut self, now_ms: Millis, place: Place) {
        let lag_ms = self.settings.replica_lag_ms;
        let Some(replica) = self.topics.replica_at_mut(place) else {
            return;
        };
        if replica.followers.is_empty() {
            return;
        }
        let latest = replica.log.latest();
        let lapses = replica.followers.iter();
        let first = lapses.filter_map(|f| f.lapses_ms(latest, lag_ms)).min();
        self.note_lapse(first);
        self.serve(now_ms, place);
        self.advance(now_ms, place);
    }

    /// Tells the followers of a leader that its log begins elsewhere now.
    pub(super) fn tell_followers(&mut self, now_ms: Millis, topic: &str, index: i32, node: i32) {
        if let Some(topic) = self.topics.get(topic) {
            let at = Place {
                node,
                topic: topic.id,
                partition: index,
            };
            self.serve(now_ms, at);
        }
    }

    /// A follower asks.
    pub(super) fn follower_fetch(
        &mut self,
        now_ms: Millis,
        leader: i32,
        place: Place,
        leader_epoch: i32,
        offset: i64,
        last_epoch: Option<i32>,
    ) {
        let at = Place {
            node: leader,
            ..place
        };
        let unseen = self.has(Flaw::DivergenceUnseen);
        let Some(replica) = self.topics.replica_at_mut(at) else {
            return;
        };
        let leads = replica.leads() && replica.leader_epoch() == leader_epoch;
        let diverging = last_epoch.and_then(|epoch| replica.log.diverging(epoch, offset));
        let refusal = match diverging {
            _ if !leads => Some(FetchAnswer::NotLeader),
            Some((epoch, end)) if !unseen => Some(FetchAnswer::Diverging { epoch, end }),
            _ => None,
        };
        if let Some(answer) = refusal {
            return self.answer_follower(now_ms, leader, place, leader_epoch, answer);
        }
        let latest = replica.log.latest();
        let known = replica.followers.iter_mut().find(|f| f.node == place.node);
        if let Some(follower) = known {
            follower.fetched(now_ms, offset, latest);
        }
        self.admit_followers(now_ms, at);
        self.advance(now_ms, at);
        self.serve(now_ms, at);
    }

    fn answer_follower(
        &mut self,
        now_ms: Millis,
        leader: i32,
        place: Place,
        leader_epoch: i32,
        answer: FetchAnswer,
    ) {
        let message = Message::Fetched {
            place,
            leader_epoch,
            answer,
        };
        let (from, to) = (Peer::Node(leader), Peer::Node(place.node));
        self.network.send(now_ms, from, to, message);
    }

    /// Answers the followers that wait at this leader, where there is something new.
    pub(super) fn serve(&mut self, now_ms: Millis, at: Place) {
        for index in 0.. {
            let Some(replica) = self.topics.replica_at_mut(at) else {
                return;
            };
            if index >= replica.followers.len() {
                return;
            }
            let leader_epoch = replica.leader_epoch();
            if let Some((node, answer)) = replica.answer(index) {
                let place = Place { node, ..at };
                self.answer_follower(now_ms, at.node, place, leader_epoch, answer);
            }
        }
    }

    /// Moves the high watermark of a leader as far as the in-sync set has got, and serves those
    /// who waited for that.
    pub(super) fn advance(&mut self, now_ms: Millis, at: Place) {
        let lag_ms = self.settings.replica_lag_ms;
        let Some(min_in_sync) = self.min_in_sync(at) else {
            return;
        };
        let sees = self.seen_by(at.node);
        let flaw = self.settings.flaw;
        let Some(replica) = self.topics.replica_at_mut(at) else {
            return;
        };
        // A partition below its minimum takes nothing new for safe (KIP-966).
        let enough = replica.known.in_sync.len() >= min_in_sync;
        if !replica.leads() || !enough && flaw != Some(Flaw::MinInSyncIgnored) {
            return;
        }
        let reached = match flaw {
            Some(Flaw::HighWatermarkOfLeader) => replica.log.latest(),
            _ => replica.reached(now_ms, lag_ms, |node| sees.contains(&node)),
        };
        if reached <= replica.high_watermark {
            return;
        }
        replica.set_high_watermark(reached);
        let waiters = std::mem::take(&mut replica.waiters);
        let ripe = replica.acks.extract_if(.., |ack| ack.required <= reached);
        let ripe: Vec<_> = ripe.collect();
        self.wake(now_ms, waiters);
        for ack in ripe {
            self.settle(ack, None);
        }
        self.serve(now_ms, at);
    }

    /// Proposes to take followers that have caught up into the in-sync set.
    pub(super) fn admit_followers(&mut self, now_ms: Millis, at: Place) {
        let sees = self.seen_by(at.node);
        let Some(partition) = self.topics.partition_at_mut(at) else {
            return;
        };
        let nodes = partition.nodes();
        let Some(replica) = partition.replica_mut(at.node) else {
            return;
        };
        if replica.proposed.is_some() || !replica.leads() {
            return;
        }
        // Beyond the high watermark and beyond where this leader began: it has all that counts.
        let enough = replica.high_watermark.max(replica.epoch_start);
        let joins = |follower: &&Follower| {
            follower.waiting
                && follower.end.is_some_and(|end| end >= enough)
                && !replica.known.in_sync.contains(&follower.node)
                && sees.contains(&follower.node)
        };
        let joining: Vec<i32> = replica
            .followers
            .iter()
            .filter(joins)
            .map(|f| f.node)
            .collect();
        if joining.is_empty() {
            return;
        }
        let in_sync = |id: &i32| replica.known.in_sync.contains(id) || joining.contains(id);
        let proposal = nodes.into_iter().filter(in_sync).collect();
        self.propose(now_ms, at, proposal);
    }

    /// Looks again at all followers of a leader that heard of nodes that live.
    pub(super) fn admit_everywhere(&mut self, now_ms: Millis, leader: i32) {
        for place in self.topics.places_of(leader) {
            self.advance(now_ms, place);
            self.admit_followers(now_ms, place);
        }
    }

    /// Proposes to take followers that lag for too long out of the in-sync sets, if a look is due.
    pub(super) fn check_in_sync(&mut self, now_ms: Millis) {
        if self.next_lapse.is_none_or(|due| due > now_ms) {
            return;
        }
        self.next_lapse = None;
        let lag_ms = self.settings.replica_lag_ms;
        let mut next = None;
        let mut proposals = Vec::new();
        for (place, replica) in self.topics.leaders() {
            let latest = replica.log.latest();
            let in_sync = |f: &&Follower| replica.known.in_sync.contains(&f.node);
            let lapses = replica.followers.iter().filter(in_sync);
            let lapses: Vec<(i32, Millis)> = lapses
                .filter_map(|f| Some((f.node, f.lapses_ms(latest, lag_ms)?)))
                .collect();
            let out = |id: &i32| {
                lapses
                    .iter()
                    .any(|(node, due)| node == id && *due <= now_ms)
            };
            let later = lapses
                .iter()
                .map(|(_, due)| *due)
                .filter(|due| *due > now_ms);
            next = later.chain(next).min();
            if replica.proposed.is_none() && replica.known.in_sync.iter().any(out) {
                let mut proposal = replica.known.in_sync.clone();
                proposal.retain(|id| !out(id));
                proposals.push((place, proposal));
            }
        }
        self.note_lapse(next);
        for (place, proposal) in proposals {
            self.propose(now_ms, place, proposal);
        }
    }

    /// Sees to a look at the in-sync sets at this time.
    pub(super) fn note_lapse(&mut self, due: Option<Millis>) {
        self.next_lapse = self.next_lapse.into_iter().chain(due).min();
    }

    fn propose(&mut self, now_ms: Millis, at: Place, in_sync: Vec<i32>) {
        let Some(replica) = self.topics.replica_at_mut(at) else {
            return;
        };
        replica.proposed = Some(in_sync.clone());
        let message = Message::Propose {
            place: at,
            leader_epoch: replica.leader_epoch(),
            partition_epoch: replica.known.partition_epoch,
            in_sync,
        };
        let from = Peer::Node(at.node);
        self.network.send(now_ms, from, Peer::Controller, message);
    }
}
