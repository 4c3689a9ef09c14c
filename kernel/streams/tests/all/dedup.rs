//! Duplicates are left out once, counted, and forgotten when the watermark allows.

use std::collections::HashSet;

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, times, topic};

/// Rows of an id at a second of 10:00.
fn frame(rows: &[(i64, i64)]) -> DataFrame {
    let at: Vec<String> = rows
        .iter()
        .map(|(_, s)| format!("2013-02-08 10:{:02}:{:02}", s / 60, s % 60))
        .collect();
    let at: Vec<Option<&str>> = at.iter().map(|text| Some(text.as_str())).collect();
    let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
    DataFrame::new(
        rows.len(),
        vec![Column::new("id".into(), ids), times("at", &at)],
    )
    .unwrap()
}

fn counted(stream: Stream) -> Query {
    stream
        .window(Tumbling::of(seconds(10)))
        .agg([len().alias("n")])
        .unwrap()
}

fn total(rows: &DataFrame) -> i64 {
    rows.column("n").unwrap().i64().unwrap().sum().unwrap_or(0)
}

#[test]
fn a_key_within_the_watermark_counts_once() {
    let stream = topic("dedup-within", 1)
        .stream()
        .watermark("at", seconds(10))
        .drop_duplicates_within(["id"]);
    let batches = counted(stream)
        .run_batches(&[
            // The second 1 is one too many, whenever it happened.
            frame(&[(1, 0), (1, 3), (2, 5)]),
            frame(&[(1, 9), (3, 21)]),
            // The watermark stands at 11. Key 1, first seen at 0, is remembered until 10, and so until
            // the end of this batch.
            frame(&[(2, 12), (1, 13)]),
            // Late: the watermark of the batch before had passed it.
            frame(&[(4, 11), (5, 40)]),
        ])
        .unwrap();
    let duplicates: Vec<usize> = batches.iter().map(|run| run.duplicates).collect();
    assert_eq!(duplicates, [1, 1, 2, 0, 0]);
    let remembered: Vec<usize> = batches.iter().map(|run| run.remembered).collect();
    assert_eq!(remembered, [2, 3, 2, 3, 2]);
    let late = batches.late().unwrap();
    assert_eq!(late.height(), 1);
    assert_eq!(late.column("window_start").unwrap().null_count(), 1);
    assert_says_why(&batches.why_late(0).unwrap());
    assert_eq!(
        batches
            .progress()
            .unwrap()
            .column("duplicates")
            .unwrap()
            .i64()
            .unwrap()
            .sum(),
        Some(4)
    );
}

fn assert_says_why(text: &str) {
    assert!(
        text.contains(
            "the event of 2013-02-08 10:00:11 came when the watermark stood at 2013-02-08 10:00:11"
        ),
        "{text}"
    );
}

#[test]
fn with_the_event_time_among_the_columns_the_watermark_forgets() {
    let stream = topic("dedup-timed", 1)
        .stream()
        .watermark("at", seconds(10))
        .drop_duplicates(["id", "at"]);
    let batches = counted(stream)
        .run_batches(&[
            frame(&[(1, 0), (1, 0), (1, 1)]),
            frame(&[(1, 1), (1, 30)]),
            frame(&[(1, 30), (1, 31)]),
        ])
        .unwrap();
    let counts: Vec<(usize, usize)> = batches
        .iter()
        .map(|run| (run.duplicates, run.remembered))
        .collect();
    assert_eq!(counts, [(1, 2), (1, 3), (1, 2), (0, 2)]);
}

#[test]
fn without_a_watermark_before_it_every_key_is_kept() {
    let stream = topic("dedup-ever", 1)
        .stream()
        .drop_duplicates(["id"])
        .watermark("at", seconds(1));
    let query = counted(stream);
    let frames = [
        frame(&[(1, 0)]),
        frame(&[(2, 100)]),
        frame(&[(1, 200), (3, 300)]),
        frame(&[(1, 400)]),
    ];
    let batches = query.run_batches(&frames).unwrap();
    assert_eq!(batches.iter().map(|run| run.duplicates).sum::<usize>(), 2);
    assert_eq!(batches[batches.len() - 1].remembered, 3);
    // One run over all of it leaves out the same rows.
    let mut whole = frames[0].clone();
    for frame in &frames[1..] {
        whole.vstack_mut(frame).unwrap();
    }
    assert_eq!(total(&query.run_local(&whole).unwrap()), 3);
    assert_eq!(query.audit(&whole, &batches).unwrap().faults(), 0);
}

