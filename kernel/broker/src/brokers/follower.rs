//! A node hears what the controller decided, and follows its leader: it fetches, appends, and
//! cuts off what the leader does not have.

use super::events::What;
use super::leader::Follower;
use super::network::{FetchAnswer, Message, Peer};
use super::{Brokers, Millis, NO_LEADER, PartitionState, Place};
use kafka_protocol::ResponseError;

/// A follower that got no use of its leader asks again after this long (`replica.fetch.backoff.ms`).
const BACKOFF_MS: Millis = 1000;

impl Brokers {
    /// A node hears the newest state of a partition.
    pub(super) fn told(&mut self, now_ms: Millis, place: Place, state: PartitionState) {
        let Some(partition) = self.topics.partition_at_mut(place) else {
            return;
        };
        let nodes = partition.nodes();
        let Some(replica) = partition.replica_mut(place.node) else {
            return;
        };
        if state.partition_epoch < replica.known.partition_epoch {
            return;
        }
        let led = replica.leads();
        let new_leader = state.leader_epoch != replica.known.leader_epoch;
        replica.known = state;
        replica.proposed = None;
        match (replica.leads(), new_leader) {
            (true, true) => self.begin_to_lead(now_ms, place, &nodes),
            (false, true) => self.begin_to_follow(now_ms, place, led),
            (true, false) => {}
            (false, false) => return,
        }
        if self.topics.replica_at(place).is_some_and(|r| r.leads()) {
            self.advance(now_ms, place);
            self.admit_followers(now_ms, place);
            // Who lagged while a proposal was out is looked at again.
            self.note_lapse(Some(now_ms));
        }
    }

    fn begin_to_lead(&mut self, now_ms: Millis, place: Place, nodes: &[i32]) {
        let Some(replica) = self.topics.replica_at_mut(place) else {
            return;
        };
        replica.log.begin_epoch(replica.known.leader_epoch);
        replica.epoch_start = replica.log.latest();
        let others = nodes.iter().filter(|id| **id != place.node);
        let follower = |&node: &i32| match replica.known.in_sync.contains(&node) {
            true => Follower::new(node, now_ms),
            false => Follower::new(node, Millis::MIN / 2),
        };
        replica.followers = others.map(follower).collect();
        if replica.followers.is_empty() {
            replica.set_high_watermark(replica.log.latest());
        }
        let waiters = std::mem::take(&mut replica.waiters);
        self.wake(now_ms, waiters);
    }

    fn begin_to_follow(&mut self, now_ms: Millis, place: Place, led: bool) {
        let Some(replica) = self.topics.replica_at_mut(place) else {
            return;
        };
        replica.followers.clear();
        let (waiters, acks) = (
            std::mem::take(&mut replica.waiters),
            std::mem::take(&mut replica.acks),
        );
        if led {
            for ack in acks {
                self.settle(ack, Some(ResponseError::NotLeaderOrFollower));
            }
            self.wake(now_ms, waiters);
        }
        self.fetch_from_leader(now_ms, place);
    }

    /// Asks the leader for what comes next, as far as this node knows who leads.
    pub(super) fn fetch_from_leader(&mut self, now_ms: Millis, place: Place) {
        let Some(replica) = self.topics.replica_at(place) else {
            return;
        };
        let leader = replica.known.leader;
        if leader == NO_LEADER || replica.leads() {
            return;
        }
        let message = Message::Fetch {
            place,
            leader_epoch: replica.leader_epoch(),
            offset: replica.log.latest(),
            last_epoch: replica.log.epochs().last(),
        };
        let (from, to) = (Peer::Node(place.node), Peer::Node(leader));
        self.network.send(now_ms, from, to, message);
    }

