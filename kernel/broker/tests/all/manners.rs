//! Clients without manners: slow ones, silent ones, too many at once. Each costs itself its
//! connection, and the others nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_broker::BrokerSettings;
use headwater_broker::brokers::Flaw;
use headwater_broker::wire::frame::{Malformed, decode};
use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    DescribeConfigsRequest, DescribeGroupsRequest, FetchRequest, GroupId, JoinGroupRequest,
    MetadataRequest, OffsetCommitRequest, TopicName,
};

use crate::clients::{PATIENCE, create_topic, eventually, send, start_broker, start_broker_with};
use crate::raw::{Raw, connect, string};
use crate::security::is_in;
use crate::stepped::{Stepped, text};

const FETCH: i16 = 1;
const METADATA: i16 = 3;
const DESCRIBE_CLUSTER: i16 = 60;
const SHORT: Duration = Duration::from_millis(100);

/// A fetch of partition 0 of `flights`, version 4.
fn fetch_body(max_wait_ms: i32) -> Vec<u8> {
    let mut body = Vec::new();
    for field in [-1, max_wait_ms, 1, 50 << 20] {
        body.extend(field.to_be_bytes());
    }
    body.push(0);
    body.extend(1i32.to_be_bytes());
    body.extend(string("flights"));
    body.extend([0, 0, 0, 1, 0, 0, 0, 0]);
    body.extend(0i64.to_be_bytes());
    body.extend((50i32 << 20).to_be_bytes());
    body
}

/// Returns once the server has closed the connection; true where it said nothing before.
fn ends(mut raw: Raw<TcpStream>) -> bool {
    raw.receive().is_none()
}

#[test]
fn replies_come_in_the_order_of_the_requests() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let mut raw = connect(&server);
    // The first one waits for records; the others are there before its time is up.
    raw.send(FETCH, 4, 1, &fetch_body(200));
    for number in 2..20 {
        raw.send(METADATA, 0, number, &0i32.to_be_bytes());
    }
    for number in 1..20i32 {
        let reply = raw.receive().expect("a reply");
        assert_eq!(reply[..4], number.to_be_bytes());
    }
}

#[test]
fn panic_costs_one_connection_and_nothing_else() {
    let server = start_broker_with(|config| config.brokers.flaw = Some(Flaw::StepPanics));
    create_topic(&server, "flights", 1);
    let mut other = connect(&server);
    let mut waiting = connect(&server);
    waiting.send(FETCH, 4, 1, &fetch_body(300));
    // Its header ends with tagged fields, and so does its body.
    assert_eq!(connect(&server).ask(DESCRIBE_CLUSTER, 0, &[0, 0, 0]), None);
    assert!(is_in(&mut other), "an older connection goes on");
    assert!(is_in(&mut connect(&server)), "new ones are served");
    assert!(waiting.receive().is_some(), "deadlines are still kept");
    send(&server, "flights", &["still there"]);
}

#[test]
fn silent_client_is_dropped() {
    let server = start_broker_with(|config| config.max_idle = SHORT);
    assert!(ends(connect(&server)));
}

#[test]
fn client_that_waits_longer_than_anybody_may_is_dropped() {
    let server = start_broker_with(|config| config.max_idle = SHORT);
    create_topic(&server, "flights", 1);
    let mut raw = connect(&server);
    raw.send(FETCH, 4, 1, &fetch_body(i32::MAX));
    // An end behind a further request cannot be seen.
    raw.send(METADATA, 0, 2, &0i32.to_be_bytes());
    assert!(ends(raw));
}

#[test]
fn client_that_sends_a_byte_now_and_then_is_dropped() {
    let server = start_broker_with(|config| config.max_stall = SHORT);
    let mut raw = connect(&server);
    let started = Instant::now();
    let mut sent = raw.stream.write_all(&1000i32.to_be_bytes());
    while sent.is_ok() {
        assert!(started.elapsed() < PATIENCE, "it may go on like this");
        std::thread::sleep(SHORT / 5);
        sent = raw.stream.write_all(&[0]);
    }
}

