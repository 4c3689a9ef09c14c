//! Rows that are made, at a rate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::feed::{Feed, Shared};
use super::rows::Rows;
use crate::topic::Topic;
use crate::{Error, Result};

/// The rows of a burst are sent together, this often.
const BURST: Duration = Duration::from_millis(20);

/// What makes a row: given its number, from 0 on.
type Make = dyn Fn(u64) -> Value + Send + Sync;

/// A function that makes rows, as a source. The same function gives the same rows.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use serde_json::json;
///
/// let topic = Cluster::embedded()?.topic("doc-generator", partitions(1))?;
/// let feed = Generator::rows(|n| json!({"id": n, "zone": format!("Z{}", n % 3)}))
///     .key("zone").per_second(10_000.0).take(100).start(&topic)?;
/// feed.wait()?;
/// assert_eq!(topic.records()?, 100);
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct Generator {
    make: Arc<Make>,
    per_second: Option<f64>,
    most: Option<u64>,
    key: Option<String>,
}

impl Generator {
    /// Returns a source of the rows that `make` makes: JSON objects, given their number from 0 on.
    pub fn rows(make: impl Fn(u64) -> Value + Send + Sync + 'static) -> Generator {
        Generator {
            make: Arc::new(make),
            per_second: None,
            most: None,
            key: None,
        }
    }

    /// Sends so many rows a second. Default: as fast as the topic takes them.
    pub fn per_second(mut self, rows: f64) -> Generator {
        self.per_second = Some(rows);
        self
    }

    /// Ends after so many rows. Default: goes on until it is stopped.
    pub fn take(mut self, rows: u64) -> Generator {
        self.most = Some(rows);
        self
    }

    /// Takes this field as the key of the records. Default: none.
    pub fn key(mut self, field: &str) -> Generator {
        self.key = Some(field.into());
        self
    }

    /// Starts to send.
    ///
    /// # Errors
    /// When the rate is no number above zero.
    pub fn start(&self, topic: &Topic) -> Result<Feed> {
        if let Some(rate) = self.per_second
            && !(rate > 0.0 && rate.is_finite())
        {
            return Err(Error::new("a rate is a number above zero")
                .have(format!("{rate} rows a second"))
                .hint(".per_second(100.0), or without it as fast as the topic takes them"));
        }
        let (generator, target) = (self.clone(), topic.clone());
        Feed::start("rows that are made".into(), topic, move |shared| {
            generator.run(&target, shared)
        })
    }

    /// Shows the source as the value of a cell.
    pub fn evcxr_display(&self) {
        let rate = self.per_second.map_or("as fast as it goes".into(), |rate| {
            format!("{rate} a second")
        });
        let text = format!("rows that are made, {rate}\n.start(&topic)? sends them");
        crate::display::result(crate::table::text(&text));
    }

    fn run(&self, topic: &Topic, shared: &Shared) -> Result<()> {
        let mut rows = Rows::open(topic, self.key.as_deref())?;
        let (began, mut sent) = (Instant::now(), 0u64);
        while !shared.is_stopped() && self.most.is_none_or(|most| sent < most) {
            let due = match self.per_second {
                Some(rate) => (began.elapsed().as_secs_f64() * rate) as u64 + 1,
                None => sent + 1000,
            };
            let due = due.min(self.most.unwrap_or(u64::MAX));
            while sent < due && !(sent % 256 == 0 && shared.is_stopped()) {
                self.send(sent, &mut rows)?;
                sent += 1;
            }
            rows.finish_batch()?;
            let rejected = rows.take_rejected();
            shared.note_rejected(rejected.len() as u64, &rejected);
            shared.note_sent(rows.take_sent());
            if self.per_second.is_some() {
                shared.pause(BURST);
            }
        }
        rows.flush()
    }

    fn send(&self, number: u64, rows: &mut Rows) -> Result<()> {
        let row = (self.make)(number);
        if !row.is_object() {
            return Err(Error::new(format!("row {number} is no object"))
                .have(row.to_string())
                .hint("json!({\"id\": n})"));
        }
        rows.send(&row, &format!("row {number}"))
    }
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "rows that are made, {:?} a second, at most {:?}",
            self.per_second, self.most
        )
    }
}
