//! The library behind the binary `headwater`: a Jupyter kernel for Rust with live streams.
//!
//! - [`cli`]: the commands
//! - [`serve`]: the kernel's sockets, dispatch and output
//! - [`course`]: checks the lessons, and writes their overview
//! - [`evaluate`]: compiles cells and runs them in a child process
//! - [`run`]: executes notebooks through the real kernel
//! - [`setup`]: `install`, `lab` and `doctor`
//! - [`broker`]: the embedded broker on its own

pub mod broker;
mod broker_access;
pub mod cli;
pub mod course;
pub mod evaluate;
pub mod run;
pub mod serve;
pub mod setup;
