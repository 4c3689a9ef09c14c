//! Wrong solutions of 5.1 E4.

use super::Specimen;
use crate::lesson_5_1::buffer::{Buffer, Verdict, check_for};

macro_rules! wrong {
    ($name:literal, $hint:literal, [$($policy:expr),+], $capacity:expr) => {
        Specimen {
            exercise: "5.1 E4",
            name: $name,
            hint: $hint,
            check: |learner| check_for(learner, [$($policy),+], $capacity),
        }
    };
}

pub(super) const SPECIMENS: &[Specimen] = &[
    wrong!(
        "block without a bound",
        "grows past its capacity",
        [|b, i| push(b, i), newest, oldest, sample],
        12_500
    ),
    wrong!(
        "block one too late",
        "one more waits than may",
        [
            |b, i| if b.waiting.len() > b.capacity {
                Verdict::Blocked
            } else {
                push(b, i)
            },
            newest,
            oldest,
            sample
        ],
        12_500
    ),
    wrong!(
        "block that loses the item",
        "Blocking never loses one",
        [
            |b, i| if b.waiting.len() == b.capacity {
                Verdict::Dropped(i)
            } else {
                push(b, i)
            },
            newest,
            oldest,
            sample
        ],
        12_500
    ),
    wrong!(
        "block that keeps the item",
        "it is there twice",
        [
            |b, i| {
                let full = b.waiting.len() >= b.capacity;
                b.waiting.push_back(i);
                if full {
                    Verdict::Blocked
                } else {
                    Verdict::Accepted
                }
            },
            newest,
            oldest,
            sample
        ],
        12_500
    ),
    wrong!(
        "newest is the last that waits",
        "The newest is the one that is being offered",
        [
            block,
            |b, i| {
                if b.waiting.len() < b.capacity {
                    return push(b, i);
                }
                let last = b.waiting.pop_back().unwrap_or(i);
                b.waiting.push_back(i);
                Verdict::Dropped(last)
            },
            oldest,
            sample
        ],
        12_500
    ),
    wrong!(
        "loss without a word",
        "the verdict says `Accepted`",
        [
            block,
            |b, i| {
                if b.waiting.len() < b.capacity {
                    b.waiting.push_back(i);
                }
                Verdict::Accepted
            },
            oldest,
            sample
        ],
        12_500
    ),
    wrong!(
        "oldest and newest exchanged",
        "the one that has waited longest",
        [block, oldest, newest, sample],
        12_500
    ),
    wrong!(
        "oldest: verdict names the new item",
        "names the wrong item",
        [
            block,
            newest,
            |b, i| {
                let full = b.waiting.len() == b.capacity;
                if full {
                    b.waiting.pop_front();
                }
                b.waiting.push_back(i);
                if full {
                    Verdict::Dropped(i)
                } else {
                    Verdict::Accepted
                }
            },
            sample
        ],
        12_500
    ),
    wrong!(
        "oldest: the new item overtakes",
        "It belongs at the back",
        [
            block,
            newest,
            |b, i| {
                if b.waiting.len() < b.capacity {
                    return push(b, i);
                }
                let gone = std::mem::replace(&mut b.waiting[0], i);
                Verdict::Dropped(gone)
            },
            sample
        ],
        12_500
    ),
    wrong!(
        "sample from the start",
        "while there is room",
        [block, newest, oldest, |b, i| {
            if b.offered % 10 != 0 {
                Verdict::Dropped(i)
            } else {
                newest(b, i)
            }
        }],
        12_500
    ),
    wrong!(
        "sample past the bound",
        "full stays full",
        [block, newest, oldest, |b, i| {
            if b.waiting.len() * 2 >= b.capacity && b.offered % 10 != 0 {
                Verdict::Dropped(i)
            } else {
                push(b, i)
            }
        }],
        12_500
    ),
    wrong!(
        "capacity for the whole burst",
        "Meanwhile the worker",
        [block, newest, oldest, sample],
        20_000
    ),
    wrong!(
        "capacity for one second",
        "The burst lasts five",
        [block, newest, oldest, sample],
        2_500
    ),
    wrong!(
        "capacity by the normal rate",
        "what the worker takes",
        [block, newest, oldest, sample],
        15_000
    ),
];

fn push(buffer: &mut Buffer, item: u64) -> Verdict {
    buffer.waiting.push_back(item);
    Verdict::Accepted
}

fn block(buffer: &mut Buffer, item: u64) -> Verdict {
    match buffer.waiting.len() == buffer.capacity {
        true => Verdict::Blocked,
        false => push(buffer, item),
    }
}

fn newest(buffer: &mut Buffer, item: u64) -> Verdict {
    match buffer.waiting.len() == buffer.capacity {
        true => Verdict::Dropped(item),
        false => push(buffer, item),
    }
}

fn oldest(buffer: &mut Buffer, item: u64) -> Verdict {
    buffer.waiting.push_back(item);
    match buffer.waiting.len() > buffer.capacity {
        true => Verdict::Dropped(buffer.waiting.pop_front().unwrap_or(item)),
        false => Verdict::Accepted,
    }
}

fn sample(buffer: &mut Buffer, item: u64) -> Verdict {
    let crowded = buffer.waiting.len() * 2 >= buffer.capacity;
    if crowded && !buffer.offered.is_multiple_of(10) {
        Verdict::Dropped(item)
    } else {
        newest(buffer, item)
    }
}
