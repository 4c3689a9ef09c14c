//! Wrong solutions of lesson 5.8: capacity plans.

use super::Specimen;
use crate::lesson_5_8::capacity::check_for;
use crate::lesson_5_8::{CapacityPlan, Req};

pub(super) const SPECIMENS: &[Specimen] = &[
    Specimen {
        exercise: "5.8 E1",
        name: "peak ignored",
        hint: "The storm is what the system is for",
        check: |learner| check_for(learner, calm),
    },
    Specimen {
        exercise: "5.8 E1",
        name: "replication counted on egress",
        hint: "a consumer reads one copy of each record",
        check: |learner| check_for(learner, egress_of_copies),
    },
    Specimen {
        exercise: "5.8 E1",
        name: "bits for bytes",
        hint: "these are megabits",
        check: |learner| check_for(learner, megabits),
    },
    Specimen {
        exercise: "5.8 E1",
        name: "message size cancelled out",
        hint: "the size of a record is in both, or in neither",
        check: |learner| check_for(learner, cancelled),
    },
    Specimen {
        exercise: "5.8 E1",
        name: "partitions from producers only",
        hint: "the readers are not",
        check: |learner| check_for(learner, producers_only),
    },
    Specimen {
        exercise: "5.8 E1",
        name: "exactly the storm",
        hint: "every minute above the mean becomes a backlog",
        check: |learner| check_for(learner, to_the_brim),
    },
    Specimen {
        exercise: "5.8 E1",
        name: "one copy on the disks",
        hint: "the brokers hold every copy",
        check: |learner| check_for(learner, one_copy),
    },
    Specimen {
        exercise: "5.8 E1",
        name: "brokers for clients only",
        hint: "they carry replication",
        check: |learner| check_for(learner, clients_only),
    },
    Specimen {
        exercise: "5.8 E1",
        name: "as many partitions as possible",
        hint: "Take what the storm needs with headroom",
        check: |learner| check_for(learner, thousands),
    },
];

/// The numbers of a storm, megabytes a second, and what is stored.
struct Sized {
    mean: f64,
    storm: f64,
    replication: f64,
    egress: f64,
    /// Copies that are stored.
    stored_copies: f64,
}

fn sized(req: &Req) -> Sized {
    let mean = req.sources * req.record_bytes / req.every_s / 1e6;
    let storm = mean * req.storm_factor;
    Sized {
        mean,
        storm,
        replication: storm * (req.copies - 1.0),
        egress: storm * req.groups,
        stored_copies: req.copies,
    }
}

/// Partitions and brokers as they follow from the numbers, right or wrong.
fn plan_of(req: &Req, numbers: &Sized) -> CapacityPlan {
    let a_day = numbers.mean * 0.0864;
    let local = a_day * req.local_hours / 24.0 * numbers.stored_copies;
    let per_partition = req.partition_in_mb_s.min(req.partition_out_mb_s);
    let partitions = (numbers.storm / per_partition * req.headroom).ceil() as u32;
    CapacityPlan {
        mean_mb_s: numbers.mean,
        storm_mb_s: numbers.storm,
        replication_mb_s: numbers.replication,
        egress_mb_s: numbers.egress,
        stored_tb: a_day * req.keep_days * numbers.stored_copies,
        local_tb: local,
        remote_tb: a_day * req.keep_days,
        partitions: partitions.div_ceil(6) * 6,
        brokers: brokers(req, numbers, local),
    }
}

fn brokers(req: &Req, numbers: &Sized, local: f64) -> u32 {
    let busiest = (numbers.storm.max(numbers.egress) + numbers.replication) / req.broker_link_mb_s;
    let needed = (busiest.max(local / req.broker_disk_tb) * req.headroom).max(req.copies);
    (needed.ceil() as u32).div_ceil(req.zones) * req.zones
}

fn calm(req: &Req) -> CapacityPlan {
    let mut numbers = sized(req);
    numbers.storm = numbers.mean;
    numbers.replication = numbers.mean * (req.copies - 1.0);
    numbers.egress = numbers.mean * req.groups;
    plan_of(req, &numbers)
}

fn egress_of_copies(req: &Req) -> CapacityPlan {
    let mut numbers = sized(req);
    numbers.egress = numbers.storm * req.groups * req.copies;
    plan_of(req, &numbers)
}

fn megabits(req: &Req) -> CapacityPlan {
    let mut numbers = sized(req);
    for rate in [
        &mut numbers.mean,
        &mut numbers.storm,
        &mut numbers.replication,
        &mut numbers.egress,
    ] {
        *rate *= 8.0;
    }
    plan_of(req, &numbers)
}

fn cancelled(req: &Req) -> CapacityPlan {
    let records = req.sources / req.every_s * req.storm_factor * req.record_bytes;
    let per_partition = req.partition_out_mb_s * 1_000_000.0 * req.record_bytes;
    CapacityPlan {
        partitions: ((records / per_partition).ceil() as u32).div_ceil(6) * 6,
        ..plan_of(req, &sized(req))
    }
}

fn producers_only(req: &Req) -> CapacityPlan {
    let numbers = sized(req);
    let partitions = (numbers.storm * req.headroom / req.partition_in_mb_s).ceil() as u32;
    CapacityPlan {
        partitions: partitions.div_ceil(6) * 6,
        ..plan_of(req, &numbers)
    }
}

fn to_the_brim(req: &Req) -> CapacityPlan {
    let brim = Req {
        headroom: 1.0,
        ..req.clone()
    };
    let numbers = sized(req);
    CapacityPlan {
        partitions: (numbers.storm / req.partition_out_mb_s).ceil() as u32,
        ..plan_of(&brim, &numbers)
    }
}

fn one_copy(req: &Req) -> CapacityPlan {
    let mut numbers = sized(req);
    numbers.stored_copies = 1.0;
    plan_of(req, &numbers)
}

fn clients_only(req: &Req) -> CapacityPlan {
    let numbers = sized(req);
    let plan = plan_of(req, &numbers);
    let without = Sized {
        replication: 0.0,
        ..numbers
    };
    CapacityPlan {
        brokers: brokers(req, &without, plan.local_tb),
        ..plan
    }
}

fn thousands(req: &Req) -> CapacityPlan {
    let plan = plan_of(req, &sized(req));
    CapacityPlan {
        partitions: plan.partitions * 100,
        ..plan
    }
}
