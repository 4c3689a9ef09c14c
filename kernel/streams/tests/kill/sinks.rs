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
    pub fn query(self, topic: &Topic, windows: Windows) -> Query {
        let stream = topic
            .stream()
            .watermark("at", minutes(10))
            .group_by(["gauge"]);
        let stream = match windows {
            Windows::Tumbling => stream.window(Tumbling::of(minutes(2))),
            Windows::Hopping => stream.window(Hopping::of(minutes(5)).every(minutes(2))),
            Windows::Sessions => stream.window(Session::gap(seconds(70))),
        };
        let query = stream
            .agg([
                len().alias("n"),
                col("level_cm").sum().alias("sum_cm"),
                col("level_cm").mean().alias("mean_cm"),
                col("level_cm").last().alias("last_cm"),
            ])
            .expect("a query");
        match (self.is_final(), windows) {
            (true, _) => query,
            // Sessions that have met others are gone, which update mode cannot say.
            (false, Windows::Sessions) => query.output(Complete),
            (false, _) => query.output(Update),
        }
    }

    /// Returns the rows that must be in the sink at the end.
    pub fn oracle(self, topic: &Topic, events: &DataFrame, of: Windows) -> Vec<String> {
        let windows = self.query(topic, of).run_local(events).expect("windows");
        if !self.is_final() {
            return rows(&windows);
        }
        let micros = |frame: &DataFrame, name: &str| {
            let column = frame.column(name).expect("a column");
            column.cast(&DataType::Int64).expect("microseconds")
        };
        let newest = micros(events, "at");
        let newest = newest.i64().expect("microseconds").max().expect("an event");
        let watermark = newest - 10 * 60_000_000;
        let ends = micros(&windows, "window_end");
        let ends = ends.i64().expect("microseconds").iter();
        let closed: BooleanChunked = ends.map(|end| end.map(|end| end <= watermark)).collect();
        rows(&windows.filter(&closed).expect("rows"))
    }
}

/// What the job groups its events by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Windows {
    Tumbling,
    Hopping,
    Sessions,
}

impl Windows {
    pub const ALL: [Windows; 3] = [Windows::Tumbling, Windows::Hopping, Windows::Sessions];
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

/// Returns every row as text, in a fixed order. Values are owned first: Polars names those of a frame
/// with one row otherwise.
pub fn rows(frame: &DataFrame) -> Vec<String> {
    let mut rows: Vec<String> = (0..frame.height())
        .map(|row| {
            let cells = frame.columns().iter();
            let cells =
                cells.map(|column| format!("{:?}", column.get(row).expect("a row").into_static()));
            cells.collect::<Vec<_>>().join(" | ")
        })
        .collect();
    rows.sort();
    rows
}
