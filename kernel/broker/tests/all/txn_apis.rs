//! Looking at transactions from outside: lists, descriptions, markers by hand, verification.

use headwater_broker::wire::{Request, Response};
use headwater_broker::{ProducerDescription, TopicPartition, TransactionDescription};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::write_txn_markers_request::{
    WritableTxnMarker, WritableTxnMarkerTopic,
};
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, DescribeProducersRequest, DescribeTransactionsRequest,
    ListTransactionsRequest, ProducerId, TopicName, WriteTxnMarkersRequest,
};

use crate::stepped::{Stepped, text};
use crate::transactional::{Outcome, READ_COMMITTED, TxnProducer, id_of, outcome, values};

fn list(stepped: &mut Stepped, request: ListTransactionsRequest) -> (Vec<String>, Vec<String>) {
    match stepped.ask(1, Request::ListTransactions(request)) {
        Response::ListTransactions(body) => {
            assert_eq!(body.error_code, 0);
            let states = body.transaction_states.iter();
            let listed = states.map(|t| format!("{} {}", *t.transactional_id, t.transaction_state));
            let unknown = body.unknown_state_filters.iter();
            (listed.collect(), unknown.map(|s| s.to_string()).collect())
        }
        other => panic!("{other:?}"),
    }
}

fn describe(stepped: &mut Stepped, id: &str) -> Result<TransactionState, ResponseError> {
    let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![id_of(id)]);
    match stepped.ask(0, Request::DescribeTransactions(request)) {
        Response::DescribeTransactions(mut body) => {
            let state = body.transaction_states.remove(0);
            outcome(state.error_code).map(|()| state)
        }
        other => panic!("{other:?}"),
    }
}

fn write_marker(stepped: &mut Stepped, producer: &TxnProducer, coordinator_epoch: i32) -> Outcome {
    let topic = WritableTxnMarkerTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partition_indexes(vec![0]);
    let marker = WritableTxnMarker::default()
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_coordinator_epoch(coordinator_epoch)
        .with_transaction_result(false)
        .with_topics(vec![topic]);
    let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
    match stepped.ask(1, Request::WriteTxnMarkers(request)) {
        Response::WriteTxnMarkers(body) => {
            outcome(body.markers[0].topics[0].partitions[0].error_code)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn transactions_are_listed_by_state_producer_and_age() {
    let mut stepped = Stepped::with_topic();
    let mut first = TxnProducer::start(&mut stepped, "first");
    TxnProducer::start(&mut stepped, "second");
    first.write(&mut stepped, "flights", &["a"]);
    stepped.pass(1000);
    let all = ListTransactionsRequest::default();
    let (listed, unknown) = list(&mut stepped, all.clone());
    assert_eq!(listed, ["first Ongoing", "second Empty"]);
    assert_eq!(unknown, [] as [&str; 0]);
    let by_state = all
        .clone()
        .with_state_filters(vec![text("Empty"), text("Lost"), text("Dead")]);
    let (listed, unknown) = list(&mut stepped, by_state);
    assert_eq!(
        (listed, unknown),
        (vec!["second Empty".into()], vec!["Lost".into()])
    );
    let by_producer = all
        .clone()
        .with_producer_id_filters(vec![ProducerId(first.id)]);
    assert_eq!(list(&mut stepped, by_producer).0, ["first Ongoing"]);
    let old = all.clone().with_duration_filter(999);
    assert_eq!(list(&mut stepped, old).0, ["first Ongoing"]);
    let older = all.with_duration_filter(1000);
    assert_eq!(list(&mut stepped, older).0, [] as [&str; 0]);
}

#[test]
fn transaction_is_described_with_its_partitions() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    producer.write(&mut stepped, "flights", &["a"]);
    let described = describe(&mut stepped, "copier").expect("known");
    assert_eq!(described.transaction_state.as_str(), "Ongoing");
    assert_eq!(described.producer_id.0, producer.id);
    assert_eq!(described.producer_epoch, producer.epoch);
    assert_eq!(described.transaction_timeout_ms, 60_000);
    assert_eq!(described.transaction_start_time_ms, stepped.now_ms);
    assert_eq!(described.topics[0].topic.as_str(), "flights");
    assert_eq!(described.topics[0].partitions, [0]);
    let unknown = describe(&mut stepped, "no such id");
    assert_eq!(unknown, Err(ResponseError::TransactionalIdNotFound));
    let nameless = describe(&mut stepped, "");
    assert_eq!(nameless, Err(ResponseError::InvalidRequest));
}

#[test]
fn producers_of_a_partition_are_described() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    producer.write(&mut stepped, "flights", &["a", "b"]);
    let topic = TopicRequest::default()
        .with_name(TopicName(text("flights")))
        .with_partition_indexes(vec![0, 9]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let Response::DescribeProducers(body) = stepped.ask(0, Request::DescribeProducers(request))
    else {
        panic!("not an answer to DescribeProducers");
    };
    let partitions = &body.topics[0].partitions;
    let active = &partitions[0].active_producers[0];
    assert_eq!(active.producer_id.0, producer.id);
    assert_eq!((active.last_sequence, active.last_timestamp), (1, 1000));
    assert_eq!(
        (active.coordinator_epoch, active.current_txn_start_offset),
        (-1, 0)
    );
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(partitions[1].error_code, unknown);
}

#[test]
fn cluster_describes_transactions_and_what_they_hold_back() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    producer.write(&mut stepped, "flights", &["a"]);
    producer.add_group(&mut stepped, "readers").expect("added");
    let described = stepped.brokers.describe();
    let flights = TopicPartition {
        topic: "flights".to_owned(),
        partition: 0,
    };
    let expected = TransactionDescription {
        transactional_id: "copier".to_owned(),
        state: "Ongoing".to_owned(),
        producer_id: producer.id,
        epoch: 0,
        partitions: vec![flights],
        groups: vec!["readers".to_owned()],
        started_ms: stepped.now_ms,
        timeout_ms: 60_000,
    };
    assert_eq!(described.transactions, [expected]);
    let partition = &described.topics[0].partitions[0];
    let expected = ProducerDescription {
        producer_id: producer.id,
        epoch: 0,
        last_sequence: 0,
        last_timestamp_ms: 1000,
        open_since: Some(0),
    };
    assert_eq!(partition.producers, [expected]);
    assert_eq!((partition.last_stable_offset, partition.latest), (0, 1));
}

#[test]
fn transaction_that_hangs_can_be_ended_by_hand() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    producer.write(&mut stepped, "flights", &["hangs"]);
    assert_eq!(write_marker(&mut stepped, &producer, 5), Ok(()));
    assert_eq!(
        values(&mut stepped, "flights", READ_COMMITTED),
        [] as [&str; 0]
    );
    let partition = &stepped.brokers.describe().topics[0].partitions[0];
    assert_eq!((partition.last_stable_offset, partition.latest), (2, 2));
    let outdated = write_marker(&mut stepped, &producer, 4);
    assert_eq!(outdated, Err(ResponseError::TransactionCoordinatorFenced));
    producer.epoch = -1;
    let fenced = write_marker(&mut stepped, &producer, 5);
    assert_eq!(fenced, Err(ResponseError::InvalidProducerEpoch));
}

