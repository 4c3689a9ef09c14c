//! Two streams joined within a span of event time: every match once, nulls when no match can come.

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, topic};

fn at(seconds: i64) -> String {
    format!("2013-02-08 10:{:02}:{:02}", seconds / 60, seconds % 60)
}

/// Rows of an id at a second of 10:00.
fn side(time: &str, rows: &[(Option<i64>, i64)]) -> DataFrame {
    df!(
        "id" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
        time => rows.iter().map(|row| at(row.1)).collect::<Vec<_>>(),
    )
    .unwrap()
}

fn orders(rows: &[(i64, i64)]) -> DataFrame {
    side(
        "ordered_at",
        &rows
            .iter()
            .map(|row| (Some(row.0), row.1))
            .collect::<Vec<_>>(),
    )
}

fn payments(rows: &[(i64, i64)]) -> DataFrame {
    side(
        "paid_at",
        &rows
            .iter()
            .map(|row| (Some(row.0), row.1))
            .collect::<Vec<_>>(),
    )
}

fn join(name: &str) -> StreamJoin {
    let side = |part: &str, time: &str, delay| {
        topic(&format!("{name}-{part}"), 1)
            .stream()
            .watermark(time, seconds(delay))
    };
    side("orders", "ordered_at", 10)
        .join_within(&side("payments", "paid_at", 20), ["id"], seconds(30))
        .unwrap()
}

#[test]
fn a_match_comes_out_whichever_side_was_first() {
    let test = JoinRun::new(&join("join-inner"));
    test.push_left(&orders(&[(1, 0), (2, 5)])).unwrap();
    test.expect(&DataFrame::empty()).unwrap();
    test.push_right(&payments(&[(2, 35), (1, 31), (3, 40)]))
        .unwrap();
    // Order 1 was paid after 31 seconds: too late.
    test.expect(&df!("id" => [2i64], "ordered_at" => [at(5)], "paid_at" => [at(35)]).unwrap())
        .unwrap();
    test.push_left(&orders(&[(3, 12), (3, 69)])).unwrap();
    test.expect(
        &df!("id" => [3i64, 3], "ordered_at" => [at(12), at(69)], "paid_at" => [at(40), at(40)])
            .unwrap(),
    )
    .unwrap();
    assert_eq!(test.emitted().height(), 3);
}

#[test]
fn an_outer_row_comes_out_when_no_match_can_come_any_more() {
    let test = JoinRun::new(&join("join-left").left());
    test.push(&orders(&[(1, 0), (2, 0)]), &payments(&[(2, 3)]))
        .unwrap();
    test.expect(&df!("id" => [2i64]).unwrap()).unwrap();
    // Order 1 may be paid until 30; the later of the two watermarks, that of the orders, does not count.
    test.push_left(&orders(&[(9, 100)])).unwrap();
    test.push_left(&orders(&[(9, 101)])).unwrap();
    test.expect(&DataFrame::empty()).unwrap();
    assert!(
        test.why_silent().contains(
            "the right side, topic join-left-payments, has come to 2013-02-08 10:00:03 only"
        ),
        "{}",
        test.why_silent()
    );
    test.push_right(&payments(&[(8, 50)])).unwrap();
    assert_eq!(test.watermark(), at(30));
    let batch = test.push(&DataFrame::empty(), &DataFrame::empty()).unwrap();
    assert_eq!((batch.rows.height(), batch.removed), (1, 2));
    let paid = batch.rows.column("paid_at").unwrap();
    assert_eq!(paid.null_count(), 1);
    test.expect(&df!("id" => [1i64], "ordered_at" => [at(0)], "paid_at" => ["null"]).unwrap())
        .unwrap();
    assert_eq!(
        (test.left_state().height(), test.right_state().height()),
        (2, 2)
    );
    // What comes for it now is late, counted and listed.
    let batch = test
        .push(&DataFrame::empty(), &payments(&[(1, 30)]))
        .unwrap();
    assert_eq!((batch.late_rows, batch.matches), ([0, 1], 0));
    assert_eq!(test.late().unwrap().height(), 1);
}

