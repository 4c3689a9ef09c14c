//! An embedded cluster of several nodes, and what can be done to them: stopped, killed, started,
//! slowed, cut off from each other.

use std::time::Duration;

use headwater_broker::brokers::{Event, Fault, Peer};
use headwater_broker::control::Shape;
use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone};

use super::Cluster;
use super::home::{self, Home};
use crate::{Error, Result};

/// How many nodes an embedded cluster has, and how patient they are; made by [`nodes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nodes {
    pub(super) shape: Shape,
}

/// Returns a cluster of `count` nodes, 1 to 16, for [`Cluster::embedded_with`].
pub fn nodes(count: usize) -> Nodes {
    Nodes {
        shape: Shape {
            nodes: count,
            ..Shape::default()
        },
    }
}

impl Nodes {
    /// Sets the rack of each node; replicas of a partition are spread over racks. Default: none.
    pub fn racks(mut self, racks: &[&str]) -> Nodes {
        self.shape.racks = racks.iter().map(|rack| (*rack).to_owned()).collect();
        self
    }

    /// Sets how long a follower may lag before it leaves the in-sync set
    /// (`replica.lag.time.max.ms`). Default: 30 seconds.
    pub fn replica_lag(mut self, span: Duration) -> Nodes {
        self.shape.replica_lag_ms = Some(milliseconds(span));
        self
    }

    /// Sets how long it takes until a killed node is missed (`broker.session.timeout.ms`).
    /// Default: 9 seconds.
    pub fn session_timeout(mut self, span: Duration) -> Nodes {
        self.shape.session_timeout_ms = Some(milliseconds(span));
        self
    }
}

/// One node of an embedded cluster, from [`Cluster::node`].
#[derive(Clone)]
pub struct Node {
    cluster: Cluster,
    id: i32,
}

impl Node {
    /// Returns the id, which counts from 1.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Stops the node as an administrator would: it hands its partitions over first.
    ///
    /// # Errors
    /// When the kernel does not answer, here and below.
    pub fn stop(&self) -> Result<()> {
        self.apply(Fault::Stop { node: self.id })
    }

    /// Kills the node; the others notice after the session time-out. Its records stay on it.
    ///
    /// # Errors
    /// As `stop`.
    pub fn kill(&self) -> Result<()> {
        self.apply(Fault::Kill { node: self.id })
    }

    /// Starts the node again, at the address it had.
    ///
    /// # Errors
    /// As `stop`, and where another program took the port.
    pub fn start(&self) -> Result<()> {
        self.apply(Fault::Start { node: self.id })
    }

    /// Lets every message between this node and the others take so much longer; zero ends it.
    ///
    /// # Errors
    /// As `stop`.
    pub fn slow(&self, by: Duration) -> Result<()> {
        let delay_ms = milliseconds(by);
        self.apply(Fault::Slow {
            node: self.id,
            delay_ms,
        })
    }

    fn apply(&self, fault: Fault) -> Result<()> {
        self.cluster.apply(fault)
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "node {} of {:?}", self.id, self.cluster)
    }
}

impl Cluster {
    /// Opens an embedded cluster of several nodes. The same nodes give the same cluster, so that
    /// a cell can run again.
    ///
    /// # Errors
    /// For a number of nodes that cannot be, and those of [`Cluster::embedded`].
    ///
    /// # Example
    /// ```
    /// use headwater_streams::prelude::*;
    ///
    /// let cluster = Cluster::embedded_with(nodes(3).racks(&["a", "b", "c"]))?;
    /// cluster.topic("orders", partitions(1))?;
    /// cluster.node(2)?.stop()?;
    /// cluster.node(2)?.start()?;
    /// # Ok::<(), headwater_streams::Error>(())
    /// ```
    pub fn embedded_with(nodes: Nodes) -> Result<Cluster> {
        let (home, bootstrap) = home::embedded_with(&nodes.shape)?;
        Ok(Cluster::open_as(home, bootstrap))
    }

    /// Returns node `id` of an embedded cluster; ids count from 1.
    ///
    /// # Errors
    /// When there is no such node, or the cluster is not ours to take nodes from.
    pub fn node(&self, id: i32) -> Result<Node> {
        let known = self.inner.home.nodes(&self.inner.bootstrap)?;
        if !known.contains(&id) {
            let count = known.len();
            return Err(Error::new(format!("no node {id} in this cluster"))
                .have(format!("nodes 1 to {count}"))
                .hint("cluster.node(1)?, or Cluster::embedded_with(nodes(3))? for more of them"));
        }
        Ok(Node {
            cluster: self.clone(),
            id,
        })
    }

