//! Exercise 5.2 E3: a consumer loop that loses nothing, wherever its process dies.

use std::collections::BTreeSet;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::loop_ways::{MISCONCEPTIONS, right_answer};
use super::mock_consumer::{self, Ahead, At, Kept, Killed, MockConsumer, MockSink};
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::table_picture::{Row, TablePicture};
use crate::trial::{self, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.2 E3",
    title: "Consumer loop with commits",
    points: 20,
    hints: [
        "If the process dies right after a commit, which records will nobody ever read again? Are all of them in the sink \
         by then?",
        "Look again at section 3, \"Consumer: poll, offsets, commits\": the committed offset is the next record to read, \
         and a new process starts there. So the sink comes first, the commit after it, one for each partition; and a \
         record that the sink refuses is not in the sink.",
        "loop {\n    \
             let records = consumer.poll()?;\n    \
             if records.is_empty() { return Ok(()); }\n    \
             for record in &records {\n        \
                 // until the sink has taken it\n    \
             }\n    \
             // commit each record's partition, at the offset after it\n\
         }",
    ],
    next_question: "the sink now holds some records twice after a crash. What would it need to know of each record to take \
                    it once only?",
};

/// What a learner writes.
pub type Answer = fn(&mut MockConsumer, &mut MockSink) -> Result<(), Killed>;

/// One history: what the log holds, what the sink refuses, when processes die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History {
    /// How many records each partition holds.
    records: [usize; 2],
    /// The offset of each partition's first record: older ones were deleted.
    first: [i64; 2],
    /// How often the sink refuses the records of each partition.
    refusals: [usize; 2],
    /// After how many calls each process dies; after these one runs to the end.
    deaths: Vec<usize>,
}

/// What is left in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumed {
    /// Some record never reached the sink.
    pub lost: bool,
    /// A process did again what an earlier one had done before its last poll.
    pub repeats: bool,
    pub ahead: Ahead,
    /// The committed offset of each partition.
    pub committed: Vec<i64>,
}

/// Checks `run(consumer, sink)`: 20 points.
pub fn check_5_2_e3(run: Answer) -> Outcome {
    check_for(&Learner::current(), run)
}

/// As [`check_5_2_e3`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, run: Answer) -> Outcome {
    attempt::of(EXERCISE.id, learner, &[run as *const ()], || {
        let trial = trial(&mut Random::seeded(learner.seed(EXERCISE.id)));
        let verdict = trial.run(Instant::now(), |history| live_through(history, run));
        Outcome::new(&EXERCISE, trial::together(&[(trial.name, verdict)]))
    })
}

/// Runs one process after the other until one gets to the end.
pub(super) fn live_through(history: &History, run: Answer) -> Consumed {
    let mut kept = Kept {
        log: history
            .records
            .map(|count| (0..count as i64).collect())
            .to_vec(),
        first: history.first.to_vec(),
        committed: history.first.to_vec(),
        refusals: history.refusals.to_vec(),
        ..Kept::default()
    };
    let lives = history.deaths.iter().copied().map(Some).chain([None]);
    let (mut repeats, mut last_poll): (bool, BTreeSet<At>) = (false, BTreeSet::new());
    for calls in lives {
        let before = kept.rows.clone();
        let (mut consumer, mut sink) = mock_consumer::start(kept, calls);
        // However it ends, the next process goes on from what this one leaves.
        let _ = run(&mut consumer, &mut sink);
        let polled;
        (kept, polled) = sink.end();
        repeats |= kept.rows.iter().any(|(place, times)| {
            before
                .get(place)
                .is_some_and(|had| had < times && !last_poll.contains(place))
        });
        // What this process had not yet done again is still of the last poll before it.
        last_poll.retain(|place| kept.committed[place.0] <= place.1);
        last_poll.extend(polled);
    }
    let mut places = (0..2).flat_map(|of| (kept.first[of]..kept.end(of)).map(move |at| (of, at)));
    Consumed {
        lost: places.any(|place| !kept.rows.contains_key(&place)),
        repeats,
        ahead: kept.ahead,
        committed: kept.committed,
    }
}

