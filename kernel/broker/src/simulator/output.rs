//! What a consumer writes for what it has read, alone or in one transaction with its offsets.

use kafka_protocol::ResponseError;

use super::actors::Context;
use super::batches::RecordId;
use super::consumer::{Consumer, Doing, GO, RETRIES};
use super::crash::CrashPoint;
use super::membership::News;
use super::places::Tp;
use super::scenario::{Acks, Commit};
use super::sender::{Job, Outgoing, Progress, Sender};

impl Consumer {
    /// Returns true where the poll at hand is processed, and something is to be written for it.
    pub(super) fn wants_output(&self) -> bool {
        let news = match self.plan.commit {
            Commit::InTransaction { .. } => self.has_news(),
            _ => !self.outputs.is_empty(),
        };
        news && self.buffer.is_empty()
    }

    pub(super) fn send_outputs(&mut self, context: &mut Context<'_>) {
        let in_transaction = matches!(self.plan.commit, Commit::InTransaction { .. });
        let mut sender = match self.sender.take() {
            Some(sender) => sender,
            None => {
                let id = format!("reader-{}", context.client);
                let id = in_transaction.then_some(id.as_str());
                Sender::new(Acks::All, true, id, RETRIES)
            }
        };
        let batches = by_partition(std::mem::take(&mut self.outputs));
        if in_transaction {
            let news = self.handled.iter();
            let news = news.filter(|(tp, offset)| self.committed.get(tp) != Some(offset));
            let offsets: Vec<(Tp, i64)> = news.map(|(tp, offset)| (*tp, *offset)).collect();
            for (tp, offset) in &offsets {
                context.ledger.asks_commit(self.group, *tp, *offset);
            }
            let told = offsets.into_iter();
            let offsets = told.map(|(tp, offset)| (tp, offset, self.routes.newest_epoch(tp)));
            let offsets = offsets.collect();
            let tps = batches.iter().map(|batch| batch.tp).collect();
            if !batches.is_empty() {
                sender.jobs.push_back(Job::AddPartitions(tps));
            }
            sender.jobs.extend(batches.into_iter().map(Job::Produce));
            let who = self.seat.who.clone();
            sender.jobs.push_back(Job::AddOffsets(who.group.clone()));
            sender.jobs.push_back(Job::CommitOffsets(who, offsets));
            sender.jobs.push_back(Job::End(true));
        } else {
            sender.jobs.extend(batches.into_iter().map(Job::Produce));
        }
        self.sender = Some(sender);
        self.doing = Doing::Output;
        self.go_output(context);
    }

    pub(super) fn go_output(&mut self, context: &mut Context<'_>) {
        let Some(sender) = &mut self.sender else {
            return;
        };
        let first =
            matches!(sender.jobs.front(), Some(Job::Produce(batch)) if batch.bytes.is_none());
        let last = matches!(sender.jobs.front(), Some(Job::End(true)));
        if last && self.doom.strikes(CrashPoint::BeforeCommit, context) {
            return;
        }
        let progress = sender.go(context);
        if first && sender.waiting.is_some() && self.doom.strikes(CrashPoint::AfterProduce, context)
        {
            return;
        }
        self.take_output(context, progress);
    }

    pub(super) fn take_output(&mut self, context: &mut Context<'_>, progress: Progress) {
        match progress {
            Progress::Under => {}
            Progress::Done(Job::End(true)) => {
                self.committed = self.handled.clone();
                if !self.doom.strikes(CrashPoint::AfterCommit, context) {
                    self.finish_output(context);
                }
            }
            // It was aborted: what was read is read again from the committed offset.
            Progress::Done(Job::End(false)) => {
                self.rewind();
                self.finish_output(context);
            }
            Progress::Done(_) => match self.sender.as_ref().is_some_and(Sender::is_idle) {
                true => self.finish_output(context),
                false => self.go_output(context),
            },
            Progress::GaveUp(_) => self.output_failed(context, None),
            Progress::Refused(_, error) => {
                context.say(|| format!("cannot go on: {error:?}"));
                self.output_failed(context, Some(error));
            }
        }
    }

    fn output_failed(&mut self, context: &mut Context<'_>, error: Option<ResponseError>) {
        let Some(sender) = &mut self.sender else {
            return;
        };
        if !matches!(self.plan.commit, Commit::InTransaction { .. }) {
            // Its numbers have a hole: it goes on under a new epoch, and reads again.
            sender.start_over();
            self.rewind();
            return self.finish_output(context);
        }
        match News::of(error) {
            // The group went on without this member: nothing of it may count.
            news @ (News::Lost | News::Rejoin) => {
                self.rejoin |= news == News::Rejoin;
                if news == News::Lost {
                    self.seat.leave(true);
                }
                sender.abort();
                self.go_output(context);
            }
            _ => {
                sender.start_over();
                self.rewind();
                self.finish_output(context);
            }
        }
    }

    /// Forgets where it is: the committed offsets say where to go on.
    fn rewind(&mut self) {
        self.buffer.clear();
        self.outputs.clear();
        self.positions.clear();
        self.handled.clear();
        self.committed.clear();
    }

    fn finish_output(&mut self, context: &mut Context<'_>) {
        self.doing = Doing::Nothing;
        context.wake_in(0, GO);
    }
}

fn by_partition(outputs: Vec<(Tp, RecordId)>) -> Vec<Outgoing> {
    let mut batches: Vec<Outgoing> = Vec::new();
    for (tp, record) in outputs {
        match batches.iter_mut().find(|batch| batch.tp == tp) {
            Some(batch) => batch.records.push(record),
            None => batches.push(Outgoing {
                tp,
                records: vec![record],
                bytes: None,
            }),
        }
    }
    batches
}
