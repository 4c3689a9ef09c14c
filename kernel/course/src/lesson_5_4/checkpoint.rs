//! Exercise 5.4 E5: a checkpoint from which any crash can be survived.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::compare;
use super::disk::{BatchTable, Disk, Life, Stopped};
use crate::attempt::{self, is_stub};
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::trial::{self, Misconception, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.4 E5",
    title: "Checkpoint",
    points: 25,
    hints: [
        "If the process dies between the sink and the file that says \"done\", how does the next one know which values \
         the batch held?",
        "Look again at section 1, \"The micro-batch loop\": the plan is written before the batch, the commit after the \
         sink. The total belongs to the batch that made it, so keep the two in one file. And a file that is written in \
         place is torn when the process dies: write another and rename it.",
        "disk.claim()?;\n\
         loop {\n    \
             let state = disk.read(\"state\").unwrap_or(vec![0, 0, 0]); // next batch, offset, total\n    \
             // the end of this batch: that of \"plan\" if it is for this batch, else a new one: write it down\n    \
             // sum, total, sink.put(..)?\n    \
             // \"state\" for the next batch: to a file beside it, then rename\n\
         }",
    ],
    next_question: "the folder is on a network disk on which a rename is not atomic. Which of your steps breaks first?",
};

/// One history: what arrives, when the process dies, and whether another one is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History {
    source: Vec<i64>,
    /// How many values have arrived when the first process runs.
    at_first: usize,
    /// After how many writes each process dies; after these one runs to the end.
    deaths: Vec<usize>,
    /// Another process holds the folder.
    taken: bool,
}

/// What is left in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// The total in the last row of the sink.
    pub total: i64,
    /// Batches are numbered without a gap, and each total is the sum of the sums up to it.
    pub adds_up: bool,
    /// The run said [`Stopped::InUse`] and wrote nothing.
    pub refused: bool,
    /// A new process panicked over what it found.
    pub panicked: bool,
}

/// What a learner writes.
pub type Answer = fn(&mut Disk, &[i64], &mut BatchTable) -> Result<(), Stopped>;

/// Checks `run(disk, source, sink)`: 25 points.
pub fn check_5_4_e5(run: Answer) -> Outcome {
    check_for(&Learner::current(), run)
}

/// As [`check_5_4_e5`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, run: Answer) -> Outcome {
    let functions = [run as *const ()];
    attempt::of(EXERCISE.id, learner, &functions, || {
        let trial = trial(&mut Random::seeded(learner.seed(EXERCISE.id)));
        let verdict = trial.run(Instant::now(), |history| live_through(history, run));
        Outcome::new(&EXERCISE, trial::together(&[(trial.name, verdict)]))
    })
}

/// Runs one process after the other until one gets to the end.
fn live_through(history: &History, run: Answer) -> Recovered {
    let (mut disk, mut sink) = (Disk::default(), BatchTable::default());
    let lives = history
        .deaths
        .iter()
        .map(|writes| Some(*writes))
        .chain([None]);
    let mut panicked = false;
    let mut ended = Ok(());
    for (number, writes) in lives.enumerate() {
        let life: Life = Rc::default();
        life.set(writes);
        disk = disk.reopened(&life, history.taken);
        sink = sink.reopened(&life);
        let there = if number == 0 {
            history.at_first
        } else {
            history.source.len()
        };
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            run(&mut disk, &history.source[..there], &mut sink)
        }));
        ended = match attempt {
            Ok(ended) => ended,
            Err(payload) => {
                let message = payload
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned());
                let message = message.or_else(|| payload.downcast_ref::<String>().cloned());
                if message.is_some_and(|message| is_stub(&message)) {
                    resume_unwind(payload);
                }
                panicked = true;
                break;
            }
        };
    }
    let rows = sink.rows();
    let mut so_far = 0;
    let adds_up = (0..).zip(&rows).all(|(number, (batch, sum, total))| {
        so_far += sum;
        number == *batch && so_far == *total
    });
    Recovered {
        total: rows.last().map_or(0, |(_, _, total)| *total),
        adds_up,
        refused: ended == Err(Stopped::InUse) && rows.is_empty() && !disk.is_claimed(),
        panicked,
    }
}

