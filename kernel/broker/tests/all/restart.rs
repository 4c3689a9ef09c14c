//! What a cluster is after a restart: the same.

use headwater_broker::brokers::{Brokers, Change, Input, Place, Stored};
use headwater_broker::wire::{Request, Response};
use headwater_broker::{ClusterDescription, Flush};
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::*;
use proptest::prelude::*;

use crate::on_disk::{OnDisk, node, settings};
use crate::stepped::{Batch, Stepped, text};
use crate::transactional::{READ_COMMITTED, TxnProducer, values};

/// Something that a client does.
#[derive(Debug, Clone)]
enum Deed {
    Produce {
        records: usize,
        producer: Option<i64>,
    },
    Commit {
        group: u8,
        offset: i64,
    },
    Join {
        group: u8,
    },
    Leave {
        group: u8,
    },
    DeleteRecords(i64),
    Configure {
        retention_ms: i64,
    },
    Pass(i64),
    Reset,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        8 => (1..4usize, prop::option::of(1..3i64))
            .prop_map(|(records, producer)| Deed::Produce { records, producer }),
        3 => (0..2u8, 0..20i64).prop_map(|(group, offset)| Deed::Commit { group, offset }),
        2 => (2..4u8).prop_map(|group| Deed::Join { group }),
        1 => (2..4u8).prop_map(|group| Deed::Leave { group }),
        1 => (0..20i64).prop_map(Deed::DeleteRecords),
        1 => (1..100_000i64).prop_map(|retention_ms| Deed::Configure { retention_ms }),
        2 => (1..20_000i64).prop_map(Deed::Pass),
        1 => Just(Deed::Reset),
    ];
    prop::collection::vec(deed, 0..40)
}

/// Does deeds, and remembers what the next ones need.
#[derive(Default)]
struct Doer {
    sequences: [i32; 3],
    members: std::collections::BTreeMap<u8, String>,
}

impl Doer {
    fn run(&mut self, stepped: &mut Stepped, deed: &Deed) {
        match deed {
            Deed::Produce { records, producer } => {
                let values = ["a value that is not short", "another", "a third"];
                let mut batch = Batch::of(&values[..*records]);
                batch.times_ms = vec![stepped.now_ms; *records];
                if let Some(id) = *producer {
                    let sequence = &mut self.sequences[id as usize];
                    batch = batch.from(id, 0, *sequence);
                    *sequence += *records as i32;
                }
                stepped.produce(batch.bytes());
            }
            Deed::Commit { group, offset } => commit(stepped, &name(*group), *offset),
            Deed::Join { group } => self.join(stepped, *group),
            Deed::Leave { group } => {
                if let Some(member) = self.members.remove(group) {
                    let request = LeaveGroupRequest::default()
                        .with_group_id(GroupId(text(&name(*group))))
                        .with_member_id(text(&member));
                    stepped.ask(2, Request::LeaveGroup(request));
                }
            }
            Deed::DeleteRecords(offset) => {
                let partition = DeleteRecordsPartition::default()
                    .with_partition_index(0)
                    .with_offset(*offset);
                let topic = DeleteRecordsTopic::default()
                    .with_name(TopicName(text("flights")))
                    .with_partitions(vec![partition]);
                let request = DeleteRecordsRequest::default().with_topics(vec![topic]);
                stepped.ask(1, Request::DeleteRecords(request));
            }
            Deed::Configure { retention_ms } => configure(stepped, *retention_ms),
            Deed::Pass(ms) => stepped.pass(*ms),
            Deed::Reset => {
                let outputs = stepped.brokers.reset(stepped.now_ms);
                stepped.changes.extend(outputs.changes);
                self.members.clear();
                self.sequences = [0; 3];
                stepped.create("flights", &[("segment.bytes", "300")]);
            }
        }
    }

