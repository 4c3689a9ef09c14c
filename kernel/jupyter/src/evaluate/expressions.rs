//! Values that only the front end wants (`user_expressions`): captured, not shown in the cell.

use std::sync::{Arc, Mutex, MutexGuard};

use super::cell::Cell;
use super::frame::{Bundle, Event};
use super::{CellFailure, Evaluator, Output, Sink};

/// What an expression without a value gives.
const UNIT: &str = "()";

/// The expression that is being evaluated, if one is; locked for a few instructions.
#[derive(Clone, Default)]
pub struct Captured(Arc<Mutex<Option<Capture>>>);

struct Capture {
    cell: u64,
    data: Option<Bundle>,
}

/// Returns a sink that keeps the value of an expression back, and the place where it keeps it.
pub fn capturing(sink: Sink) -> (Sink, Captured) {
    let captured = Captured::default();
    let kept = captured.clone();
    let sink: Sink = Arc::new(move |cell, output| match output {
        Output::Frame(Event::Result { data }) => {
            if let Some(data) = kept.keep(cell, data) {
                sink(cell, Output::Frame(Event::Result { data }));
            }
        }
        output => sink(cell, output),
    });
    (sink, captured)
}

impl Captured {
    /// Keeps the value where `cell` is an expression, else gives it back.
    fn keep(&self, cell: u64, data: Bundle) -> Option<Bundle> {
        match self.lock().as_mut() {
            Some(capture) if capture.cell == cell => {
                capture.data = Some(data);
                None
            }
            _ => Some(data),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Capture>> {
        self.0.lock().expect("no panic under this lock")
    }
}

impl Evaluator {
    /// Returns the value of an expression, in all forms that it shows itself in. Like a cell it
    /// has a number of its own, and what it prints is output of that number; nothing that it
    /// defines is kept.
    ///
    /// # Errors
    /// Those of a cell, and one for code that defines something.
    pub fn expression(&mut self, cell: u64, code: &str) -> Result<Bundle, CellFailure> {
        let parsed = Cell::parse(code);
        let defines =
            !parsed.items.is_empty() || !parsed.uses.is_empty() || !parsed.variables.is_empty();
        if defines {
            let text = format!(
                "no expression: `{}`\n  have: a definition\n  try:  an expression, such as `a + b`",
                code.trim()
            );
            return Err(CellFailure::plain("NotAnExpression", text));
        }
        *self.captured.lock() = Some(Capture { cell, data: None });
        let timing = (self.last, std::mem::take(&mut self.show_timing));
        let ended = self.execute(cell, 0, code);
        (self.last, self.show_timing) = timing;
        let data = self.captured.lock().take().and_then(|capture| capture.data);
        ended?;
        Ok(data.unwrap_or_else(|| [("text/plain".to_owned(), UNIT.to_owned())].into()))
    }
}
