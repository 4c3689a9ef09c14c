//! Rows of DescribeConfigs: each setting with its value, where that comes from, and what it does.

use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsSynonym,
};

use super::configs::{Kind, TOPIC_SETTINGS, TopicConfigs};
use crate::wire::text;

/// Where a value comes from, as DescribeConfigs numbers it.
const SET_FOR_TOPIC: i8 = 1;
const STATIC: i8 = 4;
const DEFAULT: i8 = 5;

/// One setting, before the version of the reply is seen to.
pub(super) struct Row {
    pub name: &'static str,
    value: String,
    kind: Kind,
    read_only: bool,
    says: &'static str,
    /// What the value would be without each of those that set it: name, value, source.
    synonyms: Vec<(&'static str, String, i8)>,
    source: i8,
}

/// What a reply shall hold.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub version: i16,
    pub synonyms: bool,
    pub documentation: bool,
}

/// Settings of brokers: Kafka's defaults, and what they do. A broker is set where it is started,
/// so none can be altered.
const BROKER_DEFAULTS: &[(&str, &str, &str)] = &[
    (
        "auto.create.topics.enable",
        "true",
        "Whether a topic is made when a client first asks for it.",
    ),
    (
        "auto.leader.rebalance.enable",
        "true",
        "Whether preferred replicas are made leaders again.",
    ),
    ("broker.id", "-1", "The number of this broker."),
    (
        "broker.session.timeout.ms",
        "9000",
        "When a silent broker counts as dead.",
    ),
    (
        "compression.type",
        "producer",
        "Batches stay as their producer compressed them.",
    ),
    (
        "default.replication.factor",
        "1",
        "Replicas of a topic whose creator names no number.",
    ),
    (
        "delete.topic.enable",
        "true",
        "Whether topics can be deleted.",
    ),
    (
        "group.consumer.assignors",
        "uniform,range",
        "How the consumer protocol shares partitions out.",
    ),
    (
        "group.consumer.heartbeat.interval.ms",
        "5000",
        "How often members of the consumer protocol report.",
    ),
    (
        "group.consumer.max.size",
        "2147483647",
        "Members of one group, in the consumer protocol.",
    ),
    (
        "group.consumer.migration.policy",
        "bidirectional",
        "Whether a group may change its protocol while it has members.",
    ),
    (
        "group.consumer.session.timeout.ms",
        "45000",
        "When a silent member of the consumer protocol counts as dead.",
    ),
    (
        "group.coordinator.rebalance.protocols",
        "classic,consumer,streams",
        "The protocols for groups.",
    ),
    (
        "group.initial.rebalance.delay.ms",
        "3000",
        "How long a new group waits for further members.",
    ),
    (
        "group.max.session.timeout.ms",
        "1800000",
        "The longest session a member may ask for.",
    ),
    ("group.max.size", "2147483647", "Members of one group."),
    (
        "group.min.session.timeout.ms",
        "6000",
        "The shortest session a member may ask for.",
    ),
    (
        "log.cleaner.backoff.ms",
        "15000",
        "How long compaction rests when there was nothing to do.",
    ),
    (
        "log.cleaner.enable",
        "true",
        "Whether topics are compacted.",
    ),
    (
        "log.cleanup.policy",
        "delete",
        "What topics do with old records, where they set nothing.",
    ),
    (
        "log.message.timestamp.type",
        "CreateTime",
        "Whose time records get, where a topic sets nothing.",
    ),
    (
        "log.retention.bytes",
        "-1",
        "How many bytes a partition keeps, where its topic sets nothing.",
    ),
    (
        "log.retention.check.interval.ms",
        "300000",
        "How often old records are looked for.",
    ),
    (
        "log.retention.hours",
        "168",
        "How long records stay, where a topic sets nothing.",
    ),
    (
        "log.segment.bytes",
        "1073741824",
        "When a new segment begins, where a topic sets nothing.",
    ),
    (
        "message.max.bytes",
        "1048588",
        "The largest batch that is taken, where a topic sets nothing.",
    ),
    (
        "min.insync.replicas",
        "1",
        "Replicas that acks=all waits for, where a topic sets nothing.",
    ),
    ("node.id", "", "The number of this broker."),
    (
        "num.partitions",
        "1",
        "Partitions of a topic whose creator names no number.",
    ),
    (
        "offsets.retention.minutes",
        "10080",
        "How long the offsets of a group without members stay.",
    ),
    (
        "replica.lag.time.max.ms",
        "30000",
        "After how long without its leader's newest records a replica counts as out of sync.",
    ),
    (
        "socket.request.max.bytes",
        "104857600",
        "The largest request that is taken.",
    ),
    (
        "transaction.max.timeout.ms",
        "900000",
        "The longest a transaction may ask for.",
    ),
    (
        "transactional.id.expiration.ms",
        "604800000",
        "How long an idle transactional id is remembered.",
    ),
    (
        "unclean.leader.election.enable",
        "false",
        "Whether a replica out of sync may lead where no other is left, which loses records.",
    ),
];

