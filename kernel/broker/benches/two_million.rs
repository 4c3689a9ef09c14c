//! Two million records of 100 bytes through the broker, with the clients' default settings.
//!
//! `cargo bench --profile dev --bench two_million` runs all of it, with `-- 100000` a short form.
//! The broker runs in a process of its own (this program again), so that its memory can be told
//! from the clients'. With `--data DIR` it stores them there, and `--flush none|interval|batch` says
//! when they are forced to the disk. Each record carries its number: one that is lost or comes twice is found.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headwater_broker::{Server, ServerConfig};
use rdkafka::Message;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

const TOPIC: &str = "two-million";
const RECORD_BYTES: usize = 100;
const PATIENCE: Duration = Duration::from_secs(600);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value_of = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).cloned()
    };
    let stored = value_of("--data").map(|dir| Stored {
        dir,
        flush: value_of("--flush").unwrap_or_else(|| "none".to_owned()),
    });
    if arguments.iter().any(|argument| argument == "broker") {
        return run_broker(stored);
    }
    let count = arguments.iter().find_map(|argument| argument.parse().ok());
    run(count.unwrap_or(2_000_000), stored);
}

/// Where the broker stores its records.
struct Stored {
    dir: String,
    flush: String,
}

/// The broker process: tells its address, and ends with its standard input.
fn run_broker(stored: Option<Stored>) {
    let mut config = ServerConfig::default();
    if let Some(stored) = stored {
        config.data_dir = Some(stored.dir.into());
        config.flush = stored.flush.parse().expect("none, interval or batch");
    }
    let server = Server::start(config).expect("a free port");
    println!("{}", server.bootstrap());
    for line in std::io::stdin().lines() {
        if line.is_ok_and(|line| line == "held") {
            println!("{}", server.describe().bytes_held);
        }
    }
}

fn run(count: usize, stored: Option<Stored>) {
    let started = Instant::now();
    let (mut child, mut replies) = start_broker(stored.as_ref());
    let bootstrap = read_line(&mut replies);
    first_metadata(&bootstrap);
    let answering = started.elapsed();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    let idle_kib = memory_kib(child.id(), "VmRSS");

    let produce_seconds = produce(&config, count);
    let consume_seconds = consume(&config, "default", count);
    // With its defaults the client pauses for a second whenever 100,000 records lie unread; this
    // tells how fast records come without those pauses.
    config.set("fetch.queue.backoff.ms", "1");
    let steady_seconds = consume(&config, "steady", count);

    let held = ask_bytes_held(&mut child, &mut replies);
    let peak_kib = memory_kib(child.id(), "VmHWM");
    let cpu_seconds = cpu_seconds(child.id());
    drop(child.stdin.take());
    child.wait().expect("the broker process ends");

    println!("{count} records of {RECORD_BYTES} bytes: none lost, none doubled");
    println!(
        "first metadata    {:>9.1} ms, process start included",
        answering.as_secs_f64() * 1e3
    );
    print_rate("produced", count, produce_seconds);
    print_rate("consumed", count, consume_seconds);
    print_rate("consumed, no pause", count, steady_seconds);
    println!("bytes held        {:>9.1} MiB", held as f64 / 1048576.0);
    println!("broker, idle      {:>9.1} MiB", idle_kib as f64 / 1024.0);
    println!(
        "broker, peak      {:>9.1} MiB, {:.2} times the bytes held",
        peak_kib as f64 / 1024.0,
        peak_kib as f64 * 1024.0 / held as f64
    );
    println!(
        "broker, CPU       {:>9.2} s, {:.2} s a million records",
        cpu_seconds,
        cpu_seconds * 1e6 / count as f64
    );
}

fn print_rate(what: &str, count: usize, seconds: f64) {
    let rate = count as f64 / seconds;
    println!("{what:<18}{rate:>9.0} records/s in {seconds:.2} s");
}

fn start_broker(stored: Option<&Stored>) -> (Child, BufReader<std::process::ChildStdout>) {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.arg("broker");
    if let Some(Stored { dir, flush }) = stored {
        command.args(["--data", dir, "--flush", flush]);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs again");
    let replies = BufReader::new(child.stdout.take().expect("stdout is piped"));
    (child, replies)
}

/// Asks for metadata, version 0, and waits for the answer.
fn first_metadata(bootstrap: &str) {
    use std::io::{Read, Write};
    let mut socket = std::net::TcpStream::connect(bootstrap).expect("a connection");
    let request = [0, 0, 0, 14, 0, 3, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0];
    socket.write_all(&request).expect("sent");
    let mut answer = [0; 8];
    socket.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer[4..], [0, 0, 0, 1]);
}

fn produce(config: &ClientConfig, count: usize) -> f64 {
    let producer: BaseProducer = config.create().expect("a producer");
    let mut payload = [b'.'; RECORD_BYTES];
    let started = Instant::now();
    for number in 0..count as u64 {
        payload[..8].copy_from_slice(&number.to_be_bytes());
        let mut record = BaseRecord::<(), [u8]>::to(TOPIC).payload(&payload);
        while let Err((error, back)) = producer.send(record) {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            assert_eq!(error, full);
            producer.poll(Duration::from_millis(10));
            record = back;
        }
        if number % 1000 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(PATIENCE).expect("all acknowledged");
    started.elapsed().as_secs_f64()
}

fn consume(config: &ClientConfig, group: &str, count: usize) -> f64 {
    let mut config = config.clone();
    config
        .set("group.id", group)
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    consumer.subscribe(&[TOPIC]).expect("a topic");
    let mut seen = vec![false; count];
    let mut left = count;
    let started = Instant::now();
    while left > 0 {
        assert!(started.elapsed() < PATIENCE, "{left} records never came");
        let Some(record) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let record = record.expect("a record");
        let payload = record.payload().expect("a payload");
        let number: [u8; 8] = payload[..8].try_into().expect("eight bytes");
        let number = u64::from_be_bytes(number) as usize;
        assert!(!seen[number], "record {number} came twice");
        assert_eq!(payload.len(), RECORD_BYTES);
        seen[number] = true;
        left -= 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    let (_, latest) = consumer
        .fetch_watermarks(TOPIC, 0, PATIENCE)
        .expect("offsets");
    assert_eq!(latest, count as i64, "records beyond those sent");
    seconds
}

fn ask_bytes_held(child: &mut Child, replies: &mut BufReader<std::process::ChildStdout>) -> u64 {
    use std::io::Write;
    let stdin = child.stdin.as_mut().expect("stdin is piped");
    writeln!(stdin, "held").expect("the broker process listens");
    read_line(replies).parse().expect("a number")
}

fn read_line(replies: &mut BufReader<std::process::ChildStdout>) -> String {
    let mut line = String::new();
    replies
        .read_line(&mut line)
        .expect("the broker process answers");
    line.trim().to_owned()
}

/// Returns one figure of `/proc/<pid>/status`.
fn memory_kib(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let digits = line.and_then(|line| line.split_whitespace().nth(1));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Returns the processor time of a process; the kernel counts it in hundredths of a second.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = after_name.split_whitespace();
    let ticks: f64 = fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}
