//! The nodes of demo D5: their state, their settings, what their logs hold.

use std::time::Duration;

use headwater_streams::{Cluster, Error, Result};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;

/// The timestamp of the first record, milliseconds since 1970; the n-th is n milliseconds later,
/// so that a batch in a log tells which record it holds.
pub(super) const FIRST_MS: i64 = 1_767_225_600_000;

/// The partition as the controller sees it.
#[derive(Debug)]
pub(super) struct State {
    pub leader: Option<i32>,
    pub in_sync: Vec<i32>,
    pub down: Vec<i32>,
    pub high_watermark: i64,
}

pub(super) fn state_of(cluster: &Cluster, topic: &str) -> Result<State> {
    let frame = cluster.describe()?.partitions()?;
    let topics = frame.column("topic")?.str()?.clone();
    let row = topics.iter().position(|name| name == Some(topic));
    let row = row.ok_or_else(|| lacks("topic `stage`", "Stage::open()?"))?;
    let in_sync = frame
        .column("in_sync")?
        .str()?
        .get(row)
        .unwrap_or_default()
        .to_owned();
    Ok(State {
        leader: frame.column("leader")?.i32()?.get(row),
        in_sync: in_sync
            .split(',')
            .filter_map(|node| node.parse().ok())
            .collect(),
        down: down(cluster)?,
        high_watermark: frame
            .column("high_watermark")?
            .i64()?
            .get(row)
            .unwrap_or_default(),
    })
}

pub(super) fn down(cluster: &Cluster) -> Result<Vec<i32>> {
    let frame = cluster.describe()?.nodes()?;
    let (ids, up) = (
        frame.column("node")?.i32()?.clone(),
        frame.column("up")?.bool()?.clone(),
    );
    let rows = ids.iter().zip(up.iter());
    Ok(rows
        .filter(|(_, up)| *up == Some(false))
        .filter_map(|(id, _)| id)
        .collect())
}

pub(super) fn make_whole(cluster: &Cluster) -> Result<()> {
    for (a, b) in [(1, 2), (1, 3), (2, 3)] {
        cluster.heal(a, b)?;
    }
    down(cluster)?
        .into_iter()
        .try_for_each(|node| cluster.node(node)?.start())
}

/// Sets the topic's settings; this request replaces all of them.
pub(super) fn configure(cluster: &Cluster, unclean: bool) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .create()?;
    let settings = AlterConfig::new(ResourceSpecifier::Topic("stage"))
        .set("min.insync.replicas", "2")
        .set("retention.ms", "-1")
        .set(
            "unclean.leader.election.enable",
            if unclean { "true" } else { "false" },
        );
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(5)));
    let answers = wait_for(admin.alter_configs([&settings], &options))?;
    match answers.into_iter().next() {
        Some(Err((_, code))) => {
            Err(Error::new("the broker does not take the topic's settings").have(code.to_string()))
        }
        _ => Ok(()),
    }
}

/// Runs one request to its end on this thread.
fn wait_for<T>(request: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("a runtime without threads needs no resources")
        .block_on(request)
}

/// Returns offset and number of every record in a log.
pub(super) fn numbers_in(batches: &polars::prelude::DataFrame) -> Result<Vec<(i64, usize)>> {
    let times = batches
        .column("base_timestamp")?
        .cast(&polars::prelude::DataType::Int64)?;
    let (offsets, times) = (
        batches.column("base_offset")?.i64()?.clone(),
        times.i64()?.clone(),
    );
    let rows = offsets.iter().zip(times.iter());
    Ok(rows
        .filter_map(|(offset, time)| Some((offset?, usize::try_from(time? - FIRST_MS).ok()?)))
        .collect())
}

pub(super) fn number_of(value: Option<&[u8]>) -> Option<usize> {
    let value: serde_json::Value = serde_json::from_slice(value?).ok()?;
    usize::try_from(value["n"].as_u64()?).ok()
}

pub(super) fn lacks(what: &str, hint: &str) -> Error {
    Error::new(format!("there is no {what} now")).hint(hint)
}
