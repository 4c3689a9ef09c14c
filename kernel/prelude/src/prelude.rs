//! The names that every cell has in scope without a `use`.

pub use crate::{clear_output, read_password, show_html, show_mime};
pub use headwater_course::prelude::*;
pub use headwater_streams::prelude::*;
pub use polars::prelude::*;