    fn join(&mut self, stepped: &mut Stepped, group: u8) {
        let member = self.members.get(&group).cloned().unwrap_or_default();
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(text("range"))
            .with_metadata(bytes::Bytes::from_static(&[0, 1, 0, 0, 0, 0, 0, 0]));
        let request = JoinGroupRequest::default()
            .with_group_id(GroupId(text(&name(group))))
            .with_session_timeout_ms(30_000)
            .with_rebalance_timeout_ms(30_000)
            .with_member_id(text(&member))
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol]);
        let id = stepped.send(3, Request::JoinGroup(request));
        if let Some(Response::JoinGroup(body)) = stepped.reply(id) {
            if body.error_code == 0 {
                self.members.insert(group, body.member_id.to_string());
            } else {
                self.members.remove(&group);
            }
        }
    }
}

fn name(group: u8) -> String {
    format!("group-{group}")
}

fn commit(stepped: &mut Stepped, group: &str, offset: i64) {
    // Nobody commits beyond the end: such an offset is taken back at a restart.
    let offset = offset.min(stepped.latest());
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(0)
        .with_committed_offset(offset)
        .with_committed_metadata(Some(text("here")));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    stepped.ask(7, Request::OffsetCommit(request));
}

fn configure(stepped: &mut Stepped, retention_ms: i64) {
    use kafka_protocol::messages::incremental_alter_configs_request::{
        AlterConfigsResource, AlterableConfig,
    };
    let config = AlterableConfig::default()
        .with_name(text("retention.ms"))
        .with_value(Some(text(&retention_ms.to_string())));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("flights"))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    stepped.ask(0, Request::IncrementalAlterConfigs(request));
}

/// Returns all that can be seen of a cluster, with the bytes of its batches.
fn seen(brokers: &Brokers) -> (ClusterDescription, Vec<Vec<u8>>) {
    let mut description = brokers.describe();
    let topics = description.topics.iter_mut();
    for partition in topics.flat_map(|topic| &mut topic.partitions) {
        // Leaders are elected anew at a start, each in an epoch of its own.
        partition.leader_epoch = 0;
        for replica in &mut partition.replicas {
            replica.leader_epoch = 0;
        }
        // A producer is known by its batches: with the last of them it is forgotten.
        if partition.earliest > 0 {
            partition.producers.clear();
        }
    }
    let logs = brokers.logs();
    let bytes = logs.map(|(_, log)| {
        let read = log.read(log.earliest(), i64::MAX, usize::MAX, true);
        let mut bytes = read.map(|bytes| bytes.to_vec()).unwrap_or_default();
        // A read ends with its segment; go on until there is nothing more.
        while let Some(next) = next_offset(&bytes).filter(|next| *next < log.latest()) {
            bytes.extend(
                log.read(next, i64::MAX, usize::MAX, true)
                    .expect("in range"),
            );
        }
        bytes
    });
    (description, bytes.collect())
}

fn next_offset(bytes: &[u8]) -> Option<i64> {
    let mut rest = bytes;
    let mut next = None;
    while rest.len() >= 61 {
        let number = |at: usize| i32::from_be_bytes(rest[at..at + 4].try_into().expect("four"));
        let base = i64::from_be_bytes(rest[..8].try_into().expect("eight"));
        next = Some(base + i64::from(number(23)) + 1);
        rest = &rest[number(8) as usize + 12..];
    }
    next
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn restored_cluster_equals_the_one_that_was_stored(history in deeds(), clean in any::<bool>()) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut disk = OnDisk::open(dir.path());
        let mut image = Stored::default();
        let mut doer = Doer::default();
        disk.stepped.create("flights", &[("segment.bytes", "300")]);
        for deed in std::iter::once(&Deed::Pass(0)).chain(&history) {
            doer.run(&mut disk.stepped, deed);
            for change in &disk.stepped.changes {
                image.apply(change);
            }
            disk.write();
        }
        let expected = seen(&disk.stepped.brokers);
        let now_ms = disk.stepped.now_ms;
        let copied = tempfile::tempdir().expect("a directory");
        let left = if clean {
            disk.close();
            dir.path()
        } else {
            crate::on_disk::copy(dir.path(), copied.path());
            copied.path()
        };
        let from_image = Brokers::restore(settings(), vec![node()], 99, now_ms, image);
        prop_assert_eq!(&seen(&from_image.expect("facts that fit")), &expected);
        let again = OnDisk::open(left);
        prop_assert_eq!(&seen(&again.stepped.brokers), &expected);
    }
}

