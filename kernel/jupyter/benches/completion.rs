//! How long completion and inspection take over the real sockets, how much memory they cost, and
//! that a cell does not wait for them.
//!
//! `cargo bench --profile dev --bench completion`; absolute times belong to the machine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use headwater_kernel::run::client::{Channel, Kernel, Start};
use headwater_kernel::setup::prelude;
use serde_json::json;

const ROUNDS: usize = 15;

/// What is asked; `¦` is the cursor, `#` a number that makes each question a new one for the
/// compiler: no answer comes from memory.
const QUESTIONS: [(&str, &str, &str); 12] = [
    ("complete", "variable", "let a# = fli¦"),
    ("complete", "field of own type", "let a# = trip.fa¦"),
    ("complete", "method of a variable", "let a# = flights.he¦"),
    (
        "complete",
        "method of an expression",
        "let a# = flights.clone().lazy().filter(col(\"fare\").gt(lit(1))).so¦",
    ),
    (
        "complete",
        "method in a closure, by rustc",
        "let a# = names.iter().map(|name| name.le¦",
    ),
    ("complete", "path", "let a# = std::collections::Ha¦"),
    ("complete", "name of the library", "let a# = Data¦"),
    ("complete", "column", "let a# = flights.column(\"or¦"),
    (
        "inspect",
        "library method",
        "let a# = flights.clone().lazy().fil¦ter(lit(true))",
    ),
    ("inspect", "std method", "let a# = names.pus¦h(1)"),
    ("inspect", "own item", "let a# = Tri¦p"),
    ("inspect", "variable", "let a# = fligh¦ts"),
];

const SETUP: &str =
    "let flights = df!(\"delay\" => [1.5], \"origin\" => [\"EWR\"], \"fare\" => [1])?;
let names = vec![String::from(\"a\")];
/// A trip.
struct Trip { fare_usd: f64 }
let trip = Trip { fare_usd: 1.0 };";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = prelude::ensure(&|line| eprintln!("{line}")).expect("the prelude builds");
    let workdir = tempfile::tempdir().expect("a folder to run in");
    let start = Start {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_headwater")),
        workdir: workdir.path().to_owned(),
        variables: vec![("HEADWATER_PRELUDE".to_owned(), folder.display().to_string())],
    };
    cold(&start).await;
    let mut kernel = Kernel::start(&start).await.expect("the kernel starts");
    run(&mut kernel, SETUP).await;
    let before = memory(&kernel);
    println!(
        "{:<9} {:<30} {:>10} {:>10} {:>8}",
        "request", "what", "first ms", "median ms", "matches"
    );
    for (kind, what, code) in QUESTIONS {
        let mut times = Vec::new();
        let mut count = 0;
        for round in 0..ROUNDS {
            let (took, found) =
                ask(&mut kernel, kind, &code.replace('#', &round.to_string())).await;
            assert!(found > 0, "{what}: nothing found");
            count = found;
            times.push(took);
        }
        println!(
            "{kind:<9} {what:<30} {:>10.0} {:>10.0} {count:>8}",
            ms(times[0]),
            ms(median(&times))
        );
    }
    let after = memory(&kernel);
    println!(
        "memory, kernel and child: {} MB and {} MB before completion, {} MB and {} MB after",
        before.0, before.1, after.0, after.1
    );
    kernel.stop(|_| ()).await;
}

/// Whether a cell waits for a completion that has just been asked for the first time: the same
/// cell in fresh kernels, once alone, once behind the question.
async fn cold(start: &Start) {
    let (mut alone, mut behind) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        for (with, times) in [(false, &mut alone), (true, &mut behind)] {
            let mut kernel = Kernel::start(start).await.expect("the kernel starts");
            run(&mut kernel, SETUP).await;
            if with {
                // It reads the index and asks rustc.
                send(&mut kernel, "complete", "names.iter().map(|name| name.le¦").await;
            }
            times.push(run(&mut kernel, "flights.height() + 1").await);
            kernel.stop(|_| ()).await;
        }
    }
    println!(
        "a cell alone {:.0} ms, behind a cold completion {:.0} ms (medians of 5 fresh kernels)\n",
        ms(median(&alone)),
        ms(median(&behind))
    );
}

async fn send(kernel: &mut Kernel, kind: &str, code: &str) -> String {
    let cursor = code
        .split('¦')
        .next()
        .map_or(0, |before| before.chars().count());
    let content = json!({"code": code.replace('¦', ""), "cursor_pos": cursor, "detail_level": 0});
    kernel
        .ask(Channel::Shell, &format!("{kind}_request"), content)
        .await
        .expect("the kernel takes the question")
}

/// Asks, and returns how long the reply took and how much it holds.
async fn ask(kernel: &mut Kernel, kind: &str, code: &str) -> (Duration, usize) {
    let started = Instant::now();
    let id = send(kernel, kind, code).await;
    loop {
        let heard = kernel.next().await.expect("the kernel answers");
        if heard.is_reply(&id, &format!("{kind}_reply")) {
            let matches = heard.content["matches"].as_array().map(Vec::len);
            let found = usize::from(heard.content["found"] == true);
            return (started.elapsed(), matches.unwrap_or(found));
        }
    }
}

/// Runs a cell and waits for `idle`.
async fn run(kernel: &mut Kernel, code: &str) -> Duration {
    let started = Instant::now();
    let id = kernel
        .execute(code)
        .await
        .expect("the kernel takes the cell");
    loop {
        let heard = kernel.next().await.expect("the kernel answers");
        assert!(heard.message_type != "error", "{code}\n{}", heard.content);
        if heard.is_idle(&id) {
            return started.elapsed();
        }
    }
}

/// Returns the memory of the kernel and of its child, in megabytes.
fn memory(kernel: &Kernel) -> (u64, u64) {
    let id = kernel.id().expect("the kernel runs");
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    let threads = std::fs::read_dir(format!("/proc/{id}/task"))
        .into_iter()
        .flatten()
        .flatten();
    // A child is listed under the thread that started it.
    let all: String = threads
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
        .chain(children)
        .collect();
    let child = all
        .split_whitespace()
        .next()
        .and_then(|child| child.parse().ok());
    (resident(id), child.map_or(0, resident))
}

fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1000
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
