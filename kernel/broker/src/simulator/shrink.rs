//! From a history that broke something to a report that a person can act on: the same check
//! broken with as few faults as possible.

use std::fmt;

use super::checks::Broken;
use super::scenario::Scenario;
use super::trace::TraceLine;
use super::{Outcome, Simulation};

/// Lines of the trace that a report shows.
const TAIL: usize = 40;

/// What is known of a broken check.
#[derive(Debug, Clone)]
pub struct Report {
    pub broken: Broken,
    /// The scenario with the faults that are needed to break it.
    pub smallest: Scenario,
    /// The last lines of its trace.
    pub tail: Vec<TraceLine>,
}

impl Report {
    /// Returns the report on a scenario, nothing where it breaks nothing.
    pub fn on(scenario: &Scenario) -> Option<Report> {
        let broken = run(scenario).broken?;
        let mut smallest = scenario.clone();
        // Each fault in turn is left out for good if the same check breaks without it.
        let mut index = smallest.faults.faults.len();
        while index > 0 {
            index -= 1;
            let fewer = smallest.clone().faults(smallest.faults.without(index));
            if run(&fewer)
                .broken
                .is_some_and(|other| other.check == broken.check)
            {
                smallest = fewer;
            }
        }
        let mut simulation = Simulation::traced(smallest.clone());
        let broken = simulation.run_to_end().broken.unwrap_or(broken);
        let lines = simulation.trace();
        let tail = lines[lines.len().saturating_sub(TAIL)..].to_vec();
        Some(Report {
            broken,
            smallest,
            tail,
        })
    }
}

fn run(scenario: &Scenario) -> Outcome {
    Simulation::new(scenario.clone()).run_to_end()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.smallest.seed, self.broken)?;
        writeln!(f, "{:#?}", self.smallest.clients())?;
        writeln!(f, "{:?}", self.smallest.topics)?;
        for planned in &self.smallest.faults.faults {
            writeln!(f, "  {:?}: {}", planned.when, planned.fault)?;
        }
        for line in &self.tail {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
