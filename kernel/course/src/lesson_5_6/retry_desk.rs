//! The desk of exercise E4: a topic of orders, three retry topics, a topic for dead letters, and a
//! process that may die after any call. Time is virtual.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::letter::{Letter, LetterHeaders, LetterTopic, OrderFault, delay_ms, topic_after};
use crate::lesson_5_2::Killed;

use LetterTopic::{Dead, Orders, Retry1s, Retry10s, Retry60s};

/// What a run did first that it must not do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    #[default]
    None,
    /// Had a letter in hand for more than 100 ms.
    Waited,
    /// Sent what is malformed to a retry topic.
    RetriedMalformed,
    /// The header `attempt` is not the number of failed tries.
    WrongAttempt,
    /// Another header is not what it should be.
    WrongHeaders,
    /// Sent to another topic than the one of that attempt.
    WrongTopic,
    /// Dealt with an order while an earlier one of that customer waits.
    Overtook,
    /// Committed a letter, and sent it on afterwards.
    CommittedFirst,
    /// Committed a letter that was neither dealt with nor sent on.
    Dropped,
    /// Took the next letter while the last one is not committed.
    NotCommitted,
    /// Did not end.
    Endless,
}

/// A letter's topic, partition and offset.
type At = (LetterTopic, usize, usize);

/// What a letter meets: the tries that fail, all of them where it is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    pub key: char,
    pub number: u32,
    pub partition: usize,
    pub arrives_ms: i64,
    pub malformed: bool,
    pub failing_tries: u32,
}

/// A letter in a topic, ready at a time.
#[derive(Debug, Clone)]
struct Entry {
    ready_ms: i64,
    letter: Letter,
}

/// What outlives a process.
#[derive(Debug, Default)]
pub(super) struct Kept {
    fates: Vec<Fate>,
    /// The partitions of `Orders`, then one for each other topic.
    logs: [Vec<Entry>; 6],
    committed: [usize; 6],
    clock_ms: i64,
    calls: usize,
    pub done: BTreeSet<(char, u32)>,
    pub dead: BTreeSet<(char, u32)>,
    pub trouble: Trouble,
}

/// What a letter in hand has come to so far.
#[derive(Debug, Clone)]
struct Hand {
    at: At,
    entry: Letter,
    since_ms: i64,
    fault: Option<OrderFault>,
    settled: bool,
    committed: bool,
}

/// Hands out letters, works on them, sends them on: what one process sees.
#[derive(Debug)]
pub struct RetryDesk {
    kept: Kept,
    position: [usize; 6],
    hand: Option<Hand>,
    /// How many calls the process still lives for.
    life: Option<usize>,
}

/// What the work on a letter, a send, a commit take.
const WORK_MS: i64 = 5;
const SEND_MS: i64 = 2;
const COMMIT_MS: i64 = 1;
/// How long a letter may be in hand.
const HAND_MS: i64 = 100;
/// No history needs as many calls.
const MOST_CALLS: usize = 5_000;

/// Which log a topic and partition is.
fn log_of(topic: LetterTopic, partition: usize) -> usize {
    match topic {
        Orders => partition,
        Retry1s => 2,
        Retry10s => 3,
        Retry60s => 4,
        Dead => 5,
    }
}

impl Kept {
    pub fn of(fates: &[Fate]) -> Kept {
        let mut kept = Kept {
            fates: fates.to_vec(),
            ..Kept::default()
        };
        for fate in fates {
            let log = &mut kept.logs[fate.partition];
            let headers = LetterHeaders {
                partition: fate.partition,
                offset: log.len() as i64,
                attempt: 0,
                fault: None,
                first_ms: None,
            };
            log.push(Entry {
                ready_ms: fate.arrives_ms,
                letter: Letter {
                    topic: Orders,
                    key: fate.key,
                    number: fate.number,
                    headers,
                },
            });
        }
        kept
    }

