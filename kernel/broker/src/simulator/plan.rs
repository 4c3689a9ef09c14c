//! Fault plans: what goes wrong, and when; plain data that a person can write and a seed can draw.

use std::fmt;

use super::dice::Dice;
use super::scenario::Scenario;

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So many milliseconds of virtual time after the start.
    At(i64),
    /// Before this step.
    Step(u64),
}

/// What goes wrong. Each fault ends by itself, so that a plan stays sound when one is left out.
///
/// Nodes are named by their id, clients by their place in [`Scenario::clients`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A node dies at once and comes back with what its disk holds.
    Crash { node: i32, down_ms: i64 },
    /// A node is shut down in good order, then started again.
    Stop { node: i32, down_ms: i64 },
    /// Two nodes do not hear each other.
    Cut { from: i32, to: i32, for_ms: i64 },
    /// What two nodes send each other takes longer.
    Slow {
        from: i32,
        to: i32,
        delay_ms: i64,
        for_ms: i64,
    },
    /// A node hears nothing from the controller; clients and other nodes still reach it.
    Isolated { node: i32, for_ms: i64 },
    /// A client reaches no node, and none reaches it.
    ClientCut { client: usize, for_ms: i64 },
    /// Messages of a client take longer.
    ClientSlow {
        client: usize,
        delay_ms: i64,
        for_ms: i64,
    },
    /// The next replies to a client are lost, although the nodes did what was asked: for a
    /// producer a lost acknowledgement.
    LostReplies { client: usize, count: u32 },
    /// A client dies and starts again without memory.
    ClientCrash { client: usize, down_ms: i64 },
    /// A client's clock is wrong from now on.
    ClockSkew { client: usize, skew_ms: i64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Crash { node, down_ms } => write!(f, "node {node} crashes for {down_ms} ms"),
            Fault::Stop { node, down_ms } => write!(f, "node {node} is stopped for {down_ms} ms"),
            Fault::Cut { from, to, for_ms } => {
                write!(f, "nodes {from} and {to} are cut off for {for_ms} ms")
            }
            Fault::Slow {
                from,
                to,
                delay_ms,
                for_ms,
            } => write!(
                f,
                "nodes {from} and {to} are {delay_ms} ms apart for {for_ms} ms"
            ),
            Fault::Isolated { node, for_ms } => {
                write!(
                    f,
                    "node {node} does not hear the controller for {for_ms} ms"
                )
            }
            Fault::ClientCut { client, for_ms } => {
                write!(f, "client {client} is cut off for {for_ms} ms")
            }
            Fault::ClientSlow {
                client,
                delay_ms,
                for_ms,
            } => write!(f, "client {client} is {delay_ms} ms away for {for_ms} ms"),
            Fault::LostReplies { client, count } => {
                write!(f, "the next {count} replies to client {client} are lost")
            }
            Fault::ClientCrash { client, down_ms } => {
                write!(f, "client {client} crashes for {down_ms} ms")
            }
            Fault::ClockSkew { client, skew_ms } => {
                write!(f, "the clock of client {client} is {skew_ms} ms off")
            }
        }
    }
}

/// One fault at its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    pub when: When,
    pub fault: Fault,
}

/// All faults of a history.
///
/// ```
/// use headwater_broker::simulator::{Fault, FaultPlan};
///
/// let plan = FaultPlan::default()
///     .at(50, Fault::LostReplies { client: 0, count: 1 })
///     .before_step(40, Fault::ClientCrash { client: 1, down_ms: 100 });
/// assert_eq!(plan.faults.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultPlan {
    pub faults: Vec<Planned>,
}

impl FaultPlan {
    /// Adds a fault at a time after the start.
    pub fn at(mut self, ms: i64, fault: Fault) -> FaultPlan {
        self.faults.push(Planned {
            when: When::At(ms),
            fault,
        });
        self
    }

    /// Adds a fault right before a step.
    pub fn before_step(mut self, step: u64, fault: Fault) -> FaultPlan {
        self.faults.push(Planned {
            when: When::Step(step),
            fault,
        });
        self
    }

    /// Draws a plan that fits a scenario.
    pub fn random(scenario: &Scenario, dice: &mut Dice) -> FaultPlan {
        let mut plan = FaultPlan::default();
        for _ in 0..dice.below(6) {
            let fault = random_fault(scenario, dice);
            let when = When::At(dice.between(2, 220));
            plan.faults.push(Planned { when, fault });
        }
        plan
    }

    /// Returns the plan without its fault number `index`.
    pub fn without(&self, index: usize) -> FaultPlan {
        let mut plan = self.clone();
        plan.faults.remove(index);
        plan
    }
}

fn random_fault(scenario: &Scenario, dice: &mut Dice) -> Fault {
    let client = dice.below(scenario.clients().len() as u64) as usize;
    // Shorter and longer than a request's time-out and a member's session.
    let long_ms = dice.pick(&[20, 80, 300, 900]);
    if scenario.nodes > 1 && dice.chance(55) {
        return random_node_fault(scenario, long_ms, dice);
    }
    match dice.below(7) {
        0 | 1 => Fault::LostReplies {
            client,
            count: dice.between(1, 3) as u32,
        },
        2 => Fault::ClientCut {
            client,
            for_ms: long_ms,
        },
        3 => Fault::ClientSlow {
            client,
            delay_ms: dice.between(5, 150),
            for_ms: long_ms,
        },
        4 => Fault::ClientCrash {
            client,
            down_ms: long_ms,
        },
        5 => Fault::ClockSkew {
            client,
            skew_ms: dice.between(-100_000, 100_000),
        },
        _ => Fault::Crash {
            node: dice.between(1, i64::from(scenario.nodes)) as i32,
            down_ms: long_ms,
        },
    }
}

fn random_node_fault(scenario: &Scenario, long_ms: i64, dice: &mut Dice) -> Fault {
    let node = dice.between(1, i64::from(scenario.nodes)) as i32;
    let other = node % scenario.nodes + 1;
    match dice.below(8) {
        6 | 7 => Fault::Isolated {
            node,
            for_ms: long_ms,
        },
        0 | 1 => Fault::Crash {
            node,
            down_ms: long_ms,
        },
        2 => Fault::Stop {
            node,
            down_ms: long_ms,
        },
        3 | 4 => Fault::Cut {
            from: node,
            to: other,
            for_ms: long_ms,
        },
        _ => Fault::Slow {
            from: node,
            to: other,
            delay_ms: dice.between(1, 120),
            for_ms: long_ms,
        },
    }
}
