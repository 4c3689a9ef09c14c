//! The window operator: batches in, finished or changed windows out.

use hashbrown::HashSet;
use polars::prelude::*;

use super::aggregate::{Output, measure_name};
use super::groups::Groups;
use super::keys::Keys;
use super::late::late_rows;
use super::order::Order;
use super::panes::{Assigned, Panes};
use super::sessions::{Sessions, Written};
use super::typed::Typed;
use super::{Aggregates, Batch, OutputMode, WindowSpec};
use crate::{Error, Result, replay, time};

/// Groups the rows of batch after batch by window and keys.
#[derive(Clone)]
pub(crate) struct Windower {
    pub spec: WindowSpec,
    pub time: String,
    pub keys: Vec<String>,
    pub aggregates: Aggregates,
    pub mode: OutputMode,
    pub(super) numbers: Keys,
    pub(super) groups: Groups,
    pub(super) windows: Windows,
    pub(super) arrived: u64,
    pub(super) order: Order,
    /// The last result without rows, and the dtypes for which it holds.
    empty: Option<(Vec<DataType>, DataFrame)>,
}

/// Which group belongs to which window.
#[derive(Clone)]
pub(super) enum Windows {
    Fixed(Box<Panes>),
    Sessions(Sessions),
}

/// What one batch brought about.
pub(crate) struct Emission {
    /// What the output mode gives out: window_start, window_end, keys, aggregates.
    pub rows: DataFrame,
    /// The windows that became final, whatever the mode.
    pub closed: DataFrame,
    /// The rows that came too late, with the window that each missed.
    pub late: DataFrame,
    /// Rows whose event time is null.
    pub without_time: usize,
    /// Rows that had been there before, left out on the way here.
    pub duplicates: usize,
    /// Groups that came too late; Spark's numRowsDroppedByWatermark.
    pub dropped_groups: usize,
    /// Groups that the batch wrote.
    pub updated: usize,
    /// Groups that it removed: final, or joined to another session.
    pub removed: usize,
    /// Groups in the state afterwards.
    pub state_rows: usize,
}

/// How many keys without a group are kept before the keys are numbered anew.
const IDLE_KEYS: usize = 8192;

impl Windower {
    pub fn new(
        spec: WindowSpec,
        time: &str,
        keys: Vec<String>,
        aggregates: Aggregates,
        mode: OutputMode,
    ) -> Windower {
        Windower {
            spec,
            time: time.into(),
            numbers: Keys::new(keys.len()),
            groups: Groups::new(&aggregates),
            windows: Windows::new(spec),
            arrived: 0,
            order: Order::default(),
            empty: None,
            keys,
            aggregates,
            mode,
        }
    }

    /// Takes one micro-batch in and returns what it brought about.
    pub fn push(&mut self, batch: &Batch, place: &str) -> Result<Emission> {
        let empty = self.frame(&mut [])?;
        let mut emission = Emission::nothing(empty);
        self.groups.begin();
        if batch.rows.height() > 0 {
            self.take(batch, place, &mut emission)?;
        }
        if self.mode != OutputMode::Complete {
            let changed = match self.mode {
                // Before they are evicted: a window may change and end in one batch.
                OutputMode::Update => Some(self.frame(&mut self.groups.touched.clone())?),
                _ => None,
            };
            let mut closed = match &mut self.windows {
                Windows::Fixed(panes) => panes.evict(&mut self.groups, batch.watermark),
                Windows::Sessions(sessions) => sessions.evict(&mut self.groups, batch.watermark),
            };
            emission.removed += closed.len();
            emission.closed = self.frame(&mut closed)?;
            emission.rows = changed.unwrap_or_else(|| emission.closed.clone());
        } else {
            emission.rows = self.open()?;
        }
        emission.state_rows = self.groups.len();
        if self.numbers.len() > 2 * self.groups.len() + IDLE_KEYS {
            self.renumber()?;
        }
        Ok(emission)
    }

