use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::topic;

/// Returns flights and delays per half hour and origin, as a query computes them.
fn windows() -> DataFrame {
    let flights = dataset("flights")
        .unwrap()
        .lazy()
        .filter(col("actual_dep").is_not_null())
        .collect()
        .unwrap();
    let day = |day: u32| {
        chrono::NaiveDate::from_ymd_opt(2013, 2, day)
            .unwrap()
            .and_hms_opt(0, 0, 0)
            .unwrap()
            .and_utc()
            .timestamp_millis()
    };
    let at = || col("sched_dep").cast(DataType::Int64);
    let flights = flights
        .lazy()
        .filter(at().gt_eq(lit(day(8))).and(at().lt(lit(day(10)))))
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

fn look(picture: &Picture, name: &str) {
    if let Ok(folder) = std::env::var("HEADWATER_PICTURES") {
        picture.save(format!("{folder}/{name}.png")).unwrap();
        picture.save(format!("{folder}/{name}.svg")).unwrap();
        std::fs::write(format!("{folder}/{name}.txt"), picture.text()).unwrap();
    }
}

#[test]
fn pictures() {
    let windows = windows();
    let line = Chart::line("window_start", "mean_delay_min")
        .by("origin")
        .title("Mean departure delay, by airport")
        .y("mean delay, minutes");
    look(&line.draw(&windows).unwrap(), "line");
    look(
        &line.clone().last(hours(6)).draw(&windows).unwrap(),
        "line6h",
    );
    let total = windows
        .clone()
        .lazy()
        .group_by([col("window_start"), col("window_end")])
        .agg([
            col("flights").sum(),
            (col("flights").sum() - lit(3)).alias("down"),
        ])
        .collect()
        .unwrap();
    look(
        &Chart::bar("window_start", "flights")
            .mirror("down")
            .title("Departures per half hour")
            .y("departures")
            .draw(&total)
            .unwrap(),
        "mirror",
    );
    look(
        &Chart::bar("window_start", "flights")
            .by("origin")
            .title("Departures per half hour")
            .y("departures")
            .last(hours(8))
            .draw(&windows)
            .unwrap(),
        "grouped",
    );
    let names = df!("carrier" => ["UA","B6","EV","DL","AA","MQ","US"], "flights" => [58665i64, 54635, 54173, 48110, 32729, 26397, 20536]).unwrap();
    look(
        &Chart::bar("carrier", "flights")
            .title("Flights of 2013")
            .y("flights")
            .draw(&names)
            .unwrap(),
        "names",
    );
    look(&Chart::line("n", "v").draw(&df!("n" => (0..2000).map(f64::from).collect::<Vec<_>>(), "v" => (0..2000).map(|n| (f64::from(n) / 100.0).sin() * 0.01).collect::<Vec<_>>()).unwrap()).unwrap(), "numbers");
    look(
        &Chart::line("n", "v")
            .draw(
                &DataFrame::new(
                    0,
                    vec![
                        Column::new_empty("n".into(), &DataType::Float64),
                        Column::new_empty("v".into(), &DataType::Float64),
                    ],
                )
                .unwrap(),
            )
            .unwrap(),
        "empty",
    );
}
