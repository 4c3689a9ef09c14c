//! Scenarios: which nodes, topics and clients a history has; plain data.

use super::crash::CrashPoint;
use super::dice::Dice;
use super::plan::FaultPlan;
use crate::brokers::Flaw;

/// What producers wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    None,
    Leader,
    All,
}

impl Acks {
    pub(super) fn code(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// One topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlan {
    pub name: String,
    pub partitions: i32,
    pub replicas: i16,
    pub min_in_sync: i32,
    pub unclean_election: bool,
}

impl TopicPlan {
    /// A topic of one partition with one replica.
    pub fn new(name: &str) -> TopicPlan {
        TopicPlan {
            name: name.to_owned(),
            partitions: 1,
            replicas: 1,
            min_in_sync: 1,
            unclean_election: false,
        }
    }

    /// Sets the number of partitions, default 1.
    pub fn partitions(mut self, partitions: i32) -> TopicPlan {
        self.partitions = partitions;
        self
    }

    /// Sets the replication factor and `min.insync.replicas`, default 1 and 1.
    pub fn replicas(mut self, replicas: i16, min_in_sync: i32) -> TopicPlan {
        self.replicas = replicas;
        self.min_in_sync = min_in_sync;
        self
    }

    /// Allows unclean election, default not.
    pub fn unclean(mut self) -> TopicPlan {
        self.unclean_election = true;
        self
    }
}

/// One producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerPlan {
    /// Place of the topic in the scenario.
    pub topic: usize,
    pub records: u32,
    /// Records of one batch.
    pub batch: u32,
    pub acks: Acks,
    pub idempotent: bool,
    pub transactional_id: Option<String>,
    pub pause_ms: i64,
    /// A batch that was not acknowledged is sent again so many times.
    pub retries: u32,
}

impl ProducerPlan {
    /// A producer of `records` records, one a batch, `acks=all`, not idempotent.
    pub fn new(records: u32) -> ProducerPlan {
        ProducerPlan {
            topic: 0,
            records,
            batch: 1,
            acks: Acks::All,
            idempotent: false,
            transactional_id: None,
            pause_ms: 5,
            retries: 30,
        }
    }

    /// Sets the topic by its place in the scenario, default 0.
    pub fn to_topic(mut self, topic: usize) -> ProducerPlan {
        self.topic = topic;
        self
    }

    /// Sets the records of a batch, default 1.
    pub fn batch(mut self, records: u32) -> ProducerPlan {
        self.batch = records.max(1);
        self
    }

    /// Sets what is waited for, default all.
    pub fn acks(mut self, acks: Acks) -> ProducerPlan {
        self.acks = acks;
        self
    }

    /// Makes the producer idempotent.
    pub fn idempotent(mut self) -> ProducerPlan {
        self.idempotent = true;
        self
    }

    /// Makes the producer transactional.
    pub fn transactional(mut self, id: &str) -> ProducerPlan {
        self.idempotent = true;
        self.transactional_id = Some(id.to_owned());
        self
    }

    /// Sets how often a batch is sent again, default 30 times.
    pub fn retries(mut self, retries: u32) -> ProducerPlan {
        self.retries = retries;
        self
    }
}

/// When a consumer commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// After the poll, before the records are processed: at most once.
    Before,
    /// After the records are processed: at least once.
    After,
    /// By a timer, what was polled: neither the one nor the other.
    Timer(i64),
    /// In one transaction with what is written to topic number `into`: exactly once.
    InTransaction { into: usize },
}

/// One consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerPlan {
    pub topic: usize,
    pub group: String,
    /// Reads what it assigned to itself, all partitions, instead of becoming a member.
    pub by_hand: bool,
    pub commit: Commit,
    pub read_committed: bool,
    /// Place of the topic that it writes one record to for each it reads. A transaction has its
    /// own, see [`Commit::InTransaction`].
    pub output: Option<usize>,
    /// Records of one poll.
    pub poll: usize,
    pub process_ms: i64,
}

impl ConsumerPlan {
    /// A member of `group` that commits after processing and reads committed records only.
    pub fn new(group: &str) -> ConsumerPlan {
        ConsumerPlan {
            topic: 0,
            group: group.to_owned(),
            by_hand: false,
            commit: Commit::After,
            read_committed: true,
            output: None,
            poll: 5,
            process_ms: 1,
        }
    }

