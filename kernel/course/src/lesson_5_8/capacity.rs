//! Exercise 5.8 E1: a capacity plan that is right on paper and holds in a storm.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::capacity_ways::MISCONCEPTIONS;
use super::plan::{self, CapacityPlan, reference};
use super::requirement::Req;
use super::storm::{HEIGHT, RESOURCES, Resource, StormHour};
use crate::attempt;
use crate::exercise::Exercise;
use crate::learner::Learner;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::table_picture::{Row, TablePicture};
use crate::trial::{self, Property, Trial};

/// What this exercise is.
pub static EXERCISE: Exercise = Exercise {
    id: "5.8 E1",
    title: "Capacity",
    points: 25,
    hints: [
        "Take one of your numbers and write its unit behind every factor of its formula. Does what you wanted remain?",
        "Look again at section 1, \"From wish to numbers\": the sheet gives a formula for each row. What is stored follows \
         the mean, what flows follows the storm; partitions have to do for the readers too, and a broker's link carries \
         replication in both directions.",
        "let mean_mb_s = req.sources / req.every_s * req.record_bytes / 1e6;\n\
         let storm_mb_s = mean_mb_s * req.storm_factor;\n\
         // partitions: the larger of storm / in and storm / out of one partition, times the headroom\n\
         // brokers: the largest of in, out and disk over what one broker bears, times the headroom;\n\
         //          at least as many as copies, and a multiple of the zones",
    ],
    next_question: "which of your numbers would you measure first, because the plan depends on it most?",
};

/// What a learner writes.
pub type Answer = fn(&Req) -> CapacityPlan;

/// How a resource bears the storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bears {
    Fine,
    /// Saturated in some minutes of the storm's height.
    NotInGusts,
    /// Saturated in all of them.
    Never,
}

/// What a plan comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The seven numbers, in the order of [`CapacityPlan`]; one within 2 % is written as the right one.
    pub numbers: Vec<String>,
    pub writers: Bears,
    pub readers: Bears,
    pub links: Bears,
    pub disks_suffice: bool,
    /// Costs more than 1.6 times the reference.
    pub too_dear: bool,
}

/// Checks `plan(req)`: 25 points.
pub fn check_5_8_e1(plan: Answer) -> Outcome {
    check_for(&Learner::current(), plan)
}

/// As [`check_5_8_e1`], for a learner who is not the current one.
pub fn check_for(learner: &Learner, plan: Answer) -> Outcome {
    attempt::of(EXERCISE.id, learner, &[plan as *const ()], || {
        let trial = trial(&mut Random::seeded(learner.seed(EXERCISE.id)));
        let verdict = trial.run(Instant::now(), |req| judge(req, &plan(req)));
        Outcome::new(&EXERCISE, trial::together(&[(trial.name, verdict)]))
    })
}

const NAMES: [&str; 7] = [
    "mean_mb_s",
    "storm_mb_s",
    "replication_mb_s",
    "egress_mb_s",
    "stored_tb",
    "local_tb",
    "remote_tb",
];

fn numbers(plan: &CapacityPlan) -> [f64; 7] {
    [
        plan.mean_mb_s,
        plan.storm_mb_s,
        plan.replication_mb_s,
        plan.egress_mb_s,
        plan.stored_tb,
        plan.local_tb,
        plan.remote_tb,
    ]
}

/// Compares a plan with the right one, and runs it for the storm hour.
pub(super) fn judge(req: &Req, plan: &CapacityPlan) -> Judged {
    let right = reference(req);
    let pairs = numbers(plan).into_iter().zip(numbers(&right));
    let numbers = pairs.map(|(got, right)| {
        let near = (got - right).abs() <= 0.02 * right.abs();
        format!("{:.3}", if near { right } else { got })
    });
    let numbers = numbers.collect();
    let hour = StormHour::run(req, plan.partitions, plan.brokers).ok();
    let bears = |resource: Resource| {
        let height = HEIGHT.len();
        match hour
            .as_ref()
            .map_or(height, |it| it.saturated_minutes(resource))
        {
            0 => Bears::Fine,
            minutes if minutes < height => Bears::NotInGusts,
            _ => Bears::Never,
        }
    };
    let [writers, readers, links_in, links_out] = RESOURCES.map(bears);
    let worse = |left: Bears, right: Bears| match (left, right) {
        (Bears::Never, _) | (_, Bears::Never) => Bears::Never,
        (Bears::Fine, Bears::Fine) => Bears::Fine,
        _ => Bears::NotInGusts,
    };
    Judged {
        numbers,
        writers,
        readers,
        links: worse(links_in, links_out),
        disks_suffice: f64::from(plan.brokers) * req.broker_disk_tb >= right.local_tb,
        too_dear: plan::cost(plan) > 1.6 * plan::cost(&right),
    }
}

