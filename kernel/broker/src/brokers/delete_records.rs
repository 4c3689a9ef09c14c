//! DeleteRecords: forgets the records before an offset.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

use super::{Brokers, Call, Millis};

/// Stands for the high watermark: delete all there is.
const ALL: i64 = -1;

impl Brokers {
    pub(super) fn delete_records(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: DeleteRecordsRequest,
    ) -> DeleteRecordsResponse {
        let mut topics = Vec::with_capacity(body.topics.len());
        for topic in &body.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for asked in &topic.partitions {
                let (index, offset) = (asked.partition_index, asked.offset);
                let result = self.delete_before(now_ms, call.node, &topic.name, index, offset);
                let (low_watermark, code) = match result {
                    Ok(earliest) => (earliest, 0),
                    Err(error) => (-1, error.code()),
                };
                partitions.push(
                    DeleteRecordsPartitionResult::default()
                        .with_partition_index(asked.partition_index)
                        .with_low_watermark(low_watermark)
                        .with_error_code(code),
                );
            }
            topics.push(
                DeleteRecordsTopicResult::default()
                    .with_name(topic.name.clone())
                    .with_partitions(partitions),
            );
        }
        DeleteRecordsResponse::default().with_topics(topics)
    }

    fn delete_before(
        &mut self,
        now_ms: Millis,
        node: i32,
        topic: &str,
        index: i32,
        offset: i64,
    ) -> Result<i64, ResponseError> {
        let partition = self
            .topics
            .partition_mut(topic, index)
            .ok_or(ResponseError::UnknownTopicOrPartition)?;
        let before = partition.bytes();
        let replica = partition.leading_mut(node)?;
        let high_watermark = replica.high_watermark;
        let offset = if offset == ALL {
            high_watermark
        } else {
            offset
        };
        if offset > high_watermark {
            return Err(ResponseError::OffsetOutOfRange);
        }
        replica
            .log
            .delete_before(offset)
            .map_err(|_| ResponseError::OffsetOutOfRange)?;
        let earliest = replica.log.earliest();
        let waiters = std::mem::take(&mut replica.waiters);
        self.bytes_held -= before - partition.bytes();
        self.wake(now_ms, waiters);
        self.tell_followers(now_ms, topic, index, node);
        Ok(earliest)
    }
}
