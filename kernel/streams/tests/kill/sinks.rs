//! The sinks that the killed jobs write to: how each is made, read back and compared.

use headwater_streams::prelude::*;
use headwater_streams::{Result, Sink};
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::Orders;

/// What kind of sink a job writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Parquet,
    Sqlite,
    Topic,
    Postgres,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Parquet => "parquet",
            Kind::Sqlite => "sqlite",
            Kind::Topic => "topic",
            Kind::Postgres => "postgres",
        }
    }

    /// Returns whether a row, once it is there, never changes.
    pub fn is_final(self) -> bool {
        matches!(self, Kind::Parquet | Kind::Topic)
    }

    /// Returns the query whose results the sink takes.
    pub fn query(self, topic: &Topic) -> Query {
        let query = topic
            .stream()
            .watermark("at", minutes(10))
            .group_by(["gauge"])
            .window(Tumbling::of(minutes(2)))
            .agg([
                len().alias("n"),
                col("level_cm").sum().alias("sum_cm"),
                col("level_cm").mean().alias("mean_cm"),
            ])
            .expect("a query");
        match self.is_final() {
            true => query,
            false => query.output(Update),
        }
    }

    /// Returns the rows that must be in the sink at the end.
    pub fn oracle(self, topic: &Topic, events: &DataFrame) -> Vec<String> {
        let windows = self.query(topic).run_local(events).expect("windows");
        if !self.is_final() {
            return rows(&windows);
        }
        // The last window stays open: no event is past its end.
        let ends = |frame: &DataFrame| {
            let ends = frame.column("window_end").expect("a column");
            ends.cast(&DataType::Int64).expect("microseconds")
        };
        let all = ends(&windows);
        let all = all.i64().expect("microseconds");
        let last = all.max().expect("a window");
        let closed: BooleanChunked = all.iter().map(|end| end.map(|end| end < last)).collect();
        rows(&windows.filter(&closed).expect("rows"))
    }
}

impl Orders {
    /// Makes the sink.
    pub fn sink(&self, cluster: &Cluster) -> Result<Sink> {
        Ok(match self.kind {
            Kind::Parquet => Parquet::dir(self.place.join("results")).into(),
            Kind::Sqlite => Sqlite::file(self.place.join("results.db")).into(),
            Kind::Topic => self.results(cluster)?.exactly_once(&self.topic).into(),
            Kind::Postgres => self.table().into(),
        })
    }

    fn results(&self, cluster: &Cluster) -> Result<Topic> {
        cluster.topic(&format!("{}-results", self.topic), partitions(2))
    }

    fn table(&self) -> Postgres {
        Postgres::at(self.server.as_deref().expect("a server")).table(&self.topic)
    }

    /// Reads what the sink holds.
    pub fn held(&self, cluster: &Cluster) -> DataFrame {
        match self.kind {
            Kind::Parquet => Parquet::dir(self.place.join("results")).read(),
            Kind::Sqlite => Sqlite::file(self.place.join("results.db")).read(),
            Kind::Topic => self.results(cluster).and_then(|topic| topic.read(Earliest)),
            Kind::Postgres => self.table().read(),
        }
        .expect("results")
    }
}

/// Returns every row as text, in a fixed order.
pub fn rows(frame: &DataFrame) -> Vec<String> {
    let mut rows: Vec<String> = (0..frame.height())
        .map(|row| {
            let cells = frame.columns().iter();
            let cells = cells.map(|column| format!("{:?}", column.get(row).expect("a row")));
            cells.collect::<Vec<_>>().join(" | ")
        })
        .collect();
    rows.sort();
    rows
}
