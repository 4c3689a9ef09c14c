//! The requests that simulated clients send, as the real ones would.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;

use super::places::{Places, Tp};
use super::scenario::TopicPlan;
use crate::wire::{Request, text};

/// How long a fetch waits for records.
pub(super) const FETCH_WAIT_MS: i32 = 40;
/// How long a node waits for the in-sync set.
pub(super) const ACKS_WAIT_MS: i32 = 80;
pub(super) const SESSION_MS: i32 = 200;
pub(super) const REBALANCE_MS: i32 = 300;
pub(super) const TRANSACTION_MS: i32 = 400;

pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

pub(super) fn create_topic(plan: &TopicPlan) -> Request {
    let config = |name: &str, value: String| {
        CreatableTopicConfig::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
    };
    let unclean = plan.unclean_election.to_string();
    let topic = CreatableTopic::default()
        .with_name(topic_name(&plan.name))
        .with_num_partitions(plan.partitions)
        .with_replication_factor(plan.replicas)
        .with_configs(vec![
            config("min.insync.replicas", plan.min_in_sync.to_string()),
            config("unclean.leader.election.enable", unclean),
        ]);
    Request::CreateTopics(CreateTopicsRequest::default().with_topics(vec![topic]))
}

pub(super) fn produce(
    places: &Places,
    tp: Tp,
    acks: i16,
    transactional_id: Option<&str>,
    batch: Bytes,
) -> Request {
    let data = PartitionProduceData::default()
        .with_index(places.index(tp))
        .with_records(Some(batch));
    let topic = TopicProduceData::default()
        .with_name(topic_name(places.name(tp)))
        .with_partition_data(vec![data]);
    Request::Produce(
        ProduceRequest::default()
            .with_acks(acks)
            .with_timeout_ms(ACKS_WAIT_MS)
            .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
            .with_topic_data(vec![topic]),
    )
}

pub(super) fn find_coordinator(kind: i8, key: &str) -> Request {
    Request::FindCoordinator(
        FindCoordinatorRequest::default()
            .with_key(text(key))
            .with_key_type(kind),
    )
}

pub(super) fn init_producer(transactional_id: Option<&str>, id: i64, epoch: i16) -> Request {
    Request::InitProducerId(
        InitProducerIdRequest::default()
            .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
            .with_transaction_timeout_ms(TRANSACTION_MS)
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(epoch),
    )
}

pub(super) fn fetch(
    places: &Places,
    from: &[(Tp, i64)],
    epoch: impl Fn(Tp) -> i32,
    read_committed: bool,
) -> Request {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for (tp, offset) in from {
        let partition = FetchPartition::default()
            .with_partition(places.index(*tp))
            .with_current_leader_epoch(epoch(*tp))
            .with_fetch_offset(*offset)
            .with_last_fetched_epoch(-1)
            .with_log_start_offset(-1)
            .with_partition_max_bytes(1 << 20);
        let name = topic_name(places.name(*tp));
        match topics.last_mut() {
            Some(topic) if topic.topic == name => topic.partitions.push(partition),
            _ => topics.push(
                FetchTopic::default()
                    .with_topic(name)
                    .with_partitions(vec![partition]),
            ),
        }
    }
    Request::Fetch(
        FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(FETCH_WAIT_MS)
            .with_min_bytes(1)
            .with_max_bytes(1 << 20)
            .with_isolation_level(i8::from(read_committed))
            .with_session_epoch(-1)
            .with_topics(topics),
    )
}

pub(super) fn earliest(places: &Places, tp: Tp) -> Request {
    let partition = ListOffsetsPartition::default()
        .with_partition_index(places.index(tp))
        .with_current_leader_epoch(-1)
        .with_timestamp(-2);
    let topic = ListOffsetsTopic::default()
        .with_name(topic_name(places.name(tp)))
        .with_partitions(vec![partition]);
    Request::ListOffsets(
        ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(vec![topic]),
    )
}

/// A member's name for itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Membership {
    pub group: String,
    pub member: StrBytes,
    pub generation: i32,
}

pub(super) fn join(who: &Membership, topic: &str) -> Request {
    let mut subscription = BytesMut::new();
    subscription.put_i16(0);
    subscription.put_i32(1);
    put_text(&mut subscription, topic);
    subscription.put_i32(-1);
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(subscription.freeze());
    Request::JoinGroup(
        JoinGroupRequest::default()
            .with_group_id(GroupId(text(who.group.as_str())))
            .with_session_timeout_ms(SESSION_MS)
            .with_rebalance_timeout_ms(REBALANCE_MS)
            .with_member_id(who.member.clone())
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol]),
    )
}

pub(super) fn sync(who: &Membership, parts: Vec<(StrBytes, Bytes)>) -> Request {
    let assignments = parts.into_iter().map(|(member, assignment)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(member)
            .with_assignment(assignment)
    });
    Request::SyncGroup(
        SyncGroupRequest::default()
            .with_group_id(GroupId(text(who.group.as_str())))
            .with_generation_id(who.generation)
            .with_member_id(who.member.clone())
            .with_assignments(assignments.collect()),
    )
}

