use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, times, topic, until};

/// A storm day: delays of many hours, so a watermark of ten minutes makes rows late.
fn storm() -> Replay {
    Replay::dataset("flights")
        .unwrap()
        .event_time("sched_dep")
        .arrival("actual_dep")
        .between("2013-02-08", "2013-02-10")
        .key("origin")
}

fn per_half_hour(topic: &Topic) -> Query {
    let stream = topic
        .stream()
        .watermark("sched_dep", minutes(10))
        .group_by(["origin"])
        .window(Tumbling::of(minutes(30)));
    stream.agg([len().alias("flights")]).unwrap()
}

fn chart() -> Chart {
    Chart::line("window_start", "flights").by("origin")
}

/// Returns (window, origin, flights) of every row.
fn counts(frame: &DataFrame) -> Vec<(i64, String, i64)> {
    let starts = frame
        .column("window_start")
        .unwrap()
        .cast(&DataType::Int64)
        .unwrap();
    let column = |name: &str| frame.column(name).unwrap().clone();
    let (origins, flights) = (column("origin"), column("flights"));
    let row = |row: usize| {
        (
            starts.i64().unwrap().get(row).unwrap(),
            origins.str().unwrap().get(row).unwrap().to_owned(),
            flights.i64().unwrap().get(row).unwrap(),
        )
    };
    (0..frame.height()).map(row).collect()
}

#[test]
fn a_live_run_equals_the_local_run_without_late_rows_and_open_windows() {
    let topic = topic("live", 3);
    let query = per_half_hour(&topic);
    let live = query.chart(chart()).start().unwrap();
    // Two days in two seconds, so that there are many micro-batches and rows come late.
    let replay = storm().speed(86_400.0).start(&topic).unwrap();
    live.wait_for(&replay).unwrap();
    let (closed, open, late) = (
        live.frame().unwrap(),
        live.open_windows().unwrap(),
        live.late().unwrap(),
    );
    live.stop().unwrap();
    crate::charts::keep(&live.picture(), "live");
    assert!(
        late.height() > 0 && open.height() > 0 && closed.height() > 0,
        "{late} {open} {closed}"
    );

    let mut expected: std::collections::BTreeMap<(i64, String), i64> =
        std::collections::BTreeMap::new();
    for (start, origin, flights) in
        counts(&query.run_local(&topic.read(Earliest).unwrap()).unwrap())
    {
        expected.insert((start, origin), flights);
    }
    let starts = late
        .column("window_start")
        .unwrap()
        .cast(&DataType::Int64)
        .unwrap();
    for row in 0..late.height() {
        let key = (
            starts.i64().unwrap().get(row).unwrap(),
            late.column("origin")
                .unwrap()
                .str()
                .unwrap()
                .get(row)
                .unwrap()
                .to_owned(),
        );
        *expected.get_mut(&key).unwrap() -= 1;
    }
    let mut got = counts(&closed);
    for (start, origin, flights) in counts(&open) {
        assert_eq!(
            expected.get(&(start, origin.clone())),
            Some(&flights),
            "open window of {origin}"
        );
        got.push((start, origin, flights));
    }
    got.sort();
    let expected: Vec<(i64, String, i64)> = expected
        .into_iter()
        .filter(|(_, flights)| *flights > 0)
        .map(|((start, origin), flights)| (start, origin, flights))
        .collect();
    assert_eq!(got, expected);
}

#[test]
fn a_live_run_begins_with_what_the_topic_holds() {
    let topic = topic("held", 3);
    let replay = storm().at_once().start(&topic).unwrap();
    replay.wait().unwrap();
    let live = per_half_hour(&topic)
        .output(Complete)
        .chart(chart())
        .start()
        .unwrap();
    live.until_caught_up().unwrap();
    let flights: i64 = counts(&live.frame().unwrap()).iter().map(|row| row.2).sum();
    assert_eq!(flights as usize, replay.progress().sent);
}

