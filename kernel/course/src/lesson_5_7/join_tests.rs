//! Exercise 5.7 E2: a suite of tests of a windowed join, graded by the faulty versions that it fails.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::join_bench::{JoinBench, Version};
use crate::attempt::{self, Answer, End, LIMIT};
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::{Finding, Outcome, State};
use crate::table_picture::{Row, TablePicture};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.7 E2",
    title: "Driver tests",
    points: 20,
    hints: [
        "For each sentence of the contract: which input would show that a join does *not* keep it, and which rows would \
         you see then?",
        "Look at both sides of every bound: 10 and 11 seconds apart, 15 and 16 behind. Look at what must *not* come out: \
         nothing yet, nothing late, nothing twice. Order first and payment first. Several customers, several payments. \
         `rows()` promises no order: sort before you compare.",
        "fn suite(bench: &JoinBench) {\n    \
             let mut join = bench.fresh();\n    \
             join.payment(\"Ada\", 100, Some(39));\n    \
             join.order(\"Ada\", 110, Some(40));          // exactly 10 s apart, payment first\n    \
             let rows = join.rows();\n    \
             assert_eq!(rows.len(), 1);\n    \
             assert_eq!(rows[0].payment, Some(39));\n    \
             // and 11 s apart? and an order that waits 15 s, then 16 s?\n\
         }",
    ],
    next_question: "which faults can no test of this kind find, because the driver has no partitions, no rebalances and \
                    no network?",
};

/// A suite of tests: it returns if every join of the bench keeps the contract, and panics if not.
pub type Suite = fn(&JoinBench);

/// How many faulty versions have to fail for a pass.
const PASS: usize = 8;
/// How long the suite may be idle with one version; in virtual time there is nothing to wait for.
const IDLE_MS: u64 = 5;
/// On a busy machine a suite that computes a lot is idle too: so many times its own work is allowed.
const IDLE_TO_WORK: u64 = 10;
/// How often the right version is run: a busy machine does not delay all of them.
const RUNS: usize = 3;

const SLEEPS: &str = "your tests wait. The join has no clock but the event times that you hand it: to let 16 seconds pass, \
                      send a record that is 16 seconds later";
const NOTHING: &str = "no faulty version fails: a test without an assertion that can fail finds nothing. Compare `rows()` \
                       with what the contract says, and with nothing where it says nothing";
const ORDER: &str = "your tests ask for rows in one order, and the contract promises none: sort them before you compare, \
                     or you reject a right join tomorrow";
const REJECTS: &str = "your tests fail with a join that is right. Read the contract again at that assertion: which of the \
                       bounds are included, and when does an unmatched order come out?";
const HAPPY: &str = "your tests walk the happy path: an order, a payment, a pair. Test the bounds, the late record, the empty \
                     value, and what must *not* come out";
const MORE: &str = "look at the versions in the table that pass, and at the sentence of the contract that each of them breaks";

/// Checks a suite of tests by twelve faulty joins: 20 points for all twelve, in proportion from eight on.
///
/// The join that is right has to pass, in both orders of its rows, and without any waiting.
pub fn check_5_7_e2(suite: Suite) -> Outcome {
    check_for(&Learner::current(), suite)
}

/// As [`check_5_7_e2`], for a learner who is not the current one (the cases are the same for all).
pub fn check_for(learner: &Learner, suite: Suite) -> Outcome {
    attempt::of(EXERCISE.id, learner, &[suite as *const ()], || {
        let versions = versions();
        let attempt = attempt::run(LIMIT, versions.len(), |index| ran(versions[index], suite));
        judge(&versions, &attempt.answers, &attempt.end)
    })
}

fn versions() -> Vec<Version> {
    let right = [Version::Right; RUNS].into_iter();
    right
        .chain([Version::RightReversed])
        .chain(Version::FAULTY)
        .collect()
}

/// How a suite ended with one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Ran {
    passes: bool,
    message: String,
    /// How long it waited, and how long it worked.
    idle_ms: u64,
    work_ms: u64,
}

fn ran(version: Version, suite: Suite) -> Ran {
    let (begun, worked) = (Instant::now(), work());
    let result = attempt::caught(|| suite(&JoinBench::of(version)));
    let (took, work) = (begun.elapsed(), work().saturating_sub(worked));
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let (idle_ms, work_ms) = (millis(took.saturating_sub(work)), millis(work));
    match result {
        // The stub is told apart further up, by its panic.
        Err(message) if attempt::is_stub(&message) => std::panic::resume_unwind(Box::new(message)),
        Err(message) => Ran {
            passes: false,
            message,
            idle_ms,
            work_ms,
        },
        Ok(()) => Ran {
            passes: true,
            message: String::new(),
            idle_ms,
            work_ms,
        },
    }
}

