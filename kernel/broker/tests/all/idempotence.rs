//! Idempotent producers, checksums and the memory limit: what is stored, what is refused.

use bytes::BytesMut;
use headwater_broker::BrokerSettings;
use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, ProducerId};
use rdkafka::Message;
use rdkafka::producer::BaseRecord;
use rdkafka::topic_partition_list::Offset;

use crate::clients::{client, create_topic, flush, producer, read, start_broker, texts};
use crate::stepped::{Batch, Stepped, produce_request};

#[test]
fn repeated_batch_is_answered_as_the_first_time_and_not_stored() {
    let mut stepped = Stepped::with_topic();
    let first = Batch::of(&["a", "b", "c"]).from(1, 0, 0).bytes();
    let second = Batch::of(&["d"]).from(1, 0, 3).bytes();
    assert_eq!(stepped.produce(first.clone()).base_offset, 0);
    assert_eq!(stepped.produce(second).base_offset, 3);
    let again = stepped.produce(first);
    assert_eq!((again.error_code, again.base_offset), (0, 0));
    assert_eq!(stepped.latest(), 4);
}

#[test]
fn missing_batch_before_this_one_is_refused() {
    let mut stepped = Stepped::with_topic();
    stepped.produce(Batch::of(&["a"]).from(1, 0, 0).bytes());
    let gap = stepped.produce(Batch::of(&["z"]).from(1, 0, 7).bytes());
    let expected = ResponseError::OutOfOrderSequenceNumber.code();
    assert_eq!((gap.error_code, gap.base_offset), (expected, -1));
    assert_eq!(stepped.latest(), 1);
}

#[test]
fn newer_epoch_fences_the_older_one() {
    let mut stepped = Stepped::with_topic();
    stepped.produce(Batch::of(&["a"]).from(1, 0, 0).bytes());
    let late_start = stepped.produce(Batch::of(&["b"]).from(1, 1, 5).bytes());
    let out_of_order = ResponseError::OutOfOrderSequenceNumber.code();
    assert_eq!(late_start.error_code, out_of_order);
    assert_eq!(
        stepped
            .produce(Batch::of(&["b"]).from(1, 1, 0).bytes())
            .error_code,
        0
    );
    let fenced = stepped.produce(Batch::of(&["c"]).from(1, 0, 1).bytes());
    assert_eq!(
        fenced.error_code,
        ResponseError::InvalidProducerEpoch.code()
    );
    assert_eq!(stepped.latest(), 2);
}

#[test]
fn sequence_goes_on_at_zero_after_the_highest() {
    let mut stepped = Stepped::with_topic();
    let last = i32::MAX;
    stepped.produce(Batch::of(&["a", "b"]).from(1, 0, last - 1).bytes());
    assert_eq!(
        stepped
            .produce(Batch::of(&["c"]).from(1, 0, 0).bytes())
            .error_code,
        0
    );
    assert_eq!(stepped.latest(), 3);
}

#[test]
fn only_the_last_five_batches_are_known_again() {
    let mut stepped = Stepped::with_topic();
    for sequence in 0..6 {
        stepped.produce(Batch::of(&["a"]).from(1, 0, sequence).bytes());
    }
    let remembered = stepped.produce(Batch::of(&["a"]).from(1, 0, 1).bytes());
    assert_eq!((remembered.error_code, remembered.base_offset), (0, 1));
    let forgotten = stepped.produce(Batch::of(&["a"]).from(1, 0, 0).bytes());
    assert_eq!(
        forgotten.error_code,
        ResponseError::OutOfOrderSequenceNumber.code()
    );
}

#[test]
fn same_batch_without_a_producer_id_is_stored_twice() {
    let mut stepped = Stepped::with_topic();
    let batch = Batch::of(&["a"]).bytes();
    stepped.produce(batch.clone());
    stepped.produce(batch);
    assert_eq!(stepped.latest(), 2);
}

