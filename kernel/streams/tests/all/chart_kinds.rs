//! The kinds of charts: what each draws, says and keeps as data.

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::charts::drawn;
use crate::times;

/// Returns how many elements of this kind have this attribute.
fn count(picture: &Picture, element: &str, attribute: &str) -> usize {
    let lines = picture.svg().lines();
    lines
        .filter(|line| line.starts_with(&format!("<{element} ")) && line.contains(attribute))
        .count()
}

fn flights() -> DataFrame {
    dataset("flights").unwrap().head(Some(3000))
}

fn members() -> DataFrame {
    let mut frame = df!("members" => [1i64, 2, 3, 2]).unwrap();
    let at = times(
        "at",
        &[
            Some("2013-02-08 10:00:00"),
            Some("2013-02-08 10:00:05"),
            Some("2013-02-08 10:00:06"),
            Some("2013-02-08 10:00:20"),
        ],
    );
    frame.with_column(at).unwrap();
    frame
}

#[test]
fn a_step_holds_its_value_up_to_the_next() {
    let chart = Chart::step("at", "members")
        .title("Members of the group")
        .y("members");
    let picture = drawn(&chart, &members(), "step");
    let line = picture
        .svg()
        .lines()
        .find(|line| line.contains("stroke-width=\"2\""))
        .unwrap();
    // Seven corners: each new value comes at the height of the one before first.
    let points = line
        .split("points=\"")
        .nth(1)
        .unwrap()
        .trim_end_matches("\"/>");
    assert_eq!(points.split(' ').count(), 7, "{points}");
}

#[test]
fn an_area_tints_what_is_below_the_line() {
    let chart = Chart::area("at", "members").y("members");
    let picture = drawn(&chart, &members(), "area");
    assert_eq!(count(&picture, "polygon", "opacity=\"0.25\""), 1);
    // The line, and the one in the legend.
    assert_eq!(count(&picture, "polyline", "stroke-width=\"2\""), 2);
}

#[test]
fn a_scatter_has_a_marker_for_each_point_and_the_diagonal_on_request() {
    let frame = df!("estimate" => [1.0, 2.0, 3.0, 3.0], "truth" => [1.5, 2.0, 2.0, 2.0]).unwrap();
    let chart = Chart::scatter("truth", "estimate")
        .x("truth (s)")
        .y("estimate (s)");
    let plain = drawn(&chart, &frame, "scatter");
    // Two points are one, and the legend shows the marker too.
    assert_eq!(count(&plain, "circle", "r=\"4\""), 4);
    assert_eq!(plain.data().unwrap().height(), 4);
    let diagonal = drawn(&chart.diagonal(), &frame, "diagonal");
    assert_eq!(count(&diagonal, "polyline", "stroke-dasharray=\"1 3\""), 1);
    assert_eq!(count(&plain, "polyline", "stroke-dasharray=\"1 3\""), 0);
}

#[test]
fn stacked_bars_reach_up_to_the_sum() {
    let frame = df!("hour" => [6i64, 6, 7, 7], "flights" => [30i64, 20, 10, 45], "origin" => ["EWR", "JFK", "EWR", "JFK"]).unwrap();
    let chart = Chart::stacked("hour", "flights")
        .by("origin")
        .x("hour of day")
        .y("flights");
    let picture = drawn(&chart, &frame, "stacked");
    assert!(picture.svg().contains(">60</text>") && !picture.svg().contains(">70</text>"));
    assert_eq!(count(&picture, "polygon", "points"), 4);
    assert!(
        picture.text().contains("JFK last 45 at 7"),
        "{}",
        picture.text()
    );
}

#[test]
fn a_histogram_counts_every_value_once() {
    let delays = flights()
        .lazy()
        .filter(col("dep_delay").is_not_null())
        .collect()
        .unwrap();
    let chart = Chart::histogram("dep_delay", 40)
        .by("origin")
        .x("departure delay (min)")
        .y("flights");
    let picture = drawn(&chart, &delays, "histogram");
    let data = picture.data().unwrap();
    assert_eq!(
        data.get_column_names(),
        ["dep_delay", "bin_end", "series", "count", "open"]
    );
    let counted: f64 = data
        .column("count")
        .unwrap()
        .as_materialized_series()
        .sum()
        .unwrap();
    assert_eq!(counted as usize, delays.height());
}

#[test]
fn a_gantt_draws_each_span_in_its_row() {
    let mut frame = df!("partition" => ["P0", "P0", "P1"], "owner" => ["m1", "m2", "m1"]).unwrap();
    let (from, to) = ("2013-02-08 10:00:00", "2013-02-08 10:00:30");
    frame
        .with_column(times("from", &[Some(from), Some(to), Some(from)]))
        .unwrap();
    let later = Some("2013-02-08 10:01:00");
    frame
        .with_column(times("to", &[Some(to), later, later]))
        .unwrap();
    let chart = Chart::gantt("from", "to", "partition")
        .by("owner")
        .title("Who reads what")
        .x("time")
        .y("partition");
    let picture = drawn(&chart, &frame, "gantt");
    assert_eq!(count(&picture, "polygon", "points"), 3);
    let text = picture.text();
    assert!(
        text.starts_with(
            "Who reads what: 3 spans in 2 rows from 2013-02-08 10:00:00 to 2013-02-08 10:01:00"
        ),
        "{text}"
    );
    assert!(
        text.contains("2013-02-08 10:00:30 to 2013-02-08 10:01:00  P0  m2"),
        "{text}"
    );
    let data = picture.data().unwrap();
    assert_eq!(
        data.get_column_names(),
        ["from", "to", "series", "partition", "open"]
    );
    assert_eq!(
        data.column("partition").unwrap().str().unwrap().get(2),
        Some("P0")
    );
}

