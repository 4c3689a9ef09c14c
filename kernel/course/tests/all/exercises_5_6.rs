//! The exercises of lesson 5.6: right answers pass, each wrong one is caught with its hint.

use headwater_course::Outcome;
use headwater_course::learner::Learner;
use headwater_course::lesson_5_2::Killed;
use headwater_course::lesson_5_6::retry::{RIGHT, check_for};
use headwater_course::lesson_5_6::{Letter, LetterTopic, OrderFault, RetryDesk};
use headwater_course::zoo;

use crate::zoo::each_shows_a_picture;

const CODES: [&str; 3] = ["guest", "ada", "学生"];

#[track_caller]
fn passes(check: impl Fn(&Learner) -> Outcome) {
    for code in CODES {
        let outcome = check(&Learner::of(code));
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
        assert_eq!(outcome.points(), 20.0);
    }
}

#[test]
fn loop_that_sends_on_and_then_commits_passes() {
    passes(|learner| check_for(learner, RIGHT.0, RIGHT.1));
}

/// Tries twice in place, which is within the 100 ms.
fn twice(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if let Some(topic) = desk.earlier(&letter) {
            desk.send(topic, letter.clone())?;
            desk.commit(&letter)?;
            continue;
        }
        let mut worked = desk.work(&letter)?;
        if worked == Err(OrderFault::Unreachable) {
            desk.wait_ms(50)?;
            worked = desk.work(&letter)?;
        }
        if let Err(fault) = worked {
            let mut sent = letter.clone();
            sent.headers.attempt += 1;
            sent.headers.fault = Some(fault);
            sent.headers.first_ms.get_or_insert(desk.now_ms());
            let topic = match (fault, sent.headers.attempt) {
                (OrderFault::Malformed, _) | (_, 4..) => LetterTopic::Dead,
                (_, 3) => LetterTopic::Retry60s,
                (_, 2) => LetterTopic::Retry10s,
                _ => LetterTopic::Retry1s,
            };
            desk.send(topic, sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

#[test]
fn second_try_in_place_passes_where_it_is_quick() {
    passes(|learner| check_for(learner, twice, RIGHT.1));
}

#[test]
#[allow(clippy::todo)]
fn stubs_are_not_attempted_and_one_stub_is_named() {
    let learner = Learner::of("test");
    let outcome = check_for(&learner, |_| todo!(), |_| todo!());
    assert!(outcome.is_not_attempted(), "{}", outcome.text());
    let outcome = check_for(&learner, RIGHT.0, |_| todo!());
    assert!(
        outcome.text().contains("`redrive` is still the stub"),
        "{}",
        outcome.text()
    );
}

#[test]
fn loop_that_never_ends_is_stopped_by_the_time_limit() {
    fn endless(desk: &mut RetryDesk) -> Result<(), Killed> {
        while desk.next_letter().is_ok() {}
        loop {
            std::hint::spin_loop();
        }
    }
    let outcome = check_for(&Learner::of("test"), endless, RIGHT.1);
    assert!(outcome.text().contains("time limit"), "{}", outcome.text());
}

#[test]
fn wrong_solutions_show_expected_and_got_as_a_picture() {
    each_shows_a_picture("5.6 E4", "What ", 12_000);
}

#[test]
fn counter_in_memory_is_right_until_a_process_dies() {
    let specimen = zoo::all().find(|specimen| specimen.name == "attempt counter in memory");
    let outcome = (specimen.expect("it is there").check)(&Learner::of("guest"));
    assert!(outcome.is_almost(), "{}", outcome.text());
    assert!(
        outcome.text().contains("also after a crash"),
        "{}",
        outcome.text()
    );
}

#[test]
fn redrive_that_changes_the_origin_is_named() {
    fn renumbers(letters: &[Letter]) -> Vec<Letter> {
        let mut back = RIGHT.1(letters);
        for (offset, letter) in (0..).zip(&mut back) {
            letter.headers.offset = offset;
        }
        back
    }
    let outcome = check_for(&Learner::of("test"), RIGHT.0, renumbers);
    assert!(outcome.is_not_yet(), "{}", outcome.text());
    assert!(
        outcome.text().contains("origin_kept: false"),
        "{}",
        outcome.text()
    );
}
