//! The same in Python: confluent-kafka's batches, `read_ndjson` of Polars, a group-by.

use std::path::PathBuf;
use std::process::Command;

const PACKAGES: [&str; 2] = ["polars==1.42.1", "confluent-kafka==2.16.1"];

const PROGRAM: &str = r#"
import io, sys, time
import polars as pl
from confluent_kafka import Consumer, TopicPartition, OFFSET_BEGINNING
bootstrap, topic, records = sys.argv[1], sys.argv[2], int(sys.argv[3])
def run():
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-python", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(4)])
    taken, state = 0, None
    while taken < records:
        values = [message.value() for message in consumer.consume(50_000, 1.0) if not message.error()]
        if not values:
            continue
        taken += len(values)
        rows = pl.read_ndjson(io.BytesIO(b"\n".join(values)))
        part = rows.lazy().with_columns(start=pl.col("at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ").dt.truncate("10s")).group_by("start", "zone").agg(
            trips=pl.len(), fares=pl.col("fare_usd").sum(), longest=pl.col("distance_km").max())
        if state is not None:
            part = pl.concat([state.lazy(), part]).group_by("start", "zone").agg(
                pl.col("trips").sum(), pl.col("fares").sum(), pl.col("longest").max())
        state = part.collect()
    consumer.close()
    assert state["trips"].sum() == records
best = 0
for _ in range(2):
    began = time.process_time()
    run()
    best = max(best, records / (time.process_time() - began) / 1e6)
print(best)
"#;

/// Returns the millions of records a CPU-second.
pub fn run(bootstrap: &str, topic: &str, records: i64) -> Result<f64, String> {
    let folder = PathBuf::from(std::env::var("HOME").map_err(|_| "HOME is not set")?)
        .join(".cache/headwater/wire-venv");
    let (python, marker) = (folder.join("bin/python"), folder.join("packages.txt"));
    if std::fs::read_to_string(&marker).unwrap_or_default() != PACKAGES.join("\n") {
        println!(
            "installing {} into {}",
            PACKAGES.join(", "),
            folder.display()
        );
        done(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        done(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet"])
                .args(PACKAGES),
        )?;
        std::fs::write(&marker, PACKAGES.join("\n")).map_err(|cause| cause.to_string())?;
    }
    let records = records.to_string();
    let out = done(Command::new(&python).args(["-c", PROGRAM, bootstrap, topic, &records]))?;
    out.trim()
        .parse()
        .map_err(|_| format!("it printed {out:?}"))
}

fn done(command: &mut Command) -> Result<String, String> {
    let out = command.output().map_err(|cause| cause.to_string())?;
    match out.status.success() {
        true => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&out.stderr)
            .trim()
            .lines()
            .last()
            .unwrap_or("failed")
            .to_owned()),
    }
}
