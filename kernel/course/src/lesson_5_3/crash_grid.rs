//! Demo D3: what a crash costs, by the policy of commits and the place of the crash.

use headwater_broker::simulator::{Commit, CrashMatrix, CrashPoint};
use polars::prelude::*;

/// How many records each cell of the matrix handles, and with which spacing the timer commits.
const RECORDS: u32 = 200;
const POLICIES: [Commit; 4] = [
    Commit::Before,
    Commit::After,
    Commit::Timer(15),
    Commit::InTransaction { into: 1 },
];

/// Runs a consumer under four policies of commit, killed at each of seven places, in the broker's
/// simulator: 200 records a cell, in runs of 20 with one crash each. The same seed gives the same matrix.
///
/// Columns: `policy` and `dies` (str), `records`, `lost`, `doubled` (in the topic that it writes to, read
/// as committed) and `effects_repeated` (calls of a service without a key) (u32).
///
/// # Errors
/// When the frame cannot be made.
pub fn crash_matrix(seed: u64) -> PolarsResult<DataFrame> {
    let matrix = CrashMatrix::run(&POLICIES, &CrashPoint::ALL, RECORDS, seed);
    let cells = &matrix.cells;
    df!(
        "policy" => cells.iter().map(|cell| cell.policy.as_str()).collect::<Vec<_>>(),
        "dies" => cells.iter().map(|cell| cell.point.as_str()).collect::<Vec<_>>(),
        "records" => cells.iter().map(|cell| cell.records).collect::<Vec<_>>(),
        "lost" => cells.iter().map(|cell| cell.lost).collect::<Vec<_>>(),
        "doubled" => cells.iter().map(|cell| cell.doubled).collect::<Vec<_>>(),
        "effects_repeated" => cells.iter().map(|cell| cell.effects_repeated).collect::<Vec<_>>(),
    )
}