/// Steps a cluster on disk, closes it and opens it again.
fn restarted(first: impl FnOnce(&mut Stepped)) -> (tempfile::TempDir, OnDisk) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut disk = OnDisk::open_with(dir.path(), Flush::Batch);
    disk.stepped.create("flights", &[]);
    first(&mut disk.stepped);
    disk.write();
    disk.close();
    let again = OnDisk::open(dir.path());
    (dir, again)
}

#[test]
fn repeated_batch_is_known_after_a_restart() {
    let batch = || Batch::of(&["a", "b"]).from(1, 0, 0).bytes();
    let (_dir, mut disk) = restarted(|stepped| {
        stepped.produce(batch());
    });
    let again = disk.stepped.produce(batch());
    assert_eq!((again.error_code, again.base_offset), (0, 0));
    assert_eq!(disk.stepped.latest(), 2);
    let next = disk
        .stepped
        .produce(Batch::of(&["c"]).from(1, 0, 2).bytes());
    assert_eq!((next.error_code, next.base_offset), (0, 2));
    let gap = disk
        .stepped
        .produce(Batch::of(&["d"]).from(1, 0, 7).bytes());
    assert_eq!(gap.error_code, 45);
}

#[test]
fn producer_ids_go_on_after_a_restart() {
    let ask = |stepped: &mut Stepped| match stepped.ask(
        4,
        Request::InitProducerId(InitProducerIdRequest::default().with_transactional_id(None)),
    ) {
        Response::InitProducerId(body) => body.producer_id.0,
        other => panic!("{other:?}"),
    };
    let mut first = 0;
    let (_dir, mut disk) = restarted(|stepped| first = ask(stepped));
    assert_eq!(ask(&mut disk.stepped), first + 1);
}

