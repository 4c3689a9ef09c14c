//! Exercise 5.1 E4: a buffer with a bound, and four policies for when it is full.

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::buffer_ways as ways;
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::{Finding, Outcome, State};
use crate::random::Random;
use crate::table_picture::{Row, TablePicture};
use crate::trial::{self, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.1 E4",
    title: "Bounded buffer",
    points: 20,
    hints: [
        "The buffer is full and item 9 is offered. For each policy: which item is not in the buffer afterwards, and \
         does anybody come back with it?",
        "Look again at section 8, \"Overload\". Full means `waiting.len() == capacity`, and only what is in the \
         buffer may be dropped as the oldest: its front. `Blocked` leaves the buffer as it is, and the source offers \
         the same item again. For the smallest capacity: how much faster than the worker is the source during the \
         burst, and for how long?",
        "fn drop_oldest(buffer: &mut Buffer, item: u64) -> Verdict {\n    \
             if buffer.waiting.len() < buffer.capacity {\n        \
                 buffer.waiting.push_back(item);\n        \
                 return Verdict::Accepted;\n    \
             }\n    \
             let Some(oldest) = buffer.waiting.pop_front() else { /* a capacity of 0 */ };\n    \
             // what goes in, and what was lost?\n\
         }\n\n\
         fn sample(buffer: &mut Buffer, item: u64) -> Verdict {\n    \
             let crowded = buffer.waiting.len() * 2 >= buffer.capacity;\n    \
             if crowded && buffer.offered % 10 != 0 { return /* ... */ }\n    \
             // else as one of the other three\n\
         }",
    ],
    next_question: "a card payment, a mouse position, a bill, a temperature: which policy for each, and who is told \
                    how much was dropped?",
};

/// Items that wait for a worker, which takes them from the front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buffer {
    pub waiting: VecDeque<u64>,
    /// How many may wait; 1 or more.
    pub capacity: usize,
    /// How many offers there were before this one.
    pub offered: u64,
}

/// What became of an item that was offered.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It waits in the buffer, and nothing was lost.
    Accepted,
    /// The buffer is full and stays as it is; the source has to offer the item again.
    Blocked,
    /// This item is lost: the one that was offered, or one that had waited.
    Dropped(u64),
}

impl fmt::Debug for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Accepted => out.write_str("accepted"),
            Verdict::Blocked => out.write_str("blocked"),
            Verdict::Dropped(item) => write!(out, "dropped {item}"),
        }
    }
}

/// A policy: what to do with an item that is offered.
pub type Policy = fn(&mut Buffer, u64) -> Verdict;

impl Buffer {
    /// Returns an empty buffer.
    pub fn of(capacity: usize) -> Buffer {
        Buffer {
            waiting: VecDeque::new(),
            capacity,
            offered: 0,
        }
    }
}

/// Checks the policies `block`, `drop_newest`, `drop_oldest` and `sample`, and the smallest
/// capacity that loses nothing in the lesson's burst: 20 points.
///
/// The capacity may be off by 1 %.
pub fn check_5_1_e4(
    block: Policy,
    drop_newest: Policy,
    drop_oldest: Policy,
    sample: Policy,
    smallest_capacity: usize,
) -> Outcome {
    check_for(
        &Learner::current(),
        [block, drop_newest, drop_oldest, sample],
        smallest_capacity,
    )
}

/// As [`check_5_1_e4`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, policies: [Policy; 4], smallest_capacity: usize) -> Outcome {
    attempt::of(
        EXERCISE.id,
        learner,
        &policies.map(|function| function as *const ()),
        || {
            let begun = Instant::now();
            let mut verdicts = Vec::new();
            for (rules, policy) in ways::RULES.iter().zip(policies) {
                let trial = trial_of(rules, &mut Random::seeded(learner.seed(EXERCISE.id)));
                verdicts.push((rules.name, trial.run(begun, |script| play(script, policy))));
            }
            verdicts.push(("SMALLEST_CAPACITY", judge_capacity(smallest_capacity)));
            Outcome::new(&EXERCISE, trial::together(&verdicts))
        },
    )
}

/// What happens to a buffer, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub capacity: usize,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    Offer,
    Take,
}