    /// Cuts the link between two nodes; clients still reach both.
    ///
    /// # Errors
    /// When there is no such node, or the cluster is not embedded.
    pub fn cut(&self, a: i32, b: i32) -> Result<()> {
        let (a, b) = (self.peer(a)?, self.peer(b)?);
        self.apply(Fault::Cut { a, b })
    }

    /// Makes the link between two nodes whole again.
    ///
    /// # Errors
    /// As `cut`.
    pub fn heal(&self, a: i32, b: i32) -> Result<()> {
        let (a, b) = (self.peer(a)?, self.peer(b)?);
        self.apply(Fault::Heal { a, b })
    }

    /// Cuts a node off from all others and from the controller; clients still reach it.
    ///
    /// # Errors
    /// As `cut`.
    pub fn isolate(&self, node: i32) -> Result<()> {
        for b in self.peers_of(node)? {
            let a = Peer::Node(node);
            self.apply(Fault::Cut { a, b })?;
        }
        Ok(())
    }

    /// Makes all links of a node whole again.
    ///
    /// # Errors
    /// As `cut`.
    pub fn rejoin(&self, node: i32) -> Result<()> {
        for b in self.peers_of(node)? {
            let a = Peer::Node(node);
            self.apply(Fault::Heal { a, b })?;
        }
        Ok(())
    }

    /// Returns what happened to nodes and replicas, oldest first: at (datetime), event (str).
    ///
    /// # Errors
    /// When the cluster is not embedded, or the kernel does not answer.
    pub fn events(&self) -> Result<DataFrame> {
        let events = self.inner.home.events(&self.inner.bootstrap)?;
        let at: Vec<i64> = events.iter().map(|event| event.at_ms).collect();
        let words: Vec<String> = events.iter().map(Event::to_string).collect();
        let utc = DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC));
        let at = Series::new("at".into(), at).cast(&utc)?;
        let words = Series::new("event".into(), words);
        let height = words.len();
        Ok(DataFrame::new(
            height,
            vec![at.into_column(), words.into_column()],
        )?)
    }

    fn apply(&self, fault: Fault) -> Result<()> {
        self.inner.home.apply(&self.inner.bootstrap, fault)
    }

    fn peer(&self, id: i32) -> Result<Peer> {
        self.node(id).map(|node| Peer::Node(node.id))
    }

    fn peers_of(&self, node: i32) -> Result<Vec<Peer>> {
        self.node(node)?;
        let known = self.inner.home.nodes(&self.inner.bootstrap)?;
        let others = known.into_iter().filter(|id| *id != node).map(Peer::Node);
        Ok(others.chain([Peer::Controller]).collect())
    }
}

impl Home {
    /// Does something to a node or a link.
    fn apply(&self, bootstrap: &str, fault: Fault) -> Result<()> {
        match self {
            Home::Process(server) => server.apply(fault).map_err(home::refused_fault),
            Home::Kernel { place, name } => home::ask(place)?
                .apply(name, fault)
                .map_err(home::refused_fault),
            Home::Elsewhere => Err(not_ours(bootstrap)),
        }
    }

    fn nodes(&self, bootstrap: &str) -> Result<Vec<i32>> {
        let description = match self {
            Home::Process(server) => server.describe(),
            Home::Kernel { place, name } => home::ask(place)?
                .describe(name)
                .map_err(home::refused_fault)?,
            Home::Elsewhere => return Err(not_ours(bootstrap)),
        };
        Ok(description.nodes.iter().map(|node| node.node).collect())
    }

    fn events(&self, bootstrap: &str) -> Result<Vec<Event>> {
        match self {
            Home::Process(server) => Ok(server.events()),
            Home::Kernel { place, name } => {
                home::ask(place)?.events(name).map_err(home::refused_fault)
            }
            Home::Elsewhere => Err(not_ours(bootstrap)),
        }
    }
}

fn not_ours(bootstrap: &str) -> Error {
    Error::new("only the nodes of an embedded cluster can be stopped, slowed and cut off")
        .have(format!("a connection to {bootstrap}"))
        .hint("Cluster::embedded_with(nodes(3))?")
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
