//! Members of the consumer protocol (KIP-848), driven by hand.

use std::collections::BTreeSet;

use headwater_broker::GroupDescription;
use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol::messages::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, GroupId, TopicName,
};
use uuid::Uuid;

use crate::stepped::{Stepped, text};

pub const GROUP: &str = "dashboard";
/// How long a member has to give up partitions.
pub const REBALANCE_MS: i64 = 60_000;

/// A member that does what a client library does, one heartbeat at a time.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: String,
    pub instance: Option<&'static str>,
    pub epoch: i32,
    pub topics: Vec<&'static str>,
    pub pattern: Option<&'static str>,
    pub assignor: Option<&'static str>,
    /// What it reads from right now.
    pub owned: BTreeSet<(Uuid, i32)>,
    /// What it was told last.
    told: Option<BTreeSet<(Uuid, i32)>>,
    /// The next request tells all there is to tell.
    pub full: bool,
}

impl Member {
    pub fn new(id: &str) -> Member {
        Member {
            id: id.to_owned(),
            instance: None,
            epoch: 0,
            topics: vec!["flights"],
            pattern: None,
            assignor: None,
            owned: BTreeSet::new(),
            told: None,
            full: true,
        }
    }

    pub fn request(&self) -> ConsumerGroupHeartbeatRequest {
        let mut owned: Vec<TopicPartitions> = Vec::new();
        for (topic, partition) in &self.owned {
            match owned.last_mut().filter(|last| last.topic_id == *topic) {
                Some(last) => last.partitions.push(*partition),
                None => owned.push(
                    TopicPartitions::default()
                        .with_topic_id(*topic)
                        .with_partitions(vec![*partition]),
                ),
            }
        }
        let request = ConsumerGroupHeartbeatRequest::default()
            .with_group_id(GroupId(text(GROUP)))
            .with_member_id(text(&self.id))
            .with_instance_id(self.instance.map(text))
            .with_member_epoch(self.epoch)
            .with_rebalance_timeout_ms(-1)
            // While it has not done yet what it was told, it says nothing of what it owns.
            .with_topic_partitions(Some(owned).filter(|_| self.told.is_none()));
        if !self.full {
            return request;
        }
        let names = self.topics.iter().map(|name| TopicName(text(name)));
        request
            .with_rebalance_timeout_ms(REBALANCE_MS as i32)
            .with_subscribed_topic_names(Some(names.collect()))
            .with_subscribed_topic_regex(self.pattern.map(text))
            .with_server_assignor(self.assignor.map(text))
    }

    /// Sends a heartbeat, and takes in what comes back.
    pub fn beat(&mut self, stepped: &mut Stepped) -> Result<(), ResponseError> {
        let response = heartbeat(stepped, self.request());
        self.take_in(response)
    }

    pub fn take_in(
        &mut self,
        response: ConsumerGroupHeartbeatResponse,
    ) -> Result<(), ResponseError> {
        if let Some(error) = ResponseError::try_from_code(response.error_code) {
            return Err(error);
        }
        self.full = false;
        self.epoch = response.member_epoch;
        self.id = response.member_id.expect("an id").to_string();
        if let Some(assignment) = response.assignment {
            let spots = assignment.topic_partitions.into_iter().flat_map(|topic| {
                let id = topic.topic_id;
                topic.partitions.into_iter().map(move |p| (id, p))
            });
            self.told = Some(spots.collect());
        }
        Ok(())
    }

    /// Gives up and takes over what it was told to; says so with the next heartbeat.
    pub fn act(&mut self) {
        if let Some(told) = self.told.take() {
            self.owned = told;
        }
    }

    /// Starts anew, as a member does that was fenced.
    pub fn start_anew(&mut self) {
        self.epoch = 0;
        self.owned.clear();
        self.told = None;
        self.full = true;
    }

    pub fn partitions(&self) -> Vec<i32> {
        self.owned.iter().map(|(_, partition)| *partition).collect()
    }
}

pub fn heartbeat(
    stepped: &mut Stepped,
    request: ConsumerGroupHeartbeatRequest,
) -> ConsumerGroupHeartbeatResponse {
    match stepped.ask(1, Request::ConsumerGroupHeartbeat(request)) {
        Response::ConsumerGroupHeartbeat(body) => body,
        other => panic!("{other:?}"),
    }
}

