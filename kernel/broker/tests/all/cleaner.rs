//! The cleaner of compacted topics, as producers, readers and people see it.

use headwater_broker::brokers::RequestId;
use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::ProduceResponse;
use rdkafka::Message;
use rdkafka::producer::BaseRecord;
use rdkafka::topic_partition_list::Offset;

use crate::clients::{PATIENCE, client, create_topic_with, flush, producer, read, start_broker};
use crate::keyed::Keyed;
use crate::stepped::{Stepped, produce_request};

const COMPACTED: &[(&str, &str)] = &[
    ("cleanup.policy", "compact"),
    ("segment.bytes", "100"),
    ("min.cleanable.dirty.ratio", "0.01"),
];

fn with_topic(configs: &[(&str, &str)]) -> Stepped {
    let mut stepped = Stepped::new();
    stepped.create("flights", configs);
    stepped
}

fn partition(stepped: &Stepped) -> headwater_broker::PartitionDescription {
    stepped.brokers.describe().topics[0].partitions[0].clone()
}

fn write(stepped: &mut Stepped, pairs: &[(&str, &str)]) {
    let now_ms = stepped.now_ms;
    let stored = stepped.produce(Keyed::values(pairs).at(now_ms).bytes());
    assert_eq!(stored.error_code, 0);
}

#[test]
fn compacted_topic_is_cleaned_a_second_later_and_tells_of_it() {
    let mut stepped = with_topic(COMPACTED);
    for value in ["1", "2", "3", "4"] {
        write(&mut stepped, &[("a", value), ("b", value), ("c", value)]);
    }
    let before = partition(&stepped);
    assert_eq!((before.segments, before.cleanings.len()), (4, 0));
    stepped.pass(999);
    assert_eq!(partition(&stepped).cleanings, vec![]);
    stepped.pass(1);
    let after = partition(&stepped);
    let cleaning = &after.cleanings[0];
    assert_eq!((cleaning.records_before, cleaning.records_after), (9, 3));
    assert_eq!((cleaning.first_dirty, cleaning.end), (0, 9));
    assert_eq!(cleaning.at_ms, stepped.now_ms);
    assert!(cleaning.bytes_after < cleaning.bytes_before);
    assert_eq!((after.earliest, after.latest), (0, 12));
    assert_eq!(
        after.bytes,
        before.bytes - cleaning.bytes_before + cleaning.bytes_after
    );
    assert_eq!(stepped.brokers.describe().bytes_held, after.bytes);
    // Nothing is left to clean: the brokers are not woken for it again and again.
    assert!(
        stepped
            .deadline
            .is_none_or(|due| due > stepped.now_ms + 60_000)
    );
}

#[test]
fn disk_is_told_which_segments_became_one() {
    use headwater_broker::brokers::{Change, LogChange};
    let mut stepped = Stepped::with(headwater_broker::BrokerSettings {
        durable: true,
        ..Default::default()
    });
    stepped.create("flights", COMPACTED);
    for value in ["1", "2", "3", "4"] {
        write(&mut stepped, &[("a", value), ("b", value)]);
    }
    stepped.changes.clear();
    stepped.pass(1000);
    let replaced: Vec<_> = stepped
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Log(_, LogChange::Replace { from, to, bytes }) => Some((*from, *to, bytes)),
            _ => None,
        })
        .collect();
    // As many as fit into a segment of 100 bytes.
    assert_eq!(replaced.len(), 1, "{replaced:?}");
    let (from, to, bytes) = replaced[0];
    assert_eq!((from, to), (0, 6));
    let left: Vec<i64> = crate::keyed::records(bytes).iter().map(|r| r.0).collect();
    assert_eq!(left, [4, 5]);
}

