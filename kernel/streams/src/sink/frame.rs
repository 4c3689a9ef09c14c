//! A frame in memory as a sink.

use std::sync::{Arc, Mutex, MutexGuard};

use hashbrown::HashSet;
use polars::prelude::*;

use super::marker::{self, Marker};
use super::{Opening, Output, Sink, Target, Writer};
use crate::Result;
use crate::query::Query;
use crate::window::OutputMode;

/// A frame in memory as a sink: the results of a job, to look at from another cell.
///
/// Clones share it. In update mode a window that comes again replaces itself; in complete mode
/// every batch replaces the frame. It lives as long as the process: a job that has already
/// written elsewhere, or to a frame that is gone, is refused.
///
/// # Example
/// ```no_run
/// use headwater_streams::prelude::*;
/// # fn doc(query: Query) -> headwater_streams::Result<()> {
/// let windows = FrameSink::new();
/// query.to(&windows).checkpoint("checkpoints/looked-at").run_available()?;
/// windows.frame()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct FrameSink {
    /// Locked for one batch or one copy.
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    marker: Option<Marker>,
    rows: DataFrame,
}

struct Filler {
    sink: FrameSink,
    mode: OutputMode,
    /// The columns that name a window: window_start, window_end and the keys.
    names: Vec<String>,
}

impl FrameSink {
    /// Returns an empty one.
    pub fn new() -> FrameSink {
        FrameSink::default()
    }

    /// Returns the results so far: window_start, window_end, the keys, the aggregates, ordered by
    /// window and keys. A frame without columns before the first batch.
    ///
    /// # Errors
    /// When a key has a dtype that cannot be sorted.
    pub fn frame(&self) -> Result<DataFrame> {
        let rows = self.lock().rows.clone();
        if rows.width() == 0 {
            return Ok(rows);
        }
        let all: Vec<PlSmallStr> = rows.get_column_names().into_iter().cloned().collect();
        let order = all.into_iter().filter(|name| {
            let dtype = rows.column(name).map(|column| column.dtype().clone());
            dtype.is_ok_and(|dtype| !dtype.is_nested() && dtype != DataType::Null)
        });
        let order: Vec<PlSmallStr> = order.collect();
        Ok(rows.sort(order, SortMultipleOptions::default())?)
    }

    /// Shows the frame as the value of a cell.
    pub fn evcxr_display(&self) {
        match self.frame() {
            Ok(frame) => {
                crate::display::result(crate::table::Table::of(&frame).bundle());
            }
            Err(error) => crate::display::result(crate::table::text(&error.to_string())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Target for FrameSink {
    fn describe(&self) -> String {
        "a frame in memory".into()
    }

    fn check(&self, _: &Query) -> Result<()> {
        Ok(())
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Writer>> {
        let mut held = self.lock();
        marker::check(&self.describe(), held.marker.as_ref(), opening)?;
        held.marker.get_or_insert_with(|| Marker {
            job: opening.job.into(),
            batch: None,
        });
        drop(held);
        Ok(Box::new(Filler {
            sink: self.clone(),
            mode: opening.query.mode(),
            names: opening.query.names(),
        }))
    }
}

impl Writer for Filler {
    fn write(&mut self, output: &Output<'_>) -> Result<()> {
        let mut held = self.sink.lock();
        let held = &mut *held;
        let Some(marker) = &mut held.marker else {
            return Ok(());
        };
        if marker.batch == Some(output.batch) {
            return Ok(());
        }
        if self.mode == OutputMode::Complete {
            held.rows = output.rows.clone();
        } else if output.rows.height() > 0 {
            if self.mode == OutputMode::Update {
                held.rows = self.without(&held.rows, output.rows)?;
            }
            crate::window::append(&mut held.rows, output.rows)?;
        }
        marker.batch = Some(output.batch);
        Ok(())
    }
}

impl Filler {
    /// Returns the older rows whose windows are not among the newer ones.
    fn without(&self, older: &DataFrame, newer: &DataFrame) -> Result<DataFrame> {
        if older.height() == 0 {
            return Ok(older.clone());
        }
        let names = self.names.iter().map(String::as_str);
        let (older_names, newer) =
            crate::window::aligned(older.select(names.clone())?, newer.select(names)?)?;
        let names = |frame: &DataFrame, row: usize| -> PolarsResult<Vec<AnyValue<'static>>> {
            let columns = frame.columns().iter();
            columns
                .map(|column| column.get(row).map(AnyValue::into_static))
                .collect()
        };
        let newer: HashSet<Vec<AnyValue<'static>>> = (0..newer.height())
            .map(|row| names(&newer, row))
            .collect::<PolarsResult<_>>()?;
        let stays: BooleanChunked = (0..older.height())
            .map(|row| names(&older_names, row).map(|names| !newer.contains(&names)))
            .collect::<PolarsResult<Vec<bool>>>()?
            .into_iter()
            .collect();
        Ok(older.filter(&stays)?)
    }
}

impl From<&FrameSink> for Sink {
    fn from(sink: &FrameSink) -> Sink {
        Sink::of(sink.clone())
    }
}

impl From<FrameSink> for Sink {
    fn from(sink: FrameSink) -> Sink {
        Sink::of(sink)
    }
}

impl std::fmt::Debug for FrameSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} rows", self.describe(), self.lock().rows.height())
    }
}
