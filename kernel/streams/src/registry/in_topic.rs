//! A registry in a topic, as Confluent's keeps its own: every version is a record, nothing is ever
//! deleted, and whoever reads the topic from its beginning knows all of it.
//!
//! Two processes may add at the same time. Both write; the first record with an id counts, and the
//! writer of a later one finds that out by reading back, and tries again with the next id.

use serde::{Deserialize, Serialize};

use super::{Store, Version};
use crate::cluster::{Cluster, partitions};
use crate::topic::tail::Tail;
use crate::topic::{Position, Topic};
use crate::{Error, Result};

/// The topic.
const TOPIC: &str = "headwater-schemas";

/// How often a new version is tried against others who add at the same time.
const TRIES: usize = 20;

pub(super) struct InTopic {
    topic: Topic,
}

/// A record's value.
#[derive(Serialize, Deserialize)]
struct Entry {
    subject: String,
    version: i32,
    id: i32,
    schema: String,
}

impl InTopic {
    pub fn open(cluster: &Cluster) -> Result<InTopic> {
        Ok(InTopic {
            topic: cluster.topic(TOPIC, partitions(1))?,
        })
    }

    /// Returns every version, in the order in which they were added.
    fn versions(&self) -> Result<Vec<Version>> {
        let mut versions: Vec<Version> = Vec::new();
        for record in Tail::open(&self.topic, &Position::Earliest)?.raw()? {
            let entry: Entry = serde_json::from_slice(&record.payload).map_err(|cause| {
                Error::new(format!("topic `{TOPIC}` holds something that is no schema"))
                    .have(format!("offset {}: {cause}", record.offset))
                    .hint("keep that topic for the registry; cluster.reset()? empties the cluster")
            })?;
            if versions.iter().any(|version| version.id == entry.id) {
                continue;
            }
            let earlier = (versions.iter()).filter(|version| version.subject == entry.subject);
            let version = 1 + earlier.count() as i32;
            versions.push(Version {
                subject: entry.subject,
                version,
                id: entry.id,
                schema: entry.schema,
            });
        }
        Ok(versions)
    }

    fn append(&self, version: &Version) -> Result<()> {
        let key = serde_json::json!({
            "keytype": "SCHEMA", "subject": version.subject, "version": version.version, "magic": 1,
        });
        let entry = Entry {
            subject: version.subject.clone(),
            version: version.version,
            id: version.id,
            schema: version.schema.clone(),
        };
        let value = serde_json::to_string(&entry)
            .map_err(|cause| Error::new("a schema that is no JSON").have(cause.to_string()))?;
        self.topic.send(&key.to_string(), &value)
    }
}

impl Store for InTopic {
    fn describe(&self) -> String {
        format!("topic {TOPIC}")
    }

    fn epoch(&self) -> u64 {
        self.topic.state.generation()
    }

    fn schema(&self, id: i32) -> Result<Option<String>> {
        let mut versions = self.versions()?.into_iter();
        Ok(versions
            .find(|version| version.id == id)
            .map(|version| version.schema))
    }

    fn newest(&self, subject: &str) -> Result<Option<Version>> {
        let mut versions = self.versions()?.into_iter();
        Ok(versions.rfind(|version| version.subject == subject))
    }

    fn all(&self) -> Result<Vec<Version>> {
        let mut newest: Vec<Version> = Vec::new();
        for version in self.versions()?.into_iter().rev() {
            if newest.iter().all(|known| known.subject != version.subject) {
                newest.push(version);
            }
        }
        newest.sort_by(|a, b| a.subject.cmp(&b.subject));
        Ok(newest)
    }

    fn register(&self, subject: &str, schema: &str) -> Result<i32> {
        for _ in 0..TRIES {
            let versions = self.versions()?;
            let same = (versions.iter())
                .find(|version| version.subject == subject && version.schema == schema);
            if let Some(version) = same {
                return Ok(version.id);
            }
            let of_subject = (versions.iter()).filter(|version| version.subject == subject);
            self.append(&Version {
                subject: subject.into(),
                version: 1 + of_subject.count() as i32,
                id: 1 + versions.iter().map(|version| version.id).max().unwrap_or(0),
                schema: schema.into(),
            })?;
        }
        Err(
            Error::timed_out(format!("the schema of {subject} was not added"))
                .have(format!("others added schemas in each of {TRIES} tries"))
                .hint("run the cell again"),
        )
    }
}
