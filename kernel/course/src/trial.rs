//! Compares a learner's function with the right one, case by case, and names the misconception.
//!
//! Three layers: the cases that the notebook shows, hidden cases from the learner's seed, and
//! named properties. A misconception is a wrong function that people often write: if the
//! learner's answers are those of the wrong function on every case, its hint is the one to show.

use std::fmt::Debug;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::attempt::{self, Answer, Attempt, LIMIT, is_stub};
use crate::outcome::{Finding, State};

/// One function of an exercise.
pub struct Trial<I: 'static, O: 'static> {
    /// The name the notebook gives the function.
    pub name: &'static str,
    /// Writes the call as one would type it.
    pub call: fn(&I) -> String,
    /// The right answer.
    pub reference: fn(&I) -> O,
    /// Draws expected and got.
    pub picture: fn(&I, &O, &O) -> String,
    /// Checked in this order on every hidden case; the first that fails is named.
    pub properties: &'static [Property<I, O>],
    pub misconceptions: &'static [Misconception<I, O>],
    pub shown: Vec<I>,
    pub hidden: Vec<I>,
}

/// Something that must hold for every answer.
pub struct Property<I, O> {
    pub name: &'static str,
    pub holds: fn(&I, &O) -> bool,
}

/// A wrong function that people often write.
pub struct Misconception<I, O> {
    pub name: &'static str,
    /// What the function computes.
    pub wrong: fn(&I) -> O,
    /// What to tell those who wrote it.
    pub hint: &'static str,
}

/// What a trial found.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    Stub,
    Wrong(State),
    Right,
}

/// What fails if no property does.
const AGREES: &str = "it agrees with the definition on cases drawn from your learner code";

impl<I, O: PartialEq + Debug + Clone> Trial<I, O> {
    /// Returns every case, the shown ones first.
    pub fn cases(&self) -> Vec<&I> {
        self.shown.iter().chain(&self.hidden).collect()
    }

    /// Calls a learner's function on every case, and judges the answers.
    ///
    /// The functions of one exercise share the limit, which counts from `begun`: one that does
    /// not return leaves no time to the others, and its own verdict is the one that counts.
    pub fn run(&self, begun: Instant, call: impl Fn(&I) -> O) -> Verdict
    where
        O: Serialize + DeserializeOwned,
    {
        let cases = self.cases();
        let left = LIMIT.saturating_sub(begun.elapsed());
        self.judge(&attempt::run(left, cases.len(), |index| call(cases[index])))
    }

    /// Judges the answers to [`cases`](Trial::cases).
    pub fn judge(&self, attempt: &Attempt<O>) -> Verdict {
        for (index, case) in self.cases().into_iter().enumerate() {
            let got = match attempt.answers.get(index) {
                Some(Answer::Value(got)) if *got == (self.reference)(case) => continue,
                Some(Answer::Value(got)) => got,
                Some(Answer::Panicked(message)) if is_stub(message) => return Verdict::Stub,
                Some(Answer::Panicked(message)) => {
                    return self.stopped(case, format!("it panicked: {message}"));
                }
                None => return self.stopped(case, attempt.end.says()),
            };
            let finding = self.finding(case, got, &attempt.answers);
            return Verdict::Wrong(if index < self.shown.len() {
                State::NotYet(finding)
            } else {
                let broken = self
                    .properties
                    .iter()
                    .find(|property| !(property.holds)(case, got));
                State::Almost {
                    property: broken.map_or(AGREES, |property| property.name),
                    finding,
                }
            });
        }
        Verdict::Right
    }

    fn stopped(&self, case: &I, got: String) -> Verdict {
        let expected = format!("{:?}", (self.reference)(case));
        Verdict::Wrong(State::NotYet(Finding {
            call: (self.call)(case),
            expected,
            got,
            ..Finding::default()
        }))
    }

    fn finding(&self, case: &I, got: &O, answers: &[Answer<O>]) -> Finding {
        let expected = (self.reference)(case);
        Finding {
            call: (self.call)(case),
            expected: format!("{expected:?}"),
            got: format!("{got:?}"),
            hint: self
                .misconception(case, got, answers)
                .map(|misconception| misconception.hint),
            picture: Some((self.picture)(case, &expected, got)),
        }
    }

    /// Returns the misconception that explains all answers, else the only one that explains this.
    fn misconception(
        &self,
        case: &I,
        got: &O,
        answers: &[Answer<O>],
    ) -> Option<&'static Misconception<I, O>> {
        let cases = self.cases();
        let explains_all = |wrong: &&Misconception<I, O>| {
            let mut pairs = cases.iter().zip(answers);
            pairs.all(|(case, answer)| matches!(answer, Answer::Value(value) if *value == (wrong.wrong)(case)))
        };
        let mut explaining = self
            .misconceptions
            .iter()
            .filter(|wrong| (wrong.wrong)(case) == *got);
        let first = explaining.next();
        let only = if explaining.next().is_none() {
            first
        } else {
            None
        };
        self.misconceptions.iter().find(explains_all).or(only)
    }
}

/// Puts the verdicts on an exercise's functions together: the first that is not right decides.
pub fn together(verdicts: &[(&'static str, Verdict)]) -> State {
    if verdicts
        .iter()
        .all(|(_, verdict)| *verdict == Verdict::Stub)
    {
        return State::NotAttempted;
    }
    let first = verdicts
        .iter()
        .find(|(_, verdict)| *verdict != Verdict::Right);
    match first {
        None => State::Correct,
        Some((_, Verdict::Wrong(state))) => state.clone(),
        Some((name, _)) => State::NotYet(Finding {
            got: format!(
                "`{name}` is still the stub; what you wrote besides it was checked only up to here"
            ),
            ..Finding::default()
        }),
    }
}
