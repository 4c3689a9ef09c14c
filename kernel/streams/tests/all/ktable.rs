//! Tables: the latest row of every key, its versions, sums that follow, and streams joined with them.

use headwater_streams::Applied;
use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, times, topic};

fn tiers(rows: &[(&str, &str, i64)]) -> DataFrame {
    df!(
        "customer" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
        "tier" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
        "spent" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
    )
    .unwrap()
}

fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    frame
        .column(column)
        .unwrap()
        .str()
        .unwrap()
        .iter()
        .map(|text| text.map(String::from))
        .collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some(text.to_string())).collect()
}

#[test]
fn the_last_row_of_a_key_holds() {
    let table = KTable::new(["customer"]);
    let applied = table
        .apply(&tiers(&[
            ("ben", "basic", 1),
            ("anna", "gold", 2),
            ("ben", "gold", 3),
        ]))
        .unwrap();
    assert_eq!(
        applied,
        Applied {
            inserted: 2,
            updated: 1,
            ..Applied::default()
        }
    );
    assert_eq!(
        texts(&table.frame().unwrap(), "customer"),
        some(&["anna", "ben"])
    );
    assert_eq!(texts(&table.get("ben").unwrap(), "tier"), some(&["gold"]));
    assert_eq!(table.get("carl").unwrap().height(), 0);
    let gone = df!("customer" => ["anna", "carl"]).unwrap();
    assert_eq!(
        table.delete(&gone).unwrap(),
        Applied {
            deleted: 1,
            skipped: 1,
            ..Applied::default()
        }
    );
    assert_eq!((table.len(), table.get("anna").unwrap().height()), (1, 0));
    // A clone is the same table.
    table
        .clone()
        .apply(&tiers(&[("dora", "basic", 0)]))
        .unwrap();
    assert_eq!(table.len(), 2);
}

#[test]
fn sums_follow_the_table_and_subtract_what_was() {
    let table = KTable::new(["customer"]);
    table
        .apply(&tiers(&[("anna", "gold", 10), ("ben", "basic", 1)]))
        .unwrap();
    let (spent, count) = (
        table.sum_by("tier", "spent").unwrap(),
        table.count_by("tier").unwrap(),
    );
    table
        .apply(&tiers(&[
            ("ben", "gold", 5),
            ("carl", "basic", 7),
            ("carl", "basic", 8),
        ]))
        .unwrap();
    table.delete(&df!("customer" => ["anna"]).unwrap()).unwrap();
    let spent = spent.frame().unwrap();
    assert_eq!(texts(&spent, "tier"), some(&["basic", "gold"]));
    assert_eq!(
        spent
            .column("sum")
            .unwrap()
            .f64()
            .unwrap()
            .iter()
            .collect::<Vec<_>>(),
        [Some(8.0), Some(5.0)]
    );
    assert_eq!(
        count
            .frame()
            .unwrap()
            .column("count")
            .unwrap()
            .i64()
            .unwrap()
            .sum(),
        Some(table.len() as i64)
    );
    assert_says(
        &table.sum_by("tier", "customer").err().unwrap(),
        &["there is no sum of `customer`", "dtype str"],
    );
    assert!(table.count_by("teir").err().unwrap().is_unknown_column());
}

fn history() -> KTable {
    let table = KTable::new(["customer"]).versioned("from");
    let mut rows = tiers(&[
        ("anna", "basic", 0),
        ("anna", "gold", 0),
        ("anna", "silver", 0),
    ]);
    let from = times(
        "from",
        &[
            Some("2013-02-08 10:00:00"),
            Some("2013-02-08 12:00:00"),
            Some("2013-02-08 11:00:00"),
        ],
    );
    rows.with_column(from).unwrap();
    // The third change comes late and takes its place in the past.
    let applied = table.apply(&rows).unwrap();
    assert_eq!(
        applied,
        Applied {
            inserted: 1,
            updated: 1,
            older: 1,
            ..Applied::default()
        }
    );
    table
}

#[test]
fn a_versioned_table_knows_what_held_when() {
    let table = history();
    for (at, tier) in [
        ("2013-02-08 10:30", "basic"),
        ("2013-02-08 11:00", "silver"),
        ("2013-02-08 13:00", "gold"),
    ] {
        assert_eq!(texts(&table.as_of(at).unwrap(), "tier"), some(&[tier]));
    }
    assert_eq!(table.as_of("2013-02-08 09:59").unwrap().height(), 0);
    assert_eq!(texts(&table.frame().unwrap(), "tier"), some(&["gold"]));
    assert_says(&table.as_of("noon").unwrap_err(), &["`noon` is no time"]);
    assert_says(
        &KTable::new(["a"]).as_of("2013-02-08").unwrap_err(),
        &["knows only what holds now", ".versioned("],
    );
    assert_says(
        &KTable::new(["a", "b"]).get("a").unwrap_err(),
        &["by all of its keys", "keys a, b"],
    );
}

