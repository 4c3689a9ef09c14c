//! What a cleaning does with one batch: keep it, write it anew without some records, drop it.

use std::collections::{HashMap, HashSet};

use super::batch::{self, BatchHeader};
use super::codec::Codec;
use super::compaction::{CompactionRules, batches};
use super::partition::PartitionLog;
use super::records::{Record, Records, Unreadable};
use crate::description::CleaningDescription;

/// The key of a control record is its version, then this where a transaction was aborted.
const ABORT: [u8; 2] = [0, 0];

/// What becomes of a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Swept {
    Keep,
    Rewrite(Vec<u8>),
    Drop,
}

/// One cleaning, batch by batch.
pub struct Sweep<'a> {
    rules: CompactionRules,
    newest: HashMap<Box<[u8]>, i64>,
    transactions: Transactions,
    /// Producers whose sequence numbers are still remembered.
    living: HashSet<i64>,
    earliest: i64,
    report: &'a mut CleaningDescription,
}

impl<'a> Sweep<'a> {
    /// Returns a cleaning of `log` that keeps, of each key, what is not older than `newest` says.
    pub fn new(
        log: &PartitionLog,
        rules: &CompactionRules,
        newest: HashMap<Box<[u8]>, i64>,
        report: &'a mut CleaningDescription,
    ) -> Sweep<'a> {
        let transactions = Transactions::of(log);
        let ids = transactions.last_batch.keys().copied();
        Sweep {
            rules: *rules,
            newest,
            living: ids.filter(|id| log.producers.remembers(*id)).collect(),
            transactions,
            earliest: log.earliest(),
            report,
        }
    }

    /// Decides about the next batch.
    pub fn batch(&mut self, bytes: &[u8]) -> Swept {
        let Some(header) = BatchHeader::parse(bytes) else {
            return Swept::Keep;
        };
        if header.last_offset() < self.earliest {
            return Swept::Drop;
        }
        if header.is_control() {
            return self.marker(bytes, &header);
        }
        self.report.records_before += u64::from(header.records.unsigned_abs());
        if self.transactions.is_aborted(&header) {
            self.report.aborted_removed += u64::from(header.records.unsigned_abs());
            return self.emptied(bytes, &header);
        }
        self.data(bytes, &header).unwrap_or_else(|Unreadable| {
            // What cannot be read is nobody's to throw away.
            self.report.records_after += u64::from(header.records.unsigned_abs());
            Swept::Keep
        })
    }

    fn data(&mut self, bytes: &[u8], header: &BatchHeader) -> Result<Swept, Unreadable> {
        let records = Records::open(bytes)?;
        let all = records.all()?;
        let horizon_ms = header.delete_horizon_ms();
        let tombstones_end = horizon_ms.is_some_and(|horizon| self.rules.now_ms >= horizon);
        let is_newest = |record: &&Record<'_>| {
            let newest = record.key.map(|key| self.newest.get(key));
            newest.is_some_and(|newest| newest.is_none_or(|newest| *newest <= record.offset))
        };
        let newest: Vec<Record<'_>> = all.iter().filter(is_newest).copied().collect();
        let stays = |record: &&Record<'_>| record.value.is_some() || !tombstones_end;
        let kept: Vec<Record<'_>> = newest.iter().filter(stays).copied().collect();
        let tombstones = kept.iter().filter(|record| record.value.is_none()).count();
        let count_kept = |report: &mut CleaningDescription| {
            report.records_after += kept.len() as u64;
            report.tombstones += tombstones as u64;
            report.tombstones_removed += (newest.len() - kept.len()) as u64;
        };
        if kept.is_empty() {
            count_kept(self.report);
            return Ok(self.emptied(bytes, header));
        }
        let first_seen = tombstones > 0 && horizon_ms.is_none();
        if kept.len() == all.len() && !first_seen {
            count_kept(self.report);
            return Ok(Swept::Keep);
        }
        let horizon_ms = if first_seen {
            Some(self.horizon())
        } else {
            horizon_ms
        };
        let rewritten = rewrite(bytes, header, &kept, horizon_ms)?;
        count_kept(self.report);
        Ok(Swept::Rewrite(rewritten))
    }

    /// The end of a transaction stays while any of its records do, and for
    /// `delete.retention.ms` after that.
    fn marker(&self, bytes: &[u8], header: &BatchHeader) -> Swept {
        let id = header.producer_id;
        let last = self.transactions.last_batch.get(&id) == Some(&header.base_offset);
        let with_data = self.transactions.with_data.contains(&header.base_offset);
        if with_data || (last && self.living.contains(&id)) {
            return Swept::Keep;
        }
        match header.delete_horizon_ms() {
            Some(horizon) if self.rules.now_ms >= horizon => Swept::Drop,
            Some(_) => Swept::Keep,
            None => Records::open(bytes)
                .and_then(|records| rewrite(bytes, header, &records.all()?, Some(self.horizon())))
                .map_or(Swept::Keep, Swept::Rewrite),
        }
    }

    /// A batch without records goes, unless it tells the last sequence number of its producer.
    fn emptied(&self, bytes: &[u8], header: &BatchHeader) -> Swept {
        let id = header.producer_id;
        let last = self.transactions.last_data.get(&id) == Some(&header.base_offset);
        if !last || !self.living.contains(&id) {
            return Swept::Drop;
        }
        match header.records {
            0 => Swept::Keep,
            _ => Swept::Rewrite(batch::rewrite(
                bytes,
                &batch::Rewritten::emptied(header),
                &[],
            )),
        }
    }

    fn horizon(&self) -> i64 {
        let stay_ms = self.rules.delete_retention_ms.max(0);
        self.rules.now_ms.saturating_add(stay_ms)
    }
}

