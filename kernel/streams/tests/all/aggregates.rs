//! Every aggregate beside Polars' own, over batches that a stream could bring.

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, topic};

/// Returns 3,000 events of two keys within two minutes, a tenth of the values null.
fn events() -> DataFrame {
    let rows = 0..3000i64;
    let at: Vec<i64> = rows
        .clone()
        .map(|row| (row * 7919 % 120_000) * 1000)
        .collect();
    let at = Series::new("at".into(), at)
        .cast(&DataType::Datetime(
            TimeUnit::Microseconds,
            Some(TimeZone::UTC),
        ))
        .unwrap();
    let x = rows
        .clone()
        .map(|row| (row % 10 != 3).then_some((row * 31 % 997) as f64 * 0.5 + 1.0));
    let mut frame = df!(
        "key" => rows.clone().map(|row| ["a", "b"][(row % 2) as usize]).collect::<Vec<_>>(),
        "x" => x.collect::<Vec<_>>(),
        "user" => rows.map(|row| format!("user {}", row * row % 613)).collect::<Vec<_>>(),
    )
    .unwrap();
    frame.with_column(at.into()).unwrap();
    frame
}

/// Runs over five batches and returns what is there at the end.
fn streamed(name: &str, aggregates: &[Expr]) -> DataFrame {
    let stream = topic(name, 1)
        .stream()
        .watermark("at", minutes(10))
        .group_by(["key"]);
    let query = stream
        .window(Tumbling::of(minutes(1)))
        .agg(aggregates.to_vec())
        .unwrap();
    let frames: Vec<DataFrame> = (0..5)
        .map(|batch| events().slice(batch * 600, 600))
        .collect();
    let batches = query.output(Complete).run_batches(&frames).unwrap();
    batches[batches.len() - 1].rows.clone()
}

/// Runs the same over the whole in plain Polars.
fn plain(aggregates: &[Expr]) -> DataFrame {
    let start = col("at").dt().truncate(lit("1m")).alias("window_start");
    events()
        .lazy()
        .with_columns([start])
        .sort_by_exprs(
            [col("at")],
            SortMultipleOptions::default().with_maintain_order(true),
        )
        .group_by_stable([col("window_start"), col("key")])
        .agg(aggregates)
        .sort(["window_start", "key"], SortMultipleOptions::default())
        .collect()
        .unwrap()
}

fn floats(frame: &DataFrame, column: &str) -> Vec<f64> {
    let column = frame
        .column(column)
        .unwrap()
        .cast(&DataType::Float64)
        .unwrap();
    column.f64().unwrap().iter().map(Option::unwrap).collect()
}

#[test]
fn exact_aggregates_are_those_of_polars() {
    let aggregates = [
        len().alias("n"),
        col("x").count().alias("known"),
        col("x").sum().alias("sum"),
        col("x").mean().alias("mean"),
        col("x").min().alias("least"),
        col("x").max().alias("most"),
        col("x").first().alias("first"),
        col("x").last().alias("last"),
        col("user").min().alias("first_user"),
        col("user").n_unique().alias("users"),
        ((col("x").max() - col("x").min()) / len().cast(DataType::Float64)).alias("spread"),
        col("x")
            .filter(col("x").gt(lit(100.0)))
            .sum()
            .alias("large"),
    ];
    let (ours, theirs) = (streamed("exact", &aggregates), plain(&aggregates));
    assert_eq!(ours.height(), 4);
    for name in ours.get_column_names().iter().skip(3) {
        let column = |frame: &DataFrame| {
            let column = frame.column(name).unwrap();
            let dtype = match column.dtype().is_integer() {
                true => DataType::Int64,
                false => column.dtype().clone(),
            };
            column.cast(&dtype).unwrap()
        };
        assert_eq!(column(&ours), column(&theirs), "{name}");
    }
}

