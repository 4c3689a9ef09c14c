//! What became of the records under one policy, and picture P4.

use std::collections::BTreeMap;

use headwater_streams::Result;
use polars::prelude::{DataFrame, df};

use super::bad_record::{AWAY, END_MS, ErrorPolicy};
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, GREY, INK, ORANGE, RED};
use crate::drawing::Drawing;

/// A record that was dealt with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    pub customer: String,
    pub offset: i64,
    pub at_ms: i64,
}

/// A record that was given up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DeadLetter {
    pub customer: String,
    pub partition: usize,
    pub offset: i64,
    pub attempt: usize,
    pub error: String,
    pub first_ms: i64,
    pub value: String,
}

/// Two minutes under one policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyRun {
    policy: ErrorPolicy,
    partitions: usize,
    /// Partition and time at which each record came, and at which its partition went on.
    pub(super) arrived: Vec<(usize, i64)>,
    pub(super) moved_on: Vec<(usize, i64)>,
    pub(super) done: Vec<Done>,
    pub(super) dead: Vec<DeadLetter>,
    pub(super) parked: usize,
}

impl PolicyRun {
    pub(super) fn new(policy: ErrorPolicy, partitions: usize) -> PolicyRun {
        PolicyRun {
            policy,
            partitions,
            arrived: Vec::new(),
            moved_on: Vec::new(),
            done: Vec::new(),
            dead: Vec::new(),
            parked: 0,
        }
    }

    /// Returns the records that were dealt with within the two minutes, in the order of their ends:
    /// at_s (f64), customer (str), offset (i64), overtaken (bool: a later one of the customer was
    /// dealt with before it).
    ///
    /// # Errors
    /// Never in practice, here and below; the signature is that of every call that makes a frame.
    pub fn done(&self) -> Result<DataFrame> {
        let done = self.in_order();
        Ok(df!(
            "at_s" => done.iter().map(|(it, _)| it.at_ms as f64 / 1000.0).collect::<Vec<_>>(),
            "customer" => done.iter().map(|(it, _)| it.customer.clone()).collect::<Vec<_>>(),
            "offset" => done.iter().map(|(it, _)| it.offset).collect::<Vec<_>>(),
            "overtaken" => done.iter().map(|(_, overtaken)| *overtaken).collect::<Vec<_>>(),
        )?)
    }

    /// Returns what was given up, with the headers of a dead letter: customer, origin_partition,
    /// origin_offset, attempt, error, first_failed_s, value.
    pub fn dead_letters(&self) -> Result<DataFrame> {
        let dead = &self.dead;
        Ok(df!(
            "customer" => dead.iter().map(|it| it.customer.clone()).collect::<Vec<_>>(),
            "origin_partition" => dead.iter().map(|it| it.partition as i64).collect::<Vec<_>>(),
            "origin_offset" => dead.iter().map(|it| it.offset).collect::<Vec<_>>(),
            "attempt" => dead.iter().map(|it| it.attempt as i64).collect::<Vec<_>>(),
            "error" => dead.iter().map(|it| it.error.clone()).collect::<Vec<_>>(),
            "first_failed_s" => dead.iter().map(|it| it.first_ms as f64 / 1000.0).collect::<Vec<_>>(),
            "value" => dead.iter().map(|it| it.value.clone()).collect::<Vec<_>>(),
        )?)
    }

    /// Returns one row: policy, max_lag (records), lag_at_end, overtaken, dead, parked.
    pub fn summary(&self) -> Result<DataFrame> {
        let lags = self.lags();
        let max = lags.iter().flatten().max().copied().unwrap_or(0);
        let end: i64 = lags.iter().filter_map(|lag| lag.last()).sum();
        Ok(df!(
            "policy" => [self.policy.name()],
            "max_lag" => [max],
            "lag_at_end" => [end],
            "overtaken" => [self.overtaken().len() as i64],
            "dead" => [self.dead.len() as i64],
            "parked" => [self.parked as i64],
        )?)
    }

    /// Shows this run's panel of [`policy_picture`] as the value of a cell.
    pub fn evcxr_display(&self) {
        policy_picture(std::slice::from_ref(self)).evcxr_display();
    }

    /// Each record dealt with in the two minutes, with whether it was overtaken.
    fn in_order(&self) -> Vec<(Done, bool)> {
        let mut done: Vec<Done> = self
            .done
            .iter()
            .filter(|it| it.at_ms <= END_MS)
            .cloned()
            .collect();
        done.sort_by_key(|it| (it.at_ms, it.offset));
        let mut newest: BTreeMap<String, i64> = BTreeMap::new();
        let marked = done.into_iter().map(|it| {
            let newest = newest.entry(it.customer.clone()).or_insert(-1);
            let overtaken = *newest > it.offset;
            *newest = (*newest).max(it.offset);
            (it, overtaken)
        });
        marked.collect()
    }

    /// When the records that were overtaken were dealt with.
    fn overtaken(&self) -> Vec<i64> {
        let done = self.in_order().into_iter();
        done.filter(|(_, overtaken)| *overtaken)
            .map(|(it, _)| it.at_ms)
            .collect()
    }