/// Returns the batch with these records only, in the codec it had. Offsets stay, and so does the
/// offset at which the batch ends.
fn rewrite(
    bytes: &[u8],
    header: &BatchHeader,
    kept: &[Record<'_>],
    horizon_ms: Option<i64>,
) -> Result<Vec<u8>, Unreadable> {
    let codec = Codec::of(header.attributes).ok_or(Unreadable)?;
    let newest_ms = kept.iter().map(|record| record.timestamp_ms).max();
    let rewritten = batch::Rewritten {
        records: kept.len() as i32,
        max_timestamp: newest_ms.unwrap_or(header.max_timestamp),
        base_timestamp: horizon_ms.unwrap_or(header.base_timestamp),
        has_delete_horizon: horizon_ms.is_some(),
        keeps_codec: true,
    };
    let mut body = Vec::new();
    for record in kept {
        record.write(&mut body, header.base_offset, rewritten.base_timestamp);
    }
    let body = codec.compress(&body).map_err(|_| Unreadable)?;
    Ok(batch::rewrite(bytes, &rewritten, &body))
}

/// What a log tells of transactions: which records were aborted, and which markers end
/// transactions that still have records.
#[derive(Debug, Default)]
pub struct Transactions {
    /// By producer: from the first record of an aborted transaction to its marker.
    aborted: HashMap<i64, Vec<(i64, i64)>>,
    /// Markers of transactions with batches before them.
    with_data: HashSet<i64>,
    /// Base offset of the last batch, and of the last one that is no marker, by producer.
    last_batch: HashMap<i64, i64>,
    last_data: HashMap<i64, i64>,
}

impl Transactions {
    /// Reads the headers of all batches, and the markers.
    pub fn of(log: &PartitionLog) -> Transactions {
        let mut found = Transactions::default();
        let mut open: HashMap<i64, i64> = HashMap::new();
        for bytes in log.segments.iter().flat_map(batches) {
            let Some(header) = BatchHeader::parse(bytes).filter(BatchHeader::has_producer) else {
                continue;
            };
            let (id, at) = (header.producer_id, header.base_offset);
            found.last_batch.insert(id, at);
            if !header.is_control() {
                found.last_data.insert(id, at);
                if header.is_transactional() {
                    open.entry(id).or_insert(at);
                }
                continue;
            }
            let Some(first) = open.remove(&id) else {
                continue;
            };
            found.with_data.insert(at);
            if is_abort(bytes) {
                found.aborted.entry(id).or_default().push((first, at));
            }
        }
        found
    }

    /// Returns true for a batch whose transaction was aborted.
    pub fn is_aborted(&self, header: &BatchHeader) -> bool {
        let ranges = self.aborted.get(&header.producer_id);
        let inside = |&(first, marker): &(i64, i64)| (first..marker).contains(&header.base_offset);
        header.is_transactional() && ranges.is_some_and(|ranges| ranges.iter().any(inside))
    }

    /// Returns true for a batch with records that readers are to see.
    pub fn has_visible_data(&self, bytes: &[u8]) -> bool {
        let header = BatchHeader::parse(bytes);
        header.is_some_and(|header| !header.is_control() && !self.is_aborted(&header))
    }
}

fn is_abort(marker: &[u8]) -> bool {
    let Ok(records) = Records::open(marker) else {
        return false;
    };
    let first = records.iter().next().and_then(Result::ok);
    let key = first.and_then(|record| record.key).unwrap_or_default();
    key.get(2..4) == Some(&ABORT[..])
}
