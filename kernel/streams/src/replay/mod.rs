//! Sends a data set or a file to a topic on its own clock.

mod card;
pub(crate) mod clock;
mod run;

use std::path::Path;
use std::time::Duration;

use polars::prelude::*;

use crate::dataset::{self, Loaded};
use crate::topic::Topic;
use crate::{Error, Result, time};

pub(crate) use clock::micros_of;
pub(crate) use run::Shared;
pub use run::{Progress, ReplayRun};

/// Names the environment variable with the most seconds that any replay may take; a replay that
/// would take longer runs faster, and says so. The build sets it.
pub const LIMIT_ENV: &str = "HEADWATER_REPLAY_SECONDS";

/// What to replay, and how; nothing is sent before [`Replay::start`].
///
/// Rows go out in the order of the arrival column, on a clock that runs `speed` seconds of event
/// time in a second; without an arrival column the event time takes its place. Rows whose
/// arrival is null never arrive: they are counted and not sent. The replay ends with its rows.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
///
/// let flights = Cluster::embedded()?.topic("doc-flights", partitions(3))?;
/// let replay = Replay::dataset("flights")?
///     .event_time("sched_dep").arrival("actual_dep")
///     .between("2013-02-08", "2013-02-09").key("origin")
///     .at_once().start(&flights)?;
/// replay.wait()?;
/// // A snow storm: a third of the flights of that day never left.
/// assert_eq!((replay.progress().sent, replay.progress().never_sent), (597, 332));
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct Replay {
    label: String,
    frame: DataFrame,
    rejected: Vec<crate::record::decode::Rejected>,
    rejected_count: u64,
    event_time: Option<String>,
    arrival: Option<String>,
    between: Option<(String, String)>,
    key: Option<String>,
    speed: f64,
    fresh: bool,
}

/// The rows of a replay in the order they go out.
pub(crate) struct Plan {
    pub label: String,
    /// Rows that arrive, in that order.
    pub frame: DataFrame,
    /// When each row goes out, in epoch microseconds of the replay's clock.
    pub times: Vec<i64>,
    pub keys: Option<StringChunked>,
    pub speed: f64,
    /// The speed that was asked for, where `speed` had to be higher.
    pub asked: Option<f64>,
    pub never_sent: usize,
    pub rejected_count: u64,
    pub first_rejected: Option<String>,
    pub fresh: bool,
}

impl Replay {
    /// Takes the data set `name`, for instance `"flights"`.
    ///
    /// # Errors
    /// When there is no such data set; the message lists those that are there.
    pub fn dataset(name: &str) -> Result<Replay> {
        Ok(Replay::of(
            format!("data set {name}"),
            dataset::parquet(&dataset::find(name)?)?,
        ))
    }

    /// Takes a Parquet file.
    ///
    /// # Errors
    /// When it cannot be read; the message lists what is in its folder.
    pub fn parquet(path: impl AsRef<Path>) -> Result<Replay> {
        let path = path.as_ref();
        Ok(Replay::of(label(path), dataset::parquet(path)?))
    }

    /// Takes a CSV file with a header line. Lines that do not parse are counted and reported.
    ///
    /// # Errors
    /// When it cannot be read or its header is no header.
    pub fn csv(path: impl AsRef<Path>) -> Result<Replay> {
        let path = path.as_ref();
        Ok(Replay::of(label(path), dataset::csv(path)?))
    }

    /// Takes a file with one JSON object a line. Lines that are none are counted and reported.
    ///
    /// # Errors
    /// When it cannot be read or holds no row.
    pub fn json_lines(path: impl AsRef<Path>) -> Result<Replay> {
        let path = path.as_ref();
        Ok(Replay::of(label(path), dataset::json_lines(path)?))
    }

    /// Takes the rows of a frame.
    pub fn frame(frame: &DataFrame) -> Replay {
        Replay::of(
            "a frame".into(),
            Loaded {
                frame: frame.clone(),
                rejected: Vec::new(),
                rejected_count: 0,
            },
        )
    }

    /// Names the column that says when a row happened.
    pub fn event_time(mut self, column: &str) -> Replay {
        self.event_time = Some(column.into());
        self
    }

    /// Names the column that says when a row reached us. Default: the event time.
    pub fn arrival(mut self, column: &str) -> Replay {
        self.arrival = Some(column.into());
        self
    }

    /// Takes only rows whose event time is in `[from, to)`, for instance `"2013-02-08"` or
    /// `"2013-02-08 10:00"` (UTC). Default: all rows.
    pub fn between(mut self, from: &str, to: &str) -> Replay {
        self.between = Some((from.into(), to.into()));
        self
    }

    /// Names the column whose text becomes the record key. Default: no key.
    pub fn key(mut self, column: &str) -> Replay {
        self.key = Some(column.into());
        self
    }

    /// Sets how many seconds of the replay's clock pass in one real second. Default: 3600.
    pub fn speed(mut self, seconds_a_second: f64) -> Replay {
        self.speed = seconds_a_second;
        self
    }

    /// Sends everything as fast as the broker takes it.
    pub fn at_once(self) -> Replay {
        self.speed(f64::INFINITY)
    }

    /// Empties the topic first, so that running the cell again gives the same topic.
    pub fn fresh(mut self) -> Replay {
        self.fresh = true;
        self
    }

    /// Returns the rows as they are in the file.
    pub fn rows(&self) -> &DataFrame {
        &self.frame
    }

