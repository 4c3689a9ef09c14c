//! Kills jobs again and again and counts what their sinks lack or hold twice.
//!
//! `cargo bench --profile dev --bench kill` kills each kind of sink's job 300 times;
//! `-- --runs 20 --sink parquet --seed 5` to change that. The job runs in a process of its own
//! (this program again) against a broker in this one, and dies of SIGKILL at a random moment.

// The tests use more of it than this does.
#[allow(dead_code)]
#[path = "../tests/kill/mod.rs"]
mod harness;

use harness::postgres::Server;
use harness::{Kind, Random, kill, obey};

fn main() {
    obey();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value_of = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).cloned()
    };
    let runs = value_of("--runs").and_then(|runs| runs.parse().ok());
    let seed = value_of("--seed").and_then(|seed| seed.parse().ok());
    let only = value_of("--sink");
    println!("sink       kills  rounds  compared  differences  seconds");
    for kind in [Kind::Parquet, Kind::Sqlite, Kind::Topic, Kind::Postgres] {
        if only.as_ref().is_some_and(|only| only != kind.name()) {
            continue;
        }
        let server = match kind {
            Kind::Postgres => match Server::shared() {
                Some(server) => Some(server),
                None => continue,
            },
            _ => None,
        };
        let url = server.as_ref().map(|server| server.url());
        let mut random = Random(seed.unwrap_or(9));
        let tally = kill(kind, runs.unwrap_or(300), &mut random, url, &[]);
        println!(
            "{:<10} {:>5}  {:>6}  {:>8}  {:>11}  {:>7.0}",
            kind.name(),
            tally.kills,
            tally.rounds,
            tally.looks,
            tally.differences,
            tally.seconds
        );
        assert_eq!(tally.differences, 0, "the sink {} differs", kind.name());
    }
}
