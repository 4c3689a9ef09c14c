//! The committed log of each partition: what leaders ever showed below their high watermark. It
//! only grows; everything else is compared with it.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::simulator::batches::{Entry, EntryKind, RecordId};
use crate::simulator::ledger::Ledger;
use crate::simulator::watch::Watched;

/// How a transaction's records ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Open,
    Committed,
    Aborted,
}

#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub entries: Vec<Entry>,
    /// For each entry how its transaction ended; plain records count as committed.
    pub endings: Vec<Ending>,
    /// Offsets of records in open transactions, by producer id.
    open: BTreeMap<i64, Vec<usize>>,
    epochs: BTreeMap<i64, i16>,
    seen: BTreeSet<RecordId>,
    last_number: BTreeMap<i64, u32>,
    /// Holds what consumers wrote: numbers are those of the records they read.
    pub output: bool,
    /// What consumers read may be lost and be read from the beginning: outputs may come again.
    pub repeats: bool,
    /// Outputs that came to count, for the account of their group.
    pub fresh: Vec<RecordId>,
    /// Transactions that ended here.
    pub ends: usize,
    /// Records that were here, and are not any more, where that is allowed.
    pub lost: Vec<RecordId>,
}

impl Committed {
    pub fn len(&self) -> i64 {
        self.entries.len() as i64
    }

    /// Takes over what a leader shows below its high watermark.
    pub fn grow(&mut self, ledger: &mut Ledger, entries: &[Entry], upto: i64) {
        let upto = usize::try_from(upto).unwrap_or(0).min(entries.len());
        for entry in entries.get(self.entries.len()..upto).unwrap_or_default() {
            self.check_fence(ledger, entry);
            let ending = match entry.kind {
                EntryKind::Record(id) => {
                    if !self.output {
                        self.check_record(ledger, entry.producer_id, id);
                    }
                    self.begin(entry)
                }
                EntryKind::Commit => self.end(ledger, entry, Ending::Committed),
                EntryKind::Abort => self.end(ledger, entry, Ending::Aborted),
            };
            self.entries.push(*entry);
            self.endings.push(ending);
        }
    }

    /// Forgets what a leader does not have, where losses are allowed.
    pub fn cut(&mut self, ledger: &mut Ledger, watched: &Watched) {
        let Some(leader) = watched.copy(watched.leader) else {
            return;
        };
        let same = self.entries.iter().zip(&leader.entries);
        let same = same.take_while(|(ours, theirs)| ours == theirs).count();
        if same == self.entries.len() {
            return;
        }
        let kept: Vec<Entry> = self.entries[..same].to_vec();
        for entry in &self.entries[same..] {
            if let EntryKind::Record(id) = entry.kind {
                self.lost.push(id);
            }
        }
        let lost = std::mem::take(&mut self.lost);
        *self = Committed {
            lost,
            output: self.output,
            repeats: self.repeats,
            ..Committed::default()
        };
        self.grow(ledger, &kept, kept.len() as i64);
    }

    /// Returns the records in `from..to` that a reader is to be given.
    pub fn visible(&self, from: i64, to: i64, read_committed: bool) -> Vec<(i64, RecordId)> {
        let range = from.max(0) as usize..(to.max(0) as usize).min(self.entries.len());
        let mut visible = Vec::new();
        for index in range {
            let hidden = read_committed && self.endings[index] != Ending::Committed;
            if let (EntryKind::Record(id), false) = (self.entries[index].kind, hidden) {
                visible.push((index as i64, id));
            }
        }
        visible
    }

    /// Returns the first offset of a transaction that is open, or the end.
    pub fn stable(&self) -> i64 {
        let firsts = self.open.values().filter_map(|offsets| offsets.first());
        firsts.min().map_or(self.len(), |first| *first as i64)
    }

    fn check_fence(&mut self, ledger: &mut Ledger, entry: &Entry) {
        if entry.producer_id < 0 {
            return;
        }
        let newest = self.epochs.entry(entry.producer_id).or_insert(0);
        let (epoch, producer) = (entry.producer_epoch, entry.producer_id);
        if epoch < *newest {
            let newest = *newest;
            ledger.broke(Check::FenceHolds, || {
                format!(
                    "producer {producer} stored with epoch {epoch} after {newest}, at offset {}",
                    entry.offset
                )
            });
        } else {
            *newest = epoch;
        }
    }

    fn check_record(&mut self, ledger: &mut Ledger, producer: i64, id: RecordId) {
        let Some(sent) = ledger.record(id) else {
            return;
        };
        if !sent.idempotent {
            return;
        }
        if !self.seen.insert(id) {
            ledger.broke(Check::NothingDoubled, || {
                format!("{id} is in the log for the second time")
            });
        }
        let last = self.last_number.insert(producer, id.number);
        if last.is_some_and(|last| last >= id.number) {
            ledger.broke(Check::OrderKept, || {
                format!("{id} comes after #{}", last.unwrap_or(0))
            });
        }
    }

    fn begin(&mut self, entry: &Entry) -> Ending {
        if !entry.transactional {
            return Ending::Committed;
        }
        let open = self.open.entry(entry.producer_id).or_default();
        open.push(self.entries.len());
        Ending::Open
    }

    fn end(&mut self, ledger: &mut Ledger, entry: &Entry, ending: Ending) -> Ending {
        self.ends += 1;
        for index in self.open.remove(&entry.producer_id).unwrap_or_default() {
            self.endings[index] = ending;
            let EntryKind::Record(id) = self.entries[index].kind else {
                continue;
            };
            if ending != Ending::Committed || !self.output {
                continue;
            }
            self.fresh.push(id);
            if !self.seen.insert(id) && !self.repeats {
                ledger.broke(Check::NothingDoubled, || {
                    format!("the output of {id} is committed for the second time")
                });
            }
        }
        ending
    }
}
