//! What any Kafka cluster tells a client about itself.

use headwater_broker::{
    ClusterDescription, GroupDescription, MemberDescription, NodeDescription, PartitionDescription,
    TopicDescription,
};
use rdkafka::consumer::Consumer as _;

use super::client;
use crate::Result;

/// Asks for nodes, topics, offsets and groups.
pub fn describe(bootstrap: &str, consumer: &client::Consumer) -> Result<ClusterDescription> {
    let metadata = consumer.fetch_metadata(None, client::PATIENCE)?;
    let nodes = metadata.brokers().iter().map(|broker| NodeDescription {
        node: broker.id(),
        address: format!("{}:{}", broker.host(), broker.port()),
        rack: None,
        up: true,
        registered: true,
    });
    let mut topics = Vec::new();
    for topic in metadata
        .topics()
        .iter()
        .filter(|t| !t.name().starts_with("__"))
    {
        let mut partitions = Vec::new();
        for partition in topic.partitions() {
            let (earliest, end) = client::watermarks(consumer, topic.name(), partition.id())?;
            partitions.push(PartitionDescription {
                partition: partition.id(),
                leader: partition.leader(),
                in_sync: partition.isr().to_vec(),
                earliest,
                latest: end,
                high_watermark: end,
                ..PartitionDescription::default()
            });
        }
        topics.push(TopicDescription {
            name: topic.name().to_owned(),
            partitions,
            ..TopicDescription::default()
        });
    }
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    let groups = consumer.fetch_group_list(None, client::PATIENCE)?;
    let groups = groups.groups().iter().map(|group| GroupDescription {
        group: group.name().to_owned(),
        state: group.state().to_owned(),
        protocol: group.protocol().to_owned(),
        members: group
            .members()
            .iter()
            .map(|member| MemberDescription {
                id: member.id().to_owned(),
                client_id: member.client_id().to_owned(),
                client_host: member.client_host().to_owned(),
                assigned: member
                    .assignment()
                    .and_then(headwater_broker::groups::assigned_partitions)
                    .unwrap_or_default(),
                ..MemberDescription::default()
            })
            .collect(),
        ..GroupDescription::default()
    });
    Ok(ClusterDescription {
        bootstrap: bootstrap.to_owned(),
        nodes: nodes.collect(),
        topics,
        groups: groups.collect(),
        ..ClusterDescription::default()
    })
}
