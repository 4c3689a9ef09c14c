use std::fs;

use headwater_streams::prelude::*;

use crate::assert_says;

fn csv(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trips.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn flights_come_whole_with_plain_dtypes() {
    let flights = dataset("flights").unwrap();
    assert_eq!(flights.shape(), (336_776, 11));
    assert_eq!(
        flights.column("sched_dep").unwrap().dtype().to_string(),
        "datetime[ms, UTC]"
    );
    assert_eq!(flights.column("origin").unwrap().dtype().to_string(), "str");
    assert_eq!(
        flights.column("dep_delay").unwrap().dtype().to_string(),
        "i32"
    );
    assert_eq!(flights.column("actual_dep").unwrap().null_count(), 8_255);
}

#[test]
fn a_missing_data_set_lists_those_that_are_there() {
    let error = Replay::dataset("flihgts").err().unwrap();
    assert!(error.is_missing_data());
    assert_says(
        &error,
        &[
            "no data set `flihgts`",
            "airlines, buoy, flight_weather, flights, motes, pv_minute, quakes, ride",
            "Replay::dataset(\"flights\")?",
        ],
    );
}

#[test]
fn a_missing_file_lists_its_folder() {
    let (folder, _) = csv("a\n1\n");
    let error = Replay::csv(folder.path().join("trip.csv")).err().unwrap();
    assert!(error.is_missing_data());
    assert_says(
        &error,
        &[
            "trip.csv: it is not there",
            "have: trips.csv",
            "try:",
            "trips.csv\"",
        ],
    );
}

#[test]
fn csv_dtypes_follow_the_values() {
    let (_folder, path) = csv(
        "at,n,x,name,ok\n2013-02-08 10:00:00,1,1.5,\"a, \"\"b\"\"\",true\n2013-02-08 10:01:00,2,,plain,false\n",
    );
    let rows = Replay::csv(&path).unwrap();
    let dtypes: Vec<String> = rows
        .rows()
        .dtypes()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(dtypes, ["datetime[μs]", "i64", "f64", "str", "bool"]);
    assert_eq!(
        rows.rows().column("name").unwrap().str().unwrap().get(0),
        Some("a, \"b\"")
    );
}

#[test]
fn a_csv_line_that_does_not_parse_is_counted_with_its_number() {
    let lines: String = (0..20).map(|n| format!("{n},z{n}\n")).collect();
    let (_folder, path) = csv(&format!("n,zone\n{lines}oops,z\n1,2,3\n21,z21\n"));
    let rows = Replay::csv(&path).unwrap();
    assert_eq!(rows.rows().height(), 21);
    let rejected = rows.rejected().unwrap();
    assert_eq!(rejected.height(), 2);
    let bytes = rejected.column("bytes").unwrap().str().unwrap();
    assert_eq!(bytes.get(0), Some("oops,z"));
    let text = format!("{:?}", rejected.get_row(0).unwrap());
    assert!(
        text.contains("trips.csv line 22") && text.contains("column `n` is i64, found"),
        "{text}"
    );
    let text = format!("{:?}", rejected.get_row(1).unwrap());
    assert!(
        text.contains("line 23") && text.contains("3 fields, the header has 2"),
        "{text}"
    );
}

#[test]
fn a_csv_header_that_is_none_stops_the_reading() {
    let (_folder, path) = csv("");
    assert_says(&Replay::csv(&path).err().unwrap(), &["has no header line"]);
    let (_folder, path) = csv("n,n\n1,2\n");
    assert_says(
        &Replay::csv(&path).err().unwrap(),
        &["header", "column `n` stands there twice"],
    );
}

#[test]
fn a_json_line_that_does_not_parse_is_counted_with_its_number() {
    let (folder, _) = csv("");
    let path = folder.path().join("events.jsonl");
    fs::write(&path, "{\"n\":1}\nnonsense\n\n{\"n\":2}\n").unwrap();
    let rows = Replay::json_lines(&path).unwrap();
    assert_eq!(rows.rows().height(), 2);
    let text = format!("{:?}", rows.rejected().unwrap().get_row(0).unwrap());
    assert!(text.contains("events.jsonl line 2"), "{text}");
}

#[test]
fn a_file_that_is_not_parquet_is_said() {
    let (_folder, path) = csv("n\n1\n");
    assert_says(
        &Replay::parquet(&path).err().unwrap(),
        &["is not a Parquet file"],
    );
}
