//! The inside of a cluster as frames: what `cluster.describe()` returns.

mod connected;
mod frames;
mod log;

use headwater_broker::ClusterDescription;
use polars::prelude::{DataFrame, DataType, PolarsResult, TimeUnit, TimeZone};

use super::home::Home;
use super::{Inner, client};
use crate::frame::Bundle;
use crate::table::{Table, plural};
use crate::{Error, Result};

pub use log::LogInside;
pub(crate) use log::look_into;

/// A cluster at one moment: nodes, topics, groups, transactions. Each method returns a frame; as
/// the value of a cell it shows itself as a card.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
///
/// let cluster = Cluster::embedded()?;
/// cluster.topic("inside", partitions(2))?.send("k", r#"{"n": 1}"#)?;
/// let inside = cluster.describe()?;
/// assert!(inside.partitions()?.height() >= 2);
/// println!("{inside}");
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Inside {
    described: ClusterDescription,
    kind: &'static str,
    /// A connected cluster tells less about itself than an embedded one.
    embedded: bool,
}

/// Looks at a cluster.
pub(crate) fn describe(cluster: &Inner) -> Result<Inside> {
    let embedded = !matches!(cluster.home, Home::Elsewhere);
    let described = match embedded {
        true => cluster.home.describe()?,
        false => connected::describe(&cluster.bootstrap, &*cluster.clients.consumer()?)?,
    };
    Ok(Inside {
        described,
        kind: cluster.home.words(),
        embedded,
    })
}

impl Inside {
    /// Returns node, address, rack, up, registered.
    ///
    /// # Errors
    /// None that a person could cause.
    pub fn nodes(&self) -> Result<DataFrame> {
        Ok(frames::nodes(&self.described)?)
    }

    /// Returns topic, partitions, records, bytes, configs: settings that differ from their defaults.
    ///
    /// # Errors
    /// None that a person could cause.
    pub fn topics(&self) -> Result<DataFrame> {
        Ok(frames::topics(&self.described)?)
    }

    /// Returns one row a partition: topic, partition, leader, leader_epoch, in_sync, earliest,
    /// high_watermark, last_stable_offset, end, bytes, batches, segments.
    ///
    /// # Errors
    /// None that a person could cause.
    pub fn partitions(&self) -> Result<DataFrame> {
        Ok(frames::partitions(&self.described)?)
    }

    /// Returns one row a replica: topic, partition, node, leader, in_sync, leader_epoch, earliest,
    /// end, high_watermark, bytes.
    ///
    /// # Errors
    /// On a connected cluster, which does not tell.
    pub fn replicas(&self) -> Result<DataFrame> {
        self.only_embedded("replicas")?;
        Ok(frames::replicas(&self.described)?)
    }

    /// Returns one row a group: group, kind, state, generation, assignor, members, lag_records.
    ///
    /// # Errors
    /// None that a person could cause.
    pub fn groups(&self) -> Result<DataFrame> {
        Ok(frames::groups(&self.described)?)
    }

    /// Returns one row for each partition that a member owns: group, generation, member, client,
    /// host, epoch, topic, partition. A member without a partition has one row with nulls.
    ///
    /// # Errors
    /// None that a person could cause.
    pub fn members(&self) -> Result<DataFrame> {
        Ok(frames::members(&self.described)?)
    }

    /// Returns how far the groups have read: group, topic, partition, committed, end, lag_records,
    /// lag_seconds (from the timestamp of the next record to read to the newest one).
    ///
    /// # Errors
    /// On a connected cluster: `cluster.lag(group)` asks for one group there.
    pub fn committed(&self) -> Result<DataFrame> {
        self.only_embedded("committed offsets of all groups")?;
        Ok(frames::committed(&self.described)?)
    }

    /// Returns one row a transactional id: transactional_id, state, producer_id, epoch,
    /// partitions, started, timeout_seconds.
    ///
    /// # Errors
    /// On a connected cluster, which does not tell.
    pub fn transactions(&self) -> Result<DataFrame> {
        self.only_embedded("transactions")?;
        Ok(frames::transactions(&self.described)?)
    }

