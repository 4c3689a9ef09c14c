//! A member of a consumer group: a real client that tells when it gets partitions and gives them up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use headwater_streams::{Cluster, Result};
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::ownership::{Diary, Event};
use crate::client;

/// A member commits what it has dealt with so often.
const COMMIT_EVERY: Duration = Duration::from_millis(500);

/// A record in the hands of a member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Take {
    pub at_us: i64,
    pub partition: i32,
    pub offset: i64,
    /// How old the record was.
    pub waited_s: f64,
}

/// What a group's members have in common.
#[derive(Clone)]
pub(super) struct Group {
    pub id: String,
    pub assignor: &'static str,
    pub diary: Arc<Diary>,
    /// The takes nobody has asked for yet, with the member. Locked to add one or to take all.
    pub taken: Arc<Mutex<Vec<(String, Take)>>>,
}

/// A member at work in a thread of its own.
pub(super) struct Member {
    pub name: String,
    pub is_static: bool,
    watch: Arc<Watch>,
    thread: Option<JoinHandle<()>>,
}

/// The member as its client sees it.
struct Watch {
    name: String,
    topic: String,
    diary: Arc<Diary>,
    stop: AtomicBool,
    /// Set by a kill: from then on it neither commits nor tells anything.
    dead: AtomicBool,
    /// The next record of each partition that it owns. Locked for one record or one commit.
    next: Mutex<BTreeMap<i32, i64>>,
}

/// The client's context: a handle to the same member.
struct Context(Arc<Watch>);

impl ClientContext for Context {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}
    fn error(&self, _error: KafkaError, _reason: &str) {}
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(list) = rebalance else {
            return;
        };
        if self.0.dead.load(Ordering::SeqCst) {
            return;
        }
        // The next owner begins where this says: without it, it would repeat.
        self.0.commit(consumer, CommitMode::Sync);
        let mut next = self.0.next.lock().expect("no panic under this lock");
        let given_up = partitions_of(list);
        given_up.iter().for_each(|partition| {
            next.remove(partition);
        });
        drop(next);
        self.0.tell(given_up, Event::GivesUp);
    }

    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(list) = rebalance {
            self.0.tell(partitions_of(list), Event::Owns);
        }
    }
}

fn partitions_of(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|it| it.partition()).collect()
}

impl Watch {
    fn tell(&self, partitions: Vec<i32>, event: fn(Vec<i32>) -> Event) {
        if !partitions.is_empty() && !self.dead.load(Ordering::SeqCst) {
            self.diary.note(&self.name, event(partitions));
        }
    }

    /// Commits the position; a group that moves on refuses it, and then the next owner repeats.
    fn commit(&self, consumer: &BaseConsumer<Context>, mode: CommitMode) {
        let next = self.next.lock().expect("no panic under this lock").clone();
        let mut list = TopicPartitionList::new();
        for (partition, offset) in next {
            let _ = list.add_partition_offset(&self.topic, partition, Offset::Offset(offset));
        }
        if list.count() > 0 {
            let _ = consumer.commit(&list, mode);
        }
    }

    fn work(&self, consumer: &BaseConsumer<Context>, taken: &Mutex<Vec<(String, Take)>>) {
        let mut committed = Instant::now();
        while !self.stop.load(Ordering::SeqCst) {
            if let Some(Ok(record)) = consumer.poll(Duration::from_millis(20)) {
                let at_us = now_us();
                let made_us = record.timestamp().to_millis().unwrap_or_default() * 1_000;
                let take = Take {
                    at_us,
                    partition: record.partition(),
                    offset: record.offset(),
                    waited_s: (at_us - made_us).max(0) as f64 / 1e6,
                };
                let mut next = self.next.lock().expect("no panic under this lock");
                next.insert(take.partition, take.offset + 1);
                drop(next);
                let mut taken = taken.lock().expect("no panic under this lock");
                taken.push((self.name.clone(), take));
            }
            if committed.elapsed() > COMMIT_EVERY {
                self.commit(consumer, CommitMode::Async);
                committed = Instant::now();
            }
        }
    }
}

impl Member {
    /// Starts a member; a static one has a `group.instance.id`, and its client says no goodbye.
    pub fn start(
        cluster: &Cluster,
        group: &Group,
        topic: &str,
        name: &str,
        is_static: bool,
    ) -> Result<Member> {
        let watch = Arc::new(Watch {
            name: name.to_owned(),
            topic: topic.to_owned(),
            diary: Arc::clone(&group.diary),
            stop: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            next: Mutex::default(),
        });
        let mut config = settings(cluster, group, name);
        if is_static {
            config.set("group.instance.id", format!("{}-{name}", group.id));
        }
        let consumer: BaseConsumer<Context> =
            config.create_with_context(Context(Arc::clone(&watch)))?;
        group.diary.note(name, Event::Change("joins"));
        consumer.subscribe(&[topic])?;
        let (working, taken) = (Arc::clone(&watch), Arc::clone(&group.taken));
        let thread = std::thread::spawn(move || working.work(&consumer, &taken));
        Ok(Member {
            name: name.to_owned(),
            is_static,
            watch,
            thread: Some(thread),
        })
    }

    /// Ends it as a power cut would: no commit, no goodbye.
    pub fn kill(mut self) {
        self.watch.dead.store(true, Ordering::SeqCst);
        self.watch
            .diary
            .note(&self.name, Event::Change("is killed"));
        self.end();
    }

    /// Ends it in order: it commits and says goodbye.
    pub fn leave(mut self) {
        self.watch.diary.note(&self.name, Event::Change("leaves"));
        self.end();
    }

    /// Asks it to end, without waiting.
    pub fn ask_to_stop(&self) {
        self.watch.stop.store(true, Ordering::SeqCst);
    }

    fn end(&mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.end();
    }
}

fn settings(cluster: &Cluster, group: &Group, name: &str) -> ClientConfig {
    let mut config = client::settings(cluster, name);
    config
        .set("group.id", &group.id)
        .set("partition.assignment.strategy", group.assignor)
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "1000")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "20");
    config
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}
