//! Plans that people often make, each wrong in one way.

use super::capacity::{Judged, judge};
use super::plan::{CapacityPlan, brokers, flows, partitions, reference, up_to};
use super::requirement::Req;
use crate::trial::Misconception;

/// The right plan, with something changed about its flows and what follows from them.
fn changed(req: &Req, change: fn(&Req, &mut CapacityPlan)) -> CapacityPlan {
    let mut plan = flows(req);
    change(req, &mut plan);
    plan.partitions = partitions(req, plan.storm_mb_s);
    plan.brokers = brokers(req, &plan);
    plan
}

fn with_partitions(req: &Req, count: f64) -> CapacityPlan {
    CapacityPlan {
        partitions: up_to(count, 6),
        ..reference(req)
    }
}

/// As [`reference`], with the flows that decide on the brokers changed.
fn with_brokers(req: &Req, change: fn(&mut CapacityPlan)) -> CapacityPlan {
    let right = reference(req);
    let mut decisive = right;
    change(&mut decisive);
    CapacityPlan {
        brokers: brokers(req, &decisive),
        ..right
    }
}

pub(super) const MISCONCEPTIONS: &[Misconception<Req, Judged>] = &[
    Misconception {
        name: "size for the mean",
        wrong: |req: &Req| -> Judged {
            let calm = Req {
                storm_factor: 1.0,
                ..req.clone()
            };
            judge(req, &reference(&calm))
        },
        hint: "your storm is no stronger than the mean: multiply by `storm_factor` what flows. The storm is what the \
               system is for",
    },
    Misconception {
        name: "replication counted on egress",
        wrong: |req| {
            judge(
                req,
                &changed(req, |req, plan| plan.egress_mb_s *= req.copies),
            )
        },
        hint: "a consumer reads one copy of each record, not all of them: egress is groups times storm. Copies are \
               made between brokers",
    },
    Misconception {
        name: "bits for bytes",
        wrong: |req| {
            let bits = Req {
                record_bytes: req.record_bytes * 8.0,
                ..req.clone()
            };
            judge(req, &reference(&bits))
        },
        hint: "every number is eight times too large: these are megabits. Records, disks and links are in bytes here",
    },
    Misconception {
        name: "the record's size cancels out",
        wrong: |req| {
            let rate = req.sources / req.every_s * req.storm_factor;
            judge(
                req,
                &with_partitions(req, rate / (req.partition_out_mb_s * 1e6)),
            )
        },
        hint: "your formula for the partitions divides records a second by bytes a second: the size of a record is in \
               both, or in neither. Write the units behind each factor",
    },
    Misconception {
        name: "partitions from producers only",
        wrong: |req| {
            let storm_mb_s = flows(req).storm_mb_s;
            judge(
                req,
                &with_partitions(req, storm_mb_s / req.partition_in_mb_s * req.headroom),
            )
        },
        hint: "the writers are content with your partitions, the readers are not: one reader of a group gets less out of \
               a partition than a writer puts in. Take the larger of the two counts",
    },
    Misconception {
        name: "no headroom",
        wrong: |req| {
            let readers = flows(req).storm_mb_s / req.partition_out_mb_s;
            let writers = flows(req).storm_mb_s / req.partition_in_mb_s;
            let tight = Req {
                headroom: 1.0,
                ..req.clone()
            };
            let plan = CapacityPlan {
                partitions: readers.max(writers).ceil() as u32,
                ..reference(&tight)
            };
            judge(req, &plan)
        },
        hint: "your plan bears the storm and not its gusts: at 99 % busy every minute above the mean becomes a backlog. \
               Multiply by the headroom before you round up",
    },
    Misconception {
        name: "the copies stored are forgotten",
        wrong: |req| {
            let forget = |req: &Req, plan: &mut CapacityPlan| {
                plan.stored_tb /= req.copies;
                plan.local_tb /= req.copies;
            };
            judge(req, &changed(req, forget))
        },
        hint: "the brokers hold every copy: what is stored on them is days times copies. Only the remote tier keeps one",
    },
    Misconception {
        name: "links without replication",
        wrong: |req| judge(req, &with_brokers(req, |plan| plan.replication_mb_s = 0.0)),
        hint: "the links of your brokers saturate: beside what producers send and consumers read they carry replication, \
               which leaves one broker and enters another",
    },
    Misconception {
        name: "many partitions, to be safe",
        wrong: |req| {
            let plan = CapacityPlan {
                partitions: 1_000.max(reference(req).partitions * 20),
                ..reference(req)
            };
            judge(req, &plan)
        },
        hint: "it holds, and costs far more than it needs to: each partition is files, memory, and time whenever a leader \
               moves. Take what the storm needs with headroom, and no more",
    },
];
