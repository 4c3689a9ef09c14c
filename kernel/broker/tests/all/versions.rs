//! Every version that is announced can be answered.

use headwater_broker::wire::frame::encode;
use headwater_broker::wire::{APIS, ApiSpec, Request, Response};
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTransaction;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::write_txn_markers_request::{
    WritableTxnMarker, WritableTxnMarkerTopic,
};
use kafka_protocol::messages::{GroupId, TopicName};

use crate::stepped::{Batch, Stepped, produce_request, text};
use crate::transactional::{TxnProducer, id_of};

/// Fills a request with enough for every part of its reply to be there.
fn filled(request: Request, version: i16) -> Request {
    let flights = TopicName(text("flights"));
    let group = GroupId(text("dashboard"));
    match request {
        Request::Produce(_) => produce_request("flights", Batch::of(&["a"]).bytes()),
        Request::Fetch(body) => {
            let partition = FetchPartition::default()
                .with_partition_max_bytes(1000)
                .with_current_leader_epoch(-1);
            let topic = FetchTopic::default()
                .with_topic(flights)
                .with_partitions(vec![partition]);
            Request::Fetch(body.with_max_bytes(1000).with_topics(vec![topic]))
        }
        Request::ListOffsets(body) => {
            let partition = ListOffsetsPartition::default().with_current_leader_epoch(-1);
            let topic = ListOffsetsTopic::default()
                .with_name(flights)
                .with_partitions(vec![partition]);
            Request::ListOffsets(body.with_topics(vec![topic]))
        }
        Request::Metadata(body) => {
            let known = MetadataRequestTopic::default().with_name(Some(flights));
            let unknown =
                MetadataRequestTopic::default().with_name(Some(TopicName(text("no such"))));
            Request::Metadata(body.with_topics(Some(vec![known, unknown])))
        }
        Request::OffsetForLeaderEpoch(body) => {
            let partition = OffsetForLeaderPartition::default().with_current_leader_epoch(-1);
            let topic = OffsetForLeaderTopic::default()
                .with_topic(flights)
                .with_partitions(vec![partition]);
            Request::OffsetForLeaderEpoch(body.with_topics(vec![topic]))
        }
        other => filled_admin(other, version, group, flights),
    }
}

fn filled_admin(request: Request, version: i16, group: GroupId, flights: TopicName) -> Request {
    match request {
        Request::CreateTopics(body) => {
            let good = CreatableTopic::default()
                .with_name(TopicName(text("new")))
                .with_num_partitions(1)
                .with_replication_factor(1);
            let bad = CreatableTopic::default()
                .with_name(flights)
                .with_num_partitions(1)
                .with_replication_factor(1);
            Request::CreateTopics(body.with_topics(vec![good, bad]))
        }
        Request::DeleteTopics(body) => {
            Request::DeleteTopics(body.with_topic_names(vec![flights, TopicName(text("nope"))]))
        }
        Request::CreatePartitions(body) => {
            let topic = CreatePartitionsTopic::default().with_name(flights);
            Request::CreatePartitions(body.with_topics(vec![topic]))
        }
        Request::DeleteRecords(body) => {
            let partition = DeleteRecordsPartition::default().with_offset(-1);
            let topic = DeleteRecordsTopic::default()
                .with_name(flights)
                .with_partitions(vec![partition]);
            Request::DeleteRecords(body.with_topics(vec![topic]))
        }
        Request::DescribeConfigs(body) => {
            let resource = |kind, name| {
                DescribeConfigsResource::default()
                    .with_resource_type(kind)
                    .with_resource_name(text(name))
            };
            let resources = vec![
                resource(2, "flights"),
                resource(4, "1"),
                resource(2, "nope"),
            ];
            Request::DescribeConfigs(body.with_resources(resources).with_include_synonyms(true))
        }
        other => filled_group(other, version, group, flights),
    }
}

fn filled_group(request: Request, version: i16, group: GroupId, flights: TopicName) -> Request {
    match request {
        Request::FindCoordinator(body) if version >= 4 => {
            Request::FindCoordinator(body.with_coordinator_keys(vec![text("dashboard")]))
        }
        Request::JoinGroup(body) => {
            let protocol = JoinGroupRequestProtocol::default().with_name(text("range"));
            Request::JoinGroup(
                body.with_group_id(group)
                    .with_session_timeout_ms(10_000)
                    .with_protocol_type(text("consumer"))
                    .with_group_instance_id((version >= 5).then(|| text("reader-1")))
                    .with_protocols(vec![protocol]),
            )
        }
        Request::LeaveGroup(body) if version >= 3 => {
            let who = MemberIdentity::default().with_member_id(text("reader-1"));
            Request::LeaveGroup(body.with_group_id(group).with_members(vec![who]))
        }
        Request::OffsetCommit(body) => {
            let partition = OffsetCommitRequestPartition::default()
                .with_committed_offset(1)
                .with_committed_leader_epoch(0);
            let topic = OffsetCommitRequestTopic::default()
                .with_name(flights)
                .with_partitions(vec![partition]);
            Request::OffsetCommit(
                body.with_group_id(group)
                    .with_generation_id_or_member_epoch(-1)
                    .with_topics(vec![topic]),
            )
        }
        Request::OffsetFetch(body) if version >= 8 => {
            let asked = OffsetFetchRequestGroup::default()
                .with_group_id(group)
                .with_topics(None);
            Request::OffsetFetch(body.with_groups(vec![asked]))
        }
        Request::OffsetFetch(body) => {
            Request::OffsetFetch(body.with_group_id(group).with_topics(None))
        }
        Request::DescribeGroups(body) => {
            Request::DescribeGroups(body.with_groups(vec![group, GroupId(text("nope"))]))
        }
        Request::DeleteGroups(body) => Request::DeleteGroups(body.with_groups_names(vec![group])),
        other => filled_transaction(other, version),
    }
}

