//! Sources: a growing folder, each file once, and rows that are made at a rate.

use std::fs;
use std::time::Instant;

use headwater_streams::prelude::*;
use polars::prelude::ChunkAgg;
use serde_json::json;

use crate::{assert_says, topic, until};

#[test]
fn a_growing_folder_is_sent_file_by_file_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        // Whole when it gets its name.
        fs::write(folder.path().join(".new"), text).unwrap();
        fs::rename(folder.path().join(".new"), folder.path().join(name)).unwrap();
    };
    put("b.csv", "id,zone\n1,A\n2,B\n");
    put("_half.csv", "id,zone\n");
    let topic = topic("source-folder", 1);
    let feed = Folder::watch(folder.path())
        .key("zone")
        .start(&topic)
        .unwrap();
    feed.wait_for_records(2).unwrap();
    put(
        "a.jsonl",
        "{\"id\":3,\"zone\":\"A\"}\nnonsense\n{\"id\":4,\"zone\":null}\n",
    );
    feed.wait_for_records(4).unwrap();
    put("c.txt", "what is this");
    put("d.parquet", "no parquet");
    until("both odd files are rejected", || {
        feed.counts().rejected == 3
    });
    feed.stop().unwrap();
    let counts = feed.counts();
    assert_eq!((counts.sent, counts.files, counts.ended), (4, 2, true));
    let rows = topic.read_with_metadata(Earliest).unwrap();
    let ids: Vec<i64> = rows
        .column("id")
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    let rejected = feed.rejected().unwrap();
    let reasons: Vec<&str> = rejected
        .column("reason")
        .unwrap()
        .str()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    assert!(reasons[0].contains("not a JSON object"), "{reasons:?}");
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("a file of another kind")),
        "{reasons:?}"
    );
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("not a Parquet file")),
        "{reasons:?}"
    );
    assert!(
        format!("{feed:?}").contains("ended · 4 sent from 2 files · 3 rejected; the first:"),
        "{feed:?}"
    );
}

#[test]
fn a_folder_read_once_comes_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "id\n1\n2\n3\n").unwrap();
    let topic = topic("source-once", 2);
    let feed = Folder::once(folder.path()).start(&topic).unwrap();
    feed.wait().unwrap();
    assert_eq!((feed.counts().sent, topic.records().unwrap()), (3, 3));
    let wrong = Folder::once(folder.path())
        .key("zone")
        .start(&topic)
        .unwrap();
    wrong.wait().unwrap();
    assert_eq!((wrong.counts().sent, wrong.counts().rejected), (0, 1));
    let none = Folder::watch(folder.path().join("none"))
        .start(&topic)
        .err()
        .unwrap();
    assert!(none.is_missing_data());
    assert_says(&none, &["no folder", "Folder::watch("]);
}

#[test]
fn made_rows_come_at_their_rate_and_end() {
    let topic = topic("source-made", 1);
    let began = Instant::now();
    let feed = Generator::rows(|n| json!({"id": n, "zone": n % 3}))
        .key("zone")
        .per_second(1000.0)
        .take(300)
        .start(&topic)
        .unwrap();
    feed.wait().unwrap();
    // At least so long; how much longer the machine decides.
    assert!(
        began.elapsed().as_secs_f64() >= 0.29,
        "{:?}",
        began.elapsed()
    );
    assert_eq!((feed.counts().sent, topic.records().unwrap()), (300, 300));
    let rows = topic.read(Earliest).unwrap();
    assert_eq!(
        rows.column("id").unwrap().i64().unwrap().sum(),
        Some(299 * 300 / 2)
    );
    let endless = Generator::rows(|n| json!({"id": n})).start(&topic).unwrap();
    endless.wait_for_records(5000).unwrap();
    endless.stop().unwrap();
    assert!(endless.counts().ended);
}

#[test]
fn what_is_no_row_ends_the_generator_with_an_error() {
    let topic = topic("source-odd", 1);
    let run = |generator: Generator| {
        generator
            .take(3)
            .start(&topic)
            .and_then(|feed| feed.wait())
            .unwrap_err()
    };
    assert_says(
        &run(Generator::rows(|n| json!(n))),
        &["row 0 is no object", "json!({"],
    );
    assert_says(
        &run(Generator::rows(|n| json!({"id": n})).key("zone")),
        &["row 0 has no field `zone`"],
    );
    assert_says(
        &run(Generator::rows(|_| panic!("not today"))),
        &["the source has panicked", "not today"],
    );
    assert_says(
        &run(Generator::rows(|n| json!({"id": n})).per_second(0.0)),
        &["a rate is a number above zero"],
    );
}