    fn note(&mut self, trouble: Trouble) {
        if self.trouble == Trouble::None {
            self.trouble = trouble;
        }
    }
}

impl RetryDesk {
    /// Starts a process that lives for so many calls, at what is committed.
    pub(super) fn start(kept: Kept, life: Option<usize>) -> RetryDesk {
        RetryDesk {
            position: kept.committed,
            kept,
            hand: None,
            life,
        }
    }

    /// Ends the process.
    pub(super) fn end(self) -> Kept {
        self.kept
    }

    /// Returns the next letter that is ready, of `Orders` or of a retry topic; waits for it if
    /// there will be one, and returns nothing once there will be none.
    ///
    /// # Errors
    /// [`Killed`] when the process dies, here and in every other call.
    pub fn next_letter(&mut self) -> Result<Option<Letter>, Killed> {
        self.call()?;
        if let Some(hand) = self.hand.take() {
            match (hand.committed, hand.settled) {
                (true, true) => {}
                (true, false) => self.kept.note(Trouble::Dropped),
                (false, _) => self.kept.note(Trouble::NotCommitted),
            }
        }
        let ready = (0..5).filter_map(|log| {
            let entry = self.kept.logs[log].get(self.position[log])?;
            Some((entry.ready_ms, log))
        });
        let Some((ready_ms, log)) = ready.min() else {
            return self.after(None);
        };
        self.kept.clock_ms = self.kept.clock_ms.max(ready_ms);
        let offset = self.position[log];
        self.position[log] += 1;
        let letter = self.kept.logs[log][offset].letter.clone();
        self.hand = Some(Hand {
            at: (letter.topic, log, offset),
            entry: letter.clone(),
            since_ms: self.kept.clock_ms,
            fault: None,
            settled: false,
            committed: false,
        });
        self.after(Some(letter))
    }

    /// Returns the retry topic in which an earlier order of the same customer waits, the last of
    /// them if there are several.
    pub fn earlier(&self, letter: &Letter) -> Option<LetterTopic> {
        let waiting = (2..5).flat_map(|log| &self.kept.logs[log][self.kept.committed[log]..]);
        let earlier = waiting
            .map(|entry| &entry.letter)
            .filter(|other| other.key == letter.key && other.number < letter.number);
        earlier
            .max_by_key(|other| other.number)
            .map(|other| other.topic)
    }

    /// Tries to deal with the letter in hand.
    ///
    /// # Errors
    /// As [`RetryDesk::next_letter`]; that the order could not be dealt with is the inner result.
    pub fn work(&mut self, letter: &Letter) -> Result<Result<(), OrderFault>, Killed> {
        self.call()?;
        self.pass(WORK_MS);
        let fate = self
            .kept
            .fates
            .iter()
            .find(|fate| (fate.key, fate.number) == (letter.key, letter.number));
        let attempt = self
            .hand
            .as_ref()
            .map_or(0, |hand| hand.entry.headers.attempt);
        let fault = fate.and_then(|fate| match fate {
            fate if fate.malformed => Some(OrderFault::Malformed),
            fate if attempt < fate.failing_tries => Some(OrderFault::Unreachable),
            _ => None,
        });
        if fault.is_none() {
            if self.earlier(letter).is_some() {
                self.kept.note(Trouble::Overtook);
            }
            self.kept.done.insert((letter.key, letter.number));
        }
        if let Some(hand) = &mut self.hand {
            hand.fault = fault;
            hand.settled |= fault.is_none();
        }
        self.after(fault.map_or(Ok(()), Err))
    }

