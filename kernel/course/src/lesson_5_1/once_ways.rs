//! What each of the three tests must see, and what people's tests see instead.

use super::once::Ran;
use super::processors::Kind;
use crate::trial::{Misconception, Property};

/// What one test is checked against.
pub(super) struct Rules {
    pub name: &'static str,
    pub call: fn(&Kind) -> String,
    pub reference: fn(&Kind) -> Ran,
    pub misconceptions: &'static [Misconception<Kind, Ran>],
}

pub(super) const PROPERTIES: &[Property<Kind, Ran>] = &[Property {
    name: "a test fails because of its own fault, and of no other",
    holds: |_, _| false,
}];

const ALWAYS_FAILS: &str = "your test fails with every processor, also with one that is right. A test that always fails \
                            finds nothing: what does it ask that no processor can do?";

fn passes(_: &Kind) -> Ran {
    Ran::that(true)
}

fn fails(_: &Kind) -> Ran {
    Ran::that(false)
}

fn fails_if_marked(kind: &Kind) -> Ran {
    Ran::that(!matches!(kind, Kind::Given | Kind::MarksFailures))
}

fn fails_if_forgotten(kind: &Kind) -> Ran {
    Ran::that(!matches!(kind, Kind::Given | Kind::ForgetsAtRestart))
}

fn fails_if_grown(kind: &Kind) -> Ran {
    Ran::that(!matches!(kind, Kind::Given | Kind::Grows))
}

fn asserts_the_fault(kind: &Kind) -> Ran {
    Ran::that(!fails_if_marked(kind).passes)
}

fn asserts_the_forgetting(kind: &Kind) -> Ran {
    Ran::that(!fails_if_forgotten(kind).passes)
}

/// Fails with the given processor alone: for its memory and for something else.
fn fails_if_anything(kind: &Kind) -> Ran {
    Ran::that(*kind == Kind::Right)
}

pub(super) const RULES: [Rules; 3] = [
    Rules {
        name: "handler_fails_once",
        call: |kind| format!("handler_fails_once, with {}", kind.name()),
        reference: fails_if_marked,
        misconceptions: &[
            Misconception {
                name: "no second delivery",
                wrong: passes,
                hint: "your test passes with every processor. Does your handler return `Err` the first time, is the event \
                       delivered *again*, and do you assert that the handler has succeeded then?",
            },
            Misconception {
                name: "asks for one call",
                wrong: asserts_the_fault,
                hint: "your test passes with the fault and fails without it. After a failure the handler has to be called a \
                       second time: count its successes, not its calls",
            },
            Misconception {
                name: "always fails",
                wrong: fails,
                hint: ALWAYS_FAILS,
            },
            Misconception {
                name: "finds the restart",
                wrong: fails_if_forgotten,
                hint: "your test fails because of a restart. Here the process goes on: the handler fails, and the same \
                       event comes again",
            },
            Misconception {
                name: "finds everything",
                wrong: fails_if_anything,
                hint: "your test fails for several faults at once. When it fails one day, nobody will know which: leave out \
                       what belongs to the other two",
            },
        ],
    },
    Rules {
        name: "restart_between",
        call: |kind| format!("restart_between, with {}", kind.name()),
        reference: fails_if_forgotten,
        misconceptions: &[
            Misconception {
                name: "restart too early, or nothing after it",
                wrong: passes,
                hint: "your test passes with every processor. The restart has to come *between* two deliveries of the same \
                       event, and then the handler must have succeeded once and not twice",
            },
            Misconception {
                name: "takes the second call for granted",
                wrong: asserts_the_forgetting,
                hint: "your test asks that the event be handled again after a restart. That is the fault itself: whoever \
                       paid once would pay twice",
            },
            Misconception {
                name: "always fails",
                wrong: fails,
                hint: ALWAYS_FAILS,
            },
            Misconception {
                name: "finds the failing handler",
                wrong: fails_if_marked,
                hint: "your test fails because its handler returns `Err`. Here the handler always succeeds: only the \
                       restart is in the way",
            },
        ],
    },
    Rules {
        name: "stays_small",
        call: |kind| format!("stays_small, with {}", kind.name()),
        reference: fails_if_grown,
        misconceptions: &[
            Misconception {
                name: "too few ids, or one id a million times",
                wrong: passes,
                hint: "your test passes with every processor. Are there a million *different* ids, and do you assert that \
                       `bytes()` is at most 16 MiB, which is 16 * 1024 * 1024?",
            },
            Misconception {
                name: "a limit that nobody can keep",
                wrong: fails,
                hint: "your test fails also with a processor that is right. Is the limit really 16 MiB, and do you ask for \
                       less than `bytes()` or for more?",
            },
            Misconception {
                name: "the comparison is the wrong way round",
                wrong: |kind| Ran::that(!fails_if_grown(kind).passes),
                hint: "your test is content with the processor that grows and not with the one that stays small: the \
                       comparison is the wrong way round",
            },
            Misconception {
                name: "finds the failing handler",
                wrong: fails_if_marked,
                hint: "your test fails because of what the handler returns. Here it always succeeds: only memory counts",
            },
        ],
    },
];
