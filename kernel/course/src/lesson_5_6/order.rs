//! An order of the shop, the event that tells of it, and the ways to tell.

use serde::{Deserialize, Serialize};

/// How the shop tells both systems of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WritePath {
    /// Commits the row (step 1), then sends the event (step 2).
    DatabaseFirst,
    /// Sends the event (step 1), then commits the row (step 2).
    TopicFirst,
    /// Inserts the row (step 1) and the event into one table beside it, and commits both (step 2).
    /// A relay sends what that table holds.
    Outbox,
    /// As `Outbox`; and the reader keeps the ids of events it has dealt with, beside its bills.
    OutboxAndInbox,
}

impl WritePath {
    /// All four, in the order of the lesson.
    pub const ALL: [WritePath; 4] = [
        WritePath::DatabaseFirst,
        WritePath::TopicFirst,
        WritePath::Outbox,
        WritePath::OutboxAndInbox,
    ];

    /// Returns its name in tables, pictures and events.
    pub fn name(self) -> &'static str {
        match self {
            WritePath::DatabaseFirst => "database first",
            WritePath::TopicFirst => "topic first",
            WritePath::Outbox => "outbox",
            WritePath::OutboxAndInbox => "outbox and inbox",
        }
    }

    pub(super) fn has_outbox(self) -> bool {
        matches!(self, WritePath::Outbox | WritePath::OutboxAndInbox)
    }
}

/// One order as the database takes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub number: i64,
    /// UTC.
    pub placed_at: String,
    pub amount_eur: i64,
}

/// The event that tells the world of an order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub event_id: String,
    pub order: i64,
    pub path: String,
    pub event_time: String,
    pub amount_eur: i64,
}

/// What the customer hears.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Accepted,
    Refused(String),
    /// The process died; what it had done by then.
    Silence(&'static str),
}