fn trial(random: &mut Random) -> Trial<History, Recovered> {
    let values = |random: &mut Random| (0..10).map(|_| random.between(1, 90)).collect::<Vec<i64>>();
    let history = |source: &[i64], at_first, deaths: &[usize]| History {
        source: source.to_vec(),
        at_first,
        deaths: deaths.to_vec(),
        taken: false,
    };
    let small = [5, 1, 4, 2, 8, 3, 7];
    let shown = vec![
        history(&small, 7, &[]),
        history(&small, 7, &[7]),
        history(&small, 5, &[6]),
        History {
            taken: true,
            ..history(&small, 7, &[])
        },
    ];
    let mut hidden = Vec::new();
    for writes in 0..40 {
        let source = values(random);
        hidden.push(history(&source, 10, &[writes]));
        // More has arrived when the next process begins.
        hidden.push(history(&source, random.between(1, 9) as usize, &[writes]));
        hidden.push(history(
            &source,
            7,
            &[writes, random.between(0, 9) as usize],
        ));
    }
    Trial {
        name: "run",
        call: |history| {
            let deaths: Vec<String> = history.deaths.iter().map(ToString::to_string).collect();
            let dies = match (history.taken, deaths.is_empty()) {
                (true, _) => "another process holds the folder".to_owned(),
                (_, true) => "no crash".to_owned(),
                _ => format!("processes die after {} writes", deaths.join(" and ")),
            };
            format!(
                "run over {:?}, {} of them there at first; {dies}",
                history.source, history.at_first
            )
        },
        reference: |history| Recovered {
            total: if history.taken {
                0
            } else {
                history.source.iter().sum()
            },
            adds_up: true,
            refused: history.taken,
            panicked: false,
        },
        picture: |_, expected, got| {
            let line =
                |name: &str, of: fn(&Recovered) -> String| (name.to_owned(), of(expected), of(got));
            compare::picture(
                "What is left in the end",
                &[
                    line("last total", |left| left.total.to_string()),
                    line("adds up", |left| left.adds_up.to_string()),
                    line("refused", |left| left.refused.to_string()),
                    line("panicked", |left| left.panicked.to_string()),
                ],
            )
        },
        properties: PROPERTIES,
        misconceptions: MISCONCEPTIONS,
        shown,
        hidden,
    }
}

const PROPERTIES: &[Property<History, Recovered>] = &[
    Property {
        name: "a new process can read whatever the dead one has left",
        holds: |_, got| !got.panicked,
    },
    Property {
        name: "the sink adds up: every batch once, each total the sum so far",
        holds: |_, got| got.adds_up,
    },
    Property {
        name: "the final table equals that of the run without crashes",
        holds: |history, got| history.taken || got.total == history.source.iter().sum::<i64>(),
    },
];

/// Writes a file beside the one that is meant, and renames it.
fn save(disk: &mut Disk, name: &str, numbers: &[i64]) -> Result<(), Stopped> {
    let beside = format!("{name}.new");
    disk.write(&beside, numbers)?;
    disk.rename(&beside, name)
}

/// Which parts of a run are wrong.
#[derive(Clone, Copy, Default)]
struct Way {
    commit_first: bool,
    state_apart: bool,
    newer_offsets: bool,
    in_place: bool,
    no_claim: bool,
}

fn walk(way: Way, disk: &mut Disk, source: &[i64], sink: &mut BatchTable) -> Result<(), Stopped> {
    let save = |disk: &mut Disk, name: &str, numbers: &[i64]| {
        if way.in_place {
            disk.write(name, numbers)
        } else {
            save(disk, name, numbers)
        }
    };
    if !way.no_claim {
        disk.claim()?;
    }
    loop {
        let state = disk.read("state").unwrap_or(vec![0, 0, 0]);
        let (batch, from, mut total) = (state[0], state[1] as usize, state[2]);
        if way.state_apart {
            total = disk.read("total").map_or(0, |total| total[0]);
        }
        let planned = disk
            .read("plan")
            .filter(|plan| plan[0] == batch && !way.newer_offsets);
        let end = match planned {
            Some(plan) => plan[1] as usize,
            None => (from + 3).min(source.len()),
        };
        if end == from {
            return Ok(());
        }
        save(disk, "plan", &[batch, end as i64])?;
        let sum: i64 = source[from..end].iter().sum();
        total += sum;
        let state = [batch + 1, end as i64, total];
        if way.state_apart {
            save(disk, "total", &[total])?;
        }
        if way.commit_first {
            save(disk, "state", &state)?;
        }
        sink.put(batch, sum, total)?;
        if !way.commit_first {
            save(disk, "state", &state)?;
        }
    }
}