    /// Appends the letter, with the headers that it has, to a topic.
    ///
    /// # Errors
    /// As [`RetryDesk::next_letter`].
    pub fn send(&mut self, topic: LetterTopic, letter: Letter) -> Result<(), Killed> {
        self.call()?;
        self.pass(SEND_MS);
        if let Some(hand) = self.hand.clone() {
            let trouble = self.wrong_about(&hand, topic, &letter);
            self.kept.note(trouble);
        }
        if topic == Dead {
            self.kept.dead.insert((letter.key, letter.number));
        }
        let ready_ms = self.kept.clock_ms + delay_ms(topic);
        let log = log_of(topic, letter.headers.partition.min(1));
        self.kept.logs[log].push(Entry {
            ready_ms,
            letter: Letter { topic, ..letter },
        });
        if let Some(hand) = &mut self.hand {
            hand.settled = true;
        }
        self.after(())
    }

    /// Commits the letter's offset: a process that starts later does not get it again.
    ///
    /// # Errors
    /// As [`RetryDesk::next_letter`].
    pub fn commit(&mut self, letter: &Letter) -> Result<(), Killed> {
        self.call()?;
        self.pass(COMMIT_MS);
        let hand = self
            .hand
            .as_mut()
            .filter(|hand| (hand.entry.key, hand.entry.number) == (letter.key, letter.number));
        if let Some(hand) = hand {
            hand.committed = true;
            let (_, log, offset) = hand.at;
            self.kept.committed[log] = self.kept.committed[log].max(offset + 1);
        }
        self.after(())
    }

    /// Waits, and does nothing else.
    ///
    /// # Errors
    /// As [`RetryDesk::next_letter`].
    pub fn wait_ms(&mut self, span: i64) -> Result<(), Killed> {
        self.call()?;
        self.pass(span.max(0));
        self.after(())
    }

    /// Returns the time, in milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.kept.clock_ms
    }

    fn wrong_about(&self, hand: &Hand, topic: LetterTopic, letter: &Letter) -> Trouble {
        let had = hand.entry.headers;
        let expected = match hand.fault {
            None => had,
            Some(fault) => LetterHeaders {
                attempt: had.attempt + 1,
                fault: Some(fault),
                first_ms: had.first_ms.or(letter.headers.first_ms),
                ..had
            },
        };
        // The clock moves on between the failure and the send; any time in between will do.
        let first = letter.headers.first_ms;
        let in_time = had.first_ms.is_some()
            || hand.fault.is_none()
            || first.is_some_and(|at| (hand.since_ms..=self.kept.clock_ms).contains(&at));
        let right_topic = match hand.fault {
            Some(fault) => topic == topic_after(had.attempt + 1, fault),
            // It follows an earlier one; where to is seen by what overtakes what.
            None => self.earlier(letter).is_some() && !matches!(topic, Orders | Dead),
        };
        match hand.fault {
            _ if hand.committed => Trouble::CommittedFirst,
            Some(OrderFault::Malformed) if topic != Dead => Trouble::RetriedMalformed,
            _ if letter.headers.attempt != expected.attempt => Trouble::WrongAttempt,
            _ if !right_topic => Trouble::WrongTopic,
            _ if letter.headers != expected || !in_time => Trouble::WrongHeaders,
            _ => Trouble::None,
        }
    }

    /// Lets time pass, with the letter in hand.
    fn pass(&mut self, span: i64) {
        self.kept.clock_ms += span;
        let hand = self.hand.as_ref();
        if hand.is_some_and(|hand| self.kept.clock_ms - hand.since_ms > HAND_MS) {
            self.kept.note(Trouble::Waited);
        }
    }

    fn call(&mut self) -> Result<(), Killed> {
        self.kept.calls += 1;
        if self.kept.calls > MOST_CALLS {
            self.kept.note(Trouble::Endless);
            return Err(Killed);
        }
        if self.life == Some(0) {
            Err(Killed)
        } else {
            Ok(())
        }
    }

    /// Counts a call that has been made: the process may die right after it.
    fn after<T>(&mut self, answer: T) -> Result<T, Killed> {
        self.life = self.life.map(|left| left.saturating_sub(1));
        if self.life == Some(0) {
            Err(Killed)
        } else {
            Ok(answer)
        }
    }
}
