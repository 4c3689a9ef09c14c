//! Sending as the real producers do: one job after another, each until it is done or hopeless.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::actors::{Answer, Context, Routes, error};
use super::asks::{self, Membership, Owner};
use super::batches::{RecordId, Stamp, encode};
use super::ledger::Fate;
use super::places::Tp;
use super::scenario::Acks;
use crate::brokers::RequestId;
use crate::wire::{Request, Response};

/// Token of the timer after which a job is tried again.
pub(super) const RETRY: u32 = 1;
const BACKOFF_MS: i64 = 8;
/// `key_type` of a transactional id in FindCoordinator.
const TRANSACTION: i8 = 1;

/// A batch on its way to a partition. Its bytes stay the same, however often it is sent.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub tp: Tp,
    pub records: Vec<RecordId>,
    pub bytes: Option<Bytes>,
}

#[derive(Debug, Clone)]
pub(super) enum Job {
    /// Ask who leads the partitions of a topic.
    Metadata(usize),
    /// Ask which node keeps the transactional id.
    Coordinator,
    /// Get a producer id, or the next epoch.
    Init,
    AddPartitions(Vec<Tp>),
    Produce(Outgoing),
    AddOffsets(String),
    /// Partitions, offsets and their leader epochs.
    CommitOffsets(Membership, Vec<(Tp, i64, i32)>),
    /// Commit, or abort.
    End(bool),
}

/// What became of the job at hand.
#[derive(Debug)]
pub(super) enum Progress {
    /// Not finished, or of no interest to the owner.
    Under,
    Done(Job),
    /// Tried as often as allowed.
    GaveUp(Job),
    /// Refused for good.
    Refused(Job, ResponseError),
}

#[derive(Debug)]
pub(super) struct Sender {
    pub acks: Acks,
    idempotent: bool,
    retries: u32,
    owner: Owner,
    sequences: BTreeMap<Tp, i32>,
    pub jobs: VecDeque<Job>,
    attempts: u32,
    pub waiting: Option<RequestId>,
    routes: Routes,
    coordinator: Option<i32>,
    /// Something was given up: a gap in the numbers is no wonder from now on.
    pub gave_up: bool,
}

