//! The brokers as a state machine: `step(now, input)` returns what is to be sent.
//!
//! Nothing in here does I/O, reads a clock or draws a random number: time comes in with every
//! input, ids come from a seed. The same inputs give the same outputs, whoever drives them: the
//! server shell with real time, a simulator with time of its own.
//!
//! One file holds one family of requests. A handler returns its reply at once, or keeps the
//! request's id and replies in a later step (a long-polling fetch, a join that waits for others).

use crate::groups::Groups;
use crate::transactions::Transactions;
use crate::wire::{Request, Response};

mod acks;
pub(crate) mod api_versions;
mod balance;
pub mod changes;
mod compaction;
mod config_rows;
mod configs;
mod controller;
mod create_topics;
mod delete_records;
mod describe;
mod describe_configs;
mod describe_partitions;
mod describe_producers;
mod events;
mod facts;
mod faults;
mod fetch;
mod flaw;
mod follower;
mod ids;
mod leader;
mod list_offsets;
mod metadata;
mod network;
mod once;
mod partition;
mod placement;
mod produce;
mod restore;
mod retention;
mod sasl;
mod settings;
mod stored;
mod topics;
mod unstored;
mod waiting;

pub use changes::{Change, Fact, Key, LogChange, LogRecorder, Place, Recorder};
pub use events::{Election, Event, What};
pub use faults::Fault;
#[doc(hidden)]
pub use flaw::Flaw;
pub use ids::Ids;
pub use network::Peer;
pub use partition::{NO_LEADER, Partition, PartitionState, Replica};
pub use restore::NotRestored;
pub(crate) use restore::parsed;
pub use settings::BrokerSettings;
pub use stored::{Stored, StoredLog, StoredSegment};
pub use topics::{Topic, Topics};

/// Milliseconds since 1970, UTC. A shell never lets it go backwards.
pub type Millis = i64;

/// Names a request from when it goes in until its reply comes out; chosen by the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One broker of the cluster, and where clients reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub id: i32,
    pub host: String,
    pub port: u16,
    /// `broker.rack`: replicas of a partition are spread over racks.
    pub rack: Option<String>,
}

/// A request on its way into the brokers.
#[derive(Debug, Clone)]
pub struct Call {
    pub id: RequestId,
    /// The broker that was asked.
    pub node: i32,
    pub version: i16,
    pub client_id: String,
    pub client_host: String,
}

/// What can happen to the brokers.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // Nearly all inputs are requests.
pub enum Input {
    Request(Call, Request),
    /// The client is gone: whatever it waited for needs no reply.
    Abandoned(RequestId),
    /// Something is done to a node or to a link.
    Fault(Fault),
    /// Time passed: the deadline of an earlier step has come.
    Tick,
}

/// The reply to one request.
#[derive(Debug)]
pub struct Reply {
    pub to: RequestId,
    /// Nothing for a produce request that asked for no acknowledgement.
    pub response: Option<Response>,
}

/// What a step gave.
#[derive(Debug, Default)]
pub struct Outputs {
    pub replies: Vec<Reply>,
    /// When the next `Tick` is due, if nothing happens before.
    pub deadline: Option<Millis>,
    /// What a disk must know before any of the replies may go out, and any later one. Nothing
    /// where the cluster lives in memory.
    pub changes: Vec<Change>,
}

/// What a handler does with a request.
pub(crate) enum Answer {
    Now(Response),
    /// The reply comes in a later step.
    Later,
    /// The client wants none.
    Never,
}

impl<T: Into<Response>> From<T> for Answer {
    fn from(response: T) -> Answer {
        Answer::Now(response.into())
    }
}

/// All brokers of one cluster: topics, groups, producers and the requests that wait.
#[derive(Debug)]
pub struct Brokers {
    pub(crate) settings: BrokerSettings,
    pub(crate) nodes: Vec<Node>,
    pub(crate) cluster_id: String,
    pub(crate) ids: Ids,
    pub(crate) topics: Topics,
    pub(crate) groups: Groups,
    pub(crate) transactions: Transactions,
    pub(crate) waiting: waiting::WaitingFetches,
    /// Bytes of all batches in all partitions.
    pub(crate) bytes_held: u64,
    pub(crate) next_producer_id: i64,
    next_retention: Option<Millis>,
    /// When topics without a retention of their own are looked at too.
    next_full_retention: Option<Millis>,
    /// When compacted topics are looked at; nothing while none of them has anything to clean.
    next_cleaning: Option<Millis>,
    replies: Vec<Reply>,
    pub(crate) recorder: Recorder,
    reported: facts::Reported,
    /// Why nothing can be stored any more.
    pub(crate) storage_failure: Option<String>,
    pub(crate) node_states: Vec<controller::NodeState>,
    pub(crate) network: network::Network,
    acks: acks::WaitingAcks,
    /// Requests for the controller at nodes that are cut off from it.
    held: Vec<(Call, Request)>,
    events: events::Events,
    /// When a follower may fall out of sync.
    next_lapse: Option<Millis>,
    /// When leadership goes back to preferred leaders.
    next_balance: Option<Millis>,
}