/// Brokers with a topic `flights` of so many partitions.
pub fn with_partitions(count: i32) -> Stepped {
    let mut stepped = Stepped::with_topic();
    grow(&mut stepped, count);
    stepped
}

fn grow(stepped: &mut Stepped, count: i32) {
    use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
    if count > 1 {
        let topic = CreatePartitionsTopic::default()
            .with_name(TopicName(text("flights")))
            .with_count(count)
            .with_assignments(None);
        let request =
            kafka_protocol::messages::CreatePartitionsRequest::default().with_topics(vec![topic]);
        stepped.ask(3, Request::CreatePartitions(request));
    }
}

/// Lets every member beat and act, round after round.
pub fn rounds(stepped: &mut Stepped, members: &mut [&mut Member], count: usize) {
    for _ in 0..count {
        stepped.pass(1000);
        for member in members.iter_mut() {
            member.beat(stepped).expect("a member in good standing");
            member.act();
        }
    }
}

pub fn group(stepped: &Stepped) -> GroupDescription {
    stepped.brokers.describe().groups.remove(0)
}

#[test]
fn only_member_gets_everything_with_its_first_heartbeat() {
    let mut stepped = with_partitions(3);
    let mut only = Member::new("a");
    let response = heartbeat(&mut stepped, only.request());
    assert_eq!(
        (response.member_epoch, response.heartbeat_interval_ms),
        (1, 1000)
    );
    only.take_in(response).expect("joined");
    only.act();
    assert_eq!(only.partitions(), [0, 1, 2]);
    let told = group(&stepped);
    assert_eq!(
        (told.kind.as_str(), told.state.as_str()),
        ("consumer", "Stable")
    );
    assert_eq!((told.protocol.as_str(), told.generation), ("uniform", 1));
    // Nothing changed, so nothing is told again.
    let next = heartbeat(&mut stepped, only.request());
    assert_eq!((next.member_epoch, next.assignment), (1, None));
}

#[test]
fn partition_is_given_up_before_another_gets_it() {
    let mut stepped = with_partitions(4);
    let (mut first, mut second) = (Member::new("a"), Member::new("b"));
    rounds(&mut stepped, &mut [&mut first], 1);
    second.beat(&mut stepped).expect("joined");
    second.act();
    assert_eq!((second.epoch, second.partitions()), (2, vec![]));
    assert_eq!(group(&stepped).state, "Reconciling");
    // The first one hears what to give up, and keeps its epoch until it has.
    first.beat(&mut stepped).expect("a heartbeat");
    assert_eq!(first.epoch, 1);
    second.beat(&mut stepped).expect("a heartbeat");
    second.act();
    assert_eq!(second.partitions(), Vec::<i32>::new());
    assert_eq!(group(&stepped).members[0].revoking.len(), 2);
    first.act();
    first.beat(&mut stepped).expect("gave up two");
    assert_eq!(first.epoch, 2);
    second.beat(&mut stepped).expect("a heartbeat");
    second.act();
    assert_eq!(
        (first.partitions().len(), second.partitions().len()),
        (2, 2)
    );
    assert!(first.owned.is_disjoint(&second.owned));
    assert_eq!(group(&stepped).state, "Stable");
}

#[test]
fn member_that_gives_nothing_up_in_time_is_removed() {
    let mut stepped = with_partitions(2);
    let (mut first, mut second) = (Member::new("a"), Member::new("b"));
    rounds(&mut stepped, &mut [&mut first], 1);
    second.beat(&mut stepped).expect("joined");
    second.act();
    let start_ms = stepped.now_ms;
    while stepped.now_ms < start_ms + REBALANCE_MS {
        // It lives, and clings to what it has.
        first.beat(&mut stepped).expect("still a member");
        second.beat(&mut stepped).expect("a heartbeat");
        second.act();
        assert_eq!(second.partitions(), Vec::<i32>::new());
        stepped.pass(5000);
    }
    assert_eq!(
        first.beat(&mut stepped),
        Err(ResponseError::UnknownMemberId)
    );
    rounds(&mut stepped, &mut [&mut second], 1);
    assert_eq!(second.partitions(), [0, 1]);
}

