//! A run beside its oracle in plain Polars: what differs is charged, and a fault is found.

use headwater_streams::prelude::*;
use headwater_streams::{WindowSpec, collect_distinct};
use polars::prelude::*;

use crate::topic;

/// Returns batches in which some events are early, some late and some have no time.
fn log() -> Vec<DataFrame> {
    let rows = |batch: i64| {
        (0..400i64).map(move |row| (batch * 400 + row, (batch * 400 + row) * 7919 % 1000))
    };
    let at = |(row, mixed): (i64, i64)| match mixed {
        0..20 => None,
        20..40 => Some(row * 100_000 - 60_000_000),
        _ => Some(row * 100_000 - mixed * 3_000),
    };
    let frame = |batch: i64| {
        let times: Vec<Option<i64>> = rows(batch).map(at).collect();
        let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        let times = Series::new("at".into(), times).cast(&utc).unwrap();
        let x = rows(batch).map(|(_, mixed)| (mixed % 7 != 0).then_some(mixed as f64 * 0.1));
        let mut frame = df!(
            "key" => rows(batch).map(|(_, mixed)| (mixed % 5 != 4).then(|| format!("k{}", mixed % 5))).collect::<Vec<_>>(),
            "x" => x.collect::<Vec<_>>(),
            "user" => rows(batch).map(|(_, mixed)| mixed % 13).collect::<Vec<_>>(),
        )
        .unwrap();
        frame.with_column(times.into()).unwrap();
        frame
    };
    (5..13).map(frame).collect()
}

fn query(name: &str, window: WindowSpec) -> Query {
    let stream = topic(name, 1)
        .stream()
        .watermark("at", seconds(5))
        .group_by(["key"]);
    let aggregates = [
        len().alias("n"),
        col("x").sum().alias("sum"),
        col("x").mean().alias("mean"),
        col("x").max().alias("most"),
        col("x").first().alias("first"),
        col("x").std(1).alias("spread"),
        col("user").n_unique().alias("users"),
        collect_distinct("user"),
        (col("x").sum() / len() * lit(100.0)).alias("percent"),
    ];
    stream.window(window).agg(aggregates).unwrap()
}

fn whole(batches: &[DataFrame]) -> DataFrame {
    let mut whole = batches[0].clone();
    batches[1..].iter().for_each(|batch| {
        whole.vstack_mut(batch).unwrap();
    });
    whole
}

#[test]
fn every_difference_is_charged_to_late_rows_or_open_windows() {
    let windows: [(&str, WindowSpec); 3] = [
        ("tumbling", Tumbling::of(seconds(10)).into()),
        ("hopping", Hopping::of(seconds(10)).every(seconds(3)).into()),
        (
            "sessions",
            Session::gap(std::time::Duration::from_millis(700)).into(),
        ),
    ];
    for (name, window) in windows {
        for mode in [Append, Update, Complete] {
            if name == "sessions" && mode == Update {
                continue;
            }
            let query = query(&format!("audit-{name}"), window).output(mode);
            let batches = query.run_batches(&log()).unwrap();
            let audit = query.audit(&whole(&log()), &batches).unwrap();
            assert_eq!(
                audit.faults(),
                0,
                "{name}, {mode:?}: {audit}\n{}",
                audit.frame()
            );
            assert!(audit.equal() > 20, "{name}, {mode:?}: {audit}");
            assert!(
                mode == Complete || audit.count("late rows") > 0,
                "{name}, {mode:?}: {audit}"
            );
            assert_eq!(
                audit.count("open window") > 0,
                mode == Append,
                "{name}, {mode:?}: {audit}"
            );
        }
    }
}

#[test]
fn a_local_run_is_the_oracle_itself() {
    let window = Hopping::of(seconds(10)).every(seconds(3));
    let query = query("audit-local", window.into());
    let log = whole(&log());
    let (local, oracle) = (query.run_local(&log).unwrap(), query.oracle(&log).unwrap());
    assert_eq!(local.get_column_names(), oracle.get_column_names());
    for name in [
        "window_start",
        "window_end",
        "key",
        "most",
        "first",
        "users",
    ] {
        assert_eq!(
            local.column(name).unwrap(),
            oracle.column(name).unwrap(),
            "{name}"
        );
    }
}

/// A log that has one row more than the batches had: the audit says which window lacks it.
#[test]
fn a_fault_is_not_excused() {
    let query = query("audit-fault", Tumbling::of(seconds(10)).into());
    let batches = query.run_batches(&log()).unwrap();
    let mut more = whole(&log());
    let twice = more.slice(300, 1);
    more.vstack_mut(&twice).unwrap();
    let audit = query.audit(&more, &batches).unwrap();
    assert_eq!(audit.faults(), 1, "{audit}");
    let faults = audit
        .frame()
        .lazy()
        .filter(col("verdict").eq(lit("fault")))
        .collect()
        .unwrap();
    let difference = faults
        .column("difference")
        .unwrap()
        .str()
        .unwrap()
        .get(0)
        .unwrap()
        .to_owned();
    assert!(
        difference.starts_with("n: ") && difference.contains(", in the log "),
        "{difference}"
    );
}
