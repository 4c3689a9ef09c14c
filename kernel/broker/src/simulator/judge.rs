//! The checks applied to the world after each step, and the account at the end.

use super::batches::RecordId;
use super::checks::records::{check_acknowledged, check_delivery};
use super::checks::{Broken, Check, answers, transactions};
use super::ledger::{Fate, Intent};
use super::places::Tp;
use super::scenario::ClientPlan;
use super::world::{START_MS, World};

/// Everybody has so long to finish once all faults are over.
const PATIENCE_MS: i64 = 20_000;
const MOST_STEPS: u64 = 20_000;

/// What a history came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Records that producers made.
    pub sent: u64,
    /// Records they were told are stored.
    pub acknowledged: u64,
    /// Acknowledged records that cannot be read.
    pub lost: u64,
    /// Further copies of records in the logs.
    pub doubled: u64,
    /// Records that took effect in a group, each counted once.
    pub processed: u64,
    /// Effects beyond the first of a record.
    pub repeated: u64,
    /// Records that a group has committed past and that never took effect.
    pub skipped: u64,
    /// Records that consumers wrote and that can be read, each counted once.
    pub written: u64,
    /// Further copies of them.
    pub written_again: u64,
}

impl World {
    /// Returns true where this partition may lose what it acknowledged.
    fn may_lose(&self, tp: Tp) -> bool {
        let topic = &self.scenario.topics[self.places.topic(tp)];
        topic.unclean_election
    }

    /// Looks at everything after a step.
    pub(super) fn check(&mut self) {
        self.watch.look(&self.brokers, &self.places);
        for tp in self.places.all() {
            let number = usize::from(tp.0);
            let may_lose = self.may_lose(tp);
            let Some(watched) = self.watch.partitions.get(number) else {
                continue;
            };
            if watched.changed {
                self.seen[number].check(
                    &mut self.ledger,
                    &self.places.show(tp),
                    watched,
                    &mut self.committed[number],
                    may_lose,
                );
            }
        }
        self.check_transactions();
        self.check_clients();
        answers::check(
            &mut self.ledger,
            &self.places,
            &self.net,
            &self.watch,
            &self.isolated,
        );
        if let Some(broken) = &mut self.ledger.broken
            && broken.step == 0
        {
            broken.step = self.steps;
            broken.at_ms = self.net.now_ms - START_MS;
        }
    }

    /// Looks at transactions that ended, and at outputs that count since.
    fn check_transactions(&mut self) {
        let ends: usize = self.committed.iter().map(|log| log.ends).sum();
        if ends == self.ends_seen {
            return;
        }
        self.ends_seen = ends;
        let lossy: Vec<bool> = self.places.all().map(|tp| self.may_lose(tp)).collect();
        transactions::check(&mut self.ledger, &self.committed, |number| lossy[number]);
        for (number, log) in self.committed.iter_mut().enumerate() {
            let topic = self.places.topic(Tp(number as u16));
            for id in log.fresh.drain(..) {
                if let Some(group) = self.output_groups.get(&topic) {
                    self.ledger.processed(*group, id);
                }
            }
        }
    }

    /// Looks at what the clients were told in this step.
    fn check_clients(&mut self) {
        for told in std::mem::take(&mut self.ledger.acknowledgements) {
            if !self.may_lose(told.tp) {
                let topics = &self.scenario.topics;
                check_acknowledged(
                    &mut self.ledger,
                    &self.places,
                    topics,
                    &self.watch,
                    &self.committed,
                    &told,
                );
            }
        }
        for given in std::mem::take(&mut self.ledger.deliveries) {
            if !self.may_lose(given.tp) {
                check_delivery(&mut self.ledger, &self.places, &self.committed, &given);
            }
        }
        for (tp, gap) in std::mem::take(&mut self.ledger.gaps) {
            if !self.may_lose(tp) {
                self.ledger.broke(Check::SequenceUnbroken, || gap);
            }
        }
        let any_loss = self.places.all().any(|tp| self.may_lose(tp));
        for (tp, position) in std::mem::take(&mut self.ledger.lost_places) {
            if !self.may_lose(tp) {
                let place = self.places.show(tp);
                self.ledger.broke(Check::ReadersSeeCommitted, || {
                    format!(
                        "position {position} of {place} is out of range, though nothing may be lost"
                    )
                });
            }
        }
        self.offsets.check(
            &mut self.ledger,
            &self.places,
            &self.groups,
            &self.brokers.groups,
            &self.committed,
            any_loss,
        );
        for told in std::mem::take(&mut self.ledger.commits) {
            if !any_loss {
                let read_committed = self.group_reads_committed[told.group];
                self.offsets.check_commit(
                    &mut self.ledger,
                    &self.places,
                    &self.committed,
                    &told,
                    read_committed,
                );
            }
        }
    }

    /// Returns true where all clients have done what they were there for.
    pub(super) fn is_finished(&self) -> bool {
        self.trouble == 0
            && self.net.now_ms >= self.calm_ms
            && self.ledger.done.iter().all(|done| *done)
            && self.places.all().all(|tp| self.end(tp).is_some())
            && self.scenario.clients().iter().all(|plan| match plan {
                ClientPlan::Producer(_) => true,
                ClientPlan::Consumer(plan) => {
                    let group = self.groups.iter().position(|name| *name == plan.group);
                    self.places.of_topic(plan.topic).all(|tp| {
                        let mut held = self.offsets.held();
                        let done = held.find(|(of, at, _)| Some(*of) == group && *at == tp);
                        let done = done.map_or(0, |(_, _, offset)| offset);
                        self.end(tp).is_some_and(|end| done >= end)
                    })
                }
            })
    }

