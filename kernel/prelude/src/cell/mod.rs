//! How a cell runs inside the child process.
//!
//! The kernel turns each cell into a small shared object with one entry point. That entry takes
//! the variables it mentions out of the [`store`], runs the person's code under [`guard`], shows
//! the last value through [`show_value!`](crate::show_value) and puts the variables back.
//! [`child`] is the loop around it; [`protocol`] is what it says to the kernel.

pub mod child;
pub mod failure;
pub mod guard;
pub mod protocol;
pub mod show;
pub mod store;

pub use failure::Failure;
pub use guard::{block_on, guard, reach_end};
pub use store::{put, put_back, take};
