//! Kafka to windows: how many records of 200 bytes a CPU-second the client takes, from a topic of four
//! partitions to a frame of windows, beside librdkafka alone and beside Python with confluent-kafka and
//! Polars.
//!
//! `cargo bench --profile dev --bench wire` (any other profile would compile Polars again); `--short`
//! sends a tenth, `-- ours` leaves the others out. The broker is a process of its own, so that its time is not counted.

#[path = "../windows/meter.rs"]
mod meter;
mod peer;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use headwater_broker::{Server, ServerConfig};
use headwater_streams::prelude::*;
use polars::prelude::*;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const TOPIC: &str = "bench-wire";
const PARTITIONS: i32 = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "broker") {
        return broker();
    }
    let records: i64 = if words.iter().any(|word| word == "--short") {
        200_000
    } else {
        2_000_000
    };
    let (_broker, bootstrap) = spawn_broker()?;
    let cluster = Cluster::connect(&bootstrap)?;
    let topic = cluster.topic(TOPIC, partitions(PARTITIONS as u32))?;
    send(&bootstrap, records)?;
    println!(
        "{records} JSON records of 200 bytes in {PARTITIONS} partitions; millions of records a CPU-second of the client"
    );
    let (mut best, mut grown) = ([0f64; 2], 0);
    let only_ours = words.iter().any(|word| word == "ours");
    for _ in 0..3 {
        if !only_ours {
            let (counted, cost) = meter::measure(|| raw(&bootstrap, records));
            counted?;
            best[0] = best[0].max(records as f64 / cost.cpu_seconds / 1e6);
        }
        let (counted, cost) = meter::measure(|| windows(&topic));
        assert_eq!(counted?, records);
        grown = grown.max(cost.grown_bytes.unwrap_or(0) >> 20);
        best[1] = best[1].max(records as f64 / cost.cpu_seconds / 1e6);
    }
    if only_ours {
        println!(
            "Headwater, topic to windows {:.2}, grew {grown} MB",
            best[1]
        );
        return Ok(());
    }
    println!(
        "librdkafka alone, one record after the other   {:>6.2}",
        best[0]
    );
    println!(
        "Headwater, topic to windows                    {:>6.2}   ratio {:.2}, grew {grown} MB",
        best[1],
        best[1] / best[0]
    );
    match peer::run(&bootstrap, TOPIC, records) {
        Ok(rate) => println!(
            "confluent-kafka and Polars' read_ndjson        {rate:>6.2}   ratio {:.1}",
            best[1] / rate
        ),
        Err(why) => println!("confluent-kafka and Polars' read_ndjson   did not run: {why}"),
    }
    Ok(())
}

/// Runs a broker until the other end of stdin is closed.
fn broker() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start(ServerConfig::default())?;
    println!("{}", server.bootstrap());
    std::io::stdin().lines().for_each(drop);
    Ok(server.close()?)
}

/// Ends its process when it drops.
struct Broker(Child);

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn spawn_broker() -> Result<(Broker, String), Box<dyn std::error::Error>> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("broker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("no stdout")?;
    let broker = Broker(child);
    let mut bootstrap = String::new();
    BufReader::new(stdout).read_line(&mut bootstrap)?;
    Ok((broker, bootstrap.trim().to_owned()))
}

/// Sends records as a program would that knows nothing of Headwater: no header names the columns.
fn send(bootstrap: &str, records: i64) -> Result<(), KafkaError> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("linger.ms", "20")
        .set("queue.buffering.max.messages", "500000")
        .create()?;
    for record in 0..records {
        let payload = payload(record);
        let mut next = BaseRecord::<(), str>::to(TOPIC)
            .payload(&payload)
            .partition(record as i32 % PARTITIONS);
        while let Err((_, again)) = producer.send(next) {
            producer.poll(Duration::from_millis(10));
            next = again;
        }
    }
    producer.flush(Duration::from_secs(60))
}

/// A trip as JSON, 200 bytes long.
fn payload(record: i64) -> String {
    let (second, milli) = (record / 1000, record % 1000);
    let at = format!(
        "2013-02-08T{:02}:{:02}:{:02}.{milli:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    let text = format!(
        "{{\"id\":{record},\"at\":\"{at}\",\"zone\":\"zone-{:03}\",\"fare_usd\":{:.2},\"distance_km\":{:.3},\"passengers\":{},\"shared\":{},\"note\":\"",
        record % 1000,
        (record % 9973) as f64 * 0.01,
        (record % 7919) as f64 * 0.001,
        record % 5,
        record % 3 == 0,
    );
    format!("{text:x<198}\"}}")
}

/// Takes every record from librdkafka and looks at its length.
fn raw(bootstrap: &str, records: i64) -> Result<usize, KafkaError> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "bench-raw")
        .set("enable.auto.commit", "false")
        .create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset(TOPIC, partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let (mut bytes, mut taken) = (0, 0);
    while taken < records {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            bytes += message?.payload_len();
            taken += 1;
        }
    }
    Ok(bytes)
}

/// Runs a query over the topic, micro-batch by micro-batch, and returns how many records it read.
fn windows(topic: &Topic) -> headwater_streams::Result<i64> {
    let stream = topic
        .stream()
        .watermark("at", seconds(10))
        .group_by(["zone"]);
    let query = stream.window(Tumbling::of(seconds(10))).agg([
        len().alias("trips"),
        col("fare_usd").sum().alias("fares"),
        col("fare_usd").mean().alias("mean_fare"),
        col("distance_km").max().alias("longest"),
    ])?;
    let sink = FrameSink::new();
    let folder = tempfile::tempdir().expect("a folder for the checkpoint");
    let run = query
        .to(&sink)
        .checkpoint(folder.path())
        .most_records(500_000)
        .run_available()?;
    run.wait()?;
    let read: usize = run
        .progress_records()
        .iter()
        .map(|batch| batch.input_rows)
        .sum();
    let counted = sink.frame()?.column("trips")?.i64()?.sum().unwrap_or(0);
    // The last windows are still open: the watermark is ten seconds behind.
    assert!(
        counted >= read as i64 - 20_000 - 10_000,
        "{counted} of {read}"
    );
    Ok(read as i64)
}
