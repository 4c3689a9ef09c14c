//! Which points a line joins, and which of them can be seen.

use super::data::{Point, Series};

/// Splits a series where a value or a window is missing. Windows follow each other where the next one
/// begins no later than this one ends, and, where they overlap, one step of the chart further on.
pub(super) fn runs(series: &Series, step: f64) -> Vec<Vec<Point>> {
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut before: Option<Point> = None;
    for point in &series.points {
        let follows = before.is_some_and(|before: Point| match before.end {
            Some(end) => {
                point.x <= end && point.x - before.x <= step.max(point.x - end) * 1.000_001
            }
            None => true,
        });
        match (point.y, follows, runs.last_mut()) {
            (None, ..) => {
                before = None;
                continue;
            }
            (Some(_), true, Some(run)) => run.push(*point),
            _ => runs.push(vec![*point]),
        }
        before = Some(*point);
    }
    runs
}

/// Keeps the first, lowest, highest and last point of each pixel column, in their order: the picture is
/// the same as with all of them
/// ([M4](https://www.vldb.org/pvldb/vol7/p797-jugel.pdf), Jugel and others, 2014).
pub(super) fn thinned(places: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if places.len() <= 600 {
        return places.to_vec();
    }
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for column in places.chunk_by(|a, b| a.0.round() == b.0.round()) {
        let by_height = |a: &usize, b: &usize| column[*a].1.total_cmp(&column[*b].1);
        let least = (0..column.len()).min_by(by_height).unwrap_or(0);
        let most = (0..column.len()).max_by(by_height).unwrap_or(0);
        let mut four = [0, least, most, column.len() - 1];
        four.sort_unstable();
        for (place, index) in four.iter().enumerate() {
            if place == 0 || four[place - 1] != *index {
                kept.push(column[*index]);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(points: &[(f64, f64, Option<f64>)]) -> Series {
        let point = |(x, end, y): &(f64, f64, Option<f64>)| Point {
            x: *x,
            end: Some(*end),
            y: *y,
            open: false,
        };
        Series {
            points: points.iter().map(point).collect(),
            ..Series::default()
        }
    }

    fn lengths(points: &[(f64, f64, Option<f64>)], step: f64) -> Vec<usize> {
        runs(&series(points), step).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_missing_window_is_a_gap() {
        let y = Some(1.0);
        let tumbling = [
            (0., 10., y),
            (10., 20., y),
            (30., 40., y),
            (40., 50., None),
            (50., 60., y),
        ];
        assert_eq!(lengths(&tumbling, 10.0), [2, 1, 1]);
        // Windows of 30 every 10; the one from 20 is missing although its neighbours overlap.
        let hopping = [(0., 30., y), (10., 40., y), (30., 60., y), (40., 70., y)];
        assert_eq!(lengths(&hopping, 10.0), [2, 2]);
        // Nothing but every third window: none follows another.
        let sparse = [(0., 10., y), (30., 40., y), (60., 70., y)];
        assert_eq!(lengths(&sparse, 30.0), [1, 1, 1]);
    }

    proptest! {
        /// In every pixel column the thinned line enters, leaves and reaches where the whole one does.
        #[test]
        fn a_thinned_line_covers_the_same_pixels(ys in proptest::collection::vec(-100f64..100.0, 601..3000), width in 10f64..500.0) {
            let step = width / ys.len() as f64;
            let places: Vec<(f64, f64)> = ys.iter().enumerate().map(|(index, y)| (index as f64 * step, *y)).collect();
            let thin = thinned(&places);
            let whole: Vec<_> = places.chunk_by(|a, b| a.0.round() == b.0.round()).collect();
            let parts: Vec<_> = thin.chunk_by(|a, b| a.0.round() == b.0.round()).collect();
            prop_assert_eq!(whole.len(), parts.len());
            prop_assert!(thin.is_sorted_by(|a, b| a.0 <= b.0));
            for (whole, part) in whole.iter().zip(&parts) {
                let ends = |points: &[(f64, f64)]| (points[0], points[points.len() - 1]);
                let reach = |points: &[(f64, f64)]| points.iter().fold((f64::MAX, f64::MIN), |(least, most), point| (least.min(point.1), most.max(point.1)));
                prop_assert!(part.len() <= 4);
                prop_assert_eq!(ends(whole), ends(part));
                prop_assert_eq!(reach(whole), reach(part));
            }
        }
    }
}
