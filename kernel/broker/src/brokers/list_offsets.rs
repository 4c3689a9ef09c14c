//! ListOffsets and OffsetForLeaderEpoch: from a time, or an epoch, to an offset.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{
    ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
};

use super::fetch::{READ_COMMITTED, check_leader_epoch};
use super::{Brokers, Call};
use crate::log::RecordTime;

/// Timestamps that stand for a place, not for a time.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;

impl Brokers {
    pub(super) fn list_offsets(
        &self,
        call: &Call,
        body: ListOffsetsRequest,
    ) -> ListOffsetsResponse {
        let topics = body.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|asked| {
                let response = ListOffsetsPartitionResponse::default()
                    .with_partition_index(asked.partition_index);
                let isolation = body.isolation_level;
                match self.list_offset(call.node, &topic.name, asked, isolation) {
                    Ok((found, leader_epoch)) => response
                        .with_timestamp(found.timestamp_ms)
                        .with_offset(found.offset)
                        .with_leader_epoch(if call.version >= 4 { leader_epoch } else { -1 }),
                    Err(error) => response
                        .with_error_code(error.code())
                        .with_timestamp(-1)
                        .with_offset(-1),
                }
            });
            ListOffsetsTopicResponse::default()
                .with_name(topic.name.clone())
                .with_partitions(partitions.collect())
        });
        ListOffsetsResponse::default().with_topics(topics.collect())
    }

    fn list_offset(
        &self,
        node: i32,
        topic: &str,
        asked: &ListOffsetsPartition,
        isolation_level: i8,
    ) -> Result<(RecordTime, i32), ResponseError> {
        let replica = self.topics.leading(topic, asked.partition_index, node)?;
        let log = &replica.log;
        check_leader_epoch(asked.current_leader_epoch, replica.leader_epoch())?;
        // A new leader does not know yet how far its predecessor had got.
        if asked.timestamp == LATEST && replica.high_watermark < replica.epoch_start {
            return Err(ResponseError::OffsetNotAvailable);
        }
        let place = |offset| RecordTime {
            offset,
            timestamp_ms: -1,
        };
        let end = match isolation_level {
            READ_COMMITTED => replica.last_stable_offset(),
            _ => replica.high_watermark,
        };
        let readable = |found: &RecordTime| found.offset < end;
        let found = match asked.timestamp {
            LATEST => Some(place(end)),
            EARLIEST | EARLIEST_LOCAL => Some(place(log.earliest())),
            MAX_TIMESTAMP => log.find_max_timestamp().filter(readable),
            time if time >= 0 => log.find_time(time).filter(readable),
            _ => return Err(ResponseError::UnsupportedForMessageFormat),
        };
        Ok((found.unwrap_or(place(-1)), replica.leader_epoch()))
    }

    pub(super) fn offset_for_leader_epoch(
        &self,
        call: &Call,
        body: OffsetForLeaderEpochRequest,
    ) -> OffsetForLeaderEpochResponse {
        let topics = body.topics.iter().map(|topic| {
            let partitions = topic
                .partitions
                .iter()
                .map(|asked| self.epoch_end(call.node, &topic.topic, asked));
            OffsetForLeaderTopicResult::default()
                .with_topic(topic.topic.clone())
                .with_partitions(partitions.collect())
        });
        OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
    }

    fn epoch_end(
        &self,
        node: i32,
        topic: &str,
        asked: &OffsetForLeaderPartition,
    ) -> EpochEndOffset {
        let response = EpochEndOffset::default().with_partition(asked.partition);
        let found = self.topics.leading(topic, asked.partition, node);
        let found = found.and_then(|replica| {
            check_leader_epoch(asked.current_leader_epoch, replica.leader_epoch())?;
            Ok(replica
                .log
                .epochs()
                .end_of(asked.leader_epoch, replica.log.latest()))
        });
        match found {
            Ok(Some((leader_epoch, end_offset))) => response
                .with_leader_epoch(leader_epoch)
                .with_end_offset(end_offset),
            Ok(None) => response,
            Err(error) => response.with_error_code(error.code()),
        }
    }
}
