//! The second function of exercise E4: which dead letters go back to the topic, and how.

use serde::{Deserialize, Serialize};

use super::letter::{Letter, LetterHeaders, LetterTopic, OrderFault};
use crate::random::Random;
use crate::table_picture::{Row, TablePicture};
use crate::trial::{Misconception, Property, Trial};

/// One letter that goes back, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redriven {
    /// Customer and number, such as `A2`.
    pub order: String,
    pub attempt: u32,
    /// Its partition, offset and first time are those that it had.
    pub origin_kept: bool,
}

impl Redriven {
    pub(super) fn of(letters: &[Letter], back: &[Letter]) -> Vec<Redriven> {
        let one = |letter: &Letter| {
            let had = letters
                .iter()
                .find(|it| (it.key, it.number) == (letter.key, letter.number));
            let origin = |it: &Letter| {
                let headers = it.headers;
                (headers.partition, headers.offset, headers.first_ms)
            };
            Redriven {
                order: format!("{}{}", letter.key, letter.number),
                attempt: letter.headers.attempt,
                origin_kept: had.is_some_and(|had| origin(had) == origin(letter)),
            }
        };
        back.iter().map(one).collect()
    }
}

/// The right answer: what may work now, in the order it had, with all its tries before it.
pub(super) fn right_answer(letters: &[Letter]) -> Vec<Letter> {
    in_order(fresh(curable(letters)))
}

fn curable(letters: &[Letter]) -> Vec<Letter> {
    let curable = |letter: &&Letter| letter.headers.fault == Some(OrderFault::Unreachable);
    letters.iter().filter(curable).cloned().collect()
}

fn fresh(letters: Vec<Letter>) -> Vec<Letter> {
    let fresh = letters.into_iter().map(|letter| Letter {
        headers: LetterHeaders {
            attempt: 0,
            ..letter.headers
        },
        ..letter
    });
    fresh.collect()
}

fn in_order(mut letters: Vec<Letter>) -> Vec<Letter> {
    letters.sort_by_key(|letter| (letter.headers.partition, letter.headers.offset));
    letters
}

pub(super) fn trial(random: &mut Random) -> Trial<Vec<Letter>, Vec<Redriven>> {
    let shown = vec![
        vec![letter('A', 1, 4, false)],
        vec![
            letter('A', 2, 9, false),
            letter('B', 1, 3, true),
            letter('A', 1, 4, false),
        ],
    ];
    let hidden = (0..12).map(|_| drawn(random)).collect();
    Trial {
        name: "redrive",
        call: |letters| {
            let words: Vec<String> = letters.iter().map(describe).collect();
            format!("redrive([{}])", words.join(", "))
        },
        reference: |letters| Redriven::of(letters, &right_answer(letters)),
        picture: |_, expected, got| picture(expected, got),
        properties: PROPERTIES,
        misconceptions: MISCONCEPTIONS,
        shown,
        hidden,
    }
}

fn describe(letter: &Letter) -> String {
    let headers = letter.headers;
    let fault = match headers.fault {
        Some(OrderFault::Malformed) => "malformed",
        _ => "unreachable",
    };
    format!(
        "{}{} from {}/{} {fault}",
        letter.key, letter.number, headers.partition, headers.offset
    )
}

fn letter(key: char, number: u32, offset: i64, malformed: bool) -> Letter {
    Letter {
        topic: LetterTopic::Dead,
        key,
        number,
        headers: LetterHeaders {
            partition: usize::from(key == 'B'),
            offset,
            attempt: if malformed { 1 } else { 4 },
            fault: Some(if malformed {
                OrderFault::Malformed
            } else {
                OrderFault::Unreachable
            }),
            first_ms: Some(offset * 1_000),
        },
    }
}

/// Draws dead letters of two customers, in the order in which they died.
fn drawn(random: &mut Random) -> Vec<Letter> {
    let mut letters: Vec<Letter> = (1..=random.between(3, 8))
        .map(|number| {
            let key = random.choose(&['A', 'B']);
            let malformed = random.between(0, 3) == 0;
            letter(
                key,
                number as u32,
                number * 3 + random.between(0, 3),
                malformed,
            )
        })
        .collect();
    for at in (1..letters.len()).rev() {
        letters.swap(at, random.between(0, at as i64 + 1) as usize);
    }
    letters
}

fn picture(expected: &[Redriven], got: &[Redriven]) -> String {
    let words = |of: Option<&Redriven>| {
        of.map_or("nothing".to_owned(), |it| {
            let kept = if it.origin_kept {
                ""
            } else {
                ", origin changed"
            };
            format!("{}, attempt {}{kept}", it.order, it.attempt)
        })
    };
    let rows = (0..expected.len().max(got.len()).min(10)).map(|at| {
        let (expected, got) = (words(expected.get(at)), words(got.get(at)));
        Row {
            name: format!("letter {}", at + 1),
            agrees: expected == got,
            expected,
            got,
        }
    });
    TablePicture {
        title: "What goes back to the topic".into(),
        rows: rows.collect(),
    }
    .svg()
}

const PROPERTIES: &[Property<Vec<Letter>, Vec<Redriven>>] = &[
    Property {
        name: "only what may work now goes back",
        holds: |letters, got| got.len() <= curable(letters).len(),
    },
    Property {
        name: "each letter has all its tries before it",
        holds: |_, got| got.iter().all(|it| it.attempt == 0),
    },
    Property {
        name: "partition, offset and first time stay",
        holds: |_, got| got.iter().all(|it| it.origin_kept),
    },
    Property {
        name: "the letters of a partition go back in their order there",
        holds: |letters, got| *got == Redriven::of(letters, &right_answer(letters)),
    },
];

const MISCONCEPTIONS: &[Misconception<Vec<Letter>, Vec<Redriven>>] = &[
    Misconception {
        name: "send everything back",
        wrong: |letters| Redriven::of(letters, &in_order(fresh(letters.clone()))),
        hint: "you send everything back. A malformed order is no better the second time: it dies again, and again, each \
               time somebody presses the button",
    },
    Misconception {
        name: "keep the counter",
        wrong: |letters| Redriven::of(letters, &in_order(curable(letters))),
        hint: "the letters go back with the tries that they had. Their next failure is one too many, and they are dead \
               again at once: set `attempt` to 0",
    },
    Misconception {
        name: "in the order of their death",
        wrong: |letters| Redriven::of(letters, &fresh(curable(letters))),
        hint: "the order in which letters died is not the order in which they were sent: one tried more often dies later. \
               Sort by the partition and offset that they came from",
    },
];
