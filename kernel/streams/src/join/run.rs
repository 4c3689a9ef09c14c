//! A join between two batches.

use std::sync::{Mutex, MutexGuard};

use polars::prelude::*;

use super::batches::JoinBatch;
use super::side::{NO_KEY, Side};
use super::{Input, JoinKind, StreamJoin};
use crate::testing::{Expected, timed};
use crate::window::{Clock, Keys, Typed, append, late_events};
use crate::{Error, Result, replay, time};

/// A join that takes in what you push: no broker, no threads.
///
/// It is what [`StreamJoin::run_batches`] runs, and a test of a join in the manner of
/// [`TestRun`](crate::TestRun).
pub struct JoinRun {
    /// Locked for one call.
    state: Mutex<State>,
}

struct State {
    join: StreamJoin,
    clocks: [Clock; 2],
    sides: [Side; 2],
    keys: Keys,
    watermark: i64,
    emitted: Expected,
    late: [DataFrame; 2],
}

/// So many keys without a row may stay numbered beside those that have one.
const IDLE_KEYS: usize = 8192;

const LEFT: usize = 0;
const RIGHT: usize = 1;

impl JoinRun {
    /// Starts a join with nothing in its state.
    pub fn new(join: &StreamJoin) -> JoinRun {
        let clock = |input: &Input| Clock::new(&input.time, Some(input.delay));
        let state = State {
            clocks: [clock(&join.left), clock(&join.right)],
            sides: [Side::default(), Side::default()],
            keys: Keys::new(join.on.len()),
            watermark: 0,
            emitted: Expected::default(),
            late: [DataFrame::empty(), DataFrame::empty()],
            join: join.clone(),
        };
        JoinRun {
            state: Mutex::new(state),
        }
    }

    /// Takes in a micro-batch of each side.
    ///
    /// # Errors
    /// When the rows lack a column of the join.
    pub fn push(&self, left: &DataFrame, right: &DataFrame) -> Result<JoinBatch> {
        self.lock().push([left, right], true)
    }

    /// Takes in a micro-batch of the left side; returns what was given out.
    ///
    /// # Errors
    /// Those of [`JoinRun::push`].
    pub fn push_left(&self, rows: &DataFrame) -> Result<DataFrame> {
        Ok(self.push(rows, &DataFrame::empty())?.rows)
    }

    /// Takes in a micro-batch of the right side; returns what was given out.
    ///
    /// # Errors
    /// Those of [`JoinRun::push`].
    pub fn push_right(&self, rows: &DataFrame) -> Result<DataFrame> {
        Ok(self.push(&DataFrame::empty(), rows)?.rows)
    }

    /// Compares the rows given out since the last `expect` with these, as
    /// [`TestRun::expect`](crate::TestRun::expect) does.
    ///
    /// # Errors
    /// When they differ.
    pub fn expect(&self, rows: &DataFrame) -> Result<()> {
        self.lock().emitted.expect(rows)
    }

    /// Returns everything that was given out so far.
    pub fn emitted(&self) -> DataFrame {
        self.lock().emitted.all()
    }

    /// Returns the rows of the left side that may still find a match.
    pub fn left_state(&self) -> DataFrame {
        self.lock().sides[LEFT].rows.clone()
    }

    /// Returns the rows of the right side that may still find a match.
    pub fn right_state(&self) -> DataFrame {
        self.lock().sides[RIGHT].rows.clone()
    }

    /// Returns the rows that came when the watermark had passed them: window_start and window_end
    /// (null), late_by, then the columns of the row; those of the left side first.
    ///
    /// # Errors
    /// When the two sides have columns of one name whose dtypes do not go together.
    pub fn late(&self) -> Result<DataFrame> {
        let state = self.lock();
        let mut late = state.late[LEFT].clone();
        append(&mut late, &state.late[RIGHT])?;
        Ok(late)
    }

    /// Says which side the watermark waits for.
    pub fn why_silent(&self) -> String {
        let state = self.lock();
        let coming = [state.clocks[LEFT].coming(), state.clocks[RIGHT].coming()];
        let behind = usize::from(coming[RIGHT] < coming[LEFT]);
        let (name, input) = match behind {
            LEFT => ("left", &state.join.left),
            _ => ("right", &state.join.right),
        };
        let waiting = state.sides[LEFT].len() + state.sides[RIGHT].len();
        let topic = input.stream.topic().name();
        match state.clocks[behind].newest() {
            None => format!(
                "{waiting} rows wait: the {name} side, topic {topic}, has brought no event yet"
            ),
            Some(newest) => format!(
                "{waiting} rows wait, watermark {}: the {name} side, topic {topic}, has come to {} only",
                time::show(coming[behind]),
                time::show(newest)
            ),
        }
    }

