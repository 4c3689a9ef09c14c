//! Set-up for tests of transactions: a producer as the broker's core sees it.

use bytes::Bytes;
use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, FetchRequest, GroupId,
    InitProducerIdRequest, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::records::RecordBatchDecoder;

use crate::stepped::{Batch, Stepped, produce_request, text};

/// The outcome of a request: nothing, or the name of the error.
pub type Outcome = Result<(), ResponseError>;

/// A transactional producer: `id` and `epoch` as the coordinator gave them.
#[derive(Debug, Clone)]
pub struct TxnProducer {
    pub name: &'static str,
    pub id: i64,
    pub epoch: i16,
    pub sequence: i32,
    pub timeout_ms: i32,
    /// With the requests of KIP-890: partitions are added by the broker, epochs by EndTxn.
    pub modern: bool,
}

pub fn outcome(code: i16) -> Outcome {
    match code {
        0 => Ok(()),
        code => Err(ResponseError::try_from_code(code).expect("a known error")),
    }
}

pub fn id_of(name: &str) -> TransactionalId {
    TransactionalId(text(name))
}

impl TxnProducer {
    /// Takes the transactional id.
    pub fn start(stepped: &mut Stepped, name: &'static str) -> TxnProducer {
        let mut producer = TxnProducer::unstarted(name);
        producer.init(stepped).expect("a producer id");
        producer
    }

    pub fn unstarted(name: &'static str) -> TxnProducer {
        TxnProducer {
            name,
            id: -1,
            epoch: -1,
            sequence: 0,
            timeout_ms: 60_000,
            modern: false,
        }
    }

    pub fn modern(mut self) -> TxnProducer {
        self.modern = true;
        self
    }

    /// Takes the id as a producer that had none before.
    pub fn init(&mut self, stepped: &mut Stepped) -> Outcome {
        self.init_as(stepped, (-1, -1))
    }

    /// Takes the id as the producer it was (KIP-360).
    pub fn init_again(&mut self, stepped: &mut Stepped) -> Outcome {
        self.init_as(stepped, (self.id, self.epoch))
    }

