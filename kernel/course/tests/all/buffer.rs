//! Exercise 5.1 E4 and its burst: what the check accepts, and how it reads.

use headwater_course::learner::Learner;
use headwater_course::lesson_5_1::buffer::{Buffer, Policy, Verdict, check_for};
use headwater_course::lesson_5_1::{overload, overload_with};
use headwater_course::{Outcome, State};

fn block(buffer: &mut Buffer, item: u64) -> Verdict {
    if buffer.waiting.len() == buffer.capacity {
        return Verdict::Blocked;
    }
    buffer.waiting.push_back(item);
    Verdict::Accepted
}

fn drop_newest(buffer: &mut Buffer, item: u64) -> Verdict {
    match block(buffer, item) {
        Verdict::Blocked => Verdict::Dropped(item),
        other => other,
    }
}

fn drop_oldest(buffer: &mut Buffer, item: u64) -> Verdict {
    if buffer.waiting.len() < buffer.capacity {
        return block(buffer, item);
    }
    let oldest = buffer.waiting.pop_front().unwrap();
    buffer.waiting.push_back(item);
    Verdict::Dropped(oldest)
}

fn sample(buffer: &mut Buffer, item: u64) -> Verdict {
    if buffer.waiting.len() * 2 >= buffer.capacity && !buffer.offered.is_multiple_of(10) {
        return Verdict::Dropped(item);
    }
    drop_newest(buffer, item)
}

const RIGHT: [Policy; 4] = [block, drop_newest, drop_oldest, sample];

fn check(policies: [Policy; 4], capacity: usize) -> Outcome {
    check_for(&Learner::of("test"), policies, capacity)
}

#[test]
fn reference_is_correct_for_every_learner() {
    for code in ["", "guest", "ada", "学生"] {
        let outcome = check_for(&Learner::of(code), RIGHT, 12_500);
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
        assert!(outcome.text().ends_with("\n20"));
    }
}

#[test]
#[allow(clippy::todo)]
fn stubs_are_not_attempted_and_a_missing_capacity_is_named() {
    assert!(check([|_, _| todo!(); 4], 0).is_not_attempted());
    let outcome = check(RIGHT, 0);
    assert!(
        outcome
            .text()
            .contains("`SMALLEST_CAPACITY` is still the stub"),
        "{}",
        outcome.text()
    );
}

#[test]
fn capacity_may_be_off_by_one_percent() {
    assert!(check(RIGHT, 12_600).is_correct() && check(RIGHT, 12_400).is_correct());
    assert!(check(RIGHT, 12_700).is_not_yet() && check(RIGHT, 12_000).is_not_yet());
}

#[test]
fn loss_without_a_word_breaks_the_conservation_of_items() {
    let silent: Policy = |buffer, item| {
        let verdict = drop_oldest(buffer, item);
        // Right on the shown cases; beyond them every tenth item goes without a word.
        if buffer.offered > 20 && buffer.offered.is_multiple_of(7) {
            buffer.waiting.pop_back();
        }
        verdict
    };
    let outcome = check([block, drop_newest, silent, sample], 12_500);
    let State::Almost { property, .. } = outcome.state() else {
        panic!("{}", outcome.text());
    };
    assert!(
        property.starts_with("taken + dropped + still waiting = offered"),
        "{property}"
    );
}

fn most(frame: &polars::prelude::DataFrame, column: &str) -> i64 {
    frame
        .column(column)
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .flatten()
        .max()
        .unwrap()
}

#[test]
fn burst_needs_room_for_12_500_and_drains_in_25_seconds() {
    let run = overload("drop_newest", 1_000_000).unwrap();
    assert_eq!((most(&run, "waiting"), most(&run, "lost")), (12_500, 0));
    let waiting: Vec<i64> = run
        .column("waiting")
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    let empty = waiting
        .iter()
        .skip(100)
        .position(|waiting| *waiting == 0)
        .unwrap();
    assert_eq!((empty + 1) / 10, 25);
    assert_eq!(most(&overload("drop_newest", 12_510).unwrap(), "lost"), 0);
    assert!(most(&overload("drop_newest", 12_300).unwrap(), "lost") > 0);
}

#[test]
fn every_policy_pays_in_another_way() {
    let run = |policy| overload(policy, 2000).unwrap();
    assert_eq!(
        (most(&run("block"), "lost"), most(&run("block"), "waiting")),
        (0, 2000)
    );
    assert!(most(&run("block"), "held_back") > 10_000);
    for policy in ["drop_newest", "drop_oldest", "sample"] {
        assert!(
            most(&run(policy), "lost") > 10_000 && most(&run(policy), "held_back") == 0,
            "{policy}"
        );
    }
    assert!(most(&run("sample"), "waiting") < 2000);
}

#[test]
fn own_policy_runs_as_the_compiled_one() {
    let (mine, theirs) = (
        overload_with(drop_oldest, 700).unwrap(),
        overload("drop_oldest", 700).unwrap(),
    );
    for column in ["waiting", "lost", "held_back"] {
        assert_eq!(mine.column(column).unwrap(), theirs.column(column).unwrap());
    }
}

#[test]
fn unknown_policy_lists_the_known_ones() {
    let error = overload("drop_random", 10).unwrap_err().to_string();
    assert!(
        error.contains("no policy `drop_random`") && error.contains("block, drop_newest"),
        "{error}"
    );
}
