//! Records: acknowledged and kept, delivered in full, transactions whole.

use super::Check;
use super::committed::Committed;
use crate::simulator::batches::EntryKind;
use crate::simulator::ledger::{Acknowledgement, Delivery, Ledger};
use crate::simulator::places::Places;
use crate::simulator::scenario::{Acks, TopicPlan};
use crate::simulator::watch::Watch;

/// A batch acknowledged under `acks=all` is committed at the offset that was told, on enough nodes.
pub(crate) fn check_acknowledged(
    ledger: &mut Ledger,
    places: &Places,
    topics: &[TopicPlan],
    watch: &Watch,
    committed: &[Committed],
    told: &Acknowledgement,
) {
    let topic = &topics[places.topic(told.tp)];
    if told.acks != Acks::All && topic.replicas > 1 {
        return;
    }
    let log = &committed[usize::from(told.tp.0)];
    for (delta, id) in told.records.iter().enumerate() {
        let offset = told.base_offset + delta as i64;
        let found = log
            .entries
            .get(offset.max(0) as usize)
            .map(|entry| entry.kind);
        if found != Some(EntryKind::Record(*id)) {
            ledger.broke(Check::AcknowledgedStays, || {
                format!(
                    "{id} was acknowledged at {} offset {offset}, committed there is {found:?}",
                    places.show(told.tp)
                )
            });
        }
    }
    let last = told.base_offset + told.records.len() as i64;
    let copies = watch.get(told.tp).map_or(0, |watched| {
        watched
            .copies
            .iter()
            .filter(|copy| copy.latest >= last)
            .count()
    });
    if (copies as i32) < topic.min_in_sync {
        ledger.broke(Check::EnoughReplicas, || {
            format!(
                "{} up to offset {last} was acknowledged and is on {copies} nodes, min.insync.replicas is {}",
                places.show(told.tp),
                topic.min_in_sync
            )
        });
    }
}

/// A reader is given exactly what is committed between two of its positions.
pub(crate) fn check_delivery(
    ledger: &mut Ledger,
    places: &Places,
    committed: &[Committed],
    given: &Delivery,
) {
    let log = &committed[usize::from(given.tp.0)];
    let place = places.show(given.tp);
    let client = given.client;
    if given.to > log.len() {
        ledger.broke(Check::ReadersSeeCommitted, || {
            format!(
                "client {client} read {place} up to {}, {} are committed",
                given.to,
                log.len()
            )
        });
        return;
    }
    let check = match given.read_committed {
        true => Check::ReadCommitted,
        false => Check::ReadersSeeCommitted,
    };
    if given.read_committed && given.to > log.stable() {
        ledger.broke(check, || {
            format!(
                "client {client} read {place} up to {}, a transaction is open at {}",
                given.to,
                log.stable()
            )
        });
        return;
    }
    let due = log.visible(given.from, given.to, given.read_committed);
    if due != given.records {
        let wrong = given.records.iter().find(|record| !due.contains(record));
        let missing = due.iter().find(|record| !given.records.contains(record));
        ledger.broke(check, || {
            let show = |record: Option<&(i64, _)>| match record {
                Some((offset, id)) => format!("{id} at {offset}"),
                None => "nothing".to_owned(),
            };
            format!(
                "client {client} read {place}: wrongly {}, missed {}",
                show(wrong),
                show(missing)
            )
        });
    }
}
