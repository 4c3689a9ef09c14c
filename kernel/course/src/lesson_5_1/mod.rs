//! The exercises of lesson 5.1, Introduction to Data Streaming.
//!
//! - [`window_starts`]: E3, to which windows does an event belong?

pub mod window_starts;

pub use window_starts::check_5_1_e3;