fn trial(random: &mut Random) -> Trial<Req, Judged> {
    let shown = vec![
        Req::flood_basin(),
        Req {
            sources: 50_000.0,
            every_s: 1.0,
            record_bytes: 1_000.0,
            storm_factor: 5.0,
            groups: 1.0,
            broker_disk_tb: 4.0,
            ..Req::flood_basin()
        },
    ];
    Trial {
        name: "plan",
        call: words,
        reference: |req| judge(req, &reference(req)),
        picture,
        properties: PROPERTIES,
        misconceptions: MISCONCEPTIONS,
        shown,
        hidden: (0..6).map(|_| drawn(random)).collect(),
    }
}

fn drawn(random: &mut Random) -> Req {
    Req {
        sources: random.between(20, 400) as f64 * 1_000.0,
        every_s: random.choose(&[1.0, 2.0, 5.0, 10.0, 30.0]),
        record_bytes: random.between(10, 150) as f64 * 10.0,
        storm_factor: random.between(2, 9) as f64,
        groups: random.between(1, 8) as f64,
        copies: random.choose(&[2.0, 3.0]),
        keep_days: random.between(2, 15) as f64,
        local_hours: random.choose(&[6.0, 12.0, 24.0, 48.0]),
        partition_in_mb_s: random.choose(&[8.0, 10.0, 12.0]),
        partition_out_mb_s: random.choose(&[2.0, 3.0, 5.0]),
        broker_link_mb_s: random.choose(&[125.0, 250.0, 1_250.0]),
        broker_disk_tb: random.choose(&[1.0, 2.0, 4.0]),
        zones: 3,
        headroom: random.choose(&[1.3, 1.5]),
    }
}

fn words(req: &Req) -> String {
    format!(
        "plan for {} sources, {} B each {} s, storm x {}, {} groups, {} copies, {} days",
        req.sources,
        req.record_bytes,
        req.every_s,
        req.storm_factor,
        req.groups,
        req.copies,
        req.keep_days
    )
}

fn picture(_: &Req, expected: &Judged, got: &Judged) -> String {
    let row = |name: &str, expected: String, got: String| Row {
        name: name.to_owned(),
        agrees: expected == got,
        expected,
        got,
    };
    let numbers = NAMES.iter().zip(expected.numbers.iter().zip(&got.numbers));
    let mut rows: Vec<Row> = numbers
        .map(|(name, (expected, got))| row(name, expected.clone(), got.clone()))
        .collect();
    let bears = |bears: Bears| match bears {
        Bears::Fine => "bear the storm".to_owned(),
        Bears::NotInGusts => "saturate in gusts".to_owned(),
        Bears::Never => "saturate all the time".to_owned(),
    };
    for (name, of) in [
        ("partitions, writing", (expected.writers, got.writers)),
        ("partitions, reading", (expected.readers, got.readers)),
        ("broker links", (expected.links, got.links)),
    ] {
        rows.push(row(name, bears(of.0), bears(of.1)));
    }
    let suffice = |yes: bool| if yes { "suffice" } else { "are too small" }.to_owned();
    rows.push(row(
        "broker disks",
        suffice(expected.disks_suffice),
        suffice(got.disks_suffice),
    ));
    let dear = |dear: bool| if dear { "over 1.6 x" } else { "within 1.6 x" }.to_owned();
    rows.push(row("cost", dear(expected.too_dear), dear(got.too_dear)));
    TablePicture {
        title: "The plan, on paper and in the storm hour".into(),
        rows,
    }
    .svg()
}

const PROPERTIES: &[Property<Req, Judged>] = &[
    Property {
        name: "bandwidths and storage are right within 2 %",
        holds: |req, got| got.numbers == judge(req, &reference(req)).numbers,
    },
    Property {
        name: "nothing saturates in the storm hour",
        holds: |_, got| {
            got.disks_suffice && [got.writers, got.readers, got.links] == [Bears::Fine; 3]
        },
    },
    Property {
        name: "it costs at most 1.6 times the reference",
        holds: |_, got| !got.too_dear,
    },
];

/// The right answer, for tests.
pub const RIGHT: Answer = reference;
