//! Prints how many events a second the library takes: the window operator alone, and the way of
//! all 328,521 departed flights of 2013 into a topic, back into a frame, and through a live chart.
//!
//! `cargo bench --profile dev --bench windows`; any other profile would compile Polars again.

use std::time::Instant;

use headwater_streams::prelude::*;
use polars::prelude::*;

const EVENTS: i64 = 5_000_000;
const BATCHES: i64 = 50;

fn main() -> headwater_streams::Result<()> {
    let cluster = Cluster::embedded()?;
    window(&cluster)?;
    flights(&cluster)
}

/// Five million events, one a millisecond, 50 keys, windows of ten seconds.
fn window(cluster: &Cluster) -> headwater_streams::Result<()> {
    let topic = cluster.topic("bench-window", partitions(1))?;
    let query = topic
        .stream()
        .watermark("at", seconds(10))
        .group_by(["key"])
        .window(Tumbling::of(seconds(10)));
    let query = query.agg([
        len().alias("n"),
        col("x").sum(),
        col("x").mean().alias("mean"),
        col("x").max().alias("most"),
    ])?;
    let keys: Vec<String> = (0..50).map(|key| format!("key{key:02}")).collect();
    let frame = |from: i64, to: i64| -> headwater_streams::Result<DataFrame> {
        let at = Series::new("at".into(), (from..to).collect::<Vec<i64>>()).cast(
            &DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC)),
        )?;
        let mut frame = df!(
            "key" => (from..to).map(|event| keys[(event * 7919 % 50) as usize].as_str()).collect::<Vec<_>>(),
            "x" => (from..to).map(|event| event as f64 * 0.125).collect::<Vec<_>>(),
        )?;
        frame.with_column(at.into())?;
        Ok(frame)
    };
    let whole = frame(0, EVENTS)?;
    let began = Instant::now();
    let windows = query.run_local(&whole)?.height();
    rate(
        "run_local, 5,000,000 events",
        EVENTS,
        began,
        &format!("{windows} windows"),
    );
    let size = EVENTS / BATCHES;
    let batches: Vec<DataFrame> = (0..BATCHES)
        .map(|batch| frame(batch * size, (batch + 1) * size))
        .collect::<Result<_, _>>()?;
    let began = Instant::now();
    let runs = query.run_batches(&batches)?;
    let windows: usize = runs.iter().map(|run| run.rows.height()).sum();
    rate(
        "run_batches, 50 micro-batches of 100,000",
        EVENTS,
        began,
        &format!("{windows} windows final"),
    );
    Ok(())
}

fn flights(cluster: &Cluster) -> headwater_streams::Result<()> {
    let topic = cluster.topic("bench-flights", partitions(3))?;
    let began = Instant::now();
    let replay = Replay::dataset("flights")?
        .event_time("sched_dep")
        .arrival("actual_dep")
        .key("origin")
        .at_once();
    rate(
        "data set flights from its file",
        replay.rows().height() as i64,
        began,
        "",
    );
    let began = Instant::now();
    let run = replay.start(&topic)?;
    run.wait()?;
    let sent = run.progress().sent as i64;
    rate("replay all at once into the topic", sent, began, "");
    let began = Instant::now();
    let read = topic.read(Earliest)?;
    rate(
        "read the topic into a frame",
        read.height() as i64,
        began,
        "",
    );
    let query = topic
        .stream()
        .watermark("sched_dep", minutes(10))
        .group_by(["origin"])
        .window(Tumbling::of(hours(24)));
    let query = query.agg([
        len().alias("flights"),
        col("dep_delay").mean().alias("mean_delay_min"),
    ])?;
    let began = Instant::now();
    let live = query
        .chart(Chart::line("window_start", "mean_delay_min").by("origin"))
        .start()?;
    live.until_caught_up()?;
    live.stop()?;
    rate(
        "live chart over the whole topic",
        sent,
        began,
        &format!("{} windows", live.frame()?.height()),
    );
    Ok(())
}

fn rate(what: &str, events: i64, began: Instant, more: &str) {
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{what:<44} {seconds:>6.2} s  {:>10.0} events/s  {more}",
        events as f64 / seconds
    );
}