#[test]
fn wait_waits_for_the_replays_of_this_process() {
    let topic = topic("waited", 3);
    let live = per_half_hour(&topic)
        .output(Update)
        .chart(chart())
        .start()
        .unwrap();
    let replay = storm().speed(200_000.0).start(&topic).unwrap();
    live.wait().unwrap();
    assert!(replay.has_ended());
    let late = live.late().unwrap().height();
    let flights: i64 = counts(&live.frame().unwrap()).iter().map(|row| row.2).sum();
    assert_eq!(flights as usize + late, replay.progress().sent);
    assert!(live.is_running());
}

#[test]
fn a_live_run_that_shows_nothing_says_why() {
    let topic = topic("why", 1);
    let stream = topic
        .stream()
        .watermark("at", seconds(10))
        .window(Tumbling::of(minutes(1)));
    let live = stream
        .agg([len().alias("n")])
        .unwrap()
        .chart(Chart::bar("window_start", "n"))
        .start()
        .unwrap();
    assert_eq!(
        live.why_silent(),
        "no record yet in topic why: start a replay, or .send(..) one"
    );
    let at = times(
        "at",
        &[Some("2013-02-08 10:00:30"), Some("2013-02-08 10:00:40")],
    );
    topic
        .produce(&DataFrame::new(2, vec![at]).unwrap())
        .unwrap();
    live.until_caught_up().unwrap();
    assert_eq!(
        live.why_silent(),
        "window 2013-02-08 10:00:00 open, watermark 10:00:30, needs an event from 10:01:10 on"
    );
    assert_eq!(live.frame().unwrap().height(), 0);
    let at = times("at", &[Some("2013-02-08 10:01:10")]);
    topic
        .produce(&DataFrame::new(1, vec![at]).unwrap())
        .unwrap();
    live.until_caught_up().unwrap();
    assert_eq!(
        live.frame()
            .unwrap()
            .column("n")
            .unwrap()
            .i64()
            .unwrap()
            .get(0),
        Some(2)
    );
}

