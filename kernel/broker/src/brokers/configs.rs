//! Settings of topics: Kafka's names, defaults and limits, and what a topic overrides.

use std::collections::BTreeMap;

use crate::log::{Appending, CompactionRules};

/// How a setting's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Flag,
    Text,
    Int,
    Long,
    Double,
    List,
}

impl Kind {
    /// Returns the number by which DescribeConfigs names the kind.
    pub fn code(self) -> i8 {
        match self {
            Kind::Flag => 1,
            Kind::Text => 2,
            Kind::Int => 3,
            Kind::Long => 5,
            Kind::Double => 6,
            Kind::List => 7,
        }
    }
}

/// One setting that exists.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    pub kind: Kind,
    /// The values there are; none where any value of its kind will do.
    pub allowed: &'static [&'static str],
    /// The setting of a broker that a topic's default comes from, where there is one.
    pub inherits: Option<&'static str>,
    /// What it does, and whether that happens here.
    pub says: &'static str,
}

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    inherits: &'static str,
    says: &'static str,
) -> Setting {
    let inherits = if inherits.is_empty() {
        None
    } else {
        Some(inherits)
    };
    Setting {
        name,
        default,
        kind,
        allowed: &[],
        inherits,
        says,
    }
}

impl Setting {
    const fn one_of(mut self, allowed: &'static [&'static str]) -> Setting {
        self.allowed = allowed;
        self
    }
}

const NO_TIERS: &str = "Kept for tools: there is no tiered storage here.";
const NO_THROTTLE: &str = "Kept for tools: replication is not throttled here.";
const NO_FLUSH: &str =
    "Kept for tools: when records reach the disk is a setting of the whole broker here.";
const NO_CODEC: &str = "Kept for tools: batches stay as their producer compressed them.";

