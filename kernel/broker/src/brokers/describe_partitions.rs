//! DescribeTopicPartitions (KIP-966): topics a page at a time, which newer tools ask for.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition as Row,
    DescribeTopicPartitionsResponseTopic as Described,
};
use kafka_protocol::messages::metadata_response::MetadataResponsePartition;
use kafka_protocol::messages::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicName,
};

use super::metadata::described_partition;
use super::{Brokers, Call};
use crate::wire::text;

/// Kafka's `max.request.partition.size.limit`.
const MOST_ROWS: i32 = 2000;
/// Stands for "not asked for".
const NO_OPERATIONS: i32 = i32::MIN;

impl Brokers {
    pub(super) fn describe_topic_partitions(
        &self,
        call: &Call,
        body: DescribeTopicPartitionsRequest,
    ) -> DescribeTopicPartitionsResponse {
        let mut names: Vec<String> = body.topics.iter().map(|t| t.name.to_string()).collect();
        if names.is_empty() {
            names = self.topics.names().map(str::to_owned).collect();
        }
        names.sort();
        names.dedup();
        let mut first = 0;
        if let Some(cursor) = &body.cursor {
            names.retain(|name| name.as_str() >= cursor.topic_name.as_str());
            if names.first().map(String::as_str) == Some(cursor.topic_name.as_str()) {
                first = usize::try_from(cursor.partition_index).unwrap_or(0);
            }
        }
        let mut room = body.response_partition_limit.clamp(1, MOST_ROWS) as usize;
        let mut response = DescribeTopicPartitionsResponse::default();
        for name in names {
            let total = self.topics.get(&name).map_or(0, |t| t.partitions.len());
            if room == 0 {
                response.next_cursor = Some(cursor(&name, 0));
                break;
            }
            let end = total.min(first.saturating_add(room));
            response
                .topics
                .push(self.describe_rows(call.node, &name, first.min(end)..end));
            room -= end.saturating_sub(first);
            if end < total {
                response.next_cursor = Some(cursor(&name, end));
                break;
            }
            first = 0;
        }
        response
    }

    fn describe_rows(&self, node: i32, name: &str, rows: std::ops::Range<usize>) -> Described {
        let described = Described::default()
            .with_name(Some(TopicName(text(name))))
            .with_topic_authorized_operations(NO_OPERATIONS);
        let Some(topic) = self.topics.get(name) else {
            return described.with_error_code(ResponseError::UnknownTopicOrPartition.code());
        };
        let sees = self.seen_by(node);
        let rows = rows.map(|index| {
            let partition = &topic.partitions[index];
            row(described_partition(node, &sees, index, partition))
        });
        described
            .with_topic_id(topic.id)
            .with_partitions(rows.collect())
    }
}

fn row(known: MetadataResponsePartition) -> Row {
    Row::default()
        .with_error_code(known.error_code)
        .with_partition_index(known.partition_index)
        .with_leader_id(known.leader_id)
        .with_leader_epoch(known.leader_epoch)
        .with_replica_nodes(known.replica_nodes)
        .with_isr_nodes(known.isr_nodes)
        .with_eligible_leader_replicas(Some(Vec::new()))
        .with_last_known_elr(Some(Vec::new()))
        .with_offline_replicas(known.offline_replicas)
}

fn cursor(topic: &str, partition: usize) -> Cursor {
    Cursor::default()
        .with_topic_name(TopicName(text(topic)))
        .with_partition_index(partition as i32)
}
