//! Data that is made, with the truth about it: what was put in on purpose, where and when.
//!
//! The same seed gives the same bytes on every machine. Each learner has a seed of their own, so
//! that numbers differ between learners, and whoever grades can make the same data again.
//!
//! - `telemetry`: latencies of four services over a day, with steps, drift, spike, gap, slow tail
//! - `gauges`: levels of 24 rivers over an hour, with late, repeated and skewed readings, surges
//! - `clicks`: 500 users in bursts, with gaps near the session gap and late clicks between bursts
//! - `orders`: orders, payments, shipments and a feed of customers' changes

mod arithmetic;
mod clicks;
mod gauges;
mod orders;
mod telemetry;
mod truth;

use headwater_streams::{Error, Replay, Result};
use polars::prelude::DataFrame;

use crate::learner::Learner;

/// Rows that are made, and the truth about them.
///
/// # Example
/// ```
/// use headwater_course::prelude::*;
///
/// let gauges = Generated::gauges_seeded(7)?;
/// assert_eq!(gauges.rows().height(), 17_280 + 86);
/// let replay = gauges.replay()?; // event time, arrival and key are set
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Generated {
    name: &'static str,
    seed: u64,
    /// The first one is what [`Generated::rows`] returns.
    tables: Vec<(&'static str, DataFrame)>,
    truth: DataFrame,
    key: &'static str,
}

impl Generated {
    /// Makes the `telemetry` of the current learner.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn telemetry() -> Result<Generated> {
        Generated::telemetry_seeded(seed("telemetry"))
    }

    /// Makes `telemetry`: request_id (i64), service (str), event_time and arrival_time (datetime in
    /// microseconds UTC), latency_ms (f64); a request a second of each of four services, one day.
    ///
    /// Truth: two `step`s and a `spike` (size: factor), a `drift` (size: factor at its end), a `gap`,
    /// and a slow `tail` (size: factor of a fortieth of the requests, while the mean stays).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn telemetry_seeded(seed: u64) -> Result<Generated> {
        let (rows, truth) = telemetry::make(seed)?;
        Ok(Generated::of(
            "telemetry",
            seed,
            "service",
            vec![("telemetry", rows)],
            truth,
        ))
    }

    /// Makes the `gauges` of the current learner.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn gauges() -> Result<Generated> {
        Generated::gauges_seeded(seed("gauges"))
    }

    /// Makes `gauges`: event_id and gauge (str), seq (i64), event_time and arrival_time (datetime in
    /// microseconds UTC), level_cm and battery_v (f64); a reading in 5 s of each of 24 gauges, one hour.
    ///
    /// Truth: four classes of `lateness` (size: share), `silence` of G07 with a backfill (size:
    /// minutes), `clock ahead` of G13 (size: seconds), each `duplicate`, three `surge`s (size: cm).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn gauges_seeded(seed: u64) -> Result<Generated> {
        let (rows, truth) = gauges::make(seed)?;
        Ok(Generated::of(
            "gauges",
            seed,
            "gauge",
            vec![("gauges", rows)],
            truth,
        ))
    }

    /// Makes the `clicks` of the current learner.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn clicks() -> Result<Generated> {
        Generated::clicks_seeded(seed("clicks"))
    }

    /// Makes `clicks`: click_id (i64), user (str, by Zipf's law with exponent 1.1), event_time and
    /// arrival_time (datetime in microseconds UTC), page (str); 500 users, six hours. The table
    /// `sessions` has the right answer for a session gap of 30 seconds: user, first_click,
    /// last_click, clicks.
    ///
    /// Truth: each break `near the gap` (size: seconds beside 30) and each `late bridge`, a late
    /// click that makes one session of two (size: seconds late).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn clicks_seeded(seed: u64) -> Result<Generated> {
        let [rows, sessions, truth] = clicks::make(seed)?;
        let tables = vec![("clicks", rows), ("sessions", sessions)];
        Ok(Generated::of("clicks", seed, "user", tables, truth))
    }

    /// Makes the `orders` of the current learner.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn orders() -> Result<Generated> {
        Generated::orders_seeded(seed("orders"))
    }

    /// Makes `orders`: order_id and customer_id (str), event_time and arrival_time (datetime in
    /// microseconds UTC), amount_cents (i64); 2,000 orders in two hours. The other tables are
    /// `payments`, `shipments`, `customers` (a feed of changes: tier and city from then on) and
    /// `order_lines`: the orders as texts, among which five are malformed.
    ///
    /// Truth, by order: `payment never comes` and `payment doubled` (size: amount), `payment before
    /// order` (size: seconds); each `malformed` text; the one customer whose `tier changes`.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn orders_seeded(seed: u64) -> Result<Generated> {
        let shop = orders::make(seed)?;
        let tables = vec![
            ("orders", shop.orders),
            ("payments", shop.payments),
            ("shipments", shop.shipments),
            ("customers", shop.customers),
            ("order_lines", shop.order_lines),
        ];
        Ok(Generated::of(
            "orders", seed, "order_id", tables, shop.truth,
        ))
    }

    /// Returns the rows in the order of their arrival.
    pub fn rows(&self) -> &DataFrame {
        &self.tables[0].1
    }

    /// Returns what was put in on purpose: fault and subject (str), start and end (datetime in
    /// microseconds UTC), rows (i64), size (f64; what it measures depends on the fault).
    pub fn truth(&self) -> &DataFrame {
        &self.truth
    }

    /// Returns a table by its name.
    ///
    /// # Errors
    /// When there is none of this name; the message lists those that are there.
    pub fn table(&self, name: &str) -> Result<&DataFrame> {
        let found = self.tables.iter().find(|(known, _)| *known == name);
        found.map(|(_, table)| table).ok_or_else(|| {
            let names: Vec<&str> = self.tables.iter().map(|(name, _)| *name).collect();
            Error::new(format!("no table `{name}` in the generated {}", self.name))
                .have(names.join(", "))
                .hint(format!(".table(\"{}\")?", names[0]))
        })
    }

    /// Returns the seed that these rows were made from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns a replay of the rows by arrival, keyed, to be started at the speed you like.
    ///
    /// # Errors
    /// Never in practice; the signature is that of [`Generated::replay_table`].
    pub fn replay(&self) -> Result<Replay> {
        Ok(self.replay_table(self.tables[0].0)?.key(self.key))
    }

    /// Returns a replay of one table by arrival, without a key.
    ///
    /// # Errors
    /// When there is no table of this name, or it has no arrival time (as `sessions`, an answer).
    pub fn replay_table(&self, name: &str) -> Result<Replay> {
        let table = self.table(name)?;
        if !table.schema().contains("arrival_time") {
            return Err(
                Error::new(format!("`{name}` is an answer and never arrives"))
                    .have(format!(
                        "columns {}",
                        table
                            .get_column_names()
                            .iter()
                            .map(|name| name.as_str())
                            .collect::<Vec<_>>()
                            .join(", ")
                    ))
                    .hint(".table(..) looks at it; .replay() sends the rows"),
            );
        }
        let replay = Replay::frame(table).arrival("arrival_time");
        Ok(match table.schema().contains("event_time") {
            true => replay.event_time("event_time"),
            false => replay,
        })
    }

    /// Shows what it is as the value of a cell.
    pub fn evcxr_display(&self) {
        let tables: Vec<String> = self
            .tables
            .iter()
            .map(|(name, table)| format!("{name}: {} rows", table.height()))
            .collect();
        let text = format!(
            "generated {} (seed {}); {}\n.rows(), .truth() (do not look yet), .replay()?.start(&topic)?",
            self.name,
            self.seed,
            tables.join(", ")
        );
        crate::lesson_5_2::show_text(&text);
    }

    fn of(
        name: &'static str,
        seed: u64,
        key: &'static str,
        tables: Vec<(&'static str, DataFrame)>,
        truth: DataFrame,
    ) -> Generated {
        Generated {
            name,
            seed,
            tables,
            truth,
            key,
        }
    }
}

/// Returns the seed of the current learner for a data set.
fn seed(name: &str) -> u64 {
    Learner::current().seed(name)
}