    /// Sets the topic by its place in the scenario, default 0.
    pub fn of_topic(mut self, topic: usize) -> ConsumerPlan {
        self.topic = topic;
        self
    }

    /// Sets when it commits, default after processing.
    pub fn commit(mut self, commit: Commit) -> ConsumerPlan {
        self.commit = commit;
        self
    }

    /// Writes a record to this topic for each that it reads, default none.
    pub fn writing_to(mut self, topic: usize) -> ConsumerPlan {
        self.output = Some(topic);
        self
    }

    /// Returns the topic that it writes to, if it does.
    pub fn writes_to(&self) -> Option<usize> {
        match self.commit {
            Commit::InTransaction { into } => Some(into),
            _ => self.output,
        }
    }

    /// Assigns all partitions by hand.
    pub fn by_hand(mut self) -> ConsumerPlan {
        self.by_hand = true;
        self
    }

    /// Reads records of open and aborted transactions as well.
    pub fn read_uncommitted(mut self) -> ConsumerPlan {
        self.read_committed = false;
        self
    }

    /// Sets the records of one poll, default 5.
    pub fn poll(mut self, records: usize) -> ConsumerPlan {
        self.poll = records.max(1);
        self
    }
}

/// One client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientPlan {
    Producer(ProducerPlan),
    Consumer(ConsumerPlan),
}

/// A whole history before it begins.
///
/// ```
/// use headwater_broker::simulator::{ConsumerPlan, ProducerPlan, Scenario, Simulation, TopicPlan};
///
/// let scenario = Scenario::new(7)
///     .topic(TopicPlan::new("flights").partitions(2))
///     .producer(ProducerPlan::new(10).idempotent())
///     .consumer(ConsumerPlan::new("board"));
/// let outcome = Simulation::new(scenario).run_to_end();
/// assert!(outcome.broken.is_none());
/// assert_eq!(outcome.tally.processed, 10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    pub seed: u64,
    pub nodes: i32,
    pub topics: Vec<TopicPlan>,
    clients: Vec<ClientPlan>,
    pub faults: FaultPlan,
    /// A consumer that dies at a point of its loop: which, where, and at which visit.
    pub(super) death: Option<(usize, CrashPoint, u32)>,
    /// A planted mistake of the broker, for tests of the checks.
    #[doc(hidden)]
    pub flaw: Option<Flaw>,
}

impl Scenario {
    /// One node in memory, without topics and clients.
    pub fn new(seed: u64) -> Scenario {
        Scenario {
            seed,
            nodes: 1,
            topics: Vec::new(),
            clients: Vec::new(),
            faults: FaultPlan::default(),
            death: None,
            flaw: None,
        }
    }

    /// Sets the number of nodes, default 1.
    pub fn nodes(mut self, nodes: i32) -> Scenario {
        self.nodes = nodes;
        self
    }

    /// Adds a topic, which is made before the first step.
    pub fn topic(mut self, topic: TopicPlan) -> Scenario {
        self.topics.push(topic);
        self
    }

    /// Adds a producer.
    pub fn producer(mut self, producer: ProducerPlan) -> Scenario {
        self.clients.push(ClientPlan::Producer(producer));
        self
    }

    /// Adds a consumer.
    pub fn consumer(mut self, consumer: ConsumerPlan) -> Scenario {
        self.clients.push(ClientPlan::Consumer(consumer));
        self
    }

    /// Sets what goes wrong, default nothing.
    pub fn faults(mut self, faults: FaultPlan) -> Scenario {
        self.faults = faults;
        self
    }

    /// Lets a consumer die when it comes to this point for the `visit`-th time (counted from 1),
    /// and start again without memory once its session is over.
    pub fn death(mut self, client: usize, point: CrashPoint, visit: u32) -> Scenario {
        self.death = Some((client, point, visit));
        self
    }

    /// Plants a known mistake in the broker.
    #[doc(hidden)]
    pub fn flaw(mut self, flaw: Flaw) -> Scenario {
        self.flaw = Some(flaw);
        self
    }

    /// Returns the clients, in the order in which they were added.
    pub fn clients(&self) -> &[ClientPlan] {
        &self.clients
    }

    /// Draws a scenario with its faults.
    pub fn random(seed: u64) -> Scenario {
        super::draw::scenario(seed, &mut Dice::new(seed))
    }
}