/// What was seen after an offer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub item: u64,
    pub verdict: Verdict,
    pub waiting: Vec<u64>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: {:?}, then {:?}",
            self.item, self.verdict, self.waiting
        )
    }
}

/// Plays a script: items are numbered from 1, and a blocked one is offered again.
pub(super) fn play(script: &Script, policy: Policy) -> Vec<Seen> {
    let mut buffer = Buffer::of(script.capacity);
    let (mut seen, mut item) = (Vec::new(), 1);
    for step in &script.steps {
        if *step == Step::Take {
            buffer.waiting.pop_front();
            continue;
        }
        let verdict = policy(&mut buffer, item);
        buffer.offered += 1;
        seen.push(Seen {
            item,
            verdict,
            waiting: buffer.waiting.iter().copied().collect(),
        });
        if verdict != Verdict::Blocked {
            item += 1;
        }
    }
    seen
}

fn trial_of(rules: &ways::Rules, random: &mut Random) -> Trial<Script, Vec<Seen>> {
    use Step::{Offer, Take};
    let script = |capacity, steps: &[Step]| Script {
        capacity,
        steps: steps.to_vec(),
    };
    let hidden = (0..60).map(|round| Script {
        capacity: random.choose(&[1, 2, 3, 5, 10]),
        steps: (0..4 + round)
            .map(|_| random.choose(&[Offer, Offer, Take]))
            .collect(),
    });
    Trial {
        name: rules.name,
        call: rules.call,
        reference: rules.reference,
        picture: draw,
        properties: ways::PROPERTIES,
        misconceptions: rules.misconceptions,
        shown: vec![
            script(2, &[Offer, Offer, Offer]),
            script(2, &[Offer, Offer, Offer, Take, Offer]),
            script(4, &[Offer; 13]),
        ],
        hidden: hidden.collect(),
    }
}

/// Peak of the lesson's burst: 5 s at 4,000 a second, for a worker that does 1,500 a second.
const PEAK: usize = (4000 - 1500) * 5;

fn judge_capacity(capacity: usize) -> trial::Verdict {
    if capacity == 0 {
        return trial::Verdict::Stub;
    }
    if capacity.abs_diff(PEAK) * 100 <= PEAK {
        return trial::Verdict::Right;
    }
    let hint = ways::CAPACITIES
        .iter()
        .find(|(wrong, _)| capacity.abs_diff(*wrong) * 100 <= *wrong);
    trial::Verdict::Wrong(State::NotYet(Finding {
        call: "SMALLEST_CAPACITY".into(),
        expected: "the smallest capacity that loses nothing in the burst of section 8".into(),
        got: capacity.to_string(),
        hint: hint.map(|(_, hint)| *hint),
        picture: None,
    }))
}

/// Writes a script as one would say it.
pub(super) fn say(script: &Script) -> String {
    let runs = script
        .steps
        .chunk_by(|one, next| one == next)
        .take(8)
        .map(|run| {
            let word = if run[0] == Step::Offer {
                "offer"
            } else {
                "take"
            };
            format!("{word} {}", run.len())
        });
    format!(
        "capacity {}: {}",
        script.capacity,
        runs.collect::<Vec<_>>().join(", ")
    )
}

#[expect(
    clippy::ptr_arg,
    reason = "a check hands over what the function took and gave"
)]
fn draw(script: &Script, expected: &Vec<Seen>, got: &Vec<Seen>) -> String {
    let text = |seen: Option<&Seen>| {
        seen.map_or("nothing".into(), |seen| {
            format!("{:?}, {:?}", seen.verdict, seen.waiting)
        })
    };
    let first = expected
        .iter()
        .zip(got)
        .position(|(one, other)| one != other)
        .unwrap_or(0);
    let from = first.saturating_sub(3);
    let rows = (from..expected.len().min(from + 7)).map(|index| Row {
        name: format!("offer of {}", expected[index].item),
        expected: text(expected.get(index)),
        got: text(got.get(index)),
        agrees: expected.get(index) == got.get(index),
    });
    TablePicture {
        title: format!("Verdict, and who waits then (capacity {})", script.capacity),
        rows: rows.collect(),
    }
    .svg()
}
