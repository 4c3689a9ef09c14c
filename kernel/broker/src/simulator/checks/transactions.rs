//! Transactions end as their owner wanted, in all partitions alike.

use super::Check;
use super::committed::{Committed, Ending};
use crate::simulator::batches::EntryKind;
use crate::simulator::ledger::{Intent, Ledger};

/// Compares all endings in the logs with what the owners asked for.
/// Logs that may lose records are left out: what is lost there may be a marker, and the next one of
/// the same producer ends the records of both.
pub(crate) fn check(ledger: &mut Ledger, logs: &[Committed], may_lose: impl Fn(usize) -> bool) {
    let mut endings = vec![None; ledger.transactions.len()];
    for (number, log) in logs.iter().enumerate() {
        if log.output || may_lose(number) {
            continue;
        }
        for (entry, ending) in log.entries.iter().zip(&log.endings) {
            let EntryKind::Record(id) = entry.kind else {
                continue;
            };
            let number = ledger.record(id).and_then(|sent| sent.transaction);
            let (Some(number), true) = (number, *ending != Ending::Open) else {
                continue;
            };
            let first = *endings[number].get_or_insert(*ending);
            let wanted = ledger.transactions[number];
            let wrong = match (ending, wanted.intent, wanted.settled) {
                _ if first != *ending => Some("committed in part"),
                (Ending::Committed, Intent::Open | Intent::Abort, _) => Some("committed unasked"),
                (Ending::Aborted, Intent::Commit, true) => {
                    Some("aborted after its commit was confirmed")
                }
                _ => None,
            };
            if let Some(wrong) = wrong {
                ledger.broke(Check::TransactionsWhole, || {
                    format!("the transaction of {id} is {wrong}")
                });
            }
        }
    }
}
