//! Transactions in the core: what becomes visible when, who is fenced, what is refused.

use headwater_broker::BrokerSettings;
use kafka_protocol::ResponseError;

use crate::stepped::{Batch, Stepped};
use crate::transactional::{
    READ_COMMITTED, READ_UNCOMMITTED, TxnProducer, fetch, fetch_request, fetched, outcome,
    produce_as, values, visible,
};

fn state(stepped: &Stepped) -> String {
    stepped.brokers.describe().transactions[0].state.clone()
}

fn stable(stepped: &Stepped) -> i64 {
    stepped.brokers.describe().topics[0].partitions[0].last_stable_offset
}

/// Runs a test with the requests of librdkafka, and with those of Kafka 4's own client.
fn with_both(test: impl Fn(&mut Stepped, TxnProducer)) {
    for modern in [false, true] {
        let mut stepped = Stepped::with_topic();
        let mut producer = TxnProducer::start(&mut stepped, "copier");
        producer.modern = modern;
        test(&mut stepped, producer);
    }
}

#[test]
fn committed_records_are_seen_and_aborted_ones_are_not() {
    with_both(|stepped, mut producer| {
        producer.write(stepped, "flights", &["a", "b"]);
        producer.commit(stepped).expect("committed");
        producer.write(stepped, "flights", &["x"]);
        producer.abort(stepped).expect("aborted");
        producer.write(stepped, "flights", &["c"]);
        producer.commit(stepped).expect("committed");
        let committed = values(stepped, "flights", READ_COMMITTED);
        assert_eq!(committed, ["a", "b", "c"]);
        let all = values(stepped, "flights", READ_UNCOMMITTED);
        assert_eq!(all, ["a", "b", "x", "c"]);
        // Four records and three markers.
        assert_eq!((stepped.latest(), stable(stepped)), (7, 7));
        assert_eq!(state(stepped), "CompleteCommit");
    });
}

#[test]
fn open_transaction_holds_back_all_that_comes_after_it() {
    with_both(|stepped, mut producer| {
        stepped.produce(Batch::of(&["before"]).bytes());
        producer.write(stepped, "flights", &["open"]);
        stepped.produce(Batch::of(&["after"]).bytes());
        assert_eq!(values(stepped, "flights", READ_COMMITTED), ["before"]);
        let all = values(stepped, "flights", READ_UNCOMMITTED);
        assert_eq!(all, ["before", "open", "after"]);
        let data = fetch(stepped, "flights", READ_COMMITTED, 0);
        assert_eq!((data.high_watermark, data.last_stable_offset), (3, 1));
        // Beyond the last stable offset there is nothing yet; that is no error.
        let data = fetch(stepped, "flights", READ_COMMITTED, 2);
        assert_eq!((data.error_code, visible(&data).len()), (0, 0));
        producer.commit(stepped).expect("committed");
        let committed = values(stepped, "flights", READ_COMMITTED);
        assert_eq!(committed, ["before", "open", "after"]);
    });
}

#[test]
fn only_read_committed_is_told_of_aborted_transactions() {
    with_both(|stepped, mut producer| {
        producer.write(stepped, "flights", &["x", "y"]);
        producer.abort(stepped).expect("aborted");
        let data = fetch(stepped, "flights", READ_COMMITTED, 1);
        let aborted = data.aborted_transactions.expect("a list");
        let told: Vec<i64> = aborted.iter().map(|a| a.first_offset).collect();
        assert_eq!(told, [0]);
        let data = fetch(stepped, "flights", READ_UNCOMMITTED, 1);
        assert_eq!(data.aborted_transactions, None);
        let after = fetch(stepped, "flights", READ_COMMITTED, 3);
        assert_eq!(after.aborted_transactions, Some(vec![]));
    });
}

#[test]
fn waiting_read_committed_fetch_is_woken_by_the_end_and_not_before() {
    with_both(|stepped, mut producer| {
        let waits = stepped.send(12, fetch_request("flights", READ_COMMITTED, 0, 60_000));
        producer.write(stepped, "flights", &["a"]);
        stepped.produce(Batch::of(&["b"]).bytes());
        assert!(stepped.replied(waits).is_none(), "woken too early");
        producer.commit(stepped).expect("committed");
        let data = fetched(stepped.reply(waits).expect("woken by the marker"));
        assert_eq!(visible(&data), ["a", "b"]);
    });
}

