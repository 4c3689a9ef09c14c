//! The way of all 328,521 departed flights of 2013: from their file into a topic, back into a
//! frame, and through a live chart.

use std::time::Instant;

use headwater_streams::prelude::*;
use polars::prelude::*;

pub fn run(cluster: &Cluster) -> headwater_streams::Result<()> {
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
