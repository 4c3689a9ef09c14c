//! Nobody waits for ever: requests are answered in their time, and new records wake readers.

use std::collections::BTreeSet;

use super::Check;
use crate::simulator::asks::{ACKS_WAIT_MS, FETCH_WAIT_MS, REBALANCE_MS, SESSION_MS};
use crate::simulator::ledger::Ledger;
use crate::simulator::net::{Net, Pending};
use crate::simulator::places::Places;
use crate::simulator::watch::Watch;

/// Requests of a kind that may wait, by key.
const PRODUCE: i16 = 0;
const FETCH: i16 = 1;
const JOIN: i16 = 11;
const SYNC: i16 = 14;

/// How long a node may keep a request.
pub(crate) fn patience_ms(key: i16) -> i64 {
    match key {
        PRODUCE => i64::from(ACKS_WAIT_MS),
        FETCH => i64::from(FETCH_WAIT_MS),
        // A rebalance, and a session that ends on the way.
        JOIN | SYNC => i64::from(REBALANCE_MS.max(1000) + SESSION_MS),
        _ => 0,
    }
}

/// `isolated` nodes keep what only the controller can answer until they hear it again.
pub(crate) fn check(
    ledger: &mut Ledger,
    places: &Places,
    net: &Net,
    watch: &Watch,
    isolated: &BTreeSet<i32>,
) {
    for pending in net.pending.values() {
        let (Some(arrived_ms), None) = (pending.arrived_ms, pending.answered_ms) else {
            continue;
        };
        let key = pending.key;
        let waited_ms = net.now_ms - arrived_ms;
        if waited_ms > patience_ms(key) && !isolated.contains(&pending.node) {
            ledger.broke(Check::EverybodyAnswered, || {
                format!(
                    "a request (key {key}) of client {} waits at node {} for {waited_ms} ms",
                    pending.client, pending.node
                )
            });
        }
        check_fetch(ledger, places, watch, pending);
    }
}

fn check_fetch(ledger: &mut Ledger, places: &Places, watch: &Watch, pending: &Pending) {
    for (tp, position) in &pending.fetches {
        let copy = watch
            .get(*tp)
            .and_then(|watched| watched.copy(pending.node));
        let Some(copy) = copy.filter(|copy| copy.leader == pending.node) else {
            continue;
        };
        let end = match pending.read_committed {
            true => copy.last_stable,
            false => copy.high_watermark,
        };
        if end > *position {
            ledger.broke(Check::WaitersWoken, || {
                format!(
                    "client {} waits at offset {position} of {}, which can be read up to {end}",
                    pending.client,
                    places.show(*tp)
                )
            });
        }
    }
}