/// The settings of a topic, with the defaults of Kafka 4 (<https://kafka.apache.org/documentation/#topicconfigs>).
pub const TOPIC_SETTINGS: &[Setting] = &[
    setting("cleanup.policy", Kind::List, "delete", "log.cleanup.policy", "Whether old records go by age and size (delete), or all but the newest of each key (compact).").one_of(&["delete", "compact", "delete,compact", "compact,delete"]),
    setting("compression.gzip.level", Kind::Int, "-1", "compression.gzip.level", NO_CODEC),
    setting("compression.lz4.level", Kind::Int, "9", "compression.lz4.level", NO_CODEC),
    setting("compression.type", Kind::Text, "producer", "compression.type", NO_CODEC).one_of(&["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]),
    setting("compression.zstd.level", Kind::Int, "3", "compression.zstd.level", NO_CODEC),
    setting("delete.retention.ms", Kind::Long, "86400000", "log.cleaner.delete.retention.ms", "How long compaction keeps a tombstone."),
    setting("file.delete.delay.ms", Kind::Long, "60000", "log.segment.delete.delay.ms", "Kept for tools: segments are deleted at once here."),
    setting("flush.messages", Kind::Long, "9223372036854775807", "log.flush.interval.messages", NO_FLUSH),
    setting("flush.ms", Kind::Long, "9223372036854775807", "", NO_FLUSH),
    setting("follower.replication.throttled.replicas", Kind::List, "", "", NO_THROTTLE),
    setting("index.interval.bytes", Kind::Int, "4096", "log.index.interval.bytes", "How many bytes lie between two entries of an index, in Kafka; here every batch has one."),
    setting("leader.replication.throttled.replicas", Kind::List, "", "", NO_THROTTLE),
    setting("local.retention.bytes", Kind::Long, "-2", "log.local.retention.bytes", NO_TIERS),
    setting("local.retention.ms", Kind::Long, "-2", "log.local.retention.ms", NO_TIERS),
    setting("max.compaction.lag.ms", Kind::Long, "9223372036854775807", "log.cleaner.max.compaction.lag.ms", "After how long a record is compacted at the latest."),
    setting("max.message.bytes", Kind::Int, "1048588", "message.max.bytes", "The largest batch that is taken."),
    setting("message.timestamp.after.max.ms", Kind::Long, "3600000", "log.message.timestamp.after.max.ms", "How far ahead of the broker's clock a record may be."),
    setting("message.timestamp.before.max.ms", Kind::Long, "9223372036854775807", "log.message.timestamp.before.max.ms", "How far behind the broker's clock a record may be."),
    setting("message.timestamp.type", Kind::Text, "CreateTime", "log.message.timestamp.type", "Whether records keep the time of their producer or get that of their arrival.").one_of(&["CreateTime", "LogAppendTime"]),
    setting("min.cleanable.dirty.ratio", Kind::Double, "0.5", "log.cleaner.min.cleanable.ratio", "How much of a log must be new before it is compacted."),
    setting("min.compaction.lag.ms", Kind::Long, "0", "log.cleaner.min.compaction.lag.ms", "For how long a record is never compacted."),
    setting("min.insync.replicas", Kind::Int, "1", "min.insync.replicas", "How many replicas must have a batch before acks=all says so; with fewer in sync, it is refused."),
    setting("preallocate", Kind::Flag, "false", "log.preallocate", "Kept for tools: files grow as they are written."),
    setting("remote.log.copy.disable", Kind::Flag, "false", "", NO_TIERS),
    setting("remote.log.delete.on.disable", Kind::Flag, "false", "", NO_TIERS),
    setting("remote.storage.enable", Kind::Flag, "false", "", NO_TIERS),
    setting("retention.bytes", Kind::Long, "-1", "log.retention.bytes", "How many bytes a partition keeps; -1 for all."),
    setting("retention.ms", Kind::Long, "604800000", "", "How long records stay; -1 for ever."),
    setting("segment.bytes", Kind::Int, "1073741824", "log.segment.bytes", "When a new segment begins, by size; at 1 MiB at the latest here."),
    setting("segment.index.bytes", Kind::Int, "10485760", "log.index.size.max.bytes", "Kept for tools: an index is as large as its segment needs."),
    setting("segment.jitter.ms", Kind::Long, "0", "", "Kept for tools: segments begin when they are due."),
    setting("segment.ms", Kind::Long, "604800000", "", "When a new segment begins, by age."),
    setting("unclean.leader.election.enable", Kind::Flag, "false", "unclean.leader.election.enable", "Whether a replica out of sync may lead where no other is left, which loses records."),
];

/// Returns the setting of this name.
pub fn topic_setting(name: &str) -> Option<&'static Setting> {
    TOPIC_SETTINGS.iter().find(|setting| setting.name == name)
}

impl Setting {
    /// Returns why `value` is none for this setting, in Kafka's words.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let fits = match self.kind {
            Kind::Flag => matches!(value, "true" | "false"),
            Kind::Int => value.parse::<i32>().is_ok(),
            Kind::Long => value.parse::<i64>().is_ok(),
            Kind::Double => value.parse::<f64>().is_ok(),
            Kind::Text | Kind::List => self.allowed.is_empty() || self.allowed.contains(&value),
        };
        if fits {
            return Ok(());
        }
        Err(format!(
            "Invalid value {value} for configuration {}",
            self.name
        ))
    }
}

/// What a topic overrides.
#[derive(Debug, Clone, Default)]
pub struct TopicConfigs {
    overrides: BTreeMap<String, String>,
}

