//! The four outcomes of a check.

use crate::card::Card;
use crate::exercise::Exercise;
use crate::hint;
use crate::progress;

/// How a check ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    exercise: &'static Exercise,
    state: State,
    hints_used: usize,
    /// What a part of a correct answer is worth, where an exercise says so.
    part: f64,
}

/// The four outcomes.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// The stub is still in place.
    NotAttempted,
    /// A shown case fails, or a function does not return.
    NotYet(Finding),
    /// The shown cases are right, and one property fails.
    Almost {
        property: &'static str,
        finding: Finding,
    },
    /// Everything holds.
    Correct,
}

/// One case that went wrong.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Finding {
    /// The call as one would type it.
    pub call: String,
    pub expected: String,
    pub got: String,
    /// What people who get this answer often believe, and why it fails.
    pub hint: Option<&'static str>,
    /// Expected and got as SVG.
    pub picture: Option<String>,
}

impl Outcome {
    pub(crate) fn new(exercise: &'static Exercise, state: State) -> Outcome {
        Outcome {
            exercise,
            state,
            hints_used: hint::used(exercise),
            part: 0.0,
        }
    }

    /// Gives points for a part of a correct answer.
    pub(crate) fn earned(self, points: f64) -> Outcome {
        Outcome {
            part: points,
            ..self
        }
    }

    /// Returns what was found.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns the exercise that was checked.
    pub fn exercise(&self) -> &'static Exercise {
        self.exercise
    }

    /// Returns whether the stub is still in place.
    pub fn is_not_attempted(&self) -> bool {
        self.state == State::NotAttempted
    }

    /// Returns whether a shown case fails.
    pub fn is_not_yet(&self) -> bool {
        matches!(self.state, State::NotYet(_))
    }

    /// Returns whether the shown cases are right and a property fails.
    pub fn is_almost(&self) -> bool {
        matches!(self.state, State::Almost { .. })
    }

    /// Returns whether everything holds.
    pub fn is_correct(&self) -> bool {
        self.state == State::Correct
    }

    /// Returns the points: all of them for a correct answer, else 0, or what an exercise gives for a part.
    pub fn points(&self) -> f64 {
        if self.is_correct() {
            f64::from(self.exercise.points)
        } else {
            self.part
        }
    }

    /// Returns the case that went wrong, if one did.
    pub fn finding(&self) -> Option<&Finding> {
        match &self.state {
            State::NotYet(finding) | State::Almost { finding, .. } => Some(finding),
            State::NotAttempted | State::Correct => None,
        }
    }

    /// Returns the outcome as text. Its last line is the points as a number, for graders that
    /// read the outputs of cells.
    pub fn text(&self) -> String {
        let mut lines = vec![self.title()];
        lines.extend(self.message());
        if let Some(finding) = self.finding() {
            lines.extend(
                finding
                    .facts()
                    .iter()
                    .map(|(name, value)| format!("  {name}: {value}")),
            );
            lines.extend(finding.hint.map(|hint| format!("Perhaps: {hint}.")));
        }
        lines.extend(self.help());
        lines.push(format!("Points, of {}:", self.exercise.points));
        lines.push(format!("{}", self.points()));
        lines.join("\n")
    }

    /// Returns the outcome as an HTML card.
    pub fn html(&self) -> String {
        self.card().html()
    }

    /// Returns how many hints the session had shown before the check.
    pub fn hints_used(&self) -> usize {
        self.hints_used
    }

    /// Shows the outcome as the value of a cell, and writes it down as
    /// [`progress`](mod@crate::progress).
    pub fn evcxr_display(&self) {
        let mut card = self.card();
        if let Err(error) = progress::note(self) {
            card = card.text_block(&format!("This was not written down:\n{error}"));
        }
        card.show(&self.text());
    }

    fn card(&self) -> Card {
        let mut card = Card::new(&self.title()).colour(self.colour());
        if let Some(message) = self.message() {
            card = card.line(&message);
        }
        if let Some(finding) = self.finding() {
            let facts = finding.facts();
            if !facts.is_empty() {
                card = card.facts(&facts);
            }
            if let Some(hint) = finding.hint {
                card = card.point("Perhaps:", &format!("{hint}."));
            }
            if let Some(picture) = &finding.picture {
                card = card.picture(picture);
            }
        }
        if let Some(help) = self.help() {
            card = card.line(&help);
        }
        card.line(&format!(
            "Points: {} of {}",
            self.points(),
            self.exercise.points
        ))
    }

    fn title(&self) -> String {
        let mark = match self.state {
            State::NotAttempted => "○ not attempted",
            State::NotYet(_) => "✗ not yet",
            State::Almost { .. } => "◐ almost",
            State::Correct => "✓ correct",
        };
        format!("{} {}: {mark}", self.exercise.id, self.exercise.title)
    }

    fn colour(&self) -> &'static str {
        // Okabe and Ito's palette; the mark and the word in the title say the same.
        match self.state {
            State::NotAttempted => "#999999",
            State::NotYet(_) => "#d55e00",
            State::Almost { .. } => "#e69f00",
            State::Correct => "#009e73",
        }
    }

    fn message(&self) -> Option<String> {
        match &self.state {
            State::NotAttempted => Some(
                "The stub is still in place: replace each `todo!()` with your own code, run that \
                 cell, then run this one again."
                    .into(),
            ),
            State::NotYet(finding) if finding.call.is_empty() => None,
            State::NotYet(_) => Some("The first case that is not right:".into()),
            State::Almost { property, .. } if self.part > 0.0 => Some(format!(
                "Passed. For all of the points, this has to hold: {property}."
            )),
            State::Almost { property, .. } => Some(format!(
                "Right on every shown case. This property fails: {property}. One case of it:"
            )),
            State::Correct => {
                let hints = match self.hints_used {
                    0 => String::new(),
                    1 => " (with 1 hint)".into(),
                    more => format!(" (with {more} hints)"),
                };
                Some(format!(
                    "Every shown case, every hidden case and every property holds{hints}. The next question: {} \
                     Another solution, and what speaks for and against it: `solutions/{}.ipynb`.",
                    self.exercise.next_question,
                    self.exercise.lesson_file()
                ))
            }
        }
    }

    fn help(&self) -> Option<String> {
        let next = self.hints_used + 1;
        (!self.is_correct() && next <= self.exercise.hints.len()).then(|| {
            format!(
                "For help type hint(\"{}\"): step {next} of {}.",
                self.exercise.id,
                self.exercise.hints.len()
            )
        })
    }
}

impl Finding {
    fn facts(&self) -> Vec<(&str, &str)> {
        [
            ("call", &self.call),
            ("expected", &self.expected),
            ("got", &self.got),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.as_str()))
        .collect()
    }
}
