//! Exercise 5.3 E5: right joins pass, each wrong one is caught with its hint.

use headwater_course::learner::Learner;
use headwater_course::lesson_5_3::joins::{check_for, stream_right, table_right};
use headwater_course::lesson_5_3::{JoinRecord, JoinRow, Lane, join_script, join_strip};

use crate::zoo::each_shows_a_picture;

fn words(rows: &[JoinRow]) -> Vec<String> {
    let rows = rows.iter();
    rows.map(|row| format!("{}+{}", row.left, row.right.as_deref().unwrap_or("null")))
        .collect()
}

#[test]
fn right_joins_pass_for_every_learner() {
    for code in ["guest", "ada", "学生", "bo", "a1"] {
        let outcome = check_for(&Learner::of(code), table_right, stream_right);
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
        assert_eq!(outcome.points(), 25.0);
    }
}

#[test]
fn rows_of_one_record_may_come_in_any_order() {
    fn reversed(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
        let mut rows = stream_right(records, window_s, grace_s);
        rows.reverse();
        rows
    }
    let outcome = check_for(&Learner::of("guest"), table_right, reversed);
    assert!(outcome.is_correct(), "{}", outcome.text());
}

#[test]
fn rows_of_the_script_are_those_worked_out_on_paper() {
    let script = join_script();
    assert_eq!(
        words(&table_right(&script)),
        [
            "o1+p1", "o2+null", "o3+p1", "o4+p2", "o5+null", "o6+p3", "o7+p2", "o8+p5", "o9+p4"
        ]
    );
    assert_eq!(
        words(&stream_right(&script, 10, 5)),
        [
            "o1+p1", "o2+p2", "o1+p3", "o3+p3", "o4+p2", "o5+p4", "o8+p5", "o7+null"
        ]
    );
}

#[test]
fn order_of_arrival_within_the_grace_matters_to_the_table_only() {
    let mut script = join_script();
    // o3 and p3 change places: neither is late, before or after.
    script.swap(4, 5);
    let sorted = |mut rows: Vec<JoinRow>| {
        rows.sort();
        rows
    };
    let before = join_script();
    assert_eq!(
        sorted(stream_right(&before, 10, 5)),
        sorted(stream_right(&script, 10, 5))
    );
    assert_ne!(sorted(table_right(&before)), sorted(table_right(&script)));
}

#[test]
#[allow(clippy::todo)]
fn stubs_are_not_attempted_and_a_stub_beside_an_answer_is_told() {
    let learner = Learner::of("test");
    let outcome = check_for(&learner, |_| todo!(), |_, _, _| todo!());
    assert!(outcome.is_not_attempted(), "{}", outcome.text());
    let outcome = check_for(&learner, table_right, |_, _, _| todo!());
    assert!(outcome.text().contains("`stream_stream` is still the stub"));
}

#[test]
fn wrong_boundary_of_the_close_is_not_correct() {
    // One second too early: a price exactly at the end of the grace comes after the null row.
    fn too_early(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
        let mut rows = stream_right(records, window_s, grace_s);
        let time = records.iter().map(|it| it.time_s).max().unwrap_or(0);
        for order in records.iter().filter(|it| it.lane == Lane::Left) {
            let is_out = rows.iter().any(|row| row.left == order.value);
            if !is_out && order.time_s + window_s + grace_s == time {
                rows.push(JoinRow::new(order, None));
            }
        }
        rows
    }
    let outcome = check_for(&Learner::of("test"), table_right, too_early);
    assert!(outcome.is_not_yet(), "{}", outcome.text());
}

#[test]
fn wrong_joins_show_expected_and_got_as_a_picture() {
    each_shows_a_picture("5.3 E5", "Rows of the join", usize::MAX);
}

#[test]
fn strip_says_which_record_is_late_and_what_came_out() {
    let script = join_script();
    let strip = join_strip(&script, 10, 5, &stream_right(&script, 10, 5));
    assert!(
        strip.text().contains("o6 tea at 14 s, late"),
        "{}",
        strip.text()
    );
    assert!(strip.text().contains("rows: o1+p1"), "{}", strip.text());
    let table = join_strip(&script, 0, 0, &[]);
    assert!(!table.text().contains("late"), "{}", table.text());
}
