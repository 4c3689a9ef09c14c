//! The exercises of lesson 5.1, Introduction to Data Streaming.
//!
//! - [`trace`]: E1, what does a trace say about latency, throughput and staleness?
//! - [`engines`]: E2, one sum as record at a time, micro-batch and window
//! - [`window_starts`]: E3, to which windows does an event belong?
//! - [`buffer`]: E4, a bounded buffer and four policies for when it is full
//! - [`overload`](mod@overload): the burst that E4 is about
//! - [`once`]: E5, tests for a processor that claims to act once, and the [`processors`] themselves
//! - [`clocks`] and [`design`]: pictures of two clocks, and of who sends to whom
//! - [`models`]: E6, batch, micro-batch or stream, for twelve [`use_cases`]

pub mod buffer;
pub mod clocks;
pub mod design;
pub mod engines;
pub mod models;
pub mod once;
pub mod overload;
pub mod processors;
pub mod trace;
pub mod use_cases;
pub mod window_starts;

mod buffer_ways;
mod engine_ways;
mod once_ways;
mod overload_picture;
mod trace_ways;

pub use buffer::{Buffer, Verdict, check_5_1_e4};
pub use clocks::two_clocks;
pub use design::Design;
pub use engines::{Output, Reading, check_5_1_e2, example_readings, sums};
pub use models::{Model, Reason, check_5_1_e6};
pub use once::check_5_1_e5;
pub use overload::{overload, overload_with};
pub use overload_picture::overload_picture;
pub use processors::{Processor, given_processor};
pub use trace::{TraceStats, Trip, check_5_1_e1, example_trips};
pub use use_cases::UseCase;
pub use window_starts::check_5_1_e3;
