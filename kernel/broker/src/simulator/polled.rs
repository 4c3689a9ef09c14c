//! What a client makes of a fetched partition: it leaves out aborted records and markers itself.

use std::collections::BTreeSet;

use kafka_protocol::messages::fetch_response::PartitionData;

use super::batches::{EntryKind, RecordId, decode};

/// What one poll gives of a partition.
#[derive(Debug, Default)]
pub(super) struct Polled {
    pub records: Vec<(i64, RecordId)>,
    /// The next offset to ask for.
    pub next: i64,
}

/// Returns at most `room` records from `position` on, as an application is handed them.
pub(super) fn read(
    data: &PartitionData,
    position: i64,
    read_committed: bool,
    room: usize,
) -> Polled {
    let mut polled = Polled {
        records: Vec::new(),
        next: position,
    };
    let Some(bytes) = &data.records else {
        return polled;
    };
    let mut aborted: Vec<(i64, i64)> = match &data.aborted_transactions {
        Some(list) if read_committed => list
            .iter()
            .map(|transaction| (transaction.first_offset, transaction.producer_id.0))
            .collect(),
        _ => Vec::new(),
    };
    aborted.sort_unstable();
    let mut waiting = aborted.into_iter().peekable();
    let mut aborting: BTreeSet<i64> = BTreeSet::new();
    let mut full = false;
    decode(bytes, |entry| {
        while let Some((_, producer)) = waiting.next_if(|(first, _)| *first <= entry.offset) {
            aborting.insert(producer);
        }
        match entry.kind {
            EntryKind::Abort => {
                aborting.remove(&entry.producer_id);
            }
            EntryKind::Record(id) if entry.offset >= position && !full => {
                let hidden = entry.transactional && aborting.contains(&entry.producer_id);
                if !hidden && polled.records.len() == room {
                    full = true;
                } else if !hidden {
                    polled.records.push((entry.offset, id));
                }
            }
            _ => {}
        }
        if !full {
            polled.next = polled.next.max(entry.offset + 1);
        }
    });
    polled
}
