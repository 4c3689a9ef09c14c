//! Exercise 5.6 E4: retry topics and dead letters that block nothing, lose nothing, and keep order.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::letter::Letter;
use super::redrive::{self, Redriven};
use super::retry_desk::{Fate, Kept, RetryDesk, Trouble};
use super::retry_ways::{MISCONCEPTIONS, right_answer};
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::lesson_5_2::Killed;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::table_picture::{Row, TablePicture};
use crate::trial::{self, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.6 E4",
    title: "Retry and dead letter",
    points: 20,
    hints: [
        "A letter has failed and the process dies right now. What of what you know about it, such as the number of tries, \
         is written down somewhere else than in your variables?",
        "Look again at section 2, \"One bad record\": who waits there, and who overtakes whom? Ask `earlier` before you work; \
         send first, commit after it; and what a letter has been through belongs into its headers.",
        "while let Some(letter) = desk.next_letter()? {\n    \
             if let Some(topic) = desk.earlier(&letter) {\n        \
                 // follow it, with the headers as they are\n    \
             } else if let Err(fault) = desk.work(&letter)? {\n        \
                 // headers: one attempt more, this fault, the first time if there is none yet\n        \
                 // topic: by fault and attempt\n    \
             }\n    \
             desk.commit(&letter)?;\n\
         }",
    ],
    next_question: "who reads the dead letters? Name the person, the alarm that calls them, and what they type.",
};

/// What a learner writes: the loop, and what to send back of the dead letters.
pub type RunAnswer = fn(&mut RetryDesk) -> Result<(), Killed>;
pub type RedriveAnswer = fn(&[Letter]) -> Vec<Letter>;

/// One history: the orders and what they meet, and when processes die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History {
    orders: Vec<Fate>,
    /// After how many calls each process dies; after these one runs to the end.
    deaths: Vec<usize>,
}

/// What is left in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    pub done: usize,
    pub dead: usize,
    /// Neither done nor dead.
    pub lost: usize,
    pub trouble: Trouble,
}

/// Checks `run(desk)` and `redrive(letters)`: 20 points.
pub fn check_5_6_e4(run: RunAnswer, redrive: RedriveAnswer) -> Outcome {
    check_for(&Learner::current(), run, redrive)
}

/// As [`check_5_6_e4`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, run: RunAnswer, redrive: RedriveAnswer) -> Outcome {
    let functions = [run as *const (), redrive as *const ()];
    attempt::of(EXERCISE.id, learner, &functions, || {
        let begun = Instant::now();
        let mut random = Random::seeded(learner.seed(EXERCISE.id));
        let (runs, redrives) = (trial(&mut random), redrive::trial(&mut random));
        let verdicts = [
            (
                runs.name,
                runs.run(begun, |history| live_through(history, run)),
            ),
            (
                redrives.name,
                redrives.run(begun, |letters| Redriven::of(letters, &redrive(letters))),
            ),
        ];
        Outcome::new(&EXERCISE, trial::together(&verdicts))
    })
}

/// Runs one process after the other until one gets to the end.
pub(super) fn live_through(history: &History, run: RunAnswer) -> Handled {
    let mut kept = Kept::of(&history.orders);
    let lives = history.deaths.iter().copied().map(Some).chain([None]);
    for calls in lives {
        let mut desk = RetryDesk::start(kept, calls);
        // However it ends, the next process goes on from what this one leaves.
        let _ = run(&mut desk);
        kept = desk.end();
    }
    let orders = history.orders.iter().map(|fate| (fate.key, fate.number));
    let lost = orders
        .filter(|order| !kept.done.contains(order) && !kept.dead.contains(order))
        .count();
    Handled {
        done: kept.done.len(),
        dead: kept.dead.len(),
        lost,
        trouble: kept.trouble,
    }
}

fn trial(random: &mut Random) -> Trial<History, Handled> {
    let shown = vec![
        history(&[("A", 1, 0), ("B", 1, 0), ("A", 2, 0)], &[]),
        history(&[("A", 1, MALFORMED), ("B", 1, 0), ("B", 2, 0)], &[]),
        history(&[("A", 1, 1), ("B", 1, 0), ("A", 2, 0), ("A", 3, 0)], &[]),
        history(&[("B", 1, 4), ("A", 1, 3), ("A", 2, 0)], &[]),
    ];
    let mut hidden = Vec::new();
    for calls in 1..=40 {
        let orders = drawn(random);
        let again = random.between(1, 20) as usize;
        hidden.push(History {
            deaths: vec![calls],
            orders: orders.clone(),
        });
        hidden.push(History {
            deaths: vec![calls, again],
            orders,
        });
    }
    Trial {
        name: "run",
        call: words,
        reference: |history| live_through(history, right_answer),
        picture,
        properties: PROPERTIES,
        misconceptions: MISCONCEPTIONS,
        shown,
        hidden,
    }
}