#[test]
fn transaction_spans_topics() {
    with_both(|stepped, mut producer| {
        stepped.create("landings", &[]);
        producer.write(stepped, "flights", &["a"]);
        let (sequence, mut other) = (producer.sequence, producer.clone());
        other.sequence = 0;
        other.write(stepped, "landings", &["b"]);
        assert_eq!(values(stepped, "landings", READ_COMMITTED), [] as [&str; 0]);
        producer.sequence = sequence;
        producer.commit(stepped).expect("committed");
        assert_eq!(values(stepped, "flights", READ_COMMITTED), ["a"]);
        assert_eq!(values(stepped, "landings", READ_COMMITTED), ["b"]);
    });
}

#[test]
fn successor_aborts_the_open_transaction_and_fences_its_producer() {
    with_both(|stepped, mut old| {
        old.write(stepped, "flights", &["zombie"]);
        let mut new = TxnProducer::unstarted("copier");
        new.modern = old.modern;
        // The abort comes first; the new producer asks again, as clients do by themselves.
        let busy = new.init(stepped);
        assert_eq!(busy, Err(ResponseError::ConcurrentTransactions));
        assert_eq!(state(stepped), "CompleteAbort");
        new.init(stepped).expect("a producer id");
        assert_eq!((new.id, new.epoch), (old.id, old.epoch + 2));
        new.write(stepped, "flights", &["live"]);

        let stale = old.send(stepped, "flights", &["zombie"]);
        assert_eq!(stale, Err(ResponseError::InvalidProducerEpoch));
        let fenced = Err(ResponseError::ProducerFenced);
        assert_eq!(old.add(stepped, "flights"), fenced);
        assert_eq!(old.commit(stepped), fenced);
        assert_eq!(old.abort(stepped), fenced);
        assert_eq!(old.init_again(stepped), fenced);
        new.commit(stepped).expect("committed");
        assert_eq!(values(stepped, "flights", READ_COMMITTED), ["live"]);
    });
}

#[test]
fn older_requests_hear_of_fencing_by_its_older_name() {
    use headwater_broker::wire::{Request, Response};
    let mut stepped = Stepped::with_topic();
    let old = TxnProducer::start(&mut stepped, "copier");
    TxnProducer::start(&mut stepped, "copier");
    let request = Request::AddPartitionsToTxn(old.add_request("flights", 0));
    let Response::AddPartitionsToTxn(body) = stepped.ask(1, request) else {
        panic!("not an answer to AddPartitionsToTxn");
    };
    let result = &body.results_by_topic_v3_and_below[0].results_by_partition[0];
    let expected = ResponseError::InvalidProducerEpoch.code();
    assert_eq!(result.partition_error_code, expected);
}

#[test]
fn transaction_that_stays_open_is_aborted_and_its_producer_fenced() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::unstarted("copier");
    producer.timeout_ms = 3000;
    producer.init(&mut stepped).expect("a producer id");
    producer.write(&mut stepped, "flights", &["stuck"]);
    stepped.produce(Batch::of(&["after"]).bytes());
    let waits = stepped.send(12, fetch_request("flights", READ_COMMITTED, 0, 60_000));
    stepped.pass(2999);
    assert_eq!(state(&stepped), "Ongoing");
    assert!(stepped.replied(waits).is_none(), "freed too early");
    stepped.pass(1);
    assert_eq!(state(&stepped), "CompleteAbort");
    let data = fetched(stepped.reply(waits).expect("freed by the coordinator"));
    assert_eq!(visible(&data), ["after"]);
    let late = producer.commit(&mut stepped);
    assert_eq!(late, Err(ResponseError::ProducerFenced));
    let late = producer.send(&mut stepped, "flights", &["late"]);
    assert_eq!(late, Err(ResponseError::InvalidProducerEpoch));
}