    /// Returns the end of a partition that is at rest, nothing for one that is not.
    fn end(&self, tp: Tp) -> Option<i64> {
        let watched = self.watch.get(tp)?;
        let leader = watched.copy(watched.leader)?;
        let (end, stable) = (leader.latest, leader.last_stable);
        // An unclean election can lose the marker of a transaction and keep its records: it hangs,
        // with Kafka too, and readers of committed records stop before it.
        let stable = if self.may_lose(tp) { end } else { stable };
        let at_rest = leader.high_watermark == end && stable == end;
        at_rest.then_some(leader.last_stable)
    }

    /// At rest the account of every group that reads for effect must be even.
    fn check_effects(&mut self) {
        if self.places.all().any(|tp| self.may_lose(tp)) {
            return;
        }
        for (group, tp, upto) in self.offsets.held() {
            let log = &self.committed[usize::from(tp.0)];
            let due = log.visible(0, upto, self.group_reads_committed[group]);
            let effects = &self.ledger.effects[group];
            let least = self.ledger.at_least_once[group];
            let missed = due.iter().find(|(_, id)| !effects.contains_key(id));
            if let (Some((offset, id)), true) = (missed, least) {
                self.ledger.broken = Some(Broken {
                    check: Check::ProcessedAsPromised,
                    what: format!(
                        "group {} has {upto} for {}, {id} at {offset} had no effect",
                        self.groups[group],
                        self.places.show(tp)
                    ),
                    step: self.steps,
                    at_ms: self.net.now_ms - START_MS,
                });
                return;
            }
            let often = due.iter().find(|(_, id)| {
                let single = self.ledger.record(*id).is_some_and(|sent| sent.idempotent);
                single && effects.get(id).is_some_and(|count| *count > 1)
            });
            if let (Some((_, id)), true) = (often, self.ledger.at_most_once[group]) {
                self.ledger.broken = Some(Broken {
                    check: Check::ProcessedAsPromised,
                    what: format!("{id} took effect more than once"),
                    step: self.steps,
                    at_ms: self.net.now_ms - START_MS,
                });
                return;
            }
        }
    }

    /// Returns true where the history is over, finished or not.
    pub(super) fn is_over(&mut self) -> bool {
        if self.ledger.broken.is_some() {
            return true;
        }
        if self.is_finished() {
            self.check_effects();
            return true;
        }
        let late = self.trouble == 0 && self.net.now_ms > self.calm_ms + PATIENCE_MS;
        if late || self.steps > MOST_STEPS {
            let what = self.unfinished();
            self.ledger.broke(Check::ComesToRest, || what);
            if let Some(broken) = &mut self.ledger.broken {
                broken.step = self.steps;
                broken.at_ms = self.net.now_ms - START_MS;
            }
        }
        self.ledger.broken.is_some()
    }

    fn unfinished(&self) -> String {
        let producers = self.ledger.done.iter().filter(|done| !**done).count();
        let tps = self.places.all().map(|tp| {
            let watched = self.watch.get(tp);
            let leader = watched.and_then(|watched| watched.copy(watched.leader));
            let shown = leader.map(|copy| (copy.latest, copy.high_watermark, copy.last_stable));
            let committed = self.offsets.held().filter(|(_, at, _)| *at == tp);
            let committed: Vec<i64> = committed.map(|(_, _, offset)| offset).collect();
            format!(
                "{} end, high watermark, last stable {shown:?}, committed {committed:?}",
                self.places.show(tp)
            )
        });
        let tps: Vec<String> = tps.collect();
        format!("{producers} producers are not done; {}", tps.join("; "))
    }

    /// Adds up.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        let mut copies = std::collections::BTreeMap::new();
        let mut outputs = std::collections::BTreeMap::new();
        for log in &self.committed {
            let copies = if log.output {
                &mut outputs
            } else {
                &mut copies
            };
            for (_, id) in log.visible(0, log.len(), true) {
                *copies.entry(id).or_insert(0u64) += 1;
            }
        }
        tally.written = outputs.len() as u64;
        tally.written_again = outputs.values().map(|count| count - 1).sum();
        for (producer, sent) in self.ledger.sent.iter().enumerate() {
            for (number, record) in sent.iter().enumerate() {
                let id = RecordId {
                    producer: producer as u16,
                    number: number as u32,
                };
                let stored = copies.get(&id).copied().unwrap_or(0);
                let acknowledged = matches!(record.fate, Fate::Acknowledged(_));
                tally.sent += 1;
                tally.acknowledged += u64::from(acknowledged);
                let transaction = record
                    .transaction
                    .map(|number| self.ledger.transactions[number]);
                let wanted = transaction.is_none_or(|t| t.settled && t.intent == Intent::Commit);
                tally.lost += u64::from(acknowledged && wanted && stored == 0);
                tally.doubled += stored.saturating_sub(1);
            }
        }
        for effects in &self.ledger.effects {
            tally.processed += effects.len() as u64;
            let more = effects.values().map(|count| u64::from(count - 1));
            tally.repeated += more.sum::<u64>();
        }
        for (group, tp, upto) in self.offsets.held() {
            let log = &self.committed[usize::from(tp.0)];
            let read_committed = self.group_reads_committed[group];
            let effects = &self.ledger.effects[group];
            let due = log.visible(0, upto, read_committed);
            let missed = due.iter().filter(|(_, id)| !effects.contains_key(id));
            tally.skipped += missed.count() as u64;
        }
        tally
    }
}
