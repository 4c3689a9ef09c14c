//! Demo D2: an hour with a storm in it, second by second, over the partitions and brokers of a plan.

use headwater_streams::{Error, Result};
use polars::prelude::{DataFrame, df};

use super::requirement::Req;
use crate::canvas::{Anchor, BLUE, Canvas, INK, RED};
use crate::drawing::Drawing;
use crate::event_time;
use crate::random::Random;

/// 2026-01-01 00:00 UTC.
const FROM_US: i64 = 1_767_225_600_000_000;
const MINUTES: usize = 60;
/// The storm at its height, in minutes.
pub(super) const HEIGHT: std::ops::Range<usize> = 15..45;
/// What a record takes when nothing waits.
const BASE_S: f64 = 0.3;

/// What may be too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Writers,
    Readers,
    LinksIn,
    LinksOut,
}

pub(super) const RESOURCES: [Resource; 4] = [
    Resource::Writers,
    Resource::Readers,
    Resource::LinksIn,
    Resource::LinksOut,
];

impl Resource {
    pub fn name(self) -> &'static str {
        match self {
            Resource::Writers => "partitions, writing",
            Resource::Readers => "partitions, reading",
            Resource::LinksIn => "broker links, in",
            Resource::LinksOut => "broker links, out",
        }
    }
}

/// The hour under one choice of partitions and brokers.
#[derive(Debug, Clone, PartialEq)]
pub struct StormHour {
    partitions: u32,
    brokers: u32,
    /// A line a second.
    seconds: Vec<Second>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Second {
    arrives_mb: f64,
    served_mb: f64,
    lag_mb: f64,
    latency_s: f64,
    /// Demand over capacity of each resource; above 1 it is saturated.
    busy: [f64; 4],
}

/// By how much more or less each minute brings than the profile says: gusts of up to a tenth.
fn gusts() -> Vec<f64> {
    let mut random = Random::seeded(58);
    (0..MINUTES)
        .map(|_| random.between(900, 1_101) as f64 / 1_000.0)
        .collect()
}

/// How many times the mean rate the profile brings: calm, ten minutes in a rise of five, the height,
/// a fall of five, calm.
fn profile(second: usize, storm_factor: f64) -> f64 {
    let minute = second as f64 / 60.0;
    let share = ((minute - 10.0) / 5.0).min((50.0 - minute) / 5.0);
    1.0 + (storm_factor - 1.0) * share.clamp(0.0, 1.0)
}

impl StormHour {
    /// Runs the hour.
    ///
    /// # Errors
    /// Without a partition or a broker.
    ///
    /// # Example
    /// ```
    /// use headwater_course::lesson_5_8::{Req, StormHour};
    /// let hour = StormHour::run(&Req::flood_basin(), 12, 6)?;
    /// assert!(hour.drawing().text().contains("partitions, reading"));
    /// # Ok::<(), headwater_streams::Error>(())
    /// ```
    pub fn run(req: &Req, partitions: u32, brokers: u32) -> Result<StormHour> {
        if partitions == 0 || brokers == 0 {
            return Err(Error::new("nothing can be stored nowhere")
                .have(format!("{partitions} partitions on {brokers} brokers"))
                .hint("StormHour::run(&req, 30, 6)?"));
        }
        Ok(StormHour {
            partitions,
            brokers,
            seconds: seconds(req, f64::from(partitions), f64::from(brokers)),
        })
    }

    /// Returns the seconds of one minute: event_time (datetime, UTC), plan (str), arrives_mb,
    /// served_mb, lag_mb, latency_s.
    ///
    /// # Errors
    /// For a minute that is not one of the 60.
    pub fn minute(&self, minute: usize) -> Result<DataFrame> {
        if minute >= MINUTES {
            return Err(Error::new(format!("the hour has no minute {minute}"))
                .have("minutes 0 to 59")
                .hint("hour.minute(0)?"));
        }
        let rows = &self.seconds[minute * 60..minute * 60 + 60];
        let plan = format!("{} partitions", self.partitions);
        let times = (minute * 60..)
            .take(60)
            .map(|second| FROM_US + second as i64 * 1_000_000);
        let column = |of: fn(&Second) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
        let frame = df!(
            "event_time" => times.collect::<Vec<_>>(),
            "plan" => vec![plan; 60],
            "arrives_mb" => column(|it| it.arrives_mb),
            "served_mb" => column(|it| it.served_mb),
            "lag_mb" => column(|it| it.lag_mb),
            "latency_s" => column(|it| it.latency_s),
        )?;
        Ok(event_time::in_utc(frame, "event_time")?)
    }