/// Returns how long this process has worked so far, waiting left out.
fn work() -> Duration {
    let mut spent = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call only writes into the value that it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut spent) };
    Duration::from_secs(spent.tv_sec.unsigned_abs())
        + Duration::from_nanos(spent.tv_nsec.unsigned_abs())
}

impl Ran {
    fn waits(&self) -> bool {
        self.idle_ms > IDLE_MS && self.idle_ms > self.work_ms * IDLE_TO_WORK
    }
}

fn judge(versions: &[Version], answers: &[Answer<Ran>], end: &End) -> Outcome {
    if let Some(Answer::Panicked(message)) = answers.first()
        && attempt::is_stub(message)
    {
        return Outcome::new(&EXERCISE, State::NotAttempted);
    }
    let runs: Vec<Option<&Ran>> = (0..versions.len())
        .map(|index| match answers.get(index) {
            Some(Answer::Value(ran)) => Some(ran),
            _ => None,
        })
        .collect();
    let not_yet = |got: String, hint| {
        let finding = finding(versions, &runs, got, hint);
        Outcome::new(&EXERCISE, State::NotYet(finding))
    };
    let quickest = runs[..RUNS].iter().flatten().min_by_key(|ran| ran.idle_ms);
    match quickest {
        None if *end == End::TimeLimit => return not_yet(end.says(), SLEEPS),
        None => return not_yet(end.says(), REJECTS),
        Some(ran) if ran.waits() => {
            let idle_ms = ran.idle_ms;
            return not_yet(
                format!("with the right join the tests wait for {idle_ms} ms"),
                SLEEPS,
            );
        }
        Some(_) => {}
    }
    let failed = |index: usize| runs[index].is_none_or(|ran| !ran.passes);
    let message = |index: usize| match runs[index] {
        Some(ran) => ran.message.lines().collect::<Vec<_>>().join(", "),
        None => end.says(),
    };
    if failed(0) {
        return not_yet(format!("the right join fails: {}", message(0)), REJECTS);
    }
    if failed(RUNS) {
        let got = format!(
            "the right join fails with its rows in another order: {}",
            message(RUNS)
        );
        return not_yet(got, ORDER);
    }
    let first = RUNS + 1;
    if *end == End::TimeLimit {
        let got = format!("with a faulty join: {}", end.says());
        return not_yet(got, SLEEPS);
    }
    let alive: Vec<Version> = (first..versions.len())
        .filter(|index| !failed(*index))
        .map(|index| versions[index])
        .collect();
    let killed = Version::FAULTY.len() - alive.len();
    let got = format!(
        "{killed} of {} faulty versions fail a test",
        Version::FAULTY.len()
    );
    let bounds = [Version::GraceOffByOne, Version::LateRecordKept];
    let is_happy = bounds.iter().all(|version| alive.contains(version));
    match killed {
        0 => not_yet(got, NOTHING),
        _ if killed < PASS => not_yet(got, if is_happy { HAPPY } else { MORE }),
        _ if alive.is_empty() => Outcome::new(&EXERCISE, State::Correct),
        _ => {
            let state = State::Almost {
                property: "every faulty version fails a test",
                finding: finding(versions, &runs, got, MORE),
            };
            let points = EXERCISE.points as usize * killed / Version::FAULTY.len();
            Outcome::new(&EXERCISE, state).earned(points as f64)
        }
    }
}

fn finding(
    versions: &[Version],
    runs: &[Option<&Ran>],
    got: String,
    hint: &'static str,
) -> Finding {
    let words = |passes: bool| if passes { "passes" } else { "fails" }.to_owned();
    let rows = versions.iter().zip(runs).skip(RUNS - 1);
    let rows = rows.map(|(version, ran)| {
        let wanted = matches!(version, Version::Right | Version::RightReversed);
        Row {
            name: version.name().into(),
            expected: words(wanted),
            got: ran.map_or("?".into(), |ran| words(ran.passes)),
            agrees: ran.is_some_and(|ran| ran.passes == wanted),
        }
    });
    let picture = TablePicture {
        title: "Your tests, run with each join".into(),
        rows: rows.collect(),
    };
    Finding {
        call: "suite(&bench), with every join".into(),
        expected: "the right join passes, in both orders of its rows; each faulty one fails".into(),
        got,
        hint: Some(hint),
        picture: Some(picture.svg()),
    }
}
