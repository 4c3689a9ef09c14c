//! Runs a learner's function where neither a panic nor an endless loop does harm.
//!
//! The calls are made in a fork of this process: it sees the same functions and data, and when
//! it panics, loops, overflows its stack, eats memory or exits, only the fork ends. A thread
//! would not do: a loop that pushes into a vector cannot be stopped and takes the session with
//! it when memory runs out.
//!
//! Only the forking thread exists in the fork. Functions that use a thread pool (any Polars
//! query) would wait for ever there and must be run in another way.

mod fork;

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How long all calls of one check may take together.
pub const LIMIT: Duration = Duration::from_secs(5);

/// What the calls returned before the attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt<A> {
    /// One answer a call, in order; shorter than the calls unless `end` is [`End::Finished`].
    pub answers: Vec<Answer<A>>,
    pub end: End,
}

/// What one call did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer<A> {
    Value(A),
    Panicked(String),
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every call returned or panicked.
    Finished,
    /// A call did not return within the limit.
    TimeLimit,
    /// A call called itself without end.
    StackOverflow,
    /// A call asked for more memory than it may have.
    MemoryLimit,
    /// A call ended its process in another way.
    Died(String),
    /// The person interrupted the cell.
    Interrupted,
    /// The system could not start the attempt.
    NotStarted(String),
}

impl End {
    /// Says why a call gave no answer.
    pub(crate) fn says(&self) -> String {
        match self {
            End::TimeLimit => "no answer within the time limit of 5 s: a loop that does not end? \
                           It was stopped, and your variables are untouched"
                .into(),
            End::StackOverflow => "it called itself until the stack was full".into(),
            End::MemoryLimit => {
                "it asked for more than 1 GiB of memory: a loop that pushes without end?".into()
            }
            End::Interrupted => "you interrupted the check".into(),
            End::Died(how) => how.clone(),
            End::NotStarted(why) => format!("the check could not start: {why}"),
            End::Finished => "nothing".into(),
        }
    }
}

/// Makes `calls` calls, numbered from 0, within `limit` for all of them together.
///
/// What the calls print is not shown, and what they change is forgotten.
pub fn run<A: Serialize + DeserializeOwned>(
    limit: Duration,
    calls: usize,
    call: impl Fn(usize) -> A,
) -> Attempt<A> {
    let write = |index: usize| {
        let answer = fork::catch(|| call(index)).map_or_else(Answer::Panicked, Answer::Value);
        serde_json::to_string(&answer).unwrap_or_default()
    };
    let (lines, end) = fork::run(limit, calls, &write);
    Attempt {
        answers: lines
            .iter()
            .map_while(|line| serde_json::from_str(line).ok())
            .collect(),
        end,
    }
}

/// Calls `call`; a panic becomes its message.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    fork::catch(call)
}

/// Returns whether a panic came from a stub: `todo!()` or `unimplemented!()`.
pub fn is_stub(message: &str) -> bool {
    message.starts_with("not yet implemented") || message.starts_with("not implemented")
}