/// So many failing tries mean that a letter is malformed.
const MALFORMED: u32 = u32::MAX;

fn history(orders: &[(&str, u32, u32)], deaths: &[usize]) -> History {
    let orders = orders.iter().zip(0..).map(|((key, number, failing), at)| {
        let key = key.chars().next().unwrap_or('A');
        fate(key, *number, *failing, at * 300)
    });
    History {
        orders: orders.collect(),
        deaths: deaths.to_vec(),
    }
}

fn fate(key: char, number: u32, failing: u32, arrives_ms: i64) -> Fate {
    Fate {
        key,
        number,
        // A and C on one partition, B and D on the other.
        partition: usize::from(matches!(key, 'B' | 'D')),
        arrives_ms,
        malformed: failing == MALFORMED,
        failing_tries: failing,
    }
}

/// Draws orders of four customers; about a third of them meet a fault.
fn drawn(random: &mut Random) -> Vec<Fate> {
    let mut numbers = [0; 4];
    let count = random.between(6, 14);
    let orders = (0..count).map(|at| {
        let customer = random.between(0, 4) as usize;
        numbers[customer] += 1;
        let failing = random.choose(&[0, 0, 0, 0, 0, 0, 1, 2, 3, 4, MALFORMED]);
        let key = ['A', 'B', 'C', 'D'][customer];
        fate(
            key,
            numbers[customer],
            failing,
            at * random.between(100, 900),
        )
    });
    let mut orders: Vec<Fate> = orders.collect();
    // An order never arrives before an earlier one.
    let mut latest = 0;
    for order in &mut orders {
        latest = order.arrives_ms.max(latest + 10);
        order.arrives_ms = latest;
    }
    orders
}

fn words(history: &History) -> String {
    let orders: Vec<String> = history
        .orders
        .iter()
        .map(|fate| {
            let what = match fate.failing_tries {
                0 => String::new(),
                MALFORMED => " malformed".into(),
                1 => " fails once".into(),
                tries => format!(" fails {tries} times"),
            };
            format!("{}{}{what}", fate.key, fate.number)
        })
        .collect();
    let deaths: Vec<String> = history.deaths.iter().map(usize::to_string).collect();
    let dies = match deaths.is_empty() {
        true => "no crash".to_owned(),
        false => format!("processes die after {} calls", deaths.join(" and ")),
    };
    format!("run over orders {}; {dies}", orders.join(", "))
}

fn picture(_: &History, expected: &Handled, got: &Handled) -> String {
    let row = |name, of: fn(&Handled) -> String| Row::of(name, [expected, got], of);
    TablePicture {
        title: "What is left in the end".into(),
        rows: vec![
            row("orders dealt with", |it| it.done.to_string()),
            row("dead letters", |it| it.dead.to_string()),
            row("lost", |it| it.lost.to_string()),
            row("the first trouble", |it| trouble(it.trouble).into()),
        ],
    }
    .svg()
}

fn trouble(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::None => "none",
        Trouble::Waited => "in hand over 100 ms",
        Trouble::RetriedMalformed => "malformed, retried",
        Trouble::WrongAttempt => "wrong attempt",
        Trouble::WrongHeaders => "wrong headers",
        Trouble::WrongTopic => "wrong topic",
        Trouble::Overtook => "overtook an earlier one",
        Trouble::CommittedFirst => "committed, then sent",
        Trouble::Dropped => "committed, never sent",
        Trouble::NotCommitted => "not committed",
        Trouble::Endless => "does not end",
    }
}

const PROPERTIES: &[Property<History, Handled>] = &[
    Property {
        name: "nothing is lost",
        holds: |_, got| {
            got.lost == 0 && !matches!(got.trouble, Trouble::CommittedFirst | Trouble::Dropped)
        },
    },
    Property {
        name: "no letter is in hand for more than 100 ms",
        holds: |_, got| got.trouble != Trouble::Waited,
    },
    Property {
        name: "what is malformed takes no retries",
        holds: |_, got| got.trouble != Trouble::RetriedMalformed,
    },
    Property {
        name: "the orders of a customer stay in order",
        holds: |_, got| got.trouble != Trouble::Overtook,
    },
    Property {
        name: "the headers tell of the whole way, also after a crash",
        holds: |_, got| {
            !matches!(
                got.trouble,
                Trouble::WrongAttempt | Trouble::WrongHeaders | Trouble::WrongTopic
            )
        },
    },
    Property {
        name: "each letter's offset is committed before the next is taken",
        holds: |_, got| got.trouble != Trouble::NotCommitted,
    },
];

/// The right answers, for tests.
pub const RIGHT: (RunAnswer, RedriveAnswer) = (right_answer, redrive::right_answer);