#[test]
fn records_that_are_no_rows_are_counted_and_do_not_stop_it() {
    let topic = topic("rejects", 1);
    let stream = topic
        .stream()
        .watermark("at", seconds(10))
        .window(Tumbling::of(minutes(1)));
    let live = stream
        .agg([len().alias("n")])
        .unwrap()
        .output(Update)
        .chart(Chart::bar("window_start", "n"))
        .start()
        .unwrap();
    topic.send("k", r#"{"at":"2013-02-08T10:00:00Z"}"#).unwrap();
    topic.send("k", "nonsense").unwrap_err();
    topic.send("k", "[1]").unwrap();
    topic.send("k", r#"{"at":"2013-02-08T10:00:01Z"}"#).unwrap();
    live.until_caught_up().unwrap();
    let rejected = live.rejected().unwrap();
    let cell = |name: &str| {
        rejected
            .column(name)
            .unwrap()
            .str()
            .unwrap()
            .get(0)
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (
            rejected.height(),
            cell("record").as_str(),
            cell("bytes").as_str()
        ),
        (1, "partition 0 offset 1", "[1]")
    );
    assert!(cell("reason").contains("not a JSON object"));
    assert_eq!(
        live.frame()
            .unwrap()
            .column("n")
            .unwrap()
            .i64()
            .unwrap()
            .get(0),
        Some(2)
    );
}

#[test]
fn a_column_that_the_records_lack_stops_the_start() {
    let topic = topic("lacking", 1);
    topic
        .send("k", r#"{"at":"2013-02-08T10:00:00Z","level_cm":3}"#)
        .unwrap();
    let query = topic
        .stream()
        .watermark("at", seconds(10))
        .group_by(["guage"])
        .window(Tumbling::of(minutes(1)))
        .agg([len().alias("n")])
        .unwrap();
    let error = query
        .chart(Chart::bar("window_start", "n"))
        .start()
        .unwrap_err();
    assert_says(
        &error,
        &["no column `guage` in topic lacking", "level_cm (i64)"],
    );
}

#[test]
fn a_column_that_the_records_lack_ends_a_running_query_with_the_reason() {
    let topic = topic("lackinglater", 1);
    let query = topic
        .stream()
        .watermark("att", seconds(10))
        .window(Tumbling::of(minutes(1)))
        .agg([len().alias("n")])
        .unwrap();
    let live = query
        .chart(Chart::bar("window_start", "n"))
        .start()
        .unwrap();
    topic.send("k", r#"{"at":"2013-02-08T10:00:00Z"}"#).unwrap();
    until("the end of the query", || !live.is_running());
    let error = live.wait().unwrap_err();
    assert!(error.is_unknown_column());
    assert_says(
        &error,
        &["no column `att` in topic lackinglater", "try:  \"at\""],
    );
}

#[test]
fn a_chart_of_a_column_that_the_query_lacks_is_refused() {
    let topic = topic("chartless", 1);
    let error = per_half_hour(&topic)
        .chart(Chart::line("window_start", "flight"))
        .start()
        .unwrap_err();
    assert_says(
        &error,
        &[
            "asks for a column `flight`",
            "have: window_start, window_end, origin, flights",
            "try:  \"flights\"",
        ],
    );
}

#[test]
fn two_clocks_are_drawn_mirrored_from_two_queries() {
    let topic = topic("mirrored", 3);
    let by = |clock: &str, name: &str| {
        let stream = topic
            .stream()
            .watermark(clock, hours(6))
            .window(Tumbling::of(minutes(30)));
        stream.agg([len().alias(name)]).unwrap()
    };
    let (event, arrival) = (by("sched_dep", "scheduled"), by("actual_dep", "departed"));
    let live = event
        .chart(Chart::bar("window_start", "scheduled").y("departures"))
        .mirror(&arrival, "departed")
        .start()
        .unwrap();
    let replay = storm().speed(200_000.0).start(&topic).unwrap();
    live.wait_for(&replay).unwrap();
    live.stop().unwrap();
    assert!(
        live.picture().text().contains("departed last"),
        "{}",
        live.picture().text()
    );
    crate::charts::keep(&live.picture(), "two_clocks");
    let other = topic_of_another_name();
    let wrong = event
        .chart(Chart::bar("window_start", "scheduled"))
        .mirror(&other, "n")
        .start()
        .unwrap_err();
    assert_says(
        &wrong,
        &["read different topics", "`mirrored` and `elsewhere`"],
    );
}

fn topic_of_another_name() -> Query {
    topic("elsewhere", 1)
        .stream()
        .watermark("at", hours(1))
        .window(Tumbling::of(minutes(30)))
        .agg([len().alias("n")])
        .unwrap()
}

#[test]
fn emptying_the_topic_starts_the_live_run_anew() {
    let topic = topic("anew", 1);
    let query = topic
        .stream()
        .watermark("at", seconds(10))
        .window(Tumbling::of(minutes(1)))
        .agg([len().alias("n")])
        .unwrap()
        .output(Complete);
    let live = query
        .chart(Chart::bar("window_start", "n"))
        .start()
        .unwrap();
    let at = |text| DataFrame::new(1, vec![times("at", &[Some(text)])]).unwrap();
    topic.produce(&at("2013-02-08 10:00:30")).unwrap();
    live.until_caught_up().unwrap();
    topic.clear().unwrap();
    topic.produce(&at("2013-02-08 12:00:30")).unwrap();
    live.until_caught_up().unwrap();
    let windows = live.frame().unwrap();
    assert_eq!(windows.height(), 1);
    assert_eq!(
        windows
            .column("window_start")
            .unwrap()
            .get(0)
            .unwrap()
            .to_string(),
        "2013-02-08 12:00:00 UTC"
    );
}

#[test]
fn stopping_or_dropping_a_live_run_ends_its_thread() {
    let topic = topic("threads", 1);
    let start = || per_half_hour(&topic).chart(chart()).start().unwrap();
    let live = start();
    live.stop().unwrap();
    assert!(!live.is_running());
    live.stop().unwrap();
    // Running the cell again: the first handle drops when the second one takes its name.
    let mut again = start();
    assert!(again.is_running());
    again = start();
    assert!(again.is_running());
}
