//! Kills a broker again and again while clients write to it, and counts what is lost.
//!
//! `cargo bench --profile dev --bench kill_nine -- --runs 300` kills it 300 times; `-- --short` ten
//! times. The broker runs in a process of its own (this program again) on one data directory, with
//! an fsync before every acknowledgement (`--flush none` or `interval` to change that), and is
//! killed with SIGKILL at a random moment. One idempotent producer with `acks=all` goes on through
//! all of it, one consumer group reads and commits, one transactional producer commits and aborts.
//! At the end every record that was acknowledged must be there once, in order; a committed offset
//! may never go back; a transaction is in both of its topics or in none, as its producer was told.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headwater_broker::{Flush, Recovery, Server, ServerConfig};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, Message, Offset, TopicPartitionList};

const TOPIC: &str = "kill-nine";
const TRANSACTIONAL: [&str; 2] = ["kill-nine-a", "kill-nine-b"];
const GROUP: &str = "readers";
const RECORD_BYTES: usize = 100;
const PATIENCE: Duration = Duration::from_secs(120);
/// Records are sent in bursts, so that batches of all sizes come about.
const BURST: u64 = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value_of = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).cloned()
    };
    let flush = value_of("--flush").unwrap_or_else(|| "batch".to_owned());
    if arguments.first().is_some_and(|first| first == "broker") {
        let dir = value_of("--data").expect("a directory");
        let port = value_of("--port").and_then(|port| port.parse().ok());
        return run_broker(Path::new(&dir), port.unwrap_or(0), &flush);
    }
    let short = arguments.iter().any(|argument| argument == "--short");
    let runs = value_of("--runs").and_then(|runs| runs.parse().ok());
    let seed = value_of("--seed").and_then(|seed| seed.parse().ok());
    let runs = runs.unwrap_or(if short { 10 } else { 300 });
    Run::new(&flush, seed.unwrap_or(4)).kill(runs);
}

/// The broker process: tells its port and how its recovery went, and runs until it is killed.
fn run_broker(dir: &Path, port: u16, flush: &str) {
    let config = ServerConfig {
        listen: ([127, 0, 0, 1], port).into(),
        data_dir: Some(dir.to_owned()),
        flush: flush.parse::<Flush>().expect("none, interval or batch"),
        max_bytes: 16 << 30,
        ..ServerConfig::default()
    };
    let server = Server::start(config).expect("the directory is whole");
    let storage = server.describe().storage.expect("there is one");
    let recovery = serde_json::to_string(&storage.recovery).expect("plain numbers");
    let bootstrap = server.bootstrap();
    let (_, port) = bootstrap.rsplit_once(':').expect("host:port");
    println!("{port}\n{recovery}");
    // Ends with its parent, should that be killed itself.
    for _ in std::io::stdin().lines() {}
}

/// A broker process.
struct Broker {
    child: Child,
    port: u16,
    recovery: Recovery,
}

impl Broker {
    fn start(dir: &Path, port: u16, flush: &str) -> Broker {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args(["broker", "--flush", flush, "--port", &port.to_string()])
            .arg("--data")
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs again");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let port = next(&mut lines).parse().expect("a port");
        let recovery = serde_json::from_str(&next(&mut lines)).expect("a recovery");
        Broker {
            child,
            port,
            recovery,
        }
    }

    /// SIGKILL: no destructor runs, nothing is flushed by the process.
    fn kill(mut self) {
        self.child.kill().expect("a process of ours");
        self.child.wait().expect("it is gone");
    }
}

fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = lines.next().expect("the broker process answers");
    line.expect("text")
}

/// Everything of one run of this program.
struct Run {
    dir: tempfile::TempDir,
    flush: String,
    random: Random,
    broker: Option<Broker>,
    config: ClientConfig,
    recoveries: Vec<Recovery>,
}

