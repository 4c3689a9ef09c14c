//! The table side of a stream: the latest row of every key, versions of it, and sums that follow it.
//!
//! A stream says what happened, a table what holds; a changelog topic is a table's stream, and the
//! table is what is left when every change has been applied (Sax, Wang, Weidlich, Freytag: Streams
//! and Tables, 2018).

mod grouped;
mod versions;

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use polars::prelude::*;

use crate::record::decode::Decoder;
use crate::table::Table;
use crate::testing::compare::texts;
use crate::topic::tail::Tail;
use crate::topic::{Position, Topic};
use crate::{Error, Result, replay, time};
pub use grouped::GroupedTable;
use versions::Versions;

/// The latest row of every key. A clone is the same table, also from another cell.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use polars::prelude::*;
///
/// let tiers = KTable::new(["customer"]);
/// tiers.apply(&df!("customer" => ["anna", "ben"], "tier" => ["gold", "basic"])?)?;
/// let per_tier = tiers.count_by("tier")?;
/// tiers.apply(&df!("customer" => ["ben"], "tier" => ["gold"])?)?;
/// assert_eq!(tiers.get("ben")?.column("tier")?.str()?.get(0), Some("gold"));
/// // The change took ben out of the old tier and put him into the new one.
/// assert_eq!(per_tier.frame()?.column("count")?.i64()?.get(0), Some(2));
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct KTable {
    keys: Vec<String>,
    /// The column that says from when on a row holds.
    time: Option<String>,
    /// Locked for one call.
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    versions: Versions,
    /// Those that somebody still holds.
    grouped: Vec<Weak<Mutex<grouped::Sums>>>,
    applied: usize,
}

/// What changes did to a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Keys that were not there.
    pub inserted: usize,
    /// Keys that have a new row.
    pub updated: usize,
    /// Keys that are gone.
    pub deleted: usize,
    /// Changes that are older than what holds: versions of the past.
    pub older: usize,
    /// Rows whose key or time is null, records that are no rows, tombstones that name no row.
    pub skipped: usize,
}

impl KTable {
    /// Returns an empty table with one row for every value of these columns.
    pub fn new<S: Into<String>, I: IntoIterator<Item = S>>(keys: I) -> KTable {
        KTable {
            keys: keys.into_iter().map(Into::into).collect(),
            time: None,
            state: Arc::default(),
        }
    }

    /// Keeps every version of a row: from which event time on it holds stands in `column`. A join
    /// then takes the version that held at the event's time, and a change that comes late takes its
    /// place in the past.
    pub fn versioned(self, column: &str) -> KTable {
        KTable {
            time: Some(column.into()),
            state: Arc::default(),
            ..self
        }
    }

    /// Applies changes in the order of the rows: each row replaces the one of its key.
    ///
    /// # Errors
    /// When the frame lacks a key column, or the column of the versions.
    pub fn apply(&self, changes: &DataFrame) -> Result<Applied> {
        self.change(changes, true)
    }

    /// Removes the rows of these keys, as tombstones do. In a versioned table the frame also says from
    /// when on a key is gone.
    ///
    /// # Errors
    /// Those of [`KTable::apply`].
    pub fn delete(&self, keys: &DataFrame) -> Result<Applied> {
        self.change(keys, false)
    }

    /// Applies what a changelog topic holds, from its beginning. A record without a value, a tombstone,
    /// removes the row whose key is the record's key; that needs a table with one key column and without
    /// versions, in another one tombstones are skipped and counted.
    ///
    /// # Errors
    /// When the topic cannot be read, or its records lack a key column.
    pub fn read(&self, topic: &Topic) -> Result<Applied> {
        let can_delete = self.keys.len() == 1 && self.time.is_none();
        let (mut decoder, mut applied) = (Decoder::of(topic.format()), Applied::default());
        for change in Tail::open(topic, &Position::Earliest)?.changes()? {
            match change.payload {
                Some(payload) => {
                    decoder.push(&payload, change.schema.as_deref(), || "a change".into());
                }
                None => {
                    self.apply_rows(&mut decoder, &mut applied)?;
                    match change.key.filter(|_| can_delete) {
                        Some(key) => {
                            let gone = df!(self.keys[0].as_str() => [key])?;
                            applied.add(&self.delete(&gone)?);
                        }
                        None => applied.skipped += 1,
                    }
                }
            }
        }
        self.apply_rows(&mut decoder, &mut applied)?;
        applied.skipped += decoder.rejected_count() as usize;
        Ok(applied)
    }

