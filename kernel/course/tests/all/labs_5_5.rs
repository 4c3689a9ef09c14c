//! The demos of lesson 5.5: detectors on generated and real data, the honest chart, metrics.

use headwater_course::Generated;
use headwater_course::lesson_5_5::{
    DetectorBoard, HonestChart, LabService, Metrics, PlantedRide, scrape,
};
use headwater_streams::prelude::*;
use polars::prelude::*;

fn windows(telemetry: &Generated) -> DataFrame {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster
        .topic("lab-telemetry", partitions(1))
        .expect("a topic");
    let query = topic
        .stream()
        .watermark("event_time", seconds(30))
        .group_by(["service"])
        .window(Tumbling::of(seconds(10)))
        .agg([approx_quantile("latency_ms", 0.5).alias("p50_ms")])
        .expect("a query");
    query.run_local(telemetry.rows()).expect("windows")
}

/// Returns a column of the scores as numbers, in the order of the detectors.
fn scores(board: &DetectorBoard, name: &str) -> Vec<f64> {
    let scores = board.scores().expect("scores");
    let column = scores
        .column(name)
        .expect("it")
        .cast(&DataType::Float64)
        .expect("numbers");
    column
        .f64()
        .expect("f64")
        .iter()
        .map(|value| value.unwrap_or(f64::NAN))
        .collect()
}

#[test]
fn published_z_finds_nothing_and_cusum_both_steps_on_every_seed() {
    for seed in [1, 2, 3] {
        let telemetry = Generated::telemetry_seeded(seed).expect("it");
        let board = DetectorBoard::new(telemetry.truth(), "service", "p50_ms").expect("a board");
        board.push(&windows(&telemetry)).expect("pushed");
        let found = scores(&board, "found");
        assert_eq!(scores(&board, "faults"), [4.0; 5]);
        assert_eq!(
            (found[0], found[4]),
            (0.0, 0.0),
            "the published one and the silent one"
        );
        let delays = board.delays().expect("delays");
        let steps = delays
            .lazy()
            .filter(col("fault").eq(lit("step")))
            .collect()
            .expect("steps");
        let cusum = steps
            .column("CUSUM")
            .expect("it")
            .f64()
            .expect("f64")
            .clone();
        assert!(
            cusum
                .iter()
                .all(|delay| delay.is_some_and(|delay| delay <= 60.0)),
            "{seed}: {steps:?}"
        );
        assert!(found[2] >= 1.0 && found[3] >= 3.0, "{seed}: {found:?}");
        // Of four services together: less than one in an hour.
        assert!(
            scores(&board, "false_alarms_a_day")[3] < 24.0 * 4.0,
            "{seed}"
        );
        let accuracy = scores(&board, "accuracy");
        assert!(
            accuracy[4] > 0.8,
            "who says nothing is right most of the time: {accuracy:?}"
        );
    }
}

#[test]
fn windows_in_parts_give_the_same_scores_as_at_once() {
    let telemetry = Generated::telemetry_seeded(4).expect("it");
    let all = windows(&telemetry);
    let boards = [1, 7].map(|parts| {
        let board = DetectorBoard::new(telemetry.truth(), "service", "p50_ms").expect("a board");
        let sorted = all
            .sort(["window_start"], SortMultipleOptions::default())
            .expect("sorted");
        let size = sorted.height().div_ceil(parts);
        for part in 0..parts {
            board
                .push(&sorted.slice((part * size) as i64, size))
                .expect("pushed");
        }
        board.scores().expect("scores")
    });
    assert!(boards[0].equals_missing(&boards[1]), "{boards:?}");
}

#[test]
fn ride_finds_more_to_ring_about_than_there_is() {
    let ride = PlantedRide::open().expect("the ride");
    assert_eq!(ride.truth().height(), 2);
    let board = DetectorBoard::new(ride.truth(), "service", "power_w").expect("a board");
    board.push(ride.windows()).expect("pushed");
    assert_eq!(scores(&board, "faults")[3], 2.0);
    assert!(
        board
            .drawing()
            .text()
            .contains("truth: step in ride from 00:45 to 00:55")
    );
}

#[test]
fn board_names_a_column_that_is_not_there() {
    let telemetry = Generated::telemetry_seeded(4).expect("it");
    let board = DetectorBoard::new(telemetry.truth(), "service", "p99_ms").expect("a board");
    let error = board
        .push(&windows(&telemetry))
        .expect_err("no p99")
        .to_string();
    assert!(
        error.contains("no column `p99_ms`") && error.contains("p50_ms"),
        "{error}"
    );
    assert!(DetectorBoard::new(telemetry.rows(), "service", "p50_ms").is_err());
}

#[test]
fn honest_chart_leaves_the_gap_open_until_the_backfill_and_the_naive_one_shows_nought() {
    for seed in [1, 2, 3] {
        let gauges = Generated::gauges_seeded(seed).expect("it");
        let chart = HonestChart::of(&gauges, "G07").expect("G07");
        let words = |minute| chart.at(minute).text().to_owned();
        let count = |text: &str, what: &str| -> i64 {
            let (before, _) = text
                .split_once(what)
                .unwrap_or_else(|| panic!("{what}: {text}"));
            before
                .rsplit([' ', ';'])
                .find(|word| !word.is_empty())
                .expect("a number")
                .parse()
                .expect("a number")
        };
        // The silence begins between minutes 15 and 30 and lasts fifteen.
        let gaps = (16..48).map(|minute| count(&words(minute), " without a reading"));
        let most = gaps.max().unwrap_or(0);
        assert!(
            (10..16).contains(&most),
            "{seed}: {most} minutes without a reading"
        );
        let end = words(62);
        assert!(count(&end, " without a reading") <= 1, "{seed}: {end}");
        assert!(count(&end, " backfilled") >= 12, "{seed}: {end}");
        let naive = chart.clone().naive().at(62);
        assert!(
            count(naive.text(), " minutes at 0 cm") >= 13,
            "{seed}: {}",
            naive.text()
        );
    }
}

