//! Records in Avro behind a registry's id.

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::formats::{bytes, rejected};
use crate::job::{per_gauge, readings};
use crate::{assert_says, topic};

fn registry() -> Registry {
    Registry::in_topic(&Cluster::embedded().unwrap()).unwrap()
}

/// Returns a query that reads what a topic holds; the records need a column `at`.
fn any_rows(topic: &Topic) -> Query {
    topic
        .stream()
        .watermark("at", minutes(1))
        .group_by(["gauge"])
        .window(Tumbling::of(minutes(10)))
        .agg([len()])
        .unwrap()
}

/// One row of every dtype that Avro has a place for, and one of nulls.
fn every_dtype() -> DataFrame {
    let at = 1_360_314_000_123_456i64;
    let cast = |name: &str, value: i64, dtype: DataType| -> Column {
        let series = Series::new(name.into(), [Some(value), None]);
        // A strict cast would refuse days as i64.
        let series = match dtype {
            DataType::Date => series.cast(&DataType::Int32).unwrap(),
            _ => series,
        };
        series.cast(&dtype).unwrap().into()
    };
    let utc = || Some(TimeZone::UTC);
    let columns: Vec<Column> = vec![
        Series::new("truth".into(), [Some(true), None]).into(),
        cast("int", -7, DataType::Int32),
        cast("long", i64::MIN, DataType::Int64),
        Series::new("float".into(), [Some(0.1f32), None]).into(),
        Series::new("double".into(), [Some(f64::NAN), None]).into(),
        Series::new("text".into(), [Some("größer"), None]).into(),
        Series::new("bytes".into(), [Some(&b"\x00\xff"[..]), None]).into(),
        cast("day", 15_744, DataType::Date),
        cast(
            "ms",
            at / 1000,
            DataType::Datetime(TimeUnit::Milliseconds, utc()),
        ),
        cast("us", at, DataType::Datetime(TimeUnit::Microseconds, utc())),
        cast(
            "ns",
            at * 1000 + 789,
            DataType::Datetime(TimeUnit::Nanoseconds, utc()),
        ),
        cast(
            "local",
            at,
            DataType::Datetime(TimeUnit::Microseconds, None),
        ),
        Series::full_null("nothing".into(), 2, &DataType::Null).into(),
    ];
    DataFrame::new(2, columns).unwrap()
}

#[test]
fn every_dtype_comes_back() {
    let topic = topic("avro-dtypes", 1).avro(&registry());
    let sent = every_dtype();
    topic.produce(&sent).unwrap();
    let read = topic.read(Earliest).unwrap();
    assert_eq!(read.schema(), sent.schema());
    assert!(read.equals_missing(&sent), "{read}");
    // The same columns again need no other schema.
    topic.produce(&sent).unwrap();
    let subjects = registry().subjects().unwrap();
    let ours = subjects
        .lazy()
        .filter(col("subject").eq(lit("avro-dtypes-value")))
        .collect()
        .unwrap();
    assert_eq!(
        ours.column("version").unwrap().i32().unwrap().get(0),
        Some(1)
    );
}

/// The example of the specification: 27 and "foo" are `36 06 66 6f 6f`
/// (<https://avro.apache.org/docs/1.12.0/specification/#schema-record>).
#[test]
fn records_are_those_of_the_specification() {
    let registry = registry();
    let schema = r#"{"type": "record", "name": "test", "fields": [
        {"name": "a", "type": "long"}, {"name": "b", "type": "string"}]}"#;
    let topic = topic("avro-specification", 1);
    let id = registry
        .register("avro-specification-value", schema)
        .unwrap();
    let avro = topic.avro(&registry);
    avro.produce(&df!("a" => [27i64], "b" => ["foo"]).unwrap())
        .unwrap();
    let [_, a, b, c] = id.to_be_bytes();
    let expected = [0, 0, a, b, c, 0x36, 0x06, 0x66, 0x6f, 0x6f];
    assert!(
        topic
            .raw()
            .read(Earliest)
            .unwrap()
            .equals(&bytes(&[&expected]))
    );
    // By hand, and back.
    topic.raw().produce(&bytes(&[&expected])).unwrap();
    let read = avro.read(Earliest).unwrap();
    assert!(
        read.equals(&df!("a" => [27i64, 27], "b" => ["foo", "foo"]).unwrap()),
        "{read}"
    );
    assert_eq!(registry.schema(id).unwrap(), schema);
}

