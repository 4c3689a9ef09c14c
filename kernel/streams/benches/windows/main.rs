//! How many events a CPU-second the window operator takes, beside the loop that one writes by hand
//! over Polars in this very build, and how the cost grows with keys, open windows and lateness.
//!
//! `cargo bench --profile dev --bench windows` (any other profile would compile Polars again);
//! `-- compare`, `-- growth` or `-- flights` runs one part, `--short` few events.
//! `benches/windows/peers.py` puts Polars, DuckDB, Spark, Bytewax and Pathway beside them.

mod by_hand;
mod compare;
mod events;
mod flights;
mod growth;
mod meter;

use headwater_streams::prelude::*;

fn main() -> headwater_streams::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let is_short = words.iter().any(|word| word == "--short");
    let parts: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    let cluster = Cluster::embedded()?;
    if wanted("compare") {
        compare::run(&cluster, is_short)?;
    }
    if wanted("growth") {
        growth::run(&cluster, is_short)?;
    }
    if wanted("flights") {
        flights::run(&cluster)?;
    }
    Ok(())
}