impl TopicConfigs {
    /// Sets a value, or goes back to the default where there is none.
    ///
    /// # Errors
    /// Says which name or value is not known.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let setting =
            topic_setting(name).ok_or_else(|| format!("Unknown topic config name: {name}"))?;
        match value {
            None => self.overrides.remove(name),
            Some(value) => {
                setting.check(value)?;
                self.overrides.insert(name.to_owned(), value.to_owned())
            }
        };
        Ok(())
    }

    /// Returns the value in force, which is the default where nothing else was set.
    pub fn get(&self, name: &str) -> Option<&str> {
        let set = self.overrides.get(name).map(String::as_str);
        set.or_else(|| topic_setting(name).map(|setting| setting.default))
    }

    /// Returns what was set, by name.
    pub fn overrides(&self) -> &BTreeMap<String, String> {
        &self.overrides
    }

    pub fn max_message_bytes(&self) -> usize {
        usize::try_from(self.number("max.message.bytes")).unwrap_or(0)
    }

    pub fn segment_bytes(&self) -> usize {
        usize::try_from(self.number("segment.bytes")).unwrap_or(0)
    }

    /// Returns how long a segment grows. What a compacted topic must clean within some time has
    /// to be in a closed segment by then.
    pub fn segment_ms(&self) -> i64 {
        let segment_ms = self.number("segment.ms");
        match self.compacts() {
            true => segment_ms.min(self.number("max.compaction.lag.ms").max(0)),
            false => segment_ms,
        }
    }

    /// Returns true where of every key only the newest record stays.
    pub fn compacts(&self) -> bool {
        self.get("cleanup.policy")
            .is_some_and(|policy| policy.contains("compact"))
    }

    /// Returns how the topic is cleaned, up to `stable_offset`.
    pub fn compaction(&self, now_ms: i64, stable_offset: i64) -> CompactionRules {
        let ratio = self.get("min.cleanable.dirty.ratio");
        CompactionRules {
            now_ms,
            stable_offset,
            dirty_ratio: ratio.and_then(|ratio| ratio.parse().ok()).unwrap_or(0.5),
            min_lag_ms: self.number("min.compaction.lag.ms"),
            max_lag_ms: self.number("max.compaction.lag.ms"),
            delete_retention_ms: self.number("delete.retention.ms"),
            segment_bytes: self.segment_bytes(),
        }
    }

    /// Returns how many members an in-sync set needs for records that want all of them.
    pub fn min_in_sync(&self) -> usize {
        usize::try_from(self.number("min.insync.replicas")).unwrap_or(1)
    }

    /// Returns true where a node outside of the in-sync set may lead, before nobody does.
    pub fn unclean_election(&self) -> bool {
        self.get("unclean.leader.election.enable") == Some("true")
    }

    /// Returns how a batch that arrives now is to be stored.
    pub fn appending(&self, now_ms: i64) -> Appending {
        Appending {
            now_ms,
            segment_bytes: self.segment_bytes(),
            segment_ms: self.segment_ms(),
            append_time: self.append_time(),
        }
    }

    /// Returns true where records get the time of their arrival.
    pub fn append_time(&self) -> bool {
        self.get("message.timestamp.type") == Some("LogAppendTime")
    }

    /// Returns how long records stay; -1 for ever. Compacted topics forget nothing by age.
    pub fn retention_ms(&self) -> i64 {
        self.retention("retention.ms")
    }

    /// Returns how many bytes a partition keeps; -1 for all.
    pub fn retention_bytes(&self) -> i64 {
        self.retention("retention.bytes")
    }

    /// Returns true where the topic has a retention of its own.
    pub fn limits_retention(&self) -> bool {
        let set = |name| self.overrides.contains_key(name);
        set("retention.ms") || set("retention.bytes")
    }

    fn retention(&self, name: &str) -> i64 {
        match self.get("cleanup.policy") {
            Some("compact") => -1,
            _ => self.number(name),
        }
    }

    fn number(&self, name: &str) -> i64 {
        let value = self.get(name).and_then(|value| value.parse().ok());
        value.expect("numbers were checked when they were set")
    }
}

/// Returns the settings of a group of the consumer protocol; all groups have the broker's.
pub(super) fn group_settings(settings: &super::BrokerSettings) -> Vec<(&'static str, String)> {
    vec![
        (
            "consumer.heartbeat.interval.ms",
            settings.consumer_heartbeat_ms.to_string(),
        ),
        (
            "consumer.session.timeout.ms",
            settings.consumer_session_timeout_ms.to_string(),
        ),
    ]
}

