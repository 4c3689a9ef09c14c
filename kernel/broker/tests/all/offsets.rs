//! Offsets: by place, by time, committed, out of range.

use headwater_broker::wire::{Request, Response};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{ListOffsetsRequest, TopicName};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::BaseRecord;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::clients::{
    PATIENCE, client, create_topic, flush, poll, producer, read, send, start_broker, texts,
};
use crate::stepped::{Batch, Stepped, text};

fn list(stepped: &mut Stepped, timestamp: i64) -> (i64, i64) {
    let partition = ListOffsetsPartition::default()
        .with_current_leader_epoch(-1)
        .with_timestamp(timestamp);
    let topic = ListOffsetsTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default().with_topics(vec![topic]);
    match stepped.ask(7, Request::ListOffsets(request)) {
        Response::ListOffsets(body) => {
            let found = &body.topics[0].partitions[0];
            assert_eq!(found.error_code, 0);
            (found.offset, found.timestamp)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn place_and_time_lead_to_offsets() {
    let mut stepped = Stepped::with_topic();
    stepped.produce(Batch::of(&["a", "b", "c"]).at(&[1000, 3000, 2000]).bytes());
    stepped.produce(Batch::of(&["d", "e"]).at(&[2500, 5000]).bytes());
    assert_eq!(list(&mut stepped, -2), (0, -1));
    assert_eq!(list(&mut stepped, -1), (5, -1));
    assert_eq!(list(&mut stepped, 0), (0, 1000));
    // The first record that is late enough, in the middle of a batch.
    assert_eq!(list(&mut stepped, 1500), (1, 3000));
    assert_eq!(list(&mut stepped, 3001), (4, 5000));
    assert_eq!(list(&mut stepped, 5001), (-1, -1));
    assert_eq!(list(&mut stepped, -3), (4, 5000));
}

#[test]
fn time_inside_a_compressed_batch_is_found() {
    use headwater_broker::log::codec::Codec;
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let mut stepped = Stepped::with_topic();
        let pairs = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")];
        let batch = crate::keyed::Keyed::values(&pairs).codec(codec);
        stepped.produce(batch.at(5000).bytes());
        assert_eq!(list(&mut stepped, 0), (0, 5000), "{codec:?}");
        assert_eq!(list(&mut stepped, 5002), (2, 5002), "{codec:?}");
        assert_eq!(list(&mut stepped, -3), (3, 5003), "{codec:?}");
        assert_eq!(list(&mut stepped, 5004), (-1, -1), "{codec:?}");
    }
}

#[test]
fn deleted_records_are_found_by_no_time() {
    use kafka_protocol::messages::delete_records_request as delete;
    let mut stepped = Stepped::with_topic();
    let times = [9000, 3000, 4000, 4000];
    stepped.produce(Batch::of(&["a", "b", "c", "d"]).at(&times).bytes());
    assert_eq!(list(&mut stepped, -3), (0, 9000));
    let partition = delete::DeleteRecordsPartition::default().with_offset(2);
    let topic = delete::DeleteRecordsTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request =
        kafka_protocol::messages::DeleteRecordsRequest::default().with_topics(vec![topic]);
    stepped.ask(2, Request::DeleteRecords(request));
    assert_eq!(list(&mut stepped, 0), (2, 4000));
    assert_eq!(list(&mut stepped, 5000), (-1, -1));
    // Of two with the highest timestamp that is left, the first.
    assert_eq!(list(&mut stepped, -3), (2, 4000));
}

#[test]
fn times_are_found_by_a_real_client() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let producer = producer(&client(&server));
    for second in 0..50 {
        let record = BaseRecord::<(), str>::to("flights")
            .partition(0)
            .payload("x")
            .timestamp(1_700_000_000_000 + second * 1000);
        producer.send(record).expect("room in the queue");
    }
    flush(&producer);
    let mut config = client(&server);
    let reader: BaseConsumer = config
        .set("group.id", "reader")
        .create()
        .expect("a consumer");
    let mut asked = TopicPartitionList::new();
    let time = Offset::Offset(1_700_000_020_500);
    asked
        .add_partition_offset("flights", 0, time)
        .expect("a time");
    let found = reader
        .offsets_for_times(asked, PATIENCE)
        .expect("an answer");
    assert_eq!(found.elements()[0].offset(), Offset::Offset(21));
    let watermarks = reader.fetch_watermarks("flights", 0, PATIENCE);
    assert_eq!(watermarks.expect("offsets"), (0, 50));
}

#[test]
fn reading_starts_at_any_offset() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    send(&server, "flights", &["a", "b", "c", "d"]);
    assert_eq!(
        texts(&read(&server, "flights", Offset::Beginning, 4)),
        ["a", "b", "c", "d"]
    );
    let from_two = read(&server, "flights", Offset::Offset(2), 2);
    assert_eq!(texts(&from_two), ["c", "d"]);
    assert_eq!(from_two[0].offset(), 2);
}

#[test]
fn offset_out_of_range_goes_back_to_where_the_client_says() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    send(&server, "flights", &["a", "b"]);
    assert_eq!(
        texts(&read(&server, "flights", Offset::Offset(5000), 2)),
        ["a", "b"]
    );
}

#[test]
fn committed_offset_is_where_the_next_reader_goes_on() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let values: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    send(&server, "flights", &values);
    let read_ten = || {
        let mut config = client(&server);
        config
            .set("group.id", "dashboard")
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.create().expect("a consumer");
        consumer.subscribe(&["flights"]).expect("a topic");
        let records = poll(&consumer, 10);
        let last = records.last().expect("ten records").offset();
        let mut done = TopicPartitionList::new();
        done.add_partition_offset("flights", 0, Offset::Offset(last + 1))
            .expect("an offset");
        consumer.commit(&done, CommitMode::Sync).expect("committed");
        texts(&records)
    };
    assert_eq!(read_ten(), values[..10]);
    assert_eq!(read_ten(), values[10..]);
    let groups = server.describe().groups;
    assert_eq!(
        (groups[0].group.as_str(), groups[0].state.as_str()),
        ("dashboard", "Empty")
    );
    let committed = &groups[0].committed[0];
    assert_eq!((committed.offset, committed.lag_records), (20, 0));
}

#[test]
fn partition_without_a_commit_has_no_offset() {
    let server = start_broker();
    create_topic(&server, "flights", 2);
    let mut config = client(&server);
    config
        .set("group.id", "dashboard")
        .set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut some = TopicPartitionList::new();
    some.add_partition_offset("flights", 0, Offset::Offset(12))
        .expect("an offset");
    consumer.commit(&some, CommitMode::Sync).expect("committed");
    let mut both = TopicPartitionList::new();
    both.add_partition_range("flights", 0, 1);
    let committed = consumer
        .committed_offsets(both, PATIENCE)
        .expect("an answer");
    let offsets: Vec<Offset> = committed
        .elements()
        .iter()
        .map(|one| one.offset())
        .collect();
    assert_eq!(offsets, vec![Offset::Offset(12), Offset::Invalid]);
}
