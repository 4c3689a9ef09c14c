//! Processors that claim to act once per event: the given one, the right one, and one for each fault.

use std::collections::{HashSet, VecDeque};

/// What is done for an event; it can fail.
pub type Handler<'a> = &'a mut dyn FnMut(u64) -> Result<(), String>;

/// Acts on events, each once, however often each is delivered. So it says.
pub trait Processor {
    /// Delivers the event `id`, perhaps not for the first time.
    fn deliver(&mut self, id: u64, handler: Handler);
    /// Ends the process and starts it again: what was only in memory is gone, the disk stays.
    fn restart(&mut self);
    /// Returns the memory that the ids take, in bytes.
    fn bytes(&self) -> usize;
}

/// Returns the processor of the lesson, with its three faults.
pub fn given_processor() -> Box<dyn Processor> {
    Kind::Given.build()
}

/// Which processor a test is run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Right,
    Given,
    MarksFailures,
    ForgetsAtRestart,
    Grows,
}

/// How many ids the right one keeps: those behind them are forgotten.
const KEPT: usize = 100_000;

impl Kind {
    pub fn build(self) -> Box<dyn Processor> {
        Box::new(Remembering {
            marks_failures: matches!(self, Kind::Given | Kind::MarksFailures),
            forgets: matches!(self, Kind::Given | Kind::ForgetsAtRestart),
            kept: if matches!(self, Kind::Given | Kind::Grows) {
                usize::MAX
            } else {
                KEPT
            },
            seen: HashSet::new(),
            order: VecDeque::new(),
        })
    }

    /// Says it as a row of a table.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Right => "one that is right",
            Kind::Given => "the given one",
            Kind::MarksFailures => "only marks failures as done",
            Kind::ForgetsAtRestart => "only forgets at a restart",
            Kind::Grows => "only keeps every id",
        }
    }
}

/// A processor that remembers ids; with every fault it is the given one.
struct Remembering {
    marks_failures: bool,
    forgets: bool,
    kept: usize,
    seen: HashSet<u64>,
    /// The ids in `seen`, oldest first; unused where all are kept.
    order: VecDeque<u64>,
}

impl Processor for Remembering {
    fn deliver(&mut self, id: u64, handler: Handler) {
        if self.seen.contains(&id) {
            return;
        }
        let failed = handler(id).is_err();
        if failed && !self.marks_failures {
            return;
        }
        self.seen.insert(id);
        if self.kept == usize::MAX {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > self.kept
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }

    fn restart(&mut self) {
        if self.forgets {
            self.seen = HashSet::new();
            self.order = VecDeque::new();
        }
    }

    fn bytes(&self) -> usize {
        // A hash set has room for 8/7 of its capacity, and a byte beside each place.
        let places = (self.seen.capacity() * 8).div_ceil(7);
        places * (size_of::<u64>() + 1) + self.order.capacity() * size_of::<u64>()
    }
}