    /// Draws how busy each resource is in each minute: picture P2.
    pub fn drawing(&self) -> Drawing {
        const LEFT: f64 = 148.0;
        const CELL: f64 = 9.4;
        let title = format!(
            "How busy each resource is: {} partitions, {} brokers",
            self.partitions, self.brokers
        );
        let mut canvas = Canvas::new(&title, LEFT + 60.0 * CELL + 20.0, 214.0);
        for (row, resource) in RESOURCES.into_iter().enumerate() {
            let y = 38.0 + row as f64 * 28.0;
            canvas.text(8.0, y + 16.0, Anchor::Start, resource.name(), INK);
            for (minute, busy) in self.busy(resource).into_iter().enumerate() {
                let x = LEFT + minute as f64 * CELL;
                let (fill, stroke) = match busy {
                    busy if busy > 1.0 => (RED, RED),
                    busy if busy > 0.7 => ("url(#open)", BLUE),
                    busy if busy > 0.35 => ("#cfe3f2", "#cfe3f2"),
                    _ => ("#f2f2f2", "#f2f2f2"),
                };
                canvas.rect((x, y), (CELL - 1.4, 22.0), fill, stroke);
                if busy > 1.0 {
                    canvas.line(
                        (x + 1.0, y + 11.0),
                        (x + CELL - 2.4, y + 11.0),
                        "#ffffff",
                        3.0,
                        "",
                    );
                }
            }
        }
        for minute in (0..=60).step_by(15) {
            let x = LEFT + f64::from(minute) * CELL;
            canvas.text(x, 166.0, Anchor::Middle, &minute.to_string(), INK);
        }
        canvas.text(
            LEFT + 30.0 * CELL,
            186.0,
            Anchor::Middle,
            "minute of the hour",
            INK,
        );
        let legend = "grey: up to 35 %; blue: 70 %; hatched: 100 %; red, barred: saturated";
        canvas.text(LEFT, 206.0, Anchor::Start, legend, INK);
        canvas.finish(&self.words(), &self.table())
    }

    /// Shows the picture as the value of a cell.
    pub fn evcxr_display(&self) {
        self.drawing().evcxr_display();
    }

    /// In how many minutes of the storm's height a resource is saturated.
    pub(super) fn saturated_minutes(&self, resource: Resource) -> usize {
        let busy = self.busy(resource);
        HEIGHT.filter(|minute| busy[*minute] > 1.0).count()
    }

    /// How busy a resource is in each minute, on average.
    fn busy(&self, resource: Resource) -> Vec<f64> {
        let of = resource as usize;
        let minutes = self.seconds.chunks(60);
        minutes
            .map(|minute| minute.iter().map(|it| it.busy[of]).sum::<f64>() / 60.0)
            .collect()
    }

    fn words(&self) -> String {
        let first = (0..MINUTES).find_map(|minute| {
            let saturated = RESOURCES
                .into_iter()
                .find(|resource| self.busy(*resource)[minute] > 1.0);
            saturated.map(|resource| format!("{} from minute {minute}", resource.name()))
        });
        let lag = self.seconds.iter().map(|it| it.lag_mb).fold(0.0, f64::max);
        let slow = self
            .seconds
            .iter()
            .map(|it| it.latency_s)
            .fold(0.0, f64::max);
        format!(
            "First to saturate: {}. Lag at most {lag:.0} MB a group, latency at most {slow:.1} s.",
            first.unwrap_or_else(|| "nothing".into())
        )
    }

    fn table(&self) -> String {
        let lines = RESOURCES.into_iter().map(|resource| {
            let most = self.busy(resource).into_iter().fold(0.0, f64::max);
            format!(
                "{}: at most {:.0} % busy, saturated in {} of the 30 minutes of the height",
                resource.name(),
                most * 100.0,
                self.saturated_minutes(resource)
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn seconds(req: &Req, partitions: f64, brokers: f64) -> Vec<Second> {
    let mean_mb = req.sources / req.every_s * req.record_bytes / 1e6;
    let (writing, reading) = (
        partitions * req.partition_in_mb_s,
        partitions * req.partition_out_mb_s,
    );
    let links = brokers * req.broker_link_mb_s;
    let gusts = gusts();
    let (mut at_gauges_mb, mut lag_mb) = (0.0_f64, 0.0_f64);
    let second = |second: usize| {
        let arrives_mb = mean_mb * profile(second, req.storm_factor) * gusts[second / 60];
        let accepting = writing.min(links / req.copies);
        let accepted = (at_gauges_mb + arrives_mb).min(accepting);
        at_gauges_mb += arrives_mb - accepted;
        // What replication leaves of the links goes to the groups, to each an equal share.
        let left = (links - (req.copies - 1.0) * accepted).max(0.0) / req.groups.max(1.0);
        let serving = reading.min(left).max(1e-9);
        let served_mb = (lag_mb + accepted).min(serving);
        lag_mb += accepted - served_mb;
        Second {
            arrives_mb,
            served_mb,
            lag_mb,
            latency_s: BASE_S + at_gauges_mb / accepting + lag_mb / serving,
            busy: [
                arrives_mb / writing,
                arrives_mb / reading,
                req.copies * arrives_mb / links,
                (req.groups + req.copies - 1.0) * arrives_mb / links,
            ],
        }
    };
    (0..MINUTES * 60).map(second).collect()
}
