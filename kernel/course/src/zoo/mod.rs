//! Wrong solutions, as people write them, each with the misconception that its check must name.
//!
//! The build runs every one of them: a check that lets one pass, or shows another hint, fails.
//! They are written apart from the checks, so that a mistake in a check does not excuse itself.

mod buffer;
mod engines;
mod lesson_5_2;
mod lesson_5_3_joins;
mod lesson_5_4;
mod lesson_5_5;
mod lesson_5_6;
mod lesson_5_7;
mod lesson_5_8;
mod models;
mod once;
mod trace;
mod window_starts;

use crate::learner::Learner;
use crate::outcome::Outcome;

/// One wrong solution.
pub struct Specimen {
    /// The exercise it does not solve, for example `5.1 E3`.
    pub exercise: &'static str,
    /// The misconception behind it.
    pub name: &'static str,
    /// A part of the hint that the check has to show.
    pub hint: &'static str,
    /// Hands it in.
    pub check: fn(&Learner) -> Outcome,
}

/// Returns all of them, in the order of the exercises.
pub fn all() -> impl Iterator<Item = &'static Specimen> {
    [
        trace::SPECIMENS,
        engines::SPECIMENS,
        window_starts::SPECIMENS,
        buffer::SPECIMENS,
        once::SPECIMENS,
        models::SPECIMENS,
        lesson_5_2::SPECIMENS,
        lesson_5_3_joins::SPECIMENS,
        lesson_5_4::SPECIMENS,
        lesson_5_5::SPECIMENS,
        lesson_5_6::SPECIMENS,
        lesson_5_7::SPECIMENS,
        lesson_5_8::SPECIMENS,
    ]
    .into_iter()
    .flatten()
}

impl Specimen {
    /// Hands the solution in and looks at what the check says.
    ///
    /// # Errors
    /// What is wrong with the check: it lets the solution pass, or its hint is not the right one.
    pub fn is_caught(&self, learner: &Learner) -> Result<(), String> {
        let outcome = (self.check)(learner);
        let hint = outcome.finding().and_then(|finding| finding.hint);
        let trouble = match hint {
            _ if outcome.is_correct() => "it passes".to_owned(),
            _ if outcome.points() != 0.0 => "it gets points".to_owned(),
            Some(hint) if hint.contains(self.hint) => return Ok(()),
            other => format!("the hint is {other:?}, without `{}`", self.hint),
        };
        Err(format!(
            "{} {}: {trouble}\n{}",
            self.exercise,
            self.name,
            outcome.text()
        ))
    }
}
