//! From descriptions to frames, one function a frame.

use headwater_broker::{ClusterDescription, PartitionDescription, TopicPartition};
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};

use super::with_times;

/// Returns one column: what `of` says of each row.
fn each<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

pub fn nodes(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let rows = &cluster.nodes;
    df!(
        "node" => each(rows, |n| n.node),
        "address" => each(rows, |n| n.address.clone()),
        "rack" => each(rows, |n| n.rack.clone()),
        "up" => each(rows, |n| n.up),
        "registered" => each(rows, |n| n.registered),
    )
}

pub fn topics(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let rows = &cluster.topics;
    let records = |partitions: &[PartitionDescription]| -> i64 {
        partitions.iter().map(|p| p.latest - p.earliest).sum()
    };
    let configs = |set: &std::collections::BTreeMap<String, String>| {
        let pairs: Vec<String> = set.iter().map(|(k, v)| format!("{k}={v}")).collect();
        pairs.join(" ")
    };
    df!(
        "topic" => each(rows, |t| t.name.clone()),
        "partitions" => each(rows, |t| t.partitions.len() as i64),
        "records" => each(rows, |t| records(&t.partitions)),
        "bytes" => each(rows, |t| t.bytes as i64),
        "configs" => each(rows, |t| configs(&t.configs)),
    )
}

/// Returns every partition with the name of its topic.
fn all(cluster: &ClusterDescription) -> Vec<(&str, &PartitionDescription)> {
    let topics = cluster.topics.iter();
    topics
        .flat_map(|topic| topic.partitions.iter().map(|p| (topic.name.as_str(), p)))
        .collect()
}

pub fn partitions(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let rows = all(cluster);
    let in_sync = |nodes: &[i32]| {
        let nodes: Vec<String> = nodes.iter().map(i32::to_string).collect();
        nodes.join(",")
    };
    df!(
        "topic" => each(&rows, |(topic, _)| *topic),
        "partition" => each(&rows, |(_, p)| p.partition),
        "leader" => each(&rows, |(_, p)| (p.leader >= 0).then_some(p.leader)),
        "leader_epoch" => each(&rows, |(_, p)| p.leader_epoch),
        "in_sync" => each(&rows, |(_, p)| in_sync(&p.in_sync)),
        "earliest" => each(&rows, |(_, p)| p.earliest),
        "high_watermark" => each(&rows, |(_, p)| p.high_watermark),
        "last_stable_offset" => each(&rows, |(_, p)| p.last_stable_offset),
        "end" => each(&rows, |(_, p)| p.latest),
        "bytes" => each(&rows, |(_, p)| p.bytes as i64),
        "batches" => each(&rows, |(_, p)| p.batches as i64),
        "segments" => each(&rows, |(_, p)| p.segments as i64),
    )
}

pub fn replicas(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let partitions = all(cluster);
    let rows: Vec<_> = partitions
        .iter()
        .flat_map(|(topic, p)| p.replicas.iter().map(move |r| (*topic, p.partition, r)))
        .collect();
    df!(
        "topic" => each(&rows, |(topic, ..)| *topic),
        "partition" => each(&rows, |(_, partition, _)| *partition),
        "node" => each(&rows, |(.., r)| r.node),
        "leader" => each(&rows, |(.., r)| r.leader),
        "in_sync" => each(&rows, |(.., r)| r.in_sync),
        "leader_epoch" => each(&rows, |(.., r)| r.leader_epoch),
        "earliest" => each(&rows, |(.., r)| r.earliest),
        "end" => each(&rows, |(.., r)| r.end_offset),
        "high_watermark" => each(&rows, |(.., r)| r.high_watermark),
        "bytes" => each(&rows, |(.., r)| r.bytes as i64),
    )
}

pub fn groups(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let rows = &cluster.groups;
    df!(
        "group" => each(rows, |g| g.group.clone()),
        "kind" => each(rows, |g| g.kind.clone()),
        "state" => each(rows, |g| g.state.clone()),
        "generation" => each(rows, |g| g.generation),
        "assignor" => each(rows, |g| g.protocol.clone()),
        "members" => each(rows, |g| g.members.len() as i64),
        "lag_records" => each(rows, |g| g.committed.iter().map(|c| c.lag_records).sum::<i64>()),
    )
}