#[test]
fn client_that_takes_no_reply_is_dropped() {
    let server = start_broker_with(|config| config.max_stall = SHORT);
    create_topic(&server, "flights", 1);
    let value = "x".repeat(900_000);
    send(&server, "flights", &[value.as_str()]);
    let mut raw = connect(&server);
    raw.send(FETCH, 4, 0, &fetch_body(0));
    let size = raw.receive().expect("a reply").len();
    for number in 1..=30 {
        raw.send(FETCH, 4, number, &fetch_body(0));
    }
    // What lies in the buffers of the sockets can be read for ever; the rest never came.
    std::thread::sleep(10 * SHORT);
    let mut taken = Vec::new();
    let _ = raw.stream.read_to_end(&mut taken);
    assert!(taken.len() < 30 * size, "{} bytes were kept", taken.len());
}

#[test]
fn many_halves_of_frames_keep_nobody_waiting() {
    let server = start_broker_with(|config| {
        config.max_stall = Duration::from_secs(1);
        config.max_receiving_bytes = 1 << 20;
    });
    create_topic(&server, "flights", 1);
    let halves: Vec<_> = (0..300)
        .map(|_| {
            let mut raw = connect(&server);
            let half = [&10_000i32.to_be_bytes()[..], &[0; 5_000]].concat();
            raw.stream.write_all(&half).expect("sent");
            raw
        })
        .collect();
    send(&server, "flights", &["on time"]);
    assert!(halves.into_iter().all(ends));
}

#[test]
fn storm_of_connections_blows_over() {
    let server = start_broker_with(|config| config.max_connections = 20);
    let storm: Vec<_> = (0..300)
        .map(|_| TcpStream::connect(server.bootstrap()))
        .collect();
    drop(storm);
    eventually("a free place", || {
        is_in(&mut connect(&server)).then_some(())
    });
}

#[test]
fn server_with_open_connections_stops_at_once() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let silent = connect(&server);
    let mut waiting = connect(&server);
    waiting.send(FETCH, 4, 1, &fetch_body(60_000));
    let mut half = connect(&server);
    half.stream.write_all(&[0, 0, 1]).expect("sent");
    assert!(is_in(&mut connect(&server)));
    let started = Instant::now();
    drop(server);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert!([silent, waiting, half].into_iter().all(ends));
}

/// Runs in a process of its own, which may not open many files.
#[test]
#[ignore = "server_out_of_file_descriptors_recovers runs this in a process of its own"]
fn server_process() {
    if std::env::var_os("HEADWATER_TEST_SERVER").is_none() {
        return;
    }
    let server = start_broker();
    println!("bootstrap {}", server.bootstrap());
    // Until the parent is done, or gone.
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[cfg(unix)]
#[test]
fn server_out_of_file_descriptors_recovers() {
    let test = std::env::current_exe().expect("a path");
    let line = "ulimit -n 40 && exec \"$0\" --exact manners::server_process --ignored --nocapture";
    let mut child = Command::new("sh")
        .args(["-c", line])
        .arg(test)
        .env("HEADWATER_TEST_SERVER", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let said = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut said = said.map_while(Result::ok);
    let bootstrap = said.find_map(|line| Some(line.split_once("bootstrap ")?.1.to_owned()));
    let bootstrap = bootstrap.expect("an address");
    let connect = || {
        let stream = TcpStream::connect(&bootstrap).expect("a place in the queue");
        stream.set_read_timeout(Some(SHORT)).expect("a time-out");
        Raw { stream }
    };
    let mut all: Vec<_> = (0..60).map(|_| connect()).collect();
    let answers = |raw: &mut Raw<TcpStream>| {
        raw.send(METADATA, 0, 1, &0i32.to_be_bytes());
        matches!(raw.stream.read(&mut [0; 100]), Ok(1..))
    };
    assert!(
        all.iter_mut().any(|raw| !answers(raw)),
        "there were enough files"
    );
    drop(all);
    eventually("a free place", || answers(&mut connect()).then_some(()));
    drop(child.stdin.take());
    assert!(child.wait().expect("an end").success());
}

#[test]
fn only_produce_may_be_large() {
    let frame = |key: i16, size: usize| {
        let header = [&key.to_be_bytes()[..], &[0, 4, 0, 0, 0, 1, 0xff, 0xff]].concat();
        decode(Bytes::from([header, vec![0; size]].concat()))
    };
    assert!(frame(METADATA, 100).is_ok());
    assert!(matches!(frame(METADATA, 16 << 20), Err(Malformed)));
    assert!(frame(FETCH, 100).is_ok());
    assert!(matches!(frame(FETCH, 4 << 20), Err(Malformed)));
}

#[test]
fn what_is_named_twice_is_described_once() {
    let mut stepped = Stepped::with_topic();
    let topic = MetadataRequestTopic::default().with_name(Some(TopicName(text("flights"))));
    let request = MetadataRequest::default().with_topics(Some(vec![topic; 1000]));
    let Response::Metadata(body) = stepped.ask(9, Request::Metadata(request)) else {
        panic!("another reply");
    };
    assert_eq!(body.topics.len(), 1);
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("flights"));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource; 1000]);
    let Response::DescribeConfigs(body) = stepped.ask(4, Request::DescribeConfigs(request)) else {
        panic!("another reply");
    };
    assert_eq!(body.results.len(), 1);
    let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(text("g")); 1000]);
    let Response::DescribeGroups(body) = stepped.ask(5, Request::DescribeGroups(request)) else {
        panic!("another reply");
    };
    assert_eq!(body.groups.len(), 1);
}

