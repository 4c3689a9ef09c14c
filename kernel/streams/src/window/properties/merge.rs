//! Merging two states gives the same in whatever order and grouping, for every kind of aggregate.

use polars::prelude::*;
use proptest::prelude::*;

use crate::window::groups::Groups;
use crate::window::typed::Typed;
use crate::window::{Aggregates, approx_distinct, approx_quantile, collect_distinct};

/// Puts values into three groups by turns; in the third part nothing is known of some.
fn groups(values: &[(u8, Option<i16>)], aggregates: &Aggregates) -> Groups {
    let mut groups = Groups::new(aggregates);
    let places: Vec<u32> = values.iter().map(|(place, _)| u32::from(*place)).collect();
    for start in 0..3 {
        groups.add(start, start + 10, 0);
    }
    let x: Vec<Option<f64>> = values
        .iter()
        .map(|(_, value)| value.map(|value| f64::from(value) * 0.125))
        .collect();
    let rows = df!("x" => x).unwrap();
    let inputs: Vec<Typed> = aggregates
        .input_columns(&rows)
        .unwrap()
        .iter()
        .map(|column| Typed::of(column).unwrap())
        .collect();
    groups.widen(&inputs).unwrap();
    let times = (0..values.len() as i64).map(|row| Some(row % 7));
    let times: Int64Chunked = times.collect();
    groups.take(&places, &times.rechunk(), 0, &inputs).unwrap();
    groups
}

/// Returns the results at one place as numbers; a set as its size and sum.
fn results(groups: &Groups, aggregates: &Aggregates, place: u32) -> Vec<Option<f64>> {
    let mut results = Vec::new();
    for (index, measure) in aggregates.measures.iter().enumerate() {
        let dtype = measure
            .input
            .map_or(DataType::Null, |input| groups.dtypes[input].clone());
        let (kept, rows) = (groups.kept[index], &groups.rows);
        let column = measure
            .column("x", kept, &groups.columns, rows, &[place], &dtype)
            .unwrap();
        if let DataType::List(_) = column.dtype() {
            let set = column.list().unwrap().get_as_series(0).unwrap();
            results.push(Some(set.len() as f64));
            results.push(set.sum::<f64>().ok());
            continue;
        }
        let column = column.cast(&DataType::Float64).unwrap();
        results.push(column.f64().unwrap().get(0));
    }
    results
}

proptest! {
    #[test]
    fn merging_is_associative_and_commutative(
        values in proptest::collection::vec((0u8..3, proptest::option::of(any::<i16>())), 0..60)
    ) {
        let x = || col("x");
        let aggregates = Aggregates::new(&[
            len().alias("n"), x().count().alias("known"), x().sum().alias("sum"),
            x().mean().alias("mean"), x().min().alias("least"), x().max().alias("most"),
            x().var(1).alias("variance"), x().std(0).alias("deviation"),
            x().first().alias("first"), x().last().alias("last"),
            x().first_non_null().alias("first_known"), x().last_non_null().alias("last_known"),
            collect_distinct("x").alias("set"), x().n_unique().alias("distinct"),
            approx_distinct("x").alias("about"), approx_quantile("x", 0.9).alias("p90"),
        ], &[]).unwrap();
        let start = groups(&values, &aggregates);
        let merged = |order: &[(u32, u32)], last: u32| {
            let mut groups = start.clone();
            for (from, to) in order {
                groups.merge(*from, *to).unwrap();
            }
            results(&groups, &aggregates, last)
        };
        let expected = merged(&[(1, 0), (2, 0)], 0);
        for (order, last) in [
            ([(2, 1), (1, 0)], 0), ([(0, 1), (2, 1)], 1), ([(1, 2), (2, 0)], 0), ([(0, 2), (1, 2)], 2),
        ] {
            let got = merged(&order, last);
            prop_assert_eq!(got.len(), expected.len());
            for (got, expected) in got.iter().zip(&expected) {
                let is_same = match (got, expected) {
                    // Variance is a quotient of sums: its last digits depend on the order.
                    (Some(got), Some(expected)) => (got - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                    (got, expected) => got == expected,
                };
                prop_assert!(is_same, "{:?} is not {:?}", got, expected);
            }
        }
        // And what was merged is what one group of all the rows would hold.
        let one: Vec<(u8, Option<i16>)> = values.iter().map(|(_, value)| (0, *value)).collect();
        let all = results(&groups(&one, &aggregates), &aggregates, 0);
        for (got, expected) in all.iter().zip(&expected) {
            match (got, expected) {
                (Some(got), Some(expected)) => {
                    prop_assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0))
                }
                (got, expected) => prop_assert_eq!(got, expected),
            }
        }
    }
}