fn ends(history: &History) -> Vec<i64> {
    let ends = history.first.iter().zip(history.records);
    ends.map(|(first, count)| first + count as i64).collect()
}

fn trial(random: &mut Random) -> Trial<History, Consumed> {
    let history = |deaths: &[usize], refusals| History {
        records: [5, 4],
        first: [0, 0],
        refusals,
        deaths: deaths.to_vec(),
    };
    let shown = vec![
        history(&[], [0, 0]),
        history(&[], [0, 2]),
        history(&[4], [0, 0]),
    ];
    let mut hidden = Vec::new();
    for calls in 1..=30 {
        hidden.push(history(&[calls], [0, 0]));
        let other = History {
            records: [random.between(3, 9) as usize, random.between(3, 9) as usize],
            first: [random.between(0, 50), random.between(0, 50)],
            refusals: [0, random.between(0, 4) as usize],
            deaths: vec![calls],
        };
        let again = random.between(1, 20) as usize;
        hidden.push(History {
            deaths: vec![calls, again],
            ..other.clone()
        });
        hidden.push(other);
    }
    Trial {
        name: "run",
        call: words,
        reference: |history| Consumed {
            lost: false,
            repeats: false,
            ahead: Ahead::Never,
            committed: ends(history),
        },
        picture,
        properties: PROPERTIES,
        misconceptions: MISCONCEPTIONS,
        shown,
        hidden,
    }
}

fn words(history: &History) -> String {
    let [left, right] = history.records;
    let deaths: Vec<String> = history.deaths.iter().map(usize::to_string).collect();
    let dies = match deaths.is_empty() {
        true => "no crash".to_owned(),
        false => format!("processes die after {} calls", deaths.join(" and ")),
    };
    let refuses: Vec<String> = (0..2)
        .filter(|of| history.refusals[*of] > 0)
        .map(|of| {
            let times = history.refusals[of];
            format!("; the sink first refuses partition {of}, {times} times")
        })
        .collect();
    format!(
        "run over {left} and {right} records from offsets {} and {}; {dies}{}",
        history.first[0],
        history.first[1],
        refuses.concat()
    )
}

fn picture(_: &History, expected: &Consumed, got: &Consumed) -> String {
    let row = |name, of: fn(&Consumed) -> String| Row::of(name, [expected, got], of);
    TablePicture {
        title: "What is left in the end".into(),
        rows: vec![
            row("records lost", |it| yes(it.lost)),
            row("earlier batches repeated", |it| yes(it.repeats)),
            row("committed ahead of the sink", |it| ahead(it.ahead).into()),
            row("committed offsets", |it| format!("{:?}", it.committed)),
        ],
    }
    .svg()
}

fn yes(holds: bool) -> String {
    if holds { "yes".into() } else { "no".into() }
}

fn ahead(ahead: Ahead) -> &'static str {
    match ahead {
        Ahead::Never => "never",
        Ahead::BeforeTheSink => "before the sink",
        Ahead::Refused => "after a refusal",
        Ahead::InBackground => "while some waited",
        Ahead::Automatic => "by the automatic commit",
    }
}

const PROPERTIES: &[Property<History, Consumed>] = &[
    Property {
        name: "every record reaches the sink",
        holds: |_, got| !got.lost,
    },
    Property {
        name: "the committed offset never runs ahead of the sink",
        holds: |_, got| got.ahead == Ahead::Never,
    },
    Property {
        name: "a new process repeats at most what the last poll had returned",
        holds: |_, got| !got.repeats,
    },
    Property {
        name: "in the end the committed offset of each partition is the next record to read",
        holds: |history, got| got.committed == ends(history),
    },
];

/// The right answer, for tests.
pub const RIGHT: Answer = right_answer;