#[test]
fn silent_member_is_removed_when_its_session_ends() {
    let mut stepped = with_partitions(2);
    let (mut first, mut second) = (Member::new("a"), Member::new("b"));
    rounds(&mut stepped, &mut [&mut first, &mut second], 4);
    assert_eq!((first.owned.len(), second.owned.len()), (1, 1));
    rounds(&mut stepped, &mut [&mut first], 44);
    assert_eq!(first.owned.len(), 1);
    rounds(&mut stepped, &mut [&mut first], 1);
    assert_eq!(first.partitions(), [0, 1]);
    assert_eq!(
        second.beat(&mut stepped),
        Err(ResponseError::UnknownMemberId)
    );
}

#[test]
fn member_that_leaves_frees_its_partitions_at_once() {
    let mut stepped = with_partitions(2);
    let (mut first, mut second) = (Member::new("a"), Member::new("b"));
    rounds(&mut stepped, &mut [&mut first, &mut second], 4);
    second.epoch = -1;
    let left = heartbeat(&mut stepped, second.request());
    assert_eq!((left.error_code, left.member_epoch), (0, -1));
    rounds(&mut stepped, &mut [&mut first], 1);
    assert_eq!(first.partitions(), [0, 1]);
    first.epoch = -1;
    heartbeat(&mut stepped, first.request());
    assert_eq!(group(&stepped).state, "Empty");
}

#[test]
fn static_member_that_restarts_finds_its_partitions() {
    let mut stepped = with_partitions(4);
    let (mut first, mut second) = (Member::new("a"), Member::new("b"));
    second.instance = Some("till-2");
    rounds(&mut stepped, &mut [&mut first, &mut second], 4);
    let (had, epoch) = (second.partitions(), group(&stepped).generation);
    // While it is there, nobody else can be it.
    let mut twin = Member {
        id: "c".to_owned(),
        ..Member::new("c")
    };
    twin.instance = Some("till-2");
    assert_eq!(
        twin.beat(&mut stepped),
        Err(ResponseError::UnreleasedInstanceId)
    );
    let mut away = second.request();
    away.member_epoch = -2;
    assert_eq!(heartbeat(&mut stepped, away).member_epoch, -2);
    rounds(&mut stepped, &mut [&mut first], 3);
    assert_eq!(first.owned.len(), 2, "its place is kept");
    twin.beat(&mut stepped).expect("back under a new id");
    twin.act();
    assert_eq!(
        (twin.partitions(), group(&stepped).generation),
        (had, epoch)
    );
    // The old id is fenced.
    assert_eq!(
        second.beat(&mut stepped),
        Err(ResponseError::FencedInstanceId)
    );
}

#[test]
fn member_with_another_epoch_is_fenced_but_for_a_lost_reply() {
    let mut stepped = with_partitions(4);
    let (mut first, mut second) = (Member::new("a"), Member::new("b"));
    rounds(&mut stepped, &mut [&mut first], 1);
    second.beat(&mut stepped).expect("joined");
    first.beat(&mut stepped).expect("told to give up");
    first.act();
    // The reply to this one is lost: the member says it again, with its old epoch.
    heartbeat(&mut stepped, first.request());
    first.full = true;
    first
        .beat(&mut stepped)
        .expect("its previous epoch is known");
    assert_eq!(first.epoch, 2);
    for wrong in [1, 7] {
        let mut other = first.request();
        other.member_epoch = wrong;
        other.topic_partitions = None;
        let fenced = heartbeat(&mut stepped, other);
        let error = ResponseError::try_from_code(fenced.error_code);
        assert_eq!(
            error,
            Some(ResponseError::FencedMemberEpoch),
            "epoch {wrong}"
        );
        assert!(fenced.error_message.is_some());
    }
    // It joins again, owning nothing, and is led to its target.
    first.start_anew();
    rounds(&mut stepped, &mut [&mut first, &mut second], 3);
    assert_eq!((first.owned.len(), second.owned.len()), (2, 2));
}

#[test]
fn range_gives_neighbours_where_most_members_ask_for_it() {
    let mut stepped = with_partitions(4);
    let (mut first, mut second) = (Member::new("a"), Member::new("b"));
    (first.assignor, second.assignor) = (Some("range"), Some("range"));
    rounds(&mut stepped, &mut [&mut first, &mut second], 4);
    assert_eq!(
        (first.partitions(), second.partitions()),
        (vec![0, 1], vec![2, 3])
    );
    assert_eq!(group(&stepped).protocol, "range");
}

