//! Fetch: whole batches from an offset on, within the limits that the reader set.
//!
//! Fetch sessions (KIP-227) are declined with session id 0, so every request names all it wants.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, PartitionData,
};
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProducerId};

use super::{Answer, Brokers, Call, Flaw, Millis};

/// Whatever a reader asks for, one reply carries at most this much beyond its first batch.
const MOST_BYTES: i32 = 55 << 20;

/// The isolation level of readers that want committed records only.
pub(super) const READ_COMMITTED: i8 = 1;

/// What a fetch gave so far.
pub(super) struct Fetched {
    pub response: FetchResponse,
    pub bytes: usize,
    /// An error is told at once, however long the reader would wait for records.
    pub failed: bool,
}

impl Brokers {
    pub(super) fn fetch(&mut self, now_ms: Millis, call: &Call, body: FetchRequest) -> Answer {
        let fetched = self.read_all(call.node, call.version, &body);
        let enough = fetched.bytes >= usize::try_from(body.min_bytes).unwrap_or(0);
        let nothing_asked = body.topics.iter().all(|topic| topic.partitions.is_empty());
        let may_wait = body.max_wait_ms > 0 && !nothing_asked && self.waiting.has_room(&body);
        if enough || fetched.failed || !may_wait {
            return fetched.response.into();
        }
        let deadline = now_ms.saturating_add(i64::from(body.max_wait_ms));
        self.waiting.add(call, deadline, body, &mut self.topics);
        Answer::Later
    }

    /// Reads what is there now for a fetch request.
    pub(super) fn read_all(&self, node: i32, version: i16, body: &FetchRequest) -> Fetched {
        let mut fetched = Fetched {
            response: FetchResponse::default(),
            bytes: 0,
            failed: false,
        };
        let committed = body.isolation_level == READ_COMMITTED;
        let mut left = body.max_bytes.clamp(0, MOST_BYTES) as usize;
        for topic in &body.topics {
            let name = self.fetched_name(version, topic);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for asked in &topic.partitions {
                // The reader must be able to get past a batch larger than its limits (KIP-74).
                let first = fetched.bytes == 0;
                let name = name.as_deref();
                let data = self.read_partition(node, name, asked, committed, left, first);
                let size = data.records.as_ref().map_or(0, |records| records.len());
                fetched.bytes += size;
                fetched.failed |= data.error_code != 0;
                left = left.saturating_sub(size);
                partitions.push(data);
            }
            fetched.response.responses.push(
                FetchableTopicResponse::default()
                    .with_topic(topic.topic.clone())
                    .with_topic_id(topic.topic_id)
                    .with_partitions(partitions),
            );
        }
        fetched
    }

    /// Returns the name of an asked topic: from version 13 on it is asked for by its id.
    pub(super) fn fetched_name(&self, version: i16, topic: &FetchTopic) -> Option<String> {
        match version {
            ..=12 => Some(topic.topic.to_string()),
            _ => self.topics.name_of(topic.topic_id).map(str::to_owned),
        }
    }

    fn read_partition(
        &self,
        node: i32,
        name: Option<&str>,
        asked: &FetchPartition,
        committed: bool,
        left: usize,
        first: bool,
    ) -> PartitionData {
        let data = PartitionData::default()
            .with_partition_index(asked.partition)
            .with_aborted_transactions(None);
        let Some(name) = name else {
            return failed(data, ResponseError::UnknownTopicId);
        };
        let replica = match self.topics.leading(name, asked.partition, node) {
            Ok(replica) => replica,
            Err(error) => return failed(data, error),
        };
        let known = asked.current_leader_epoch;
        if let Err(error) = check_leader_epoch(known, replica.leader_epoch()) {
            return failed(data, error);
        }
        let (log, high_watermark) = (&replica.log, replica.high_watermark);
        let limit = left.min(usize::try_from(asked.partition_max_bytes).unwrap_or(0));
        let stable = replica.last_stable_offset();
        let data = data
            .with_high_watermark(high_watermark)
            .with_last_stable_offset(stable)
            .with_log_start_offset(log.earliest());
        let unstable = self.has(Flaw::StableOffsetIgnored);
        let below = if committed && !unstable {
            stable
        } else {
            high_watermark
        };
        match log.read(asked.fetch_offset, below, limit, first) {
            Ok(records) if committed && !self.has(Flaw::AbortedUntold) => {
                let aborted = log.aborted_in(asked.fetch_offset, &records).into_iter();
                let aborted = aborted.map(|aborted| {
                    AbortedTransaction::default()
                        .with_producer_id(ProducerId(aborted.producer_id))
                        .with_first_offset(aborted.first_offset)
                });
                data.with_records(Some(records))
                    .with_aborted_transactions(Some(aborted.collect()))
            }
            Ok(records) => data.with_records(Some(records)),
            Err(_) => failed(data, ResponseError::OffsetOutOfRange),
        }
    }
}

/// Compares the leader epoch that a client knows with ours (KIP-320); -1 means it knows none.
pub(super) fn check_leader_epoch(known: i32, ours: i32) -> Result<(), ResponseError> {
    match known {
        -1 => Ok(()),
        known if known < ours => Err(ResponseError::FencedLeaderEpoch),
        known if known > ours => Err(ResponseError::UnknownLeaderEpoch),
        _ => Ok(()),
    }
}

fn failed(data: PartitionData, error: ResponseError) -> PartitionData {
    data.with_error_code(error.code())
        .with_records(Some(bytes::Bytes::new()))
}
