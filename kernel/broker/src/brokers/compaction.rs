//! The log cleaner: looks for the dirtiest compacted partition, cleans it, and looks again.

use super::{Brokers, Millis, Replica, Topic};
use crate::log::CompactionRules;

/// Topic, partition and node of a log, and how it is to be cleaned.
type Found = (String, usize, i32, CompactionRules);

impl Brokers {
    /// Sees to a look at compacted topics after `log.cleaner.backoff.ms`.
    pub(super) fn schedule_cleaning(&mut self, now_ms: Millis) {
        let due = now_ms.saturating_add(self.settings.cleaner_backoff_ms.max(1));
        self.next_cleaning.get_or_insert(due);
    }

    /// Cleans the dirtiest partition, if a look is due. One partition a step: a request that
    /// comes in between is answered before the next one.
    pub(super) fn apply_compaction(&mut self, now_ms: Millis) {
        if self.next_cleaning.is_none_or(|due| due > now_ms) {
            return;
        }
        self.next_cleaning = None;
        if self.clean_dirtiest(now_ms) {
            self.next_cleaning = Some(now_ms);
        } else if self.has_dirty_segments() {
            self.schedule_cleaning(now_ms);
        }
    }

    /// Returns true where a partition was dirty enough to be cleaned.
    fn clean_dirtiest(&mut self, now_ms: Millis) -> bool {
        let mut dirtiest: Option<(f64, Found)> = None;
        for (name, topic) in self.compacted() {
            for (index, partition) in topic.partitions.iter().enumerate() {
                let running = |replica: &&Replica| self.is_up(replica.node);
                for replica in partition.replicas.iter().filter(running) {
                    let rules = rules(now_ms, topic, replica);
                    let Some(ratio) = replica.log.compaction_due(&rules) else {
                        continue;
                    };
                    if dirtiest.as_ref().is_none_or(|(most, _)| ratio > *most) {
                        dirtiest = Some((ratio, (name.to_owned(), index, replica.node, rules)));
                    }
                }
            }
        }
        let Some((_, (name, index, node, rules))) = dirtiest else {
            return false;
        };
        let partition = self.topics.partition_mut(&name, index as i32);
        let partition = partition.expect("found a moment ago");
        let before = partition.bytes();
        let replica = partition.replica_mut(node).expect("found a moment ago");
        let cleaned = replica.log.compact(&rules).is_some();
        // A tombstone's first cleaning can make a batch a little longer.
        self.bytes_held = self.bytes_held - before + partition.bytes();
        cleaned
    }

    fn has_dirty_segments(&self) -> bool {
        let partitions = self.compacted().flat_map(|(_, topic)| &topic.partitions);
        let mut replicas = partitions.flat_map(|partition| &partition.replicas);
        replicas.any(|replica| self.is_up(replica.node) && replica.log.has_dirty_segments())
    }

    fn compacted(&self) -> impl Iterator<Item = (&str, &Topic)> {
        self.topics
            .iter()
            .filter(|(_, topic)| topic.configs.compacts())
    }
}

/// Every node cleans its own copy, as far as it knows the records to be stable.
fn rules(now_ms: Millis, topic: &Topic, replica: &Replica) -> CompactionRules {
    topic
        .configs
        .compaction(now_ms, replica.last_stable_offset())
}