#[test]
fn member_goes_on_after_a_restart_without_a_rebalance() {
    let mut doer = Doer::default();
    let (_dir, mut disk) = restarted(|stepped| doer.join(stepped, 2));
    let member = doer.members[&2].clone();
    let request = SyncGroupRequest::default()
        .with_group_id(GroupId(text("group-2")))
        .with_generation_id(1)
        .with_member_id(text(&member));
    match disk.stepped.ask(3, Request::SyncGroup(request)) {
        Response::SyncGroup(body) => assert_eq!(body.error_code, 0),
        other => panic!("{other:?}"),
    }
    let request = HeartbeatRequest::default()
        .with_group_id(GroupId(text("group-2")))
        .with_generation_id(1)
        .with_member_id(text(&member));
    match disk.stepped.ask(3, Request::Heartbeat(request)) {
        Response::Heartbeat(body) => assert_eq!(body.error_code, 0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn committed_offset_beyond_the_end_is_taken_back_to_it() {
    let (_dir, disk) = restarted(|stepped| {
        stepped.produce(Batch::of(&["a", "b"]).bytes());
        commit(stepped, "group-0", 2);
    });
    let mut image = Stored::default();
    for (key, value) in disk.stored_facts() {
        image.facts.insert(key, value);
    }
    let restored = Brokers::restore(settings(), vec![node()], 1, 0, image);
    let description = restored.expect("facts that fit").describe();
    assert_eq!(description.groups[0].committed[0].offset, 0);
}

#[test]
fn ids_are_the_same_after_a_restart_and_new_ones_are_new() {
    let mut before = None;
    let (_dir, mut disk) = restarted(|stepped| before = Some(stepped.brokers.describe()));
    let before = before.expect("described");
    assert_eq!(
        disk.stepped.brokers.describe().topics[0].id,
        before.topics[0].id
    );
    disk.stepped.create("trains", &[]);
    let topics = disk.stepped.brokers.describe().topics;
    assert_ne!(topics[0].id, topics[1].id);
}

#[test]
fn log_that_was_emptied_goes_on_where_it_ended() {
    let (_dir, mut disk) = restarted(|stepped| {
        stepped.produce(Batch::of(&["a", "b"]).bytes());
        Doer::default().run(stepped, &Deed::DeleteRecords(2));
    });
    let next = disk.stepped.produce(Batch::of(&["c"]).bytes());
    assert_eq!(next.base_offset, 2);
}

#[test]
fn nodes_that_the_directory_does_not_know_are_refused() {
    let (_dir, disk) = restarted(|_| {});
    let image = Stored {
        facts: disk.stored_facts().collect(),
        logs: std::collections::BTreeMap::<Place, _>::new(),
    };
    let other = headwater_broker::brokers::Node { id: 5, ..node() };
    let error = Brokers::restore(settings(), vec![other], 1, 0, image).err();
    let expected = headwater_broker::brokers::NotRestored::OtherNodes {
        stored: vec![1],
        given: vec![5],
    };
    assert_eq!(error, Some(expected));
}

#[test]
fn open_transaction_goes_on_after_a_restart() {
    let mut producer = TxnProducer::unstarted("copier");
    let (_dir, mut disk) = restarted(|stepped| {
        producer.init(stepped).expect("a producer id");
        producer.write(stepped, "flights", &["a"]);
        producer.abort(stepped).expect("aborted");
        producer.write(stepped, "flights", &["b"]);
    });
    let stepped = &mut disk.stepped;
    let none: [String; 0] = [];
    assert_eq!(values(stepped, "flights", READ_COMMITTED), none);
    assert_eq!(stepped.brokers.describe().transactions[0].state, "Ongoing");
    producer
        .send(stepped, "flights", &["c"])
        .expect("the transaction is open");
    producer.commit(stepped).expect("committed");
    assert_eq!(values(stepped, "flights", READ_COMMITTED), ["b", "c"]);
}

#[test]
fn fenced_producer_stays_fenced_after_a_restart() {
    let mut old = TxnProducer::unstarted("copier");
    let (_dir, mut disk) = restarted(|stepped| {
        old.init(stepped).expect("a producer id");
        TxnProducer::start(stepped, "copier");
    });
    let refused = old.add(&mut disk.stepped, "flights");
    assert!(refused.is_err(), "an older epoch was let in");
}

#[test]
fn decided_transaction_is_finished_after_a_kill_between_decision_and_markers() {
    let mut producer = TxnProducer::unstarted("copier");
    let mut stepped = Stepped::with(settings());
    stepped.create("flights", &[]);
    producer.init(&mut stepped).expect("a producer id");
    producer.write(&mut stepped, "flights", &["a"]);
    let mut image = Stored::default();
    let before = stepped.changes.len();
    producer.commit(&mut stepped).expect("committed");
    // All up to the first barrier of the step that committed: the decision alone.
    let decided = stepped.changes[before..].iter();
    let decided = decided.take_while(|change| **change != Change::Barrier);
    for change in stepped.changes[..before].iter().chain(decided) {
        image.apply(change);
    }
    let restored = Brokers::restore(settings(), vec![node()], 7, stepped.now_ms, image);
    let mut again = Stepped::with(settings());
    again.brokers = restored.expect("facts that fit");
    again.now_ms = stepped.now_ms;
    again.step(Input::Tick);
    assert_eq!(values(&mut again, "flights", READ_COMMITTED), ["a"]);
    let state = &again.brokers.describe().transactions[0].state;
    assert_eq!(state, "CompleteCommit");
}