#[test]
fn fetches_wait_as_long_as_there_is_room_for_them() {
    let mut stepped = Stepped::with_topic();
    let partition = FetchPartition::default()
        .with_current_leader_epoch(-1)
        .with_partition_max_bytes(1000);
    let topic = FetchTopic::default()
        .with_topic(TopicName(text("flights")))
        .with_partitions(vec![partition; 100_000]);
    let body = FetchRequest::default()
        .with_max_wait_ms(1000)
        .with_min_bytes(1)
        .with_max_bytes(1000)
        .with_topics(vec![topic]);
    let ids: Vec<_> = (0..11)
        .map(|_| stepped.send(12, Request::Fetch(body.clone())))
        .collect();
    let answered = |stepped: &mut Stepped| {
        let replies = ids.iter().map(|id| stepped.replied(*id).is_some());
        replies.collect::<Vec<_>>()
    };
    assert_eq!(
        answered(&mut stepped),
        [vec![false; 10], vec![true]].concat()
    );
    // And there is room again once their time is up.
    stepped.pass(1000);
    assert_eq!(
        answered(&mut stepped),
        [vec![true; 10], vec![false]].concat()
    );
    let id = stepped.send(12, Request::Fetch(body));
    assert!(stepped.replied(id).is_none());
}

fn commit(stepped: &mut Stepped, group: &str) -> i16 {
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(1);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    match stepped.ask(7, Request::OffsetCommit(request)) {
        Response::OffsetCommit(body) => body.topics[0].partitions[0].error_code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn group_beyond_the_limit_is_refused_and_the_others_go_on() {
    let mut stepped = Stepped::with(BrokerSettings {
        max_groups: 20,
        ..BrokerSettings::default()
    });
    stepped.create("flights", &[]);
    for number in 0..20 {
        assert_eq!(commit(&mut stepped, &number.to_string()), 0);
    }
    let policy_violation = ResponseError::PolicyViolation.code();
    assert_eq!(commit(&mut stepped, "one more"), policy_violation);
    assert_eq!(commit(&mut stepped, "0"), 0);
    let long = "x".repeat(1001);
    assert_eq!(
        commit(&mut stepped, &long),
        ResponseError::InvalidGroupId.code()
    );
}

#[test]
fn member_beyond_the_limit_is_refused() {
    let mut stepped = Stepped::with(BrokerSettings {
        max_members: 20,
        ..BrokerSettings::default()
    });
    let join = |stepped: &mut Stepped| {
        let protocol = JoinGroupRequestProtocol::default().with_name(text("range"));
        let request = JoinGroupRequest::default()
            .with_group_id(GroupId(text("dashboard")))
            .with_session_timeout_ms(10_000)
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol]);
        match stepped.ask(5, Request::JoinGroup(request)) {
            Response::JoinGroup(body) => body.error_code,
            other => panic!("{other:?}"),
        }
    };
    for _ in 0..20 {
        assert_eq!(join(&mut stepped), ResponseError::MemberIdRequired.code());
    }
    assert_eq!(
        join(&mut stepped),
        ResponseError::GroupMaxSizeReached.code()
    );
    // Nobody came back with the id that was promised: there is room again.
    stepped.pass(10_001);
    assert_eq!(join(&mut stepped), ResponseError::MemberIdRequired.code());
}
