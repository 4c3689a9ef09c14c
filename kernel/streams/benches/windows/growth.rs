//! How the cost grows with the number of keys, with the open windows and with late events; drawn
//! by the library's own charts into `assets/`.

use std::path::Path;

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::events::{Events, STANDARD, batches};
use crate::meter::measure;

const ROWS: usize = 50_000;

pub fn run(cluster: &Cluster, is_short: bool) -> headwater_streams::Result<()> {
    let count = if is_short { 200_000 } else { 2_000_000 };
    let topic = cluster.topic("bench-growth", partitions(1))?;
    let standard = Events { count, ..STANDARD };
    let cost = |events: Events, window: Tumbling, delay| -> headwater_streams::Result<Point> {
        let stream = topic.stream().watermark("at", delay);
        let query = stream.group_by(["key"]).window(window).agg([
            len().alias("n"),
            col("x").sum(),
            col("x").mean().alias("mean"),
            col("x").max().alias("most"),
        ])?;
        let cut = batches(&events.frame()?, ROWS);
        let (runs, cost) = measure(|| query.run_batches(&cut));
        let runs = runs?;
        Ok(Point {
            rate: count as f64 / cost.cpu_seconds / 1e6,
            groups: runs.iter().map(|run| run.state_rows).max().unwrap_or(0),
            late: runs.iter().map(|run| run.late.height()).sum(),
        })
    };
    let ten = || Tumbling::of(seconds(10));
    let mut keys = Vec::new();
    for count in [10, 100, 1_000, 10_000, 100_000, 1_000_000] {
        let events = Events {
            keys: count,
            ..standard
        };
        keys.push((grouped(count), cost(events, ten(), seconds(10))?));
    }
    draw("keys", "number of keys", &keys)?;
    let mut windows = Vec::new();
    // 10,000 events a second: so many windows of so many milliseconds stay open.
    for (open, size_ms) in [
        (1, 100_000),
        (10, 10_000),
        (100, 1_000),
        (1_000, 100),
        (10_000, 10),
    ] {
        let window = Tumbling::of(std::time::Duration::from_millis(size_ms));
        let events = Events {
            keys: 10,
            ..standard
        };
        windows.push((grouped(open), cost(events, window, seconds(100))?));
    }
    draw("windows", "number of open windows (10 keys)", &windows)?;
    let mut late = Vec::new();
    for percent in [0, 1, 5, 10, 20] {
        let events = Events {
            late_permille: percent * 10,
            ..standard
        };
        late.push((format!("{percent} %"), cost(events, ten(), seconds(10))?));
    }
    draw("late", "share of events that come 30 s late", &late)
}

struct Point {
    /// Millions of events a CPU-second.
    rate: f64,
    /// The most groups in the state.
    groups: usize,
    late: usize,
}

fn draw(name: &str, title: &str, points: &[(String, Point)]) -> headwater_streams::Result<()> {
    println!("{title:<36} M events a CPU-second   most groups   late rows");
    for (x, point) in points {
        println!(
            "{x:>28} {:>23.1} {:>13} {:>11}",
            point.rate, point.groups, point.late
        );
    }
    let frame = df!(
        name => points.iter().map(|(x, _)| x.as_str()).collect::<Vec<_>>(),
        "rate" => points.iter().map(|(_, point)| point.rate).collect::<Vec<_>>(),
    )?;
    let picture = Chart::bar(name, "rate")
        .title(&format!("Speed by {title}"))
        .x(title)
        .y("M events a CPU-second")
        .size(560, 320)
        .draw(&frame)?;
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    picture.save(assets.join(format!("growth-{name}.svg")))
}

fn grouped(n: i64) -> String {
    match n {
        1_000_000.. => format!("{} M", n / 1_000_000),
        1_000.. => format!("{} k", n / 1_000),
        _ => n.to_string(),
    }
}
