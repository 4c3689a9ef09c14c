//! One transactional id: who holds it, and how far its transaction is.
//!
//! The rules are those of Kafka's transaction coordinator: KIP-98 for the states, KIP-360 for
//! producers that ask for their next epoch, KIP-890 for a new epoch with every transaction.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use serde::{Deserialize, Serialize};

use super::offsets::StagedOffset;
use crate::brokers::Millis;

/// Stands for "no epoch yet".
pub const NO_EPOCH: i16 = -1;
/// The highest epoch a producer is given: one more is left for fencing it off.
pub const LAST_EPOCH: i16 = i16::MAX - 1;

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// The producer is known, and has begun nothing since.
    Empty,
    Ongoing,
    /// It will be committed: decided, but markers are missing.
    PrepareCommit,
    /// It will be aborted: decided, but markers are missing.
    PrepareAbort,
    CompleteCommit,
    CompleteAbort,
}

impl State {
    /// Returns the name that Kafka's tools show.
    pub fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::Ongoing => "Ongoing",
            State::PrepareCommit => "PrepareCommit",
            State::PrepareAbort => "PrepareAbort",
            State::CompleteCommit => "CompleteCommit",
            State::CompleteAbort => "CompleteAbort",
        }
    }

    /// Returns true where the end is decided and markers are missing.
    pub fn is_prepared(self) -> bool {
        matches!(self, State::PrepareCommit | State::PrepareAbort)
    }
}

/// A producer as it names itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerKey {
    pub id: i64,
    pub epoch: i16,
}

/// One transactional id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    pub producer_id: i64,
    pub epoch: i16,
    /// The epoch before, for a producer that asks again because no answer reached it.
    pub last_epoch: i16,
    /// The producer id before the last change.
    pub previous_producer_id: i64,
    /// The producer id to go on with once all markers are written: the epochs were used up.
    pub next_producer_id: Option<i64>,
    pub timeout_ms: i32,
    pub state: State,
    /// The partitions that need a marker.
    pub partitions: BTreeSet<(String, i32)>,
    /// The groups it reads for, with the offsets to commit for them.
    pub groups: BTreeMap<String, Vec<StagedOffset>>,
    /// When the transaction began, -1 before the first.
    pub started_ms: Millis,
    pub updated_ms: Millis,
}

/// What `end` decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Markers are to be written now.
    Decided,
    /// It was decided by an earlier request, which this one repeats.
    Before,
}

impl Transaction {
    /// Returns a transactional id that nobody has used.
    pub fn new(producer_id: i64, timeout_ms: i32, now_ms: Millis) -> Transaction {
        Transaction {
            producer_id,
            epoch: NO_EPOCH,
            last_epoch: NO_EPOCH,
            previous_producer_id: -1,
            next_producer_id: None,
            timeout_ms,
            state: State::Empty,
            partitions: BTreeSet::new(),
            groups: BTreeMap::new(),
            started_ms: -1,
            updated_ms: now_ms,
        }
    }

    /// Returns the producer that may use the id now.
    pub fn producer(&self) -> ProducerKey {
        ProducerKey {
            id: self.producer_id,
            epoch: self.epoch,
        }
    }

    /// Returns when the coordinator aborts it, if it is open.
    pub fn times_out_ms(&self) -> Option<Millis> {
        let open = self.state == State::Ongoing;
        open.then(|| self.started_ms.saturating_add(i64::from(self.timeout_ms)))
    }

    /// Gives the id to a producer, with its next epoch: whoever had it before is fenced off.
    /// `known` is what the producer believes to be, where it had the id before (KIP-360).
    ///
    /// # Errors
    /// `ProducerFenced` where another producer took over since, `ConcurrentTransactions` while
    /// the end of a transaction is being written. An open transaction is for the caller to abort.
    pub fn init(
        &mut self,
        known: Option<ProducerKey>,
        timeout_ms: i32,
        now_ms: Millis,
        fresh_id: impl FnOnce() -> i64,
    ) -> Result<ProducerKey, ResponseError> {
        if known.is_some_and(|known| !self.may_continue(known)) {
            return Err(ResponseError::ProducerFenced);
        }
        if self.state.is_prepared() || self.state == State::Ongoing {
            return Err(ResponseError::ConcurrentTransactions);
        }
        let same_epoch = known.is_none_or(|known| known.epoch == self.epoch);
        let before = self.producer();
        if self.epoch >= LAST_EPOCH && same_epoch {
            self.producer_id = fresh_id();
            self.epoch = 0;
            self.last_epoch = known.map_or(NO_EPOCH, |_| before.epoch);
        } else {
            self.next_epoch(known)?;
        }
        self.previous_producer_id = before.id;
        self.timeout_ms = timeout_ms;
        self.state = State::Empty;
        self.started_ms = -1;
        self.updated_ms = now_ms;
        Ok(self.producer())
    }