#[test]
fn a_full_join_keeps_the_keys_of_rows_that_stand_alone() {
    let join = join("join-full").full();
    let whole = join
        .run_local(&orders(&[(1, 0), (2, 0)]), &payments(&[(2, 3), (3, 4)]))
        .unwrap();
    let whole = whole.sort(["id"], SortMultipleOptions::default()).unwrap();
    let ids: Vec<Option<i64>> = whole.column("id").unwrap().i64().unwrap().iter().collect();
    assert_eq!(ids, [Some(1), Some(2), Some(3)]);
    let nulls = |name: &str| -> Vec<bool> {
        whole
            .column(name)
            .unwrap()
            .is_null()
            .iter()
            .map(Option::unwrap)
            .collect()
    };
    assert_eq!(nulls("ordered_at"), [false, false, true]);
    assert_eq!(nulls("paid_at"), [true, false, false]);
    // One side may bring nothing at all.
    let alone = join
        .run_local(&DataFrame::empty(), &payments(&[(7, 1)]))
        .unwrap();
    assert_eq!(alone.column("id").unwrap().i64().unwrap().get(0), Some(7));
}

#[test]
fn many_keys_that_come_and_go_keep_matching() {
    let test = JoinRun::new(&join("join-many"));
    for round in 0..6i64 {
        let rows: Vec<(i64, i64)> = (0..4000)
            .map(|id| (round * 4000 + id, round * 100))
            .collect();
        assert_eq!(
            test.push(&orders(&rows), &payments(&rows)).unwrap().matches,
            4000
        );
        assert!(test.left_state().height() <= 8000);
    }
}

#[test]
fn null_keys_match_nothing_and_null_times_wait_for_nothing() {
    let join = join("join-nulls").left();
    let left = side("ordered_at", &[(None, 0), (Some(1), 0)]);
    let right = side("paid_at", &[(None, 0), (Some(1), 0)]);
    assert_eq!(join.run_local(&left, &right).unwrap().height(), 2);
    let timeless = df!("id" => [1i64], "ordered_at" => [None::<&str>]).unwrap();
    let batches = join
        .run_batches(&[(timeless, payments(&[(1, 0)]))])
        .unwrap();
    assert_eq!(
        (
            batches[0].without_time,
            batches[0].matches,
            batches[0].rows.height()
        ),
        ([1, 0], 0, 1)
    );
    assert_eq!(batches.progress().unwrap().height(), batches.iter().count());
}

#[test]
fn columns_of_one_name_are_told_apart() {
    let with = |name: &str| {
        let stream = topic(name, 1).stream().watermark("at", seconds(1));
        stream.with_columns([(col("id") + lit(1)).alias("next")])
    };
    let join = with("join-names-a")
        .join_within(&with("join-names-b"), ["id"], seconds(1))
        .unwrap();
    let rows = side("at", &[(Some(1), 0)]);
    let joined = join.run_local(&rows, &rows).unwrap();
    assert_eq!(
        joined.get_column_names(),
        ["id", "at", "next", "at_right", "next_right"]
    );
}