#[test]
fn unknown_partition_keeps_the_others_out_too() {
    let mut stepped = Stepped::with_topic();
    let producer = TxnProducer::start(&mut stepped, "copier");
    let mut request = producer.add_request("flights", 0);
    request.v3_and_below_topics[0].partitions.push(9);
    let Response::AddPartitionsToTxn(body) = stepped.ask(3, Request::AddPartitionsToTxn(request))
    else {
        panic!("not an answer to AddPartitionsToTxn");
    };
    let results = &body.results_by_topic_v3_and_below[0].results_by_partition;
    let results: Vec<Outcome> = results
        .iter()
        .map(|result| outcome(result.partition_error_code))
        .collect();
    let expected = [
        Err(ResponseError::OperationNotAttempted),
        Err(ResponseError::UnknownTopicOrPartition),
    ];
    assert_eq!(results, expected);
    assert_eq!(stepped.brokers.describe().transactions[0].state, "Empty");
}

#[test]
fn broker_can_ask_whether_a_partition_was_added() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    let verify = |stepped: &mut Stepped, producer: &TxnProducer, verify_only: bool| {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text("flights")))
            .with_partitions(vec![0]);
        let transaction = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(id_of(producer.name))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_verify_only(verify_only)
            .with_topics(vec![topic]);
        let request = AddPartitionsToTxnRequest::default().with_transactions(vec![transaction]);
        match stepped.ask(5, Request::AddPartitionsToTxn(request)) {
            Response::AddPartitionsToTxn(body) => {
                let topic = &body.results_by_transaction[0].topic_results[0];
                outcome(topic.results_by_partition[0].partition_error_code)
            }
            other => panic!("{other:?}"),
        }
    };
    let missing = verify(&mut stepped, &producer, true);
    assert_eq!(missing, Err(ResponseError::TransactionAbortable));
    assert_eq!(verify(&mut stepped, &producer, false), Ok(()));
    assert_eq!(verify(&mut stepped, &producer, true), Ok(()));
    producer.epoch += 1;
    let fenced = verify(&mut stepped, &producer, true);
    assert_eq!(fenced, Err(ResponseError::ProducerFenced));
}