#[test]
fn topic_that_grows_is_shared_out_again() {
    let mut stepped = with_partitions(2);
    let mut only = Member::new("a");
    rounds(&mut stepped, &mut [&mut only], 1);
    grow(&mut stepped, 5);
    rounds(&mut stepped, &mut [&mut only], 1);
    assert_eq!((only.partitions(), only.epoch), (vec![0, 1, 2, 3, 4], 2));
}

#[test]
fn pattern_finds_topics_that_come_later() {
    let mut stepped = Stepped::new();
    let mut only = Member::new("a");
    (only.topics, only.pattern) = (Vec::new(), Some("flights-.*"));
    rounds(&mut stepped, &mut [&mut only], 1);
    assert_eq!(only.owned.len(), 0);
    for topic in ["flights-jfk", "flights-lga", "old-flights-jfk"] {
        stepped.create(topic, &[]);
    }
    rounds(&mut stepped, &mut [&mut only], 1);
    assert_eq!(only.owned.len(), 2);
}

#[test]
fn heartbeats_that_cannot_be_are_refused() {
    let settings = headwater_broker::BrokerSettings {
        consumer_max_size: 1,
        ..Default::default()
    };
    let mut stepped = Stepped::with(settings);
    stepped.create("flights", &[]);
    let mut member = Member::new("a");
    let refused = |stepped: &mut Stepped, change: &dyn Fn(&mut ConsumerGroupHeartbeatRequest)| {
        let mut request = Member::new("b").request();
        change(&mut request);
        let response = heartbeat(stepped, request);
        assert!(response.error_message.is_some());
        ResponseError::try_from_code(response.error_code).expect("an error")
    };
    let invalid = ResponseError::InvalidRequest;
    assert_eq!(
        refused(&mut stepped, &|r| r.group_id = GroupId(text(""))),
        invalid
    );
    assert_eq!(refused(&mut stepped, &|r| r.member_id = text("")), invalid);
    assert_eq!(refused(&mut stepped, &|r| r.member_epoch = -3), invalid);
    assert_eq!(refused(&mut stepped, &|r| r.member_epoch = -2), invalid);
    assert_eq!(
        refused(&mut stepped, &|r| r.rebalance_timeout_ms = -1),
        invalid
    );
    assert_eq!(
        refused(&mut stepped, &|r| r.topic_partitions = None),
        invalid
    );
    assert_eq!(
        refused(&mut stepped, &|r| r.subscribed_topic_names = None),
        invalid
    );
    assert_eq!(
        refused(&mut stepped, &|r| r.instance_id = Some(text(""))),
        invalid
    );
    let pattern = refused(&mut stepped, &|r| {
        r.subscribed_topic_regex = Some(text("a("))
    });
    assert_eq!(pattern, ResponseError::InvalidRegularExpression);
    let assignor = refused(&mut stepped, &|r| r.server_assignor = Some(text("fair")));
    assert_eq!(assignor, ResponseError::UnsupportedAssignor);
    // None of these made a group.
    assert_eq!(stepped.brokers.describe().groups, vec![]);
    let unknown = refused(&mut stepped, &|r| r.member_epoch = 3);
    assert_eq!(unknown, ResponseError::UnknownMemberId);
    member.beat(&mut stepped).expect("joined");
    let full = refused(&mut stepped, &|_| {});
    assert_eq!(full, ResponseError::GroupMaxSizeReached);
    let stranger = refused(&mut stepped, &|r| r.member_epoch = 3);
    assert_eq!(stranger, ResponseError::UnknownMemberId);
}

#[test]
fn first_version_lets_the_broker_choose_the_id() {
    let mut stepped = with_partitions(1);
    let request = Member::new("").request();
    match stepped.ask(0, Request::ConsumerGroupHeartbeat(request)) {
        Response::ConsumerGroupHeartbeat(body) => {
            assert_eq!(body.error_code, 0);
            assert!(body.member_id.is_some_and(|id| !id.is_empty()));
        }
        other => panic!("{other:?}"),
    }
}
