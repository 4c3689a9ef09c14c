//! How a cell runs inside the child process.
//!
//! The kernel turns each cell into a small shared object with one entry point. That entry takes
//! the variables it mentions out of the [`store`], runs the person's code under [`guard`], shows
//! the last value through [`show_value!`](crate::show_value) and puts the variables back.
//! `describe` says how large they are and what they hold. [`child`] is the loop around it,
//! [`protocol`] what it says to the kernel. [`input`] is the cell's stdin, [`page`] what a cell may
//! show or ask for by itself.

pub mod child;
pub mod closure;
mod describe;
pub mod failure;
mod flush;
pub mod guard;
pub mod input;
pub mod page;
pub mod protocol;
mod settings;
pub mod show;
pub mod store;
mod threads;

pub use closure::{
    signature_0, signature_1, signature_2, signature_3, signature_4, signature_5, signature_6,
};
pub use failure::Failure;
pub use guard::{block_on, guard, reach_end};
pub use store::{put, put_back, take};