#[test]
fn topics_are_joined_as_they_stand() {
    let (orders, payments) = (
        topic("join-topics-orders", 2),
        topic("join-topics-payments", 1),
    );
    orders
        .send("1", r#"{"id":1,"ordered_at":"2013-02-08T10:00:00Z"}"#)
        .unwrap();
    payments
        .send("1", r#"{"id":1,"paid_at":"2013-02-08T10:00:09Z"}"#)
        .unwrap();
    let stream = |topic: &Topic, time| topic.stream().watermark(time, seconds(10));
    let join = stream(&orders, "ordered_at")
        .join_within(&stream(&payments, "paid_at"), ["id"], seconds(30))
        .unwrap();
    let joined = join.run_available().unwrap().frame().unwrap();
    assert_eq!(joined.height(), 1);
    assert_eq!(joined.get_column_names(), ["id", "ordered_at", "paid_at"]);
}

#[test]
fn what_cannot_be_joined_is_refused() {
    let stream = |name: &str| topic(name, 1).stream();
    let timed = |name: &str| stream(name).watermark("at", seconds(1));
    let none: [&str; 0] = [];
    assert_says(
        &timed("join-a")
            .join_within(&timed("join-b"), none, seconds(1))
            .unwrap_err(),
        &["a join needs a key", "[\"order_id\"]"],
    );
    assert_says(
        &timed("join-a")
            .join_within(&stream("join-b"), ["id"], seconds(1))
            .unwrap_err(),
        &[
            "the right side of a join needs a watermark",
            "topic join-b",
            ".watermark(",
        ],
    );
    assert_says(
        &timed("join-a")
            .drop_duplicates(["id"])
            .join_within(&timed("join-b"), ["id"], seconds(1))
            .unwrap_err(),
        &[
            "the left side of a join cannot tell duplicates",
            ".to(&topic)",
        ],
    );
    let join = timed("join-a")
        .join_within(&timed("join-b"), ["ident"], seconds(1))
        .unwrap();
    let rows = side("at", &[(Some(1), 0)]);
    assert!(
        join.run_local(&rows, &rows)
            .unwrap_err()
            .is_unknown_column()
    );
    let join = timed("join-a")
        .join_within(&timed("join-b"), ["id"], seconds(1))
        .unwrap();
    let texts = df!("id" => ["1"], "at" => [at(0)]).unwrap();
    assert_says(&join.run_local(&rows, &texts).unwrap_err(), &["i64", "str"]);
    assert!(
        format!("{join:?}").contains("Inner join of topic join-a (`at`, watermark 1 s behind)"),
        "{join:?}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Every pair of rows that were not late and lie close enough comes out once, every other such row
    /// comes out alone or is still kept, and no row is lost, however the batches are cut.
    #[test]
    fn any_run_is_a_loop_over_all_pairs(
        batches in proptest::collection::vec((
            proptest::collection::vec((proptest::option::weighted(0.9, 0i64..4), 0i64..40), 0..8),
            proptest::collection::vec((proptest::option::weighted(0.9, 0i64..4), 0i64..40), 0..8),
        ), 1..7),
        within in 0u64..25,
        full in proptest::bool::ANY,
    ) {
        static SIDES: std::sync::LazyLock<(Topic, Topic)> = std::sync::LazyLock::new(|| (topic("join-any-l", 1), topic("join-any-r", 1)));
        let stream = |topic: &Topic, time, delay| topic.stream().watermark(time, seconds(delay));
        let join = stream(&SIDES.0, "ordered_at", 5).join_within(&stream(&SIDES.1, "paid_at", 9), ["id"], seconds(within)).unwrap();
        let test = JoinRun::new(&if full { join.full() } else { join });
        let (mut current, mut next) = ([0i64; 2], [0i64; 2]);
        let start = 1_360_317_600i64;
        let mut kept: [Vec<(Option<i64>, i64)>; 2] = [Vec::new(), Vec::new()];
        let (mut late, mut matches) = (0, 0);
        for (number, (left, right)) in batches.iter().enumerate() {
            let drift = |rows: &[(Option<i64>, i64)]| -> Vec<(Option<i64>, i64)> {
                rows.iter().map(|row| (row.0, row.1 + number as i64 * 12)).collect()
            };
            let rows = [drift(left), drift(right)];
            let batch = test.push(&side("ordered_at", &rows[0]), &side("paid_at", &rows[1])).unwrap();
            matches += batch.matches;
            let late_before = current[0].min(current[1]);
            current = next;
            for (index, delay) in [(0usize, 5i64), (1, 9)] {
                for row in &rows[index] {
                    next[index] = next[index].max(start + row.1 - delay);
                    if start + row.1 <= late_before {
                        late += 1;
                    } else {
                        kept[index].push(*row);
                    }
                }
            }
        }
        let is_pair = |l: &(Option<i64>, i64), r: &(Option<i64>, i64)| {
            l.0.is_some() && l.0 == r.0 && (l.1 - r.1).abs() <= within as i64
        };
        let pairs = kept[0].iter().map(|l| kept[1].iter().filter(|r| is_pair(l, r)).count()).sum::<usize>();
        proptest::prop_assert_eq!(matches, pairs);
        proptest::prop_assert_eq!(test.late().unwrap().height(), late);
        let watermark = current[0].min(current[1]);
        let is_over = |row: &&(Option<i64>, i64)| start + row.1 + within as i64 <= watermark;
        let alone = kept[0].iter().filter(is_over).filter(|l| !kept[1].iter().any(|r| is_pair(l, r))).count()
            + kept[1].iter().filter(is_over).filter(|r| !kept[0].iter().any(|l| is_pair(l, r))).count();
        let expected = pairs + if full { alone } else { 0 };
        proptest::prop_assert_eq!(test.emitted().height(), expected);
        let waiting = kept.iter().flatten().filter(|row| !is_over(row)).count();
        proptest::prop_assert_eq!(test.left_state().height() + test.right_state().height(), waiting);
    }
}