/// Returns an assignment as consumers write it.
pub(super) fn assignment(topic: &str, indexes: &[i32]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i16(0);
    out.put_i32(i32::from(!indexes.is_empty()));
    if !indexes.is_empty() {
        put_text(&mut out, topic);
        out.put_i32(indexes.len() as i32);
        indexes.iter().for_each(|index| out.put_i32(*index));
    }
    out.put_i32(-1);
    out.freeze()
}

fn put_text(out: &mut BytesMut, text: &str) {
    out.put_i16(text.len() as i16);
    out.put_slice(text.as_bytes());
}

pub(super) fn heartbeat(who: &Membership) -> Request {
    Request::Heartbeat(
        HeartbeatRequest::default()
            .with_group_id(GroupId(text(who.group.as_str())))
            .with_generation_id(who.generation)
            .with_member_id(who.member.clone()),
    )
}

pub(super) fn fetch_offsets(places: &Places, group: &str, topic: usize, tps: &[Tp]) -> Request {
    let indexes = tps.iter().map(|tp| places.index(*tp));
    let topic = OffsetFetchRequestTopic::default()
        .with_name(topic_name(places.topic_name(topic)))
        .with_partition_indexes(indexes.collect());
    Request::OffsetFetch(
        OffsetFetchRequest::default()
            .with_group_id(GroupId(text(group)))
            .with_require_stable(true)
            .with_topics(Some(vec![topic])),
    )
}

pub(super) fn commit_offsets(
    places: &Places,
    who: &Membership,
    topic: usize,
    offsets: &[(Tp, i64)],
    epoch: impl Fn(Tp) -> i32,
) -> Request {
    let partitions = offsets.iter().map(|(tp, offset)| {
        OffsetCommitRequestPartition::default()
            .with_partition_index(places.index(*tp))
            .with_committed_offset(*offset)
            .with_committed_leader_epoch(epoch(*tp))
            .with_committed_metadata(Some(text("")))
    });
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic_name(places.topic_name(topic)))
        .with_partitions(partitions.collect());
    Request::OffsetCommit(
        OffsetCommitRequest::default()
            .with_group_id(GroupId(text(who.group.as_str())))
            .with_generation_id_or_member_epoch(who.generation)
            .with_member_id(who.member.clone())
            .with_topics(vec![topic]),
    )
}

/// Who owns a transaction.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub transactional_id: String,
    pub producer_id: i64,
    pub epoch: i16,
}

pub(super) fn add_partitions(places: &Places, who: &Owner, tps: &[Tp]) -> Request {
    use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
    let topics = tps.iter().map(|tp| {
        AddPartitionsToTxnTopic::default()
            .with_name(topic_name(places.name(*tp)))
            .with_partitions(vec![places.index(*tp)])
    });
    Request::AddPartitionsToTxn(
        AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text(&*who.transactional_id)))
            .with_v3_and_below_producer_id(ProducerId(who.producer_id))
            .with_v3_and_below_producer_epoch(who.epoch)
            .with_v3_and_below_topics(topics.collect()),
    )
}

pub(super) fn add_offsets(who: &Owner, group: &str) -> Request {
    Request::AddOffsetsToTxn(
        AddOffsetsToTxnRequest::default()
            .with_transactional_id(TransactionalId(text(&*who.transactional_id)))
            .with_producer_id(ProducerId(who.producer_id))
            .with_producer_epoch(who.epoch)
            .with_group_id(GroupId(text(group))),
    )
}

pub(super) fn commit_in_transaction(
    places: &Places,
    who: &Owner,
    member: &Membership,
    offsets: &[(Tp, i64, i32)],
) -> Request {
    use kafka_protocol::messages::txn_offset_commit_request::{
        TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
    };
    let topics = offsets.iter().map(|(tp, offset, epoch)| {
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(places.index(*tp))
            .with_committed_offset(*offset)
            .with_committed_leader_epoch(*epoch)
            .with_committed_metadata(Some(text("")));
        TxnOffsetCommitRequestTopic::default()
            .with_name(topic_name(places.name(*tp)))
            .with_partitions(vec![partition])
    });
    Request::TxnOffsetCommit(
        TxnOffsetCommitRequest::default()
            .with_transactional_id(TransactionalId(text(&*who.transactional_id)))
            .with_group_id(GroupId(text(&*member.group)))
            .with_producer_id(ProducerId(who.producer_id))
            .with_producer_epoch(who.epoch)
            .with_generation_id(member.generation)
            .with_member_id(member.member.clone())
            .with_topics(topics.collect()),
    )
}

pub(super) fn end(who: &Owner, commit: bool) -> Request {
    Request::EndTxn(
        EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text(&*who.transactional_id)))
            .with_producer_id(ProducerId(who.producer_id))
            .with_producer_epoch(who.epoch)
            .with_committed(commit),
    )
}
