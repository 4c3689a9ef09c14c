//! Compaction: of every key the newest record stays, at the offset it always had.
//!
//! A cleaning reads the sealed segments that no cleaning has read yet (the dirty part), notes
//! the newest offset of each key, and writes all segments up to there anew without the records
//! that a newer one replaced. The segment that still grows is never touched.
//!
//! The rules are Kafka's: when a log is dirty enough, how long tombstones stay (KIP-534), and
//! that nothing beyond the last stable offset is cleaned.

use std::collections::HashMap;

use super::partition::{PartitionLog, SEGMENT_BYTES};
use super::records::{Record, Records};
use super::segment::Segment;
use super::sweep::{Sweep, Swept};
use crate::brokers::LogChange;
use crate::description::CleaningDescription;

/// A log keeps the reports of this many cleanings.
const REMEMBERED: usize = 10;

/// When and how a log is cleaned; each field names the setting of the topic it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompactionRules {
    pub now_ms: i64,
    /// Nothing from here on is cleaned: the last stable offset.
    pub stable_offset: i64,
    /// `min.cleanable.dirty.ratio`.
    pub dirty_ratio: f64,
    /// `min.compaction.lag.ms`.
    pub min_lag_ms: i64,
    /// `max.compaction.lag.ms`.
    pub max_lag_ms: i64,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
    /// `segment.bytes`.
    pub segment_bytes: usize,
}

impl PartitionLog {
    /// Returns how much of the log is dirty, between 0 and 1, if that calls for a cleaning.
    pub fn compaction_due(&self, rules: &CompactionRules) -> Option<f64> {
        let end = self.cleanable_segments(rules);
        let is_clean = |segment: &&Segment| segment.base_offset() < self.cleaned_to;
        let clean: usize = self
            .segments
            .range(..end)
            .filter(is_clean)
            .map(Segment::size)
            .sum();
        let all: usize = self.segments.range(..end).map(Segment::size).sum();
        let first_dirty = self
            .segments
            .range(..end)
            .find(|segment| !is_clean(segment))?;
        let ratio = (all - clean) as f64 / all.max(1) as f64;
        let age_ms = rules.now_ms.saturating_sub(first_dirty.first_timestamp());
        (ratio > rules.dirty_ratio || age_ms > rules.max_lag_ms.max(0)).then_some(ratio)
    }

    /// Cleans the log, whether it is due or not, and returns what that did; nothing where there
    /// is no sealed segment to clean.
    pub fn compact(&mut self, rules: &CompactionRules) -> Option<CleaningDescription> {
        let end = self.cleanable_segments(rules);
        let end_offset = self.segments.get(end)?.base_offset();
        if end == 0 || end_offset <= self.cleaned_to {
            return None;
        }
        let mut report = CleaningDescription {
            at_ms: rules.now_ms,
            first_dirty: self.cleaned_to.max(self.earliest()),
            end: end_offset,
            segments_before: end as u64,
            ..CleaningDescription::default()
        };
        let newest = self.newest_by_key(end);
        let mut sweep = Sweep::new(self, rules, newest, &mut report);
        let cleaned = self.rewrite(end, rules, &mut sweep);
        let before: usize = self.segments.range(..end).map(Segment::size).sum();
        let after: usize = cleaned.iter().map(|cleaned| cleaned.segment.size()).sum();
        report.segments_after = cleaned.len() as u64;
        report.bytes_before = before as u64;
        report.bytes_after = after as u64;
        self.replace_segments(end, cleaned);
        // Of transactions that were aborted up to here nothing is left to be left out; and once a
        // marker is gone too, readers would leave out what the producer wrote after it.
        self.stability.forget_before(end_offset);
        self.cleaned_to = end_offset;
        if self.cleanings.len() == REMEMBERED {
            self.cleanings.pop_front();
        }
        self.cleanings.push_back(report.clone());
        Some(report)
    }

    /// Returns true where sealed segments wait to be cleaned, now or later.
    pub fn has_dirty_segments(&self) -> bool {
        let active = self.segments.back();
        active
            .is_some_and(|active| self.segments.len() > 1 && active.base_offset() > self.cleaned_to)
    }

