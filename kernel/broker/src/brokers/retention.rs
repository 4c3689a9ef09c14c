//! Retention: whole segments go once they are too old or a partition holds too much.

use super::{Brokers, Millis, Replica};

/// How often topics with Kafka's seven days are looked at.
const RARELY_MS: i64 = 300_000;

impl Brokers {
    /// Sees to a look at the topics at the next interval.
    pub(super) fn schedule_retention(&mut self, now_ms: Millis) {
        // Records of an old event time, in a topic that sets no retention, stay for a lesson's while.
        self.next_full_retention
            .get_or_insert(now_ms.saturating_add(RARELY_MS));
        let limited = self
            .topics
            .iter()
            .any(|(_, topic)| topic.configs.limits_retention());
        let wait = match limited {
            true => self.settings.retention_check_ms,
            false => RARELY_MS,
        };
        let next = now_ms.saturating_add(wait);
        self.next_retention = Some(self.next_retention.map_or(next, |due| due.min(next)));
    }

    /// Drops what is past its time, if a look is due.
    pub(super) fn apply_retention(&mut self, now_ms: Millis) {
        match self.next_retention {
            Some(due) if due > now_ms => return,
            None if self.topics.partitions() == 0 => return,
            None => return self.schedule_retention(now_ms),
            Some(_) => self.next_retention = None,
        }
        let all = self.next_full_retention.is_none_or(|due| due <= now_ms);
        if all {
            self.next_full_retention = None;
        }
        let running = self.node_states.iter().filter(|state| state.up);
        let up: Vec<i32> = running.map(|state| state.id).collect();
        for (_, topic) in self.topics.iter_mut() {
            if !all && !topic.configs.limits_retention() {
                continue;
            }
            let keep_ms = topic.configs.retention_ms();
            let keep_bytes = topic.configs.retention_bytes();
            for partition in &mut topic.partitions {
                let before = partition.bytes();
                // Only what all have may go, and nobody deletes on a node that is down.
                let may = |replica: &&mut Replica| {
                    replica.high_watermark == replica.log.latest() && up.contains(&replica.node)
                };
                for replica in partition.replicas.iter_mut().filter(may) {
                    replica.log.retain(|newest_ms, bytes_without| {
                        let old = keep_ms >= 0 && now_ms - newest_ms > keep_ms;
                        let over = keep_bytes >= 0 && bytes_without >= keep_bytes as u64;
                        old || over
                    });
                }
                self.bytes_held -= before - partition.bytes();
            }
        }
        if self.topics.partitions() > 0 {
            self.schedule_retention(now_ms);
        }
    }
}
