//! Hints in three steps: a question, a pointer to the section, a skeleton.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::card::Card;
use crate::exercise::{self, Exercise};

/// How many hints of each exercise this session has shown; held for one read or write.
static SHOWN: Mutex<BTreeMap<&'static str, usize>> = Mutex::new(BTreeMap::new());

/// One step of help.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    title: String,
    text: String,
}

/// Returns the next hint for an exercise: each call goes one step further, up to the third.
///
/// How many were used is noted in the outcome of the check, and costs nothing.
///
/// # Example
/// ```
/// use headwater_course::hint;
/// assert!(hint("5.1 E3").text().ends_with('?'));
/// assert!(hint("5.1 E3").text().contains("section"));
/// ```
pub fn hint(id: &str) -> Hint {
    let Some(exercise) = exercise::find(id) else {
        let known: Vec<&str> = exercise::ALL.iter().map(|exercise| exercise.id).collect();
        return Hint {
            title: format!("no exercise `{id}`"),
            text: format!("have: {}\ntry:  hint(\"{}\")", known.join(", "), known[0]),
        };
    };
    let mut shown = SHOWN.lock().expect("no panic under this lock");
    let step = shown.entry(exercise.id).or_default();
    *step = (*step + 1).min(exercise.hints.len());
    Hint {
        title: format!(
            "Hint {step} of {} for {}",
            exercise.hints.len(),
            exercise.id
        ),
        text: exercise.hints[*step - 1].to_owned(),
    }
}

/// Returns how many hints of `exercise` this session has shown.
pub(crate) fn used(exercise: &Exercise) -> usize {
    SHOWN
        .lock()
        .expect("no panic under this lock")
        .get(exercise.id)
        .copied()
        .unwrap_or(0)
}

impl Hint {
    /// Returns the hint itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns which hint this is, for example `Hint 1 of 3 for 5.1 E3`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Shows the hint as the value of a cell.
    pub fn evcxr_display(&self) {
        Card::new(&self.title)
            .text_block(&self.text)
            .show(&format!("{}\n{}", self.title, self.text));
    }
}
