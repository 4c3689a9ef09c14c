//! Process functions: code of your own for every row of a key, with a state and timers.

mod keyed;
mod run;

use std::sync::Arc;

use crate::query::Stream;
pub use keyed::{Happening, Keyed};
pub use run::ProcessRun;

/// What a process function is.
type Function = dyn Fn(&mut Keyed, &Happening) + Send + Sync;

/// A stream with a function for every row of a key; made by [`Stream::process`](crate::Stream::process).
///
/// Rows reach the function in the order of their event times, as soon as the watermark has passed them; a
/// timer of event time fires between the rows where it belongs, one of the clock on the wall when
/// [`ProcessRun::advance_wall`] reaches it.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use polars::prelude::*;
/// use serde_json::json;
///
/// // Says which gauge has been silent for a minute.
/// let readings = Cluster::embedded()?.topic("doc-gauges", partitions(1))?.stream().watermark("at", seconds(5));
/// let silent = readings.process("gauge", |gauge, happening| match happening {
///     Happening::Row(_) => {
///         gauge.clear_timers();
///         gauge.fire_after(minutes(1));
///     }
///     Happening::EventTimer => gauge.emit(json!({"gauge": gauge.key(), "silent_at": gauge.at_text()})),
///     Happening::WallTimer => {}
/// });
/// let run = ProcessRun::new(&silent)?;
/// run.push(&df!("gauge" => ["G1", "G2", "G1"], "at" => ["2013-02-08 10:00:00", "2013-02-08 10:00:30", "2013-02-08 10:00:50"])?)?;
/// run.push(&df!("gauge" => ["G1"], "at" => ["2013-02-08 10:01:40"])?)?;
/// run.expect(&df!("gauge" => ["G2"], "silent_at" => ["2013-02-08 10:01:30"])?)?;
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct Process {
    stream: Stream,
    key: String,
    function: Arc<Function>,
}

impl Process {
    pub(crate) fn new(stream: Stream, key: &str, function: Arc<Function>) -> Process {
        Process {
            stream,
            key: key.into(),
            function,
        }
    }

    /// Shows the process as the value of a cell.
    pub fn evcxr_display(&self) {
        let hint = "run it: let run = ProcessRun::new(&process)?; run.push(&frame)?";
        crate::display::result(crate::table::text(&format!("{self:?}\n{hint}")));
    }
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "a function for every row of topic {} by {}",
            self.stream.topic().name(),
            self.key
        )
    }
}