impl Brokers {
    /// Returns a cluster without topics. The same seed gives the same ids.
    ///
    /// # Panics
    /// Without a node.
    pub fn new(settings: BrokerSettings, nodes: Vec<Node>, seed: u64) -> Brokers {
        assert!(!nodes.is_empty(), "a cluster has at least one broker");
        let mut ids = Ids::new(seed);
        let recorder = Recorder::new(settings.durable);
        let node_ids: Vec<i32> = nodes.iter().map(|node| node.id).collect();
        Brokers {
            settings,
            nodes,
            cluster_id: ids.cluster(),
            ids,
            topics: Topics::default(),
            groups: Groups::default(),
            transactions: Transactions::default(),
            waiting: waiting::WaitingFetches::default(),
            bytes_held: 0,
            next_producer_id: 1000,
            next_retention: None,
            next_full_retention: None,
            next_cleaning: None,
            replies: Vec::new(),
            recorder,
            reported: facts::Reported::default(),
            storage_failure: None,
            node_states: controller::NodeState::all_up(&node_ids),
            network: network::Network::default(),
            acks: acks::WaitingAcks::default(),
            held: Vec::new(),
            events: events::Events::default(),
            next_lapse: None,
            next_balance: None,
        }
    }

    /// Takes in what happened at `now_ms` and returns what is to be sent.
    pub fn step(&mut self, now_ms: Millis, input: Input) -> Outputs {
        self.pump(now_ms);
        match input {
            Input::Request(call, request) => self.take_request(now_ms, call, request),
            Input::Abandoned(id) => self.abandon(id),
            Input::Fault(fault) => self.apply(now_ms, fault),
            Input::Tick => {}
        }
        self.pump(now_ms);
        self.expire_sessions(now_ms);
        self.check_in_sync(now_ms);
        self.balance_leaders(now_ms);
        self.pump(now_ms);
        self.expire_acks(now_ms);
        self.expire_groups(now_ms);
        self.settle_transactions(now_ms);
        // Markers reach the followers, and are found replicated, within the step.
        self.pump(now_ms);
        self.settle_transactions(now_ms);
        self.expire_transactions(now_ms);
        self.expire_fetches(now_ms);
        self.apply_retention(now_ms);
        self.apply_compaction(now_ms);
        self.outputs()
    }

    fn take_request(&mut self, now_ms: Millis, call: Call, request: Request) {
        // A node that is down has no connections: whoever asks it waits in vain.
        if !self.is_up(call.node) {
            return;
        }
        if request.is_for_controller() && self.is_cut_off(call.node) {
            return self.hold(call, request);
        }
        let answer = match self.misdirected(&call, &request) {
            Some(refusal) => Answer::Now(refusal),
            None => self.handle(now_ms, &call, request),
        };
        match answer {
            Answer::Now(response) => self.reply(call.id, Some(response)),
            Answer::Never => self.reply(call.id, None),
            Answer::Later => {}
        }
    }

    fn abandon(&mut self, id: RequestId) {
        self.waiting.abandon(id, &mut self.topics);
        self.acks.abandon(id);
        self.held.retain(|(call, _)| call.id != id);
    }

    /// Returns what happened to nodes and replicas, oldest first; the last ten thousand events.
    pub fn events(&self) -> Vec<Event> {
        self.events.all()
    }

    /// Deletes all topics and groups. Those who wait for records are told that the topic is gone.
    pub fn reset(&mut self, now_ms: Millis) -> Outputs {
        let names: Vec<String> = self.topics.names().map(str::to_owned).collect();
        for name in names {
            self.remove_topic(now_ms, &name);
        }
        self.forget_transactions();
        let orphans = self.groups.clear();
        self.replies.extend(orphans);
        self.outputs()
    }

    fn outputs(&mut self) -> Outputs {
        self.report_facts();
        Outputs {
            replies: std::mem::take(&mut self.replies),
            deadline: self.deadline(),
            changes: self.recorder.take(),
        }
    }

    pub(crate) fn reply(&mut self, to: RequestId, response: Option<Response>) {
        self.replies.push(Reply { to, response });
    }

