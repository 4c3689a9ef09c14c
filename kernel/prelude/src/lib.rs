//! What a notebook cell links: Headwater's streams and course, and the crates that cells name.
//!
//! This crate is compiled once, as a shared object, together with everything below it; a cell
//! is then one small call of the compiler against that object. It stays at opt-level 0 so that
//! the generic code instantiated here can be shared by every cell.
//!
//! - [`prelude`]: the names that every cell has in scope
//! - [`cell`]: how a cell runs, keeps its variables, fails and shows its value

pub use {
    chrono, headwater_course as course, headwater_streams as streams, plotters, polars, rdkafka,
    serde, serde_json, tokio,
};

pub mod cell;
pub mod prelude;

pub use cell::page::{Shown, clear_output, read_password, show_html, show_mime};