#[test]
fn every_idempotent_producer_gets_an_id_of_its_own() {
    let mut stepped = Stepped::new();
    let mut init =
        |request: InitProducerIdRequest| match stepped.ask(4, Request::InitProducerId(request)) {
            Response::InitProducerId(body) => (body.producer_id.0, body.producer_epoch),
            other => panic!("{other:?}"),
        };
    let none = InitProducerIdRequest::default().with_transactional_id(None);
    let first = init(none.clone());
    let second = init(none.clone());
    assert_ne!(first.0, second.0);
    // Nobody holds an id without a transactional id, so nobody is fenced with an epoch.
    let known = none
        .with_producer_id(ProducerId(first.0))
        .with_producer_epoch(first.1);
    let third = init(known);
    assert!(third.0 > second.0 && third.1 == 0, "{third:?}");
}

#[test]
fn corrupt_batches_are_refused() {
    let mut stepped = Stepped::with_topic();
    let good = Batch::of(&["a", "b"]).bytes();
    let broken = |change: fn(&mut BytesMut)| {
        let mut bytes = BytesMut::from(&good[..]);
        change(&mut bytes);
        bytes.freeze()
    };
    let error = |stepped: &mut Stepped, batch| {
        ResponseError::try_from_code(stepped.produce(batch).error_code)
    };
    let flipped = broken(|bytes| *bytes.last_mut().expect("a byte") ^= 1);
    assert_eq!(
        error(&mut stepped, flipped),
        Some(ResponseError::CorruptMessage)
    );
    let cut = good.slice(..good.len() - 3);
    assert_eq!(
        error(&mut stepped, cut),
        Some(ResponseError::CorruptMessage)
    );
    let empty = good.slice(..0);
    assert_eq!(
        error(&mut stepped, empty),
        Some(ResponseError::CorruptMessage)
    );
    let old = broken(|bytes| bytes[16] = 1);
    assert_eq!(
        error(&mut stepped, old),
        Some(ResponseError::UnsupportedForMessageFormat)
    );
    let two = [&good[..], &good[..]].concat().into();
    assert_eq!(error(&mut stepped, two), Some(ResponseError::InvalidRecord));
    let negative = broken(|bytes| bytes[8] = 0xff);
    assert_eq!(
        error(&mut stepped, negative),
        Some(ResponseError::CorruptMessage)
    );
    assert_eq!(stepped.latest(), 0);
}

#[test]
fn full_memory_refuses_and_says_what_to_do() {
    let settings = BrokerSettings {
        max_bytes: 300,
        ..BrokerSettings::default()
    };
    let mut stepped = Stepped::with(settings);
    stepped.create("flights", &[]);
    let batch = Batch::of(&["a"; 10]).bytes();
    assert_eq!(stepped.produce(batch.clone()).error_code, 0);
    assert_eq!(stepped.produce(batch.clone()).error_code, 0);
    let refused = stepped.produce(batch.clone());
    assert_eq!(refused.error_code, ResponseError::PolicyViolation.code());
    let message = refused.error_message.expect("a message").to_string();
    assert!(
        message.contains("of 300 bytes held; delete topics"),
        "{message}"
    );
    // What is there stays readable, and a deleted topic makes room.
    assert_eq!(stepped.latest(), 20);
    stepped.brokers.reset(0);
    stepped.create("flights", &[]);
    assert_eq!(stepped.produce(batch).error_code, 0);
}

#[test]
fn producing_without_acks_gets_no_reply() {
    let mut stepped = Stepped::with_topic();
    let Request::Produce(request) = produce_request("flights", Batch::of(&["a"]).bytes()) else {
        panic!("not a produce request");
    };
    stepped.send(9, Request::Produce(request.with_acks(0)));
    assert_eq!(stepped.latest(), 1);
}

#[test]
fn idempotent_client_stores_every_record_once() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let mut config = client(&server);
    config.set("enable.idempotence", "true");
    let producer = producer(&config);
    let sent: Vec<String> = (0..5000).map(|number| number.to_string()).collect();
    for value in &sent {
        let record = BaseRecord::<(), str>::to("flights").payload(value);
        producer.send(record).expect("room in the queue");
    }
    flush(&producer);
    let records = read(&server, "flights", Offset::Beginning, 5000);
    assert_eq!(texts(&records), sent);
    assert_eq!(records.last().map(Message::offset), Some(4999));
}