#[test]
fn after_a_timeout_a_modern_producer_may_abort_and_go_on() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier").modern();
    producer.write(&mut stepped, "flights", &["stuck"]);
    stepped.pass(60_000);
    let late = producer.commit(&mut stepped);
    assert_eq!(late, Err(ResponseError::InvalidTxnState));
    producer.abort(&mut stepped).expect("aborted already");
    producer.write(&mut stepped, "flights", &["again"]);
    producer.commit(&mut stepped).expect("committed");
    assert_eq!(values(&mut stepped, "flights", READ_COMMITTED), ["again"]);
}

#[test]
fn timeout_begins_with_the_transaction_and_not_with_the_producer() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    stepped.pass(59_000);
    producer.write(&mut stepped, "flights", &["a"]);
    stepped.pass(59_000);
    assert_eq!(state(&stepped), "Ongoing");
    producer.commit(&mut stepped).expect("in time");
}

#[test]
fn timeout_beyond_the_limit_is_refused() {
    let mut stepped = Stepped::with(BrokerSettings {
        transaction_max_timeout_ms: 10_000,
        ..BrokerSettings::default()
    });
    for (timeout_ms, expected) in [
        (10_000, Ok(())),
        (10_001, Err(ResponseError::InvalidTransactionTimeout)),
        (0, Err(ResponseError::InvalidTransactionTimeout)),
    ] {
        let mut producer = TxnProducer::unstarted("copier");
        producer.timeout_ms = timeout_ms;
        assert_eq!(producer.init(&mut stepped), expected, "{timeout_ms} ms");
    }
}

#[test]
fn records_outside_of_the_transaction_are_refused() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    let unknown = producer.send(&mut stepped, "flights", &["not added"]);
    assert_eq!(unknown, Err(ResponseError::InvalidTxnState));
    let batch = || {
        Batch::of(&["a"])
            .from(producer.id, producer.epoch, 0)
            .in_transaction()
            .bytes()
    };
    // From version 11 on the error says that aborting helps.
    let unknown = produce_as(&mut stepped, 11, "copier", "flights", batch());
    let expected = ResponseError::TransactionAbortable.code();
    assert_eq!(unknown.error_code, expected);
    let nobody = stepped.produce(batch());
    let expected = ResponseError::TransactionalIdAuthorizationFailed.code();
    assert_eq!(nobody.error_code, expected);
    let stranger = produce_as(&mut stepped, 9, "no such id", "flights", batch());
    let expected = ResponseError::InvalidProducerIdMapping.code();
    assert_eq!(stranger.error_code, expected);
    assert_eq!(stepped.latest(), 0);
    // Inside of its transaction a producer cannot write outside of it.
    producer.write(&mut stepped, "flights", &["a"]);
    let plain = Batch::of(&["b"]).from(producer.id, producer.epoch, 1);
    let plain = stepped.produce(plain.bytes());
    let expected = ResponseError::InvalidTxnState.code();
    assert_eq!(plain.error_code, expected);
}

#[test]
fn late_batch_cannot_slip_into_the_next_transaction() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier").modern();
    producer.write(&mut stepped, "flights", &["a"]);
    let mut late = producer.clone();
    producer.commit(&mut stepped).expect("committed");
    assert_eq!((producer.epoch, producer.sequence), (late.epoch + 1, 0));
    let refused = late.send(&mut stepped, "flights", &["late"]);
    assert_eq!(refused, Err(ResponseError::InvalidProducerEpoch));
    // The epoch begins with sequence number 0, also where the first batch is lost.
    producer.sequence = 5;
    let gap = producer.send(&mut stepped, "flights", &["gap"]);
    assert_eq!(gap, Err(ResponseError::OutOfOrderSequenceNumber));
}

#[test]
fn retried_batch_of_an_open_transaction_is_stored_once() {
    with_both(|stepped, mut producer| {
        producer.write(stepped, "flights", &["a"]);
        let mut again = producer.clone();
        again.sequence = 0;
        again.send(stepped, "flights", &["a"]).expect("as before");
        producer.commit(stepped).expect("committed");
        assert_eq!(values(stepped, "flights", READ_COMMITTED), ["a"]);
    });
}

