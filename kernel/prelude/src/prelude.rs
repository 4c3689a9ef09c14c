//! The names that every cell has in scope without a `use`.

pub use headwater_course::prelude::*;
pub use headwater_streams::prelude::*;
pub use polars::prelude::*;
