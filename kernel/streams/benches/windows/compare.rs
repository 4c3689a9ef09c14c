//! The operator beside the loop by hand: the same batches, in turns.

use headwater_streams::WindowSpec;
use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::by_hand;
use crate::events::{Events, STANDARD, batches};
use crate::meter::{Cost, measure};

const ROUNDS: usize = 3;

pub fn run(cluster: &Cluster, is_short: bool) -> headwater_streams::Result<()> {
    let events = match is_short {
        true => Events {
            count: 500_000,
            ..STANDARD
        },
        false => STANDARD,
    };
    let frame = events.frame()?;
    println!(
        "{} events, {} keys, watermark 10 s; millions of events a CPU-second, best of {ROUNDS}",
        events.count, events.keys
    );
    let topic = cluster.topic("bench-windows", partitions(1))?;
    let query = |window: WindowSpec| {
        let stream = topic.stream().watermark("at", seconds(10));
        stream.group_by(["key"]).window(window).agg([
            len().alias("n"),
            col("x").sum(),
            col("x").mean().alias("mean"),
            col("x").max().alias("most"),
        ])
    };
    let tumbling = query(Tumbling::of(seconds(10)).into())?;
    for rows in [5_000, 50_000, 500_000] {
        let cut = batches(&frame, rows);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (counted, cost) = measure(|| counted(&tumbling, &cut));
            let (by_hand, hand_cost) = measure(|| by_hand::run(&cut));
            // Both have to have counted the same before their times are worth anything.
            assert_eq!(counted?, by_hand?);
            ours.push(cost);
            theirs.push(hand_cost);
        }
        let (our_rate, their_rate) = (best(&ours, events.count), best(&theirs, events.count));
        println!(
            "tumbling 10 s, batches of {rows:>7}: operator {our_rate:>5.1} (grew {}), by hand {their_rate:>5.1} (grew {}), ratio {:.2}",
            grown(&ours),
            grown(&theirs),
            our_rate / their_rate
        );
    }
    let others: [(&str, WindowSpec); 2] = [
        (
            "hopping 30 s by 7 s",
            Hopping::of(seconds(30)).every(seconds(7)).into(),
        ),
        (
            "sessions, gap 0.4 s",
            Session::gap(std::time::Duration::from_millis(400)).into(),
        ),
    ];
    for (name, window) in others {
        let query = query(window)?;
        for rows in [5_000, 50_000, 500_000] {
            let cut = batches(&frame, rows);
            let (counted, cost) = measure(|| counted(&query, &cut));
            let rate = best(std::slice::from_ref(&cost), events.count);
            println!(
                "{name}, batches of {rows:>7}: operator {rate:>5.1}, {} rows",
                counted?.0
            );
        }
    }
    Ok(())
}

/// Returns the number of final rows, and the sum of their counts.
fn counted(query: &Query, batches: &[DataFrame]) -> headwater_streams::Result<(usize, i64)> {
    let (mut rows, mut counted) = (0, 0);
    // The loop by hand has no last batch without rows either.
    for run in query.run_batches(batches)?.iter().take(batches.len()) {
        rows += run.rows.height();
        counted += run.rows.column("n")?.i64()?.sum().unwrap_or(0);
    }
    Ok((rows, counted))
}

fn best(costs: &[Cost], events: i64) -> f64 {
    let least = costs.iter().map(|cost| cost.cpu_seconds);
    events as f64 / least.fold(f64::INFINITY, f64::min) / 1e6
}

fn grown(costs: &[Cost]) -> String {
    let most = costs.iter().filter_map(|cost| cost.grown_bytes).max();
    most.map_or("unknown".into(), |bytes| format!("{} MB", bytes >> 20))
}