#[test]
fn ending_what_did_not_begin_is_refused() {
    let invalid = Err(ResponseError::InvalidTxnState);
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    assert_eq!(producer.commit(&mut stepped), invalid);
    assert_eq!(producer.abort(&mut stepped), invalid);
    producer.write(&mut stepped, "flights", &["a"]);
    producer.commit(&mut stepped).expect("committed");
    producer
        .commit(&mut stepped)
        .expect("a retry is answered as the first time");
    assert_eq!(producer.abort(&mut stepped), invalid);
    let mut stranger = TxnProducer::unstarted("no such id");
    let unknown = Err(ResponseError::InvalidProducerIdMapping);
    assert_eq!(stranger.commit(&mut stepped), unknown);
    let mut nameless = TxnProducer::unstarted("");
    let nameless_outcomes = [
        nameless.init(&mut stepped),
        nameless.commit(&mut stepped),
        nameless.add(&mut stepped, "flights"),
        nameless.add_group(&mut stepped, "readers"),
    ];
    assert_eq!(nameless_outcomes, [Err(ResponseError::InvalidRequest); 4]);
}

#[test]
fn retried_end_is_told_from_the_next_one_by_its_epoch() {
    let invalid = Err(ResponseError::InvalidTxnState);
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier").modern();
    assert_eq!(producer.clone().commit(&mut stepped), invalid);
    producer.abort(&mut stepped).expect("asks for an epoch");
    assert_eq!(producer.epoch, 1);
    producer.write(&mut stepped, "flights", &["a"]);
    let before = producer.clone();
    producer.commit(&mut stepped).expect("committed");
    let mut retry = before.clone();
    retry.commit(&mut stepped).expect("as the first time");
    assert_eq!((retry.id, retry.epoch), (producer.id, producer.epoch));
    assert_eq!(before.clone().abort(&mut stepped), invalid);
    assert_eq!(producer.clone().commit(&mut stepped), invalid);
    producer.abort(&mut stepped).expect("a new epoch");
    assert_eq!(producer.epoch, 3);
    let mut fenced = before;
    assert_eq!(
        fenced.commit(&mut stepped),
        Err(ResponseError::ProducerFenced)
    );
}

#[test]
fn producer_that_asks_again_gets_the_next_epoch_once() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    let first = (producer.id, producer.epoch);
    producer.init_again(&mut stepped).expect("the next epoch");
    assert_eq!((producer.id, producer.epoch), (first.0, first.1 + 1));
    // The answer got lost: the same question has the same answer.
    let mut again = producer.clone();
    again
        .init_as(&mut stepped, first)
        .expect("as the first time");
    assert_eq!(again.epoch, producer.epoch);
    let stranger = again.init_as(&mut stepped, (first.0 + 77, 0));
    assert_eq!(stranger, Err(ResponseError::ProducerFenced));
    for half in [(-1, 3), (producer.id, -1)] {
        let refused = again.init_as(&mut stepped, half);
        assert_eq!(refused, Err(ResponseError::InvalidRequest));
    }
}

#[test]
fn used_up_epochs_lead_to_a_new_producer_id() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    let first_id = producer.id;
    while producer.epoch < i16::MAX - 1 {
        producer.init_again(&mut stepped).expect("the next epoch");
    }
    assert_eq!(producer.id, first_id);
    let last = (producer.id, producer.epoch);
    producer.init_again(&mut stepped).expect("a new id");
    assert_ne!(producer.id, first_id);
    assert_eq!(producer.epoch, 0);
    let mut retry = producer.clone();
    retry
        .init_as(&mut stepped, last)
        .expect("as the first time");
    assert_eq!((retry.id, retry.epoch), (producer.id, 0));
}

#[test]
fn used_up_epochs_lead_to_a_new_producer_id_at_the_end_of_a_transaction() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier").modern();
    while producer.epoch < i16::MAX - 1 {
        producer.init_again(&mut stepped).expect("the next epoch");
    }
    producer.write(&mut stepped, "flights", &["a"]);
    let before = producer.clone();
    producer.commit(&mut stepped).expect("committed");
    assert_eq!(producer.epoch, 0);
    assert_ne!(producer.id, before.id);
    before
        .clone()
        .commit(&mut stepped)
        .expect("as the first time");
    producer.write(&mut stepped, "flights", &["b"]);
    producer.commit(&mut stepped).expect("committed");
    assert_eq!(values(&mut stepped, "flights", READ_COMMITTED), ["a", "b"]);
}

