//! A schema registry: which schema the records of a topic were written with.

mod in_topic;
mod rest;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};
use polars::prelude::{DataFrame, df};

use crate::cluster::Cluster;
use crate::format::avro::{Known, word};
use crate::table::Table;
use crate::{Error, Result};

/// A schema registry; clones are cheap and share it.
///
/// It keeps every version of the Avro schema of each topic under a number, its id. A record carries
/// the id, so that whoever reads it knows how it was written, years later too.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use polars::prelude::*;
///
/// let cluster = Cluster::embedded()?;
/// let registry = Registry::in_topic(&cluster)?;      // or Registry::connect("http://localhost:8081")?
/// let levels = cluster.topic("doc-levels", partitions(1))?.avro(&registry);
/// levels.produce(&df!("gauge" => ["G07"], "level_cm" => [412.5])?)?;
/// assert_eq!(levels.read(Earliest)?.column("level_cm")?.f64()?.get(0), Some(412.5));
/// let schemas = registry.subjects()?;
/// assert!(schemas.column("subject")?.str()?.iter().flatten().any(|name| name == "doc-levels-value"));
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    store: Box<dyn Store>,
    /// The schemas that were asked for so far; an id never changes its schema. Locked for a look-up.
    known: Mutex<Cache>,
}

/// Schemas by id, and the store's epoch at that time.
#[derive(Default)]
struct Cache {
    epoch: u64,
    schemas: HashMap<i32, Arc<Known>>,
}

/// A schema as a registry keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    subject: String,
    version: i32,
    id: i32,
    schema: String,
}

/// Where schemas are kept.
trait Store: Send + Sync {
    /// Says where, in words.
    fn describe(&self) -> String;
    /// Grows when the store was emptied, so that an id may mean something else.
    fn epoch(&self) -> u64;
    /// Returns the schema with this id.
    fn schema(&self, id: i32) -> Result<Option<String>>;
    /// Returns the newest version of a subject.
    fn newest(&self, subject: &str) -> Result<Option<Version>>;
    /// Returns the newest version of every subject.
    fn all(&self) -> Result<Vec<Version>>;
    /// Adds a version, or finds the same schema; returns its id.
    fn register(&self, subject: &str, schema: &str) -> Result<i32>;
}

impl Registry {
    /// Opens a registry that is kept in the topic `headwater-schemas` of the cluster: no other service
    /// is needed, and every notebook on that cluster sees the same schemas.
    ///
    /// # Errors
    /// When the topic cannot be opened.
    pub fn in_topic(cluster: &Cluster) -> Result<Registry> {
        Ok(Registry::of(in_topic::InTopic::open(cluster)?))
    }

    /// Opens a registry that answers Confluent's REST calls, for instance at `http://localhost:8081`, or
    /// `http://user:password@host:8081`.
    ///
    /// # Errors
    /// When the address is none, or nothing answers there.
    pub fn connect(url: &str) -> Result<Registry> {
        Ok(Registry::of(rest::Rest::connect(url)?))
    }

    fn of(store: impl Store + 'static) -> Registry {
        Registry(Arc::new(Inner {
            store: Box::new(store),
            known: Mutex::default(),
        }))
    }

    /// Returns the newest schema of every subject: subject (str, the topic's name and `-value`),
    /// version (i32, counts from 1), id (i32), schema (str, JSON).
    ///
    /// # Errors
    /// When the registry does not answer.
    pub fn subjects(&self) -> Result<DataFrame> {
        let all = self.0.store.all()?;
        Ok(df!(
            "subject" => all.iter().map(|version| version.subject.as_str()).collect::<Vec<_>>(),
            "version" => all.iter().map(|version| version.version).collect::<Vec<_>>(),
            "id" => all.iter().map(|version| version.id).collect::<Vec<_>>(),
            "schema" => all.iter().map(|version| version.schema.as_str()).collect::<Vec<_>>(),
        )?)
    }

    /// Returns the schema with this id as JSON.
    ///
    /// # Errors
    /// When there is none, or the registry does not answer.
    pub fn schema(&self, id: i32) -> Result<String> {
        self.0.store.schema(id)?.ok_or_else(|| self.no_schema(id))
    }

