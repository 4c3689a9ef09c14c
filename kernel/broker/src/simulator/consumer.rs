//! A simulated consumer: becomes a member, fetches, processes record by record, commits.
//!
//! It does one thing at a time, as a poll loop does; only heartbeats go beside it.

use std::collections::{BTreeMap, VecDeque};

use kafka_protocol::ResponseError;

use super::actors::{Answer, Context, Routes, error};
use super::asks;
use super::batches::RecordId;
use super::crash::{CrashPoint, Doom};
use super::membership::{News, Seat, Standing};
use super::places::Tp;
use super::scenario::{Commit, ConsumerPlan};
use super::sender::{RETRY, Sender};
use crate::brokers::RequestId;
use crate::wire::Response;

pub(super) const GO: u32 = 11;
const PROCESSED: u32 = 12;
const HEARTBEAT: u32 = 13;
/// A transaction step, or an output, is tried so often.
pub(super) const RETRIES: u32 = 60;
const HEARTBEAT_MS: i64 = 45;
const BACKOFF_MS: i64 = 8;

/// What the consumer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Nothing,
    FindCoordinator,
    Join,
    Sync,
    FetchOffsets,
    Metadata,
    Reset(Tp),
    Fetch,
    Process,
    Commit,
    /// Outputs are sent, with a transaction round them or without.
    Output,
}

#[derive(Debug)]
pub(super) struct Consumer {
    pub plan: ConsumerPlan,
    pub group: usize,
    pub doom: Doom,
    pub(super) seat: Seat,
    pub(super) coordinator: Option<i32>,
    pub(super) routes: Routes,
    pub(super) assigned: Vec<Tp>,
    /// The next offset to fetch.
    pub positions: BTreeMap<Tp, i64>,
    /// Up to here everything is processed (or handed over, for a timed commit).
    pub(super) handled: BTreeMap<Tp, i64>,
    pub(super) committed: BTreeMap<Tp, i64>,
    pub(super) buffer: VecDeque<(Tp, i64, RecordId)>,
    committing: Vec<(Tp, i64)>,
    /// Sends what the records of this poll gave.
    pub(super) sender: Option<Sender>,
    pub(super) outputs: Vec<(Tp, RecordId)>,
    /// Partitions whose position is out of range.
    lost_place: Option<Tp>,
    next_commit_ms: i64,
    pub(super) rejoin: bool,
    turn: usize,
    pub(super) doing: Doing,
    waiting: Option<RequestId>,
    heartbeat: Option<RequestId>,
}

impl Consumer {
    pub fn new(plan: ConsumerPlan, group: usize, doom: Doom) -> Consumer {
        Consumer {
            seat: Seat::new(&plan.group, plan.topic),
            plan,
            group,
            doom,
            coordinator: None,
            routes: Routes::default(),
            assigned: Vec::new(),
            positions: BTreeMap::new(),
            handled: BTreeMap::new(),
            committed: BTreeMap::new(),
            buffer: VecDeque::new(),
            committing: Vec::new(),
            sender: None,
            outputs: Vec::new(),
            lost_place: None,
            next_commit_ms: 0,
            rejoin: false,
            turn: 0,
            doing: Doing::Nothing,
            waiting: None,
            heartbeat: None,
        }
    }

    pub fn start(&mut self, context: &mut Context<'_>) {
        if self.plan.by_hand {
            self.seat.standing = Standing::Member;
            self.assigned = context.places.of_topic(self.plan.topic).collect();
        }
        context.wake_in(0, GO);
        context.wake_in(HEARTBEAT_MS, HEARTBEAT);
    }

    pub fn restart(&mut self, context: &mut Context<'_>) {
        *self = Consumer::new(self.plan.clone(), self.group, self.doom);
        self.start(context);
    }

    pub fn woken(&mut self, context: &mut Context<'_>, token: u32) {
        match token {
            HEARTBEAT => {
                self.beat(context);
                context.wake_in(HEARTBEAT_MS, HEARTBEAT);
            }
            PROCESSED if self.doing == Doing::Process => {
                self.doing = Doing::Nothing;
                self.finish_record(context);
                self.next(context);
            }
            GO if self.doing == Doing::Nothing => self.next(context),
            RETRY if self.doing == Doing::Output => self.go_output(context),
            _ => {}
        }
    }

