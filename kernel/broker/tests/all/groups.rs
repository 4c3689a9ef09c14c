//! Consumer groups of real clients: who owns what, and what happens when one is gone.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use headwater_broker::{Server, TopicPartition};
use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::BaseRecord;

use crate::clients::{client, create_topic, eventually, flush, producer, start_broker_with};

const BOOTSTRAP: &str = "HEADWATER_TEST_BOOTSTRAP";

/// A member that reads in a thread of its own until it is dropped.
struct Reader {
    records: Arc<Mutex<Vec<(i32, i64)>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(config: &ClientConfig) -> Reader {
        let consumer: BaseConsumer = config.create().expect("a consumer");
        consumer.subscribe(&["flights"]).expect("a topic");
        let records: Arc<Mutex<Vec<(i32, i64)>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, stopping) = (Arc::clone(&records), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopping.load(Ordering::SeqCst) {
                if let Some(Ok(record)) = consumer.poll(Duration::from_millis(50)) {
                    let place = (record.partition(), record.offset());
                    seen.lock().expect("no panic here").push(place);
                }
            }
        });
        Reader {
            records,
            stop,
            thread: Some(thread),
        }
    }

    fn records(&self) -> Vec<(i32, i64)> {
        self.records.lock().expect("no panic here").clone()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the reader ends");
        }
    }
}

fn quick_sessions() -> Server {
    start_broker_with(|config| config.brokers.min_session_timeout_ms = 500)
}

fn member(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "dashboard")
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "2000")
        .set("heartbeat.interval.ms", "200");
    config
}

fn send_to_each(server: &Server, partitions: i32, count: i32) {
    let producer = producer(&client(server));
    for number in 0..partitions * count {
        let record = BaseRecord::<(), str>::to("flights")
            .partition(number % partitions)
            .payload("x");
        producer.send(record).expect("room in the queue");
    }
    flush(&producer);
}

/// Returns the partitions of each member once the group is stable with so many.
fn assignments(server: &Server, members: usize) -> Option<Vec<Vec<TopicPartition>>> {
    let group = server.describe().groups.into_iter().next()?;
    let settled = group.state == "Stable" && group.members.len() == members;
    settled.then(|| {
        group
            .members
            .into_iter()
            .map(|member| member.assigned)
            .collect()
    })
}

fn distinct(parts: &[Vec<TopicPartition>]) -> usize {
    parts.iter().flatten().collect::<BTreeSet<_>>().len()
}

#[test]
fn two_members_read_every_record_once_between_them() {
    let server = quick_sessions();
    create_topic(&server, "flights", 4);
    let config = member(&server.bootstrap());
    let (first, second) = (Reader::start(&config), Reader::start(&config));
    let parts = eventually("two members", || {
        assignments(&server, 2).filter(|parts| parts.iter().all(|part| part.len() == 2))
    });
    assert_eq!(distinct(&parts), 4);
    send_to_each(&server, 4, 50);
    let both = || [first.records(), second.records()].concat();
    let records = eventually("all records", || {
        Some(both()).filter(|all| all.len() >= 200)
    });
    let distinct: BTreeSet<(i32, i64)> = records.iter().copied().collect();
    assert_eq!((records.len(), distinct.len()), (200, 200));
}

/// Members of the consumer protocol: time-outs are the broker's.
fn consumer_protocol(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "dashboard")
        .set("group.protocol", "consumer")
        .set("auto.offset.reset", "earliest");
    config
}

#[test]
fn three_members_of_the_consumer_protocol_share_a_topic_and_one_leaves() {
    let server = start_broker_with(|config| config.brokers.consumer_heartbeat_ms = 100);
    create_topic(&server, "flights", 6);
    send_to_each(&server, 6, 50);
    let config = consumer_protocol(&server.bootstrap());
    let readers = [(); 3].map(|()| Reader::start(&config));
    let evenly = |members: usize| {
        assignments(&server, members)
            .filter(|parts| parts.iter().all(|part| part.len() == 6 / members))
    };
    let parts = eventually("three members", || evenly(3));
    assert_eq!(distinct(&parts), 6);
    let group = server.describe().groups.remove(0);
    assert_eq!(
        (group.kind.as_str(), group.protocol.as_str()),
        ("consumer", "uniform")
    );
    let [first, second, third] = readers;
    let read_by_third = Arc::clone(&third.records);
    drop(third);
    let before = read_by_third.lock().expect("no panic here").clone();
    let parts = eventually("two members", || evenly(2));
    assert_eq!(distinct(&parts), 6);
    let all = eventually("all records", || {
        let all = [first.records(), second.records(), before.clone()].concat();
        Some(all.into_iter().collect::<BTreeSet<_>>()).filter(|all| all.len() == 300)
    });
    assert_eq!(all.len(), 300);
}