pub fn members(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let mut rows = Vec::new();
    for group in &cluster.groups {
        for member in &group.members {
            let owned: Vec<Option<&TopicPartition>> = match member.assigned.is_empty() {
                true => vec![None],
                false => member.assigned.iter().map(Some).collect(),
            };
            rows.extend(owned.into_iter().map(|owned| (group, member, owned)));
        }
    }
    df!(
        "group" => each(&rows, |(g, ..)| g.group.clone()),
        "generation" => each(&rows, |(g, ..)| g.generation),
        "member" => each(&rows, |(_, m, _)| m.id.clone()),
        "instance" => each(&rows, |(_, m, _)| m.instance.clone()),
        "client" => each(&rows, |(_, m, _)| m.client_id.clone()),
        "host" => each(&rows, |(_, m, _)| m.client_host.clone()),
        "epoch" => each(&rows, |(_, m, _)| m.epoch),
        "topic" => each(&rows, |(.., owned)| owned.map(|o| o.topic.clone())),
        "partition" => each(&rows, |(.., owned)| owned.map(|o| o.partition)),
    )
}

pub fn committed(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let groups = cluster.groups.iter();
    let rows: Vec<_> = groups
        .flat_map(|group| group.committed.iter().map(|c| (group.group.as_str(), c)))
        .collect();
    df!(
        "group" => each(&rows, |(group, _)| *group),
        "topic" => each(&rows, |(_, c)| c.topic.clone()),
        "partition" => each(&rows, |(_, c)| c.partition),
        "committed" => each(&rows, |(_, c)| c.offset),
        "end" => each(&rows, |(_, c)| c.offset + c.lag_records),
        "lag_records" => each(&rows, |(_, c)| c.lag_records),
        "lag_seconds" => each(&rows, |(_, c)| c.lag_ms as f64 / 1000.0),
    )
}

pub fn transactions(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let rows = &cluster.transactions;
    let places = |places: &[TopicPartition]| {
        let places: Vec<String> = places
            .iter()
            .map(|place| format!("{}:{}", place.topic, place.partition))
            .collect();
        places.join(" ")
    };
    let frame = df!(
        "transactional_id" => each(rows, |t| t.transactional_id.clone()),
        "state" => each(rows, |t| t.state.clone()),
        "producer_id" => each(rows, |t| t.producer_id),
        "epoch" => each(rows, |t| i32::from(t.epoch)),
        "partitions" => each(rows, |t| places(&t.partitions)),
        "started" => each(rows, |t| t.started_ms),
        "timeout_seconds" => each(rows, |t| f64::from(t.timeout_ms) / 1000.0),
    )?;
    with_times(frame, &["started"])
}

pub fn producers(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let partitions = all(cluster);
    let rows: Vec<_> = partitions
        .iter()
        .flat_map(|(topic, p)| p.producers.iter().map(move |w| (*topic, p.partition, w)))
        .collect();
    let frame = df!(
        "topic" => each(&rows, |(topic, ..)| *topic),
        "partition" => each(&rows, |(_, partition, _)| *partition),
        "producer_id" => each(&rows, |(.., w)| w.producer_id),
        "epoch" => each(&rows, |(.., w)| i32::from(w.epoch)),
        "last_sequence" => each(&rows, |(.., w)| w.last_sequence),
        "last_timestamp" => each(&rows, |(.., w)| w.last_timestamp_ms),
        "open_since" => each(&rows, |(.., w)| w.open_since),
    )?;
    with_times(frame, &["last_timestamp"])
}

pub fn cleanings(cluster: &ClusterDescription) -> PolarsResult<DataFrame> {
    let partitions = all(cluster);
    let rows: Vec<_> = partitions
        .iter()
        .flat_map(|(topic, p)| p.cleanings.iter().map(move |c| (*topic, p.partition, c)))
        .collect();
    let frame = df!(
        "topic" => each(&rows, |(topic, ..)| *topic),
        "partition" => each(&rows, |(_, partition, _)| *partition),
        "at" => each(&rows, |(.., c)| c.at_ms),
        "first_dirty" => each(&rows, |(.., c)| c.first_dirty),
        "end" => each(&rows, |(.., c)| c.end),
        "records_before" => each(&rows, |(.., c)| c.records_before as i64),
        "records_after" => each(&rows, |(.., c)| c.records_after as i64),
        "tombstones" => each(&rows, |(.., c)| c.tombstones as i64),
        "bytes_before" => each(&rows, |(.., c)| c.bytes_before as i64),
        "bytes_after" => each(&rows, |(.., c)| c.bytes_after as i64),
    )?;
    with_times(frame, &["at"])
}