#[test]
fn aborted_transactions_leave_nothing_and_open_ones_are_not_touched() {
    use rdkafka::producer::Producer;
    let server = start_broker();
    create_topic_with(&server, "flights", 1, COMPACTED);
    let transactional = |id: &str| {
        let mut config = client(&server);
        config.set("transactional.id", id);
        let producer = producer(&config);
        producer.init_transactions(PATIENCE).expect("a producer id");
        producer
    };
    let (first, open) = (transactional("first"), transactional("open"));
    let put = |producer: &rdkafka::producer::ThreadedProducer<_>, key: &str, value: &str| {
        let record = BaseRecord::to("flights")
            .partition(0)
            .key(key)
            .payload(value);
        producer.send(record).expect("room in the queue");
        flush(producer);
    };
    for (value, commit) in [
        ("1", true),
        ("aborted", false),
        ("2", true),
        ("aborted", false),
    ] {
        first.begin_transaction().expect("begun");
        put(&first, "JFK", value);
        match commit {
            true => first.commit_transaction(PATIENCE).expect("committed"),
            false => first.abort_transaction(PATIENCE).expect("aborted"),
        }
    }
    open.begin_transaction().expect("begun");
    put(&open, "LGA", "3");
    let partition = || server.describe().topics[0].partitions[0].clone();
    let stable = partition().last_stable_offset;
    // What others write meanwhile lies beyond the open transaction.
    first.begin_transaction().expect("begun");
    put(&first, "BOS", "4");
    first.commit_transaction(PATIENCE).expect("committed");
    let cleaning = crate::clients::eventually("a cleaning up to the open transaction", || {
        let last = partition().cleanings.last().cloned();
        last.filter(|last| last.end == stable)
    });
    let cleanings = partition().cleanings;
    assert_eq!(cleanings.iter().map(|c| c.aborted_removed).sum::<u64>(), 2);
    assert_eq!(cleaning.records_after, 1);
    open.commit_transaction(PATIENCE).expect("committed");
    let mut config = client(&server);
    config.set("isolation.level", "read_committed");
    let records = crate::clients::read_with(&config, "flights", Offset::Beginning, 3);
    assert_eq!(crate::clients::texts(&records), ["2", "3", "4"]);
}

#[test]
fn topic_that_deletes_is_never_cleaned() {
    let mut stepped = with_topic(&[("segment.bytes", "200")]);
    for value in ["1", "2", "3", "4"] {
        write(&mut stepped, &[("a", value), ("b", value), ("c", value)]);
    }
    stepped.pass(10_000);
    assert_eq!(partition(&stepped).cleanings, vec![]);
}

#[test]
fn topic_can_be_compacted_and_forget_by_age() {
    let both = [COMPACTED, &[("retention.ms", "5000")]].concat();
    let both: Vec<_> = both
        .into_iter()
        .map(|(name, value)| match name {
            "cleanup.policy" => (name, "compact,delete"),
            _ => (name, value),
        })
        .collect();
    let mut stepped = with_topic(&both);
    for value in ["1", "2", "3", "4"] {
        write(&mut stepped, &[("a", value), ("b", value), ("c", value)]);
    }
    stepped.pass(2000);
    assert_eq!(partition(&stepped).cleanings[0].records_after, 3);
    stepped.pass(10_000);
    assert_eq!(partition(&stepped).earliest, 12);
}

#[test]
fn segment_that_grew_for_its_time_is_closed_by_the_next_record() {
    let mut stepped = with_topic(&[
        ("cleanup.policy", "compact"),
        ("segment.ms", "500"),
        ("min.cleanable.dirty.ratio", "0.01"),
    ]);
    write(&mut stepped, &[("a", "1"), ("a", "2")]);
    stepped.pass(3000);
    assert_eq!(partition(&stepped).cleanings, vec![]);
    write(&mut stepped, &[("b", "1")]);
    stepped.pass(1000);
    assert_eq!(partition(&stepped).cleanings[0].records_removed(), 1);
}

#[test]
fn longest_lag_closes_and_cleans_a_log_that_is_hardly_dirty() {
    let mut stepped = with_topic(&[
        ("cleanup.policy", "compact"),
        ("max.compaction.lag.ms", "2000"),
        ("min.cleanable.dirty.ratio", "1.0"),
    ]);
    write(&mut stepped, &[("a", "1"), ("a", "2")]);
    stepped.pass(2000);
    write(&mut stepped, &[("b", "1")]);
    stepped.pass(1000);
    assert_eq!(partition(&stepped).cleanings[0].records_removed(), 1);
}