#[test]
fn variance_is_that_of_polars_to_the_last_digits() {
    let aggregates = [
        col("x").var(1).alias("variance"),
        col("x").std(1).alias("deviation"),
        col("x").var(0).alias("of_all"),
    ];
    let (ours, theirs) = (streamed("variance", &aggregates), plain(&aggregates));
    for name in ["variance", "deviation", "of_all"] {
        for (ours, theirs) in floats(&ours, name).iter().zip(floats(&theirs, name)) {
            assert!(
                (ours - theirs).abs() <= theirs * 1e-12,
                "{name}: {ours} and {theirs}"
            );
        }
    }
}

#[test]
fn distinct_values_come_as_a_sorted_list() {
    let ours = streamed(
        "distinct",
        &[collect_distinct("user"), col("user").n_unique().alias("n")],
    );
    let lists = ours.column("user").unwrap().list().unwrap();
    let counts = ours.column("n").unwrap().i64().unwrap();
    for (list, count) in lists.amortized_iter().zip(counts.iter()) {
        let list = list.unwrap().as_ref().clone();
        assert_eq!(list.len() as i64, count.unwrap());
        assert_eq!(list, list.sort(SortOptions::default()).unwrap());
        assert_eq!(list.n_unique().unwrap(), list.len());
    }
}

#[test]
fn sketches_keep_their_stated_error() {
    let ours = streamed(
        "sketches",
        &[
            approx_distinct("user").alias("about"),
            col("user").n_unique().alias("users"),
            approx_quantile("x", 0.5).alias("p50"),
            approx_quantile("x", 0.99).alias("p99"),
        ],
    );
    for (about, users) in floats(&ours, "about").iter().zip(floats(&ours, "users")) {
        // Three standard errors of 4,096 registers.
        assert!((about - users).abs() <= users * 0.049, "{about} of {users}");
    }
    let sorted = |row: usize| {
        let frame = events();
        let start = ours
            .column("window_start")
            .unwrap()
            .datetime()
            .unwrap()
            .physical()
            .get(row);
        let key = ours
            .column("key")
            .unwrap()
            .str()
            .unwrap()
            .get(row)
            .unwrap()
            .to_owned();
        let at = frame
            .column("at")
            .unwrap()
            .datetime()
            .unwrap()
            .physical()
            .clone();
        let keys = frame.column("key").unwrap().str().unwrap().clone();
        let x = frame.column("x").unwrap().f64().unwrap().clone();
        let inside = (0..frame.height()).filter(|row| {
            at.get(*row).unwrap().div_euclid(60_000_000) * 60_000_000 == start.unwrap()
                && keys.get(*row).unwrap() == key
        });
        let mut values: Vec<f64> = inside.filter_map(|row| x.get(row)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    for row in 0..ours.height() {
        let values = sorted(row);
        for (column, q) in [("p50", 0.5), ("p99", 0.99)] {
            let got = floats(&ours, column)[row];
            let rank = q * (values.len() - 1) as f64;
            let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
            assert!(
                got >= low * 0.99 && got <= high * 1.01,
                "{column}: {got}, {low} to {high}"
            );
        }
    }
}

#[test]
fn a_sum_that_does_not_fit_is_an_error() {
    let stream = topic("overflow", 1).stream().watermark("at", minutes(1));
    let query = stream
        .window(Tumbling::of(minutes(1)))
        .agg([col("x").sum()])
        .unwrap();
    let at =
        Series::new("at".into(), [0i64, 1]).cast(&DataType::Datetime(TimeUnit::Microseconds, None));
    let mut frame = df!("x" => [i64::MAX, 1]).unwrap();
    frame.with_column(at.unwrap().into()).unwrap();
    assert_says(
        &query.run_local(&frame).unwrap_err(),
        &[
            "a sum of whole numbers is too large",
            "cast(DataType::Float64)",
        ],
    );
}

#[test]
fn a_quantile_outside_zero_to_one_is_refused() {
    let stream = topic("quantiles", 1).stream().watermark("at", minutes(1));
    let error = stream
        .window(Tumbling::of(minutes(1)))
        .agg([approx_quantile("x", 99.0)])
        .unwrap_err();
    assert_says(
        &error,
        &[
            "a quantile lies between 0 and 1",
            "99",
            "approx_quantile(\"x\", 0.99)",
        ],
    );
}
