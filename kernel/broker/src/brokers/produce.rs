//! Produce: batches are checked, given their offsets and stored.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};

use super::acks::Unacked;
use super::{Answer, Brokers, Call, Flaw, Millis, Place};
use crate::log::{BatchHeader, Records, Unreadable, Verdict};
use crate::transactions::{Admission, ProducerKey};
use crate::wire::text;

/// `acks=all`, as a number.
const ALL_IN_SYNC: i16 = -1;

/// A batch that was not stored, and why.
struct Refusal {
    error: ResponseError,
    message: Option<String>,
    /// Which records of the batch were at fault.
    records: Vec<BatchIndexAndErrorMessage>,
}

impl From<ResponseError> for Refusal {
    fn from(error: ResponseError) -> Refusal {
        Refusal {
            error,
            message: None,
            records: Vec::new(),
        }
    }
}

/// What a produce request says of its transaction.
#[derive(Debug, Clone, Copy)]
struct Transactional<'a> {
    id: Option<&'a str>,
    admission: Admission,
}

/// A batch that is in the log, now or since an earlier request.
struct Stored {
    base_offset: i64,
    earliest: i64,
    append_time_ms: i64,
    /// What the high watermark has to reach before `acks=all` may be answered, if it has not yet.
    required: Option<i64>,
}

impl Brokers {
    pub(super) fn produce(&mut self, now_ms: Millis, call: &Call, body: ProduceRequest) -> Answer {
        let admission = match call.version {
            12.. => Admission::Add,
            11 => Admission::VerifyAbortable,
            _ => Admission::Verify,
        };
        let transaction = Transactional {
            id: body.transactional_id.as_ref().map(|id| id.as_str()),
            admission,
        };
        let acks_known = matches!(body.acks, -1..=1);
        let mut unacked = Vec::new();
        let mut topics = Vec::with_capacity(body.topic_data.len());
        for topic in &body.topic_data {
            let mut partitions = Vec::with_capacity(topic.partition_data.len());
            for data in &topic.partition_data {
                let result = if acks_known {
                    self.produce_batch(now_ms, call.node, body.acks, &topic.name, data, transaction)
                } else {
                    Err(ResponseError::InvalidRequiredAcks.into())
                };
                let required = result.as_ref().ok().and_then(|stored| stored.required);
                if let Some(required) = required.filter(|_| body.acks == ALL_IN_SYNC) {
                    unacked.push(Unacked {
                        place: (topics.len(), partitions.len()),
                        topic: topic.name.to_string(),
                        partition: data.index,
                        required,
                    });
                }
                partitions.push(partition_response(data.index, result));
            }
            topics.push(
                TopicProduceResponse::default()
                    .with_name(topic.name.clone())
                    .with_partition_responses(partitions),
            );
        }
        match body.acks {
            0 => Answer::Never,
            _ if unacked.is_empty() || self.has(Flaw::AckUnreplicated) => {
                ProduceResponse::default().with_responses(topics).into()
            }
            _ => {
                let response = ProduceResponse::default().with_responses(topics);
                self.await_acks(now_ms, call, body.timeout_ms, response, unacked);
                Answer::Later
            }
        }
    }

    fn produce_batch(
        &mut self,
        now_ms: Millis,
        node: i32,
        acks: i16,
        topic_name: &str,
        data: &PartitionProduceData,
        transaction: Transactional,
    ) -> Result<Stored, Refusal> {
        let batch = data.records.as_deref().unwrap_or_default();
        let full = self.bytes_held + batch.len() as u64 > self.settings.max_bytes;
        let topic = self
            .topics
            .get_mut(topic_name)
            .ok_or(ResponseError::UnknownTopicOrPartition)?;
        let index = usize::try_from(data.index).unwrap_or(usize::MAX);
        let partition = topic
            .partitions
            .get_mut(index)
            .ok_or(ResponseError::UnknownTopicOrPartition)?;
        let replicas = partition.replicas.len();
        let replica = partition.leading(node)?;
        let unchecked = self.settings.flaw == Some(Flaw::MinInSyncIgnored);
        if acks == ALL_IN_SYNC && replicas > 1 && !unchecked {
            let needed = topic.configs.min_in_sync().min(replicas);
            if replica.known.in_sync.len() < needed {
                return Err(ResponseError::NotEnoughReplicas.into());
            }
        }
        if batch.len() > topic.configs.max_message_bytes() {
            return Err(ResponseError::MessageTooLarge.into());
        }
        let header = BatchHeader::check(batch)?;
        let compacted = topic.configs.compacts();
        if compacted {
            check_keys(batch, topic_name, data.index)?;
        }
        if header.is_transactional() {
            self.admit(now_ms, node, (topic_name, data.index), &header, transaction)?;
        }
        let topic = self.topics.get_mut(topic_name).expect("found above");
        let partition = &mut topic.partitions[index];
        let before = partition.bytes();
        let replica = partition.leading_mut(node)?;
        let append_time = topic.configs.append_time();
        let append_time_ms = if append_time { now_ms } else { -1 };
        let verdict = match (replica.log.producers.check(&header), self.settings.flaw) {
            (Ok(Verdict::Duplicate { .. }), Some(Flaw::DuplicateUnchecked)) => Verdict::Append,
            (Err(_), Some(Flaw::FenceForgotten)) => Verdict::Append,
            (verdict, _) => verdict?,
        };
        let base_offset = match verdict {
            Verdict::Duplicate { base_offset } => base_offset,
            Verdict::Append if full => return Err(self.full()),
            Verdict::Append => {
                let how = topic.configs.appending(now_ms);
                replica.log.append(batch, &header, how)
            }
        };
        let earliest = replica.log.earliest();
        let waiters = replica.appended(now_ms);
        self.bytes_held = self.bytes_held + partition.bytes() - before;
        let place = Place {
            node,
            topic: topic.id,
            partition: data.index,
        };
        if !self.has(Flaw::WaiterLost) {
            self.wake(now_ms, waiters);
        }
        let mut required = None;
        if replicas > 1 {
            self.grown(now_ms, place);
            let end = base_offset + i64::from(header.last_offset_delta) + 1;
            let replica = self.topics.replica_at(place);
            let reached = replica.is_some_and(|replica| replica.high_watermark >= end);
            required = (!reached).then_some(end);
        }
        if compacted {
            self.schedule_cleaning(now_ms);
        }
        Ok(Stored {
            base_offset,
            earliest,
            append_time_ms,
            required,
        })
    }

