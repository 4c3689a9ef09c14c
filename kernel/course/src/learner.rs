//! The code of the person who learns: it seeds the hidden cases, so that they differ from one
//! learner to the next and can still be made again by whoever grades.

use std::sync::Mutex;

use crate::card::Card;

/// Names the environment variable that holds the learner's code.
pub const ENV: &str = "HEADWATER_LEARNER";

/// What [`learner()`] was last called with; held for one read or write.
static CODE: Mutex<Option<String>> = Mutex::new(None);

/// The person who learns, known by a code of their own choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learner {
    code: String,
}

impl Learner {
    /// Returns the learner that [`learner()`] named, else the one of `HEADWATER_LEARNER`, else
    /// `guest`.
    pub fn current() -> Learner {
        let said = CODE.lock().expect("no panic under this lock").clone();
        let code = said.or_else(|| {
            std::env::var(ENV)
                .ok()
                .filter(|code| !code.trim().is_empty())
        });
        Learner {
            code: code.map_or_else(|| "guest".to_owned(), |code| code.trim().to_owned()),
        }
    }

    /// Returns a learner by code, without making it the current one.
    pub fn of(code: &str) -> Learner {
        Learner {
            code: code.trim().to_owned(),
        }
    }

    /// Returns the code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the seed of this learner's cases for one exercise.
    pub fn seed(&self, exercise: &str) -> u64 {
        // FNV-1a: short, and the same on every machine and in every release.
        let bytes = self.code.bytes().chain([b'/']).chain(exercise.bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// Shows the code as the value of a cell.
    pub fn evcxr_display(&self) {
        let text = format!(
            "The hidden cases of this session are those of learner `{}`.",
            self.code
        );
        Card::new("Learner").line(&text).show(&text);
    }
}

/// Sets the learner's code for this session, and returns the learner.
///
/// Default: the environment variable `HEADWATER_LEARNER`, else `guest`.
pub fn learner(code: &str) -> Learner {
    *CODE.lock().expect("no panic under this lock") = Some(code.trim().to_owned());
    Learner::current()
}
