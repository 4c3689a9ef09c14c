//! Exercise 5.1 E6: what the check accepts, and how it reads.

use headwater_course::Outcome;
use headwater_course::learner::Learner;
use headwater_course::lesson_5_1::UseCase::{self, *};
use headwater_course::lesson_5_1::models::Model::{self, *};
use headwater_course::lesson_5_1::models::Reason::{self, *};
use headwater_course::lesson_5_1::models::check_for;

fn pick(case: UseCase) -> (Model, Reason) {
    match case {
        CardFraud | LiftBrake | GameMatch => (Stream, Seconds),
        FloodAlarm | ShopDashboard | SearchIndex | ParcelMap => (MicroBatch, Minutes),
        Payroll | AdBilling | MonthlyReport => (Batch, Complete),
        RetrainModel | TaxRestated => (Batch, Again),
    }
}

fn check(pick: fn(UseCase) -> (Model, Reason)) -> Outcome {
    check_for(&Learner::of("test"), pick)
}

#[test]
fn reference_is_correct_and_two_cases_accept_two_answers() {
    let outcome = check(pick);
    assert!(
        outcome.is_correct() && outcome.text().ends_with("\n10"),
        "{}",
        outcome.text()
    );
    let faster = check(|case| match case {
        FloodAlarm | ParcelMap => (Stream, Seconds),
        other => pick(other),
    });
    assert!(faster.is_correct(), "{}", faster.text());
}

#[test]
#[allow(clippy::todo)]
fn stub_is_not_attempted_and_cases_that_are_left_are_counted() {
    assert!(check(|_| todo!()).is_not_attempted());
    let outcome = check(|case| {
        if case == GameMatch {
            todo!()
        } else {
            pick(case)
        }
    });
    assert!(
        outcome
            .text()
            .contains("11 of 12 cases are right and 1 are still"),
        "{}",
        outcome.text()
    );
}

#[test]
fn right_answer_is_not_given_away() {
    let outcome = check(|case| {
        if case == Payroll {
            (Stream, Seconds)
        } else {
            pick(case)
        }
    });
    let text = outcome.text();
    assert!(
        text.contains("wages are paid on the 28th") && !text.contains("Complete"),
        "{text}"
    );
}

#[test]
#[allow(clippy::panic)]
fn panic_and_endless_loop_name_their_case() {
    let outcome = check(|case| {
        if case == LiftBrake {
            panic!("no lift")
        } else {
            pick(case)
        }
    });
    assert!(
        outcome.text().contains("pick(LiftBrake)")
            && outcome.text().contains("it panicked: no lift")
    );
    let outcome = check(|case| {
        if case == LiftBrake {
            loop {
                std::hint::spin_loop();
            }
        }
        pick(case)
    });
    assert!(
        outcome.text().contains("no answer within the time limit"),
        "{}",
        outcome.text()
    );
}
