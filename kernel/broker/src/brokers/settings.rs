//! Settings of the brokers that the person who starts them chooses.

use super::Flaw;

/// What a cluster allows; each field names the Kafka setting it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerSettings {
    /// Batches of all partitions together take at most this many bytes; a produce request beyond
    /// it is refused with `POLICY_VIOLATION` and a message. Default: 1 GiB.
    pub max_bytes: u64,
    /// `auto.create.topics.enable`, default true.
    pub auto_create_topics: bool,
    /// `num.partitions` of a topic whose creator names no number, default 1.
    pub partitions: i32,
    /// `default.replication.factor` of a topic whose creator names none; no more than there are
    /// nodes. Default 3 (Kafka: 1), so that topics of a cluster of several nodes are replicated.
    pub replication_factor: i16,
    /// `replica.lag.time.max.ms`: who lags longer leaves the in-sync set. Default 30 s.
    pub replica_lag_ms: i64,
    /// `broker.session.timeout.ms`: a node not heard of for so long counts as dead. Default 9 s.
    pub session_timeout_ms: i64,
    /// `leader.imbalance.check.interval.seconds`, in milliseconds: how long until leadership goes
    /// back to preferred leaders by itself, 0 for never. Default 5 min.
    pub leader_rebalance_ms: i64,
    /// Partitions of all topics together, default 10,000.
    pub max_partitions: usize,
    /// Groups, with members or with offsets alone, default 10,000; commits of further ones are
    /// refused with `POLICY_VIOLATION`.
    pub max_groups: usize,
    /// Members of all groups together, default 10,000; further ones are refused with
    /// `GROUP_MAX_SIZE_REACHED`.
    pub max_members: usize,
    /// `group.initial.rebalance.delay.ms`, default 0, as in the settings file Kafka ships.
    pub initial_rebalance_delay_ms: i64,
    /// `group.min.session.timeout.ms`, default 6 s.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`, default 30 min.
    pub max_session_timeout_ms: i32,
    /// `transaction.max.timeout.ms`, default 15 min.
    pub transaction_max_timeout_ms: i32,
    /// `transactional.id.expiration.ms`: an id that no producer used for so long is forgotten.
    /// Default 7 days.
    pub transactional_id_expiration_ms: i64,
    /// `log.retention.check.interval.ms` where a topic has a retention of its own. Default 1 s,
    /// where Kafka has 5 min: in a lesson the effect is to be seen.
    pub retention_check_ms: i64,
    /// Whether steps report what a disk must know (`Outputs::changes`). Default: no, the cluster
    /// lives in memory.
    pub durable: bool,
    /// A planted mistake, for tests of the simulator's checks. Default none.
    #[doc(hidden)]
    pub flaw: Option<Flaw>,
    /// `log.cleaner.backoff.ms`: how long after new records came compacted topics are looked at.
    /// Default 1 s, where Kafka has 15 s.
    pub cleaner_backoff_ms: i64,
    /// `offsets.retention.minutes`: offsets of a group without members are kept so long, default
    /// 10,080 (seven days).
    pub offsets_retention_minutes: i64,
    /// `group.consumer.heartbeat.interval.ms`: how often members of the consumer protocol report.
    /// Default 1 s, where Kafka has 5 s: a rebalance takes a few heartbeats.
    pub consumer_heartbeat_ms: i32,
    /// `group.consumer.session.timeout.ms`: when a silent member counts as dead, default 45 s.
    pub consumer_session_timeout_ms: i64,
    /// `group.consumer.max.size`: members of one group, default 2,147,483,647.
    pub consumer_max_size: usize,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        BrokerSettings {
            max_bytes: 1 << 30,
            auto_create_topics: true,
            partitions: 1,
            replication_factor: 3,
            replica_lag_ms: 30_000,
            session_timeout_ms: 9_000,
            leader_rebalance_ms: 300_000,
            max_partitions: 10_000,
            max_groups: 10_000,
            max_members: 10_000,
            initial_rebalance_delay_ms: 0,
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            transaction_max_timeout_ms: 900_000,
            transactional_id_expiration_ms: 604_800_000,
            retention_check_ms: 1_000,
            durable: false,
            flaw: None,
            cleaner_backoff_ms: 1_000,
            offsets_retention_minutes: 10_080,
            consumer_heartbeat_ms: 1_000,
            consumer_session_timeout_ms: 45_000,
            consumer_max_size: i32::MAX as usize,
        }
    }
}
