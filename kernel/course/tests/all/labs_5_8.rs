//! The labs of lesson 5.8: the sheet, the flows, the storm hour.

use headwater_course::lesson_5_8::{Req, StormHour, flow_picture};
use polars::prelude::DataFrame;

/// Returns the value of a quantity of the sheet.
fn value(sheet: &DataFrame, quantity: &str) -> f64 {
    let names = sheet.column("quantity").expect("it").str().expect("text");
    let at = names.iter().position(|name| name == Some(quantity));
    let values = sheet.column("value").expect("it").f64().expect("numbers");
    values
        .get(at.unwrap_or_else(|| panic!("no `{quantity}` in {sheet}")))
        .expect("a number")
}

#[test]
fn sheet_gives_the_numbers_of_the_worked_case() {
    let sheet = Req::flood_basin().sheet().expect("a frame");
    for (quantity, expected) in [
        ("mean rate", 24_000.0),
        ("mean bandwidth", 8.4),
        ("storm bandwidth", 50.4),
        ("replication, storm", 100.8),
        ("egress, storm", 252.0),
        ("stored a day, one copy", 0.726),
        ("all on the brokers", 15.241),
        ("tiered: on the brokers", 1.089),
        ("tiered: remote", 5.08),
        ("partitions for the writers", 5.04),
        ("partitions for the readers", 16.8),
    ] {
        assert_eq!(value(&sheet, quantity), expected, "{quantity}");
    }
}

#[test]
fn twelve_partitions_drown_seventeen_cannot_bear_gusts_thirty_hold() {
    let run = |partitions| {
        let hour = StormHour::run(&Req::flood_basin(), partitions, 6).expect("an hour");
        hour.drawing().text().to_owned()
    };
    let (twelve, seventeen, thirty) = (run(12), run(17), run(30));
    assert!(
        twelve.contains("partitions, reading: at most") && twelve.contains("saturated in 30 of"),
        "{twelve}"
    );
    assert!(
        seventeen.contains("First to saturate: partitions, reading"),
        "{seventeen}"
    );
    assert!(!seventeen.contains("saturated in 30 of"), "{seventeen}");
    assert!(thirty.contains("First to saturate: nothing"), "{thirty}");
}

#[test]
fn minutes_of_the_hour_have_a_row_a_second() {
    let hour = StormHour::run(&Req::flood_basin(), 12, 6).expect("an hour");
    let minute = hour.minute(30).expect("a frame");
    assert_eq!(minute.height(), 60);
    let lag = minute.column("lag_mb").expect("it").f64().expect("numbers");
    assert!(lag.get(59) > lag.get(0), "{minute}");
    let served = minute.column("served_mb").expect("it").f64().expect("it");
    assert_eq!(served.get(0), Some(36.0));
}

#[test]
fn wrong_calls_of_the_storm_say_what_to_type() {
    let req = Req::flood_basin();
    let error = StormHour::run(&req, 0, 6).expect_err("no partition");
    assert!(error.to_string().contains("StormHour::run(&req, 30, 6)?"));
    let hour = StormHour::run(&req, 30, 6).expect("an hour");
    let error = hour.minute(60).expect_err("no such minute");
    assert!(error.to_string().contains("hour.minute(0)?"), "{error}");
}

#[test]
fn flow_picture_says_what_flows() {
    let drawing = flow_picture(&Req::flood_basin(), 30, 6);
    for wanted in [
        "50.4 MB/s come in",
        "100.8 go between brokers",
        "252.0 go to",
    ] {
        assert!(drawing.text().contains(wanted), "{}", drawing.text());
    }
    assert!(drawing.svg().contains("30 partitions"));
}