/// Returns the settings of a broker that clients and tools ask for, and whether they differ from
/// Kafka's default.
pub(super) fn broker_settings(
    node: i32,
    nodes: usize,
    settings: &super::BrokerSettings,
) -> Vec<(&'static str, Kind, String)> {
    let text = |value: &str| value.to_owned();
    vec![
        (
            "auto.create.topics.enable",
            Kind::Flag,
            settings.auto_create_topics.to_string(),
        ),
        (
            "auto.leader.rebalance.enable",
            Kind::Flag,
            (settings.leader_rebalance_ms > 0).to_string(),
        ),
        ("broker.id", Kind::Int, node.to_string()),
        (
            "broker.session.timeout.ms",
            Kind::Int,
            settings.session_timeout_ms.to_string(),
        ),
        ("compression.type", Kind::Text, text("producer")),
        (
            "default.replication.factor",
            Kind::Int,
            settings.replication_factor.min(nodes as i16).to_string(),
        ),
        ("delete.topic.enable", Kind::Flag, text("true")),
        (
            "group.consumer.assignors",
            Kind::List,
            text("uniform,range"),
        ),
        (
            "group.consumer.heartbeat.interval.ms",
            Kind::Int,
            settings.consumer_heartbeat_ms.to_string(),
        ),
        (
            "group.consumer.max.size",
            Kind::Int,
            settings.consumer_max_size.to_string(),
        ),
        (
            "group.consumer.migration.policy",
            Kind::Text,
            text("disabled"),
        ),
        (
            "group.consumer.session.timeout.ms",
            Kind::Int,
            settings.consumer_session_timeout_ms.to_string(),
        ),
        (
            "group.coordinator.rebalance.protocols",
            Kind::List,
            text("classic,consumer"),
        ),
        (
            "group.initial.rebalance.delay.ms",
            Kind::Int,
            settings.initial_rebalance_delay_ms.to_string(),
        ),
        (
            "group.max.session.timeout.ms",
            Kind::Int,
            settings.max_session_timeout_ms.to_string(),
        ),
        (
            "group.min.session.timeout.ms",
            Kind::Int,
            settings.min_session_timeout_ms.to_string(),
        ),
        (
            "log.cleaner.backoff.ms",
            Kind::Long,
            settings.cleaner_backoff_ms.to_string(),
        ),
        ("log.cleaner.enable", Kind::Flag, text("true")),
        ("log.cleanup.policy", Kind::List, text("delete")),
        ("log.message.timestamp.type", Kind::Text, text("CreateTime")),
        ("log.retention.bytes", Kind::Long, text("-1")),
        (
            "log.retention.check.interval.ms",
            Kind::Long,
            settings.retention_check_ms.to_string(),
        ),
        ("log.retention.hours", Kind::Int, text("168")),
        ("log.segment.bytes", Kind::Int, text("1073741824")),
        ("message.max.bytes", Kind::Int, text("1048588")),
        ("min.insync.replicas", Kind::Int, text("1")),
        ("num.partitions", Kind::Int, settings.partitions.to_string()),
        (
            "offsets.retention.minutes",
            Kind::Int,
            settings.offsets_retention_minutes.to_string(),
        ),
        (
            "replica.lag.time.max.ms",
            Kind::Long,
            settings.replica_lag_ms.to_string(),
        ),
        ("socket.request.max.bytes", Kind::Int, text("104857600")),
        (
            "transaction.max.timeout.ms",
            Kind::Int,
            settings.transaction_max_timeout_ms.to_string(),
        ),
        (
            "transactional.id.expiration.ms",
            Kind::Int,
            settings.transactional_id_expiration_ms.to_string(),
        ),
        ("unclean.leader.election.enable", Kind::Flag, text("false")),
    ]
}
