//! A Kafka cluster: the embedded one, or one that a person names.

pub(crate) mod client;
mod home;
mod inside;
mod lag;
mod nodes;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use polars::prelude::DataFrame;
use rdkafka::consumer::Consumer as _;

use crate::topic::{Topic, TopicState};
use crate::{Error, Result};
use home::Home;
pub use inside::{Inside, LogInside};
pub use nodes::{Node, Nodes, nodes};

/// Every open cluster of this process by address, so that two handles to one cluster share
/// producer and topics. Locked for one look-up.
static OPEN: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

/// A handle to a Kafka cluster; clones are cheap and share it.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
///
/// let cluster = Cluster::embedded()?;
/// let trips = cluster.topic("trips", partitions(3))?;
/// assert_eq!(trips.partitions(), 3);
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub bootstrap: String,
    home: Home,
    pub clients: Arc<client::Clients>,
    /// What this process knows about each topic beside what the broker knows. Locked for a look-up.
    topics: Mutex<HashMap<String, Arc<TopicState>>>,
}

/// How many partitions a topic has; made by [`partitions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions(i32);

/// Returns the number of partitions that a new topic gets.
pub fn partitions(count: u32) -> Partitions {
    Partitions(i32::try_from(count).unwrap_or(i32::MAX))
}

impl Cluster {
    /// Opens the embedded cluster: the kernel's in a notebook, else one inside this process that
    /// ends with its last handle.
    ///
    /// # Errors
    /// When the kernel does not answer or no local port is free.
    pub fn embedded() -> Result<Cluster> {
        let (home, bootstrap) = home::embedded()?;
        Ok(Cluster::open_as(home, bootstrap))
    }

    /// Connects to brokers at `bootstrap`, for instance `"localhost:9092"` or `"a:9092,b:9092"`.
    ///
    /// # Errors
    /// When none of them answers within 5 seconds.
    pub fn connect(bootstrap: &str) -> Result<Cluster> {
        check_address(bootstrap)?;
        let cluster = Cluster::open_as(Home::Elsewhere, bootstrap.to_owned());
        let consumer = client::consumer(bootstrap, None)?;
        let quick = std::time::Duration::from_secs(1);
        // Where nothing listens at all, waiting longer tells nothing more.
        let answer =
            consumer
                .fetch_metadata(None, quick)
                .or_else(|cause| match reason(bootstrap) {
                    Some(refused) if refused.starts_with(NOTHING) => Err(cause),
                    _ => consumer.fetch_metadata(None, client::PATIENCE - quick),
                });
        answer.map_err(|cause| {
            Error::unreachable(format!("no broker answers at {bootstrap}"))
                .have(reason(bootstrap).unwrap_or_else(|| cause.to_string()))
                .hint("start it or check host and port, or Cluster::embedded()? which needs none")
                .caused_by(cause)
        })?;
        Ok(cluster)
    }

    /// Connects to the brokers in the environment variable `HEADWATER_BOOTSTRAP`, or opens the
    /// embedded cluster where it is not set.
    ///
    /// # Errors
    /// Those of [`Cluster::connect`] and [`Cluster::embedded`].
    pub fn open() -> Result<Cluster> {
        match std::env::var("HEADWATER_BOOTSTRAP") {
            Ok(bootstrap) if !bootstrap.trim().is_empty() => Cluster::connect(bootstrap.trim()),
            _ => Cluster::embedded(),
        }
    }

    /// Returns the address that any Kafka client can connect to.
    pub fn bootstrap(&self) -> &str {
        &self.inner.bootstrap
    }

    /// Opens the topic `name`, or creates it with that many partitions. A topic that is created here
    /// keeps its records until it is cleared: replayed event times may be years old, and Kafka's
    /// usual retention of seven days would delete them. It has the cluster's default of replicas.
    ///
    /// # Errors
    /// When it is there with another number of partitions, or the broker refuses the name.
    pub fn topic(&self, name: &str, partitions: Partitions) -> Result<Topic> {
        crate::topic::open(&self.inner, name, partitions.0)
    }

