//! Set-up for tests of the core: brokers without sockets, in a time that the test sets.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use headwater_broker::BrokerSettings;
use headwater_broker::brokers::{Brokers, Call, Change, Input, Node, RequestId};
use headwater_broker::wire::{Request, Response};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{CreateTopicsRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

/// Brokers driven by hand.
pub struct Stepped {
    pub brokers: Brokers,
    pub now_ms: i64,
    pub deadline: Option<i64>,
    /// The node that is asked.
    pub node: i32,
    /// What a disk was to be told, since the test last looked.
    pub changes: Vec<Change>,
    next_request: u64,
    replies: HashMap<RequestId, Option<Response>>,
}

impl Stepped {
    pub fn new() -> Stepped {
        Stepped::with(BrokerSettings::default())
    }

    pub fn with(settings: BrokerSettings) -> Stepped {
        Stepped::with_nodes(settings, &[None])
    }

    /// Nodes 1, 2 and so on, in these racks.
    pub fn with_nodes(settings: BrokerSettings, racks: &[Option<&str>]) -> Stepped {
        let node = |(number, rack): (u16, &Option<&str>)| Node {
            id: i32::from(number),
            host: "localhost".to_owned(),
            port: 9091 + number,
            rack: rack.map(str::to_owned),
        };
        let nodes = (1..).zip(racks).map(node).collect();
        Stepped {
            brokers: Brokers::new(settings, nodes, 7),
            node: 1,
            now_ms: 1_700_000_000_000,
            deadline: None,
            changes: Vec::new(),
            next_request: 0,
            replies: HashMap::new(),
        }
    }

    /// Brokers with one topic `flights` of one partition.
    pub fn with_topic() -> Stepped {
        let mut stepped = Stepped::new();
        stepped.create("flights", &[]);
        stepped
    }

    pub fn create(&mut self, name: &str, configs: &[(&str, &str)]) {
        use kafka_protocol::messages::create_topics_request::CreatableTopicConfig as Config;
        let configs = configs.iter().map(|(key, value)| {
            Config::default()
                .with_name(text(key))
                .with_value(Some(text(value)))
        });
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(name)))
            .with_num_partitions(1)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        match self.ask(5, Request::CreateTopics(request)) {
            Response::CreateTopics(body) => assert_eq!(body.topics[0].error_code, 0),
            other => panic!("{other:?}"),
        }
    }

    /// Sends a request; its reply may come in a later step.
    pub fn send(&mut self, version: i16, request: Request) -> RequestId {
        self.send_as("test", version, request)
    }

    pub fn send_as(&mut self, client_id: &str, version: i16, request: Request) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        let call = Call {
            id,
            node: self.node,
            version,
            client_id: client_id.to_owned(),
            client_host: "/127.0.0.1".to_owned(),
        };
        self.step(Input::Request(call, request));
        id
    }

    /// Returns the reply to a request, if there is one by now.
    pub fn reply(&mut self, id: RequestId) -> Option<Response> {
        self.replies
            .remove(&id)
            .map(|reply| reply.expect("a reply was asked for"))
    }

    /// Returns the reply to a request that may want none.
    pub fn replied(&mut self, id: RequestId) -> Option<Response> {
        self.replies.remove(&id).flatten()
    }

    /// Returns the reply to a request that is answered at once.
    pub fn ask(&mut self, version: i16, request: Request) -> Response {
        let id = self.send(version, request);
        self.reply(id).expect("an answer at once")
    }

    /// Lets time pass, with a step at each deadline on the way.
    pub fn pass(&mut self, ms: i64) {
        let end_ms = self.now_ms + ms;
        while let Some(due) = self.deadline.filter(|due| *due <= end_ms) {
            self.now_ms = self.now_ms.max(due);
            self.step(Input::Tick);
        }
        self.now_ms = end_ms;
    }

    pub fn step(&mut self, input: Input) {
        let outputs = self.brokers.step(self.now_ms, input);
        self.deadline = outputs.deadline;
        self.changes.extend(outputs.changes);
        for reply in outputs.replies {
            assert!(
                self.replies.insert(reply.to, reply.response).is_none(),
                "two replies"
            );
        }
    }

    /// Sends one batch to partition 0 of `flights`.
    pub fn produce(&mut self, batch: Bytes) -> PartitionProduceResponse {
        match self.ask(9, produce_request("flights", batch)) {
            Response::Produce(mut body) => body.responses.remove(0).partition_responses.remove(0),
            other => panic!("{other:?}"),
        }
    }

    /// Returns the offset after the last record of partition 0 of `flights`.
    pub fn latest(&self) -> i64 {
        self.brokers.describe().topics[0].partitions[0].latest
    }
}

pub fn produce_request(topic: &str, batch: Bytes) -> Request {
    let data = PartitionProduceData::default().with_records(Some(batch));
    let topic = TopicProduceData::default()
        .with_name(TopicName(text(topic)))
        .with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_acks(-1)
        .with_topic_data(vec![topic]);
    Request::Produce(request)
}

/// A batch to be built.
pub struct Batch {
    pub values: Vec<&'static str>,
    pub producer: (i64, i16),
    pub sequence: i32,
    pub transactional: bool,
    /// Timestamp of each record; the first is the batch's base.
    pub times_ms: Vec<i64>,
}

impl Batch {
    pub fn of(values: &[&'static str]) -> Batch {
        Batch {
            values: values.to_vec(),
            producer: (-1, -1),
            sequence: -1,
            transactional: false,
            times_ms: vec![1000; values.len()],
        }
    }

    /// The batch as an idempotent producer sends it.
    pub fn from(mut self, id: i64, epoch: i16, sequence: i32) -> Batch {
        self.producer = (id, epoch);
        self.sequence = sequence;
        self
    }

    /// The batch as part of a transaction.
    pub fn in_transaction(mut self) -> Batch {
        self.transactional = true;
        self
    }

    pub fn at(mut self, times_ms: &[i64]) -> Batch {
        self.times_ms = times_ms.to_vec();
        self
    }

    /// Returns the batch as bytes, with its checksum.
    pub fn bytes(&self) -> Bytes {
        let mut body = BytesMut::new();
        body.put_i16(if self.transactional { 0x10 } else { 0 });
        body.put_i32(self.values.len() as i32 - 1);
        body.put_i64(self.times_ms[0]);
        body.put_i64(self.times_ms.iter().copied().max().expect("a record"));
        body.put_i64(self.producer.0);
        body.put_i16(self.producer.1);
        body.put_i32(self.sequence);
        body.put_i32(self.values.len() as i32);
        for (number, value) in self.values.iter().enumerate() {
            let mut record = BytesMut::new();
            record.put_i8(0);
            varint(&mut record, self.times_ms[number] - self.times_ms[0]);
            varint(&mut record, number as i64);
            varint(&mut record, -1);
            varint(&mut record, value.len() as i64);
            record.put_slice(value.as_bytes());
            varint(&mut record, 0);
            varint(&mut body, record.len() as i64);
            body.put_slice(&record);
        }
        let mut batch = BytesMut::new();
        batch.put_i64(0);
        batch.put_i32(body.len() as i32 + 9);
        batch.put_i32(-1);
        batch.put_i8(2);
        batch.put_u32(crc32c::crc32c(&body));
        batch.put_slice(&body);
        batch.freeze()
    }
}

fn varint(into: &mut BytesMut, value: i64) {
    let mut bits = ((value << 1) ^ (value >> 63)) as u64;
    while bits >= 0x80 {
        into.put_u8(bits as u8 | 0x80);
        bits >>= 7;
    }
    into.put_u8(bits as u8);
}

pub fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}