    /// Returns the lines of the file that were no rows: record, reason, bytes (the first thousand).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn rejected(&self) -> Result<DataFrame> {
        crate::record::decode::rejected_frame(&self.rejected)
    }

    /// Starts sending to `topic` on a thread of its own and shows a card that follows it.
    ///
    /// # Errors
    /// When a named column is not there or holds no times, or no row is left to send.
    pub fn start(&self, topic: &Topic) -> Result<ReplayRun> {
        ReplayRun::start(self.plan()?, topic)
    }

    /// Shows the replay as the value of a cell.
    pub fn evcxr_display(&self) {
        let caption = format!(
            "replay of {}, not yet started: .start(&topic)? sends it",
            self.label
        );
        crate::display::result(
            crate::table::Table::of(&self.frame)
                .rows(5)
                .caption(caption)
                .bundle(),
        );
    }

    fn of(label: String, loaded: Loaded) -> Replay {
        let Loaded {
            frame,
            rejected,
            rejected_count,
        } = loaded;
        let (event_time, arrival, between, key) = (None, None, None, None);
        Replay {
            label,
            frame,
            rejected,
            rejected_count,
            event_time,
            arrival,
            between,
            key,
            speed: 3600.0,
            fresh: false,
        }
    }

    fn plan(&self) -> Result<Plan> {
        if self.speed.is_nan() || self.speed <= 0.0 {
            return Err(Error::new("a replay's speed is a number above 0")
                .have(self.speed.to_string())
                .hint(".speed(3600.0), or .at_once()"));
        }
        let frame = self.selected()?;
        let (frame, times, never_sent) = self.ordered(frame)?;
        let keys = match &self.key {
            Some(key) => Some(crate::topic::key_texts(&frame, key)?),
            None => None,
        };
        let span = times
            .last()
            .zip(times.first())
            .map_or(0, |(last, first)| last - first);
        let speed = clock::allowed_speed(self.speed, span, limit());
        Ok(Plan {
            label: self.label.clone(),
            frame,
            times,
            keys,
            speed,
            asked: (speed > self.speed).then_some(self.speed),
            never_sent,
            rejected_count: self.rejected_count,
            first_rejected: self
                .rejected
                .first()
                .map(|first| format!("{}: {}", first.place, first.why)),
            fresh: self.fresh,
        })
    }

    /// Returns the rows between the two times.
    fn selected(&self) -> Result<DataFrame> {
        let Some((from, to)) = &self.between else {
            return Ok(self.frame.clone());
        };
        let Some(column) = &self.event_time else {
            return Err(
                Error::new("a replay between two times needs to know the event time")
                    .have(self.time_columns())
                    .hint(".event_time(\"..\") with one of these columns"),
            );
        };
        let (start, end) = (time::parse_argument(from)?, time::parse_argument(to)?);
        let times = clock::micros_of(&self.frame, column, &self.label)?;
        let mask: BooleanChunked = times
            .iter()
            .map(|time| time.is_some_and(|time| start <= time && time < end))
            .collect();
        let frame = self.frame.filter(&mask)?;
        if frame.height() == 0 {
            let bounds = times.min().zip(times.max()).map(|(first, last)| {
                format!(
                    "`{column}` runs from {} to {}",
                    time::show(first),
                    time::show(last)
                )
            });
            return Err(
                Error::new(format!("{} has no row between {from} and {to}", self.label))
                    .have(bounds.unwrap_or_else(|| format!("no time at all in `{column}`")))
                    .hint("two times inside that span"),
            );
        }
        Ok(frame)
    }

    /// Returns the rows that arrive in their order, when they do, and how many never do.
    fn ordered(&self, frame: DataFrame) -> Result<(DataFrame, Vec<i64>, usize)> {
        let Some(column) = self.arrival.as_ref().or(self.event_time.as_ref()) else {
            if self.speed.is_infinite() {
                let rows = frame.height();
                return Ok((frame, vec![0; rows], 0));
            }
            return Err(
                Error::new("a replay on a clock needs to know the event time")
                    .have(self.time_columns())
                    .hint(
                        ".event_time(\"..\") with one of these columns, or .at_once() for no clock",
                    ),
            );
        };
        if let Some(event_time) = &self.event_time {
            clock::micros_of(&frame, event_time, &self.label)?;
        }
        let times = clock::micros_of(&frame, column, &self.label)?;
        let mut order: Vec<(i64, IdxSize)> = times
            .iter()
            .zip(0..)
            .filter_map(|(time, row)| Some((time?, row)))
            .collect();
        order.sort();
        let never_sent = frame.height() - order.len();
        if order.is_empty() {
            return Err(Error::new(format!("no row of {} ever arrives", self.label))
                .have(format!("`{column}` is null in all {} rows", frame.height())));
        }
        let rows = IdxCa::from_vec("row".into(), order.iter().map(|(_, row)| *row).collect());
        Ok((
            frame.take(&rows)?,
            order.into_iter().map(|(time, _)| time).collect(),
            never_sent,
        ))
    }

    fn time_columns(&self) -> String {
        let columns: Vec<String> = self
            .frame
            .schema()
            .iter()
            .filter(|(_, dtype)| dtype.is_temporal())
            .map(|(name, dtype)| format!("{name} ({dtype})"))
            .collect();
        if columns.is_empty() {
            "no column with times".into()
        } else {
            columns.join(", ")
        }
    }
}

fn label(path: &Path) -> String {
    path.display().to_string()
}

fn limit() -> Option<Duration> {
    let seconds: f64 = std::env::var(LIMIT_ENV).ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|limit| !limit.is_zero())
}
