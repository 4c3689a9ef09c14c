//! Runs a learner's function where neither a panic nor an endless loop does harm.
//!
//! The calls are made in a fresh process of the same program, which loads the object that the
//! function is in (the learner's compiled cell) and calls it there. When it panics, loops,
//! overflows its stack, eats memory or exits, only that process ends. A thread would not do: a
//! loop that pushes into a vector cannot be stopped and takes the session with it when memory
//! runs out. A fork would not quite do: a lock that another thread holds at that moment is held
//! in the fork for ever.
//!
//! - `fresh`: starts such a process, one ahead; `serve`: what it does; `place`: where a function is
//! - `entries`: what can be asked for
//! - `fork`: the way of programs that cannot be started again like this, such as doctests
//!
//! So a check takes item functions, not closures over variables, which are not there afresh.

mod child;
mod entries;
mod fork;
mod fresh;
mod place;
mod serve;

use std::cell::RefCell;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::learner::Learner;

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

thread_local! {
    /// What the attempts of this thread belong to.
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// A check that is going on: what a fresh process needs to come to the same calls.
struct Context {
    entry: &'static str,
    learner: String,
    functions: Vec<*const ()>,
    /// How many attempts there were so far.
    part: usize,
}

/// Runs a check whose attempts are made in fresh processes; `entry` is the id of its exercise.
pub(crate) fn of<T>(
    entry: &'static str,
    learner: &Learner,
    functions: &[*const ()],
    check: impl FnOnce() -> T,
) -> T {
    let context = Context {
        entry,
        learner: learner.code().to_owned(),
        functions: functions.to_vec(),
        part: 0,
    };
    let before = CONTEXT.replace(Some(context));
    let result = check();
    CONTEXT.set(before);
    result
}

/// Takes part in attempts: a program calls this once at its start.
///
/// In a process that was started for an attempt it makes the calls and never returns; elsewhere
/// it only notes that this program can be started again for one.
pub fn serve_if_asked() {
    serve::serve_if_asked();
}

/// Makes `calls` calls of a function, numbered from 0, as a check does.
pub fn probe(limit: Duration, calls: usize, function: fn(usize) -> u64) -> Attempt<u64> {
    of(
        "probe",
        &Learner::of("probe"),
        &[function as *const ()],
        || run(limit, calls, function),
    )
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
        let answer = child::catch(|| call(index)).map_or_else(Answer::Panicked, Answer::Value);
        serde_json::to_string(&answer).unwrap_or_default()
    };
    if serve::is_serving() {
        serve::take_turn(&write);
        return Attempt {
            answers: Vec::new(),
            end: End::Finished,
        };
    }
    let job = CONTEXT
        .with_borrow_mut(|context| context.as_mut().and_then(|it| it.next_job(limit, calls)));
    let (lines, end) = match job {
        Some(job) => fresh::run(limit, &job),
        None => fork::run(limit, calls, &write),
    };
    Attempt {
        answers: lines
            .iter()
            .map_while(|line| serde_json::from_str(line).ok())
            .collect(),
        end,
    }
}

impl Context {
    /// Describes the next attempt, if a process of this program could make it.
    fn next_job(&mut self, limit: Duration, calls: usize) -> Option<serve::Job> {
        let part = self.part;
        self.part += 1;
        let functions = self
            .functions
            .iter()
            .map(|function| place::of(*function))
            .collect::<Option<_>>()?;
        serve::can_serve().then(|| serve::Job {
            entry: self.entry.to_owned(),
            learner: self.learner.clone(),
            part,
            calls,
            limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            functions,
        })
    }
}

/// Calls `call`; a panic becomes its message.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    child::catch(call)
}

/// Returns whether a panic came from a stub: `todo!()` or `unimplemented!()`.
pub fn is_stub(message: &str) -> bool {
    message.starts_with("not yet implemented") || message.starts_with("not implemented")
}
