//! Operators with a state of their own: duplicates are left out before a window, and events are put in
//! the order of their times for patterns and process functions.

mod dedup;
mod ordered;

pub(crate) use dedup::{Dedup, DedupSpec};
pub(crate) use ordered::Ordered;