impl Sender {
    pub fn new(acks: Acks, idempotent: bool, transactional: Option<&str>, retries: u32) -> Sender {
        let mut jobs = VecDeque::new();
        if idempotent {
            jobs.push_back(Job::Init);
        }
        Sender {
            acks,
            idempotent,
            retries,
            owner: Owner {
                transactional_id: transactional.unwrap_or_default().to_owned(),
                producer_id: -1,
                epoch: -1,
            },
            sequences: BTreeMap::new(),
            jobs,
            attempts: 0,
            waiting: None,
            routes: Routes::default(),
            coordinator: None,
            gave_up: false,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    fn is_transactional(&self) -> bool {
        !self.owner.transactional_id.is_empty()
    }

    /// Starts on the job at the front, unless one is under way.
    pub fn go(&mut self, context: &mut Context<'_>) -> Progress {
        if self.waiting.is_some() {
            return Progress::Under;
        }
        let Some(job) = self.jobs.front().cloned() else {
            return Progress::Under;
        };
        match job {
            Job::Metadata(topic) => {
                let request = Routes::request(context.places, topic);
                let node = context.any_node();
                self.waiting = Some(context.send(node, 9, request));
            }
            Job::Coordinator => {
                let request = asks::find_coordinator(TRANSACTION, &self.owner.transactional_id);
                let node = context.any_node();
                self.waiting = Some(context.send(node, 3, request));
            }
            Job::Init if !self.is_transactional() => {
                let owner = &self.owner;
                let request = asks::init_producer(None, owner.producer_id, owner.epoch);
                let node = context.any_node();
                self.waiting = Some(context.send(node, 4, request));
            }
            Job::Init => {
                let request = asks::init_producer(Some(&self.owner.transactional_id), -1, -1);
                self.ask_coordinator(context, 4, request);
            }
            Job::AddPartitions(tps) => {
                let request = asks::add_partitions(context.places, &self.owner, &tps);
                self.ask_coordinator(context, 3, request);
            }
            Job::AddOffsets(group) => {
                let request = asks::add_offsets(&self.owner, &group);
                self.ask_coordinator(context, 3, request);
            }
            Job::CommitOffsets(who, offsets) => {
                let request =
                    asks::commit_in_transaction(context.places, &self.owner, &who, &offsets);
                let node = context.any_node();
                self.waiting = Some(context.send(node, 3, request));
            }
            Job::End(commit) => {
                context.say(|| {
                    let what = if commit { "commit" } else { "abort" };
                    format!("asks to {what} its transaction")
                });
                let request = asks::end(&self.owner, commit);
                self.ask_coordinator(context, 3, request);
            }
            Job::Produce(batch) => return self.produce(context, batch),
        }
        Progress::Under
    }

    /// Sends to the node that keeps the transactional id, or asks for it first.
    fn ask_coordinator(&mut self, context: &mut Context<'_>, version: i16, request: Request) {
        match self.coordinator {
            Some(node) => self.waiting = Some(context.send(node, version, request)),
            None => {
                self.jobs.push_front(Job::Coordinator);
                self.go(context);
            }
        }
    }

    fn produce(&mut self, context: &mut Context<'_>, batch: Outgoing) -> Progress {
        let tp = batch.tp;
        let Some(node) = self.routes.leader(tp) else {
            self.jobs
                .push_front(Job::Metadata(context.places.topic(tp)));
            return self.go(context);
        };
        let bytes = match batch.bytes {
            Some(bytes) => bytes,
            None => {
                let bytes = encode(&batch.records, context.clock_ms(), self.stamp(tp));
                if let Some(Job::Produce(batch)) = self.jobs.front_mut() {
                    batch.bytes = Some(bytes.clone());
                }
                bytes
            }
        };
        let acks = self.acks;
        let transactional = self.is_transactional();
        let transactional = transactional.then_some(self.owner.transactional_id.as_str());
        let request = asks::produce(context.places, tp, acks.code(), transactional, bytes);
        context.say(|| {
            let records = shown(&batch.records);
            format!("sends {records} to node {node}, acks={}", acks.code())
        });
        let id = context.send(node, 9, request);
        if acks == Acks::None {
            // Nobody will answer: it is as good as done.
            return self.finish();
        }
        self.waiting = Some(id);
        Progress::Under
    }

    fn stamp(&self, tp: Tp) -> Stamp {
        match self.idempotent {
            false => Stamp::NONE,
            true => Stamp {
                producer_id: self.owner.producer_id,
                epoch: self.owner.epoch,
                sequence: self.sequences.get(&tp).copied().unwrap_or(0),
                transactional: self.is_transactional(),
            },
        }
    }

    /// Takes the answer to what it waits for.
    pub fn answered(&mut self, context: &mut Context<'_>, answer: Answer) -> Progress {
        self.waiting = None;
        let verdict = match (self.jobs.front(), answer) {
            (None, _) => return Progress::Under,
            (_, Answer::Reset | Answer::TimedOut) => {
                self.coordinator = None;
                Verdict::Again
            }
            (Some(job), Answer::Response(response)) => self.judge(context, job.clone(), response),
        };
        match verdict {
            Verdict::Done => self.finish(),
            Verdict::Again => {
                self.attempts += 1;
                if self.attempts > self.retries {
                    self.gave_up = true;
                    self.attempts = 0;
                    return match self.jobs.pop_front() {
                        Some(job) => Progress::GaveUp(job),
                        None => Progress::Under,
                    };
                }
                self.routes.forget();
                context.wake_in(BACKOFF_MS, RETRY);
                Progress::Under
            }
            Verdict::Refused(error) => {
                self.attempts = 0;
                match self.jobs.pop_front() {
                    Some(job) => Progress::Refused(job, error),
                    None => Progress::Under,
                }
            }
        }
    }

    /// Begins anew with the next epoch; what was under way is lost from sight.
    pub fn start_over(&mut self) {
        self.jobs.clear();
        self.waiting = None;
        self.sequences.clear();
        self.jobs.push_back(Job::Init);
    }

    /// Ends the transaction at hand without its records.
    pub fn abort(&mut self) {
        self.jobs.clear();
        self.waiting = None;
        self.jobs.push_back(Job::End(false));
    }

    fn finish(&mut self) -> Progress {
        self.attempts = 0;
        let Some(job) = self.jobs.pop_front() else {
            return Progress::Under;
        };
        if let Job::Produce(batch) = &job {
            *self.sequences.entry(batch.tp).or_insert(0) += batch.records.len() as i32;
        }
        Progress::Done(job)
    }

    fn judge(&mut self, context: &mut Context<'_>, job: Job, response: Response) -> Verdict {
        let code = match (job, response) {
            (Job::Metadata(_), Response::Metadata(body)) => {
                self.routes.learn(context.places, &body);
                0
            }
            (Job::Coordinator, Response::FindCoordinator(body)) => {
                self.coordinator = (body.error_code == 0).then_some(body.node_id.0);
                body.error_code
            }
            (Job::Init, Response::InitProducerId(body)) => {
                if body.error_code == 0 {
                    let (id, epoch) = (body.producer_id.0, body.producer_epoch);
                    (self.owner.producer_id, self.owner.epoch) = (id, epoch);
                    self.sequences.clear();
                    context.say(|| format!("is producer {id}, epoch {epoch}"));
                }
                body.error_code
            }
            (Job::Produce(batch), Response::Produce(body)) => {
                let first = body.responses.first();
                let Some(answer) = first.and_then(|t| t.partition_responses.first()) else {
                    return Verdict::Again;
                };
                if answer.error_code == 0 {
                    let base = answer.base_offset;
                    let records = &batch.records;
                    context.say(|| {
                        format!("hears that {} is stored at offset {base}", shown(records))
                    });
                    let ledger = &mut context.ledger;
                    ledger.acknowledged(batch.tp, base, records, self.acks);
                }
                answer.error_code
            }
            (Job::AddPartitions(_), Response::AddPartitionsToTxn(body)) => {
                let topics = body.results_by_topic_v3_and_below.iter();
                let codes = topics.flat_map(|topic| &topic.results_by_partition);
                let mut codes = codes.map(|partition| partition.partition_error_code);
                codes.find(|code| *code != 0).unwrap_or(0)
            }
            (Job::AddOffsets(_), Response::AddOffsetsToTxn(body)) => body.error_code,
            (Job::CommitOffsets(..), Response::TxnOffsetCommit(body)) => {
                let codes = body.topics.iter().flat_map(|topic| &topic.partitions);
                let mut codes = codes.map(|partition| partition.error_code);
                codes.find(|code| *code != 0).unwrap_or(0)
            }
            (Job::End(_), Response::EndTxn(body)) => body.error_code,
            _ => return Verdict::Again,
        };
        match error(code) {
            None => Verdict::Done,
            Some(why) => {
                context.say(|| format!("is refused: {why:?}"));
                if why == ResponseError::NotCoordinator {
                    self.coordinator = None;
                }
                Verdict::of(why)
            }
        }
    }
}

/// Returns how records are called in the trace.
fn shown(records: &[RecordId]) -> String {
    match records {
        [one] => one.to_string(),
        [first, .., last] => format!("{first} to #{}", last.number),
        [] => "nothing".to_owned(),
    }
}

enum Verdict {
    Done,
    Again,
    Refused(ResponseError),
}

impl Verdict {
    fn of(error: ResponseError) -> Verdict {
        match error {
            ResponseError::InvalidProducerEpoch
            | ResponseError::ProducerFenced
            | ResponseError::OutOfOrderSequenceNumber
            | ResponseError::UnknownProducerId
            | ResponseError::InvalidTxnState
            | ResponseError::InvalidProducerIdMapping
            | ResponseError::TransactionAbortable
            | ResponseError::UnknownMemberId
            | ResponseError::IllegalGeneration
            | ResponseError::RebalanceInProgress
            | ResponseError::FencedInstanceId
            | ResponseError::InvalidRecord
            | ResponseError::CorruptMessage
            | ResponseError::MessageTooLarge => Verdict::Refused(error),
            _ => Verdict::Again,
        }
    }
}

/// Notes what becomes of the records of a batch that was not acknowledged.
pub(super) fn note_fate(context: &mut Context<'_>, records: &[RecordId], fate: Fate) {
    for id in records {
        context.ledger.set_fate(*id, fate);
    }
}
