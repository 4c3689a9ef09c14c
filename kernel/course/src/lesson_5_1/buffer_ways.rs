//! The four policies as they should be, and as people often write them.

use super::buffer::{Buffer, Policy, Script, Seen, Step, Verdict, play, say};
use crate::trial::{Misconception, Property};

/// What one policy is checked against.
pub(super) struct Rules {
    pub name: &'static str,
    pub call: fn(&Script) -> String,
    pub reference: fn(&Script) -> Vec<Seen>,
    pub misconceptions: &'static [Misconception<Script, Vec<Seen>>],
}

pub(super) const PROPERTIES: &[Property<Script, Vec<Seen>>] = &[
    Property {
        name: "never more wait than the capacity",
        holds: |script, seen| {
            seen.iter()
                .all(|seen| seen.waiting.len() <= script.capacity)
        },
    },
    Property {
        name: "who waits does so in the order of the offers",
        holds: |_, seen| seen.iter().all(|seen| seen.waiting.is_sorted()),
    },
    Property {
        name: "taken + dropped + still waiting = offered, so that nothing is lost without being told",
        holds: conserves,
    },
];

/// Follows the numbers: what came in and was not taken or dropped must be waiting.
#[expect(
    clippy::ptr_arg,
    reason = "a check hands over what the function took and gave"
)]
fn conserves(script: &Script, all: &Vec<Seen>) -> bool {
    let (mut waiting, mut offers) = (0_usize, all.iter());
    for step in &script.steps {
        match step {
            Step::Take => waiting = waiting.saturating_sub(1),
            Step::Offer => {
                let Some(seen) = offers.next() else {
                    return false;
                };
                waiting += usize::from(seen.verdict == Verdict::Accepted);
                if waiting != seen.waiting.len() {
                    return false;
                }
            }
        }
    }
    true
}

/// Makes a misconception of a policy.
macro_rules! way {
    ($name:literal, $policy:expr, $hint:expr) => {
        Misconception {
            name: $name,
            wrong: |script| play(script, $policy),
            hint: $hint,
        }
    };
}

const ONE_TOO_MANY: &str = "one more waits than may: with `len() > capacity` the buffer counts as full only when it \
                            already holds one too many. Full is `len() == capacity`";
const WITHOUT_BOUND: &str = "the buffer grows past its capacity. A bigger queue does not end an overload: it turns loss \
                             into waiting, and then into a full memory";
const ALL_ACCEPTED: &str =
    "an item is lost and the verdict says `Accepted`. A loss that nobody counts is the worst kind";

pub(super) const RULES: [Rules; 4] = [
    Rules {
        name: "block",
        call: |script| format!("block, {}", say(script)),
        reference: |script| play(script, block),
        misconceptions: &[
            way!("one too many", one_more, ONE_TOO_MANY),
            way!("no bound", enter, WITHOUT_BOUND),
            way!(
                "blocks and keeps",
                |buffer, item| if is_full(buffer) {
                    buffer.waiting.push_back(item);
                    Verdict::Blocked
                } else {
                    enter(buffer, item)
                },
                "you say `Blocked` and take the item all the same. The source offers it again, and it is there twice"
            ),
            way!(
                "blocks and drops",
                drop_newest,
                "you drop the item. Blocking never loses one: it makes the source wait \
                 with it"
            ),
        ],
    },
    Rules {
        name: "drop_newest",
        call: |script| format!("drop_newest, {}", say(script)),
        reference: |script| play(script, drop_newest),
        misconceptions: &[
            way!(
                "one too many",
                |buffer, item| match one_more(buffer, item) {
                    Verdict::Blocked => Verdict::Dropped(item),
                    other => other,
                },
                ONE_TOO_MANY
            ),
            way!("no bound", enter, WITHOUT_BOUND),
            way!(
                "replaces the last",
                |buffer, item| if let (true, Some(last)) =
                    (is_full(buffer), buffer.waiting.back().copied())
                {
                    buffer.waiting.pop_back();
                    buffer.waiting.push_back(item);
                    Verdict::Dropped(last)
                } else {
                    enter(buffer, item)
                },
                "you throw out the last one that waits and let the new item in. The newest is the one that is being \
                offered: it does not get in"
            ),
            way!(
                "drops the oldest",
                drop_oldest,
                "you drop the one that has waited longest. That is the other policy"
            ),
            way!(
                "says accepted",
                |buffer, item| {
                    drop_newest(buffer, item);
                    Verdict::Accepted
                },
                ALL_ACCEPTED
            ),
        ],
    },
    Rules {
        name: "drop_oldest",
        call: |script| format!("drop_oldest, {}", say(script)),
        reference: |script| play(script, drop_oldest),
        misconceptions: &[
            way!("no bound", enter, WITHOUT_BOUND),
            way!(
                "names the new one",
                |buffer, item| match drop_oldest(buffer, item) {
                    Verdict::Dropped(_) => Verdict::Dropped(item),
                    other => other,
                },
                "the buffer is right and the verdict names the wrong item. Lost is the one from the front, and the new \
                one waits"
            ),
            way!(
                "says accepted",
                |buffer, item| {
                    drop_oldest(buffer, item);
                    Verdict::Accepted
                },
                ALL_ACCEPTED
            ),
            way!(
                "drops the newest",
                drop_newest,
                "you drop the item that is offered. That is the other policy: here the \
                 one that has waited longest goes"
            ),
            way!(
                "into the gap",
                |buffer, item| match (is_full(buffer), buffer.waiting.front().copied()) {
                    (true, Some(oldest)) => {
                        buffer.waiting[0] = item;
                        Verdict::Dropped(oldest)
                    }
                    _ => enter(buffer, item),
                },
                "the new item takes the place of the oldest one, at the front, so it overtakes all that wait. It belongs \
                at the back"
            ),
        ],
    },
    Rules {
        name: "sample",
        call: |script| format!("sample, {}", say(script)),
        reference: |script| play(script, sample),
        misconceptions: &[
            way!(
                "samples always",
                |buffer, item| if buffer.offered % 10 == 0 && !is_full(buffer) {
                    enter(buffer, item)
                } else {
                    Verdict::Dropped(item)
                },
                "you sample also while there is room: nine of ten are lost though nobody was short of time. Begin when \
                half the capacity is taken"
            ),
            way!(
                "full is forgotten",
                |buffer, item| if is_crowded(buffer) && !buffer.offered.is_multiple_of(10) {
                    Verdict::Dropped(item)
                } else {
                    enter(buffer, item)
                },
                "one in ten still gets in when the buffer is full. Sampling makes the flood thinner, it does not make \
                room: full stays full"
            ),
            way!(
                "never samples",
                drop_newest,
                "you drop only once the buffer is full. A sample begins earlier, at half \
                 the capacity, so that what is kept is spread over the whole burst"
            ),
            way!(
                "begins too late",
                |buffer, item| {
                    let crowded = buffer.waiting.len() * 2 > buffer.capacity;
                    if is_full(buffer) || (crowded && !buffer.offered.is_multiple_of(10)) {
                        Verdict::Dropped(item)
                    } else {
                        enter(buffer, item)
                    }
                },
                "you begin when more than half the capacity is taken. Half is already enough: `waiting * 2 >= capacity`"
            ),
        ],
    },
];