    fn beat(&mut self, context: &mut Context<'_>) {
        let member = self.seat.standing == Standing::Member && !self.plan.by_hand;
        if let (true, None, Some(node)) = (member, self.heartbeat, self.coordinator) {
            let request = asks::heartbeat(&self.seat.who);
            self.heartbeat = Some(context.send(node, 3, request));
        }
    }

    /// Does what is to be done next. The order is that of a poll loop.
    pub(super) fn next(&mut self, context: &mut Context<'_>) {
        let Some(coordinator) = self.coordinator else {
            let request = asks::find_coordinator(0, &self.plan.group);
            let node = context.any_node();
            return self.ask(context, Doing::FindCoordinator, node, 3, request);
        };
        if self.rejoin {
            return self.revoke(context, coordinator);
        }
        if let Some(request) = self.seat.next_request(context) {
            return match self.seat.standing {
                Standing::Outside => self.ask(context, Doing::Join, coordinator, 5, request),
                _ => self.ask(context, Doing::Sync, coordinator, 3, request),
            };
        }
        if self
            .assigned
            .iter()
            .any(|tp| !self.positions.contains_key(tp))
        {
            let group = &self.plan.group;
            let topic = self.plan.topic;
            let request = asks::fetch_offsets(context.places, group, topic, &self.assigned);
            return self.ask(context, Doing::FetchOffsets, coordinator, 7, request);
        }
        if self.wants_output() {
            return self.send_outputs(context);
        }
        if self.wants_commit(context) {
            return self.commit(context, coordinator);
        }
        if !self.buffer.is_empty() {
            return self.begin_record(context);
        }
        self.fetch(context);
    }

    /// Gives back what it owns, after a last commit of what is processed.
    fn revoke(&mut self, context: &mut Context<'_>, coordinator: i32) {
        if self.doom.strikes(CrashPoint::InRevoke, context) {
            return;
        }
        if self.buffer.is_empty() && self.wants_output() {
            return self.send_outputs(context);
        }
        let last_commit = matches!(self.plan.commit, Commit::After | Commit::Timer(_));
        if last_commit && self.has_news() && self.committing.is_empty() {
            return self.commit(context, coordinator);
        }
        self.drop_everything();
        self.seat.leave(false);
        self.rejoin = false;
        self.next(context);
    }

    pub(super) fn drop_everything(&mut self) {
        self.buffer.clear();
        self.outputs.clear();
        self.committing.clear();
        self.assigned.clear();
        self.positions.clear();
        self.handled.clear();
        self.committed.clear();
        self.lost_place = None;
    }

    pub(super) fn has_news(&self) -> bool {
        let ahead = |(tp, offset): (&Tp, &i64)| self.committed.get(tp) != Some(offset);
        self.handled.iter().any(ahead)
    }

    fn wants_commit(&self, context: &Context<'_>) -> bool {
        match self.plan.commit {
            // Before anything of the poll is processed, all of it is committed.
            Commit::Before => self.has_news(),
            Commit::After => self.buffer.is_empty() && self.has_news(),
            Commit::Timer(_) => self.has_news() && context.net.now_ms >= self.next_commit_ms,
            Commit::InTransaction { .. } => false,
        }
    }

    fn commit(&mut self, context: &mut Context<'_>, coordinator: i32) {
        if self.doom.strikes(CrashPoint::BeforeCommit, context) {
            return;
        }
        if let Commit::Timer(every_ms) = self.plan.commit {
            self.next_commit_ms = context.net.now_ms + every_ms;
        }
        let news = self
            .handled
            .iter()
            .filter(|(tp, offset)| self.committed.get(tp) != Some(offset));
        self.committing = news.map(|(tp, offset)| (*tp, *offset)).collect();
        for (tp, offset) in &self.committing {
            context.ledger.asks_commit(self.group, *tp, *offset);
        }
        let shown = self.committing.clone();
        let places = context.places;
        context.say(|| {
            let each = shown
                .iter()
                .map(|(tp, offset)| format!("{} to {offset}", places.show(*tp)));
            format!("commits {}", each.collect::<Vec<_>>().join(", "))
        });
        let topic = self.plan.topic;
        let request = asks::commit_offsets(places, &self.seat.who, topic, &self.committing, |tp| {
            self.routes.newest_epoch(tp)
        });
        self.ask(context, Doing::Commit, coordinator, 7, request);
    }

