//! Demo D3: three rules for a watermark over the same rows: the maximum, the minimum with idleness,
//! the grace of each key.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::*;

use super::script::event_seconds;

/// What one rule made of the rows.
#[derive(Default)]
struct Tally {
    dropped: u64,
    dropped_keys: BTreeSet<String>,
    most_open: usize,
    waited: Vec<i64>,
}

/// Runs tumbling windows of `size_s` per key over `rows`, in their order, by three rules, and returns
/// one row a rule: rule, dropped, keys_with_drops, most_open_windows, median_wait_s (from the end of
/// a window to the moment it was final, on the clock of the arrivals), never_final.
///
/// `rows` needs the event time, the arrival time (both datetimes; rows in the order of arrival) and
/// the key. Spark takes the maximum of all event times, `delay_s` back; Flink the minimum over the
/// keys' maxima, leaving out those silent for `idle_s`; Kafka Streams each key by its own.
/// (Both really do so per partition; here every key has one of its own.)
///
/// # Errors
/// When a column is missing or no time.
pub fn watermark_rules(
    rows: &DataFrame,
    event: &str,
    arrival: &str,
    key: &str,
    (delay_s, size_s, idle_s): (i64, i64, i64),
) -> PolarsResult<DataFrame> {
    let frames = std::slice::from_ref(rows);
    let (events, arrivals) = (
        event_seconds(frames, event)?.concat(),
        event_seconds(frames, arrival)?.concat(),
    );
    let keys = rows.column(key)?.cast(&DataType::String)?;
    let keys: Vec<String> = keys
        .str()?
        .iter()
        .map(|key| key.unwrap_or_default().to_owned())
        .collect();
    polars_ensure!(
        events.len() == keys.len() && arrivals.len() == keys.len(),
        ComputeError: "every row needs an event time and an arrival time\n  try:  rows.drop_nulls"
    );
    let names = [
        "maximum (Spark)",
        "minimum, idle left out (Flink)",
        "each key by itself (Kafka Streams)",
    ];
    let tallies: Vec<(Tally, u64)> = (0..3)
        .map(|rule| {
            let mut walk = Walk::new(rule, delay_s, size_s, idle_s);
            for ((event, arrival), key) in events.iter().zip(&arrivals).zip(&keys) {
                walk.take(*event, *arrival, key);
            }
            let open = walk.open.len() as u64;
            (walk.tally, open)
        })
        .collect();
    let pick = |of: fn(&Tally) -> u64| {
        tallies
            .iter()
            .map(|(tally, _)| of(tally))
            .collect::<Vec<_>>()
    };
    df!(
        "rule" => names,
        "dropped" => pick(|tally| tally.dropped),
        "keys_with_drops" => pick(|tally| tally.dropped_keys.len() as u64),
        "most_open_windows" => pick(|tally| tally.most_open as u64),
        "median_wait_s" => tallies.iter().map(|(tally, _)| median(&tally.waited)).collect::<Vec<_>>(),
        "never_final" => tallies.iter().map(|(_, open)| *open).collect::<Vec<_>>(),
    )
}

fn median(waited: &[i64]) -> Option<i64> {
    let mut waited = waited.to_vec();
    waited.sort_unstable();
    waited.get(waited.len() / 2).copied()
}

/// One walk through the rows by one rule.
struct Walk {
    rule: usize,
    delay: i64,
    size: i64,
    idle: i64,
    /// Per key: its newest event, and when it was last heard.
    newest: HashMap<String, (i64, i64)>,
    least: i64,
    open: BTreeMap<(i64, String), i64>,
    tally: Tally,
}

impl Walk {
    fn new(rule: usize, delay: i64, size: i64, idle: i64) -> Walk {
        Walk {
            rule,
            delay,
            size,
            idle,
            newest: HashMap::new(),
            least: i64::MIN,
            open: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    fn take(&mut self, event: i64, arrival: i64, key: &str) {
        let end = event.div_euclid(self.size) * self.size + self.size;
        if end <= self.watermark(key) {
            self.tally.dropped += 1;
            self.tally.dropped_keys.insert(key.to_owned());
        } else {
            *self.open.entry((end, key.to_owned())).or_default() += 1;
        }
        let entry = self
            .newest
            .entry(key.to_owned())
            .or_insert((event, arrival));
        *entry = (entry.0.max(event), arrival);
        let common = match self.rule {
            0 => self.newest.values().map(|(newest, _)| *newest).max(),
            _ => {
                let awake = self
                    .newest
                    .values()
                    .filter(|(_, heard)| arrival - heard < self.idle);
                awake.map(|(newest, _)| *newest).min()
            }
        };
        // A watermark never moves back, also when one that was idle wakes up.
        self.least = self
            .least
            .max(common.map_or(i64::MIN, |newest| newest - self.delay));
        self.tally.most_open = self.tally.most_open.max(self.open.len());
        let done: Vec<(i64, String)> = if self.rule == 2 {
            let own = self.watermark(key);
            let mine = self
                .open
                .keys()
                .filter(|(end, of)| of == key && *end <= own);
            mine.cloned().collect()
        } else {
            let due = self.open.keys().take_while(|(end, _)| *end <= self.least);
            due.cloned().collect()
        };
        for window in done {
            self.tally.waited.push(arrival - window.0);
            self.open.remove(&window);
        }
    }

    fn watermark(&self, key: &str) -> i64 {
        if self.rule < 2 {
            return self.least;
        }
        self.newest
            .get(key)
            .map_or(i64::MIN, |(newest, _)| newest - self.delay)
    }
}
