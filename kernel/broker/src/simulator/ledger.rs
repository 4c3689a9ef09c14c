//! What the clients know and were promised: the other side of the account that the checks balance.

use std::collections::{BTreeMap, BTreeSet};

use super::batches::RecordId;
use super::checks::{Broken, Check};
use super::places::Tp;
use super::scenario::Acks;

/// What became of a record, as far as its producer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Sent, or about to be.
    OnItsWay,
    /// Acknowledged at this offset.
    Acknowledged(i64),
    /// The producer gave up, or died: it may be stored or not.
    Unknown,
}

/// One record that a producer made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub idempotent: bool,
    pub transaction: Option<usize>,
    pub fate: Fate,
}

/// What the owner of a transaction wants of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// It has not said yet, or died before it could.
    Open,
    Commit,
    Abort,
}

/// One transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transaction {
    pub intent: Intent,
    /// The owner heard that it is as it wants.
    pub settled: bool,
}

/// What a consumer was given by one fetch.
#[derive(Debug)]
pub(super) struct Delivery {
    pub client: usize,
    pub read_committed: bool,
    pub tp: Tp,
    pub from: i64,
    pub to: i64,
    pub records: Vec<(i64, RecordId)>,
}

/// A batch that was acknowledged.
#[derive(Debug)]
pub(super) struct Acknowledgement {
    pub tp: Tp,
    pub base_offset: i64,
    pub records: Vec<RecordId>,
    pub acks: Acks,
}

/// A commit that was answered with success.
#[derive(Debug)]
pub(super) struct Committing {
    pub group: usize,
    pub tp: Tp,
    pub offset: i64,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By producer (place among the clients), then by number.
    pub sent: Vec<Vec<Sent>>,
    pub transactions: Vec<Transaction>,
    /// By group: how often each record took effect.
    pub effects: Vec<BTreeMap<RecordId, u32>>,
    /// By group and partition: what was ever asked to be committed.
    pub asked: BTreeMap<(usize, Tp), BTreeSet<i64>>,
    /// By group, generation and partition: the client that was told it owns it.
    pub owners: BTreeMap<(usize, i32, Tp), usize>,
    /// By group: whether all its consumers promise to process before they commit.
    pub at_least_once: Vec<bool>,
    pub at_most_once: Vec<bool>,
    pub done: Vec<bool>,
    // What happened in this step, for the checks to look at.
    pub deliveries: Vec<Delivery>,
    pub acknowledgements: Vec<Acknowledgement>,
    pub commits: Vec<Committing>,
    /// Gaps that a producer was told of and did not leave.
    pub gaps: Vec<(Tp, String)>,
    /// Positions that a node said were out of range.
    pub lost_places: Vec<(Tp, i64)>,
    pub broken: Option<Broken>,
}

impl Ledger {
    pub fn record(&self, id: RecordId) -> Option<&Sent> {
        self.sent
            .get(usize::from(id.producer))?
            .get(id.number as usize)
    }

    pub fn set_fate(&mut self, id: RecordId, fate: Fate) {
        let known = self.sent.get_mut(usize::from(id.producer));
        if let Some(sent) = known.and_then(|sent| sent.get_mut(id.number as usize)) {
            sent.fate = fate;
        }
    }

    pub fn acknowledged(&mut self, tp: Tp, base_offset: i64, records: &[RecordId], acks: Acks) {
        for (delta, id) in records.iter().enumerate() {
            self.set_fate(*id, Fate::Acknowledged(base_offset + delta as i64));
        }
        self.acknowledgements.push(Acknowledgement {
            tp,
            base_offset,
            records: records.to_vec(),
            acks,
        });
    }

    pub fn processed(&mut self, group: usize, id: RecordId) {
        *self.effects[group].entry(id).or_default() += 1;
    }

    pub fn asks_commit(&mut self, group: usize, tp: Tp, offset: i64) {
        self.asked.entry((group, tp)).or_default().insert(offset);
    }

    pub fn committed(&mut self, group: usize, tp: Tp, offset: i64) {
        self.commits.push(Committing { group, tp, offset });
    }

    pub fn gap(&mut self, tp: Tp, what: impl FnOnce() -> String) {
        self.gaps.push((tp, what()));
    }

    pub fn lost_place(&mut self, tp: Tp, position: i64) {
        self.lost_places.push((tp, position));
    }

    /// Notes who owns a partition in a generation.
    pub fn owns(&mut self, group: usize, generation: i32, tp: Tp, client: usize) {
        let owner = *self.owners.entry((group, generation, tp)).or_insert(client);
        if owner != client {
            self.broke(Check::OneOwner, || {
                format!("clients {owner} and {client} both own partition number {} in generation {generation}", tp.0)
            });
        }
    }

    /// Notes the first check that failed.
    pub fn broke(&mut self, check: Check, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(Broken {
                check,
                what: what(),
                step: 0,
                at_ms: 0,
            });
        }
    }
}
