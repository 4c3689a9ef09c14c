//! Generated data: same seed same bytes, and every fault is in the rows as the truth says.

use headwater_course::Generated;
use headwater_course::learner::{Learner, learner};
use headwater_streams::prelude::*;
use polars::prelude::*;
use polars_io::SerWriter;
use polars_io::csv::write::CsvWriter;
use sha2::{Digest, Sha256};

fn digest(data: &Generated, tables: &[&str]) -> String {
    let mut bytes = Vec::new();
    let frames = tables.iter().map(|name| data.table(name).expect("a table"));
    for frame in frames.chain([data.truth()]) {
        CsvWriter::new(&mut bytes)
            .finish(&mut frame.clone())
            .expect("written");
    }
    let digest = Sha256::digest(&bytes);
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

const ORDERS: [&str; 5] = [
    "orders",
    "payments",
    "shipments",
    "customers",
    "order_lines",
];

#[test]
fn same_seed_gives_the_same_bytes_as_ever() {
    let of = |seed| {
        [
            digest(
                &Generated::telemetry_seeded(seed).expect("it"),
                &["telemetry"],
            ),
            digest(&Generated::gauges_seeded(seed).expect("it"), &["gauges"]),
            digest(
                &Generated::clicks_seeded(seed).expect("it"),
                &["clicks", "sessions"],
            ),
            digest(&Generated::orders_seeded(seed).expect("it"), &ORDERS),
        ]
    };
    assert_eq!(
        of(1),
        [
            "f100f583f0f1a86b",
            "ff55a5a43ee548b7",
            "0daafac3fc0452df",
            "05abb24e2295dddd"
        ]
    );
    assert!(of(1).iter().zip(&of(2)).all(|(one, two)| one != two));
}

#[test]
fn each_learner_has_a_seed_of_their_own() {
    let (ada, bob) = (Learner::of("ada"), Learner::of("bob"));
    assert_ne!(ada.seed("gauges"), bob.seed("gauges"));
    assert_ne!(ada.seed("gauges"), ada.seed("clicks"));
    let before = Learner::current();
    learner("ada");
    let made = Generated::gauges().expect("it").seed();
    learner(before.code());
    assert_eq!(made, ada.seed("gauges"));
}

fn count(frame: &DataFrame, predicate: Expr) -> usize {
    let rows = frame.clone().lazy().filter(predicate).collect();
    rows.expect("a filter").height()
}

/// Returns start and end of the faults of a kind, with their subjects.
fn faults(data: &Generated, kind: &str) -> Vec<(String, i64, i64, i64)> {
    let rows = data
        .truth()
        .clone()
        .lazy()
        .filter(col("fault").eq(lit(kind.to_owned())))
        .with_columns([col("start").to_physical(), col("end").to_physical()])
        .collect()
        .expect("a filter");
    let texts = rows
        .column("subject")
        .expect("it")
        .str()
        .expect("text")
        .clone();
    let number = |name: &str| rows.column(name).expect("it").i64().expect("i64").clone();
    let (start, end, count) = (number("start"), number("end"), number("rows"));
    (0..rows.height())
        .map(|row| {
            (
                texts.get(row).expect("it").to_owned(),
                start.get(row).expect("it"),
                end.get(row).expect("it"),
                count.get(row).expect("it"),
            )
        })
        .collect()
}

/// Returns mean and 99th percentile of a service's latency between two times.
fn latency(rows: &DataFrame, service: &str, from: i64, to: i64) -> (usize, f64, f64) {
    let at = || col("event_time").to_physical();
    let part = rows
        .clone()
        .lazy()
        .filter(
            col("service")
                .eq(lit(service.to_owned()))
                .and(at().gt_eq(lit(from)))
                .and(at().lt(lit(to))),
        )
        .collect()
        .expect("a filter");
    let values = part
        .column("latency_ms")
        .expect("it")
        .f64()
        .expect("f64")
        .clone();
    let p99 = values.quantile(0.99, QuantileMethod::Nearest).expect("it");
    (
        part.height(),
        values.mean().unwrap_or(0.0),
        p99.unwrap_or(0.0),
    )
}

#[test]
fn telemetry_has_the_changes_of_its_truth() {
    for seed in [1, 2, 3, 4] {
        let data = Generated::telemetry_seeded(seed).expect("it");
        let rows = data.rows();
        let ratio = |kind: &str| -> Vec<(f64, f64)> {
            let found = faults(&data, kind)
                .into_iter()
                .map(|(service, from, to, _)| {
                    let length = to - from;
                    let during = latency(rows, &service, from, to);
                    let before = latency(rows, &service, from - length, from);
                    (during.1 / before.1, during.2 / before.2)
                });
            found.collect()
        };
        let steps = ratio("step");
        assert_eq!(steps.len(), 2);
        assert!(
            steps.iter().all(|(mean, _)| (1.5..2.2).contains(mean)),
            "{seed}: {steps:?}"
        );
        assert!(ratio("spike")[0].0 > 5.0, "{seed}");
        let (mean, p99) = ratio("tail")[0];
        assert!((0.9..1.1).contains(&mean), "{seed}: mean {mean}");
        assert!((2.5..4.0).contains(&p99), "{seed}: p99 {p99}");
        let (service, from, to, lost) = faults(&data, "gap").remove(0);
        assert_eq!(
            (latency(rows, &service, from, to).0, lost),
            (0, 720),
            "{seed}"
        );
        let (service, _, to, _) = faults(&data, "drift").remove(0);
        let slow = latency(rows, &service, to - 600_000_000, to).1;
        let after = latency(rows, &service, to, to + 600_000_000).1;
        assert!(
            (1.6..2.2).contains(&(slow / after)),
            "{seed}: drift {}",
            slow / after
        );
        assert_eq!(rows.height(), 4 * 86_400 - 720);
    }
}

#[test]
fn gauges_are_late_doubled_silent_and_skewed_as_their_truth_says() {
    let data = Generated::gauges_seeded(5).expect("it");
    let rows = data.rows();
    let late_s = (col("arrival_time") - col("event_time"))
        .dt()
        .total_milliseconds(false);
    let (_, from, to, held) = faults(&data, "silence").remove(0);
    assert_eq!(held, 180);
    let at = || col("event_time").to_physical();
    let is_held = || {
        col("gauge")
            .eq(lit("G07"))
            .and(at().gt_eq(lit(from)))
            .and(at().lt(lit(to)))
    };
    assert!(count(rows, is_held()) as i64 >= held);
    let end = count(
        rows,
        is_held().and(col("arrival_time").to_physical().lt(lit(to))),
    );
    assert_eq!(end, 0, "nothing of the silence arrives before its end");
    // One of a hundred is later than a minute, besides the silent gauge and the skewed clock.
    let very = late_s.gt(lit(60_000));
    let usual = col("gauge")
        .neq(lit("G07"))
        .and(col("gauge").neq(lit("G13")));
    let share = count(rows, very.and(usual)) as f64 / rows.height() as f64;
    assert!((0.006..0.013).contains(&share), "{share}");
    let distinct = rows
        .column("event_id")
        .expect("it")
        .n_unique()
        .expect("a count");
    let doubled = faults(&data, "duplicate").len();
    assert_eq!((distinct, distinct + doubled), (17_280, rows.height()));
    assert_eq!(faults(&data, "surge").len(), 3);
    let ahead = count(
        rows,
        col("gauge")
            .eq(lit("G13"))
            .and(col("event_time").gt(col("arrival_time"))),
    );
    assert!(ahead > 600, "{ahead} readings from the future");
}

#[test]
fn clicks_make_the_sessions_of_the_answer_by_the_windows_of_the_engine() {
    let data = Generated::clicks_seeded(3).expect("it");
    let topic = Cluster::embedded()
        .and_then(|cluster| cluster.topic("generated-clicks", partitions(1)))
        .expect("a topic");
    let query = topic
        .stream()
        .watermark("event_time", hours(12))
        .group_by(["user"])
        .window(Session::gap(seconds(30)))
        .agg([len().alias("clicks")])
        .expect("a query");
    let sessions = query.run_local(data.rows()).expect("an answer");
    let expected = data.table("sessions").expect("it");
    let in_order = |frame: &DataFrame, first: &str| {
        let sorted = frame.sort(["user", first], SortMultipleOptions::default());
        let clicks = sorted
            .expect("sorted")
            .column("clicks")
            .expect("it")
            .clone();
        clicks
            .cast(&DataType::Int64)
            .expect("numbers")
            .i64()
            .expect("i64")
            .to_vec()
    };
    assert_eq!(
        in_order(&sessions, "window_start"),
        in_order(expected, "first_click")
    );
    let (near, bridges) = (faults(&data, "near the gap"), faults(&data, "late bridge"));
    assert!((20..80).contains(&near.len()) && (5..50).contains(&bridges.len()));
    // Who never waits for the bridges has more sessions than there are.
    let users = data
        .rows()
        .column("user")
        .expect("it")
        .n_unique()
        .expect("a count");
    assert!(users > 200, "{users}");
}

#[test]
fn orders_lack_double_and_precede_payments_as_their_truth_says() {
    let data = Generated::orders_seeded(9).expect("it");
    let (orders, payments) = (data.rows(), data.table("payments").expect("it"));
    let joined = orders
        .clone()
        .lazy()
        .join(
            payments.clone().lazy().select([
                col("order_id"),
                col("payment_id"),
                col("arrival_time").alias("paid_at"),
            ]),
            [col("order_id")],
            [col("order_id")],
            JoinArgs::new(JoinType::Left),
        )
        .collect()
        .expect("a join");
    let never = faults(&data, "payment never comes").len();
    let doubled = faults(&data, "payment doubled").len();
    let before = faults(&data, "payment before order").len();
    assert_eq!(count(&joined, col("payment_id").is_null()), never);
    assert_eq!(joined.height(), 2_000 + doubled);
    assert_eq!(
        count(&joined, col("paid_at").lt(col("arrival_time"))),
        before
    );
    assert!((20..60).contains(&never) && (8..40).contains(&doubled) && (35..90).contains(&before));
    let lines = data.table("order_lines").expect("it");
    let texts = lines
        .column("text")
        .expect("it")
        .str()
        .expect("text")
        .clone();
    let broken = texts.iter().flatten().filter(|text| {
        let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
        !value.is_some_and(|value| {
            value["amount_cents"]
                .as_i64()
                .is_some_and(|cents| cents > 0)
        })
    });
    assert_eq!((broken.count(), faults(&data, "malformed").len()), (5, 5));
    let (changer, at, ..) = faults(&data, "tier changes").remove(0);
    let tiers = count(
        data.table("customers").expect("it"),
        col("customer_id")
            .eq(lit(changer))
            .and(col("event_time").to_physical().eq(lit(at))),
    );
    assert_eq!(tiers, 1);
}

#[test]
fn generated_rows_replay_into_a_topic_by_arrival() {
    let data = Generated::gauges_seeded(1).expect("it");
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster
        .topic("generated-gauges", partitions(2))
        .expect("a topic");
    topic.clear().expect("empty");
    let replay = data
        .replay()
        .expect("it")
        .at_once()
        .start(&topic)
        .expect("a replay");
    replay.wait().expect("sent");
    assert_eq!(topic.records().expect("a count"), 17_366);
}

#[test]
fn unknown_table_and_answer_are_named() {
    let data = Generated::clicks_seeded(1).expect("it");
    let error = data
        .table("session")
        .expect_err("no such table")
        .to_string();
    assert!(
        error.contains("clicks, sessions") && error.contains(".table(\"clicks\")?"),
        "{error}"
    );
    let error = data
        .replay_table("sessions")
        .err()
        .expect("an answer")
        .to_string();
    assert!(
        error.contains("never arrives") && error.contains(".replay()"),
        "{error}"
    );
}
