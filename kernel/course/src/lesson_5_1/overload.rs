//! The burst of lesson 5.1: a source, a buffer with a bound, and a worker that is too slow for five seconds.

use headwater_streams::{Error, Result};
use polars::prelude::{DataFrame, PolarsResult, df};

use super::buffer::{Buffer, Policy, Verdict};
use super::buffer_ways;

/// The names that [`overload`] knows.
const POLICIES: [&str; 4] = ["block", "drop_newest", "drop_oldest", "sample"];

/// Steps of 2 ms: in each the source sends 2 items, or 8 in the burst, and the worker takes 3.
const STEPS_A_SECOND: usize = 500;
/// The burst, in seconds from the start.
const BURST: std::ops::Range<usize> = 5..10;
/// When the run ends, in seconds.
const END: usize = 45;

/// Runs the burst with one of the four policies, which is compiled in: `block`, `drop_newest`,
/// `drop_oldest` or `sample`.
///
/// The source sends 1,000 items a second, from second 5 to 10 it sends 4,000; the worker takes
/// 1,500. The frame has a row each tenth of a second.
///
/// Columns: `second` (f64), `policy` (str), `waiting` (i64, in the buffer), `lost` (i64, dropped
/// so far), `held_back` (i64, not yet sent by a source that is blocked), `age_ms` (f64, how long
/// the item that the worker takes next has been waiting; null if none does).
///
/// # Errors
/// A name that is none of the four.
///
/// # Example
/// ```
/// use headwater_course::lesson_5_1::overload;
/// use polars::prelude::ChunkAgg;
/// let run = overload("drop_newest", 20_000)?;
/// assert_eq!(run.column("waiting")?.i64()?.max(), Some(12_500));
/// assert_eq!(run.column("lost")?.i64()?.max(), Some(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn overload(policy: &str, capacity: usize) -> Result<DataFrame> {
    let Some(known) = buffer_ways::policy(policy) else {
        return Err(Error::new(format!("no policy `{policy}`"))
            .have(POLICIES.join(", "))
            .hint(format!("overload(\"{}\", {capacity})", POLICIES[0])));
    };
    run(policy, known, capacity)
}

/// Runs the burst with a policy of your own; the columns are those of [`overload`].
///
/// # Errors
/// None that a policy could cause; a policy that loops or panics does so in your cell.
pub fn overload_with(policy: Policy, capacity: usize) -> Result<DataFrame> {
    run("yours", policy, capacity)
}

fn run(name: &str, policy: Policy, capacity: usize) -> Result<DataFrame> {
    let mut line = Line {
        buffer: Buffer::of(capacity),
        policy,
        next: 1,
        sent_at: Vec::new(),
        lost: 0,
    };
    let mut rows = Rows::default();
    for step in 0..END * STEPS_A_SECOND {
        let sends = if BURST.contains(&(step / STEPS_A_SECOND)) {
            8
        } else {
            2
        };
        line.sent_at.extend(std::iter::repeat_n(step, sends));
        line.step(sends);
        if (step + 1) % (STEPS_A_SECOND / 10) == 0 {
            rows.add(&line, step);
        }
    }
    Ok(rows.frame(name)?)
}

/// Source, buffer and worker at one moment.
struct Line {
    buffer: Buffer,
    policy: Policy,
    /// The number of the item that the source offers next; they count from 1.
    next: u64,
    /// The step in which each item was made.
    sent_at: Vec<usize>,
    lost: i64,
}

impl Line {
    /// Offers what was made, and takes three items away, spread evenly.
    fn step(&mut self, sends: usize) {
        for part in 0..3 {
            self.offer((sends * (part + 1)) / 3 - (sends * part) / 3);
            self.buffer.waiting.pop_front();
        }
        // A source that was blocked sends what it holds, as far as there is room.
        self.offer(usize::MAX);
    }

    fn offer(&mut self, most: usize) {
        for _ in 0..most {
            if self.next > self.sent_at.len() as u64 {
                return;
            }
            let verdict = (self.policy)(&mut self.buffer, self.next);
            self.buffer.offered += 1;
            match verdict {
                Verdict::Blocked => return,
                Verdict::Dropped(_) => self.lost += 1,
                Verdict::Accepted => {}
            }
            self.next += 1;
        }
    }
}

#[derive(Default)]
struct Rows {
    second: Vec<f64>,
    waiting: Vec<i64>,
    lost: Vec<i64>,
    held_back: Vec<i64>,
    age_ms: Vec<Option<f64>>,
}

impl Rows {
    fn add(&mut self, line: &Line, step: usize) {
        let made_at = |item: &u64| {
            line.sent_at
                .get(usize::try_from(*item).ok()?.checked_sub(1)?)
        };
        self.second.push((step + 1) as f64 / STEPS_A_SECOND as f64);
        self.waiting.push(line.buffer.waiting.len() as i64);
        self.lost.push(line.lost);
        self.held_back
            .push(line.sent_at.len() as i64 + 1 - line.next as i64);
        let age = line.buffer.waiting.front().and_then(made_at);
        self.age_ms
            .push(age.map(|made| (step + 1 - made) as f64 * 1000.0 / STEPS_A_SECOND as f64));
    }

    fn frame(self, policy: &str) -> PolarsResult<DataFrame> {
        df![
            "second" => &self.second,
            "policy" => vec![policy; self.second.len()],
            "waiting" => self.waiting,
            "lost" => self.lost,
            "held_back" => self.held_back,
            "age_ms" => self.age_ms,
        ]
    }
}