    fn apply_rows(&self, decoder: &mut Decoder, applied: &mut Applied) -> Result<()> {
        // Taken although there may be none: a registry that is away is said here.
        let rows = decoder.take()?;
        if rows.height() > 0 {
            applied.add(&self.apply(&rows)?);
        }
        Ok(())
    }

    /// Returns the row of a key; a frame without rows where there is none.
    ///
    /// # Errors
    /// When the table has more than one key column.
    pub fn get(&self, key: &str) -> Result<DataFrame> {
        let [_] = &self.keys[..] else {
            return Err(Error::new("a row is found by all of its keys")
                .have(format!("keys {}", self.keys.join(", ")))
                .hint(".frame()? and a .filter(..) on it"));
        };
        let state = self.lock();
        let row = state.versions.latest(&[key.to_owned()]);
        state.versions.rows(row.as_slice())
    }

    /// Returns the latest row of every key, ordered by the keys.
    ///
    /// # Errors
    /// When the keys have no order.
    pub fn frame(&self) -> Result<DataFrame> {
        self.at(i64::MAX)
    }

    /// Returns the rows that held at a time, for instance `2013-02-08 10:00`.
    ///
    /// # Errors
    /// When the table is not versioned, or the text is no time.
    pub fn as_of(&self, at: &str) -> Result<DataFrame> {
        if self.time.is_none() {
            return Err(Error::new("this table knows only what holds now")
                .have(self.describe())
                .hint("KTable::new([..]).versioned(\"valid_from\")"));
        }
        let (micros, _) = time::parse(at)
            .ok_or_else(|| Error::new(format!("`{at}` is no time")).hint("2013-02-08 10:00"))?;
        self.at(micros)
    }

    /// Returns how many keys have a row.
    pub fn len(&self) -> usize {
        self.lock().versions.len()
    }

    /// Returns whether no key has a row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many rows of the table there are for each value of `column`, as a table that
    /// follows this one.
    ///
    /// # Errors
    /// When the table has rows without that column.
    pub fn count_by(&self, column: &str) -> Result<GroupedTable> {
        self.grouped(column, None)
    }

    /// Returns the sum of `of` for each value of `column`, as a table that follows this one: a changed
    /// row is subtracted from its old group and added to its new one.
    ///
    /// # Errors
    /// When the table has rows without those columns, or `of` holds no numbers.
    pub fn sum_by(&self, column: &str, of: &str) -> Result<GroupedTable> {
        self.grouped(column, Some(of))
    }

    /// Returns the table in one line.
    pub fn describe(&self) -> String {
        let versions = match &self.time {
            Some(column) => format!(", versions by {column}"),
            None => String::new(),
        };
        let state = self.lock();
        format!(
            "table by {}{versions}: {} rows after {} changes",
            self.keys.join(", "),
            state.versions.len(),
            state.applied
        )
    }

