//! Where a cluster lives: at the kernel, in this process, or somewhere that a person named.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use headwater_broker::control::{self, ControlClient, Shape};
use headwater_broker::{ClusterDescription, LogInspection, LogQuery, Server, ServerConfig};

use crate::{Error, Result};

/// The name under which every embedded cluster without another name is known to the kernel.
const NAME: &str = "default";

/// The clusters of this process by name, for programs and tests; each stops when its last handle
/// drops. Locked while one is looked up or started.
static LOCAL: Mutex<BTreeMap<String, Weak<Server>>> = Mutex::new(BTreeMap::new());

/// Who keeps the broker.
pub(crate) enum Home {
    /// The kernel or `headwater lab`, asked over the control channel.
    Kernel { place: String, name: String },
    /// This process.
    Process(Arc<Server>),
    /// Somebody else: it can be used, but not emptied or looked into.
    Elsewhere,
}

/// Opens the embedded broker and returns its bootstrap address.
pub(crate) fn embedded() -> Result<(Home, String)> {
    open(NAME.to_owned(), None)
}

/// Opens the embedded cluster of this shape and returns its bootstrap address.
pub(crate) fn embedded_with(shape: &Shape) -> Result<(Home, String)> {
    open(name_of(shape), Some(shape.clone()))
}

fn open(name: String, shape: Option<Shape>) -> Result<(Home, String)> {
    if let Ok(place) = std::env::var(control::ENV) {
        let mut kernel = ask(&place)?;
        let opened = match shape {
            None => kernel.open(&name),
            Some(shape) => kernel.open_with(&name, shape),
        };
        let bootstrap = opened.map_err(refused)?;
        return Ok((Home::Kernel { place, name }, bootstrap));
    }
    let mut local = LOCAL
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(server) = local.get(&name).and_then(Weak::upgrade) {
        let bootstrap = server.bootstrap();
        return Ok((Home::Process(server), bootstrap));
    }
    let mut config = ServerConfig::default();
    if let Some(shape) = shape {
        shape.apply_to(&mut config);
    }
    let server = Arc::new(Server::start(config).map_err(refused)?);
    local.insert(name, Arc::downgrade(&server));
    let bootstrap = server.bootstrap();
    Ok((Home::Process(server), bootstrap))
}

/// The same shape has the same name, so that a cell which runs again finds its cluster.
fn name_of(shape: &Shape) -> String {
    let mut name = format!("nodes-{}", shape.nodes);
    if !shape.racks.is_empty() {
        name += &format!("-racks-{}", shape.racks.join("."));
    }
    if let Some(lag_ms) = shape.replica_lag_ms {
        name += &format!("-lag-{lag_ms}");
    }
    if let Some(session_ms) = shape.session_timeout_ms {
        name += &format!("-session-{session_ms}");
    }
    name
}

impl Home {
    /// Deletes every topic and group.
    pub fn reset(&self, bootstrap: &str) -> Result<()> {
        match self {
            Home::Process(server) => {
                server.reset();
                Ok(())
            }
            Home::Kernel { place, name } => ask(place)?.reset(name).map(drop).map_err(refused),
            Home::Elsewhere => Err(Error::new("only an embedded cluster can be emptied")
                .have(format!("a connection to {bootstrap}"))
                .hint("topic.clear()? for one topic, or Cluster::embedded()?")),
        }
    }

    /// Returns what an embedded cluster holds.
    pub fn describe(&self) -> Result<ClusterDescription> {
        match self {
            Home::Process(server) => Ok(server.describe()),
            Home::Kernel { place, name } => ask(place)?.describe(name).map_err(refused),
            Home::Elsewhere => Err(Error::new("only an embedded cluster can be looked into")),
        }
    }

    /// Returns the inside of one log of an embedded cluster.
    pub fn inspect(&self, bootstrap: &str, of: &LogQuery) -> Result<LogInspection> {
        let missing = || {
            Error::unknown_topic(format!(
                "there is no log of {} partition {}",
                of.topic, of.partition
            ))
            .hint("cluster.describe()?.partitions()? for those there are")
        };
        match self {
            Home::Process(server) => server.inspect(of).ok_or_else(missing),
            Home::Kernel { place, name } => match ask(place)?.inspect(name, of) {
                Err(refusal) if refusal.is_refused() => Err(missing()),
                answer => answer.map_err(refused),
            },
            Home::Elsewhere => Err(Error::new(
                "only an embedded cluster shows the inside of its logs",
            )
            .have(format!("a connection to {bootstrap}"))
            .hint("Cluster::embedded()?; for files of a real one kafka-dump-log")),
        }
    }

    /// Returns what kind of cluster this is, in words.
    pub fn words(&self) -> &'static str {
        match self {
            Home::Kernel { .. } => "embedded, kept by the kernel",
            Home::Process(_) => "embedded in this process",
            Home::Elsewhere => "connected",
        }
    }
}

pub(super) fn ask(place: &str) -> Result<ControlClient> {
    ControlClient::connect(place).map_err(|cause| {
        Error::unreachable("the kernel does not answer about its embedded broker".into())
            .have(format!("{}={place}: {cause}", control::ENV))
            .hint(
                "restart the kernel, or Cluster::connect(\"host:9092\")? for a broker of your own",
            )
    })
}

fn refused(cause: headwater_broker::Error) -> Error {
    Error::unreachable("the embedded broker did not start".into())
        .have(cause.to_string())
        .hint("Cluster::connect(\"host:9092\")? for a broker of your own")
}

/// The error where a node or a link could not be changed.
pub(super) fn refused_fault(cause: headwater_broker::Error) -> Error {
    Error::unreachable("the embedded cluster did not do it".into())
        .have(cause.to_string())
        .hint("Cluster::embedded_with(nodes(3))? opens it anew where it has ended")
}
