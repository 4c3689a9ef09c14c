//! Transactions: several partitions and groups that change together or not at all (KIP-98).
//!
//! - [`transaction`]: one transactional id, its states and rules
//! - `init`: InitProducerId, with which a producer takes the id and fences off its predecessor
//! - `add`: AddPartitionsToTxn and AddOffsetsToTxn, and what a transactional batch must fulfil
//! - [`offsets`]: TxnOffsetCommit, offsets that count once the transaction commits
//! - `end`: EndTxn
//! - `markers`: the end written to each partition, and transactions that ran out of time
//! - `moving`: requests that reach a node which is not the coordinator
//! - `list`: ListTransactions, DescribeTransactions
//!
//! What a partition knows of transactions (the last stable offset, the aborted ones) is in
//! [`crate::log`], read from its batches alone.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;

use crate::brokers::{Brokers, Call, Millis};

mod add;
mod describe;
mod end;
mod init;
mod list;
mod markers;
mod moving;
pub mod offsets;
pub mod transaction;

pub(crate) use add::Admission;
pub use offsets::StagedOffset;
pub use transaction::{ProducerKey, State, Transaction};

/// All transactional ids of a cluster.
#[derive(Debug, Default)]
pub struct Transactions {
    by_id: BTreeMap<String, Transaction>,
    /// Those that are decided and lack markers, with the markers that are on their way.
    unfinished: BTreeMap<String, markers::Markers>,
    deadline: Option<Millis>,
    /// Some transaction may have changed since the deadline was noted.
    touched: bool,
    /// Numbers the staged offsets of all transactions.
    next_order: u64,
}

impl Transactions {
    pub fn get(&self, id: &str) -> Option<&Transaction> {
        self.by_id.get(id)
    }

    /// Returns all transactional ids, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Transaction)> {
        self.by_id
            .iter()
            .map(|(id, transaction)| (id.as_str(), transaction))
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Transaction> {
        self.touched = true;
        self.by_id.get_mut(id)
    }

    /// Returns when the next transaction, or the next unused id, runs out of time.
    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.deadline
    }

    /// Takes back what a disk knows of a transactional id.
    pub fn restore(&mut self, id: &str, transaction: Transaction) {
        let staged = transaction.groups.values().flatten();
        let next = staged.map(|staged| staged.order + 1).max();
        self.next_order = self.next_order.max(next.unwrap_or(0));
        if transaction.state.is_prepared() {
            self.unfinished
                .insert(id.to_owned(), markers::Markers::new());
        }
        self.by_id.insert(id.to_owned(), transaction);
        self.touched = true;
    }

    fn note_deadline(&mut self, expiration_ms: i64) {
        self.touched = false;
        let dues = self.by_id.values().filter_map(|t| t.due_ms(expiration_ms));
        self.deadline = dues.min();
    }
}

impl Transaction {
    /// Returns when it is to be aborted, or forgotten.
    fn due_ms(&self, expiration_ms: i64) -> Option<Millis> {
        match self.state {
            State::Ongoing => self.times_out_ms(),
            State::PrepareCommit | State::PrepareAbort => None,
            State::Empty | State::CompleteCommit | State::CompleteAbort => {
                Some(self.updated_ms.saturating_add(expiration_ms))
            }
        }
    }
}

impl Brokers {
    /// Returns an error for an id that no producer can have.
    fn check_transactional_id(&self, _call: &Call, id: &str) -> Result<(), ResponseError> {
        match id.is_empty() {
            true => Err(ResponseError::InvalidRequest),
            false => Ok(()),
        }
    }

    /// Aborts transactions that ran out of time, and forgets ids that nobody used for long.
    pub(crate) fn expire_transactions(&mut self, now_ms: Millis) {
        let expiration_ms = self.settings.transactional_id_expiration_ms;
        if self.transactions.touched {
            self.transactions.note_deadline(expiration_ms);
        }
        while self.transactions.deadline.is_some_and(|due| due <= now_ms) {
            let due = |t: &Transaction| t.due_ms(expiration_ms).is_some_and(|due| due <= now_ms);
            let late = self.transactions.by_id.iter().filter(|(_, t)| due(t));
            let late: Vec<(String, State)> = late.map(|(id, t)| (id.clone(), t.state)).collect();
            for (id, state) in late {
                if state == State::Ongoing {
                    self.fence_transaction(now_ms, &id);
                } else {
                    self.transactions.by_id.remove(&id);
                    self.report_transaction_gone(&id);
                }
            }
            self.transactions.note_deadline(expiration_ms);
        }
    }

    /// Forgets all transactional ids: the cluster begins anew.
    pub(crate) fn forget_transactions(&mut self) {
        for id in std::mem::take(&mut self.transactions).by_id.keys() {
            self.report_transaction_gone(id);
        }
    }

    /// Aborts an open transaction and fences its producer off.
    fn fence_transaction(&mut self, now_ms: Millis, id: &str) {
        let next = &mut self.next_producer_id;
        if let Some(transaction) = self.transactions.get_mut(id) {
            transaction.fence(now_ms, || take_id(next));
            self.finish_transaction(now_ms, id);
        }
    }
}

/// Takes the next producer id.
fn take_id(next: &mut i64) -> i64 {
    let id = *next;
    *next += 1;
    id
}

/// Returns an error as a request of this version knows it: `ProducerFenced` came late.
fn told(error: ResponseError, version: i16, knows_fenced_from: i16) -> ResponseError {
    match error {
        ResponseError::ProducerFenced if version < knows_fenced_from => {
            ResponseError::InvalidProducerEpoch
        }
        other => other,
    }
}
