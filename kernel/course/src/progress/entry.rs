//! One line of the file: one check whose outcome a cell showed.

use std::cmp::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::learner::Learner;
use crate::outcome::{Outcome, State};

/// What a check found, as the file of progress keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in microseconds since 1970, UTC.
    pub at_us: i64,
    /// The learner's code.
    pub learner: String,
    /// The id of the exercise, for example `5.1 E3`.
    pub exercise: String,
    /// `not yet`, `almost` or `correct`.
    pub outcome: String,
    pub points: f64,
    /// How many hints the session had shown by then.
    pub hints: usize,
    /// The misconception that the check named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perhaps: Option<String>,
}

impl Entry {
    /// Returns what to write down; a stub that is still in place is no attempt.
    pub(super) fn of(outcome: &Outcome, learner: &Learner) -> Option<Entry> {
        let word = match outcome.state() {
            State::NotAttempted => return None,
            State::NotYet(_) => "not yet",
            State::Almost { .. } => "almost",
            State::Correct => "correct",
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let perhaps = outcome.finding().and_then(|finding| finding.hint);
        Some(Entry {
            at_us: i64::try_from(now.as_micros()).ok()?,
            learner: learner.code().to_owned(),
            exercise: outcome.exercise().id.to_owned(),
            outcome: word.to_owned(),
            points: outcome.points(),
            hints: outcome.hints_used(),
            perhaps: perhaps.map(str::to_owned),
        })
    }

    /// Orders the outcomes: the better one is greater; an `almost` may have points too.
    pub(super) fn order(&self, other: &Entry) -> Ordering {
        let points = self.points.total_cmp(&other.points);
        self.rank().cmp(&other.rank()).then(points)
    }

    fn rank(&self) -> u8 {
        match self.outcome.as_str() {
            "correct" => 3,
            "almost" => 2,
            "not yet" => 1,
            _ => 0,
        }
    }
}
