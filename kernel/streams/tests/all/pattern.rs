//! One event and then another: every match once, in the order of event time.

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, topic};

fn clicks(rows: &[(&str, char, i64)]) -> DataFrame {
    df!(
        "user" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
        "kind" => rows.iter().map(|row| row.1.to_string()).collect::<Vec<_>>(),
        "at" => rows.iter().map(|row| at(row.2)).collect::<Vec<_>>(),
    )
    .unwrap()
}

fn at(seconds: i64) -> String {
    format!("2013-02-08 10:{:02}:{:02}", seconds / 60, seconds % 60)
}

fn stream(name: &str) -> Stream {
    topic(name, 1).stream().watermark("at", seconds(10))
}

fn pattern(name: &str) -> Pattern {
    let kind = |kind: &str| col("kind").eq(lit(kind.to_owned()));
    stream(name)
        .pattern(["user"])
        .first(kind("A"))
        .then(kind("B"))
        .without(kind("C"))
        .within(seconds(30))
}

#[test]
fn a_then_b_without_c_between() {
    let matches = pattern("pattern-local")
        .run_local(&clicks(&[
            ("u", 'B', 9),
            ("u", 'A', 0),
            ("u", 'A', 5), // both are followed by the B at 9
            ("v", 'A', 1),
            ("v", 'C', 2),
            ("v", 'B', 3), // taken back
            ("w", 'A', 0),
            ("w", 'B', 31), // too late
            ("x", 'A', 0),
            ("x", 'B', 30),
            ("x", 'B', 31), // the first B counts
        ]))
        .unwrap();
    assert_eq!(
        matches.get_column_names(),
        ["user", "first_at", "then_at", "took"]
    );
    let users: Vec<&str> = matches
        .column("user")
        .unwrap()
        .str()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    assert_eq!(users, ["u", "u", "x"]);
    let took = matches
        .column("took")
        .unwrap()
        .duration()
        .unwrap()
        .physical()
        .clone();
    assert_eq!(
        took.iter().flatten().collect::<Vec<_>>(),
        [9_000_000, 4_000_000, 30_000_000]
    );
}

#[test]
fn a_match_comes_out_when_nothing_earlier_can_come() {
    let run = PatternRun::new(&pattern("pattern-live")).unwrap();
    run.push(&clicks(&[("u", 'A', 0), ("u", 'B', 20)])).unwrap();
    run.expect(&DataFrame::empty()).unwrap();
    // A C of 19 comes late but in time; the watermark stood at 10.
    run.push(&clicks(&[("u", 'C', 19), ("v", 'A', 25)]))
        .unwrap();
    run.push(&clicks(&[("v", 'B', 40), ("v", 'A', 9)])).unwrap();
    run.push(&clicks(&[("w", 'A', 55)])).unwrap();
    run.expect(&df!("user" => ["v"], "first_at" => [at(25)], "then_at" => [at(40)]).unwrap())
        .unwrap();
    assert_eq!(run.late().height(), 1);
    assert_eq!(
        run.counts(),
        "1 given out, 0 open, 1 taken back, 0 that nothing followed; 1 events wait for the watermark, 1 late, 0 without a time"
    );
}

#[test]
fn many_keys_that_come_and_go_keep_matching() {
    let run = PatternRun::new(&pattern("pattern-many")).unwrap();
    for round in 0..6i64 {
        let users: Vec<String> = (0..4000).map(|user| format!("{round}-{user}")).collect();
        let first = users.iter().map(|user| (user.as_str(), 'A', round * 60));
        let then = users
            .iter()
            .map(|user| (user.as_str(), 'B', round * 60 + 5));
        run.push(&clicks(&first.chain(then).collect::<Vec<_>>()))
            .unwrap();
    }
    run.finish().unwrap();
    assert_eq!(run.emitted().height(), 6 * 4000);
}

#[test]
fn what_nothing_followed_can_be_given_out_too() {
    let run = PatternRun::new(&pattern("pattern-missing").or_missing()).unwrap();
    run.push(&clicks(&[("u", 'A', 0), ("v", 'A', 1), ("v", 'B', 2)]))
        .unwrap();
    run.push(&clicks(&[("w", 'X', 41)])).unwrap();
    run.expect(&df!("user" => ["v", "u"], "then_at" => [at(2), "null".into()]).unwrap())
        .unwrap();
    assert!(run.finish().unwrap().height() == 0);
}