#[test]
fn late_readings_correct_minutes_that_were_final() {
    let gauges = Generated::gauges_seeded(1).expect("it");
    let corrected = (1..=24).filter(|gauge| {
        let chart = HonestChart::of(&gauges, &format!("G{gauge:02}")).expect("a gauge");
        !chart.at(62).text().contains(" 0 corrected")
    });
    assert!(corrected.count() >= 12);
    let error = HonestChart::of(&gauges, "G25")
        .expect_err("24 gauges")
        .to_string();
    assert!(
        error.contains("G01, G02") && error.contains("HonestChart::of"),
        "{error}"
    );
}

#[test]
fn scrape_reads_what_was_counted_and_estimates_quantiles_within_a_bucket() {
    let metrics = Metrics::new();
    let server = metrics.serve().expect("a port");
    let before = scrape(&server.url()).expect("an answer");
    for number in 1..=1000 {
        metrics
            .count("requests_total", ("service", "cart"), 1.0)
            .expect("a counter");
        metrics
            .observe("latency_ms", ("service", "cart"), f64::from(number))
            .expect("observed");
    }
    metrics
        .set("lag_records", ("topic", "a \"b\""), 7.0)
        .expect("a gauge");
    let after = scrape(&server.url()).expect("an answer");
    assert_eq!(after.total("requests_total"), 1000.0);
    assert_eq!(after.total("latency_ms_count"), 1000.0);
    assert!(after.text().contains("# TYPE latency_ms histogram"));
    assert!(
        after
            .text()
            .contains("lag_records{topic=\"a \\\"b\\\"\"} 7")
    );
    assert!(after.rate_since(&before, "requests_total") > 0.0);
    assert_eq!(before.quantile("latency_ms", 0.5), None);
    let median = after.quantile("latency_ms", 0.5).expect("a median");
    assert!((385.0..=575.0).contains(&median), "{median}");
    let samples = after.samples().expect("a frame");
    assert!(samples.height() > 15);
}

#[test]
fn counter_that_began_anew_has_no_negative_rate() {
    let (old, new) = (Metrics::new(), Metrics::new());
    old.count("requests_total", ("service", "cart"), 500.0)
        .expect("a counter");
    new.count("requests_total", ("service", "cart"), 20.0)
        .expect("a counter");
    let [before, after] = [old, new].map(|metrics| {
        let server = metrics.serve().expect("a port");
        scrape(&server.url()).expect("an answer")
    });
    assert!(after.rate_since(&before, "requests_total") > 0.0);
}

#[test]
fn misused_metrics_and_addresses_are_named() {
    let metrics = Metrics::new();
    metrics
        .count("requests_total", ("service", "cart"), 1.0)
        .expect("a counter");
    let error = metrics
        .count("requests_total", ("service", "cart"), -1.0)
        .expect_err("down");
    assert!(error.to_string().contains("cannot go down"), "{error}");
    let error = metrics
        .set("requests_total", ("service", "cart"), 1.0)
        .expect_err("another kind");
    assert!(error.to_string().contains("is a counter"), "{error}");
    let server = metrics.serve().expect("a port");
    let error = scrape(&server.url().replace("metrics", "health")).expect_err("404");
    assert!(
        error.to_string().contains("404") && error.to_string().contains("/metrics"),
        "{error}"
    );
    let url = server.url();
    drop(server);
    let error = scrape(&url).expect_err("nobody").to_string();
    assert!(
        error.contains("nobody answers") && error.contains("serve()?"),
        "{error}"
    );
    let error = scrape("127.0.0.1").expect_err("no address").to_string();
    assert!(error.contains("server.url()"), "{error}");
}

#[test]
fn service_can_be_scraped_while_it_works() {
    let requests = df!(
        "service" => vec!["cart"; 2_000],
        "latency_ms" => (0..2_000).map(f64::from).collect::<Vec<_>>(),
    )
    .expect("rows");
    let metrics = Metrics::new();
    let server = metrics.serve().expect("a port");
    let service = LabService::start(&metrics, &requests, 10_000.0).expect("a service");
    let mut counts = Vec::new();
    while !service.has_ended() {
        service
            .wait_at_most(std::time::Duration::from_millis(20))
            .expect("no interrupt");
        counts.push(
            scrape(&server.url())
                .expect("an answer")
                .total("requests_total"),
        );
    }
    assert_eq!(counts.last(), Some(&2_000.0));
    assert!(counts.is_sorted() && counts[0] < 2_000.0, "{counts:?}");
    let error = LabService::start(&metrics, &requests, 0.0)
        .err()
        .expect("no rate")
        .to_string();
    assert!(
        error.contains("above 0") && error.contains("LabService::start"),
        "{error}"
    );
}
