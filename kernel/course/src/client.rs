//! The settings of a Kafka client that belongs to a lab.

use headwater_streams::Cluster;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

/// Returns settings of a client that finds its cluster again soon and says nothing on its own.
pub(crate) fn settings(cluster: &Cluster, id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", cluster.bootstrap())
        .set("client.id", id)
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "200")
        .set("topic.metadata.refresh.fast.interval.ms", "50")
        .set("topic.metadata.propagation.max.ms", "2000")
        .set("log.connection.close", "false")
        .set_log_level(RDKafkaLogLevel::Emerg);
    config
}
