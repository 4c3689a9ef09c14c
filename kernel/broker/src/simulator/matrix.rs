//! The crash matrix: what a consumer loses and repeats, by when it commits and where it dies.

use std::fmt;

use super::crash::CrashPoint;
use super::plan::{Fault, FaultPlan};
use super::scenario::{Commit, ConsumerPlan, ProducerPlan, Scenario, TopicPlan};
use super::{Outcome, Simulation};

/// Records of one run; each run has one crash.
const RUN_RECORDS: u32 = 20;
/// Time of the first member alone, before the second comes and takes partitions away.
const ALONE_MS: i64 = 60;

/// One cell: a way to commit, a place to die.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cell {
    pub policy: String,
    pub point: String,
    /// Records that were read from the input topic.
    pub records: u64,
    /// Records that never reached the output topic.
    pub lost: u64,
    /// Further copies in the output topic.
    pub doubled: u64,
    /// Effects outside of the log beyond the first of a record. A consumer in a transaction has none
    /// here: what it did outside, no transaction would cover.
    pub effects_repeated: u64,
}

/// All cells, policy by policy.
///
/// ```
/// use headwater_broker::simulator::{Commit, CrashMatrix, CrashPoint};
///
/// let matrix = CrashMatrix::run(&[Commit::Before, Commit::After], &CrashPoint::ALL, 40, 7);
/// println!("{matrix}");
/// let cell = matrix.cell("commit, then process", CrashPoint::AfterPoll).unwrap();
/// assert_eq!(cell.doubled, 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CrashMatrix {
    pub cells: Vec<Cell>,
}

impl CrashMatrix {
    /// Runs every policy with a crash at every point; `records` of each cell come in runs of 20,
    /// with one crash in each.
    ///
    /// # Panics
    /// Where the broker breaks a promise on the way.
    pub fn run(policies: &[Commit], points: &[CrashPoint], records: u32, seed: u64) -> CrashMatrix {
        let cells = policies.iter().flat_map(|policy| {
            let cell = |point: &CrashPoint| run_cell(*policy, *point, records, seed);
            points.iter().map(cell).collect::<Vec<Cell>>()
        });
        CrashMatrix {
            cells: cells.collect(),
        }
    }

    /// Returns the cell of a policy, by its name, and a point.
    pub fn cell(&self, policy: &str, point: CrashPoint) -> Option<&Cell> {
        let point = point.to_string();
        let mut cells = self.cells.iter();
        cells.find(|cell| cell.policy == policy && cell.point == point)
    }
}

fn run_cell(policy: Commit, point: CrashPoint, records: u32, seed: u64) -> Cell {
    let mut cell = Cell {
        policy: policy_name(policy).to_owned(),
        point: point.to_string(),
        records: 0,
        lost: 0,
        doubled: 0,
        effects_repeated: 0,
    };
    for run in 0..records.div_ceil(RUN_RECORDS) {
        let count = RUN_RECORDS.min(records - run * RUN_RECORDS);
        let outcome = run_once(policy, point, count, seed + u64::from(run), run);
        assert_eq!(outcome.broken, None, "seed {}", outcome.seed);
        let tally = outcome.tally;
        cell.records += tally.sent;
        cell.lost += tally.sent - tally.written;
        cell.doubled += tally.written_again;
        cell.effects_repeated += tally.repeated;
    }
    cell
}

fn run_once(policy: Commit, point: CrashPoint, records: u32, seed: u64, run: u32) -> Outcome {
    // Not always at the first visit, so that there is something behind it and before it.
    let visit = match point {
        CrashPoint::InRevoke => 1,
        _ => 1 + run % 3,
    };
    let consumer = ConsumerPlan::new("board")
        .commit(policy)
        .writing_to(1)
        .poll(4);
    let mut scenario = Scenario::new(seed)
        .topic(TopicPlan::new("flights").partitions(2))
        .topic(TopicPlan::new("delays"))
        .producer(ProducerPlan::new(records).batch(4).idempotent())
        .consumer(consumer.clone())
        .death(1, point, visit);
    if point == CrashPoint::InRevoke {
        // A second member that comes late makes the first one give something back.
        let late = Fault::ClientCrash {
            client: 2,
            down_ms: ALONE_MS,
        };
        scenario = scenario
            .consumer(consumer)
            .faults(FaultPlan::default().at(0, late));
    }
    Simulation::new(scenario).run_to_end()
}

fn policy_name(policy: Commit) -> &'static str {
    match policy {
        Commit::Before => "commit, then process",
        Commit::After => "process, then commit",
        Commit::Timer(_) => "commit by timer",
        Commit::InTransaction { .. } => "transaction",
    }
}

impl fmt::Display for CrashMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<22} {:<18} {:>5} {:>8} {:>9}",
            "policy", "dies", "lost", "doubled", "effects+"
        )?;
        for cell in &self.cells {
            writeln!(
                f,
                "{:<22} {:<18} {:>5} {:>8} {:>9}",
                cell.policy, cell.point, cell.lost, cell.doubled, cell.effects_repeated
            )?;
        }
        Ok(())
    }
}