#[test]
fn fencing_works_at_the_last_epoch_too() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    while producer.epoch < i16::MAX - 1 {
        producer.init_again(&mut stepped).expect("the next epoch");
    }
    producer.write(&mut stepped, "flights", &["zombie"]);
    let mut new = TxnProducer::unstarted("copier");
    assert_eq!(
        new.init(&mut stepped),
        Err(ResponseError::ConcurrentTransactions)
    );
    new.init(&mut stepped).expect("a producer id");
    assert_ne!(new.id, producer.id);
    new.write(&mut stepped, "flights", &["live"]);
    new.commit(&mut stepped).expect("committed");
    assert_eq!(values(&mut stepped, "flights", READ_COMMITTED), ["live"]);
}

#[test]
fn id_that_nobody_uses_is_forgotten_after_a_week() {
    const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    producer.write(&mut stepped, "flights", &["a"]);
    producer.commit(&mut stepped).expect("committed");
    stepped.pass(WEEK_MS - 1);
    assert_eq!(stepped.brokers.describe().transactions.len(), 1);
    stepped.pass(1);
    assert_eq!(stepped.brokers.describe().transactions, []);
    let unknown = producer.add(&mut stepped, "flights");
    assert_eq!(unknown, Err(ResponseError::InvalidProducerIdMapping));
}

#[test]
fn transaction_with_a_deleted_topic_can_end() {
    use headwater_broker::wire::Request;
    use kafka_protocol::messages::{DeleteTopicsRequest, TopicName};
    let mut stepped = Stepped::with_topic();
    stepped.create("landings", &[]);
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    producer.write(&mut stepped, "landings", &["a"]);
    producer.add(&mut stepped, "flights").expect("added");
    let name = TopicName(crate::stepped::text("flights"));
    let delete = DeleteTopicsRequest::default().with_topic_names(vec![name]);
    stepped.ask(5, Request::DeleteTopics(delete));
    producer.commit(&mut stepped).expect("committed");
    assert_eq!(values(&mut stepped, "landings", READ_COMMITTED), ["a"]);
    assert_eq!(state(&stepped), "CompleteCommit");
}

#[test]
fn deleted_records_take_their_aborted_transactions_along() {
    use headwater_broker::wire::Request;
    use kafka_protocol::messages::delete_records_request::{
        DeleteRecordsPartition, DeleteRecordsTopic,
    };
    use kafka_protocol::messages::{DeleteRecordsRequest, TopicName};
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    producer.write(&mut stepped, "flights", &["x"]);
    producer.abort(&mut stepped).expect("aborted");
    producer.write(&mut stepped, "flights", &["open"]);
    let remembered =
        |stepped: &Stepped| stepped.brokers.describe().topics[0].partitions[0].aborted_transactions;
    assert_eq!((remembered(&stepped), stable(&stepped)), (1, 2));
    let partition = DeleteRecordsPartition::default().with_offset(3);
    let topic = DeleteRecordsTopic::default()
        .with_name(TopicName(crate::stepped::text("flights")))
        .with_partitions(vec![partition]);
    let delete = DeleteRecordsRequest::default().with_topics(vec![topic]);
    stepped.ask(2, Request::DeleteRecords(delete));
    // The open transaction lost its records; what is stable cannot lie before the first record.
    assert_eq!((remembered(&stepped), stable(&stepped)), (0, 3));
    producer.commit(&mut stepped).expect("committed");
    let outcome = outcome(fetch(&mut stepped, "flights", READ_COMMITTED, 3).error_code);
    assert_eq!(outcome, Ok(()));
}

#[test]
fn marker_is_written_even_where_memory_is_full() {
    let mut stepped = Stepped::with(BrokerSettings {
        max_bytes: 100,
        ..BrokerSettings::default()
    });
    stepped.create("flights", &[]);
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    producer.write(&mut stepped, "flights", &["a"]);
    let full = producer.send(&mut stepped, "flights", &["b"]);
    assert_eq!(full, Err(ResponseError::PolicyViolation));
    producer.commit(&mut stepped).expect("committed");
    assert_eq!(values(&mut stepped, "flights", READ_COMMITTED), ["a"]);
}
