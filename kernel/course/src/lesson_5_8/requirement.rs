//! Demo D1: what is asked for, in numbers, and what follows from it.

use headwater_streams::Result;
use polars::prelude::{DataFrame, df};

use super::plan::{CapacityPlan, reference};

/// What is asked for, and what one partition and one broker were measured to bear.
#[derive(Debug, Clone, PartialEq)]
pub struct Req {
    /// How many senders there are, and after how many seconds each sends its next record.
    pub sources: f64,
    pub every_s: f64,
    pub record_bytes: f64,
    /// How many times the mean rate a storm brings.
    pub storm_factor: f64,
    /// How many consumer groups read everything.
    pub groups: f64,
    /// How many copies of each record there are, the first included.
    pub copies: f64,
    /// For how long records are kept, and for how long of that on the brokers' own disks, if older
    /// ones go to a remote tier.
    pub keep_days: f64,
    pub local_hours: f64,
    /// What one partition takes in, and what one reader of a group gets out of it, in MB/s.
    pub partition_in_mb_s: f64,
    pub partition_out_mb_s: f64,
    /// What a broker's network bears, in MB/s in each direction, and what its disk holds.
    pub broker_link_mb_s: f64,
    pub broker_disk_tb: f64,
    /// Brokers come in a multiple of this.
    pub zones: u32,
    /// By how much partitions and brokers are larger than the storm demands.
    pub headroom: f64,
}

impl Req {
    /// Returns the worked case of the lesson: 120,000 river gauges, one reading of 350 bytes each five
    /// seconds, storms of six times the rate, five groups, three copies in three zones.
    ///
    /// # Example
    /// ```
    /// use headwater_course::lesson_5_8::Req;
    /// let req = Req::flood_basin();
    /// assert_eq!(req.sources / req.every_s, 24_000.0);
    /// ```
    pub fn flood_basin() -> Req {
        Req {
            sources: 120_000.0,
            every_s: 5.0,
            record_bytes: 350.0,
            storm_factor: 6.0,
            groups: 5.0,
            copies: 3.0,
            keep_days: 7.0,
            local_hours: 12.0,
            partition_in_mb_s: 10.0,
            partition_out_mb_s: 3.0,
            broker_link_mb_s: 125.0,
            broker_disk_tb: 1.0,
            zones: 3,
            headroom: 1.5,
        }
    }

    /// Returns what follows: quantity, formula, value, unit. A row each.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn sheet(&self) -> Result<DataFrame> {
        let plan = reference(self);
        let rows = self.rows(&plan);
        Ok(df!(
            "quantity" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
            "formula" => rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>(),
            "value" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
            "unit" => rows.iter().map(|row| row.3).collect::<Vec<_>>(),
        )?)
    }

    fn rows(&self, plan: &CapacityPlan) -> Vec<(&'static str, String, f64, &'static str)> {
        let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
        let rate = self.sources / self.every_s;
        let day_tb = plan.mean_mb_s * 86_400.0 / 1e6;
        let (writers, readers) = (
            plan.storm_mb_s / self.partition_in_mb_s,
            plan.storm_mb_s / self.partition_out_mb_s,
        );
        vec![
            (
                "mean rate",
                format!("{} / {}", self.sources, self.every_s),
                round(rate),
                "records/s",
            ),
            (
                "mean bandwidth",
                format!("rate x {} B", self.record_bytes),
                round(plan.mean_mb_s),
                "MB/s",
            ),
            (
                "storm bandwidth",
                format!("mean x {}", self.storm_factor),
                round(plan.storm_mb_s),
                "MB/s",
            ),
            (
                "replication, storm",
                format!("({} - 1) x storm", self.copies),
                round(plan.replication_mb_s),
                "MB/s",
            ),
            (
                "egress, storm",
                format!("{} groups x storm", self.groups),
                round(plan.egress_mb_s),
                "MB/s",
            ),
            (
                "stored a day, one copy",
                "mean x 86,400 s".into(),
                round(day_tb),
                "TB",
            ),
            (
                "all on the brokers",
                format!("{} days x {} copies", self.keep_days, self.copies),
                round(plan.stored_tb),
                "TB",
            ),
            (
                "tiered: on the brokers",
                format!("{} h x {} copies", self.local_hours, self.copies),
                round(plan.local_tb),
                "TB",
            ),
            (
                "tiered: remote",
                format!("{} days x 1", self.keep_days),
                round(plan.remote_tb),
                "TB",
            ),
            (
                "partitions for the writers",
                format!("storm / {}", self.partition_in_mb_s),
                round(writers),
                "",
            ),
            (
                "partitions for the readers",
                format!("storm / {}", self.partition_out_mb_s),
                round(readers),
                "",
            ),
        ]
    }
}
