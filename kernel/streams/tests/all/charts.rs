use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, times, topic};

/// Returns flights and delays per half hour and origin of two days, as a query computes them.
fn windows() -> DataFrame {
    let day = |day: u32| {
        chrono::NaiveDate::from_ymd_opt(2013, 2, day)
            .unwrap()
            .and_hms_opt(0, 0, 0)
            .unwrap()
            .and_utc()
            .timestamp_millis()
    };
    let at = || col("sched_dep").cast(DataType::Int64);
    let two_days = at().gt_eq(lit(day(8))).and(at().lt(lit(day(10))));
    let flights = dataset("flights")
        .unwrap()
        .lazy()
        .filter(col("actual_dep").is_not_null().and(two_days))
        .collect()
        .unwrap();
    let query = topic("drawn", 1)
        .stream()
        .watermark("sched_dep", minutes(10))
        .group_by(["origin"])
        .window(Tumbling::of(minutes(30)));
    let query = query
        .agg([
            len().alias("flights"),
            col("dep_delay").mean().alias("mean_delay_min"),
        ])
        .unwrap();
    query.run_local(&flights).unwrap()
}

/// Asserts what holds for every picture.
pub fn drawn(chart: &Chart, frame: &DataFrame, name: &str) -> Picture {
    let picture = chart.draw(frame).unwrap();
    let svg = picture.svg();
    assert!(svg.len() < 30_000, "{name}: {} bytes", svg.len());
    assert!(
        svg.starts_with("<svg role=\"img\"") && svg.contains("<title>") && svg.contains("<desc>"),
        "{name}"
    );
    assert!(picture.png().unwrap().starts_with(b"\x89PNG"), "{name}");
    keep(&picture, name);
    picture
}

/// Writes the picture to the folder HEADWATER_PICTURES, where that is set, for people to look at.
pub fn keep(picture: &Picture, name: &str) {
    if let Ok(folder) = std::env::var("HEADWATER_PICTURES") {
        picture.save(format!("{folder}/{name}.png")).unwrap();
        picture.save(format!("{folder}/{name}.svg")).unwrap();
    }
}

fn delays() -> Chart {
    Chart::line("window_start", "mean_delay_min")
        .by("origin")
        .title("Mean departure delay")
        .y("mean delay, minutes")
}

#[test]
fn lines_differ_by_dash_and_marker_and_name_their_units() {
    let picture = drawn(&delays(), &windows(), "line");
    let svg = picture.svg();
    assert!(svg.contains("stroke-dasharray=\"9 4\"") && svg.contains("stroke-dasharray=\"2 4\""));
    for words in [
        "EWR",
        "JFK",
        "LGA",
        "mean delay, minutes",
        "event time, start of window (UTC)",
        "8 Feb 2013",
        "12:00:00",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    drawn(&delays().last(hours(6)), &windows(), "line6h");
}

#[test]
fn bars_differ_by_stripes() {
    let chart = Chart::bar("window_start", "flights")
        .by("origin")
        .y("departures")
        .last(hours(8));
    assert!(
        drawn(&chart, &windows(), "grouped")
            .svg()
            .contains("url(#headwater-light-closed-1)")
    );
}

#[test]
fn a_mirrored_chart_draws_the_second_column_downward() {
    let total = windows()
        .lazy()
        .group_by([col("window_start"), col("window_end")])
        .agg([
            col("flights").sum().alias("scheduled"),
            col("flights").max().alias("departed"),
        ]);
    let chart = Chart::bar("window_start", "scheduled")
        .mirror("departed")
        .title("Two clocks")
        .y("departures");
    let picture = drawn(&chart, &total.collect().unwrap(), "mirror");
    assert!(picture.svg().contains("scheduled (up)") && picture.svg().contains("departed (down)"));
    assert!(
        !picture.svg().contains(">\n-20"),
        "a mirrored axis has no minus"
    );
}

#[test]
fn the_text_twin_has_the_numbers_of_the_picture() {
    let at = times(
        "window_start",
        &[Some("2013-02-08 10:00:00"), Some("2013-02-08 10:30:00")],
    );
    let mut frame = df!("flights" => [12i64, 30]).unwrap();
    frame.with_column(at).unwrap();
    let picture = Chart::line("window_start", "flights")
        .title("Departures")
        .y("departures")
        .draw(&frame)
        .unwrap();
    let expected = "Departures: 2 values in one series from 2013-02-08 10:00:00 to 2013-02-08 10:30:00; \
        flights last 30 at 2013-02-08 10:30:00, most 30 at 2013-02-08 10:30:00 in departures\n\
        2013-02-08 10:00:00  flights 12\n\
        2013-02-08 10:30:00  flights 30";
    assert_eq!(picture.text(), expected);
}

#[test]
fn the_numbers_of_a_picture_are_those_of_the_frame() {
    let windows = windows();
    let data = delays().draw(&windows).unwrap().data().unwrap();
    let columns = [
        "window_start",
        "window_end",
        "series",
        "mean_delay_min",
        "open",
    ];
    assert_eq!(data.get_column_names(), columns);
    let names = ["window_start", "window_end", "origin", "mean_delay_min"];
    let expected = windows.select(names).unwrap();
    let expected = expected.sort(["origin", "window_start"], SortMultipleOptions::default());
    let mut found = data
        .select(["window_start", "window_end", "series", "mean_delay_min"])
        .unwrap();
    found.rename("series", "origin".into()).unwrap();
    let found = found.sort(["origin", "window_start"], SortMultipleOptions::default());
    assert!(found.unwrap().equals_missing(&expected.unwrap()));
    let names = df!("carrier" => ["UA", "B6"], "flights" => [2i64, 1]).unwrap();
    let data = Chart::bar("carrier", "flights")
        .draw(&names)
        .unwrap()
        .data()
        .unwrap();
    let expected = df!("carrier" => ["UA", "B6"], "series" => ["flights", "flights"], "flights" => [2.0, 1.0], "open" => [false, false]);
    assert!(data.equals(&expected.unwrap()), "{data}");
}

#[test]
fn names_and_numbers_stand_on_the_horizontal_axis_too() {
    let names = df!("carrier" => ["UA", "B6", "EV", "DL"], "flights" => [58_665i64, 54_635, 54_173, 48_110]).unwrap();
    let picture = drawn(&Chart::bar("carrier", "flights"), &names, "names");
    assert!(picture.svg().contains("B6") && picture.svg().contains("60,000"));
    let x: Vec<f64> = (0..20_000).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| (x / 1000.0).sin() * 0.01).collect();
    drawn(
        &Chart::line("n", "v"),
        &df!("n" => x, "v" => y).unwrap(),
        "numbers",
    );
}

