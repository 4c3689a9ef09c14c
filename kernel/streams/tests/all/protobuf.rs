//! Records that are Protobuf messages.

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::formats::{bytes, rejected};
use crate::job::{per_gauge, readings};
use crate::{assert_says, topic};

const LEVEL: &str = r#"
    syntax = "proto3";
    package river;
    import "google/protobuf/timestamp.proto";
    enum Quality { UNKNOWN = 0; GOOD = 1; }
    message Place { string name = 1; double km = 2; }
    message Level {
        string gauge = 1;
        optional sint64 level_cm = 2;
        google.protobuf.Timestamp at = 3;
        Quality quality = 4;
        bytes raw = 5;
        repeated int32 last = 6;
        map<string, double> more = 7;
        Place place = 8;
        uint32 count = 9;
        float share = 10;
    }
"#;

/// The examples of the specification: 150 in field 1 is `08 96 01`, "testing" in field 2 is
/// `12 07 74 65 73 74 69 6e 67` (<https://protobuf.dev/programming-guides/encoding/>).
#[test]
fn records_are_those_of_the_specification() {
    let proto = "syntax = \"proto3\"; message Test1 { int32 a = 1; string b = 2; }";
    let topic = topic("protobuf-specification", 1);
    let messages = topic.protobuf(proto, "Test1").unwrap();
    let sent = df!("a" => [150i32], "b" => ["testing"]).unwrap();
    messages.produce(&sent).unwrap();
    let expected = b"\x08\x96\x01\x12\x07\x74\x65\x73\x74\x69\x6e\x67";
    assert!(
        topic
            .raw()
            .read(Earliest)
            .unwrap()
            .equals(&bytes(&[expected]))
    );
    assert!(messages.read(Earliest).unwrap().equals(&sent));
}

#[test]
fn fields_are_columns_and_what_was_not_set_is_null_where_that_can_be_told() {
    let topic = topic("protobuf-fields", 1);
    let levels = topic.protobuf(LEVEL, "river.Level").unwrap();
    assert!(format!("{levels:?}").contains("protobuf river.Level"));
    let record: &[u8] = &[
        0x0a, 3, b'G', b'0', b'7', // gauge
        0x10, 0x05, // level_cm: -3 in zigzag
        0x1a, 0x06, 0x08, 0x80, 0x94, 0xeb, 0xdc, 0x03, // at: 1000000000 s
        0x20, 0x01, // GOOD
        0x2a, 1, 0xff, // raw
        0x32, 2, 1, 2, // last: [1, 2]
        0x3a, 12, 0x0a, 1, b'k', 0x11, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f, // more: {k: 0.5}
        0x42, 3, 0x0a, 1, b'X', // place
        0x48, 0xff, 0xff, 0xff, 0xff, 0x0f, // count: 4294967295
        0x55, 0, 0, 0, 0x3f, // share: 0.5
    ];
    topic.raw().produce(&bytes(&[record, b"\x20\x07"])).unwrap();
    let read = levels.read(Earliest).unwrap();
    let at = Series::new("at".into(), [Some(1_000_000_000_000_000_000i64), None])
        .cast(&DataType::Datetime(
            TimeUnit::Nanoseconds,
            Some(TimeZone::UTC),
        ))
        .unwrap();
    let mut expected = df!(
        "gauge" => ["G07", ""],
        "level_cm" => [Some(-3i64), None],
    )
    .unwrap();
    expected.with_column(at.into()).unwrap();
    let rest = df!(
        // A number that this version of the schema has no name for.
        "quality" => ["GOOD", "7"],
        "raw" => [&b"\xff"[..], &b""[..]],
        "last" => ["[1,2]", "[]"],
        "more" => ["{\"k\":0.5}", "{}"],
        "place" => [Some("{\"name\":\"X\"}"), None],
        "count" => [u32::MAX, 0],
        "share" => [0.5f32, 0.0],
    )
    .unwrap();
    let expected = expected.hstack(rest.columns()).unwrap();
    assert_eq!(read.schema(), expected.schema());
    assert!(read.equals_missing(&expected), "{read}");
}