    /// Returns the windows in the state with their results so far.
    pub fn open(&mut self) -> Result<DataFrame> {
        let mut places = self.groups.places();
        self.frame(&mut places)
    }

    /// Returns whether no window is open.
    pub fn is_empty(&self) -> bool {
        self.groups.len() == 0
    }

    /// Returns about how many bytes the state takes.
    pub fn state_bytes(&self) -> usize {
        self.numbers.bytes() + self.groups.bytes()
    }

    /// Says which column of the query the rows lack, or which aggregate their dtypes rule out.
    pub fn check_columns(&self, rows: &DataFrame, place: &str) -> Result<()> {
        let needed = std::iter::once(PlSmallStr::from(self.time.as_str()))
            .chain(self.keys.iter().map(|key| key.as_str().into()))
            .chain(self.aggregates.columns());
        for column in needed {
            if !rows.schema().contains(&column) {
                return Err(Error::unknown_column(&column, place, rows.schema()));
            }
        }
        Ok(())
    }

    fn take(&mut self, batch: &Batch, place: &str, emission: &mut Emission) -> Result<()> {
        self.check_columns(&batch.rows, place)?;
        let times = replay::micros_of(&batch.rows, &self.time, place)?
            .rechunk()
            .into_owned();
        emission.without_time = times.null_count();
        let keys: Vec<Typed> = self
            .keys
            .iter()
            .map(|key| Typed::of(batch.rows.column(key)?))
            .collect::<Result<_>>()?;
        let numbers = self.numbers.numbers(&keys, batch.rows.height())?;
        let columns = self.aggregates.input_columns(&batch.rows)?;
        let dtypes: Vec<DataType> = columns
            .iter()
            .map(|column| column.dtype().clone())
            .collect();
        self.aggregates.check_dtypes(&dtypes)?;
        let inputs: Vec<Typed> = columns.iter().map(Typed::of).collect::<Result<_>>()?;
        self.groups.widen(&inputs)?;
        let mut late: Vec<(u32, i64)> = Vec::new();
        match &mut self.windows {
            Windows::Fixed(panes) => {
                // In complete mode every group is kept for ever, so none is late.
                let late_before = match self.mode {
                    OutputMode::Complete => i64::MIN,
                    _ => batch.late_before,
                };
                for hop in 0..panes.hops() {
                    let groups = &mut self.groups;
                    let assigned = panes.assign(groups, &times, &numbers, hop, late_before);
                    groups.take(&assigned.places, &times, self.arrived, &inputs)?;
                    late.extend(assigned.late);
                }
                panes.settle(&self.groups, self.numbers.len());
                emission.updated = self.groups.touched.len();
            }
            Windows::Sessions(sessions) => {
                let groups = &mut self.groups;
                let (
                    Assigned {
                        places,
                        late: missed,
                    },
                    Written { updated, replaced },
                ) = sessions.assign(groups, &times, &numbers, batch.late_before)?;
                groups.take(&places, &times, self.arrived, &inputs)?;
                (emission.updated, emission.removed) = (updated, replaced);
                late = missed;
            }
        }
        self.arrived += batch.rows.height() as u64;
        if !late.is_empty() {
            let groups: HashSet<(i64, u32)> = late
                .iter()
                .map(|(row, start)| (*start, numbers[*row as usize]))
                .collect();
            emission.dropped_groups = groups.len();
            emission.late = late_rows(&batch.rows, &late, self.spec.span(), batch.late_before)?;
        }
        Ok(())
    }