impl Run {
    fn new(flush: &str, seed: u64) -> Run {
        let dir = tempfile::tempdir().expect("a directory");
        let broker = Broker::start(&data(&dir), 0, flush);
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", format!("127.0.0.1:{}", broker.port))
            .set("reconnect.backoff.ms", "5")
            .set("reconnect.backoff.max.ms", "50")
            .set("retry.backoff.ms", "5")
            .set("log_level", "2");
        Run {
            dir,
            flush: flush.to_owned(),
            random: Random(seed),
            broker: Some(broker),
            config,
            recoveries: Vec::new(),
        }
    }

    fn kill(mut self, runs: usize) {
        let started = Instant::now();
        let writer = Writing::start(&self.config);
        let reader = Reading::start(&self.config);
        let transactions = Transacting::start(&self.config);
        for _ in 0..runs {
            let alive_ms = 10 + self.random.below(390);
            std::thread::sleep(Duration::from_millis(alive_ms));
            self.restart();
            self.check_committed(&reader);
        }
        let sent = writer.finish();
        let commits = reader.finish(sent);
        let outcomes = transactions.finish();
        self.check_records(sent);
        let ended = check_transactions(&self.config, &outcomes);
        let unknown = outcomes.len() - ended.0 - ended.1;
        self.report(runs, sent, commits, started.elapsed());
        println!(
            "  transactions          {} committed, {} aborted, {unknown} ended by a kill: all whole",
            ended.0, ended.1
        );
    }

    fn restart(&mut self) {
        let broker = self.broker.take().expect("one is running");
        let port = broker.port;
        broker.kill();
        let broker = Broker::start(&data(&self.dir), port, &self.flush);
        self.recoveries.push(broker.recovery.clone());
        self.broker = Some(broker);
    }

    /// What was acknowledged as committed before the kill is committed after it.
    fn check_committed(&self, reader: &Reading) {
        let acknowledged = reader.committed.load(Ordering::SeqCst);
        let mut config = self.config.clone();
        config.set("group.id", GROUP);
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let mut asked = TopicPartitionList::new();
        asked.add_partition(TOPIC, 0);
        let found = consumer.committed_offsets(asked, PATIENCE);
        let found = found.expect("committed offsets").elements()[0].offset();
        let found = match found {
            Offset::Offset(offset) => offset,
            _ => 0,
        };
        assert!(
            found >= acknowledged,
            "the committed offset went back from {acknowledged} to {found}"
        );
    }

    /// Every acknowledged record is there once, in the order in which it was sent.
    fn check_records(&self, sent: u64) {
        let mut expected = 0;
        read_all(&self.config, TOPIC, |found| {
            assert!(found >= expected, "record {found} came twice");
            assert!(found <= expected, "records from {expected} on were lost");
            expected += 1;
        });
        assert_eq!(
            expected, sent,
            "acknowledged records at the end are missing"
        );
    }

    fn report(&self, runs: usize, sent: u64, commits: u64, took: Duration) {
        let torn = self.recoveries.iter().filter(|r| r.truncated_bytes > 0);
        let cut: u64 = self.recoveries.iter().map(|r| r.truncated_bytes).sum();
        let mut times: Vec<u64> = self.recoveries.iter().map(|r| r.took_us).collect();
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100] as f64 / 1000.0;
        println!(
            "{runs} times kill -9 in {:.0} s, flush {}",
            took.as_secs_f64(),
            self.flush
        );
        println!("  records acknowledged  {sent}: none lost, none doubled, all in order");
        println!("  offsets committed     {commits} times: none went back");
        println!("  torn tails cut off    {}, {cut} bytes", torn.count());
        println!(
            "  recovery              p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
            at(50),
            at(99),
            at(100)
        );
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(broker) = self.broker.take() {
            broker.kill();
        }
    }
}

fn data(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("data")
}

fn number(payload: &[u8]) -> u64 {
    u64::from_be_bytes(payload[..8].try_into().expect("eight bytes"))
}

/// Notes what was acknowledged; nothing may fail, however often the broker dies.
#[derive(Default, Clone)]
struct Acknowledged {
    count: Arc<AtomicU64>,
    failure: Arc<Mutex<Option<String>>>,
}

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                self.count.fetch_add(1, Ordering::SeqCst);
            }
            Err((error, _)) => *self.failure.lock().expect("whole") = Some(error.to_string()),
        }
    }
}