    /// Returns the topics with their partitions and records: topic, partitions, records.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn topics(&self) -> Result<DataFrame> {
        let consumer = self.inner.clients.consumer()?;
        let metadata = consumer.fetch_metadata(None, client::PATIENCE)?;
        let mut topics: Vec<(&str, usize, i64)> = Vec::new();
        for topic in metadata
            .topics()
            .iter()
            .filter(|topic| !topic.name().starts_with("__"))
        {
            let mut records = 0;
            for partition in topic.partitions() {
                let (low, high) = client::watermarks(&consumer, topic.name(), partition.id())?;
                records += high - low;
            }
            topics.push((topic.name(), topic.partitions().len(), records));
        }
        topics.sort();
        Ok(polars::df!(
            "topic" => topics.iter().map(|topic| topic.0).collect::<Vec<_>>(),
            "partitions" => topics.iter().map(|topic| topic.1 as i64).collect::<Vec<_>>(),
            "records" => topics.iter().map(|topic| topic.2).collect::<Vec<_>>(),
        )?)
    }

    /// Deletes every topic and every consumer group of an embedded cluster.
    ///
    /// # Errors
    /// On a connected cluster: this is not ours to empty.
    pub fn reset(&self) -> Result<()> {
        self.inner.home.reset(&self.inner.bootstrap)?;
        self.inner.clients.forget_producer();
        let mut topics = self
            .inner
            .topics
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        topics.drain().for_each(|(_, state)| state.emptied());
        Ok(())
    }

    /// Returns how far consumer group `group` has read: topic, partition, committed, end, lag_records.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn lag(&self, group: &str) -> Result<DataFrame> {
        lag::lag(&self.inner.bootstrap, group)
    }

    /// Looks into the cluster: nodes, topics, partitions, replicas, groups and their members,
    /// committed offsets with lag, transactions. Printed, it is one line.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn describe(&self) -> Result<Inside> {
        inside::describe(&self.inner)
    }

    /// Looks into the log of one partition: segments, batches, index entries, as its leader has it.
    ///
    /// # Errors
    /// When there is no such log, and on a connected cluster, which does not tell.
    pub fn log(&self, topic: &str, partition: i32) -> Result<LogInside> {
        inside::look_into(&self.inner, topic, partition, None)
    }

    /// As [`Cluster::log`], for the copy that node `node` holds.
    ///
    /// # Errors
    /// Those of [`Cluster::log`].
    pub fn log_on(&self, node: i32, topic: &str, partition: i32) -> Result<LogInside> {
        inside::look_into(&self.inner, topic, partition, Some(node))
    }

    /// Shows the cluster as the value of a cell.
    pub fn evcxr_display(&self) {
        match self.describe() {
            Ok(inside) => inside.evcxr_display(),
            Err(error) => crate::display::result(crate::table::text(&error.to_string())),
        }
    }

    fn open_as(home: Home, bootstrap: String) -> Cluster {
        let mut open = OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        open.retain(|inner| inner.strong_count() > 0);
        if let Some(inner) = open
            .iter()
            .filter_map(Weak::upgrade)
            .find(|inner| inner.bootstrap == bootstrap)
        {
            return Cluster { inner };
        }
        let clients = Arc::new(client::Clients::new(&bootstrap));
        let inner = Arc::new(Inner {
            bootstrap,
            home,
            clients,
            topics: Mutex::default(),
        });
        open.push(Arc::downgrade(&inner));
        Cluster { inner }
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "cluster {} ({})",
            self.inner.bootstrap,
            self.inner.home.words()
        )
    }
}

impl Inner {
    /// Returns what this process knows about a topic.
    pub fn state(&self, topic: &str) -> Arc<TopicState> {
        let mut topics = self
            .topics
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        topics.entry(topic.to_owned()).or_default().clone()
    }
}

fn check_address(bootstrap: &str) -> Result<()> {
    let well_formed = |place: &str| {
        place
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    if bootstrap.split(',').all(|place| well_formed(place.trim())) {
        return Ok(());
    }
    Err(
        Error::new(format!("`{bootstrap}` is not the address of a broker"))
            .have("an address needs a host and a port")
            .hint("Cluster::connect(\"localhost:9092\")?"),
    )
}

/// How the reason begins where a machine answered and refused.
const NOTHING: &str = "nothing listens";

/// Says what a plain connection attempt finds, for librdkafka only knows that time ran out.
fn reason(bootstrap: &str) -> Option<String> {
    use std::net::{TcpStream, ToSocketAddrs};
    let first = bootstrap.split(',').next().unwrap_or(bootstrap).trim();
    let Ok(mut addresses) = first.to_socket_addrs() else {
        return Some(format!("the name of {first} is not known"));
    };
    let address = addresses.find(|address| address.is_ipv4())?;
    Some(
        match TcpStream::connect_timeout(&address, std::time::Duration::from_secs(1)) {
            Ok(_) => {
                format!("something accepts connections at {address}, but it does not speak Kafka")
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused => {
                format!("{NOTHING} at {address}")
            }
            Err(cause) => format!("{address}: {cause}"),
        },
    )
}