/// The five wrong ways as functions, and the right one.
fn commit_first(disk: &mut Disk, source: &[i64], sink: &mut BatchTable) -> Result<(), Stopped> {
    walk(
        Way {
            commit_first: true,
            ..Way::default()
        },
        disk,
        source,
        sink,
    )
}

fn state_apart(disk: &mut Disk, source: &[i64], sink: &mut BatchTable) -> Result<(), Stopped> {
    walk(
        Way {
            state_apart: true,
            ..Way::default()
        },
        disk,
        source,
        sink,
    )
}

fn newer_offsets(disk: &mut Disk, source: &[i64], sink: &mut BatchTable) -> Result<(), Stopped> {
    walk(
        Way {
            newer_offsets: true,
            ..Way::default()
        },
        disk,
        source,
        sink,
    )
}

fn in_place(disk: &mut Disk, source: &[i64], sink: &mut BatchTable) -> Result<(), Stopped> {
    walk(
        Way {
            in_place: true,
            ..Way::default()
        },
        disk,
        source,
        sink,
    )
}

fn no_claim(disk: &mut Disk, source: &[i64], sink: &mut BatchTable) -> Result<(), Stopped> {
    walk(
        Way {
            no_claim: true,
            ..Way::default()
        },
        disk,
        source,
        sink,
    )
}

/// The right answer, for tests.
pub fn right_answer(disk: &mut Disk, source: &[i64], sink: &mut BatchTable) -> Result<(), Stopped> {
    walk(Way::default(), disk, source, sink)
}

const MISCONCEPTIONS: &[Misconception<History, Recovered>] = &[
    Misconception {
        name: "commit before the sink",
        wrong: |history| live_through(history, commit_first),
        hint: "you note a batch as done before the sink has it. If the process dies in between, nobody does it again: the \
               batch is lost",
    },
    Misconception {
        name: "state without its batch",
        wrong: |history| live_through(history, state_apart),
        hint: "your total does not say which batch it belongs to. If the process dies after it is written and before the \
               batch is done, the batch is added twice. Keep the total and the number of the batch in one file",
    },
    Misconception {
        name: "replay with newer offsets",
        wrong: |history| live_through(history, newer_offsets),
        hint: "you plan a batch anew when it is done again. More values have come meanwhile, and the sink already has the \
               shorter batch under this number: the values in between are lost. Do the batch that was planned",
    },
    Misconception {
        name: "overwrite in place",
        wrong: |history| live_through(history, in_place),
        hint: "you write over a file that is needed. When the process dies in the middle, the old content is gone and the \
               new one is half there. Write a file beside it and rename that: a rename happens at once or not at all",
    },
    Misconception {
        name: "two processes",
        wrong: |history| live_through(history, no_claim),
        hint: "two processes on one checkpoint take turns in ruining it. Claim the folder before you read, and end with the \
               error if it is in use",
    },
];

/// The wrong solutions of this exercise: name, part of the hint, what is handed in.
pub const WRONG: &[(&str, &str, Answer)] = &[
    ("commit before sink", "before the sink has it", commit_first),
    ("state apart", "which batch it belongs to", state_apart),
    (
        "newer offsets",
        "Do the batch that was planned",
        newer_offsets,
    ),
    ("in place", "at once or not at all", in_place),
    ("no claim", "take turns in ruining it", no_claim),
    (
        "total before everything",
        "which batch it belongs to",
        |disk, source, sink| {
            disk.claim()?;
            loop {
                let done = disk.read("done").unwrap_or(vec![0, 0]);
                let from = done[1] as usize;
                let plan = disk.read("plan").filter(|plan| plan[0] == done[0]);
                let end = plan.map_or((from + 3).min(source.len()), |plan| plan[1] as usize);
                if end == from {
                    return Ok(());
                }
                save(disk, "plan", &[done[0], end as i64])?;
                let sum: i64 = source[from..end].iter().sum();
                let total = sum + disk.read("total").map_or(0, |total| total[0]);
                save(disk, "total", &[total])?;
                sink.put(done[0], sum, total)?;
                save(disk, "done", &[done[0] + 1, end as i64])?;
            }
        },
    ),
];
