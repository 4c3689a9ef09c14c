//! The letters of exercise E4: orders on their way through the retry topics.

use serde::{Deserialize, Serialize};

use LetterTopic::{Dead, Orders, Retry1s, Retry10s, Retry60s};

/// The topics at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LetterTopic {
    /// Where orders arrive, on two partitions.
    Orders,
    /// Handed out again one second after it came in.
    Retry1s,
    /// After ten seconds.
    Retry10s,
    /// After a minute.
    Retry60s,
    /// Never handed out again.
    Dead,
}

/// Why an order could not be dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderFault {
    /// Its bytes are no order, and never will be.
    Malformed,
    /// The payment service did not answer.
    Unreachable,
}

/// What travels with a letter through the retry topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterHeaders {
    /// Partition of `Orders` that it came from.
    pub partition: usize,
    /// Its offset there.
    pub offset: i64,
    /// How many tries have failed.
    pub attempt: u32,
    /// Why the last one did.
    pub fault: Option<OrderFault>,
    /// When the first one did.
    pub first_ms: Option<i64>,
}

/// One order, as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The topic it was read from.
    pub topic: LetterTopic,
    /// The customer.
    pub key: char,
    /// Counts up from 1 for each customer.
    pub number: u32,
    pub headers: LetterHeaders,
}

/// How long a topic keeps a letter back.
pub(super) fn delay_ms(topic: LetterTopic) -> i64 {
    match topic {
        Orders | Dead => 0,
        Retry1s => 1_000,
        Retry10s => 10_000,
        Retry60s => 60_000,
    }
}

/// Where a letter goes after so many failed tries.
pub(super) fn topic_after(attempt: u32, fault: OrderFault) -> LetterTopic {
    match (fault, attempt) {
        (OrderFault::Malformed, _) => Dead,
        (_, 1) => Retry1s,
        (_, 2) => Retry10s,
        (_, 3) => Retry60s,
        _ => Dead,
    }
}
