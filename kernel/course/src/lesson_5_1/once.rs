//! Exercise 5.1 E5: three tests that find the faults of a processor that claims to act once.

use std::fmt;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::once_ways as ways;
use super::processors::{Kind, Processor};
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::table_picture::{Row, TablePicture};
use crate::trial::{self, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.1 E5",
    title: "Find the fault",
    points: 20,
    hints: [
        "What would you have to do to the processor so that its promise is broken before your eyes, and what would you \
         count to see it?",
        "Look again at the code in section 9, \"Once per event?\", and go through it line by line: what if \
         the handler says `Err`? What if the process ends between two deliveries? What does the set weigh after a \
         million ids? Count the handler's *successes*, not its calls: a processor that tries again after a failure is right.",
        "fn handler_fails_once(processor: &mut dyn Processor) {\n    \
             let (mut calls, mut done) = (0, 0);\n    \
             let mut handler = |_id: u64| {\n        \
                 calls += 1;\n        \
                 if calls == 1 { return Err(\"disk full\".to_string()); }\n        \
                 done += 1;\n        \
                 Ok(())\n    \
             };\n    \
             processor.deliver(7, &mut handler);\n    \
             // and then?\n    \
             assert_eq!(done, /* how often? */);\n\
         }\n\n\
         // stays_small: for id in 0..1_000_000 { ... } assert!(processor.bytes() /* ... */);",
    ],
    next_question: "which of the three can a bounded memory never fully solve? (Think of an id that comes again after \
                    it has been forgotten.)",
};

/// A test: it returns if the processor does what it promises, and panics if not.
pub type ProcessorTest = fn(&mut dyn Processor);

/// Checks three tests of a processor: 20 points.
///
/// Each test has to pass with a processor that is right, fail with the given one, and fail
/// because of its own fault: `handler_fails_once`, `restart_between` and `stays_small` (a
/// million ids in 16 MiB).
pub fn check_5_1_e5(
    handler_fails_once: ProcessorTest,
    restart_between: ProcessorTest,
    stays_small: ProcessorTest,
) -> Outcome {
    check_for(
        &Learner::current(),
        [handler_fails_once, restart_between, stays_small],
    )
}

/// As [`check_5_1_e5`], for a learner who is not the current one (the cases are the same for all).
pub fn check_for(learner: &Learner, tests: [ProcessorTest; 3]) -> Outcome {
    attempt::of(
        EXERCISE.id,
        learner,
        &tests.map(|function| function as *const ()),
        || {
            let begun = Instant::now();
            let mut verdicts = Vec::new();
            for (rules, test) in ways::RULES.iter().zip(tests) {
                let trial = trial_of(rules);
                verdicts.push((rules.name, trial.run(begun, |kind| Ran::of(*kind, test))));
            }
            Outcome::new(&EXERCISE, trial::together(&verdicts))
        },
    )
}

/// How a test ended.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Ran {
    pub passes: bool,
    message: String,
}

impl Ran {
    pub fn that(passes: bool) -> Ran {
        Ran {
            passes,
            message: String::new(),
        }
    }

    fn of(kind: Kind, test: ProcessorTest) -> Ran {
        let mut processor = kind.build();
        match attempt::caught(|| test(&mut *processor)) {
            Ok(()) => Ran::that(true),
            // The stub is told apart further up, by its panic.
            Err(message) if attempt::is_stub(&message) => {
                std::panic::resume_unwind(Box::new(message))
            }
            Err(message) => Ran {
                passes: false,
                message,
            },
        }
    }
}

impl PartialEq for Ran {
    fn eq(&self, other: &Ran) -> bool {
        self.passes == other.passes
    }
}

impl fmt::Debug for Ran {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = if self.passes {
            "the test passes"
        } else {
            "the test fails"
        };
        let message = self.message.lines().collect::<Vec<_>>().join(", ");
        let colon = if message.is_empty() { "" } else { ": " };
        write!(out, "{words}{colon}{message}")
    }
}

fn trial_of(rules: &'static ways::Rules) -> Trial<Kind, Ran> {
    Trial {
        name: rules.name,
        call: rules.call,
        reference: rules.reference,
        picture: |kind, expected, got| {
            let row = |kind: Kind, expected: &Ran, got: Option<&Ran>| Row {
                name: kind.name().into(),
                expected: format!("{:?}", Ran::that(expected.passes)),
                got: got.map_or("?".into(), |got| format!("{:?}", Ran::that(got.passes))),
                agrees: got.is_some_and(|got| got.passes == expected.passes),
            };
            TablePicture {
                title: "Your test, run with this processor".into(),
                rows: vec![row(*kind, expected, Some(got))],
            }
            .svg()
        },
        properties: ways::PROPERTIES,
        misconceptions: rules.misconceptions,
        shown: vec![Kind::Right, Kind::Given],
        hidden: vec![Kind::MarksFailures, Kind::ForgetsAtRestart, Kind::Grows],
    }
}