    /// The leader answered.
    pub(super) fn fetched(
        &mut self,
        now_ms: Millis,
        from: i32,
        place: Place,
        leader_epoch: i32,
        answer: FetchAnswer,
    ) {
        let Some(replica) = self.topics.replica_at(place) else {
            return;
        };
        let known = &replica.known;
        if known.leader != from || known.leader_epoch != leader_epoch {
            return;
        }
        match answer {
            FetchAnswer::Records {
                offset,
                records,
                segment,
                high_watermark,
                earliest,
            } => {
                let some = !records.is_empty();
                if offset == replica.log.latest() {
                    self.copy(now_ms, from, place, &records, segment);
                }
                self.follow_marks(place, high_watermark, earliest);
                let end = self.topics.replica_at(place).map(|r| r.log.latest());
                if some && end == Some(offset) {
                    // No use of what came: asking at once would bring the same.
                    return self.ask_later(now_ms, place, leader_epoch);
                }
            }
            FetchAnswer::Diverging { epoch, end } => self.cut_log(now_ms, place, epoch, end),
            FetchAnswer::BeginAt(earliest) => self.restart_log(now_ms, place, earliest),
            FetchAnswer::NotLeader => return self.ask_later(now_ms, place, leader_epoch),
        }
        self.fetch_from_leader(now_ms, place);
    }

    fn ask_later(&mut self, now_ms: Millis, place: Place, leader_epoch: i32) {
        let message = Message::Again {
            place,
            leader_epoch,
        };
        self.network
            .remind(now_ms + BACKOFF_MS, place.node, message);
    }

    /// Stores what the leader sent.
    fn copy(&mut self, now_ms: Millis, leader: i32, place: Place, records: &[u8], segment: i64) {
        let Some((_, topic)) = self.topics.by_id_mut(place.topic) else {
            return;
        };
        let how = topic.configs.appending(now_ms);
        let Some(partition) = usize::try_from(place.partition)
            .ok()
            .and_then(|index| topic.partitions.get_mut(index))
        else {
            return;
        };
        let before = partition.bytes();
        let Some(replica) = partition.replica_mut(place.node) else {
            return;
        };
        let sealed = replica.log.append_copies(records, segment, how);
        if let Some(base_offset) = sealed {
            partition.share_segment(base_offset, leader, place.node);
        }
        self.bytes_held = self.bytes_held + partition.bytes() - before;
    }

    /// Takes over the leader's high watermark and the beginning of its log.
    fn follow_marks(&mut self, place: Place, high_watermark: i64, earliest: i64) {
        let Some(partition) = self.topics.partition_at_mut(place) else {
            return;
        };
        let before = partition.bytes();
        let Some(replica) = partition.replica_mut(place.node) else {
            return;
        };
        let latest = replica.log.latest();
        replica.set_high_watermark(replica.high_watermark.max(high_watermark.min(latest)));
        if earliest > replica.log.earliest() {
            // Cannot fail: the offset lies inside the log.
            let _ = replica.log.delete_before(earliest.min(latest));
        }
        self.bytes_held = self.bytes_held + partition.bytes() - before;
    }

    /// Cuts off what the leader does not have: its records of `epoch` end at `end`.
    fn cut_log(&mut self, now_ms: Millis, place: Place, epoch: i32, end: i64) {
        let Some((name, topic)) = self.topics.by_id_mut(place.topic) else {
            return;
        };
        let name = name.to_owned();
        let Some(partition) = topic.partitions.get_mut(place.partition as usize) else {
            return;
        };
        let before = partition.bytes();
        let Some(replica) = partition.replica_mut(place.node) else {
            return;
        };
        let from = replica.log.latest();
        // Where our own records of that epoch, or of the one before it, end.
        let ours = replica.log.epochs().end_of(epoch, from);
        let to = ours.map_or(end, |(_, ours)| ours.min(end)).min(from);
        let records = replica.log.truncate_to(to, now_ms);
        let to = replica.log.latest();
        replica.set_high_watermark(replica.high_watermark.min(to));
        self.bytes_held = self.bytes_held + partition.bytes() - before;
        if from > to {
            let (node, partition) = (place.node, place.partition);
            self.events.note(
                now_ms,
                What::Truncated {
                    node,
                    topic: name,
                    partition,
                    from,
                    to,
                    records,
                },
            );
        }
    }

    /// Begins an empty log at the leader's first offset: what lies between was deleted there.
    fn restart_log(&mut self, now_ms: Millis, place: Place, earliest: i64) {
        let Some(partition) = self.topics.partition_at_mut(place) else {
            return;
        };
        let before = partition.bytes();
        if let Some(replica) = partition.replica_mut(place.node) {
            replica.log.restart_at(earliest, now_ms);
            replica.set_high_watermark(earliest);
        }
        self.bytes_held = self.bytes_held + partition.bytes() - before;
    }
}