    pub fn init_as(&mut self, stepped: &mut Stepped, known: (i64, i16)) -> Outcome {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(id_of(self.name)))
            .with_transaction_timeout_ms(self.timeout_ms)
            .with_producer_id(ProducerId(known.0))
            .with_producer_epoch(known.1);
        let Response::InitProducerId(body) = stepped.ask(5, Request::InitProducerId(request))
        else {
            panic!("not an answer to InitProducerId");
        };
        outcome(body.error_code)?;
        (self.id, self.epoch) = (body.producer_id.0, body.producer_epoch);
        self.sequence = 0;
        Ok(())
    }

    /// Adds partition 0 of a topic.
    pub fn add(&self, stepped: &mut Stepped, topic: &str) -> Outcome {
        let request = self.add_request(topic, 0);
        match stepped.ask(3, Request::AddPartitionsToTxn(request)) {
            Response::AddPartitionsToTxn(body) => {
                let topic = &body.results_by_topic_v3_and_below[0];
                outcome(topic.results_by_partition[0].partition_error_code)
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn add_request(&self, topic: &str, partition: i32) -> AddPartitionsToTxnRequest {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partitions(vec![partition]);
        AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(id_of(self.name))
            .with_v3_and_below_producer_id(ProducerId(self.id))
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(vec![topic])
    }

    /// Sends one batch to partition 0 of a topic, as the open transaction's next.
    pub fn send(&mut self, stepped: &mut Stepped, topic: &str, values: &[&'static str]) -> Outcome {
        let batch = Batch::of(values)
            .from(self.id, self.epoch, self.sequence)
            .in_transaction();
        let version = if self.modern { 12 } else { 9 };
        let result = produce_as(stepped, version, self.name, topic, batch.bytes());
        outcome(result.error_code)?;
        self.sequence += values.len() as i32;
        Ok(())
    }

    /// Adds the topic where the producer has to, and sends.
    pub fn write(&mut self, stepped: &mut Stepped, topic: &str, values: &[&'static str]) {
        if !self.modern {
            self.add(stepped, topic).expect("added");
        }
        self.send(stepped, topic, values).expect("stored");
    }

    pub fn add_group(&self, stepped: &mut Stepped, group: &str) -> Outcome {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(id_of(self.name))
            .with_producer_id(ProducerId(self.id))
            .with_producer_epoch(self.epoch)
            .with_group_id(GroupId(text(group)));
        match stepped.ask(3, Request::AddOffsetsToTxn(request)) {
            Response::AddOffsetsToTxn(body) => outcome(body.error_code),
            other => panic!("{other:?}"),
        }
    }

    /// An offset for partition 0 of a topic, from a producer that reads for nobody in particular.
    pub fn offsets(&self, group: &str, topic: &str, offset: i64) -> TxnOffsetCommitRequest {
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_committed_offset(offset)
            .with_committed_leader_epoch(-1)
            .with_committed_metadata(Some(text("")));
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partitions(vec![partition]);
        TxnOffsetCommitRequest::default()
            .with_transactional_id(id_of(self.name))
            .with_producer_id(ProducerId(self.id))
            .with_producer_epoch(self.epoch)
            .with_group_id(GroupId(text(group)))
            .with_generation_id(-1)
            .with_topics(vec![topic])
    }

    pub fn commit_offset(
        &self,
        stepped: &mut Stepped,
        group: &str,
        topic: &str,
        offset: i64,
    ) -> Outcome {
        let version = if self.modern { 5 } else { 3 };
        commit_offsets(stepped, version, self.offsets(group, topic, offset))
    }

    pub fn commit(&mut self, stepped: &mut Stepped) -> Outcome {
        self.end(stepped, true)
    }

    pub fn abort(&mut self, stepped: &mut Stepped) -> Outcome {
        self.end(stepped, false)
    }

    pub fn end(&mut self, stepped: &mut Stepped, commit: bool) -> Outcome {
        let request = EndTxnRequest::default()
            .with_transactional_id(id_of(self.name))
            .with_producer_id(ProducerId(self.id))
            .with_producer_epoch(self.epoch)
            .with_committed(commit);
        let version = if self.modern { 5 } else { 3 };
        let Response::EndTxn(body) = stepped.ask(version, Request::EndTxn(request)) else {
            panic!("not an answer to EndTxn");
        };
        outcome(body.error_code)?;
        if self.modern {
            if (self.id, self.epoch) != (body.producer_id.0, body.producer_epoch) {
                self.sequence = 0;
            }
            (self.id, self.epoch) = (body.producer_id.0, body.producer_epoch);
        }
        Ok(())
    }
}

pub fn commit_offsets(
    stepped: &mut Stepped,
    version: i16,
    request: TxnOffsetCommitRequest,
) -> Outcome {
    match stepped.ask(version, Request::TxnOffsetCommit(request)) {
        Response::TxnOffsetCommit(body) => outcome(body.topics[0].partitions[0].error_code),
        other => panic!("{other:?}"),
    }
}

/// Sends a batch in the name of a transactional id.
pub fn produce_as(
    stepped: &mut Stepped,
    version: i16,
    name: &str,
    topic: &str,
    batch: Bytes,
) -> PartitionProduceResponse {
    let Request::Produce(request) = produce_request(topic, batch) else {
        panic!("not a produce request");
    };
    let request = request.with_transactional_id(Some(id_of(name)));
    match stepped.ask(version, Request::Produce(request)) {
        Response::Produce(mut body) => body.responses.remove(0).partition_responses.remove(0),
        other => panic!("{other:?}"),
    }
}

pub const READ_UNCOMMITTED: i8 = 0;
pub const READ_COMMITTED: i8 = 1;

/// A fetch of partition 0 of a topic.
pub fn fetch_request(topic: &str, isolation: i8, offset: i64, max_wait_ms: i32) -> Request {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default()
        .with_topic(TopicName(text(topic)))
        .with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_min_bytes(1)
        .with_max_wait_ms(max_wait_ms)
        .with_isolation_level(isolation)
        .with_topics(vec![topic]);
    Request::Fetch(request)
}

pub fn fetched(response: Response) -> PartitionData {
    match response {
        Response::Fetch(mut body) => body.responses.remove(0).partitions.remove(0),
        other => panic!("{other:?}"),
    }
}

/// Fetches what is there now.
pub fn fetch(stepped: &mut Stepped, topic: &str, isolation: i8, offset: i64) -> PartitionData {
    fetched(stepped.ask(12, fetch_request(topic, isolation, offset, 0)))
}

/// Returns the values that an application sees of partition 0 of a topic: control records are
/// left out, and for read_committed those of aborted transactions, as every client does.
pub fn values(stepped: &mut Stepped, topic: &str, isolation: i8) -> Vec<String> {
    let data = fetch(stepped, topic, isolation, 0);
    outcome(data.error_code).expect("records");
    visible(&data)
}

/// As `values`, of one reply.
pub fn visible(data: &PartitionData) -> Vec<String> {
    let mut pending = data.aborted_transactions.clone().unwrap_or_default();
    pending.sort_by_key(|aborted| aborted.first_offset);
    let mut pending = pending.into_iter().peekable();
    let mut aborting = std::collections::BTreeSet::new();
    let mut bytes = data.records.clone().unwrap_or_default();
    let mut values = Vec::new();
    for set in RecordBatchDecoder::decode_all(&mut bytes).expect("whole batches") {
        for record in set.records {
            while pending
                .peek()
                .is_some_and(|aborted| aborted.first_offset <= record.offset)
            {
                aborting.insert(pending.next().expect("peeked").producer_id.0);
            }
            if record.control {
                aborting.remove(&record.producer_id);
            } else if !record.transactional || !aborting.contains(&record.producer_id) {
                let value = record.value.unwrap_or_default();
                values.push(String::from_utf8_lossy(&value).into_owned());
            }
        }
    }
    values
}