    /// Returns the reports of the last cleanings, oldest first.
    pub fn cleanings(&self) -> impl Iterator<Item = &CleaningDescription> {
        self.cleanings.iter()
    }

    /// Returns how many segments from the front may be cleaned.
    fn cleanable_segments(&self, rules: &CompactionRules) -> usize {
        let sealed = self.segments.len().saturating_sub(1);
        let fresh = |index: usize| {
            let segment = &self.segments[index];
            let dirty = segment.base_offset() >= self.cleaned_to;
            let young = segment.max_timestamp() > rules.now_ms.saturating_sub(rules.min_lag_ms);
            let unstable = self.segments[index + 1].base_offset() > rules.stable_offset;
            unstable || (dirty && rules.min_lag_ms > 0 && young)
        };
        (0..sealed).find(|&index| fresh(index)).unwrap_or(sealed)
    }

    /// Returns the offset of the newest record of each key in the dirty segments.
    fn newest_by_key(&self, end: usize) -> HashMap<Box<[u8]>, i64> {
        let aborted = super::sweep::Transactions::of(self);
        let mut newest: HashMap<Box<[u8]>, i64> = HashMap::new();
        let dirty = self
            .segments
            .range(..end)
            .filter(|s| s.base_offset() >= self.cleaned_to);
        for batch in dirty.flat_map(batches) {
            if !aborted.has_visible_data(batch) {
                continue;
            }
            let Ok(records) = Records::open(batch) else {
                continue;
            };
            let Ok(all) = records.all() else { continue };
            for Record { key, offset, .. } in all {
                let Some(key) = key else { continue };
                match newest.get_mut(key) {
                    Some(known) => *known = offset,
                    None => {
                        newest.insert(Box::from(key), offset);
                    }
                }
            }
        }
        newest
    }

    /// Writes the first `end` segments anew. Small ones become one, which begins where the first
    /// of them began.
    fn rewrite(&self, end: usize, rules: &CompactionRules, sweep: &mut Sweep<'_>) -> Vec<Cleaned> {
        let limit = rules.segment_bytes.min(SEGMENT_BYTES);
        let mut cleaned: Vec<Cleaned> = Vec::new();
        for (index, segment) in self.segments.range(..end).enumerate() {
            let mut fresh = Segment::open(segment.base_offset(), segment.opened_ms());
            for batch in batches(segment) {
                match sweep.batch(batch) {
                    Swept::Keep => fresh.push_stored(batch),
                    Swept::Rewrite(rewritten) => fresh.push_stored(&rewritten),
                    Swept::Drop => {}
                }
            }
            let to = self.segments[index + 1].base_offset();
            let fits = |last: &&mut Cleaned| last.segment.size() + fresh.size() <= limit;
            match cleaned.last_mut().filter(fits) {
                Some(last) => {
                    batches(&fresh).for_each(|batch| last.segment.push_stored(batch));
                    last.to = to;
                }
                None => cleaned.push(Cleaned { segment: fresh, to }),
            }
        }
        cleaned
            .iter_mut()
            .for_each(|cleaned| cleaned.segment.seal());
        cleaned
    }

    /// Puts `cleaned` in the place of the first `end` segments.
    fn replace_segments(&mut self, end: usize, cleaned: Vec<Cleaned>) {
        for Cleaned { segment, to } in &cleaned {
            self.recorder.note(|| LogChange::Replace {
                from: segment.base_offset(),
                to: *to,
                bytes: segment.all(),
            });
        }
        let rest = self.segments.split_off(end);
        let cleaned = cleaned.into_iter().map(|cleaned| cleaned.segment);
        let cleaned = cleaned.filter(|segment| segment.batches() > 0);
        self.segments = cleaned.chain(rest).collect();
        self.bytes = self
            .segments
            .iter()
            .map(|segment| segment.size() as u64)
            .sum();
    }
}

/// A segment written anew, in the place of those up to the offset `to`.
struct Cleaned {
    segment: Segment,
    to: i64,
}

/// Returns the batches of a segment, in order.
pub(super) fn batches(segment: &Segment) -> impl Iterator<Item = &[u8]> {
    (0..segment.batches()).map(|index| segment.batch(index))
}
