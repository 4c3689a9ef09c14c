//! A consumer and a sink for exercise E3, whose process can die after any call.
//!
//! `MockConsumer` is also what Kafka's own Java library calls its stand-in for tests.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

/// The process died: end the function with this error, as `?` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Killed;

/// One record as a poll returns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polled {
    pub partition: usize,
    pub offset: i64,
    pub value: i64,
}

/// How the committed offset came to be ahead of what the sink has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ahead {
    /// It never was.
    #[default]
    Never,
    /// A record was committed that nobody had handed to the sink.
    BeforeTheSink,
    /// A record was committed that the sink had refused.
    Refused,
    /// A record was committed that still waited in the background.
    InBackground,
    /// The automatic commit ran while records waited in the background.
    Automatic,
}

/// A record's place: partition and offset.
pub(super) type At = (usize, i64);

/// What outlives a process: the log, the committed offsets, the rows of the sink.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// The values of each partition; the first has the offset of `first`.
    pub log: Vec<Vec<i64>>,
    pub first: Vec<i64>,
    /// The next record to read, a number for each partition.
    pub committed: Vec<i64>,
    /// How often the sink has taken a record.
    pub rows: BTreeMap<At, usize>,
    /// How often the sink will still refuse the records of a partition.
    pub refusals: Vec<usize>,
    pub ahead: Ahead,
}

/// What a process has in memory, and what it leaves behind.
#[derive(Debug, Default)]
struct Process {
    kept: Kept,
    position: Vec<i64>,
    automatic: bool,
    refused: BTreeSet<At>,
    waiting: Vec<At>,
    last_poll: Vec<At>,
}

/// How many calls the process lives for; nothing if it does not die. Afterwards every call fails.
#[derive(Debug, Default)]
struct Life(Cell<Option<usize>>);

impl Life {
    fn is_over(&self) -> bool {
        self.0.get() == Some(0)
    }

    fn is_alive(&self) -> Result<(), Killed> {
        if self.is_over() { Err(Killed) } else { Ok(()) }
    }

    /// Counts a call that has been made: the process may die right after it.
    fn after<T>(&self, answer: T) -> Result<T, Killed> {
        self.0.set(self.0.get().map(|left| left - 1));
        self.is_alive().map(|()| answer)
    }
}

/// A consumer of two partitions, whose process can die after any call.
#[derive(Debug, Clone)]
pub struct MockConsumer {
    process: Rc<RefCell<Process>>,
    life: Rc<Life>,
}

/// Where the records go: a table of another system. Its process is that of the consumer.
#[derive(Debug, Clone)]
pub struct MockSink {
    process: Rc<RefCell<Process>>,
    life: Rc<Life>,
}

/// How many records of each partition a poll returns at most.
const AT_MOST: i64 = 2;

/// Starts a process that lives for so many calls.
pub(super) fn start(kept: Kept, calls: Option<usize>) -> (MockConsumer, MockSink) {
    let process = Process {
        position: kept.committed.clone(),
        kept,
        ..Process::default()
    };
    let process = Rc::new(RefCell::new(process));
    let life = Rc::new(Life(Cell::new(calls)));
    let consumer = MockConsumer {
        process: process.clone(),
        life: life.clone(),
    };
    (consumer, MockSink { process, life })
}

impl MockConsumer {
    /// Returns up to four records, at most two of a partition, and moves the position behind them.
    /// Nothing is left when it is empty.
    ///
    /// # Errors
    /// [`Killed`] when the process dies, here and in every other call.
    pub fn poll(&mut self) -> Result<Vec<Polled>, Killed> {
        self.life.is_alive()?;
        let mut process = self.process.borrow_mut();
        if process.automatic {
            process.commit_position();
        }
        let mut polled = Vec::new();
        for partition in 0..process.kept.log.len() {
            let (from, end) = (process.position[partition], process.kept.end(partition));
            for offset in from..end.min(from + AT_MOST) {
                let value = process.kept.value(partition, offset);
                polled.push(Polled {
                    partition,
                    offset,
                    value,
                });
            }
            process.position[partition] = end.min(from + AT_MOST);
        }
        process.last_poll = polled.iter().map(|it| (it.partition, it.offset)).collect();
        self.life.after(polled)
    }