    /// The lag of each partition at the end of each second: what came minus what it went on from.
    fn lags(&self) -> Vec<Vec<i64>> {
        let count = |of: &[(usize, i64)], partition: usize, until_ms: i64| {
            of.iter()
                .filter(|(at, ms)| *at == partition && *ms <= until_ms)
                .count() as i64
        };
        let lag = |partition: usize, second: i64| {
            let until_ms = second * 1_000 + 999;
            count(&self.arrived, partition, until_ms) - count(&self.moved_on, partition, until_ms)
        };
        (0..self.partitions)
            .map(|partition| {
                (0..END_MS / 1_000)
                    .map(|second| lag(partition, second))
                    .collect()
            })
            .collect()
    }

    fn words(&self) -> String {
        let lags = self.lags();
        let peaks: Vec<String> = lags
            .iter()
            .enumerate()
            .map(|(partition, lag)| {
                let most = lag.iter().max().copied().unwrap_or(0);
                let end = lag.last().copied().unwrap_or(0);
                format!("partition {partition} at most {most}, in the end {end}")
            })
            .collect();
        format!(
            "{}: lag of {}; {}.",
            self.policy.name(),
            peaks.join("; "),
            self.counts()
        )
    }

    fn counts(&self) -> String {
        format!(
            "{} overtaken, {} dead, {} parked",
            self.overtaken().len(),
            self.dead.len(),
            self.parked
        )
    }
}

const PANEL: (f64, f64) = (290.0, 120.0);
const LEFT: f64 = 52.0;
const TOP: f64 = 106.0;
const GAP: (f64, f64) = (56.0, 104.0);
/// Colour and dash of a partition's line.
const LOOKS: [(&str, &str); 3] = [(BLUE, ""), (ORANGE, "8 4"), (GREEN, "2 3")];

/// Draws the lag of each partition under each policy, one panel a run, with a red stroke where an order was
/// overtaken.
pub fn policy_picture(runs: &[PolicyRun]) -> Drawing {
    let columns = runs.len().clamp(1, 2);
    let rows = runs.len().div_ceil(2).max(1);
    let width = LEFT + columns as f64 * (PANEL.0 + GAP.0);
    let height = TOP + rows as f64 * (PANEL.1 + GAP.1);
    let title = "Lag while one record is malformed and one bank is away";
    let mut canvas = Canvas::new(title, width.max(420.0), height);
    for (partition, (colour, dash)) in LOOKS.iter().enumerate() {
        let x = LEFT + partition as f64 * 118.0;
        canvas.line((x, 40.0), (x + 26.0, 40.0), colour, 2.5, dash);
        canvas.text(
            x + 32.0,
            45.0,
            Anchor::Start,
            &format!("partition {partition}"),
            INK,
        );
    }
    let most = runs.iter().flat_map(PolicyRun::lags).flatten().max();
    // Rounded up, so that the axis has round numbers.
    let most = (most.unwrap_or(1).max(1) + 19) / 20 * 20;
    for (at, run) in runs.iter().enumerate() {
        let x = LEFT + (at % 2) as f64 * (PANEL.0 + GAP.0);
        let y = TOP + (at / 2) as f64 * (PANEL.1 + GAP.1);
        panel(&mut canvas, run, (x, y), most as f64);
    }
    let words: Vec<String> = runs.iter().map(PolicyRun::words).collect();
    canvas.finish(
        "Grey: Eva's bank is away; red strokes: records that were overtaken.",
        &words.join("\n"),
    )
}

fn panel(canvas: &mut Canvas, run: &PolicyRun, (x, y): (f64, f64), most: f64) {
    let at = |ms: i64| x + ms as f64 / END_MS as f64 * PANEL.0;
    let up = |lag: f64| y + PANEL.1 - lag / most * PANEL.1;
    let (_, from_ms, until_ms) = AWAY;
    canvas.rect(
        (at(from_ms), y),
        (at(until_ms) - at(from_ms), PANEL.1),
        "#ededed",
        "none",
    );
    canvas.text(x, y - 28.0, Anchor::Start, run.policy.name(), INK);
    canvas.text(x, y - 10.0, Anchor::Start, &run.counts(), INK);
    for lag in [0.0, (most / 2.0).round(), most] {
        canvas.line((x, up(lag)), (x + PANEL.0, up(lag)), "#dddddd", 1.0, "");
        canvas.text(
            x - 6.0,
            up(lag) + 5.0,
            Anchor::End,
            &format!("{lag:.0}"),
            INK,
        );
    }
    for second in [0, 40, 80, 120] {
        let tick = at(second * 1_000);
        canvas.line(
            (tick, y + PANEL.1),
            (tick, y + PANEL.1 + 5.0),
            GREY,
            1.0,
            "",
        );
        canvas.text(
            tick,
            y + PANEL.1 + 20.0,
            Anchor::Middle,
            &second.to_string(),
            INK,
        );
    }
    let axis = "time (s); upwards: lag (records)";
    canvas.text(
        x + PANEL.0 / 2.0,
        y + PANEL.1 + 40.0,
        Anchor::Middle,
        axis,
        INK,
    );
    for (partition, lag) in run.lags().iter().enumerate() {
        let (colour, dash) = LOOKS[partition % LOOKS.len()];
        let points: Vec<(f64, f64)> = lag
            .iter()
            .enumerate()
            .map(|(second, lag)| (at(second as i64 * 1_000), up(*lag as f64)))
            .collect();
        canvas.path(&points, colour, 2.5, dash);
    }
    for ms in run.overtaken() {
        canvas.line((at(ms), y + 4.0), (at(ms), y + 22.0), RED, 2.0, "");
    }
}
