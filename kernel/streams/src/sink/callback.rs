//! A function of your own as a sink.

use std::sync::Arc;

use polars::prelude::DataFrame;

use super::{Opening, Output, Sink, Target, Writer};
use crate::Result;
use crate::query::Query;

type Call = Arc<dyn Fn(u64, &DataFrame) -> Result<()> + Send + Sync>;

/// A function as a sink: it gets the number of each batch and its rows.
///
/// A batch that was under way when the job was killed comes again, with the same number and the
/// same rows: a function that keeps the number next to what it writes writes nothing twice. An
/// error that it returns ends the job; the batch comes again at the next start.
///
/// # Example
/// ```no_run
/// use headwater_streams::prelude::*;
/// # fn doc(query: Query) -> headwater_streams::Result<()> {
/// let print = EachBatch::call(|batch, rows| {
///     println!("batch {batch}: {} windows", rows.height());
///     Ok(())
/// });
/// query.to(print).checkpoint("checkpoints/printed").run_available()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EachBatch {
    call: Call,
}

struct Caller(Call);

impl EachBatch {
    /// Takes the function.
    pub fn call(call: impl Fn(u64, &DataFrame) -> Result<()> + Send + Sync + 'static) -> EachBatch {
        EachBatch {
            call: Arc::new(call),
        }
    }

    /// Shows the sink as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(crate::table::text(&self.describe()));
    }
}

impl Target for EachBatch {
    fn describe(&self) -> String {
        "a function".into()
    }

    fn check(&self, _: &Query) -> Result<()> {
        Ok(())
    }

    fn open(&self, _: &Opening<'_>) -> Result<Box<dyn Writer>> {
        Ok(Box::new(Caller(self.call.clone())))
    }
}

impl Writer for Caller {
    fn write(&mut self, output: &Output<'_>) -> Result<()> {
        (self.0)(output.batch, output.rows)
    }
}

impl From<EachBatch> for Sink {
    fn from(each: EachBatch) -> Sink {
        Sink::of(each)
    }
}

impl std::fmt::Debug for EachBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}