#[test]
fn a_stream_takes_the_version_of_the_events_time() {
    let orders = |at: &[Option<&str>], customers: &[Option<&str>]| {
        let customers = Column::new("customer".into(), customers.to_vec());
        DataFrame::new(at.len(), vec![times("at", at), customers]).unwrap()
    };
    let rows = orders(
        &[
            Some("2013-02-08 10:30:00"),
            Some("2013-02-08 12:30:00"),
            Some("2013-02-08 10:40:00"),
            Some("2013-02-08 11:10:00"),
            Some("2013-02-08 10:41:00"),
        ],
        &[Some("anna"), Some("anna"), Some("ben"), Some("anna"), None],
    );
    let stream = topic("ktable-join", 1)
        .stream()
        .watermark("at", hours(3))
        .left_join(&history());
    let query = stream
        .group_by(["tier"])
        .window(Tumbling::of(hours(24)))
        .agg([len().alias("orders")])
        .unwrap();
    let result = query.run_local(&rows).unwrap();
    let tiers = texts(&result, "tier");
    assert_eq!(
        tiers,
        [
            None,
            Some("basic".into()),
            Some("gold".into()),
            Some("silver".into())
        ]
    );
    let orders = result
        .column("orders")
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .collect::<Vec<_>>();
    assert_eq!(orders, [Some(2), Some(1), Some(1), Some(1)]);
    assert!(
        query
            .plan()
            .to_json()
            .unwrap()
            .contains("left join of a table by customer, as of from")
    );
    let error = query
        .run_local(&DataFrame::new(1, vec![times("at", &[None])]).unwrap())
        .unwrap_err();
    assert!(error.is_unknown_column(), "{error}");
}

#[test]
fn a_changelog_topic_becomes_a_table() {
    let topic = topic("ktable-changelog", 2);
    for (key, value) in [
        ("1", r#"{"id":1,"name":"old"}"#),
        ("2", r#"{"id":2,"name":"two"}"#),
        ("1", r#"{"id":1,"name":"new"}"#),
    ] {
        topic.send(key, value).unwrap();
    }
    let table = KTable::new(["id"]);
    assert_eq!(
        table.read(&topic).unwrap(),
        Applied {
            inserted: 2,
            updated: 1,
            ..Applied::default()
        }
    );
    assert_eq!(texts(&table.get("1").unwrap(), "name"), some(&["new"]));
    assert!(
        KTable::new(["ident"])
            .read(&topic)
            .unwrap_err()
            .is_unknown_column()
    );
}

#[test]
fn many_changes_of_few_keys_are_compacted_and_null_keys_change_nothing() {
    let table = KTable::new(["id"]);
    let count = table.count_by("name").unwrap();
    for round in 0..30i64 {
        let ids: Vec<Option<i64>> = (0..400)
            .map(|id| (id % 40 != 7).then_some(id % 40))
            .collect();
        let names: Vec<String> = (0..400).map(|id| format!("{}", (id + round) % 3)).collect();
        table
            .apply(&df!("id" => ids, "name" => names).unwrap())
            .unwrap();
    }
    assert_eq!(table.len(), 39);
    assert_eq!(
        count
            .frame()
            .unwrap()
            .column("count")
            .unwrap()
            .i64()
            .unwrap()
            .sum(),
        Some(39)
    );
    // The last change of id 3 was number 363 of round 29.
    assert_eq!(texts(&table.get("3").unwrap(), "name"), some(&["2"]));
}

#[test]
fn null_is_no_text_and_a_grouping_that_nobody_holds_is_let_go() {
    let table = KTable::new(["customer"]);
    table
        .apply(&df!("customer" => ["null", "anna"], "tier" => [Some("gold"), None]).unwrap())
        .unwrap();
    let stream = topic("ktable-null", 1)
        .stream()
        .watermark("at", hours(1))
        .left_join(&table);
    let rows = DataFrame::new(
        2,
        vec![
            times("at", &[Some("2013-02-08 10:00:00"); 2]),
            Column::new("customer".into(), [None, Some("null")]),
        ],
    )
    .unwrap();
    let query = stream
        .group_by(["tier"])
        .window(Tumbling::of(hours(1)))
        .agg([len().alias("n")])
        .unwrap();
    assert_eq!(
        texts(&query.run_local(&rows).unwrap(), "tier"),
        [None, Some("gold".into())]
    );
    drop(table.count_by("tier").unwrap());
    let held = table.count_by("tier").unwrap();
    assert_eq!(
        texts(&held.frame().unwrap(), "tier"),
        [None, Some("gold".into())]
    );
    let folder = tempfile::tempdir().unwrap();
    let job = query.to(FrameSink::new()).checkpoint(folder.path());
    assert_says(
        &job.run_available().err().unwrap(),
        &["a job cannot join a table", "a job without .left_join(..)"],
    );
}
