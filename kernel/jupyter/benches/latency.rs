//! How long a cell takes, from the request on the shell socket to `idle` on iopub, on this kernel
//! and on stock evcxr with the same crates, in one run.
//!
//! `cargo bench --profile dev --bench latency` runs both; the first run compiles the crates for
//! evcxr, which takes it some minutes. `-- --short` leaves stock evcxr out. Stock evcxr runs
//! behind the very same sockets (cells that start with `:evcxr`), at opt-level 0, which is its
//! faster setting for compiling; absolute times belong to the machine, the ratio is the result.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use headwater_kernel::run::client::{Kernel, Start};
use headwater_kernel::setup::prelude;

/// Name and code of each cell; later ones use what earlier ones define.
const CELLS: [(&str, &str); 12] = [
    ("1 + 1", "1 + 1"),
    ("println", "println!(\"hello\");"),
    ("let", "let a = 41;"),
    ("use a variable", "a + 1"),
    (
        "struct and impl",
        "struct Trip { fare_usd: f64 }\nimpl Trip { fn with_tip(&self) -> f64 { self.fare_usd * 1.2 } }\nlet trip = Trip { fare_usd: 10.0 };\ntrip.with_tip()",
    ),
    (
        "collect a Vec",
        "let squares: Vec<u64> = (0..1000).map(|n| n * n).collect();\nsquares.len()",
    ),
    (
        "DataFrame literal",
        "let frame = df!(\"zone\" => [\"a\", \"b\", \"a\"], \"fare\" => [1.0, 2.0, 3.0])?;",
    ),
    ("show a DataFrame", "frame.clone()"),
    (
        "lazy group-by",
        "frame.clone().lazy().group_by([col(\"zone\")]).agg([col(\"fare\").mean().alias(\"mean\"), len().alias(\"trips\")]).sort([\"zone\"], Default::default()).collect()?",
    ),
    (
        "filter and sort",
        "frame.clone().lazy().filter(col(\"fare\").gt(lit(1.5))).sort([\"fare\"], Default::default()).collect()?",
    ),
    (
        "serde derive",
        "#[derive(serde::Serialize)]\nstruct Fare { zone: String, usd: f64 }\nserde_json::to_string(&Fare { zone: \"a\".into(), usd: 2.5 })?",
    ),
    ("compile error", "let wrong: i32 = \"text\";"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    let rounds = if short { 3 } else { 5 };
    let folder = prelude::ensure(&|line| eprintln!("{line}")).expect("the prelude builds");
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_headwater"));
    let ours = measure(&binary, &folder, "", rounds).await;
    print_start(&ours);
    if short {
        println!("{:<20} {:>12}", "cell", "headwater ms");
        for ((name, _), times) in CELLS.iter().zip(&ours.cells) {
            println!("{name:<20} {:>12.0}", ms(median(times)));
        }
        return;
    }
    let stock = measure(&binary, &folder, ":evcxr ", rounds).await;
    println!(
        "{:<20} {:>12} {:>12} {:>8}",
        "cell", "headwater ms", "evcxr ms", "ratio"
    );
    for (((name, _), ours), stock) in CELLS.iter().zip(&ours.cells).zip(&stock.cells) {
        let (ours, stock) = (ms(median(ours)), ms(median(stock)));
        println!(
            "{name:<20} {ours:>12.0} {stock:>12.0} {:>7.1}x",
            stock / ours
        );
    }
    println!(
        "first `let` after loading the crates: headwater {:.0} ms, evcxr {:.0} ms",
        ms(ours.first_let),
        ms(stock.first_let)
    );
}

struct Measured {
    /// From starting the process to the first reply, and to the first DataFrame shown.
    ready: Duration,
    first_frame: Duration,
    first_let: Duration,
    /// By cell, by round.
    cells: Vec<Vec<Duration>>,
}

async fn measure(binary: &Path, prelude: &Path, prefix: &str, rounds: usize) -> Measured {
    let scratch = tempfile::tempdir().expect("a folder for evcxr");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    let started = Instant::now();
    let start = Start {
        binary: binary.to_owned(),
        workdir: scratch.path().to_owned(),
        variables: vec![
            (
                "HEADWATER_PRELUDE".to_owned(),
                prelude.display().to_string(),
            ),
            // Kept between runs, so that only the first one compiles the crates for evcxr.
            (
                "EVCXR_TMPDIR".to_owned(),
                target.join("stock-evcxr").display().to_string(),
            ),
        ],
    };
    std::fs::create_dir_all(target.join("stock-evcxr")).expect("a folder for evcxr");
    let mut kernel = Kernel::start(&start).await.expect("the kernel starts");
    let ready = started.elapsed();
    if !prefix.is_empty() {
        load_crates(&mut kernel).await;
    }
    let first = time(
        &mut kernel,
        &format!("{prefix}let first = df!(\"n\" => [1, 2, 3])?;\nfirst"),
    )
    .await;
    let first_frame = started.elapsed();
    let mut cells = vec![Vec::new(); CELLS.len()];
    for round in 0..=rounds {
        for ((_, code), times) in CELLS.iter().zip(&mut cells) {
            let took = time(&mut kernel, &format!("{prefix}{code}")).await;
            // The first round fills caches of the file system; it does not count.
            if round > 0 {
                times.push(took);
            }
        }
    }
    kernel.stop(|_| ()).await;
    Measured {
        ready,
        first_frame,
        first_let: first,
        cells,
    }
}

/// Gives stock evcxr the crates that our cells have, with the same features.
async fn load_crates(kernel: &mut Kernel) {
    let kernel_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let kernel_folder = kernel_folder
        .canonicalize()
        .expect("this crate stands beside the others");
    let ours = |name: &str| {
        format!(
            ":dep headwater-{name} = {{ path = \"{}/{name}\" }}\n",
            kernel_folder.display()
        )
    };
    let manifest = std::fs::read_to_string(kernel_folder.join("../Cargo.toml"))
        .expect("the workspace's manifest");
    let code = format!(
        ":evcxr\n:opt 0\n{}{}{}{}{}use headwater_streams::prelude::*;\nuse polars::prelude::*;",
        ours("streams"),
        ours("course"),
        dependency(&manifest, "polars"),
        dependency(&manifest, "serde"),
        dependency(&manifest, "serde_json"),
    );
    eprintln!("evcxr compiles its crates ...");
    let took = time(kernel, &code).await;
    eprintln!("... in {:.0} s", took.as_secs_f64());
}

/// Returns evcxr's line for a dependency as the workspace's manifest has it.
fn dependency(manifest: &str, name: &str) -> String {
    let start = manifest
        .find(&format!("\n{name} = "))
        .expect("it is a workspace dependency")
        + 1;
    let length = manifest[start..]
        .find("}\n")
        .expect("it is an inline table")
        + 1;
    format!(
        ":dep {}\n",
        manifest[start..start + length].replace('\n', " ")
    )
}

/// Runs a cell and waits for `idle`.
async fn time(kernel: &mut Kernel, code: &str) -> Duration {
    let started = Instant::now();
    let id = kernel
        .execute(code)
        .await
        .expect("the kernel takes the cell");
    loop {
        let heard = kernel.next().await.expect("the kernel answers");
        if heard.message_type == "error" && heard.is_under(&id) && !code.contains("wrong") {
            panic!("{code}\n{}", heard.content);
        }
        if heard.is_idle(&id) {
            return started.elapsed();
        }
    }
}

fn print_start(measured: &Measured) {
    println!(
        "kernel started in {:.0} ms; first DataFrame shown {:.0} ms after the start of the process",
        ms(measured.ready),
        ms(measured.first_frame)
    );
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
