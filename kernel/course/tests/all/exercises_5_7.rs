//! The exercises of lesson 5.7: right tests pass, each wrong suite is caught with its hint.

use headwater_course::learner::Learner;
use headwater_course::lesson_5_7::join_tests::{Suite, check_for};
use headwater_course::lesson_5_7::{JoinBench, JoinUnderTest};

use crate::zoo::each_shows_a_picture;

fn seen(join: &mut JoinUnderTest) -> Vec<(String, i64, Option<i64>)> {
    let rows = join.rows().into_iter();
    let mut rows: Vec<_> = rows
        .map(|row| (row.customer, row.order, row.payment))
        .collect();
    rows.sort();
    rows
}

fn pairs(bench: &JoinBench) {
    for customer in ["Ada", "Bo", "Cy", "Eva"] {
        for (order, payment, meet) in [(100, 110, true), (110, 100, true), (100, 111, false)] {
            let mut join = bench.fresh();
            join.order(customer, order, Some(40));
            join.payment(customer, payment, Some(39));
            assert_eq!(seen(&mut join).len(), usize::from(meet));
            let mut join = bench.fresh();
            join.payment(customer, payment, Some(39));
            join.order(customer, order, Some(40));
            assert_eq!(seen(&mut join).len(), usize::from(meet));
        }
    }
    let mut join = bench.fresh();
    join.order("Ada", 100, Some(40));
    join.payment("Ada", 101, Some(20));
    join.payment("Ada", 102, Some(21));
    join.order("Ada", 103, None);
    assert_eq!(seen(&mut join).len(), 2);
    join.payment("Ada", 200, Some(1));
    assert_eq!(seen(&mut join), []);
}

fn all(bench: &JoinBench) {
    pairs(bench);
    let mut join = bench.fresh();
    join.order("Ada", 100, Some(40));
    join.wall_clock(1_000);
    join.order("Eva", 115, Some(50));
    assert_eq!(seen(&mut join), []);
    join.payment("Eva", 116, Some(50));
    let rows = [
        ("Ada".to_owned(), 40, None),
        ("Eva".to_owned(), 50, Some(50)),
    ];
    assert_eq!(seen(&mut join), rows);
    join.payment("Eva", 130, Some(1));
    join.order("Bo", 115, Some(7));
    join.payment("Bo", 115, Some(8));
    assert_eq!(seen(&mut join).len(), 1, "15 s behind is not late");
    join.order("Cy", 114, Some(7));
    join.payment("Cy", 120, Some(8));
    assert_eq!(seen(&mut join), [], "16 s behind is late");
}

#[test]
fn reference_fails_all_twelve_and_has_full_points() {
    let outcome = check_for(&Learner::of("test"), all);
    assert!(outcome.is_correct(), "{}", outcome.text());
    assert_eq!(outcome.points(), 20.0);
}

#[test]
fn suite_that_finds_eight_or_more_passes_with_points_in_proportion() {
    // Nothing about late records, the grace, the wall clock.
    let outcome = check_for(&Learner::of("test"), |bench| {
        pairs(bench);
        let mut join = bench.fresh();
        join.order("Ada", 100, Some(40));
        assert_eq!(seen(&mut join), []);
        join.order("Ada", 116, Some(41));
        assert_eq!(seen(&mut join).len(), 1);
    });
    assert!(outcome.is_almost(), "{}", outcome.text());
    let text = outcome.text();
    assert!(
        text.contains("9 of 12 faulty versions") && text.ends_with("\n15"),
        "{text}"
    );
}

#[test]
fn suite_that_computes_for_long_does_not_wait() {
    let outcome = check_for(&Learner::of("test"), |bench| {
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 60 {
            all(bench);
        }
    });
    assert!(outcome.is_correct(), "{}", outcome.text());
}

#[test]
#[allow(clippy::todo)]
fn stub_is_not_attempted() {
    let outcome = check_for(&Learner::of("test"), (|_| todo!()) as Suite);
    assert!(outcome.is_not_attempted(), "{}", outcome.text());
}

#[test]
fn wrong_suites_show_every_join_as_a_picture() {
    each_shows_a_picture("5.7 E2", "run with each join", usize::MAX);
}