#[test]
fn what_is_no_record_is_rejected_with_the_reason() {
    let registry = registry();
    let topic = topic("avro-rejected", 1);
    let avro = topic.avro(&registry);
    avro.produce(&readings(0, 2)).unwrap();
    let good = topic.raw().read(Earliest).unwrap();
    let good = good.column("value").unwrap().binary().unwrap();
    let good = good.get(0).unwrap();
    let cut = &good[..good.len() - 1];
    let long = [good, b"!!"].concat();
    let unknown = [&[0, 0x7f, 0, 0, 1][..], &good[5..]].concat();
    topic
        .raw()
        .produce(&bytes(&[
            b"",
            b"{\"a\":1}",
            &[0, 0, 0],
            cut,
            &long,
            &unknown,
        ]))
        .unwrap();
    let reasons = rejected(&any_rows(&avro));
    let expected = [
        "no schema id: 0 bytes, it takes 5",
        "no schema id: the first byte is 123",
        "no schema id: 3 bytes, it takes 5",
        "not Avro of schema",
        "2 bytes follow the datum",
        "no schema 2130706433 in topic headwater-schemas",
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.contains(expected), "{reason}");
    }
    assert_eq!(avro.read(Earliest).unwrap().height(), 2);
}

#[test]
fn a_new_column_is_null_in_old_records_and_a_lost_one_in_new_ones() {
    let topic = topic("avro-evolution", 1).avro(&registry());
    topic
        .produce(&df!("a" => [1i32], "b" => ["x"]).unwrap())
        .unwrap();
    topic
        .produce(&df!("a" => [2i32], "b" => ["y"], "c" => [0.5]).unwrap())
        .unwrap();
    // Avro reads an int where a long is expected.
    topic
        .produce(&df!("a" => [1i64 << 40], "c" => [1.5]).unwrap())
        .unwrap();
    let read = topic.read(Earliest).unwrap();
    let expected = df!(
        "a" => [1i64, 2, 1 << 40],
        "b" => [Some("x"), Some("y"), None],
        "c" => [None, Some(0.5), Some(1.5)],
    )
    .unwrap();
    assert!(read.equals_missing(&expected), "{read}");
    let error = topic.produce(&df!("a" => ["text"]).unwrap()).unwrap_err();
    assert_says(
        &error,
        &[
            "with the new schema of avro-evolution-value, records that are there could not be read",
            "have: a: was [null, long], is [null, string]",
            "try:  new columns may be added",
        ],
    );
    assert_eq!(topic.records().unwrap(), 3);
}

#[test]
fn a_schema_of_other_programs_gives_columns_for_all_its_types() {
    let registry = registry();
    let schema = r#"{"type": "record", "name": "Order", "fields": [
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["OPEN", "PAID"]}},
        {"name": "was", "type": ["null", "State"]},
        {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "lines", "type": {"type": "array", "items": "int"}},
        {"name": "tags", "type": {"type": "map", "values": "string"}},
        {"name": "mixed", "type": ["null", "long", "string"]},
        {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}}]}"#;
    let id = registry.register("avro-types-value", schema).unwrap();
    let topic = topic("avro-types", 1);
    let uuid = "0123456789abcdef-0123-4567-89abcdef0123";
    let uuid = uuid.replace('-', "");
    let uuid = format!(
        "{}-{}-{}-{}-{}",
        &uuid[..8],
        &uuid[8..12],
        &uuid[12..16],
        &uuid[16..20],
        &uuid[20..32]
    );
    let mut record = vec![0];
    record.extend_from_slice(&id.to_be_bytes());
    record.push(72);
    record.extend_from_slice(uuid.as_bytes());
    record.extend_from_slice(&[2, 2, 0]); // PAID; was the second type, OPEN
    record.extend_from_slice(&[4, 0xff, 0x85]); // -123 in two's complement: -1.23
    record.extend_from_slice(&[4, 2, 4, 0]); // [1, 2]
    record.extend_from_slice(&[2, 2, b'k', 2, b'v', 0]); // {k: v}
    record.extend_from_slice(&[2, 14]); // long 7
    record.extend_from_slice(&[0x80, 0x04]); // 256 ms
    topic.raw().produce(&bytes(&[&record])).unwrap();
    let read = topic.avro(&registry).read(Earliest).unwrap();
    let clock = Series::new("clock".into(), [256i64])
        .cast(&DataType::Duration(TimeUnit::Milliseconds))
        .unwrap();
    let mut expected = df!(
        "id" => [uuid.as_str()],
        "state" => ["PAID"],
        "was" => ["OPEN"],
        "total" => ["-1.23"],
        "lines" => ["[1,2]"],
        "tags" => ["{\"k\":\"v\"}"],
        "mixed" => ["7"],
    )
    .unwrap();
    expected.with_column(clock.into()).unwrap();
    assert!(read.equals(&expected), "{read}");
}