    fn begin_record(&mut self, context: &mut Context<'_>) {
        if let (Commit::Timer(_), Some(&(tp, offset, _))) = (self.plan.commit, self.buffer.front())
        {
            // The client takes a record as done once it has handed it over.
            self.handled.insert(tp, offset + 1);
        }
        if self.doom.strikes(CrashPoint::InProcessing, context) {
            return;
        }
        self.doing = Doing::Process;
        context.wake_in(self.plan.process_ms, PROCESSED);
    }

    fn finish_record(&mut self, context: &mut Context<'_>) {
        let Some((tp, offset, record)) = self.buffer.pop_front() else {
            return;
        };
        let outside = !matches!(self.plan.commit, Commit::InTransaction { .. });
        if outside {
            context.ledger.processed(self.group, record);
        }
        if let Some(into) = self.plan.writes_to() {
            let partitions = context.places.of_topic(into).count() as i32;
            let index = context.places.index(tp) % partitions;
            self.outputs.push((context.places.at(into, index), record));
        }
        let places = context.places;
        context.say(|| format!("processes {record} ({} offset {offset})", places.show(tp)));
        if self.doom.strikes(CrashPoint::AfterEffect, context) {
            return;
        }
        if self.plan.commit != Commit::Before {
            let more = self.buffer.iter().any(|(other, ..)| *other == tp);
            let upto = match more {
                true => offset + 1,
                // Markers and aborted records behind the last one are done with as well.
                false => self.positions.get(&tp).copied().unwrap_or(offset + 1),
            };
            self.handled.insert(tp, upto);
        }
    }

    fn fetch(&mut self, context: &mut Context<'_>) {
        if let Some(tp) = self.lost_place
            && let Some(node) = self.routes.leader(tp)
        {
            let request = asks::earliest(context.places, tp);
            return self.ask(context, Doing::Reset(tp), node, 4, request);
        }
        if self.assigned.is_empty() {
            return context.wake_in(BACKOFF_MS * 4, GO);
        }
        let leaders: Vec<i32> = {
            let known = self
                .assigned
                .iter()
                .filter_map(|tp| self.routes.leader(*tp));
            let mut known: Vec<i32> = known.collect();
            known.sort_unstable();
            known.dedup();
            known
        };
        let unknown = self
            .assigned
            .iter()
            .any(|tp| self.routes.leader(*tp).is_none());
        self.turn += 1;
        if leaders.is_empty() || unknown && self.turn.is_multiple_of(2) {
            let request = Routes::request(context.places, self.plan.topic);
            let node = context.any_node();
            return self.ask(context, Doing::Metadata, node, 9, request);
        }
        let node = leaders[self.turn % leaders.len()];
        let here = self
            .assigned
            .iter()
            .filter(|tp| self.routes.leader(**tp) == Some(node));
        let from: Vec<(Tp, i64)> = here.map(|tp| (*tp, self.positions[tp])).collect();
        let request = asks::fetch(
            context.places,
            &from,
            |tp| self.routes.epoch(tp),
            self.plan.read_committed,
        );
        self.ask(context, Doing::Fetch, node, 11, request);
        if let Some(id) = self.waiting
            && let Some(pending) = context.net.pending.get_mut(&id)
        {
            pending.fetches = from;
            pending.read_committed = self.plan.read_committed;
        }
    }

    fn ask(
        &mut self,
        context: &mut Context<'_>,
        doing: Doing,
        node: i32,
        version: i16,
        request: crate::wire::Request,
    ) {
        self.doing = doing;
        self.waiting = Some(context.send(node, version, request));
    }

