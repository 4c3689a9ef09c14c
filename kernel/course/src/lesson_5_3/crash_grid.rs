//! Demo D3: what a crash costs, by the policy of commits and the place of the crash.

use headwater_broker::simulator::{Commit, CrashMatrix, CrashPoint};
use polars::prelude::*;

/// How many records each cell of the matrix handles.
const RECORDS: u32 = 200;
/// When a consumer commits, in a word or two.
const POLICIES: [(Commit, &str); 4] = [
    (Commit::Before, "before"),
    (Commit::After, "after"),
    (Commit::Timer(15), "by timer"),
    (Commit::InTransaction { into: 1 }, "in a tx"),
];

/// Runs a consumer under four policies of commit, killed at each of seven places, in the broker's
/// simulator: 200 records a cell, in runs of 20 with one crash each. The same seed gives the same matrix.
///
/// Columns: `commits` (str, a word for the policy), `at` (str, `C1` to `C7`), `policy` and `dies` (str, the
/// same in words), `records`, `lost` and `doubled` (u64; in the topic that it writes to, read as committed).
///
/// # Errors
/// When the frame cannot be made.
pub fn crash_matrix(seed: u64) -> PolarsResult<DataFrame> {
    let matrix = CrashMatrix::run(&POLICIES.map(|it| it.0), &CrashPoint::ALL, RECORDS, seed);
    let cells = &matrix.cells;
    // Policy by policy, and in each of them place by place.
    let places = CrashPoint::ALL.len();
    let words = POLICIES
        .iter()
        .flat_map(|it| std::iter::repeat_n(it.1, places));
    let codes = (0..cells.len()).map(|cell| format!("C{}", cell % places + 1));
    df!(
        "commits" => words.collect::<Vec<_>>(),
        "at" => codes.collect::<Vec<_>>(),
        "policy" => cells.iter().map(|cell| cell.policy.as_str()).collect::<Vec<_>>(),
        "dies" => cells.iter().map(|cell| cell.point.as_str()).collect::<Vec<_>>(),
        "records" => cells.iter().map(|cell| cell.records).collect::<Vec<_>>(),
        "lost" => cells.iter().map(|cell| cell.lost).collect::<Vec<_>>(),
        "doubled" => cells.iter().map(|cell| cell.doubled).collect::<Vec<_>>(),
    )
}