    /// Returns true where this mistake was planted.
    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.settings.flaw == Some(flaw)
    }

    /// Lets a closed segment be read from its file from now on. Returns false where the segment
    /// has changed since, or is gone.
    pub fn map_segment(&mut self, place: Place, base_offset: i64, file: bytes::Bytes) -> bool {
        let name = self.topics.name_of(place.topic).map(str::to_owned);
        let partition = name.and_then(|name| self.topics.partition_mut(&name, place.partition));
        let replica = partition.and_then(|partition| partition.replica_mut(place.node));
        replica.is_some_and(|replica| replica.log.map_segment(base_offset, file))
    }

    fn deadline(&self) -> Option<Millis> {
        [
            self.groups.deadline(),
            self.transactions.deadline(),
            self.waiting.deadline(),
            self.next_retention,
            self.next_cleaning,
            self.acks.deadline(),
            self.network.deadline(),
            self.session_deadline(),
            self.next_lapse,
            self.next_balance,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn handle(&mut self, now_ms: Millis, call: &Call, request: Request) -> Answer {
        if let Some(refusal) = self.refuse_unstored(&request) {
            return refusal;
        }
        match once::each(request) {
            Request::ApiVersions(_) => api_versions::table().into(),
            Request::SaslHandshake(_) => sasl::late_handshake().into(),
            Request::SaslAuthenticate(_) => sasl::late_authenticate().into(),
            Request::Metadata(body) => self.metadata(now_ms, call, body).into(),
            Request::DescribeCluster(body) => self.describe_cluster(call, body).into(),
            Request::Produce(body) => self.produce(now_ms, call, body),
            Request::Fetch(body) => self.fetch(now_ms, call, body),
            Request::ListOffsets(body) => self.list_offsets(call, body).into(),
            Request::OffsetForLeaderEpoch(body) => self.offset_for_leader_epoch(call, body).into(),
            Request::InitProducerId(body) => self.init_producer_id(now_ms, call, body).into(),
            Request::CreateTopics(body) => self.create_topics(now_ms, call, body).into(),
            Request::DeleteTopics(body) => self.delete_topics(now_ms, call, body).into(),
            Request::CreatePartitions(body) => self.create_partitions(now_ms, body).into(),
            Request::DeleteRecords(body) => self.delete_records(now_ms, call, body).into(),
            Request::DescribeConfigs(body) => self.describe_configs(call, body).into(),
            Request::AlterConfigs(body) => self.alter_configs(now_ms, body).into(),
            Request::IncrementalAlterConfigs(body) => {
                self.incremental_alter_configs(now_ms, body).into()
            }
            Request::DescribeProducers(body) => self.describe_producers(call, body).into(),
            Request::DescribeTopicPartitions(body) => {
                self.describe_topic_partitions(call, body).into()
            }
            Request::ElectLeaders(body) => self.elect_leaders(now_ms, body).into(),
            group => self.handle_group(now_ms, call, group),
        }
    }

    fn handle_group(&mut self, now_ms: Millis, call: &Call, request: Request) -> Answer {
        if let Some(refusal) = self.no_room(&request) {
            return refusal;
        }
        match request {
            Request::FindCoordinator(body) => self.find_coordinator(call, body).into(),
            Request::JoinGroup(body) => self.join_group(now_ms, call, body),
            Request::SyncGroup(body) => self.sync_group(now_ms, call, body),
            Request::Heartbeat(body) => self.heartbeat(now_ms, body).into(),
            Request::LeaveGroup(body) => self.leave_group(now_ms, call, body).into(),
            Request::OffsetCommit(body) => self.offset_commit(now_ms, call, body).into(),
            Request::OffsetFetch(body) => self.offset_fetch(call, body).into(),
            Request::ConsumerGroupHeartbeat(body) => {
                self.consumer_group_heartbeat(now_ms, call, body).into()
            }
            Request::ConsumerGroupDescribe(body) => self.consumer_group_describe(call, body).into(),
            Request::ListGroups(body) => self.list_groups(call, body).into(),
            Request::DescribeGroups(body) => self.describe_groups(call, body).into(),
            Request::DeleteGroups(body) => self.delete_groups(body).into(),
            Request::OffsetDelete(body) => self.offset_delete(body).into(),
            transaction => self.handle_transaction(now_ms, call, transaction),
        }
    }

    fn handle_transaction(&mut self, now_ms: Millis, call: &Call, request: Request) -> Answer {
        match request {
            Request::AddPartitionsToTxn(body) => {
                self.add_partitions_to_txn(now_ms, call, body).into()
            }
            Request::AddOffsetsToTxn(body) => self.add_offsets_to_txn(now_ms, call, body).into(),
            Request::TxnOffsetCommit(body) => self.txn_offset_commit(now_ms, call, body).into(),
            Request::EndTxn(body) => self.end_txn(now_ms, call, body).into(),
            Request::WriteTxnMarkers(body) => self.write_txn_markers(now_ms, call, body).into(),
            Request::ListTransactions(body) => self.list_transactions(now_ms, call, body).into(),
            Request::DescribeTransactions(body) => self.describe_transactions(call, body).into(),
            other => unreachable!("request {} has a handler above", other.key()),
        }
    }
}