#[test]
fn a_heat_map_is_darker_where_there_is_more_and_says_the_number() {
    let hours = flights()
        .lazy()
        .with_columns([col("sched_dep").dt().hour().alias("hour")])
        .group_by([col("hour"), col("origin")])
        .agg([len().alias("flights")])
        .sort(["hour", "origin"], SortMultipleOptions::default())
        .collect()
        .unwrap();
    let chart = Chart::heat("hour", "origin", "flights")
        .title("Departures")
        .x("hour of day (UTC)")
        .y("airport");
    let picture = drawn(&chart, &hours, "heat");
    assert_eq!(count(&picture, "rect", "fill=\"#"), 1 + hours.height() + 5);
    let most = hours
        .column("flights")
        .unwrap()
        .as_materialized_series()
        .max::<u32>()
        .unwrap()
        .unwrap();
    assert!(
        picture.text().contains(&format!("most flights {most} in ")),
        "{}",
        picture.text()
    );
    assert!(
        picture.svg().contains("#0072B2"),
        "the greatest value has the full colour"
    );
    let data = picture.data().unwrap();
    let total: f64 = data
        .column("flights")
        .unwrap()
        .as_materialized_series()
        .sum()
        .unwrap();
    assert_eq!(total as usize, 3000);
    let dark = drawn(&chart.dark(), &hours, "heatdark");
    assert_eq!(dark.text(), picture.text());
}

#[test]
fn every_kind_is_drawn_without_rows() {
    let none =
        df!("x" => Vec::<f64>::new(), "y" => Vec::<f64>::new(), "z" => Vec::<f64>::new()).unwrap();
    for chart in [
        Chart::step("x", "y"),
        Chart::area("x", "y"),
        Chart::scatter("x", "y").diagonal(),
        Chart::stacked("x", "y"),
        Chart::histogram("x", 10),
        Chart::gantt("x", "y", "z"),
        Chart::heat("x", "y", "z"),
    ] {
        let picture = chart.draw(&none).unwrap();
        assert!(
            picture.svg().contains("nothing to draw yet")
                && picture.text().contains("nothing to draw yet")
        );
    }
}

#[test]
fn bars_without_windows_stand_inside_the_axes() {
    let chart = Chart::bar("at", "members").y("members");
    let picture = drawn(&chart, &members(), "bartimes");
    let bars = picture
        .svg()
        .lines()
        .filter(|line| line.starts_with("<polygon"));
    let points = bars
        .flat_map(|line| line.split("points=\"").nth(1))
        .collect::<String>();
    let xs = points
        .split([' ', '"'])
        .filter_map(|pair| pair.split(',').next()?.parse::<i64>().ok());
    // The axes are the one line with three corners.
    let lines = picture
        .svg()
        .lines()
        .filter_map(|line| line.split("<polyline").nth(1));
    let corners = lines.filter_map(|line| line.split("points=\"").nth(1));
    let mut axes = corners.filter(|points| points.split(' ').count() == 3);
    let axis = axes.next().unwrap();
    let left: i64 = axis.split(',').next().unwrap().parse().unwrap();
    assert!(xs.min().unwrap() >= left, "{points} begins before {left}");
}

#[test]
fn a_mirrored_line_is_drawn_downward() {
    let frame = df!("x" => [1i64, 2], "up" => [10i64, 10], "down" => [10i64, 10]).unwrap();
    let picture = drawn(&Chart::line("x", "up").mirror("down"), &frame, "mirrorline");
    let lines = picture
        .svg()
        .lines()
        .filter(|line| line.contains("stroke-width=\"2\""));
    let heights: Vec<i64> = lines
        .filter_map(|line| {
            line.split("points=\"")
                .nth(1)?
                .split([',', ' '])
                .nth(1)?
                .parse()
                .ok()
        })
        .collect();
    // The two lines, then those of the legend.
    assert!(heights[0] < heights[1] - 100, "{heights:?}");
}

#[test]
fn a_span_without_an_end_is_counted() {
    let frame = df!("from" => [1.0, 2.0], "to" => [Some(3.0), None], "row" => ["a", "b"]).unwrap();
    let picture = drawn(&Chart::gantt("from", "to", "row"), &frame, "openspan");
    assert!(
        picture.text().starts_with("row over from: 1 span in"),
        "{}",
        picture.text()
    );
    assert!(
        picture
            .text()
            .contains("no place on the horizontal axis: 1 row"),
        "{}",
        picture.text()
    );
}