fn filled_transaction(request: Request, version: i16) -> Request {
    let producer = TxnProducer::unstarted("copier");
    match request {
        Request::InitProducerId(body) => Request::InitProducerId(
            body.with_transactional_id(Some(id_of("copier")))
                .with_transaction_timeout_ms(1000),
        ),
        Request::AddPartitionsToTxn(_) if version < 4 => {
            Request::AddPartitionsToTxn(producer.add_request("flights", 0))
        }
        Request::AddPartitionsToTxn(body) => {
            let asked = AddPartitionsToTxnTransaction::default()
                .with_transactional_id(id_of("copier"))
                .with_topics(producer.add_request("flights", 0).v3_and_below_topics);
            Request::AddPartitionsToTxn(body.with_transactions(vec![asked]))
        }
        Request::TxnOffsetCommit(_) => {
            Request::TxnOffsetCommit(producer.offsets("dashboard", "flights", 1))
        }
        Request::WriteTxnMarkers(body) => {
            let topic = WritableTxnMarkerTopic::default()
                .with_name(TopicName(text("flights")))
                .with_partition_indexes(vec![0, 9]);
            let marker = WritableTxnMarker::default().with_topics(vec![topic]);
            Request::WriteTxnMarkers(body.with_markers(vec![marker]))
        }
        Request::DescribeProducers(body) => {
            let topic = TopicRequest::default()
                .with_name(TopicName(text("flights")))
                .with_partition_indexes(vec![0, 9]);
            Request::DescribeProducers(body.with_topics(vec![topic]))
        }
        Request::DescribeTransactions(body) => {
            let ids = vec![id_of("copier"), id_of("no such id")];
            Request::DescribeTransactions(body.with_transactional_ids(ids))
        }
        Request::OffsetDelete(body) => {
            let topic = OffsetDeleteRequestTopic::default()
                .with_name(TopicName(text("flights")))
                .with_partitions(vec![OffsetDeleteRequestPartition::default()]);
            let group = GroupId(text("dashboard"));
            Request::OffsetDelete(body.with_group_id(group).with_topics(vec![topic]))
        }
        other => other,
    }
}

/// Brokers with a topic, a record, a group and a committed offset.
fn with_everything() -> Stepped {
    let mut stepped = Stepped::with_topic();
    stepped.produce(Batch::of(&["a"]).bytes());
    TxnProducer::start(&mut stepped, "copier");
    for request in Request::empty_ones() {
        if matches!(request, Request::OffsetCommit(_) | Request::JoinGroup(_)) {
            stepped.send(5, filled(request, 5));
        }
    }
    assert_eq!(stepped.brokers.describe().groups[0].members.len(), 1);
    stepped
}

#[test]
fn every_announced_version_is_answered() {
    for empty in Request::empty_ones() {
        let spec = ApiSpec::of(empty.key()).expect("a line in the table");
        for version in spec.oldest..=spec.newest {
            for request in [empty.clone(), filled(empty.clone(), version)] {
                let mut stepped = with_everything();
                let id = stepped.send(version, request);
                stepped.pass(600_000);
                // Produce with no acks, as the empty one is, gets no reply.
                let Some(response) = stepped.replied(id) else {
                    assert_eq!(spec.name, "Produce");
                    continue;
                };
                let frame = encode(&response, version, 7);
                let frame = frame.unwrap_or_else(|why| panic!("{} {version}: {why}", spec.name));
                assert_eq!(frame[4..8], [0, 0, 0, 7]);
                assert_eq!(
                    frame.len(),
                    4 + i32::from_be_bytes(frame[..4].try_into().expect("four")) as usize
                );
            }
        }
    }
}

#[test]
fn announced_table_is_the_table_of_what_is_supported() {
    let mut stepped = Stepped::new();
    let request = Request::ApiVersions(Default::default());
    let Response::ApiVersions(body) = stepped.ask(0, request) else {
        panic!("not a table");
    };
    let announced: Vec<(i16, i16, i16)> = body
        .api_keys
        .iter()
        .map(|api| (api.api_key, api.min_version, api.max_version))
        .collect();
    let supported: Vec<(i16, i16, i16)> = APIS
        .iter()
        .map(|api| (api.key, api.oldest, api.newest))
        .collect();
    assert_eq!(announced, supported);
}
