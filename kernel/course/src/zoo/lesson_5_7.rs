//! Wrong solutions of lesson 5.7: tests that test nothing, too much, too little, or the clock on the wall.

use std::time::Duration;

use super::Specimen;
use crate::lesson_5_7::JoinBench;
use crate::lesson_5_7::join_tests::{Suite, check_for};

macro_rules! wrong {
    ($name:literal, $hint:literal, $suite:expr) => {
        Specimen {
            exercise: "5.7 E2",
            name: $name,
            hint: $hint,
            check: |learner| check_for(learner, $suite as Suite),
        }
    };
}

pub(super) const SPECIMENS: &[Specimen] = &[
    wrong!("no assertion", "can fail finds nothing", |bench| {
        let mut join = bench.fresh();
        join.order("Ada", 100, Some(40));
        join.payment("Ada", 103, Some(39));
        let _ = join.rows();
    }),
    wrong!(
        "rows in one order",
        "sort them before you compare",
        one_order
    ),
    wrong!("happy path", "the happy path", happy),
    wrong!("sleeps", "your tests wait", |bench| {
        happy(bench);
        std::thread::sleep(Duration::from_millis(10));
    }),
    wrong!("sleeps for sixteen seconds", "your tests wait", |bench| {
        let mut join = bench.fresh();
        join.order("Ada", 100, Some(40));
        std::thread::sleep(Duration::from_secs(16));
        assert_eq!(join.rows().len(), 1);
    }),
    wrong!(
        "unmatched at once",
        "fail with a join that is right",
        |bench| {
            let mut join = bench.fresh();
            join.order("Ada", 100, Some(40));
            assert_eq!(join.rows().len(), 1);
        }
    ),
    wrong!(
        "never the other side",
        "pass, and at the sentence",
        |bench| {
            let mut join = bench.fresh();
            join.order("Ada", 100, Some(40));
            join.order("Eva", 115, Some(40));
            join.payment("Ada", 100, Some(39));
            assert_eq!(join.rows().len(), 1);
        }
    ),
];

fn happy(bench: &JoinBench) {
    let mut join = bench.fresh();
    join.order("Ada", 100, Some(40));
    join.payment("Ada", 103, Some(39));
    let rows = join.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].order, rows[0].payment), (40, Some(39)));
}

fn one_order(bench: &JoinBench) {
    let mut join = bench.fresh();
    join.order("Ada", 100, Some(40));
    join.payment("Ada", 103, Some(20));
    join.payment("Ada", 104, Some(21));
    let payments: Vec<Option<i64>> = join.rows().iter().map(|row| row.payment).collect();
    assert_eq!(payments, [Some(20), Some(21)]);
}