    /// Makes sure that a transactional batch belongs to an open transaction. Once its first batch
    /// is stored the log itself knows.
    fn admit(
        &mut self,
        now_ms: Millis,
        node: i32,
        (topic, index): (&str, i32),
        header: &BatchHeader,
        transaction: Transactional,
    ) -> Result<(), ResponseError> {
        let id = transaction.id;
        let id = id.ok_or(ResponseError::TransactionalIdAuthorizationFailed)?;
        let producers = &self.topics.leading(topic, index, node)?.log.producers;
        let producer = ProducerKey {
            id: header.producer_id,
            epoch: header.producer_epoch,
        };
        if producers.in_transaction(producer.id, producer.epoch) {
            return Ok(());
        }
        let known = producers.get(producer.id);
        let nothing_yet = known.is_none_or(|known| known.last_sequence() < 0);
        let admission = transaction.admission;
        self.admit_batch(now_ms, id, producer, (topic, index), admission)?;
        if admission == Admission::Add && nothing_yet && header.base_sequence != 0 {
            // The transaction begins an epoch: the batches before this one are on their way.
            return Err(ResponseError::OutOfOrderSequenceNumber);
        }
        Ok(())
    }

    fn full(&self) -> Refusal {
        let Brokers { bytes_held, .. } = self;
        let limit = self.settings.max_bytes;
        Refusal {
            // Not retriable, and nothing else is deleted for it: the producer hears of it at once.
            error: ResponseError::PolicyViolation,
            message: Some(format!(
                "the broker is full: {bytes_held} of {limit} bytes held; delete topics or start it with a higher max_bytes"
            )),
            records: Vec::new(),
        }
    }
}

/// Returns an error where a record has no key: nothing could ever replace it.
fn check_keys(batch: &[u8], topic: &str, partition: i32) -> Result<(), Refusal> {
    let unreadable = |Unreadable| Refusal::from(ResponseError::CorruptMessage);
    let records = Records::open(batch).map_err(unreadable)?;
    let message = format!(
        "Compacted topic cannot accept message without key in topic partition {topic}-{partition}."
    );
    let mut keyless = Vec::new();
    for (index, record) in records.iter().enumerate() {
        if record.map_err(unreadable)?.key.is_none() {
            keyless.push(
                BatchIndexAndErrorMessage::default()
                    .with_batch_index(index as i32)
                    .with_batch_index_error_message(Some(text(message.as_str()))),
            );
        }
    }
    match keyless.is_empty() {
        true => Ok(()),
        false => Err(Refusal {
            error: ResponseError::InvalidRecord,
            message: Some(message),
            records: keyless,
        }),
    }
}

fn partition_response(index: i32, result: Result<Stored, Refusal>) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(index);
    match result {
        Ok(stored) => response
            .with_base_offset(stored.base_offset)
            .with_log_append_time_ms(stored.append_time_ms)
            .with_log_start_offset(stored.earliest),
        Err(refusal) => response
            .with_error_code(refusal.error.code())
            .with_error_message(refusal.message.map(text))
            .with_record_errors(refusal.records)
            .with_base_offset(-1)
            .with_log_append_time_ms(-1)
            .with_log_start_offset(-1),
    }
}
