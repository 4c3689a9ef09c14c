//! Offsets inside of transactions: when a group has them, and who may commit them.

use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, GroupId, JoinGroupRequest, OffsetCommitRequest, OffsetDeleteRequest,
    OffsetFetchRequest, TopicName,
};

use crate::stepped::{Stepped, text};
use crate::transactional::{Outcome, TxnProducer, commit_offsets, outcome};

const STABLE: bool = true;
const ANY: bool = false;

/// Returns what a group is told of partition 0 of `flights`: -1 for nothing.
fn committed(stepped: &mut Stepped, group: &str, stable: bool) -> Result<i64, ResponseError> {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(TopicName(text("flights")))
        .with_partition_indexes(vec![0]);
    let asked = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(text(group)))
        .with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default()
        .with_require_stable(stable)
        .with_groups(vec![asked]);
    match stepped.ask(8, Request::OffsetFetch(request)) {
        Response::OffsetFetch(body) => {
            let partition = &body.groups[0].topics[0].partitions[0];
            outcome(partition.error_code)?;
            Ok(partition.committed_offset)
        }
        other => panic!("{other:?}"),
    }
}

fn commit_plainly(stepped: &mut Stepped, group: &str, offset: i64) -> Outcome {
    let partition = OffsetCommitRequestPartition::default()
        .with_committed_offset(offset)
        .with_committed_leader_epoch(-1);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    match stepped.ask(7, Request::OffsetCommit(request)) {
        Response::OffsetCommit(body) => outcome(body.topics[0].partitions[0].error_code),
        other => panic!("{other:?}"),
    }
}

fn delete_offset(stepped: &mut Stepped, group: &str, topic: &str) -> (Outcome, Option<Outcome>) {
    let topic = OffsetDeleteRequestTopic::default()
        .with_name(TopicName(text(topic)))
        .with_partitions(vec![OffsetDeleteRequestPartition::default()]);
    let request = OffsetDeleteRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_topics(vec![topic]);
    match stepped.ask(0, Request::OffsetDelete(request)) {
        Response::OffsetDelete(body) => {
            let partition = body.topics.first().map(|topic| &topic.partitions[0]);
            let partition = partition.map(|partition| outcome(partition.error_code));
            (outcome(body.error_code), partition)
        }
        other => panic!("{other:?}"),
    }
}

