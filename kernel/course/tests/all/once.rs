//! Exercise 5.1 E5: what the check accepts, and how it reads.

use headwater_course::attempt::{self, Answer};
use headwater_course::learner::Learner;
use headwater_course::lesson_5_1::given_processor;
use headwater_course::lesson_5_1::once::{ProcessorTest, check_for};
use headwater_course::lesson_5_1::processors::Processor;
use headwater_course::{Outcome, State};

fn handler_fails_once(processor: &mut dyn Processor) {
    let (mut calls, mut done) = (0, 0);
    let mut handler = |_id: u64| {
        calls += 1;
        if calls == 1 {
            return Err("disk full".to_string());
        }
        done += 1;
        Ok(())
    };
    processor.deliver(7, &mut handler);
    processor.deliver(7, &mut handler);
    assert_eq!(done, 1);
}

fn restart_between(processor: &mut dyn Processor) {
    let mut done = 0;
    let mut handler = |_id: u64| {
        done += 1;
        Ok(())
    };
    processor.deliver(7, &mut handler);
    processor.restart();
    processor.deliver(7, &mut handler);
    assert_eq!(done, 1);
}

fn stays_small(processor: &mut dyn Processor) {
    for id in 0..1_000_000 {
        processor.deliver(id, &mut |_| Ok(()));
    }
    assert!(
        processor.bytes() <= 16 * 1024 * 1024,
        "{} bytes",
        processor.bytes()
    );
}

const RIGHT: [ProcessorTest; 3] = [handler_fails_once, restart_between, stays_small];

fn check(tests: [ProcessorTest; 3]) -> Outcome {
    check_for(&Learner::of("test"), tests)
}

#[test]
fn reference_is_correct() {
    let outcome = check(RIGHT);
    assert!(outcome.is_correct(), "{}", outcome.text());
    assert!(outcome.text().ends_with("\n20"));
}

#[test]
#[allow(clippy::todo)]
fn stubs_are_not_attempted_and_one_stub_is_named() {
    assert!(check([|_| todo!(); 3]).is_not_attempted());
    let outcome = check([handler_fails_once, |_| todo!(), stays_small]);
    assert!(
        outcome
            .text()
            .contains("`restart_between` is still the stub"),
        "{}",
        outcome.text()
    );
}

#[test]
fn given_processor_breaks_its_promise_in_three_ways() {
    let limit = std::time::Duration::from_secs(20);
    let attempt = attempt::run(limit, RIGHT.len(), |index| {
        RIGHT[index](&mut *given_processor())
    });
    let panicked = |answer: &Answer<()>| matches!(answer, Answer::Panicked(_));
    assert!(
        attempt.answers.len() == 3 && attempt.answers.iter().all(panicked),
        "{attempt:?}"
    );
    let mut processor = given_processor();
    (0..1_000_000).for_each(|id| processor.deliver(id, &mut |_| Ok(())));
    assert_eq!(processor.bytes(), 9 << 21);
}

#[test]
fn test_that_passes_with_the_given_one_is_shown_both_answers() {
    let outcome = check([|_| {}, restart_between, stays_small]);
    assert!(outcome.is_not_yet());
    let text = outcome.text();
    for wanted in [
        "handler_fails_once, with the given one",
        "expected: the test fails",
        "got: the test passes",
    ] {
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn test_that_finds_another_fault_is_almost() {
    let everything: ProcessorTest = |processor| {
        handler_fails_once(processor);
        let mut done = 0;
        processor.deliver(8, &mut |_| {
            done += 1;
            Ok(())
        });
        processor.restart();
        processor.deliver(8, &mut |_| {
            done += 1;
            Ok(())
        });
        assert_eq!(done, 1, "done {done} times");
    };
    let outcome = check([everything, restart_between, stays_small]);
    let State::Almost { property, finding } = outcome.state() else {
        panic!("{}", outcome.text());
    };
    assert!(property.contains("its own fault"));
    assert!(finding.got.contains("done 2 times"), "{}", finding.got);
}