    /// Commits `offset` for `partition`: a process that starts later reads from there.
    ///
    /// # Errors
    /// As [`MockConsumer::poll`].
    pub fn commit(&mut self, partition: usize, offset: i64) -> Result<(), Killed> {
        self.life.is_alive()?;
        self.process.borrow_mut().commit(partition, offset, false);
        self.life.after(())
    }

    /// Turns the automatic commit on: each poll first commits what the polls before it returned.
    pub fn enable_auto_commit(&mut self) {
        self.process.borrow_mut().automatic = true;
    }
}

impl MockSink {
    /// Hands a record to the sink; returns whether it took it. For a while it may refuse the
    /// records of a partition: then try again.
    ///
    /// # Errors
    /// [`Killed`] when the process dies, here and in every other call.
    pub fn put(&mut self, record: &Polled) -> Result<bool, Killed> {
        self.life.is_alive()?;
        let taken = self.process.borrow_mut().put(record);
        self.life.after(taken)
    }

    /// Leaves a record to a thread in the background, which hands it to the sink later.
    ///
    /// # Errors
    /// As [`MockSink::put`].
    pub fn put_later(&mut self, record: &Polled) -> Result<(), Killed> {
        self.life.is_alive()?;
        let place = (record.partition, record.offset);
        self.process.borrow_mut().waiting.push(place);
        self.life.after(())
    }

    /// Waits until everything that was left to the background is in the sink.
    ///
    /// # Errors
    /// As [`MockSink::put`].
    pub fn flush(&mut self) -> Result<(), Killed> {
        self.life.is_alive()?;
        let mut process = self.process.borrow_mut();
        for place in std::mem::take(&mut process.waiting) {
            *process.kept.rows.entry(place).or_default() += 1;
        }
        self.life.after(())
    }

    /// Ends the process; returns what outlives it, and what its last poll had returned.
    pub(super) fn end(&self) -> (Kept, Vec<At>) {
        let process = self.process.borrow();
        (process.kept.clone(), process.last_poll.clone())
    }
}

impl Process {
    fn put(&mut self, record: &Polled) -> bool {
        let place = (record.partition, record.offset);
        let refusals = self.kept.refusals.get_mut(record.partition);
        if let Some(left) = refusals.filter(|left| **left > 0) {
            *left -= 1;
            self.refused.insert(place);
            return false;
        }
        self.refused.remove(&place);
        *self.kept.rows.entry(place).or_default() += 1;
        true
    }

    fn commit_position(&mut self) {
        for partition in 0..self.position.len() {
            self.commit(partition, self.position[partition], true);
        }
    }

    fn commit(&mut self, partition: usize, offset: i64, automatic: bool) {
        let Some(committed) = self.kept.committed.get_mut(partition) else {
            return;
        };
        *committed = offset;
        let until = offset.min(self.kept.end(partition));
        let lacking = (self.kept.first[partition]..until)
            .map(|offset| (partition, offset))
            .find(|place| !self.kept.rows.contains_key(place));
        let Some(place) = lacking.filter(|_| self.kept.ahead == Ahead::Never) else {
            return;
        };
        self.kept.ahead = match place {
            _ if self.refused.contains(&place) => Ahead::Refused,
            _ if self.waiting.contains(&place) && automatic => Ahead::Automatic,
            _ if self.waiting.contains(&place) => Ahead::InBackground,
            _ => Ahead::BeforeTheSink,
        };
    }
}

impl Kept {
    pub fn end(&self, partition: usize) -> i64 {
        self.first[partition] + self.log[partition].len() as i64
    }

    fn value(&self, partition: usize, offset: i64) -> i64 {
        let index = usize::try_from(offset - self.first[partition]).ok();
        index
            .and_then(|index| self.log[partition].get(index).copied())
            .unwrap_or_default()
    }
}
