//! Where a cluster lives: at the kernel, in this process, or somewhere that a person named.

use std::sync::{Arc, Mutex, Weak};

use headwater_broker::control::{self, ControlClient};
use headwater_broker::{Server, ServerConfig};

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
