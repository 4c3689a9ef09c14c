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

/// Returns whether a panic came from a stub: `todo!()` or `unimplemented!()`.
pub fn is_stub(message: &str) -> bool {
    message.starts_with("not yet implemented") || message.starts_with("not implemented")
}
