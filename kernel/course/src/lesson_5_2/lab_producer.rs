//! A real producer whose settings a learner turns, and what the broker said about every record.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_streams::{Cluster, Error, Result, Topic};
use polars::prelude::{AnyValue, DataFrame, df};

use super::delivery::{Client, Report, wait};
use crate::client;

/// A Kafka producer (librdkafka) with the settings that you give it. It shows what became of every
/// record, which the broker says in a delivery report.
#[derive(Clone)]
pub struct LabProducer {
    cluster: Cluster,
    settings: BTreeMap<String, String>,
    pause: Duration,
}

impl LabProducer {
    /// Returns a producer with librdkafka's defaults.
    pub fn new(cluster: &Cluster) -> LabProducer {
        LabProducer {
            cluster: cluster.clone(),
            settings: BTreeMap::new(),
            pause: Duration::ZERO,
        }
    }

    /// Returns this producer with a setting by its Kafka name, for instance `linger.ms`.
    pub fn set(&self, name: &str, value: &str) -> LabProducer {
        let mut with = self.clone();
        with.settings.insert(name.to_owned(), value.to_owned());
        with
    }

    /// Returns this producer with a pause after each record. Default: none.
    pub fn pause(&self, pause: Duration) -> LabProducer {
        LabProducer {
            pause,
            ..self.clone()
        }
    }

    /// Sends every row of `frame` as a JSON record, under the text in column `key` or without a key,
    /// and waits for the reports. Returns one row a record, in the order of sending: number, key,
    /// partition, offset, latency_ms (from the call to the report), error.
    ///
    /// # Errors
    /// For a setting that Kafka does not know, a column that is not there, on interrupt.
    ///
    /// # Example
    /// ```
    /// use headwater_course::lesson_5_2::{LabProducer, gauge_readings};
    /// use headwater_streams::prelude::*;
    ///
    /// let cluster = Cluster::embedded()?;
    /// let topic = cluster.topic("doc-lab-producer", partitions(3))?;
    /// let reports = LabProducer::new(&cluster).set("acks", "all").send(&topic, &gauge_readings(2)?, Some("gauge"))?;
    /// assert_eq!(reports.height(), 12);
    /// # Ok::<(), headwater_streams::Error>(())
    /// ```
    pub fn send(&self, topic: &Topic, frame: &DataFrame, key: Option<&str>) -> Result<DataFrame> {
        let records = records(frame, key)?;
        let client = self.client()?;
        for (key, value) in &records {
            client.send(topic.name(), key.as_deref(), value.as_bytes(), None)?;
            wait(self.pause)?;
        }
        client.settle(Duration::from_secs(10))?;
        Ok(frame_of(&client.reports())?)
    }

    /// Opens a client with these settings.
    pub(super) fn client(&self) -> Result<Client> {
        let mut config = client::settings(&self.cluster, "headwater-lab");
        for (name, value) in &self.settings {
            config.set(name, value);
        }
        Client::open(&config).map_err(|cause| {
            let settings = self.settings.iter();
            let have: Vec<String> = settings
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            Error::new("the client does not take these settings")
                .have(format!("{}: {cause}", have.join(" ")))
                .hint("the names of librdkafka, for instance .set(\"linger.ms\", \"20\")")
        })
    }

    /// Shows the settings as the value of a cell.
    pub fn evcxr_display(&self) {
        super::show_text(&format!("{self:?}"));
    }
}

impl std::fmt::Debug for LabProducer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "producer to {}", self.cluster.bootstrap())?;
        self.settings
            .iter()
            .try_for_each(|(name, value)| write!(f, ", {name}={value}"))
    }
}

/// Returns each row as key and JSON.
fn records(frame: &DataFrame, key: Option<&str>) -> Result<Vec<(Option<String>, String)>> {
    let names: Vec<&str> = frame
        .columns()
        .iter()
        .map(|column| column.name().as_str())
        .collect();
    let unknown = key.filter(|key| !names.contains(key));
    if let Some(key) = unknown {
        return Err(Error::new(format!("no column `{key}` to be the key"))
            .have(names.join(", "))
            .hint(format!(
                "Some(\"{}\"), or None for no key",
                names.first().unwrap_or(&"gauge")
            )));
    }
    let rows = (0..frame.height()).map(|row| {
        let mut fields = serde_json::Map::new();
        for column in frame.columns() {
            fields.insert(column.name().to_string(), json(&column.get(row)?));
        }
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let key = key.and_then(|key| fields.get(key)).map(text);
        Ok((key, serde_json::Value::Object(fields).to_string()))
    });
    rows.collect()
}

fn json(value: &AnyValue<'_>) -> serde_json::Value {
    match value {
        AnyValue::Null => serde_json::Value::Null,
        AnyValue::Boolean(it) => (*it).into(),
        AnyValue::Float64(it) => (*it).into(),
        AnyValue::String(it) => (*it).into(),
        AnyValue::StringOwned(it) => it.as_str().into(),
        other => match other.extract::<i64>() {
            Some(number) => number.into(),
            None => other.to_string().into(),
        },
    }
}

fn frame_of(reports: &[Report]) -> polars::prelude::PolarsResult<DataFrame> {
    let place = |of: fn((i32, i64)) -> i64| -> Vec<Option<i64>> {
        reports
            .iter()
            .map(|it| it.place.as_ref().ok().map(|place| of(*place)))
            .collect()
    };
    df!(
        "number" => reports.iter().map(|it| it.number as i64).collect::<Vec<_>>(),
        "key" => reports.iter().map(|it| it.key.clone()).collect::<Vec<_>>(),
        "partition" => place(|(partition, _)| i64::from(partition)),
        "offset" => place(|(_, offset)| offset),
        "latency_ms" => reports.iter().map(|it| it.latency.as_secs_f64() * 1000.0).collect::<Vec<_>>(),
        "error" => reports.iter().map(|it| it.place.as_ref().err().cloned()).collect::<Vec<_>>(),
    )
}