#[test]
fn columns_may_be_added_between_and_late_rows_go_together() {
    let stream = topic("dedup-columns", 1)
        .stream()
        .watermark("at", seconds(10))
        .drop_duplicates_within(["id"])
        .with_columns([(col("id") * lit(2)).alias("twice")]);
    let batches = counted(stream)
        .run_batches(&[
            frame(&[(1, 0), (2, 50)]),
            frame(&[(3, 60)]),
            frame(&[(4, 20), (5, 45)]),
            frame(&[(6, 41)]),
        ])
        .unwrap();
    let late = batches.late().unwrap();
    assert_eq!(late.height(), 2);
    assert_eq!(
        late.get_column_names(),
        ["window_start", "window_end", "late_by", "id", "at"]
    );
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    let stream = || topic("dedup-refused", 1).stream();
    let agg = |stream: Stream| {
        stream
            .window(Tumbling::of(seconds(10)))
            .agg([len().alias("n")])
    };
    assert_says(
        &agg(stream()
            .drop_duplicates_within(["id"])
            .watermark("at", seconds(1)))
        .unwrap_err(),
        &[
            "duplicates within the watermark need one before them",
            ".watermark(",
        ],
    );
    let none: [&str; 0] = [];
    assert_says(
        &agg(stream().watermark("at", seconds(1)).drop_duplicates(none)).unwrap_err(),
        &["duplicates of nothing", ".drop_duplicates([\"event_id\"])"],
    );
    let query = agg(stream()
        .watermark("at", seconds(1))
        .drop_duplicates(["ident"]))
    .unwrap();
    let error = query.run_batches(&[frame(&[(1, 0)])]).unwrap_err();
    assert!(error.is_unknown_column(), "{error}");
    let within = agg(stream()
        .watermark("at", seconds(1))
        .drop_duplicates_within(["id"]))
    .unwrap();
    assert_says(
        &within.run_local(&frame(&[(1, 0)])).unwrap_err(),
        &["depends on the micro-batches", ".run_batches("],
    );
}

#[test]
fn another_way_to_tell_duplicates_is_another_query() {
    let stream = || topic("dedup-plans", 1).stream().watermark("at", seconds(1));
    let (one, other) = (
        counted(stream().drop_duplicates(["id"])),
        counted(stream().drop_duplicates_within(["id"])),
    );
    let changes: Vec<String> = one
        .plan()
        .changes(&other.plan())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        changes,
        [
            "steps: was watermark; drop duplicates of id, is watermark; drop duplicates of id within the watermark"
        ]
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Every row is let through, a duplicate, or late; what is let through is what a plain model lets
    /// through; and a restart after every batch changes nothing.
    #[test]
    fn any_run_is_that_of_the_model(
        batches in proptest::collection::vec(proptest::collection::vec((0i64..8, 0i64..60), 1..15), 1..8),
        delay in 0u64..20,
        within in proptest::bool::ANY,
    ) {
        static TOPIC: std::sync::LazyLock<Topic> = std::sync::LazyLock::new(|| topic("dedup-any", 1));
        let stream = TOPIC.stream().watermark("at", seconds(delay));
        let stream = match within {
            true => stream.drop_duplicates_within(["id"]),
            false => stream.drop_duplicates(["id", "at"]),
        };
        let query = counted(stream).output(Complete);
        let test = TestRun::new(&query).unwrap();
        let (mut current, mut next) = (0i64, 0i64);
        let mut remembered: Vec<((i64, i64), i64)> = Vec::new();
        let (mut passed, mut late, mut rows_in) = (0, 0, 0);
        let start = 1_360_317_600i64;
        for (number, batch) in batches.iter().enumerate() {
            let batch: Vec<(i64, i64)> = batch.iter().map(|(id, s)| (*id, s + number as i64 * 15)).collect();
            test.push(&frame(&batch)).unwrap();
            test.restart().unwrap();
            let late_before = current;
            current = next;
            for (id, s) in &batch {
                let at = start + s;
                rows_in += 1;
                next = next.max(at - delay as i64);
                if at <= late_before {
                    late += 1;
                    continue;
                }
                let key = if within { (*id, 0) } else { (*id, at) };
                if remembered.iter().any(|(there, _)| *there == key) {
                    continue;
                }
                passed += 1;
                remembered.push((key, if within { at + delay as i64 } else { at }));
            }
            remembered.retain(|(_, until)| *until > current);
        }
        proptest::prop_assert_eq!(total(&test.state().unwrap()), passed);
        proptest::prop_assert_eq!(test.late().height() as i64, late);
        let keys: HashSet<_> = remembered.iter().map(|(key, _)| key).collect();
        proptest::prop_assert_eq!(keys.len(), remembered.len());
        proptest::prop_assert!(rows_in >= passed + late);
    }
}