    /// Adds a schema under a subject, for instance `levels-value` for the records of topic `levels`, and
    /// returns its id. The same schema again gets the id that it has.
    ///
    /// # Errors
    /// When the text is no Avro schema, or what was written with the newest version could not be read
    /// with this one
    /// ([BACKWARD](https://docs.confluent.io/platform/current/schema-registry/fundamentals/schema-evolution.html)).
    pub fn register(&self, subject: &str, schema: &str) -> Result<i32> {
        let parsed = Known::parse(0, schema).map_err(|why| {
            Error::new("this is no Avro schema")
                .have(why)
                .hint(r#"{"type": "record", "name": "Level", "fields": [{"name": "level_cm", "type": "double"}]}"#)
        })?;
        if let Some(newest) = self.newest(subject)? {
            match SchemaCompatibility::can_read(newest.schema, parsed.schema) {
                Ok(Compatibility::Full) => {}
                Ok(Compatibility::Partial) => {
                    let kinds = changes(&newest, &parsed);
                    return Err(breaks(subject, &kinds));
                }
                Err(cause) => return Err(breaks(subject, &cause.to_string())),
            }
        }
        self.0.store.register(subject, schema)
    }

    /// Shows the subjects as the value of a cell.
    pub fn evcxr_display(&self) {
        let shown = self.subjects().map(|frame| {
            let caption = format!("{} subjects in {}", frame.height(), self.0.store.describe());
            Table::of(&frame).caption(caption).bundle()
        });
        crate::display::result(
            shown.unwrap_or_else(|error| crate::table::text(&error.to_string())),
        );
    }

    /// Returns the schema with this id, ready to read with; or says in words why no record of it can
    /// be read.
    pub(crate) fn known(&self, id: i32) -> Result<std::result::Result<Arc<Known>, String>> {
        if let Some(known) = self.lock().schemas.get(&id) {
            return Ok(Ok(known.clone()));
        }
        let Some(text) = self.0.store.schema(id)? else {
            return Ok(Err(format!(
                "no schema {id} in {}",
                self.0.store.describe()
            )));
        };
        Ok(self.keep(id, &text))
    }

    /// Returns the schema with an id that the registry has given.
    pub(crate) fn must_know(&self, id: i32) -> Result<Arc<Known>> {
        self.known(id)?.map_err(|why| self.no_schema(id).have(why))
    }

    /// Returns the newest schema of a subject.
    pub(crate) fn newest(&self, subject: &str) -> Result<Option<Arc<Known>>> {
        let Some(newest) = self.0.store.newest(subject)? else {
            return Ok(None);
        };
        if let Some(known) = self.lock().schemas.get(&newest.id) {
            return Ok(Some(known.clone()));
        }
        let kept = self.keep(newest.id, &newest.schema);
        kept.map(Some).map_err(|why| {
            Error::new(format!("the newest schema of {subject} is no Avro schema"))
                .have(why)
                .hint("another topic, or a registry that keeps its schemas as Avro")
        })
    }

    fn keep(&self, id: i32, text: &str) -> std::result::Result<Arc<Known>, String> {
        let known = Known::parse(id, text).map_err(|why| format!("schema {id}: {why}"))?;
        let mut all = self.lock();
        Ok(all
            .schemas
            .entry(id)
            .or_insert_with(|| Arc::new(known))
            .clone())
    }

    fn no_schema(&self, id: i32) -> Error {
        Error::new(format!("no schema {id}"))
            .have(self.0.store.describe())
            .hint("registry.subjects()? for those that are there")
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        let known = self.0.known.lock();
        let mut known = known.unwrap_or_else(|poisoned| poisoned.into_inner());
        let epoch = self.0.store.epoch();
        if known.epoch != epoch {
            *known = Cache {
                epoch,
                ..Cache::default()
            };
        }
        known
    }
}

/// Names the columns of which not every value can be read any more.
fn changes(old: &Known, new: &Known) -> String {
    let was = old.fields();
    let changed = new.fields().into_iter().filter_map(|(name, schema)| {
        let (_, before) = was.iter().find(|(other, _)| *other == name)?;
        let found = SchemaCompatibility::can_read(before, schema);
        let is_changed = !matches!(found, Ok(Compatibility::Full));
        is_changed.then(|| format!("{name}: was {}, is {}", word(before), word(schema)))
    });
    changed.collect::<Vec<_>>().join("; ")
}

/// The error of a schema that would break readers.
fn breaks(subject: &str, why: &str) -> Error {
    Error::new(format!(
        "with the new schema of {subject}, records that are there could not be read"
    ))
    .have(why)
    .hint("new columns may be added (null where they were not there) and old ones left out; for another dtype, another topic")
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "schema registry in {}", self.0.store.describe())
    }
}