#[test]
fn committed_offset_of_the_consumer_protocol_is_where_the_next_member_goes_on() {
    let server = start_broker_with(|config| config.brokers.consumer_heartbeat_ms = 100);
    create_topic(&server, "flights", 1);
    send_to_each(&server, 1, 20);
    let config = consumer_protocol(&server.bootstrap());
    let read_ten = || {
        let mut config = config.clone();
        config.set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.create().expect("a consumer");
        consumer.subscribe(&["flights"]).expect("a topic");
        let records = crate::clients::poll(&consumer, 10);
        let last = records.last().expect("ten records").offset();
        let mut done = rdkafka::TopicPartitionList::new();
        done.add_partition_offset("flights", 0, rdkafka::Offset::Offset(last + 1))
            .expect("an offset");
        consumer
            .commit(&done, rdkafka::consumer::CommitMode::Sync)
            .expect("committed");
        last
    };
    assert_eq!(read_ten(), 9);
    assert_eq!(read_ten(), 19);
}

#[test]
fn member_that_leaves_hands_its_partitions_over() {
    let server = quick_sessions();
    create_topic(&server, "flights", 4);
    let config = member(&server.bootstrap());
    let first = Reader::start(&config);
    let second = Reader::start(&config);
    eventually("two members", || assignments(&server, 2));
    drop(second);
    let parts = eventually("one member", || {
        assignments(&server, 1).filter(|p| p[0].len() == 4)
    });
    assert_eq!(distinct(&parts), 4);
    drop(first);
    let group = || server.describe().groups.remove(0);
    eventually("an empty group", || {
        (group().state == "Empty").then_some(())
    });
}

#[test]
fn cooperative_members_end_up_with_all_partitions_once() {
    let server = quick_sessions();
    create_topic(&server, "flights", 6);
    let mut config = member(&server.bootstrap());
    config.set("partition.assignment.strategy", "cooperative-sticky");
    let readers: Vec<Reader> = (0..3).map(|_| Reader::start(&config)).collect();
    let parts = eventually("three members", || {
        assignments(&server, 3).filter(|parts| parts.iter().all(|part| part.len() == 2))
    });
    assert_eq!(distinct(&parts), 6);
    drop(readers);
}

#[test]
fn static_member_that_restarts_keeps_its_partitions() {
    let server = quick_sessions();
    create_topic(&server, "flights", 4);
    let named = |name: &str| {
        let mut config = member(&server.bootstrap());
        config
            .set("group.instance.id", name)
            .set("session.timeout.ms", "20000");
        config
    };
    let _first = Reader::start(&named("a"));
    let second = Reader::start(&named("b"));
    let two_each = || assignments(&server, 2).filter(|p| p.iter().all(|part| part.len() == 2));
    eventually("two members", two_each);
    let before = server.describe().groups.remove(0);
    drop(second);
    let id_of = |group: &headwater_broker::GroupDescription, name: &str| {
        let found = group
            .members
            .iter()
            .find(|m| m.instance.as_deref() == Some(name));
        found
            .map(|m| (m.id.clone(), m.assigned.clone()))
            .expect("a member")
    };
    let (old_id, part) = id_of(&before, "b");
    let _back = Reader::start(&named("b"));
    let after = eventually("the member back under a new id", || {
        let group = server.describe().groups.remove(0);
        (id_of(&group, "b").0 != old_id).then_some(group)
    });
    assert_eq!(id_of(&after, "b").1, part);
    assert_eq!(after.generation, before.generation);
}

/// Runs in a process of its own, to be killed.
#[test]
#[ignore = "killed_member_is_evicted runs this in a process of its own"]
fn member_process() {
    let Ok(bootstrap) = std::env::var(BOOTSTRAP) else {
        return;
    };
    let _reader = Reader::start(&member(&bootstrap));
    // Until the parent kills it, or is gone itself.
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn killed_member_is_evicted() {
    let server = quick_sessions();
    create_topic(&server, "flights", 4);
    let mut child = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "groups::member_process", "--ignored"])
        .env(BOOTSTRAP, server.bootstrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a process");
    let survivor = Reader::start(&member(&server.bootstrap()));
    eventually("two members", || assignments(&server, 2));
    child.kill().expect("killed");
    child.wait().expect("gone");
    let parts = eventually("the survivor alone", || {
        assignments(&server, 1).filter(|p| p[0].len() == 4)
    });
    assert_eq!(distinct(&parts), 4);
    drop(survivor);
}
