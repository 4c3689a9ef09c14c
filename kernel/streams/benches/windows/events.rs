//! The events of the measurements: 10,000 a second, so many keys, some out of order, some late.

use headwater_streams::Result;
use polars::prelude::*;

/// What events to make.
#[derive(Clone, Copy)]
pub struct Events {
    pub count: i64,
    pub keys: i64,
    /// Thousandths of the events that come half a minute after their time.
    pub late_permille: i64,
}

/// The standard of the comparison: 5 million events of 1,000 keys, one in a thousand late.
pub const STANDARD: Events = Events {
    count: 5_000_000,
    keys: 1_000,
    late_permille: 1,
};

impl Events {
    /// Returns the events as one frame: at (datetime in microseconds, UTC), key (str), x (f64).
    ///
    /// `benches/windows/peers.py` makes the same ones by the same rule.
    pub fn frame(self) -> Result<DataFrame> {
        let mut at = Vec::with_capacity(self.count as usize);
        let mut keys = StringChunkedBuilder::new("key".into(), self.count as usize);
        let mut x = Vec::with_capacity(self.count as usize);
        let names: Vec<String> = (0..self.keys).map(|key| format!("key{key:06}")).collect();
        for event in 0..self.count {
            let mixed = (event * 2_654_435_761) & 0xffff_ffff;
            let late = if (mixed >> 7) % 1000 < self.late_permille {
                30_000_000
            } else {
                0
            };
            // Up to two seconds before its turn.
            at.push(1_740_823_200_000_000 + event * 100 - mixed % 2_000_000 - late);
            keys.append_value(&names[((mixed >> 3) % self.keys) as usize]);
            x.push((event % 4096) as f64 * 0.125);
        }
        let times = Series::new("at".into(), at).cast(&DataType::Datetime(
            TimeUnit::Microseconds,
            Some(TimeZone::UTC),
        ))?;
        let columns = vec![
            times.into(),
            keys.finish().into_series().into(),
            Series::new("x".into(), x).into(),
        ];
        Ok(DataFrame::new(self.count as usize, columns)?)
    }
}

/// Cuts a frame into micro-batches; no row is copied.
pub fn batches(events: &DataFrame, rows: usize) -> Vec<DataFrame> {
    (0..events.height())
        .step_by(rows)
        .map(|from| events.slice(from as i64, rows))
        .collect()
}