    /// Returns one row for each producer with an id that a partition knows: topic, partition,
    /// producer_id, epoch, last_sequence, last_timestamp, open_since (the offset where its open
    /// transaction begins).
    ///
    /// # Errors
    /// On a connected cluster, which does not tell.
    pub fn producers(&self) -> Result<DataFrame> {
        self.only_embedded("producers")?;
        Ok(frames::producers(&self.described)?)
    }

    /// Returns one row for each cleaning of a compacted partition: topic, partition, at,
    /// first_dirty, end, records_before, records_after, tombstones, bytes_before, bytes_after.
    ///
    /// # Errors
    /// On a connected cluster, which does not tell.
    pub fn cleanings(&self) -> Result<DataFrame> {
        self.only_embedded("cleanings")?;
        Ok(frames::cleanings(&self.described)?)
    }

    /// Shows the cluster as the value of a cell.
    pub fn evcxr_display(&self) {
        let shown = self.bundle();
        crate::display::result(
            shown.unwrap_or_else(|cause| crate::table::text(&cause.to_string())),
        );
    }

    /// Returns the card: one line, the topics, and groups where there are any.
    fn bundle(&self) -> Result<Bundle> {
        let mut parts = vec![Table::of(&self.topics()?).caption(self.to_string())];
        if self.described.nodes.len() > 1 {
            parts.push(Table::of(&self.nodes()?).caption("nodes"));
            parts.push(Table::of(&self.partitions()?).caption("partitions"));
        }
        if !self.described.groups.is_empty() {
            parts.push(Table::of(&self.groups()?).caption("consumer groups"));
        }
        if !self.described.transactions.is_empty() {
            parts.push(Table::of(&self.transactions()?).caption("transactions"));
        }
        let html: Vec<String> = parts.iter().map(Table::html).collect();
        let text: Vec<String> = parts.iter().map(Table::text).collect();
        Ok(Bundle::from([
            ("text/html".into(), html.join("<br>")),
            ("text/plain".into(), text.join("\n\n")),
        ]))
    }

    fn only_embedded(&self, what: &str) -> Result<()> {
        if self.embedded {
            return Ok(());
        }
        Err(
            Error::new(format!("a connected cluster does not tell its {what}"))
                .have(format!("a connection to {}", self.described.bootstrap))
                .hint("Cluster::embedded()? looks inside; kafka-transactions and kafka-log-dirs ask a real one"),
        )
    }
}

/// One line on what the cluster is and what it holds.
impl std::fmt::Display for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ClusterDescription {
            topics,
            nodes,
            bootstrap,
            ..
        } = &self.described;
        let partitions = topics.iter().flat_map(|topic| &topic.partitions);
        let records: i64 = partitions.map(|p| p.latest - p.earliest).sum();
        let mut addresses = bootstrap.split(',');
        write!(f, "cluster {}", addresses.next().unwrap_or_default())?;
        match addresses.count() {
            0 => {}
            more => write!(f, " and {more} more")?,
        }
        write!(f, " ({})", self.kind)?;
        if nodes.len() > 1 {
            let up = nodes.iter().filter(|node| node.up).count();
            write!(f, ", {up} of {} nodes up", nodes.len())?;
        }
        write!(f, ": {}, {records} records", plural(topics.len(), "topic"))
    }
}

/// Turns columns of milliseconds since 1970 into times in UTC; -1 means there is none.
fn with_times(mut frame: DataFrame, columns: &[&str]) -> PolarsResult<DataFrame> {
    let utc = DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC));
    for name in columns {
        let ms = frame.column(name)?.i64()?;
        let known = ms.iter().map(|ms| ms.filter(|ms| *ms >= 0));
        let known: polars::prelude::Int64Chunked = known.collect();
        let times = polars::prelude::IntoColumn::into_column(known)
            .cast(&utc)?
            .with_name((*name).into());
        frame.with_column(times)?;
    }
    Ok(frame)
}