    /// Returns true for the producer that has the id, and for one that asks again because it did
    /// not hear of its new producer id.
    fn may_continue(&self, known: ProducerKey) -> bool {
        // Kafka asks for the epoch only where no transaction is open, so that a fenced producer
        // that asks again there aborts the transaction of its successor.
        let fenced = self.state == State::Ongoing && known.epoch != self.epoch;
        self.epoch == NO_EPOCH
            || (known.id == self.producer_id && !fenced)
            || (known.id == self.previous_producer_id && known.epoch >= LAST_EPOCH)
    }

    fn next_epoch(&mut self, known: Option<ProducerKey>) -> Result<(), ResponseError> {
        match known {
            None => self.last_epoch = NO_EPOCH,
            Some(known) if self.epoch == NO_EPOCH || known.epoch == self.epoch => {
                self.last_epoch = self.epoch;
            }
            // It asks again: the first answer got lost.
            Some(known) if known.epoch == self.last_epoch => return Ok(()),
            Some(_) => return Err(ResponseError::ProducerFenced),
        }
        self.epoch += 1;
        Ok(())
    }

    /// Adds partitions, or begins a transaction with them.
    ///
    /// # Errors
    /// `InvalidProducerIdMapping`, `ProducerFenced`, `ConcurrentTransactions`.
    pub fn add(
        &mut self,
        producer: ProducerKey,
        partitions: impl IntoIterator<Item = (String, i32)>,
        now_ms: Millis,
    ) -> Result<(), ResponseError> {
        self.begin(producer, now_ms)?;
        self.partitions.extend(partitions);
        Ok(())
    }

    /// Adds a group, or begins a transaction with it.
    ///
    /// # Errors
    /// As `add`.
    pub fn add_group(
        &mut self,
        producer: ProducerKey,
        group: &str,
        now_ms: Millis,
    ) -> Result<(), ResponseError> {
        self.begin(producer, now_ms)?;
        self.groups.entry(group.to_owned()).or_default();
        Ok(())
    }

    fn begin(&mut self, producer: ProducerKey, now_ms: Millis) -> Result<(), ResponseError> {
        self.check_producer(producer)?;
        if self.state != State::Ongoing {
            self.state = State::Ongoing;
            self.started_ms = now_ms;
        }
        self.previous_producer_id = self.producer_id;
        self.updated_ms = now_ms;
        Ok(())
    }

    /// Returns an error where this producer cannot write inside a transaction now.
    ///
    /// # Errors
    /// As `add`.
    pub fn check_producer(&self, producer: ProducerKey) -> Result<(), ResponseError> {
        if self.producer_id != producer.id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if self.epoch != producer.epoch {
            return Err(ResponseError::ProducerFenced);
        }
        if self.state.is_prepared() {
            return Err(ResponseError::ConcurrentTransactions);
        }
        Ok(())
    }

    /// Aborts the open transaction from the coordinator's side, and fences its producer off.
    pub fn fence(&mut self, now_ms: Millis, fresh_id: impl FnOnce() -> i64) {
        self.prepare(false, now_ms);
        self.bump(fresh_id);
    }

    /// Notes that all markers are written.
    pub fn complete(&mut self, now_ms: Millis) {
        self.state = match self.state {
            State::PrepareCommit => State::CompleteCommit,
            _ => State::CompleteAbort,
        };
        self.previous_producer_id = self.producer_id;
        if let Some(next) = self.next_producer_id.take() {
            self.producer_id = next;
            self.epoch = 0;
        }
        self.partitions.clear();
        self.groups.clear();
        self.updated_ms = now_ms;
    }

    /// Decides the end of the transaction.
    pub(super) fn prepare(&mut self, commit: bool, now_ms: Millis) {
        if self.state != State::Ongoing {
            // Nothing was written: an abort that only asks for the next epoch.
            self.started_ms = now_ms;
        }
        self.state = match commit {
            true => State::PrepareCommit,
            false => State::PrepareAbort,
        };
        self.previous_producer_id = self.producer_id;
        self.updated_ms = now_ms;
    }

    /// Moves to the next epoch, and to a new producer id where that was the last one.
    pub(super) fn bump(&mut self, fresh_id: impl FnOnce() -> i64) {
        if self.epoch >= LAST_EPOCH {
            self.next_producer_id = Some(fresh_id());
        }
        self.last_epoch = self.epoch;
        self.epoch = self.epoch.saturating_add(1);
    }

    /// Returns the producer that goes on after the transaction.
    pub fn successor(&self) -> ProducerKey {
        match self.next_producer_id {
            Some(id) => ProducerKey { id, epoch: 0 },
            None => self.producer(),
        }
    }
}
