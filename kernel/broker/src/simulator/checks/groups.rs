//! Committed offsets: asked for, stored, kept; processed as the commit promises.

use std::collections::BTreeMap;

use super::Check;
use super::committed::Committed;
use crate::groups::Groups;
use crate::simulator::ledger::{Committing, Ledger};
use crate::simulator::places::{Places, Tp};

/// What was seen of the groups so far.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    seen: BTreeMap<(usize, Tp), i64>,
    /// Up to here it was checked that records took effect.
    processed: BTreeMap<(usize, Tp), i64>,
}

impl Offsets {
    /// Returns what the coordinator holds, by group and partition.
    pub fn held(&self) -> impl Iterator<Item = (usize, Tp, i64)> {
        self.seen
            .iter()
            .map(|((group, tp), offset)| (*group, *tp, *offset))
    }

    /// Looks at what the coordinator holds.
    pub fn check(
        &mut self,
        ledger: &mut Ledger,
        places: &Places,
        names: &[String],
        groups: &Groups,
        committed: &[Committed],
        may_lose: bool,
    ) {
        for (number, name) in names.iter().enumerate() {
            let Some(group) = groups.get(name) else {
                continue;
            };
            for ((topic, index), held) in group.offsets.iter() {
                let Some(tp) = places.find(topic, *index) else {
                    continue;
                };
                let key = (number, tp);
                let last = self.seen.insert(key, held.offset);
                if last == Some(held.offset) || may_lose {
                    continue;
                }
                let offset = held.offset;
                let end = committed[usize::from(tp.0)].len();
                let asked = ledger
                    .asked
                    .get(&key)
                    .is_some_and(|asked| asked.contains(&offset));
                if !asked || offset > end {
                    ledger.broke(Check::CommitNotAhead, || {
                        let why = if asked {
                            ""
                        } else {
                            ", which nobody asked for"
                        };
                        format!(
                            "group {name} has {offset} for {} of {end}{why}",
                            places.show(tp)
                        )
                    });
                }
                if last.is_some_and(|last| last > offset) {
                    ledger.broke(Check::CommitNotBack, || {
                        format!(
                            "group {name} went back from {} to {offset} in {}",
                            last.unwrap_or(0),
                            places.show(tp)
                        )
                    });
                }
            }
        }
    }

    /// A commit that was confirmed is held, and what lies before it took effect where promised.
    pub fn check_commit(
        &mut self,
        ledger: &mut Ledger,
        places: &Places,
        committed: &[Committed],
        told: &Committing,
        read_committed: bool,
    ) {
        let key = (told.group, told.tp);
        let held = self.seen.get(&key).copied();
        if held.is_none_or(|held| held < told.offset) {
            ledger.broke(Check::CommitNotBack, || {
                format!(
                    "{} was committed for {}, the group has {held:?}",
                    told.offset,
                    places.show(told.tp)
                )
            });
        }
        if !ledger.at_least_once[told.group] {
            return;
        }
        let from = self.processed.insert(key, told.offset).unwrap_or(0);
        let log = &committed[usize::from(told.tp.0)];
        let due = log.visible(from, told.offset, read_committed);
        let effects = &ledger.effects[told.group];
        let missed = due.into_iter().find(|(_, id)| !effects.contains_key(id));
        if let Some((offset, id)) = missed {
            ledger.broke(Check::ProcessedAsPromised, || {
                format!(
                    "{} of {} is committed, {id} at {offset} was never processed",
                    told.offset,
                    places.show(told.tp)
                )
            });
        }
    }
}