    pub fn answered(&mut self, context: &mut Context<'_>, id: RequestId, answer: Answer) {
        if self.heartbeat == Some(id) {
            self.heartbeat = None;
            return self.heard_heartbeat(answer);
        }
        if let Some(sender) = &mut self.sender
            && sender.waiting == Some(id)
        {
            let progress = sender.answered(context, answer);
            return self.take_output(context, progress);
        }
        if self.waiting != Some(id) {
            return;
        }
        self.waiting = None;
        let doing = std::mem::replace(&mut self.doing, Doing::Nothing);
        let go_on = match answer {
            Answer::Response(response) => self.take(context, doing, response),
            Answer::Reset | Answer::TimedOut => {
                match doing {
                    Doing::Fetch | Doing::Reset(_) => self.routes.forget(),
                    Doing::Metadata => {}
                    _ => self.coordinator = None,
                }
                false
            }
        };
        match go_on {
            _ if self.doom.dead => {}
            true => self.next(context),
            false => context.wake_in(BACKOFF_MS, GO),
        }
    }

    fn heard_heartbeat(&mut self, answer: Answer) {
        let news = match answer {
            Answer::Response(Response::Heartbeat(body)) => News::of(error(body.error_code)),
            Answer::Response(_) => News::None,
            Answer::Reset | Answer::TimedOut => News::CoordinatorMoved,
        };
        self.hear(news);
    }

    /// Takes news of the group to heart; what is under way is finished first.
    fn hear(&mut self, news: News) {
        match news {
            News::None => {}
            News::Rejoin => self.rejoin = true,
            News::CoordinatorMoved => self.coordinator = None,
            // A transaction under way ends first; it will be refused.
            News::Lost if self.doing == Doing::Output => self.rejoin = true,
            News::Lost => {
                self.drop_everything();
                self.seat.leave(false);
                self.rejoin = false;
            }
        }
    }

    /// Takes an answer. Returns false where it is better to wait a moment.
    fn take(&mut self, context: &mut Context<'_>, doing: Doing, response: Response) -> bool {
        match (doing, response) {
            (Doing::FindCoordinator, Response::FindCoordinator(body)) => {
                self.coordinator = (body.error_code == 0).then_some(body.node_id.0);
                self.coordinator.is_some()
            }
            (Doing::Join, Response::JoinGroup(body)) => {
                let news = self.seat.joined(context, body);
                if news == News::CoordinatorMoved {
                    self.coordinator = None;
                }
                news == News::None
            }
            (Doing::Sync, Response::SyncGroup(body)) => match self.seat.synced(context, &body) {
                Ok(assigned) => {
                    self.take_over(context, assigned);
                    true
                }
                Err(news) => {
                    if news == News::CoordinatorMoved {
                        self.coordinator = None;
                    }
                    false
                }
            },
            (Doing::FetchOffsets, Response::OffsetFetch(body)) => self.take_offsets(context, &body),
            (Doing::Metadata, Response::Metadata(body)) => {
                self.routes.learn(context.places, &body);
                self.assigned
                    .iter()
                    .all(|tp| self.routes.leader(*tp).is_some())
            }
            (Doing::Reset(tp), Response::ListOffsets(body)) => {
                let answer = body.topics.first().and_then(|t| t.partitions.first());
                let Some(answer) = answer.filter(|answer| answer.error_code == 0) else {
                    self.routes.forget();
                    return false;
                };
                self.positions.insert(tp, answer.offset);
                self.handled.insert(tp, answer.offset);
                self.lost_place = None;
                true
            }
            (Doing::Fetch, Response::Fetch(body)) => self.take_fetched(context, body),
            (Doing::Commit, Response::OffsetCommit(body)) => {
                let first = body.topics.first().and_then(|t| t.partitions.first());
                self.take_commit(context, first.and_then(|p| error(p.error_code)))
            }
            _ => false,
        }
    }

    fn take_over(&mut self, context: &mut Context<'_>, assigned: Vec<Tp>) {
        let (group, generation) = (self.group, self.seat.who.generation);
        for tp in &assigned {
            context.ledger.owns(group, generation, *tp, context.client);
        }
        let places = context.places;
        let shown = assigned.clone();
        context.say(|| {
            let names = shown.iter().map(|tp| places.show(*tp).to_string());
            format!("owns [{}]", names.collect::<Vec<_>>().join(", "))
        });
        self.assigned = assigned;
        // What was heard of offsets before this generation is out of date.
        self.positions.clear();
        self.handled.clear();
        self.committed.clear();
    }