    /// Shows the latest rows as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(match self.frame() {
            Ok(rows) => Table::of(&rows).caption(self.describe()).bundle(),
            Err(error) => crate::table::text(&error.to_string()),
        });
    }

    /// Returns rows with the columns of this table beside them, null where it has no row of the key.
    pub(crate) fn look_up(&self, rows: &DataFrame, at: &str, place: &str) -> Result<DataFrame> {
        self.check(rows, place)?;
        let keys = texts(rows, &self.keys)?;
        let times = match self.time {
            Some(_) => Some(replay::micros_of(rows, at, place)?),
            None => None,
        };
        let state = self.lock();
        let is_null = self.nulls(rows)?;
        let found = keys.iter().enumerate().map(|(row, key)| {
            let time = times.as_ref().map(|times| times.get(row));
            match (is_null[row], time) {
                (true, _) | (_, Some(None)) => None,
                (_, None) => state.versions.latest(key),
                (_, Some(Some(time))) => state.versions.at(key, time),
            }
        });
        let found: IdxCa = found.collect();
        let mut columns = rows.columns().to_vec();
        let ours = state.versions.all().take(&found)?;
        for column in ours.columns() {
            if self.keys.iter().any(|key| *key == column.name().as_str()) {
                continue;
            }
            let mut column = column.clone();
            if rows.column(column.name()).is_ok() {
                column.rename(format!("{}_right", column.name()).into());
            }
            columns.push(column);
        }
        Ok(DataFrame::new(rows.height(), columns)?)
    }

    /// Returns what a join with this table is, in words.
    pub(crate) fn join_words(&self) -> String {
        let keys = self.keys.join(", ");
        match &self.time {
            Some(column) => format!("left join of a table by {keys}, as of {column}"),
            None => format!("left join of a table by {keys}"),
        }
    }

    fn at(&self, micros: i64) -> Result<DataFrame> {
        let state = self.lock();
        let rows = state.versions.rows(&state.versions.all_at(micros))?;
        if rows.height() == 0 {
            return Ok(rows);
        }
        let order: Vec<PlSmallStr> = self.keys.iter().map(|key| key.as_str().into()).collect();
        Ok(rows.sort(order, SortMultipleOptions::default())?)
    }

    fn check(&self, rows: &DataFrame, place: &str) -> Result<()> {
        match self.keys.iter().find(|key| !rows.schema().contains(key)) {
            Some(missing) => Err(Error::unknown_column(missing, place, rows.schema())),
            None => Ok(()),
        }
    }

    fn change(&self, rows: &DataFrame, is_there: bool) -> Result<Applied> {
        let place = "the changes";
        self.check(rows, place)?;
        let times = match &self.time {
            Some(column) => Some(replay::micros_of(rows, column, place)?),
            None => None,
        };
        let keys = texts(rows, &self.keys)?;
        let is_null = self.nulls(rows)?;
        let mut state = self.lock();
        let state = &mut *state;
        let mut applied = Applied::default();
        let first = state.versions.add(rows)?;
        for (row, key) in keys.into_iter().enumerate() {
            let time = times.as_ref().map(|times| times.get(row));
            if is_null[row] || time == Some(None) {
                applied.skipped += 1;
                continue;
            }
            // Without versions the later row in the stream is the later one in time.
            let time = time.flatten().unwrap_or(state.applied as i64);
            let row = is_there.then_some(first + row as IdxSize);
            let change = state.versions.put(key, time, row, self.time.is_some());
            state.applied += 1;
            applied.note(&change);
            if change.is_latest {
                state.grouped.retain(|sums| sums.strong_count() > 0);
                for sums in state.grouped.iter().filter_map(Weak::upgrade) {
                    let mut sums = sums.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    sums.change(state.versions.all(), change.was, row)?;
                }
            }
        }
        state.versions.compact()?;
        Ok(applied)
    }

    /// Returns for every row whether a part of its key is null.
    fn nulls(&self, rows: &DataFrame) -> Result<Vec<bool>> {
        let mut is_null = vec![false; rows.height()];
        for key in &self.keys {
            let nulls = rows.column(key)?.is_null();
            for (row, null) in nulls.iter().enumerate() {
                is_null[row] |= null == Some(true);
            }
        }
        Ok(is_null)
    }

    fn grouped(&self, by: &str, of: Option<&str>) -> Result<GroupedTable> {
        let mut state = self.lock();
        let mut sums = grouped::Sums::new(by, of);
        for row in state.versions.all_at(i64::MAX) {
            sums.change(state.versions.all(), None, Some(row))?;
        }
        let sums = Arc::new(Mutex::new(sums));
        state.grouped.push(Arc::downgrade(&sums));
        Ok(GroupedTable::new(sums))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Applied {
    fn add(&mut self, other: &Applied) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.older += other.older;
        self.skipped += other.skipped;
    }

    fn note(&mut self, change: &versions::Put) {
        match (change.is_latest, change.was, change.is) {
            (false, _, _) => self.older += 1,
            (_, None, Some(_)) => self.inserted += 1,
            (_, Some(_), Some(_)) => self.updated += 1,
            (_, Some(_), None) => self.deleted += 1,
            (_, None, None) => self.skipped += 1,
        }
    }
}

impl std::fmt::Debug for KTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}
