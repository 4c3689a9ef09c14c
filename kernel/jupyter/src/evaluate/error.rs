//! The one error type of setting up and driving cells.

use std::fmt;

/// What went wrong, what was there, what to type instead.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    what: String,
    have: String,
    attempt: String,
}

impl Error {
    /// Puts the three parts together.
    pub fn new(
        what: impl Into<String>,
        have: impl Into<String>,
        attempt: impl Into<String>,
    ) -> Error {
        Error {
            what: what.into(),
            have: have.into(),
            attempt: attempt.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n  have: {}\n  try:  {}",
            self.what, self.have, self.attempt
        )
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