/// Returns the settings of a topic.
pub(super) fn topic_rows(configs: &TopicConfigs) -> Vec<Row> {
    let rows = TOPIC_SETTINGS.iter().map(|setting| {
        let default = setting.default.to_owned();
        let set = configs.overrides().get(setting.name).cloned();
        let mut synonyms = Vec::new();
        if let Some(value) = &set {
            synonyms.push((setting.name, value.clone(), SET_FOR_TOPIC));
        }
        if let Some(name) = setting.inherits {
            synonyms.push((name, default.clone(), DEFAULT));
        }
        Row {
            name: setting.name,
            source: if set.is_some() {
                SET_FOR_TOPIC
            } else {
                DEFAULT
            },
            value: set.unwrap_or(default),
            kind: setting.kind,
            read_only: false,
            says: setting.says,
            synonyms,
        }
    });
    rows.collect()
}

/// Returns the settings of a broker.
pub(super) fn broker_rows(settings: Vec<(&'static str, Kind, String)>) -> Vec<Row> {
    let rows = settings.into_iter().map(|(name, kind, value)| {
        let known = BROKER_DEFAULTS.iter().find(|(known, _, _)| *known == name);
        let (default, says) = known.map_or(("", ""), |(_, default, says)| (*default, *says));
        let mut synonyms = Vec::new();
        if value != default {
            synonyms.push((name, value.clone(), STATIC));
        }
        if !default.is_empty() {
            synonyms.push((name, default.to_owned(), DEFAULT));
        }
        Row {
            name,
            source: if value == default { DEFAULT } else { STATIC },
            value,
            kind,
            read_only: true,
            says,
            synonyms,
        }
    });
    rows.collect()
}

/// Returns the settings of a group of the consumer protocol: those of the broker.
pub(super) fn group_rows(settings: Vec<(&'static str, String)>) -> Vec<Row> {
    let rows = settings.into_iter().map(|(name, value)| Row {
        name,
        synonyms: vec![(name, value.clone(), DEFAULT)],
        value,
        kind: Kind::Int,
        read_only: true,
        says: "As the broker has it for all groups.",
        source: DEFAULT,
    });
    rows.collect()
}

impl Row {
    pub(super) fn described(self, wanted: Wanted) -> DescribeConfigsResourceResult {
        let mut result = DescribeConfigsResourceResult::default()
            .with_name(text(self.name))
            .with_value(Some(text(self.value)))
            .with_read_only(self.read_only)
            .with_config_source(self.source);
        if wanted.version >= 3 {
            result = result.with_config_type(self.kind.code());
            if wanted.documentation {
                result = result.with_documentation(Some(text(self.says)));
            }
        }
        if wanted.synonyms {
            let synonyms = self.synonyms.into_iter().map(|(name, value, source)| {
                DescribeConfigsSynonym::default()
                    .with_name(text(name))
                    .with_value(Some(text(value)))
                    .with_source(source)
            });
            result = result.with_synonyms(synonyms.collect());
        }
        result
    }
}
