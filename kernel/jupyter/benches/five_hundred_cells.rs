//! Five hundred cells in one notebook: what they cost in time and memory, and why.
//!
//! `cargo bench --profile dev --bench five_hundred_cells`; `-- --short` runs 60 cells. The cells
//! are those of a working notebook: variables, structs with derives, functions, prints, frames.
//! It fails where a later cell is slower than an early one, or memory grows by more than is
//! explained.

mod endurance;

use std::process::ExitCode;
use std::time::Duration;

use endurance::processes::{self, Snapshot};
use endurance::{FrontEnd, is_short, median, ms, verdict};

/// The most that a cell may leave behind in the child: its library, mapped and never unloaded.
const CHILD_KB_A_CELL: f64 = 160.0;
/// The most that the kernel may keep of a cell: its code, its items, its place in the history.
const KERNEL_KB_A_CELL: f64 = 40.0;
/// How much slower the last cells may be than the first ones; other programs run here too.
const SLOWER: f64 = 1.5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cells = if is_short() { 60 } else { 500 };
    let step = if is_short() { 20 } else { 50 };
    let mut front_end = FrontEnd::start().await;
    front_end
        .must("let frame = df!(\"zone\" => [\"a\", \"b\", \"a\"], \"fare\" => [1.0, 2.0, 3.0])?;")
        .await;
    // The first cells of each kind load what all later ones share.
    for number in 0..10 {
        front_end.must(&cell(10_000 + number)).await;
    }
    let kernel = front_end.kernel_id();
    let child = processes::runner(kernel).expect("the child runs");
    let start = (Snapshot::of(kernel), Snapshot::of(child));
    println!(
        "{:>6} {:>11} {:>11} {:>10} {:>10} {:>10} {:>6} {:>9} {:>11} {:>11}",
        "cells",
        "kernel RSS",
        "kernel PSS",
        "child RSS",
        "child PSS",
        "child heap",
        "files",
        "mappings",
        "1 + 1, ms",
        "Polars, ms"
    );
    row(0, &start, &[], &[]);
    let (mut trivial, mut frames) = (Vec::new(), Vec::new());
    let mut by_step: Vec<[Duration; 2]> = Vec::new();
    for number in 1..=cells {
        let ran = front_end.must(&cell(number)).await;
        match number % 10 {
            0 => trivial.push(ran.took),
            5 => frames.push(ran.took),
            _ => {}
        }
        if number % step == 0 {
            let now = (Snapshot::of(kernel), Snapshot::of(child));
            row(number, &now, &trivial, &frames);
            by_step.push([median(&trivial), median(&frames)]);
            trivial.clear();
            frames.clear();
        }
    }
    let end = (Snapshot::of(kernel), Snapshot::of(child));
    let broken = judge(cells, &start, &end, &by_step);
    let stopped = front_end.kernel.stop(|_| ()).await;
    let mut broken = broken;
    if !stopped || processes::is_alive(child) {
        broken.push("the kernel and its child end when asked to".to_owned());
    }
    verdict(&broken)
}

/// A cell of a working notebook: one of ten kinds, each with names of its own.
fn cell(number: u32) -> String {
    match number % 10 {
        0 => "1 + 1".to_owned(),
        1 => format!("let value_{number} = vec![{number}; 100];"),
        2 => format!("#[derive(Debug, Clone, serde::Serialize)]\nstruct Trip{number} {{ fare_usd: f64, zone: String }}\nimpl Trip{number} {{ fn tip(&self) -> f64 {{ self.fare_usd * 0.2 }} }}"),
        3 => format!("fn fare_{number}(km: f64) -> f64 {{ km * 1.5 + {number}.0 }}\nfare_{number}(2.0)"),
        4 => format!("println!(\"cell {number}\");"),
        5 | 7 => "frame.clone().lazy().group_by([col(\"zone\")]).agg([col(\"fare\").mean()]).collect()?".to_owned(),
        6 => format!("let text_{number} = format!(\"number {{}}\", {number}); text_{number}.len()"),
        8 => "let squares: Vec<u64> = (0..1000).map(|n| n * n).collect();\nsquares.iter().sum::<u64>()".to_owned(),
        _ => "let wide = frame.clone(); wide.height()".to_owned(),
    }
}

fn row(
    cells: u32,
    (kernel, child): &(Snapshot, Snapshot),
    trivial: &[Duration],
    frames: &[Duration],
) {
    println!(
        "{cells:>6} {:>8.1} MB {:>8.1} MB {:>7.1} MB {:>7.1} MB {:>7.1} MB {:>6} {:>9} {:>11.0} {:>11.0}",
        kernel.rss_mb,
        kernel.pss_mb,
        child.rss_mb,
        child.pss_mb,
        child.heap_mb,
        kernel.open_files + child.open_files,
        child.mappings,
        ms(median(trivial)),
        ms(median(frames))
    );
}

fn judge(
    cells: u32,
    start: &(Snapshot, Snapshot),
    end: &(Snapshot, Snapshot),
    times: &[[Duration; 2]],
) -> Vec<String> {
    let each = |from: f64, to: f64| (to - from) * 1024.0 / f64::from(cells);
    let kernel = each(start.0.rss_mb, end.0.rss_mb);
    let child = each(start.1.rss_mb, end.1.rss_mb);
    let heap = each(start.1.heap_mb, end.1.heap_mb);
    let mappings = (end.1.mappings as f64 - start.1.mappings as f64) / f64::from(cells);
    println!(
        "growth a cell: kernel {kernel:.0} KB, child {child:.0} KB, of which {heap:.0} KB heap and written pages and {:.0} KB code and constants of its library",
        child - heap
    );
    println!(
        "  a cell's library is never unloaded (variables, threads and vtables point into it): {mappings:.1} mappings each"
    );
    let mut broken = Vec::new();
    if kernel > KERNEL_KB_A_CELL {
        broken.push(format!(
            "a cell costs the kernel at most {KERNEL_KB_A_CELL} KB: {kernel:.0} KB"
        ));
    }
    if child > CHILD_KB_A_CELL {
        broken.push(format!(
            "a cell costs the child at most {CHILD_KB_A_CELL} KB: {child:.0} KB"
        ));
    }
    if end.1.open_files > start.1.open_files + 4 || end.0.open_files > start.0.open_files + 4 {
        broken.push("no file stays open".to_owned());
    }
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        for (name, first, last) in [
            ("1 + 1", first[0], last[0]),
            ("a group-by", first[1], last[1]),
        ] {
            println!(
                "{name}: {:.0} ms at first, {:.0} ms at last",
                ms(first),
                ms(last)
            );
            // A few cells on a machine that does other things too tell nothing of speed.
            if !is_short() && ms(last) > ms(first) * SLOWER {
                broken.push(format!("{name} is as fast at the end as at the start"));
            }
        }
    }
    broken
}
