//! How long a cell takes, from the request on the shell socket to `idle` on iopub: on this kernel,
//! on stock evcxr with the same crates, and by hand ([`by_hand`]), in one run.
//!
//! `cargo bench --profile dev --bench latency` runs all three; the first run compiles the crates
//! for evcxr, which takes it some minutes. `-- --short` leaves stock evcxr out. Stock evcxr runs
//! behind the very same sockets (cells that start with `:evcxr`), at opt-level 0, which is its
//! faster setting for compiling; absolute times belong to the machine, the ratio is the result.

mod by_hand;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use by_hand::ByHand;

use headwater_kernel::run::client::{Kernel, Start};
use headwater_kernel::setup::prelude;

/// A cell, and the same as a plain function of a library.
struct Cell {
    name: &'static str,
    code: &'static str,
    by_hand: &'static str,
}

const HEAD: &str = "use ::headwater::prelude::*;\n";

/// Later cells use what earlier ones define.
const CELLS: [Cell; 12] = [
    Cell {
        name: "1 + 1",
        code: "1 + 1",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell() { println!("{:?}", 1 + 1); }"#,
    },
    Cell {
        name: "println",
        code: "println!(\"hello\");",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell() { println!("hello"); }"#,
    },
    Cell {
        name: "let",
        code: "let a = 41;",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell() -> Box<dyn std::any::Any> { Box::new(41) }"#,
    },
    Cell {
        name: "use a variable",
        code: "a + 1",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell(a: i32) { println!("{:?}", a + 1); }"#,
    },
    Cell {
        name: "struct and impl",
        code: "struct Trip { fare_usd: f64 }\nimpl Trip { fn with_tip(&self) -> f64 { self.fare_usd * 1.2 } }\nlet trip = Trip { fare_usd: 10.0 };\ntrip.with_tip()",
        by_hand: r#"struct Trip { fare_usd: f64 }
impl Trip { fn with_tip(&self) -> f64 { self.fare_usd * 1.2 } }
#[unsafe(no_mangle)] pub extern "C" fn cell() { let trip = Trip { fare_usd: 10.0 }; println!("{:?}", trip.with_tip()); }"#,
    },
    Cell {
        name: "collect a Vec",
        code: "let squares: Vec<u64> = (0..1000).map(|n| n * n).collect();\nsquares.len()",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell() -> Vec<u64> {
let squares: Vec<u64> = (0..1000).map(|n| n * n).collect(); println!("{:?}", squares.len()); squares }"#,
    },
    Cell {
        name: "DataFrame literal",
        code: "let frame = df!(\"zone\" => [\"a\", \"b\", \"a\"], \"fare\" => [1.0, 2.0, 3.0])?;",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell() -> PolarsResult<DataFrame> {
df!("zone" => ["a", "b", "a"], "fare" => [1.0, 2.0, 3.0]) }"#,
    },
    Cell {
        name: "show a DataFrame",
        code: "frame.clone()",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell(frame: &DataFrame) { println!("{:?}", frame.clone()); }"#,
    },
    Cell {
        name: "lazy group-by",
        code: "frame.clone().lazy().group_by([col(\"zone\")]).agg([col(\"fare\").mean().alias(\"mean\"), len().alias(\"trips\")]).sort([\"zone\"], Default::default()).collect()?",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell(frame: &DataFrame) -> PolarsResult<()> {
let shown = frame.clone().lazy().group_by([col("zone")]).agg([col("fare").mean().alias("mean"), len().alias("trips")]).sort(["zone"], Default::default()).collect()?;
println!("{shown:?}"); Ok(()) }"#,
    },
    Cell {
        name: "filter and sort",
        code: "frame.clone().lazy().filter(col(\"fare\").gt(lit(1.5))).sort([\"fare\"], Default::default()).collect()?",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell(frame: &DataFrame) -> PolarsResult<()> {
let shown = frame.clone().lazy().filter(col("fare").gt(lit(1.5))).sort(["fare"], Default::default()).collect()?;
println!("{shown:?}"); Ok(()) }"#,
    },
    Cell {
        name: "serde derive",
        code: "#[derive(serde::Serialize)]\nstruct Fare { zone: String, usd: f64 }\nserde_json::to_string(&Fare { zone: \"a\".into(), usd: 2.5 })?",
        by_hand: r#"#[derive(serde::Serialize)] struct Fare { zone: String, usd: f64 }
#[unsafe(no_mangle)] pub extern "C" fn cell() -> serde_json::Result<()> {
println!("{:?}", serde_json::to_string(&Fare { zone: "a".into(), usd: 2.5 })?); Ok(()) }"#,
    },
    Cell {
        name: "compile error",
        code: "let wrong: i32 = \"text\";",
        by_hand: r#"#[unsafe(no_mangle)] pub extern "C" fn cell() { let wrong: i32 = "text"; }"#,
    },
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    let rounds = if short { 3 } else { 5 };
    let folder = prelude::ensure(&|line| eprintln!("{line}")).expect("the prelude builds");
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_headwater"));
    let ours = measure(&binary, &folder, "", rounds).await;
    print_start(&ours);
    let hand = by_hand(&folder, rounds);
    if short {
        println!(
            "{:<20} {:>12} {:>12} {:>8}",
            "cell", "headwater ms", "by hand ms", "ratio"
        );
        for ((cell, ours), hand) in CELLS.iter().zip(&ours.cells).zip(&hand) {
            let (ours, hand) = (ms(median(ours)), ms(median(hand)));
            println!(
                "{:<20} {ours:>12.0} {hand:>12.0} {:>7.2}x",
                cell.name,
                ours / hand
            );
        }
        return;
    }
    let stock = measure(&binary, &folder, ":evcxr ", rounds).await;
    println!(
        "{:<20} {:>12} {:>12} {:>8} {:>12} {:>8}",
        "cell", "headwater ms", "by hand ms", "ratio", "evcxr ms", "faster"
    );
    for (index, cell) in CELLS.iter().enumerate() {
        let of = |times: &[Vec<Duration>]| ms(median(&times[index]));
        let (ours, hand, stock) = (of(&ours.cells), of(&hand), of(&stock.cells));
        println!(
            "{:<20} {ours:>12.0} {hand:>12.0} {:>7.2}x {stock:>12.0} {:>7.1}x",
            cell.name,
            ours / hand,
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
        for (cell, times) in CELLS.iter().zip(&mut cells) {
            let took = time(&mut kernel, &format!("{prefix}{}", cell.code)).await;
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

/// Times each cell as a plain function; the first round does not count here either.
fn by_hand(prelude: &Path, rounds: usize) -> Vec<Vec<Duration>> {
    let by_hand = ByHand::new(prelude);
    let mut times = vec![Vec::new(); CELLS.len()];
    for round in 0..=rounds {
        for (cell, times) in CELLS.iter().zip(&mut times) {
            let fails = cell.name == "compile error";
            let took = by_hand.time(&format!("{HEAD}{}", cell.by_hand), fails);
            if round > 0 {
                times.push(took);
            }
        }
    }
    times
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