/// The producer's thread.
struct Writing {
    stop: Arc<AtomicBool>,
    acknowledged: Acknowledged,
    thread: JoinHandle<u64>,
}

impl Writing {
    fn start(config: &ClientConfig) -> Writing {
        let mut config = config.clone();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "1")
            .set("message.timeout.ms", "600000");
        let acknowledged = Acknowledged::default();
        let context = acknowledged.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let producer: ThreadedProducer<Acknowledged> =
                config.create_with_context(context).expect("a producer");
            let mut sent = 0;
            while !stopping.load(Ordering::SeqCst) {
                for _ in 0..BURST {
                    send(&producer, TOPIC, sent);
                    sent += 1;
                }
                // A few thousand records a second: enough to be hit, few enough to be read back.
                std::thread::sleep(Duration::from_millis(20));
            }
            producer.flush(PATIENCE).expect("all acknowledged");
            sent
        });
        Writing {
            stop,
            acknowledged,
            thread,
        }
    }

    /// Waits until everything is acknowledged and returns how many records that were.
    fn finish(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        let sent = self.thread.join().expect("the producer goes on to its end");
        let failure = self.acknowledged.failure.lock().expect("whole").take();
        assert_eq!(failure, None, "a record was refused");
        assert_eq!(self.acknowledged.count.load(Ordering::SeqCst), sent);
        sent
    }
}

fn send(producer: &ThreadedProducer<Acknowledged>, topic: &str, number: u64) {
    let mut payload = [b'.'; RECORD_BYTES];
    payload[..8].copy_from_slice(&number.to_be_bytes());
    let record = BaseRecord::<(), [u8]>::to(topic).payload(&payload);
    producer
        .send(record)
        .map_err(|(error, _)| error)
        .expect("room in the queue");
}

/// The consumer's thread: reads in a group and commits what it has read.
struct Reading {
    /// The highest offset whose commit was acknowledged.
    committed: Arc<AtomicI64>,
    commits: Arc<AtomicU64>,
    end: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Reading {
    fn start(config: &ClientConfig) -> Reading {
        let mut config = config.clone();
        config
            .set("group.id", GROUP)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .set("fetch.queue.backoff.ms", "1");
        let reading = (
            Arc::new(AtomicI64::new(0)),
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicU64::new(u64::MAX)),
        );
        let (committed, commits, end) = reading.clone();
        let thread = std::thread::spawn(move || {
            let consumer: BaseConsumer = config.create().expect("a consumer");
            consumer.subscribe(&[TOPIC]).expect("a topic");
            let mut next = 0;
            while next < end.load(Ordering::SeqCst) {
                let Some(Ok(record)) = consumer.poll(Duration::from_millis(50)) else {
                    continue;
                };
                let found = number(record.payload().expect("a payload"));
                assert!(found <= next, "the group missed records from {next} on");
                next = next.max(found + 1);
                if record.offset() % 50 == 49
                    && consumer.commit_message(&record, CommitMode::Sync).is_ok()
                {
                    committed.fetch_max(record.offset() + 1, Ordering::SeqCst);
                    commits.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        let (committed, commits, end) = reading;
        Reading {
            committed,
            commits,
            end,
            thread,
        }
    }

    /// Waits until all has been read and returns how often offsets were committed.
    fn finish(self, sent: u64) -> u64 {
        self.end.store(sent, Ordering::SeqCst);
        self.thread.join().expect("the consumer goes on to its end");
        self.commits.load(Ordering::SeqCst)
    }
}

/// What the producer of a transaction was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Committed,
    Aborted,
    /// The producer failed before it heard: all of it, or nothing.
    Unknown,
}

/// The thread of the transactional producer.
struct Transacting {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Outcome>>,
}

impl Transacting {
    fn start(config: &ClientConfig) -> Transacting {
        let mut config = config.clone();
        config
            .set("transactional.id", "kill-nine")
            .set("linger.ms", "1")
            .set("transaction.timeout.ms", "60000");
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut outcomes = Vec::new();
            let mut producer = transactional(&config);
            while !stopping.load(Ordering::SeqCst) {
                let number = outcomes.len() as u64;
                match transaction(&producer, number) {
                    Ok(outcome) => outcomes.push(outcome),
                    Err(_) => {
                        outcomes.push(Outcome::Unknown);
                        producer = transactional(&config);
                    }
                }
            }
            outcomes
        });
        Transacting { stop, thread }
    }

    fn finish(self) -> Vec<Outcome> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("the producer goes on to its end")
    }
}

