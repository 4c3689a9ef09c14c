//! Operators with a state of their own that rows pass before they reach a window.

mod dedup;

pub(crate) use dedup::{Dedup, DedupSpec};