#[test]
fn what_is_no_pattern_says_what_is_missing() {
    let event = || col("kind").eq(lit("A"));
    let whole = || {
        stream("pattern-errors")
            .pattern(["user"])
            .first(event())
            .then(event())
            .within(seconds(1))
    };
    let rows = clicks(&[("u", 'A', 0)]);
    assert!(whole().run_local(&rows).is_ok());
    let none: [&str; 0] = [];
    for (pattern, parts) in [
        (
            stream("pattern-errors")
                .pattern(["user"])
                .then(event())
                .within(seconds(1)),
            ["which event it looks for: .first(..)", ".first(col("],
        ),
        (
            stream("pattern-errors")
                .pattern(["user"])
                .first(event())
                .within(seconds(1)),
            ["which event it looks for: .then(..)", ".then(col("],
        ),
        (
            stream("pattern-errors")
                .pattern(["user"])
                .first(event())
                .then(event()),
            ["a pattern needs a span", ".within(minutes(10))"],
        ),
        (
            stream("pattern-errors")
                .pattern(none)
                .first(event())
                .then(event())
                .within(seconds(1)),
            ["it needs a key", ".pattern([\"user\"])"],
        ),
        (
            topic("pattern-errors", 1)
                .stream()
                .pattern(["user"])
                .first(event())
                .then(event())
                .within(seconds(1)),
            ["a pattern needs a watermark", ".watermark("],
        ),
    ] {
        assert_says(&pattern.run_local(&rows).unwrap_err(), &parts);
    }
    let unknown = stream("pattern-errors")
        .pattern(["usr"])
        .first(event())
        .then(event())
        .within(seconds(1));
    assert!(unknown.run_local(&rows).unwrap_err().is_unknown_column());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Whatever the batches, the matches are those that looking at every event by hand finds.
    #[test]
    fn any_run_is_the_search_by_hand(
        events in proptest::collection::vec((0usize..2, 0usize..4, 0i64..120), 0..40),
        cuts in proptest::collection::vec(0usize..40, 0..4),
    ) {
        static PATTERN: std::sync::LazyLock<Pattern> = std::sync::LazyLock::new(|| pattern("pattern-any").or_missing());
        let events: Vec<(&str, char, i64)> = events.iter().map(|(u, k, s)| (["u", "v"][*u], ['A', 'B', 'C', 'X'][*k], *s)).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < events.len()).chain([0, events.len()]).collect();
        cuts.sort();
        let run = PatternRun::new(&PATTERN).unwrap();
        let (mut kept, mut watermark) = (Vec::<&(&str, char, i64)>::new(), i64::MIN);
        for cut in cuts.windows(2) {
            let batch = &events[cut[0]..cut[1]];
            run.push(&clicks(batch)).unwrap();
            kept.extend(batch.iter().filter(|event| event.2 > watermark));
            watermark = batch.iter().map(|event| event.2 - 10).fold(watermark, i64::max);
        }
        run.finish().unwrap();
        proptest::prop_assert_eq!(run.late().height(), events.len() - kept.len());
        let mut expected = Vec::new();
        // A stable sort: of equal times the one that arrived first is first.
        kept.sort_by_key(|event| event.2);
        for (index, first) in kept.iter().enumerate().filter(|(_, event)| event.1 == 'A') {
            let after = kept[index + 1..].iter().filter(|event| event.0 == first.0);
            let mut ends = after.filter(|event| ['B', 'C'].contains(&event.1));
            match ends.next() {
                Some(end) if end.2 > first.2 + 30 => expected.push((first.0, at(first.2), "null".to_string())),
                Some(end) if end.1 == 'B' => expected.push((first.0, at(first.2), at(end.2))),
                Some(_) => {}
                None => expected.push((first.0, at(first.2), "null".to_string())),
            }
        }
        let rows = df!(
            "user" => expected.iter().map(|row| row.0).collect::<Vec<_>>(),
            "first_at" => expected.iter().map(|row| row.1.as_str()).collect::<Vec<_>>(),
            "then_at" => expected.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(),
        ).unwrap();
        let same = run.expect(&rows);
        proptest::prop_assert!(same.is_ok(), "{}", same.unwrap_err());
    }
}
