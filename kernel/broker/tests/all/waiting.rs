//! Fetches that wait, without sockets and without real time.

use headwater_broker::brokers::Input;
use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{DeleteTopicsRequest, FetchRequest, TopicName};

use crate::stepped::{Batch, Stepped, text};

fn fetch(offset: i64, min_bytes: i32, max_bytes: i32) -> Request {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_partition_max_bytes(max_bytes);
    let topic = FetchTopic::default()
        .with_topic(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_wait_ms(500)
        .with_min_bytes(min_bytes)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic]);
    Request::Fetch(request)
}

fn partition(response: Option<Response>) -> PartitionData {
    match response {
        Some(Response::Fetch(mut body)) => body.responses.remove(0).partitions.remove(0),
        other => panic!("{other:?}"),
    }
}

fn size(data: &PartitionData) -> usize {
    data.records.as_ref().map_or(0, |records| records.len())
}

#[test]
fn fetch_waits_for_a_record_and_gets_it() {
    let mut stepped = Stepped::with_topic();
    let waiting = stepped.send(11, fetch(0, 1, 1 << 20));
    assert!(stepped.reply(waiting).is_none());
    let batch = Batch::of(&["a"]).bytes();
    stepped.produce(batch.clone());
    let data = partition(stepped.reply(waiting));
    assert_eq!((size(&data), data.high_watermark), (batch.len(), 1));
}

#[test]
fn fetch_that_waits_in_vain_is_answered_at_its_deadline() {
    let mut stepped = Stepped::with_topic();
    let waiting = stepped.send(11, fetch(0, 1, 1 << 20));
    stepped.pass(499);
    assert!(stepped.reply(waiting).is_none());
    stepped.pass(1);
    let data = partition(stepped.reply(waiting));
    assert_eq!((size(&data), data.error_code), (0, 0));
}

#[test]
fn fetch_waits_until_there_is_as_much_as_it_asked_for() {
    let mut stepped = Stepped::with_topic();
    let batch = Batch::of(&["a"]).bytes();
    let waiting = stepped.send(11, fetch(0, 2 * batch.len() as i32, 1 << 20));
    stepped.produce(batch.clone());
    assert!(stepped.reply(waiting).is_none());
    stepped.produce(batch.clone());
    assert_eq!(size(&partition(stepped.reply(waiting))), 2 * batch.len());
}

#[test]
fn fetch_is_told_at_once_when_its_topic_goes() {
    let mut stepped = Stepped::with_topic();
    let waiting = stepped.send(11, fetch(0, 1, 1 << 20));
    let names = vec![TopicName(text("flights"))];
    let delete = DeleteTopicsRequest::default().with_topic_names(names);
    stepped.ask(5, Request::DeleteTopics(delete));
    let data = partition(stepped.reply(waiting));
    assert_eq!(
        data.error_code,
        ResponseError::UnknownTopicOrPartition.code()
    );
}

#[test]
fn fetch_of_a_client_that_left_is_forgotten() {
    let mut stepped = Stepped::with_topic();
    let waiting = stepped.send(11, fetch(0, 1, 1 << 20));
    stepped.step(Input::Abandoned(waiting));
    stepped.produce(Batch::of(&["a"]).bytes());
    stepped.pass(1000);
    assert!(stepped.reply(waiting).is_none());
}

#[test]
fn reply_holds_whole_batches_within_the_limit() {
    let mut stepped = Stepped::with_topic();
    let batch = Batch::of(&["a"]).bytes();
    for _ in 0..5 {
        stepped.produce(batch.clone());
    }
    let mut read = |offset, limit: usize| {
        let id = stepped.send(11, fetch(offset, 1, limit as i32));
        size(&partition(stepped.reply(id))) / batch.len()
    };
    assert_eq!(read(0, 2 * batch.len()), 2);
    assert_eq!(read(0, 3 * batch.len() - 1), 2);
    assert_eq!(read(0, 5 * batch.len()), 5);
    assert_eq!(read(3, 1 << 20), 2);
    // Less than a batch: one comes all the same.
    assert_eq!(read(4, 1), 1);
}

#[test]
fn offsets_beyond_the_log_are_out_of_range() {
    let mut stepped = Stepped::with_topic();
    stepped.produce(Batch::of(&["a"]).bytes());
    let mut error = |offset| {
        let id = stepped.send(11, fetch(offset, 1, 1 << 20));
        ResponseError::try_from_code(partition(stepped.reply(id)).error_code)
    };
    assert_eq!(error(2), Some(ResponseError::OffsetOutOfRange));
    assert_eq!(error(-1), Some(ResponseError::OffsetOutOfRange));
    assert_eq!(error(0), None);
}

#[test]
fn records_are_read_across_segments() {
    let mut stepped = Stepped::new();
    stepped.create("flights", &[("segment.bytes", "250")]);
    let batch = Batch::of(&["a", "b", "c"]).bytes();
    for _ in 0..100 {
        stepped.produce(batch.clone());
    }
    let segments = stepped.brokers.describe().topics[0].partitions[0].segments;
    assert!(segments > 20, "{segments} segments");
    let mut offset = 0;
    while offset < 300 {
        let id = stepped.send(11, fetch(offset, 1, 1 << 20));
        let records = partition(stepped.reply(id)).records.expect("records");
        let first = i64::from_be_bytes(records[..8].try_into().expect("eight bytes"));
        assert_eq!(first, offset);
        offset += (records.len() / batch.len()) as i64 * 3;
    }
    assert_eq!(offset, 300);
}
