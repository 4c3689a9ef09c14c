//! The inside of a log, as lessons draw it: segments, batches, index entries, lag.

use headwater_broker::LogQuery;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::{GroupId, OffsetCommitRequest, TopicName};

use crate::stepped::{Batch, Stepped, text};
use headwater_broker::wire::{Request, Response};

fn flights(most_batches: usize) -> LogQuery {
    LogQuery {
        topic: "flights".to_owned(),
        most_batches,
        ..LogQuery::default()
    }
}

#[test]
fn batches_are_shown_as_they_lie_in_the_log() {
    let mut stepped = Stepped::with_topic();
    stepped.produce(Batch::of(&["a", "b"]).at(&[5000, 7000]).bytes());
    stepped.produce(Batch::of(&["c"]).from(9, 1, 0).at(&[6000]).bytes());
    let log = stepped.brokers.inspect(&flights(10)).expect("a log");
    assert_eq!((log.node, log.segments.len(), log.batches.len()), (1, 1, 2));
    let (first, second) = (&log.batches[0], &log.batches[1]);
    assert_eq!(
        (first.base_offset, first.last_offset, first.records),
        (0, 1, 2)
    );
    assert_eq!(
        (first.base_timestamp_ms, first.max_timestamp_ms),
        (5000, 7000)
    );
    assert_eq!((first.position, first.producer_id), (0, -1));
    assert_eq!(u64::from(second.position), first.bytes);
    let producer = (
        second.producer_id,
        second.producer_epoch,
        second.base_sequence,
    );
    assert_eq!(producer, (9, 1, 0));
    assert_eq!(
        (first.codec.as_str(), first.transactional, first.control),
        ("none", false, false)
    );
    let segment = &log.segments[0];
    assert!(segment.active);
    assert_eq!((segment.base_offset, segment.end_offset), (0, 3));
    assert_eq!(segment.bytes, first.bytes + second.bytes);
    assert_eq!(segment.max_timestamp_ms, 7000);
}

#[test]
fn only_the_newest_batches_come_and_the_others_are_counted() {
    let mut stepped = Stepped::with_topic();
    for _ in 0..7 {
        stepped.produce(Batch::of(&["x"]).bytes());
    }
    let log = stepped.brokers.inspect(&flights(3)).expect("a log");
    let offsets: Vec<i64> = log.batches.iter().map(|batch| batch.base_offset).collect();
    assert_eq!((offsets, log.batches_left_out), (vec![4, 5, 6], 4));
}

#[test]
fn segments_are_closed_at_their_size_and_follow_one_another() {
    let mut stepped = Stepped::new();
    stepped.create("flights", &[("segment.bytes", "200")]);
    for _ in 0..6 {
        stepped.produce(Batch::of(&["0123456789"]).bytes());
    }
    let segments = stepped
        .brokers
        .inspect(&flights(0))
        .expect("a log")
        .segments;
    assert!(segments.len() > 1, "{segments:?}");
    for pair in segments.windows(2) {
        assert_eq!(pair[0].end_offset, pair[1].base_offset);
        assert!(!pair[0].active);
    }
    assert_eq!(
        segments.iter().map(|segment| segment.batches).sum::<u64>(),
        6
    );
}

#[test]
fn the_index_has_an_entry_for_every_interval_that_was_written() {
    let mut stepped = Stepped::with_topic();
    let value: &'static str = "0123456789".repeat(100).leak();
    for second in 0..30 {
        stepped.produce(Batch::of(&[value]).at(&[second * 1000]).bytes());
    }
    let log = stepped.brokers.inspect(&flights(100)).expect("a log");
    let index = &log.segments[0].index;
    // A batch of about 1,070 bytes: four of them pass 4,096 bytes.
    assert_eq!(index.len(), 7, "{index:?}");
    for entry in index {
        let batch = log
            .batches
            .iter()
            .find(|batch| batch.position == entry.position);
        let batch = batch.expect("an entry points at the beginning of a batch");
        assert_eq!(batch.last_offset, entry.offset);
        assert_eq!(entry.max_timestamp_ms, entry.offset * 1000);
    }
}

#[test]
fn a_log_that_is_not_there_is_none() {
    let stepped = Stepped::with_topic();
    let of = |topic: &str, partition, node| LogQuery {
        topic: topic.to_owned(),
        partition,
        node,
        most_batches: 1,
    };
    assert!(
        stepped
            .brokers
            .inspect(&of("flights", 0, Some(1)))
            .is_some()
    );
    assert!(
        stepped
            .brokers
            .inspect(&of("flights", 0, Some(2)))
            .is_none()
    );
    assert!(stepped.brokers.inspect(&of("flights", 1, None)).is_none());
    assert!(stepped.brokers.inspect(&of("trains", 0, None)).is_none());
}

#[test]
fn lag_is_told_in_records_and_in_time() {
    let mut stepped = Stepped::with_topic();
    stepped.produce(Batch::of(&["a", "b", "c"]).at(&[1000, 4000, 9500]).bytes());
    commit(&mut stepped, 1);
    let group = &stepped.brokers.describe().groups[0];
    let lag = (group.committed[0].lag_records, group.committed[0].lag_ms);
    assert_eq!(lag, (2, 5500));
    commit(&mut stepped, 3);
    let group = &stepped.brokers.describe().groups[0];
    assert_eq!(
        (group.committed[0].lag_records, group.committed[0].lag_ms),
        (0, 0)
    );
}

fn commit(stepped: &mut Stepped, offset: i64) {
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(offset);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text("readers")))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    match stepped.ask(8, Request::OffsetCommit(request)) {
        Response::OffsetCommit(body) => assert_eq!(body.topics[0].partitions[0].error_code, 0),
        other => panic!("{other:?}"),
    }
}
