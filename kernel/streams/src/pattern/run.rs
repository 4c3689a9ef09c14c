//! A pattern between two batches.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use hashbrown::HashMap;
use polars::prelude::*;

use super::Pattern;
use crate::operator::Ordered;
use crate::testing::Expected;
use crate::window::{Keys, Typed};
use crate::{Error, Result};

/// So many keys without an event may stay numbered beside those that have one.
const IDLE_KEYS: usize = 8192;

/// A pattern that takes in what you push: no broker, no threads.
pub struct PatternRun {
    /// Locked for one call.
    state: Mutex<State>,
}

struct State {
    pattern: Pattern,
    parts: [Expr; 3],
    within: i64,
    events: Ordered<Event>,
    keys: Keys,
    /// The first events of each key that wait, in order.
    open: HashMap<u32, VecDeque<i64>>,
    emitted: Expected,
    taken_back: usize,
    missing: usize,
}

/// What a row is to the pattern.
struct Event {
    key: u32,
    is_first: bool,
    is_then: bool,
    is_without: bool,
}

/// A first event, and what followed it.
struct Match {
    key: u32,
    first: i64,
    then: Option<i64>,
}

impl PatternRun {
    /// Starts a pattern with nothing in its state.
    ///
    /// # Errors
    /// When a part of the pattern is missing, or its stream has no watermark.
    pub fn new(pattern: &Pattern) -> Result<PatternRun> {
        let never = lit(false);
        let within = pattern.within_us.ok_or_else(|| {
            Error::new("a pattern needs a span: without one a first event waits for ever")
                .have(format!("{pattern:?}"))
                .hint(".within(minutes(10))")
        })?;
        if pattern.keys.is_empty() {
            return Err(
                Error::new("a pattern is one of events of the same thing: it needs a key")
                    .have("no keys")
                    .hint(".pattern([\"user\"])"),
            );
        }
        let state = State {
            parts: [
                pattern.part(pattern.first.as_ref(), "first")?,
                pattern.part(pattern.then.as_ref(), "then")?,
                pattern.without.clone().unwrap_or(never),
            ],
            within,
            events: Ordered::new(&pattern.stream, "a pattern")?,
            keys: Keys::new(pattern.keys.len()),
            open: HashMap::new(),
            emitted: Expected::default(),
            taken_back: 0,
            missing: 0,
            pattern: pattern.clone(),
        };
        Ok(PatternRun {
            state: Mutex::new(state),
        })
    }

    /// Takes in one micro-batch; returns the matches that the watermark has made sure of.
    ///
    /// # Errors
    /// When the rows lack a column of the pattern.
    pub fn push(&self, rows: &DataFrame) -> Result<DataFrame> {
        let mut state = self.lock();
        let state = &mut *state;
        let (keys, names, parts) = (&mut state.keys, &state.pattern.keys, &state.parts);
        state
            .events
            .push(rows, |rows| events(rows, keys, names, parts))?;
        let mut matches = Vec::new();
        while let Some((at, event)) = state.events.next() {
            state.look(at, &event, &mut matches);
        }
        let watermark = state.events.watermark();
        state.expire(watermark, &mut matches);
        state.give_out(matches)
    }