#[test]
fn policy_that_is_set_later_holds_for_what_is_there() {
    let mut stepped = with_topic(&[
        ("segment.bytes", "200"),
        ("min.cleanable.dirty.ratio", "0.1"),
    ]);
    for value in ["1", "2", "3", "4"] {
        write(&mut stepped, &[("a", value), ("b", value), ("c", value)]);
    }
    use kafka_protocol::messages::incremental_alter_configs_request as alter;
    let config = alter::AlterableConfig::default()
        .with_name(crate::stepped::text("cleanup.policy"))
        .with_value(Some(crate::stepped::text("compact")));
    let resource = alter::AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(crate::stepped::text("flights"))
        .with_configs(vec![config]);
    let request = kafka_protocol::messages::IncrementalAlterConfigsRequest::default()
        .with_resources(vec![resource]);
    stepped.ask(1, Request::IncrementalAlterConfigs(request));
    stepped.pass(1000);
    assert_eq!(partition(&stepped).cleanings[0].records_after, 3);
}

fn refused(stepped: &mut Stepped, id: RequestId) -> ProduceResponse {
    match stepped.reply(id) {
        Some(Response::Produce(body)) => body,
        other => panic!("{other:?}"),
    }
}

#[test]
fn record_without_a_key_is_refused_by_a_compacted_topic() {
    let mut stepped = with_topic(COMPACTED);
    for codec in ["plain", "zstd"] {
        let mut batch = Keyed::of(&[(Some("a"), Some("1")), (None, Some("2"))]);
        if codec == "zstd" {
            batch = batch.codec(headwater_broker::log::codec::Codec::Zstd);
        }
        let id = stepped.send(9, produce_request("flights", batch.bytes()));
        let body = refused(&mut stepped, id);
        let response = &body.responses[0].partition_responses[0];
        assert_eq!(response.error_code, ResponseError::InvalidRecord.code());
        let message = response.error_message.as_deref().unwrap_or_default();
        assert!(
            message.contains("without key in topic partition flights-0"),
            "{message}"
        );
        let indexes: Vec<i32> = response
            .record_errors
            .iter()
            .map(|e| e.batch_index)
            .collect();
        assert_eq!(indexes, [1], "{codec}");
        assert_eq!(stepped.latest(), 0);
    }
    // Versions that know nothing of single records are answered too.
    let keyless = Keyed::of(&[(None, Some("2"))]).bytes();
    let id = stepped.send(3, produce_request("flights", keyless));
    let body = refused(&mut stepped, id);
    let response = Response::Produce(body);
    headwater_broker::wire::frame::encode(&response, 3, 1).expect("version 3 carries it");
}

#[test]
fn real_client_reads_a_cleaned_topic_to_its_end() {
    let server = start_broker();
    create_topic_with(&server, "flights", 1, COMPACTED);
    let mut config = client(&server);
    config
        .set("linger.ms", "0")
        .set("batch.num.messages", "7")
        .set("enable.idempotence", "true");
    let producer = producer(&config);
    for number in 0..300 {
        let key = format!("k{}", number % 10);
        let value = number.to_string();
        let record = BaseRecord::to("flights")
            .partition(0)
            .key(&key)
            .payload(&value);
        producer.send(record).expect("room in the queue");
        if number % 5 == 0 {
            flush(&producer);
        }
    }
    let gone = BaseRecord::<str, str>::to("flights").partition(0).key("k3");
    producer.send(gone).expect("room in the queue");
    flush(&producer);
    let end = std::time::Instant::now() + PATIENCE;
    let cleaned = || {
        let cleanings = server.describe().topics[0].partitions[0].cleanings.clone();
        cleanings.last().is_some_and(|last| last.end > 280)
    };
    while !cleaned() {
        assert!(std::time::Instant::now() < end, "never cleaned");
        std::thread::yield_now();
    }
    // Reads on until the newest records, over all the holes; the tombstone is the last one.
    let mut records = Vec::new();
    while records
        .last()
        .is_none_or(|last: &rdkafka::message::OwnedMessage| last.offset() < 300)
    {
        let from = records
            .last()
            .map_or(Offset::Beginning, |last| Offset::Offset(last.offset() + 1));
        records.extend(read(&server, "flights", from, 1));
    }
    assert!(records.len() < 60, "{} records left of 301", records.len());
    let mut table = std::collections::BTreeMap::new();
    for record in &records {
        let key = String::from_utf8(record.key().expect("a key").to_vec()).expect("text");
        let value = record
            .payload()
            .map(|value| String::from_utf8(value.to_vec()).expect("text"));
        table.insert(key, (record.offset(), value));
    }
    for number in 290..300 {
        let expected = match number {
            293 => (300, None),
            _ => (number, Some(number.to_string())),
        };
        assert_eq!(table[&format!("k{}", number % 10)], expected);
    }
}