    /// Returns the results at these places, ordered by window and keys.
    fn frame(&mut self, places: &mut [u32]) -> Result<DataFrame> {
        if places.is_empty()
            && let Some((dtypes, frame)) = &self.empty
            && *dtypes == self.dtypes()
        {
            return Ok(frame.clone());
        }
        let (groups, numbers) = (&self.groups, &self.numbers);
        self.order.sort(places, groups, numbers);
        let times = |name: &str, of: &[i64]| -> Result<Column> {
            let times: Int64Chunked = places
                .iter()
                .map(|place| Some(of[*place as usize]))
                .collect();
            let times = times.with_name(name.into());
            Ok(times
                .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
                .into_series()
                .into())
        };
        let mut columns = vec![
            times("window_start", &groups.starts)?,
            times("window_end", &groups.ends)?,
        ];
        let keys: Vec<u32> = places
            .iter()
            .map(|place| groups.keys[*place as usize])
            .collect();
        columns.extend(numbers.columns(&self.keys, &keys)?);
        let measure = |index: usize, name: &str| {
            let measure = &self.aggregates.measures[index];
            let dtype = measure
                .input
                .map_or(&DataType::Null, |input| &groups.dtypes[input]);
            let (kept, rows) = (groups.kept[index], &groups.rows);
            measure.column(name, kept, &groups.columns, rows, places, dtype)
        };
        let computed: Vec<Expr> = self
            .aggregates
            .outputs
            .iter()
            .filter_map(|output| match output {
                Output::Plain(_) => None,
                Output::Computed(expr) => Some(expr.clone()),
            })
            .collect();
        let computed = match computed.is_empty() {
            true => None,
            false => {
                let all = 0..self.aggregates.measures.len();
                let measures = all.map(|index| measure(index, &measure_name(index)));
                let measures = DataFrame::new(places.len(), measures.collect::<Result<_>>()?)?;
                Some(measures.lazy().with_columns(computed).collect()?)
            }
        };
        for (output, name) in self.aggregates.outputs.iter().zip(self.aggregates.names()) {
            columns.push(match (output, &computed) {
                (Output::Plain(index), _) => measure(*index, name)?,
                (Output::Computed(_), Some(computed)) => computed.column(name)?.clone(),
                (Output::Computed(_), None) => unreachable!("computed above"),
            });
        }
        let frame = DataFrame::new(places.len(), columns)?;
        if places.is_empty() {
            self.empty = Some((self.dtypes(), frame.clone()));
        }
        Ok(frame)
    }

    fn dtypes(&self) -> Vec<DataType> {
        let keys = self.numbers.dtypes();
        keys.chain(self.groups.dtypes.iter().cloned()).collect()
    }

    /// Says what the earliest open window is waiting for.
    pub fn waiting_for(&self, coming: i64, delay: i64) -> Option<String> {
        let (start, end) = match &self.windows {
            Windows::Fixed(panes) => panes.earliest()?,
            Windows::Sessions(sessions) => sessions.earliest(&self.groups)?,
        };
        // The date stands there once, where all three times are of one day.
        let day = |at: i64| at.div_euclid(time::DAY);
        let other = |at: i64| {
            if day(at) == day(start) {
                time::show_clock(at)
            } else {
                time::show(at)
            }
        };
        (end > coming).then(|| {
            let (start, watermark, needed) = (time::show(start), other(coming), other(end + delay));
            let kind = match self.spec.is_session() {
                true => "session",
                false => "window",
            };
            format!("{kind} {start} open, watermark {watermark}, needs an event from {needed} on")
        })
    }
}

impl Windows {
    pub fn new(spec: WindowSpec) -> Windows {
        match spec {
            WindowSpec::Fixed {
                size_us,
                slide_us,
                offset_us,
            } => Windows::Fixed(Box::new(Panes::new(size_us, slide_us, offset_us))),
            WindowSpec::Session { gap_us } => Windows::Sessions(Sessions::new(gap_us)),
        }
    }
}

impl Emission {
    fn nothing(empty: DataFrame) -> Emission {
        let late = DataFrame::empty();
        Emission {
            closed: empty.clone(),
            rows: empty,
            late,
            without_time: 0,
            duplicates: 0,
            dropped_groups: 0,
            updated: 0,
            removed: 0,
            state_rows: 0,
        }
    }
}