/// Returns a producer that holds the transactional id; what its predecessor left open is aborted.
fn transactional(config: &ClientConfig) -> ThreadedProducer<Acknowledged> {
    let started = Instant::now();
    loop {
        let context = Acknowledged::default();
        let producer: ThreadedProducer<Acknowledged> =
            config.create_with_context(context).expect("a producer");
        match producer.init_transactions(Duration::from_secs(10)) {
            Ok(()) => return producer,
            Err(error) => assert!(started.elapsed() < PATIENCE, "{error}"),
        }
    }
}

/// Writes one record to both topics; every third transaction is aborted.
fn transaction(
    producer: &ThreadedProducer<Acknowledged>,
    number: u64,
) -> Result<Outcome, KafkaError> {
    producer.begin_transaction()?;
    for topic in TRANSACTIONAL {
        send(producer, topic, number);
    }
    if number % 3 != 2 {
        loop {
            match producer.commit_transaction(Duration::from_secs(10)) {
                Ok(()) => return Ok(Outcome::Committed),
                Err(KafkaError::Transaction(error)) if error.is_retriable() => {}
                Err(KafkaError::Transaction(error)) if error.txn_requires_abort() => break,
                Err(error) => return Err(error),
            }
        }
    }
    loop {
        match producer.abort_transaction(Duration::from_secs(10)) {
            Ok(()) => return Ok(Outcome::Aborted),
            Err(KafkaError::Transaction(error)) if error.is_retriable() => {}
            Err(error) => return Err(error),
        }
    }
}

/// Both topics hold the committed transactions once, the aborted ones never, and agree on those
/// of which nobody knows. Returns how many were committed and how many aborted.
fn check_transactions(config: &ClientConfig, outcomes: &[Outcome]) -> (usize, usize) {
    let found = TRANSACTIONAL.map(|topic| {
        let mut found = vec![0; outcomes.len()];
        read_all(config, topic, |number| found[number as usize] += 1);
        found
    });
    for (number, outcome) in outcomes.iter().enumerate() {
        let counts = [found[0][number], found[1][number]];
        let right = match outcome {
            Outcome::Committed => counts == [1, 1],
            Outcome::Aborted => counts == [0, 0],
            Outcome::Unknown => counts == [0, 0] || counts == [1, 1],
        };
        assert!(
            right,
            "transaction {number} {outcome:?} was found {counts:?} times"
        );
    }
    let count = |wanted| {
        outcomes
            .iter()
            .filter(|outcome| **outcome == wanted)
            .count()
    };
    (count(Outcome::Committed), count(Outcome::Aborted))
}

/// Reads a topic from its beginning to its end, as a reader that sees committed records only.
fn read_all(config: &ClientConfig, topic: &str, mut see: impl FnMut(u64)) {
    let mut config = config.clone();
    config
        .set("group.id", "checker")
        .set("enable.partition.eof", "true")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.queue.backoff.ms", "1");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut all = TopicPartitionList::new();
    all.add_partition_offset(topic, 0, Offset::Beginning)
        .expect("an offset");
    consumer.assign(&all).expect("assigned");
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < PATIENCE, "no end of {topic}");
        match consumer.poll(Duration::from_millis(100)) {
            None => {}
            Some(Err(KafkaError::PartitionEOF(_))) => return,
            Some(Err(error)) => panic!("{error}"),
            Some(Ok(record)) => {
                see(number(record.payload().expect("a payload")));
            }
        }
    }
}

/// SplitMix64: the moments of the kills can be repeated, what they hit cannot.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit
    }
}