/// Lets one member join a group that reads `flights`; returns its id.
fn join(stepped: &mut Stepped, group: &str) -> String {
    let mut subscription = vec![0, 0, 0, 0, 0, 1, 0, 7];
    subscription.extend_from_slice(b"flights");
    subscription.extend_from_slice(&[0xff; 4]);
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(subscription.into());
    let request = JoinGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    match stepped.ask(2, Request::JoinGroup(request)) {
        Response::JoinGroup(body) => {
            assert_eq!((body.error_code, body.generation_id), (0, 1));
            body.member_id.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn offsets_count_once_the_transaction_commits() {
    for modern in [false, true] {
        let mut stepped = Stepped::with_topic();
        let mut producer = TxnProducer::start(&mut stepped, "copier");
        producer.modern = modern;
        for (offset, commit) in [(5, false), (7, true)] {
            if !modern {
                producer.add_group(&mut stepped, "readers").expect("added");
            }
            let staged = producer.commit_offset(&mut stepped, "readers", "flights", offset);
            assert_eq!(staged, Ok(()));
            assert_eq!(committed(&mut stepped, "readers", ANY), Ok(-1));
            let unstable = committed(&mut stepped, "readers", STABLE);
            assert_eq!(unstable, Err(ResponseError::UnstableOffsetCommit));
            producer.end(&mut stepped, commit).expect("ended");
            let expected = if commit { offset } else { -1 };
            assert_eq!(committed(&mut stepped, "readers", STABLE), Ok(expected));
        }
    }
}

#[test]
fn unstable_offsets_are_told_of_in_older_versions_too() {
    let mut stepped = Stepped::with_topic();
    let producer = TxnProducer::start(&mut stepped, "copier").modern();
    let staged = producer.commit_offset(&mut stepped, "readers", "flights", 5);
    assert_eq!(staged, Ok(()));
    assert_eq!(commit_plainly(&mut stepped, "readers", 3), Ok(()));
    for (stable, expected) in [
        (ANY, Ok(())),
        (STABLE, Err(ResponseError::UnstableOffsetCommit)),
    ] {
        let request = OffsetFetchRequest::default()
            .with_require_stable(stable)
            .with_group_id(GroupId(text("readers")))
            .with_topics(None);
        let Response::OffsetFetch(body) = stepped.ask(7, Request::OffsetFetch(request)) else {
            panic!("not an answer to OffsetFetch");
        };
        assert_eq!(outcome(body.topics[0].partitions[0].error_code), expected);
    }
}

#[test]
fn last_commit_wins_whichever_way_it_came() {
    let mut stepped = Stepped::with_topic();
    let mut first = TxnProducer::start(&mut stepped, "first").modern();
    let mut second = TxnProducer::start(&mut stepped, "second").modern();
    let stage = |stepped: &mut Stepped, producer: &TxnProducer, offset| {
        let staged = producer.commit_offset(stepped, "readers", "flights", offset);
        assert_eq!(staged, Ok(()));
    };
    // A plain commit after the staged one stays.
    stage(&mut stepped, &first, 5);
    assert_eq!(commit_plainly(&mut stepped, "readers", 9), Ok(()));
    first.commit(&mut stepped).expect("committed");
    assert_eq!(committed(&mut stepped, "readers", STABLE), Ok(9));
    // Of two transactions the one that staged later wins, whichever ends later.
    stage(&mut stepped, &first, 11);
    stage(&mut stepped, &second, 12);
    second.commit(&mut stepped).expect("committed");
    first.commit(&mut stepped).expect("committed");
    assert_eq!(committed(&mut stepped, "readers", STABLE), Ok(12));
    // An aborted one wins over nothing.
    stage(&mut stepped, &first, 13);
    stage(&mut stepped, &second, 14);
    second.abort(&mut stepped).expect("aborted");
    first.commit(&mut stepped).expect("committed");
    assert_eq!(committed(&mut stepped, "readers", STABLE), Ok(13));
}

#[test]
fn offsets_outside_of_the_transaction_are_refused() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier");
    let request = producer.offsets("readers", "flights", 5);
    for (version, expected) in [
        (3, ResponseError::InvalidTxnState),
        (4, ResponseError::TransactionAbortable),
    ] {
        let refused = commit_offsets(&mut stepped, version, request.clone());
        assert_eq!(refused, Err(expected));
    }
    let old = producer.clone();
    producer.init(&mut stepped).expect("the next epoch");
    let fenced = old.commit_offset(&mut stepped, "readers", "flights", 5);
    assert_eq!(fenced, Err(ResponseError::InvalidProducerEpoch));
    let stranger = TxnProducer::unstarted("no such id").modern();
    let unknown = stranger.commit_offset(&mut stepped, "readers", "flights", 5);
    assert_eq!(unknown, Err(ResponseError::InvalidProducerIdMapping));
    let nameless = TxnProducer::unstarted("").modern();
    let refused = nameless.commit_offset(&mut stepped, "readers", "flights", 5);
    assert_eq!(refused, Err(ResponseError::InvalidRequest));
    producer.modern = true;
    let refused = producer.commit_offset(&mut stepped, "", "flights", 5);
    assert_eq!(refused, Err(ResponseError::InvalidGroupId));
    assert_eq!(
        producer.add_group(&mut stepped, ""),
        Err(ResponseError::InvalidGroupId)
    );
    let refused = producer.commit_offset(&mut stepped, "readers", "no such topic", 5);
    assert_eq!(refused, Err(ResponseError::UnknownTopicOrPartition));
    let mut request = producer.offsets("readers", "flights", 5);
    request.topics[0].partitions[0].committed_metadata = Some(text(&"x".repeat(4097)));
    let refused = commit_offsets(&mut stepped, 5, request);
    assert_eq!(refused, Err(ResponseError::OffsetMetadataTooLarge));
}

#[test]
fn member_that_lost_its_place_cannot_commit() {
    let mut stepped = Stepped::with_topic();
    let producer = TxnProducer::start(&mut stepped, "copier").modern();
    let as_member = |member: &str, generation: i32| {
        producer
            .offsets("readers", "flights", 5)
            .with_member_id(text(member))
            .with_generation_id(generation)
    };
    // A group that is not there has no generation.
    let refused = commit_offsets(&mut stepped, 5, as_member("somebody", 1));
    assert_eq!(refused, Err(ResponseError::IllegalGeneration));
    let member = join(&mut stepped, "readers");
    for (request, expected) in [
        (as_member(&member, 1), Ok(())),
        (as_member(&member, 0), Err(ResponseError::IllegalGeneration)),
        (
            as_member("somebody", 1),
            Err(ResponseError::UnknownMemberId),
        ),
        // Who does not say for whom it reads is believed.
        (as_member("", -1), Ok(())),
        (
            as_member(&member, 1).with_group_instance_id(Some(text("desk-1"))),
            Err(ResponseError::UnknownMemberId),
        ),
    ] {
        assert_eq!(commit_offsets(&mut stepped, 5, request), expected);
    }
    // Versions before 3 have no members; nor has a plain commit any business here.
    let request = producer.offsets("readers", "flights", 6);
    assert_eq!(commit_offsets(&mut stepped, 2, request), Ok(()));
}

#[test]
fn deleted_offsets_are_gone_with_those_of_open_transactions() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier").modern();
    assert_eq!(
        delete_offset(&mut stepped, "readers", "flights"),
        (Err(ResponseError::GroupIdNotFound), None)
    );
    assert_eq!(
        delete_offset(&mut stepped, "", "flights"),
        (Err(ResponseError::InvalidGroupId), None)
    );
    assert_eq!(commit_plainly(&mut stepped, "readers", 3), Ok(()));
    let staged = producer.commit_offset(&mut stepped, "readers", "flights", 5);
    assert_eq!(staged, Ok(()));
    assert_eq!(
        delete_offset(&mut stepped, "readers", "no such topic"),
        (Ok(()), Some(Err(ResponseError::UnknownTopicOrPartition)))
    );
    assert_eq!(
        delete_offset(&mut stepped, "readers", "flights"),
        (Ok(()), Some(Ok(())))
    );
    producer.commit(&mut stepped).expect("committed");
    assert_eq!(committed(&mut stepped, "readers", STABLE), Ok(-1));
}

#[test]
fn offsets_that_members_read_from_are_not_deleted() {
    let mut stepped = Stepped::with_topic();
    stepped.create("landings", &[]);
    join(&mut stepped, "readers");
    assert_eq!(
        delete_offset(&mut stepped, "readers", "flights"),
        (Ok(()), Some(Err(ResponseError::GroupSubscribedToTopic)))
    );
    assert_eq!(
        delete_offset(&mut stepped, "readers", "landings"),
        (Ok(()), Some(Ok(())))
    );
}

#[test]
fn deleted_group_takes_its_staged_offsets_along() {
    let mut stepped = Stepped::with_topic();
    let mut producer = TxnProducer::start(&mut stepped, "copier").modern();
    assert_eq!(commit_plainly(&mut stepped, "readers", 3), Ok(()));
    let staged = producer.commit_offset(&mut stepped, "readers", "flights", 5);
    assert_eq!(staged, Ok(()));
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text("readers"))]);
    let Response::DeleteGroups(body) = stepped.ask(2, Request::DeleteGroups(delete)) else {
        panic!("not an answer to DeleteGroups");
    };
    let expected = DeletableGroupResult::default().with_group_id(GroupId(text("readers")));
    assert_eq!(body.results, [expected]);
    producer.commit(&mut stepped).expect("committed");
    assert_eq!(committed(&mut stepped, "readers", STABLE), Ok(-1));
}