/// Wrong capacities, and what leads to them.
pub(super) const CAPACITIES: &[(usize, &str)] = &[
    (
        20_000,
        "that is all that the burst sends, 4,000 * 5. Meanwhile the worker takes some away",
    ),
    (
        2_500,
        "that is what one second of the burst adds. The burst lasts five",
    ),
    (
        15_000,
        "you take off what the source sends normally, 1,000 a second. What matters is what the worker takes: 1,500",
    ),
    (
        7_500,
        "that is what the worker does in five seconds. Look for what it does not get to",
    ),
];

fn is_full(buffer: &Buffer) -> bool {
    buffer.waiting.len() >= buffer.capacity
}

fn is_crowded(buffer: &Buffer) -> bool {
    buffer.waiting.len() * 2 >= buffer.capacity
}

fn enter(buffer: &mut Buffer, item: u64) -> Verdict {
    buffer.waiting.push_back(item);
    Verdict::Accepted
}

fn block(buffer: &mut Buffer, item: u64) -> Verdict {
    if is_full(buffer) {
        Verdict::Blocked
    } else {
        enter(buffer, item)
    }
}

fn one_more(buffer: &mut Buffer, item: u64) -> Verdict {
    if buffer.waiting.len() > buffer.capacity {
        Verdict::Blocked
    } else {
        enter(buffer, item)
    }
}

fn drop_newest(buffer: &mut Buffer, item: u64) -> Verdict {
    if is_full(buffer) {
        Verdict::Dropped(item)
    } else {
        enter(buffer, item)
    }
}

fn drop_oldest(buffer: &mut Buffer, item: u64) -> Verdict {
    if !is_full(buffer) {
        return enter(buffer, item);
    }
    let oldest = buffer.waiting.pop_front();
    buffer.waiting.push_back(item);
    oldest.map_or(Verdict::Accepted, Verdict::Dropped)
}

fn sample(buffer: &mut Buffer, item: u64) -> Verdict {
    if is_crowded(buffer) && !buffer.offered.is_multiple_of(10) {
        return Verdict::Dropped(item);
    }
    drop_newest(buffer, item)
}

/// Returns a policy by its name: `block`, `drop_newest`, `drop_oldest` or `sample`.
pub(super) fn policy(name: &str) -> Option<Policy> {
    let all: [(&str, Policy); 4] = [
        ("block", block),
        ("drop_newest", drop_newest),
        ("drop_oldest", drop_oldest),
        ("sample", sample),
    ];
    all.into_iter()
        .find(|(known, _)| *known == name)
        .map(|(_, policy)| policy)
}
