//! What a capacity plan says, the right one, and what it costs.

use serde::{Deserialize, Serialize};

use super::requirement::Req;

/// A plan: bandwidths of the storm but for the first, storage, partitions and brokers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CapacityPlan {
    pub mean_mb_s: f64,
    pub storm_mb_s: f64,
    /// Between brokers.
    pub replication_mb_s: f64,
    /// From brokers to consumers.
    pub egress_mb_s: f64,
    /// If everything stays on the brokers, all copies.
    pub stored_tb: f64,
    /// With a remote tier: what stays on the brokers, all copies, and what is in the tier.
    pub local_tb: f64,
    pub remote_tb: f64,
    pub partitions: u32,
    pub brokers: u32,
}

/// A count of partitions that 2, 3 and 6 consumers share evenly.
const SHARES: u32 = 6;

/// Rounds up to a multiple.
pub(super) fn up_to(value: f64, multiple: u32) -> u32 {
    (value.ceil().max(1.0) as u32).div_ceil(multiple.max(1)) * multiple.max(1)
}

/// Returns the bandwidths and the storage, without partitions and brokers.
pub(super) fn flows(req: &Req) -> CapacityPlan {
    let mean_mb_s = req.sources / req.every_s * req.record_bytes / 1e6;
    let storm_mb_s = mean_mb_s * req.storm_factor;
    let day_tb = mean_mb_s * 86_400.0 / 1e6;
    CapacityPlan {
        mean_mb_s,
        storm_mb_s,
        replication_mb_s: (req.copies - 1.0) * storm_mb_s,
        egress_mb_s: req.groups * storm_mb_s,
        stored_tb: day_tb * req.keep_days * req.copies,
        local_tb: day_tb * req.local_hours / 24.0 * req.copies,
        remote_tb: day_tb * req.keep_days,
        partitions: 0,
        brokers: 0,
    }
}

/// Returns the partitions that carry so much, writers and readers, with headroom.
pub(super) fn partitions(req: &Req, storm_mb_s: f64) -> u32 {
    let writers = storm_mb_s / req.partition_in_mb_s;
    let readers = storm_mb_s / req.partition_out_mb_s;
    up_to(writers.max(readers) * req.headroom, SHARES)
}

/// Returns the brokers that carry a plan's flows, with headroom, in every zone as many.
pub(super) fn brokers(req: &Req, plan: &CapacityPlan) -> u32 {
    let link = req.broker_link_mb_s;
    let into = (plan.storm_mb_s + plan.replication_mb_s) / link;
    let out = (plan.egress_mb_s + plan.replication_mb_s) / link;
    let disk = plan.local_tb / req.broker_disk_tb;
    let most = into.max(out).max(disk) * req.headroom;
    up_to(most.max(req.copies), req.zones)
}

/// The right answer.
pub(super) fn reference(req: &Req) -> CapacityPlan {
    let plan = flows(req);
    CapacityPlan {
        partitions: partitions(req, plan.storm_mb_s),
        brokers: brokers(req, &plan),
        ..plan
    }
}

/// What a plan costs, in units of a tenth of a broker: partitions cost files, memory and time when a
/// leader moves.
pub(super) fn cost(plan: &CapacityPlan) -> f64 {
    f64::from(plan.brokers) * 10.0 + f64::from(plan.partitions) * 0.2
}