#[test]
fn a_frame_without_rows_or_with_nulls_only_is_drawn_as_such() {
    let empty = df!("x" => Vec::<f64>::new(), "y" => Vec::<f64>::new()).unwrap();
    let nulls = df!("x" => [1.0, 2.0], "y" => [None::<f64>, None]).unwrap();
    for (frame, name) in [(empty, "empty"), (nulls, "nulls")] {
        assert_eq!(
            drawn(&Chart::line("x", "y"), &frame, name)
                .text()
                .lines()
                .next(),
            Some("y over x: nothing to draw yet")
        );
    }
    let single = df!("x" => [1.0], "y" => [5.0]).unwrap();
    drawn(&Chart::line("x", "y"), &single, "single");
    drawn(&Chart::bar("x", "y"), &single, "singlebar");
}

#[test]
fn more_series_than_colours_are_named_as_not_drawn() {
    let names: Vec<String> = (0..9).map(|n| format!("key{n}")).collect();
    let frame = df!("x" => [1i64; 9], "y" => (0..9).collect::<Vec<i64>>(), "key" => names).unwrap();
    let text = drawn(&Chart::line("x", "y").by("key"), &frame, "many")
        .text()
        .to_owned();
    assert!(
        text.contains("not drawn, for there are too many: key7, key8"),
        "{text}"
    );
}

#[test]
fn a_title_with_markup_stays_text() {
    let frame = df!("x" => [1i64, 2], "y" => [1i64, 2]).unwrap();
    let picture = drawn(
        &Chart::line("x", "y").title("a < b & \"c\""),
        &frame,
        "markup",
    );
    assert!(
        picture
            .svg()
            .contains("<title>a &lt; b &amp; &quot;c&quot;</title>")
    );
}

#[test]
fn what_is_no_number_is_a_gap_and_counted() {
    let frame =
        df!("x" => [1.0, 2.0, 3.0, f64::NAN], "y" => [1.0, f64::NAN, f64::INFINITY, 2.0]).unwrap();
    let picture = drawn(&Chart::line("x", "y"), &frame, "notfinite");
    let text = picture.text();
    assert!(text.contains("1 value in one series from 1 to 3"), "{text}");
    assert!(
        text.contains("drawn as gaps, for they are NaN or infinite: 2 values"),
        "{text}"
    );
    assert!(
        text.contains("not drawn, for they have no place on the horizontal axis: 1 row"),
        "{text}"
    );
    assert!(!picture.svg().contains("NaN,") && !picture.svg().contains("inf"));
}

#[test]
fn a_dark_chart_has_colours_and_patterns_of_its_own() {
    let light = drawn(&delays(), &windows(), "light");
    let dark = drawn(&delays().dark(), &windows(), "dark");
    assert!(light.svg().contains("#FFFFFF") && !dark.svg().contains("#FFFFFF"));
    assert_eq!(light.text(), dark.text());
    let bars = Chart::bar("window_start", "flights")
        .by("origin")
        .last(hours(8))
        .dark();
    assert!(
        drawn(&bars, &windows(), "darkbars")
            .svg()
            .contains("url(#headwater-dark-closed-1)")
    );
}

#[test]
fn a_picture_is_saved_by_the_end_of_its_name_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let frame = df!("x" => [1i64, 2], "y" => [1i64, 2]).unwrap();
    let picture = Chart::line("x", "y").draw(&frame).unwrap();
    let at = |name: &str| folder.path().join(name);
    picture.save(at("a.svg")).unwrap();
    picture.save(at("a.PNG")).unwrap();
    assert_eq!(std::fs::read_to_string(at("a.svg")).unwrap(), picture.svg());
    assert!(std::fs::read(at("a.PNG")).unwrap().starts_with(b"\x89PNG"));
    for name in ["a.jpg", "a"] {
        let error = picture.save(at(name)).unwrap_err();
        assert_says(
            &error,
            &["a picture cannot be saved as", "svg and png", "a.svg\")?"],
        );
        assert!(!at(name).exists());
    }
}

#[test]
fn columns_that_cannot_be_drawn_are_said() {
    let frame = df!("x" => [1i64], "y" => ["a"]).unwrap();
    assert_says(
        &Chart::line("x", "y").draw(&frame).unwrap_err(),
        &["column `y` cannot be drawn", "dtype str"],
    );
    assert_says(
        &Chart::line("x", "yy").draw(&frame).unwrap_err(),
        &["no column `yy` in the frame", "x (i64), y (str)"],
    );
    let error = Chart::bar("x", "x")
        .mirror("x")
        .by("y")
        .draw(&frame)
        .unwrap_err();
    assert_says(&error, &["one series on each side"]);
}
