//! Wrong solutions of 5.1 E5.

use super::Specimen;
use crate::lesson_5_1::once::check_for;
use crate::lesson_5_1::processors::Processor;

macro_rules! wrong {
    ($name:literal, $hint:literal, $fails:expr, $restart:expr, $small:expr) => {
        Specimen {
            exercise: "5.1 E5",
            name: $name,
            hint: $hint,
            check: |learner| check_for(learner, [$fails, $restart, $small]),
        }
    };
}

pub(super) const SPECIMENS: &[Specimen] = &[
    wrong!(
        "no second delivery",
        "is the event delivered *again*",
        |p| {
            p.deliver(1, &mut |_| Err("no".into()));
        },
        restart,
        small
    ),
    wrong!(
        "one call asked for",
        "count its successes, not its calls",
        |p| {
            let mut calls = 0;
            for _ in 0..2 {
                p.deliver(1, &mut |_| {
                    calls += 1;
                    if calls == 1 { Err("no".into()) } else { Ok(()) }
                });
            }
            assert_eq!(calls, 1, "called {calls} times");
        },
        restart,
        small
    ),
    wrong!(
        "handler that never succeeds",
        "finds nothing",
        |p| {
            let mut done = 0;
            for _ in 0..5 {
                p.deliver(1, &mut |_| Err("no".into()));
            }
            p.deliver(2, &mut |_| {
                done += 1;
                Ok(())
            });
            assert_eq!(done, 2);
        },
        restart,
        small
    ),
    wrong!(
        "restart instead of failure",
        "fails because of a restart",
        restart,
        restart,
        small
    ),
    wrong!(
        "restart before the first delivery",
        "*between* two deliveries",
        fails,
        |p| {
            let mut done = 0;
            p.restart();
            p.deliver(1, &mut |_| {
                done += 1;
                Ok(())
            });
            assert_eq!(done, 1);
        },
        small
    ),
    wrong!(
        "another event after the restart",
        "*between* two deliveries",
        fails,
        |p| {
            let mut done = 0;
            p.deliver(1, &mut |_| count(&mut done));
            p.restart();
            p.deliver(2, &mut |_| count(&mut done));
            assert_eq!(done, 2);
        },
        small
    ),
    wrong!(
        "handled again after the restart",
        "That is the fault itself",
        fails,
        |p| {
            let mut done = 0;
            p.deliver(1, &mut |_| count(&mut done));
            p.restart();
            p.deliver(1, &mut |_| count(&mut done));
            assert_eq!(done, 2);
        },
        small
    ),
    wrong!(
        "a thousand ids",
        "a million *different* ids",
        fails,
        restart,
        |p| {
            (0..1000).for_each(|id| p.deliver(id, &mut |_| Ok(())));
            assert!(p.bytes() <= 16 << 20);
        }
    ),
    wrong!(
        "one id a million times",
        "a million *different* ids",
        fails,
        restart,
        |p| {
            (0..1_000_000).for_each(|_| p.deliver(7, &mut |_| Ok(())));
            assert!(p.bytes() <= 16 << 20);
        }
    ),
    wrong!(
        "sixteen kilobytes",
        "Is the limit really 16 MiB",
        fails,
        restart,
        |p| {
            (0..1_000_000).for_each(|id| p.deliver(id, &mut |_| Ok(())));
            assert!(p.bytes() <= 16 << 10);
        }
    ),
    wrong!(
        "the wrong way round",
        "the wrong way round",
        fails,
        restart,
        |p| {
            (0..1_000_000).for_each(|id| p.deliver(id, &mut |_| Ok(())));
            assert!(p.bytes() > 16 << 20);
        }
    ),
];

fn count(done: &mut u32) -> Result<(), String> {
    *done += 1;
    Ok(())
}

fn fails(processor: &mut dyn Processor) {
    let (mut calls, mut done) = (0, 0);
    for _ in 0..2 {
        processor.deliver(1, &mut |_| {
            calls += 1;
            if calls == 1 {
                Err("not now".into())
            } else {
                count(&mut done)
            }
        });
    }
    assert_eq!(done, 1);
}

fn restart(processor: &mut dyn Processor) {
    let mut done = 0;
    processor.deliver(1, &mut |_| count(&mut done));
    processor.restart();
    processor.deliver(1, &mut |_| count(&mut done));
    assert_eq!(done, 1);
}

fn small(processor: &mut dyn Processor) {
    (0..1_000_000).for_each(|id| processor.deliver(id, &mut |_| Ok(())));
    assert!(processor.bytes() <= 16 << 20);
}