    fn take_offsets(
        &mut self,
        context: &mut Context<'_>,
        body: &kafka_protocol::messages::OffsetFetchResponse,
    ) -> bool {
        let news = News::of(error(body.error_code));
        if news == News::CoordinatorMoved {
            self.coordinator = None;
        }
        if body.error_code != 0 {
            return false;
        }
        for partition in body.topics.iter().flat_map(|topic| &topic.partitions) {
            if partition.error_code != 0 {
                // Offsets of a transaction that is not decided yet: ask again.
                return false;
            }
            let tp = context
                .places
                .at(self.plan.topic, partition.partition_index);
            let offset = partition.committed_offset.max(0);
            self.positions.insert(tp, offset);
            self.handled.insert(tp, offset);
            self.committed.insert(tp, offset);
            self.routes.saw(tp, partition.committed_leader_epoch);
        }
        true
    }

    fn take_fetched(
        &mut self,
        context: &mut Context<'_>,
        body: kafka_protocol::messages::FetchResponse,
    ) -> bool {
        if body.error_code != 0 {
            return false;
        }
        let mut fine = true;
        let mut room = self.plan.poll;
        for topic in &body.responses {
            let name = topic.topic.to_string();
            for data in &topic.partitions {
                let Some(tp) = context.places.find(&name, data.partition_index) else {
                    continue;
                };
                let Some(position) = self.positions.get(&tp).copied() else {
                    continue;
                };
                match error(data.error_code) {
                    None => {}
                    Some(ResponseError::OffsetOutOfRange) => {
                        context.say(|| format!("offset {position} is out of range"));
                        context.ledger.lost_place(tp, position);
                        self.lost_place = Some(tp);
                        fine = false;
                        continue;
                    }
                    Some(_) => {
                        self.routes.forget();
                        fine = false;
                        continue;
                    }
                }
                let polled = super::polled::read(data, position, self.plan.read_committed, room);
                room = room.saturating_sub(polled.records.len());
                self.hand_over(context, tp, position, polled);
            }
        }
        if !self.buffer.is_empty() && self.doom.strikes(CrashPoint::AfterPoll, context) {
            return true;
        }
        fine
    }

    fn hand_over(
        &mut self,
        context: &mut Context<'_>,
        tp: Tp,
        from: i64,
        polled: super::polled::Polled,
    ) {
        if polled.next == from {
            return;
        }
        let places = context.places;
        let (count, next) = (polled.records.len(), polled.next);
        context.say(|| format!("polls {count} records of {} from {from}", places.show(tp)));
        self.positions.insert(tp, next);
        for (offset, record) in &polled.records {
            self.buffer.push_back((tp, *offset, *record));
        }
        if self.plan.commit == Commit::Before || polled.records.is_empty() {
            self.handled.insert(tp, next);
        }
        context.ledger.deliveries.push(super::ledger::Delivery {
            client: context.client,
            read_committed: self.plan.read_committed,
            tp,
            from,
            to: next,
            records: polled.records,
        });
    }

    fn take_commit(&mut self, context: &mut Context<'_>, why: Option<ResponseError>) -> bool {
        let committing = std::mem::take(&mut self.committing);
        match why {
            None => {
                for (tp, offset) in committing {
                    self.committed.insert(tp, offset);
                    context.ledger.committed(self.group, tp, offset);
                }
                if self.doom.strikes(CrashPoint::AfterCommit, context) {
                    return true;
                }
                true
            }
            Some(error) => {
                context.say(|| format!("may not commit: {error:?}"));
                match News::of(Some(error)) {
                    // Asked to join again: the commit at revocation comes first.
                    News::Rejoin => {
                        self.rejoin = true;
                        self.committed = self.handled.clone();
                    }
                    news => self.hear(news),
                }
                false
            }
        }
    }
}
