//! Where a cluster lives: at the kernel, in this process, or somewhere that a person named.

use std::sync::{Arc, Mutex, Weak};

use headwater_broker::control::{self, ControlClient};
use headwater_broker::{ClusterDescription, LogInspection, LogQuery, Server, ServerConfig};

use crate::{Error, Result};

/// The name under which every embedded cluster without another name is known to the kernel.
const NAME: &str = "default";

/// The broker of this process, for programs and tests; it stops when its last handle drops.
static LOCAL: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// Who keeps the broker.
pub(crate) enum Home {
    /// The kernel or `headwater lab`, asked over the control channel.
    Kernel { place: String },
    /// This process.
    Process(Arc<Server>),
    /// Somebody else: it can be used, but not emptied or looked into.
    Elsewhere,
}

/// Opens the embedded broker and returns its bootstrap address.
pub(crate) fn embedded() -> Result<(Home, String)> {
    if let Ok(place) = std::env::var(control::ENV) {
        let bootstrap = ask(&place)?.open(NAME).map_err(refused)?;
        return Ok((Home::Kernel { place }, bootstrap));
    }
    let mut local = LOCAL
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(server) = local.upgrade() {
        let bootstrap = server.bootstrap();
        return Ok((Home::Process(server), bootstrap));
    }
    let server = Server::start(ServerConfig::default()).map_err(refused)?;
    let server = Arc::new(server);
    *local = Arc::downgrade(&server);
    let bootstrap = server.bootstrap();
    Ok((Home::Process(server), bootstrap))
}

impl Home {
    /// Deletes every topic and group.
    pub fn reset(&self, bootstrap: &str) -> Result<()> {
        match self {
            Home::Process(server) => {
                server.reset();
                Ok(())
            }
            Home::Kernel { place } => ask(place)?.reset(NAME).map(drop).map_err(refused),
            Home::Elsewhere => Err(Error::new("only an embedded cluster can be emptied")
                .have(format!("a connection to {bootstrap}"))
                .hint("topic.clear()? for one topic, or Cluster::embedded()?")),
        }
    }

    /// Returns what an embedded cluster holds.
    pub fn describe(&self) -> Result<ClusterDescription> {
        match self {
            Home::Process(server) => Ok(server.describe()),
            Home::Kernel { place } => ask(place)?.describe(NAME).map_err(refused),
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
            Home::Kernel { place } => match ask(place)?.inspect(NAME, of) {
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

fn ask(place: &str) -> Result<ControlClient> {
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