    /// Looks at what still waits: nothing earlier comes any more. Returns the matches.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn finish(&self) -> Result<DataFrame> {
        let mut state = self.lock();
        let mut matches = Vec::new();
        for (at, event) in state.events.rest() {
            state.look(at, &event, &mut matches);
        }
        state.expire(i64::MAX, &mut matches);
        state.give_out(matches)
    }

    /// Compares the matches since the last `expect` with these rows.
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

    /// Returns the rows that came when the watermark had passed them.
    pub fn late(&self) -> DataFrame {
        self.lock().events.late().clone()
    }

    /// Returns what became of the first events and rows, in one line.
    pub fn counts(&self) -> String {
        let state = self.lock();
        let open: usize = state.open.values().map(VecDeque::len).sum();
        format!(
            "{} given out, {open} open, {} taken back, {} that nothing followed; {} events wait for the watermark, {} late, {} without a time",
            state.emitted.all().height(),
            state.taken_back,
            state.missing,
            state.events.waiting(),
            state.events.late().height(),
            state.events.without_time()
        )
    }

    /// Shows the matches as the value of a cell.
    pub fn evcxr_display(&self) {
        let (rows, counts) = (self.emitted(), self.counts());
        crate::display::result(crate::table::Table::of(&rows).caption(counts).bundle());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    fn look(&mut self, at: i64, event: &Event, matches: &mut Vec<Match>) {
        let open = self.open.entry(event.key).or_default();
        // First events that are too old by now are no match of this one.
        while open
            .front()
            .is_some_and(|first| first.saturating_add(self.within) < at)
        {
            let first = open.pop_front().unwrap_or(at);
            self.missing += 1;
            matches.push(Match {
                key: event.key,
                first,
                then: None,
            });
        }
        if event.is_then {
            let found = open.drain(..);
            matches.extend(found.map(|first| Match {
                key: event.key,
                first,
                then: Some(at),
            }));
        }
        if event.is_without {
            self.taken_back += open.len();
            open.clear();
        }
        if event.is_first {
            open.push_back(at);
        }
    }

    /// Lets go of first events that nothing can follow in time any more.
    fn expire(&mut self, watermark: i64, matches: &mut Vec<Match>) {
        for (key, open) in &mut self.open {
            while open.front().is_some_and(|first| {
                watermark == i64::MAX || first.saturating_add(self.within) <= watermark
            }) {
                let first = open.pop_front().unwrap_or(watermark);
                self.missing += 1;
                matches.push(Match {
                    key: *key,
                    first,
                    then: None,
                });
            }
        }
        self.open.retain(|_, open| !open.is_empty());
    }

    fn give_out(&mut self, mut matches: Vec<Match>) -> Result<DataFrame> {
        if !self.pattern.missing {
            matches.retain(|found| found.then.is_some());
        }
        let end = |found: &Match| {
            found
                .then
                .unwrap_or(found.first.saturating_add(self.within))
        };
        matches.sort_by_key(|found| (end(found), found.first, found.key));
        let times = |name: &str, pick: fn(&Match) -> Option<i64>| -> Column {
            let times: Int64Chunked = matches.iter().map(pick).collect();
            let times = times.with_name(name.into());
            times
                .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
                .into_series()
                .into()
        };
        let keys: Vec<u32> = matches.iter().map(|found| found.key).collect();
        let mut columns = self.keys.columns(&self.pattern.keys, &keys)?;
        columns.push(times("first_at", |found| Some(found.first)));
        columns.push(times("then_at", |found| found.then));
        let took: Int64Chunked = matches
            .iter()
            .map(|found| found.then.map(|then| then - found.first))
            .collect();
        let took = took.with_name("took".into());
        columns.push(
            took.into_duration(TimeUnit::Microseconds)
                .into_series()
                .into(),
        );
        let frame = DataFrame::new(matches.len(), columns)?;
        self.emitted.add(&frame)?;
        if self.keys.len() > 2 * (self.open.len() + self.events.waiting()) + IDLE_KEYS {
            self.renumber()?;
        }
        Ok(frame)
    }

    /// Gives keys that are still looked at new numbers, and forgets the others.
    fn renumber(&mut self) -> Result<()> {
        let mut used: Vec<u32> = self.open.keys().copied().collect();
        used.extend(self.events.each_mut().map(|event| event.key));
        used.sort_unstable();
        used.dedup();
        let columns = self.keys.columns(&self.pattern.keys, &used)?;
        let columns = columns.iter().map(Typed::of).collect::<Result<Vec<_>>>()?;
        self.keys = Keys::new(self.pattern.keys.len());
        if used.is_empty() {
            return Ok(());
        }
        let new = self.keys.numbers(&columns, used.len())?;
        let new: HashMap<u32, u32> = used.into_iter().zip(new).collect();
        let open = std::mem::take(&mut self.open);
        self.open = open
            .into_iter()
            .map(|(key, firsts)| (new[&key], firsts))
            .collect();
        self.events
            .each_mut()
            .for_each(|event| event.key = new[&event.key]);
        Ok(())
    }
}

/// Returns what each row is to the pattern.
fn events(
    rows: &DataFrame,
    keys: &mut Keys,
    names: &[String],
    parts: &[Expr; 3],
) -> Result<Vec<Event>> {
    for name in names {
        if !rows.schema().contains(name) {
            return Err(Error::unknown_column(
                name,
                "the stream of the pattern",
                rows.schema(),
            ));
        }
    }
    let columns = names
        .iter()
        .map(|name| Typed::of(rows.column(name)?))
        .collect::<Result<Vec<_>>>()?;
    let numbers = keys.numbers(&columns, rows.height())?;
    let part = |(name, part): (&str, &Expr)| {
        let on_all = when(part.clone()).then(lit(true)).otherwise(lit(false));
        on_all.alias(name)
    };
    let named = ["first", "then", "without"].into_iter().zip(parts);
    let known = rows
        .clone()
        .lazy()
        .with_columns(named.map(part).collect::<Vec<_>>())
        .collect()?;
    let is = |name: &str| -> Result<Vec<bool>> {
        let values = known.column(name)?.bool()?;
        Ok(values.iter().map(|value| value == Some(true)).collect())
    };
    let (first, then, without) = (is("first")?, is("then")?, is("without")?);
    let event = |(row, key)| Event {
        key,
        is_first: first[row],
        is_then: then[row],
        is_without: without[row],
    };
    Ok(numbers.into_iter().enumerate().map(event).collect())
}
