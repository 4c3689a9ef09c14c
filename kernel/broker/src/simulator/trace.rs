//! The trace: one line for everything that happened, with its virtual time.

use std::fmt;

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceLine {
    pub step: u64,
    /// Milliseconds since the start.
    pub at_ms: i64,
    /// Who did it: `node 1`, `producer 0`, `consumer 2`, `plan`.
    pub who: String,
    pub what: String,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TraceLine {
            step,
            at_ms,
            who,
            what,
        } = self;
        write!(f, "{step:>5}  {at_ms:>6} ms  {who:<12} {what}")
    }
}

/// Lines so far. Histories that nobody reads keep none: the same seed writes them again.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub on: bool,
    pub step: u64,
    pub at_ms: i64,
    pub lines: Vec<TraceLine>,
}

impl Trace {
    pub fn say(&mut self, who: impl FnOnce() -> String, what: impl FnOnce() -> String) {
        if self.on {
            self.lines.push(TraceLine {
                step: self.step,
                at_ms: self.at_ms,
                who: who(),
                what: what(),
            });
        }
    }
}
