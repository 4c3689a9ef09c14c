//! The simulator: a whole cluster with its clients, in a time of its own, from a seed.
//!
//! The brokers are the real ones: the same [`Brokers::step`](crate::brokers::Brokers::step) that
//! the server drives. Clients are small machines that send the real requests. What is between them
//! is made up: messages are late, lost or cut off, replies never come, nodes and clients die. The
//! same scenario gives the same history to the last millisecond, so what broke once can be looked
//! at for as long as one likes.
//!
//! - [`Scenario`]: nodes, topics, clients, faults; written by hand or drawn from a seed
//! - [`FaultPlan`]: what goes wrong, and when
//! - [`Simulation`]: runs it, step by step or to the end
//! - [`Snapshot`], [`TraceLine`]: what there is to see
//! - [`Check`]: what must always hold; [`Report`]: what is known when it does not
//!
//! ```
//! use headwater_broker::simulator::*;
//!
//! // A lost acknowledgement doubles a record of a producer that is not idempotent.
//! let scenario = |producer: ProducerPlan| {
//!     Scenario::new(1)
//!         .topic(TopicPlan::new("flights"))
//!         .producer(producer)
//!         .faults(FaultPlan::default().at(10, Fault::LostReplies { client: 0, count: 1 }))
//! };
//! let plain = Simulation::new(scenario(ProducerPlan::new(5))).run_to_end();
//! assert_eq!((plain.tally.lost, plain.tally.doubled), (0, 1));
//! let idempotent = Simulation::new(scenario(ProducerPlan::new(5).idempotent())).run_to_end();
//! assert_eq!((idempotent.tally.lost, idempotent.tally.doubled), (0, 0));
//! ```

mod actors;
mod asks;
mod batches;
mod checks;
mod clients;
mod consumer;
mod crash;
mod dice;
mod draw;
mod judge;
mod ledger;
mod matrix;
mod membership;
mod net;
mod output;
mod places;
mod plan;
mod polled;
mod producer;
mod scenario;
mod sender;
mod shrink;
mod snapshot;
mod trace;
mod troubles;
mod watch;
mod world;

pub use batches::RecordId;
pub use checks::{Broken, Check};
pub use crash::CrashPoint;
pub use judge::Tally;
pub use matrix::{Cell, CrashMatrix};
pub use plan::{Fault, FaultPlan, Planned, When};
pub use scenario::{Acks, ClientPlan, Commit, ConsumerPlan, ProducerPlan, Scenario, TopicPlan};
pub use shrink::Report;
pub use snapshot::{ClientPicture, GroupPicture, PartitionPicture, ReplicaBar, Snapshot};
pub use trace::TraceLine;

use world::{START_MS, World};

/// How a history ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub seed: u64,
    pub steps: u64,
    /// Virtual milliseconds from start to end.
    pub ended_ms: i64,
    /// The check that failed, if one did.
    pub broken: Option<Broken>,
    pub tally: Tally,
}

/// One history, driven from outside.
///
/// ```
/// use headwater_broker::simulator::*;
///
/// let scenario = Scenario::new(3)
///     .topic(TopicPlan::new("flights"))
///     .producer(ProducerPlan::new(2).idempotent());
/// let mut simulation = Simulation::traced(scenario);
/// while let Some(lines) = simulation.step() {
///     for line in lines {
///         println!("{line}");
///     }
/// }
/// println!("{}", simulation.snapshot());
/// assert!(simulation.is_over());
/// ```
#[derive(Debug)]
pub struct Simulation {
    world: World,
}

impl Simulation {
    /// Returns a history at its beginning, without a trace: the quick way for many of them.
    pub fn new(scenario: Scenario) -> Simulation {
        Simulation {
            world: World::new(scenario, false),
        }
    }

    /// Returns a history at its beginning that writes down what happens.
    pub fn traced(scenario: Scenario) -> Simulation {
        Simulation {
            world: World::new(scenario, true),
        }
    }

    /// Lets one thing happen and returns what the trace says of it; nothing once it is over.
    pub fn step(&mut self) -> Option<&[TraceLine]> {
        let before = self.world.trace.lines.len();
        if self.world.is_over() || !self.world.advance() {
            return None;
        }
        self.world.check();
        Some(&self.world.trace.lines[before..])
    }

    /// Runs until `ms` after the start, or to the end.
    pub fn run_until(&mut self, ms: i64) {
        while self.now_ms() < ms && self.step().is_some() {}
    }

    /// Runs to the end: all clients are done, or a check failed.
    pub fn run_to_end(&mut self) -> Outcome {
        while self.step().is_some() {}
        self.outcome()
    }

    /// Lets a fault happen now, whatever the plan says.
    pub fn strike(&mut self, fault: Fault) {
        self.world.trouble += 1;
        self.world.suffer(fault);
        self.world.check();
    }

    /// Returns virtual milliseconds since the start.
    pub fn now_ms(&self) -> i64 {
        self.world.net.now_ms - START_MS
    }

    /// Returns true where nothing is left to be done, or a check failed.
    pub fn is_over(&mut self) -> bool {
        self.world.is_over()
    }

    /// Returns the check that failed, if one did.
    pub fn broken(&self) -> Option<&Broken> {
        self.world.ledger.broken.as_ref()
    }

    /// Returns what happened so far; empty unless made by [`Simulation::traced`].
    pub fn trace(&self) -> &[TraceLine] {
        &self.world.trace.lines
    }

    /// Returns the moment as a picture.
    pub fn snapshot(&self) -> Snapshot {
        self.world.snapshot()
    }

    /// Returns how things stand.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            seed: self.world.scenario.seed,
            steps: self.world.steps,
            ended_ms: self.now_ms(),
            broken: self.world.ledger.broken.clone(),
            tally: self.world.tally(),
        }
    }
}
