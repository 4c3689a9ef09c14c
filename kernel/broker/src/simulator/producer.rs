//! A simulated producer: makes numbered records and sends them batch by batch, one after another
//! or several in a transaction.

use kafka_protocol::ResponseError;

use super::actors::{Answer, Context};
use super::batches::RecordId;
use super::ledger::{Fate, Intent, Sent, Transaction};
use super::places::Tp;
use super::scenario::{Acks, ProducerPlan};
use super::sender::{Job, Outgoing, Progress, RETRY, Sender, note_fate};
use crate::brokers::RequestId;

/// Token of the timer after which the next batch is made.
const NEXT: u32 = 2;
/// Of a hundred transactions so many are aborted by their owner.
const ABORTS_PERCENT: u64 = 25;

#[derive(Debug)]
pub(super) struct Producer {
    plan: ProducerPlan,
    sender: Sender,
    /// The transaction at hand, by its number in the ledger.
    transaction: Option<usize>,
}

impl Producer {
    pub fn new(plan: ProducerPlan) -> Producer {
        let id = plan.transactional_id.as_deref();
        let sender = Sender::new(plan.acks, plan.idempotent, id, plan.retries);
        Producer {
            plan,
            sender,
            transaction: None,
        }
    }

    pub fn start(&mut self, context: &mut Context<'_>) {
        context.wake_in(0, NEXT);
    }

    /// Begins again without memory; numbers go on, so that every record has its own.
    pub fn restart(&mut self, context: &mut Context<'_>) {
        forget_open(context);
        *self = Producer::new(self.plan.clone());
        self.start(context);
    }

    pub fn woken(&mut self, context: &mut Context<'_>, token: u32) {
        match token {
            RETRY => self.go(context),
            _ if self.sender.is_idle() => self.next_batch(context),
            _ => self.go(context),
        }
    }

    pub fn answered(&mut self, context: &mut Context<'_>, id: RequestId, answer: Answer) {
        if self.sender.waiting != Some(id) {
            return;
        }
        let progress = self.sender.answered(context, answer);
        self.take(context, progress);
    }

    fn go(&mut self, context: &mut Context<'_>) {
        if let (Some(number), Some(Job::End(commit))) = (self.transaction, self.sender.jobs.front())
        {
            // Said now, and not to be taken back: what dies before this must not be committed.
            context.ledger.transactions[number].intent = match commit {
                true => Intent::Commit,
                false => Intent::Abort,
            };
        }
        let progress = self.sender.go(context);
        self.take(context, progress);
    }

    fn take(&mut self, context: &mut Context<'_>, progress: Progress) {
        match progress {
            Progress::Under => {}
            Progress::Done(Job::Produce(batch)) => {
                if self.sender.acks == Acks::None {
                    note_fate(context, &batch.records, Fate::Unknown);
                }
                context.wake_in(self.plan.pause_ms, NEXT);
            }
            Progress::Done(Job::End(_)) => {
                if let Some(number) = self.transaction.take() {
                    context.ledger.transactions[number].settled = true;
                }
                context.wake_in(self.plan.pause_ms, NEXT);
            }
            Progress::Done(_) => self.woken(context, NEXT),
            Progress::GaveUp(Job::Produce(batch)) => {
                context.say(|| "gives up on a batch".to_owned());
                note_fate(context, &batch.records, Fate::Unknown);
                match self.transaction {
                    Some(_) => self.abort(context),
                    // The numbers have a hole now: only a new epoch can go on.
                    None if self.plan.idempotent => self.sender.start_over(),
                    None => {}
                }
                context.wake_in(self.plan.pause_ms, NEXT);
            }
            Progress::GaveUp(job) => {
                self.sender.jobs.push_front(job);
                context.wake_in(self.plan.pause_ms, NEXT);
            }
            Progress::Refused(job, error) => self.refused(context, job, error),
        }
    }

    fn refused(&mut self, context: &mut Context<'_>, job: Job, error: ResponseError) {
        context.say(|| format!("cannot go on: {error:?}"));
        if let Job::Produce(batch) = job {
            let gap = error == ResponseError::OutOfOrderSequenceNumber;
            if gap && self.plan.acks == Acks::All && !self.sender.gave_up {
                let place = context.places.show(batch.tp);
                context.ledger.gap(batch.tp, || {
                    format!("a producer of {place} was told of a gap and has left none")
                });
            }
            note_fate(context, &batch.records, Fate::Unknown);
        }
        self.sender.gave_up = true;
        self.transaction = None;
        forget_open(context);
        self.sender.start_over();
        context.wake_in(self.plan.pause_ms, NEXT);
    }

    fn abort(&mut self, context: &mut Context<'_>) {
        forget_open(context);
        self.sender.abort();
    }

    fn next_batch(&mut self, context: &mut Context<'_>) {
        let client = context.client;
        let made = context.ledger.sent[client].len() as u32;
        if made >= self.plan.records {
            context.ledger.done[client] = true;
            return;
        }
        match self.plan.transactional_id {
            None => self.make_batch(context, None),
            Some(_) => self.make_transaction(context),
        }
        self.go(context);
    }

    /// Lays out a whole transaction: its partitions, its batches, its end.
    fn make_transaction(&mut self, context: &mut Context<'_>) {
        let number = context.ledger.transactions.len();
        context.ledger.transactions.push(Transaction {
            intent: Intent::Open,
            settled: false,
        });
        self.transaction = Some(number);
        for _ in 0..context.net.dice.between(1, 3) {
            self.make_batch(context, Some(number));
        }
        let batches = self.sender.jobs.iter().filter_map(|job| match job {
            Job::Produce(batch) => Some(batch.tp),
            _ => None,
        });
        let mut tps: Vec<Tp> = batches.collect();
        tps.sort_unstable();
        tps.dedup();
        self.sender.jobs.push_front(Job::AddPartitions(tps));
        let commit = !context.net.dice.chance(ABORTS_PERCENT);
        self.sender.jobs.push_back(Job::End(commit));
    }

    fn make_batch(&mut self, context: &mut Context<'_>, transaction: Option<usize>) {
        let client = context.client;
        let made = context.ledger.sent[client].len() as u32;
        let count = self.plan.batch.min(self.plan.records.saturating_sub(made));
        if count == 0 {
            return;
        }
        let partitions = context.places.of_topic(self.plan.topic).count() as u64;
        let index = context.net.dice.below(partitions) as i32;
        let tp = context.places.at(self.plan.topic, index);
        let numbers = made..made + count;
        let records = numbers.map(|number| RecordId {
            producer: client as u16,
            number,
        });
        let records: Vec<RecordId> = records.collect();
        for _ in &records {
            context.ledger.sent[client].push(Sent {
                idempotent: self.plan.idempotent,
                transaction,
                fate: Fate::OnItsWay,
            });
        }
        self.sender.jobs.push_back(Job::Produce(Outgoing {
            tp,
            records,
            bytes: None,
        }));
    }
}

/// Whatever was not acknowledged so far is of unknown fate now; no transaction that was open can
/// be committed any more unless that was asked for.
fn forget_open(context: &mut Context<'_>) {
    let client = context.client;
    let open = context.ledger.sent[client].iter_mut();
    for sent in open.filter(|sent| sent.fate == Fate::OnItsWay) {
        sent.fate = Fate::Unknown;
    }
}
