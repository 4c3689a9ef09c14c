//! Leaders, in-sync sets, high watermarks, and logs that agree.

use std::collections::BTreeMap;

use super::Check;
use super::committed::Committed;
use crate::simulator::ledger::Ledger;
use crate::simulator::watch::{Copied, Watched};

/// What was seen of a partition so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    leaders: BTreeMap<i32, i32>,
    /// By node and epoch: the highest high watermark it had as leader.
    highest: BTreeMap<(i32, i32), i64>,
    /// The nodes that led at the last look: one may commit something and give way in one step.
    led: Vec<i32>,
}

impl Seen {
    pub fn check(
        &mut self,
        ledger: &mut Ledger,
        place: &dyn std::fmt::Display,
        watched: &Watched,
        committed: &mut Committed,
        may_lose: bool,
    ) {
        self.check_leader(ledger, place, watched);
        if may_lose {
            committed.cut(ledger, watched);
        }
        for copy in &watched.copies {
            self.check_high_watermark(ledger, place, copy, may_lose);
            let leads = copy.leader == copy.node || self.led.contains(&copy.node);
            if leads && !(may_lose && copy.node != watched.leader) {
                committed.grow(ledger, &copy.entries, copy.high_watermark);
            }
        }
        let leading = watched
            .copies
            .iter()
            .filter(|copy| copy.leader == copy.node);
        self.led = leading.map(|copy| copy.node).collect();
        if may_lose {
            return;
        }
        for copy in &watched.copies {
            check_agreement(ledger, place, copy, committed);
        }
        check_in_sync(ledger, place, watched, committed);
    }

    fn check_leader(
        &mut self,
        ledger: &mut Ledger,
        place: &dyn std::fmt::Display,
        watched: &Watched,
    ) {
        let claims = watched
            .copies
            .iter()
            .filter(|copy| copy.leader == copy.node);
        let claims = claims.map(|copy| (copy.epoch, copy.node));
        let decided = (watched.leader >= 0).then_some((watched.epoch, watched.leader));
        for (epoch, node) in claims.chain(decided) {
            let first = *self.leaders.entry(epoch).or_insert(node);
            if first != node {
                ledger.broke(Check::OneLeader, || {
                    format!("{place}: nodes {first} and {node} both lead epoch {epoch}")
                });
            }
        }
    }

    fn check_high_watermark(
        &mut self,
        ledger: &mut Ledger,
        place: &dyn std::fmt::Display,
        copy: &Copied,
        may_lose: bool,
    ) {
        let (node, high) = (copy.node, copy.high_watermark);
        if high > copy.latest {
            ledger.broke(Check::HighWatermarkRises, || {
                format!(
                    "{place}: node {node} has high watermark {high} and ends at {}",
                    copy.latest
                )
            });
        }
        if copy.last_stable > high {
            ledger.broke(Check::StableBelowHigh, || {
                format!(
                    "{place}: node {node} has last stable offset {} and high watermark {high}",
                    copy.last_stable
                )
            });
        }
        if copy.leader != node || may_lose {
            return;
        }
        let highest = self.highest.entry((node, copy.epoch)).or_insert(high);
        if high < *highest {
            let highest = *highest;
            ledger.broke(Check::HighWatermarkRises, || {
                format!(
                    "{place}: node {node} falls from {highest} to {high} in epoch {}",
                    copy.epoch
                )
            });
        }
        *highest = high;
    }
}

/// A replica holds the committed log below its own high watermark; a follower's is never ahead.
fn check_agreement(
    ledger: &mut Ledger,
    place: &dyn std::fmt::Display,
    copy: &Copied,
    committed: &Committed,
) {
    let node = copy.node;
    if copy.high_watermark > committed.len() {
        ledger.broke(Check::ReplicasAgree, || {
            format!(
                "{place}: node {node} has high watermark {}, but only {} are committed",
                copy.high_watermark,
                committed.len()
            )
        });
        return;
    }
    let high = copy.high_watermark.max(0) as usize;
    let theirs = copy.entries.get(..high).unwrap_or(&copy.entries);
    if let Some(at) = (0..theirs.len()).find(|at| theirs[*at] != committed.entries[*at]) {
        let (has, other) = (theirs[at].kind, committed.entries[at].kind);
        ledger.broke(Check::ReplicasAgree, || {
            format!("{place}: node {node} has {has:?} at offset {at}, committed is {other:?}")
        });
    }
}

fn check_in_sync(
    ledger: &mut Ledger,
    place: &dyn std::fmt::Display,
    watched: &Watched,
    committed: &Committed,
) {
    for node in &watched.in_sync {
        let Some(copy) = watched
            .copy(*node)
            .filter(|_| watched.assigned.contains(node))
        else {
            ledger.broke(Check::InSyncHolds, || {
                format!("{place}: node {node} is in sync and not assigned")
            });
            continue;
        };
        let leads = *node == watched.leader;
        let check = if leads {
            Check::LeaderComplete
        } else {
            Check::InSyncHolds
        };
        if !holds(copy, committed) {
            let role = if leads { "leads" } else { "is in sync" };
            ledger.broke(check, || {
                format!(
                    "{place}: node {node} {role} and ends at {}, {} are committed{}",
                    copy.latest,
                    committed.len(),
                    if copy.latest >= committed.len() {
                        ", others than it has"
                    } else {
                        ""
                    }
                )
            });
        }
    }
    if watched.leader >= 0 && !watched.in_sync.contains(&watched.leader) {
        ledger.broke(Check::InSyncHolds, || {
            format!("{place}: leader {} is not in sync", watched.leader)
        });
    }
}

fn holds(copy: &Copied, committed: &Committed) -> bool {
    // Below its high watermark it was compared already; the rest is compared here.
    let length = committed.entries.len();
    let from = (copy.high_watermark.max(0) as usize).min(length);
    match copy.entries.get(from..length) {
        Some(rest) => rest == &committed.entries[from..],
        None => false,
    }
}
