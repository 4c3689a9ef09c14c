//! How many values fall where.

use super::axis::round_step;
use super::data::{Point, Series};

/// Turns the values of each series, which stand in `x`, into bins of one round width for all of them.
pub(super) fn bin(series: &mut [Series], bins: usize) {
    let all = || {
        series
            .iter()
            .flat_map(|series| series.points.iter().map(|point| point.x))
    };
    let (least, most) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| {
        (least.min(x), most.max(x))
    });
    if least > most {
        return;
    }
    let width = round_step((most - least) / bins.max(1) as f64);
    let first = (least / width).floor();
    let count = ((most / width).floor() - first) as usize + 1;
    for series in series {
        let mut counts = vec![0u64; count];
        for point in &series.points {
            let bin = ((point.x / width).floor() - first) as usize;
            counts[bin.min(count - 1)] += 1;
        }
        let point = |(bin, count): (usize, &u64)| {
            let start = (first + bin as f64) * width;
            Point {
                x: start,
                end: Some(start + width),
                y: Some(*count as f64),
                open: false,
                value: None,
            }
        };
        series.points = counts.iter().enumerate().map(point).collect();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Every value is in the one bin that holds it, and no value is lost.
        #[test]
        fn every_value_is_in_its_bin(values in proptest::collection::vec(-1e6f64..1e6, 1..300), bins in 1usize..60) {
            let point = |x: &f64| Point { x: *x, end: None, y: None, open: false, value: None };
            let mut series = [Series { points: values.iter().map(point).collect(), ..Series::default() }];
            bin(&mut series, bins);
            let found = &series[0].points;
            prop_assert!(found.len() <= bins + 1, "{} of {bins}", found.len());
            let total: f64 = found.iter().filter_map(|bin| bin.y).sum();
            prop_assert_eq!(total as usize, values.len());
            for bin in found {
                let (first, end) = (bin.x, bin.end.unwrap());
                let width = end - first;
                // Where a bin ends, rounding may put a value on either side.
                let inside = |slack: f64| values.iter().filter(|value| **value >= first - slack && **value < end + slack).count() as f64;
                let slack = width * 1e-9;
                prop_assert!(inside(-slack) <= bin.y.unwrap() && bin.y.unwrap() <= inside(slack));
            }
        }
    }
}
