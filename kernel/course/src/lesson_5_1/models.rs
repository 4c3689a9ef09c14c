//! Exercise 5.1 E6: batch, micro-batch or stream?

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::use_cases::{self, Answer, UseCase};
use crate::attempt::{self, End, LIMIT, is_stub};
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::{Finding, Outcome, State};
use crate::table_picture::{Row, TablePicture};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.1 E6",
    title: "Pick a model",
    points: 10,
    hints: [
        "For each case: what happens to somebody if the answer comes a minute later, and what if it is wrong?",
        "Look again at section 10, \"Use cases and their budgets\". Ask in this order: does it have to be computed from \
         old data again (`Again`)? Must the answer be complete before anybody may see it (`Complete`)? Is it useless \
         after seconds (`Seconds`)? Else minutes will do (`Minutes`).",
        "fn pick(case: UseCase) -> (Model, Reason) {\n    \
             match case {\n        \
                 CardFraud | /* who else is waiting? */ => (Stream, Reason::Seconds),\n        \
                 ShopDashboard | /* ... */ => (MicroBatch, Reason::Minutes),\n        \
                 Payroll | /* ... */ => (Batch, Reason::Complete),\n        \
                 RetrainModel | /* ... */ => (Batch, Reason::Again),\n    \
             }\n\
         }",
    ],
    next_question: "take the case nearest to your own work. Write five sentences: the latency budget, the cost of a wrong \
                    answer, the need to replay, your choice, and what would make you change it.",
};

/// How often an answer is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Model {
    /// Now and then, over everything.
    Batch,
    /// Every few seconds or minutes, over what is new.
    MicroBatch,
    /// For each event as it comes.
    Stream,
}

/// What decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// After a few seconds the answer is useless.
    Seconds,
    /// Minutes are soon enough, and fewer runs cost less.
    Minutes,
    /// A wrong or partial answer costs more than a late one.
    Complete,
    /// It has to be computed again from old data.
    Again,
}

/// Checks `pick(case)` for the twelve cases: 10 points.
///
/// Two of the cases accept two answers.
pub fn check_5_1_e6(pick: fn(UseCase) -> (Model, Reason)) -> Outcome {
    check_for(&Learner::current(), pick)
}

/// As [`check_5_1_e6`], for a learner who is not the current one (the cases are the same for all).
pub fn check_for(learner: &Learner, pick: fn(UseCase) -> (Model, Reason)) -> Outcome {
    attempt::of(EXERCISE.id, learner, &[pick as *const ()], || {
        let begun = Instant::now();
        let left = LIMIT.saturating_sub(begun.elapsed());
        let cases = UseCase::ALL;
        let attempt = attempt::run(left, cases.len(), |index| pick(cases[index]));
        Outcome::new(&EXERCISE, judge(&attempt.answers, &attempt.end))
    })
}

fn judge(answers: &[attempt::Answer<Answer>], end: &End) -> State {
    let mut picks = Vec::new();
    let mut stopped = None;
    let mut stubs = 0;
    for (case, answer) in UseCase::ALL.into_iter().zip(answers) {
        match answer {
            attempt::Answer::Value(answer) => picks.push((case, *answer)),
            attempt::Answer::Panicked(message) if is_stub(message) => stubs += 1,
            attempt::Answer::Panicked(message) => {
                stopped = stopped.or(Some((case, format!("it panicked: {message}"))))
            }
        }
    }
    if stubs == UseCase::ALL.len() {
        return State::NotAttempted;
    }
    if *end != End::Finished
        && let Some(case) = UseCase::ALL.get(answers.len())
    {
        stopped = stopped.or(Some((*case, end.says())));
    }
    if let Some((case, got)) = stopped {
        return State::NotYet(finding(case, got, None, &picks));
    }
    let wrong = picks.iter().find(|(case, answer)| !case.accepts(*answer));
    match wrong {
        Some((case, answer)) => {
            let hint = use_cases::hint(&picks, *case, *answer);
            State::NotYet(finding(*case, format!("{answer:?}"), hint, &picks))
        }
        None if stubs > 0 => State::NotYet(Finding {
            got: format!(
                "{} of 12 cases are right and {stubs} are still `todo!()`",
                picks.len()
            ),
            ..Finding::default()
        }),
        None => State::Correct,
    }
}

/// The right answer is not given away: what was expected is said as the budget that it has to keep.
fn finding(
    case: UseCase,
    got: String,
    hint: Option<&'static str>,
    picks: &[(UseCase, Answer)],
) -> Finding {
    let rows = picks.iter().map(|(case, answer)| Row {
        name: format!("{case:?}"),
        expected: case.short().into(),
        got: format!("{:?}, {:?}", answer.0, answer.1),
        agrees: case.accepts(*answer),
    });
    let right = picks
        .iter()
        .filter(|(case, answer)| case.accepts(*answer))
        .count();
    let picture = TablePicture {
        title: format!("{right} of 12 cases are right"),
        rows: rows.collect(),
    };
    Finding {
        call: format!("pick({case:?})"),
        expected: format!("a model that fits: {}", case.budget()),
        got,
        hint,
        picture: Some(picture.svg()),
    }
}
