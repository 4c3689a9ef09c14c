//! What depends on the whole process, each in a process of its own: the kernel's control channel,
//! the environment, an interrupt.

use headwater_broker::control::{self, ControlClient, ControlServer};
use headwater_streams::prelude::*;
use headwater_streams::{REPLAY_SECONDS_ENV, interrupt};
use polars::prelude::*;

use crate::{assert_says, times, topic, until};

/// Runs the ignored test `name` of this binary as a process of its own, under these variables.
fn run(name: &str, variables: &[(&str, &str)]) {
    let mut cell = std::process::Command::new(std::env::current_exe().unwrap());
    cell.args(["--ignored", "--exact", name])
        .envs(variables.iter().copied());
    let output = cell.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

fn an_hour() -> DataFrame {
    let at = times(
        "at",
        &[
            Some("2013-02-08 10:00:00"),
            Some("2013-02-08 10:00:01"),
            Some("2013-02-08 11:00:00"),
        ],
    );
    DataFrame::new(3, vec![at]).unwrap()
}

#[test]
fn under_a_kernel_the_topics_live_with_the_kernel() {
    let kernel = ControlServer::start().unwrap();
    run(
        "cells::cell_that_sends_and_ends",
        &[(control::ENV, &kernel.place())],
    );
    let mut client = ControlClient::connect(&kernel.place()).unwrap();
    let topics = client.describe("default").unwrap().topics;
    assert_eq!(
        topics
            .iter()
            .map(|topic| topic.name.as_str())
            .collect::<Vec<_>>(),
        ["kept"]
    );
    run(
        "cells::cell_that_finds_the_topic",
        &[(control::ENV, &kernel.place())],
    );
    assert!(
        client.describe("default").unwrap().topics.is_empty(),
        "reset goes to the kernel too"
    );
}

#[test]
#[ignore = "a cell of under_a_kernel_the_topics_live_with_the_kernel"]
fn cell_that_sends_and_ends() {
    topic("kept", 2).send("k", "{}").unwrap();
}

#[test]
#[ignore = "a cell of under_a_kernel_the_topics_live_with_the_kernel"]
fn cell_that_finds_the_topic() {
    assert_eq!(topic("kept", 2).records().unwrap(), 1);
    let cluster = Cluster::open().unwrap();
    assert!(
        cluster
            .describe()
            .unwrap()
            .to_string()
            .contains("kept by the kernel")
    );
    cluster.reset().unwrap();
    assert_eq!(cluster.topics().unwrap().height(), 0);
    // The same names work at once after a reset, for reading and for sending.
    let again = topic("kept", 2);
    again.send("k", "{}").unwrap();
    assert_eq!(again.read(Earliest).unwrap().height(), 1);
    cluster.reset().unwrap();
}

#[test]
fn a_kernel_that_is_gone_is_said() {
    let kernel = ControlServer::start().unwrap();
    let place = kernel.place();
    drop(kernel);
    run("cells::cell_without_its_kernel", &[(control::ENV, &place)]);
}

#[test]
#[ignore = "a cell of a_kernel_that_is_gone_is_said"]
fn cell_without_its_kernel() {
    let error = Cluster::embedded().unwrap_err();
    assert!(error.is_unreachable());
    assert_says(
        &error,
        &[
            "the kernel does not answer about its embedded broker",
            "have: HEADWATER_CONTROL=",
            "try:  restart the kernel",
        ],
    );
}

#[test]
fn the_build_makes_long_replays_faster() {
    run(
        "cells::cell_with_a_long_replay",
        &[(REPLAY_SECONDS_ENV, "0.5")],
    );
}

#[test]
#[ignore = "a cell of the_build_makes_long_replays_faster"]
fn cell_with_a_long_replay() {
    let replay = Replay::frame(&an_hour())
        .event_time("at")
        .speed(1.0)
        .start(&topic("long", 1))
        .unwrap();
    replay.wait().unwrap();
    let line = format!("{replay:?}");
    assert!(
        line.contains("1 s = 2 h (asked for 1 s = 1 s; HEADWATER_REPLAY_SECONDS sets a limit)"),
        "{line}"
    );
}

#[test]
fn an_interrupt_stops_what_runs_and_keeps_the_session() {
    run("cells::cell_that_is_interrupted", &[]);
}

#[test]
#[ignore = "a cell of an_interrupt_stops_what_runs_and_keeps_the_session"]
fn cell_that_is_interrupted() {
    let topic = topic("stopped", 1);
    let query = topic
        .stream()
        .watermark("at", seconds(1))
        .window(Tumbling::of(minutes(1)))
        .agg([len().alias("n")])
        .unwrap();
    let live = query
        .chart(Chart::bar("window_start", "n"))
        .start()
        .unwrap();
    let replay = Replay::frame(&an_hour())
        .event_time("at")
        .speed(1.0)
        .start(&topic)
        .unwrap();
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| live.wait_for(&replay));
        until("two rows", || replay.progress().sent == 2);
        interrupt::raise();
        waiting.join().unwrap()
    });
    assert!(waiting.unwrap_err().is_interrupted());
    until("the end of both", || {
        replay.has_ended() && !live.is_running()
    });
    assert!(topic.read(Earliest).unwrap_err().is_interrupted());
    // The next cell begins: everything is still there.
    interrupt::clear();
    assert_eq!(topic.read(Earliest).unwrap().height(), 2);
    live.stop().unwrap();
    replay.stop().unwrap();
}