#[test]
fn one_typed_object_follows_the_newest_schema() {
    let registry = registry();
    let topic = topic("avro-typed", 1).avro(&registry);
    let error = topic.send("G07", "{\"level_cm\": 1}").unwrap_err();
    assert_says(
        &error,
        &[
            "topic `avro-typed` has no schema yet",
            "nothing under avro-typed-value",
            "topic.produce(&frame)?",
        ],
    );
    topic.produce(&readings(0, 1)).unwrap();
    topic
        .send("G07", r#"{"level_cm": 5, "at": "2013-02-08T10:00:00Z"}"#)
        .unwrap();
    let read = topic.read(Earliest).unwrap();
    assert_eq!(read.height(), 2);
    assert_eq!(read.column("gauge").unwrap().null_count(), 1);
    assert_eq!(read.column("at").unwrap().null_count(), 0);
    let error = topic.send("G07", r#"{"levelcm": 5}"#).unwrap_err();
    assert_says(
        &error,
        &[
            "no field `levelcm` in the schema of topic `avro-typed`",
            "level_cm",
        ],
    );
    let error = topic.send("G07", r#"{"level_cm": "high"}"#).unwrap_err();
    assert_says(
        &error,
        &[
            "column `level_cm` does not fit the schema in the object",
            "the text \"high\", not long",
            "[null, long]",
        ],
    );
    let error = topic.send("G07", "high").unwrap_err();
    assert_says(
        &error,
        &["this is not a JSON object", "expected `{`", "topic.send("],
    );
}

#[test]
fn names_and_dtypes_without_a_place_in_avro_are_refused() {
    let topic = topic("avro-refused", 1).avro(&registry());
    let error = topic
        .produce(&df!("2nd level" => [1]).unwrap())
        .unwrap_err();
    assert_says(
        &error,
        &[
            "column `2nd level` has no name that Avro allows",
            "try:  frame.rename(\"2nd level\", \"_2nd_level\"",
        ],
    );
    let span = Series::new("span".into(), [1i64])
        .cast(&DataType::Duration(TimeUnit::Microseconds))
        .unwrap();
    let span = DataFrame::new(1, vec![span.into()]).unwrap();
    let error = topic.produce(&span).unwrap_err();
    assert_says(
        &error,
        &[
            "column `span` cannot be sent as Avro",
            "dtype duration",
            "Int64",
        ],
    );
    let error = topic.produce(&df!("n" => [u64::MAX]).unwrap()).unwrap_err();
    assert_says(
        &error,
        &[
            "column `n` does not fit the schema in row 0",
            "18446744073709551615",
        ],
    );
    assert_eq!(topic.records().unwrap(), 0);
}

#[test]
fn windows_over_avro_are_those_over_json_live_and_in_a_run() {
    let registry = registry();
    let json = topic("avro-windows-json", 2);
    let avro = topic("avro-windows", 2).avro(&registry);
    for topic in [&json, &avro] {
        topic.produce_keyed(&readings(0, 300), "gauge").unwrap();
    }
    let expected = per_gauge(&json)
        .run_local(&json.read(Earliest).unwrap())
        .unwrap();
    let found = per_gauge(&avro)
        .run_local(&avro.read(Earliest).unwrap())
        .unwrap();
    assert!(found.equals(&expected), "{found}");
    let place = crate::job::Place::new();
    let windows = |topic: &Topic, name: &str| {
        let sink = Parquet::dir(place.of(name));
        per_gauge(topic)
            .to(&sink)
            .checkpoint(place.of(&format!("{name}-checkpoint")))
            .run_available()
            .unwrap();
        crate::job::rows(&sink.read().unwrap())
    };
    assert_eq!(windows(&avro, "avro"), windows(&json, "json"));
}