#[test]
fn frames_and_typed_objects_are_sent_and_come_back() {
    let levels = topic("protobuf-sent", 1).protobuf(LEVEL, "Level").unwrap();
    levels.produce(&readings(0, 50)).unwrap();
    levels
        .send(
            "G07",
            r#"{"gauge": "G07", "at": "2013-02-08T09:00:00.000001Z", "quality": "GOOD"}"#,
        )
        .unwrap();
    let read = levels.read(Earliest).unwrap();
    let back = read
        .select(["gauge", "level_cm", "at"])
        .unwrap()
        .lazy()
        .with_column(col("at").dt().cast_time_unit(TimeUnit::Microseconds))
        .collect()
        .unwrap();
    let names = ["gauge", "level_cm", "at"];
    assert!(
        back.head(Some(50))
            .equals(&readings(0, 50).select(names).unwrap())
    );
    assert_eq!(back.column("level_cm").unwrap().null_count(), 1);
    let at = back.column("at").unwrap().cast(&DataType::Int64).unwrap();
    assert_eq!(at.i64().unwrap().get(50), Some(1_360_314_000_000_001));
    let windows = per_gauge(&levels).run_local(&read).unwrap();
    assert_eq!(
        windows
            .column("n")
            .unwrap()
            .as_materialized_series()
            .sum::<i64>()
            .unwrap(),
        51
    );
}

#[test]
fn what_is_no_message_is_rejected_with_the_reason() {
    let topic = topic("protobuf-rejected", 1);
    let levels = topic.protobuf(LEVEL, "Level").unwrap();
    levels.produce(&readings(0, 1)).unwrap();
    // A string that is longer than the record; a length where a number is expected; a time that no
    // nanoseconds hold.
    let late = b"\x1a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00";
    topic
        .raw()
        .produce(&bytes(&[b"\x0a\x09ab", b"\x12\x01a", &late[..12]]))
        .unwrap();
    let reasons = rejected(&per_gauge(&levels));
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    for reason in &reasons {
        assert!(
            reason.starts_with("not a message river.Level: "),
            "{reason}"
        );
    }
}

#[test]
fn a_wrong_text_message_or_column_says_what_to_type() {
    let topic = topic("protobuf-wrong", 1);
    let error = topic.protobuf("message Level {", "Level").unwrap_err();
    assert_says(
        &error,
        &[
            "this .proto text cannot be read",
            "try:  syntax = \"proto3\"; message",
        ],
    );
    let error = topic.protobuf(LEVEL, "Levle").unwrap_err();
    assert_says(
        &error,
        &[
            "no message `Levle` in the .proto text",
            "have: river.Place, river.Level",
        ],
    );
    let levels = topic.protobuf(LEVEL, "Level").unwrap();
    let refused = |frame: DataFrame, parts: &[&str]| {
        assert_says(&levels.produce(&frame).unwrap_err(), parts);
    };
    refused(
        df!("guage" => ["G07"]).unwrap(),
        &[
            "no field `guage` in message river.Level of topic `protobuf-wrong`",
            "gauge (str)",
            "\"gauge\"",
        ],
    );
    refused(
        df!("gauge" => [None::<&str>]).unwrap(),
        &[
            "column `gauge` does not fit the message in row 0",
            "read back as the default",
            "optional gauge",
        ],
    );
    refused(
        df!("count" => [-1i64]).unwrap(),
        &["-1 does not fit uint32", "the type in the message: uint32"],
    );
    refused(
        df!("quality" => ["BAD"]).unwrap(),
        &["the text \"BAD\", not river.Quality"],
    );
    refused(
        df!("last" => ["[1]"]).unwrap(),
        &["such fields are read only"],
    );
    assert_eq!(topic.records().unwrap(), 0);
}
