//! The card that follows a job: one line and its last batches.

use std::time::{Duration, Instant};

use super::progress::{self, BatchProgress};
use super::shared::Shared;
use crate::frame::Bundle;
use crate::{display, table};

/// How many batches the card shows.
const SHOWN: usize = 5;

/// The least time between two updates: four a second.
const PAUSE: Duration = Duration::from_millis(250);

/// Where the card is shown, and when it was last brought up to date.
pub(super) struct Card {
    id: String,
    /// From when on it is shown; a run that ends before shows none.
    from: Instant,
    drawn: Option<Instant>,
}

impl Card {
    /// Returns a card that is shown once the job has run for so long.
    pub fn after(span: Duration) -> Card {
        Card {
            id: display::new_id(),
            from: Instant::now() + span,
            drawn: None,
        }
    }

    /// Shows how far the job is, unless that was shown just now.
    pub fn follow(&mut self, shared: &Shared) {
        let due = match self.drawn {
            None => Instant::now() >= self.from,
            Some(drawn) => drawn.elapsed() >= PAUSE,
        };
        if due {
            self.draw(shared);
        }
    }

    /// Shows how the job ended, if the card was shown at all.
    pub fn close(&mut self, shared: &Shared) {
        if self.drawn.is_some() {
            self.draw(shared);
        }
    }

    fn draw(&mut self, shared: &Shared) {
        match self.drawn.replace(Instant::now()) {
            None => display::show_as(&self.id, card(shared)),
            Some(_) => display::update(&self.id, card(shared)),
        }
    }
}

/// Returns the card as it is now.
pub(super) fn card(shared: &Shared) -> Bundle {
    let records: Vec<BatchProgress> = {
        let state = shared.lock();
        let all = state.progress.iter();
        all.skip(state.progress.len().saturating_sub(SHOWN))
            .cloned()
            .collect()
    };
    let line = shared.line();
    if records.is_empty() {
        return table::text(&line);
    }
    match progress::table(&records, line) {
        Ok(table) => table.bundle(),
        Err(error) => table::text(&error.to_string()),
    }
}