    /// Returns the watermark that the next batch will see: the earlier of both sides'.
    pub fn watermark(&self) -> String {
        let state = self.lock();
        time::show(
            state.clocks[LEFT]
                .coming()
                .min(state.clocks[RIGHT].coming()),
        )
    }

    /// Shows what was given out as the value of a cell.
    pub fn evcxr_display(&self) {
        let rows = self.emitted();
        let caption = self.why_silent();
        crate::display::result(crate::table::Table::of(&rows).caption(caption).bundle());
    }

    pub(super) fn owes_a_batch(&self) -> bool {
        let state = self.lock();
        state.clocks[LEFT]
            .coming()
            .min(state.clocks[RIGHT].coming())
            > state.watermark
    }

    /// Joins two frames of which each is all there is.
    pub(super) fn whole(&self, left: &DataFrame, right: &DataFrame) -> Result<DataFrame> {
        let mut state = self.lock();
        let batch = state.push([left, right], false)?;
        let mut rows = batch.rows;
        append(&mut rows, &state.evict(i64::MAX)?.0)?;
        Ok(rows)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    /// Takes rows of both sides in; without `is_streaming` no row is late and none is forgotten.
    fn push(&mut self, frames: [&DataFrame; 2], is_streaming: bool) -> Result<JoinBatch> {
        let mut input_rows = [0, 0];
        let mut batches = Vec::new();
        for side in [LEFT, RIGHT] {
            let input = self.input(side);
            let place = format!("topic {}", input.stream.topic().name());
            let rows = match frames[side].height() {
                0 => DataFrame::empty(),
                _ => input
                    .stream
                    .prepared(timed(frames[side], &input.time)?, &place)?,
            };
            input_rows[side] = frames[side].height();
            batches.push((self.clocks[side].batch(rows, &place)?, place));
        }
        // The earlier watermark is in force for both sides.
        let late_before = batches
            .iter()
            .map(|(batch, _)| batch.late_before)
            .min()
            .unwrap_or(0);
        self.watermark = batches
            .iter()
            .map(|(batch, _)| batch.watermark)
            .min()
            .unwrap_or(0);
        let late_before = if is_streaming { late_before } else { i64::MIN };
        let mut out = JoinBatch {
            watermark: self.watermark,
            input_rows,
            ..JoinBatch::default()
        };
        for (side, (batch, place)) in batches.into_iter().enumerate() {
            if batch.rows.height() > 0 {
                self.take(side, batch.rows, &place, late_before, &mut out)?;
            }
        }
        if is_streaming {
            let (alone, removed) = self.evict(self.watermark)?;
            append(&mut out.rows, &alone)?;
            out.removed = removed;
        }
        out.state_rows = [self.sides[LEFT].len(), self.sides[RIGHT].len()];
        self.emitted.add(&out.rows)?;
        Ok(out)
    }

    fn input(&self, side: usize) -> &Input {
        match side {
            LEFT => &self.join.left,
            _ => &self.join.right,
        }
    }

    /// Matches new rows of one side with those of the other, and keeps them.
    fn take(
        &mut self,
        side: usize,
        rows: DataFrame,
        place: &str,
        late_before: i64,
        out: &mut JoinBatch,
    ) -> Result<()> {
        for column in &self.join.on {
            if !rows.schema().contains(column) {
                return Err(Error::unknown_column(column, place, rows.schema()));
            }
        }
        let times = replay::micros_of(&rows, &self.input(side).time.clone(), place)?;
        let is_late = |time: i64| time <= late_before;
        let late: Vec<IdxSize> = (0..)
            .zip(times.iter())
            .filter_map(|(row, time)| time.is_some_and(is_late).then_some(row))
            .collect();
        if !late.is_empty() {
            let late = late_events(&rows, &late, &times, late_before)?;
            append(&mut self.late[side], &late)?;
            out.late_rows[side] = late.height();
        }
        let kept: BooleanChunked = times
            .iter()
            .map(|time| Some(time.is_some_and(|time| !is_late(time))))
            .collect();
        // A row without a time matches nothing, now or later.
        let timeless = rows.filter(&times.is_null())?;
        out.without_time[side] = timeless.height();
        if self.is_kept_alone(side) {
            let alone = self.alone(side, &timeless)?;
            append(&mut out.rows, &alone)?;
        }
        let (rows, times) = (rows.filter(&kept)?, times.filter(&kept)?);
        if rows.height() == 0 {
            return Ok(());
        }
        let times: Vec<i64> = times.iter().flatten().collect();
        let keys = self.key_numbers(&rows)?;
        let first = self.sides[side].add(&rows, times, keys)?;
        let other = 1 - side;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for row in first..self.sides[side].len() as u32 {
            let (key, time) = (self.sides[side].key(row), self.sides[side].time(row));
            if key == NO_KEY {
                continue;
            }
            let found: Vec<u32> = self.sides[other]
                .near(key, time, self.join.within_us)
                .collect();
            for there in found {
                self.sides[side].mark(row);
                self.sides[other].mark(there);
                ours.push(row);
                theirs.push(there);
            }
        }
        out.matches += ours.len();
        let pairs = match side {
            LEFT => self.pairs(&ours, &theirs)?,
            _ => self.pairs(&theirs, &ours)?,
        };
        append(&mut out.rows, &pairs)
    }

    /// Returns the number of every row's key; [`NO_KEY`] where a part of it is null.
    fn key_numbers(&mut self, rows: &DataFrame) -> Result<Vec<u32>> {
        let columns = self
            .join
            .on
            .iter()
            .map(|column| Typed::of(rows.column(column)?));
        let columns = columns.collect::<Result<Vec<Typed>>>()?;
        let mut numbers = self.keys.numbers(&columns, rows.height())?;
        for column in &self.join.on {
            let column = rows.column(column)?;
            if column.null_count() > 0 {
                let nulls = column.is_null();
                for (number, _) in numbers
                    .iter_mut()
                    .zip(nulls.iter())
                    .filter(|(_, null)| *null == Some(true))
                {
                    *number = NO_KEY;
                }
            }
        }
        Ok(numbers)
    }

    /// Removes what can find no match any more; returns the rows that a join gives out alone.
    fn evict(&mut self, watermark: i64) -> Result<(DataFrame, usize)> {
        // A row of the other side that is not late is later than the watermark.
        let passed = match watermark {
            i64::MAX => i64::MAX,
            watermark => watermark.saturating_sub(self.join.within_us),
        };
        let (mut alone, mut removed) = (DataFrame::empty(), 0);
        for side in [LEFT, RIGHT] {
            let (rows, count) = self.sides[side].evict(passed)?;
            removed += count;
            if self.is_kept_alone(side) && rows.height() > 0 {
                let rows = self.alone(side, &rows)?;
                append(&mut alone, &rows)?;
            }
        }
        let kept: usize = self.sides.iter().map(Side::len).sum();
        if self.keys.len() > 2 * kept + IDLE_KEYS {
            self.keys = Keys::new(self.join.on.len());
            for side in [LEFT, RIGHT] {
                let rows = self.sides[side].rows.clone();
                let keys = self.key_numbers(&rows)?;
                self.sides[side].number(keys);
            }
        }
        Ok((alone, removed))
    }

    fn is_kept_alone(&self, side: usize) -> bool {
        match self.join.kind {
            JoinKind::Inner => false,
            JoinKind::Left => side == LEFT,
            JoinKind::Full => true,
        }
    }

    /// Returns rows of both sides beside one another.
    fn pairs(&self, left: &[u32], right: &[u32]) -> Result<DataFrame> {
        let take = |side: usize, rows: &[u32]| -> Result<DataFrame> {
            Ok(self.sides[side]
                .rows
                .take(&IdxCa::from_slice("row".into(), rows))?)
        };
        self.beside(&take(LEFT, left)?, &take(RIGHT, right)?, left.len())
    }

    /// Returns rows of one side with nulls for the other; the keys are their own.
    fn alone(&self, side: usize, rows: &DataFrame) -> Result<DataFrame> {
        let other = &self.sides[1 - side].rows;
        let is_key = |name: &str| self.join.on.iter().any(|key| key == name);
        let column = |column: &Column| match is_key(column.name()) {
            true => Ok(rows.column(column.name())?.clone()),
            false => Ok(Column::full_null(
                column.name().clone(),
                rows.height(),
                column.dtype(),
            )),
        };
        let columns = other
            .columns()
            .iter()
            .map(column)
            .collect::<Result<Vec<_>>>()?;
        let mut nulls = DataFrame::new(rows.height(), columns)?;
        if side == LEFT {
            return self.beside(rows, &nulls, rows.height());
        }
        if nulls.width() == 0 {
            nulls = rows.select(self.join.on.iter().map(String::as_str))?;
        }
        self.beside(&nulls, rows, rows.height())
    }

    /// Puts the columns of both sides into one frame; keys once, clashing names with `_right`.
    fn beside(&self, left: &DataFrame, right: &DataFrame, rows: usize) -> Result<DataFrame> {
        let mut columns = left.columns().to_vec();
        for column in right.columns() {
            if self
                .join
                .on
                .iter()
                .any(|key| *key == column.name().as_str())
            {
                continue;
            }
            let mut column = column.clone();
            if left.column(column.name()).is_ok() {
                column.rename(format!("{}_right", column.name()).into());
            }
            columns.push(column);
        }
        Ok(DataFrame::new(rows, columns)?)
    }
}

impl std::fmt::Debug for JoinRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lock().join.describe())
    }
}
